//! What decides and has no translation: what becomes of requests without it, and what to write by hand.

use super::Harmless::{First, Has, Never, Words};
use super::{Decides, Harmless, row};

/// The names that stand alone; those of modules that pass requests on are in `family`.
pub(super) const ALL: &[(&str, Decides)] = &[
    // Who may pass.
    row("limit_req", Never, "requests beyond the rate are let in", "`limit 10/s burst=20 per client;`"),
    row("limit_conn", Never, "connections beyond the number are let in", "`limit 10/s burst=20 per client;`"),
    row("limit_zone", Never, "connections beyond the number are let in", "`limit 10/s burst=20 per client;`"),
    row(
        "auth_jwt",
        OFF,
        "requests without a valid token are let in",
        "`plans NAME;`, and `jwt` under `[plans.NAME]` in proxy.toml",
    ),
    row("auth_jwt_require", Never, "tokens without these claims are let in", "`require plan NAME;`"),
    row("auth_pam", OFF, "whoever is not logged in is let in", FACT),
    row("auth_ldap", OFF, "whoever is not logged in is let in", FACT),
    row("auth_gss", OFF, "whoever is not logged in is let in", FACT),
    row("auth_digest", OFF, "whoever is not logged in is let in", FACT),
    row("auth_oidc", OFF, "whoever is not logged in is let in", FACT),
    row(
        "ssl_verify_client",
        OFF,
        "clients without a certificate are let in",
        "`client_certificates = { ca = \"ca.pem\" }` under `[listener.NAME]` in proxy.toml",
    ),
    row(
        "ssl_ocsp",
        OFF,
        "clients whose certificate is revoked are let in",
        "`client_certificates` with an authority of short-lived certificates",
    ),
    row(
        "ssl_reject_handshake",
        OFF,
        "connections for unknown names get a certificate and an answer",
        "no service marked `default`: unknown hosts are 421",
    ),
    row(
        "ssl_protocols",
        Has(&["TLSv1.2"]),
        "clients that speak TLS 1.2 are let in",
        "`tls_versions = [\"1.3\"]` under `[listener.NAME]` in proxy.toml",
    ),
    row(
        "ssl_conf_command",
        First(&["Ciphersuites", "CipherString", "Curves", "Groups", "Options"]),
        "TLS with clients is not restricted so",
        "`tls_versions` and `client_certificates` under `[listener.NAME]` in proxy.toml",
    ),
    row(
        "set_real_ip_from",
        Never,
        "the client's address is that of the proxy before, for `allow`, `deny` and what is sent on",
        "`trusted = [\"10.0.0.0/8\"]` under `[listener.NAME]` in proxy.toml",
    ),
    row("modsecurity", OFF, "requests that its rules refuse are let in", "`when PREDICATE { return 403; }`"),
    row("ModSecurityEnabled", OFF, "requests that its rules refuse are let in", "`when PREDICATE { return 403; }`"),
    row("SecRulesEnabled", Never, "requests that its rules refuse are let in", "`when PREDICATE { return 403; }`"),
    row(
        "ignore_invalid_headers",
        Words(&["on"]),
        "fields with other bytes than letters, digits and `-` are dropped",
        "no rule: such fields never reach an upstream",
    ),
    row(
        "large_client_header_buffers",
        Words(&["4 8k"]),
        "heads are bounded otherwise: 431 and 414 come at other sizes",
        "no rule: docs/limits.md has the bounds",
    ),
    row("max_headers", Never, "requests with more fields are let in", "no rule: docs/limits.md has the bounds"),
    row(
        "disable_symlinks",
        OFF,
        "files behind symbolic links are served",
        "the setting of the file server behind `upstream files external;`",
    ),
    // Other bodies, copies, statuses and fields.
    row("add_trailer", Never, "the trailer is not sent", "`add response header NAME VALUE;`"),
    row(
        "charset",
        OFF,
        "`Content-Type` does not name the character set",
        "`set response header Content-Type \"text/html; charset=utf-8\";`",
    ),
    row("userid", OFF, "the cookie is not set", "`add response header Set-Cookie \"uid=$request_id\";`"),
    row("ssi", OFF, BODY, UPSTREAM_BODY),
    row("sub_filter", Never, BODY, UPSTREAM_BODY),
    row("subs_filter", Never, BODY, UPSTREAM_BODY),
    row("add_before_body", Words(&[""]), BODY, UPSTREAM_BODY),
    row("add_after_body", Words(&[""]), BODY, UPSTREAM_BODY),
    row("xslt_stylesheet", Never, BODY, UPSTREAM_BODY),
    row("image_filter", OFF, BODY, UPSTREAM_BODY),
    row("pagespeed", OFF, BODY, UPSTREAM_BODY),
    row("slice", Words(&["0"]), "the whole answer is asked for at once", "no rule: a cache in front of the upstream"),
    row("mirror", OFF, "no copy of a request is sent", "no rule: a mirror in front of the upstream"),
    row(
        "post_action",
        OFF,
        "no second request is made behind an answer",
        "no rule: the access log tells what was answered",
    ),
    row("client_body_in_file_only", OFF, "no copy of a body is kept", "no rule: the upstream keeps it"),
    row(
        "recursive_error_pages",
        OFF,
        "an error page's own error has no page",
        "`error_page` with a page that answers by itself",
    ),
    row(
        "port_in_redirect",
        ON,
        "redirects carry the port of the listener",
        "`return 301 https://$host$request_uri;`: the whole URL",
    ),
    row(
        "server_name_in_redirect",
        OFF,
        "redirects go to the host of the request",
        "`return 301 https://www.example.com$request_uri;`: the whole URL",
    ),
    row("msie_refresh", OFF, "old browsers get a redirect", "`return 200 \"<meta http-equiv=refresh ...>\";`"),
    // What answers by itself.
    row("stub_status", Never, HANDLER, STATUS),
    row("status", Never, HANDLER, STATUS),
    row("api", Never, HANDLER, STATUS),
    row("upstream_conf", Never, HANDLER, "servers in `[upstream.NAME]` of proxy.toml, which is watched"),
    row("vhost_traffic_status_display", Never, HANDLER, STATUS),
    row("empty_gif", Never, HANDLER, "`proxy NAME;` to an upstream that has the picture"),
    row("dav_methods", OFF, "nothing is written", FILES),
    row("dav_ext_methods", OFF, "nothing is written", FILES),
    row("autoindex", OFF, "folders are not listed", FILES),
    row("fancyindex", OFF, "folders are not listed", FILES),
    row("random_index", OFF, "no file of a folder is chosen", FILES),
    row("flv", Never, "films do not begin in their middle", FILES),
    row("mp4", Never, "films do not begin in their middle", FILES),
    row("hls", Never, "films are not cut into pieces", FILES),
    row("f4fhds", Never, "films are not cut into pieces", FILES),
    // Upstreams.
    row(
        "health_check",
        Never,
        "servers that fail the check get requests",
        "`health /path interval=5s;` in the upstream",
    ),
    row("sticky", Never, BALANCING, "`balance hash $cookie_NAME;`"),
    row("sticky_cookie_insert", Never, BALANCING, "`balance hash $cookie_NAME;`"),
    row("least_time", Never, BALANCING, "`balance least_conn;`"),
    row("random", Never, BALANCING, "`balance least_conn;`, or nothing: servers take turns"),
    row("fair", Never, BALANCING, "`balance least_conn;`"),
    row("queue", Never, "requests that no server can take are refused at once", "`retries N;`, and more servers"),
    row(
        "ntlm",
        Never,
        "one client's requests go over connections of others",
        "no rule: authenticate in front of the gateway",
    ),
    row(
        "state",
        Never,
        "servers that are kept there get no requests",
        "`upstream NAME external;`, and `[upstream.NAME]` in proxy.toml",
    ),
    // Fields of modules.
    row("more_set_headers", Never, "the response field is not set", "`set response header NAME VALUE;`"),
    row("more_clear_headers", Never, "the response field is sent", "`drop response header NAME;`"),
    row("more_set_input_headers", Never, "the field does not reach the upstream", "`set request header NAME VALUE;`"),
    row("more_clear_input_headers", Never, "the field does not reach the upstream", "`drop request header NAME;`"),
    row(
        "otel_trace_context",
        First(&["ignore", "extract"]),
        "the upstream is not told of the trace",
        "`set request header traceparent \"$http_traceparent\";`",
    ),
    row(
        "opentracing_propagate_context",
        Never,
        "the upstream is not told of the trace",
        "`set request header traceparent \"$http_traceparent\";`",
    ),
    // Scripts.
    row("content_by_lua", Never, HANDLER, CONTENT),
    row("content_by_lua_block", Never, HANDLER, CONTENT),
    row("content_by_lua_file", Never, HANDLER, CONTENT),
    row("js_content", Never, HANDLER, CONTENT),
    row("perl", Never, HANDLER, CONTENT),
    row("access_by_lua", Never, ACCESS, FACT),
    row("access_by_lua_block", Never, ACCESS, FACT),
    row("access_by_lua_file", Never, ACCESS, FACT),
    row("js_access", Never, ACCESS, FACT),
    row("rewrite_by_lua", Never, REWRITE, GUARDS),
    row("rewrite_by_lua_block", Never, REWRITE, GUARDS),
    row("rewrite_by_lua_file", Never, REWRITE, GUARDS),
    row("server_rewrite_by_lua_block", Never, REWRITE, GUARDS),
    row("server_rewrite_by_lua_file", Never, REWRITE, GUARDS),
    row("precontent_by_lua_block", Never, REWRITE, GUARDS),
    row("precontent_by_lua_file", Never, REWRITE, GUARDS),
    row("set_by_lua", Never, "the variable is not computed", GUARDS),
    row("set_by_lua_block", Never, "the variable is not computed", GUARDS),
    row("set_by_lua_file", Never, "the variable is not computed", GUARDS),
    row("header_filter_by_lua", Never, "fields of answers stay as they came", "`set response header NAME VALUE;`"),
    row(
        "header_filter_by_lua_block",
        Never,
        "fields of answers stay as they came",
        "`set response header NAME VALUE;`",
    ),
    row("header_filter_by_lua_file", Never, "fields of answers stay as they came", "`set response header NAME VALUE;`"),
    row("js_header_filter", Never, "fields of answers stay as they came", "`set response header NAME VALUE;`"),
    row("body_filter_by_lua", Never, BODY, UPSTREAM_BODY),
    row("body_filter_by_lua_block", Never, BODY, UPSTREAM_BODY),
    row("body_filter_by_lua_file", Never, BODY, UPSTREAM_BODY),
    row("js_body_filter", Never, BODY, UPSTREAM_BODY),
    row("js_periodic", Never, "the script does not run", "no rule: a job beside the gateway"),
    row("balancer_by_lua", Never, BALANCING, "`balance hash TEMPLATE;`, or `when PREDICATE { proxy NAME; }`"),
    row("balancer_by_lua_block", Never, BALANCING, "`balance hash TEMPLATE;`, or `when PREDICATE { proxy NAME; }`"),
    row("balancer_by_lua_file", Never, BALANCING, "`balance hash TEMPLATE;`, or `when PREDICATE { proxy NAME; }`"),
    row("ssl_certificate_by_lua_block", Never, HANDSHAKE, "`tls` under `[listener.NAME]` in proxy.toml"),
    row("ssl_certificate_by_lua_file", Never, HANDSHAKE, "`tls` under `[listener.NAME]` in proxy.toml"),
    row("ssl_client_hello_by_lua_block", Never, HANDSHAKE, "`tls` under `[listener.NAME]` in proxy.toml"),
    row("ssl_client_hello_by_lua_file", Never, HANDSHAKE, "`tls` under `[listener.NAME]` in proxy.toml"),
    row("ssl_session_fetch_by_lua_block", Never, HANDSHAKE, "nothing: sessions are resumed by tickets"),
    row("ssl_session_fetch_by_lua_file", Never, HANDSHAKE, "nothing: sessions are resumed by tickets"),
    row("ssl_session_store_by_lua_block", Never, HANDSHAKE, "nothing: sessions are resumed by tickets"),
    row("ssl_session_store_by_lua_file", Never, HANDSHAKE, "nothing: sessions are resumed by tickets"),
    row("echo", Never, HANDLER, CONTENT),
    row("echo_exec", Never, HANDLER, CONTENT),
    row("echo_location", Never, HANDLER, CONTENT),
    row("echo_duplicate", Never, HANDLER, CONTENT),
    row("echo_status", Never, "the status is another one", CONTENT),
    row("echo_before_body", Never, BODY, CONTENT),
    row("echo_after_body", Never, BODY, CONTENT),
    row("echo_read_request_body", Never, HANDLER, CONTENT),
    row("echo_sleep", Never, HANDLER, CONTENT),
    // Caches beside those of `family`.
    row(
        "srcache_fetch",
        Never,
        "an answer from the cache comes from the upstream",
        "no rule: a cache in front of the upstream",
    ),
    row("srcache_store", Never, "no answer is kept", "no rule: a cache in front of the upstream"),
];

