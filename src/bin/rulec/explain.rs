//! `rulec explain`: how one request is decided, and why; or what a code means.

mod report;

use crate::arguments::Explain;
use crate::console::{self, Console};
use crate::page;
use crate::policy::{self, Ready};
use crate::request;
use crate::status::{Status, Stop};
use rulec::analysis::explain::{Explanation, explain};
use rulec::analysis::record::decide_record;
use rulec::diagnostic::Sources;
use rulec::matcher::Scratch;
use rulec::model::semantics::Simulation;
use rulec::model::{RequestRecord, Verdict};
use std::path::Path;

/// Everything that there is to say about one request.
#[derive(Debug)]
pub(crate) struct Findings {
    pub(crate) ready: Ready,
    pub(crate) record: RequestRecord,
    /// What the compiled policy does.
    pub(crate) verdict: Verdict,
    /// Whether the caller's plan decides.
    pub(crate) plan_matters: bool,
    /// The facts that were said and without which nothing could be decided.
    pub(crate) facts_that_matter: Vec<String>,
    /// Which locations were considered: known where the policy was given as rules.
    pub(crate) explained: Option<(Sources, Explanation)>,
}

/// Explains a request where one is given, else a code.
pub(crate) fn run(arguments: &Explain, console: Console) -> Result<Status, Stop> {
    let Some(text) = &arguments.request else {
        return explain_code(&arguments.subject);
    };
    let record = request::parse(text, arguments)?;
    let findings = find(Path::new(&arguments.subject), record, console)?;
    if let Some((_, explanation)) = &findings.explained
        && explanation.verdict != findings.verdict
    {
        console::say(
            "rulec: the definition and the compiled policy differ here; this is a mistake of rulec's, please report it",
        );
    }
    let text = if arguments.json { report::json(&findings) } else { report::human(&findings) };
    console::result(&text)?;
    Ok(Status::Fine)
}

fn explain_code(code: &str) -> Result<Status, Stop> {
    let page = page::find(code).ok_or_else(|| {
        let usage = "to explain a request, write: rulec explain POLICY 'GET https://host/path'";
        Stop::Usage(format!("`{code}` is no code that rulec says; {usage}"))
    })?;
    console::result(&page)?;
    Ok(Status::Fine)
}

fn find(path: &Path, record: RequestRecord, console: Console) -> Result<Findings, Stop> {
    let (ready, loaded) = if policy::is_artifact(path) {
        (policy::ready(path, console)?, None)
    } else {
        let loaded = policy::load(path)?;
        let bytes = policy::compile_quietly(&loaded, console)?.bytes;
        (policy::from_bytes(path, bytes)?, Some(loaded))
    };
    let mut scratch = Box::new(Scratch::new());
    let mut decide = |record: &RequestRecord| {
        let verdict = decide_record(&ready.matcher, &ready.manifest, record, &mut scratch);
        verdict.map_err(|error| Stop::Input(error.to_string()))
    };
    let verdict = decide(&record)?;
    let mut anonymous = record.clone();
    anonymous.plan = None;
    let plan_matters = decide(&anonymous)?.needs_plan;
    let mut facts_that_matter = Vec::new();
    for fact in record.facts.keys() {
        let mut without = record.clone();
        without.facts.remove(fact);
        if decide(&without)?.needs_fact.is_some() {
            facts_that_matter.push(fact.clone());
        }
    }
    let explained = loaded.map(|loaded| {
        let explanation = explain(&loaded.policy, &record, &Simulation::default());
        (loaded.sources, explanation)
    });
    Ok(Findings { ready, record, verdict, plan_matters, facts_that_matter, explained })
}
