//! All regexes of a level in one lazy DFA of regex-automata, which makes its states as paths ask for them.

use super::as_nginx::{AsNginx, Regexes};
use super::regex_set::{SIZE_MAX, spelled};
use crate::families::policy::{Location, Policy};
use crate::measure::Timed;
use regex_automata::hybrid::dfa::{Cache, DFA, OverlappingState};
use regex_automata::util::syntax;
use regex_automata::{Input, MatchKind};

struct Lazy {
    dfa: DFA,
    cache: Cache,
}

pub(super) fn make(policy: &Policy) -> Option<Box<dyn Timed>> {
    Some(Box::new(AsNginx::<Lazy>::new(policy)?))
}

impl Regexes for Lazy {
    fn new(regexes: &[&Location]) -> Option<Self> {
        let patterns: Vec<String> = regexes.iter().map(|location| spelled(location)).collect();
        let mut builder = DFA::builder();
        builder.configure(DFA::config().match_kind(MatchKind::All).cache_capacity(SIZE_MAX));
        builder.syntax(syntax::Config::new().unicode(false).utf8(false));
        builder.thompson(regex_automata::nfa::thompson::Config::new().utf8(false));
        let dfa = builder.build_many(&patterns).ok()?;
        let cache = dfa.create_cache();
        Some(Self { dfa, cache })
    }

    fn first(&mut self, path: &str) -> Option<usize> {
        let input = Input::new(path);
        let mut state = OverlappingState::start();
        let mut first = None;
        loop {
            self.dfa.try_search_overlapping_fwd(&mut self.cache, &input, &mut state).expect("a cache that suffices");
            let Some(found) = state.get_match() else { return first };
            let nth = found.pattern().as_usize();
            first = Some(first.map_or(nth, |first: usize| first.min(nth)));
        }
    }
}
