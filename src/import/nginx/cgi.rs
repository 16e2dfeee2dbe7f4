//! Parameters of `FastCGI`, uwsgi and SCGI: those that every server in front of such an application makes of a request.

use super::tree::Directive;

/// Name and value, as the files that distributions ship have them; several values stand for one thing.
const STANDARD: &[(&str, &[&str])] = &[
    ("QUERY_STRING", &["$query_string", "$args"]),
    ("REQUEST_METHOD", &["$request_method"]),
    ("CONTENT_TYPE", &["$content_type"]),
    ("CONTENT_LENGTH", &["$content_length"]),
    (
        "SCRIPT_FILENAME",
        &[
            "$document_root$fastcgi_script_name",
            "$realpath_root$fastcgi_script_name",
            "$request_filename",
            "$document_root/$fastcgi_script_name",
        ],
    ),
    ("SCRIPT_NAME", &["$fastcgi_script_name", "$document_uri", "$uri"]),
    ("PATH_INFO", &["$fastcgi_path_info", "$document_uri", "$uri", "$path_info"]),
    ("PATH_TRANSLATED", &["$document_root$fastcgi_path_info", "$document_root$path_info"]),
    ("REQUEST_URI", &["$request_uri"]),
    ("DOCUMENT_URI", &["$document_uri", "$uri"]),
    ("DOCUMENT_ROOT", &["$document_root", "$realpath_root"]),
    ("SERVER_PROTOCOL", &["$server_protocol"]),
    ("REQUEST_SCHEME", &["$scheme"]),
    ("HTTPS", &["$https", "$https if_not_empty"]),
    ("GATEWAY_INTERFACE", &["CGI/1.1"]),
    ("SERVER_SOFTWARE", &["nginx/$nginx_version", "nginx"]),
    ("REMOTE_ADDR", &["$remote_addr"]),
    ("REMOTE_PORT", &["$remote_port"]),
    ("SERVER_ADDR", &["$server_addr"]),
    ("SERVER_PORT", &["$server_port"]),
    ("SERVER_NAME", &["$server_name", "$host"]),
    ("REDIRECT_STATUS", &["200"]),
];

/// Whether `directive` says what such a server makes of a request by itself.
pub(super) fn is_standard(directive: &Directive) -> bool {
    if !directive.name().ends_with("_param") {
        return false;
    }
    let (name, values) = match directive.args.split_first() {
        Some((name, values)) => (name.text.as_str(), values),
        None => return false,
    };
    let values: Vec<&str> = values.iter().map(|word| word.text.as_str()).collect();
    let value = values.join(" ");
    STANDARD.iter().any(|(own, known)| *own == name && known.contains(&value.as_str()))
}

/// Whether `directive` hides a field of the request from the application.
pub(super) fn is_empty(directive: &Directive) -> bool {
    let is_nothing = matches!(directive.args.as_slice(), [_, value] if value.text.is_empty());
    directive.name().ends_with("_param") && is_nothing && field(directive.arg(0)).is_some()
}

/// The field of a request that an application would take for the parameter `name`.
pub(super) fn field(name: &str) -> Option<String> {
    let field = match name {
        "CONTENT_TYPE" => "Content-Type",
        name => name.strip_prefix("HTTP_").filter(|field| !field.is_empty())?,
    };
    Some(super::variable::header_name(&field.to_ascii_lowercase().replace('-', "_")))
}

/// The fields that a directive of the headers-more module sets or clears.
pub(super) fn fields_of_more(directive: &Directive) -> Vec<String> {
    let mut fields = Vec::new();
    let mut words = directive.args.iter();
    while let Some(word) = words.next() {
        match word.text.as_str() {
            // A list of statuses or types follows.
            "-s" | "-t" => {
                words.next();
            }
            text if text.starts_with('-') => {}
            text => fields.extend(text.split(':').next().map(|name| name.trim().to_owned())),
        }
    }
    fields
}
