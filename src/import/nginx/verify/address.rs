//! Where requests are passed on to: each address is an upstream of our own, whatever variables it is made of.
//!
//! nginx looks up the name that a `proxy_pass` comes to among its `upstream` blocks, and asks a resolver for others. So
//! an address without variables stands under a name of ours; one with variables goes through a `map`, from every address
//! that the rules know to its name.

use super::super::tree::Directive;
use super::words::quoted;
use crate::contract::manifest::{Manifest, Upstream};
use std::collections::{BTreeMap, BTreeSet};

/// The addresses of a configuration, and our names for them.
#[derive(Clone, Debug, Default)]
pub(super) struct Addresses {
    /// `upstream` blocks, in small letters.
    declared: BTreeSet<String>,
    /// Values that `set` and `map` give to a variable, by its name in small letters.
    values: BTreeMap<String, Vec<String>>,
    /// By our name: what it stands for.
    named: BTreeMap<String, Address>,
    /// Lines for `http`: a `map` for each address with variables.
    maps: String,
    tables: usize,
}

/// An address as the configuration has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) is_tls: bool,
    /// In small letters, with the port that stands there.
    pub(super) text: String,
    /// Whether it is an `upstream` block.
    pub(super) is_declared: bool,
}

/// Where a `proxy_pass` leads that comes to no address of the rules.
pub(super) const OTHER: &str = "rulec_other";

impl Addresses {
    /// Those of `directives`, all levels of them.
    pub(super) fn of(directives: &[Directive]) -> Self {
        let mut addresses = Self::default();
        addresses.survey(directives);
        addresses
    }

    fn survey(&mut self, directives: &[Directive]) {
        for directive in directives {
            let variable = |word: &str| word.trim_start_matches('$').to_ascii_lowercase();
            match directive.name() {
                "upstream" => drop(self.declared.insert(directive.arg(0).to_ascii_lowercase())),
                "set" => {
                    let values = self.values.entry(variable(directive.arg(0))).or_default();
                    values.push(directive.arg(1).to_owned());
                }
                "map" => {
                    let values = self.values.entry(variable(directive.arg(1))).or_default();
                    values.extend(directive.children().iter().map(|inner| inner.arg(0).to_owned()));
                }
                _ => {}
            }
            self.survey(directive.children());
        }
    }

    /// The word for nginx that stands for `text`, the word of a `proxy_pass`; `manifest` is that of the rules.
    pub(super) fn word(&mut self, text: &str, manifest: &Manifest) -> String {
        if let Some(rest) = text.strip_prefix("http://unix:").or_else(|| text.strip_prefix("https://unix:")) {
            let (path, uri) = rest.split_once(':').unwrap_or((rest, ""));
            return format!("http://{}{uri}", self.name(text.starts_with("https"), &format!("unix:{path}")));
        }
        let (head, rest) = self.split(text);
        match head.split_once("://").filter(|_| !head.contains('$')) {
            Some((scheme, address)) => {
                format!("http://{}{rest}", self.name(scheme.eq_ignore_ascii_case("https"), address))
            }
            None => format!("${{{}}}{rest}", self.table(&head, manifest)),
        }
    }

