//! Whole policies.

use super::choices::Choices;
use super::patterns::{prefix, quoted, regex};
use super::predicate::{operator, predicate};
use super::statement::{Place, answer, statements};
use std::collections::BTreeSet;
use std::fmt::Write;

/// A policy as text, and what requests for it are made of.
pub(super) struct Sketch {
    pub(super) rules: String,
    /// Prefixes and exact paths of its locations.
    pub(super) paths: Vec<String>,
    pub(super) has_plans: bool,
    /// A host for each of its names.
    pub(super) hosts: Vec<&'static str>,
}

/// A name of a service, a host that it takes, and its named group where it has one.
type Name = (&'static str, &'static str, Option<&'static str>);

const UPSTREAMS: &str = "upstream u0 { server a.internal:8080; balance hash \"$remote_addr $uri$is_args$args $host\"; }\n\
    upstream u1 { server b.internal; host b.example; tls { } balance hash $arg_a; }\n\
    upstream u2 external;\n\
    fact f yes no;\n\
    fact g a b c;\n";

/// Each for one service.
const NAMES: [Name; 10] = [
    ("a.test", "A.Test:8080", None),
    ("b.test", "b.test.", None),
    ("*.a.test", "x.a.test", None),
    ("www.a.test", "www.a.test", None),
    (".c.test", "c.test", None),
    ("www.*", "www.z", None),
    ("*.www.a.test", "y.www.a.test", None),
    (r"~^(?<sub>\w+)\.re\.test$", "one.re.test", Some("sub")),
    (r"~^v\d+\.", "v12.x", None),
    (r"~^(.+)\.re\.(.+)$", "x.re.y", None),
];

impl Sketch {
    pub(super) fn new(choices: &mut Choices<'_>) -> Self {
        let has_plans = choices.chance(50);
        let mut sketch = Self { rules: UPSTREAMS.to_owned(), paths: Vec::new(), has_plans, hosts: Vec::new() };
        if has_plans {
            let keep = choices.pick(&["", " keep"]);
            let _ = write!(
                sketch.rules,
                "plans p {{ credential key from query user_key or header X-Key{keep}; plan gold silver;\n\
                 missing {}; unknown 403; failed 503; }}\n",
                choices.pick(&["401", "402"])
            );
        }
        maps(choices, &mut sketch.rules);
        let services = 1 + choices.below(3);
        let mut names = NAMES.to_vec();
        let default = choices.below(services + 1);
        for number in 0..services {
            sketch.service(number, number == default, &mut names, choices);
        }
        sketch
    }

    fn service(&mut self, number: usize, is_default: bool, names: &mut Vec<Name>, choices: &mut Choices<'_>) {
        let mut captures = Vec::new();
        let _ = write!(self.rules, "service s{number}{} {{\nserver_name", if is_default { " default" } else { "" });
        for _ in 0..=choices.below(2) {
            let (name, host, group) = names.remove(choices.below(names.len()));
            self.hosts.push(host);
            captures.extend(group);
            let _ = write!(self.rules, " {}", quoted(name));
        }
        self.rules.push_str(";\n");
        let uses_plans = self.has_plans && choices.chance(80);
        if uses_plans {
            self.rules.push_str("plans p;\n");
        }
        for (percent, options) in [
            (15, ["listen public;", "listen internal;"].as_slice()),
            (15, &["merge_slashes off;"]),
            (20, &["paths strict;", "paths strict params;"]),
            (30, &["redirects absolute;"]),
            (25, &["underscores on;"]),
            (40, &["slash_redirect 301;", "slash_redirect 308;", "slash_redirect off;"]),
        ] {
            if choices.chance(percent) {
                let _ = writeln!(self.rules, "{}", choices.pick(options));
            }
        }
        let count = choices.below(4);
        // `takes_base` says afterwards whether a rewrite of the service stands in the way.
        let jumps = choices.below(3);
        let mut place = Place {
            captures: &mut captures,
            has_plans: uses_plans,
            takes_base: true,
            in_location: false,
            named: jumps,
        };
        statements(choices, &mut place, count, 2, &mut self.rules);
        let takes_base = place.takes_base;
        self.level("", true, 3, (&mut captures, uses_plans, takes_base, jumps), choices);
        for number in 0..jumps {
            let _ = writeln!(self.rules, "location @n{number} {{");
            let count = choices.below(4);
            let mut place = Place {
                captures: &mut captures,
                has_plans: uses_plans,
                takes_base: false,
                in_location: true,
                named: jumps,
            };
            statements(choices, &mut place, count, 2, &mut self.rules);
            answer(choices, &mut place, &mut self.rules);
            self.rules.push_str("}\n");
        }
        self.rules.push_str("}\n");
    }

    fn level(
        &mut self,
        base: &str,
        takes_prefixes: bool,
        depth: usize,
        (captures, has_plans, takes_base, jumps): (&mut Vec<&'static str>, bool, bool, usize),
        choices: &mut Choices<'_>,
    ) {
        let mut taken = BTreeSet::new();
        for _ in 0..=choices.below(if depth == 3 { 7 } else { 3 }) {
            let is_regex = !takes_prefixes || choices.chance(35);
            let modifiers = if is_regex { ["~", "~*", "~", "~*"] } else { ["", "", "^~", "="] };
            let modifier = choices.pick(&modifiers);
            let pattern = if is_regex { regex(choices, captures).to_owned() } else { prefix(base, choices) };
            if !is_regex {
                if !taken.insert((modifier == "=", pattern.clone())) {
                    continue;
                }
                self.paths.push(pattern.clone());
            }
            let name = format!("l{}", self.rules.len());
            let as_name = if choices.chance(30) { format!(" as {name}") } else { String::new() };
            let _ = writeln!(self.rules, "location {modifier} {}{as_name} {{", quoted(&pattern));
            if choices.chance(12) {
                self.rules.push_str("internal;\n");
            }
            let count = choices.below(4);
            let mut place =
                Place { captures, has_plans, takes_base: takes_base && !is_regex, in_location: true, named: jumps };
            statements(choices, &mut place, count, 2, &mut self.rules);
            if choices.chance(85) {
                answer(choices, &mut place, &mut self.rules);
            }
            if depth > 1 && modifier != "=" && choices.chance(40) {
                self.level(&pattern, !is_regex, depth - 1, (captures, has_plans, takes_base, jumps), choices);
            }
            self.rules.push_str("}\n");
        }
    }
}

/// `$m` and `$k`, which asks `$m`; guards ask both. And `$n`, which takes groups and asks both.
fn maps(choices: &mut Choices<'_>, rules: &mut String) {
    rules.push_str("map $m {\n");
    for _ in 0..choices.below(4) {
        let _ = writeln!(rules, "{} -> {};", map_guard(choices, &["$m", "$k"]), map_value(choices));
    }
    if choices.chance(70) {
        let _ = writeln!(rules, "default -> {};", map_value(choices));
    }
    rules.push_str("}\nmap $k {\n");
    for _ in 0..choices.below(4) {
        let asked = if choices.chance(60) { format!("$m {}", operator(choices)) } else { map_guard(choices, &["$k"]) };
        let _ = writeln!(rules, "{asked} -> {};", map_value(choices));
    }
    if choices.chance(50) {
        let _ = writeln!(rules, "default -> {};", map_value(choices));
    }
    rules.push_str("}\nmap $n {\n$m = x -> \"x:$uri\";\n$k = \"\" and $m ~ a -> \"k:$args\";\n");
    for _ in 0..choices.below(3) {
        let field = choices.pick(&["path", "args", "header X-A", "cookie c", "host"]);
        let mut groups = Vec::new();
        let pattern = quoted(regex(choices, &mut groups));
        let own = groups.first().map_or(String::new(), |name| format!("${{{name}}}"));
        let _ = writeln!(rules, "{field} ~ {pattern} -> \"n$1-$2{own}\";");
    }
    rules.push_str("}\n");
}

/// A text, or one field of the request, which may be absent.
fn map_value(choices: &mut Choices<'_>) -> &'static str {
    choices.pick(&[
        "x",
        "1",
        "\"\"",
        "ab",
        "\"x, y\"",
        "$http_x_a",
        "$arg_q",
        "$cookie_c",
        "$host",
        "$request_method",
        "$http_cookie",
    ])
}

/// No plan, no fact, none of the maps `without`.
fn map_guard(choices: &mut Choices<'_>, without: &[&str]) -> String {
    loop {
        let guard = predicate(choices, false, 1);
        if !without.iter().any(|map| guard.contains(map)) && !guard.contains("fact ") {
            return guard;
        }
    }
}
