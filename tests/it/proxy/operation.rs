//! What whoever runs it sees: metrics, the access log, readiness; and what the machine may run out of.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Instant;

use rulec::proxy::{Address, Config, Policy, parse_address, serve};

use super::harness::{Client, Gateway, Upstream, admin, admin_text, artifact, config, wait_until};
use super::process::{Folder, Running};

fn with_admin() -> Config {
    let mut config = config();
    config.admin = Some(Address::Tcp("127.0.0.1:0".parse().expect("address")));
    config
}

/// The samples of a page in Prometheus' text format, each with its value; anything else in it fails.
fn samples(page: &str) -> BTreeMap<String, f64> {
    let mut kinds: BTreeMap<String, String> = BTreeMap::new();
    let mut helped = BTreeSet::new();
    let mut samples = BTreeMap::new();
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            helped.insert(rest.split(' ').next().expect("a name").to_owned());
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a kind");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert!(helped.contains(name) && kinds.insert(name.to_owned(), kind.to_owned()).is_none(), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
        } else {
            let (sample, value) = line.rsplit_once(' ').expect("a value");
            let name = sample.split('{').next().expect("a name");
            let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
            assert!(kinds.contains_key(family) || kinds.contains_key(name), "{line}");
            let before = samples.insert(sample.to_owned(), value.parse().expect("a number"));
            assert_eq!(before, None, "{line}");
        }
    }
    samples
}

#[test]
fn metrics_say_what_came_of_which_request() {
    let upstream = Upstream::echo();
    let rules = upstream.rules(
        "location / { proxy up; } location /m/ { methods GET; return 200 ok; } location ~ \"^/q\\\"\" { return 204; }",
    );
    let rules = format!(
        "{rules} upstream dead {{ server 127.0.0.1:1; }} service dead {{ server_name d; location / {{ proxy dead; }} }}"
    );
    let gateway = Gateway::with(&rules, &with_admin());
    let mut client = gateway.client();
    for request in ["GET /", "GET /a", "GET /m/", "DELETE /m/"] {
        client.send(format!("{request} HTTP/1.1\r\nHost: a\r\n\r\n"));
        client.answer();
    }
    assert_eq!(gateway.ask("GET / HTTP/1.1\r\nHost: d\r\n\r\n").status, 502);
    let handle = gateway.handle.as_ref().expect("runs");
    // A line is written, and counted, with the end of the answer, which the client may have before.
    wait_until(|| admin(handle, "/status")["requests"] == 5);
    let page = admin_text(handle, "/metrics");
    let found = samples(&page);
    for (sample, value) in [
        ("rulec_requests_total{service=\"all\",location=\"/\",upstream=\"up\",code=\"\",status=\"2xx\"}", 2.0),
        ("rulec_requests_total{service=\"all\",location=\"/m/\",upstream=\"\",code=\"\",status=\"2xx\"}", 1.0),
        (
            "rulec_requests_total{service=\"all\",location=\"/m/\",upstream=\"\",code=\"request.method_not_allowed\",status=\"4xx\"}",
            1.0,
        ),
        ("rulec_outcomes_total{outcome=\"proxy\"}", 2.0),
        ("rulec_outcomes_total{outcome=\"fail\"}", 1.0),
        ("rulec_request_duration_seconds_count{service=\"all\"}", 4.0),
        ("rulec_request_duration_seconds_bucket{service=\"all\",le=\"+Inf\"}", 4.0),
        ("rulec_upstream_answer_seconds_count{upstream=\"up\"}", 2.0),
        ("rulec_upstream_connections_total{upstream=\"up\"}", 1.0),
        ("rulec_upstream_reuses_total{upstream=\"up\"}", 1.0),
        ("rulec_upstream_idle_connections{upstream=\"up\"}", 1.0),
        ("rulec_requests_in_flight", 0.0),
        ("rulec_client_connections_total", 2.0),
        ("rulec_policy_generation", 1.0),
        ("rulec_reload_ok", 1.0),
        ("rulec_log_lines_dropped_total", 0.0),
    ] {
        assert_eq!(found.get(sample), Some(&value), "{sample}\n{page}");
    }
    let dead = |sample: &&String| {
        sample.starts_with("rulec_upstream_failures_total{upstream=\"dead\",code=\"upstream.connect")
    };
    assert_eq!(found.keys().filter(dead).count(), 1, "{page}");
    check_with_promtool(&page);
}

/// Prometheus' own word on it, where this machine has it.
fn check_with_promtool(page: &str) {
    let check =
        Command::new("promtool").args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut check) = check else { return };
    check.stdin.take().expect("stdin").write_all(page.as_bytes()).expect("written");
    let output = check.wait_with_output().expect("ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_file_of_lines_is_opened_again_where_it_was_moved_away() {
    let folder = Folder::new("logrotate");
    let policy = folder.write("policy.rulec", artifact("service all default { location / { return 200 ok; } }"));
    let text =
        "[listener.default]\naddress = \"127.0.0.1:0\"\n[log]\naccess = \"file:access.log\"\nformat = \"combined\"\n";
    let config = folder.write("proxy.toml", text);
    let running = Running::start(&[&policy, "--config", &config, "--threads", "1"]);
    let (log, moved) = (folder.0.join("access.log"), folder.0.join("access.log.1"));
    let mut client = Client::connect(running.address);
    let mut ask = |path: &str| {
        client.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\nUser-Agent: t \"1\"\r\n\r\n"));
        assert_eq!(client.answer().text(), "ok");
    };
    let lines = |path| fs::read_to_string(path).unwrap_or_default();
    ask("/one");
    wait_until(|| lines(&log).ends_with('\n'));
    fs::rename(&log, &moved).expect("renamed");
    running.signal("USR1");
    wait_until(|| log.exists());
    ask("/two");
    wait_until(|| lines(&log).ends_with('\n'));
    let (before, after) = (lines(&moved), lines(&log));
    assert!(
        before.starts_with("127.0.0.1 - - [")
            && before.contains("] \"GET /one HTTP/1.1\" 200 2 \"-\" \"t \\x221\\x22\"\n")
    );
    assert!(after.contains("GET /two") && !after.contains("/one") && !before.contains("/two"), "{before}{after}");
    assert_eq!(running.terminate().0, Some(0));
}

