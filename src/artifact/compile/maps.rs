//! Maps to rows: the default is a last case that always holds. And what guards ask of their texts to nodes.

use super::tables::{Builder, index};
use crate::artifact::format::{self, NONE, field};
use crate::diagnostic::Diagnostic;
use crate::diagram::{FALSE, NodeId, TRUE, TooLarge};
use crate::model::semantics::{Prepared, satisfies};
use crate::model::{Field, Map, MapAnswer, MapCase, MapId, MapValue, Operator, Predicate};
use core::ops::Range;
use std::collections::HashMap;

/// Values that all guards together ask of maps: one for each different question and value of the map it is asked of. A
/// thousand different guards on a map of four thousand cases; each costs some 100 ns.
const VALUES_ASKED_MAX: usize = 4_000_000;

/// Cases of a map that are passed over as one where none of them holds. The square root of the most that a map has: so
/// many blocks are looked at, and so many cases of one.
const BLOCK: usize = 64;

/// Names of maps that an error shows of a chain of them.
const CHAIN_SHOWN: usize = 8;

/// The guards of one map's cases, and which of them hold together.
struct Guards {
    cases: Vec<NodeId>,
    /// By stretch of cases: whether one of them holds.
    any: HashMap<(usize, usize), NodeId>,
}

impl Builder<'_> {
    /// The rows of all maps, and what is asked of them. A map asks maps above it, so that its guards are there.
    pub(super) fn maps(&mut self) {
        let mut left = VALUES_ASKED_MAX;
        for (number, map) in (0u32..).map(MapId).zip(&self.policy.maps) {
            let asked = self.fields.map_questions(number).len().saturating_mul(map.cases.len() + 1);
            let Some(rest) = left.checked_sub(asked) else {
                let message = format!("guards ask maps for more than {VALUES_ASKED_MAX} values");
                let help = "put cases of the same value into one, and guards that do the same: `$name in a b`";
                self.error("map-asked-too-often", map.span, message, help);
                return;
            };
            left = rest;
            if self.map(number, map).is_err() {
                self.map_too_large(map);
                return;
            }
        }
    }

    fn map(&mut self, number: MapId, map: &Map) -> Result<(), TooLarge> {
        let cases = map.cases.iter().map(|case| self.guard(&case.guard, None)).collect::<Result<Vec<_>, _>>()?;
        let mut guards = Guards { cases, any: HashMap::new() };
        self.map_rows(map, &mut guards)?;
        let questions = self.fields.map_questions(number).to_vec();
        let answers = questions.into_iter().map(|operator| self.map_answer(map, operator, &mut guards));
        let answers = answers.collect::<Result<Vec<_>, _>>()?;
        self.map_answers.push(answers);
        Ok(())
    }

    fn map_rows(&mut self, map: &Map, guards: &mut Guards) -> Result<(), TooLarge> {
        let mut rows = Vec::new();
        for (first, block) in (0..).step_by(BLOCK).zip(map.cases.chunks(BLOCK)) {
            if map.cases.len() > BLOCK {
                let any = self.any(guards, first..first + block.len())?;
                rows.push(format::MapCase { skip: index(block.len()), ..case_row(any) });
            }
            for (case, guard) in block.iter().zip(guards.cases.iter().skip(first)) {
                rows.push(self.map_case(case, *guard));
            }
        }
        rows.push(format::MapCase { template: self.template(&map.default.text), ..case_row(TRUE) });
        let row = format::Map { cases: self.map_cases.next(), cases_count: index(rows.len()) };
        for case in &rows {
            self.map_cases.push(case);
        }
        self.maps.push(&row);
        Ok(())
    }

    fn map_case(&mut self, case: &MapCase, guard: NodeId) -> format::MapCase {
        let (program, (field, name)) = match &case.captures {
            Some((field, pattern)) => (self.program(pattern), self.field(field)),
            None => (NONE, (field::PATH, NONE)),
        };
        format::MapCase { program, field, name, template: self.template(&case.value.text), ..case_row(guard) }
    }

    /// Whether the text of `map` satisfies `operator`.
    fn map_answer(&mut self, map: &Map, operator: &Operator, guards: &mut Guards) -> Result<NodeId, TooLarge> {
        let asking = Asking::new(operator);
        let mut known: HashMap<&[u8], bool> = HashMap::new();
        let mut values = Vec::with_capacity(map.cases.len());
        for case in &map.cases {
            values.push(self.value_answer(&case.value, &asking, &mut known)?);
        }
        let otherwise = self.value_answer(&map.default, &asking, &mut known)?;
        let of_cases = self.first_that_holds(guards, &values, 0..values.len())?;
        let any = if otherwise == FALSE { TRUE } else { self.any(guards, 0..values.len())? };
        let none = self.diagram.not(any)?;
        let of_default = self.diagram.and(none, otherwise)?;
        self.diagram.or(of_cases, of_default)
    }

    fn value_answer<'m>(
        &mut self,
        value: &'m MapValue,
        asking: &Asking<'_>,
        known: &mut HashMap<&'m [u8], bool>,
    ) -> Result<NodeId, TooLarge> {
        match value.answer(asking.operator) {
            Some(MapAnswer::Always(holds)) => Ok(leaf(holds)),
            Some(MapAnswer::Text(text)) => Ok(leaf(*known.entry(text).or_insert_with(|| asking.takes(text)))),
            Some(MapAnswer::Field(field)) => self.field_answer(field, asking),
            None => Ok(self.lost()),
        }
    }

    /// What a guard finds in the text of `field`: absent it is empty.
    fn field_answer(&mut self, field: &Field, asking: &Asking<'_>) -> Result<NodeId, TooLarge> {
        let is = self.guard(&Predicate::Field(field.clone(), asking.operator.clone()), None)?;
        if !asking.takes(b"") {
            return Ok(is);
        }
        let present = self.guard(&Predicate::Field(field.clone(), Operator::Present), None)?;
        let absent = self.diagram.not(present)?;
        self.diagram.or(is, absent)
    }

    /// Where the first case of `stretch` that holds has one of `values`. What no case of a stretch has costs nothing, so a
    /// question that few values answer costs about as much as the map has cases.
    fn first_that_holds(
        &mut self,
        guards: &mut Guards,
        values: &[NodeId],
        stretch: Range<usize>,
    ) -> Result<NodeId, TooLarge> {
        let Some((front, back)) = halves(&stretch) else {
            let (guard, value) = (guards.cases.get(stretch.start), values.get(stretch.start));
            return guard.zip(value).map_or(Ok(FALSE), |(guard, value)| self.diagram.and(*guard, *value));
        };
        let of_back = self.first_that_holds(guards, values, back)?;
        let of_front = self.first_that_holds(guards, values, front.clone())?;
        if of_back == FALSE {
            return Ok(of_front);
        }
        let any = self.any(guards, front)?;
        let none = self.diagram.not(any)?;
        let of_back = self.diagram.and(none, of_back)?;
        self.diagram.or(of_front, of_back)
    }

    /// Whether a case of `stretch` holds.
    fn any(&mut self, guards: &mut Guards, stretch: Range<usize>) -> Result<NodeId, TooLarge> {
        let Some((front, back)) = halves(&stretch) else {
            return Ok(guards.cases.get(stretch.start).copied().unwrap_or(FALSE));
        };
        if let Some(known) = guards.any.get(&(stretch.start, stretch.end)) {
            return Ok(*known);
        }
        let (front, back) = (self.any(guards, front)?, self.any(guards, back)?);
        let any = self.diagram.or(front, back)?;
        guards.any.insert((stretch.start, stretch.end), any);
        Ok(any)
    }

    fn map_too_large(&mut self, map: &Map) {
        let message = format!("the guards on `${}` need a larger diagram than the limit", map.name);
        let mut diagnostic = Diagnostic::error("guard-too-large", map.span, message);
        let chain = self.chain(map);
        if chain.len() > 1 {
            diagnostic = diagnostic.note(format!("maps that ask maps: {}", chain.join(" asks ")));
        }
        self.diagnostics.push(diagnostic.help("ask fewer fields in one map, or fewer maps in one another"));
    }

    /// `map`, the first map that it asks, and so on.
    fn chain(&self, map: &Map) -> Vec<String> {
        let mut names = vec![format!("`${}`", map.name)];
        let mut next = asks_map(map);
        while let Some(map) = next.and_then(|id| self.policy.maps.get(id.0 as usize)) {
            if names.len() == CHAIN_SHOWN {
                names.push("others".to_owned());
                break;
            }
            names.push(format!("`${}`", map.name));
            next = asks_map(map);
        }
        names
    }
}

