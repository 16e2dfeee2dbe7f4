//! From the text of a `proxy.toml` to a [`Config`].

use std::collections::BTreeMap;
use std::path::Path;

use toml::de::DeTable;

use super::section::{File, Section};
use super::words::{self, Secret, parse_address};
use super::{Address, Config, Listener, PlansWords, TlsWords, UpstreamWords};

/// Everything that the file says, or everything that is wrong with it.
pub(super) fn config(text: &str, path: &Path) -> Result<Config, Vec<String>> {
    let file = File::new(path, text);
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        file.problem(&error.span().unwrap_or(0..0), error.message());
    }
    let config = document(&Section::new(&file, root.get_ref(), &root.span()));
    let problems = file.into_problems();
    if problems.is_empty() { Ok(config) } else { Err(problems) }
}

fn document(root: &Section<'_, '_>) -> Config {
    root.only(&["listener", "admin", "upstream", "plans", "callers", "facts"]);
    let mut callers = BTreeMap::new();
    if let Some(section) = root.section("callers") {
        for list in section.keys() {
            let names = section.strings(list).unwrap_or_default();
            let place = |(name, span)| (name, section.file.place(&span));
            callers.insert(list.to_owned(), names.into_iter().map(place).collect());
        }
    }
    let facts = root.section("facts").map(|section| {
        let fact = |name| section.string(name).map(|(value, span)| (value, section.file.place(&span)));
        section.keys().filter_map(|name| Some((name.to_owned(), fact(name)?))).collect()
    });
    Config {
        listeners: root.named("listener").iter().filter_map(|(name, section)| listener(name, section)).collect(),
        admin: root.section("admin").and_then(|section| {
            section.only(&["address"]);
            address(&section)
        }),
        upstreams: root.named("upstream").into_iter().map(|(name, section)| (name, upstream(&section))).collect(),
        plans: root.named("plans").into_iter().filter_map(|(name, section)| Some((name, plans(&section)?))).collect(),
        callers,
        facts: facts.unwrap_or_default(),
        ..Config::default()
    }
}

fn listener(name: &str, section: &Section<'_, '_>) -> Option<Listener> {
    section.only(&["address", "trusted", "tls"]);
    if let Some(span) = section.value_span("tls") {
        section.file.problem(&span, "TLS towards clients is not supported yet: let a trusted hop in front do it");
    }
    let trusted = section.all_parsed("trusted", str::parse).unwrap_or_default();
    Some(Listener { name: name.to_owned(), address: address(section)?, trusted })
}

fn address(section: &Section<'_, '_>) -> Option<Address> {
    if section.value_span("address").is_none() {
        section.file.problem(&section.span(), "`address` is missing");
    }
    let address = section.parsed("address", parse_address)?;
    Some(match address {
        Address::Unix(path) => Address::Unix(section.file.relative(&path.to_string_lossy())),
        tcp @ Address::Tcp(_) => tcp,
    })
}

fn upstream(section: &Section<'_, '_>) -> UpstreamWords {
    section.only(&["servers", "host", "tls", "keepalive", "keepalive_idle", "timeout"]);
    let mut words = UpstreamWords {
        place: section.file.place(&section.span()),
        servers: section.all_parsed("servers", words::server),
        host: section.parsed("host", host),
        tls: section.section("tls").map(|tls| self::tls(&tls)),
        keepalive: section.number("keepalive"),
        keepalive_idle_ms: section.parsed("keepalive_idle", words::milliseconds),
        ..UpstreamWords::default()
    };
    if words.servers.as_ref().is_some_and(Vec::is_empty) && section.is_empty_list("servers") {
        let span = section.value_span("servers").unwrap_or_default();
        section.file.problem(&span, "`servers` names no server");
    }
    if let Some(timers) = section.section("timeout") {
        timers.only(&["connect", "tls", "response", "idle"]);
        words.connect_ms = timers.parsed("connect", words::milliseconds);
        words.tls_ms = timers.parsed("tls", words::milliseconds);
        words.response_ms = timers.parsed("response", words::milliseconds);
        words.idle_ms = timers.parsed("idle", words::milliseconds);
    }
    words
}

