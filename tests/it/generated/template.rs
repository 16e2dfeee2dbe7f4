//! Texts with variables.

use super::choices::Choices;

/// What a template may use.
pub(super) struct Scope<'a> {
    pub(super) captures: &'a [&'static str],
    pub(super) has_plans: bool,
}

/// A text: of a `return`, an edit.
pub(super) fn text(choices: &mut Choices<'_>, scope: &Scope<'_>) -> String {
    (0..choices.below(4)).map(|_| part(choices, scope)).collect()
}

/// A redirect's target.
pub(super) fn url(choices: &mut Choices<'_>, scope: &Scope<'_>) -> String {
    let start = choices.pick(&["/to", "https://$host$request_uri", "/", "//$1", "$uri", "$scheme://o.test/", "$1"]);
    format!("{start}{}", text(choices, scope))
}

/// What replaces path and query.
pub(super) fn replacement(choices: &mut Choices<'_>, scope: &Scope<'_>) -> String {
    let start = choices.pick(&[
        "/a/$1",
        "/b",
        "/v1$uri",
        "/$1",
        "$1",
        "/a b/$2",
        "/x.php",
        "/img/$1$2",
        "/a",
        "/b/${first_or_1}",
        "https://o.test/$1",
        "$scheme://o.test$uri",
    ]);
    let first = scope.captures.first().map_or("$1".to_owned(), |name| format!("${{{name}}}"));
    let start = start.replace("${first_or_1}", &first);
    let query = choices.pick(&["", "", "?", "?x=$1", "?x=$1&y=$args", "?q?", "?a?b=$2", "?z=$uri?"]);
    format!("{start}{query}")
}

fn part(choices: &mut Choices<'_>, scope: &Scope<'_>) -> String {
    const VARIABLES: [&str; 21] = [
        ".",
        "$uri",
        "$args",
        "$1",
        "$2",
        "$is_args",
        "$host",
        "$scheme",
        "$request_method",
        "$request_uri",
        "$remote_addr",
        "$arg_q",
        "$http_x_a",
        "$cookie_c",
        "${uri}",
        "$9",
        "|",
        "$m",
        "$n",
        "$k",
        "$proxy_add_x_forwarded_for",
    ];
    match choices.below(VARIABLES.len() + 2) {
        index if index < VARIABLES.len() => VARIABLES[index].to_owned(),
        index if index == VARIABLES.len() && scope.has_plans => "$plan".to_owned(),
        _ => match scope.captures.len() {
            0 => "-".to_owned(),
            names => format!("${{{}}}", scope.captures[choices.below(names)]),
        },
    }
}
