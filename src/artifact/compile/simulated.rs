//! Regexes whose automata are too large, as programs that a matcher simulates.

use super::captures::Encoded;
use super::tables::Builder;
use crate::artifact::format::{self, NONE, SIMULATED_MAX, scan_flag};
use crate::automaton::filter::filter;
use crate::automaton::{Cost, Simulated};
use crate::diagnostic::{Diagnostic, Span};
use crate::regex::Meaning;

impl Builder<'_> {
    /// Scans that simulate those `simulated` of one level, of which `regexes` are all. What is beyond the limit is
    /// refused.
    pub(super) fn simulated(&mut self, simulated: &[Simulated], regexes: &[(&Meaning, Span)]) -> Vec<format::Scan> {
        let max = self.limits.simulated_max.min(SIMULATED_MAX);
        let mut takes = 0;
        let mut scans = Vec::new();
        for Simulated { rank, program, required, cost } in simulated {
            let span = regexes.get(*rank as usize).map_or(Span::default(), |(_, span)| *span);
            let encoded = Encoded::new(program);
            takes += encoded.rows.len();
            if takes > max {
                self.refuse_regex(span, Cost::Simulated { takes, max });
                continue;
            }
            self.warn_of_simulation(span, *cost);
            let filter = filter(&[required.as_slice()]);
            scans.push(format::Scan {
                start: self.program_rows(&[], &encoded, program),
                classes: 0,
                best: *rank,
                flags: scan_flag::SIMULATED,
                filter: self.filter(filter.as_ref()),
                started: NONE,
            });
        }
        self.simulated += scans.len();
        scans
    }

    fn warn_of_simulation(&mut self, span: Span, cost: Cost) {
        let message = format!("this regex is simulated, which costs each path that comes to it: {cost}");
        let help = "counted repetitions such as `.{1,200}` behind `.*` multiply the states: anchor the pattern with `^`, say what ends the repetition (`[^/]{1,200}/`), or let it repeat without an upper bound";
        self.warnings.push(Diagnostic::warning("regex-simulated", span, message).help(help));
    }
}
