//! `map $NAME { PREDICATE -> VALUE; ... }`

use super::Resolver;
use super::statement::ServiceScope;
use super::template::is_reserved;
use crate::diagnostic::{Diagnostic, Span};
use crate::model::{Map, MapCase, MapId, MapValue, Part, Predicate, Template, Variable};
use crate::syntax::ast::{self, PredicateKind, Word};
use std::collections::BTreeMap;

/// Cases of one map. A guard on a map asks all its cases; nginx's users keep longer tables in databases.
const CASES_MAX: usize = 4096;

impl Resolver<'_> {
    /// Declares the map called `name`.
    pub(super) fn map(&mut self, head: Span, name: &Word, cases: &[ast::MapCase]) {
        let text = name.text.trim_start_matches('$').to_owned();
        if is_reserved(&text) || text.bytes().all(|byte| byte.is_ascii_digit()) {
            let message = format!("`${text}` says something of the request");
            self.error("reserved-name", name.span, message, "give the map another name");
        }
        if cases.len() > CASES_MAX {
            let message = format!("this map has more than {CASES_MAX} cases");
            self.error(
                "map-too-large",
                name.span,
                message,
                "put cases of the same value into one: `host in a b -> v;`",
            );
            return;
        }
        let mut map = Map { name: text, span: head, cases: Vec::new(), default: MapValue::default() };
        let mut default: Option<Span> = None;
        for case in cases {
            let Some(guard) = &case.guard else {
                if let Some(first) = default {
                    self.twice(&Word { text: "default".to_owned(), quoted: false, span: case.span }, first);
                }
                default = Some(case.span);
                map.default = self.template(&case.value, &map_scope(head, &[])).map(MapValue::new).unwrap_or_default();
                continue;
            };
            map.cases.extend(self.map_case(head, guard, &case.value));
        }
        self.policy.maps.push(map);
    }

    fn map_case(&mut self, head: Span, guard: &ast::Predicate, value: &Word) -> Option<MapCase> {
        if let Some(span) = asks_caller(guard) {
            let help =
                "a map is filled in wherever it is used, also where these are not known: use blocks in the service";
            self.error("map-asks-caller", span, "the cases of a map cannot ask for the plan or a fact", help);
            return None;
        }
        let guard = self.predicate(guard, &map_scope(head, &[]))?;
        let groups = guard.one_regex().map(|(_, pattern)| pattern.groups.clone()).unwrap_or_default();
        let value_span = value.span;
        let value = own_groups(self.template(value, &map_scope(head, &groups))?, &groups);
        let takes_groups = value.parts.iter().any(|part| matches!(part, Part::Variable(Variable::Capture(_))));
        let captures = guard.one_regex().filter(|_| takes_groups).map(|(field, pattern)| {
            // Its names mean nothing outside the case.
            let mut pattern = pattern.clone();
            pattern.groups.iter_mut().for_each(|name| *name = None);
            (field.clone(), pattern)
        });
        if takes_groups && captures.is_none() {
            let message = "there is no regex whose groups this could be";
            self.error("map-without-groups", value_span, message, "write the case as one `FIELD ~ REGEX`");
            return None;
        }
        Some(MapCase { guard, value: MapValue::new(value), captures })
    }

    /// The maps so far, by name.
    pub(super) fn map_names(&self) -> BTreeMap<String, MapId> {
        (0u32..).zip(&self.policy.maps).map(|(index, map)| (map.name.clone(), MapId(index))).collect()
    }

    /// `$NAME OP`
    pub(super) fn map_predicate(&mut self, name: &Word, operator: &ast::Operator) -> Option<Predicate> {
        let operator = self.operator(operator, false)?;
        let text = name.text.trim_start_matches('$');
        let Some((index, map)) = (0u32..).zip(&self.policy.maps).find(|(_, map)| map.name == text) else {
            let known: Vec<String> = self.policy.maps.iter().map(|map| format!("${}", map.name)).collect();
            self.unknown("unknown-map", "map", name, known.iter().map(String::as_str));
            return None;
        };
        let values = map.cases.iter().map(|case| &case.value).chain([&map.default]);
        if values.into_iter().any(|value| value.answer(&operator).is_none()) {
            let message = format!("a value of `{}` is made of several parts of the request", name.text);
            let diagnostic = Diagnostic::error("map-value-open", name.span, message);
            self.say(diagnostic.help("ask the request itself: `when header X = \"v\" { ... }`"));
            return None;
        }
        Some(Predicate::Map(MapId(index), operator))
    }
}

/// What the text of a map may use: its own regex's groups, no other map.
fn map_scope(head: Span, groups: &[Option<String>]) -> ServiceScope {
    ServiceScope { captures: groups.iter().flatten().cloned().collect(), ..ServiceScope::outside(head) }
}

fn asks_caller(predicate: &ast::Predicate) -> Option<Span> {
    match &predicate.kind {
        PredicateKind::And(all) | PredicateKind::Or(all) => all.iter().find_map(asks_caller),
        PredicateKind::Not(inner) => asks_caller(inner),
        PredicateKind::Plan(_) | PredicateKind::Fact { .. } => Some(predicate.span),
        _ => None,
    }
}

/// `value` with the names of `groups` as their numbers.
fn own_groups(mut value: Template, groups: &[Option<String>]) -> Template {
    for part in &mut value.parts {
        let Part::Variable(Variable::Named(name)) = part else { continue };
        let number = (1u8..).zip(groups).find_map(|(number, group)| (group.as_ref() == Some(name)).then_some(number));
        *part = number.map_or(Part::Literal(Vec::new()), |number| Part::Variable(Variable::Capture(number)));
    }
    value
}