/// An operator, ready for many texts.
struct Asking<'m> {
    operator: &'m Operator,
    regexes: Prepared<'m>,
}

impl<'m> Asking<'m> {
    fn new(operator: &'m Operator) -> Self {
        Self { operator, regexes: Prepared::new(operator) }
    }

    fn takes(&self, text: &[u8]) -> bool {
        satisfies(&self.regexes, text, self.operator)
    }
}

/// The first map that a case of `map` asks.
fn asks_map(map: &Map) -> Option<MapId> {
    let mut found = None;
    map.cases.iter().for_each(|case| {
        case.guard.questions(&mut |question| {
            if let Predicate::Map(id, _) = question {
                found.get_or_insert(*id);
            }
        });
    });
    found
}

/// A case of nothing under `guard`.
fn case_row(guard: NodeId) -> format::MapCase {
    format::MapCase { guard: guard.0, skip: 0, program: NONE, field: field::PATH, name: NONE, template: 0 }
}

/// A stretch of several cases in two, the first of which has a power of two of them: so that stretches of one map are
/// shared.
fn halves(stretch: &Range<usize>) -> Option<(Range<usize>, Range<usize>)> {
    let last = stretch.len().checked_sub(1).filter(|last| *last > 0)?;
    let middle = stretch.start + (1 << last.ilog2());
    Some((stretch.start..middle, middle..stretch.end))
}

fn leaf(holds: bool) -> NodeId {
    if holds { TRUE } else { FALSE }
}
