//! The head of a request for HTTP/2, from the one that HTTP/1 would send.

use bytes::Bytes;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderName, HeaderValue, Method, Request, Uri, header};

use crate::proxy::limits::HEAD_LINES_MAX;

/// Lines that are about HTTP/1.
const LEFT_OUT: [HeaderName; 5] =
    [header::HOST, header::CONNECTION, header::TRANSFER_ENCODING, header::UPGRADE, header::TE];

/// None where HTTP/2's library would not send it: a target with octets that RFC 3986 does not know.
pub(super) fn request(head: &Bytes, is_tls: bool) -> Option<Request<()>> {
    // The rules may add some.
    let mut storage = [httparse::EMPTY_HEADER; 2 * HEAD_LINES_MAX];
    let mut parsed = httparse::Request::new(&mut storage);
    parsed.parse(head).ok()?;
    let mut request = Request::new(());
    *request.method_mut() = Method::from_bytes(parsed.method?.as_bytes()).ok()?;
    let mut host = None;
    let headers = request.headers_mut();
    headers.reserve(parsed.headers.len());
    for line in parsed.headers.iter() {
        let name = HeaderName::from_bytes(line.name.as_bytes()).ok()?;
        let value = head.slice_ref(line.value);
        if name == header::HOST {
            host = Some(value);
        } else if !LEFT_OUT.contains(&name) {
            headers.append(name, HeaderValue::from_maybe_shared(value).ok()?);
        }
    }
    // We hand on whatever follows a body, and gRPC wants to know.
    headers.insert(header::TE, HeaderValue::from_static("trailers"));
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(if is_tls { Scheme::HTTPS } else { Scheme::HTTP });
    parts.authority = Some(Authority::from_maybe_shared(host?).ok()?);
    parts.path_and_query = Some(PathAndQuery::from_maybe_shared(head.slice_ref(parsed.path?.as_bytes())).ok()?);
    *request.uri_mut() = Uri::from_parts(parts).ok()?;
    Some(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_carried_over() {
        let head = "POST /a?b HTTP/1.1\r\nHost: c.test:81\r\nX-D:  e\r\nx-d: f\r\nTransfer-Encoding: chunked\r\n\r\n";
        let request = request(&Bytes::from_static(head.as_bytes()), true).unwrap();
        assert_eq!(request.uri().to_string(), "https://c.test:81/a?b");
        let lines: Vec<_> = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        assert_eq!(lines, [("x-d", &b"e"[..]), ("x-d", b"f"), ("te", b"trailers")]);
    }
}
