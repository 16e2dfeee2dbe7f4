//! Keys files: which caller has which plan, known by keyed hashes only.
//!
//! A line is `PLAN HASH [NAME]`; `#` begins a comment. HASH is the hex of the key's BLAKE3 hash, keyed by what is
//! derived from the secret of `hash_key`. Without that secret a stolen file cannot even be tried against guesses.

use core::fmt::Write as _;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::limits::FILE_OCTETS_MAX;
use super::plans::{Lookup, PlanSource};

/// Turns keys into what a keys file holds of them.
#[derive(Clone)]
pub struct HashKey([u8; 32]);

impl core::fmt::Debug for HashKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("HashKey")
    }
}

impl HashKey {
    /// From a secret; blanks around it do not count, so that a file may end in a newline.
    ///
    /// # Errors
    /// Where the secret is shorter than 16 octets.
    pub fn new(secret: &[u8]) -> Result<Self, String> {
        let secret = secret.trim_ascii();
        if secret.len() < 16 {
            return Err("the secret is shorter than 16 octets".to_owned());
        }
        Ok(Self(blake3::derive_key("rulec 2026 plan keys", secret)))
    }

    /// From a file.
    ///
    /// # Errors
    /// Where it cannot be read, or is too short.
    pub fn read(path: &Path) -> Result<Self, String> {
        let secret = read_bounded(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Self::new(&secret).map_err(|error| format!("{}: {error}", path.display()))
    }

    fn hash(&self, key: &[u8]) -> blake3::Hash {
        blake3::keyed_hash(&self.0, key)
    }
}

/// A keys file, read.
#[derive(Debug)]
pub struct Keys {
    hash_key: HashKey,
    /// By the first octets of the hash, which tell nothing without the secret.
    entries: BTreeMap<[u8; 8], Vec<Entry>>,
}

#[derive(Debug)]
struct Entry {
    hash: blake3::Hash,
    plan: Arc<str>,
    name: Option<Arc<str>>,
}

impl Keys {
    /// Reads the text of a keys file called `file`; `plans` are those that the rules know.
    ///
    /// # Errors
    /// Every line that is wrong, as `file:line: message`; never with a key or hash in it.
    pub fn parse(text: &str, file: &str, plans: &[String], hash_key: HashKey) -> Result<Self, Vec<String>> {
        let mut keys = Self { hash_key, entries: BTreeMap::new() };
        let mut problems = Vec::new();
        for (number, line) in (1_u32..).zip(text.lines()) {
            let words: Vec<&str> = line.split_whitespace().take_while(|word| !word.starts_with('#')).collect();
            if let Err(problem) = keys.add_line(&words, plans) {
                problems.push(format!("{file}:{number}: {problem}"));
            }
        }
        if problems.is_empty() { Ok(keys) } else { Err(problems) }
    }

    /// Names of callers, for lists that name them.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.values().flatten().filter_map(|entry| entry.name.as_deref())
    }

    fn add_line(&mut self, words: &[&str], plans: &[String]) -> Result<(), String> {
        let (plan, hash, name) = match words {
            [] => return Ok(()),
            [plan, hash] => (*plan, *hash, None),
            [plan, hash, name] => (*plan, *hash, Some(Arc::from(*name))),
            _ => return Err("a line is `PLAN HASH [NAME]`".to_owned()),
        };
        if !plans.iter().any(|known| known == plan) {
            return Err(format!("the rules know no plan `{plan}`, only: {}", plans.join(" ")));
        }
        let hash = blake3::Hash::from_hex(hash).map_err(|_| "the hash is not 64 hexadecimal digits".to_owned())?;
        if self.find(&hash).is_some() {
            return Err("this key stands here twice".to_owned());
        }
        let entry = Entry { hash, plan: Arc::from(plan), name };
        self.entries.entry(front(&hash)).or_default().push(entry);
        Ok(())
    }

    /// Compares in constant time (`blake3::Hash` does).
    fn find(&self, hash: &blake3::Hash) -> Option<&Entry> {
        self.entries.get(&front(hash))?.iter().find(|entry| entry.hash == *hash)
    }
}

impl PlanSource for Keys {
    fn lookup(&self, credential: &[u8]) -> Lookup {
        match self.find(&self.hash_key.hash(credential)) {
            Some(entry) => Lookup::Known { plan: Arc::clone(&entry.plan), caller: entry.name.clone() },
            None => Lookup::Unknown,
        }
    }
}

