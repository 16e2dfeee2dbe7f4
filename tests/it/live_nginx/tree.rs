//! A random tree of locations, as nginx.conf and as rules.

use super::random::Random;
use std::collections::BTreeSet;
use std::fmt::Write;

/// A server with its locations.
pub(super) struct Tree {
    number: usize,
    merges_slashes: bool,
    locations: Vec<Location>,
}

struct Location {
    name: String,
    modifier: &'static str,
    pattern: String,
    rewrites: Vec<String>,
    answer: Answer,
    nested: Vec<Self>,
}

/// How a location ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Text,
    /// 307 to the same target over TLS.
    Upgrade,
    Proxy,
    /// `proxy` with this in place of the prefix.
    ProxyBase(&'static str),
}

const SEGMENTS: [&str; 13] =
    ["a", "b", "ab", "a-b", "A", "v1", "img", "x.php", "z.gif", "abc", "a b", "42", "caf\u{e9}"];

const REGEXES: [&str; 26] = [
    r"\.php$",
    r"\.(php|gif)$",
    r"^/a",
    r"^/a/b",
    r"^/(\w+)/(\w+)",
    r"^/[^/]+$",
    r"/img/",
    r"/a",
    r"(\d+)",
    r"b\b",
    r"^/a.*b",
    r"a.c",
    r"[^/]+\.p",
    r"/$",
    r"^/(?:a|ab)(c|bc)?",
    r"^/([a-z]+)/?(.*)$",
    r"(?<last>[^/]*)$",
    r"^/v1/",
    r"(a|b)+$",
    r"^(/[^/]+){2}$",
    r"\s",
    r"a{2,}",
    r"^/(.*)-b$",
    r"[^a-z/]",
    r"^/(?<first>\w+?)/(?<rest>.*)$",
    r"^/$",
];

const REPLACEMENTS: [&str; 16] = [
    "/a/$1",
    "/b/$1?x=$1",
    "/v1$uri",
    "/img/$2?",
    "/$1",
    "$1",
    "/a b/$1",
    "/x.php?y=1&z=$2?",
    "/ab?q",
    "/n/$last",
    "/b/$first/$rest?r=$rest",
    "/a",
    "/$1/$2?a=$args",
    "https://other.test/$1?p=$2",
    "$scheme://other.test$uri",
    "/a/%2F$1",
];

impl Tree {
    pub(super) fn new(number: usize, merges_slashes: bool, random: &mut Random) -> Self {
        let mut names = 0;
        let mut locations = level("", true, 3, &mut names, random);
        // No path reaches it; replacements may use its groups.
        locations.push(Location {
            name: "L0".to_owned(),
            modifier: "~",
            pattern: r"^[^/](?<first>.)(?<rest>.)(?<last>.)".to_owned(),
            rewrites: Vec::new(),
            answer: Answer::Text,
            nested: Vec::new(),
        });
        Self { number, merges_slashes, locations }
    }

    pub(super) fn host(&self) -> String {
        format!("t{}.test", self.number)
    }

    /// The server for nginx; `u` is the upstream that tells what it got.
    pub(super) fn conf(&self) -> String {
        let merge_slashes = if self.merges_slashes { "on" } else { "off" };
        let mut conf =
            format!("server {{ listen unix:front.sock; server_name {}; merge_slashes {merge_slashes};\n", self.host());
        write(&self.locations, &mut conf, &|location, conf| {
            let name = &location.name;
            match location.answer {
                Answer::Proxy => writeln!(conf, "proxy_set_header X-Location {name}; proxy_pass http://u;"),
                Answer::ProxyBase(base) => {
                    writeln!(conf, "proxy_set_header X-Location {name}; proxy_pass http://u{base};")
                }
                _ => Ok(()),
            }
        });
        conf.push_str("}\n");
        conf
    }

    pub(super) fn rules(&self) -> String {
        let merge_slashes = if self.merges_slashes { "on" } else { "off" };
        let mut rules = format!(
            "upstream u {{ server 127.0.0.1:1; }}\nservice s {{ server_name {}; merge_slashes {merge_slashes};\n\
             redirects absolute; slash_redirect 301; body forward;\n",
            self.host()
        );
        write(&self.locations, &mut rules, &|location, rules| match location.answer {
            Answer::Proxy => writeln!(rules, "proxy u;"),
            Answer::ProxyBase(base) => writeln!(rules, "proxy u \"{base}\";"),
            _ => Ok(()),
        });
        rules.push_str("}\n");
        rules
    }

    /// A target that is likely to meet a location, and its edges.
    pub(super) fn target(&self, random: &mut Random) -> String {
        let mut path = String::new();
        if random.chance(75) {
            let mut level = &self.locations;
            while !level.is_empty() {
                let location = &level[random.below(level.len())];
                if location.pattern.starts_with('/') {
                    path.clone_from(&location.pattern);
                }
                if random.chance(40) {
                    break;
                }
                level = &location.nested;
            }
        }
        for _ in 0..random.below(4) {
            let segment = random.pick(&SEGMENTS);
            path.push_str(if path.ends_with('/') || random.chance(15) { "" } else { "/" });
            path.push_str(segment);
        }
        if random.chance(15) {
            path.push('/');
        } else if path.len() > 1 && path.ends_with('/') && random.chance(40) {
            path.pop();
        }
        if !path.starts_with('/') {
            path.insert(0, '/');
        }
        encode(&path, random)
    }
}

