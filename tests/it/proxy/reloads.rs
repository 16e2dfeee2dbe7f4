//! Replacing the policy while it serves: nothing fails, nothing is cut, nothing is mixed, and what is wrong stays out.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::time::Duration;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use rulec::proxy::{Address, Policy};

use super::harness::{Answer, Client, Gateway, Upstream, admin, artifact, config, wait_until};
use super::process::{Folder, Running};

/// Ten thousand locations that say which policy they are of, each in the status, a header and the body.
fn rules(upstream: &Upstream, name: &str, status: u16) -> String {
    let mut locations = String::new();
    for number in 0..10_000 {
        locations += &format!(
            "location /p{number}/ {{ set response header X-Policy {name}; return {status} \"{name}{number}\"; }}\n"
        );
    }
    locations += &format!(
        "location /up/ {{ set request header X-Policy {name}; set response header X-Policy {name}; proxy up; }}\n"
    );
    locations += &format!("test \"{name}\" {{ GET http://a/p7/ -> {status} \"{name}7\"; }}\n");
    let (service, test) = locations.split_once("test ").expect("a test");
    format!("{}test {test}", upstream.rules(service))
}

/// The policy that an answer is of; nothing of it may be of another.
fn policy_of(answer: &Answer, number: usize, proxied: bool) -> String {
    let name = answer.header("x-policy").expect("a policy").to_owned();
    if proxied {
        assert_eq!(answer.status, 200);
        assert!(answer.text().contains(&format!("\r\nX-Policy: {name}\r\n")), "{name}: {}", answer.text());
    } else {
        assert_eq!(answer.status, if name == "a" { 200 } else { 203 }, "{name}");
        assert_eq!(answer.text(), format!("{name}{number}"));
    }
    name
}

/// Asks one connection for one thing after another until `done`; how often.
fn ask_on(mut client: Client, done: &AtomicBool, seed: usize) -> usize {
    let mut asked = 0;
    while !done.load(Ordering::Relaxed) {
        let number = (seed * 7919 + asked * 104_729) % 10_000;
        let proxied = asked % 4 == 0;
        let path = if proxied { "/up/".to_owned() } else { format!("/p{number}/x") };
        client.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        let answer = client.read_answer(false).expect("the connection is not cut");
        assert!(answer.whole && answer.header("connection").is_none(), "{}", answer.head);
        policy_of(&answer, number, proxied);
        asked += 1;
    }
    asked
}

/// A connection on which nothing was asked while one policy after another took over.
fn still_there(client: &mut Client, name: &str) {
    client.send("GET /p1/ HTTP/1.1\r\nHost: a\r\n\r\n");
    let answer = client.read_answer(false).expect("an idle connection is not cut");
    assert_eq!(policy_of(&answer, 1, false), name);
}

