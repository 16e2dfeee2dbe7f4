//! Hosts that a service's rules spell out: those that a redirect may lead to without asking whose they are.

use super::Resolver;
use crate::model::{Field, Operator, Pattern, Predicate, ServerNameKind, Service};

/// Which of the hosts that reach a service its rules spell out.
#[derive(Clone, Debug)]
pub(super) enum OwnHosts {
    /// All: it has exact and `*.` names only.
    All,
    /// Those of which this holds.
    Some(Predicate),
    /// None.
    None,
}

impl Resolver<'_> {
    pub(super) fn own_hosts(&mut self, service: &Service) -> OwnHosts {
        let mut exact = Vec::new();
        let mut own = Vec::new();
        let mut are_all = !service.default;
        for name in &service.names {
            match &name.kind {
                ServerNameKind::Exact(host) => exact.push(host.clone().into_bytes()),
                ServerNameKind::Leading(suffix) => {
                    let source = format!(r".{}\z", suffix.replace('.', r"\."));
                    let meaning = self.regex(&source, false).ok().map(|regex| regex.meaning);
                    let pattern = Pattern { source, caseless: false, span: name.span, groups: Vec::new(), meaning };
                    own.push(Predicate::Field(Field::Host, Operator::Regex(pattern)));
                }
                ServerNameKind::Trailing(_) | ServerNameKind::Regex(_) => are_all = false,
            }
        }
        if are_all {
            return OwnHosts::All;
        }
        if !exact.is_empty() {
            own.push(Predicate::Field(Field::Host, Operator::In(exact)));
        }
        if own.is_empty() { OwnHosts::None } else { OwnHosts::Some(Predicate::Or(own)) }
    }
}
