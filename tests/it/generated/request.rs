//! Requests that meet what a policy says.

use super::choices::Choices;
use super::patterns::SEGMENTS;
use super::policy::Sketch;
use rulec::model::RequestRecord;
use std::fmt::Write;

impl Sketch {
    pub(super) fn request(&self, choices: &mut Choices<'_>) -> RequestRecord {
        let mut request = RequestRecord::new(target(&self.paths, choices));
        method(choices).clone_into(&mut request.method);
        choices.pick(&["http", "https"]).clone_into(&mut request.scheme);
        request.host = host(&self.hosts, choices).map(str::to_owned);
        request.headers = headers(choices);
        request.body = [0, 0, 0, 3, 5, 2_000, 1_048_577][choices.below(7)];
        let clients = ["127.0.0.1", "10.1.2.3", "2001:db8::1", "192.0.2.7", "::ffff:10.0.0.1"];
        request.client = choices.pick(&clients).parse().expect("an address");
        request.listener = [None, Some("public"), Some("internal"), Some("other")][choices.below(4)].map(str::to_owned);
        request.port = [None, Some(80), Some(443), Some(8080)][choices.below(4)];
        if self.has_plans && choices.chance(75) {
            let plan = choices.pick(&["gold", "silver", "?missing", "?unknown", "?failed"]);
            request.plan = Some(plan.to_owned());
        }
        if choices.chance(70) {
            request.facts.insert("f".to_owned(), choices.pick(&["yes", "no"]).to_owned());
        }
        if choices.chance(70) {
            request.facts.insert("g".to_owned(), choices.pick(&["a", "b", "c"]).to_owned());
        }
        if choices.chance(15) {
            request.fault = Some([502, 504, 404][choices.below(3)]);
        }
        request
    }
}

