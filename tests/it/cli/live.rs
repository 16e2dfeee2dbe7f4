//! Every case of every example, asked by real clients of `rulec-proxy` in front of a real server.

use super::clients::{Answer, Asked, Client, Curl, Script};
use super::echo::{Identity, serve};
use super::{Folder, examples, rulec};
use core::fmt::Write;
use core::net::SocketAddr;
use core::time::Duration;
use rulec::contract::manifest::Upstream;
use rulec::model::{Expectation, Policy, RequestRecord, load};
use rulec::proxy::keys::{self, HashKey};
use std::collections::BTreeMap;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

/// The proxy in front of the servers of one example.
struct Gateway {
    process: Child,
    address: SocketAddr,
    /// By plan.
    keys: BTreeMap<String, String>,
    /// Its files are there as long as the proxy runs.
    _folder: Folder,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// The head that the server received, and the body.
fn received(answer: &Answer) -> (String, &[u8]) {
    let end = answer.body.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    (String::from_utf8_lossy(&answer.body[..end]).into_owned(), &answer.body[end + 4..])
}

fn start(path: &Path, policy: &Policy) -> Gateway {
    let folder = Folder::new();
    let artifact = folder.path("policy.rulec");
    let ran = rulec(["compile".as_ref(), path.as_os_str(), "-o".as_ref(), artifact.as_os_str()]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut toml = format!("[listener.public]\naddress = \"127.0.0.1:{port}\"\ntrusted = [\"127.0.0.0/8\"]\n");
    for upstream in &policy.upstreams {
        toml.push_str(&upstream_words(upstream, &folder));
    }
    let keys = plan_words(policy, &folder, &mut toml);
    let config = folder.file("proxy.toml", &toml);
    let process = Command::new(env!("CARGO_BIN_EXE_rulec-proxy"))
        .args([artifact.as_os_str(), "--config".as_ref(), config.as_os_str()])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let gateway = Gateway { process, address: ([127, 0, 0, 1], port).into(), keys, _folder: folder };
    let patience = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(gateway.address).is_err() {
        assert!(Instant::now() < patience, "{} does not listen", path.display());
        thread::sleep(Duration::from_millis(20));
    }
    gateway
}

/// A server of its own for `upstream`, which keeps the Host that the rules give it.
fn upstream_words(upstream: &Upstream, folder: &Folder) -> String {
    let host = host_of(upstream);
    let name = host.split(':').next().unwrap().to_owned();
    let identity = Identity::new(vec![name]);
    let address = serve(&upstream.name, &identity);
    let mut words = format!("[upstream.{}]\nservers = [\"{address}\"]\nhost = \"{host}\"\n", upstream.name);
    if upstream.tls.is_some() {
        let file = format!("{}.pem", upstream.name);
        folder.file(&file, &identity.pem);
        writeln!(words, "tls = {{ ca = \"{file}\" }}").unwrap();
    }
    words
}

fn host_of(upstream: &Upstream) -> String {
    let of_server = |server: &rulec::contract::manifest::Server| {
        let own_port = if upstream.tls.is_some() { 443 } else { 80 };
        if server.port == own_port { server.host.clone() } else { format!("{}:{}", server.host, server.port) }
    };
    let host = upstream.host.clone().or_else(|| upstream.servers.first().map(of_server));
    host.unwrap_or_else(|| format!("{}.test", upstream.name))
}

fn plan_words(policy: &Policy, folder: &Folder, toml: &mut String) -> BTreeMap<String, String> {
    let mut of_plans = BTreeMap::new();
    let secret = folder.file("hash.key", "0123456789abcdef0123456789abcdef\n");
    for source in &policy.plan_sources {
        let file = format!("{}.keys", source.name);
        for plan in &source.plans {
            let hash_key = HashKey::read(&secret).unwrap();
            of_plans.insert(plan.clone(), keys::add(&folder.path(&file), &hash_key, plan, None).unwrap());
        }
        let name = &source.name;
        write!(toml, "[plans.{name}]\nkeys = \"{file}\"\nhash_key = {{ file = \"hash.key\" }}\n").unwrap();
    }
    of_plans
}

/// `octets` of body with every byte value in it.
fn body(octets: u64) -> Vec<u8> {
    (0..=u8::MAX).cycle().take(usize::try_from(octets).unwrap()).collect()
}

fn ask(client: &mut dyn Client, gateway: &Gateway, record: &RequestRecord, header: &str) -> Answer {
    let mut headers = vec![
        ("Host".to_owned(), record.host.clone().unwrap()),
        ("X-Forwarded-Proto".to_owned(), record.scheme.clone()),
    ];
    headers.extend(record.headers.clone());
    headers.extend(key(gateway, record).map(|key| (header.to_owned(), key.to_owned())));
    let (method, target) = (record.method.clone(), record.target.clone());
    client.ask(gateway.address, &Asked { method, target, headers, body: body(record.body) })
}

fn key<'g>(gateway: &'g Gateway, record: &'g RequestRecord) -> Option<&'g str> {
    match record.plan.as_deref()? {
        "?missing" => None,
        "?unknown" => Some("nobody-knows-this-key"),
        plan => Some(&gateway.keys[plan]),
    }
}

fn check(path: &Path, record: &RequestRecord, expectation: &Expectation, answer: &Answer) {
    let about = format!("{}: {record:?}\n{} {:?}", path.display(), answer.status, answer.fields);
    let is_head = record.method == "HEAD";
    match expectation {
        Expectation::Close => panic!("no example closes: {about}"),
        Expectation::Status(status, text) => {
            assert_eq!(answer.status, *status, "{about}");
            let location = answer.field("location");
            let said = location.map_or(answer.body.as_slice(), str::as_bytes);
            let text = text.as_ref().filter(|_| location.is_some() || !is_head);
            assert!(text.is_none_or(|text| text.as_bytes() == said), "{about}");
            assert_eq!(answer.field("allow").is_some(), *status == 405, "{about}");
        }
        Expectation::Proxy { upstream, target, headers } => {
            assert_eq!(answer.status, 200, "{about}");
            assert!(answer.field("x-over").unwrap().starts_with(&format!("{upstream} ")), "{about}");
            if let Some(target) = target {
                let line = format!("{} {target} HTTP/1.1", record.method);
                assert_eq!(answer.field("x-line"), Some(line.as_str()), "{about}");
            }
            if !is_head {
                let (head, received) = received(answer);
                let has = |name: &str, value: &str| {
                    head.lines().any(|line| {
                        line.split_once(": ").is_some_and(|(n, v)| n.eq_ignore_ascii_case(name) && v == value)
                    })
                };
                assert!(headers.iter().all(|(name, value)| has(name, value)), "{about}\n{head}");
                let stripped = path.ends_with("methods.rules") && record.target.starts_with("/strip/");
                let sent = if stripped { Vec::new() } else { body(record.body) };
                assert!(received == sent, "{about}\n{head}");
                let lower = head.to_ascii_lowercase();
                assert!(!stripped || !lower.contains("\ncontent-") && !lower.contains("\ntransfer-"), "{head}");
            }
        }
    }
}

/// Asks every case of every example.
fn ask_all(client: &mut dyn Client) {
    let mut asked = 0;
    for path in examples() {
        let policy = load(&path).unwrap().policy;
        let gateway = start(&path, &policy);
        let header = if path.ends_with("words.rules") { "X-User-Key" } else { "X-Api-Key" };
        for case in policy.tests.iter().flat_map(|test| &test.cases) {
            // A keys file cannot fail once it is read; the demo has a plan source that does.
            if case.request.plan.as_deref() != Some("?failed") {
                check(&path, &case.request, &case.expectation, &ask(client, &gateway, &case.request, header));
                asked += 1;
            }
        }
    }
    assert!(asked > 80, "{asked}");
}

#[test]
fn curl_gets_what_the_tests_of_every_example_say() {
    ask_all(&mut Curl);
}

#[test]
fn node_gets_what_the_tests_of_every_example_say() {
    ask_all(&mut Script::node());
}

#[test]
fn python_gets_what_the_tests_of_every_example_say() {
    ask_all(&mut Script::python());
}

#[test]
fn what_a_bucket_adds_is_dropped_and_credentials_do_not_reach_it() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/words.rules");
    let gateway = start(&path, &load(&path).unwrap().policy);
    let mut record = RequestRecord::new("/s3/a%2Fb");
    record.host = Some("api.words.com".to_owned());
    "https".clone_into(&mut record.scheme);
    record.headers = [("Authorization", "secret"), ("Cookie", "a=b"), ("X-User-Key", "k")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    let answer = ask(&mut Curl, &gateway, &record, "X-User-Key");
    assert_eq!(answer.field("x-amz-request-id").or(answer.field("set-cookie")), None, "{:?}", answer.fields);
    assert!(answer.field("strict-transport-security").is_some(), "{:?}", answer.fields);
    let (head, _) = received(&answer);
    let lower = head.to_ascii_lowercase();
    for name in ["authorization", "cookie", "x-user-key"] {
        assert!(!lower.contains(&format!("\n{name}:")), "{head}");
    }
    assert!(answer.field("x-over").is_some_and(|over| over == "s3 TLS media.s3.example.com"), "{:?}", answer.fields);
}
