//! The request as bytes.

use super::octets;
use super::omission::plain;
use crate::contract::manifest::Fact;
use crate::model::{Policy, RequestRecord, ServerNameKind};
use core::net::IpAddr;

/// What [`RequestRecord`] says, its Host among the headers.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: Vec<u8>,
    pub(super) scheme: Vec<u8>,
    pub(super) target: Vec<u8>,
    /// (name as sent, value without surrounding blanks)
    pub(super) headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) body: u64,
    pub(super) client: IpAddr,
    pub(super) listener: Option<Vec<u8>>,
    pub(super) port: Option<u16>,
    pub(super) plan: Option<String>,
    /// Index of the value, by fact; None: not said.
    pub(super) facts: Vec<Option<u16>>,
    pub(super) fault: Option<u16>,
}

impl Request {
    pub(super) fn new(policy: &Policy, record: &RequestRecord) -> Self {
        Self {
            method: octets(&record.method),
            scheme: octets(&record.scheme),
            target: octets(&record.target),
            headers: headers(policy, record),
            body: record.body,
            client: record.client.to_canonical(),
            listener: record.listener.as_deref().map(octets),
            port: record.port,
            plan: record.plan.clone(),
            facts: policy.facts.iter().map(|fact| value_of(fact, record)).collect(),
            fault: record.fault,
        }
    }

    pub(super) fn is_https(&self) -> bool {
        self.scheme == b"https"
    }

    /// The lines of header `name`, in order.
    pub(super) fn lines<'r>(&'r self, name: &'r [u8]) -> impl Iterator<Item = &'r [u8]> {
        let own = self.headers.iter().filter(move |(own, _)| own.eq_ignore_ascii_case(name));
        own.map(|(_, value)| value.as_slice())
    }

    /// The lines of the credential `name`, in order.
    pub(super) fn lines_of(&self, name: &str) -> Vec<&[u8]> {
        let name = plain(name.as_bytes());
        self.headers.iter().filter(|(own, _)| *own == name).map(|(_, value)| value.as_slice()).collect()
    }

    /// All lines of header `name` as one string; None if there is none.
    pub(super) fn header(&self, name: &[u8]) -> Option<Vec<u8>> {
        let separator: &[u8] = if name.eq_ignore_ascii_case(b"cookie") { b"; " } else { b", " };
        let lines: Vec<&[u8]> = self.lines(name).collect();
        (!lines.is_empty()).then(|| lines.join(separator))
    }
}

fn value_of(fact: &Fact, record: &RequestRecord) -> Option<u16> {
    let said = record.facts.get(&fact.name)?;
    let index = fact.values.iter().position(|value| value == said)?;
    u16::try_from(index).ok()
}

/// A `host` that is said replaces every Host; unsaid it falls back to those, then to the first service's exact name.
fn headers(policy: &Policy, record: &RequestRecord) -> Vec<(Vec<u8>, Vec<u8>)> {
    let is_host = |name: &str| name.eq_ignore_ascii_case("host");
    let mut lines: Vec<(&str, &str)> =
        record.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    if let Some(host) = &record.host {
        lines.retain(|(name, _)| !is_host(name));
        lines.insert(0, ("Host", host));
    } else if !lines.iter().any(|(name, _)| is_host(name))
        && let Some(host) = first_name(policy)
    {
        lines.insert(0, ("Host", host));
    }
    lines.into_iter().map(|(name, value)| (octets(name), octets(value.trim_matches([' ', '\t'])))).collect()
}

fn first_name(policy: &Policy) -> Option<&str> {
    policy.services.first()?.names.iter().find_map(|name| match &name.kind {
        ServerNameKind::Exact(exact) => Some(exact.as_str()),
        _ => None,
    })
}