/// It is written into a head as it stands.
fn host(text: &str) -> Result<String, String> {
    let may_stand = |octet: u8| octet.is_ascii_alphanumeric() || b"-._:[]".contains(&octet);
    let good = !text.is_empty() && text.bytes().all(may_stand);
    if good { Ok(text.to_owned()) } else { Err(format!("`{text}` is no host name")) }
}

fn tls(section: &Section<'_, '_>) -> TlsWords {
    section.only(&["ca", "verify", "sni", "name", "versions"]);
    let version = |text: &str| match text {
        "1.2" | "1.3" => Ok(text.to_owned()),
        _ => Err(format!("TLS {text} is not spoken, only 1.2 and 1.3")),
    };
    TlsWords {
        ca: section.string("ca").map(|(path, _)| section.file.relative(&path)),
        verify: section.boolean("verify"),
        sni: section.boolean("sni"),
        name: section.parsed("name", host),
        versions: section.all_parsed("versions", version),
    }
}

fn plans(section: &Section<'_, '_>) -> Option<PlansWords> {
    section.only(&["keys", "hash_key"]);
    for key in ["keys", "hash_key"] {
        if section.value_span(key).is_none() {
            section.file.problem(&section.span(), &format!("`{key}` is missing"));
        }
    }
    let keys = section.string("keys").map(|(path, _)| section.file.relative(&path));
    let hash_key = section.section("hash_key").and_then(|section| secret(&section));
    Some(PlansWords { place: section.file.place(&section.span()), keys: keys?, hash_key: hash_key? })
}

fn secret(section: &Section<'_, '_>) -> Option<Secret> {
    section.only(&["file", "env"]);
    let file = section.string("file").map(|(path, _)| Secret::File(section.file.relative(&path)));
    let environment = section.string("env").map(|(name, _)| Secret::Environment(name));
    match (file, environment) {
        (Some(secret), None) | (None, Some(secret)) => Some(secret),
        _ => {
            section.file.problem(&section.span(), "a secret is `{ file = \"PATH\" }` or `{ env = \"NAME\" }`");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, Vec<String>> {
        config(text, Path::new("etc/proxy.toml"))
    }

    #[test]
    fn the_documented_file_is_read() {
        let text = r#"
            [listener.public]
            address = "0.0.0.0:8080"
            trusted = ["10.0.0.0/8"]
            [admin]
            address = "unix:/run/rulec-admin.sock"
            [upstream.sandbox]
            servers = ["sandbox.internal:8080"]
            tls = { ca = "ca.pem" }
            timeout = { connect = "1s" }
            [plans.words_plans]
            keys = "words.keys"
            hash_key = { file = "hash.key" }
            [callers]
            mobile = ["NAME"]
            [facts]
            upload_ok = "yes"
        "#;
        let config = parse(text).unwrap();
        assert_eq!(config.listeners.len(), 1);
        assert_eq!(config.listeners[0].address.to_string(), "0.0.0.0:8080");
        let sandbox = &config.upstreams["sandbox"];
        assert_eq!(sandbox.servers.as_ref().unwrap()[0].port, Some(8080));
        assert_eq!(sandbox.tls.as_ref().unwrap().ca.as_deref(), Some(Path::new("etc/ca.pem")));
        assert_eq!(sandbox.connect_ms, Some(1000));
        assert_eq!(config.facts["upload_ok"], ("yes".to_owned(), "etc/proxy.toml:17:25".to_owned()));
        assert_eq!(config.plans["words_plans"].keys, Path::new("etc/words.keys"));
    }

    #[test]
    fn every_mistake_is_told_at_its_place() {
        let text = "[listener.a]\nadress = 1\ntls = []\n[upstream.b]\nservers = [\"x:0\", 5]\nkeepalive = -1\n[plans.c]\n[other]\n";
        let problems = parse(text).unwrap_err();
        let lines: Vec<_> = problems.iter().filter_map(|problem| problem.split(':').nth(1)).collect();
        assert_eq!(lines, ["1", "2", "3", "5", "5", "6", "7", "7", "8"], "{problems:#?}");
        assert!(problems[2].contains("not supported yet"));
    }

    #[test]
    fn broken_toml_is_told_with_its_place() {
        let problems = parse("[listener.a\naddress = \"\n").unwrap_err();
        assert!(problems[0].starts_with("etc/proxy.toml:1:"), "{problems:?}");
    }
}
