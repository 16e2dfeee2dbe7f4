//! Upstreams as the rules and `proxy.toml` together say they are.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use serde_json::Value;

use super::report::Setting;
use super::verification::verifier;
use crate::contract::manifest::{self, Manifest};
use crate::proxy::config::{Config, UpstreamWords};
use crate::proxy::keys::read_bounded;
use crate::proxy::policy;
use crate::proxy::upstream::Upstream;

/// An upstream that the rules name.
#[derive(Debug)]
pub(super) struct Declared {
    /// What stands in the end.
    pub(super) merged: manifest::Upstream,
    pub(super) settings: Vec<Setting>,
    /// What the gateway makes of it, or why it would not start.
    pub(super) built: Result<Upstream, String>,
    /// Whom it trusts; None where TLS is not spoken, or nobody is trusted.
    pub(super) verifier: Option<Arc<WebPkiServerVerifier>>,
}

impl Declared {
    /// Whence a value is: `rules`, `default`, or the place in `proxy.toml`.
    pub(super) fn whence(&self, key: &str) -> &str {
        self.settings.iter().find(|setting| setting.key == key).map_or("default", |setting| setting.whence.as_str())
    }

    /// Whether a certificate is shown to servers that ask for one.
    pub(super) fn has_certificate(&self) -> bool {
        self.settings.iter().any(|setting| setting.key == "tls certificate")
    }
}

/// Every upstream of the rules.
pub(super) fn read(manifest: &Manifest, config: &Config) -> Vec<Declared> {
    manifest.upstreams.iter().map(|upstream| one(upstream, config.upstreams.get(&upstream.name), config)).collect()
}

fn one(upstream: &manifest::Upstream, words: Option<&UpstreamWords>, config: &Config) -> Declared {
    let mut merged = upstream.clone();
    if let Some(words) = words {
        words.merge(&mut merged);
    }
    let ca_path = words.and_then(|words| words.tls.as_ref()).and_then(|tls| tls.ca.as_ref());
    let mut settings = settings(upstream, &merged, words);
    if let Some((tls, words)) = words.and_then(|words| Some((words.tls.as_ref()?, words))) {
        for (key, path) in [("tls ca", &tls.ca), ("tls certificate", &tls.certificate), ("tls key", &tls.key)] {
            let Some(path) = path else { continue };
            let value = path.display().to_string();
            settings.push(Setting { key: key.to_owned(), value, whence: words.place.clone() });
        }
    }
    Declared {
        built: policy::build_alone(upstream, words, config),
        verifier: merged.tls.as_ref().and_then(|_| {
            let ca = ca_path.and_then(|path| read_bounded(path).ok());
            verifier(ca.as_deref())
        }),
        settings,
        merged,
    }
}

/// Each value that stands, and whence: what the merge changed is from `proxy.toml`.
fn settings(rules: &manifest::Upstream, merged: &manifest::Upstream, words: Option<&UpstreamWords>) -> Vec<Setting> {
    let place = words.map_or("", |words| words.place.as_str());
    let (rules_flat, merged_flat, defaults) = (flat(rules), flat(merged), flat(&defaults(merged)));
    let value_of =
        |list: &[(String, Value)], key: &str| list.iter().find(|(own, _)| own == key).map(|(_, value)| value.clone());
    let mut settings = Vec::new();
    for (key, value) in merged_flat {
        let Some(text) = text(&key, &value) else { continue };
        let from_rules = value_of(&rules_flat, &key).is_some_and(|own| own == value);
        let is_default = value_of(&defaults, &key).is_some_and(|own| own == value);
        let whence = match (from_rules, is_default) {
            (false, _) => place,
            (true, true) => "default",
            (true, false) => "rules",
        };
        settings.push(Setting { key: word(&key), value: text, whence: whence.to_owned() });
    }
    settings
}

/// What stands where neither rules nor `proxy.toml` say anything.
fn defaults(merged: &manifest::Upstream) -> manifest::Upstream {
    let tls = merged.tls.as_ref().map(|_| manifest::Tls::default());
    manifest::Upstream { tls, ..manifest::Upstream::default() }
}

/// Keys and values, those of inner tables behind the table's key.
fn flat(upstream: &manifest::Upstream) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    let value = serde_json::to_value(upstream).unwrap_or_default();
    flatten("", &value, &mut found);
    found.retain(|(key, _)| key != "name" && key != "external");
    found
}

fn flatten(before: &str, value: &Value, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let key = if before.is_empty() { key.clone() } else { format!("{before} {key}") };
                flatten(&key, value, found);
            }
        }
        _ => found.push((before.to_owned(), value.clone())),
    }
}

/// The word of the rules for a key of the manifest.
fn word(key: &str) -> String {
    match key.trim_end_matches("_ms") {
        "keepalive_idle" => "keepalive idle".to_owned(),
        "retry_budget_percent" => "retry_budget".to_owned(),
        other => other.replace("timeouts ", "timeout "),
    }
}

/// As the rules would write it; None where there is nothing to write.
fn text(key: &str, value: &Value) -> Option<String> {
    match value {
        Value::Bool(truth) => Some(if *truth { "on" } else { "off" }.to_owned()),
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if key.ends_with("_ms") => Some(time(number.as_u64()?)),
        Value::Number(number) if key.ends_with("_percent") => Some(format!("{number}%")),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().filter_map(|item| item_text(key, item)).collect();
            (!items.is_empty()).then(|| items.join(" "))
        }
        Value::Null | Value::Object(_) => None,
    }
}

fn item_text(key: &str, item: &Value) -> Option<String> {
    let (Some(host), Some(port)) = (item.get("host").and_then(Value::as_str), item.get("port")) else {
        return text(key, item);
    };
    let weight = item.get("weight").and_then(Value::as_u64).filter(|weight| *weight > 1);
    let weight = weight.map_or_else(String::new, |weight| format!(" weight={weight}"));
    Some(format!("{}:{port}{weight}", bracketed(host)))
}

/// An IPv6 address as it stands before a port.
pub(super) fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

/// Milliseconds as the rules write them.
pub(super) fn time(milliseconds: u64) -> String {
    match milliseconds {
        ms if ms % 1_000 != 0 => format!("{ms}ms"),
        ms if ms % 60_000 != 0 || ms < 120_000 => format!("{}s", ms / 1_000),
        ms => format!("{}m", ms / 60_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_in_rules() {
        for (milliseconds, text) in [(500, "500ms"), (55_000, "55s"), (60_000, "60s"), (300_000, "5m"), (61_000, "61s")]
        {
            assert_eq!(time(milliseconds), text);
        }
    }

    #[test]
    fn each_value_says_whence_it_is() {
        let mut rules = defaults(&manifest::Upstream::default());
        rules.keepalive = 8;
        let mut merged = rules.clone();
        merged.host = Some("api.test".to_owned());
        let words = UpstreamWords { place: "proxy.toml:3:1".to_owned(), ..UpstreamWords::default() };
        let settings = settings(&rules, &merged, Some(&words));
        let whence =
            |key: &str| settings.iter().find(|setting| setting.key == key).map(|setting| setting.whence.as_str());
        assert_eq!(whence("keepalive"), Some("rules"));
        assert_eq!(whence("host"), Some("proxy.toml:3:1"));
        assert_eq!(whence("keepalive idle"), Some("default"));
        assert_eq!(whence("timeout connect"), Some("default"));
        assert_eq!(whence("tls"), None);
    }
}
