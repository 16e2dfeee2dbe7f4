//! All regexes of a level in one database of vectorscan, which reports every one that matches.

use crate::engines::Maker;
use crate::engines::as_nginx::{AsNginx, Regexes};
use crate::families::policy::{Kind, Location, Policy};
use crate::measure::Timed;
use hyperscan::prelude::{BlockDatabase, Builder, Matching, Pattern, Patterns, Scratch};

struct Database {
    database: BlockDatabase,
    scratch: Scratch,
}

pub(crate) const MAKER: Maker = Maker { name: "vectorscan + radix", make };

fn make(policy: &Policy) -> Option<Box<dyn Timed>> {
    Some(Box::new(AsNginx::<Database>::new(policy)?))
}

impl Regexes for Database {
    fn new(regexes: &[&Location]) -> Option<Self> {
        let patterns: Patterns = regexes.iter().enumerate().map(|(nth, location)| pattern(location, nth)).collect();
        let database: BlockDatabase = patterns.build().ok()?;
        let scratch = database.alloc_scratch().ok()?;
        Some(Self { database, scratch })
    }

    fn first(&mut self, path: &str) -> Option<usize> {
        let mut first = None;
        let least = |nth: u32, _, _, _| {
            let nth = nth as usize;
            first = Some(first.map_or(nth, |first: usize| first.min(nth)));
            Matching::Continue
        };
        self.database.scan(path, &self.scratch, least).expect("scans a block");
        first
    }
}

/// Once a path is enough for each: where it ends is not asked. No path holds a line feed.
fn pattern(location: &Location, nth: usize) -> Pattern {
    let pattern = Pattern::new(location.pattern.as_str()).expect("a pattern").single_match().dot_all();
    let pattern = if location.kind == Kind::CaselessRegex { pattern.caseless() } else { pattern };
    Pattern { id: Some(nth), ..pattern }
}
