//! Services and their locations.

use super::tables::{Builder, index};
use crate::artifact::format::{self, NONE, service_flag};
use crate::model::{LocationId, LocationPaths, Part, Policy, Service, ServiceId, SlashRedirect, Statement, Variable};

impl Builder<'_> {
    /// Writes services, how their locations are found, and locations.
    pub(super) fn services_and_locations(&mut self) {
        let policy = self.policy;
        for (number, service) in (0u32..).zip(&policy.services) {
            let lookup = self.lookup(service);
            self.service(ServiceId(number), service, lookup);
        }
        let reads_captures = reads_captures(policy);
        for (number, location) in (0u32..).zip(&policy.locations) {
            let plans = policy.services.get(location.service.0 as usize).and_then(|service| service.plans);
            let reads = reads_captures.get(location.service.0 as usize) == Some(&true);
            let program = match &location.paths {
                LocationPaths::Regex(pattern) if reads && !pattern.groups.is_empty() => self.program(pattern),
                _ => NONE,
            };
            let (operations, operations_count) = self.location_operations(LocationId(number), plans);
            let (settings, settings_count) = self.location_settings(LocationId(number), plans);
            let search = self.nested_searches.get(&LocationId(number)).copied().unwrap_or(NONE);
            self.locations.push(&format::Location {
                service: location.service.0,
                is_regex: u32::from(self.is_regex(LocationId(number))),
                search,
                enclosing: location.parent.filter(|id| self.is_regex(*id)).map_or(NONE, |id| id.0),
                program,
                operations,
                operations_count,
                internal: u32::from(location.is_internal),
                settings,
                settings_count,
            });
        }
    }

    fn service(&mut self, id: ServiceId, service: &Service, lookup: u32) {
        let flag = |on: bool, flag: u32| if on { flag } else { 0 };
        let flags = flag(service.merge_slashes, service_flag::MERGE_SLASHES)
            | flag(service.strict_paths, service_flag::STRICT_PATHS)
            | flag(service.absolute_redirects, service_flag::ABSOLUTE_REDIRECTS)
            | flag(service.path_parameters, service_flag::PATH_PARAMETERS)
            | flag(service.underscores, service_flag::UNDERSCORES);
        let slash_redirect = match service.slash_redirect {
            SlashRedirect::ByMethod => 0,
            SlashRedirect::Off => 1,
            SlashRedirect::Always(status) => u32::from(status),
        };
        let plans = service.plans.and_then(|plans| self.plan_rows.get(plans.0 as usize).copied()).unwrap_or(NONE);
        let (operations, operations_count) = self.service_operations(id);
        let kept_names = self.kept_names.next();
        for name in &service.kept_names {
            let value = self.string(name.as_bytes());
            self.kept_names.push(&format::Number { value });
        }
        self.services.push(&format::Service {
            flags,
            slash_redirect,
            plans,
            operations,
            operations_count,
            lookup,
            kept_names,
            kept_names_count: index(service.kept_names.len()),
        });
    }

    fn is_regex(&self, id: LocationId) -> bool {
        let location = self.policy.locations.get(id.0 as usize);
        location.is_some_and(|location| matches!(location.paths, LocationPaths::Regex(_)))
    }
}

/// By service: whether some template of it reads a group, so that its location regexes have to take captures.
fn reads_captures(policy: &Policy) -> Vec<bool> {
    let mut reads: Vec<bool> = policy.services.iter().map(|service| list_reads_captures(&service.statements)).collect();
    for location in &policy.locations {
        if let Some(reads) = reads.get_mut(location.service.0 as usize) {
            *reads = *reads || list_reads_captures(&location.statements);
        }
    }
    reads
}

fn list_reads_captures(statements: &[Statement]) -> bool {
    let reads = |part: &Part| matches!(part, Part::Variable(Variable::Capture(_) | Variable::Named(_)));
    statements.iter().any(|statement| {
        statement.templates().iter().any(|template| template.parts.iter().any(reads))
            || statement.block().is_some_and(list_reads_captures)
    })
}
