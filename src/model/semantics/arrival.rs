//! Steps 1 and 2: from the request to a service and a path.

use super::omission::{Seen, seen};
use super::request::Request;
use super::service::{Name, choose, is_reachable, read_host};
use super::target::{self, Target};
use super::{Regexes, octets};
use crate::contract::{Caller, Refusal};
use crate::model::{Policy, Service, ServiceId};

/// A request that has found its service and path.
#[derive(Debug)]
pub(super) struct Arrival<'p> {
    pub(super) service_id: ServiceId,
    pub(super) service: &'p Service,
    /// The name that took the host, with its captures; None for the default service.
    pub(super) name: Option<Name<'p>>,
    /// Lower case, without port and final dot.
    pub(super) host: Vec<u8>,
    pub(super) target: Target,
    /// None: not looked up yet.
    pub(super) caller: Option<Caller>,
}

/// A request that has not.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) service: Option<ServiceId>,
    pub(super) refusal: Refusal,
}

/// Where `request` arrives, and what of it is seen there.
pub(super) fn arrive<'p>(
    policy: &'p Policy,
    request: Request,
    regexes: &dyn Regexes,
) -> Result<(Arrival<'p>, Seen), Refused> {
    let refused = |refusal| Refused { service: None, refusal };
    let host = head(&request).map_err(refused)?;
    let services = (0..).map(ServiceId).zip(&policy.services);
    let reachable = services.filter(|(_, service)| is_reachable(service, request.listener.as_deref()));
    let (service_id, name) =
        choose(&reachable.collect::<Vec<_>>(), &host, regexes).ok_or(refused(Refusal::Misdirected))?;
    let refused = |refusal| Refused { service: Some(service_id), refusal };
    let service = policy.services.get(service_id.0 as usize).ok_or(refused(Refusal::Misdirected))?;
    let seen = seen(policy, service, request).map_err(refused)?;
    let request = &seen.request;
    let target = target::read(&request.target, service.merge_slashes).ok_or(refused(Refusal::TargetInvalid))?;
    if service.strict_paths && target::is_ambiguous(&target.raw_path, service.path_parameters) {
        return Err(refused(Refusal::PathAmbiguous));
    }
    let caller = request.plan.as_deref().map(|plan| caller(policy, service, plan));
    Ok((Arrival { service_id, service, name, host, target, caller }, seen))
}

/// Checks method and Host, and gives the host that counts.
fn head(request: &Request) -> Result<Vec<u8>, Refusal> {
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let method = &request.method;
    if method.is_empty() || !method.iter().all(is_token) || method.iter().any(u8::is_ascii_lowercase) {
        return Err(Refusal::MethodInvalid);
    }
    let mut lines = request.lines(b"host");
    let (Some(line), None) = (lines.next(), lines.next()) else { return Err(Refusal::HostInvalid) };
    let host = read_host(line).ok_or(Refusal::HostInvalid)?;
    if matches!(method.as_slice(), b"CONNECT" | b"TRACE") {
        return Err(Refusal::MethodUnsupported);
    }
    match target::absolute_form(&request.target) {
        // nginx knows fewer bytes in the host of a target than in a Host.
        Some((authority, _)) => read_host(authority)
            .filter(|host| {
                host.starts_with(b"[") || host.iter().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(byte))
            })
            .ok_or(Refusal::TargetInvalid),
        None => Ok(host),
    }
}

fn caller(policy: &Policy, service: &Service, plan: &str) -> Caller {
    match plan {
        "?missing" => return Caller::Missing,
        "?failed" => return Caller::Failed,
        _ => {}
    }
    let source = service.plans.and_then(|source| policy.plan_sources.get(source.0 as usize));
    let index = source.and_then(|source| source.plans.iter().position(|own| octets(own) == octets(plan)));
    index.and_then(|index| u16::try_from(index).ok()).map_or(Caller::Unknown, Caller::Plan)
}
