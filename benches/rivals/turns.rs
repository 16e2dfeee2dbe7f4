//! A loop of decisions for callgrind: no clock, no rival. `benches/instructions` runs it.

use crate::families::Family;
use crate::families::policy::Policy;
use crate::{engines::ours, whole};
use core::hint::black_box;
use rulec::matcher::{Matcher, Request, Scratch};
use std::path::Path;

/// The word that writes an artifact.
pub(crate) const WRITE: &str = "--artifact";

/// The word that decides from one.
pub(crate) const TURNS: &str = "--turns";

/// Passes over all paths.
const PASSES: usize = 4;

fn policy(family: &str, size: usize) -> Policy {
    if family == whole::NAME { whole::policy(size) } else { Family::named(family).policy(size) }
}

/// Writes the artifact of a policy to `file`, so that compiling it is not run under callgrind.
pub(crate) fn write(file: &Path, family: &str, size: usize) {
    let policy = policy(family, size);
    let rules = if family == whole::NAME { whole::rules(&policy) } else { policy.rules().0 };
    let artifact = ours::artifact(&rules).expect("a policy within the limits");
    std::fs::write(file, artifact).expect("a file to write");
}

/// Prints how many decisions of each kind it made from the artifact in `file`.
pub(crate) fn run(file: &Path, family: &str, size: usize) {
    let paths = policy(family, size).paths;
    let request = if family == whole::NAME { whole::request } else { bare };
    let matcher = Matcher::parse(std::fs::read(file).expect("an artifact")).expect("a right artifact");
    let mut scratch = Box::new(Scratch::new());
    for _ in 0..PASSES {
        paths_in_turn(&matcher, &paths);
        requests_in_turn(&matcher, &paths, request, &mut scratch);
    }
    println!("{}", PASSES * paths.len());
}

fn bare(path: &str) -> Request<'_> {
    Request::get(path.as_bytes(), &[(b"Host", b"bench.test")])
}

/// The path's part; callgrind is told this name.
#[inline(never)]
fn paths_in_turn(matcher: &Matcher<Vec<u8>>, paths: &[String]) {
    for path in paths {
        black_box(matcher.find(0, black_box(path.as_bytes())));
    }
}

/// Whole decisions; callgrind is told this name.
#[inline(never)]
fn requests_in_turn(
    matcher: &Matcher<Vec<u8>>,
    paths: &[String],
    request: fn(&str) -> Request<'_>,
    scratch: &mut Scratch,
) {
    for path in paths {
        black_box(matcher.decide(black_box(&request(path)), scratch).location);
    }
}
