//! Regexes with gaps behind what may stand anywhere, more than a matcher keeps bits for.

use super::{request, service};
use crate::engines::Engines;

/// `count` regexes with one gap each, and `last` behind them.
fn gaps(count: usize, last: &str) -> String {
    let own = (0..count).map(|index| format!("location ~ /from{index}/.*/to{index}/ {{ return 201; }}\n"));
    service(&format!("{}location ~ {last} {{ return 202; }}\nlocation / {{ return 200; }}", own.collect::<String>()))
}

#[test]
fn beyond_what_bits_are_kept_for_a_regex_is_left_whole() {
    let engines = Engines::new(&gaps(1_024, "q.*r.*s"));
    for path in ["/q/r/s", "/from7/x/to7/", "/from7/x/to8/", "/q%0A/r/s", "/qrs%0A", "/from7/q/to7/r/s"] {
        engines.decide(&request(path));
    }
}

#[test]
fn the_end_of_a_line_is_not_taken_for_that_of_the_path() {
    let engines = Engines::new(&gaps(1_023, "q.*r.*s$"));
    for path in ["/q/r/s", "/qrs%0A", "/qrs%0Ax", "/q%0Ars", "/qr%0As", "/qrsx"] {
        engines.decide(&request(path));
    }
}
