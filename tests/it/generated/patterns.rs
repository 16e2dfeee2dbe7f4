//! Paths and regexes that meet each other often.

use super::choices::Choices;

pub(super) const SEGMENTS: [&str; 12] =
    ["a", "b", "ab", "a-b", "A", "v1", "img", "x.php", "z.gif", "a b", "42", "caf\u{e9}"];

const REGEXES: [&str; 24] = [
    r"\.php$",
    r"^/a",
    r"^/(\w+)/(\w+)",
    r"/img/",
    r"^/[^/]+$",
    r"\.(php|gif)$",
    r"^/a/b",
    r"(\d+)",
    r"b\b",
    r"^/a.*b",
    r"a.c",
    r"/$",
    r"^/(?:a|ab)(c|bc)?",
    r"^/([a-z]+)/?(.*)$",
    r"^/v1/",
    r"(a|b)+$",
    r"^(/[^/]+){2}$",
    r"\s",
    r"a{2,}",
    r"[^a-z/]",
    r"^/(.*)-b$",
    r"^/$",
    r"x.*y|^/b",
    r"(.*?)/(.*)",
];

/// Regexes with a named group, and its name.
const NAMED: [(&str, &str); 4] = [
    (r"^/(?<first>\w+)", "first"),
    (r"(?<last>[^/]*)$", "last"),
    (r"^/(?<first>\w+?)/(?<rest>.*)$", "rest"),
    (r"(?<number>\d+)", "number"),
];

/// A regex; the names of its groups are added to `captures`.
pub(super) fn regex(choices: &mut Choices<'_>, captures: &mut Vec<&'static str>) -> &'static str {
    if choices.chance(15) {
        let (regex, name) = NAMED[choices.below(NAMED.len())];
        captures.push(name);
        return regex;
    }
    choices.pick(&REGEXES)
}

/// A regex for a field that is no path.
pub(super) fn field_regex(choices: &mut Choices<'_>) -> &'static str {
    choices.pick(&["^a", "b$", "a.b", r"^\d+$", "^$", r"(^|,)\s*x(,|$)", r"\bv", "."])
}

/// A prefix or an exact path below `base`.
pub(super) fn prefix(base: &str, choices: &mut Choices<'_>) -> String {
    let mut path = if base.is_empty() { "/".to_owned() } else { base.to_owned() };
    for _ in 0..choices.below(3) {
        if !path.ends_with('/') && !choices.chance(15) {
            path.push('/');
        }
        path.push_str(choices.pick(&SEGMENTS));
    }
    if !path.ends_with('/') && choices.chance(50) {
        path.push('/');
    }
    path
}

/// `word` as a word of the rules.
pub(super) fn quoted(word: &str) -> String {
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}
