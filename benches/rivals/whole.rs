//! A whole decision beside its path's part: host, path, method, three header predicates, the caller's plan known.

use crate::engines::{Engine, NOTHING, ours};
use crate::families::Family;
use crate::families::policy::{Policy, Wording};
use crate::measure::{self, Timed};
use crate::table;
use rulec::matcher::{Caller, Found, Header, Matcher, Request, Scratch};
use std::rc::Rc;

/// What callgrind is told to count whole decisions of this kind; see `turns`.
pub(crate) const NAME: &str = "whole";

const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];

const WORDING: Wording = Wording {
    before: "plans shop { credential key from header X-User-Key; plan gold silver; missing 401; unknown 403; failed 503; }\n",
    service: "    plans shop;\n",
    location: |index| {
        let tier = index % 4;
        format!(
            "methods GET POST; \
             when header X-Version = \"2\" and header X-Tier in \"t{tier}\" \"t9\" and header Accept has \"application/json\" \
             {{ plan gold {{ return 200; }} plan silver {{ return 202; }} }} return 404;"
        )
    },
};

const HEADERS: [Header<'static>; 8] = [
    (b"Host", b"bench.test"),
    (b"User-Agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    (b"Accept", b"text/html, application/json"),
    (b"Accept-Encoding", b"gzip, deflate, br"),
    (b"X-User-Key", b"0123456789abcdef0123456789abcdef"),
    (b"X-Version", b"2"),
    (b"X-Tier", b"t9"),
    (b"Cookie", b"session=8f14e45fceea167a5a36dedd4bea2543"),
];

pub(crate) fn table(asked: &[usize]) -> String {
    let mut lines = vec![
        "### whole: the mix, with a method, three header predicates and a known plan in every location\n".to_owned(),
        table::row("locations", ["path alone", "whole decision", "whole / path"].map(str::to_owned).into_iter()),
        "|---|---|---|---|".to_owned(),
    ];
    for size in SIZES.into_iter().filter(|size| asked.is_empty() || asked.contains(size)) {
        let policy = policy(size);
        let Some(artifact) = ours::artifact(&rules(&policy)) else { continue };
        let matcher = Rc::new(Matcher::parse(artifact).expect("just compiled"));
        let whole = Whole { matcher: Rc::clone(&matcher), scratch: Box::new(Scratch::new()) };
        let mut engines: [Box<dyn Timed>; 2] = [Box::new(PathAlone(matcher)), Box::new(whole)];
        for path in &policy.paths {
            let [alone, whole] = &mut engines;
            assert_eq!(alone.answer(path), whole.answer(path), "{path}");
        }
        let times = measure::warm(&mut engines, &policy.paths);
        let cells = [table::time(times[0]), table::time(times[1]), format!("{:.2}", times[1] / times[0])];
        lines.push(table::row(&table::grouped(size), cells.into_iter()));
    }
    lines.join("\n") + "\n"
}

/// Where the locations and paths are from.
pub(crate) fn policy(size: usize) -> Policy {
    Family::named("mix").policy(size)
}

/// `policy` with what a whole decision looks at.
pub(crate) fn rules(policy: &Policy) -> String {
    policy.worded(&WORDING).0
}

/// A request for `path` with eight headers, whose caller is known.
pub(crate) fn request(path: &str) -> Request<'_> {
    let mut request = Request::get(path.as_bytes(), &HEADERS);
    request.caller = Some(Caller::Plan(0));
    request
}

struct PathAlone(Rc<Matcher<Vec<u8>>>);

impl Engine for PathAlone {
    fn find(&mut self, path: &str) -> u32 {
        match self.0.find(0, path.as_bytes()) {
            Found::Location(location) => location,
            Found::Nothing | Found::Redirect(_) => NOTHING,
        }
    }
}

struct Whole {
    matcher: Rc<Matcher<Vec<u8>>>,
    scratch: Box<Scratch>,
}

impl Engine for Whole {
    fn find(&mut self, path: &str) -> u32 {
        self.matcher.decide(&request(path), &mut self.scratch).location.unwrap_or(NOTHING)
    }
}
