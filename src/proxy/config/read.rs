//! From the text of a `proxy.toml` to a [`Config`].

use std::collections::BTreeMap;
use std::path::Path;

use toml::de::DeTable;

use super::Config;
use super::admin::admin;
use super::dns::dns;
use super::listener::listener;
use super::log::log;
use super::plans::plans;
use super::section::{File, Section};
use super::upstream::upstream;
use super::words::parse_time;
use crate::proxy::limits::Limits;

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
    root.only(&["listener", "admin", "log", "upstream", "dns", "plans", "callers", "facts", "stop"]);
    let mut callers = BTreeMap::new();
    if let Some(section) = root.section("callers") {
        for list in section.keys() {
            let names = section.strings(list).unwrap_or_default();
            let place = |(name, span)| (name, section.file.place(&span));
            callers.insert(list.to_owned(), names.into_iter().map(place).collect());
        }
    }
    let mut limits = Limits::default();
    if let Some(section) = root.section("stop") {
        section.only(&["timeout"]);
        limits.stop_time_max = section.parsed("timeout", parse_time).unwrap_or(limits.stop_time_max);
    }
    let admin = root.section("admin").map(|section| admin(&section));
    let facts = root.section("facts").map(|section| {
        let fact = |name| section.string(name).map(|(value, span)| (value, section.file.place(&span)));
        section.keys().filter_map(|name| Some((name.to_owned(), fact(name)?))).collect()
    });
    Config {
        listeners: root.named("listener").iter().filter_map(|(name, section)| listener(name, section)).collect(),
        admin: admin.as_ref().and_then(|admin| admin.address.clone()),
        admin_token: admin.and_then(|admin| admin.token),
        log: root.section("log").map(|section| log(&section)).unwrap_or_default(),
        upstreams: root.named("upstream").into_iter().map(|(name, section)| (name, upstream(&section))).collect(),
        dns: root.section("dns").map(|section| dns(&section)).unwrap_or_default(),
        plans: root.named("plans").into_iter().filter_map(|(name, section)| Some((name, plans(&section)?))).collect(),
        callers,
        facts: facts.unwrap_or_default(),
        limits,
        ..Config::default()
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

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
            [stop]
            timeout = "2m"
        "#;
        let config = parse(text).unwrap();
        assert_eq!(config.listeners.len(), 1);
        assert_eq!(config.listeners[0].address.to_string(), "0.0.0.0:8080");
        let sandbox = &config.upstreams["sandbox"];
        assert_eq!(sandbox.servers.as_ref().unwrap()[0].port, Some(8080));
        assert_eq!(sandbox.tls.as_ref().unwrap().ca.as_deref(), Some(Path::new("etc/ca.pem")));
        assert_eq!(sandbox.timeout.connect_ms, Some(1000));
        assert_eq!(config.facts["upload_ok"], ("yes".to_owned(), "etc/proxy.toml:17:25".to_owned()));
        assert_eq!(config.limits.stop_time_max, Duration::from_secs(120));
        assert_eq!(config.plans["words_plans"].keys, Path::new("etc/words.keys"));
    }

    #[test]
    fn every_mistake_is_told_at_its_place() {
        let text = "[listener.a]\nadress = 1\ntls = []\n[upstream.b]\nservers = [\"x:0\", 5]\nkeepalive = -1\n[plans.c]\n[other]\n";
        let problems = parse(text).unwrap_err();
        let lines: Vec<_> = problems.iter().filter_map(|problem| problem.split(':').nth(1)).collect();
        assert_eq!(lines, ["1", "2", "3", "5", "5", "6", "7", "7", "8"], "{problems:#?}");
        assert!(problems[2].contains("names no certificate"));
    }

    #[test]
    fn broken_toml_is_told_with_its_place() {
        let problems = parse("[listener.a\naddress = \"\n").unwrap_err();
        assert!(problems[0].starts_with("etc/proxy.toml:1:"), "{problems:?}");
    }
}
