//! `rulec import nginx`: a configuration to rules, and what became of each of its directives.

use crate::arguments::{ImportFormat, ImportNginx};
use crate::console::{self, Console};
use crate::file;
use crate::status::{Status, Stop};
use rulec::import::nginx::verify::{self, Subject};
use rulec::import::nginx::{Imported, Options, Parsed, import, parse};

/// Translates, writes the rules if nothing keeps them from being written, and accounts for every directive.
pub(crate) fn run(arguments: &ImportNginx, console: Console) -> Result<Status, Stop> {
    let parsed = parse(&arguments.conf, arguments.prefix.as_deref()).map_err(Stop::io(arguments.conf.display()))?;
    let options = Options { without: arguments.without.clone() };
    let imported = import(&parsed, &options);
    let failed = imported.has_errors();
    let rules_to_output = arguments.output.is_none() && !failed;
    match arguments.format {
        ImportFormat::Human => {
            console.show(&imported.diagnostics, &parsed.sources);
            console::tell(&imported.report.human(&parsed.sources));
        }
        ImportFormat::Json => {
            let report = imported.report.json(&parsed.sources, &imported.diagnostics);
            if rules_to_output {
                console::tell(&report);
            } else {
                console::offer(&report)?;
            }
        }
    }
    for misnamed in &imported.misnamed {
        console::tell(&format!("error: `--without {}`: {}\n", misnamed.without, misnamed.why));
    }
    if !imported.misnamed.is_empty() {
        return Ok(Status::Usage);
    }
    if failed {
        console::tell(&wanted(&imported));
        return Ok(Status::Errors);
    }
    match &arguments.output {
        Some(output) => file::write_atomically(output, imported.rules.as_bytes())?,
        None => console::exact(&imported.rules)?,
    }
    if arguments.verify { certify(arguments, &options, parsed) } else { Ok(Status::Fine) }
}

/// What `--without` would have to say.
fn wanted(imported: &Imported) -> String {
    if imported.wanted.is_empty() {
        return String::new();
    }
    let names: Vec<String> = imported.wanted.iter().map(|without| format!("--without {without}")).collect();
    format!("to leave out what may be left out: {}\n", names.join(" "))
}

/// Asks nginx the same, shows where it differs, and says of how much both agree.
fn certify(arguments: &ImportNginx, options: &Options, parsed: Parsed) -> Result<Status, Stop> {
    let Some(nginx) = arguments.nginx.clone().or_else(verify::find) else {
        console::tell("error: `--verify` asks a real nginx, and none is in PATH: install it, or say `--nginx PATH`\n");
        return Ok(Status::Errors);
    };
    let hash = hash(&parsed);
    // The same configuration was imported a moment ago.
    let Ok(subject) = Subject::new(parsed, options) else { return Ok(Status::Errors) };
    if subject.size().1 == 0 {
        console::tell("error: nothing to verify: no server stands in this configuration\n");
        return Ok(Status::Errors);
    }
    let seed = arguments.seed.unwrap_or_else(verify::fresh_seed);
    let certificate = subject.verify(&nginx, arguments.requests, seed).map_err(Stop::io(nginx.display()))?;
    for difference in &certificate.differences {
        console::tell(&format!("difference: {difference}\n\n"));
    }
    console::tell(&format!("{certificate}{}; configuration {hash}; --seed {seed}\n", certificate.version));
    Ok(if certificate.differing == 0 { Status::Fine } else { Status::Errors })
}

/// Of all files that were read, in order.
fn hash(parsed: &Parsed) -> String {
    let mut hasher = blake3::Hasher::new();
    for (_, source) in parsed.sources.iter() {
        hasher.update(source.text.as_bytes());
    }
    hasher.finalize().to_hex().chars().take(16).collect()
}
