//! What a square bracket begins.

use super::escape::Escaped;
use super::parser::{Node, Parser};
use super::{Mistake, sets};
use regex_syntax::hir::{ClassBytes, ClassBytesRange};

/// A member of a class.
enum Member {
    Byte(u8),
    /// `\d`, `[:alpha:]`: no end of a range.
    Set(ClassBytes),
}

impl Parser<'_> {
    /// Behind a `[` that stands at `from`.
    pub(super) fn class(&mut self, from: usize) -> Result<Node, Mistake> {
        self.refuse_posix_alone(from)?;
        let others = self.eat("^");
        let mut class = ClassBytes::empty();
        // A `]` that comes first is a member.
        let mut first = true;
        while first || self.peek() != Some(b']') {
            first = false;
            self.refuse_set_operator()?;
            let start = self.at;
            match self.member(from)? {
                Member::Set(set) => {
                    class.union(&set);
                    self.refuse_range(start, "a set cannot begin a range")?;
                }
                Member::Byte(low) if self.range_follows() => {
                    self.refuse_set_operator()?;
                    self.at += 1;
                    let Member::Byte(high) = self.member(from)? else {
                        let help = "write `-` first or last in the class";
                        return Err(Mistake::ambiguous(start..self.at, "a set cannot end a range").help(help));
                    };
                    if high < low {
                        return Err(Mistake::syntax(start..self.at, "the range is out of order"));
                    }
                    class.push(ClassBytesRange::new(low, high));
                }
                Member::Byte(byte) => class.push(ClassBytesRange::new(byte, byte)),
            }
        }
        self.at += 1;
        if self.flags.caseless {
            class.case_fold_simple();
        }
        if others {
            class.negate();
        }
        Ok(Node::of_class(class))
    }

    fn member(&mut self, class_start: usize) -> Result<Member, Mistake> {
        let from = self.at;
        match self.letter() {
            None => {
                let message = "this `[` is not closed";
                let help = "write `\\[` for the character; a `]` that comes first is a member";
                Err(Mistake::syntax(class_start..class_start + 1, message).help(help))
            }
            Some('\\') => self.escaped_member(from),
            Some('[') if self.posix_end().is_some() => self.posix(from).map(Member::Set),
            Some(letter) if letter.is_ascii() => Ok(Member::Byte(u8::try_from(letter).unwrap_or(0))),
            Some(letter) => {
                let message = format!("in a class the bytes of `{letter}` are members one by one");
                let help = format!("write `(?:{letter}|...)`, or each byte as `\\xHH`");
                Err(Mistake::ambiguous(from..self.at, message).help(help))
            }
        }
    }

    fn escaped_member(&mut self, from: usize) -> Result<Member, Mistake> {
        if self.eat("b") {
            return Ok(Member::Byte(8));
        }
        Ok(match self.escaped(from)? {
            Escaped::Byte(byte) => Member::Byte(byte),
            Escaped::Set(set) => Member::Set(set),
        })
    }

    fn range_follows(&self) -> bool {
        self.peek() == Some(b'-') && !matches!(self.peek_at(1), None | Some(b']'))
    }

    fn refuse_range(&self, start: usize, message: &str) -> Result<(), Mistake> {
        if self.range_follows() {
            let help = "write `-` first or last in the class";
            return Err(Mistake::ambiguous(start..self.at + 1, message).help(help));
        }
        Ok(())
    }

    /// `&&`, `--`, `~~`: operators on sets to some engines, members twice to Perl.
    fn refuse_set_operator(&self) -> Result<(), Mistake> {
        let doubled = ["&&", "--", "~~"].into_iter().find(|operator| self.rest().starts_with(operator));
        let Some(operator) = doubled else { return Ok(()) };
        let message = format!("`{operator}` in a class is an operator to some engines and two characters to Perl");
        let letter = operator.get(1..).unwrap_or(operator);
        let help = format!("write `{letter}` once; there are no operators on classes here");
        Err(Mistake::ambiguous(self.at..self.at + 2, message).help(help))
    }

    /// `[:alpha:]`, its `[` being read.
    fn posix(&mut self, from: usize) -> Result<ClassBytes, Mistake> {
        let end = self.posix_end().unwrap_or(self.at);
        let inside = self.rest().get(1..end - self.at).unwrap_or("");
        let is_colon = self.peek() == Some(b':');
        let (name, others) = inside.strip_prefix('^').map_or((inside, false), |name| (name, true));
        let set = sets::of_posix(name, self.flags.caseless).filter(|_| is_colon);
        self.at = end + 2;
        let Some(set) = set else {
            let message = format!("`{}` is no set of characters", self.since(from));
            return Err(
                Mistake::syntax(from..self.at, message).help("such as `[:alnum:]`; write `\\[` for the character")
            );
        };
        Ok(sets::class_or_others(set, others))
    }

    /// Where the `:]` stands that makes the text from here `[:...:]`, by PCRE2's own rule; the `[` is read.
    fn posix_end(&self) -> Option<usize> {
        let bytes = self.rest().as_bytes();
        let mark = *bytes.first().filter(|byte| matches!(**byte, b':' | b'.' | b'='))?;
        let mut at = 1;
        loop {
            let (this, next) = (*bytes.get(at)?, *bytes.get(at + 1)?);
            match this {
                b'\\' if matches!(next, b']' | b'\\') => at += 1,
                b'[' if next == mark => return None,
                b']' => return None,
                _ if this == mark && next == b']' => return Some(self.at + at),
                _ => {}
            }
            at += 1;
        }
    }

    /// `[:alpha:]` that is not inside another class.
    fn refuse_posix_alone(&self, from: usize) -> Result<(), Mistake> {
        let Some(end) = self.posix_end() else { return Ok(()) };
        let message = "a set of characters stands inside a class";
        Err(Mistake::syntax(from..end + 2, message).help("write `[[:alpha:]]`"))
    }
}

#[cfg(test)]
mod tests {
    use crate::regex::parse;

    #[test]
    fn what_two_engines_read_differently_is_refused() {
        for pattern in ["[a&&b]", "[a--b]", "[a~~b]", "[\\d-z]", "[a-\\d]", "[:alpha:]", "[[.x.]]", "[é]", "[[:<:]]"] {
            assert!(parse(pattern, false).is_err(), "{pattern}");
        }
        for pattern in ["[]a]", "[^]a]", "[a[b]", "[.]", "[=]", "[a-c-e]", "[\\w-]", "[-a]", "[[:^alpha:]_]", "[[:]"] {
            assert!(parse(pattern, false).is_ok(), "{pattern}");
        }
    }
}
