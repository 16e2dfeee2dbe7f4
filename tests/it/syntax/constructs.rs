//! Every construct of the language parses, and says in the tree what it says in the text.

use super::{codes, good};
use rulec::syntax::ast::{
    Expectation, ItemKind, Operator, PlansOptionKind, PredicateKind, ProxyForm, Statement, StatementKind, TestCase,
    Word,
};

#[test]
fn the_example_policies_parse() {
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/rules")).expect("the folder is there") {
        let path = entry.expect("readable").path();
        let text = std::fs::read_to_string(&path).expect("readable");
        assert!(good(&text).items.len() > 1, "{}", path.display());
    }
}

#[test]
fn the_whole_example_of_the_language_parses() {
    assert_eq!(good(include_str!("words_whole.rules")).items.len(), 9);
}

/// The statements of a service that holds `text`.
fn statements(text: &str) -> Vec<Statement> {
    let mut file = good(&format!("service s {{\n    {text}\n}}"));
    match file.items.remove(0).kind {
        ItemKind::Service { body, .. } => body,
        other => panic!("{other:?}"),
    }
}

fn statement(text: &str) -> StatementKind {
    let mut statements = statements(text);
    assert_eq!(statements.len(), 1, "{text}");
    statements.remove(0).kind
}

fn case(text: &str) -> TestCase {
    let mut file = good(&format!("test t {{ {text} }}"));
    match file.items.remove(0).kind {
        ItemKind::Test { mut cases, .. } => cases.remove(0),
        other => panic!("{other:?}"),
    }
}

fn texts(words: &[Word]) -> Vec<&str> {
    words.iter().map(|word| word.text.as_str()).collect()
}

#[test]
fn every_statement_of_a_service_parses() {
    for text in STATEMENTS {
        assert_eq!(statements(text).len(), 1, "{text}");
    }
    assert_eq!(statements(&STATEMENTS.join("\n    ")).len(), STATEMENTS.len());
    assert_eq!(statements(&STATEMENTS.join("")).len(), STATEMENTS.len(), "blanks between statements are not needed");
}

/// What a service may hold, each in all its forms.
const STATEMENTS: &[&str] = &[
    "location / { }",
    "location = /a { }",
    "location ^~ /a/ as media { }",
    "location ~ \\.php$ { }",
    "location ~* ^/(a|b)$ { }",
    "location =/a { }",
    "location ~^/a { }",
    "location ~*\\.gif$ { }",
    "location ^~/a/ { }",
    "location \"/a b\" { }",
    "when method GET { }",
    "when scheme https { }",
    "when plan a b { }",
    "when plan any { }",
    "when client in 10.0.0.0/8 2001:db8::/32 { }",
    "when body present { }",
    "when listener public { }",
    "when host = \"a\" { }",
    "when path ^~ \"/a\" { }",
    "when path ~ ^/a { }",
    "when path ~* ^/a { }",
    "when header A = \"v\" { }",
    "when header A in \"a\" \"b\" { }",
    "when header A has v { }",
    "when header A present { }",
    "when query a = \"v\" { }",
    "when cookie c ~ \"^a{2}$\" { }",
    "when not ( method GET or body present ) and plan a { }",
    "method GET POST { }",
    "plan a b { }",
    "scheme http { }",
    "return 204;",
    "return 200 text;",
    "return 200 \"a text\";",
    "return 200 \"page\";",
    "return 404 page not_found;",
    "return 301 https://${host}/x;",
    "return 444;",
    "proxy p;",
    "proxy p canonical;",
    "proxy p strip /s3;",
    "proxy p \"/base/\";",
    "proxy p /base/;",
    "rewrite ^/a/(.*)$ /$1;",
    "rewrite ^/a/(.*)$ /$1 last;",
    "rewrite \"^/a{2}\" /b break;",
    "rewrite ^ /b redirect;",
    "rewrite ^ /b permanent;",
    "rewrite ^ /b 307;",
    "rewrite ^ /b 308;",
    "upgrade https 307;",
    "upgrade https 307 for GET HEAD else 403 to a.example:8443;",
    "set request header A v;",
    "add response header A \"v w\";",
    "drop request header A x-*;",
    "set request header A \"\";",
    "unique header Host;",
    "unique query role;",
    "unique cookie role;",
    "methods GET POST;",
    "body forward;",
    "body forward max=64k;",
    "body strip;",
    "body reject;",
    "hsts 1y;",
    "hsts 1y includeSubDomains preload;",
    "meter m;",
    "meter m always;",
    "type \"text/html\";",
    "server_name a *.b c.* .d ~^v\\d+\\.e$ \"\";",
    "listen public tls;",
    "plans p;",
    "merge_slashes off;",
    "underscores on;",
    "paths strict params;",
    "paths strict;",
    "paths nginx;",
    "slash_redirect 301;",
    "slash_redirect 308;",
    "slash_redirect off;",
    "redirects absolute;",
    "redirects relative;",
    "allow shadowed-location;",
    "limit 10/min per key;",
    "limit 1000/s burst=200 per key;",
    "forget request headers;",
    "options auto;",
    "error 500 502 page oops;",
];

