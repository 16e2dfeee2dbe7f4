//! Text with variables to rows.

use super::tables::{Builder, index};
use crate::artifact::format::{self, NONE, Number, part};
use crate::model::{Part, Template, Variable};

impl Builder<'_> {
    /// What picks the servers of the upstreams that are balanced by a hash.
    pub(super) fn balance_keys(&mut self) {
        for key in &self.policy.balance_keys {
            let value = key.as_ref().map_or(NONE, |key| self.template(key));
            self.balance_keys.push(&Number { value });
        }
    }

    pub(super) fn template(&mut self, template: &Template) -> u32 {
        let rows: Vec<format::Part> = template.parts.iter().map(|piece| self.part(piece)).collect();
        let row = format::Template { parts: self.parts.next(), parts_count: index(rows.len()) };
        for piece in &rows {
            self.parts.push(piece);
        }
        self.templates.push(&row)
    }

    fn part(&mut self, piece: &Part) -> format::Part {
        let (kind, value) = match piece {
            Part::Literal(text) => (part::LITERAL, self.string(text)),
            Part::Args => (part::ARGS_START, 0),
            Part::Variable(variable) => match variable {
                Variable::Capture(group) => (part::CAPTURE, u32::from(*group)),
                Variable::Named(name) => (part::NAMED, self.capture(name)),
                Variable::Uri => (part::URI, 0),
                Variable::RequestUri => (part::REQUEST_URI, 0),
                Variable::Args => (part::ARGS, 0),
                Variable::IsArgs => (part::IS_ARGS, 0),
                Variable::Arg(name) => (part::ARG, self.string(name.as_bytes())),
                Variable::Host => (part::HOST, 0),
                Variable::Http(name) => (part::HTTP, self.headers.add(name.as_bytes())),
                Variable::Cookie(name) => {
                    self.headers.add(b"cookie");
                    (part::COOKIE, self.string(name.as_bytes()))
                }
                Variable::Scheme => (part::SCHEME, 0),
                Variable::RequestMethod => (part::METHOD, 0),
                Variable::RemoteAddr => (part::REMOTE_ADDR, 0),
                Variable::RequestId => (part::REQUEST_ID, 0),
                Variable::Plan => (part::PLAN, 0),
                Variable::ProxyAddXForwardedFor => {
                    (part::PROXY_ADD_X_FORWARDED_FOR, self.headers.add(b"x-forwarded-for"))
                }
                Variable::Map(map) => (part::MAP, map.0),
            },
        };
        format::Part { kind, value }
    }
}
