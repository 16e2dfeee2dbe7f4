//! Header fields: their names, and edits of them.

use super::Resolver;
use super::statement::ServiceScope;
use crate::contract::field_name::{FRAMING, letter};
use crate::contract::manifest::CredentialKind;
use crate::model::{HeaderAction, HeaderEdit, Part, PlanSourceId, Setting, Side, Template};
use crate::syntax::ast::Word;
use std::collections::BTreeSet;

impl Resolver<'_> {
    /// `set|add|drop request|response header NAME... [VALUE]`
    pub(super) fn header(
        &mut self,
        (action, side, on_success): (&Word, &Word, bool),
        names: &[Word],
        value: Option<&Word>,
        service: &ServiceScope,
    ) -> Vec<Setting> {
        if on_success && side.text == "request" {
            let message = "the answer's status is not known when the request is sent";
            self.error("misplaced-statement", side.span, message, "leave out `on success`");
            return Vec::new();
        }
        let side = if side.text == "request" { Side::Request } else { Side::Response };
        let is_location = side == Side::Response && names.iter().any(|name| name.text.eq_ignore_ascii_case("location"));
        let template = match value {
            None => Some(Template::default()),
            Some(value) if is_location => self.location_value(value, service),
            Some(value) => self.header_value(value, service),
        };
        let drops = value.is_none();
        let mut edits = Vec::new();
        for name in names {
            if !self.may_be_edited(name, side, &action.text) {
                continue;
            }
            if side == Side::Request && !name.text.ends_with('*') {
                self.plain_name(&name.text);
            }
            let Some(template) = &template else { continue };
            let action = match action.text.as_str() {
                "set" if !drops => HeaderAction::Set(template.clone()),
                "add" if !drops => HeaderAction::Add(template.clone()),
                _ => HeaderAction::Drop,
            };
            edits.push(Setting::Header(HeaderEdit { side, name: name.text.clone(), action, on_success }));
        }
        edits
    }

    /// A template without the control bytes that no field may hold (RFC 9110, 5.5).
    pub(super) fn header_value(&mut self, value: &Word, service: &ServiceScope) -> Option<Template> {
        if value.text.contains(|letter: char| letter.is_ascii_control() && letter != '\t') {
            let message = "a header value holds no line end and no other control byte but a tab";
            self.error("invalid-header-value", value.span, message, "leave them out");
            return None;
        }
        let template = self.template(value, service)?;
        let blank = |part: &Part| matches!(part, Part::Literal(bytes) if bytes.iter().all(u8::is_ascii_whitespace));
        // A value of blanks is an empty one, which drops the field: that is to be said plainly.
        if !template.parts.is_empty() && template.parts.iter().all(blank) {
            self.error(
                "invalid-header-value",
                value.span,
                "a header value of blanks",
                "write `\"\"` to drop the header",
            );
            return None;
        }
        Some(template)
    }

    /// A template of a Location: a browser reads past its control bytes, so that `/\t/host` is `//host`.
    pub(super) fn location_value(&mut self, url: &Word, service: &ServiceScope) -> Option<Template> {
        if url.text.contains('\t') {
            let message = "a Location holds no control byte";
            self.error("invalid-header-value", url.span, message, "write it as the URL has it: `%09`");
            return None;
        }
        self.header_value(url, service)
    }

    fn may_be_edited(&mut self, name: &Word, side: Side, action: &str) -> bool {
        let text = name.text.to_ascii_lowercase();
        let star = text.strip_suffix('*').filter(|_| action == "drop");
        // All that a client sent: what the proxy writes itself is written all the same.
        if side == Side::Request && star == Some("") {
            return true;
        }
        if let Some(prefix) = star {
            if !prefix.is_empty() && !is_token(prefix) {
                return self.is_field_name(name);
            }
        } else if !self.is_field_name(name) {
            return false;
        }
        let framing = FRAMING.iter().find(|field| star.map_or(**field == text, |prefix| field.starts_with(prefix)));
        if let Some(field) = framing {
            let (field, help) = match star {
                Some(_) => (*field, "name the headers, or a longer prefix"),
                None => (name.text.as_str(), "leave it out"),
            };
            let message = format!("`{field}` belongs to one connection, and the proxy writes it");
            self.error("framing-header", name.span, message, help);
            return false;
        }
        let host = star.map_or(text == "host", |prefix| "host".starts_with(prefix));
        if host && side == Side::Request && action != "set" {
            let message = "a request has exactly one `Host`";
            self.error("framing-header", name.span, message, "write `set request header Host VALUE;`");
            return false;
        }
        true
    }

    /// The plain spelling of the header that `name` reads, noted where that is another one; None, which was said, where
    /// it is no name.
    pub(super) fn read_name(&mut self, name: &Word) -> Option<String> {
        self.is_field_name(name).then(|| self.plain_name(&name.text))
    }

    /// The plain spelling of the header `name` of a request: its other spellings are the same field to many servers.
    pub(super) fn plain_name(&mut self, name: &str) -> String {
        let plain = plain(name);
        if plain != name.to_ascii_lowercase() {
            self.kept.insert(plain.clone());
        }
        plain
    }

    /// The names that a service whose callers are those of `plans` keeps in every spelling; forgets those of its own.
    pub(super) fn kept_names(&mut self, plans: Option<PlanSourceId>) -> BTreeSet<String> {
        let source = plans.and_then(|plans| self.policy.plan_sources.get(plans.0 as usize));
        let credentials = source.map_or(&[][..], |source| &source.credentials).iter();
        let headers = credentials.filter(|credential| credential.kind == CredentialKind::Header);
        let odd = headers.filter(|credential| plain(&credential.name) != credential.name);
        let mut kept: BTreeSet<String> = odd.map(|credential| plain(&credential.name)).collect();
        kept.extend(self.kept_by_maps.iter().cloned());
        kept.append(&mut self.kept);
        kept
    }

    /// Whether `name` is a token, as names of fields are; says so if not.
    pub(super) fn is_field_name(&mut self, name: &Word) -> bool {
        let valid = is_token(&name.text);
        if !valid {
            let message = format!("`{}` is no name of a header", name.text);
            self.error("invalid-header-name", name.span, message, "letters, digits and `-`, as in `X-Api-Key`");
        }
        valid
    }
}

/// `name` in lower case, with `-` for what is neither letter nor digit.
fn plain(name: &str) -> String {
    name.bytes().map(letter).map(char::from).collect()
}

/// Whether `text` is a token of RFC 9110, 5.6.2.
pub(super) fn is_token(text: &str) -> bool {
    let of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(of_token)
}
