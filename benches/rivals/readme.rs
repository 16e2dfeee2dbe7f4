//! Puts sections of a run between their markers in `benches/README.md`.

use std::path::{Path, PathBuf};

/// The word that asks for it.
pub(crate) const WRITE: &str = "--write";

/// Replaces what stands between `<!-- NAME -->` and `<!-- /NAME -->`.
pub(crate) fn replace(name: &str, section: &str) {
    let file = file();
    let text = std::fs::read_to_string(&file).expect("the README of the benches");
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let from = text.find(&begin).map_or_else(|| panic!("no {begin}"), |at| at + begin.len());
    let to = from + text[from..].find(&end).unwrap_or_else(|| panic!("no {end}"));
    let text = format!("{}\n{section}\n{}", &text[..from], &text[to..]);
    std::fs::write(&file, text).expect("a README to write");
}

fn file() -> PathBuf {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let mut files = above.map(|folder| folder.join("benches/README.md"));
    files.find(|file| file.exists()).expect("the project's folder")
}
