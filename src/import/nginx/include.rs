//! `include`: files within files.

use super::findings::Findings;
use super::parse::{WORDS_MAX, file, text_of};
use super::tree::{Block, Comment, Directive, Parsed, Word};
use crate::diagnostic::{Diagnostic, Sources, Span};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// A configuration is written by people or by templates; the largest known have a few MiB.
const OCTETS_MAX: usize = 16 << 20;
/// All files together: a file may be included by many, and each time is read anew.
const TOTAL_OCTETS_MAX: usize = 2 * OCTETS_MAX;
/// Files within files: people use two or three levels.
const INCLUDE_DEPTH_MAX: usize = 16;
/// `sites-enabled/*` of a large host has some hundreds.
const FILES_MAX: usize = 10_000;

/// Reads files and what they include.
#[derive(Debug)]
pub(super) struct Reader {
    folder: PathBuf,
    sources: Sources,
    diagnostics: Findings,
    /// Words and comments that may still be read.
    room: usize,
    files: usize,
    octets: usize,
}

impl Reader {
    /// Relative includes are sought in `folder`.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            sources: Sources::default(),
            diagnostics: Findings::default(),
            room: WORDS_MAX,
            files: 0,
            octets: 0,
        }
    }

    /// All that was read.
    pub(super) fn finish(self, directives: Vec<Directive>, comments: Vec<Comment>) -> Parsed {
        let Self { sources, diagnostics, .. } = self;
        Parsed { sources, directives, comments, diagnostics: diagnostics.sorted() }
    }

    /// The directives of `bytes`, read under `name`; `open` are the files that are being read, this one last.
    pub(super) fn open(&mut self, name: &str, bytes: &[u8], open: &[PathBuf]) -> (Vec<Directive>, Vec<Comment>) {
        self.files += 1;
        self.octets += bytes.len();
        if bytes.len() > OCTETS_MAX {
            let id = self.sources.add(name, "");
            let message = format!("it is larger than {} MiB", OCTETS_MAX >> 20);
            self.diagnostics.push(Diagnostic::error("unreadable-file", Span::new(id, 0, 0), message));
            return (Vec::new(), Vec::new());
        }
        let (text, marked) = text_of(bytes);
        let id = self.sources.add(name, text.as_str());
        // Blank out the mark, so that places stay.
        let text = if marked { text.replacen('\u{feff}', "   ", 1) } else { text };
        let tree = file(id, &text, &mut self.room);
        if marked {
            let message = "nginx takes a byte order mark for a part of the first word";
            let place = Span::new(id, 0, 0);
            self.diagnostics.push(Diagnostic::warning("nginx-byte-order-mark", place, message).help("save without it"));
        }
        self.diagnostics.extend(tree.diagnostics.sorted());
        let Block { directives, comments, .. } = tree.block;
        (self.follow(directives, open), comments)
    }

    /// `directives` with what their includes brought.
    fn follow(&mut self, directives: Vec<Directive>, open: &[PathBuf]) -> Vec<Directive> {
        let mut all = Vec::with_capacity(directives.len());
        for mut directive in directives {
            if let Some(block) = &mut directive.block {
                block.directives = self.follow(core::mem::take(&mut block.directives), open);
            }
            let glob = (directive.name() == "include" && directive.block.is_none()).then(|| directive.args.clone());
            let span = directive.span;
            all.push(directive);
            match glob.as_deref() {
                Some([glob]) => all.extend(self.include(glob, open)),
                Some(_) => {
                    let message = "`include` takes one file or pattern";
                    self.diagnostics.push(Diagnostic::error("nginx-syntax", span, message).help("include FILE;"));
                }
                None => {}
            }
        }
        all
    }

    fn include(&mut self, glob: &Word, open: &[PathBuf]) -> Vec<Directive> {
        if open.len() >= INCLUDE_DEPTH_MAX {
            let message = format!("files are included more than {INCLUDE_DEPTH_MAX} deep");
            self.refuse("include-too-deep", glob, message, "include them from the first file");
            return Vec::new();
        }
        let Some(paths) = self.paths(glob) else { return Vec::new() };
        let mut all = Vec::new();
        for path in paths {
            if self.files >= FILES_MAX || self.octets >= TOTAL_OCTETS_MAX {
                let message = format!("more than {FILES_MAX} files, or than {} MiB", TOTAL_OCTETS_MAX >> 20);
                self.refuse("include-too-large", glob, message, "include less");
                return all;
            }
            let itself = identity(&path);
            if open.contains(&itself) {
                let message = format!("`{}` includes itself", path.display());
                self.refuse("include-loop", glob, message, "leave this out");
                continue;
            }
            match read(&path) {
                Ok(bytes) => {
                    let open: Vec<_> = open.iter().cloned().chain([itself]).collect();
                    let (directives, comments) = self.open(&path.display().to_string(), &bytes, &open);
                    all.extend(directives);
                    // Comments at the end of a file stay with its last directive.
                    if let Some(last) = all.last_mut() {
                        last.comments.extend(comments);
                    }
                }
                Err(error) => self.unreadable(glob, &path, &error),
            }
        }
        all
    }

    fn unreadable(&mut self, glob: &Word, path: &Path, error: &io::Error) {
        let message = format!("`{}` cannot be read: {error}", path.display());
        if bears_on_nothing(path) {
            let found = Diagnostic::warning("nginx-include-missing", glob.span, message);
            self.diagnostics.push(found.note("a file of this name holds nothing that a decision depends on"));
        } else {
            self.refuse("unreadable-include", glob, message, "say with `-p` where relative includes are sought");
        }
    }

    /// The files that `glob` names, in glob(3)'s order.
    fn paths(&mut self, glob: &Word) -> Option<Vec<PathBuf>> {
        if !glob.text.contains(['*', '?', '[']) {
            return Some(vec![self.folder.join(&glob.text)]);
        }
        let base = glob::Pattern::escape(&self.folder.display().to_string());
        let whole = Path::new(&base).join(&glob.text);
        let options = glob::MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: true,
        };
        match glob::glob_with(&whole.display().to_string(), options) {
            Ok(found) => {
                let mut paths: Vec<_> = found.filter_map(Result::ok).filter(|path| path.is_file()).collect();
                paths.sort();
                Some(paths)
            }
            Err(error) => {
                let message = format!("`{}` is no pattern: {}", glob.text, error.msg);
                self.refuse("unreadable-include", glob, message, "include conf.d/*.conf;");
                None
            }
        }
    }

    fn refuse(&mut self, code: &'static str, glob: &Word, message: String, help: &str) {
        self.diagnostics.push(Diagnostic::error(code, glob.span, message).help(help));
    }
}

/// Parameter files that distributions ship: types, parameters of other protocols, character sets.
fn bears_on_nothing(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = name.strip_suffix(".conf").unwrap_or(&name);
    let known =
        ["mime.types", "fastcgi_params", "fastcgi", "uwsgi_params", "scgi_params", "koi-utf", "koi-win", "win-utf"];
    known.contains(&name)
}

/// All of a file, or one byte more than a file may have.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let bound = u64::try_from(OCTETS_MAX + 1).unwrap_or(u64::MAX);
    std::fs::File::open(path)?.take(bound).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What two ways to name one file have in common.
pub(super) fn identity(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
