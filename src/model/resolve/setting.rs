//! Settings other than header edits.

use super::Resolver;
use super::header::is_token;
use super::quantity::{OCTETS_HELP, TIME_HELP, milliseconds, octets};
use super::statement::Scope;
use crate::model::{BodyAction, BodyPolicy, Setting, Side};
use crate::syntax::ast::{Statement, StatementKind, Word};
use std::collections::BTreeSet;

impl Resolver<'_> {
    /// The setting that `statement` is.
    pub(super) fn setting(&mut self, statement: &Statement, scope: &Scope<'_>) -> Option<Setting> {
        match &statement.kind {
            StatementKind::Methods(words) => {
                let methods = self.methods(words, true)?;
                Some(Setting::Methods(methods.into_iter().collect()))
            }
            StatementKind::Body { action, max } => self.body(action, max.as_ref()).map(Setting::Body),
            StatementKind::Hsts { age, rest } => self.hsts(age, rest).map(Setting::Hsts),
            StatementKind::Meter { name, always } => {
                Some(Setting::Meter { meter: self.meter_id(&name.text)?, always: *always })
            }
            StatementKind::ProxyRedirect(None) => Some(Setting::ProxyRedirectOff),
            StatementKind::ProxyRedirect(Some((from, to))) => {
                let to = self.location_value(to, scope.service);
                if from.text.is_empty() || from.text.starts_with('~') || from.text.contains('$') {
                    self.invalid(from, "a beginning of a Location", "write it literally, such as `http://backend/`");
                    return None;
                }
                Some(Setting::ProxyRedirect { from: from.text.as_bytes().to_vec(), to: to? })
            }
            StatementKind::Forget(side) => {
                let side = if side.text == "request" { Side::Request } else { Side::Response };
                Some(Setting::ForgetHeaders(side))
            }
            StatementKind::ForgetErrorPages => Some(Setting::ForgetErrorPages),
            StatementKind::Type(value) => self.header_value(value, scope.service).map(Setting::Type),
            _ => None,
        }
    }

    /// The methods that `words` name, with the HEAD that GET brings; `served` is false where one may ask for methods
    /// that are refused whatever the rules say.
    pub(super) fn methods(&mut self, words: &[Word], served: bool) -> Option<BTreeSet<String>> {
        let mut methods = BTreeSet::new();
        let mut valid = true;
        for word in words {
            let text = word.text.as_str();
            if !is_token(text) || text.bytes().any(|byte| byte.is_ascii_lowercase()) {
                valid = false;
                let help = format!("methods are tokens without lower-case letters: `{}`", text.to_ascii_uppercase());
                self.invalid(word, "a method", &help);
            } else if served && matches!(text, "CONNECT" | "TRACE") {
                valid = false;
                self.invalid(word, "served", "CONNECT and TRACE are 405, whatever the rules say");
            }
            methods.insert(text.to_owned());
            if text == "GET" {
                methods.insert("HEAD".to_owned());
            }
        }
        valid.then_some(methods)
    }

    fn body(&mut self, action: &Word, max: Option<&Word>) -> Option<BodyPolicy> {
        let action_word = action;
        let action = match action.text.as_str() {
            "forward" => BodyAction::Forward,
            "strip" => BodyAction::Strip,
            "reject" => BodyAction::Reject,
            _ => {
                self.invalid(action, "done to a body", "write `forward`, `strip` or `reject`");
                return None;
            }
        };
        let Some(max) = max else { return Some(BodyPolicy::new(action, None)) };
        if action == BodyAction::Reject {
            let message = "a body that is rejected has no bound";
            self.error("invalid-value", action_word.span.to(max.span), message, "write `body forward max=64k;`");
            return None;
        }
        let bound = octets(&max.text);
        if bound.is_none() {
            self.invalid(max, "a size", OCTETS_HELP);
        }
        Some(BodyPolicy::new(action, Some(bound?)))
    }

    /// The value of Strict-Transport-Security.
    fn hsts(&mut self, age: &Word, rest: &[Word]) -> Option<String> {
        let seconds = milliseconds(&age.text).filter(|time| time % 1_000 == 0).map(|time| time / 1_000);
        let Some(seconds) = seconds else {
            self.invalid(age, "a time in whole seconds", TIME_HELP);
            return None;
        };
        let mut value = format!("max-age={seconds}");
        for word in rest {
            if matches!(word.text.as_str(), "includeSubDomains" | "preload") {
                value.push_str("; ");
                value.push_str(&word.text);
            } else {
                self.unknown("unknown-option", "option here", word, ["includeSubDomains", "preload"]);
            }
        }
        Some(value)
    }
}
