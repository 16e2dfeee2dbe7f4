//! `return` and `proxy`.

use super::Resolver;
use super::statement::{Scope, ServiceScope};
use crate::diagnostic::{Diagnostic, Span};
use crate::model::{Answer, ProxyForm};
use crate::syntax::ast::{self, Return, Word};

/// Statuses that send the client elsewhere.
pub(super) const REDIRECTS: [u16; 5] = [301, 302, 303, 307, 308];

impl Resolver<'_> {
    /// `return CODE [TEXT | URL]`
    pub(super) fn answer(&mut self, head: Span, answer: &Return, scope: &Scope<'_>) -> Option<Answer> {
        self.answer_of(head, answer, scope.service)
    }

    /// The same where only the service matters.
    pub(super) fn answer_of(&mut self, head: Span, answer: &Return, service: &ServiceScope) -> Option<Answer> {
        if let Some(page) = &answer.page {
            self.later(page.span, "`page`");
        }
        let status = self.status(&answer.code)?;
        let text = answer.text.as_ref();
        if status == 444 {
            if let Some(text) = text {
                let message = "444 closes the connection: there is nobody to read this";
                self.error("invalid-answer", text.span, message, "leave the text out, or answer with another status");
            }
            return Some(Answer::Close);
        }
        if REDIRECTS.contains(&status) {
            let Some(url) = text.filter(|url| !url.text.is_empty()) else {
                let message = format!("a redirect with {status} needs to say where to");
                self.error("redirect-without-url", head, message, format!("write `return {status} /path;`"));
                return None;
            };
            return Some(Answer::Redirect { status, url: self.location_value(url, service)? });
        }
        if let (204 | 304, Some(text)) = (status, text) {
            let message = format!("an answer with {status} has no body");
            self.error("invalid-answer", text.span, message, "leave the text out");
        }
        let text = match text {
            Some(text) => Some(self.template(text, service)?),
            None => None,
        };
        Some(Answer::Respond { status, text })
    }

    fn status(&mut self, code: &Word) -> Option<u16> {
        let status = code.text.parse().ok().filter(|status| (200..=599).contains(status));
        if status.is_none() {
            let message = format!("`{}` is no status of an answer", code.text);
            let help = "write one of 200 to 599; 444 closes the connection without an answer";
            self.error("invalid-status", code.span, message, help);
        }
        status
    }

    /// `proxy NAME [canonical | strip /p | "/base/"]`
    pub(super) fn proxy(&mut self, upstream: &Word, form: &ast::ProxyForm, scope: &Scope<'_>) -> Option<Answer> {
        let id = self.upstream_id(upstream);
        let form = match form {
            ast::ProxyForm::Raw => ProxyForm::Raw,
            ast::ProxyForm::Canonical => ProxyForm::Canonical,
            ast::ProxyForm::Strip(prefix) => ProxyForm::Strip(self.stripped(prefix)?),
            ast::ProxyForm::Base(base) if has_variable(&base.text) => {
                ProxyForm::Target(self.template(base, scope.service)?)
            }
            ast::ProxyForm::Base(base) => self.base(base, scope)?,
        };
        Some(Answer::Proxy { upstream: id?, form })
    }

    fn stripped(&mut self, prefix: &Word) -> Option<Vec<u8>> {
        let text = prefix.text.as_str();
        let help = if text == "/" {
            "to strip nothing, write `proxy NAME;`".to_owned()
        } else if text.starts_with('/') && text.ends_with('/') {
            format!("write `strip {}`: what follows begins with the slash", text.trim_end_matches('/'))
        } else if !text.starts_with('/') {
            format!("write `strip /{text}`")
        } else if text.bytes().any(|byte| byte <= b' ' || byte >= 0x7F || matches!(byte, b'?' | b'#')) {
            "write it as targets hold it: ASCII, without `?` and `#`".to_owned()
        } else {
            return Some(text.as_bytes().to_vec());
        };
        self.error("invalid-strip", prefix.span, format!("`{text}` is no prefix that can be stripped"), help);
        None
    }

    fn base(&mut self, base: &Word, scope: &Scope<'_>) -> Option<ProxyForm> {
        let text = base.text.as_str();
        let refused = "misplaced-base";
        let Some(location) = scope.location else {
            let message = "there is no location whose prefix this would replace";
            self.error(refused, base.span, message, "write the `proxy` inside a prefix location");
            return None;
        };
        let Some(prefix_octets) = location.prefix_octets else {
            let message = "a regex or named location has no prefix that this would replace";
            self.error(refused, base.span, message, "rewrite the path: `rewrite REGEX TEMPLATE break;`");
            return None;
        };
        if let Some(rewrite) = scope.rewrite {
            let message = "after a rewrite the path no longer begins with the prefix that this replaces";
            let diagnostic =
                Diagnostic::error(refused, base.span, message).related(rewrite, "may have changed the path");
            self.say(diagnostic.help("leave it out, and let the rewrite put it in"));
            return None;
        }
        let help = if !text.starts_with('/') {
            format!("write `\"/{text}\"`")
        } else if text.contains(['?', '#']) {
            "the query goes on as it came; to change it, `rewrite`".to_owned()
        } else {
            return Some(ProxyForm::Base { base: text.as_bytes().to_vec(), prefix_octets });
        };
        self.error("invalid-base", base.span, format!("`{text}` cannot replace a prefix"), help);
        None
    }
}

fn has_variable(text: &str) -> bool {
    let begins = |next: u8| next.is_ascii_alphanumeric() || matches!(next, b'_' | b'{');
    text.as_bytes().windows(2).any(|pair| matches!(pair, [b'$', next] if begins(*next)))
}
