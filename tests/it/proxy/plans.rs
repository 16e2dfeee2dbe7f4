//! Who calls: lookups are made only where they matter, and nobody slips through.

use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rulec::proxy::keys::{HashKey, Keys};
use rulec::proxy::{Lookup, PlanSource};

use super::harness::{Gateway, Upstream, config};

/// Knows `s-key` and `p-key`, fails on `broken`, and counts.
#[derive(Debug, Default)]
struct Counted {
    lookups: AtomicUsize,
    seen: Mutex<Vec<String>>,
}

impl PlanSource for Counted {
    fn lookup(&self, credential: &[u8]) -> Lookup {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        self.seen.lock().expect("seen").push(String::from_utf8_lossy(credential).into_owned());
        match credential {
            b"s-key" => Lookup::Known { plan: "staging".into(), caller: Some("sam".into()) },
            b"p-key" => Lookup::Known { plan: "production".into(), caller: None },
            b"broken" => Lookup::Failed,
            _ => Lookup::Unknown,
        }
    }
}

fn gateway(upstream: &Upstream, locations: &str) -> (Gateway, Arc<Counted>) {
    let source = Arc::new(Counted::default());
    let mut config = config();
    config.plan_sources.insert("keys".to_owned(), Arc::<Counted>::clone(&source));
    let rules = format!(
        "upstream up {{ server 127.0.0.1:{}; }}
         plans keys {{ credential key from query user_key or header X-User-Key; plan staging production;
                       missing 401; unknown 403; failed 503; }}
         service all default {{ plans keys; {locations} }}",
        upstream.port
    );
    (Gateway::with(&rules, &config), source)
}

const ROUTES: &str = "location / {
    plan staging { return 200 staging; }
    plan production { proxy up; }
}
location /free { return 200 free; }";

#[test]
fn callers_go_where_their_plan_says() {
    let upstream = Upstream::echo();
    let (gateway, source) = gateway(&upstream, ROUTES);
    let ask = |target: &str, key: &str| {
        let answer = gateway.ask(&format!("GET {target} HTTP/1.1\r\nHost: a\r\n{key}\r\n"));
        (answer.status, answer.text())
    };
    assert_eq!(ask("/", "X-User-Key: s-key\r\n"), (200, "staging".to_owned()));
    assert_eq!(ask("/?user_key=s-key", ""), (200, "staging".to_owned()));
    let (status, seen) = ask("/?a=1&User_Key=p-key&b=2", "X-User-Key: p-key\r\n");
    assert_eq!(status, 200);
    assert!(seen.starts_with("GET /?a=1&b=2 HTTP/1.1\r\n") && !seen.contains("p-key"), "credentials end here: {seen}");
    assert_eq!(source.lookups.load(Ordering::SeqCst), 3, "one lookup a request");
    for (key, status, code) in [
        ("", 401, "plan.missing"),
        ("X-User-Key: guess\r\n", 403, "plan.unknown"),
        ("X-User-Key: broken\r\n", 503, "plan.failed"),
    ] {
        let answer = gateway.ask(&format!("GET / HTTP/1.1\r\nHost: a\r\n{key}\r\n"));
        assert_eq!((answer.status, answer.code().as_str()), (status, code));
    }
    let conflict = gateway.ask("GET /?user_key=s-key HTTP/1.1\r\nHost: a\r\nX-User-Key: p-key\r\n\r\n");
    assert_eq!((conflict.status, conflict.code().as_str()), (400, "request.credentials_conflict"));
}

