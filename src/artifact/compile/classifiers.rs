//! Fields to variables: what all guards ask of a field is answered by reading it once.

use super::tables::{Builder, index};
use crate::artifact::format::{NONE, Number, VARIABLES_MAX, Variable, field};
use crate::automaton::{Classifier, Labelling, Program, classify, language};
use crate::diagnostic::Span;
use crate::model::pattern::Meaning;
use crate::model::{Field, Operator, Predicate, Statement, StatementKind};
use std::collections::{BTreeMap, HashMap};

/// What guards ask, and where the answer stands.
#[derive(Debug, Default)]
pub(super) struct Fields {
    asked: BTreeMap<Field, Asked>,
    /// By field and language: the variable, and for which of its classes the language holds the field.
    answers: BTreeMap<(Field, String), Answer>,
    variables: u32,
    classes: usize,
}

/// Where a predicate's answer stands.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) variable: u32,
    /// By class.
    pub(super) holds: Vec<bool>,
}

#[derive(Debug, Default)]
struct Asked {
    languages: Vec<(Meaning, String, Span)>,
    known: HashMap<String, usize>,
}

impl Fields {
    /// Number of classes of all variables.
    pub(super) fn classes(&self) -> usize {
        self.classes
    }

    /// Where the answer to a predicate stands.
    pub(super) fn answer(&self, field: &Field, operator: &Operator) -> Option<&Answer> {
        let language = language::of_operator(operator)?;
        self.answers.get(&(field.clone(), format!("{language:?}")))
    }

    /// Counts a variable.
    pub(super) fn add_variable(&mut self, classes: usize) -> u32 {
        self.classes += classes;
        self.variables += 1;
        self.variables - 1
    }

    fn ask(&mut self, field: &Field, operator: &Operator, span: Span) {
        let Some(language) = language::of_operator(operator) else { return };
        let key = format!("{language:?}");
        let asked = self.asked.entry(field.clone()).or_default();
        if !asked.known.contains_key(&key) {
            asked.known.insert(key.clone(), asked.languages.len());
            asked.languages.push((language, key, span));
        }
    }

    fn ask_predicate(&mut self, predicate: &Predicate, span: Span) {
        match predicate {
            Predicate::And(all) | Predicate::Or(all) => all.iter().for_each(|one| self.ask_predicate(one, span)),
            Predicate::Not(one) => self.ask_predicate(one, span),
            Predicate::Field(field, operator) => self.ask(field, operator, span),
            Predicate::Fact(..) | Predicate::Plan(_) => {}
        }
    }

    fn ask_statements(&mut self, statements: &[Statement]) {
        for statement in statements {
            if let StatementKind::When { guard, .. } = &statement.kind {
                self.ask_predicate(guard, statement.span);
            }
            self.ask_statements(statement.block().unwrap_or(&[]));
        }
    }
}

impl Builder<'_> {
    /// Gives every field that a guard reads its classifiers.
    pub(super) fn classify_fields(&mut self) {
        let policy = self.policy;
        policy.services.iter().for_each(|service| self.fields.ask_statements(&service.statements));
        let cases = policy.maps.iter().flat_map(|map| map.cases.iter().map(move |case| (&case.guard, map.span)));
        cases.for_each(|(guard, span)| self.fields.ask_predicate(guard, span));
        policy.locations.iter().for_each(|location| self.fields.ask_statements(&location.statements));
        for (field, asked) in core::mem::take(&mut self.fields.asked) {
            self.classify_field(&field, &asked);
        }
    }

    /// Refuses more variables than a matcher keeps classes of.
    pub(super) fn count_variables(&mut self) {
        if self.fields.variables as usize > VARIABLES_MAX {
            let message = format!("the rules read more than {VARIABLES_MAX} fields and facts");
            let help = "a matcher keeps a class for each of them; ask fewer different headers, arguments and cookies";
            self.error("too-many-fields", Span::default(), message, help);
        }
    }

    fn classify_field(&mut self, field: &Field, asked: &Asked) {
        let mut programs = Vec::new();
        for (language, _, span) in &asked.languages {
            match Program::new(language, false, self.limits.instructions_max) {
                Ok(program) => programs.push(program),
                Err(_) => return self.regex_too_large(*span),
            }
        }
        let mut steps = self.steps;
        let classifiers = classify(&programs, Labelling::Set, &self.limits, &mut steps);
        self.steps = steps;
        match classifiers {
            Ok(classifiers) => classifiers.iter().for_each(|classifier| self.variable(field, asked, classifier)),
            Err(culprit) => {
                let span = asked.languages.get(culprit as usize).map_or(Span::default(), |(_, _, span)| *span);
                self.regex_too_large(span);
            }
        }
    }

    fn variable(&mut self, field: &Field, asked: &Asked, classifier: &Classifier) {
        let classes = classifier.dfa.sets.len() + 1;
        let automaton = self.automaton(&classifier.dfa, |label| label);
        let (kind, name) = self.field(field);
        let variable = self.fields.add_variable(classes);
        self.variables.push(&Variable { field: kind, name, automaton, classes: index(classes) });
        for (own, language) in (0u32..).zip(&classifier.languages) {
            let Some((_, key, _)) = asked.languages.get(*language as usize) else { continue };
            let mut holds = vec![false];
            holds.extend(classifier.dfa.sets.iter().map(|set| set.binary_search(&own).is_ok()));
            self.fields.answers.insert((field.clone(), key.clone()), Answer { variable, holds });
        }
    }

    /// The number of a field, and the string that names it.
    pub(super) fn field(&mut self, field: &Field) -> (u32, u32) {
        match field {
            Field::Method => (field::METHOD, NONE),
            Field::Scheme => (field::SCHEME, NONE),
            Field::Host => (field::HOST, NONE),
            Field::Path => (field::PATH, NONE),
            Field::Args => (field::ARGS, NONE),
            Field::Target => (field::TARGET, NONE),
            Field::Listener => (field::LISTENER, NONE),
            Field::Body => (field::BODY, NONE),
            Field::Client => (field::CLIENT, NONE),
            Field::Header(name) => (field::HEADER, self.string(name.as_bytes())),
            Field::Query(name) => (field::QUERY, self.string(name.as_bytes())),
            Field::Cookie(name) => (field::COOKIE, self.string(name.as_bytes())),
        }
    }

    /// Adds automata that choose the first language of `programs` and says where they stand in `ranked`.
    ///
    /// # Errors
    /// The index of a program that is too large.
    pub(super) fn ranked_automata(&mut self, programs: &[Program]) -> Result<(u32, u32), u32> {
        let mut steps = self.steps;
        let classifiers = classify(programs, Labelling::First, &self.limits, &mut steps);
        self.steps = steps;
        let first = self.ranked.next();
        for classifier in classifiers? {
            let rank = |own: u32| classifier.languages.get(own as usize).copied().unwrap_or(NONE);
            let automaton = self.automaton(&classifier.dfa, rank);
            self.ranked.push(&Number { value: automaton });
        }
        Ok((first, self.ranked.next() - first))
    }

    pub(super) fn regex_too_large(&mut self, span: Span) {
        let message = format!("this needs an automaton of more than {} states", self.limits.states_of_one_max);
        let help = "counted repetitions such as `.{1,200}` behind `.*` multiply the states, and so does look-around that holds them: shorten them, or anchor the pattern with `^`";
        self.error("regex-too-large", span, message, help);
    }
}
