//! What a parenthesis begins.

use super::parser::{Atom, Look, Node, Parser};
use super::{Mistake, NAME_OCTETS_MAX};
use regex_syntax::hir::{Capture, Hir};

impl Parser<'_> {
    /// Behind a `(` that stands at `from`.
    pub(super) fn nested(&mut self, from: usize) -> Result<Atom, Mistake> {
        if self.peek() == Some(b'*') {
            return Err(self.verb(from));
        }
        if !self.eat("?") {
            return self.capture(None, from);
        }
        for (look, ahead, negative) in
            [("=", true, false), ("!", true, true), ("<=", false, false), ("<!", false, true)]
        {
            if self.eat(look) {
                return self.look_around(Look { ahead, negative }, from).map(Atom::Assertion);
            }
        }
        if self.eat(">") {
            let inner = self.inside(from)?;
            return self.atomic(inner, from).map(Atom::Item);
        }
        for (opening, closing) in [("P<", '>'), ("<", '>'), ("'", '\'')] {
            if self.eat(opening) {
                let name = self.name(closing, from)?;
                return self.capture(Some(name), from);
            }
        }
        if let Some(mistake) = self.other_group(from) {
            return Err(mistake);
        }
        self.flag_group(from)
    }

    fn capture(&mut self, name: Option<String>, from: usize) -> Result<Atom, Mistake> {
        self.groups.push(name.clone());
        let index = u32::try_from(self.groups.len()).unwrap_or(u32::MAX);
        if !self.inside_looks.is_empty() && !self.inside_looks.iter().any(|look| look.negative) {
            self.groups_inside.push(index);
        }
        let inner = self.inside(from)?;
        let capture = Capture { index, name: name.map(Into::into), sub: Box::new(inner.hir) };
        Ok(Atom::Item(Node { hir: Hir::capture(capture), size: inner.size + 2 }))
    }

    /// Up to the `)` of the `(` at `from`, which is read too. Flags set inside end there.
    pub(super) fn inside(&mut self, from: usize) -> Result<Node, Mistake> {
        let flags = self.flags;
        let node = self.deeper(from, Self::alternation)?;
        self.flags = flags;
        if !self.eat(")") {
            let message = "this `(` is not closed";
            return Err(Mistake::syntax(from..from + 1, message).help("write `\\(` for the character"));
        }
        Ok(node)
    }

    fn name(&mut self, closing: char, from: usize) -> Result<String, Mistake> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            self.at += 1;
        }
        let name = self.since(start).to_owned();
        let range = from..self.at;
        if name.is_empty() || name.starts_with(|letter: char| letter.is_ascii_digit()) || self.letter() != Some(closing)
        {
            let help = "a name is letters, digits and `_`, as in `(?<id>[0-9]+)`";
            return Err(Mistake::syntax(range, "this is no name of a group").help(help));
        }
        if name.len() > NAME_OCTETS_MAX {
            let message = format!("a name of a group has at most {NAME_OCTETS_MAX} letters");
            return Err(Mistake::syntax(range, message));
        }
        if !self.names.insert(name.clone()) {
            return Err(Mistake::syntax(range, format!("two groups are named `{name}`")).help("give each its own name"));
        }
        Ok(name)
    }

    /// The kinds of group that no automaton can express, or that nothing is lost without; the `?` is read.
    fn other_group(&mut self, from: usize) -> Option<Mistake> {
        let rest = self.rest();
        let begins = |token: &str| rest.starts_with(token);
        let digit = |text: &str| text.starts_with(|letter: char| letter.is_ascii_digit());
        let signed = |sign: char| rest.strip_prefix(sign).is_some_and(digit);
        let range = from..from + 3;
        let unsupported = |message: &str, help: &str| Some(Mistake::unsupported(range.clone(), message).help(help));
        if begins("P=") {
            return Some(Mistake::backreference(range));
        }
        if begins("R") || begins("&") || begins("P>") || digit(rest) || signed('+') || signed('-') {
            let help = "write out as many levels as are needed";
            return unsupported("a recursion: no automaton can count nesting", help);
        }
        match self.peek() {
            Some(b'|') => {
                unsupported("alternatives that count their groups alike", "write `(?:` and number the groups")
            }
            Some(b'(') => unsupported("a condition on a group", "write the alternatives out"),
            Some(b'C') => unsupported("a call out of the pattern", "leave it out"),
            Some(b'^') => unsupported("`(?^` resets flags", "write `(?-is:`"),
            _ => None,
        }
    }

    /// `(*...)`
    fn verb(&self, from: usize) -> Mistake {
        let message = "`(*...)` steers how an engine searches, which an automaton does not";
        Mistake::unsupported(from..self.at + 1, message).help("leave it out, or write `(\\*` for the characters")
    }
}

#[cfg(test)]
mod tests {
    use crate::regex::parse;

    #[test]
    fn groups_are_counted_and_named_behind_look_around_too() {
        let regex = parse("^/(?!api/(v1))(?<rest>.*)(x)", false).expect("it is a regex");
        assert_eq!(regex.meaning.looks.len(), 1);
        assert_eq!(regex.groups, [None, Some("rest".to_owned()), None]);
    }
}
