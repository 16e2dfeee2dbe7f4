//! All regexes of a level in one `RegexSet`.

use super::as_nginx::{AsNginx, Regexes};
use crate::families::policy::{Kind, Location, Policy};
use crate::measure::Timed;
use regex::bytes::{RegexSet, RegexSetBuilder};

pub(super) fn make(policy: &Policy) -> Option<Box<dyn Timed>> {
    Some(Box::new(AsNginx::<RegexSet>::new(policy)?))
}

impl Regexes for RegexSet {
    fn new(regexes: &[&Location]) -> Option<Self> {
        let mut builder = RegexSetBuilder::new(regexes.iter().map(|location| spelled(location)));
        builder.unicode(false).size_limit(SIZE_MAX).dfa_size_limit(SIZE_MAX);
        builder.build().ok()
    }

    fn first(&mut self, path: &str) -> Option<usize> {
        self.matches(path.as_bytes()).iter().next()
    }
}

/// Of programs and of caches: far more than a gateway would give, so that memory does not decide the race.
pub(super) const SIZE_MAX: usize = 1 << 30;

/// The pattern with its case rule inside.
pub(crate) fn spelled(location: &Location) -> String {
    let caseless = if location.kind == Kind::CaselessRegex { "(?i)" } else { "" };
    format!("{caseless}{}", location.pattern)
}
