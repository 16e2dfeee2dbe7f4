//! Regexes whose groups somebody reads, as programs.

use super::tables::{Builder, index};
use crate::artifact::format::{self, CAPTURES_MAX, LOOKS_MAX, NamedGroup, instruction, look};
use crate::automaton::{Instruction, Program, TooLarge};
use crate::diagnostic::Span;
use crate::matcher::internal::program_fits;
use crate::model::{
    LocationPaths, Part, Pattern, Policy, ServerNameKind, Statement, StatementKind, Template, Variable,
};
use crate::regex::Meaning;
use regex_automata::util::look::Look;
use std::collections::BTreeSet;

impl Builder<'_> {
    /// All names of groups of all regexes that take captures, and of all variables that are set, sorted.
    pub(super) fn named_captures(policy: &Policy) -> Vec<String> {
        let (mut names, mut variables) = (BTreeSet::new(), BTreeSet::new());
        let mut add = |pattern: &Pattern| names.extend(pattern.groups.iter().flatten().cloned());
        for service in &policy.services {
            for name in &service.names {
                if let ServerNameKind::Regex(pattern) = &name.kind {
                    add(pattern);
                }
            }
            each_pattern(&service.statements, &mut add);
            each_variable(&service.statements, &mut variables);
        }
        for location in &policy.locations {
            if let LocationPaths::Regex(pattern) = &location.paths {
                add(pattern);
            }
            each_pattern(&location.statements, &mut add);
            each_variable(&location.statements, &mut variables);
        }
        names.extend(variables);
        names.into_iter().collect()
    }

    /// Refuses more named groups and variables than a matcher keeps.
    pub(super) fn count_captures(&mut self) {
        if self.captures.len() > CAPTURES_MAX {
            let message = format!("the rules name more than {CAPTURES_MAX} groups and variables");
            let help = "give groups of different regexes the same names";
            self.error("too-many-captures", Span::default(), message, help);
        }
    }

    /// The program of `pattern`; equal patterns are one.
    pub(super) fn program(&mut self, pattern: &Pattern) -> u32 {
        let key = (pattern.source.clone(), pattern.caseless, pattern.groups.clone());
        if let Some(program) = self.programs_known.get(&key) {
            return *program;
        }
        let program = match &pattern.meaning {
            Some(meaning) => {
                self.refuse_groups_inside(pattern, meaning);
                Program::new(meaning, true, self.limits.instructions_max)
            }
            None => Err(TooLarge::default()),
        };
        let encoded = program.map(|program| (Encoded::new(&program), program));
        let index = match encoded {
            Ok((encoded, program))
                if program_fits(encoded.rows.len(), program.slots) && program.looks.len() <= LOOKS_MAX =>
            {
                self.program_rows(&pattern.groups, &encoded, &program)
            }
            Ok((_, program)) if program.looks.len() > LOOKS_MAX => {
                let message = format!("the groups of a regex with more than {LOOKS_MAX} look-arounds");
                let help = "captures are taken in a working memory of fixed size: use fewer look-arounds";
                self.error("captures-too-large", pattern.span, message, help);
                0
            }
            _ => {
                let help =
                    "captures are taken in a working memory of fixed size: use fewer groups or shorter repetitions";
                self.error("captures-too-large", pattern.span, "the captures of this regex need too much memory", help);
                0
            }
        };
        self.programs_known.insert(key, index);
        index
    }

    /// A group inside look-around is captured where the look-around is, not where the pattern goes on.
    fn refuse_groups_inside(&mut self, pattern: &Pattern, meaning: &Meaning) {
        for group in &meaning.groups_inside {
            let name = (*group as usize).checked_sub(1).and_then(|index| pattern.groups.get(index)?.clone());
            let is_read = |variable: &Variable| match variable {
                Variable::Capture(number) => u32::from(*number) == *group,
                Variable::Named(read) => Some(read) == name.as_ref(),
                _ => false,
            };
            if reads(self.policy, &is_read) {
                let spelt = name.unwrap_or_else(|| group.to_string());
                let message = format!("`${spelt}` would be what a group inside look-around captured");
                let help =
                    "look-around is decided for all positions at once and captures nothing: put the group behind it";
                self.error("regex-lookaround-group", pattern.span, message, help);
            }
        }
    }

    /// The rows of `encoded`, which is `program`; with the names of its groups.
    pub(super) fn program_rows(&mut self, groups: &[Option<String>], encoded: &Encoded, program: &Program) -> u32 {
        let row = format::Program {
            instructions: self.instructions.next(),
            count: index(encoded.rows.len()),
            start: encoded.place(program.start),
            slots: program.slots,
            named: self.named_groups.next(),
            named_count: index(groups.iter().flatten().count()),
            anchored: u32::from(program.anchored),
            looks: self.looks.next(),
            looks_count: index(program.looks.len()),
        };
        for row in &encoded.rows {
            self.instructions.push(row);
        }
        let ends = program.looks.iter().skip(1).map(|look| encoded.place(look.from)).chain([row.count]);
        for (look, end) in program.looks.iter().zip(ends) {
            self.looks.push(&format::Look {
                from: encoded.place(look.from),
                end,
                start: encoded.place(look.start),
                ahead: u32::from(look.ahead),
                negative: u32::from(look.negative),
            });
        }
        for (group, name) in (1u32..).zip(groups) {
            if let Some(name) = name {
                let capture = self.capture(name);
                self.named_groups.push(&NamedGroup { group, capture });
            }
        }
        self.programs.push(&row)
    }

    /// Index of the named capture `name`.
    pub(super) fn capture(&mut self, name: &str) -> u32 {
        let found = self.captures.binary_search_by(|known| known.as_str().cmp(name));
        found.map_or_else(|_| self.lost().0, index)
    }
}

