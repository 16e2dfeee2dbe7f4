//! Every construct of the language parses.

use super::good;

#[test]
fn the_example_policies_parse() {
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/rules")).expect("the folder is there") {
        let path = entry.expect("readable").path();
        let text = std::fs::read_to_string(&path).expect("readable");
        assert!(good(&text).items.len() > 1, "{}", path.display());
    }
}

#[test]
fn the_whole_example_of_the_language_parses() {
    assert_eq!(good(include_str!("words_whole.rules")).items.len(), 8 + 1);
}
