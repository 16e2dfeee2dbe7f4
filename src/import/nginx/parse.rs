//! Files to a tree of directives.

use super::decode::decode;
use super::findings::Findings;
use super::include::Reader;
use super::lexer::{Flaw, Lexer, Token, offset};
use super::tree::{Block, Comment, Directive, Parsed, Word};
use crate::diagnostic::{Diagnostic, FileId, Span};
use std::io;
use std::path::Path;

/// Reads the configuration at `path` and what it includes; relative includes are sought in `prefix`, or else in the
/// folder of `path`, as nginx does.
///
/// # Errors
/// If the file itself cannot be read. What is wrong in it, or with its includes, is said in the diagnostics.
pub fn parse(path: &Path, prefix: Option<&Path>) -> io::Result<Parsed> {
    let bytes = super::include::read(path)?;
    let folder = prefix.or_else(|| path.parent()).unwrap_or(Path::new("")).to_owned();
    let mut reader = Reader::new(folder);
    let (directives, comments) = reader.open(&path.display().to_string(), &bytes, &[super::include::identity(path)]);
    Ok(reader.finish(directives, comments))
}

/// Reads `text` under `name`; includes are sought from the current folder.
pub fn parse_text(name: &str, text: &[u8]) -> Parsed {
    let mut reader = Reader::new(Path::new("").to_owned());
    let (directives, comments) = reader.open(name, text, &[]);
    reader.finish(directives, comments)
}

/// Words and comments of all files together: a hundred thousand locations have half a million. A word takes up to 300
/// bytes in the tree, and as many in the account and the rules.
pub(super) const WORDS_MAX: usize = 1_000_000;
/// Blocks within blocks: nginx's own configurations have five or six.
const DEPTH_MAX: usize = 50;

/// The directives of one file, its includes not followed yet.
#[derive(Debug, Default)]
pub(super) struct FileTree {
    /// What stands in it.
    pub(super) block: Block,
    /// What is wrong with it.
    pub(super) diagnostics: Findings,
}

/// The text of a file, and whether it began with a byte order mark.
pub(super) fn text_of(bytes: &[u8]) -> (String, bool) {
    let mark = "\u{feff}".as_bytes();
    (decode(bytes), bytes.starts_with(mark))
}

/// The directives of `text`; `room` is how many words and comments may still be read.
pub(super) fn file(file: FileId, text: &str, room: &mut usize) -> FileTree {
    let mut parser = Parser { lexer: Lexer::new(file, text), text, tree: FileTree::default(), flaws: Vec::new(), room };
    parser.run();
    parser.tree
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    text: &'a str,
    tree: FileTree,
    flaws: Vec<Flaw>,
    room: &'a mut usize,
}

/// A block that is being read, and the directive that opened it.
#[derive(Default)]
struct Frame {
    head: Option<Directive>,
    block: Block,
}

