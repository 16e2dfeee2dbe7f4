//! From a path on the command line to a policy that decides.

use crate::console::Console;
use crate::file;
use crate::status::Stop;
use rulec::analysis::lint;
use rulec::artifact::{self, Compiled, manifest_of};
use rulec::automaton::Limits;
use rulec::contract::manifest::Manifest;
use rulec::diagnostic::{Diagnostic, Severity};
use rulec::matcher::Matcher;
use rulec::model::{self, Loaded};
use std::io::{self, Read};
use std::path::Path;

/// A compiled policy, ready to decide.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) matcher: Matcher<Vec<u8>>,
    pub(crate) manifest: Manifest,
}

/// Reads and resolves the .rules file `path`; `-` is standard input. Its mistakes are in what comes back.
pub(crate) fn load(path: &Path) -> Result<Loaded, Stop> {
    if path == Path::new("-") {
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text).map_err(Stop::io("standard input"))?;
        return Ok(model::load_text("-", &text));
    }
    model::load(path).map_err(Stop::io(path.display()))
}

/// Compiles what was loaded, with everything that there is to say about it in the order of its places.
///
/// # Errors
/// The same, where one of the diagnostics is an error.
pub(crate) fn build(loaded: &Loaded) -> Result<(Compiled, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut diagnostics = loaded.diagnostics.clone();
    if diagnostics.iter().any(is_error) {
        return Err(diagnostics);
    }
    diagnostics.extend(lint::run(&loaded.policy));
    let compiled = artifact::compile(&loaded.policy, &loaded.sources, &Limits::default());
    diagnostics.extend(match &compiled {
        Ok(compiled) => compiled.warnings.clone(),
        Err(errors) => errors.clone(),
    });
    diagnostics.sort_by_key(|diagnostic| diagnostic.place.span);
    match compiled {
        Ok(compiled) => Ok((compiled, diagnostics)),
        Err(_) => Err(diagnostics),
    }
}

/// Compiles what was loaded, and shows every mistake and warning.
pub(crate) fn compile(loaded: &Loaded, console: Console) -> Result<Compiled, Stop> {
    let (shown, compiled) = match build(loaded) {
        Ok((compiled, warnings)) => (warnings, Ok(compiled)),
        Err(diagnostics) => (diagnostics, Err(Stop::Shown)),
    };
    console.show(&shown, &loaded.sources);
    compiled
}

/// Compiles what was loaded, and shows what keeps it from being compiled: for commands that answer questions, where a
/// warning would stand between question and answer each time.
pub(crate) fn compile_quietly(loaded: &Loaded, console: Console) -> Result<Compiled, Stop> {
    match build(loaded) {
        Ok((compiled, _)) => Ok(compiled),
        Err(diagnostics) => {
            console.show(&diagnostics, &loaded.sources);
            Err(Stop::Shown)
        }
    }
}

pub(crate) fn is_error(diagnostic: &Diagnostic) -> bool {
    diagnostic.severity == Severity::Error
}

/// Whether `path` names a compiled policy.
pub(crate) fn is_artifact(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rulec")
}

/// The policy at `path`, a .rules or a .rulec file; rules are compiled in memory.
pub(crate) fn ready(path: &Path, console: Console) -> Result<Ready, Stop> {
    if is_artifact(path) {
        return from_bytes(path, file::read(path)?);
    }
    let compiled = compile_quietly(&load(path)?, console)?;
    from_bytes(path, compiled.bytes)
}

/// The policy in the artifact `bytes`, which came from `path`.
pub(crate) fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Ready, Stop> {
    let unreadable = |error: &dyn core::fmt::Display| Stop::Input(format!("{}: {error}", path.display()));
    let matcher = Matcher::parse(bytes).map_err(|error| unreadable(&error))?;
    let manifest = manifest_of(matcher.artifact()).map_err(|error| unreadable(&error))?;
    Ok(Ready { matcher, manifest })
}
