//! Text to words, as nginx's `ngx_conf_read_token` takes them.
//!
//! It differs from the rules' lexis: `}` ends no word, a quote inside a word is itself, a backslash keeps the byte
//! behind it from ending anything, and `${` begins no block.

use super::tree::Word;
use crate::diagnostic::{FileId, Span};

/// What nginx reads a configuration into.
#[derive(Debug)]
pub(super) enum Token {
    /// One word.
    Word(Word),
    /// `# ...` up to the end of the line.
    Comment(Span),
    /// `;`
    Semicolon(Span),
    /// `{`
    Open(Span),
    /// `}` where a word could begin.
    Close(Span),
    /// Nothing is left.
    End(Span),
}

/// What is wrong with a word; reading goes on behind it.
#[derive(Debug)]
pub(super) enum Flaw {
    /// A byte directly behind a closing quote.
    Unexpected(char, Span),
    /// The end of the text within quotes, which began here.
    Unclosed(Span),
    /// A word that nginx's buffer does not hold.
    TooLong(Span),
}

/// nginx's buffer: no word is longer.
const WORD_OCTETS_MAX: usize = 4_096;

/// Reads tokens off a text.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    file: FileId,
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    /// The tokens of `text`.
    pub(super) fn new(file: FileId, text: &'a str) -> Self {
        Self { file, text, at: 0 }
    }

    /// The next token; what was wrong before it goes to `flaws`.
    pub(super) fn next(&mut self, flaws: &mut Vec<Flaw>) -> Token {
        while self.peek().is_some_and(is_blank) {
            self.at += 1;
        }
        let start = self.at;
        let Some(byte) = self.peek() else { return Token::End(self.span(start)) };
        match byte {
            b';' | b'{' | b'}' => {
                self.at += 1;
                let span = self.span(start);
                match byte {
                    b';' => Token::Semicolon(span),
                    b'{' => Token::Open(span),
                    _ => Token::Close(span),
                }
            }
            b'#' => {
                while self.peek().is_some_and(|byte| byte != b'\n') {
                    self.at += 1;
                }
                Token::Comment(self.span(start))
            }
            b'"' | b'\'' => self.quoted(byte, flaws),
            _ => self.bare(flaws),
        }
    }

    /// Skips a block of Lua, whose `{` was just read, behind its `}`; where it is, without the braces.
    pub(super) fn skip_lua(&mut self) -> Option<Span> {
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or("");
        let octets = super::lua::block(rest)?;
        self.at = start + octets;
        let inner = self.span(start);
        self.at += 1;
        Some(inner)
    }

    fn quoted(&mut self, quote: u8, flaws: &mut Vec<Flaw>) -> Token {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                None => {
                    flaws.push(Flaw::Unclosed(self.byte_at(start)));
                    break;
                }
                Some(b'\\') => self.at += 2,
                Some(byte) if byte == quote => break,
                Some(_) => self.at += 1,
            }
        }
        self.at = self.at.min(self.text.len());
        let raw = self.text.get(start + 1..self.at).unwrap_or("");
        let text = resolve(raw);
        self.at = (self.at + 1).min(self.text.len());
        let word = Word { text, span: self.span(start), quoted: true };
        let is_end = |byte: u8| is_blank(byte) || matches!(byte, b';' | b'{' | b')');
        if let Some(byte) = self.peek().filter(|byte| !is_end(*byte)) {
            flaws.push(Flaw::Unexpected(char::from(byte), self.byte_at(self.at)));
        }
        bounded(word, flaws)
    }

    fn bare(&mut self, flaws: &mut Vec<Flaw>) -> Token {
        let start = self.at;
        let mut variable = false;
        while let Some(byte) = self.peek() {
            match byte {
                b'{' if variable => {
                    self.at += 1;
                    continue;
                }
                b'\\' => self.at += 1,
                byte if is_blank(byte) || byte == b';' || byte == b'{' => break,
                _ => {}
            }
            variable = byte == b'$';
            self.at += 1;
        }
        self.at = self.at.min(self.text.len());
        let raw = self.text.get(start..self.at).unwrap_or("");
        let word = Word { text: resolve(raw), span: self.span(start), quoted: false };
        bounded(word, flaws)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn byte_at(&self, at: usize) -> Span {
        Span::new(self.file, offset(at), offset(at + 1))
    }

    fn span(&self, start: usize) -> Span {
        Span::new(self.file, offset(start), offset(self.at))
    }
}

fn bounded(word: Word, flaws: &mut Vec<Flaw>) -> Token {
    if (word.span.end - word.span.start) as usize > WORD_OCTETS_MAX {
        flaws.push(Flaw::TooLong(word.span));
    }
    Token::Word(word)
}

/// `at` as a place counts it; files are bounded far below.
pub(super) fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// `raw` with its escapes resolved; a backslash before anything else stays.
fn resolve(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        let escaped = match (c, chars.peek()) {
            ('\\', Some('"' | '\'' | '\\')) => chars.next(),
            ('\\', Some('t')) => chars.next().map(|_| '\t'),
            ('\\', Some('r')) => chars.next().map(|_| '\r'),
            ('\\', Some('n')) => chars.next().map(|_| '\n'),
            _ => None,
        };
        text.push(escaped.unwrap_or(c));
    }
    text
}
