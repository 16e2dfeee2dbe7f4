//! Facts: what only the host knows.

use super::Resolver;
use crate::contract::manifest::Fact;
use crate::diagnostic::{Diagnostic, Span};
use crate::model::{FactId, Predicate, RequestRecord};
use crate::syntax::ast::Word;
use std::collections::BTreeSet;

/// Facts of a policy. Each is a variable that every decision keeps a class of.
const FACTS_MAX: usize = 256;

/// Values of a fact: an outcome, not a number.
const VALUES_MAX: usize = 64;

/// What the facts of one guard can be together. Whether the guard depends on one is found by trying.
const WAYS_MAX: usize = 1024;

impl Resolver<'_> {
    /// Declares the fact called `name`.
    pub(super) fn fact(&mut self, name: &Word, values: &[Word]) {
        let of_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.text.is_empty() || !name.text.bytes().all(of_name) {
            self.invalid(name, "the name of a fact", "letters, digits and `_`, such as `file_1`");
        }
        let mut known: Vec<String> = Vec::new();
        for value in values {
            if known.contains(&value.text) {
                let message = format!("value `{}` is said twice", value.text);
                self.error("duplicate-name", value.span, message, "leave one of them out");
            } else if value.text.is_empty() || value.text.bytes().any(|byte| byte.is_ascii_control()) {
                self.invalid(value, "a value of a fact", "a word, such as `yes`");
            } else {
                known.push(value.text.clone());
            }
        }
        if let [only] = known.as_slice() {
            let message = format!("`{}` can be nothing but `{only}`", name.text);
            let help = format!("say what else it can be: `fact {} yes no;`", name.text);
            self.error("fact-without-choice", name.span, message, help);
        }
        if known.len() > VALUES_MAX || self.policy.facts.len() >= FACTS_MAX {
            let message = format!("more than {FACTS_MAX} facts, or than {VALUES_MAX} values of one");
            self.error("too-many-facts", name.span, message, "tell fewer things apart");
            return;
        }
        self.policy.facts.push(Fact::new(name.text.clone(), known));
    }

    /// `fact NAME VALUE...`
    pub(super) fn fact_predicate(&mut self, name: &Word, values: &[Word]) -> Option<Predicate> {
        let (id, known) = self.known_fact(name)?;
        let mut indices = Vec::new();
        let mut valid = true;
        for value in values {
            match self.fact_value(name, value, &known) {
                Some(index) => indices.push(index),
                None => valid = false,
            }
        }
        indices.sort_unstable();
        indices.dedup();
        valid.then_some(Predicate::Fact(id, indices))
    }

    /// Refuses a guard whose facts can be together more than can be tried.
    pub(super) fn check_facts(&mut self, guard: &Predicate, span: Span) {
        let mut asked = BTreeSet::new();
        facts_of(guard, &mut asked);
        let count = |fact: &FactId| self.policy.facts.get(fact.0 as usize).map_or(1, |fact| fact.values.len());
        let ways = asked.iter().map(count).fold(1usize, usize::saturating_mul);
        if ways > WAYS_MAX {
            let message = format!("the facts that this asks for can be {ways} things together");
            let help = format!("more than {WAYS_MAX} are not tried: nest the guards");
            self.error("guard-asks-many-facts", span, message, help);
        }
    }

    /// `with fact NAME=VALUE` of a test; whether all of them can be.
    pub(super) fn test_facts(&mut self, facts: &[(Word, Word)], request: &mut RequestRecord) -> bool {
        let mut valid = true;
        for (name, value) in facts {
            let known = self.known_fact(name).and_then(|(_, known)| self.fact_value(name, value, &known));
            valid &= known.is_some();
            if request.facts.insert(name.text.clone(), value.text.clone()).is_some() {
                let message = format!("fact `{}` is said twice", name.text);
                self.say(Diagnostic::error("duplicate-name", name.span, message).help("leave one of them out"));
            }
        }
        valid
    }

    fn known_fact(&mut self, name: &Word) -> Option<(FactId, Vec<String>)> {
        let found = (0u32..).zip(&self.policy.facts).find(|(_, fact)| fact.name == name.text);
        let found = found.map(|(index, fact)| (FactId(index), fact.values.clone()));
        if found.is_none() {
            let known: Vec<String> = self.policy.facts.iter().map(|fact| fact.name.clone()).collect();
            self.unknown("unknown-fact", "fact", name, known.iter().map(String::as_str));
        }
        found
    }

    fn fact_value(&mut self, name: &Word, value: &Word, known: &[String]) -> Option<u16> {
        let found = known.iter().position(|own| *own == value.text);
        if found.is_none() {
            let kind = format!("value of `{}`", name.text);
            self.unknown("unknown-fact", &kind, value, known.iter().map(String::as_str));
        }
        found.and_then(|index| u16::try_from(index).ok())
    }
}

fn facts_of(guard: &Predicate, asked: &mut BTreeSet<FactId>) {
    match guard {
        Predicate::And(all) | Predicate::Or(all) => all.iter().for_each(|one| facts_of(one, asked)),
        Predicate::Not(one) => facts_of(one, asked),
        Predicate::Fact(fact, _) => {
            asked.insert(*fact);
        }
        Predicate::Field(..) | Predicate::Map(..) | Predicate::Plan(_) => {}
    }
}
