//! Conditions: every field, every operator.

use super::choices::Choices;
use super::patterns::{field_regex, prefix, quoted, regex};

/// A predicate at most `depth` deep.
pub(super) fn predicate(choices: &mut Choices<'_>, has_plans: bool, depth: usize) -> String {
    if depth > 0 && choices.chance(35) {
        let inner = |choices: &mut Choices<'_>| predicate(choices, has_plans, depth - 1);
        return match choices.below(4) {
            0 => format!("not {}", group(&inner(choices))),
            1 => format!("{} and {}", group(&inner(choices)), group(&inner(choices))),
            2 => format!("{} or {}", group(&inner(choices)), group(&inner(choices))),
            _ => format!("{0} or {1} or not {0}", group(&inner(choices)), group(&inner(choices))),
        };
    }
    field(choices, has_plans)
}

fn group(predicate: &str) -> String {
    format!("( {predicate} )")
}

fn field(choices: &mut Choices<'_>, has_plans: bool) -> String {
    match choices.below(if has_plans { 16 } else { 14 }) {
        0 => format!("method {}", choices.pick(&["GET", "POST", "DELETE", "GET POST", "PURGE", "PUT OPTIONS"])),
        1 => format!("scheme {}", choices.pick(&["http", "https"])),
        2 => format!(
            "header {} {}",
            choices.pick(&["X-A", "Cookie", "x-b", "X_B", "Host", "Connection"]),
            operator(choices)
        ),
        3 => format!("query {} {}", choices.pick(&["q", "A", "user_key"]), operator(choices)),
        4 => format!("cookie {} {}", choices.pick(&["c", "D"]), operator(choices)),
        5 => format!("path {}", path_operator(choices)),
        6 => format!("host {}", choices.pick(&["= a.test", "^~ www.", "~ ^[a-z]+\\.", "in a.test B.test", "~* TEST$"])),
        7 => "body present".to_owned(),
        8 => choices
            .pick(&[
                "client in 10.0.0.0/8",
                "client in 2001:db8::/32 192.0.2.7",
                "client in 0.0.0.0/0",
                "listener public",
            ])
            .to_owned(),
        9 => format!("args {}", operator(choices)),
        10 => format!("target {}", operator(choices)),
        11 => format!("{} {}", choices.pick(&["$m", "$k"]), operator(choices)),
        12 => format!("fact f {}", choices.pick(&["yes", "no"])),
        13 => format!("fact g {}", choices.pick(&["a", "b c", "a b c", "c"])),
        14 => format!("plan {}", choices.pick(&["gold", "silver", "gold silver"])),
        _ => "plan any".to_owned(),
    }
}

const VALUES: [&str; 8] = ["x", "a", "ab", "1", "", "x, y", "v1", "a b"];

pub(super) fn operator(choices: &mut Choices<'_>) -> String {
    match choices.below(7) {
        0 => format!("= {}", quoted(choices.pick(&VALUES))),
        1 => format!("^~ {}", quoted(choices.pick(&VALUES))),
        2 => format!("~ {}", quoted(field_regex(choices))),
        3 => format!("~* {}", quoted(field_regex(choices))),
        4 => format!("in {} {}", quoted(choices.pick(&VALUES)), quoted(choices.pick(&VALUES))),
        5 => format!("has {}", choices.pick(&["x", "y", "a"])),
        _ => "present".to_owned(),
    }
}

fn path_operator(choices: &mut Choices<'_>) -> String {
    match choices.below(4) {
        0 => format!("^~ {}", quoted(&prefix("", choices))),
        1 => format!("= {}", quoted(&prefix("", choices))),
        2 => format!("~ {}", quoted(regex(choices, &mut Vec::new()))),
        _ => format!("~* {}", quoted(regex(choices, &mut Vec::new()))),
    }
}
