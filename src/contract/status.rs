//! What a status says about an answer.

/// Whether nginx's `add_header` without `always` adds its line to an answer of `status`.
pub const fn is_success(status: u16) -> bool {
    matches!(status, 200 | 201 | 204 | 206 | 301..=304 | 307 | 308)
}
