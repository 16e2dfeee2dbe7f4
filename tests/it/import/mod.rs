//! `rulec import nginx`: from the syntax to the decisions.

mod account;
mod defaults;
mod hostile;
mod kept;
mod meaning;
mod refusals;
mod syntax;
mod verify;
mod verify_shows;
mod without;

use rulec::diagnostic::{Format, render};
use rulec::import::nginx::{Options, import, parse_text};

/// `conf` as rules, and what was said of it.
fn imported(conf: &str) -> (String, String) {
    let parsed = parse_text("nginx.conf", conf.as_bytes());
    let imported = import(&parsed, &Options::default());
    (imported.rules, render(&imported.diagnostics, &parsed.sources, Format::Concise, false))
}

/// `server` in a configuration.
fn of_server(server: &str) -> String {
    format!("http {{ server {{ listen 80; server_name example.org;\n{server}\n}} }}")
}