/// What says more about others: the others, and the names with blanks between them.
pub(super) const PARAMETERS: &[(&[&str], &str)] = &[
    (&["limit_req"], "limit_req_zone limit_req_status limit_req_dry_run limit_req_log_level"),
    (&["limit_conn"], "limit_conn_zone limit_conn_status limit_conn_dry_run limit_conn_log_level"),
    (&["auth_jwt"], "auth_jwt_key_file auth_jwt_key_request auth_jwt_key_cache auth_jwt_leeway auth_jwt_type"),
    (&["auth_pam"], "auth_pam_service_name auth_pam_set_pam_env"),
    (&["auth_ldap"], "auth_ldap_servers ldap_server"),
    (&["ssl_verify_client"], "ssl_client_certificate ssl_verify_depth ssl_crl ssl_trusted_certificate"),
    (&["ssl_ocsp"], "ssl_ocsp_cache ssl_ocsp_responder"),
    (&["set_real_ip_from"], "real_ip_header real_ip_recursive"),
    (
        &["modsecurity"],
        "modsecurity_rules modsecurity_rules_file modsecurity_rules_remote modsecurity_transaction_id \
         modsecurity_use_error_log",
    ),
    (&["ModSecurityEnabled"], "ModSecurityConfig"),
    (
        &["SecRulesEnabled"],
        "SecRulesDisabled LearningMode DeniedUrl CheckRule BasicRule MainRule LibInjectionSql LibInjectionXss",
    ),
    (&["charset"], "charset_types charset_map override_charset source_charset"),
    (
        &["userid"],
        "userid_domain userid_expires userid_flags userid_mark userid_name userid_p3p userid_path userid_service",
    ),
    (
        &["ssi"],
        "ssi_types ssi_silent_errors ssi_last_modified ssi_min_file_chunk ssi_value_length \
         ssi_ignore_recycled_buffers",
    ),
    (&["sub_filter"], "sub_filter_once sub_filter_types sub_filter_last_modified"),
    (&["subs_filter"], "subs_filter_types subs_filter_bypass"),
    (&["add_before_body", "add_after_body"], "addition_types"),
    (&["xslt_stylesheet"], "xml_entities xslt_last_modified xslt_param xslt_string_param xslt_types"),
    (
        &["image_filter"],
        "image_filter_buffer image_filter_interlace image_filter_jpeg_quality image_filter_sharpen \
         image_filter_transparency image_filter_webp_quality",
    ),
    (&["mirror"], "mirror_request_body"),
    (
        &["dav_methods", "dav_ext_methods"],
        "dav_access create_full_put_path min_delete_depth dav_ext_lock dav_ext_lock_zone",
    ),
    (&["autoindex"], "autoindex_exact_size autoindex_format autoindex_localtime"),
    (
        &["fancyindex"],
        "fancyindex_default_sort fancyindex_exact_size fancyindex_footer fancyindex_header fancyindex_localtime \
         fancyindex_name_length fancyindex_ignore fancyindex_css_href fancyindex_time_format",
    ),
    (&["mp4"], "mp4_buffer_size mp4_max_buffer_size mp4_start_key_frame mp4_limit_rate mp4_limit_rate_after"),
    (&["hls"], "hls_buffers hls_forward_args hls_fragment hls_mp4_buffer_size hls_mp4_max_buffer_size"),
    (&["f4fhds"], "f4f f4f_buffer_size"),
    (&["health_check"], "match"),
];