    /// `text` up to the end of the address, and what follows it.
    fn split(&self, text: &str) -> (String, String) {
        let start = text.find("://").map_or(0, |at| at + "://".len());
        let mut at = start;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            if rest.starts_with(['/', '?']) {
                break;
            }
            let Some(behind) = rest.strip_prefix('$') else {
                at += rest.chars().next().map_or(1, char::len_utf8);
                continue;
            };
            let braced = behind.starts_with('{');
            let name: String =
                behind.trim_start_matches('{').chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            if self.is_path(&name.to_ascii_lowercase(), at > start) {
                break;
            }
            at += 1 + name.len() + if braced { 2 } else { 0 };
        }
        let at = at.min(text.len());
        (text.get(..at).unwrap_or(text).to_owned(), text.get(at..).unwrap_or("").to_owned())
    }

    /// Whether the variable `name` brings what stands behind an address; `begun` tells whether there is an address.
    fn is_path(&self, name: &str, begun: bool) -> bool {
        const PATHS: &[&str] = &["request_uri", "uri", "document_uri", "is_args", "args", "query_string"];
        if PATHS.contains(&name) || (begun && name.bytes().all(|byte| byte.is_ascii_digit())) {
            return true;
        }
        match self.values.get(name) {
            Some(values) => values.iter().all(|value| {
                let of_path = |variable: &str| PATHS.contains(&variable.trim_matches(['{', '}']));
                value.is_empty() || value.starts_with(['/', '?']) || value.strip_prefix('$').is_some_and(of_path)
            }),
            None => begun && !name.starts_with("http_") && !name.starts_with("arg_") && name != "host",
        }
    }

    /// Our name for an address without variables; an `upstream` block that is spoken to in clear text keeps its own.
    fn name(&mut self, is_tls: bool, text: &str) -> String {
        let lower = text.to_ascii_lowercase();
        let is_declared = self.declared.contains(&lower);
        let address = Address { is_tls, text: lower, is_declared };
        if let Some((name, _)) = self.named.iter().find(|(_, own)| **own == address) {
            return name.clone();
        }
        let name = if is_declared && !is_tls {
            text.to_owned()
        } else {
            let letters: String = text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
            format!("rulec_{}_{letters}", self.named.len())
        };
        self.named.insert(name.clone(), address);
        name
    }

    /// The variable that is filled in with the name of what `head`, an address with variables, comes to.
    fn table(&mut self, head: &str, manifest: &Manifest) -> String {
        let mut lines = BTreeMap::new();
        for (scheme, address) in manifest.upstreams.iter().flat_map(Self::spellings) {
            let name = self.name(scheme == "https", &address);
            lines.insert(format!("{scheme}://{address}"), format!("http://{name}"));
        }
        for declared in self.declared.clone() {
            for scheme in ["http", "https"] {
                let name = self.name(scheme == "https", &declared);
                lines.insert(format!("{scheme}://{declared}"), format!("http://{name}"));
            }
        }
        // Of a variable that holds all of the URL: its path too.
        let whole: Vec<String> = self.values.values().flatten().filter(|value| !value.contains('$')).cloned().collect();
        for url in whole {
            let (own, rest) = self.split(&url);
            let known = lines.get(&own.to_ascii_lowercase()).filter(|_| !rest.is_empty());
            if let Some(name) = known.cloned() {
                lines.insert(url, format!("{name}{rest}"));
            }
        }
        let variable = format!("rulec_address_{}", self.tables);
        self.tables += 1;
        // A request may come by more than once, with other values.
        self.maps.push_str(&format_args!("map {} ${variable} {{\nvolatile;\n", quoted(head)).to_string());
        self.maps.push_str(&format_args!("default http://{OTHER};\n").to_string());
        for (url, name) in lines {
            self.maps.push_str(&format_args!("{} {};\n", quoted(&url), quoted(&name)).to_string());
        }
        self.maps.push_str("}\n");
        variable
    }

    /// The ways to write the address of `upstream`, which is no `upstream` block of the configuration.
    fn spellings(upstream: &Upstream) -> Vec<(&'static str, String)> {
        let (scheme, own_port) = if upstream.tls.is_some() { ("https", 443) } else { ("http", 80) };
        let (None, [server]) = (&upstream.host, upstream.servers.as_slice()) else { return Vec::new() };
        let host = if server.host.contains(':') { format!("[{}]", server.host) } else { server.host.clone() };
        let host = host.to_ascii_lowercase();
        let with_port = (scheme, format!("{host}:{}", server.port));
        if server.port == own_port { vec![with_port, (scheme, host)] } else { vec![with_port] }
    }

    /// All that nginx has to have an `upstream` for.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.named.keys().map(String::as_str)
    }

    /// Lines for `http`.
    pub(super) fn maps(&self) -> &str {
        &self.maps
    }

    /// `text` with the addresses of the configuration in place of our names.
    pub(super) fn restored(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, address) in self.named.iter().rev().filter(|(name, _)| name.starts_with("rulec_")) {
            if !text.contains(name.as_str()) {
                continue;
            }
            // nginx says a port only where it is not the scheme's own.
            let own_port = if address.is_tls { ":443" } else { ":80" };
            let shown = address.text.strip_suffix(own_port).unwrap_or(&address.text);
            if address.is_tls {
                text = text.replace(&format!("http://{name}"), &format!("https://{shown}"));
            }
            text = text.replace(name.as_str(), shown);
        }
        text
    }

    /// `url`, which an upstream sent, with the addresses as a `proxy_pass` writes them, any port included.
    pub(super) fn restored_url(&self, url: &str) -> String {
        let own = |(name, address): (&String, &Address)| {
            let (said, rest) = url.split_once("://")?;
            let rest = rest.strip_prefix(name.as_str())?;
            let scheme = if address.is_tls { "https" } else { said };
            rest.starts_with('/').then(|| format!("{scheme}://{}{rest}", address.text))
        };
        self.named.iter().find_map(own).unwrap_or_else(|| url.to_owned())
    }

    /// Whether `name`, which is ours, stands for `upstream` of the rules.
    pub(super) fn is_same(&self, name: &str, upstream: &Upstream) -> bool {
        let Some(address) = self.named.get(name) else { return false };
        if address.text.starts_with("unix:") {
            return upstream.external;
        }
        if address.is_declared {
            let own = super::super::rules::name(&address.text);
            let by_host = upstream.host.as_deref().is_some_and(|host| host.eq_ignore_ascii_case(&address.text));
            return (by_host && upstream.tls.is_some() == address.is_tls)
                || (upstream.external && upstream.name.to_ascii_lowercase().starts_with(&own.to_ascii_lowercase()));
        }
        let same = |(scheme, text): &(&str, String)| (*scheme == "https") == address.is_tls && *text == address.text;
        Self::spellings(upstream).iter().any(same)
    }
}
