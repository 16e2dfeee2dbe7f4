//! Plan sources to rows and variables. Callers come last in the variable order: whoever reaches one needs a lookup.

use super::tables::{Builder, index};
use crate::artifact::format::{NONE, PlansRow, Variable, field, plans};
use crate::contract::field_name::letter;
use crate::contract::manifest::CredentialKind;

/// `name` as headers of the policy are spelt.
fn plain(name: &[u8]) -> Vec<u8> {
    name.iter().copied().map(letter).collect()
}

impl Builder<'_> {
    pub(super) fn plan_sources(&mut self) {
        for (number, source) in (0u32..).zip(&self.policy.plan_sources) {
            let row = PlansRow {
                kind: plans::SOURCE,
                a: index(source.plans.len()),
                b: index(source.credentials.len()),
                c: u32::from(source.missing) | u32::from(source.unknown) << 16,
                d: u32::from(source.failed) | number << 16,
            };
            let row = self.plans.push(&row);
            self.plan_rows.push(row);
            for plan in &source.plans {
                let a = self.string(plan.as_bytes());
                self.plans.push(&PlansRow { kind: plans::PLAN, a, ..PlansRow::default() });
            }
            for credential in &source.credentials {
                let a = u32::from(credential.kind == CredentialKind::Header);
                let b = self.string(credential.name.as_bytes());
                let c = u32::from(credential.keep);
                let d = if a == 1 { self.headers.add(&plain(credential.name.as_bytes())) } else { NONE };
                self.plans.push(&PlansRow { kind: plans::CREDENTIAL, a, b, c, d });
            }
            let classes = index(source.plans.len() + 3);
            let variable = self.fields.add_variable(classes);
            self.variables.push(&Variable {
                field: field::PLAN,
                name: NONE,
                automaton: NONE,
                classes,
                ..Variable::default()
            });
            self.plan_variables.push(variable);
        }
    }
}
