//! Alternatives, sequences and repetitions.

use super::flags::Flags;
use super::possessive::Atomic;
use super::{LookAround, Meaning, Mistake, NEST_MAX, REPEAT_MAX, Regex, SIZE_MAX, possessive, sets};
use regex_syntax::hir::{self, Class, ClassBytes, Hir, Repetition};
use std::collections::BTreeSet;

/// Where the reading of a pattern stands.
pub(super) struct Parser<'s> {
    source: &'s str,
    /// Byte to be read next.
    pub(super) at: usize,
    pub(super) flags: Flags,
    pub(super) groups: Vec<Option<String>>,
    pub(super) names: BTreeSet<String>,
    /// The group that stands for the first look-around: beyond any that `source` has parentheses for.
    pub(super) marks: u32,
    pub(super) looks: Vec<LookAround>,
    /// Groups inside positive look-around.
    pub(super) groups_inside: Vec<u32>,
    /// The look-around that is being read, innermost last.
    pub(super) inside_looks: Vec<Look>,
    pub(super) atomics: Vec<Atomic>,
    /// Whether each alternative that was read last takes texts of one length only.
    pub(super) is_fixed: bool,
    nest: usize,
}

/// The kind of a look-around.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) ahead: bool,
    pub(super) negative: bool,
}

/// A piece of a pattern.
pub(super) struct Node {
    pub(super) hir: Hir,
    /// Bytes and classes, repetitions written out.
    pub(super) size: usize,
}

/// What stands between two repetitions.
pub(super) enum Atom {
    /// Something that reads bytes, or a group.
    Item(Node),
    /// A condition on the position.
    Assertion(Hir),
    /// `\Q...\E`: a repetition behind it repeats the last character only.
    Quoted { text: Hir, last: Node },
    /// `(?i)`: changes how the rest of the group is read.
    Flags,
}

impl<'s> Parser<'s> {
    pub(super) fn new(source: &'s str, caseless: bool) -> Self {
        let parentheses = source.bytes().filter(|byte| *byte == b'(').count();
        Self {
            source,
            at: 0,
            flags: Flags { caseless, ..Flags::default() },
            groups: Vec::new(),
            names: BTreeSet::new(),
            marks: u32::try_from(parentheses + 1).unwrap_or(u32::MAX / 2),
            looks: Vec::new(),
            groups_inside: Vec::new(),
            inside_looks: Vec::new(),
            atomics: Vec::new(),
            is_fixed: false,
            nest: 0,
        }
    }

    pub(super) fn parse(mut self) -> Result<Regex, Mistake> {
        let node = self.alternation()?;
        if self.at < self.source.len() {
            let message = "this `)` closes nothing";
            return Err(Mistake::syntax(self.at..self.at + 1, message).help("write `\\)` for the character"));
        }
        let (looks, marks, groups_inside) = (self.looks, self.marks, self.groups_inside);
        let meaning = Meaning { hir: node.hir, looks, marks, groups_inside };
        possessive::refuse_changes(&meaning, &self.atomics)?;
        Ok(Regex { groups: self.groups, meaning })
    }

    /// Up to the `)` that ends it, or the end. Flags set in one alternative hold for those behind it, as in Perl.
    pub(super) fn alternation(&mut self) -> Result<Node, Mistake> {
        let mut alternatives = vec![self.sequence()?];
        while self.eat("|") {
            alternatives.push(self.sequence()?);
        }
        self.is_fixed = alternatives.iter().all(|node| {
            let properties = node.hir.properties();
            properties.minimum_len().is_some() && properties.minimum_len() == properties.maximum_len()
        });
        let size = alternatives.iter().map(|node| node.size + 1).sum();
        let hir = Hir::alternation(alternatives.into_iter().map(|node| node.hir).collect());
        self.bounded(Node { hir, size }, 0)
    }

    fn sequence(&mut self) -> Result<Node, Mistake> {
        let mut parts = Vec::new();
        let mut size = 0;
        let start = self.at;
        loop {
            self.skip_comments()?;
            if matches!(self.peek(), None | Some(b'|' | b')')) {
                break;
            }
            let (from, groups) = (self.at, self.groups.len());
            match self.atom()? {
                Atom::Item(node) => {
                    let node = self.repeated(node, from, groups)?;
                    size += node.size;
                    parts.push(node.hir);
                }
                Atom::Assertion(hir) => {
                    self.refuse_repetition(from)?;
                    parts.push(hir);
                }
                Atom::Quoted { text, last } => {
                    let last = self.repeated(last, from, groups)?;
                    size += last.size + self.at - from;
                    parts.extend([text, last.hir]);
                }
                Atom::Flags => {}
            }
        }
        self.bounded(Node { hir: Hir::concat(parts), size }, start)
    }

