//! Maps to rows: the default is a last case that always holds.

use super::tables::{Builder, index};
use crate::artifact::format::{self, NONE, field};
use crate::diagram::TRUE;
use crate::model::{Map, MapCase};

impl Builder<'_> {
    /// The rows of all maps.
    pub(super) fn maps(&mut self) {
        for map in &self.policy.maps {
            let cases: Vec<format::MapCase> = map.cases.iter().filter_map(|case| self.map_case(map, case)).collect();
            let template = self.template(&map.default);
            let row = format::Map { cases: self.map_cases.next(), cases_count: index(cases.len() + 1) };
            for case in &cases {
                self.map_cases.push(case);
            }
            let always = format::MapCase { guard: TRUE.0, program: NONE, field: field::PATH, name: NONE, template };
            self.map_cases.push(&always);
            self.maps.push(&row);
        }
    }

    /// None where its guard takes too large a diagram, which was said.
    fn map_case(&mut self, map: &Map, case: &MapCase) -> Option<format::MapCase> {
        let Ok(guard) = self.guard(&case.guard, None) else {
            self.guard_too_large(map.span);
            return None;
        };
        let (program, (field, name)) = match &case.captures {
            Some((field, pattern)) => (self.program(pattern), self.field(field)),
            None => (NONE, (field::PATH, NONE)),
        };
        Some(format::MapCase { guard: guard.0, program, field, name, template: self.template(&case.value) })
    }
}
