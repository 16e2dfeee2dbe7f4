//! Text with variables, filled in with what they stand for now (nginx: `ngx_http_script.c`).

use super::escape::{EscapeSet, escape};
use super::facts::Opaque;
use super::fields::{argument_variable, cookie};
use super::latin1;
use super::walk::Walk;
use super::{Caller, octets};
use crate::model::{Map, MapCase, MapId, Part, Template, Variable};
use core::ops::Range;

/// When nginx escapes groups, as arguments; only where the target as it came held `%` or `+`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escaping {
    /// Behind the `?` of a replacement.
    InArgs,
    /// Everywhere.
    Always,
}

impl Walk<'_> {
    /// The text of `template`; of a `return`, an edit.
    pub(super) fn fill(&self, template: &Template) -> Vec<u8> {
        self.fill_parts(template, Escaping::InArgs).0
    }

    /// The text of `template` before its [`Part::Args`], and behind it.
    pub(super) fn fill_parts(&self, template: &Template, escaping: Escaping) -> (Vec<u8>, Option<Vec<u8>>) {
        let (mut path, mut args) = (Vec::new(), None);
        for part in &template.parts {
            let text = match part {
                Part::Literal(text) => text.clone(),
                // The first `?` begins the query, a second one is part of it.
                Part::Args if args.is_none() => {
                    args = Some(Vec::new());
                    continue;
                }
                Part::Args => b"?".to_vec(),
                Part::Variable(variable) => {
                    let target = &self.arrival.target;
                    let escapes = escaping == Escaping::Always || args.is_some();
                    let is_group = matches!(variable, Variable::Capture(_));
                    let value = self.variable(variable);
                    if is_group && escapes && (target.is_quoted || target.has_plus) {
                        escape(&value, EscapeSet::Args)
                    } else {
                        value
                    }
                }
            };
            args.as_mut().unwrap_or(&mut path).extend(text);
        }
        (path, args)
    }

    /// The value of the first case of a map that holds.
    fn map(&self, map: MapId) -> Vec<u8> {
        let Some(map) = self.policy.maps.get(map.0 as usize) else { return Vec::new() };
        self.map_value(map, map.cases.iter().find(|case| self.truth(&case.guard, &Opaque::default())))
    }

    /// What `case` of `map` gives; without one its default.
    pub(super) fn map_value(&self, map: &Map, case: Option<&MapCase>) -> Vec<u8> {
        let Some(case) = case else { return self.fill(&map.default.text) };
        let groups = case.captures.as_ref().and_then(|(field, pattern)| {
            let value = self.field(field)?;
            let groups = self.regexes.captures(pattern, &value)?;
            let text = |range: &Range<usize>| value.get(range.clone()).unwrap_or(&[]).to_vec();
            Some(groups.iter().skip(1).map(|group| group.as_ref().map(text).unwrap_or_default()).collect())
        });
        let groups: Vec<Vec<u8>> = groups.unwrap_or_default();
        let parts = case.value.text.parts.iter().flat_map(|part| match part {
            Part::Variable(Variable::Capture(number)) => {
                usize::from(*number).checked_sub(1).and_then(|index| groups.get(index)).cloned().unwrap_or_default()
            }
            part => self.fill(&Template::new(vec![part.clone()])),
        });
        parts.collect()
    }

    /// What `variable` stands for; empty where it stands for nothing.
    fn variable(&self, variable: &Variable) -> Vec<u8> {
        let request = self.request;
        match variable {
            Variable::Capture(number) => {
                let index = usize::from(*number).checked_sub(1);
                index.and_then(|index| self.groups.get(index)).cloned().unwrap_or_default()
            }
            Variable::Named(name) => self.named.get(name.as_str()).cloned().unwrap_or_default(),
            Variable::Uri => self.path.clone(),
            Variable::RequestUri => self.arrival.target.raw.clone(),
            Variable::Args => self.args.clone(),
            Variable::IsArgs if self.args.is_empty() => Vec::new(),
            Variable::IsArgs => b"?".to_vec(),
            Variable::Arg(name) => argument_variable(&self.args, name.as_bytes()).unwrap_or_default().to_vec(),
            Variable::Host => self.arrival.host.clone(),
            Variable::Http(name) => request.header(name.as_bytes()).unwrap_or_default(),
            Variable::Cookie(name) => cookie(request, name.as_bytes()).unwrap_or_default().to_vec(),
            Variable::Scheme => request.scheme.clone(),
            Variable::RequestMethod => self.method.clone(),
            Variable::RemoteAddr => octets(&request.client.to_string()),
            Variable::ProxyAddXForwardedFor => {
                let client = octets(&request.client.to_string());
                let sent = request.header(b"x-forwarded-for").filter(|sent| !sent.is_empty());
                sent.map_or(client.clone(), |sent| [sent.as_slice(), b", ", &client].concat())
            }
            Variable::Map(map) => self.map(*map),
            // The proxy gives a request its id; a decision on its own has none.
            Variable::RequestId => Vec::new(),
            Variable::Plan => match self.arrival.caller {
                Some(Caller::Plan(plan)) => self.plan_name(plan),
                _ => Vec::new(),
            },
        }
    }

    fn plan_name(&self, plan: u16) -> Vec<u8> {
        let name = self.plan_source().and_then(|source| source.plans.get(usize::from(plan)));
        name.map(|name| octets(name)).unwrap_or_default()
    }

    /// [`Self::fill`], as a verdict carries it.
    pub(super) fn fill_latin1(&self, template: &Template) -> String {
        latin1(&self.fill(template))
    }
}
