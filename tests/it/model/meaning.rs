//! What statements become.

use rulec::model::{
    Answer, Field, LocationPaths, Operator, Part, Policy, Predicate, RewriteFlag, ServerNameKind, Setting, Statement,
    StatementKind, Template, Variable, load_text,
};

/// What `rules`, which have no mistake, mean.
#[track_caller]
fn policy(rules: &str) -> Policy {
    let loaded = load_text("t", rules);
    assert!(loaded.diagnostics.is_empty(), "{:#?}", loaded.diagnostics);
    loaded.policy
}

/// The statements of a service that says `statements`.
#[track_caller]
fn statements(statements: &str) -> Vec<Statement> {
    let plans = "plans p { credential k from header K; plan gold silver; }";
    policy(&format!("{plans} service s {{ server_name s.test; plans p; {statements} }}")).services.remove(0).statements
}

#[track_caller]
fn rewrite(words: &str) -> (Vec<Part>, bool, RewriteFlag) {
    match statements(&format!("rewrite {words};")).remove(0).kind {
        StatementKind::Rewrite(rewrite) => (rewrite.replacement.parts, rewrite.keeps_args, rewrite.flag),
        other => panic!("{other:?}"),
    }
}

fn literal(text: &str) -> Part {
    Part::Literal(text.as_bytes().to_vec())
}

#[test]
fn a_replacement_is_read_as_nginx_reads_it() {
    let group = || Part::Variable(Variable::Capture(1));
    assert_eq!(rewrite("^ /a/$1 last"), (vec![literal("/a/"), group()], true, RewriteFlag::Last));
    // R-02: the `?` at the end drops the query, the first other one begins the new one.
    let parts = vec![literal("/q"), Part::Args, literal("id="), group()];
    assert_eq!(rewrite("^ /q?id=$1? break"), (parts, false, RewriteFlag::Break));
    let parts = vec![literal("/q"), Part::Args, literal("a?b")];
    assert_eq!(rewrite("^ /q?a?b"), (parts, true, RewriteFlag::Continue));
    // R-06
    let redirect = |status| RewriteFlag::Redirect(status);
    assert_eq!(rewrite("^ http://x/?c=d redirect"), (vec![literal("http://x/?c=d")], true, redirect(302)));
    assert_eq!(rewrite("^ https://x/ last"), (vec![literal("https://x/")], true, redirect(302)));
    assert_eq!(rewrite("^ /x permanent"), (vec![literal("/x")], true, redirect(301)));
    assert_eq!(rewrite("^ /x? 308"), (vec![literal("/x")], false, redirect(308)));
    assert_eq!(
        rewrite("^ $scheme://x"),
        (vec![Part::Variable(Variable::Scheme), literal("://x")], true, redirect(302))
    );
}

#[test]
fn variables_have_nginx_names() {
    let parts = |text: &str| match statements(&format!("return 200 \"{text}\";")).remove(0).kind {
        StatementKind::Answer(Answer::Respond { text: Some(Template { parts, .. }), .. }) => parts,
        other => panic!("{other:?}"),
    };
    let variable = |variable| vec![Part::Variable(variable)];
    assert_eq!(parts("$http_X_Forwarded_For"), variable(Variable::Http("x-forwarded-for".to_owned())));
    assert_eq!(parts("$arg_ID"), variable(Variable::Arg("id".to_owned())));
    assert_eq!(parts("${cookie_sid}"), variable(Variable::Cookie("sid".to_owned())));
    assert_eq!(parts("$URI"), variable(Variable::Uri));
    assert_eq!(parts("$plan"), variable(Variable::Plan));
    assert_eq!(parts("$10"), vec![Part::Variable(Variable::Capture(1)), literal("0")]);
    assert_eq!(parts("${1}0"), parts("$10"));
    assert_eq!(parts("${uri}x"), vec![Part::Variable(Variable::Uri), literal("x")]);
    assert_eq!(parts("a$ $$-$"), vec![literal("a$ $$-$")]);
    // R-08
    let rules = "service s default { location ~ ^/u/(?<id>[0-9]+) { return 200 $id; } }";
    assert!(format!("{:?}", policy(rules).locations[0].statements).contains("Named(\"id\")"));
}

