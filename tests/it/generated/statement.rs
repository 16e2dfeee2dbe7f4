//! Statements of services, locations and guards.

use super::choices::Choices;
use super::patterns::{field_regex, quoted, regex};
use super::predicate::predicate;
use super::template::{Scope, replacement, text, url};
use std::fmt::Write;

/// Where statements stand.
pub(super) struct Place<'a> {
    pub(super) captures: &'a mut Vec<&'static str>,
    pub(super) has_plans: bool,
    /// Whether `proxy NAME "/base/"` may stand here.
    pub(super) takes_base: bool,
    pub(super) in_location: bool,
    /// How many named locations the service has: `@n0` and so on.
    pub(super) named: usize,
}

/// A few statements.
pub(super) fn statements(
    choices: &mut Choices<'_>,
    place: &mut Place<'_>,
    count: usize,
    depth: usize,
    rules: &mut String,
) {
    for _ in 0..count {
        if !choices.is_over() {
            statement(choices, place, depth, rules);
        }
    }
}

fn statement(choices: &mut Choices<'_>, place: &mut Place<'_>, depth: usize, rules: &mut String) {
    match choices.below(16) {
        0..4 if depth > 0 => guarded(choices, place, depth, rules),
        4 | 5 => rewrite(choices, place, rules),
        6 => answer(choices, place, rules),
        8 if choices.chance(60) => error_page(choices, place, rules),
        7 if choices.chance(40) => variable(choices, place, rules),
        index => setting(index, choices, place, rules),
    }
}

fn guarded(choices: &mut Choices<'_>, place: &mut Place<'_>, depth: usize, rules: &mut String) {
    match choices.below(11) {
        8 | 9 => {
            let regex = match_field(choices, place.captures);
            write(rules, &format!("match {regex}"));
        }
        10 => write(rules, "unless break"),
        0 => write(rules, &format!("method {}", choices.pick(&["GET", "POST DELETE", "PURGE"]))),
        1 => write(rules, &format!("scheme {}", choices.pick(&["http", "https"]))),
        2 | 3 if place.has_plans => write(rules, &format!("plan {}", choices.pick(&["gold", "silver", "any"]))),
        _ => write(rules, &format!("when {}", predicate(choices, place.has_plans, 2))),
    }
    rules.push_str(" {\n");
    let count = 1 + choices.below(3);
    statements(choices, place, count, depth - 1, rules);
    if choices.chance(40) {
        answer(choices, place, rules);
    }
    rules.push_str("}\n");
}

/// A field with a regex whose groups templates may name from now on.
fn match_field(choices: &mut Choices<'_>, captures: &mut Vec<&'static str>) -> String {
    let field = choices.pick(&["host", "path", "args", "target", "header X-A", "header Cookie", "query q", "cookie c"]);
    let regex = if choices.chance(50) { regex(choices, captures) } else { field_regex(choices) };
    format!("{field} {} {}", choices.pick(&["~", "~*"]), quoted(regex))
}

fn variable(choices: &mut Choices<'_>, place: &mut Place<'_>, rules: &mut String) {
    let scope = Scope { captures: place.captures, has_plans: place.has_plans };
    let value = quoted(&text(choices, &scope));
    let line = match choices.below(4) {
        0 => "break;".to_owned(),
        1 => format!("set $args {value};"),
        _ => {
            let name = choices.pick(&["kept", "other"]);
            place.captures.push(name);
            format!("set ${name} {value};")
        }
    };
    write(rules, &line);
    rules.push('\n');
}

fn rewrite(choices: &mut Choices<'_>, place: &mut Place<'_>, rules: &mut String) {
    let pattern = regex(choices, place.captures);
    let scope = Scope { captures: place.captures, has_plans: place.has_plans };
    let replacement = replacement(choices, &scope);
    let flag = choices.pick(&["", "", "break", "last", "redirect", "permanent", "307", "308"]);
    place.takes_base = false;
    write(rules, &format!("rewrite {} {} {flag};\n", quoted(pattern), quoted(&replacement)));
}

fn error_page(choices: &mut Choices<'_>, place: &Place<'_>, rules: &mut String) {
    if choices.chance(8) {
        return write(rules, "forget error_pages;\n");
    }
    let codes =
        choices.pick(&["404", "403 404", "405 400", "301 302 303", "500 502 504", "413 400", "401 403 503", "503"]);
    let status = choices.pick(&["", "", "=", "=200", "=204", "=302", "=404", "=307"]);
    let targets = ["/a", "/e?c=$1", "/img/x.php?$args", "$uri", "https://o.test/$1", "$http_x_a", "/b/$2?x=$uri"];
    let target = named(choices, place).unwrap_or_else(|| quoted(choices.pick(&targets)));
    write(rules, &format!("error_page {codes} {status} {target};\n"));
}

