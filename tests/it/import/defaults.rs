//! What nginx does without a directive, the rules say.

use super::{check_text as check, imported};

#[test]
fn bodies_have_a_mebibyte_unless_said_otherwise() {
    check("location / { proxy_pass http://b; }", &["body forward max=1m;"], &[]);
    check("client_max_body_size 0; location / { proxy_pass http://b; }", &["body forward;"], &["max="]);
    check("client_max_body_size 8M; location / { proxy_pass http://b; }", &["body forward max=8m;"], &["max=1m"]);
    check(
        "location / { client_max_body_size 0; proxy_pass http://b; } location /a { client_max_body_size 5; proxy_pass http://b; }",
        &["body forward max=1m;", "location / {", "body forward;", "location /a {", "body forward max=5;"],
        &[],
    );
}

/// Seen with a live nginx: the outermost location with a `proxy_pass` and no variables says it for all within.
#[test]
fn locations_of_answers_lead_to_the_location() {
    check("location /a/ { proxy_pass http://b/in/; }", &["proxy_redirect \"http://b/in/\" \"/a/\";"], &[]);
    check("location = /a { proxy_pass http://b/in; }", &["proxy_redirect \"http://b/in\" \"/a\";"], &[]);
    check("location ~ a { proxy_pass http://b:81; }", &["proxy_redirect \"http://b:81/\" \"/\";"], &[]);
    check("location /a { proxy_redirect off; proxy_pass http://b; }", &["proxy b;"], &["proxy_redirect \""]);
    check("location / { set $x b; proxy_pass http://$x/i; }", &["proxy b"], &["proxy_redirect"]);
    check(
        "proxy_redirect http://c/ /; location / { proxy_pass http://b; }",
        &["proxy_redirect \"http://c/\""],
        &["http://b/"],
    );
    check(
        "location /a/ { proxy_pass http://b/i/; location /a/b/ { proxy_pass http://c/; } if ($arg_x) { proxy_pass http://d; } }",
        &["proxy_redirect \"http://b/i/\" \"/a/\";"],
        &["http://c/", "http://d/"],
    );
    check(
        "location /a/ { proxy_pass http://b/i/; location /a/b/ { proxy_redirect http://e/ /; proxy_pass http://c/; } }",
        &["\"/a/\";", "location /a/b/ {", "proxy_redirect off;", "proxy_redirect \"http://e/\" \"/\";"],
        &[],
    );
    check(
        "location / { if ($arg_x) { proxy_pass http://d; } return 204; }",
        &["when query x", "proxy_redirect \"http://d/\" \"/\";"],
        &[],
    );
}

#[test]
fn fields_that_nginx_hides_are_hidden_on_every_level() {
    let hidden = "drop response header Server X-Pad X-Accel-Expires X-Accel-Redirect X-Accel-Limit-Rate";
    check("location / { proxy_pass http://b; }", &[hidden, "location / {", "proxy b;"], &[]);
    check("location / { return 204; }", &[], &["drop response"]);
    check(
        "add_header A 1; location / { add_header B 1; proxy_pass http://b; }",
        &[
            hidden,
            "add response header A 1",
            "location / {",
            "forget response headers;",
            hidden,
            "add response header B 1",
        ],
        &[],
    );
    check(
        "proxy_pass_header Server; location / { proxy_pass http://b; }",
        &["drop response header X-Pad"],
        &["header Server"],
    );
    check(
        "add_header A 1; location / { proxy_pass_header X-Accel-Expires; proxy_pass http://b; }",
        &[
            "location / {",
            "forget response headers;",
            "drop response header Server X-Pad X-Accel-Redirect",
            "add response header A 1",
        ],
        &[],
    );
    // What is passed is not hidden, whatever else says so; what is hidden stands before what is added.
    check(
        "proxy_hide_header X-A; proxy_pass_header X-A; location / { proxy_pass http://b; }",
        &[hidden],
        &["header X-A"],
    );
    check(
        "add_header X-A 1; location / { proxy_hide_header X-A; proxy_pass http://b; }",
        &["location / {", "forget response headers;", "drop response header X-A;", "add response header X-A 1"],
        &[],
    );
}

