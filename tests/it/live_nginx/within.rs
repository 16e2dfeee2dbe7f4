//! What a request does within nginx: `error_page`, named locations, `internal`, `try_files`, and upstreams that fail.
//!
//! 20 000 requests in every run, or as many as `RULEC_LIVE` says.

use super::nginx::{Answer, Nginx};
use super::random::{self, Random};
use crate::corpora::escaped_location;
use crate::engines::Engines;
use rulec::model::{RequestRecord, Verdict, VerdictKind};
use std::fmt::Write;

/// Sites in one nginx.
const SITES: usize = 100;
/// Requests for each.
const REQUESTS: usize = 100;

#[test]
fn nginx_sends_requests_on_within_itself_likewise() {
    let wanted = super::number("RULEC_LIVE").unwrap_or(20_000);
    let seed = random::seed();
    let (mut verdicts, mut round) = (0, 0);
    while verdicts < wanted {
        verdicts += compare(Random::new(seed.wrapping_add(round)), seed);
        round += 1;
    }
    super::say(&format!("live nginx: {verdicts} requests within nginx, all the same (RULEC_SEED={seed})"));
}

fn compare(mut random: Random, seed: u64) -> u64 {
    let sites: Vec<Site> = (0..SITES).map(|number| Site::new(number, &mut random)).collect();
    let nginx = Nginx::start(&sites.iter().map(|site| site.conf.as_str()).collect::<String>());
    let mut verdicts = 0;
    for site in &sites {
        let engines = Engines::new(&site.rules);
        let requests: Vec<(&str, String)> = (0..REQUESTS).map(|_| request(&mut random)).collect();
        let answers = nginx.ask_each(&site.host, &requests);
        for ((method, target), theirs) in requests.iter().zip(answers) {
            let mut request = RequestRecord::new(target.as_str());
            (*method).clone_into(&mut request.method);
            request.host = Some(site.host.clone());
            let Some(verdict) = decide(&engines, &mut request) else { continue };
            let ours = seen(&verdict, method);
            let is_redirect = verdict.verdict == Some(VerdictKind::Redirect);
            let theirs = Answer {
                // nginx forgets to take back the Location of a redirect for which a page stands in.
                location: theirs.location.filter(|_| is_redirect).as_deref().map(escaped_location),
                body: theirs.body.filter(|_| ours.body.is_some()),
                ..theirs
            };
            let (rules, conf) = (&site.rules, &site.conf);
            assert_eq!(ours, theirs, "{method} {target}\n{verdict:?}\nseed {seed}\n{rules}\n{conf}");
            verdicts += 1;
        }
    }
    verdicts
}

/// As the gateway does it: where the upstream fails, it decides again.
fn decide(engines: &Engines, request: &mut RequestRecord) -> Option<Verdict> {
    let verdict = engines.decide(request)?;
    if verdict.upstream.as_deref() != Some("dead") {
        return Some(verdict);
    }
    request.fault = Some(502);
    engines.decide(request)
}

/// What a client would see.
fn seen(verdict: &Verdict, method: &str) -> Answer {
    let status = verdict.status.unwrap_or(200);
    let has_body = !matches!(status, 204 | 304);
    match verdict.verdict {
        Some(VerdictKind::Proxy) if verdict.upstream.as_deref() == Some("dead") => {
            Answer { status: 502, location: None, body: None }
        }
        Some(VerdictKind::Proxy) => {
            let forward = verdict.forward.as_ref().expect("where it is sent");
            let method = forward.method.as_deref().unwrap_or(method);
            let body = format!("P|{method}|{}", forward.target);
            Answer { status, location: None, body: Some(body).filter(|_| has_body) }
        }
        Some(VerdictKind::Respond) => {
            Answer { status, location: None, body: verdict.body.clone().filter(|_| has_body) }
        }
        _ => Answer { status, location: verdict.redirect.clone(), body: None },
    }
}

fn request(random: &mut Random) -> (&'static str, String) {
    let method = random.pick(&["GET", "GET", "POST", "DELETE"]);
    let path =
        random.pick(&["/a", "/b", "/c", "/c/", "/c/d", "/e", "/a/x", "/c/d/e", "/zz", "/s/a", "/a%20b", "/b//c"]);
    let query = random.pick(&["", "", "?q=1", "?q=a%20b&r", "?"]);
    (method, format!("{path}{query}"))
}

