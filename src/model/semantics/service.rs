//! Which service takes a host (nginx: `server_name`).

use super::{Regexes, octets};
use crate::model::{Pattern, ServerNameKind, Service, ServiceId};
use core::ops::Range;

/// The regex that took a host.
#[derive(Debug)]
pub(super) struct Name<'p> {
    pub(super) pattern: &'p Pattern,
    pub(super) groups: Vec<Option<Range<usize>>>,
}

/// The host in a Host field or an authority: lower case, without port and one final dot; None where it is invalid.
///
/// Unreserved bytes, sub-delims and `%` of RFC 3986, as nginx has checked since 1.29; an IPv6 address in brackets.
pub(super) fn read_host(field: &[u8]) -> Option<Vec<u8>> {
    let is_name_byte = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(byte);
    let is_literal = field.first() == Some(&b'[');
    let end = if is_literal {
        field.iter().position(|byte| *byte == b']')? + 1
    } else {
        field.iter().position(|byte| *byte == b':').unwrap_or(field.len())
    };
    let (host, port) = field.split_at_checked(end)?;
    let bytes_fit = if is_literal {
        let inner = host.get(1..host.len() - 1)?;
        inner.iter().all(|byte| is_name_byte(byte) || *byte == b':')
    } else {
        host.iter().all(|byte| is_name_byte(byte) || *byte == b'%')
    };
    let has_empty_label = host.windows(2).any(|pair| pair == b"..");
    let host = host.strip_suffix(b".").unwrap_or(host);
    let is_valid = bytes_fit && !has_empty_label && !host.is_empty() && is_port(port);
    is_valid.then(|| host.to_ascii_lowercase())
}

/// Nothing, or a colon and a number below 65536, or a colon alone.
fn is_port(port: &[u8]) -> bool {
    let Some(digits) = port.strip_prefix(b":") else { return port.is_empty() };
    let number =
        digits.iter().fold(0u64, |number, digit| (number * 10 + u64::from(digit.wrapping_sub(b'0'))).min(65_536));
    digits.iter().all(u8::is_ascii_digit) && number < 65_536
}

/// Whether requests of `listener` may be for `service`.
pub(super) fn is_reachable(service: &Service, listener: Option<&[u8]>) -> bool {
    let named = |listener: &[u8]| service.listeners.iter().any(|own| octets(own) == listener);
    service.listeners.is_empty() || listener.is_none_or(named)
}

/// The service that takes `host`: by its exact name, by the longest leading, by the longest trailing wildcard, by the
/// first regex, or by default.
pub(super) fn choose<'p>(
    services: &[(ServiceId, &'p Service)],
    host: &[u8],
    regexes: &dyn Regexes,
) -> Option<(ServiceId, Option<Name<'p>>)> {
    let names = || services.iter().flat_map(|(id, service)| service.names.iter().map(move |name| (*id, &name.kind)));
    let exact = names().find(|(_, kind)| matches!(kind, ServerNameKind::Exact(name) if octets(name) == host));
    if let Some((id, _)) = exact {
        return Some((id, None));
    }
    let leading = names().filter_map(|(id, kind)| match kind {
        ServerNameKind::Leading(end) if is_longer(host, end) && host.ends_with(&octets(end)) => Some((end.len(), id)),
        _ => None,
    });
    let trailing = names().filter_map(|(id, kind)| match kind {
        ServerNameKind::Trailing(start) if is_longer(host, start) && host.starts_with(&octets(start)) => {
            Some((start.len(), id))
        }
        _ => None,
    });
    if let Some((_, id)) = longest(leading).or_else(|| longest(trailing)) {
        return Some((id, None));
    }
    let by_regex = names().find_map(|(id, kind)| match kind {
        ServerNameKind::Regex(pattern) => {
            regexes.captures(pattern, host).map(|groups| (id, Some(Name { pattern, groups })))
        }
        _ => None,
    });
    by_regex.or_else(|| services.iter().find(|(_, service)| service.default).map(|(id, _)| (*id, None)))
}

fn is_longer(host: &[u8], literal: &str) -> bool {
    host.len() > octets(literal).len()
}

/// The first of the longest.
fn longest(found: impl Iterator<Item = (usize, ServiceId)>) -> Option<(usize, ServiceId)> {
    found.fold(None, |best, next| match best {
        Some((length, _)) if length >= next.0 => best,
        _ => Some(next),
    })
}
