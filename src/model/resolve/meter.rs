//! Names of meters, collected beforehand so that their ids are in the order of their names.

use super::Resolver;
use crate::model::MeterId;
use crate::syntax::ast::{Item, ItemKind, Statement, StatementKind};
use std::collections::BTreeSet;

impl Resolver<'_> {
    /// Declares the meters of all services.
    pub(super) fn collect_meters(&mut self, items: &[Item]) {
        let mut names = BTreeSet::new();
        for item in items {
            if let ItemKind::Service { body, .. } = &item.kind {
                collect(body, &mut names);
            }
        }
        self.policy.meters = names.into_iter().map(str::to_owned).collect();
    }

    /// The meter called `name`.
    pub(super) fn meter_id(&self, name: &str) -> Option<MeterId> {
        let found = self.policy.meters.binary_search_by(|known| known.as_str().cmp(name)).ok()?;
        u32::try_from(found).ok().map(MeterId)
    }
}

fn collect<'a>(statements: &'a [Statement], names: &mut BTreeSet<&'a str>) {
    for statement in statements {
        match &statement.kind {
            StatementKind::Meter { name, .. } => {
                names.insert(&name.text);
            }
            StatementKind::When { body, .. } | StatementKind::Match { body, .. } | StatementKind::UnlessBreak(body) => {
                collect(body, names);
            }
            StatementKind::Location(location) => collect(&location.body, names),
            _ => {}
        }
    }
}