    fn atom(&mut self) -> Result<Atom, Mistake> {
        let from = self.at;
        let Some(letter) = self.letter() else { return Ok(Atom::Flags) };
        match letter {
            '(' => self.nested(from),
            '[' => self.class(from).map(Atom::Item),
            '\\' => self.escape(from),
            '^' if self.flags.multi_line => self.line_start(from).map(Atom::Assertion),
            '^' => Ok(Atom::Assertion(Hir::look(hir::Look::Start))),
            '$' if self.flags.multi_line => self.line_end(from).map(Atom::Assertion),
            '$' => Ok(Atom::Assertion(Hir::look(hir::Look::EndLF))),
            '.' => Ok(Atom::Item(Node::class(if self.flags.dot_all { sets::ANY } else { sets::NOT_NEWLINE }))),
            '*' | '+' | '?' => {
                let message = format!("`{letter}` repeats nothing");
                Err(Mistake::syntax(from..self.at, message).help(format!("write `\\{letter}` for the character")))
            }
            '{' => self.brace(from),
            _ if letter.is_ascii() => Ok(Atom::Item(self.character(letter))),
            _ => self.wide(letter, from),
        }
    }

    /// A `{` that does not repeat what stands before it.
    fn brace(&mut self, from: usize) -> Result<Atom, Mistake> {
        self.at = from;
        if self.counted()?.is_some() {
            let message = "this repeats nothing";
            return Err(Mistake::syntax(from..self.at, message).help("write `\\{` for the character"));
        }
        self.at = from + 1;
        Ok(Atom::Item(self.byte(b'{')))
    }

    /// A character beyond ASCII: its bytes one after the other, so that a repetition would repeat the last one only.
    fn wide(&mut self, letter: char, from: usize) -> Result<Atom, Mistake> {
        self.refuse_repetition_of(letter, from)?;
        Ok(Atom::Item(self.character(letter)))
    }

    pub(super) fn refuse_repetition_of(&mut self, letter: char, from: usize) -> Result<(), Mistake> {
        if self.repetition_follows()? {
            let message = format!("this repeats the last byte of `{letter}`, not `{letter}`");
            return Err(Mistake::ambiguous(from..self.at, message).help(format!("write `(?:{letter})`")));
        }
        Ok(())
    }

    /// The bytes of `letter`.
    pub(super) fn character(&self, letter: char) -> Node {
        if let Some(byte) = u8::try_from(letter).ok().filter(u8::is_ascii) {
            return self.byte(byte);
        }
        let mut bytes = [0; 4];
        let hir = Hir::literal(letter.encode_utf8(&mut bytes).as_bytes());
        Node { hir, size: letter.len_utf8() }
    }

    /// One byte, in both cases where case does not count.
    pub(super) fn byte(&self, byte: u8) -> Node {
        if self.flags.caseless && byte.is_ascii_alphabetic() {
            let (lower, upper) = (byte.to_ascii_lowercase(), byte.to_ascii_uppercase());
            return Node::class(&[(lower, lower), (upper, upper)]);
        }
        Node { hir: Hir::literal([byte]), size: 1 }
    }

    /// `node` with the repetition behind it, if there is one; before `node` there were `groups`.
    fn repeated(&mut self, node: Node, from: usize, groups: usize) -> Result<Node, Mistake> {
        self.skip_comments()?;
        let Some((min, max)) = self.quantifier()? else { return Ok(node) };
        if Some(min) != max && self.inside_looks.last().is_some_and(|look| !look.ahead) {
            return Err(Mistake::lookbehind(from..self.at));
        }
        let lazy = self.eat("?");
        let possessive = !lazy && self.eat("+");
        if self.repetition_follows()? {
            let message = "a repetition of a repetition";
            return Err(Mistake::ambiguous(from..self.at + 1, message).help("put the inner one into `(?:...)`"));
        }
        let times = usize::try_from(max.unwrap_or(min).max(1)).unwrap_or(usize::MAX);
        if max == Some(0) && self.groups.len() > groups {
            let message = "a group that is repeated zero times captures nothing";
            return Err(Mistake::unsupported(from..self.at, message).help("leave it out"));
        }
        let size = node.size.saturating_mul(times).saturating_add(1);
        let greedy = possessive || lazy == self.flags.ungreedy;
        let hir = Hir::repetition(Repetition { min, max, greedy, sub: Box::new(node.hir) });
        let node = self.bounded(Node { hir, size }, from)?;
        if possessive { self.atomic(node, from) } else { Ok(node) }
    }

