//! What this machine lacks: descriptors and ports. Servers are not charged with it, and who is connected is served.

use core::net::SocketAddr;
use core::sync::atomic::Ordering;
use core::time::Duration;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use super::harness::{Client, PATIENCE, Upstream, artifact, wait_until};
use super::http2::peers;
use super::names::{NameServer, Says};
use super::process::{Folder, Running};

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// `/metrics` of the gateway whose admin address is this socket.
fn metrics(admin: &str) -> String {
    let mut socket = UnixStream::connect(admin).expect("connects");
    socket.set_read_timeout(Some(PATIENCE)).expect("timeout");
    socket.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").expect("asked");
    let mut page = String::new();
    socket.read_to_string(&mut page).expect("a page");
    page
}

/// The value of a sample.
fn sample(page: &str, name: &str) -> u64 {
    let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in {page}"))
}

/// Ticks of a core that a process has used.
fn ticks(id: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).expect("a process");
    let (_, fields) = stat.rsplit_once(')').expect("its name");
    fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
}

/// A client that is answered, or not: others may have taken its place.
fn asks(address: SocketAddr) -> (TcpStream, Option<u16>) {
    let mut stream = TcpStream::connect(address).expect("connects");
    stream.set_read_timeout(Some(Duration::from_millis(300))).expect("timeout");
    stream.write_all(GET.as_bytes()).expect("sent");
    let mut octets = [0; 4096];
    let read = stream.read(&mut octets).unwrap_or(0);
    let status = String::from_utf8_lossy(&octets[..read]).split(' ').nth(1).and_then(|status| status.parse().ok());
    (stream, status)
}

#[test]
fn clients_leave_descriptors_to_upstreams() {
    for keepalive in ["", "keepalive 0;"] {
        let folder = Folder::new("kept");
        let upstream = Upstream::start(|_, wire, seen| {
            while seen.read(wire).is_some() {
                wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            }
        });
        let rules = format!(
            "upstream up {{ server 127.0.0.1:{}; {keepalive} }} service all default {{ location / {{ proxy up; }} }}",
            upstream.port
        );
        let policy = folder.write("policy.rulec", artifact(&rules));
        let admin = folder.0.join("admin").to_string_lossy().into_owned();
        let place = format!("unix:{admin}");
        let arguments =
            [&policy, "--listen", "127.0.0.1:0", "--access-log", "off", "--threads", "1", "--admin", &place];
        let running = Running::start_with_descriptors(64, &arguments);
        let began = Instant::now();
        let mut crowd: Vec<_> = (0..30).map(|_| asks(running.address)).collect();
        // They wait in the kernel's queue.
        crowd.extend((0..170).map(|_| (TcpStream::connect(running.address).expect("connects"), None)));
        let statuses: Vec<u16> = crowd.iter().filter_map(|(_, status)| *status).collect();
        assert!(statuses.len() >= 8 && statuses.iter().all(|status| *status == 200), "{statuses:?}");
        running.wait_for_message("nothing more is accepted");
        let page = metrics(&admin);
        assert_eq!((sample(&page, "rulec_accept_stopped"), sample(&page, "rulec_accept_stops_total")), (1, 1));
        // Who is there is served on, at the upstream, all of them at once.
        let served: Vec<_> = crowd.iter().filter(|(_, status)| status.is_some()).map(|(stream, _)| stream).collect();
        for _ in 0..3 {
            for mut stream in served.iter().copied() {
                stream.write_all(GET.as_bytes()).expect("sent");
            }
            for stream in &served {
                stream.set_read_timeout(Some(PATIENCE)).expect("timeout");
                let mut client = Client::over(stream.try_clone().expect("a clone"));
                assert_eq!(client.answer().status, 200);
            }
        }
        assert!(ticks(running.id()) * 10 < u64::try_from(began.elapsed().as_millis()).expect("short"), "it spins");
        drop(crowd);
        let mut late = Client::connect(running.address);
        late.send(GET);
        assert_eq!(late.answer().status, 200);
        running.wait_for_message("connections are accepted again");
        let (status, _, messages) = running.terminate();
        assert_eq!(status, Some(0));
        assert_eq!(messages.matches("nothing more is accepted").count(), 1, "{messages}");
        assert!(!messages.contains("taken out"), "{messages}");
    }
}

