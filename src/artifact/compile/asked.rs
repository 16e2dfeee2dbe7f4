//! What guards ask of each field, and where the answer stands.

use super::tables::index;
use crate::diagnostic::Span;
use crate::model::semantics::{Simulation, satisfies};
use crate::model::{Field, MapAnswer, MapId, Network, Operator, Policy, Predicate, Statement, StatementKind};
use std::collections::{BTreeMap, HashMap};

/// All fields that guards ask of.
#[derive(Debug)]
pub(super) struct Fields<'p> {
    policy: &'p Policy,
    asked: BTreeMap<&'p Field, Asked<'p>>,
    /// What is asked of the text of each map, in the order of the rules; by map.
    maps: Vec<MapAsked<'p>>,
    /// By variable: number of classes.
    classes: Vec<u32>,
}

/// What is asked of one field. Equal questions are one.
#[derive(Debug, Default)]
pub(super) struct Asked<'p> {
    /// In the order of the rules.
    pub(super) questions: Vec<Question<'p>>,
    /// By question; none until it was classified, or where that was refused.
    answers: Vec<Option<Answer>>,
    known: HashMap<Key<'p>, usize>,
}

/// What is asked of the text of one map. Equal questions are one.
#[derive(Debug, Default)]
struct MapAsked<'p> {
    questions: Vec<&'p Operator>,
    known: HashMap<Key<'p>, usize>,
}

/// One question, and where it is asked first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'p> {
    pub(super) operator: &'p Operator,
    pub(super) span: Span,
}

/// Where a question's answer stands.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) variable: u32,
    /// Number of the variable's classes.
    pub(super) count: u32,
    /// Those for which the answer is yes, ascending.
    pub(super) classes: Vec<u32>,
}

/// An operator as far as it tells questions apart.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Key<'p> {
    In(&'p [Vec<u8>]),
    Prefix(&'p [u8]),
    Regex(&'p str, bool),
    Has(&'p [u8]),
    Present,
    Within(&'p [Network]),
}

impl<'p> Key<'p> {
    fn new(operator: &'p Operator) -> Self {
        match operator {
            Operator::In(values) => Self::In(values),
            Operator::Prefix(prefix) => Self::Prefix(prefix),
            Operator::Regex(pattern) => Self::Regex(&pattern.source, pattern.caseless),
            Operator::Has(member) => Self::Has(member),
            Operator::Present => Self::Present,
            Operator::Within(networks) => Self::Within(networks),
        }
    }
}

impl<'p> Fields<'p> {
    /// What all guards of `policy` ask.
    pub(super) fn of(policy: &'p Policy) -> Self {
        let maps = policy.maps.iter().map(|_| MapAsked::default()).collect();
        let mut fields = Self { policy, asked: BTreeMap::new(), maps, classes: Vec::new() };
        policy.services.iter().for_each(|service| fields.ask_statements(&service.statements));
        let cases = policy.maps.iter().flat_map(|map| map.cases.iter().map(move |case| (&case.guard, map.span)));
        cases.for_each(|(guard, span)| fields.ask_predicate(guard, span));
        policy.locations.iter().for_each(|location| fields.ask_statements(&location.statements));
        fields
    }

    /// The fields, sorted, with what is asked of them; what is asked is moved out.
    pub(super) fn take_questions(&mut self) -> Vec<(&'p Field, Vec<Question<'p>>)> {
        self.asked.iter_mut().map(|(field, asked)| (*field, core::mem::take(&mut asked.questions))).collect()
    }

    /// Notes where the answer to the question `index` of `field` stands.
    pub(super) fn answered(&mut self, field: &Field, index: usize, answer: Answer) {
        let place = self.asked.get_mut(field).and_then(|asked| asked.answers.get_mut(index));
        if let Some(place) = place {
            *place = Some(answer);
        }
    }

    /// Where the answer to a predicate stands.
    pub(super) fn answer(&self, field: &Field, operator: &Operator) -> Option<&Answer> {
        let asked = self.asked.get(field)?;
        asked.answers.get(*asked.known.get(&Key::new(operator))?)?.as_ref()
    }

    /// What is asked of `map`.
    pub(super) fn map_questions(&self, map: MapId) -> &[&'p Operator] {
        self.maps.get(map.0 as usize).map_or(&[], |asked| &asked.questions)
    }

    /// The place of a question among those that are asked of `map`.
    pub(super) fn map_question(&self, map: MapId, operator: &Operator) -> Option<usize> {
        self.maps.get(map.0 as usize)?.known.get(&Key::new(operator)).copied()
    }

    /// Number of classes of all variables.
    pub(super) fn classes(&self) -> usize {
        self.classes.iter().map(|classes| *classes as usize).sum()
    }

    /// Number of classes of `variable`.
    pub(super) fn classes_of(&self, variable: u32) -> u32 {
        self.classes.get(variable as usize).copied().unwrap_or(0)
    }

    /// Number of variables.
    pub(super) fn variables(&self) -> usize {
        self.classes.len()
    }

    /// Counts a variable of so many classes.
    pub(super) fn add_variable(&mut self, classes: u32) -> u32 {
        self.classes.push(classes);
        index(self.classes.len() - 1)
    }

    fn ask(&mut self, field: &'p Field, operator: &'p Operator, span: Span) {
        let asked = self.asked.entry(field).or_default();
        let fresh = asked.questions.len();
        if *asked.known.entry(Key::new(operator)).or_insert(fresh) == fresh {
            asked.questions.push(Question { operator, span });
            asked.answers.push(None);
        }
    }

    fn ask_predicate(&mut self, predicate: &'p Predicate, span: Span) {
        match predicate {
            Predicate::And(all) | Predicate::Or(all) => all.iter().for_each(|one| self.ask_predicate(one, span)),
            Predicate::Not(one) => self.ask_predicate(one, span),
            Predicate::Field(field, operator) => self.ask(field, operator, span),
            Predicate::Map(map, operator) => self.ask_map(*map, operator, span),
            Predicate::Fact(..) | Predicate::Plan(_) => {}
        }
    }

    /// What the guards of its cases ask is asked anyhow.
    fn ask_map(&mut self, map: MapId, operator: &'p Operator, span: Span) {
        let policy = self.policy;
        let (Some(row), Some(asked)) = (policy.maps.get(map.0 as usize), self.maps.get_mut(map.0 as usize)) else {
            return;
        };
        let fresh = asked.questions.len();
        if *asked.known.entry(Key::new(operator)).or_insert(fresh) != fresh {
            return;
        }
        asked.questions.push(operator);
        let takes_empty = satisfies(&Simulation::default(), b"", operator);
        for value in row.cases.iter().map(|case| &case.value).chain([&row.default]) {
            if let Some(MapAnswer::Field(field)) = value.answer(operator) {
                self.ask(field, operator, span);
                if takes_empty {
                    self.ask(field, &Operator::Present, span);
                }
            }
        }
    }

    fn ask_statements(&mut self, statements: &'p [Statement]) {
        for statement in statements {
            if let StatementKind::When { guard, .. } = &statement.kind {
                self.ask_predicate(guard, statement.span);
            }
            self.ask_statements(statement.block().unwrap_or(&[]));
        }
    }
}
