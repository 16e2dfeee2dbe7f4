//! The blocks of the language guide parse. (That they mean what they say is tested where policies are compiled.)

use super::good;

#[test]
fn every_block_of_the_guide_parses() {
    let guide = include_str!("../../../docs/language.md");
    let blocks: Vec<&str> =
        guide.split("```rules\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default()).collect();
    assert!(blocks.len() > 20);
    for block in blocks {
        assert!(good(block).items.len() > 1, "{block}");
    }
}