/// What gives a variable: what uses it is refused at its place.
pub(super) const VARIABLES: &str = "split_clients keyval auth_request_set auth_jwt_claim_set auth_jwt_header_set \
                                    geoip_country geoip_city geoip_org geoip_proxy geoip_proxy_recursive geoip2 \
                                    geoip2_proxy geoip2_proxy_recursive ancient_browser ancient_browser_value \
                                    modern_browser modern_browser_value browser valid_referers secure_link \
                                    secure_link_md5 secure_link_secret js_set perl_set";

const OFF: Harmless = Words(&["off"]);
const ON: Harmless = Words(&["on"]);
const FACT: &str = "`fact access allowed forbidden;` and `when fact access forbidden { return 403; }`";
const GUARDS: &str = "`when PREDICATE { ... }` with `return`, `rewrite` or `proxy` in it";
const CONTENT: &str = "`return 200 \"text\";`, or `proxy NAME;` to an upstream that answers so";
const STATUS: &str = "`[admin]` in proxy.toml: /status and /metrics";
const FILES: &str = "`proxy files;`, and a file server that does it behind `upstream files external;`";
const BODY: &str = "the body of an answer is passed on as it came";
const UPSTREAM_BODY: &str = "no rule: the upstream sends the body as it is to be, `proxy NAME;`";
const HANDLER: &str = "it does not answer";
const BALANCING: &str = "another server of the upstream gets a request";
const ACCESS: &str = "whoever the script refuses is let in";
const REWRITE: &str = "what the script refuses or sends elsewhere is let in";
const HANDSHAKE: &str = "the script has no part in the handshake";
