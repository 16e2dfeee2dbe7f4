//! Starting, replacing, stopping, and what is told about it.

use core::time::Duration;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Instant;

use rulec::proxy::{AccessLog, Address, Config, Listener, Policy, serve};

use super::harness::{Gateway, Upstream, artifact, config, wait_until};

fn slow() -> Upstream {
    Upstream::start(|_, wire, seen| {
        while seen.read(wire).is_some() {
            thread::sleep(Duration::from_millis(300));
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow");
        }
    })
}

#[test]
fn stopping_lets_requests_in_flight_finish() {
    let upstream = slow();
    let mut gateway = Gateway::start(&upstream.rules("location / { proxy up; }"));
    let mut idle = gateway.client();
    let mut busy = gateway.client();
    busy.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    upstream.wait_for(1);
    let handle = gateway.handle.take().expect("runs");
    let address = gateway.address;
    let began = Instant::now();
    let stopping = thread::spawn(move || handle.stop());
    let answer = busy.answer();
    assert_eq!((answer.text().as_str(), answer.header("connection")), ("slow", Some("close")));
    assert!(busy.is_closed() && idle.is_closed());
    stopping.join().expect("stops");
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(std::net::TcpStream::connect(address).is_err(), "nothing is accepted any more");
}

#[test]
fn stopping_does_not_wait_for_ever() {
    let upstream = Upstream::start(|_, wire, seen| {
        seen.read(wire);
        thread::sleep(Duration::from_secs(10));
    });
    let mut config = config();
    config.limits.stop_time_max = Duration::from_millis(300);
    let mut gateway = Gateway::with(&upstream.rules("location / { proxy up; }"), &config);
    let mut client = gateway.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    upstream.wait_for(1);
    let began = Instant::now();
    gateway.handle.take().expect("runs").stop();
    assert!(began.elapsed() < Duration::from_secs(3));
    assert!(client.is_closed());
}

#[test]
fn a_replaced_policy_decides_from_the_next_request_on() {
    let rules =
        |text: &str| format!("service all default {{ meter hits always; location / {{ return 200 {text}; }} }}");
    let gateway = Gateway::start(&rules("old"));
    let mut client = gateway.client();
    let mut ask = || {
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        client.answer().text()
    };
    assert_eq!(ask(), "old");
    let handle = gateway.handle.as_ref().expect("runs");
    handle.replace(Policy::new(artifact(&rules("new")), &config()).expect("policy"));
    assert_eq!(ask(), "new");
    assert_eq!(handle.meters().get("hits"), Some(&2));
}

#[test]
fn r_10_close_sends_no_octet() {
    let gateway = Gateway::start("service all default { location / { return 444; } }");
    let mut client = gateway.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.rest(), b"");
    assert_eq!(gateway.stop()[0]["outcome"], "close");
}

