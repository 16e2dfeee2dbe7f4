//! `$name` of a map: the value of its first case that holds.

use super::run::{Halt, Run};
use super::scratch::Slice;
use crate::artifact::format::{MapCase, NONE};

impl Run<'_, '_> {
    /// Puts the value of map `index`. The groups of the walk stay what they are.
    pub(super) fn put_map(&mut self, index: u32) -> Result<(), Halt> {
        let map = self.tables.maps().row(index);
        let mut cases = self.tables.map_cases().range(map.cases, map.cases_count);
        while let Some(case) = cases.next() {
            match (self.holds(case.guard)?, (case.skip as usize).checked_sub(1)) {
                (true, None) => return self.put_case(case),
                (false, Some(last)) => drop(cases.nth(last)),
                (true, Some(_)) | (false, None) => {}
            }
        }
        // The last one always holds.
        Err(self.lost())
    }

    fn put_case(&mut self, case: MapCase) -> Result<(), Halt> {
        if case.program == NONE {
            return self.put_parts(case.template);
        }
        let outer = core::mem::replace(&mut self.groups, [Slice::EMPTY; 10]);
        // The field stands where the value belongs until the value has been made from it.
        let start = self.arena.mark();
        if let Some(field) = self.field_text(case.field, case.name)? {
            self.capture(case.program, field);
        }
        let end = self.arena.mark();
        self.put_parts(case.template)?;
        self.arena.cut(start, end);
        self.groups = outer;
        Ok(())
    }

    fn put_parts(&mut self, template: u32) -> Result<(), Halt> {
        let row = self.tables.templates().row(template);
        for piece in self.tables.parts().range(row.parts, row.parts_count) {
            self.put_part(piece)?;
        }
        Ok(())
    }
}
