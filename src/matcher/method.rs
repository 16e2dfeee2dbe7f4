//! Request methods.

/// What is allowed where no location was asked: everything but CONNECT and TRACE.
pub(super) const ALLOW_ALL: &[u8] = b"DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT";

/// What an error page makes of a method that is not HEAD.
pub(super) const GET: &[u8] = b"GET";

/// Whether `method` is a token (RFC 9110 section 5.6.2) without lower-case letters, as nginx wants it.
pub(super) fn is_valid(method: &[u8]) -> bool {
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    matches!(method, b"GET" | b"POST" | b"PUT" | b"HEAD")
        || !method.is_empty() && method.iter().all(|byte| is_token(byte) && !byte.is_ascii_lowercase())
}

/// Whether the list `allow`, such as `GET, HEAD`, holds `method`.
pub(super) fn is_allowed(allow: &[u8], method: &[u8]) -> bool {
    allow.split(|byte| *byte == b',').any(|one| one.strip_prefix(b" ").unwrap_or(one) == method)
}

/// Whether a body is forwarded (up to 1m) where the rules say nothing.
pub(super) fn forwards_body(method: &[u8]) -> bool {
    !matches!(method, b"GET" | b"HEAD" | b"DELETE" | b"OPTIONS")
}
