//! Every block of the language guide is a policy without a warning that does what its own tests say.

use rulec::analysis::{cases, lint};
use rulec::diagnostic::{Format, render};
use rulec::matcher::Matcher;
use rulec::model::load_text;

#[test]
fn every_block_of_the_guide_holds() {
    let guide = include_str!("../../../docs/language.md");
    let blocks: Vec<&str> =
        guide.split("```rules\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default()).collect();
    assert!(blocks.len() > 20);
    let lines: usize = blocks.iter().map(|block| hold(block)).sum();
    assert!(lines > 100);
}

/// Compiles `block` and runs its tests; how many lines they have.
fn hold(block: &str) -> usize {
    let loaded = load_text("docs/language.md", block);
    let mut said = loaded.diagnostics;
    said.extend(lint::run(&loaded.policy));
    let compiled = rulec::artifact::compile(&loaded.policy, &loaded.sources, &rulec::automaton::Limits::default());
    let compiled = compiled.expect("within the limits");
    said.extend(compiled.warnings);
    let matcher = Matcher::parse(compiled.bytes.as_slice()).expect("an artifact");
    let manifest = serde_json::from_slice(matcher.manifest()).expect("a manifest");
    let mut scratch = rulec::matcher::Scratch::default();
    let mut lines = 0;
    for test in &loaded.policy.tests {
        let results = cases::run(&matcher, &manifest, test, &mut scratch);
        said.extend(cases::diagnostics(&test.name, &results));
        lines += results.len();
    }
    assert!(said.is_empty(), "{block}\n{}", render(&said, &loaded.sources, Format::Human, false));
    assert!(lines > 0, "no test: {block}");
    lines
}
