//! TLS towards clients: certificates by name and their renewal, clients' certificates, sessions, floods.

use core::time::Duration;
use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::Arc;

use rulec::proxy::Config;
use rustls::HandshakeKind;

use super::harness::{Gateway, PATIENCE, Upstream, wait_until};
use super::identity::{Authority, TlsClient, handshake};

const ONE: &str = "tls = [{ certificate = \"a.pem\", key = \"a.key\" }]";

fn config(authority: &Authority, words: &str) -> Config {
    let text = format!("[listener.default]\naddress = \"127.0.0.1:0\"\n{words}\n[admin]\naddress = \"127.0.0.1:0\"\n");
    let mut config = Config::parse(&text, &authority.folder.join("proxy.toml")).expect("config");
    config.threads = 1;
    config
}

fn ask(stream: &mut TlsClient, head: &str) -> String {
    stream
        .write_all(format!("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n{head}\r\n").as_bytes())
        .expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("ends as TLS ends");
    String::from_utf8(answer).expect("text")
}

/// A counter of the door.
fn counter(gateway: &Gateway, name: &str) -> u64 {
    let handle = gateway.handle.as_ref().expect("runs");
    let Some(rulec::proxy::Address::Tcp(admin)) = handle.admin() else { panic!("no admin") };
    let mut stream = TcpStream::connect(admin).expect("connects");
    stream.write_all(b"GET /status HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("read");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    let status: serde_json::Value = serde_json::from_str(body).expect("JSON");
    status["doors"][name].as_u64().unwrap_or_else(|| panic!("no {name}: {status}"))
}

/// The names of the certificate that a client sees.
fn shown(stream: &TlsClient) -> Vec<u8> {
    stream.conn.peer_certificates().expect("certificates")[0].to_vec()
}

#[test]
fn the_certificate_is_for_the_name_that_was_asked_for() {
    let authority = Authority::new("sni");
    authority.write("a", &["a.test", "www.a.test"]);
    authority.write("b", &["*.b.test"]);
    authority.write("c", &["c.b.test"]);
    let pairs = "tls = [{ certificate = \"a.pem\", key = \"a.key\" }, { certificate = \"b.pem\", key = \"b.key\" },
                        { certificate = \"c.pem\", key = \"c.key\" }]";
    let gateway = Gateway::with("service all default { location / { return 200 fine; } }", &config(&authority, pairs));
    let client = Arc::new(authority.client_config());
    let see = |name: &str| handshake(gateway.address, name, &client).map(|stream| shown(&stream));
    // The client checks the name, so that a handshake done is the right certificate.
    let [a, www, x, c] = ["a.test", "www.a.test", "x.b.test", "c.b.test"].map(|name| see(name).expect(name));
    assert!(a == www && a != x && x != c);
    // The first is shown to those that ask for another, and they turn away.
    let error = see("other.test").expect_err("a wrong certificate");
    assert!(error.to_string().contains("a.test"), "{error}");
}

#[test]
fn answers_over_tls_are_https_and_have_hsts_and_those_in_clear_text_have_none() {
    let authority = Authority::new("hsts");
    authority.write("a", &["a.test"]);
    let upstream = Upstream::echo();
    let rules = format!(
        "upstream up {{ server 127.0.0.1:{}; }}
         service all default {{ hsts 1y; location / {{ proxy up; }} location = /no {{ return 404; }} }}",
        upstream.port
    );
    let mut config = config(&authority, &format!("{ONE}\ntrusted = [\"127.0.0.2\"]"));
    config.listeners.push(rulec::proxy::Listener::new("clear", config.listeners[0].address.clone()));
    config.listeners[1].trusted = vec!["127.0.0.1".parse().expect("network")];
    let gateway = Gateway::with(&rules, &config);
    let client = Arc::new(authority.client_config());
    let mut stream = handshake(gateway.address, "a.test", &client).expect("handshake");
    // Nobody said that this client may speak for others.
    let answer = ask(&mut stream, "X-Forwarded-Proto: http\r\n");
    assert!(answer.contains("Strict-Transport-Security: max-age=31536000\r\n"), "{answer}");
    assert!(answer.contains("X-Forwarded-Proto: https\r\n"), "{answer}");
    let rulec::proxy::Address::Tcp(clear) = gateway.handle.as_ref().expect("runs").addresses()[1].1 else { panic!() };
    let clear = |head: &str| {
        let mut client = super::harness::Client::connect(clear);
        client.send(format!("GET /no HTTP/1.1\r\nHost: a\r\n{head}\r\n"));
        client.answer().header("strict-transport-security").is_some()
    };
    assert!(!clear(""));
    assert!(!clear("X-Forwarded-Proto: http\r\n"));
    // A trusted hop that speaks TLS with the client: its answer goes out over TLS.
    assert!(clear("X-Forwarded-Proto: https\r\n"));
}

#[test]
fn renewed_certificates_serve_and_bad_ones_do_not() {
    let authority = Authority::new("renewal");
    authority.write("a", &["a.test"]);
    let gateway = Gateway::with("service all default { location / { return 200 fine; } }", &config(&authority, ONE));
    let client = Arc::new(authority.client_config());
    let see = || handshake(gateway.address, "a.test", &client).expect("handshake");
    let mut early = see();
    let first = shown(&early);
    authority.write("a", &["a.test"]);
    wait_until(|| shown(&see()) != first);
    let second = shown(&see());
    assert!(counter(&gateway, "certificate_reloads") >= 1);
    // Neither a key of another certificate nor nonsense takes the place of what serves.
    fs::write(authority.folder.join("a.key"), rcgen::KeyPair::generate().expect("key").serialize_pem())
        .expect("written");
    wait_until(|| counter(&gateway, "certificate_reload_failures") >= 1);
    assert_eq!(shown(&see()), second);
    fs::write(authority.folder.join("a.pem"), "nonsense").expect("written");
    wait_until(|| counter(&gateway, "certificate_reload_failures") >= 2);
    assert_eq!(shown(&see()), second);
    // A connection that was there before all this goes on.
    assert!(ask(&mut early, "").starts_with("HTTP/1.1 200"));
}

#[test]
fn sessions_are_resumed() {
    let authority = Authority::new("resumption");
    authority.write("a", &["a.test"]);
    let gateway = Gateway::with("service all default { location / { return 200 fine; } }", &config(&authority, ONE));
    let client = Arc::new(authority.client_config());
    let mut first = handshake(gateway.address, "a.test", &client).expect("handshake");
    assert_eq!(first.conn.handshake_kind(), Some(HandshakeKind::Full));
    // The gateway is done with the handshake, and has said nothing more: the ticket comes with the answer.
    wait_until(|| counter(&gateway, "handshakes") == 1);
    first.sock.set_nonblocking(true).expect("set");
    assert_eq!(first.sock.peek(&mut [0]).map_err(|error| error.kind()), Err(ErrorKind::WouldBlock));
    first.sock.set_nonblocking(false).expect("set");
    ask(&mut first, "");
    assert_eq!(first.conn.tls13_tickets_received(), 1);
    let second = handshake(gateway.address, "a.test", &client).expect("handshake");
    assert_eq!(second.conn.handshake_kind(), Some(HandshakeKind::Resumed));
    wait_until(|| counter(&gateway, "handshakes_resumed") == 1);
    assert_eq!(counter(&gateway, "handshakes"), 2);
}

#[test]
fn clients_without_a_certificate_of_the_authority_are_turned_away_where_one_is_required() {
    let (authority, stranger) = (Authority::new("mutual"), Authority::new("stranger"));
    authority.write("a", &["a.test"]);
    let upstream = Upstream::echo();
    let words = format!("{ONE}\nclient_certificates = {{ ca = \"ca.pem\" }}");
    let gateway = Gateway::with(&upstream.rules("location / { proxy up; }"), &config(&authority, &words));
    let (certified, certificate) = authority.certified_client_config();
    let mut stream = handshake(gateway.address, "a.test", &Arc::new(certified)).expect("handshake");
    let seen = ask(&mut stream, "Client-Cert: :c3Bvb2Y=:\r\nX-Client-Cert-Subject: me\r\n");
    let expect = format!("Client-Cert: :{}:\r\n", base64(&certificate));
    assert!(seen.contains(&expect) && !seen.contains("c3Bvb2Y") && !seen.contains("Subject"), "{expect}{seen}");
    for config in [authority.client_config(), authority.client_config_of(&stranger).0] {
        let mut stream = handshake(gateway.address, "a.test", &Arc::new(config)).expect("its half of the handshake");
        // With TLS 1.3 the client learns only with the first read that it was turned away.
        drop(stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert!(stream.read(&mut [0; 1]).is_err());
    }
    wait_until(|| counter(&gateway, "handshakes_failed") == 2);
    assert_eq!(upstream.seen.requests().len(), 1);
}

#[test]
fn a_client_certificate_that_is_not_required_may_be_missing_but_not_be_a_strangers() {
    let (authority, stranger) = (Authority::new("optional"), Authority::new("optional-stranger"));
    authority.write("a", &["a.test"]);
    let upstream = Upstream::echo();
    let words = format!("{ONE}\nclient_certificates = {{ ca = \"ca.pem\", required = false }}");
    let gateway = Gateway::with(&upstream.rules("location / { proxy up; }"), &config(&authority, &words));
    let mut stream = handshake(gateway.address, "a.test", &Arc::new(authority.client_config())).expect("handshake");
    let seen = ask(&mut stream, "Client-Cert: :c3Bvb2Y=:\r\n");
    assert!(seen.starts_with("HTTP/1.1 200") && !seen.contains("Client-Cert"), "{seen}");
    let config = Arc::new(authority.client_config_of(&stranger).0);
    let mut stream = handshake(gateway.address, "a.test", &config).expect("its half of the handshake");
    assert!(stream.read(&mut [0; 1]).is_err());
}

#[test]
fn handshakes_that_never_end_are_cut_and_keep_nobody_waiting() {
    let authority = Authority::new("stall");
    authority.write("a", &["a.test"]);
    let words = format!("{ONE}\ntimeout = {{ handshake = \"300ms\" }}");
    let gateway = Gateway::with("service all default { location / { return 200 fine; } }", &config(&authority, &words));
    let mut stalled: Vec<_> = (0..200).map(|_| TcpStream::connect(gateway.address).expect("connects")).collect();
    for (at, stream) in stalled.iter_mut().enumerate() {
        // A record that says it is long, and then nothing.
        stream.write_all(&[0x16, 3, 1, 0x20, 0, 1][..at % 7]).expect("sent");
    }
    let client = Arc::new(authority.client_config());
    let mut stream = handshake(gateway.address, "a.test", &client).expect("handshake");
    assert!(ask(&mut stream, "").starts_with("HTTP/1.1 200"));
    for stream in &mut stalled {
        stream.set_read_timeout(Some(PATIENCE)).expect("timeout");
        // An end or a reset: not more than an alert comes.
        assert!(stream.read(&mut [0; 64]).unwrap_or_default() < 64);
    }
    wait_until(|| counter(&gateway, "handshakes_timed_out") == 200);
}

#[test]
fn a_flood_of_handshakes_leaves_others_their_turn() {
    let authority = Authority::new("flood");
    authority.write("a", &["a.test"]);
    let gateway = Gateway::with("service all default { location / { return 200 fine; } }", &config(&authority, ONE));
    let client = Arc::new(authority.client_config());
    let mut stream = handshake(gateway.address, "a.test", &client).expect("handshake");
    let hello = hello(&client);
    // Each costs the gateway a signature and the flooder nothing.
    let flood: Vec<_> = (0..500)
        .map(|_| {
            let mut stream = TcpStream::connect(gateway.address).expect("connects");
            stream.write_all(&hello).expect("sent");
            stream
        })
        .collect();
    let began = std::time::Instant::now();
    assert!(ask(&mut stream, "").starts_with("HTTP/1.1 200"));
    // Behind all of them it would wait for 500 signatures of a core that is shared with other tests.
    assert!(began.elapsed() < Duration::from_millis(300), "{:?}", began.elapsed());
    drop(flood);
}

fn hello(config: &Arc<rustls::ClientConfig>) -> Vec<u8> {
    let mut session =
        rustls::ClientConnection::new(Arc::clone(config), "a.test".try_into().expect("name")).expect("session");
    let mut hello = Vec::new();
    session.write_tls(&mut hello).expect("a hello");
    hello
}

#[test]
fn versions_are_those_that_were_said_and_openssl_and_curl_agree() {
    let authority = Authority::new("versions");
    authority.write("a", &["a.test"]);
    let words = format!("{ONE}\ntls_versions = [\"1.3\"]");
    let gateway = Gateway::with("service all default { location / { return 200 fine; } }", &config(&authority, &words));
    let ca = authority.folder.join("ca.pem");
    let port = gateway.address.port();
    let s_client = |version: &str| {
        let output = Command::new("openssl")
            .args(["s_client", "-connect", &gateway.address.to_string(), "-servername", "a.test", version, "-brief"])
            .args(["-verify_return_error", "-CAfile"])
            .arg(&ca)
            .stdin(Stdio::null())
            .output()
            .expect("openssl runs");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (done, told) = s_client("-tls1_3");
    assert!(done && told.contains("Verification: OK"), "{told}");
    let (done, told) = s_client("-tls1_2");
    assert!(!done && told.contains("alert"), "{told}");
    let output = Command::new("curl")
        .args(["-sS", "--resolve", &format!("a.test:{port}:127.0.0.1"), &format!("https://a.test:{port}/"), "--cacert"])
        .arg(&ca)
        .output()
        .expect("curl runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "fine", "{output:?}");
}

#[test]
fn http_2_is_spoken_where_the_client_asks_for_it_and_the_listener_offers_it() {
    let authority = Authority::new("alpn");
    authority.write("a", &["a.test"]);
    let rules = "service all default { location / { return 200 fine; } }";
    for (words, asked, expect) in
        [("", "--http2", "fine 2"), ("", "--http1.1", "fine 1.1"), ("http2 = false", "--http2", "fine 1.1")]
    {
        let gateway = Gateway::with(rules, &config(&authority, &format!("{ONE}\n{words}")));
        let port = gateway.address.port();
        let output = Command::new("curl")
            .args(["-sS", asked, "-w", " %{http_version}", "--resolve", &format!("a.test:{port}:127.0.0.1")])
            .args([&format!("https://a.test:{port}/"), "--cacert"])
            .arg(authority.folder.join("ca.pem"))
            .output()
            .expect("curl runs");
        assert_eq!(String::from_utf8_lossy(&output.stdout), expect, "{words} {asked}: {output:?}");
    }
}

#[test]
fn what_is_wrong_with_a_certificate_is_told_at_the_start() {
    let authority = Authority::new("wrong");
    authority.write("a", &["a.test"]);
    authority.write("b", &["b.test"]);
    let check = |words: &str, expect: &str| {
        let config = config(&authority, words);
        let rules = super::harness::artifact("service all default { location / { return 200 fine; } }");
        let policy = rulec::proxy::Policy::new(rules, &config).expect("policy");
        let error = rulec::proxy::serve(policy, &config, rulec::proxy::AccessLog::Off).expect_err("a refusal");
        assert!(error.to_string().contains(expect), "{words}: {error}");
    };
    check("tls = [{ certificate = \"a.pem\", key = \"b.key\" }]", "do not go together");
    check("tls = [{ certificate = \"a.key\", key = \"a.key\" }]", "a.key holds no certificate");
    check("tls = [{ certificate = \"a.pem\", key = \"a.pem\" }]", "a.pem: no private key");
    check("tls = [{ certificate = \"x.pem\", key = \"a.key\" }]", "x.pem: No such file");
}

fn base64(octets: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in octets.chunks(3) {
        let number = three.iter().fold(0, |number, octet| number << 8 | usize::from(*octet)) << (8 * (3 - three.len()));
        for at in 0..4 {
            let letter = LETTERS[number >> (18 - 6 * at) & 63];
            text.push(if at > three.len() { '=' } else { char::from(letter) });
        }
    }
    text
}
