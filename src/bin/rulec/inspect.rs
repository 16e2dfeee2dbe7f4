//! `rulec inspect`: what a .rulec file holds.

use crate::arguments::Inspect;
use crate::console;
use crate::file;
use crate::lines::Lines;
use crate::policy::{self, Ready};
use crate::status::{Status, Stop};
use core::fmt::Write;
use rulec::automaton::Limits;
use rulec::visible;
use serde_json::{Value, json};

/// Shows the file; that it can be shown means that it is whole.
pub(crate) fn run(arguments: &Inspect) -> Result<Status, Stop> {
    let ready = policy::from_bytes(&arguments.file, file::read(&arguments.file)?)?;
    let contents = contents(&ready);
    let text = if arguments.json { format!("{contents}\n") } else { for_a_person(&contents) };
    console::result(&text)?;
    Ok(Status::Fine)
}

fn contents(ready: &Ready) -> Value {
    let artifact = ready.matcher.artifact();
    let manifest = &ready.manifest;
    let tables: serde_json::Map<String, Value> =
        artifact.table_sizes().map(|(name, octets)| (name.to_owned(), octets.into())).collect();
    let limits = Limits::default();
    json!({
        "format": format_version(artifact.bytes()),
        "compiler": manifest.compiler,
        "blake3": blake3::hash(artifact.bytes()).to_hex().as_str(),
        "bytes": artifact.bytes().len(),
        "tables": tables,
        "limits": {
            "instructions_max": limits.instructions_max,
            "states_max": limits.states_max,
            "states_of_one_max": limits.states_of_one_max,
            "steps_of_one_max": limits.steps_of_one_max,
            "steps_max": limits.steps_max,
            "diagram_max": limits.diagram_max,
            "diagram_steps_max": limits.diagram_steps_max,
        },
        "sources": manifest.sources,
        "services": manifest.services,
        "locations": manifest.locations,
        "upstreams": manifest.upstreams,
        "plan_sources": manifest.plan_sources,
        "facts": manifest.facts,
        "meters": manifest.meters,
        "listeners": manifest.listeners,
    })
}

/// The format version: four octets, little-endian, behind the magic and the checksum.
fn format_version(bytes: &[u8]) -> Option<u32> {
    bytes.get(12..16)?.try_into().map(u32::from_le_bytes).ok()
}

fn for_a_person(contents: &Value) -> String {
    let mut text = Lines::default();
    for key in ["format", "compiler", "blake3", "bytes"] {
        writeln!(text, "{key:<12} {}", plain(&contents[key])).ok();
    }
    for key in ["sources", "services", "upstreams", "plan_sources", "facts", "meters", "listeners"] {
        let names: Vec<String> = entries(contents, key).map(named).collect();
        writeln!(text, "{key:<12} {}", names.join(", ")).ok();
    }
    writeln!(text, "locations").ok();
    for location in entries(contents, "locations") {
        writeln!(text, "  {:<40} {}", plain(&location["display"]), plain(&location["place"])).ok();
    }
    for (key, unit) in [("tables", " octets"), ("limits", "")] {
        writeln!(text, "{key}").ok();
        for (name, number) in contents[key].as_object().into_iter().flatten() {
            writeln!(text, "  {name:<18} {:>12}{unit}", plain(number)).ok();
        }
    }
    text.into_text()
}

fn entries<'c>(contents: &'c Value, key: &str) -> impl Iterator<Item = &'c Value> {
    contents[key].as_array().into_iter().flatten()
}

fn named(entry: &Value) -> String {
    plain(entry.get("name").unwrap_or(entry))
}

fn plain(value: &Value) -> String {
    visible::line(&value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}
