//! Every way to decide a request, asked the same question.

use core::cell::{Cell, RefCell};
use core::ops::Range;
use pcre2::bytes::{Regex, RegexBuilder};
use rulec::analysis::explain::{Standing, explain};
use rulec::analysis::record::decide_record;
use rulec::artifact::compile;
use rulec::automaton::Limits;
use rulec::contract::manifest::Manifest;
use rulec::diagnostic::{Diagnostic, Severity};
use rulec::matcher::{Matcher, Scratch};
use rulec::model::semantics::{Regexes, Simulation, decide};
use rulec::model::{Loaded, Pattern, RequestRecord, Verdict, load_text};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// One policy in every engine.
///
/// THE PLACE for a new one: make it in [`Self::new`], compare it in [`Self::decide`].
pub(crate) struct Engines {
    rules: String,
    loaded: Loaded,
    pcre: Pcre,
    compiled: Option<Compiled>,
    /// How many requests were decided.
    asked: Cell<u64>,
}

/// The matcher as compiled, and after it was saved and loaded.
struct Compiled {
    fresh: Matcher<Vec<u8>>,
    reloaded: Matcher<Vec<u8>>,
    manifest: Manifest,
    scratch: RefCell<Box<Scratch>>,
}

impl Engines {
    /// `rules` in every engine; a mistake in them fails the test.
    pub(crate) fn new(rules: &str) -> Self {
        let mut engines = Self::load(rules);
        engines.compiled = Some(engines.compile().unwrap_or_else(|errors| panic!("{rules}\n{}", describe(&errors))));
        engines
    }

    /// [`Self::new`], or None where the rules are more than the budget of the compiler allows.
    pub(crate) fn within_budget(rules: &str) -> Option<Self> {
        let mut engines = Self::load(rules);
        engines.compiled = Some(engines.compile().ok()?);
        Some(engines)
    }

    fn load(rules: &str) -> Self {
        let loaded = load_text("case.rules", rules);
        let is_mistake = |found: &&Diagnostic| found.severity == Severity::Error;
        let mistakes: Vec<Diagnostic> = loaded.diagnostics.iter().filter(is_mistake).cloned().collect();
        assert!(mistakes.is_empty(), "{rules}\n{}", describe(&mistakes));
        Self { rules: rules.to_owned(), loaded, pcre: Pcre::default(), compiled: None, asked: Cell::new(0) }
    }

    fn compile(&self) -> Result<Compiled, Vec<Diagnostic>> {
        let compiled = compile(&self.loaded.policy, &self.loaded.sources, &Limits::default())?;
        let saved = save_and_load(&compiled.bytes);
        let fresh = Matcher::parse(compiled.bytes).expect("what was compiled can be read");
        let reloaded = Matcher::parse(saved).expect("what was saved can be read");
        let manifest = serde_json::from_slice(fresh.manifest()).expect("the manifest is JSON");
        Ok(Compiled { fresh, reloaded, manifest, scratch: RefCell::default() })
    }

    /// The verdict on `request`, the same from every engine; None where PCRE2 gave up or the matcher's memory ended.
    pub(crate) fn decide(&self, request: &RequestRecord) -> Option<Verdict> {
        self.agree(request).unwrap_or_else(|difference| panic!("{difference}"))
    }

    /// [`Self::decide`], or how the engines differ.
    pub(crate) fn agree(&self, request: &RequestRecord) -> Result<Option<Verdict>, String> {
        let verdict = decide(&self.loaded.policy, request, &self.pcre);
        if self.pcre.gave_up() {
            return Ok(None);
        }
        // The engine behind `rulec explain` compiles a pattern each time, so it is asked now and then.
        self.asked.set(self.asked.get() + 1);
        if self.compiled.is_some() && self.asked.get() % 16 == 1 {
            self.agree_with_explanation(request, &verdict)?;
        }
        if let Some(compiled) = &self.compiled {
            for (engine, matcher) in [("matcher", &compiled.fresh), ("reloaded matcher", &compiled.reloaded)] {
                let scratch = &mut compiled.scratch.borrow_mut();
                let own = decide_record(matcher, &compiled.manifest, request, scratch).expect("a request");
                // Where the scratch ends is the matcher's own affair, and its own refusal.
                if own.code == Some("request.rewrite_too_long") {
                    return Ok(None);
                }
                if own != verdict {
                    let (rules, request) = (&self.rules, format!("{request:?}"));
                    return Err(format!("{rules}\n{request}\ndefinition: {verdict:?}\n{engine}: {own:?}"));
                }
            }
        }
        Ok(Some(verdict))
    }

