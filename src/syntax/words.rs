//! Words of the text to [`Word`]s, and grammar rules to people's words.

use super::ast::Word;
use super::grammar::{Node, Rule};
use crate::diagnostic::{FileId, Span};

/// The place of bytes `start..end` of `file`.
pub(super) fn span(file: FileId, start: usize, end: usize) -> Span {
    // The size limit of a file keeps both below `u32::MAX`.
    let place = |byte: usize| u32::try_from(byte).unwrap_or(u32::MAX);
    Span::new(file, place(start), place(end))
}

/// The word written as `raw` at `place`: quotes taken off, escapes undone.
pub(super) fn word(raw: &str, place: Span) -> Word {
    let inside = ["\"", "'"].into_iter().find_map(|quote| raw.strip_prefix(quote)?.strip_suffix(quote));
    match inside {
        Some(inside) => Word { text: unescape(inside), quoted: true, span: place },
        None => Word { text: raw.to_owned(), quoted: false, span: place },
    }
}

/// `\" \' \\ \t \r \n` mean one character each; a backslash before anything else is itself.
fn unescape(inside: &str) -> String {
    let mut text = String::with_capacity(inside.len());
    let mut rest = inside.chars();
    while let Some(letter) = rest.next() {
        if letter != '\\' {
            text.push(letter);
            continue;
        }
        match rest.next() {
            Some('t') => text.push('\t'),
            Some('r') => text.push('\r'),
            Some('n') => text.push('\n'),
            Some(escaped @ ('"' | '\'' | '\\')) => text.push(escaped),
            Some(other) => text.extend(['\\', other]),
            None => text.push('\\'),
        }
    }
    text
}

/// What a grammar rule stands for.
#[derive(Debug)]
pub(super) struct Meaning {
    /// In people's words, such as `a status code` or `` `as` ``; several where it is one of several words.
    pub(super) phrases: Vec<String>,
    /// The words it can be, if they are known.
    pub(super) words: Vec<String>,
}

/// What an author would call `rule`.
pub(super) fn meaning(rule: Rule) -> Meaning {
    // Rules of keywords are named after their words, so that none can be forgotten here.
    let name = format!("{rule:?}");
    let words: Vec<String> = match name.strip_prefix("k_") {
        Some(keyword) => vec![keyword.to_owned()],
        None => known_words(rule).iter().map(|&word| word.to_owned()).collect(),
    };
    let phrases = match phrase(rule) {
        "" => words.iter().map(|word| format!("`{word}`")).collect(),
        phrase => vec![phrase.to_owned()],
    };
    Meaning { phrases, words }
}

fn known_words(rule: Rule) -> &'static [&'static str] {
    match rule {
        Rule::unary => &[
            "method", "scheme", "plan", "fact", "client", "body", "listener", "host", "path", "args", "target",
            "header", "query", "cookie", "not",
        ],
        Rule::operator => &["=", "^~", "~", "~*", "in", "has", "present"],
        Rule::arrow => &["->"],
        Rule::left => &["("],
        Rule::right => &[")"],
        Rule::field => &["host", "path", "args", "target"],
        Rule::named_field => &["header", "query", "cookie"],
        Rule::matches => &["~"],
        Rule::caseless => &["~*"],
        Rule::source_kind => &["query", "header"],
        Rule::side => &["request", "response"],
        Rule::claim => &["never", "always"],
        Rule::on_off => &["on", "off"],
        Rule::path_policy => &["strict", "nginx"],
        Rule::slash_policy => &["301", "308", "on", "off"],
        Rule::redirect_form => &["absolute", "relative"],
        Rule::body_action => &["forward", "strip", "reject"],
        Rule::balancing => &["round_robin", "least_conn"],
        Rule::rewrite_flag => &["last", "break", "redirect", "permanent", "307", "308"],
        Rule::test_option => &["body=N", "client=IP", "plan=P", "listener=L", "port=N", "fault=CODE"],
        Rule::hsts_flag => &["includeSubDomains", "preload"],
        _ => &[],
    }
}

fn phrase(rule: Rule) -> &'static str {
    match rule {
        Rule::semicolon => "`;`",
        Rule::open => "`{`",
        Rule::unary => "a predicate",
        Rule::name | Rule::field_name => "a name",
        Rule::dollar_name => "a name such as `$name`",
        Rule::address => "an address",
        Rule::value | Rule::item => "a value",
        Rule::text | Rule::clause_text => "a text",
        Rule::code => "a status code",
        Rule::number => "a number",
        Rule::time => "a time such as `30s`",
        Rule::rate => "a rate such as `10/s`",
        Rule::method | Rule::clause_method => "a method",
        Rule::path => "a path",
        Rule::base => "a path in quotes",
        Rule::file => "a file",
        Rule::regex => "a regex",
        Rule::template => "a template",
        Rule::pattern => "a path or a regex",
        Rule::warning => "the name of a warning",
        Rule::range => "an address range such as `10.0.0.0/8`",
        Rule::header_line => "a header such as `\"Name: value\"`",
        Rule::url => "a URL",
        Rule::target => "a target such as `\"/path\"`",
        Rule::setting | Rule::fact_value => "`NAME=VALUE`",
        Rule::max => "`max=SIZE`",
        Rule::new_status => "`=STATUS`",
        Rule::stale => "`stale=TIME`",
        Rule::expectation => "a status code, `close` or `proxy`",
        _ => "",
    }
}

/// The word that `node` covers.
pub(super) fn node_word(node: &Node<'_>, base: Span) -> Word {
    word(node.as_str(), node_span(node, base))
}

/// The place of `node` in the file, its statement beginning at `base`.
pub(super) fn node_span(node: &Node<'_>, base: Span) -> Span {
    let inside = node.as_span();
    let start = base.start as usize;
    span(base.file, start + inside.start(), start + inside.end())
}