fn each_variable(statements: &[Statement], variables: &mut BTreeSet<String>) {
    for statement in statements {
        if let StatementKind::Set { name, .. } = &statement.kind {
            variables.insert(name.clone());
        }
        each_variable(statement.block().unwrap_or(&[]), variables);
    }
}

fn each_pattern(statements: &[Statement], add: &mut impl FnMut(&Pattern)) {
    for statement in statements {
        match &statement.kind {
            StatementKind::Rewrite(rewrite) => add(&rewrite.pattern),
            StatementKind::When { guard, takes_groups: true, .. } => {
                if let Some((_, pattern)) = guard.one_regex() {
                    add(pattern);
                }
            }
            _ => {}
        }
        each_pattern(statement.block().unwrap_or(&[]), add);
    }
}

/// Whether some template of `policy` reads a variable that `is_read` is true of.
fn reads(policy: &Policy, is_read: &impl Fn(&Variable) -> bool) -> bool {
    let in_template = |template: &Template| {
        template.parts.iter().any(|part| matches!(part, Part::Variable(variable) if is_read(variable)))
    };
    let mut lists: Vec<&[Statement]> = policy.services.iter().map(|service| service.statements.as_slice()).collect();
    lists.extend(policy.locations.iter().map(|location| location.statements.as_slice()));
    while let Some(statements) = lists.pop() {
        if statements.iter().any(|statement| statement.templates().into_iter().any(in_template)) {
            return true;
        }
        lists.extend(statements.iter().filter_map(|statement| statement.block()));
    }
    policy.maps.iter().flat_map(|map| &map.cases).any(|case| in_template(&case.value.text))
}

/// A program as rows. An instruction with several ways becomes several of them.
pub(super) struct Encoded {
    pub(super) rows: Vec<format::Instruction>,
    /// By instruction: the first of its rows.
    places: Vec<u32>,
}

impl Encoded {
    pub(super) fn new(program: &Program) -> Self {
        let mut places = Vec::new();
        let mut next = 0;
        for instruction in &program.instructions {
            places.push(next);
            next += match instruction {
                Instruction::Bytes(ranges) => (2 * index(ranges.len())).saturating_sub(1).max(1),
                Instruction::Split(ways) => index(ways.len()).saturating_sub(1).max(1),
                _ => 1,
            };
        }
        let mut encoded = Self { rows: Vec::new(), places };
        let mut rows = Vec::new();
        for instruction in &program.instructions {
            encode_one(instruction, &|at| encoded.place(at), &mut rows);
        }
        encoded.rows = rows;
        encoded
    }

    fn place(&self, at: u32) -> u32 {
        self.places.get(at as usize).copied().unwrap_or(0)
    }
}

fn encode_one(instruction: &Instruction, place: &impl Fn(u32) -> u32, rows: &mut Vec<format::Instruction>) {
    let row = |kind, a, b, c| format::Instruction { kind, a, b, c };
    let fail = row(instruction::FAIL, 0, 0, 0);
    match instruction {
        Instruction::Bytes(ranges) => {
            // n-1 splits, each with the byte it prefers behind all of them.
            let (first, splits) = (index(rows.len()), index(ranges.len()).saturating_sub(1));
            for way in 0..splits {
                let otherwise = if way + 1 == splits { first + 2 * splits } else { first + way + 1 };
                rows.push(row(instruction::SPLIT, first + splits + way, otherwise, 0));
            }
            rows.extend(
                ranges.iter().map(|(a, b, next)| row(instruction::BYTE, (*a).into(), (*b).into(), place(*next))),
            );
            if ranges.is_empty() {
                rows.push(fail);
            }
        }
        Instruction::Split(ways) => {
            let first = index(rows.len());
            match ways.as_slice() {
                [] => rows.push(fail),
                [only] => rows.push(row(instruction::SPLIT, place(*only), place(*only), 0)),
                [most @ .., last] => {
                    for (number, way) in (1u32..).zip(most) {
                        let otherwise = if number as usize == most.len() { place(*last) } else { first + number };
                        rows.push(row(instruction::SPLIT, place(*way), otherwise, 0));
                    }
                }
            }
        }
        Instruction::Save { slot, next } => rows.push(row(instruction::SAVE, *slot, place(*next), 0)),
        Instruction::Look { look, next } => {
            let kind = match look {
                Look::Start => look::START,
                Look::End => look::END,
                Look::EndLF => look::DOLLAR,
                Look::WordAscii => look::WORD_BOUNDARY,
                Look::WordAsciiNegate => look::NOT_WORD_BOUNDARY,
                // The pattern parser lets no other kind through.
                _ => return rows.push(fail),
            };
            rows.push(row(instruction::LOOK, kind, place(*next), 0));
        }
        Instruction::Around { look, next } => {
            rows.push(row(instruction::LOOK, look::AROUND.saturating_add(*look), place(*next), 0));
        }
        Instruction::Match => rows.push(row(instruction::MATCH, 0, 0, 0)),
    }
}
