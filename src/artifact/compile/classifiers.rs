//! Fields to variables: what all guards ask of a field is answered by reading it once.

use super::asked::{Answer, Question};
use super::tables::{Builder, index};
use crate::artifact::format::{CLASSES_MAX, NONE, VARIABLES_MAX, Variable, field};
use crate::automaton::{Cost, Dfa, Literal, Program, Refused, classify, language, trie};
use crate::diagnostic::Span;
use crate::model::Field;

/// Values of a field, beginnings among them, up to which they share an automaton with its regexes: they may multiply
/// each other's states, and two automata read the field twice.
const LITERALS_SHARED_MAX: usize = 64;

/// Octets of all values of a field up to which they are an automaton, of some 100 KiB at most; more are a table.
const VALUES_OCTETS_MAX: usize = 1024;

impl<'p> Builder<'p> {
    /// Gives every field that a guard reads its classifiers.
    pub(super) fn classify_fields(&mut self) {
        for (field, questions) in self.fields.take_questions() {
            match field {
                Field::Client => self.classify_addresses(&questions),
                _ => self.classify_field(field, &questions),
            }
        }
    }

    /// Refuses more variables than a matcher keeps classes of.
    pub(super) fn count_variables(&mut self) {
        if self.fields.variables() > VARIABLES_MAX {
            let message = format!("the rules read more than {VARIABLES_MAX} fields and facts");
            let help = "a matcher keeps a class for each of them; ask fewer different headers, arguments and cookies";
            self.error("too-many-fields", Span::default(), message, help);
        }
    }

