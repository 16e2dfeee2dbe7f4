//! What a backslash begins.

use super::parser::{Atom, Node, Parser};
use super::{Mistake, sets};
use regex_syntax::hir::{ClassBytes, Hir, Look};

/// What a backslash means both inside and outside a class.
pub(super) enum Escaped {
    /// One byte.
    Byte(u8),
    /// One of a set.
    Set(ClassBytes),
}

impl Parser<'_> {
    /// Behind a backslash that stands at `from`, outside a class.
    pub(super) fn escape(&mut self, from: usize) -> Result<Atom, Mistake> {
        let look = match self.peek() {
            Some(b'b') => Look::WordAscii,
            Some(b'B') => Look::WordAsciiNegate,
            Some(b'A') => Look::Start,
            Some(b'z') => Look::End,
            Some(b'Z') => Look::EndLF,
            _ => return self.escaped_item(from),
        };
        self.at += 1;
        if self.peek() == Some(b'{') {
            let message = "`\\b{...}` is read differently by different engines";
            return Err(Mistake::ambiguous(from..self.at + 1, message).help("write `\\b` for a boundary of a word"));
        }
        Ok(Atom::Assertion(Hir::look(look)))
    }

    fn escaped_item(&mut self, from: usize) -> Result<Atom, Mistake> {
        match self.peek() {
            Some(b'Q') => return self.quoted(from),
            Some(b'N') if self.peek_at(1) != Some(b'{') => {
                self.at += 1;
                return Ok(Atom::Item(Node::class(sets::NOT_NEWLINE)));
            }
            Some(b'<' | b'>') => {
                let letter = self.letter().unwrap_or('<');
                let message = format!("`\\{letter}` is a character in Perl and a boundary of a word elsewhere");
                let help = format!("write `{letter}` for the character, `\\b` for the boundary");
                return Err(Mistake::ambiguous(from..self.at, message).help(help));
            }
            _ => {}
        }
        Ok(Atom::Item(match self.escaped(from)? {
            Escaped::Byte(byte) => self.byte(byte),
            Escaped::Set(class) => Node::of_class(class),
        }))
    }

    /// Behind the backslash of `\Q`: a text, up to `\E` or the end.
    fn quoted(&mut self, from: usize) -> Result<Atom, Mistake> {
        self.at += 1;
        let text = self.rest().split_once("\\E").map_or(self.rest(), |(text, _)| text);
        let mut letters = Vec::new();
        let mut last = None;
        for letter in text.chars() {
            letters.extend(last.replace(letter).map(|letter| self.character(letter).hir));
        }
        self.at += text.len();
        let is_closed = self.eat("\\E");
        let Some(last) = last else {
            let range = from..self.at;
            return Err(Mistake::syntax(range, "`\\Q` quotes nothing").help("leave it out; `\\E` ends a text"));
        };
        if !last.is_ascii() && is_closed {
            self.refuse_repetition_of(last, from)?;
        }
        Ok(Atom::Quoted { text: Hir::concat(letters), last: self.character(last) })
    }

    /// A byte or a set, inside a class or outside.
    pub(super) fn escaped(&mut self, from: usize) -> Result<Escaped, Mistake> {
        let Some(letter) = self.letter() else {
            return Err(Mistake::syntax(from..self.at, "the pattern ends in a backslash").help("write `\\\\`"));
        };
        if let Some((set, others)) = sets::of_escape(letter) {
            return Ok(Escaped::Set(sets::class_or_others(set, others)));
        }
        Ok(Escaped::Byte(match letter {
            'a' => 7,
            'e' => 0x1B,
            'f' => 0x0C,
            'n' => b'\n',
            'r' => b'\r',
            't' => b'\t',
            'x' => self.hexadecimal(from)?,
            '0' => self.octal(from, 2)?,
            'o' if self.eat("{") => {
                let byte = self.octal(from, 8)?;
                if self.since(self.at - 1) == "{" || !self.eat("}") {
                    return Err(Mistake::syntax(from..self.at, "octal digits are missing").help("as in `\\o{12}`"));
                }
                byte
            }
            'c' => match self.letter() {
                Some(letter @ ' '..='~') => u8::try_from(letter.to_ascii_uppercase()).unwrap_or(0) ^ 0x40,
                _ => return Err(Mistake::syntax(from..self.at, "no control character").help("as in `\\cA`")),
            },
            _ if letter.is_ascii_alphanumeric() => return Err(self.refused(letter, from)),
            _ if letter.is_ascii() => u8::try_from(letter).unwrap_or(0),
            _ => {
                let message = "a backslash before a character that needs none";
                return Err(Mistake::ambiguous(from..self.at, message).help(format!("write `{letter}`")));
            }
        }))
    }

    /// `\x2F` or `\x{2F}`, the `x` being read.
    fn hexadecimal(&mut self, from: usize) -> Result<u8, Mistake> {
        let braced = self.eat("{");
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) && (braced || self.at < start + 2) {
            self.at += 1;
        }
        let digits = self.since(start).trim_start_matches('0');
        let two = braced && !self.since(start).is_empty() || self.at == start + 2;
        if !two || braced && !self.eat("}") {
            let message = "two hexadecimal digits are missing";
            return Err(Mistake::ambiguous(from..self.at, message).help("write a byte as `\\x2F`"));
        }
        if digits.is_empty() {
            return Ok(0);
        }
        u8::from_str_radix(digits, 16).map_err(|_| {
            let message = "a pattern matches bytes, and this is none";
            Mistake::unsupported(from..self.at, message)
                .help("write the character itself: it stands for its UTF-8 bytes")
        })
    }

    /// Up to `most` octal digits.
    fn octal(&mut self, from: usize, most: usize) -> Result<u8, Mistake> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'7')) && self.at < start + most {
            self.at += 1;
        }
        let digits = self.since(start).trim_start_matches('0');
        if digits.is_empty() {
            return Ok(0);
        }
        u8::from_str_radix(digits, 8).map_err(|_| {
            Mistake::unsupported(from..self.at, "a pattern matches bytes, and this is none")
                .help("write the character itself: it stands for its UTF-8 bytes")
        })
    }

    /// Why `\letter` is refused, `letter` being read.
    fn refused(&mut self, letter: char, from: usize) -> Mistake {
        let range = from..self.at;
        let unsupported = |message: &str, help: &str| Mistake::unsupported(range.clone(), message).help(help);
        match letter {
            'g' if matches!(self.peek(), Some(b'<' | b'\'')) => {
                unsupported("a recursion: no automaton can count nesting", "write out as many levels as are needed")
            }
            '1'..='9' | 'k' | 'g' => Mistake::backreference(range),
            'o' => Mistake::syntax(range, "octal digits are missing").help("as in `\\o{12}`"),
            // PCRE2 counts Latin-1's blanks among them, and then again not: `\S+\h` does not match `a\xA0`.
            'h' | 'H' => unsupported("blanks beyond ASCII are no bytes of their own", "write `[ \\t]`"),
            'v' | 'V' => unsupported("line ends beyond ASCII are no bytes of their own", "write `[\\n\\r]`"),
            'Q' => unsupported("`\\Q` in a class", "put a backslash before each character that needs one"),
            'E' => unsupported("this `\\E` ends nothing", "leave it out"),
            'K' => unsupported("`\\K` moves the start of a match", "leave it out: only whether it matches counts"),
            'G' => unsupported("`\\G` is where the last match ended", "write `^`"),
            'R' => unsupported("`\\R` is any line end, taken as a whole", "write `(?:\\r\\n|\\n)`"),
            'X' | 'C' => unsupported("no single byte or character of its own", "write `.`"),
            'p' | 'P' | 'N' | 'u' | 'U' | 'l' | 'L' => {
                unsupported("a pattern matches bytes, not characters", "write a class, such as `[a-z]`")
            }
            'b' | 'B' | 'A' | 'z' | 'Z' => Mistake::syntax(range, "a position cannot be a member of a class")
                .help("write the character without `\\`"),
            _ => Mistake::syntax(range, format!("`\\{letter}` means nothing")).help(format!("write `{letter}`")),
        }
    }
}