/// With fewer cores than it was told to have, those who are sent to the others would wait for ever.
#[test]
fn without_descriptors_for_every_core_it_does_not_start() {
    let folder = Folder::new("few");
    let policy = folder.write("policy.rulec", artifact("service all default { location / { return 204; } }"));
    let start = |descriptors: usize| {
        let line = format!("ulimit -n {descriptors}; exec timeout 2 \"$0\" \"$@\"");
        let mut command = Command::new("sh");
        command.args([
            "-c",
            &line,
            env!("CARGO_BIN_EXE_rulec-proxy"),
            &policy,
            "--listen",
            "127.0.0.1:0",
            "--threads",
            "4",
        ]);
        command.output().expect("starts")
    };
    let mut begun = 0;
    for descriptors in 8..48 {
        let output = start(descriptors);
        let said = String::from_utf8_lossy(&output.stderr);
        if said.contains("listening on") {
            begun += 1;
            // What says so serves, until it is told to end.
            assert!(matches!(output.status.code(), Some(0 | 124)), "{descriptors}: {:?} {said}", output.status);
            if begun > 2 {
                return;
            }
        } else {
            assert!(output.status.code().is_some_and(|code| code != 124), "{descriptors}: it hangs: {said}");
            assert!(said.contains("Too many open files") || said.contains("error"), "{descriptors}: {said}");
            assert!(!said.contains("is accepted"), "{descriptors}: {said}");
        }
    }
    panic!("it never begins");
}

/// Every descriptor is taken at the same time: by as many clients as are let in, and as many connections to upstreams.
#[test]
fn clients_that_ask_all_at_once_are_served_once_they_are_let_in() {
    for (descriptors, threads) in [(64, "2"), (60, "1"), (96, "4")] {
        let folder = Folder::new("burst");
        let upstream = Upstream::start(|_, wire, seen| {
            while seen.read(wire).is_some() {
                thread::sleep(Duration::from_millis(200));
                wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            }
        });
        let rules = format!(
            "upstream up {{ server 127.0.0.1:{0}; server 127.0.0.1:{0} backup; keepalive 0; }}
             service all default {{ location / {{ proxy up; }} }}",
            upstream.port
        );
        let policy = folder.write("policy.rulec", artifact(&rules));
        let arguments = [&policy, "--listen", "127.0.0.1:0", "--access-log", "off", "--threads", threads];
        let running = Running::start_with_descriptors(descriptors, &arguments);
        let mut crowd: Vec<_> = (0..200).map(|_| TcpStream::connect(running.address).expect("connects")).collect();
        for mut stream in &crowd {
            stream.write_all(GET.as_bytes()).expect("sent");
        }
        running.wait_for_message("nothing more is accepted");
        // Who was answered leaves, and makes room for others.
        let began = Instant::now();
        while !crowd.is_empty() {
            let statuses = statuses_that_came(&mut crowd);
            assert!(statuses.iter().all(|status| status == "HTTP/1.1 200"), "{descriptors} {threads}: {statuses:?}");
            assert!(began.elapsed() < 3 * PATIENCE, "{descriptors} {threads}: {} are never served", crowd.len());
        }
        let mut late = Client::connect(running.address);
        late.send(GET);
        assert_eq!(late.answer().status, 200);
        assert_eq!(running.terminate().0, Some(0));
    }
}

/// The status lines that have come; their connections are closed.
fn statuses_that_came(waiting: &mut Vec<TcpStream>) -> Vec<String> {
    let mut statuses = Vec::new();
    waiting.retain_mut(|stream| {
        stream.set_read_timeout(Some(Duration::from_millis(1))).expect("timeout");
        let mut octets = [0; 12];
        let came = stream.read_exact(&mut octets).is_ok();
        statuses.extend(came.then(|| String::from_utf8_lossy(&octets).into_owned()));
        !came
    });
    statuses
}