    /// `rulec explain` tells the same verdict, and one winner for each lookup that found a location.
    fn agree_with_explanation(&self, request: &RequestRecord, verdict: &Verdict) -> Result<(), String> {
        let explanation = explain(&self.loaded.policy, request, &Simulation::default());
        let winners = |lookup: &rulec::analysis::explain::ExplainedLookup| {
            lookup.candidates.iter().filter(|candidate| candidate.standing == Standing::Won).count()
        };
        let last = explanation.lookups.last().map_or(0, winners);
        let found = usize::from(verdict.location.is_some());
        // The statements of the service run anew after a `goto` and may answer: then there is no location in the end.
        let one_each = explanation.lookups.iter().all(|lookup| winners(lookup) <= 1) && (last == found || found == 0);
        if explanation.verdict == *verdict && one_each {
            return Ok(());
        }
        Err(format!("{}\n{request:?}\ndefinition: {verdict:?}\nexplanation: {explanation:?}", self.rules))
    }

    /// The rules, for a message.
    pub(crate) fn rules(&self) -> &str {
        &self.rules
    }
}

/// `bytes` through a file.
fn save_and_load(bytes: &[u8]) -> Vec<u8> {
    static FILES: AtomicU64 = AtomicU64::new(0);
    let number = FILES.fetch_add(1, Ordering::Relaxed);
    let file = std::env::temp_dir().join(format!("rulec-it-{}-{number}.rulec", std::process::id()));
    std::fs::write(&file, bytes).expect("the artifact is saved");
    let loaded = std::fs::read(&file).expect("the artifact is loaded");
    std::fs::remove_file(&file).expect("the artifact is removed");
    loaded
}

fn describe(errors: &[Diagnostic]) -> String {
    let line = |error: &Diagnostic| format!("error[{}]: {} at {:?}", error.code, error.message, error.place.span);
    errors.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// PCRE2's regex, without its start optimisations: with them it misses matches of some patterns, such as `~* (?=a).*?A` in
/// `/ba/`, for which it wants a second `a`.
pub(crate) fn pcre(pattern: &str, caseless: bool) -> Result<Regex, pcre2::Error> {
    RegexBuilder::new().caseless(caseless).build(&format!("(*NO_START_OPT){pattern}"))
}

/// PCRE2 on bytes, as nginx uses it.
#[derive(Default)]
pub(crate) struct Pcre {
    compiled: RefCell<HashMap<(String, bool), Regex>>,
    /// Whether a match ended at one of PCRE2's limits since this was last taken.
    gave_up: Cell<bool>,
}

impl Pcre {
    /// Whether a match ended at one of PCRE2's limits since this was last asked: no verdict.
    pub(crate) fn gave_up(&self) -> bool {
        self.gave_up.take()
    }
}

impl Regexes for Pcre {
    fn captures(&self, pattern: &Pattern, subject: &[u8]) -> Option<Vec<Option<Range<usize>>>> {
        let mut compiled = self.compiled.borrow_mut();
        let regex = compiled.entry((pattern.source.clone(), pattern.caseless)).or_insert_with(|| {
            let regex = pcre(&pattern.source, pattern.caseless);
            regex.unwrap_or_else(|error| panic!("PCRE2 takes `{}`: {error}", pattern.source))
        });
        let Ok(found) = regex.captures(subject) else {
            self.gave_up.set(true);
            return None;
        };
        let found = found?;
        let range = |group| found.get(group).map(|group| group.start()..group.end());
        Some((0..found.len()).map(range).collect())
    }
}