/// `path` as a client might spell it, bytes as Latin-1.
fn encode(path: &str, random: &mut Random) -> String {
    let mut target = String::new();
    for (index, byte) in path.bytes().enumerate() {
        let must = byte <= b' ' || byte == b'?' || byte == b'#' || byte == b'%';
        if must || (index > 0 && random.chance(3)) {
            let _ = write!(target, "%{byte:02X}");
        } else {
            target.push(char::from(byte));
        }
        if byte == b'/' && random.chance(4) {
            target.push_str(random.pick(&["/", "./", "../", "%2e/", "x/../", "%2F", "..", ".", "+", ";"]));
        }
    }
    if random.chance(8) {
        target.push_str(random.pick(&["%0a", "%", "%zz", "+", "%3F", "%23", "%25", "\"<", "%2B", "/..", "/."]));
    }
    if random.chance(30) {
        target.push_str(random.pick(&["?", "?x=1", "?a=%2F..&b", "??", "?q=a+b", "?x=1#f", "#f", "?a&&b=/x.php"]));
    }
    target
}

fn level(base: &str, any_prefix: bool, depth: usize, names: &mut usize, random: &mut Random) -> Vec<Location> {
    let mut taken = BTreeSet::new();
    let mut locations = Vec::new();
    for _ in 0..random.below(if depth == 3 { 9 } else { 4 }) + usize::from(depth == 3) {
        let is_regex = !any_prefix || random.chance(40);
        let modifier = if is_regex { random.pick(&["~", "~*"]) } else { random.pick(&["", "", "", "^~", "="]) };
        let pattern = if is_regex { (*random.pick(&REGEXES)).to_owned() } else { prefix(base, random) };
        let group = if modifier == "=" { "=" } else { "" };
        if !is_regex && !taken.insert((group, pattern.clone())) {
            continue;
        }
        *names += 1;
        let name = format!("L{names}");
        // nginx compares a nested prefix with the pattern around it, even where that is a regex.
        let is_literal =
            pattern.starts_with('/') && pattern.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'/');
        let nests = depth > 1 && modifier != "=" && random.chance(45);
        let nested =
            if nests { level(&pattern, !is_regex || is_literal, depth - 1, names, random) } else { Vec::new() };
        let (rewrites, answer) = statements(is_regex, random);
        locations.push(Location { name, modifier, pattern, rewrites, answer, nested });
    }
    locations
}

fn prefix(base: &str, random: &mut Random) -> String {
    let mut path = if base.is_empty() { "/".to_owned() } else { base.to_owned() };
    for _ in 0..random.below(3) {
        if !path.ends_with('/') && random.chance(85) {
            path.push('/');
        }
        path.push_str(random.pick(&SEGMENTS));
    }
    if !path.ends_with('/') && random.chance(50) {
        path.push('/');
    }
    path
}

/// nginx's `break` skips a later `return`, and ignores the URI of a `proxy_pass`: neither stands behind one here.
fn statements(is_regex: bool, random: &mut Random) -> (Vec<String>, Answer) {
    let mut rewrites = Vec::new();
    let answer = match random.below(10) {
        0..4 => Answer::Text,
        4 => Answer::Upgrade,
        5 if !is_regex => return (rewrites, Answer::ProxyBase(random.pick(&["/base", "/up/", "/"]))),
        _ => Answer::Proxy,
    };
    if random.chance(25) {
        for _ in 0..=random.below(2) {
            let flags: &[&str] = if answer == Answer::Proxy {
                &["", "last", "break", "break", "redirect", "permanent"]
            } else {
                &["", "last", "redirect", "permanent"]
            };
            let (regex, replacement) = (random.pick(&REGEXES), random.pick(&REPLACEMENTS));
            rewrites.push(format!("rewrite {} {} {};", quoted(regex), quoted(replacement), random.pick(flags)));
        }
    }
    (rewrites, answer)
}

fn quoted(word: &str) -> String {
    format!("\"{}\"", word.replace('\\', "\\\\"))
}

/// What both languages spell the same; `proxy` writes what they do not.
fn write(level: &[Location], text: &mut String, proxy: &dyn Fn(&Location, &mut String) -> std::fmt::Result) {
    for location in level {
        let Location { name, modifier, pattern, .. } = location;
        let as_name = if text.starts_with("upstream") { format!("as {name} ") } else { String::new() };
        let _ = writeln!(text, "location {modifier} {} {as_name}{{", quoted(pattern));
        write(&location.nested, text, proxy);
        for rewrite in &location.rewrites {
            let _ = writeln!(text, "{rewrite}");
        }
        let _ = match location.answer {
            Answer::Text => writeln!(text, "return 200 \"T|{name}|$uri|$args|$1\";"),
            Answer::Upgrade => writeln!(text, "return 307 https://$host$request_uri;"),
            Answer::Proxy | Answer::ProxyBase(_) => proxy(location, text),
        };
        text.push_str("}\n");
    }
}