#[test]
fn a_full_disk_costs_lines_and_nothing_else() {
    let folder = Folder::new("full");
    let policy = folder.write("policy.rulec", artifact("service all default { location / { return 200 ok; } }"));
    let admin = folder.0.join("admin.sock");
    let place = format!("unix:{}", admin.display());
    let arguments = [&policy, "--listen", "127.0.0.1:0", "--access-log", "file:/dev/full", "--admin", &place];
    let running = Running::start(&arguments);
    let mut client = Client::connect(running.address);
    for _ in 0..50 {
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(client.answer().text(), "ok");
    }
    running.wait_for_message("lines are lost");
    wait_until(|| {
        let mut socket = std::os::unix::net::UnixStream::connect(&admin).expect("connects");
        socket.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").expect("asked");
        let mut page = String::new();
        std::io::Read::read_to_string(&mut socket, &mut page).expect("a page");
        page.contains("\nrulec_log_lines_dropped_total 50\n")
    });
    assert_eq!(running.terminate().0, Some(0));
}

#[test]
fn out_of_descriptors_those_who_are_there_are_served_and_others_later() {
    let folder = Folder::new("descriptors");
    let policy = folder.write("policy.rulec", artifact("service all default { location / { return 200 ok; } }"));
    let arguments = [&policy, "--listen", "127.0.0.1:0", "--access-log", "off", "--threads", "1"];
    let running = Running::start_with_descriptors(40, &arguments);
    let mut first = Client::connect(running.address);
    let mut ask = || {
        first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(first.answer().text(), "ok");
    };
    ask();
    let crowd: Vec<Client> = (0..80).map(|_| Client::connect(running.address)).collect();
    thread::sleep(Duration::from_millis(200));
    ask();
    drop(crowd);
    let mut late = Client::connect(running.address);
    late.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(late.answer().text(), "ok");
    assert_eq!(running.terminate().0, Some(0));
}

#[test]
fn the_admin_address_is_for_this_machine_unless_there_is_a_token() {
    let rules = artifact("service all default { location / { return 200 ok; } }");
    let mut open = config();
    open.admin = Some(parse_address("0.0.0.0:0").expect("address"));
    let policy = Policy::new(rules.clone(), &open).expect("policy");
    let error = serve(policy, &open, rulec::proxy::AccessLog::Off).expect_err("refused");
    assert!(error.to_string().contains("`token`"), "{error}");
    let folder = Folder::new("token");
    folder.write("token", "letmein-letmein\n");
    let path = folder.0.join("proxy.toml");
    let text = "[listener.default]\naddress = \"127.0.0.1:0\"\n[admin]\naddress = \"0.0.0.0:0\"\n";
    let problems = Config::parse(text, &path).expect_err("refused");
    assert!(problems[0].contains("proxy.toml:4:11") && problems[0].contains("`token`"), "{problems:?}");
    let mut config = Config::parse(&format!("{text}token = {{ file = \"token\" }}\n"), &path).expect("read");
    config.threads = 1;
    let handle =
        serve(Policy::new(rules, &config).expect("policy"), &config, rulec::proxy::AccessLog::Off).expect("serves");
    let Some(Address::Tcp(address)) = handle.admin() else { panic!("no admin") };
    let port = address.port();
    let status = |path: &str, line: &str| {
        let mut client = Client::connect(([127, 0, 0, 1], port).into());
        client.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n{line}\r\n"));
        client.answer().status
    };
    assert_eq!((status("/livez", ""), status("/readyz", "")), (200, 200));
    assert_eq!((status("/metrics", ""), status("/status", "Authorization: Bearer no\r\n")), (401, 401));
    assert_eq!(status("/metrics", "Authorization: Bearer letmein-letmein\r\n"), 200);
}

#[test]
fn while_it_drains_it_is_alive_and_not_ready() {
    let upstream = Upstream::start(|_, wire, seen| {
        if seen.read(wire).is_some() {
            wait_until(|| seen.released.load(Ordering::SeqCst));
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    let folder = Folder::new("drains");
    let policy = folder.write("policy.rulec", artifact(&upstream.rules("location / { proxy up; }")));
    let socket = folder.0.join("admin.sock");
    let place = format!("unix:{}", socket.display());
    let running = Running::start(&[&policy, "--listen", "127.0.0.1:0", "--access-log", "off", "--admin", &place]);
    let ask = |path: &str| {
        let mut stream = std::os::unix::net::UnixStream::connect(&socket).expect("connects");
        stream
            .write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").as_bytes())
            .expect("asked");
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut stream, &mut answer).expect("an answer");
        answer.split(' ').nth(1).expect("a status").to_owned()
    };
    assert_eq!(ask("/readyz"), "200");
    let mut client = Client::connect(running.address);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    upstream.wait_for(1);
    running.signal("TERM");
    running.wait_for_message("stopping");
    wait_until(|| ask("/readyz") == "503");
    assert_eq!(ask("/livez"), "200");
    let began = Instant::now();
    upstream.seen.released.store(true, Ordering::SeqCst);
    let answer = client.answer();
    assert_eq!((answer.text().as_str(), answer.header("connection")), ("ok", Some("close")));
    running.wait_for_message("stopped");
    assert!(began.elapsed() < Duration::from_secs(10));
}
