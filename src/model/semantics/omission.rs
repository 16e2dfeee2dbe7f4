//! Lines of a request that no rule sees, and no upstream either.

use super::request::Request;
use crate::contract::Refusal;
use crate::contract::field_name::{HOP_BY_HOP, is_protected};
use crate::contract::manifest::CredentialKind;
use crate::model::{Policy, Service};

/// Fields that the Connection lines of a request may name.
const CONNECTION_NAMES_MAX: usize = 32;

/// A request as rules see it: names of headers are plain, and lines that nobody is to see are gone.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) request: Request,
    /// Names of the lines that are gone, as they were sent.
    pub(super) omitted: Vec<Vec<u8>>,
}

/// `request` as the rules of its service see it.
pub(super) fn seen(policy: &Policy, service: &Service, request: Request) -> Result<Seen, Refusal> {
    let named = named_by_connection(&request);
    let plans = service.plans.and_then(|plans| policy.plan_sources.get(plans.0 as usize));
    let credentials = plans.map_or(&[][..], |source| &source.credentials).iter();
    let credentials = credentials.filter(|credential| credential.kind == CredentialKind::Header);
    let is_credential = |name: &[u8]| credentials.clone().any(|credential| plain(credential.name.as_bytes()) == name);
    if named.len() > CONNECTION_NAMES_MAX
        || named.iter().any(|name| is_protected(name))
        || named.iter().map(Vec::as_slice).any(is_credential)
    {
        return Err(Refusal::ConnectionNamesField);
    }
    let is_kept = |name: &[u8]| is_kept(service, name) && !named.contains(&plain(name));
    let (kept, omitted): (Vec<_>, Vec<_>) = request.headers.into_iter().partition(|(name, _)| is_kept(name));
    let headers = kept.into_iter().map(|(name, value)| (plain(&name), value)).collect();
    let omitted = omitted.into_iter().map(|(name, _)| name).collect();
    Ok(Seen { request: Request { headers, ..request }, omitted })
}

/// `name` in its plain spelling.
pub(super) fn plain(name: &[u8]) -> Vec<u8> {
    let letter = |byte: &u8| if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' };
    name.iter().map(letter).collect()
}

/// Whether the service has a use for the spelling `name`.
fn is_kept(service: &Service, name: &[u8]) -> bool {
    let is_made_of = |also: &[u8]| name.iter().all(|byte| byte.is_ascii_alphanumeric() || also.contains(byte));
    let is_known = || service.kept_names.iter().any(|kept| kept.as_bytes() == plain(name));
    is_made_of(b"-") || service.underscores && is_made_of(b"-_") || is_known()
}

/// The fields that Connection lines name, in their plain spelling.
fn named_by_connection(request: &Request) -> Vec<Vec<u8>> {
    let lines = request.lines(b"connection");
    let members = lines.flat_map(|line| line.split(|byte| *byte == b',')).map(|member| plain(member.trim_ascii()));
    let is_of_connection = |name: &[u8]| name == b"close" || HOP_BY_HOP.iter().any(|own| own.as_bytes() == name);
    members.filter(|name| !name.is_empty() && !is_of_connection(name)).collect()
}