/// `RULEC_RELOADS=1000` for the whole.
#[test]
fn reloads_under_load_fail_nothing_cut_nothing_and_mix_nothing() {
    let reloads = std::env::var("RULEC_RELOADS").ok().and_then(|count| count.parse().ok()).unwrap_or(50);
    let upstream = Upstream::echo();
    let artifacts = [("a", 200), ("b", 203)].map(|(name, status)| (name, artifact(&rules(&upstream, name, status))));
    let folder = Folder::new("reloads");
    let policy = folder.write("policy.rulec", &artifacts[0].1);
    let running = Running::start(&[&policy, "--listen", "127.0.0.1:0", "--access-log", "off", "--threads", "1"]);
    let address = running.address;
    let mut idle: Vec<Client> = (0..20).map(|_| Client::connect(address)).collect();
    let done = Arc::new(AtomicBool::new(false));
    let busy: Vec<_> = (0..4)
        .map(|seed| {
            let (client, done) = (Client::connect(address), Arc::clone(&done));
            thread::spawn(move || ask_on(client, &done, seed))
        })
        .collect();
    let mut probe = Client::connect(address);
    let (mut times, mut asked) = (Vec::new(), Instant::now());
    for (name, octets) in artifacts.iter().cycle().skip(1).take(reloads) {
        folder.write("policy.new", octets);
        std::fs::rename(folder.0.join("policy.new"), folder.0.join("policy.rulec")).expect("renamed");
        let began = Instant::now();
        loop {
            probe.send("GET /p5/ HTTP/1.1\r\nHost: a\r\n\r\n");
            if policy_of(&probe.answer(), 5, false) == *name {
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(10), "it does not come");
            thread::sleep(Duration::from_millis(1));
        }
        times.push(began.elapsed());
        // Before the gateway's own patience with idle connections, 75 s, is over.
        if asked.elapsed() > Duration::from_secs(30) {
            for client in &mut idle {
                still_there(client, name);
            }
            asked = Instant::now();
        }
    }
    done.store(true, Ordering::Relaxed);
    let answers: usize = busy.into_iter().map(|thread| thread.join().expect("no request fails")).sum();
    let last = artifacts[times.len() % 2].0;
    for client in &mut idle {
        still_there(client, last);
    }
    times.sort();
    let (middle, most) = (times[times.len() / 2], times[times.len() - 1]);
    println!("{reloads} reloads, {answers} requests meanwhile; live after {middle:?} in the middle, {most:?} at most");
    println!("{} connections to the upstream", upstream.connections());
    // A few more than clients: some are opened while others are on their way back.
    assert!(upstream.connections() <= 8, "a reload does not reconnect: {}", upstream.connections());
    assert_eq!(running.terminate().0, Some(0));
}

