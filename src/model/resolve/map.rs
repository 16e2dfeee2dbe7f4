//! `map $NAME { PREDICATE -> VALUE; ... }`

use super::Resolver;
use super::statement::ServiceScope;
use super::template::is_reserved;
use crate::diagnostic::{Diagnostic, Span};
use crate::model::semantics::{Regexes, Simulation};
use crate::model::{Field, Map, MapCase, MapId, Operator, Part, Predicate, Template, Variable};
use crate::syntax::ast::{self, PredicateKind, Word};
use std::collections::BTreeMap;

/// Cases of one map. A guard on a map is a formula of all its cases; nginx's users keep longer tables in databases.
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
        let mut map = Map { name: text, span: head, cases: Vec::new(), default: Template::default() };
        let mut default: Option<Span> = None;
        for case in cases {
            let Some(guard) = &case.guard else {
                if let Some(first) = default {
                    self.twice(&Word { text: "default".to_owned(), quoted: false, span: case.span }, first);
                }
                default = Some(case.span);
                map.default = self.template(&case.value, &map_scope(head, &[])).unwrap_or_default();
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
        Some(MapCase { guard, value, captures })
    }

    /// The maps so far, by name.
    pub(super) fn map_names(&self) -> BTreeMap<String, MapId> {
        (0u32..).zip(&self.policy.maps).map(|(index, map)| (map.name.clone(), MapId(index))).collect()
    }

    /// `$NAME OP`: a formula of the guards of the map's cases.
    pub(super) fn map_predicate(&mut self, name: &Word, operator: &ast::Operator) -> Option<Predicate> {
        let operator = self.operator(operator, false)?;
        let text = name.text.trim_start_matches('$');
        let found = (0u32..).zip(&self.policy.maps).find(|(_, map)| map.name == text);
        let Some((index, map)) = found.map(|(index, map)| (index, map.clone())) else {
            let known: Vec<String> = self.policy.maps.iter().map(|map| format!("${}", map.name)).collect();
            self.unknown("unknown-map", "map", name, known.iter().map(String::as_str));
            return None;
        };
        self.policy.maps_asked.push(MapId(index));
        let mut formula = self.asked_of(&map.default, &operator, name)?;
        for case in map.cases.iter().rev() {
            let of_value = self.asked_of(&case.value, &operator, name)?;
            formula = choose(case.guard.clone(), of_value, formula);
        }
        Some(formula)
    }

    /// Whether the text of `value` satisfies `operator`.
    fn asked_of(&mut self, value: &Template, operator: &Operator, name: &Word) -> Option<Predicate> {
        match value.parts.as_slice() {
            [] => Some(constant(satisfies(b"", operator))),
            [Part::Literal(text)] => Some(constant(satisfies(text, operator))),
            [Part::Literal(front), ..] if known_by(operator, front).is_some() => {
                known_by(operator, front).map(constant)
            }
            [Part::Variable(variable)] if field(variable).is_some() => {
                Some(Predicate::Field(field(variable)?, operator.clone()))
            }
            _ => {
                let message = format!("a value of `{}` is made of several parts of the request", name.text);
                let diagnostic = Diagnostic::error("map-value-open", name.span, message);
                self.say(diagnostic.help("ask the request itself: `when header X = \"v\" { ... }`"));
                None
            }
        }
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

/// The field whose text `variable` is.
fn field(variable: &Variable) -> Option<Field> {
    Some(match variable {
        Variable::Host => Field::Host,
        Variable::Scheme => Field::Scheme,
        Variable::RequestMethod => Field::Method,
        Variable::RequestUri => Field::Target,
        Variable::Http(name) => Field::Header(name.clone()),
        Variable::Arg(name) => Field::Query(name.clone()),
        Variable::Cookie(name) => Field::Cookie(name.clone()),
        _ => return None,
    })
}

fn satisfies(text: &[u8], operator: &Operator) -> bool {
    match operator {
        Operator::In(values) => values.iter().any(|value| value == text),
        Operator::Prefix(prefix) => text.starts_with(prefix),
        Operator::Regex(pattern) => Simulation::default().captures(pattern, text).is_some(),
        Operator::Has(member) => text.split(|byte| *byte == b',').any(|own| own.trim_ascii() == member),
        Operator::Present => true,
        Operator::Within(_) => false,
    }
}

/// What `operator` says of every text that begins with `front`, where it says the same of all.
fn known_by(operator: &Operator, front: &[u8]) -> Option<bool> {
    match operator {
        Operator::In(values) => values.iter().all(|value| !value.starts_with(front)).then_some(false),
        Operator::Prefix(prefix) if front.starts_with(prefix) => Some(true),
        Operator::Prefix(prefix) => (!prefix.starts_with(front)).then_some(false),
        Operator::Present => Some(true),
        _ => None,
    }
}

fn constant(holds: bool) -> Predicate {
    if holds { Predicate::And(Vec::new()) } else { Predicate::Or(Vec::new()) }
}

/// `guard` and `then`, or not `guard` and `otherwise`.
fn choose(guard: Predicate, then: Predicate, otherwise: Predicate) -> Predicate {
    let not = |guard| Predicate::Not(Box::new(guard));
    match (then, otherwise) {
        (Predicate::And(then), Predicate::Or(mut any)) if then.is_empty() => {
            any.insert(0, guard);
            Predicate::Or(any)
        }
        (Predicate::Or(then), Predicate::And(mut all)) if then.is_empty() => {
            all.insert(0, not(guard));
            Predicate::And(all)
        }
        (Predicate::And(then), otherwise) if then.is_empty() => Predicate::Or(vec![guard, otherwise]),
        (Predicate::Or(then), otherwise) if then.is_empty() => Predicate::And(vec![not(guard), otherwise]),
        (then, otherwise) => {
            Predicate::Or(vec![Predicate::And(vec![guard.clone(), then]), Predicate::And(vec![not(guard), otherwise])])
        }
    }
}
