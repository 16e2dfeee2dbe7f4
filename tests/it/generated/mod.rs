//! Generated policies and requests: definition, matcher and reloaded matcher decide the same.
//!
//! 200 000 pairs in every run; `RULEC_PAIRS` for more, `RULEC_SEED` to repeat a run.

mod allocation;
mod choices;
mod patterns;
mod policy;
mod predicate;
mod request;
mod statement;
mod template;

use crate::engines::Engines;
use choices::Choices;
use policy::Sketch;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use rulec::model::{Verdict, VerdictKind};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::Write;

/// Requests for each policy.
const REQUESTS: usize = 250;

/// C2 of ATTACKS: the evaluators agree.
#[test]
fn engines_agree_on_generated_policies() {
    let pairs = number("RULEC_PAIRS").unwrap_or(200_000);
    let seed = number("RULEC_SEED").unwrap_or_else(fresh_seed);
    let policies = u32::try_from(pairs.div_ceil(REQUESTS as u64)).expect("a count of policies");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { cases: policies, failure_persistence: None, max_shrink_iters: 4_000, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let (decided, gave_up, beyond_budget) = (Cell::new(0_u64), Cell::new(0_u64), Cell::new(0_u64));
    let outcomes = RefCell::new(BTreeMap::<&'static str, u64>::new());
    let input = (prop::collection::vec(any::<u16>(), 50..1_200), any::<u64>().no_shrink());
    let outcome = runner.run(&input, |(choices, first)| {
        let sketch = Sketch::new(&mut Choices::of_list(&choices));
        let Some(engines) = Engines::within_budget(&sketch.rules) else {
            beyond_budget.set(beyond_budget.get() + 1);
            return Ok(());
        };
        for number in 0..REQUESTS as u64 {
            let request = sketch.request(&mut Choices::of_seed(first.wrapping_add(number << 32)));
            let verdict = engines.agree(&request).map_err(TestCaseError::fail)?;
            if let Some(verdict) = &verdict {
                *outcomes.borrow_mut().entry(outcome_of(verdict)).or_insert(0) += 1;
            }
            let count = if verdict.is_some() { &decided } else { &gave_up };
            count.set(count.get() + 1);
        }
        Ok(())
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(difference, _)) => panic!("RULEC_SEED={seed}\n{difference}"),
        Err(TestError::Abort(why)) => panic!("RULEC_SEED={seed}\n{why}"),
    }
    let (decided, gave_up, beyond_budget) = (decided.get(), gave_up.get(), beyond_budget.get());
    let mut standard_error = std::io::stderr();
    writeln!(
        standard_error,
        "generated: {decided} pairs agree, PCRE2 or the matcher's memory gave up on {gave_up}, {beyond_budget} policies beyond the compiler's \
         budget (RULEC_SEED={seed})"
    )
    .expect("standard error takes a line");
    assert!(decided * 100 >= pairs * 97, "too few pairs were decided");
    let outcomes = outcomes.into_inner();
    let unreached: Vec<_> = OUTCOMES.iter().filter(|outcome| !outcomes.contains_key(*outcome)).collect();
    assert!(unreached.is_empty() || pairs < 200_000, "no request came to {unreached:?}: {outcomes:?}");
}

/// What requests come to; the generator reaches all of it.
const OUTCOMES: [&str; 31] = [
    "needs_plan",
    "needs_fact",
    "request.internal_only",
    "upstream.failed",
    "proxy",
    "redirect",
    "respond",
    "close",
    "request.method_invalid",
    "request.method_unsupported",
    "request.method_not_allowed",
    "request.host_invalid",
    "request.misdirected",
    "request.target_invalid",
    "request.path_ambiguous",
    "request.connection_names_field",
    "request.query_repeated",
    "request.cookie_repeated",
    "request.no_location",
    "request.no_answer",
    "request.rewrite_loop",
    "request.rewrite_empty",
    "request.prefix_mismatch",
    "request.target_unsafe",
    "request.header_repeated",
    "request.body_not_allowed",
    "request.body_too_large",
    "request.credentials_conflict",
    "plan.missing",
    "plan.unknown",
    "plan.failed",
];

fn outcome_of(verdict: &Verdict) -> &'static str {
    match verdict.verdict {
        None if verdict.needs_fact.is_some() => "needs_fact",
        None => "needs_plan",
        Some(VerdictKind::Proxy) => "proxy",
        Some(VerdictKind::Redirect) => "redirect",
        Some(VerdictKind::Respond) => "respond",
        Some(VerdictKind::Close) => "close",
        Some(VerdictKind::Refuse) => verdict.code.unwrap_or("a refusal without a code"),
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

fn fresh_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    u64::from(now.subsec_nanos()) ^ now.as_secs() << 20
}
