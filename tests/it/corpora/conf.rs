//! Configurations of the corpora, as rules: through the importer, as a user's would.

use crate::engines::Engines;
use rulec::diagnostic::{Format, render};
use rulec::import::nginx::{Imported, Options, import, parse_text};

/// `http` around `servers`, whose bytes are Latin-1.
pub(crate) fn http(servers: &str) -> Vec<u8> {
    let text = format!("http {{\n{servers}\n}}\n");
    text.chars().map(|c| u8::try_from(c).expect("Latin-1")).collect()
}

/// What the importer makes of `conf`.
pub(super) fn imported(conf: &[u8]) -> (Imported, String) {
    let parsed = parse_text("nginx.conf", conf);
    let imported = import(&parsed, &Options::default());
    let said = render(&imported.diagnostics, &parsed.sources, Format::Human, false);
    (imported, said)
}

/// `conf` as rules; a refusal fails the test.
pub(crate) fn rules(conf: &[u8]) -> String {
    let (imported, said) = imported(conf);
    assert!(!imported.has_errors(), "{}\n{said}", String::from_utf8_lossy(conf));
    imported.rules
}

/// `conf` in every engine.
pub(super) fn engines(conf: &[u8]) -> Engines {
    Engines::new(&rules(conf))
}

/// `word` as a word of a configuration.
pub(super) fn quoted(word: &str) -> String {
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}
