//! Results to standard output, diagnostics to standard error, colours where a person looks.
//!
//! Everything that the tool writes goes through here: what files, artifacts and servers say does nothing to a terminal.

use crate::status::Stop;
use rulec::diagnostic::{Diagnostic, Format, Sources, render};
use rulec::visible;
use std::env;
use std::io::{self, IsTerminal, Write};

/// Where results and diagnostics go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Console {
    color_results: bool,
    color_diagnostics: bool,
}

impl Console {
    /// Colours go to terminals only, and not where `NO_COLOR` is set.
    pub(crate) fn new() -> Self {
        let wanted = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self {
            color_results: wanted && io::stdout().is_terminal(),
            color_diagnostics: wanted && io::stderr().is_terminal(),
        }
    }

    /// Whether results may be coloured.
    pub(crate) fn color(self) -> bool {
        self.color_results
    }

    /// Shows diagnostics as a person reads them.
    pub(crate) fn show(self, diagnostics: &[Diagnostic], sources: &Sources) {
        self.show_as(Format::Human, diagnostics, sources);
    }

    /// Shows diagnostics in `format`.
    pub(crate) fn show_as(self, format: Format, diagnostics: &[Diagnostic], sources: &Sources) {
        let text = render(diagnostics, sources, format, self.color_diagnostics);
        io::stderr().lock().write_all(visible::lines(&text, self.color_diagnostics).as_bytes()).ok();
    }
}

/// Writes a result.
pub(crate) fn result(text: &str) -> Result<(), Stop> {
    write(&visible::lines(text, Console::new().color_results))
}

/// Writes a result that is a file by itself, such as rules: as it is, but for a terminal.
pub(crate) fn exact(text: &str) -> Result<(), Stop> {
    if io::stdout().is_terminal() { result(text) } else { write(text) }
}

fn write(text: &str) -> Result<(), Stop> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// A line of JSON as it is written: it reads the same.
pub(crate) fn json_line(text: &str) -> String {
    visible::lines(text, false)
}

/// Writes a result of which the status tells the essence: a reader that has left does not change the status.
pub(crate) fn offer(text: &str) -> Result<(), Stop> {
    match result(text) {
        Err(Stop::Pipe) => Ok(()),
        written => written,
    }
}

/// Writes a line to standard error; that it cannot be written changes nothing.
pub(crate) fn say(line: &str) {
    tell(&(visible::line(line) + "\n"));
}

/// Writes lines to standard error likewise.
pub(crate) fn tell(text: &str) {
    io::stderr().lock().write_all(visible::lines(text, false).as_bytes()).ok();
}

/// Says why a command stopped.
pub(crate) fn complain(stop: &Stop) {
    if let Some(message) = stop.message() {
        say(&format!("rulec: {message}"));
    }
}
