//! `[plans.NAME]`: where keys and their secret are.

use std::path::PathBuf;

use super::section::Section;
use super::words::Secret;

/// `[plans.NAME]`
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlansWords {
    /// `file:line:column`
    pub place: String,
    /// The keys file.
    pub keys: PathBuf,
    /// Where the secret is that the keys are hashed with.
    pub(in crate::proxy) hash_key: Secret,
}

/// Reads one; None where something is missing.
pub(super) fn plans(section: &Section<'_, '_>) -> Option<PlansWords> {
    section.only(&["keys", "hash_key"]);
    for key in ["keys", "hash_key"] {
        if section.value_span(key).is_none() {
            section.file.problem(&section.span(), &format!("`{key}` is missing"));
        }
    }
    let keys = section.string("keys").map(|(path, _)| section.file.relative(&path));
    let hash_key = section.section("hash_key").and_then(|section| secret(&section));
    Some(PlansWords { place: section.file.place(&section.span()), keys: keys?, hash_key: hash_key? })
}

pub(super) fn secret(section: &Section<'_, '_>) -> Option<Secret> {
    section.only(&["file", "env"]);
    let file = section.string("file").map(|(path, _)| Secret::File(section.file.relative(&path)));
    let environment = section.string("env").map(|(name, _)| Secret::Environment(name));
    match (file, environment) {
        (Some(secret), None) | (None, Some(secret)) => Some(secret),
        _ => {
            section.file.problem(&section.span(), "a secret is `{ file = \"PATH\" }` or `{ env = \"NAME\" }`");
            None
        }
    }
}
