//! What nested locations inherit is written out for each of them: that multiplies, up to a bound.

use super::{compiled, load, service};
use std::fmt::Write;
use std::time::{Duration, Instant};

/// Against hanging only, without optimisation, on any machine.
const HANGS: Duration = Duration::from_secs(60);

fn nested(settings: usize, locations: usize) -> String {
    let mut inner = String::new();
    for number in 0..settings {
        let _ = writeln!(inner, "set response header x-{number} v;");
    }
    for number in 0..locations {
        let _ = writeln!(inner, "location /a/{number}/ {{ set response header x-own v{number}; return 200; }}");
    }
    service(&format!("location /a/ {{ {inner} return 200; }}"))
}

#[test]
fn inherited_statements_multiply_up_to_a_bound() {
    assert!(compiled(&load(&nested(200, 200))).is_ok());
    let began = Instant::now();
    let refusals = compiled(&load(&nested(2_100, 2_000))).map(|compiled| compiled.stats).expect_err("too large");
    assert!(began.elapsed() < HANGS, "{:?}", began.elapsed());
    assert_eq!(refusals.iter().map(|refusal| refusal.code).collect::<Vec<_>>(), ["policy-too-large"]);
    assert!(refusals[0].place.span.end > 0, "a place is named");
}
