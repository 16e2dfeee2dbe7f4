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

/// The rules of a server of `conf` hold `lines` in this order, and nowhere what they lack.
fn check_text(conf: &str, lines: &[&str], lacks: &[&str]) {
    let (rules, said) = imported(&of_server(conf));
    let mut rest = rules.as_str();
    for line in lines {
        let at = rest.find(line).unwrap_or_else(|| panic!("{conf}\nlacks {line}\n{rules}\n{said}"));
        rest = &rest[at + line.len()..];
    }
    for line in lacks {
        assert!(!rules.contains(line), "{conf}\nhas {line}\n{rules}");
    }
}
