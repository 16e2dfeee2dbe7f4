//! The tables while they grow.

use super::Stats;
use super::asked::Fields;
use super::headers::Headers;
use super::witness::Open;
use crate::artifact::format::{Automaton, Number, OctetSet, Operation, TABLES, Text};
use crate::artifact::write::{Rows, assemble};
use crate::automaton::{Dfa, Limits};
use crate::diagnostic::{Diagnostic, Span};
use crate::diagram::{Diagram, FALSE, NodeId};
use crate::model::{LocationId, Policy};
use std::collections::HashMap;

/// Everything that one compilation builds.
pub(super) struct Builder<'p> {
    pub(super) policy: &'p Policy,
    pub(super) limits: Limits,
    /// Steps of subset construction left.
    pub(super) steps: u64,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) warnings: Vec<Diagnostic>,
    pub(super) diagram: Diagram,
    pub(super) fields: Fields<'p>,
    pub(super) programs_known: HashMap<(String, bool, Vec<Option<String>>), u32>,
    /// Names of named groups, sorted: their indices are the named captures.
    pub(super) captures: Vec<String>,
    strings_known: HashMap<Vec<u8>, u32>,
    pub(super) headers: Headers,
    pub(super) bytes: Vec<u8>,
    pub(super) policies: Rows,
    pub(super) header_slots: Rows,
    pub(super) header_names: Rows,
    pub(super) strings: Rows,
    pub(super) automata: Rows,
    pub(super) byte_classes: Vec<u8>,
    pub(super) transitions: Rows,
    pub(super) variables: Rows,
    pub(super) slots: Rows,
    pub(super) addresses: Rows,
    pub(super) nodes: Rows,
    pub(super) children: Rows,
    pub(super) hosts: Rows,
    pub(super) host_ranks: Rows,
    pub(super) services: Rows,
    pub(super) kept_names: Rows,
    /// Cells of scanners: owner and next state.
    pub(super) cells: Vec<u64>,
    /// Octets on which states stay: 32 octets a set.
    pub(super) octet_sets: Vec<u8>,
    pub(super) octet_sets_known: HashMap<OctetSet, u32>,
    pub(super) filter_bits: Vec<u8>,
    pub(super) outputs: Rows,
    pub(super) scans: Rows,
    pub(super) filters: Rows,
    pub(super) searches: Rows,
    pub(super) regex_locations: Rows,
    pub(super) lookups: Rows,
    pub(super) outcomes: Rows,
    pub(super) eligible: Rows,
    pub(super) locations: Rows,
    pub(super) operations: Rows,
    /// First rows of lists of operations.
    pub(super) operations_known: HashMap<Vec<Operation>, u32>,
    pub(super) templates: Rows,
    pub(super) parts: Rows,
    pub(super) programs: Rows,
    pub(super) instructions: Rows,
    pub(super) named_groups: Rows,
    pub(super) looks: Rows,
    pub(super) plans: Rows,
    pub(super) maps: Rows,
    pub(super) map_cases: Rows,
    pub(super) balance_keys: Rows,
    /// States of all scanners, and how many there are.
    pub(super) states: usize,
    pub(super) scanners: usize,
    /// Regexes that are simulated.
    pub(super) simulated: usize,
    /// By regex location: the search of the regexes nested in it.
    pub(super) nested_searches: HashMap<LocationId, u32>,
    /// Rows of `plans` where a source begins, by source.
    pub(super) plan_rows: Vec<u32>,
    /// By map: what the text of each of them is asked, as nodes; in the order of the questions.
    pub(super) map_answers: Vec<Vec<NodeId>>,
    /// Locations that may end without an answer.
    pub(super) open: Vec<Open>,
    /// Whether something that is there whenever nothing was refused was not.
    is_lost: bool,
    /// Variables of the facts, by fact.
    pub(super) fact_variables: Vec<u32>,
    /// Variables of the callers, by source.
    pub(super) plan_variables: Vec<u32>,
}

impl<'p> Builder<'p> {
    pub(super) fn new(policy: &'p Policy, limits: Limits) -> Self {
        Self {
            policy,
            limits,
            steps: limits.steps_max,
            diagnostics: Vec::new(),
            warnings: Vec::new(),
            diagram: Diagram::new(limits.diagram_max, limits.diagram_steps_max),
            fields: Fields::of(policy),
            programs_known: HashMap::new(),
            captures: Self::named_captures(policy),
            strings_known: HashMap::new(),
            headers: Headers::new(),
            bytes: Vec::new(),
            policies: Rows::default(),
            header_slots: Rows::default(),
            header_names: Rows::default(),
            strings: Rows::default(),
            automata: Rows::default(),
            byte_classes: Vec::new(),
            transitions: Rows::default(),
            variables: Rows::default(),
            slots: Rows::default(),
            addresses: Rows::default(),
            nodes: Rows::default(),
            children: Rows::default(),
            hosts: Rows::default(),
            host_ranks: Rows::default(),
            services: Rows::default(),
            kept_names: Rows::default(),
            cells: Vec::new(),
            octet_sets: Vec::new(),
            octet_sets_known: HashMap::new(),
            filter_bits: Vec::new(),
            outputs: Rows::default(),
            scans: Rows::default(),
            filters: Rows::default(),
            searches: Rows::default(),
            regex_locations: Rows::default(),
            lookups: Rows::default(),
            outcomes: Rows::default(),
            eligible: Rows::default(),
            locations: Rows::default(),
            operations: Rows::default(),
            operations_known: HashMap::new(),
            templates: Rows::default(),
            parts: Rows::default(),
            programs: Rows::default(),
            instructions: Rows::default(),
            named_groups: Rows::default(),
            looks: Rows::default(),
            plans: Rows::default(),
            maps: Rows::default(),
            map_cases: Rows::default(),
            balance_keys: Rows::default(),
            states: 0,
            scanners: 0,
            simulated: 0,
            nested_searches: HashMap::new(),
            plan_rows: Vec::new(),
            map_answers: Vec::new(),
            open: Vec::new(),
            is_lost: false,
            fact_variables: Vec::new(),
            plan_variables: Vec::new(),
        }
    }

