//! Which directives nginx is given, and how their words are written.

/// Settings that servers take over from `http`; each list as a whole.
pub(super) const PUSHED: &[&[&str]] = &[
    &["add_header"],
    &["proxy_set_header"],
    &["proxy_hide_header"],
    &["proxy_pass_header"],
    &["proxy_redirect"],
    &["error_page"],
    &["allow", "deny"],
    &["satisfy"],
    &["auth_basic"],
    &["auth_request"],
    &["expires"],
    &["client_max_body_size"],
    &["absolute_redirect"],
    &["default_type"],
    &["underscores_in_headers"],
    &["ignore_invalid_headers"],
    &["merge_slashes"],
    &["recursive_error_pages"],
];

/// Statements that are given to nginx as they stand.
pub(super) const KEPT: &[&str] = &[
    "server_name",
    "rewrite",
    "return",
    "set",
    "break",
    "error_page",
    "internal",
    "try_files",
    "add_header",
    "proxy_set_header",
    "proxy_hide_header",
    "proxy_pass_header",
    "proxy_redirect",
    "expires",
    "client_max_body_size",
    "allow",
    "deny",
    "satisfy",
    "auth_basic",
    "auth_request",
    "merge_slashes",
    "absolute_redirect",
    "default_type",
    "underscores_in_headers",
    "ignore_invalid_headers",
    "recursive_error_pages",
];

/// `text` as one word for nginx.
pub(super) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/_-.=~*^:@,+<>[]|?&%!".contains(c);
    let begins_plain = text.starts_with(|c: char| c != '"');
    if !text.is_empty() && begins_plain && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// `text` with what our sockets cannot say by themselves; `port` is the server's.
pub(super) fn replaced(text: &str, port: Option<&str>) -> String {
    let mut text = text.to_owned();
    let port = port.unwrap_or("80");
    for (name, own) in [("scheme", "${rulec_scheme}"), ("https", "${rulec_https}"), ("server_port", port)] {
        text = text.replace(&format!("${{{name}}}"), own);
        let parts: Vec<&str> = text.split(&format!("${name}")).collect();
        let mut whole = String::new();
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                let goes_on = part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
                whole.push_str(if goes_on { "" } else { own });
                if goes_on {
                    whole.push('$');
                    whole.push_str(name);
                }
            }
            whole.push_str(part);
        }
        text = whole;
    }
    text
}
