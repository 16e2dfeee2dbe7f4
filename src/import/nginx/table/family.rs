//! Names that the modules which pass requests on share behind their prefixes: `proxy_`, `fastcgi_`, `grpc_`, ...

use super::Harmless::{Never, Unless, Words};
use super::{Class, Decides, Harmless, row};

/// The prefixes.
const PREFIXES: &[&str] = &["proxy_", "fastcgi_", "uwsgi_", "scgi_", "grpc_", "memcached_"];

/// What such a name means behind its prefix.
pub(super) fn class(name: &str) -> Class {
    let Some(behind) = PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix)) else { return Class::Unknown };
    if NOTHING.split_whitespace().any(|own| own == behind) {
        return Class::Nothing;
    }
    if CACHE.split_whitespace().any(|own| own == behind) {
        return Class::Parameter(CACHES);
    }
    match ALL.iter().find(|(own, _)| *own == behind) {
        Some((_, decides)) => Class::Decides(*decides),
        None => Class::Unknown,
    }
}

/// Names that no decision depends on: buffers, times, files for bodies, versions and ciphers.
pub(super) const NOTHING: &str = "buffering buffer_size buffers busy_buffers_size request_buffering max_temp_file_size \
                       temp_file_write_size temp_path connect_timeout read_timeout send_timeout send_lowat \
                       socket_keepalive limit_rate ignore_client_abort ignore_headers http_version keep_conn \
                       headers_hash_max_size headers_hash_bucket_size ssl_ciphers ssl_session_reuse \
                       ssl_certificate_cache ssl_password_file";

/// What says more about a cache.
pub(super) const CACHE: &str = "cache_background_update cache_bypass cache_convert_head cache_key cache_lock cache_lock_age \
                     cache_lock_timeout cache_max_range_offset cache_methods cache_min_uses cache_path \
                     cache_revalidate cache_use_stale cache_valid no_cache store_access";

const CACHES: &[&str] = &[
    "proxy_cache",
    "fastcgi_cache",
    "uwsgi_cache",
    "scgi_cache",
    "proxy_store",
    "fastcgi_store",
    "uwsgi_store",
    "scgi_store",
];

/// What such a name decides.
pub(super) const ALL: &[(&str, Decides)] = &[
    row("cache", OFF, "every request goes to the upstream", "no rule: a cache in front of the upstream"),
    row("cache_purge", OFF, "nothing is purged", "no rule: a cache in front of the upstream"),
    row("store", OFF, "no copy of an answer is kept", "no rule: the upstream keeps it"),
    row(
        "method",
        Never,
        "the method is passed on as it came",
        "`when method M { proxy NAME; }`: an upstream that takes it",
    ),
    row(
        "set_body",
        Never,
        "the body is passed on as it came",
        "`body strip;`, or an upstream that takes the body as it came",
    ),
    row("pass_request_body", ON, "the body is passed on", "`body strip;`"),
    row(
        "pass_request_headers",
        ON,
        "the client's fields are passed on",
        "`drop request header NAME...;`, also `a*`, `b*`",
    ),
    row(
        "intercept_errors",
        OFF,
        "errors of the upstream are passed on as they came",
        "`error_page 502 /page;` for failures of the gateway",
    ),
    row(
        "next_upstream",
        DEFAULT_RETRIES,
        "another server is tried for other failures",
        "`retries 1;` in the upstream: for connections that fail or end before an answer",
    ),
    row("next_upstream_timeout", ZERO, "another server is tried later too", "`timeout request=TIME;` in the upstream"),
    row("next_upstream_tries", ZERO, "another number of servers is tried", "`retries N;` in the upstream"),
    row(
        "force_ranges",
        OFF,
        "a range that the upstream does not serve is answered in whole",
        "no rule: the upstream serves ranges",
    ),
    row("bind", OFF, "connections come from another address", "no rule: a route of the system"),
    row("cookie_domain", OFF, COOKIE, COOKIES),
    row("cookie_path", OFF, COOKIE, COOKIES),
    row("cookie_flags", OFF, COOKIE, COOKIES),
    row(
        "ssl_certificate",
        Words(&[""]),
        "the upstream sees no certificate",
        "`tls = { certificate = \"a.pem\", key = \"a.key\" }` under `[upstream.NAME]` in proxy.toml",
    ),
    row(
        "ssl_certificate_key",
        Words(&[""]),
        "the upstream sees no certificate",
        "`tls = { certificate = \"a.pem\", key = \"a.key\" }` under `[upstream.NAME]` in proxy.toml",
    ),
    row(
        "ssl_trusted_certificate",
        VERIFIED,
        "the system's authorities count",
        "`tls = { ca = \"ca.pem\" }` under `[upstream.NAME]` in proxy.toml",
    ),
    row(
        "ssl_verify_depth",
        VERIFIED,
        "chains of other lengths are taken",
        "`tls = { ca = \"ca.pem\" }` under `[upstream.NAME]` in proxy.toml",
    ),
    row(
        "ssl_crl",
        VERIFIED,
        "revoked certificates are taken",
        "`tls = { ca = \"ca.pem\" }` under `[upstream.NAME]` in proxy.toml",
    ),
    row(
        "ssl_conf_command",
        Never,
        "TLS with the upstream is not restricted so",
        "`tls { versions 1.3; }` in the upstream",
    ),
    row("ssl_verify", OFF, "the upstream's certificate is not verified", "`tls { }` in the upstream: it verifies"),
    row("ssl_name", Never, "another name is sent and verified", "`tls { name NAME; }` in the upstream"),
    row("ssl_server_name", OFF, "no name is sent", "`tls { }` in the upstream: it sends the name"),
    row("ssl_protocols", Never, "other versions of TLS are spoken", "`tls { versions 1.2 1.3; }` in the upstream"),
    row("param", Never, PARAMETER, "`set request header NAME VALUE;` for what stands in front of the application"),
    row("set_header", Never, PARAMETER, "`set request header NAME VALUE;`"),
    row("string", Never, PARAMETER, "`set request header NAME VALUE;` for what stands in front of the application"),
    row("modifier1", Words(&["0"]), PARAMETER, "a setting of what stands in front of the application"),
    row("modifier2", Words(&["0"]), PARAMETER, "a setting of what stands in front of the application"),
    row("hide_header", Never, "the field reaches the client", "`drop response header NAME;`"),
    row("pass_header", Never, "the field does not reach the client", "leave NAME out of `drop response header ...;`"),
    row("catch_stderr", Never, "an answer with this error is passed on", "no rule: the application answers 500"),
    row(
        "gzip_flag",
        Never,
        "a compressed value is passed on without its coding",
        "`set response header Content-Encoding gzip;`",
    ),
];

const OFF: Harmless = Words(&["off"]);
const ON: Harmless = Words(&["on"]);
const ZERO: Harmless = Words(&["0"]);
const DEFAULT_RETRIES: Harmless = Words(&["error timeout", "timeout error"]);
const VERIFIED: Harmless = Unless(&["proxy_ssl_verify", "grpc_ssl_verify", "uwsgi_ssl_verify"]);
const COOKIE: &str = "the cookie is passed on as it came";
const COOKIES: &str = "no rule: the upstream sets the cookie for the outer path and domain";
const PARAMETER: &str = "the application does not get it";
