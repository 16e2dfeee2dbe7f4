//! `upgrade https S [for M...] [else ANSWER] [to HOST[:PORT]]`: short for guards and answers.

use super::Resolver;
use super::answer::REDIRECTS;
use super::statement::Scope;
use super::upstream::split_address;
use crate::diagnostic::{Diagnostic, Span};
use crate::model::{Answer, Field, Operator, Part, Predicate, Statement, StatementKind, Template, Variable};
use crate::syntax::ast::{self, Return, Word};

impl Resolver<'_> {
    /// `scheme http { method M... { return S https://HOST$request_uri; } ANSWER }`
    pub(super) fn upgrade(
        &mut self,
        statement: &ast::Statement,
        code: &Word,
        methods: &[Word],
        (otherwise, to): (Option<&Return>, Option<&Word>),
        scope: &Scope<'_>,
    ) -> Option<StatementKind> {
        let head = statement.head;
        let status = code.text.parse().ok().filter(|status| REDIRECTS.contains(status));
        if status.is_none() {
            let message = format!("`{}` is no redirect", code.text);
            self.error(
                "invalid-status",
                code.span,
                message,
                "308 and 307 keep the method and the body; 301 may lose them",
            );
        }
        let url = self.secure_url(statement.head, code, to, scope);
        let otherwise = match otherwise {
            Some(answer) if methods.is_empty() => {
                let message = "without `for` every method is redirected, so this is never sent";
                self.error("invalid-answer", answer.code.span, message, "name the methods to redirect: `for GET HEAD`");
                None
            }
            Some(answer) => self.answer(head, answer, scope),
            None => Some(Answer::Respond { status: 403, text: None }),
        };
        let methods = self.methods(methods, true)?;
        let redirect = answer(head, Answer::Redirect { status: status?, url: url? });
        let body = if methods.is_empty() {
            vec![redirect]
        } else {
            let methods = methods.into_iter().map(String::into_bytes).collect();
            let guard = Predicate::Field(Field::Method, Operator::In(methods));
            let for_methods = StatementKind::When { guard, body: vec![redirect] };
            vec![Statement { span: head, kind: for_methods }, answer(head, otherwise?)]
        };
        let guard = Predicate::Field(Field::Scheme, Operator::In(vec![b"http".to_vec()]));
        Some(StatementKind::When { guard, body })
    }

    fn secure_url(&mut self, head: Span, code: &Word, to: Option<&Word>, scope: &Scope<'_>) -> Option<Template> {
        let host = match to {
            Some(to) => {
                if split_address(&to.text).is_none() {
                    self.invalid(to, "a host", "write `to HOST` or `to HOST:PORT`");
                    return None;
                }
                Part::Literal(format!("https://{}", to.text).into_bytes())
            }
            None if scope.service.own_host => Part::Literal(b"https://".to_vec()),
            None => {
                let message = "where to is left to the client";
                let diagnostic = Diagnostic::error("upgrade-without-host", head, message);
                let note =
                    "a regex name, a name that ends in `.*` and the default service take hosts that are not yours";
                self.say(diagnostic.note(note).help(format!("name the host: `upgrade https {} to HOST;`", code.text)));
                return None;
            }
        };
        let mut parts = vec![host];
        if to.is_none() {
            parts.push(Part::Variable(Variable::Host));
        }
        parts.push(Part::Variable(Variable::RequestUri));
        Some(Template::new(parts))
    }
}

fn answer(span: Span, answer: Answer) -> Statement {
    Statement { span, kind: StatementKind::Answer(answer) }
}