    fn quantifier(&mut self) -> Result<Option<(u32, Option<u32>)>, Mistake> {
        Ok(match self.peek() {
            Some(b'*') => self.eat("*").then_some((0, None)),
            Some(b'+') => self.eat("+").then_some((1, None)),
            Some(b'?') => self.eat("?").then_some((0, Some(1))),
            Some(b'{') => self.counted()?,
            _ => None,
        })
    }

    /// `{2}`, `{2,}` or `{2,5}`; None where the `{` is a character (nothing is read then).
    fn counted(&mut self) -> Result<Option<(u32, Option<u32>)>, Mistake> {
        let from = self.at;
        let rest = self.source.get(from + 1..).unwrap_or("");
        let Some((inside, _)) = rest.split_once('}') else { return Ok(None) };
        let range = from..from + inside.len() + 2;
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let (min, max) = match inside.split_once(',') {
            None if is_number(inside) => (inside, Some(inside)),
            Some((min, "")) if is_number(min) => (min, None),
            Some((min, max)) if is_number(min) && is_number(max) => (min, Some(max)),
            _ => {
                let like_one = |byte: u8| matches!(byte, b'0'..=b'9' | b',' | b' ' | b'\t');
                if inside.bytes().all(like_one) && inside.bytes().any(|byte| byte.is_ascii_digit()) {
                    let message = "PCRE2 takes this for characters before 10.43, and for a repetition since";
                    let help = "write `{0,n}` to repeat, `\\{` for the character";
                    return Err(Mistake::ambiguous(range, message).help(help));
                }
                return Ok(None);
            }
        };
        let number = |text: &str| text.parse().ok().filter(|number| *number <= REPEAT_MAX);
        let too_large = || Mistake::too_large(range.clone(), format!("more than {REPEAT_MAX} repetitions"));
        let min = number(min).ok_or_else(too_large)?;
        let max = max.map(|max| number(max).ok_or_else(too_large)).transpose()?;
        if max.is_some_and(|max| max < min) {
            return Err(Mistake::syntax(range, "the numbers are out of order"));
        }
        self.at = range.end;
        Ok(Some((min, max)))
    }

    fn repetition_follows(&mut self) -> Result<bool, Mistake> {
        let from = self.at;
        self.skip_comments()?;
        let found = self.quantifier()?.is_some();
        self.at = from;
        Ok(found)
    }

    fn refuse_repetition(&mut self, from: usize) -> Result<(), Mistake> {
        if self.repetition_follows()? {
            let message = "a position cannot be repeated";
            return Err(Mistake::ambiguous(from..self.at + 1, message).help("leave the repetition out"));
        }
        Ok(())
    }

    /// Runs `read` one level deeper.
    pub(super) fn deeper<T>(
        &mut self,
        from: usize,
        read: impl FnOnce(&mut Self) -> Result<T, Mistake>,
    ) -> Result<T, Mistake> {
        if self.nest == NEST_MAX {
            return Err(Mistake::too_large(from..from + 1, format!("groups are nested more than {NEST_MAX} deep")));
        }
        self.nest += 1;
        let result = read(self);
        self.nest -= 1;
        result
    }

    fn bounded(&self, node: Node, from: usize) -> Result<Node, Mistake> {
        if node.size > SIZE_MAX {
            let message = format!("with its repetitions written out this is longer than {SIZE_MAX} bytes");
            return Err(Mistake::too_large(from..self.at, message)
                .help("make it shorter: repeat without an upper bound, or name what does not match"));
        }
        Ok(node)
    }

    /// The byte to be read next.
    pub(super) fn peek(&self) -> Option<u8> {
        self.peek_at(0)
    }

    /// The byte `ahead` of it.
    pub(super) fn peek_at(&self, ahead: usize) -> Option<u8> {
        self.source.as_bytes().get(self.at + ahead).copied()
    }

    /// What is still to be read.
    pub(super) fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or("")
    }

    /// What was read since `from`.
    pub(super) fn since(&self, from: usize) -> &'s str {
        self.source.get(from..self.at).unwrap_or("")
    }

    /// Reads one character.
    pub(super) fn letter(&mut self) -> Option<char> {
        let letter = self.rest().chars().next()?;
        self.at += letter.len_utf8();
        Some(letter)
    }

    /// Reads `token` if it comes next.
    pub(super) fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }
}

impl Node {
    /// One byte of these ranges.
    pub(super) fn class(ranges: &[(u8, u8)]) -> Self {
        Self::of_class(sets::class(ranges))
    }

    /// One byte of `class`.
    pub(super) fn of_class(class: ClassBytes) -> Self {
        Self { hir: Hir::class(Class::Bytes(class)), size: 1 }
    }
}
