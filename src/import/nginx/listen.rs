//! `listen`: which servers share an address, and which of them is its default.

use super::importer::Importer;
use super::level::Level;
use super::tree::Directive;
use std::collections::{BTreeMap, BTreeSet};

/// The addresses of all servers.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    /// By server, in file order: its addresses.
    servers: Vec<Vec<String>>,
    /// By address: its default server.
    defaults: BTreeMap<String, usize>,
    /// Addresses, and the servers that ask to be their default.
    said_defaults: BTreeSet<(String, usize)>,
    /// By address: its name in the rules.
    names: BTreeMap<String, String>,
    /// By address: whether TLS is spoken there.
    tls: BTreeMap<String, bool>,
}

/// One service of a server: where it listens, and whether it takes what no name takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listening {
    /// Names of listeners; none where there is one address only.
    pub(super) names: Vec<String>,
    /// Whether it is the default.
    pub(super) is_default: bool,
    /// What the default servers of its addresses say.
    pub(super) reading: Reading,
}

/// How a head is read: nginx takes it from the default server of the address, whichever server answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reading {
    /// `merge_slashes off`.
    pub(super) keeps_slashes: bool,
    /// `underscores_in_headers on`.
    pub(super) keeps_underscores: bool,
}

impl Reading {
    /// The directives that say it.
    pub(super) const DIRECTIVES: [&'static str; 2] = ["merge_slashes", "underscores_in_headers"];

    /// What holds in `level`.
    pub(super) fn of(level: &Level<'_>) -> Self {
        let says = |name: &str, value: &str| level.one(name).is_some_and(|directive| directive.arg(0) == value);
        Self { keeps_slashes: says("merge_slashes", "off"), keeps_underscores: says("underscores_in_headers", "on") }
    }
}

impl<'p> Importer<'p> {
    /// Accounts for what `listen` says besides the address.
    pub(super) fn listen(&mut self, listen: &'p Directive) {
        if listen.args.iter().any(|word| word.text == "proxy_protocol") {
            self.gap(listen, "clients are who a PROXY header says, where proxy.toml says `proxy_protocol = true`");
        } else {
            self.carried(listen);
        }
    }

    /// Reads the `listen` directives of all servers.
    pub(super) fn listeners(&mut self, servers: &[&'p Directive]) -> Listeners {
        let mut listeners = Listeners::default();
        for (index, server) in servers.iter().enumerate() {
            let listens: Vec<&'p Directive> =
                server.children().iter().filter(|directive| directive.name() == "listen").collect();
            let mut addresses = Vec::new();
            for listen in &listens {
                self.listen(listen);
                let address = address(listen.arg(0));
                let has = |word: &str| listen.args.iter().skip(1).any(|own| own.text == word);
                if has("default_server") || has("default") {
                    let is_new = listeners.said_defaults.insert((address.clone(), index));
                    if is_new && listeners.said_defaults.iter().any(|(own, other)| *own == address && *other != index) {
                        self.wrong(listen.span, format!("a duplicate default server for {}", listen.arg(0)));
                    }
                    listeners.defaults.insert(address.clone(), index);
                }
                if has("ssl") {
                    listeners.tls.insert(address.clone(), true);
                }
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
            if listens.is_empty() {
                addresses.push("80".to_owned());
            }
            let on = server.children().iter().any(|inner| inner.name() == "ssl" && inner.arg(0) == "on");
            for address in &addresses {
                listeners.defaults.entry(address.clone()).or_insert(index);
                let tls = listeners.tls.entry(address.clone()).or_insert(on);
                *tls |= on;
            }
            listeners.servers.push(addresses);
        }
        listeners.name();
        listeners
    }
}

impl Listeners {
    fn name(&mut self) {
        let all: BTreeSet<String> = self.servers.iter().flatten().cloned().collect();
        let plain = all.iter().filter(|address| !self.speaks_tls(address)).count();
        let tls = all.len() - plain;
        for address in &all {
            let name = match (self.speaks_tls(address), plain, tls) {
                (false, 1, _) => "http".to_owned(),
                (true, _, 1) => "https".to_owned(),
                _ => format!("port_{}", super::rules::name(&address.replace(['.', ':', '[', ']', '/'], "_"))),
            };
            self.names.insert(address.clone(), name);
        }
    }

    fn speaks_tls(&self, address: &str) -> bool {
        self.tls.get(address).copied().unwrap_or(false)
    }

    /// Whether all servers listen on one address, so that no listener has to be named.
    fn is_one(&self) -> bool {
        self.names.len() <= 1
    }

    /// The services that server number `index` makes: one, or more where it is the default of some addresses only, or
    /// where `reading` tells the default servers of its addresses apart.
    pub(super) fn services(&self, index: usize, reading: &dyn Fn(usize) -> Reading) -> Vec<Listening> {
        let mut groups: BTreeMap<(bool, Reading), Vec<String>> = BTreeMap::new();
        for address in self.servers.get(index).into_iter().flatten() {
            let default = self.defaults.get(address).copied().unwrap_or(index);
            let name = self.names.get(address).cloned().unwrap_or_default();
            groups.entry((default != index, reading(default))).or_default().push(name);
        }
        let service = |((is_other, reading), mut names): ((bool, Reading), Vec<String>)| {
            names.dedup();
            let names = if self.is_one() { Vec::new() } else { names };
            Listening { names, is_default: !is_other, reading }
        };
        groups.into_iter().map(service).collect()
    }

    /// The ports of server number `index`, and whether TLS is spoken, if it is the same on all.
    pub(super) fn port_and_tls(&self, index: usize) -> (Option<String>, Option<bool>) {
        let Some(addresses) = self.servers.get(index) else { return (None, None) };
        let ports: BTreeSet<&str> = addresses
            .iter()
            .map(|address| address.rsplit_once(':').map_or(address.as_str(), |(_, port)| port))
            .collect();
        let tls: BTreeSet<bool> = addresses.iter().map(|address| self.speaks_tls(address)).collect();
        let port = match (ports.len(), ports.first()) {
            (1, Some(port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => Some((*port).to_owned()),
            _ => None,
        };
        (port, if tls.len() == 1 { tls.first().copied() } else { None })
    }

    /// Every address: its listener in the rules, if one has to be named, and whether TLS is spoken.
    pub(super) fn all(&self) -> Vec<(String, Option<String>, bool)> {
        let name = |name: &String| (!self.is_one()).then(|| name.clone());
        let one = |(address, own): (&String, &String)| (address.clone(), name(own), self.speaks_tls(address));
        self.names.iter().map(one).collect()
    }

    /// The addresses of server number `index`.
    pub(super) fn addresses(&self, index: usize) -> &[String] {
        self.servers.get(index).map_or(&[], Vec::as_slice)
    }

    /// The default server of `address`.
    pub(super) fn default_at(&self, address: &str) -> Option<usize> {
        self.defaults.get(address).copied()
    }
}

/// An address without what does not tell it apart: any host is the port alone.
fn address(text: &str) -> String {
    if text.starts_with("unix:") {
        return text.to_owned();
    }
    let text = text
        .strip_prefix("*:")
        .or_else(|| text.strip_prefix("0.0.0.0:"))
        .or_else(|| text.strip_prefix("[::]:"))
        .unwrap_or(text);
    if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
        return text.to_owned();
    }
    let host = text.rsplit_once(']').map_or(text, |(_, behind)| behind);
    if matches!(text, "*" | "0.0.0.0" | "[::]") {
        return "80".to_owned();
    }
    if host.contains(':') { text.to_owned() } else { format!("{text}:80") }
}
