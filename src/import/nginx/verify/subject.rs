//! One configuration in both forms: what nginx is given, and the compiled rules.

use super::super::import::{Imported, import};
use super::super::tree::Parsed;
use super::super::without::Options;
use super::instrument::{Instrumented, instrument};
use super::requests::Source;
use crate::analysis::record::decide_record;
use crate::artifact;
use crate::artifact::manifest_of;
use crate::automaton::Limits;
use crate::contract::manifest::Manifest;
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::matcher::{Matcher, Scratch};
use crate::model::{RequestRecord, Verdict, load_text};
use core::cell::RefCell;
use core::fmt;
use std::collections::BTreeMap;

/// A configuration, its rules, and what stands for it in front of nginx.
pub struct Subject {
    /// What was read.
    pub parsed: Parsed,
    /// Its rules.
    pub imported: Imported,
    pub(super) instrumented: Instrumented,
    pub(super) manifest: Manifest,
    pub(super) source: Source,
    /// By service and location as a verdict has them: the place in the configuration.
    pub(super) places: BTreeMap<(String, String), Span>,
    matcher: Matcher<Vec<u8>>,
    scratch: RefCell<Box<Scratch>>,
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("rules", &self.imported.rules).finish_non_exhaustive()
    }
}

impl Subject {
    /// `parsed` and its rules, as [`import`] makes them with `options`.
    ///
    /// # Errors
    /// The configuration cannot be imported: what was said of it.
    pub fn new(parsed: Parsed, options: &Options) -> Result<Self, Vec<Diagnostic>> {
        let imported = import(&parsed, options);
        Self::of(parsed, imported)
    }

    /// `parsed`, which nginx is given, beside the rules of `imported`.
    ///
    /// # Errors
    /// There are no rules: what was said of the configuration.
    pub fn of(parsed: Parsed, imported: Imported) -> Result<Self, Vec<Diagnostic>> {
        if imported.has_errors() {
            return Err(imported.diagnostics);
        }
        let loaded = load_text("imported.rules", &imported.rules);
        let is_error = |diagnostic: &&Diagnostic| diagnostic.severity == Severity::Error;
        if loaded.diagnostics.iter().any(|diagnostic| is_error(&diagnostic)) {
            return Err(loaded.diagnostics.iter().filter(is_error).cloned().collect());
        }
        let compiled = artifact::compile(&loaded.policy, &loaded.sources, &Limits::default())?;
        let unreadable = |what: String| vec![Diagnostic::error("unreadable-artifact", Span::default(), what)];
        let matcher = Matcher::parse(compiled.bytes).map_err(|error| unreadable(error.to_string()))?;
        let manifest = manifest_of(matcher.artifact()).map_err(|error| unreadable(error.to_string()))?;
        let mut places = BTreeMap::new();
        for (entry, location) in manifest.locations.iter().zip(&loaded.policy.locations) {
            let service = manifest.services.get(location.service.0 as usize);
            let (line, _) = loaded.sources.position(location.span);
            if let (Some(service), Some(origin)) = (service, imported.origins.get(line - 1).copied().flatten()) {
                places.entry((service.name.clone(), entry.display.clone())).or_insert(origin);
            }
        }
        let instrumented = instrument(&parsed, &imported, &manifest);
        let source = Source::of(&parsed, &instrumented, &manifest);
        Ok(Self { parsed, imported, instrumented, manifest, source, places, matcher, scratch: RefCell::default() })
    }

    /// What the rules do with `request`; None where the matcher's memory ended.
    pub fn decide(&self, request: &RequestRecord) -> Option<Verdict> {
        let scratch = &mut self.scratch.borrow_mut();
        let verdict = decide_record(&self.matcher, &self.manifest, request, scratch).ok()?;
        (verdict.code != Some("request.rewrite_too_long")).then_some(verdict)
    }

    /// A request that is likely to meet something that the configuration says, and its edges.
    pub fn request(&self, random: &mut super::Random) -> RequestRecord {
        self.source.request(random)
    }

    /// Locations of the configuration, and of its servers.
    pub fn size(&self) -> (usize, usize) {
        (self.instrumented.places.len(), self.instrumented.servers)
    }

    /// What stands for the configuration in front of nginx.
    pub fn instrumented(&self) -> String {
        self.instrumented.conf.text().to_owned()
    }
}
