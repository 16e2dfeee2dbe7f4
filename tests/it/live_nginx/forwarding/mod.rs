//! A real nginx and the engines behind `rulec import nginx`, asked the same: random servers over all that is translated.
//!
//! 20 000 comparisons in every run; `RULEC_LIVE=1000000 tests/run live_nginx` for a million. `RULEC_SEED` repeats a run.
//! A difference is shrunk to the smallest server that shows it.

mod agreement;
mod peer;

use super::configuration::{SHARED, Server};
use super::random::{self, Random};
use super::{number, say};
use crate::engines::Engines;
use agreement::difference;
use peer::{Ask, Peer};
use rulec::import::nginx::{Options, import, parse_text};
use rulec::model::RequestRecord;
use std::collections::BTreeMap;

/// Servers in one nginx.
const SERVERS: usize = 150;
/// Requests for each.
const REQUESTS: usize = 60;
/// Enough to see whether they are one mistake or several.
const DIFFERENCES_MAX: usize = 8;
/// Of a hundred servers so many may be refused: the generator reaches for what cannot be decided beforehand too.
const REFUSED_PERCENT_MAX: usize = 60;

/// C1 of ATTACKS, for what is sent on as well.
#[test]
fn a_live_nginx_forwards_and_answers_the_same() {
    let wanted = number("RULEC_LIVE").unwrap_or(20_000);
    let seed = random::seed();
    let mut tally = Tally::default();
    let mut round = 0;
    while tally.compared < wanted {
        compare(&mut Random::new(seed.wrapping_add(round)), seed, &mut tally);
        round += 1;
        let differences = &tally.differences;
        assert!(differences.is_empty(), "{}\nRULEC_SEED={seed}", differences.join("\n"));
    }
    say(&format!(
        "live nginx: {} answers and forwarded requests of {} imported servers, all the same; {} servers refused (RULEC_SEED={seed})",
        tally.compared,
        tally.servers,
        tally.refused.values().sum::<usize>(),
    ));
    for (why, count) in &tally.refused {
        say(&format!("  refused {count}: {why}"));
    }
    let refused: usize = tally.refused.values().sum();
    assert!(refused * 100 <= (tally.servers + refused) * REFUSED_PERCENT_MAX, "{:?}", tally.refused);
}

#[derive(Default)]
struct Tally {
    /// Of different servers, each shrunk.
    differences: Vec<String>,
    compared: u64,
    servers: usize,
    refused: BTreeMap<String, usize>,
}

fn compare(random: &mut Random, seed: u64, tally: &mut Tally) {
    let mut servers = Vec::new();
    for number in 0..SERVERS {
        let server = Server::new(number, random);
        match imported(&server) {
            Ok(rules) => servers.extend(Subject::new(server, &rules)),
            Err(why) => *tally.refused.entry(why).or_default() += 1,
        }
    }
    tally.servers += servers.len();
    let conf: String = servers.iter().map(|subject| subject.server.conf()).collect();
    let nginx = Peer::start(&format!("{SHARED}{conf}"))
        .unwrap_or_else(|log| panic!("nginx refuses what was imported: {log}\n{conf}\nseed {seed}"));
    for subject in &servers {
        if tally.differences.len() == DIFFERENCES_MAX {
            return;
        }
        let asks: Vec<Ask> = (0..REQUESTS).map(|_| ask(&subject.server, random)).collect();
        for (ask, reply) in asks.iter().zip(nginx.ask(&subject.server.host, &asks)) {
            let request = subject.record(ask, nginx.port);
            let Some(verdict) = subject.engines.decide(&request) else { continue };
            if let Some(difference) = difference(ask, &verdict, &reply) {
                tally.differences.push(shown(&difference, &subject.server, ask));
                break;
            }
            tally.compared += 1;
        }
    }
}

/// A difference on the smallest server that shows it.
fn shown(difference: &str, server: &Server, ask: &Ask) -> String {
    let smallest = shrink(server, ask);
    let rules = imported(&smallest).unwrap_or_default();
    format!("{difference}\n{}{ask:?}\n{rules}", smallest.conf())
}

