//! What the translation says itself.

/// Name; what to write by hand for a form without translation; whether `--without` may name such a form.
///
/// What holds others and what answers may not be left out: a request would fall through to something else.
pub(super) const ALL: &[(&str, &str, bool)] = &[
    ("http", BLOCK, false),
    ("server", SERVER, true),
    ("location", "write the path as `location PREFIX`, `= PATH`, `~ REGEX`: bytes as `\\xHH` in a regex", false),
    ("if", GUARD, true),
    ("limit_except", "`when not method GET { return 403; }`, or `methods GET;`", false),
    ("upstream", SERVER, false),
    ("keepalive", "`keepalive N;` in the upstream", true),
    ("map", TABLE, false),
    ("geo", TABLE, false),
    ("include", "write what the file holds in its place", false),
    ("listen", "`[listener.NAME]` in proxy.toml", true),
    ("server_name", "`server_name NAME...;`", false),
    ("rewrite", "`rewrite REGEX TARGET;` with a target of `$1`, `$uri`, `$args` and the fields of the request", true),
    ("return", "`return CODE;` or `return CODE URL;` under `when PREDICATE { ... }`", false),
    ("set", "`when PREDICATE { ... }` in place of a variable, or `map $NAME { PREDICATE -> VALUE; }`", true),
    ("break", "`unless break { ... }`", true),
    ("proxy_pass", "`when host = a.test { proxy a; } when host = b.test { proxy b; }`: one `upstream` for each", false),
    ("fastcgi_pass", EXTERNAL, false),
    ("uwsgi_pass", EXTERNAL, false),
    ("scgi_pass", EXTERNAL, false),
    ("grpc_pass", EXTERNAL, false),
    ("memcached_pass", EXTERNAL, false),
    ("error_page", "`error_page CODE... /PATH;` or `error_page CODE... @NAME;`", true),
    ("internal", "`internal;`", false),
    ("try_files", "`when fact NAME yes { proxy files; } goto @NAME;`", false),
    ("add_header", "`add response header NAME VALUE;`, with a value that rules know", true),
    ("proxy_set_header", "`set request header NAME VALUE;`, or `drop request header NAME;`", true),
    ("proxy_hide_header", "`drop response header NAME;`", true),
    ("proxy_pass_header", "leave NAME out of `drop response header ...;`", true),
    ("proxy_redirect", "`proxy_redirect http://app:8080/ /;`: a prefix, and what stands in its place", true),
    ("expires", "`set response header Cache-Control max-age=3600 on success;`", true),
    ("client_max_body_size", "`body forward max=SIZE;`", true),
    ("default_type", "`type TYPE;` beside the `return`", true),
    ("allow", "`when not client in 10.0.0.0/8 { return 403; }`", false),
    ("deny", "`when client in 10.0.0.0/8 { return 403; }`", false),
    ("satisfy", "`when PREDICATE { ... }`", false),
    (
        "auth_basic",
        "`fact auth_basic allowed unauthorized;` and `when fact auth_basic unauthorized { return 401; }`",
        false,
    ),
    ("auth_basic_user_file", "`fact auth_basic allowed unauthorized;`, or `credential` in `plans`", false),
    ("auth_request", "`fact auth allowed unauthorized;` and `when fact auth unauthorized { return 401; }`", false),
    ("merge_slashes", "`merge_slashes off;`", false),
    ("underscores_in_headers", "`underscores on;`", false),
    ("absolute_redirect", "`redirects relative;`", false),
    ("root", FILES, false),
    ("alias", FILES, false),
    ("index", "`when path = / and fact index yes { goto /index.php; }`: each index file that is no plain file", true),
    (
        "hash",
        "`balance hash TEMPLATE;` of `$uri`, `$args`, `$host`, `$remote_addr`, `$http_NAME`, `$cookie_NAME`",
        true,
    ),
    ("least_conn", "`balance least_conn;`", true),
    ("ip_hash", "`balance hash $remote_addr;`", true),
    ("proxy_ssl_verify", "`tls { }`, or `tls { verify off; }`", false),
    ("proxy_ssl_name", "`tls { name NAME; }`", true),
    ("proxy_ssl_server_name", "`tls { sni off; }`", false),
    ("proxy_ssl_protocols", "`tls { versions 1.2 1.3; }`", true),
];

const BLOCK: &str = "write what it holds";
const SERVER: &str =
    "`upstream NAME { server HOST:PORT; }`, or `upstream NAME external;` and `[upstream.NAME]` in proxy.toml";
const GUARD: &str = "`when PREDICATE { ... }`, above any `rewrite`; what only the host knows is a `fact`";
const TABLE: &str = "`map $NAME { PREDICATE -> VALUE; default -> VALUE; }`";
const EXTERNAL: &str = "`upstream NAME external;` and `proxy NAME;`: a server that speaks HTTP in front of it";
const FILES: &str = "`upstream files external;` and `proxy files;`: a file server";
