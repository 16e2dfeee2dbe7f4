//! `if (...)`: conditions as predicates.

use super::fact::file_fact;
use super::field::Field;
use super::importer::{Importer, Lack};
use super::place::Place;
use super::predicate::Predicate;
use super::regex;
use super::tree::{Directive, Word};
use super::values::{Cases, Known, ask, choose};
use super::variable::Part;
use super::variable::parts;

/// A condition of an `if`.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    /// When it holds.
    pub(super) holds: Predicate,
    /// The regex it tries, if `$1` and its like are taken from it: field, operator and source, as `match` has them.
    pub(super) regex: Option<String>,
    /// The regex it tries, if it tries one at all.
    pub(super) source: Option<String>,
    /// Whether it holds where the regex does not match.
    pub(super) is_negative: bool,
}

/// The regex that an `if` tries, if it tries one.
pub(super) fn tried(directive: &Directive) -> Option<String> {
    match words(directive).ok()?.as_slice() {
        [_, operator, source] if is_trial(&operator.text) => Some(regex::source(&source.text)),
        _ => None,
    }
}

fn is_trial(operator: &str) -> bool {
    matches!(operator, "~" | "~*" | "!~" | "!~*")
}

/// The words of a condition, without its parentheses.
fn words(directive: &Directive) -> Result<Vec<Word>, Lack> {
    let invalid = |word: Option<&Word>| {
        Lack::Wrong(format!("invalid condition \"{}\"", word.map_or("", |word| word.text.as_str())))
    };
    let mut words = directive.args.clone();
    match words.first_mut() {
        Some(first) if first.text.starts_with('(') => {
            first.text.remove(0);
        }
        first => return Err(invalid(first.as_deref())),
    }
    match words.last_mut() {
        Some(last) if last.text.ends_with(')') => {
            last.text.pop();
        }
        last => return Err(invalid(last.as_deref())),
    }
    // A parenthesis alone is a word of its own.
    if words.first().is_some_and(|word| word.text.is_empty() && !word.quoted) {
        words.remove(0);
    }
    if words.last().is_some_and(|word| word.text.is_empty() && !word.quoted) {
        words.pop();
    }
    if words.is_empty() { Err(invalid(directive.args.first())) } else { Ok(words) }
}

impl<'p> Importer<'p> {
    /// The condition of `directive`.
    pub(super) fn condition(&mut self, directive: &Directive, place: &Place<'_, 'p>) -> Result<Condition, Lack> {
        let words = words(directive)?;
        let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        match texts.as_slice() {
            [variable] if is_variable(variable) => {
                let cases = self.known_variable(name(variable), place)?;
                Ok(plain(ask(&cases, &|field| Ok(field.is_true()))?))
            }
            [variable, operator @ ("=" | "!="), _] if is_variable(variable) => {
                let cases = self.known_variable(name(variable), place)?;
                let value = words.get(2).ok_or(Lack::Wrong("invalid condition".to_owned()))?;
                let holds = self.equal(&cases, value, place)?;
                Ok(plain(if *operator == "=" { holds } else { holds.not() }))
            }
            [variable, operator, source] if is_variable(variable) && is_trial(operator) => {
                let cases = self.known_variable(name(variable), place)?;
                try_regex(&cases, operator, source)
            }
            [variable, operator, _] if is_variable(variable) => {
                Err(Lack::Wrong(format!("unexpected \"{operator}\" in condition")))
            }
            [test, path] if file_test(test).is_some() => {
                let kind = file_test(test).unwrap_or("exists");
                let path = *path;
                parts(path)?;
                let wanted = file_fact(path, kind);
                let meaning = format!("whether `{path}` {}", told(kind));
                let fact = self.fact(&wanted, "yes no", meaning, directive.span);
                let holds = Predicate::atom(format!("fact {fact} yes"));
                Ok(plain(if test.starts_with('!') { holds.not() } else { holds }))
            }
            _ => Err(Lack::Wrong(format!("invalid condition \"{}\"", texts.first().copied().unwrap_or("")))),
        }
    }