#[test]
fn every_statement_of_the_top_level_parses() {
    let text = "upstream a { server a:1; server b weight=2; server c backup; host h:1; tls { versions 1.2 1.3; verify off; }
            balance round_robin; balance least_conn; balance hash $remote_addr; max_fails 5; fail_timeout 30s;
            keepalive 64 idle=55s; timeout connect=3s tls=5s response=30s idle=60s; }
        upstream b external;
        plans p { credential key from query k or header X keep; plan a b; missing 401; unknown 403;
            failed 503 except callers mobile as a stale=10m; }
        service s { } service t default { }
        page n \"f.html\"; include \"*.rules\"; allow unused-upstream;
        prove \"a\" never proxied when scheme http and path ^~ /a/; prove b always status 403; prove c never upstream a b when plan a;
        prove d never location m; prove e always limited; prove f never body forwarded; prove g never plan needed;
        test \"t\" { GET http://a/ -> 200; }";
    assert_eq!(good(text).items.len(), 16);
}

#[test]
fn words_are_unescaped_once() {
    let cases = [
        (r#""a \" \' \\ \t \r \n""#, "a \" ' \\ \t \r \n"),
        (r#""\d{2,} \. \x""#, r"\d{2,} \. \x"),
        (r#"'it is "quoted"'"#, "it is \"quoted\""),
        (r#""ends in \\""#, r"ends in \"),
        (r"\d+\\\.x", r"\d+\\\.x"),
        ("a#b", "a#b"),
        ("https://${host}/x", "https://${host}/x"),
        ("\u{e9}\u{1f600}", "\u{e9}\u{1f600}"),
        ("\"# ; { }\"", "# ; { }"),
        ("\"\"", ""),
    ];
    for (raw, text) in cases {
        let StatementKind::Type(word) = statement(&format!("type {raw};")) else { panic!("{raw}") };
        assert_eq!(word.text, text, "{raw}");
        assert_eq!(word.quoted, raw.starts_with(['"', '\'']), "{raw}");
        assert_eq!((word.span.end - word.span.start) as usize, raw.len(), "{raw}");
    }
}

#[test]
fn a_location_of_nginx_parses_as_it_stands() {
    let StatementKind::Location(location) =
        statement(r#"location ~ "^/Img/v\\d+/(\\w+)/?$" { return 200 "L3|$uri|$args|$1"; }"#)
    else {
        panic!("a location");
    };
    assert_eq!(location.modifier.map(|word| word.text).as_deref(), Some("~"));
    assert_eq!(location.pattern.text, r"^/Img/v\d+/(\w+)/?$");
    assert_eq!(location.body.len(), 1);
    let StatementKind::Location(glued) = statement("location ~*\\.(gif|jpg)${ }") else { panic!("a location") };
    assert_eq!(
        (glued.modifier.map(|word| word.text).as_deref(), glued.pattern.text.as_str()),
        (Some("~*"), "\\.(gif|jpg)$")
    );
}

#[test]
fn the_clauses_of_upgrade_stand_in_any_order() {
    for clauses in [
        "for GET HEAD else 403 \"no\" to h:1",
        "to h:1 else 403 \"no\" for GET HEAD",
        "else 403 \"no\" for GET HEAD to h:1",
    ] {
        let StatementKind::Upgrade { code, methods, otherwise, to } =
            statement(&format!("upgrade https 307 {clauses};"))
        else {
            panic!("an upgrade");
        };
        let otherwise = otherwise.expect("an answer");
        assert_eq!((code.text.as_str(), texts(&methods)), ("307", vec!["GET", "HEAD"]), "{clauses}");
        assert_eq!(otherwise.code.text, "403");
        assert_eq!(otherwise.text.map(|word| word.text).as_deref(), Some("no"));
        assert_eq!(to.map(|word| word.text).as_deref(), Some("h:1"));
    }
    // A word in quotes is never a keyword.
    let StatementKind::Upgrade { otherwise, to, .. } = statement("upgrade https 307 else 403 \"to\";") else {
        panic!()
    };
    assert_eq!(otherwise.and_then(|answer| answer.text).map(|word| word.text).as_deref(), Some("to"));
    assert!(to.is_none());
}

#[test]
fn the_four_forms_of_proxy_are_told_apart() {
    let form = |text: &str| match statement(text) {
        StatementKind::Proxy { form, .. } => form,
        other => panic!("{other:?}"),
    };
    assert!(matches!(form("proxy p;"), ProxyForm::Raw));
    assert!(matches!(form("proxy p canonical;"), ProxyForm::Canonical));
    assert!(matches!(form("proxy p strip /s3;"), ProxyForm::Strip(word) if word.text == "/s3"));
    assert!(matches!(form("proxy p \"strip\";"), ProxyForm::Base(word) if word.text == "strip"));
    assert!(matches!(form("proxy p /base/;"), ProxyForm::Base(word) if word.text == "/base/"));
}

#[test]
fn predicates_nest_as_they_are_written() {
    let guard = |text: &str| match statement(&format!("when {text} {{ return 204; }}")) {
        StatementKind::When { guard, body } if body.len() == 1 => guard,
        other => panic!("{other:?}"),
    };
    let PredicateKind::And(operands) =
        guard("method GET POST and not ( plan a or plan \"and\" ) and body present").kind
    else {
        panic!("an and");
    };
    assert!(matches!(&operands[0].kind, PredicateKind::Method(words) if texts(words) == ["GET", "POST"]));
    let PredicateKind::Not(inside) = &operands[1].kind else { panic!("a not") };
    let PredicateKind::Or(plans) = &inside.kind else { panic!("an or") };
    assert!(matches!(&plans[1].kind, PredicateKind::Plan(words) if texts(words) == ["and"]));
    assert!(matches!(operands[2].kind, PredicateKind::Body));
    let PredicateKind::Named { field, name, operator: Operator::In(values) } = guard("header X in a \"b c\"").kind
    else {
        panic!("a header");
    };
    assert_eq!((field.text.as_str(), name.text.as_str(), texts(&values)), ("header", "X", vec!["a", "b c"]));
    assert!(
        matches!(guard("not not scheme http").kind, PredicateKind::Not(inside) if matches!(inside.kind, PredicateKind::Not(_)))
    );
}

#[test]
fn short_forms_are_guards() {
    let guard = |text: &str| match statement(text) {
        StatementKind::When { guard, .. } => guard,
        other => panic!("{other:?}"),
    };
    assert!(matches!(guard("method GET POST { }").kind, PredicateKind::Method(words) if words.len() == 2));
    assert!(matches!(guard("plan a { }").kind, PredicateKind::Plan(words) if words.len() == 1));
    let scheme = guard("scheme http { }");
    assert_eq!(scheme.span.end - scheme.span.start, u32::try_from("scheme http".len()).expect("short"));
    assert!(matches!(scheme.kind, PredicateKind::Scheme(_)));
}

#[test]
fn test_lines_are_taken_apart() {
    let line = case(
        "POST http://a/b?c with header \"N: v\" plan=?missing body=3 header \"M: w\" client=2001:db8::1 listener=l -> proxy p \"/t\" header \"X: y\";",
    );
    assert_eq!((line.method.text.as_str(), line.url.text.as_str()), ("POST", "http://a/b?c"));
    assert_eq!(texts(&line.headers), ["N: v", "M: w"]);
    let options: Vec<_> = line.options.iter().map(|(name, value)| (name.text.as_str(), value.text.as_str())).collect();
    assert_eq!(options, [("plan", "?missing"), ("body", "3"), ("client", "2001:db8::1"), ("listener", "l")]);
    let Expectation::Proxy { upstream, target, headers } = line.expectation else { panic!("a proxy") };
    assert_eq!((upstream.text.as_str(), target.expect("a target").text.as_str()), ("p", "/t"));
    assert_eq!(texts(&headers), ["X: y"]);
    assert!(matches!(case("GET http://a/ -> close;").expectation, Expectation::Close));
    assert!(matches!(case("GET http://a/ -> 301 /b/;").expectation, Expectation::Status { text: Some(_), .. }));
}

#[test]
fn what_waits_for_a_later_version_keeps_its_words() {
    let StatementKind::Later { keyword, words } = statement("limit 1000/s burst=200 per key;") else {
        panic!("a limit")
    };
    assert_eq!((keyword.text.as_str(), texts(&words)), ("limit", vec!["1000/s", "burst=200", "per", "key"]));
    let file =
        good("prove \"p\" never upstream a when ( plan b );\nplans q { failed 503 except callers c as d stale=1m; }");
    let ItemKind::Prove { words, .. } = &file.items[0].kind else { panic!("a proof") };
    assert_eq!(texts(words), ["never", "upstream", "a", "when", "(", "plan", "b", ")"]);
    let ItemKind::Plans { options, .. } = &file.items[1].kind else { panic!("plans") };
    let PlansOptionKind::Failed { rest, .. } = &options[0].kind else { panic!("failed") };
    assert_eq!(texts(rest), ["except", "callers", "c", "as", "d", "stale=1m"]);
}

#[test]
fn places_are_those_of_the_text() {
    let text = "service s {\n  location /a { # why\n    return 204 ;\n  }\n}\n";
    let file = good(text);
    let at = |span: rulec::diagnostic::Span| text.get(span.start as usize..span.end as usize).expect("a place");
    assert_eq!(at(file.items[0].head), "service s");
    assert_eq!(at(file.items[0].span), text.trim_end());
    let ItemKind::Service { body, .. } = &file.items[0].kind else { panic!("a service") };
    assert_eq!(at(body[0].head), "location /a");
    assert_eq!(at(body[0].span), "location /a { # why\n    return 204 ;\n  }");
    let StatementKind::Location(location) = &body[0].kind else { panic!("a location") };
    assert_eq!((at(location.body[0].head), at(location.body[0].span)), ("return 204", "return 204 ;"));
}

#[test]
fn blank_texts_say_nothing() {
    for text in ["", "\u{feff}", " \t\r\n", "# a comment", "# one\n# two\n"] {
        assert_eq!(codes(text), [""; 0], "{text:?}");
        assert!(good(text).items.is_empty());
    }
}