/// A named location of the service, now and then.
fn named(choices: &mut Choices<'_>, place: &Place<'_>) -> Option<String> {
    (place.named > 0 && choices.chance(50)).then(|| format!("@n{}", choices.below(place.named)))
}

fn goto(choices: &mut Choices<'_>, place: &Place<'_>) -> String {
    let targets = ["/a?x=$1", "/b", "$uri", "/v1$uri?y", "$http_x_a", "/img/$1?a?b", "/a/$2?"];
    named(choices, place).unwrap_or_else(|| quoted(choices.pick(&targets)))
}

/// What ends a walk.
pub(super) fn answer(choices: &mut Choices<'_>, place: &mut Place<'_>, rules: &mut String) {
    let upstream = choices.pick(&["u0", "u0", "u1", "u2"]);
    let scope = Scope { captures: place.captures, has_plans: place.has_plans };
    let line = match choices.below(14) {
        12 => format!("goto {};", goto(choices, place)),
        13 => format!("return {};", choices.pick(&["403", "404", "401", "405"])),
        0 | 1 => format!("return {} {};", choices.pick(&["200", "403", "404"]), quoted(&text(choices, &scope))),
        2 => format!("return {};", choices.pick(&["200", "204", "503", "444"])),
        3 => {
            let status = choices.pick(&["301", "302", "303", "307", "308"]);
            format!("return {status} {};", quoted(&url(choices, &scope)))
        }
        4 => format!("proxy {upstream} canonical;"),
        5 => format!("proxy {upstream} strip {};", choices.pick(&["/a", "/v1", "/a/b", "/img"])),
        6 if place.takes_base && place.in_location => {
            format!("proxy {upstream} {};", choices.pick(&["\"/base/\"", "/up", "/"]))
        }
        8 => format!("proxy {upstream} {};", quoted(&format!("/t/$1{}", text(choices, &scope)))),
        7 => {
            format!("upgrade https {} to up.test:8443;", choices.pick(&["307", "308", "301 for GET HEAD else 403 no"]))
        }
        _ => format!("proxy {upstream};"),
    };
    write(rules, &line);
    rules.push('\n');
}

fn setting(index: usize, choices: &mut Choices<'_>, place: &Place<'_>, rules: &mut String) {
    let scope = Scope { captures: place.captures, has_plans: place.has_plans };
    let line = match index {
        7 => format!("methods {};", choices.pick(&["GET", "GET POST", "DELETE", "POST PURGE", "HEAD"])),
        8 => format!(
            "body {};",
            choices.pick(&["forward", "forward max=4", "strip", "strip max=1k", "reject", "forward max=2m"])
        ),
        9 => format!("meter {}{};", choices.pick(&["hits", "m"]), choices.pick(&["", " always"])),
        10 => format!("hsts {};", choices.pick(&["1y", "30s includeSubDomains"])),
        11 => format!("type {};", choices.pick(&["text/html", "application/json"])),
        12 => {
            let fields = ["header X-A", "header Cookie", "header x_a", "query q", "query A", "cookie c", "cookie D"];
            format!("unique {};", choices.pick(&fields))
        }
        13 => {
            let names = choices.pick(&["X-A", "x-*", "Set-Cookie Server", "*"]);
            let side = if names == "*" { "request" } else { choices.pick(&["request", "response"]) };
            format!("drop {side} header {names};")
        }
        15 if choices.chance(20) => choices
            .pick(&[
                "proxy_redirect off;",
                "proxy_redirect http://b/ /$1;",
                "proxy_redirect http://b/ //$arg_q;",
                "proxy_redirect http://a.b/ $scheme://$host/;",
            ])
            .to_owned(),
        14 if choices.chance(20) => format!("forget {} headers;", choices.pick(&["request", "response"])),
        _ => {
            let verb = choices.pick(&["set", "set", "add"]);
            let (side, name) =
                (choices.pick(&["request", "response"]), choices.pick(&["X-A", "X-B", "Via-X", "X_A", "location"]));
            let success = if side == "response" { choices.pick(&["", " on success"]) } else { "" };
            format!("{verb} {side} header {name} {}{success};", quoted(&text(choices, &scope)))
        }
    };
    write(rules, &line);
    rules.push('\n');
}

fn write(rules: &mut String, text: &str) {
    rules.write_str(text).expect("a string takes text");
}
