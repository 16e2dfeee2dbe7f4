//! `rulec keys add`: a new key for a caller.

use crate::arguments::{Keys, KeysAdd};
use crate::console;
use crate::status::{Status, Stop};
use core::fmt::Write as _;
use rulec::proxy::keys::{self, HashKey};
use rulec::proxy::{Config, PlansWords};
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
    let words = configured(arguments)?;
    let hash_key = match (&arguments.hash_key, &words) {
        (Some(path), _) => of_file(path)?,
        (None, Some(words)) => words.hash_key().map_err(Stop::Input)?,
        (None, None) => of_file(Path::new("hash.key"))?,
    };
    let file = arguments.keys.as_deref().or(words.as_ref().map(|words| words.keys.as_path()));
    let file = file.unwrap_or(Path::new("keys"));
    let key = keys::add(file, &hash_key, &arguments.plan, arguments.name.as_deref());
    let key = key.map_err(Stop::io(file.display()))?;
    console::result(&format!("{key}\n"))?;
    Ok(Status::Fine)
}

/// What `proxy.toml` says about the callers' keys; None where there is no such file, or it need not be asked.
fn configured(arguments: &KeysAdd) -> Result<Option<PlansWords>, Stop> {
    let unsaid = Path::new("proxy.toml");
    let path = match &arguments.config {
        Some(path) => path,
        None if arguments.keys.is_none() && unsaid.exists() => unsaid,
        None => return Ok(None),
    };
    let mut config = Config::load(path).map_err(|error| Stop::Input(error.to_string()))?;
    let names: Vec<&str> = config.plans.keys().map(String::as_str).collect();
    let name = match (&arguments.plans, names.as_slice()) {
        (Some(name), _) => name.clone(),
        (None, [only]) => (*only).to_owned(),
        (None, []) => return Err(Stop::Input(format!("{}: no `[plans.NAME]` stands in it", path.display()))),
        (None, _) => return Err(Stop::Usage(format!("say which with --plans: {}", names.join(", ")))),
    };
    let words = config.plans.remove(&name);
    words.map(Some).ok_or_else(|| Stop::Input(format!("{}: no `[plans.{name}]` stands in it", path.display())))
}

/// The secret in `path`; a new one where there is no such file.
fn of_file(path: &Path) -> Result<HashKey, Stop> {
    if !path.exists() {
        make_secret(path).map_err(Stop::io(path.display()))?;
        console::say(&format!("made the secret {}: the proxy needs it too", path.display()));
    }
    HashKey::read(path).map_err(Stop::Input)
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
