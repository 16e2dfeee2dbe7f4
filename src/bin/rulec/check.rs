//! `rulec check`: every diagnostic of every file, its own tests included.

use crate::arguments::{Check, CheckFormat, Deny};
use crate::console::{self, Console};
use crate::policy::{self, is_error};
use crate::status::{Status, Stop};
use rulec::analysis::cases;
use rulec::diagnostic::{Diagnostic, FileId, Format, Sources};
use rulec::matcher::Scratch;
use rulec::model::Loaded;
use std::path::Path;

/// Checks every file. A file that cannot be read does not keep the others from being checked.
pub(crate) fn run(arguments: &Check, console: Console) -> Result<Status, Stop> {
    let mut status = Status::Fine;
    let mut found = Found::default();
    let mut summary = String::new();
    for path in &arguments.files {
        let findings = policy::load(path).and_then(|loaded| Ok((findings(path, &loaded)?, loaded)));
        match findings {
            Ok(((diagnostics, cases), loaded)) => {
                summary.push_str(&summarize(path, &diagnostics, cases));
                found.add(&loaded.sources, diagnostics);
            }
            Err(stop) => {
                console::complain(&stop);
                status = status.max(stop.status());
            }
        }
    }
    match arguments.format {
        CheckFormat::Human => {
            console.show(&found.diagnostics, &found.sources);
            console::offer(&summary)?;
        }
        CheckFormat::Concise => console.show_as(Format::Concise, &found.diagnostics, &found.sources),
        CheckFormat::Json => found.result(Format::Json)?,
        CheckFormat::Sarif => found.result(Format::Sarif)?,
        CheckFormat::Github => found.result(Format::Github)?,
    }
    Ok(status.max(found.status(arguments.deny)))
}

/// What there is to say about the file at `path`, in the order of its places, and how many test cases ran.
fn findings(path: &Path, loaded: &Loaded) -> Result<(Vec<Diagnostic>, usize), Stop> {
    match policy::build(loaded) {
        Err(diagnostics) => Ok((diagnostics, 0)),
        Ok((compiled, mut diagnostics)) => {
            let (failures, cases) = failed_tests(path, loaded, compiled.bytes)?;
            diagnostics.extend(failures);
            diagnostics.sort_by_key(|diagnostic| diagnostic.place.span);
            Ok((diagnostics, cases))
        }
    }
}

fn failed_tests(path: &Path, loaded: &Loaded, bytes: Vec<u8>) -> Result<(Vec<Diagnostic>, usize), Stop> {
    let ready = policy::from_bytes(path, bytes)?;
    let mut scratch = Scratch::new();
    let mut failures = Vec::new();
    let mut ran = 0;
    for test in &loaded.policy.tests {
        let results = cases::run(&ready.matcher, &ready.manifest, test, &mut scratch);
        failures.extend(cases::diagnostics(&test.name, &results));
        ran += results.len();
    }
    Ok((failures, ran))
}

/// `rules/words.rules: 1 warning, 25 test cases`
fn summarize(path: &Path, diagnostics: &[Diagnostic], cases: usize) -> String {
    let errors = diagnostics.iter().filter(|diagnostic| is_error(diagnostic)).count();
    let counted = |count: usize, what: &str| match count {
        0 => None,
        1 => Some(format!("1 {what}")),
        _ => Some(format!("{count} {what}s")),
    };
    let parts = [
        counted(errors, "error"),
        counted(diagnostics.len() - errors, "warning"),
        diagnostics.is_empty().then(|| "fine".to_owned()),
        counted(cases, "test case"),
    ];
    format!("{}: {}\n", path.display(), parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

/// The diagnostics of all files over one set of sources, so that a machine gets one document.
#[derive(Default)]
struct Found {
    sources: Sources,
    diagnostics: Vec<Diagnostic>,
}

impl Found {
    fn add(&mut self, sources: &Sources, diagnostics: Vec<Diagnostic>) {
        let ids: Vec<FileId> =
            sources.iter().map(|(_, source)| self.sources.add(&*source.name, &*source.text)).collect();
        let moved = |file: FileId| ids.get(file.0 as usize).copied().unwrap_or(file);
        for mut diagnostic in diagnostics {
            diagnostic.place.span.file = moved(diagnostic.place.span.file);
            for label in &mut diagnostic.related {
                label.span.file = moved(label.span.file);
            }
            self.diagnostics.push(diagnostic);
        }
    }

    fn result(&self, format: Format) -> Result<(), Stop> {
        console::offer(&rulec::diagnostic::render(&self.diagnostics, &self.sources, format, false))
    }

    fn status(&self, deny: Option<Deny>) -> Status {
        if self.diagnostics.iter().any(is_error) {
            Status::Errors
        } else if deny.is_some() && !self.diagnostics.is_empty() {
            Status::Warnings
        } else {
            Status::Fine
        }
    }
}