/// Holds each request until it is released.
fn holder() -> Upstream {
    Upstream::start(|_, wire, seen| {
        while seen.read(wire).is_some() {
            wait_until(|| seen.released.load(Ordering::SeqCst));
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    })
}

type Held = Vec<tokio::task::JoinHandle<peers::Answer>>;

/// Requests that hold so many connections to upstreams that no descriptor is left: HTTP/2 has many on one connection.
async fn exhaust(client: &peers::Client) -> Held {
    let ask = || {
        let sender = peers::Client { sender: client.sender.clone() };
        tokio::spawn(async move { sender.ask(peers::get("/")).await.expect("an answer") })
    };
    let mut all: Held = (0..60).map(|_| ask()).collect();
    // Those that find no descriptor are answered, the others are held; a check may give one back meanwhile.
    let mut in_a_row = 0;
    while in_a_row < 5 {
        let mut one = ask();
        let answered = tokio::time::timeout(Duration::from_millis(200), &mut one).await;
        in_a_row = if answered.is_ok() { in_a_row + 1 } else { 0 };
        all.push(match answered {
            Ok(answer) => tokio::spawn(async { answer.expect("a client") }),
            Err(_) => one,
        });
    }
    all
}

/// What is asked while nothing is left: its path, and what the answer's text has to hold.
const LACKING: [(&str, &str); 4] = [
    ("/named", "gateway.out_of_descriptors"),
    ("/checked", "gateway.out_of_descriptors"),
    ("/two", "gateway.out_of_descriptors"),
    ("/paged", "sorry"),
];

#[test]
fn without_descriptors_no_server_is_charged_or_asked_instead() {
    let folder = Folder::new("emfile");
    let servers = [holder(), holder()];
    let healthy = Upstream::fixed("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    let two = peers::Server::echo();
    let names = NameServer::start(Says::Addresses(vec![[127, 0, 0, 1].into()], 60));
    let rules = format!(
        "upstream a {{ server 127.0.0.1:{0}; server 127.0.0.1:{1}; keepalive 0; fail_timeout 60s; retries 3; }}
         upstream named {{ server app.test:{2}; server app.test:{2} backup; keepalive 0; fail_timeout 60s; }}
         upstream checked {{ server 127.0.0.1:{2}; keepalive 0; health / interval=100ms timeout=1s rise=1 fall=1; }}
         upstream two {{ server 127.0.0.1:{3}; server 127.0.0.1:{3} backup; protocol http2; fail_timeout 60s; }}
         service all default {{
            location /named {{ proxy named; }} location /checked {{ proxy checked; }} location /two {{ proxy two; }}
            location /paged {{ error_page 503 /sorry; proxy checked; }} location = /sorry {{ return 200 sorry; }}
            location / {{ proxy a; }}
         }}",
        servers[0].port, servers[1].port, healthy.port, two.port
    );
    let policy = folder.write("policy.rulec", artifact(&rules));
    let admin = folder.0.join("admin").to_string_lossy().into_owned();
    let text = format!(
        "[listener.a]\naddress = \"127.0.0.1:0\"\nhttp2 = \"prior_knowledge\"\n[admin]\naddress = \"unix:{admin}\"\n\
         [dns]\nservers = [\"{}\"]\n",
        names.address
    );
    let config = folder.write("proxy.toml", text);
    let running = Running::start_with_descriptors(48, &[&policy, "--config", &config, "--threads", "1"]);
    let statuses = peers::run(async {
        let client = peers::Client::connect(running.address).await;
        let all = exhaust(&client).await;
        for (path, expected) in LACKING {
            let answer = client.ask(peers::get(path)).await.expect("an answer");
            assert!(answer.status == 503 && answer.text().contains(expected), "{path}: {}", answer.text());
        }
        // Some checks find none either.
        tokio::time::sleep(Duration::from_millis(350)).await;
        for server in &servers {
            server.seen.released.store(true, Ordering::SeqCst);
        }
        let mut statuses = Vec::new();
        for one in all {
            statuses.push(one.await.expect("a client").status);
        }
        // At once, and at every server.
        for path in ["/named", "/checked", "/two", "/", "/", "/"] {
            let answer = client.ask(peers::get(path)).await.expect("an answer");
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        }
        statuses
    });
    let lacking = statuses.iter().filter(|status| **status == 503).count();
    assert!(lacking >= 20 && statuses.iter().all(|status| [200, 503].contains(status)), "{statuses:?}");
    let page = metrics(&admin);
    let counted = sample(&page, "rulec_shortages_total{what=\"descriptors\"}");
    assert!(counted >= (lacking + LACKING.len()) as u64 && !page.contains("code=\"upstream."), "{page}");
    check_said(running, lacking + LACKING.len());
}

/// Each of so many requests has its line, and the operator one for all.
fn check_said(running: Running, requests: usize) {
    let (_, log, messages) = running.terminate();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("\"gateway.out_of_descriptors\"")).collect();
    for line in &lines {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert!(line["detail"].as_str().expect("a detail").contains("Too many open files"), "{line:#}");
        assert_eq!(line["failure"]["attempts"].as_array().map(Vec::len), Some(1), "{line:#}");
    }
    assert_eq!(lines.len(), requests);
    assert_eq!(messages.matches("out of file descriptors").count(), 1, "{messages}");
    assert!(messages.contains("os error 24") && !messages.contains("taken out"), "{messages}");
    assert!(!messages.contains("is not resolved"), "{messages}");
}

/// In a network of its own with twenty ports, reached through a socket in the file system. It is its own upstream.
#[test]
fn without_local_ports_no_server_is_charged_or_asked_instead() {
    let folder = Folder::new("ports");
    let rules = "upstream a { server 127.0.0.1:9001; server 127.0.0.1:9002; host a; keepalive 0; fail_timeout 60s; }
        service behind { server_name a; listen behind other; location / { return 200 ok; } }
        service front default { listen front; location / { proxy a; } }";
    let policy = folder.write("policy.rulec", artifact(rules));
    let (front, admin) = (folder.0.join("front"), folder.0.join("admin").to_string_lossy().into_owned());
    let text = format!(
        "[listener.behind]\naddress = \"127.0.0.1:9001\"\n[listener.other]\naddress = \"127.0.0.1:9002\"\n\
         [listener.front]\naddress = \"unix:{}\"\n[admin]\naddress = \"unix:{admin}\"\n",
        front.display()
    );
    let config = folder.write("proxy.toml", text);
    let alone = "ip link set lo up && echo 32768 32787 > /proc/sys/net/ipv4/ip_local_port_range && \
        echo 0 > /proc/sys/net/ipv4/tcp_tw_reuse && exec \"$0\" \"$@\"";
    let mut child = Command::new("unshare")
        .args(["--net", "--map-root-user", "sh", "-c", alone, env!("CARGO_BIN_EXE_rulec-proxy")])
        .args([&policy, "--config", &config, "--threads", "1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("unshare starts");
    wait_until(|| UnixStream::connect(&front).is_ok());
    let answers: Vec<_> = (0..60)
        .map(|_| {
            let socket = UnixStream::connect(&front).expect("connects");
            socket.set_read_timeout(Some(PATIENCE)).expect("timeout");
            let mut client = Client::over(socket);
            client.send(GET);
            client.answer()
        })
        .collect();
    let page = metrics(&admin);
    let ended = Command::new("kill").args(["-s", "TERM", &child.id().to_string()]).status().expect("kill");
    assert!(ended.success());
    let (mut log, mut messages) = (String::new(), String::new());
    child.stdout.take().expect("stdout").read_to_string(&mut log).expect("log");
    child.stderr.take().expect("stderr").read_to_string(&mut messages).expect("messages");
    child.wait().expect("ends");
    let good = answers.iter().filter(|answer| answer.status == 200).count();
    let lacking = answers.iter().filter(|answer| answer.code() == "gateway.out_of_ports").count();
    // Each server has the twenty ports for itself.
    assert!(good >= 20 && lacking >= 10 && good + lacking == 60, "{good} good, {lacking} without a port\n{messages}");
    assert_eq!(sample(&page, "rulec_shortages_total{what=\"ports\"}"), lacking as u64);
    assert_eq!(messages.matches("out of local ports").count(), 1, "{messages}");
    assert!(messages.contains("os error 99") && !messages.contains("taken out"), "{messages}");
    for line in log.lines().filter(|line| line.contains("out_of_ports")) {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(line["failure"]["attempts"].as_array().map(Vec::len), Some(1), "{line:#}");
    }
}

/// One that forbids is not one that lacks: another server is asked.
#[test]
fn an_address_that_may_not_be_connected_to_is_the_addresss_own_fault() {
    let good = Upstream::fixed("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    // A broadcast address: EACCES.
    let rules = format!(
        "upstream a {{ server 127.255.255.255:80; server 127.0.0.1:{}; host a; }} service all default {{ location / {{ proxy a; }} }}",
        good.port
    );
    let gateway = super::harness::Gateway::start(&rules);
    for _ in 0..4 {
        assert_eq!(gateway.ask(GET).status, 200);
    }
}
