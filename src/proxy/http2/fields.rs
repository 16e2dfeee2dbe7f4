//! Fields between HTTP/2's library and everything else.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::proxy::http1::Fields;

/// Fields of HTTP/2 as everything else knows them.
pub(in crate::proxy) fn from_headers(headers: &HeaderMap) -> Fields {
    let mut fields = Fields::default();
    for (name, value) in headers {
        fields.push(name.as_str().as_bytes(), value.as_bytes());
    }
    fields
}

/// Fields as HTTP/2 sends them. One that it cannot send was refused when it came.
pub(in crate::proxy) fn to_headers<'f>(fields: impl Iterator<Item = (&'f [u8], &'f [u8])>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    headers
}
