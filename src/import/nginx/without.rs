//! What is left out on request: `--without NAME[@FILE:LINE]`.

use super::tree::Directive;
use crate::diagnostic::{Sources, Span};
use core::fmt;
use core::str::FromStr;

/// What an import may do besides translating.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Directives that are left out although they decide; empty: what has no translation ends the import.
    pub without: Vec<Without>,
}

/// Directives that may be left out: all of one name, or the one at a place.
///
/// ```
/// # use rulec::import::nginx::Without;
/// let everywhere: Without = "limit_req".parse().expect("a name");
/// let here: Without = "proxy_set_header@site.conf:12".parse().expect("a name and a place");
/// assert_eq!((everywhere.place, here.place), (None, Some(("site.conf".to_owned(), 12))));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Without {
    /// The name of the directive.
    pub name: String,
    /// File and line, where one place alone is meant: the file by its path as diagnostics print it, or by the end of it.
    pub place: Option<(String, usize)>,
}

/// A directive that was left out on request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftOut {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub span: Span,
    /// What that means for requests.
    pub why: String,
}

/// A [`Without`] that named nothing that may be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Misnamed {
    /// As it was given.
    pub without: Without,
    /// What is wrong with it.
    pub why: String,
}

impl FromStr for Without {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, place) = match text.split_once('@') {
            None => (text, None),
            Some((name, place)) => {
                let wrong = || format!("`{place}` is no place: write NAME@FILE:LINE");
                let (file, line) = place.rsplit_once(':').ok_or_else(wrong)?;
                let line: usize = line.parse().ok().filter(|line| *line > 0).ok_or_else(wrong)?;
                if file.is_empty() {
                    return Err(wrong());
                }
                (name, Some((file.to_owned(), line)))
            }
        };
        if name.is_empty() {
            return Err("the name of a directive is missing".to_owned());
        }
        Ok(Self { name: name.to_owned(), place })
    }
}

impl fmt::Display for Without {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.place.iter().try_for_each(|(file, line)| write!(f, "@{file}:{line}"))
    }
}

impl Without {
    /// Whether it means `directive`.
    pub(super) fn means(&self, directive: &Directive, sources: &Sources) -> bool {
        self.name == directive.name() && self.is_at(directive.span, sources)
    }

    /// Whether it means what stands at `span`, if its name is this one.
    pub(super) fn is_at(&self, span: Span, sources: &Sources) -> bool {
        let Some((file, line)) = &self.place else { return true };
        let is_of_file = sources.get(span.file).is_some_and(|source| ends_with(&source.name, file));
        is_of_file && sources.position(span).0 == *line
    }
}

/// Whether `path` is `end`, or ends with it behind a `/`.
fn ends_with(path: &str, end: &str) -> bool {
    path.strip_suffix(end).is_some_and(|front| front.is_empty() || front.ends_with('/') || end.starts_with('/'))
}