/// A server in nginx and in the engines.
struct Subject {
    server: Server,
    engines: Engines,
    facts: BTreeMap<String, String>,
}

impl Subject {
    /// None where the rules are beyond the compiler's budget.
    fn new(server: Server, rules: &str) -> Option<Self> {
        // No file is there, and nobody is logged in.
        let facts = rules.lines().filter_map(|line| line.strip_prefix("fact ")).filter_map(|line| {
            let name = line.split(' ').next()?;
            line.contains(" no").then(|| (name.to_owned(), "no".to_owned()))
        });
        let facts = facts.collect();
        Some(Self { server, engines: Engines::within_budget(rules)?, facts })
    }

    fn record(&self, ask: &Ask, port: u16) -> RequestRecord {
        let mut request = RequestRecord::new(ask.target.as_str());
        request.port = Some(port);
        ask.method.clone_into(&mut request.method);
        request.host = Some(self.server.host.clone());
        request.headers = ask.headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        request.body = ask.body.len() as u64;
        request.facts.clone_from(&self.facts);
        request
    }
}

/// The rules of `server`, or why it is refused.
fn imported(server: &Server) -> Result<String, String> {
    let upstreams = "upstream u1 { server 127.0.0.1:9; } upstream u2 { server 127.0.0.1:9; }\n";
    let conf = format!("http {{\n{upstreams}{SHARED}{}}}\n", server.conf()).replace("LISTEN", "127.0.0.1:8080");
    let parsed = parse_text("nginx.conf", conf.as_bytes());
    let imported = import(&parsed, &Options::default());
    if !imported.has_errors() {
        return Ok(imported.rules);
    }
    let first = imported.diagnostics.iter().find(|said| said.severity == rulec::diagnostic::Severity::Error);
    Err(first.map(|said| format!("{}: {}", said.code, said.message)).unwrap_or_default())
}

fn ask(server: &Server, random: &mut Random) -> Ask {
    const SEGMENTS: [&str; 13] =
        ["a", "b", "v1", "x.php", "img", "old", "new", "api", "a%20b", "c+d", "%61", "7", "int"];
    let paths = server.paths();
    let mut target = String::new();
    if !paths.is_empty() && random.chance(60) {
        target.push_str(&paths[random.below(paths.len())]);
        target.push_str(random.pick(&["", "", "x", "/", "/a", "a%20b", "/old/c+d", "x.php", "/img/7"]));
    } else {
        for _ in 0..random.below(4) {
            target.push('/');
            target.push_str(random.pick(&SEGMENTS));
        }
        target.push_str(random.pick(&["", "", "/"]));
    }
    if !target.starts_with('/') {
        target.insert(0, '/');
    }
    target.push_str(random.pick(&["", "", "?q=1", "?q=a&x=b+c", "?", "?q=&z=%20"]));
    let mut headers = Vec::new();
    if random.chance(35) {
        headers.push(("X", random.pick(&["a", "b", "bcd", "A", "0", "1", ""])));
    }
    if random.chance(25) {
        headers.push(("Cookie", random.pick(&["c=1", "c=a", "d=1; c=b"])));
    }
    let method = random.pick(&["GET", "GET", "GET", "POST", "HEAD", "DELETE"]);
    Ask { method, target, headers, body: if method == "POST" { "abcd" } else { "" } }
}

/// The smallest server that still differs on `ask`.
fn shrink(server: &Server, ask: &Ask) -> Server {
    let differs = |server: &Server| {
        let subject = imported(server).ok().and_then(|rules| Subject::new(server.clone(), &rules))?;
        let nginx = Peer::start(&format!("{SHARED}{}", server.conf())).ok()?;
        let reply = nginx.ask(&server.host, std::slice::from_ref(ask)).pop()?;
        let verdict = subject.engines.agree(&subject.record(ask, nginx.port)).ok()??;
        difference(ask, &verdict, &reply)
    };
    let mut smallest = server.clone();
    while let Some(smaller) = smallest.smaller().into_iter().find(|smaller| differs(smaller).is_some()) {
        smallest = smaller;
    }
    smallest
}
