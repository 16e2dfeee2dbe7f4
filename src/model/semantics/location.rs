//! Location: where a redirect leads, whatever bytes the request brings.

use super::answer::put_args;
use super::escape::{EscapeSet, escape};
use super::latin1;
use super::walk::Walk;
use crate::model::{Part, Setting, SlashRedirect, Template, Verdict, VerdictKind};

impl Walk<'_> {
    /// `template` as a Location holds it: what variables bring is escaped, literal text is as the author wrote it.
    pub(super) fn location_text(&self, template: &Template) -> Vec<u8> {
        let parts = template.parts.iter().map(|part| {
            let text = self.fill(&Template::new(vec![part.clone()]));
            if matches!(part, Part::Literal(_)) { text } else { escape(&text, EscapeSet::Location) }
        });
        parts.collect::<Vec<_>>().concat()
    }

    /// A redirect to `location`, escaped already. One to a path is to one of this host.
    pub(super) fn redirect(&self, status: u16, location: Vec<u8>) -> Verdict {
        let mut sent = one_slash(location);
        if sent.first() == Some(&b'/') {
            sent.splice(..0, self.redirect_origin());
        }
        Verdict {
            verdict: Some(VerdictKind::Redirect),
            status: Some(status),
            redirect: Some(latin1(&sent)),
            ..Verdict::default()
        }
    }

    /// What stands before a redirect to a path: nothing, or nginx's absolute form with the port that the request came to
    /// where it is not the scheme's own.
    pub(super) fn redirect_origin(&self) -> Vec<u8> {
        if !self.arrival.service.absolute_redirects {
            return Vec::new();
        }
        let own = if self.request.is_https() { 443 } else { 80 };
        let port = self.request.port.filter(|port| *port != own).map(|port| format!(":{port}")).unwrap_or_default();
        [self.request.scheme.as_slice(), b"://", &self.arrival.host, port.as_bytes()].concat()
    }

    pub(super) fn add_slash(&self) -> Verdict {
        let status = match self.arrival.service.slash_redirect {
            SlashRedirect::Always(status) => status,
            _ if matches!(self.method.as_slice(), b"GET" | b"HEAD") => 301,
            _ => 308,
        };
        let mut location = escape(&self.path, EscapeSet::Path);
        location.push(b'/');
        put_args(&mut location, &escape(&self.args, EscapeSet::Location));
        self.redirect(status, location)
    }

    /// What becomes of the Location of the upstream's answer.
    pub(super) fn relocations(&self) -> Vec<(String, String)> {
        let each = self.settings.iter().filter_map(|setting| match setting {
            Setting::ProxyRedirect { from, to } => Some((latin1(from), latin1(&self.location_text(to)))),
            _ => None,
        });
        each.collect()
    }
}

/// `location` with one slash at its start, if it begins with any: browsers take `//host` and `/\host` for another site.
pub(super) fn one_slash(mut location: Vec<u8>) -> Vec<u8> {
    if location.first() == Some(&b'/') {
        let start = location.iter().take_while(|byte| matches!(byte, b'/' | b'\\')).count();
        location.splice(..start, *b"/");
    }
    location
}
