//! Services, their locations, and the levels on which nginx looks for one.

use super::tables::{Builder, index};
use crate::artifact::format::{self, NONE, Number, service_flag};
use crate::automaton::Program;
use crate::diagnostic::Span;
use crate::model::{LocationId, LocationPaths, Part, Pattern, Service, ServiceId, SlashRedirect, Statement, Variable};
use std::collections::VecDeque;

impl Builder<'_> {
    /// Writes services, locations and levels. Levels are numbered breadth first, so that none stands before the one
    /// it is nested in.
    pub(super) fn services_and_locations(&mut self) {
        let policy = self.policy;
        let mut nested = vec![NONE; policy.locations.len()];
        let mut waiting: VecDeque<(usize, Vec<LocationId>)> = VecDeque::new();
        let mut levels = 0;
        for (number, service) in (0u32..).zip(&policy.services) {
            self.service(ServiceId(number), service, levels);
            waiting.push_back((number as usize, service.locations.clone()));
            levels += 1;
        }
        while let Some((number, locations)) = waiting.pop_front() {
            let slash_redirect =
                policy.services.get(number).map_or(SlashRedirect::Off, |service| service.slash_redirect);
            self.level(&locations, slash_redirect);
            for id in locations {
                let Some(location) = policy.locations.get(id.0 as usize) else { continue };
                if !location.nested.is_empty()
                    && let Some(place) = nested.get_mut(id.0 as usize)
                {
                    *place = levels;
                    levels += 1;
                    waiting.push_back((number, location.nested.clone()));
                }
            }
        }
        let reads_captures: Vec<bool> =
            (0u32..).take(policy.services.len()).map(|id| self.reads_captures(ServiceId(id))).collect();
        for ((number, location), nested) in (0u32..).zip(&policy.locations).zip(nested) {
            let plans = policy.services.get(location.service.0 as usize).and_then(|service| service.plans);
            let reads = reads_captures.get(location.service.0 as usize) == Some(&true);
            let program = match &location.paths {
                LocationPaths::Regex(pattern) if reads && !pattern.groups.is_empty() => self.program(pattern),
                _ => NONE,
            };
            let (operations, operations_count) = self.location_operations(LocationId(number), plans);
            let (settings, settings_count) = self.location_settings(LocationId(number), plans);
            let stops_regex = matches!(location.paths, LocationPaths::Prefix { stops_regex: true, .. });
            self.locations.push(&format::Location {
                service: location.service.0,
                nested,
                stops_regex: u32::from(stops_regex),
                program,
                operations,
                operations_count,
                internal: u32::from(location.is_internal),
                settings,
                settings_count,
            });
        }
    }

    fn service(&mut self, id: ServiceId, service: &Service, level: u32) {
        let flag = |on: bool, flag: u32| if on { flag } else { 0 };
        let flags = flag(service.merge_slashes, service_flag::MERGE_SLASHES)
            | flag(service.strict_paths, service_flag::STRICT_PATHS)
            | flag(service.absolute_redirects, service_flag::ABSOLUTE_REDIRECTS);
        let slash_redirect = match service.slash_redirect {
            SlashRedirect::ByMethod => 0,
            SlashRedirect::Off => 1,
            SlashRedirect::Always(status) => u32::from(status),
        };
        let plans = service.plans.and_then(|plans| self.plan_rows.get(plans.0 as usize).copied()).unwrap_or(NONE);
        let (operations, operations_count) = self.service_operations(id);
        self.services.push(&format::Service { flags, slash_redirect, plans, operations, operations_count, level });
    }

    fn level(&mut self, locations: &[LocationId], slash_redirect: SlashRedirect) {
        let ids: Vec<u32> = locations.iter().map(|id| id.0).collect();
        let trie = self.trie(&ids, slash_redirect);
        let regexes = self.regex_locations.next();
        let mut programs = Vec::new();
        let mut spans = Vec::new();
        for id in ids {
            let Some((pattern, program)) = self.regex_location(id) else { continue };
            self.regex_locations.push(&Number { value: id });
            spans.push(pattern);
            programs.push(program);
        }
        let regexes_count = index(programs.len());
        match self.ranked_automata(&programs) {
            Ok((ranked, ranked_count)) => {
                self.levels.push(&format::Level { trie, ranked, ranked_count, regexes, regexes_count });
            }
            Err(culprit) => self.regex_too_large(spans.get(culprit as usize).copied().unwrap_or(Span::default())),
        }
    }

    fn regex_location(&mut self, id: u32) -> Option<(Span, Program)> {
        let location = self.policy.locations.get(id as usize)?;
        let LocationPaths::Regex(Pattern { meaning, span, .. }) = &location.paths else { return None };
        let program = Program::new(meaning.as_ref()?, false, self.limits.instructions_max);
        if program.is_err() {
            self.regex_too_large(*span);
        }
        Some((*span, program.ok()?))
    }

    /// Whether some template of the service reads a group, so that location regexes have to take captures.
    fn reads_captures(&self, id: ServiceId) -> bool {
        let own =
            self.policy.services.get(id.0 as usize).is_some_and(|service| list_reads_captures(&service.statements));
        let of_service = self.policy.locations.iter().filter(|location| location.service == id);
        own || of_service.into_iter().any(|location| list_reads_captures(&location.statements))
    }
}

fn list_reads_captures(statements: &[Statement]) -> bool {
    let reads = |part: &Part| matches!(part, Part::Variable(Variable::Capture(_) | Variable::Named(_)));
    statements.iter().any(|statement| {
        statement.templates().iter().any(|template| template.parts.iter().any(reads))
            || statement.block().is_some_and(list_reads_captures)
    })
}
