//! What `(?i)` and its like change, and comments.

use super::Mistake;
use super::parser::{Atom, Parser};

/// Flags that are set.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "that is what flags are")]
pub(super) struct Flags {
    /// `i`
    pub(super) caseless: bool,
    /// `s`: a dot takes newlines too.
    pub(super) dot_all: bool,
    /// `m`: `^` and `$` hold at every line.
    pub(super) multi_line: bool,
    /// `x`: blanks, and what stands behind `#`, say nothing.
    pub(super) extended: bool,
    /// `U`: repetitions are lazy unless `?` follows.
    pub(super) ungreedy: bool,
}

impl Parser<'_> {
    /// `(?i)`, `(?s-i:...)` or `(?:...)`, the `?` being read.
    pub(super) fn flag_group(&mut self, from: usize) -> Result<Atom, Mistake> {
        let outer = self.flags;
        let mut flags = outer;
        let mut on = true;
        loop {
            let start = self.at;
            match self.letter() {
                Some('-') if on => on = false,
                Some('i') => flags.caseless = on,
                Some('s') => flags.dot_all = on,
                Some('m') => flags.multi_line = on,
                Some('x') if self.peek() != Some(b'x') => flags.extended = on,
                Some('U') => flags.ungreedy = on,
                Some(':') => {
                    self.flags = flags;
                    let inner = self.inside(from);
                    self.flags = outer;
                    return inner.map(Atom::Item);
                }
                // `(?)` and `(?-)` say nothing.
                Some(')') if start > from + 2 && self.since(from) != "(?-)" => {
                    self.flags = flags;
                    return Ok(Atom::Flags);
                }
                Some(letter) => return Err(self.flag(letter, start)),
                None => return Err(Mistake::syntax(from..self.at, "this `(` is not closed")),
            }
        }
    }

    fn flag(&self, letter: char, start: usize) -> Mistake {
        let range = start..self.at;
        let help = match letter {
            'n' => "write `(?:...)` for a group that does not capture",
            'J' => "give each group its own name",
            'x' => "write `(?x)`, and a blank in a class as it is",
            _ => "the flags are `i`, `s`, `m`, `x` and `U`",
        };
        Mistake::new("regex-flag", range, format!("the flag `{letter}` is not supported")).help(help)
    }

    /// Reads what says nothing: `(?#...)`, and blanks and comments under `(?x)`.
    pub(super) fn skip_comments(&mut self) -> Result<(), Mistake> {
        loop {
            let from = self.at;
            if self.eat("(?#") {
                let Some((comment, _)) = self.rest().split_once(')') else {
                    let message = "this comment is not closed";
                    return Err(Mistake::syntax(from..from + 3, message).help("a comment ends at the first `)`"));
                };
                self.at += comment.len() + 1;
            } else if self.flags.extended && self.eat("#") {
                self.at += self.rest().find('\n').unwrap_or(self.rest().len());
            } else if self.flags.extended && matches!(self.peek(), Some(9..=13 | b' ')) {
                self.at += 1;
            } else {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::regex::parse;

    #[test]
    fn what_says_nothing_changes_nothing() {
        let meaning = |pattern: &str| format!("{:?}", parse(pattern, false).expect(pattern).meaning.hir);
        for (pattern, plain) in [
            ("a(?#b)*c", "a*c"),
            ("(?x) a b # c\n d", "abd"),
            ("(?x) [ a]\\ b", "[ a] b"),
            ("(?x:a b)c d", "(?:ab)c d"),
            ("(?U)a+b+?", "a+?b+"),
            ("\\Qa.b\\E+", "a\\.b+"),
            ("\\Q(", "\\("),
        ] {
            assert_eq!(meaning(pattern), meaning(plain), "{pattern}");
        }
        for pattern in ["(?#a", "(?xx)a", "(?n)a", "(?J)a", "(?x)a+ +", "\\Q\\E*", "\\E"] {
            assert!(parse(pattern, false).is_err(), "{pattern}");
        }
    }
}
