//! Regexes of a configuration: as rules write them, and tried on texts that are known.

use super::decode::byte;
use crate::diagnostic::Span;
use crate::model::Pattern;
use crate::model::semantics::{Regexes, Simulation};
use crate::regex;

/// `text` as a regex of the rules: bytes that are not UTF-8 are written as `\xHH`.
pub(super) fn source(text: &str) -> String {
    let mut source = String::with_capacity(text.len());
    for c in text.chars() {
        match byte(c) {
            Some(byte) => source.push_str(&format_args!("\\x{byte:02x}").to_string()),
            None => source.push(c),
        }
    }
    source
}

/// Whether `source` matches in `subject`; None where that is not known here.
pub(super) fn matches(source: &str, caseless: bool, subject: &str) -> Option<bool> {
    let regex = regex::parse(source, caseless).ok()?;
    let (groups, meaning) = (regex.groups, Some(regex.meaning));
    let pattern = Pattern { source: source.to_owned(), caseless, span: Span::default(), groups, meaning };
    Some(Simulation.captures(&pattern, subject.as_bytes()).is_some())
}

/// Names of the groups of `source`. Of one that rules cannot read they are looked for in its text: what is wrong then is
/// that regex, and not that nobody gives the variable a value.
pub(super) fn groups(source: &str) -> Vec<String> {
    match regex::parse(source, false) {
        Ok(regex) => regex.groups.into_iter().flatten().collect(),
        Err(_) => source.split("(?").skip(1).filter_map(named).collect(),
    }
}

/// The name in `<name>...`, `P<name>...` or `'name'...`: what stands behind `(?` where a group has a name.
fn named(behind: &str) -> Option<String> {
    let behind = behind.strip_prefix('P').unwrap_or(behind);
    let (name, _) = match behind.strip_prefix('<') {
        Some(rest) => rest.split_once('>')?,
        None => behind.strip_prefix('\'')?.split_once('\'')?,
    };
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then(|| name.to_owned())
}

/// Whether `source` has groups that capture, named or not; one that cannot be read may.
pub(super) fn has_groups(source: &str) -> bool {
    regex::parse(source, false).map_or(true, |regex| !regex.groups.is_empty())
}

/// A regex that takes `text` and nothing else.
pub(super) fn exactly(text: &str) -> String {
    format!("^{}\\z", escaped(text))
}

/// `text` with what a regex reads otherwise behind backslashes.
pub(super) fn escaped(text: &str) -> String {
    let mut source = String::new();
    for c in text.chars() {
        if "\\.+*?()|[]{}^$".contains(c) {
            source.push('\\');
        }
        source.push(c);
    }
    source
}