impl Parser<'_> {
    fn run(&mut self) {
        let mut frames = vec![Frame::default()];
        let mut words: Vec<Word> = Vec::new();
        let mut comments: Vec<Comment> = Vec::new();
        loop {
            let token = self.next();
            self.flaws();
            match token {
                Token::Word(word) => words.push(word),
                Token::Comment(span) => {
                    let comment = self.comment(span);
                    match self.owner(&mut frames, span).filter(|_| words.is_empty()) {
                        Some(owner) => owner.comments.push(comment),
                        None => comments.push(comment),
                    }
                }
                Token::Semicolon(span) => match directive(&mut words, &mut comments, span) {
                    Some(directive) => push(&mut frames, directive),
                    None => self.unexpected(";", span),
                },
                Token::Open(span) => match directive(&mut words, &mut comments, span) {
                    Some(head) => self.open(head, &mut frames),
                    None => self.unexpected("{", span),
                },
                Token::Close(span) => {
                    if let Some(directive) = directive(&mut words, &mut comments, span) {
                        self.unterminated(&directive);
                        push(&mut frames, directive);
                    }
                    self.close(span, &mut frames, &mut comments);
                }
                Token::End(span) => {
                    if let Some(directive) = directive(&mut words, &mut comments, span) {
                        self.unterminated(&directive);
                        push(&mut frames, directive);
                    }
                    self.end(frames, comments);
                    return;
                }
            }
        }
    }

    /// The next token; the end of the file where nothing more may be read.
    fn next(&mut self) -> Token {
        let token = self.lexer.next(&mut self.flaws);
        let (Token::Word(Word { span, .. }) | Token::Comment(span)) = &token else { return token };
        let span = *span;
        if *self.room == 0 {
            let message = format!("more than {WORDS_MAX} words: the rest is not read");
            self.tree.diagnostics.push(Diagnostic::error("file-too-large", span, message).help("include less"));
            return Token::End(Span::new(span.file, span.start, span.start));
        }
        *self.room -= 1;
        if self.tree.diagnostics.is_full() { Token::End(Span::new(span.file, span.start, span.start)) } else { token }
    }

    fn open(&mut self, head: Directive, frames: &mut Vec<Frame>) {
        if head.name().ends_with("_by_lua_block") {
            let raw = self.lexer.skip_lua();
            if raw.is_none() {
                self.error(head.span, "this block does not end", "close it with `}`");
            }
            let block = Block { raw: Some(raw.unwrap_or(head.span)), ..Block::default() };
            push(frames, Directive { block: Some(block), ..head });
            return;
        }
        if frames.len() > DEPTH_MAX {
            let message = format!("blocks stand more than {DEPTH_MAX} deep");
            self.error(head.span, &message, "nest less");
        }
        frames.push(Frame { head: Some(head), block: Block::default() });
    }

    fn close(&mut self, span: Span, frames: &mut Vec<Frame>, comments: &mut Vec<Comment>) {
        match frames.pop() {
            Some(Frame { head: Some(head), mut block }) => {
                block.comments.append(comments);
                // What stands too deep was refused, and is not kept: a tree is walked by recursion.
                let block = if frames.len() > DEPTH_MAX { Block::default() } else { block };
                push(frames, Directive { block: Some(block), ..head });
            }
            Some(outermost) => {
                frames.push(outermost);
                self.unexpected("}", span);
            }
            None => {}
        }
    }

    fn end(&mut self, mut frames: Vec<Frame>, mut comments: Vec<Comment>) {
        while frames.len() > 1 {
            let opened = frames.last().and_then(|frame| frame.head.as_ref()).map(|head| head.span);
            if let Some(span) = opened {
                self.error(span, "the file ends within this block", "close it with `}`");
                self.close(span, &mut frames, &mut comments);
            }
        }
        if let Some(frame) = frames.pop() {
            self.tree.block = frame.block;
            self.tree.block.comments.append(&mut comments);
        }
    }

    /// The directive behind which a comment stands on the same line.
    fn owner<'f>(&self, frames: &'f mut [Frame], comment: Span) -> Option<&'f mut Directive> {
        let frame = frames.last_mut()?;
        let owner = frame.block.directives.last_mut().or(frame.head.as_mut())?;
        let from = if owner.block.is_some() { self.line_start(comment) } else { owner.span.end };
        let between = self.text.get(from as usize..comment.start as usize)?;
        let same_line = owner.span.file == comment.file && !between.contains('\n');
        (same_line && (owner.block.is_none() || between.trim() == "}")).then_some(owner)
    }

    fn line_start(&self, span: Span) -> u32 {
        let before = self.text.get(..span.start as usize).unwrap_or("");
        offset(before.rfind('\n').map_or(0, |newline| newline + 1))
    }

    fn comment(&self, span: Span) -> Comment {
        let text = self.text.get(span.start as usize..span.end as usize).unwrap_or("");
        Comment { text: text.trim_start_matches('#').trim().to_owned(), span }
    }

    fn unterminated(&mut self, directive: &Directive) {
        let message = format!("directive `{}` is not terminated by `;`", directive.name());
        self.error(directive.span, &message, "write `;` behind it");
    }

    fn unexpected(&mut self, what: &str, span: Span) {
        self.error(span, &format!("unexpected `{what}`"), "leave it out");
    }

    fn flaws(&mut self) {
        for flaw in core::mem::take(&mut self.flaws) {
            match flaw {
                Flaw::Unexpected(byte, span) => {
                    let message = format!("unexpected `{byte}` behind a closing quote");
                    self.error(span, &message, "put all of the word in quotes, or a blank between");
                }
                Flaw::Unclosed(span) => self.error(span, "this quote is not closed", "close it"),
                Flaw::TooLong(span) => {
                    let help = "nginx reads words of up to 4096 octets; a quote may not be closed";
                    self.error(span, "this word is too long", help);
                }
            }
        }
    }

    fn error(&mut self, span: Span, message: &str, help: &str) {
        self.tree.diagnostics.push(Diagnostic::error("nginx-syntax", span, message).help(help));
    }
}

/// The directive that `words` make, which ends at `end`.
fn directive(words: &mut Vec<Word>, comments: &mut Vec<Comment>, end: Span) -> Option<Directive> {
    let mut all = core::mem::take(words).into_iter();
    let name = all.next()?;
    let args: Vec<Word> = all.collect();
    let last = args.last().map_or(name.span, |word| word.span);
    // Up to its last word, if nothing ended it; else up to the `;` or `{`.
    let span = name.span.to(if end.end > end.start && end.start < last.end + 1 { end } else { last });
    Some(Directive { name, args, span, block: None, comments: core::mem::take(comments) })
}

fn push(frames: &mut [Frame], directive: Directive) {
    if let Some(frame) = frames.last_mut() {
        frame.block.directives.push(directive);
    }
}
