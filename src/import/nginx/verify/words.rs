//! Which directives nginx is given, and how their words are written.

/// Directives that the rules say: an nginx that does not take one of them cannot be asked.
pub(super) const ESSENTIAL: &[&str] = &[
    "server_name",
    "rewrite",
    "return",
    "set",
    "break",
    "if",
    "map",
    "geo",
    "location",
    "limit_except",
    "error_page",
    "internal",
    "try_files",
    "add_header",
    "alias",
    "root",
    "proxy_pass",
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
    "underscores_in_headers",
];

/// What the nginx that is asked does not run, and why: it has other addresses, no files, no TLS, no logs and no time.
pub(super) fn is_omitted(name: &str) -> bool {
    const NAMES: &[&str] = &[
        // Addresses.
        "include",
        "resolver",
        "resolver_timeout",
        "proxy_bind",
        "set_real_ip_from",
        "real_ip_header",
        "real_ip_recursive",
        // Files that would be read or written, and what runs code.
        "auth_basic_user_file",
        "load_module",
        "perl_modules",
        "perl_require",
        "random_index",
        "dav_methods",
        "proxy_store",
        "image_filter",
        "xslt_stylesheet",
        // TLS.
        "ssl",
        // Logs.
        "access_log",
        "error_log",
        "open_log_file_cache",
        "log_subrequest",
        // Time: how long connections are kept and how fast they are.
        "limit_rate",
        "limit_rate_after",
        "proxy_limit_rate",
        "send_timeout",
        "client_body_timeout",
        "client_header_timeout",
        "reset_timedout_connection",
        // The same body in a coding that the client asked for.
        "gunzip",
    ];
    const FAMILIES: &[&str] = &[
        "ssl_",
        "keepalive_",
        "lingering_",
        "gzip",
        "brotli",
        "zstd",
        "http3",
        "quic_",
        "lua_",
        "js_",
        "pagespeed",
        "modsecurity",
        "proxy_cache",
        "fastcgi_cache",
        "uwsgi_cache",
        "scgi_cache",
        "geoip",
    ];
    const ENDINGS: &[&str] = &["_temp_path", "_by_lua", "_by_lua_block", "_by_lua_file", "_certificate", "_crl"];
    NAMES.contains(&name)
        || FAMILIES.iter().any(|family| name.starts_with(family))
        || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Another name for what handles a request: it is an upstream of our own.
pub(super) fn is_handler(name: &str) -> bool {
    matches!(name, "fastcgi_pass" | "uwsgi_pass" | "scgi_pass" | "grpc_pass" | "memcached_pass" | "stub_status")
        || matches!(name, "echo" | "perl" | "js_content" | "flv" | "mp4" | "empty_gif" | "status" | "api")
}

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