    fn classify_field(&mut self, field: &'p Field, questions: &[Question<'p>]) {
        let mut values = Vec::new();
        let mut literals = Vec::new();
        let mut regexes = Vec::new();
        for (own, question) in (0u32..).zip(questions) {
            match language::literals_of(question.operator) {
                Some(all) => literals.extend(all.into_iter().map(|one| (one, own))),
                None => regexes.push(own),
            }
        }
        let octets = |literal: &Literal<'_>| match literal {
            Literal::Exact(text) => text.len(),
            Literal::Prefix(_) => 0,
        };
        if literals.iter().map(|(literal, _)| octets(literal)).sum::<usize>() > VALUES_OCTETS_MAX {
            literals.retain(|(literal, own)| match literal {
                Literal::Exact(text) => {
                    values.push((*text, *own));
                    false
                }
                Literal::Prefix(_) => true,
            });
            self.classify_values(field, questions, &values);
        }
        if !literals.is_empty() && (regexes.is_empty() || literals.len() > LITERALS_SHARED_MAX) {
            self.variable(field, questions, &trie(&literals), |own| own);
        } else {
            regexes.extend(literals.iter().map(|(_, own)| *own));
            regexes.sort_unstable();
            regexes.dedup();
        }
        self.classify_regexes(field, questions, &regexes);
    }

    /// Answers the questions `own` by automata of their languages.
    fn classify_regexes(&mut self, field: &'p Field, questions: &[Question<'p>], own: &[u32]) {
        let question = |own: u32| questions.get(own as usize);
        let mut programs = Vec::new();
        let mut numbers = Vec::new();
        for (number, Question { operator, span }) in own.iter().filter_map(|own| Some((*own, question(*own)?))) {
            let Some(language) = language::of_operator(operator) else { continue };
            match Program::new(&language, false, self.limits.instructions_max) {
                Ok(program) => programs.push(program),
                Err(_) => return self.refuse_regex(*span, Cost::Instructions(self.limits.instructions_max)),
            }
            numbers.push(number);
        }
        let mut steps = self.steps;
        let classifiers = classify(&programs, &self.limits, &mut steps);
        self.steps = steps;
        let number = |own: u32| numbers.get(own as usize).copied().unwrap_or(NONE);
        match classifiers {
            Ok(classifiers) => {
                for classifier in &classifiers {
                    let of_all = |own: u32| number(classifier.languages.get(own as usize).copied().unwrap_or(NONE));
                    self.variable(field, questions, &classifier.dfa, of_all);
                }
            }
            Err(Refused { language, cost }) => {
                let span = question(number(language)).map_or(Span::default(), |one| one.span);
                self.refuse_regex(span, cost);
            }
        }
    }

    /// Adds the variable whose classes `dfa` tells; `number` says which question one of its languages is.
    fn variable(&mut self, field: &'p Field, questions: &[Question<'p>], dfa: &Dfa, number: impl Fn(u32) -> u32) {
        let span = questions.first().map_or(Span::default(), |question| question.span);
        let Some((order, classes)) = self.ordered(&dfa.sets, span) else { return };
        let automaton = self.automaton(dfa, |label| order.get(label as usize).copied().unwrap_or(0));
        let (kind, name) = self.field(field);
        let variable = self.fields.add_variable(classes);
        self.variables.push(&Variable { field: kind, name, automaton, classes, ..Variable::default() });
        self.answers(field, variable, &dfa.sets, &order, number);
    }

    /// Where each of `sets` stands when they are sorted, and how many classes there are with that of an absent field.
    /// Sorted, the sets that hold a language are mostly neighbours, and guards over neighbours are small.
    pub(super) fn ordered(&mut self, sets: &[Vec<u32>], span: Span) -> Option<(Vec<u32>, u32)> {
        if sets.len() >= CLASSES_MAX {
            let message = format!("the rules tell more than {CLASSES_MAX} kinds of value of one field apart");
            let help = "a matcher keeps a class in 16 bits; put values that are treated alike into one `in`";
            self.error("too-many-values", span, message, help);
            return None;
        }
        let mut sorted: Vec<(&Vec<u32>, usize)> = sets.iter().zip(0..).collect();
        sorted.sort_unstable();
        let mut order = vec![0; sets.len()];
        for (place, (_, label)) in (0..).zip(sorted) {
            if let Some(own) = order.get_mut(label) {
                *own = place;
            }
        }
        Some((order, index(sets.len() + 1)))
    }

    /// Notes the answers that `variable` gives: its classes are 0 where the field is absent, else one more than the
    /// place of their set in `order`.
    pub(super) fn answers(
        &mut self,
        field: &Field,
        variable: u32,
        sets: &[Vec<u32>],
        order: &[u32],
        number: impl Fn(u32) -> u32,
    ) {
        let count = index(sets.len() + 1);
        let languages = sets.iter().flatten().max().map_or(0, |last| *last as usize + 1);
        let mut answers = vec![Vec::new(); languages];
        for (set, place) in sets.iter().zip(order) {
            for own in set {
                if let Some(classes) = answers.get_mut(*own as usize) {
                    classes.push(place + 1);
                }
            }
        }
        for (own, mut classes) in (0u32..).zip(answers) {
            classes.sort_unstable();
            self.fields.answered(field, number(own) as usize, Answer { variable, count, classes });
        }
    }

    /// The number of a field, and the header or the string that names it.
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
            Field::Header(name) => (field::HEADER, self.headers.add(name.as_bytes())),
            Field::Query(name) => (field::QUERY, self.string(name.as_bytes())),
            Field::Argument(name) => (field::ARGUMENT, self.string(name.as_bytes())),
            Field::Cookie(name) => {
                self.headers.add(b"cookie");
                (field::COOKIE, self.string(name.as_bytes()))
            }
        }
    }

    /// Refuses the regex at `span`, and says what it takes too much of.
    pub(super) fn refuse_regex(&mut self, span: Span, cost: Cost) {
        let help = match cost {
            Cost::LookAround(_) => {
                "write fewer or shorter alternatives in the look-around, or a guard of its own for it"
            }
            _ => {
                "counted repetitions such as `.{1,200}` behind `.*` multiply the states, and so does look-around that holds them: shorten them, or anchor the pattern with `^`"
            }
        };
        self.error("regex-too-large", span, cost.to_string(), help);
    }
}