    /// Refuses a condition that changes `$1` or a named group that is used in a way that guards do not see.
    pub(super) fn check_groups(
        &self,
        directive: &Directive,
        condition: &Condition,
        takes_groups: bool,
        place: &Place<'_, 'p>,
    ) -> Result<(), Lack> {
        // With a `match` the rules try the regex as nginx does.
        let lost = condition.source.as_deref().filter(|_| condition.regex.is_none());
        if let Some(source) = lost {
            let is_said = |name: &String| place.server.said.contains(&name.to_ascii_lowercase());
            if let Some(name) = regex::groups(source).into_iter().find(is_said) {
                return Err(Lack::beyond(format!("`${name}` would be taken from a text that guards do not see")));
            }
            if takes_groups && regex::has_groups(source) {
                return Err(Lack::beyond("`$1` would be taken from a text that guards do not see"));
            }
        }
        let words = words(directive)?;
        let asked = words.first().map_or("", |word| name(&word.text));
        if takes_groups && self.maps.tries_regexes(&asked.to_ascii_lowercase()) {
            return Err(Lack::beyond("the regexes of its table change `$1`, which is used here"));
        }
        Ok(())
    }

    /// When a value is the text `word`.
    fn equal(&mut self, cases: &Cases, word: &Word, place: &Place<'_, 'p>) -> Result<Predicate, Lack> {
        let mut holds = Predicate::False;
        for (when, known) in self.known_text(word, place)?.iter().rev() {
            let asked = match known {
                Known::Is(Field::Text(text)) => ask(cases, &|field| Ok(field.equals(text, false)))?,
                // `$http_host = $x`: which of both is the text makes no difference.
                Known::Is(field) => ask(cases, &|own| match own {
                    Field::Text(text) => Ok(field.equals(text, false)),
                    own if own == field => Ok(Predicate::True),
                    _ => Err("it compares two parts of the request".to_owned()),
                })?,
                Known::Open(why) => return Err(Lack::beyond(why.clone())),
            };
            holds = choose(when, asked, holds);
        }
        Ok(holds)
    }
}

fn try_regex(cases: &Cases, operator: &str, source: &str) -> Result<Condition, Lack> {
    let source = regex::source(source);
    let caseless = operator.ends_with('*');
    let is_negative = operator.starts_with('!');
    let holds = ask(cases, &|field| field.matches(&source, caseless))?;
    let sign = if caseless { "~*" } else { "~" };
    let regex = match cases.as_slice() {
        [(Predicate::True, Known::Is(field))] => {
            field.for_match().map(|name| format!("{name} {sign} {}", super::rules::word(&source)))
        }
        _ => None,
    };
    let holds = if is_negative { holds.not() } else { holds };
    Ok(Condition { holds, regex, source: Some(source), is_negative })
}

fn plain(holds: Predicate) -> Condition {
    Condition { holds, regex: None, source: None, is_negative: false }
}

fn is_variable(word: &str) -> bool {
    word.len() > 1 && word.starts_with('$')
}

fn name(variable: &str) -> &str {
    variable.strip_prefix('$').unwrap_or(variable)
}

/// What `-f` and its like ask.
fn file_test(word: &str) -> Option<&'static str> {
    Some(match word.strip_prefix('!').unwrap_or(word) {
        "-f" => "is_file",
        "-d" => "is_folder",
        "-e" => "exists",
        "-x" => "may_be_executed",
        _ => return None,
    })
}

/// What a test of a file asks, in words.
fn told(test: &str) -> &'static str {
    match test {
        "is_file" => "is a file",
        "is_folder" => "is a folder",
        "exists" => "exists",
        _ => "may be executed",
    }
}

/// Names of variables in `word`.
pub(super) fn variables(word: &Word) -> Vec<String> {
    let names = |part: Part| match part {
        Part::Variable(name) => Some(name.to_ascii_lowercase()),
        Part::Text(_) => None,
    };
    parts(&word.text).map(|parts| parts.into_iter().filter_map(names).collect()).unwrap_or_default()
}