#[test]
fn an_empty_last_modified_takes_the_upstreams_away() {
    check(
        "location / { add_header Last-Modified \"\"; add_header ETag \"\"; add_header X \"\"; proxy_pass http://b; }",
        &["set response header Last-Modified \"\" on success;", "set response header ETag \"\" on success;"],
        &["header X \""],
    );
}

#[test]
fn upstreams_are_said_as_nginx_means_them() {
    for (block, lines) in [
        ("ip_hash; server 10.0.0.1;", &["balance hash $remote_addr;"][..]),
        ("server 10.0.0.1 down; server 10.0.0.2 backup;", &["server 10.0.0.2;"]),
        ("server 10.0.0.1 slow_start=30s; server 10.0.0.2 resolve;", &["server 10.0.0.2;", "slow_start 30s;"]),
    ] {
        let (rules, said) = imported(&format!(
            "http {{ upstream b {{ {block} }} server {{ location / {{ proxy_pass http://b; }} }} }}"
        ));
        for line in lines {
            assert!(rules.contains(line), "{block}\nlacks {line}\n{rules}\n{said}");
        }
    }
    check(
        "location / { proxy_ssl_verify on; proxy_ssl_name foo.test; proxy_pass https://127.0.0.1:8443; }",
        &["tls { name foo.test; }"],
        &[],
    );
}

#[test]
fn standard_parameters_of_cgi_need_no_words() {
    check(
        "location / { fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; fastcgi_param QUERY_STRING $query_string;
         fastcgi_param HTTPS $https if_not_empty; fastcgi_param HTTP_PROXY \"\"; fastcgi_index index.php; fastcgi_pass f:9000; }",
        &["drop request header Proxy;", "proxy fastcgi;"],
        &["SCRIPT"],
    );
}

#[test]
fn how_a_head_is_read_is_the_default_servers_to_say() {
    check("underscores_in_headers on; location / { proxy_pass http://b; }", &["underscores on;"], &[]);
    check("underscores_in_headers off; location / { proxy_pass http://b; }", &["proxy b"], &["underscores"]);
    let servers = |first: &str, second: &str| {
        format!(
            "events {{}} http {{ server {{ listen 1; {first} location / {{ return 200; }} }} \
             server {{ listen 1; listen 2; server_name b.test; {second} location / {{ return 200; }} }} }}"
        )
    };
    for (directive, line) in
        [("underscores_in_headers on;", "underscores on;"), ("merge_slashes off;", "merge_slashes off;")]
    {
        // On port 1 the first server's value counts for both, on port 2 the second's.
        for (conf, times) in
            [(servers(directive, ""), 2), (servers("", directive), 1), (servers(directive, directive), 3)]
        {
            let (rules, said) = imported(&conf);
            assert_eq!(rules.matches(line).count(), times, "{conf}\n{rules}\n{said}");
        }
    }
}

/// nginx sends both, the second behind the first. A request with two Host is none (RFC 9112 3.2): the last is sent.
#[test]
fn a_field_that_is_set_twice_is_sent_twice() {
    check(
        "location / { proxy_set_header X-A one; proxy_set_header X-A two; proxy_pass http://b; }",
        &["set request header X-A one;", "add request header X-A two;", "proxy b;"],
        &[],
    );
    check(
        "location / { proxy_set_header x-a one; proxy_set_header X-A $host; proxy_set_header X-A three; proxy_pass http://b; }",
        &["set request header x-a one;", "add request header X-A $host;", "add request header X-A three;"],
        &[],
    );
    check(
        "location / { proxy_set_header Host one; proxy_set_header Host two; proxy_pass http://b; }",
        &["set request header Host one;", "set request header Host two;"],
        &["add request header Host"],
    );
}
