//! A guard on a map asks the text that the map stands for: whatever a value reads, absent or empty, guard and text agree.

use crate::engines::Engines;
use rulec::model::RequestRecord;
use std::fmt::Write;

/// Operators as rules spell them, and what they say of a text.
type Asked = (&'static str, fn(&str) -> bool);

const ASKED: [Asked; 13] = [
    ("= \"\"", str::is_empty),
    ("= a", |text| text == "a"),
    ("in \"\" \"0\"", |text| text.is_empty() || text == "0"),
    ("in a b", |text| text == "a" || text == "b"),
    ("^~ \"\"", |_| true),
    ("^~ a", |text| text.starts_with('a')),
    ("~ \"^$\"", |text| text.is_empty() || text == "\n"),
    ("~ .", |text| !text.is_empty()),
    ("~* ^A?$", |text| text.is_empty() || text == "a" || text == "A"),
    ("~ \"^(?!a)\"", |text| !text.starts_with('a')),
    ("has a", |text| text.split(',').any(|member| member.trim_matches([' ', '\t']) == "a")),
    ("has b", |text| text.split(',').any(|member| member.trim_matches([' ', '\t']) == "b")),
    ("present", |_| true),
];

/// Values of a map, with the lines before it that they need.
const VALUES: [(&str, &str); 12] = [
    ("", "default -> $http_x_b;"),
    ("", "default -> $arg_b;"),
    ("", "default -> $cookie_b;"),
    ("", "header x-a = 1 -> $http_x_b; default -> $arg_b;"),
    ("", "not header x-a present -> $cookie_b;"),
    ("", "header x-a = 1 -> \"\"; query b present -> a;"),
    ("", ""),
    ("", "default -> $host;"),
    ("", "method GET -> $request_method; default -> $scheme;"),
    ("map $k { default -> $http_x_b; }", "$k = \"\" -> $arg_b; $k ~ ^a -> a; default -> \"0\";"),
    ("map $k { header x-a present -> $arg_b; }", "not $k = \"\" -> $cookie_b; default -> $http_x_b;"),
    (
        "map $j { default -> $arg_b; } map $k { $j in \"\" a -> $http_x_b; }",
        "$k = \"\" -> \"a, b\"; default -> $http_cookie;",
    ),
];

/// `GET` of each of them, with headers.
const REQUESTS: [(&str, &[(&str, &str)]); 16] = [
    ("", &[]),
    ("?b", &[]),
    ("?b=", &[]),
    ("?b=a", &[]),
    ("?b&b=a", &[]),
    ("?bb=a&B=b", &[]),
    ("", &[("X-B", "")]),
    ("", &[("X-B", "a")]),
    ("", &[("X-B", "a"), ("X-B", "b")]),
    ("", &[("X-B", ""), ("X-B", "")]),
    ("?b=0", &[("X-A", "1"), ("X-B", "0")]),
    ("?b=a", &[("X-A", "1")]),
    ("?b=a", &[("X-A", ""), ("Cookie", "b")]),
    ("", &[("Cookie", "b=")]),
    ("", &[("Cookie", "a=1; b=a"), ("Cookie", "b=b")]),
    ("?b=b", &[("Cookie", "b=a"), ("X-B", "A")]),
];

fn body(engines: &Engines, path: &str, query: &str, headers: &[(&str, &str)]) -> String {
    let mut request = RequestRecord::new(format!("{path}{query}"));
    request.host = Some("m.test".to_owned());
    request.headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    engines.decide(&request).and_then(|verdict| verdict.body).expect("a text")
}

#[test]
fn a_guard_on_a_map_says_what_its_text_says() {
    for (before, values) in VALUES {
        let mut rules = format!(
            "{before} map $m {{ {values} }} service m {{ server_name m.test;\nlocation = /text {{ return 200 $m; }}\n"
        );
        for (number, (operator, _)) in ASKED.iter().enumerate() {
            let guarded = format!("when $m {operator} {{ return 200 yes; }} return 200 no;");
            let refused = format!("when not ( $m {operator} ) {{ return 200 no; }} return 200 yes;");
            let _ = writeln!(rules, "location = /{number} {{ {guarded} }} location = /not/{number} {{ {refused} }}");
        }
        rules.push('}');
        let engines = Engines::new(&rules);
        for (query, headers) in REQUESTS {
            let text = body(&engines, "/text", query, headers);
            for (number, (operator, takes)) in ASKED.iter().enumerate() {
                let expected = if takes(&text) { "yes" } else { "no" };
                for path in [format!("/{number}"), format!("/not/{number}")] {
                    let found = body(&engines, &path, query, headers);
                    assert_eq!(found, expected, "{before} {values}: `{text}` {operator}, {query} {headers:?} {path}");
                }
            }
        }
    }
}

/// What nginx decides (`map $http_x_a $m { default $http_x_b; a 0; } if ($m) { return 403; }`), live: 200.
#[test]
fn an_absent_field_is_an_empty_text_in_what_nginx_calls_true() {
    let rules = "map $m { header x-a = a -> \"0\"; default -> $http_x_b; }
        service m { server_name m.test; location / { when not $m in \"\" \"0\" { return 403; } return 200 \"[$m]\"; } }";
    let engines = Engines::new(rules);
    for (headers, expected) in
        [(&[][..], "[]"), (&[("X-B", "0")], "[0]"), (&[("X-A", "a"), ("X-B", "1")], "[0]"), (&[("X-B", "")], "[]")]
    {
        assert_eq!(body(&engines, "/", "", headers), expected);
    }
}

/// A guard sees the request as it came, also through a map; a page of another method asks anew.
#[test]
fn a_guard_on_a_map_sees_the_request_as_it_came() {
    let rules = "map $m { default -> $arg_b; } map $k { $m = a -> $request_method; default -> none; }
        service m { server_name m.test;
            error_page 404 /page;
            location = /set { set $args \"b=z\"; when $m = a { return 200 \"came $k\"; } return 200 other; }
            location = /lost { when $k = POST { return 404; } return 200 found; }
            location = /page { when $k = GET { return 200 \"page for $k\"; } return 200 wrong; }
        }";
    let engines = Engines::new(rules);
    assert_eq!(body(&engines, "/set", "?b=a", &[]), "came GET");
    assert_eq!(body(&engines, "/set", "", &[]), "other");
    let mut request = RequestRecord::new("/lost?b=a");
    (request.host, request.method) = (Some("m.test".to_owned()), "POST".to_owned());
    let verdict = engines.decide(&request).expect("decided");
    assert_eq!((verdict.status, verdict.body.as_deref()), (Some(404), Some("page for GET")), "{verdict:?}");
}
