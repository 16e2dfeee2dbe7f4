//! `upgrade https S [for M...] [else ANSWER] [to HOST[:PORT]]`: short for guards and answers.

use super::Resolver;
use super::answer::REDIRECTS;
use super::own_hosts::OwnHosts;
use super::statement::Scope;
use super::upstream::split_address;
use crate::diagnostic::{Diagnostic, Span};
use crate::model::{Answer, Field, Operator, Part, Predicate, Statement, StatementKind, Template, Variable};
use crate::syntax::ast::{self, Return, Word};

impl Resolver<'_> {
    /// `scheme http { method M... { return S https://HOST$request_uri; } ANSWER }`. Without `to`, hosts that the service
    /// takes by another name than an exact or a `*.` one get ANSWER too: where a redirect leads is not the client's to
    /// say.
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
            let help = "308 and 307 keep the method and the body; 301 may lose them";
            self.error("invalid-status", code.span, message, help);
        }
        let url = self.secure_url(head, code, to, scope);
        let hosts = match &scope.service.own_hosts {
            OwnHosts::Some(hosts) if to.is_none() => Some(hosts.clone()),
            _ => None,
        };
        let is_for_all = methods.is_empty() && hosts.is_none();
        let otherwise = match otherwise {
            Some(answer) if is_for_all => {
                let message = "without `for` every method is redirected, so this is never sent";
                let help = "name the methods to redirect: `for GET HEAD`";
                self.error("invalid-answer", answer.code.span, message, help);
                None
            }
            Some(answer) => self.answer(head, answer, scope),
            None => Some(Answer::Respond { status: 403, text: None }),
        };
        let methods = self.methods(methods, true)?;
        let methods: Vec<Vec<u8>> = methods.into_iter().map(String::into_bytes).collect();
        let for_methods = (!methods.is_empty()).then_some(Predicate::Field(Field::Method, Operator::In(methods)));
        let mut body = vec![answer(head, Answer::Redirect { status: status?, url: url? })];
        for guard in [hosts, for_methods].into_iter().flatten() {
            body = vec![Statement { span: head, kind: StatementKind::When { guard, takes_groups: false, body } }];
        }
        if !is_for_all {
            body.push(answer(head, otherwise?));
        }
        let guard = Predicate::Field(Field::Scheme, Operator::In(vec![b"http".to_vec()]));
        Some(StatementKind::When { guard, takes_groups: false, body })
    }

    fn secure_url(&mut self, head: Span, code: &Word, to: Option<&Word>, scope: &Scope<'_>) -> Option<Template> {
        let request_uri = Part::Variable(Variable::RequestUri);
        if let Some(to) = to {
            if split_address(&to.text).is_none() {
                self.invalid(to, "a host", "write `to HOST` or `to HOST:PORT`");
                return None;
            }
            let origin = Part::Literal(format!("https://{}", to.text).into_bytes());
            return Some(Template::new(vec![origin, request_uri]));
        }
        if matches!(scope.service.own_hosts, OwnHosts::None) {
            let message = "where to is left to the client";
            let diagnostic = Diagnostic::error("upgrade-without-host", head, message);
            let note = "a regex name, a name that ends in `.*` and the default service take hosts that are not yours";
            self.say(diagnostic.note(note).help(format!("name the host: `upgrade https {} to HOST;`", code.text)));
            return None;
        }
        let scheme = Part::Literal(b"https://".to_vec());
        Some(Template::new(vec![scheme, Part::Variable(Variable::Host), request_uri]))
    }
}

fn answer(span: Span, answer: Answer) -> Statement {
    Statement { span, kind: StatementKind::Answer(answer) }
}
