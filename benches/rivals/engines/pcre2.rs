//! One PCRE2-JIT regex after the other, as nginx does.

use super::as_nginx::{AsNginx, Regexes};
use crate::families::policy::{Kind, Location, Policy};
use crate::measure::Timed;
use pcre2::bytes::{CaptureLocations, Regex, RegexBuilder};

struct Scan(Vec<(Regex, CaptureLocations)>);

pub(super) fn make(policy: &Policy) -> Option<Box<dyn Timed>> {
    Some(Box::new(AsNginx::<Scan>::new(policy)?))
}

impl Regexes for Scan {
    fn new(regexes: &[&Location]) -> Option<Self> {
        let compiled = regexes.iter().map(|location| {
            let mut builder = RegexBuilder::new();
            builder.jit(true).caseless(location.kind == Kind::CaselessRegex);
            let regex = builder.build(&location.pattern).expect("a regex");
            let places = regex.capture_locations();
            (regex, places)
        });
        Some(Self(compiled.collect()))
    }

    // With places of its own a regex need not take them from its pool: that is nearer to nginx, and faster.
    fn first(&mut self, path: &str) -> Option<usize> {
        self.0.iter_mut().position(|(regex, places)| {
            regex.captures_read(places, path.as_bytes()).expect("far from any limit").is_some()
        })
    }
}
