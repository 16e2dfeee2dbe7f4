//! Servers that are known by their header, and where their idle time is set.

use super::super::report::HttpReport;

/// A server whose settings are known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Software {
    Apache,
    Express,
    Gunicorn,
    Nginx,
    Uvicorn,
    Uwsgi,
}

impl Software {
    /// The one that Server or X-Powered-By names.
    pub(super) fn of(http: &HttpReport) -> Option<Self> {
        let told = [&http.server, &http.powered_by].into_iter().flatten();
        let told: Vec<String> = told.map(|value| value.to_ascii_lowercase()).collect();
        let known = [
            ("express", Self::Express),
            ("gunicorn", Self::Gunicorn),
            ("uvicorn", Self::Uvicorn),
            ("uwsgi", Self::Uwsgi),
            ("nginx", Self::Nginx),
            ("apache", Self::Apache),
        ];
        known.into_iter().find(|(word, _)| told.iter().any(|value| value.contains(word))).map(|(_, software)| software)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Apache => "Apache",
            Self::Express => "Express",
            Self::Gunicorn => "gunicorn",
            Self::Nginx => "nginx",
            Self::Uvicorn => "uvicorn",
            Self::Uwsgi => "uWSGI",
        }
    }

    /// What its documentation says for a server that was not told.
    pub(super) fn usual_idle_ms(self) -> Option<u64> {
        match self {
            Self::Apache | Self::Express | Self::Uvicorn => Some(5_000),
            Self::Gunicorn => Some(2_000),
            Self::Nginx => Some(75_000),
            Self::Uwsgi => None,
        }
    }

    /// How it keeps idle connections longer than the gateway's `pool` milliseconds.
    pub(super) fn longer(self, pool: u64) -> String {
        let seconds = pool.div_ceil(1_000) + 10;
        match self {
            Self::Apache => format!("`KeepAliveTimeout {seconds}`"),
            // While headersTimeout is not the longer one, it ends connections that are kept.
            Self::Express => format!(
                "`server.keepAliveTimeout = {seconds}_000; server.headersTimeout = {}_000`, the second always the longer",
                seconds + 1
            ),
            Self::Gunicorn => {
                format!("`--keep-alive {seconds}` with `--worker-class gthread` (the sync worker keeps none)")
            }
            Self::Nginx => format!("`keepalive_timeout {seconds}s;`"),
            Self::Uvicorn => format!("`--timeout-keep-alive {seconds}`"),
            Self::Uwsgi => {
                format!("`http-keepalive = {seconds}` (`harakiri` is no idle time: it kills whoever works longer)")
            }
        }
    }

    /// How it keeps connections at all.
    pub(super) fn keeping(self) -> &'static str {
        match self {
            Self::Apache => "`KeepAlive On`",
            Self::Express => "no `Connection: close` of the application's own",
            Self::Gunicorn => "`--worker-class gthread --keep-alive 65` (the sync worker keeps none)",
            Self::Nginx => "`keepalive_timeout 75s;` (0 keeps none)",
            Self::Uvicorn => "`--timeout-keep-alive 65`",
            Self::Uwsgi => "`http-keepalive = 65` (`harakiri` is no idle time: it kills whoever works longer)",
        }
    }
}