fn front(hash: &blake3::Hash) -> [u8; 8] {
    hash.as_bytes().first_chunk().copied().unwrap_or_default()
}

/// Makes a new key for `plan`, appends its hash to `keys` and gives the key back, which stands nowhere else.
///
/// The file is replaced as a whole, so that a reader never sees half a line.
///
/// # Errors
/// Where a word cannot stand in the file, the secret cannot be read, or the file cannot be written.
pub fn add(keys: &Path, hash_key: &HashKey, plan: &str, name: Option<&str>) -> io::Result<String> {
    for word in [Some(plan), name].into_iter().flatten() {
        if word.is_empty() || word.starts_with('#') || word.contains(char::is_whitespace) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{word}` is not one word")));
        }
    }
    let mut octets = [0; 32];
    getrandom::fill(&mut octets).map_err(|error| io::Error::other(error.to_string()))?;
    let key = octets.iter().fold(String::new(), |mut text, octet| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{octet:02x}");
        text
    });
    let mut text = match read_bounded(keys) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    if text.last().is_some_and(|&octet| octet != b'\n') {
        text.push(b'\n');
    }
    let hash = hash_key.hash(key.as_bytes()).to_hex();
    let name = name.map_or_else(String::new, |name| format!(" {name}"));
    text.extend_from_slice(format!("{plan} {hash}{name}\n").as_bytes());
    replace(keys, &text)?;
    Ok(key)
}

/// Writes beside `path`, then renames: there is always one whole file.
fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".new-{}", std::process::id()));
    let beside = PathBuf::from(beside);
    let mut file = create_private(&beside)?;
    let written = file.write_all(text).and_then(|()| file.sync_all()).and_then(|()| {
        if let Ok(old) = fs::metadata(path) {
            fs::set_permissions(&beside, old.permissions())?;
        }
        fs::rename(&beside, path)
    });
    if written.is_err() {
        drop(fs::remove_file(&beside));
    }
    written
}

fn create_private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// Reads a file that must not be endless.
pub(super) fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_OCTETS_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_OCTETS_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the file is too large"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plans() -> Vec<String> {
        vec!["staging".to_owned(), "production".to_owned()]
    }

    fn hash_key() -> HashKey {
        HashKey::new(b"a secret of some length\n").unwrap()
    }

    #[test]
    fn a_key_that_was_added_is_found_and_stands_nowhere() {
        let folder = std::env::temp_dir().join(format!("rulec-keys-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("words.keys");
        let mobile = add(&path, &hash_key(), "staging", Some("mobile")).unwrap();
        let other = add(&path, &hash_key(), "production", None).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        assert!(!text.contains(&mobile) && !text.contains(&other) && text.lines().count() == 2);
        let keys = Keys::parse(&text, "words.keys", &plans(), hash_key()).unwrap();
        let known =
            |plan: &str, caller: Option<&str>| Lookup::Known { plan: plan.into(), caller: caller.map(Into::into) };
        assert_eq!(keys.lookup(mobile.as_bytes()), known("staging", Some("mobile")));
        assert_eq!(keys.lookup(other.as_bytes()), known("production", None));
        assert_eq!(keys.lookup(b"guess"), Lookup::Unknown);
        let elsewhere = Keys::parse(&text, "words.keys", &plans(), HashKey::new(&[7; 16]).unwrap()).unwrap();
        assert_eq!(elsewhere.lookup(mobile.as_bytes()), Lookup::Unknown);
    }

    #[test]
    fn every_bad_line_is_told_with_its_number() {
        let text = "# keys\n\nstagging 00\nstaging 12\nproduction\n";
        let problems = Keys::parse(text, "k", &plans(), hash_key()).unwrap_err();
        assert_eq!(
            problems,
            [
                "k:3: the rules know no plan `stagging`, only: staging production",
                "k:4: the hash is not 64 hexadecimal digits",
                "k:5: a line is `PLAN HASH [NAME]`",
            ]
        );
    }

    #[test]
    fn the_same_key_twice_is_told() {
        let hash = blake3::hash(b"x").to_hex();
        let text = format!("staging {hash} # first\nproduction {hash} b\n");
        assert_eq!(Keys::parse(&text, "k", &plans(), hash_key()).unwrap_err(), ["k:2: this key stands here twice"]);
    }
}