#[test]
fn slow_heads_and_idle_connections_end() {
    let mut config = config();
    config.limits.head_time_max = Duration::from_millis(300);
    config.limits.client_idle_max = Duration::from_millis(600);
    let gateway = Gateway::with("service all default { location / { return 200 ok; } }", &config);
    let mut slow = gateway.client();
    slow.send("GET / HTTP/1.1\r\nHost:");
    let answer = slow.answer();
    assert_eq!((answer.status, answer.code().as_str()), (408, "request.head_timeout"));
    assert!(slow.is_closed());
    let began = Instant::now();
    let mut idle = gateway.client();
    idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(idle.answer().text(), "ok");
    assert!(idle.is_closed());
    assert!(began.elapsed() >= Duration::from_millis(500) && began.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_long_answer_is_not_idle() {
    let upstream = slow();
    let mut config = config();
    config.limits.client_idle_max = Duration::from_millis(100);
    config.limits.head_time_max = Duration::from_millis(100);
    let gateway = Gateway::with(&upstream.rules("location / { proxy up; }"), &config);
    assert_eq!(gateway.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").text(), "slow");
}

#[test]
fn a_client_that_leaves_ends_its_exchange() {
    let upstream = Upstream::start(|_, wire, seen| {
        seen.read(wire);
        // Ends when the gateway lets go.
        seen.read(wire);
        seen.released.store(true, core::sync::atomic::Ordering::SeqCst);
    });
    let gateway = Gateway::start(&upstream.rules("location / { proxy up; }"));
    let mut client = gateway.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    upstream.wait_for(1);
    drop(client);
    wait_until(|| upstream.seen.released.load(core::sync::atomic::Ordering::SeqCst));
    let log = gateway.stop();
    assert_eq!((&log[0]["outcome"], &log[0]["upstream"]), (&"aborted".into(), &"up".into()));
}

#[test]
fn unix_sockets_listen_and_tell() {
    let folder = std::env::temp_dir().join(format!("rulec-unix-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("folder");
    let (public, admin) = (folder.join("public.sock"), folder.join("admin.sock"));
    let mut config = Config::default();
    config.threads = 2;
    config.listeners = vec![Listener::new("public", Address::Unix(public.clone()))];
    config.admin = Some(Address::Unix(admin.clone()));
    let rules = "service all default { listen public; meter hits always; location / { return 200 $remote_addr; } }";
    let policy = Policy::new(artifact(rules), &config).expect("policy");
    let handle = serve(policy, &config, AccessLog::Off).expect("serves");
    let ask = |path: &std::path::Path, target: &str| {
        let mut stream = UnixStream::connect(path).expect("connects");
        stream
            .write_all(format!("GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").as_bytes())
            .expect("sent");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("answer");
        text
    };
    assert!(ask(&public, "/").ends_with("127.0.0.1"));
    assert!(ask(&admin, "/livez").starts_with("HTTP/1.1 200") && ask(&admin, "/readyz").starts_with("HTTP/1.1 200"));
    let status = ask(&admin, "/status");
    let status: serde_json::Value =
        serde_json::from_str(status.split_once("\r\n\r\n").expect("a body").1).expect("JSON");
    assert_eq!(
        (&status["meters"]["hits"], &status["requests"], &status["outcomes"]["respond"]),
        (&1.into(), &1.into(), &1.into())
    );
    handle.stop();
    assert!(!public.exists() && !admin.exists());
    std::fs::remove_dir_all(&folder).expect("removed");
}

#[test]
fn every_core_serves() {
    let mut config = config();
    config.threads = 4;
    let gateway = Gateway::with("service all default { location / { return 200 ok; } }", &config);
    for _ in 0..40 {
        assert_eq!(gateway.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").text(), "ok");
    }
    assert_eq!(gateway.stop().len(), 40);
}

#[test]
fn a_port_that_is_taken_is_told() {
    let gateway = Gateway::start("service all default { location / { return 200 ok; } }");
    let taken = Config::listen(Address::Tcp(gateway.address));
    let policy =
        Policy::new(artifact("service all default { location / { return 200 ok; } }"), &taken).expect("policy");
    let error = serve(policy, &taken, AccessLog::Writer(Box::new(std::io::sink()))).expect_err("taken");
    assert!(error.to_string().contains(&gateway.address.to_string()), "{error}");
}

#[test]
fn a_line_says_which_rule_decided() {
    let upstream = Upstream::echo();
    let gateway = Gateway::start(&upstream.rules("location ^~ /s3/ as media { proxy up strip /s3; }"));
    gateway.ask("GET /s3/a%2Fb?x=1 HTTP/1.1\r\nHost: a\r\n\r\n");
    let log = gateway.stop();
    let line = &log[0];
    for (field, value) in [
        ("service", "all"),
        ("location", "^~ /s3/"),
        ("name", "media"),
        ("outcome", "proxy"),
        ("upstream", "up"),
        ("method", "GET"),
        ("target", "/s3/a%2Fb?x=1"),
        ("listener", "default"),
    ] {
        assert_eq!(line[field], value, "{line}");
    }
    assert!(line["place"].as_str().is_some_and(|place| place.starts_with("test.rules:")), "{line}");
    assert_eq!((&line["status"], &line["code"]), (&200.into(), &serde_json::Value::Null));
}

#[test]
fn what_is_missing_is_told_all_at_once() {
    let rules = "upstream one external; upstream two external;
        plans keys { credential key from header X-Key; plan a; }
        service all default { listen public; plans keys; location / { plan a { proxy one; } proxy two; } }";
    let error = Policy::new(artifact(rules), &config()).expect_err("incomplete");
    let text = error.to_string();
    for name in ["`one`", "`two`", "`keys`", "`public`"] {
        assert!(text.contains(name), "{name}: {text}");
    }
}

#[test]
fn a_damaged_artifact_is_refused() {
    let whole = artifact("service all default { location / { return 200 ok; } }");
    for at in (0..whole.len()).step_by(97) {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        assert!(Policy::new(damaged, &config()).is_err(), "{at}");
    }
    assert!(Policy::new(Vec::new(), &config()).is_err());
}
