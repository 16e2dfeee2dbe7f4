//! What is known of variables that `set` keeps, followed from statement to statement.
//!
//! Guards of the rules see the request as it came, and no variables. So a condition on a variable becomes a guard on
//! the conditions under which it got its values.

use super::field::Field;
use super::importer::{Importer, Lack};
use super::place::Place;
use super::predicate::Predicate;
use super::tree::Word;
use super::variable::{Part, parts};
use std::collections::BTreeMap;

/// A value, and when it is the variable's: the first case that holds counts.
pub(super) type Cases = Vec<(Predicate, Known)>;

/// What a value is known to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// This text, or what a field holds.
    Is(Field),
    /// Not known beforehand, for this reason.
    Open(String),
}

/// By name, in lower case.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    cases: BTreeMap<String, Cases>,
}

/// Cases of one variable: flags put together from three or four conditions have some dozens.
const CASES_MAX: usize = 64;
/// Tests of one guard: more cannot be read, and cost the compiler more than they tell.
pub(super) const TESTS_MAX: usize = 256;

impl Values {
    /// What is known of `name`; empty before the first `set`.
    pub(super) fn of(&self, name: &str) -> Cases {
        let empty = || vec![(Predicate::True, Known::Is(Field::Text(String::new())))];
        self.cases.get(name).cloned().unwrap_or_else(empty)
    }

    /// Nothing is known of `name`.
    pub(super) fn open(&mut self, name: &str, why: &str) {
        self.cases.insert(name.to_owned(), vec![(Predicate::True, Known::Open(why.to_owned()))]);
    }

    /// Where `path` holds, `name` is what `new` says.
    pub(super) fn set(&mut self, name: &str, path: &Predicate, new: Cases) {
        let mut cases: Cases = Vec::new();
        for (when, known) in new {
            let when = path.clone().and(when);
            if when != Predicate::False {
                cases.push((when, known));
            }
        }
        if !cases.iter().any(|(when, _)| *when == Predicate::True) {
            cases.extend(self.of(name));
        }
        if cases.len() > CASES_MAX {
            self.open(name, "it takes too many values");
        } else {
            self.cases.insert(name.to_owned(), cases);
        }
    }
}

/// When what `test` asks of each case holds.
pub(super) fn ask(cases: &Cases, test: &dyn Fn(&Field) -> Result<Predicate, String>) -> Result<Predicate, Lack> {
    let mut holds = Predicate::False;
    for (when, known) in cases.iter().rev() {
        let asked = match known {
            Known::Is(field) => test(field).map_err(Lack::Beyond)?,
            Known::Open(why) => return Err(Lack::beyond(why.clone())),
        };
        holds = choose(when, asked, holds);
    }
    if holds.size() > TESTS_MAX {
        return Err(Lack::beyond(format!("it takes more than {TESTS_MAX} tests of the request")));
    }
    Ok(holds)
}

/// `asked` where `when` holds, else `otherwise`.
pub(super) fn choose(when: &Predicate, asked: Predicate, otherwise: Predicate) -> Predicate {
    match asked {
        Predicate::True => when.clone().or(otherwise),
        Predicate::False => when.clone().not().and(otherwise),
        asked => when.clone().and(asked).or(when.clone().not().and(otherwise)),
    }
}

impl<'p> Importer<'p> {
    /// What the variable called `name` is known to be.
    pub(super) fn known_variable(&mut self, name: &str, place: &Place<'_, 'p>) -> Result<Cases, Lack> {
        let lower = name.to_ascii_lowercase();
        if place.server.sets.contains_key(&lower) && lower != "args" {
            return Ok(place.values.of(&lower));
        }
        match self.field(name, place) {
            Ok(field) => Ok(vec![(Predicate::True, Known::Is(field))]),
            Err(Lack::Beyond(why)) => Ok(vec![(Predicate::True, Known::Open(why))]),
            Err(wrong) => Err(wrong),
        }
    }

    /// What a text with variables is known to be.
    pub(super) fn known_text(&mut self, word: &Word, place: &Place<'_, 'p>) -> Result<Cases, Lack> {
        let mut all: Cases = vec![(Predicate::True, Known::Is(Field::Text(String::new())))];
        for part in parts(&word.text)? {
            let next = match part {
                Part::Text(text) => vec![(Predicate::True, Known::Is(Field::Text(text)))],
                Part::Variable(name) => self.known_variable(&name, place)?,
            };
            all = joined(&all, &next);
        }
        Ok(all)
    }
}

/// Every case of `front` with every case of `back` behind it.
fn joined(front: &Cases, back: &Cases) -> Cases {
    let mut all = Cases::new();
    for (one, head) in front {
        for (other, tail) in back {
            let when = one.clone().and(other.clone());
            if when == Predicate::False {
                continue;
            }
            all.push((when, join(head, tail)));
        }
    }
    if all.len() > CASES_MAX {
        return vec![(Predicate::True, Known::Open("it takes too many values".to_owned()))];
    }
    all
}

fn join(head: &Known, tail: &Known) -> Known {
    match (head, tail) {
        (Known::Is(Field::Text(head)), Known::Is(Field::Text(tail))) => Known::Is(Field::Text(format!("{head}{tail}"))),
        (Known::Is(Field::Text(text)), other) | (other, Known::Is(Field::Text(text))) if text.is_empty() => {
            other.clone()
        }
        (Known::Open(why), _) | (_, Known::Open(why)) => Known::Open(why.clone()),
        _ => Known::Open("it is put together of several parts of the request".to_owned()),
    }
}
