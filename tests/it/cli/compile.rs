//! `rulec compile` and `rulec inspect`

use super::{BROKEN, FINE, Folder, rulec, rulec_with};
use serde_json::Value;
use std::fs;

#[test]
fn the_output_stands_beside_the_file_unless_said() {
    let folder = Folder::new();
    let file = folder.file("site.rules", FINE);
    assert_eq!(rulec(["compile".as_ref(), file.as_os_str()]).status, 0);
    let output = folder.path("other.rulec");
    let ran = rulec(["compile".as_ref(), file.as_os_str(), "-o".as_ref(), output.as_os_str()]);
    assert_eq!((ran.status, ran.out.as_str()), (0, ""));
    assert_eq!(fs::read(folder.path("site.rulec")).unwrap(), fs::read(output).unwrap());
}

#[test]
fn an_error_leaves_the_old_output_and_no_litter() {
    let folder = Folder::new();
    let file = folder.file("site.rules", BROKEN);
    let output = folder.file("site.rulec", "old");
    let ran = rulec(["compile".as_ref(), file.as_os_str()]);
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("nowhere"), "{}", ran.err);
    assert_eq!(fs::read_to_string(output).unwrap(), "old");
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 2);
}

#[test]
fn reading_and_writing_that_fail_are_status_4() {
    let folder = Folder::new();
    let file = folder.file("site.rules", FINE);
    let nowhere = folder.path("none/site.rulec");
    let ran = rulec(["compile".as_ref(), file.as_os_str(), "-o".as_ref(), nowhere.as_os_str()]);
    assert_eq!(ran.status, 4, "{}", ran.err);
    assert_eq!(rulec(["compile".as_ref(), folder.path("none.rules").as_os_str()]).status, 4);
    assert_eq!(rulec_with(FINE, ["compile", "-"]).status, 2);
}

#[test]
fn stats_are_one_object() {
    let folder = Folder::new();
    let file = folder.file("site.rules", FINE);
    let ran = rulec(["compile".as_ref(), file.as_os_str(), "--stats".as_ref()]);
    let stats: Value = serde_json::from_str(&ran.out).unwrap();
    for key in ["rules", "classes", "states", "bytes"] {
        assert!(stats[key].is_u64(), "{key}: {stats}");
    }
    assert!(stats["seconds"].is_f64(), "{stats}");
    assert_eq!(stats["rules"], 2);
}

#[test]
fn inspect_shows_what_a_file_holds() {
    let folder = Folder::new();
    let file = folder.file("site.rules", FINE);
    rulec(["compile".as_ref(), file.as_os_str()]);
    let output = folder.path("site.rulec");
    let ran = rulec(["inspect".as_ref(), output.as_os_str(), "--json".as_ref()]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    let contents: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(contents["services"][0]["name"], "site");
    assert_eq!(contents["locations"][1]["display"], "/old");
    assert_eq!(contents["bytes"], fs::metadata(&output).unwrap().len());
    assert_eq!(contents["blake3"].as_str().map(str::len), Some(64));
    let ran = rulec(["inspect".as_ref(), output.as_os_str()]);
    assert!(ran.out.contains("services     site") && ran.out.contains("manifest"), "{}", ran.out);
}

#[test]
fn a_damaged_file_is_an_error_that_names_the_table() {
    let folder = Folder::new();
    let file = folder.file("site.rules", FINE);
    rulec(["compile".as_ref(), file.as_os_str()]);
    let output = folder.path("site.rulec");
    let mut bytes = fs::read(&output).unwrap();
    let last = bytes.len() - 20;
    bytes[last] ^= 1;
    fs::write(&output, &bytes).unwrap();
    let ran = rulec(["inspect".as_ref(), output.as_os_str()]);
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("manifest"), "{}", ran.err);
    assert_eq!(rulec(["inspect".as_ref(), folder.path("none.rulec").as_os_str()]).status, 4);
}