#[test]
fn no_lookup_is_made_where_the_outcome_is_the_same() {
    let upstream = Upstream::echo();
    let (gateway, source) = gateway(&upstream, ROUTES);
    for key in ["", "X-User-Key: s-key\r\n", "X-User-Key: guess\r\n"] {
        assert_eq!(gateway.ask(&format!("GET /free HTTP/1.1\r\nHost: a\r\n{key}\r\n")).text(), "free");
    }
    assert_eq!(source.lookups.load(Ordering::SeqCst), 0);
    assert_eq!(gateway.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").status, 401);
    assert_eq!(source.lookups.load(Ordering::SeqCst), 0, "no credential, no lookup");
}

#[test]
fn nobody_is_let_through_because_all_plans_agree() {
    let upstream = Upstream::echo();
    let (gateway, source) = gateway(
        &upstream,
        "location / { plan staging { proxy up; } plan production { proxy up; } }
         location /any { when plan any { proxy up; } return 404 none; }",
    );
    for path in ["/", "/any"] {
        for (key, status) in [("", 401), ("X-User-Key: guess\r\n", 403), ("X-User-Key: broken\r\n", 503)] {
            let answer = gateway.ask(&format!("GET {path} HTTP/1.1\r\nHost: a\r\n{key}\r\n"));
            assert_eq!(answer.status, status, "{path} {key}");
        }
    }
    assert_eq!(upstream.seen.requests().len(), 0);
    assert_eq!(source.lookups.load(Ordering::SeqCst), 4);
    for key in ["s-key", "p-key"] {
        assert_eq!(gateway.ask(&format!("GET / HTTP/1.1\r\nHost: a\r\nX-User-Key: {key}\r\n\r\n")).status, 200);
    }
    assert_eq!(upstream.seen.requests().len(), 2);
}

#[test]
fn keys_are_in_no_log_and_no_answer() {
    let upstream = Upstream::echo();
    let (gateway, _) = gateway(&upstream, ROUTES);
    for (target, key) in [
        ("/?user_key=s-key", ""),
        ("/x?User_Key=guess-me", ""),
        ("/", "X-User-Key: guess-me\r\n"),
        ("/?user_key=p-key", ""),
    ] {
        let answer = gateway.ask(&format!("GET {target} HTTP/1.1\r\nHost: a\r\n{key}\r\n"));
        assert!(!format!("{answer:?}").contains("guess-me"));
    }
    let log = gateway.stop();
    let text = format!("{log:?}");
    for key in ["s-key", "p-key", "guess-me"] {
        assert!(!text.contains(key), "{key}: {text}");
    }
    assert_eq!((&log[0]["plan"], &log[0]["caller"]), (&"staging".into(), &"sam".into()));
    assert_eq!(log[0]["target"], "/?user_key=[redacted]");
}

#[test]
fn the_credential_is_looked_up_undecoded() {
    let upstream = Upstream::echo();
    let (gateway, source) = gateway(&upstream, ROUTES);
    gateway.ask("GET /?user_key=s%2Dkey HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(*source.seen.lock().expect("seen"), ["s%2Dkey"]);
}

#[test]
fn a_keys_file_is_a_plan_source() {
    let hash_key = HashKey::new(b"0123456789abcdef").expect("a secret");
    let folder = std::env::temp_dir().join(format!("rulec-plans-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("folder");
    let path = folder.join("keys");
    let key = rulec::proxy::keys::add(&path, &hash_key, "staging", Some("sam")).expect("added");
    let text = std::fs::read_to_string(&path).expect("text");
    std::fs::remove_dir_all(&folder).expect("removed");
    let keys = Keys::parse(&text, "keys", &["staging".to_owned(), "production".to_owned()], hash_key).expect("keys");
    let mut config = config();
    config.plan_sources.insert("keys".to_owned(), Arc::new(keys));
    let gateway = Gateway::with(
        "plans keys { credential key from header X-Key; plan staging production; }
         service all default { plans keys; location / { plan staging { return 200 staging; } return 200 other; } }",
        &config,
    );
    let ask = |key: &str| gateway.ask(&format!("GET / HTTP/1.1\r\nHost: a\r\nX-Key: {key}\r\n\r\n"));
    assert_eq!(ask(&key).text(), "staging");
    assert_eq!(ask("nobody").status, 403);
}
