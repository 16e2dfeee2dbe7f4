//! `rulec keys add`: a new key for a caller.

use crate::arguments::{Keys, KeysAdd};
use crate::console;
use crate::status::{Status, Stop};
use core::fmt::Write as _;
use rulec::proxy::keys::{self, HashKey};
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

pub(crate) fn run(command: &Keys) -> Result<Status, Stop> {
    match command {
        Keys::Add(arguments) => add(arguments),
    }
}

/// Prints the new key: it is stored nowhere, so this is the only time that it can be read.
fn add(arguments: &KeysAdd) -> Result<Status, Stop> {
    if !arguments.hash_key.exists() {
        make_secret(&arguments.hash_key).map_err(Stop::io(arguments.hash_key.display()))?;
        console::say(&format!("made the secret {}: the proxy needs it too", arguments.hash_key.display()));
    }
    let hash_key = HashKey::read(&arguments.hash_key).map_err(Stop::Input)?;
    let key = keys::add(&arguments.keys, &hash_key, &arguments.plan, arguments.name.as_deref());
    let key = key.map_err(Stop::io(arguments.keys.display()))?;
    console::result(&format!("{key}\n"))?;
    Ok(Status::Fine)
}

/// Writes 32 random octets as hex to `path`, which nobody else may read.
pub(crate) fn make_secret(path: &Path) -> io::Result<()> {
    let mut octets = [0; 32];
    getrandom::fill(&mut octets).map_err(|error| io::Error::other(error.to_string()))?;
    let mut text = String::new();
    for octet in octets {
        write!(text, "{octet:02x}").ok();
    }
    text.push('\n');
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
