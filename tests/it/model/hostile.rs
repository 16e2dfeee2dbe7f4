//! Texts that nobody would write: no panic, and every place is one of the text.

use rulec::model::load_text;

#[track_caller]
fn harmless(text: &str) {
    let loaded = load_text("t", text);
    for diagnostic in &loaded.diagnostics {
        let places = core::iter::once(&diagnostic.place).chain(&diagnostic.related);
        for span in places.map(|label| label.span) {
            let source = loaded.sources.get(span.file).expect("it is a file");
            let inside = source.text.get(span.start as usize..span.end as usize);
            assert!(inside.is_some(), "{span:?} of {diagnostic:?} in {text:?}");
        }
        assert!(diagnostic.message.starts_with(|c: char| !c.is_uppercase()), "{}", diagnostic.message);
        assert!(!diagnostic.message.ends_with('.'), "{}", diagnostic.message);
    }
}

/// A small generator of numbers: the same ones every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % bound
    }
}

#[test]
fn examples_with_words_changed_moved_and_lost_are_harmless() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let mut numbers = Numbers(7);
    let texts: Vec<String> = directory
        .read_dir()
        .expect("the examples are there")
        .map(|entry| std::fs::read_to_string(entry.expect("it is listed").path()).expect("it is text"))
        .collect();
    let mut words: Vec<&str> = texts.iter().flat_map(|text| text.split_inclusive(' ')).collect();
    words.sort_unstable();
    words.dedup();
    words.extend(["~ (?<é>", "\"\\", "${", "$é ", "^~ ", "= ", "é{2} ", "[é] ", "0 ", "{", "}", ";", "\u{feff}", "\0"]);
    for _ in 0..3_000 {
        let text = &texts[numbers.below(texts.len())];
        let mut parts: Vec<&str> = text.split_inclusive(' ').collect();
        for _ in 0..=numbers.below(4) {
            let at = numbers.below(parts.len());
            match numbers.below(3) {
                0 => parts[at] = words[numbers.below(words.len())],
                1 => parts.insert(at, words[numbers.below(words.len())]),
                _ => drop(parts.remove(at)),
            }
        }
        harmless(&parts.concat());
    }
}

#[test]
fn what_is_large_or_deep_is_harmless() {
    harmless(&"service s { location /a { when method GET { ".repeat(2_000));
    harmless(&format!("service s {{ location ~ {} {{ }} }}", "(".repeat(100_000)));
    harmless(&format!("service s {{ return 200 \"{}\"; }}", "$".repeat(100_000)));
    harmless(&format!("service s {{ server_name {}; }}", "a.".repeat(100_000)));
    harmless(&"upstream a { server a; }".repeat(2_000));
}
