//! `set`, where a `proxy_pass` uses the variable: in the address it is followed, anywhere else it is set.

use super::check_text as check;

#[test]
fn what_the_path_uses_is_set() {
    check("location /a/ { set $p foo; proxy_pass http://u/$p; }", &["set $p foo;", "proxy u \"/$p\";"], &["\"\""]);
    check(
        "location ~ ^/(a|b)/(.*)$ { set $p $2; proxy_pass http://u/$p; }",
        &["set $p $2;", "proxy u \"/$p\";"],
        &["$p \"\""],
    );
    check("location / { set $p a; proxy_pass http://u/x?q=$p; }", &["set $p a;", "proxy u \"/x?q=$p\";"], &[]);
    check("set $p a; location / { proxy_pass http://u/$p; }", &["set $p a;", "location / {", "proxy u \"/$p\";"], &[]);
    check(
        "location / { set $a x; set $p $a$a; set $p y$p; proxy_pass http://u/$p; }",
        &["set $a x;", "set $p $a$a;", "set $p y$p;", "proxy u \"/$p\";"],
        &["\"\""],
    );
    check(
        "location / { set $p a; if ($arg_b) { set $p b; } proxy_pass http://u/$p; }",
        &["set $p a;", "when query b", "set $p b;", "proxy u \"/$p\";"],
        &[],
    );
}

#[test]
fn what_the_address_uses_is_followed_and_not_set() {
    check(
        "location / { set $proto http; set $app grafana; set $port 3000; proxy_pass $proto://$app:$port; }",
        &["proxy grafana_3000;"],
        &["set $"],
    );
    check("location / { set $app u; proxy_pass http://$app; }", &["proxy u;"], &["set $"]);
    check(
        "location / { set $app u; set $p x; proxy_pass http://$app/$p; }",
        &["set $p x;", "proxy u \"/$p\";"],
        &["set $app"],
    );
}

#[test]
fn what_both_use_is_followed_and_set() {
    check("location / { set $p u; proxy_pass http://$p/$p; }", &["set $p u;", "proxy u \"/$p\";"], &[]);
    // The address brings the beginning of the path.
    check(
        "location / { set $up http://u/x/; set $p y; proxy_pass $up$p; }",
        &["set $p y;", "proxy u \"/x/$p\";"],
        &["set $up", "\"\""],
    );
    check(
        "location / { set $p u; proxy_set_header X-Up $p; proxy_pass http://$p; }",
        &["set request header X-Up $p;", "set $p u;", "proxy u;"],
        &[],
    );
}