    /// Index of `text` among the strings; equal texts are one.
    pub(super) fn string(&mut self, text: &[u8]) -> u32 {
        if let Some(index) = self.strings_known.get(text) {
            return *index;
        }
        let row = Text { start: index(self.bytes.len()), octets: index(text.len()) };
        self.bytes.extend(text);
        let index = self.strings.push(&row);
        self.strings_known.insert(text.to_vec(), index);
        index
    }

    /// Where `text` stands among the octets of the strings.
    pub(super) fn text(&mut self, text: &[u8]) -> Text {
        let index = self.string(text);
        self.strings.get(index).unwrap_or_default()
    }

    /// Adds `dfa` with `label` put over its labels. States that nothing leaves come last.
    pub(super) fn automaton(&mut self, dfa: &Dfa, label: impl Fn(u32) -> u32) -> u32 {
        let stride = index(dfa.stride) + 1;
        let rows = || (0u32..).zip(dfa.transitions.chunks(dfa.stride));
        let rests = |state: u32, row: &[u32]| state > 0 && row.iter().all(|next| *next == state);
        let of = |resting: bool| rows().filter(move |(state, row)| rests(*state, row) == resting);
        let moving = of(false).count();
        let order: Vec<(u32, &[u32])> = of(false).chain(of(true)).collect();
        let mut place = vec![0; order.len()];
        for (new, (old, _)) in (0u32..).zip(&order) {
            if let Some(place) = place.get_mut(*old as usize) {
                *place = new * stride;
            }
        }
        let row = Automaton {
            classes: index(self.byte_classes.len() / 256),
            stride,
            states: index(dfa.labels.len()),
            transitions: self.transitions.next(),
            resting: index(moving) * stride,
        };
        self.byte_classes.extend(dfa.classes);
        self.states += order.len();
        for (old, row) in &order {
            for next in *row {
                self.transitions.push(&Number { value: place.get(*next as usize).copied().unwrap_or(0) });
            }
            self.transitions.push(&Number { value: label(dfa.labels.get(*old as usize).copied().unwrap_or(u32::MAX)) });
        }
        self.automata.push(&row)
    }

    pub(super) fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>, help: &str) {
        self.diagnostics.push(Diagnostic::error(code, span, message).help(help));
    }

    /// [`Self::error`], but that it is said only once of a policy.
    pub(super) fn error_once(&mut self, code: &'static str, span: Span, message: String, help: &str) {
        if self.diagnostics.iter().all(|known| known.code != code) {
            self.error(code, span, message, help);
        }
    }

    /// Stands for a guard that could not be made. That was said where something was refused; else the compilation ends
    /// with an error, for a guard that never holds may be one that refuses.
    pub(super) fn lost(&mut self) -> NodeId {
        self.is_lost = true;
        FALSE
    }

    pub(super) fn stats(&self) -> Stats {
        Stats {
            rules: self.policy.locations.len(),
            classes: self.fields.classes(),
            states: self.states,
            automata: self.automata.next() as usize + self.scanners,
            simulated: self.simulated,
            nodes: self.nodes.next() as usize,
            bytes: 0,
            seconds: 0.0,
        }
    }

    pub(super) fn finish(self, manifest: Vec<u8>) -> Result<Vec<u8>, Vec<Diagnostic>> {
        if !self.diagnostics.is_empty() {
            return Err(self.diagnostics);
        }
        if self.is_lost {
            return Err(vec![internal("a guard was lost on the way")]);
        }
        let tables: [Vec<u8>; TABLES.len()] = [
            self.policies.octets(),
            self.header_slots.octets(),
            self.header_names.octets(),
            self.bytes,
            self.strings.octets(),
            self.automata.octets(),
            self.byte_classes,
            self.transitions.octets(),
            self.variables.octets(),
            self.slots.octets(),
            self.addresses.octets(),
            self.nodes.octets(),
            self.children.octets(),
            self.hosts.octets(),
            self.host_ranks.octets(),
            self.services.octets(),
            self.kept_names.octets(),
            self.cells.iter().flat_map(|cell| cell.to_le_bytes()).collect(),
            self.octet_sets,
            self.filter_bits,
            self.outputs.octets(),
            self.scans.octets(),
            self.filters.octets(),
            self.searches.octets(),
            self.regex_locations.octets(),
            self.lookups.octets(),
            self.outcomes.octets(),
            self.eligible.octets(),
            self.locations.octets(),
            self.operations.octets(),
            self.templates.octets(),
            self.parts.octets(),
            self.programs.octets(),
            self.instructions.octets(),
            self.named_groups.octets(),
            self.looks.octets(),
            self.plans.octets(),
            self.maps.octets(),
            self.map_cases.octets(),
            self.balance_keys.octets(),
            manifest,
        ];
        assemble(tables).ok_or_else(|| {
            let message = "the policy needs more than 4 GiB of tables";
            vec![Diagnostic::error("policy-too-large", Span::default(), message)]
        })
    }
}

/// A mistake of the compiler's own, which must not become an artifact that decides something else.
pub(super) fn internal(message: &str) -> Diagnostic {
    let help = "this is a mistake of rulec, not of the rules: please report it with them";
    Diagnostic::error("compiler-failed", Span::default(), message).help(help)
}

/// A length as a number of the format. What would not fit is refused when the tables are put together.
pub(super) fn index(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
