//! Text to words, quotes and braces: the lexis, as far as it is needed to cut a file into statements.

/// What stands at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A word without quotes.
    Bare,
    /// A word in quotes.
    Quoted,
    /// A quote that is not closed on its line; it covers what was taken to belong to it.
    UnclosedQuote,
    /// `;`
    Semicolon,
    /// `{`
    Open,
    /// `}`
    Close,
    /// Nothing more.
    End,
}

/// One piece of the text, with its place in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    /// What it is.
    pub(super) kind: TokenKind,
    /// First byte.
    pub(super) start: usize,
    /// One past the last byte.
    pub(super) end: usize,
    /// How far from the margin it stands, if nothing but blanks stands before it on its line.
    pub(super) indent: Option<usize>,
}

/// Reads tokens from left to right, never twice the same byte but for a short look ahead.
#[derive(Clone, Debug)]
pub(super) struct Scanner<'t> {
    text: &'t str,
    position: usize,
    line_start: usize,
    line_blank: bool,
}

impl<'t> Scanner<'t> {
    /// At the start of `text`, after a byte order mark.
    pub(super) fn new(text: &'t str) -> Self {
        let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Self { text, position: start, line_start: start, line_blank: true }
    }

    /// The next token; after the last one [`TokenKind::End`] for ever.
    pub(super) fn next(&mut self) -> Token {
        self.skip_blanks();
        let start = self.position;
        let indent = self.line_blank.then_some(start - self.line_start);
        self.line_blank = false;
        let kind = match self.byte(start) {
            None => TokenKind::End,
            Some(b';') => self.take(TokenKind::Semicolon),
            Some(b'{') => self.take(TokenKind::Open),
            Some(b'}') => self.take(TokenKind::Close),
            Some(quote @ (b'"' | b'\'')) => self.quoted(quote),
            Some(_) => self.bare(),
        };
        Token { kind, start, end: self.position, indent }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn take(&mut self, kind: TokenKind) -> TokenKind {
        self.position += 1;
        kind
    }

    fn skip_blanks(&mut self) {
        while let Some(byte) = self.byte(self.position) {
            match byte {
                b'\n' => {
                    self.line_start = self.position + 1;
                    self.line_blank = true;
                }
                b' ' | b'\t' | b'\r' => {}
                b'#' => {
                    self.position = self.line_end(self.position);
                    continue;
                }
                _ => return,
            }
            self.position += 1;
        }
    }

    /// Where the line that holds `from` ends, its line break left out.
    fn line_end(&self, from: usize) -> usize {
        let rest = self.text.get(from..).unwrap_or("");
        rest.find('\n').map_or(self.text.len(), |newline| from + newline)
    }

    fn bare(&mut self) -> TokenKind {
        while let Some(byte) = self.byte(self.position) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'{' | b'}' => break,
                b'$' => self.position += variable_length(self.text, self.position).unwrap_or(1),
                _ => self.position += 1,
            }
        }
        TokenKind::Bare
    }

    fn quoted(&mut self, quote: u8) -> TokenKind {
        let start = self.position;
        let mut at = start + 1;
        while let Some(byte) = self.byte(at) {
            if byte == quote {
                self.position = at + 1;
                return TokenKind::Quoted;
            }
            if byte == b'\n' {
                break;
            }
            let escapes = byte == b'\\' && !matches!(self.byte(at + 1), None | Some(b'\n'));
            at += if escapes { 2 } else { 1 };
        }
        self.position = self.resume_after_quote(start);
        TokenKind::UnclosedQuote
    }

    /// Where the statement probably goes on after a quote that is not closed: at the first `{` of the line, else at the
    /// `;` and `}` that end it, else at its last `;`, else at its end.
    fn resume_after_quote(&self, start: usize) -> usize {
        let end = self.line_end(start);
        let line = self.text.get(start..end).unwrap_or("");
        let brace = line.match_indices('{').find(|(at, _)| !line.get(..*at).unwrap_or("").ends_with('$'));
        if let Some((at, _)) = brace {
            return start + at;
        }
        let kept = line.trim_end_matches([';', '}', ' ', '\t', '\r']);
        let tail = line.get(kept.len()..).unwrap_or("");
        match tail.find([';', '}']) {
            Some(at) => start + kept.len() + at,
            None => line.rfind(';').map_or(end, |at| start + at),
        }
    }
}

/// The length of the `${name}` at `at`, if one stands there: its braces belong to the word.
fn variable_length(text: &str, at: usize) -> Option<usize> {
    let name = text.get(at..)?.strip_prefix("${")?;
    let length = name.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    let closed = name.as_bytes().get(length) == Some(&b'}');
    (length > 0 && closed).then_some(length + "${}".len())
}