#[test]
fn upgrade_is_guards_and_answers() {
    let found = format!("{:?}", statements("upgrade https 307 for GET else 403 \"no\";"));
    let written = "scheme http { method GET { return 307 https://$host$request_uri; } return 403 \"no\"; }";
    let without_places = |text: String| {
        let pieces: Vec<&str> =
            text.split("span: Span {").map(|piece| piece.split_once('}').map_or(piece, |p| p.1)).collect();
        pieces.concat()
    };
    assert_eq!(without_places(found), without_places(format!("{:?}", statements(written))));
    let to = statements("upgrade https 308 to x.test:8443;");
    let StatementKind::When { guard: Predicate::Field(Field::Scheme, Operator::In(scheme)), body, .. } = &to[0].kind
    else {
        panic!("{to:?}");
    };
    assert_eq!(scheme, &[b"http".to_vec()]);
    let StatementKind::Answer(Answer::Redirect { status: 308, url }) = &body[0].kind else { panic!("{body:?}") };
    assert_eq!(url.parts, [literal("https://x.test:8443"), Part::Variable(Variable::RequestUri)]);
}

#[test]
fn get_brings_head_and_any_is_every_plan() {
    let StatementKind::Setting(Setting::Methods(methods)) = &statements("methods POST GET DELETE;")[0].kind else {
        panic!("not methods");
    };
    assert_eq!(methods, &["DELETE", "GET", "HEAD", "POST"]);
    let StatementKind::When { guard: Predicate::Plan(plans), .. } = &statements("when plan any { meter m; }")[0].kind
    else {
        panic!("not a plan");
    };
    assert_eq!(plans.len(), 2);
}

#[test]
fn server_names_are_lower_case_and_a_leading_dot_is_two_names() {
    let names = policy("service s { server_name .X.test www.x.* ~^A$ _; }").services.remove(0).names;
    let found: Vec<String> = names
        .iter()
        .map(|name| match &name.kind {
            ServerNameKind::Exact(name) => format!("= {name}"),
            ServerNameKind::Leading(name) => format!("* {name}"),
            ServerNameKind::Trailing(name) => format!("{name} *"),
            ServerNameKind::Regex(pattern) => format!("~ {} {}", pattern.source, pattern.caseless),
        })
        .collect();
    assert_eq!(found, ["= x.test", "* .x.test", "www.x. *", "~ ^A$ true", "= _"]);
}

#[test]
fn locations_nest_and_know_whether_they_proxy() {
    let rules = |slash: &str| {
        policy(&format!(
            "upstream a external; service s default {{ {slash} location ^~ /p/ as x {{ when method GET {{ proxy a; }} \
             location ~* q {{ proxy a; }} }} location = /r {{ return 200; }} }}"
        ))
    };
    let found = rules("");
    let shown: Vec<(&str, bool, usize)> = found
        .locations
        .iter()
        .map(|location| (location.display.as_str(), location.proxies, location.nested.len()))
        .collect();
    assert_eq!(shown, [("^~ /p/", true, 1), ("~* q", true, 0), ("= /r", false, 0)]);
    assert_eq!(found.locations[1].parent.map(|id| id.0), Some(0));
    assert_eq!(found.services[0].locations.iter().map(|id| id.0).collect::<Vec<_>>(), [0, 2]);
    assert!(matches!(found.locations[0].paths, LocationPaths::Prefix { stops_regex: true, .. }));
    // nginx's redirect is caused by an unguarded `proxy` only.
    assert!(!rules("slash_redirect 301;").locations[0].proxies);
}

#[test]
fn upstreams_have_their_defaults_written_out() {
    let rules = "upstream a { server [::1]; server x.test:8443 weight=3; host x.test; tls { versions 1.3; } keepalive 8 \
                 idle=20s; timeout connect=1s response=1m; }";
    let upstream = policy(rules).upstreams.remove(0);
    assert_eq!((upstream.servers[0].host.as_str(), upstream.servers[0].port), ("::1", 443));
    assert_eq!((upstream.servers[1].port, upstream.servers[1].weight), (8443, 3));
    assert_eq!((upstream.keepalive, upstream.keepalive_idle_ms), (8, 20_000));
    assert_eq!((upstream.timeouts.connect_ms, upstream.timeouts.tls_ms), (1_000, 5_000));
    assert_eq!((upstream.timeouts.response_ms, upstream.timeouts.idle_ms), (60_000, 60_000));
    assert_eq!(upstream.tls.expect("it has TLS").versions, ["1.3"]);
}

#[test]
fn a_test_keeps_the_bytes_of_its_target() {
    let policy = policy(
        "upstream a external; test t { GET https://h:8443/é%2F?x#f with header \"A:  b \" body=3 client=::1 -> proxy a \
         \"/é\"; POST /p -> 301 /q; }",
    );
    let case = &policy.tests[0].cases[0];
    assert_eq!(case.request.host.as_deref(), Some("h:8443"));
    assert_eq!(case.request.target, "/\u{c3}\u{a9}%2F?x#f");
    assert_eq!(case.request.headers, [("A".to_owned(), "b".to_owned())]);
    assert_eq!((case.request.body, case.request.client.to_string()), (3, "::1".to_owned()));
    assert_eq!(policy.tests[0].cases[1].request.host, None);
}
