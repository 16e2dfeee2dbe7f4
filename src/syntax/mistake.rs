//! A statement that does not fit its grammar, told to its author.

use super::grammar::{Failure, Rule};
use super::keywords::{Context, home, instead_of};
use super::scan::{Scanner, TokenKind};
use super::words::{Meaning, meaning, span};
use crate::diagnostic::{Diagnostic, Span, nearest};

/// What to say about the statement `text` at `place`, which is written as `usage` says and failed to parse.
pub(super) fn misfit(text: &str, place: Span, usage: &str, failure: &Failure) -> Diagnostic {
    let (kind, found, at) = found(text, place, failure.at);
    let mut rules = failure.expected.clone();
    rules.sort_by_key(|rule| (matches!(rule, Rule::semicolon | Rule::open), *rule));
    rules.dedup();
    if rules.contains(&Rule::pattern) {
        rules.retain(|rule| *rule != Rule::modifier);
    }
    let meanings: Vec<Meaning> = rules.iter().map(|&rule| meaning(rule)).collect();
    let expected = one_of(meanings.iter().flat_map(|meaning| meaning.phrases.iter().map(String::as_str)));
    let message = match &found {
        Found::Word(word) => format!("expected {expected}, found `{}`", shortened(word)),
        Found::Sign(sign) => format!("expected {expected}, found {sign}"),
    };
    let code = code(kind, &rules);
    let meant = match &found {
        Found::Word(word) => {
            nearest(word, meanings.iter().flat_map(|meaning| meaning.words.iter().map(String::as_str)))
        }
        Found::Sign(_) => None,
    };
    let diagnostic = Diagnostic::error(code, at, message);
    match (meant, &found) {
        (_, Found::Word(word)) if word.len() > 1 && word.starts_with('(') | word.ends_with(')') => {
            diagnostic.help("parentheses group only as words of their own: write `( PREDICATE )`, with blanks")
        }
        (Some(meant), _) => diagnostic.help(format!("did you mean `{meant}`?")),
        (None, _) => diagnostic.help(format!("write `{usage}`")),
    }
}

/// What to say about `word`, which begins no statement that may stand in `context`.
pub(super) fn unknown(word: &str, place: Span, context: Context) -> Diagnostic {
    let shown = shortened(word);
    if let Some(home) = home(word) {
        let message = format!("`{shown}` cannot stand {}", context.place());
        let help = format!("`{shown}` stands {}", home.context.place());
        return Diagnostic::error("misplaced-statement", place, message).help(help);
    }
    let unknown = Diagnostic::error("unknown-statement", place, format!("no statement begins with `{shown}`"));
    if let Some(meant) = context.nearest(word) {
        return unknown.help(format!("did you mean `{}`?", meant.word));
    }
    match instead_of(word) {
        Some(instead) => unknown.help(format!("what nginx calls `{shown}` is written `{instead}`")),
        None => unknown,
    }
}

/// Stable names of the ways to go wrong.
fn code(found: TokenKind, expected: &[Rule]) -> &'static str {
    let ends = expected.contains(&Rule::semicolon);
    let opens = expected.contains(&Rule::open);
    match found {
        TokenKind::Open if ends => "unexpected-block",
        TokenKind::Semicolon | TokenKind::End | TokenKind::Close if opens => "expected-block",
        TokenKind::Bare | TokenKind::Quoted | TokenKind::UnclosedQuote if ends || opens => "unexpected-word",
        _ if expected.contains(&Rule::unary) => "expected-predicate",
        _ => "expected-word",
    }
}

enum Found<'t> {
    Word(&'t str),
    Sign(&'static str),
}

/// What stands at byte `at` of the statement, and its place in the file.
fn found(text: &str, place: Span, at: usize) -> (TokenKind, Found<'_>, Span) {
    let rest = text.get(at..).unwrap_or("");
    let token = Scanner::new(rest).next();
    let start = place.start as usize + at;
    let found = match token.kind {
        TokenKind::Semicolon => Found::Sign("`;`"),
        TokenKind::Open => Found::Sign("`{`"),
        TokenKind::Close => Found::Sign("`}`"),
        TokenKind::End => Found::Sign("the end of the statement"),
        TokenKind::Bare | TokenKind::Quoted | TokenKind::UnclosedQuote => {
            Found::Word(rest.get(token.start..token.end).unwrap_or(""))
        }
    };
    (token.kind, found, span(place.file, start + token.start, start + token.end))
}

fn one_of<'p>(phrases: impl Iterator<Item = &'p str>) -> String {
    let phrases: Vec<&str> = phrases.collect();
    match phrases.split_last() {
        None => "something else".to_owned(),
        Some((only, [])) => (*only).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
    }
}

/// A word as a message shows it: a line is enough to recognise one.
pub(super) fn shortened(word: &str) -> String {
    const SHOWN_MAX: usize = 60;
    match word.char_indices().nth(SHOWN_MAX) {
        None => word.to_owned(),
        Some((end, _)) => format!("{}...", word.get(..end).unwrap_or("")),
    }
}
