//! `rulec import nginx`: a configuration to rules, and what became of each of its directives.

use crate::arguments::{ImportFormat, ImportNginx};
use crate::console::{self, Console};
use crate::file;
use crate::status::{Status, Stop};
use rulec::import::nginx::{import, parse};
use std::io::{self, Write};

/// Translates, writes the rules if nothing keeps them from being written, and accounts for every directive.
pub(crate) fn run(arguments: &ImportNginx, console: Console) -> Result<Status, Stop> {
    let parsed = parse(&arguments.conf, arguments.prefix.as_deref()).map_err(Stop::io(arguments.conf.display()))?;
    let imported = import(&parsed);
    let failed = imported.has_errors();
    let rules_to_output = arguments.output.is_none() && !failed;
    match arguments.format {
        ImportFormat::Human => {
            console.show(&imported.diagnostics, &parsed.sources);
            to_stderr(&imported.report.human(&parsed.sources));
        }
        ImportFormat::Json => {
            let report = imported.report.json(&parsed.sources, &imported.diagnostics);
            if rules_to_output {
                to_stderr(&report);
            } else {
                console::offer(&report)?;
            }
        }
    }
    if failed {
        return Ok(Status::Errors);
    }
    match &arguments.output {
        Some(output) => file::write_atomically(output, imported.rules.as_bytes())?,
        None => console::result(&imported.rules)?,
    }
    Ok(Status::Fine)
}

/// That it cannot be written changes nothing.
fn to_stderr(text: &str) {
    io::stderr().lock().write_all(text.as_bytes()).ok();
}