#[test]
fn a_request_in_flight_finishes_on_the_policy_that_decided_it() {
    let upstream = Upstream::start(|_, wire, seen| {
        while seen.read(wire).is_some() {
            wait_until(|| seen.released.load(Ordering::SeqCst));
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    let policy =
        |name: &str| upstream.rules(&format!("location / {{ set response header X-Policy {name}; proxy up; }}"));
    let gateway = Gateway::start(&policy("a"));
    let mut client = gateway.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    upstream.wait_for(1);
    let handle = gateway.handle.as_ref().expect("runs");
    let next = artifact(&policy("b"));
    handle.reload(|before| Policy::renew(next, &config(), before)).expect("reloads");
    upstream.seen.released.store(true, Ordering::SeqCst);
    assert_eq!(client.answer().header("x-policy"), Some("a"));
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.answer().header("x-policy"), Some("b"));
    assert_eq!(upstream.connections(), 1, "the upstream is the same: so is the connection");
}

#[test]
fn an_upstream_that_changed_is_connected_to_anew() {
    let upstream = Upstream::echo();
    let rules = upstream.rules("location / { proxy up; }");
    let gateway = Gateway::start(&rules);
    let mut client = gateway.client();
    let mut ask = |gateway: &Gateway, rules: &str, connections| {
        let next = artifact(rules);
        let handle = gateway.handle.as_ref().expect("runs");
        handle.reload(|before| Policy::renew(next, &config(), before)).expect("reloads");
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(client.answer().status, 200);
        assert_eq!(upstream.connections(), connections);
    };
    ask(&gateway, &rules, 1);
    ask(&gateway, &format!("{rules}\nservice more {{ server_name more.test; }}"), 1);
    ask(&gateway, &rules.replace("server 127", "host other; server 127"), 2);
}

#[test]
fn what_is_wrong_is_refused_and_told_and_the_policy_before_serves() {
    let mut config = config();
    config.admin = Some(Address::Tcp("127.0.0.1:0".parse().expect("address")));
    let ok = "service all default { location / { return 200 ok; } }";
    let gateway = Gateway::with(ok, &config);
    let handle = gateway.handle.as_ref().expect("runs");
    let good = artifact(ok);
    let mut damaged = good.clone();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    let external = artifact("upstream up external; service all default { location / { proxy up; } }");
    let untrue = artifact(&format!("{ok} test \"untrue\" {{ GET http://a/ -> 404; }}"));
    for (octets, words) in [(damaged, "the artifact is refused"), (external, "external"), (untrue, "`untrue`")] {
        let error = handle.reload(|before| Policy::renew(octets, &config, before)).expect_err("refused");
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(gateway.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").text(), "ok");
        let status = admin(handle, "/status");
        assert_eq!((&status["last_reload"]["ok"], &status["generation"]), (&false.into(), &1.into()), "{status}");
        assert!(status["last_reload"]["error"].as_str().is_some_and(|error| error.contains(words)), "{status}");
    }
    handle.reload(|before| Policy::renew(good, &config, before)).expect("reloads");
    let status = admin(handle, "/status");
    assert_eq!((&status["reloads"], &status["reload_failures"]), (&1.into(), &3.into()));
    assert_eq!((&status["last_reload"]["ok"], &status["generation"]), (&true.into(), &2.into()));
    assert_eq!(status["last_reload"]["hash"], status["policy"]);
}

#[test]
fn a_key_that_is_withdrawn_stops_working() {
    let folder = Folder::new("withdrawn");
    let rules = "plans p { credential key from header X-Key; plan a; }
        service all default { plans p; location / { plan a { return 200 a; } return 403 nobody; } }";
    let policy = folder.write("policy.rulec", artifact(rules));
    folder.write("secret", "0123456789abcdef\n");
    let secret = rulec::proxy::keys::HashKey::read(&folder.0.join("secret")).expect("secret");
    let keys = folder.0.join("p.keys");
    let key = rulec::proxy::keys::add(&keys, &secret, "a", Some("mobile")).expect("a key");
    let text = "[listener.default]\naddress = \"127.0.0.1:0\"\n[plans.p]\nkeys = \"p.keys\"\nhash_key = { file = \"secret\" }\n";
    let config = folder.write("proxy.toml", text);
    let running = Running::start(&[&policy, "--config", &config]);
    let mut client = Client::connect(running.address);
    let mut status = || {
        client.send(format!("GET / HTTP/1.1\r\nHost: a\r\nX-Key: {key}\r\n\r\n"));
        client.answer().status
    };
    assert_eq!(status(), 200);
    folder.write("p.keys", "# none\n");
    let began = Instant::now();
    while status() != 403 {
        assert!(began.elapsed() < Duration::from_secs(10), "the key still works");
    }
    // A mistake keeps what was; once it is put right that counts.
    folder.write("p.keys", "nonsense\n");
    let told = running.wait_for_message("p.keys:1");
    assert!(told.contains("the policy before goes on serving"), "{told}");
    assert_eq!(status(), 403);
    rulec::proxy::keys::add(&folder.0.join("q.keys"), &secret, "a", None).expect("a key");
    std::fs::rename(folder.0.join("q.keys"), keys).expect("renamed");
    running.wait_for_message("a new policy serves");
    assert_eq!((status(), running.terminate().0), (403, Some(0)));
}

#[test]
fn sighup_reads_everything_again() {
    let folder = Folder::new("sighup");
    let policy = folder.write("policy.rulec", artifact("service all default { location / { return 200 ok; } }"));
    let running = Running::start(&[&policy, "--listen", "127.0.0.1:0", "--access-log", "off"]);
    running.signal("HUP");
    running.wait_for_message("a new policy serves");
    assert_eq!(running.terminate().0, Some(0));
}

#[test]
fn a_second_signal_ends_at_once() {
    let folder = Folder::new("second");
    let asked = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&asked);
    let upstream = Upstream::start(move |_, wire, reader| {
        if reader.read(wire).is_some() {
            seen.fetch_add(1, Ordering::SeqCst);
            thread::sleep(Duration::from_secs(60));
        }
    });
    let policy = folder.write("policy.rulec", artifact(&upstream.rules("location / { proxy up; }")));
    let running = Running::start(&[&policy, "--listen", "127.0.0.1:0", "--access-log", "off"]);
    let mut client = Client::connect(running.address);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    upstream.wait_for(1);
    let began = Instant::now();
    running.signal("TERM");
    running.wait_for_message("stopping");
    let (status, _, messages) = running.terminate();
    assert_eq!(status, Some(1), "{messages}");
    assert!(began.elapsed() < Duration::from_secs(10) && asked.load(Ordering::SeqCst) == 1);
}
