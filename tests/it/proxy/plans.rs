//! Who calls: lookups are made only where they matter, and nobody slips through.

use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rulec::proxy::keys::{HashKey, Keys};
use rulec::proxy::{Address, Format, Lookup, PlanSource};

use super::harness::{Gateway, Upstream, admin_text, config};

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

/// Queries that hold the credential `user_key` with the value `s-key`, in all the spellings that some server reads.
const SPELLINGS: [&str; 30] = [
    "user_key=s-key",
    "USER_KEY=s-key",
    "%75ser_key=s-key",
    "%75%73%65%72%5f%6b%65%79=s-key",
    "user%5Fkey=s-key",
    "user+key=s-key",
    "user%20key=s-key",
    "user.key=s-key",
    "user%2ekey=s-key",
    "user_key[]=s-key",
    "user_key[0]=s-key",
    "user_key%5B%5D=s-key",
    "user_key%5bx%5d[y]=s-key",
    "+user_key=s-key",
    "%20user_key=s-key",
    "user_key+=s-key",
    "%09user_key=s-key",
    "user_key%00=s-key",
    "user_key%00x=s-key",
    "%u0075ser_key=s-key",
    "%2575ser_key=s-key",
    "%252575ser_key=s-key",
    "%c1%b5ser_key=s-key",
    "%ef%bd%95ser_key=s-key",
    "%22user_key%22=s-key",
    "a=1&user_key=s-key&b=2",
    "a=1;user_key=s-key",
    "a=1;%75ser_key[]=s-key&b=2",
    "&user_key=s-key",
    "a&&b=1&User%5FKey=s-key",
];

#[test]
fn a_credential_in_any_spelling_counts_and_goes_no_further() {
    let upstream = Upstream::echo();
    for format in [Format::Json, Format::Combined] {
        let source = Arc::new(Counted::default());
        let mut config = config();
        config.log.format = format;
        config.admin = Some(Address::Tcp("127.0.0.1:0".parse().expect("address")));
        config.plan_sources.insert("keys".to_owned(), Arc::<Counted>::clone(&source));
        let rules = format!(
            "upstream up {{ server 127.0.0.1:{}; }}
             plans keys {{ credential key from query user_key or header X-User-Key; plan staging; }}
             service all default {{ plans keys;
                location / {{ plan staging {{ proxy up; }} }}
                location /made/ {{ proxy up \"/made?$args\"; }}
                location /canonical/ {{ rewrite ^ /c break; proxy up; }} }}",
            upstream.port
        );
        let gateway = Gateway::with(&rules, &config);
        let ask = |path: &str, query: &str, lines: &str| {
            let referer = format!("Referer: http://a/?{query}\r\n");
            gateway.ask(&format!("GET {path}?{query} HTTP/1.1\r\nHost: a\r\n{lines}{referer}\r\n"))
        };
        for query in SPELLINGS {
            let answer = ask("/", query, "");
            assert_eq!(answer.status, 200, "{query}");
            let other = ask("/", query, "X-User-Key: other\r\n");
            assert_eq!((other.status, other.code().as_str()), (400, "request.credentials_conflict"), "{query}");
            let twice = ask("/", &format!("{query}&user_key=other"), "");
            assert_eq!((twice.status, twice.code().as_str()), (400, "request.credentials_conflict"), "{query}");
            assert_eq!(ask("/made/", query, "").status, 200, "{query}");
            assert_eq!(ask("/canonical/", query, "").status, 200, "{query}");
            assert!(!other.text().contains("s-key") && !twice.text().contains("s-key"), "{query}");
        }
        for query in ["user_key=s-key;a=1", "a;%75ser_key=s-key;"] {
            assert_eq!(ask("/", query, "").code(), "request.credentials_conflict", "{query}");
        }
        // Refused before any rule is asked.
        let unread = gateway.ask("GET /x\"?%75ser_key=s-key HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!((unread.status, unread.text().contains("s-key")), (400, false));
        assert!(!admin_text(gateway.handle.as_ref().expect("runs"), "/metrics").contains("s-key"));
        let log = gateway.stop_text();
        assert!(log.lines().count() > 150 && log.contains("[redacted]") && !log.contains("s-key"), "{log}");
    }
    for seen in upstream.seen.requests() {
        let line = seen.lines().next().expect("a request line");
        assert!(!line.contains("key"), "{line}");
    }
}

#[test]
fn what_is_no_spelling_of_a_credential_is_left_alone() {
    let upstream = Upstream::echo();
    let (gateway, source) = gateway(&upstream, "location / { proxy up; } location /asks { plan any { proxy up; } }");
    for query in [
        "user_keys=1",
        "xuser_key=1",
        "user-key=1",
        "userkey=1",
        "user_ke%79s=1",
        "a=user_key=1",
        "%user_key=1",
        "a;b=c&d;",
    ] {
        let seen = gateway.ask(&format!("GET /?{query} HTTP/1.1\r\nHost: a\r\n\r\n")).text();
        assert!(seen.starts_with(&format!("GET /?{query} HTTP/1.1\r\n")), "{query}: {seen}");
        let asked = gateway.ask(&format!("GET /asks?{query} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!(asked.code(), "plan.missing", "{query}");
    }
    assert_eq!(source.lookups.load(Ordering::SeqCst), 0);
}
