//! `Forwarded` (RFC 7239), read and written.

use core::net::IpAddr;
use std::borrow::Cow;

use crate::proxy::http1::is_token;

/// What one hop added.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element<'v> {
    /// `for`
    pub(super) client: Option<Cow<'v, [u8]>>,
    /// `proto`
    pub(super) scheme: Option<Cow<'v, [u8]>>,
    /// `host`
    pub(super) host: Option<Cow<'v, [u8]>>,
}

/// The elements of a line in order; None where it is not well-formed.
pub(super) fn elements(value: &[u8]) -> Option<Vec<Element<'_>>> {
    let mut elements = Vec::new();
    let mut element = Element::default();
    let mut rest = value.trim_ascii();
    while !rest.is_empty() {
        let (pair, after) = pair(rest)?;
        if let Some((name, value)) = pair {
            let place = match name.to_ascii_lowercase().as_slice() {
                b"for" => Some(&mut element.client),
                b"proto" => Some(&mut element.scheme),
                b"host" => Some(&mut element.host),
                _ => None,
            };
            if let Some(place) = place {
                // Twice in one element: whoever wrote it did not mean one of them.
                if place.replace(value).is_some() {
                    return None;
                }
            }
        }
        rest = match after.split_first() {
            None => b"",
            Some((b';', after)) => after.trim_ascii_start(),
            Some((b',', after)) => {
                elements.push(core::mem::take(&mut element));
                after.trim_ascii_start()
            }
            Some(_) => return None,
        };
    }
    if element != Element::default() {
        elements.push(element);
    }
    Some(elements)
}

type Pair<'v> = (&'v [u8], Cow<'v, [u8]>);

/// `name=token` or `name="text"`, and what is behind it; nothing between two separators is fine.
fn pair(text: &[u8]) -> Option<(Option<Pair<'_>>, &[u8])> {
    if matches!(text.first(), Some(b';' | b',')) {
        return Some((None, text));
    }
    let at = text.iter().position(|&octet| octet == b'=')?;
    let (name, value) = (text.get(..at)?, text.get(at + 1..)?);
    if name.is_empty() || !name.iter().copied().all(is_token) {
        return None;
    }
    let (value, after) = if let Some(quoted) = value.strip_prefix(b"\"") { unquote(quoted)? } else { bare(value)? };
    Some((Some((name, value)), after.trim_ascii_start()))
}

/// Until the next separator. Colons and brackets belong into quotes; many write them bare.
fn bare(text: &[u8]) -> Option<(Cow<'_, [u8]>, &[u8])> {
    let end = text.iter().position(|octet| b";, \t".contains(octet)).unwrap_or(text.len());
    let (value, after) = text.split_at_checked(end)?;
    let is_plain = !value.is_empty() && value.iter().all(|octet| octet.is_ascii_graphic() && *octet != b'"');
    is_plain.then_some((Cow::Borrowed(value), after))
}

fn unquote(text: &[u8]) -> Option<(Cow<'_, [u8]>, &[u8])> {
    let end = text.iter().position(|&octet| octet == b'"' || octet == b'\\')?;
    let (value, after) = text.split_at_checked(end)?;
    if let Some(after) = after.strip_prefix(b"\"") {
        return Some((Cow::Borrowed(value), after));
    }
    let mut value = value.to_vec();
    let mut rest = after;
    loop {
        match rest {
            [b'"', after @ ..] => return Some((Cow::Owned(value), after)),
            [b'\\', octet, after @ ..] | [octet, after @ ..] => {
                value.push(*octet);
                rest = after;
            }
            [] => return None,
        }
    }
}

/// The element that tells the next hop of this one's client.
pub(super) fn element(peer: IpAddr, host: Option<&[u8]>, scheme: &str) -> Vec<u8> {
    let mut out = match peer {
        IpAddr::V4(address) => format!("for={address}"),
        IpAddr::V6(address) => format!("for=\"[{address}]\""),
    }
    .into_bytes();
    if let Some(host) = host {
        out.extend_from_slice(b";host=\"");
        for &octet in host {
            if matches!(octet, b'"' | b'\\') {
                out.push(b'\\');
            }
            out.push(octet);
        }
        out.push(b'"');
    }
    out.extend_from_slice(format!(";proto={scheme}").as_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expect: &[[&str; 3]]) {
        let text = |value: &Option<Cow<'_, [u8]>>| String::from_utf8(value.clone().unwrap_or_default().into()).unwrap();
        let elements = elements(value.as_bytes()).unwrap_or_else(|| panic!("{value}"));
        let got: Vec<_> = elements.iter().map(|e| [text(&e.client), text(&e.scheme), text(&e.host)]).collect();
        assert_eq!(got, expect, "{value}");
    }

    #[test]
    fn elements_are_read_as_the_standard_writes_them() {
        check("for=192.0.2.43", &[["192.0.2.43", "", ""]]);
        check("For=\"[2001:db8:cafe::17]:4711\"", &[["[2001:db8:cafe::17]:4711", "", ""]]);
        check("for=192.0.2.60;proto=http;by=203.0.113.43", &[["192.0.2.60", "http", ""]]);
        check("for=192.0.2.43, for=198.51.100.17", &[["192.0.2.43", "", ""], ["198.51.100.17", "", ""]]);
        check("for=_hidden;host=\"a,b;c=\\\"d\";proto=https", &[["_hidden", "https", "a,b;c=\"d"]]);
        check("for=unknown ; secret=x , proto=https", &[["unknown", "", ""], ["", "https", ""]]);
        check("", &[]);
        for value in ["for", "for=", "for=\"a", "for=a b", "=a", "f r=a", "for=a;for=b", "for=\"a\"b"] {
            assert_eq!(elements(value.as_bytes()), None, "{value}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let written = element("2001:db8::1".parse().unwrap(), Some(b"a\"\\:1"), "https");
        let elements = elements(&written).unwrap();
        assert_eq!(elements[0].client.as_deref(), Some(&b"[2001:db8::1]"[..]));
        assert_eq!(elements[0].host.as_deref(), Some(&b"a\"\\:1"[..]));
        assert_eq!(elements[0].scheme.as_deref(), Some(&b"https"[..]));
    }
}