fn method(choices: &mut Choices<'_>) -> &'static str {
    if choices.chance(3) {
        return choices.pick(&["get", "TRACE", "CONNECT", "G ET", "M-SEARCH"]);
    }
    choices.pick(&["GET", "GET", "POST", "HEAD", "DELETE", "PUT", "OPTIONS", "PATCH", "PURGE"])
}

fn host(own: &[&'static str], choices: &mut Choices<'_>) -> Option<&'static str> {
    if choices.chance(70) {
        return Some(choices.pick(own));
    }
    if choices.chance(4) {
        return Some(choices.pick(&["", "a b", "a..b", "a.test:99999", "[::1]:80", ".a.test", "a.test:x"]));
    }
    let hosts = [
        "a.test",
        "b.test",
        "x.a.test",
        "www.a.test",
        "c.test",
        "x.c.test",
        "www.z",
        "y.www.a.test",
        "one.re.test",
        "v12.x",
        "x.re.y",
        "A.Test:8080",
        "b.test.",
        "unknown",
    ];
    if choices.chance(12) { None } else { Some(choices.pick(&hosts)) }
}

const COOKIES: [&str; 13] = [
    "c=x",
    "c=1; D=a",
    "d=x;c=a",
    "cc=1; c = x",
    "c",
    "C=a b",
    "c=x; %63=y",
    "c=\"x\"",
    "D=a, c=1",
    "%44=a",
    "c[]=1",
    "c=%78",
    "D=a ;c=%2f",
];

const CONNECTIONS: [&str; 10] = [
    "close",
    "keep-alive, Upgrade,te",
    "X-A",
    " ,x_a;q=1, close",
    "x_b ,X.A",
    "Host",
    "X-Key",
    "content-x",
    "X-Forwarded-A, X-B",
    "",
];

fn headers(choices: &mut Choices<'_>) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    let values = ["x", "a", "x, y", "", "1", " ab ", "v1", "a b", "y,x", "a\u{e9}", "a\tb", "//o\\"];
    for _ in 0..choices.below(4) {
        let (name, value) = match choices.below(11) {
            0..4 => (choices.pick(&["X-A", "x-a", "X-B"]), choices.pick(&values)),
            4 | 5 => ("Cookie", choices.pick(&COOKIES)),
            6 => (choices.pick(&["X-Key", "x-key", "X_Key"]), choices.pick(&["k", "k", "other", ""])),
            7 => (choices.pick(&["X_A", "x_b", "X.A", "x~B", "X-A_"]), choices.pick(&values)),
            8 => ("Connection", choices.pick(&CONNECTIONS)),
            _ => ("Host", choices.pick(&["a.test", "b.test"])),
        };
        headers.push((name.to_owned(), value.to_owned()));
    }
    headers
}

/// A target that is likely to meet one of `paths`, and its edges.
fn target(paths: &[String], choices: &mut Choices<'_>) -> String {
    let mut path = String::new();
    if !paths.is_empty() && choices.chance(75) {
        path.clone_from(&paths[choices.below(paths.len())]);
    }
    for _ in 0..choices.below(4) {
        path.push_str(if path.ends_with('/') || choices.chance(15) { "" } else { "/" });
        path.push_str(choices.pick(&SEGMENTS));
    }
    if choices.chance(15) {
        path.push('/');
    } else if path.len() > 1 && path.ends_with('/') && choices.chance(40) {
        path.pop();
    }
    if !path.starts_with('/') {
        path.insert(0, '/');
    }
    let origin =
        if choices.chance(4) { choices.pick(&["http://a.test", "https://x.a.test:81", "HTTP://b.test"]) } else { "" };
    let target = format!("{origin}{}", spelt(&path, choices));
    if choices.chance(1) {
        choices.pick(&["*", "", "http://a.test", "http://a.test?q=1", "a"]).to_owned()
    } else {
        target
    }
}

/// What may stand behind a path: half an escape, what `paths strict` refuses, control bytes.
const ENDS: [&str; 29] = [
    "%0a",
    "%",
    "%zz",
    "/..;/a",
    ";v=1",
    "%252e",
    "%ef%bc%8f",
    "%3b.",
    "/;",
    "%2541",
    "+",
    "%3F",
    "%23",
    "%25",
    "\"<",
    "%2B",
    "/..",
    "/.",
    "%5c",
    "%c0%af",
    "%01",
    "%00",
    "%09",
    "%7f",
    "%20",
    "%09/o",
    "%5c/o",
    "%7C",
    "\u{e9}",
];

const QUERIES: [&str; 26] = [
    "?",
    "?q=1",
    "?q=x&a=%2F..&b",
    "??",
    "?A=a+b",
    "?q",
    "?q&q=x",
    "?user_key=k",
    "?user_key=k&USER_KEY=other&q=a",
    "?x=1&user_key=k&y",
    "?q=ab#f",
    "#f",
    "?a&&b=/x.php",
    "?user_key=",
    "?user%5fkey=k",
    "?a=1;user.key=k&b",
    "?user_key=k;q=1",
    "?%2575ser_key[]=k&q=%61",
    "?%71=1&q=a",
    "?q[]=%41;A=a",
    "?q=a&Q%00x",
    "?q=a%2Fb+c",
    "?q=%c3%a9",
    "?a;q=x",
    "?q=\t/o",
    "?q=//o&a=\u{e9}<",
];

/// `path` as a client might spell it, bytes as Latin-1, with a query.
fn spelt(path: &str, choices: &mut Choices<'_>) -> String {
    let mut target = String::new();
    for (index, byte) in path.bytes().enumerate() {
        let must = byte <= b' ' || b"?#%".contains(&byte);
        if must || (index > 0 && choices.chance(2)) {
            let _ = write!(target, "%{byte:02X}");
        } else {
            target.push(char::from(byte));
        }
        if byte == b'/' && choices.chance(3) {
            target.push_str(choices.pick(&["/", "./", "../", "%2e/", "x/../", "%2F", "..", ".", "+", ";"]));
        }
    }
    if choices.chance(10) {
        target.push_str(choices.pick(&ENDS));
    }
    if choices.chance(40) {
        target.push_str(choices.pick(&QUERIES));
    }
    target
}