/// The same said twice.
struct Site {
    host: String,
    conf: String,
    rules: String,
    named: usize,
}

impl Site {
    fn new(number: usize, random: &mut Random) -> Self {
        let host = format!("h{number}.test");
        let mut site = Self { conf: String::new(), rules: String::new(), named: random.below(4), host };
        let _ = writeln!(
            site.conf,
            "server {{ listen unix:front.sock; server_name {}; proxy_set_header X-Location $request_method;",
            site.host
        );
        let _ = write!(
            site.rules,
            "upstream u {{ server u.test:80; }}\nupstream dead {{ server dead.test:80; }}\n\
             service s {{ server_name {}; redirects absolute; slash_redirect 301; body forward;\n",
            site.host
        );
        site.error_pages(random, false);
        if random.chance(20) {
            site.both("rewrite ^/s(.*)$ $1 last;\n");
        }
        for path in ["= /c", "/a", "/b", "/c/", "/c/d", "/e"] {
            if random.chance(75) {
                site.location(path, random);
            }
        }
        for name in 0..site.named {
            site.location(&format!("@n{name}"), random);
        }
        site.both("location / { return 404; }\n}\n");
        site
    }

    fn both(&mut self, text: &str) {
        self.conf.push_str(text);
        self.rules.push_str(text);
    }

    fn location(&mut self, path: &str, random: &mut Random) {
        self.both(&format!("location {path} {{\n"));
        if random.chance(20) {
            self.both("internal;\n");
        }
        if random.chance(35) {
            self.error_pages(random, true);
        }
        let text = format!("\"T|{path}|$uri|$args|$request_method\"");
        match random.below(10) {
            0..3 => self.both(&format!(
                "return {};\n",
                random.pick(&["403", "404", "401", "405", "410", "500", "503", "402", "204"])
            )),
            3 => self.both(&format!("return {} {text};\n", random.pick(&["200", "200", "403", "201"]))),
            4 => self.both(&format!("return {} /e?z=$arg_q;\n", random.pick(&["301", "302", "303", "307", "308"]))),
            5 => self.both(&format!("rewrite ^/(\\w+)(.*)$ {} last;\n", random.pick(&["/b$2", "/e/$1?k=$2", "/$1x"]))),
            kind => {
                if kind == 6 {
                    self.both("rewrite ^/(\\w+)(.*)$ /r/$1$2 break;\n");
                }
                self.content(random);
            }
        }
        self.both("}\n");
    }

    /// What nginx's content handlers do.
    fn content(&mut self, random: &mut Random) {
        match random.below(5) {
            0 | 1 => {
                self.conf.push_str("proxy_pass http://u;\n");
                self.rules.push_str("proxy u;\n");
            }
            2 => {
                self.conf.push_str("proxy_pass http://unix:/nowhere.sock;\n");
                self.rules.push_str("proxy dead;\n");
            }
            _ => {
                let target = self.target(random);
                let _ = writeln!(self.conf, "try_files /nonexistent {target};");
                let _ = writeln!(self.rules, "goto {target};");
            }
        }
    }

    /// nginx takes the first page for a status, and drops all that are inherited.
    fn error_pages(&mut self, random: &mut Random, inherits: bool) {
        if inherits {
            self.rules.push_str("forget error_pages;\n");
        }
        let sets = [["404", "403 401"], ["301 302", "405 410"], ["502", "500 503 404"], ["402 403", "308 307 303"]];
        for codes in sets[random.below(sets.len())] {
            let status = random.pick(&["", "", "", "=", "=200", "=204", "=302", "=404", "=307", "=500"]);
            let target = match random.below(6) {
                0 => "https://o.test/$arg_q".to_owned(),
                1 => "$uri-x".to_owned(),
                _ => self.target(random),
            };
            self.both(&format!("error_page {codes} {status} {target};\n"));
        }
    }

    fn target(&self, random: &mut Random) -> String {
        if self.named > 0 && random.chance(50) {
            return format!("@n{}", random.below(self.named));
        }
        random.pick(&["/b?c=$arg_q", "/zzz", "/e", "/c/d?x", "/a$uri", "/c/?$args"]).to_owned()
    }
}
