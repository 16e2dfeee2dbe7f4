//! `rulec keys add`

use super::{Folder, command, rulec};
use std::fs;
use std::path::Path;
use std::process::Stdio;

fn add(keys: &Path, hash_key: &Path, plan: &str) -> super::Ran {
    rulec([
        "keys".as_ref(),
        "add".as_ref(),
        "--plan".as_ref(),
        plan.as_ref(),
        "--keys".as_ref(),
        keys.as_os_str(),
        "--hash-key".as_ref(),
        hash_key.as_os_str(),
    ])
}

#[test]
fn a_key_is_printed_once_and_stored_as_a_hash() {
    let folder = Folder::new();
    let (keys, hash_key) = (folder.path("words.keys"), folder.path("hash.key"));
    let first = add(&keys, &hash_key, "staging");
    assert_eq!((first.status, first.out.lines().count()), (0, 1), "{}", first.err);
    let second = add(&keys, &hash_key, "production");
    assert_ne!(first.out, second.out);
    let text = fs::read_to_string(&keys).unwrap();
    assert_eq!(text.lines().count(), 2);
    assert!(text.starts_with("staging ") && text.contains("\nproduction "), "{text}");
    assert!(!text.contains(first.out.trim()) && !text.contains(second.out.trim()));
}

#[test]
fn a_plan_that_is_no_word_is_refused() {
    let folder = Folder::new();
    let ran = add(&folder.path("words.keys"), &folder.path("hash.key"), "two words");
    assert_ne!(ran.status, 0);
    assert!(!folder.path("words.keys").exists());
}

#[test]
fn proxy_toml_says_where_keys_are() {
    let folder = Folder::new();
    folder.file("hash.key", "0123456789abcdef0123456789abcdef\n");
    let plans = |name: &str| format!("[plans.{name}]\nkeys = \"{name}.keys\"\nhash_key = {{ file = \"hash.key\" }}\n");
    folder.file("proxy.toml", &plans("words"));
    let add = |arguments: &[&str]| {
        let command = &mut command([["keys", "add", "--plan", "staging"].as_slice(), arguments].concat());
        command.current_dir(&folder.0).stdin(Stdio::null()).output().unwrap().status.code()
    };
    assert_eq!(add(&[]), Some(0));
    assert!(fs::read_to_string(folder.path("words.keys")).unwrap().starts_with("staging "));
    folder.file("proxy.toml", &(plans("words") + &plans("other")));
    assert_eq!(add(&[]), Some(2));
    assert_eq!(add(&["--plans", "other"]), Some(0));
    assert!(folder.path("other.keys").exists());
    assert_eq!(add(&["--plans", "none"]), Some(1));
}
