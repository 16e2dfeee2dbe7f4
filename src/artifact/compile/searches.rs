//! Lists of regexes to searches.

use super::pack::Packed;
use super::tables::{Builder, index};
use crate::artifact::format::{self, LITERAL, NONE, Number, REPEATING_MAX, scan_flag};
use crate::automaton::Refused;
use crate::automaton::filter::Filter;
use crate::automaton::scanner::{Literal, NO_RANK, Output};
use crate::automaton::search::{Scan, Search, search};
use crate::diagnostic::Span;
use crate::model::{LocationId, LocationPaths};
use crate::regex::Meaning;
use std::collections::HashMap;

/// What a mark of a literal stands for: the outcomes if the path goes on, and if it ends.
pub(super) type Marks = [(u32, u32)];

/// A search that was written.
pub(super) struct Written {
    /// Its row.
    pub(super) search: u32,
    /// Its scans that may be found several times.
    pub(super) repeating: u32,
    /// Start and classes of the scanner of the literals, if there are literals.
    pub(super) literals: Option<(u32, u32)>,
}

impl Builder<'_> {
    /// The search of the regexes among `locations`, with those nested in them; none where there are none.
    pub(super) fn level_search(&mut self, locations: &[LocationId]) -> u32 {
        self.level(locations, None).map_or(NONE, |written| written.search)
    }

    /// Writes the regexes among `locations`, and `literals` with what their marks stand for.
    pub(super) fn level(
        &mut self,
        locations: &[LocationId],
        literals: Option<(&[Literal<'_>], &Marks)>,
    ) -> Option<Written> {
        let policy = self.policy;
        let of_level = locations.iter().filter_map(|id| Some((id, policy.locations.get(id.0 as usize)?)));
        let mut ranked = Vec::new();
        let mut regexes: Vec<(&Meaning, Span)> = Vec::new();
        for (id, location) in of_level {
            if let LocationPaths::Regex(pattern) = &location.paths
                && let Some(meaning) = &pattern.meaning
            {
                regexes.push((meaning, pattern.span));
                ranked.push((*id, location.nested.as_slice()));
            }
        }
        if regexes.is_empty() && literals.is_none() {
            return None;
        }
        let ids: Vec<LocationId> = ranked.iter().map(|(id, _)| *id).collect();
        let written = self.search(&regexes, literals, &ids)?;
        for (id, nested) in ranked {
            let search = self.level_search(nested);
            self.nested_searches.insert(id, search);
        }
        Some(written)
    }

    /// Writes the search of `regexes`, which are those of the locations `ranked` if there are any, and of `literals`.
    pub(super) fn search(
        &mut self,
        regexes: &[(&Meaning, Span)],
        literals: Option<(&[Literal<'_>], &Marks)>,
        ranked: &[LocationId],
    ) -> Option<Written> {
        let meanings: Vec<&Meaning> = regexes.iter().map(|(meaning, _)| *meaning).collect();
        let mut steps = self.steps;
        let found = search(&meanings, literals.map(|(literals, _)| literals), &self.limits, &mut steps);
        self.steps = steps;
        match found {
            Ok(search) => {
                let marks = literals.map_or([].as_slice(), |(_, marks)| marks);
                let simulated = self.simulated(&search.simulated, regexes);
                let written = self.put_search(&search, &simulated, marks, literals.is_some(), ranked);
                if written.repeating > REPEATING_MAX {
                    self.refuse_gaps(regexes.last().map_or(Span::default(), |(_, span)| *span));
                }
                Some(written)
            }
            Err(Refused { language, cost }) => {
                let span = regexes.get(language as usize).map_or(Span::default(), |(_, span)| *span);
                self.refuse_regex(span, cost);
                None
            }
        }
    }

    /// `last` is the last regex of the level.
    fn refuse_gaps(&mut self, last: Span) {
        let message =
            "with this one, the regexes of the level have too many gaps such as `.*` behind what may stand anywhere";
        let help = "anchor patterns with `^`, or nest locations";
        self.error("too-many-gaps", last, message, help);
    }

    fn put_search(
        &mut self,
        search: &Search,
        simulated: &[format::Scan],
        marks: &Marks,
        has_literals: bool,
        ranked: &[LocationId],
    ) -> Written {
        let backward: Vec<bool> = (0..search.scanners.len()).map(|scanner| is_backward(search, scanner)).collect();
        let packed: Vec<Packed<'_>> =
            search.scanners.iter().zip(&backward).map(|(scanner, backward)| self.pack(scanner, *backward)).collect();
        let mut repeating = 0;
        let mut rows: Vec<Vec<format::Scan>> = Vec::new();
        for continuation in &search.continuations {
            let mut own = Vec::new();
            for scan in &continuation.scans {
                let started = if continuation.repeats { repeating } else { NONE };
                repeating += u32::from(continuation.repeats);
                own.push(self.scan(&packed, scan, continuation.line, started));
            }
            rows.push(own);
        }
        let mut known: HashMap<Output, u32> = HashMap::new();
        for (scanner, packed) in search.scanners.iter().zip(&packed) {
            self.states += scanner.states.len();
            self.fill(packed, |builder, output| {
                let own = &mut *builder;
                *known.entry(output.clone()).or_insert_with(|| own.head(output, marks, &rows))
            });
        }
        self.scanners += search.scanners.len();
        let mut own: Vec<format::Scan> =
            search.scans.iter().map(|scan| self.scan(&packed, scan, false, NONE)).collect();
        own.extend(simulated);
        let scans = self.scans.next();
        for scan in &own {
            self.scans.push(scan);
        }
        let regexes = self.regex_locations.next();
        for id in ranked {
            self.regex_locations.push(&Number { value: id.0 });
        }
        let row = format::Search {
            scans,
            scans_count: index(own.len()),
            regexes,
            regexes_count: index(ranked.len()),
            repeating,
        };
        let literals = packed.first().filter(|_| has_literals);
        let literals = literals.map(|packed| (packed.starts.first().copied().unwrap_or(format::DEAD), packed.classes));
        Written { search: self.searches.push(&row), repeating, literals }
    }

    fn scan(&mut self, packed: &[Packed<'_>], scan: &Scan, line: bool, started: u32) -> format::Scan {
        let filter = self.filter(scan.filter.as_ref());
        let own = packed.get(scan.scanner);
        format::Scan {
            start: own.and_then(|own| own.starts.get(scan.start)).copied().unwrap_or(format::DEAD),
            classes: own.map_or(0, |own| own.classes),
            best: scan.best,
            flags: if scan.backward { scan_flag::BACKWARD } else { 0 } | if line { scan_flag::LINE } else { 0 },
            filter,
            started,
        }
    }

    pub(super) fn filter(&mut self, filter: Option<&Filter>) -> u32 {
        filter.map_or(NONE, |filter| {
            let row = format::Filter { start: index(self.filter_bits.len()), log2: filter.log2, stride: filter.stride };
            self.filter_bits.extend(&filter.bits);
            self.filters.push(&row)
        })
    }

    /// What the head of a state says that tells `output`.
    fn head(&mut self, output: &Output, marks: &Marks, continuations: &[Vec<format::Scan>]) -> u32 {
        let is_bare = (Output { mark: None, ..output.clone() }) == Output::NONE;
        let mark = output.mark.and_then(|mark| marks.get(mark as usize));
        match mark {
            Some((going_on, ending)) if is_bare && going_on == ending && going_on & LITERAL != 0 => *going_on,
            _ => self.output(output, marks, continuations) + 1,
        }
    }

    fn output(&mut self, output: &Output, marks: &Marks, continuations: &[Vec<format::Scan>]) -> u32 {
        let scans = self.scans.next();
        for continuation in &output.continuations {
            for scan in continuations.get(*continuation as usize).into_iter().flatten() {
                self.scans.push(scan);
            }
        }
        let mark = output.mark.and_then(|mark| marks.get(mark as usize));
        let (going_on, ending) = mark.copied().unwrap_or((NONE, NONE));
        let rank = |rank: u32| if rank == NO_RANK { NONE } else { rank };
        let scans_count = self.scans.next() - scans;
        let (seen, end) = (rank(output.seen), rank(output.end));
        self.outputs.push(&format::Output { seen, end, going_on, ending, scans, scans_count })
    }
}

fn is_backward(search: &Search, scanner: usize) -> bool {
    let of_continuations = search.continuations.iter().flat_map(|continuation| &continuation.scans);
    search.scans.iter().chain(of_continuations).any(|scan| scan.scanner == scanner && scan.backward)
}
