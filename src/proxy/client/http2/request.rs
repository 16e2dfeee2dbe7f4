//! A request that came by HTTP/2, as the head that everything else knows.

use bytes::Bytes;
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, header};

use crate::proxy::fault::RequestFault;
use crate::proxy::http1::{Fields, Head};
use crate::proxy::limits::HEAD_LINES_MAX;

/// The head of a request; `ended` says that no body follows.
pub(super) fn head(parts: &Parts, ended: bool) -> Head {
    match read(parts) {
        Ok((target, fields)) => {
            Head::settled(Bytes::copy_from_slice(parts.method.as_str().as_bytes()), target, fields, ended)
        }
        Err(fault) => Head::refused(fault),
    }
}

fn read(parts: &Parts) -> Result<(Bytes, Fields), RequestFault> {
    if parts.headers.len() > HEAD_LINES_MAX {
        return Err(RequestFault::HeadTooLarge);
    }
    let authority = parts.uri.authority().map(|authority| authority.as_str().as_bytes());
    let mut fields = Fields::default();
    fields.push(b"host", host(authority, &parts.headers)?);
    let cookies: Vec<&[u8]> = parts.headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    for (name, value) in &parts.headers {
        let value = value.as_bytes();
        // RFC 9113 8.2.1: two hops could read it differently.
        if value.trim_ascii() != value {
            return Err(RequestFault::Malformed);
        }
        if name != header::HOST && name != header::COOKIE {
            fields.push(name.as_str().as_bytes(), value);
        }
    }
    // RFC 9113 8.2.3: crumbs are one line to everyone else.
    if !cookies.is_empty() {
        fields.push(b"cookie", &cookies.join(&b"; "[..]));
    }
    Ok((target(parts, authority)?, fields))
}

/// The one host that is asked for.
fn host<'h>(authority: Option<&'h [u8]>, headers: &'h HeaderMap) -> Result<&'h [u8], RequestFault> {
    let mut lines = headers.get_all(header::HOST).iter().map(HeaderValue::as_bytes);
    match (authority, lines.next(), lines.next()) {
        (Some(host), None, None) | (None, Some(host), None) => Ok(host),
        (Some(host), Some(line), None) if line.eq_ignore_ascii_case(host) => Ok(host),
        _ => Err(RequestFault::Malformed),
    }
}

fn target(parts: &Parts, authority: Option<&[u8]>) -> Result<Bytes, RequestFault> {
    // What scheme a client says changes nothing, but it is one of ours.
    if parts.uri.scheme_str().is_some_and(|scheme| scheme != "http" && scheme != "https") {
        return Err(RequestFault::Malformed);
    }
    match parts.uri.path_and_query().map(PathAndQuery::as_str) {
        Some("*") if parts.method != "OPTIONS" => Err(RequestFault::TargetInvalid),
        Some(path) if path == "*" || path.starts_with('/') => Ok(Bytes::copy_from_slice(path.as_bytes())),
        Some(_) => Err(RequestFault::TargetInvalid),
        // CONNECT, which is refused by its method.
        None => Ok(Bytes::copy_from_slice(authority.unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn of(uri: &str, lines: &[(&str, &str)]) -> Head {
        let mut request = Request::builder().method("POST").uri(uri);
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        head(&request.body(()).unwrap().into_parts().0, false)
    }

    fn fault(uri: &str, lines: &[(&str, &str)]) -> Option<RequestFault> {
        of(uri, lines).fault
    }

    #[test]
    fn pseudo_fields_become_a_head() {
        let head = of("http://a.test/b?c=d", &[("x-e", "f"), ("cookie", "g=1"), ("cookie", "h=2")]);
        assert_eq!((head.method(), head.target(), head.fault), (&b"POST"[..], &b"/b?c=d"[..], None));
        let lines: Vec<_> = head.lines().collect();
        assert_eq!(lines, [(&b"host"[..], &b"a.test"[..]), (b"x-e", b"f"), (b"cookie", b"g=1; h=2")]);
    }

    #[test]
    fn what_the_library_lets_through_is_refused() {
        let malformed = Some(RequestFault::Malformed);
        assert_eq!(fault("http://a.test/", &[("host", "A.test")]), None);
        assert_eq!(fault("http://a.test/", &[("host", "b.test")]), malformed);
        assert_eq!(fault("http://a.test/", &[("host", "a.test"), ("host", "a.test")]), malformed);
        assert_eq!(fault("/", &[("host", "a.test"), ("host", "b.test")]), malformed);
        assert_eq!(fault("/", &[]), malformed);
        assert_eq!(fault("ftp://a.test/", &[]), malformed);
        assert_eq!(fault("http://a.test/", &[("x", " a")]), malformed);
        assert_eq!(fault("http://a.test/", &[("x", "a\t")]), malformed);
        assert_eq!(fault("http://a.test/{", &[]), Some(RequestFault::TargetInvalid));
    }
}
