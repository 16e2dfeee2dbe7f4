//! Files to a policy: reads the one named and what it includes.

use super::Policy;
use super::resolve::resolve;
use crate::diagnostic::{Diagnostic, FileId, Severity, Sources, Span, direction};
use crate::syntax::ast::{Item, ItemKind, Word};
use crate::syntax::{self};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// What became of a `.rules` file.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Loaded {
    /// The texts that were read.
    pub sources: Sources,
    /// What they mean, as far as they mean something.
    pub policy: Policy,
    /// Every mistake, in reading order.
    pub diagnostics: Vec<Diagnostic>,
}

impl Loaded {
    /// Whether there is a mistake that stops the build.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

/// Reads the file at `path` and what it includes.
///
/// # Errors
/// If the file itself cannot be read. What it includes is the author's: that is said in the diagnostics.
pub fn load(path: &Path) -> io::Result<Loaded> {
    let bytes = read(path)?;
    let mut loader = Loader::default();
    let name = path.display().to_string();
    match text(bytes) {
        Ok(text) => loader.file(&name, &text, path.parent().unwrap_or(Path::new("")), &[identity(path)]),
        Err(why) => {
            let file = loader.sources.add(name, "");
            loader.diagnostics.push(Diagnostic::error("unreadable-file", Span::new(file, 0, 0), why));
        }
    }
    Ok(loader.finish())
}

/// Reads `text` under `name`; what it includes is sought from the current directory.
pub fn load_text(name: &str, text: &str) -> Loaded {
    let mut loader = Loader::default();
    if text.len() > OCTETS_MAX {
        let file = loader.sources.add(name, "");
        loader.diagnostics.push(Diagnostic::error("unreadable-file", Span::new(file, 0, 0), too_large()));
    } else {
        loader.file(name, text, Path::new(""), &[]);
    }
    loader.finish()
}

/// A file of rules is written by people; generated ones of 10,000 locations have about 2 MiB.
const OCTETS_MAX: usize = 16 << 20;
/// Files within files: people use one or two levels.
const INCLUDE_DEPTH_MAX: usize = 16;
/// A wildcard that takes more is a mistake.
const FILES_MAX: usize = 1_000;
/// All files together: a file may be included by many, and each time is read anew.
const TOTAL_OCTETS_MAX: usize = 2 * OCTETS_MAX;

#[derive(Default)]
struct Loader {
    sources: Sources,
    items: Vec<Item>,
    diagnostics: Vec<Diagnostic>,
    files: usize,
    octets: usize,
}

impl Loader {
    fn finish(self) -> Loaded {
        let Self { sources, items, mut diagnostics, .. } = self;
        let (policy, mistakes) = resolve(&items, &sources);
        diagnostics.extend(mistakes);
        let turned = sources.iter().flat_map(|(file, source)| direction::check(file, &source.text)).collect();
        diagnostics.extend(policy.unsilenced(turned));
        diagnostics.sort_by_key(|diagnostic| diagnostic.place.span);
        Loaded { sources, policy, diagnostics }
    }

    /// `open` are the files that are being read, this one last.
    fn file(&mut self, name: &str, text: &str, directory: &Path, open: &[PathBuf]) {
        self.files += 1;
        self.octets += text.len();
        let file: FileId = self.sources.add(name, text);
        let parsed = syntax::parse(file, text);
        self.diagnostics.extend(parsed.diagnostics);
        for item in parsed.file.items {
            match &item.kind {
                ItemKind::Include { glob } => self.include(glob, directory, open),
                _ => self.items.push(item),
            }
        }
    }

    fn include(&mut self, glob: &Word, directory: &Path, open: &[PathBuf]) {
        if open.len() >= INCLUDE_DEPTH_MAX {
            let message = format!("files are included more than {INCLUDE_DEPTH_MAX} deep");
            self.refuse("include-too-deep", glob, message, "include them from the first file");
            return;
        }
        let Some(paths) = self.paths(glob, directory) else { return };
        for path in paths {
            if self.files >= FILES_MAX || self.octets >= TOTAL_OCTETS_MAX {
                let message = format!("more than {FILES_MAX} files, or than {} MiB", TOTAL_OCTETS_MAX >> 20);
                self.refuse("include-too-large", glob, message, "include less");
                return;
            }
            let itself = identity(&path);
            if open.contains(&itself) {
                let message = format!("`{}` includes itself", path.display());
                self.refuse("include-loop", glob, message, "leave this out");
                continue;
            }
            match read(&path).map_err(|error| error.to_string()).and_then(text) {
                Ok(text) => {
                    let open: Vec<_> = open.iter().cloned().chain([itself]).collect();
                    let directory = path.parent().unwrap_or(directory).to_owned();
                    self.file(&path.display().to_string(), &text, &directory, &open);
                }
                Err(why) => {
                    let message = format!("`{}` cannot be read: {why}", path.display());
                    self.refuse("unreadable-include", glob, message, "a file of rules is UTF-8 text");
                }
            }
        }
    }

    /// The files that `glob` names, sorted; says so where one named plainly is not there.
    fn paths(&mut self, glob: &Word, directory: &Path) -> Option<Vec<PathBuf>> {
        let plain = !glob.text.contains(['*', '?', '[']);
        if plain {
            return Some(vec![directory.join(&glob.text)]);
        }
        let base = glob::Pattern::escape(&directory.display().to_string());
        let whole = Path::new(&base).join(&glob.text);
        match glob::glob(&whole.display().to_string()) {
            Ok(found) => {
                let mut paths: Vec<_> = found.filter_map(Result::ok).filter(|path| path.is_file()).collect();
                paths.sort();
                Some(paths)
            }
            Err(error) => {
                self.refuse(
                    "invalid-value",
                    glob,
                    format!("`{}` is no pattern: {}", glob.text, error.msg),
                    "`*.rules`",
                );
                None
            }
        }
    }

    fn refuse(&mut self, code: &'static str, glob: &Word, message: String, help: &str) {
        self.diagnostics.push(Diagnostic::error(code, glob.span, message).help(help));
    }
}

/// All of a file, or one byte more than a file may have.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let bound = u64::try_from(OCTETS_MAX + 1).unwrap_or(u64::MAX);
    std::fs::File::open(path)?.take(bound).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn text(bytes: Vec<u8>) -> Result<String, String> {
    if bytes.len() > OCTETS_MAX {
        return Err(too_large());
    }
    String::from_utf8(bytes).map_err(|error| {
        let before = error.utf8_error().valid_up_to();
        let line = error.as_bytes().iter().take(before).filter(|byte| **byte == b'\n').count() + 1;
        format!("line {line} is not UTF-8")
    })
}

fn too_large() -> String {
    format!("it is larger than {} MiB", OCTETS_MAX >> 20)
}

/// What two ways to name one file have in common.
fn identity(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
