//! Where redirects lead: through a live nginx, and through the eyes of a browser.

use std::io::Write as _;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use super::harness::{Answer, Client, Gateway, Upstream, config, wait_until};
use super::process::Folder;
use crate::corpora::{conf, escaped_location};
use rulec::matcher::is_escaped_in_location;
use rulec::proxy::{Address, Config};

/// Everything that makes a Location, fed with what the client sends.
const MAKERS: &str = "
    merge_slashes off;
    location ~ (?s)^/return/(.*)$  { return 302 /$1; }
    location ~ (?s)^/group/(.*)$   { return 307 $1; }
    location /uri/             { return 308 $uri; }
    location /args/            { return 303 /$arg_to; }
    location ~ ^/raw/          { return 302 $request_uri; }
    location ~ (?s)^/rewrite/(.*)$ { rewrite (?s)^/rewrite/(.*)$ /$1 permanent; }
    location /rewrite-args/    { rewrite ^ /$arg_to? redirect; }
    location ~ (?s)^/page/(.*)$    { error_page 403 $1; return 403; }
    location ~ (?s)^/set/(.*)$     { set response header Location /$1; return 201; }
    location /moved/           { proxy_redirect http://up/ /; proxy up; }
    location /slash/           { proxy up canonical; }
";

/// What browsers may take for the beginning of another host.
const TRICKS: [&str; 21] = [
    "/evil.test",
    "//evil.test",
    "%09/evil.test",
    "%09%5Cevil.test",
    "%5Cevil.test",
    "%5C%5Cevil.test",
    "%5C/evil.test",
    "%0a/evil.test",
    "%0d%0a/evil.test",
    "%20/evil.test",
    "%01/evil.test",
    "%1f%09/evil.test",
    "%7f/evil.test",
    "%c2%a0/evil.test",
    "%e3%80%82/evil.test",
    "%2509/evil.test",
    "%2F%2Fevil.test",
    "%2e/%09/evil.test",
    "x/../%09/evil.test",
    "%09%0a%0d%5c%5c%5cevil.test",
    "%0b%0c/evil.test",
];

/// The host that a browser goes to from `base`, for each Location, asked of Node's `URL`.
fn hosts(base: &str, locations: &[String]) -> Vec<String> {
    let script = "const [base, locations] = JSON.parse(require('fs').readFileSync(0, 'utf8'));
        console.log(JSON.stringify(locations.map(location => new URL(location, base).host)));";
    let mut node = Command::new("node")
        .args(["-e", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node is installed (tests/run sees to it)");
    let asked = serde_json::to_string(&(base, locations)).expect("JSON");
    node.stdin.take().expect("stdin").write_all(asked.as_bytes()).expect("written");
    let output = node.wait_with_output().expect("ends");
    serde_json::from_slice(&output.stdout).expect("a list of hosts")
}

/// An upstream that redirects to its own name, the rest of it as the query says.
fn redirecting() -> Upstream {
    Upstream::start(|_, wire, seen| {
        while let Some(request) = seen.read(wire) {
            let request = String::from_utf8_lossy(&request).into_owned();
            let to = request.split(' ').nth(1).and_then(|target| target.split_once("?to=")).map_or("", |(_, to)| to);
            // Tabs and bytes from 80 on are what a field may hold.
            let to = to.replace("%09", "\t").replace("%5C", "\\").replace("%c2%a0", "\u{a0}");
            wire.send(format!("HTTP/1.1 302 Found\r\nLocation: http://up/{to}\r\nContent-Length: 0\r\n\r\n"));
        }
    })
}

fn get(gateway: &Gateway, target: &str) -> Answer {
    gateway.ask(&format!("GET {target} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"))
}

#[test]
fn no_redirect_to_a_path_leads_to_another_host() {
    for redirects in ["relative", "absolute"] {
        let upstream = redirecting();
        let gateway = Gateway::start(&upstream.rules(&format!("redirects {redirects};\n{MAKERS}")));
        let (mut asked, mut locations) = (Vec::new(), Vec::new());
        for maker in ["return", "uri", "raw", "rewrite", "page", "set", "group"] {
            asked.extend(TRICKS.map(|trick| format!("/{maker}/{trick}")));
        }
        for maker in ["args", "rewrite-args", "moved"] {
            asked.extend(TRICKS.map(|trick| format!("/{maker}/?to={trick}")));
        }
        asked.extend(TRICKS.map(|trick| format!("/slash?{trick}")));
        asked.retain(|target| {
            let answer = get(&gateway, target);
            let location = answer.header("location").map(str::to_owned);
            // A page that is a path is sought within.
            let is_within = target.starts_with("/page/") && answer.status == 404;
            assert!(location.is_some() || is_within, "{target}: {answer:?}");
            locations.extend(location.clone());
            location.is_some()
        });
        for (target, location) in asked.iter().zip(&locations) {
            assert!(location.bytes().all(|byte| !is_escaped_in_location(byte)), "{target}: {location}");
        }
        let base = format!("http://a.test:{}", gateway.address.port());
        let led = hosts(&base, &locations);
        assert!(locations.len() > 200 && led.len() == locations.len(), "{}", locations.len());
        for ((target, location), host) in asked.iter().zip(&locations).zip(led) {
            assert_eq!(format!("http://{host}"), base, "{target}: {location}");
        }
    }
}

/// HTTP/2 drops a field with a control byte without a word: a redirect without its Location.
#[test]
fn a_redirect_is_the_same_over_http2() {
    let mut over_http2 = config();
    over_http2.listeners[0].http2 = rulec::proxy::Http2::PriorKnowledge;
    let upstream = redirecting();
    let rules = upstream.rules(MAKERS);
    let (one, two) = (Gateway::start(&rules), Gateway::with(&rules, &over_http2));
    for target in ["/return/%01/x", "/group/%7f", "/rewrite/a%0bb", "/set/%1b%e9", "/moved/?to=%09/x", "/uri/%1f"] {
        let url = format!("http://{}{target}", two.address);
        let curl = Command::new("curl")
            .args(["-sS", "--http2-prior-knowledge", "--path-as-is", "-o", "/dev/null", "-D", "-", &url])
            .output()
            .expect("curl is installed (tests/run sees to it)");
        let head = String::from_utf8_lossy(&curl.stdout).into_owned();
        let location = head.lines().find_map(|line| line.strip_prefix("location: ")).map(str::trim_end);
        assert!(location.is_some(), "{target}: {head}");
        assert_eq!(location, get(&one, target).header("location"), "{target}");
    }
}

#[test]
fn a_port_is_that_of_the_socket_that_accepted() {
    let rules = "service a { server_name a.test; redirects absolute; location / { return 301 /x; } }";
    let mut config = config();
    config.listeners[0].trusted = vec!["127.0.0.1".parse().expect("network")];
    let gateway = Gateway::with(rules, &config);
    let port = gateway.address.port();
    let ask = |fields: &str| {
        gateway.ask(&format!("GET / HTTP/1.1\r\n{fields}\r\n\r\n")).header("location").map(str::to_owned)
    };
    let check = |fields: &str, expect: &str| assert_eq!(ask(fields).as_deref(), Some(expect), "{fields}");
    let own = format!("http://a.test:{port}/x");
    check("Host: a.test", &own);
    // The port in Host is the client's word.
    check("Host: a.test:1", &own);
    check("Host: a.test\r\nX-Forwarded-For: 192.0.2.1", &own);
    // Whoever knows what the client spoke had accepted it at a port of its own.
    check("Host: a.test\r\nX-Forwarded-Proto: https", "https://a.test/x");
    check("Host: a.test\r\nX-Forwarded-Proto: http", "http://a.test/x");
}

#[test]
fn a_unix_socket_has_no_port() {
    let folder = Folder::new("redirects-unix");
    let path = folder.0.join("front.sock");
    let mut config = Config::listen(Address::Unix(path.clone()));
    config.threads = 1;
    let rules = "service a { server_name a.test; redirects absolute; location / { return 301 /x; } }";
    let policy = rulec::proxy::Policy::new(super::harness::artifact(rules), &config).expect("policy");
    let log = rulec::proxy::AccessLog::Writer(Box::new(std::io::sink()));
    let handle = rulec::proxy::serve(policy, &config, log).expect("serves");
    let mut client = Client::over(std::os::unix::net::UnixStream::connect(&path).expect("connects"));
    client.send("GET / HTTP/1.1\r\nHost: a.test:8080\r\n\r\n");
    assert_eq!(client.answer().header("location"), Some("http://a.test/x"));
    handle.stop();
}

/// An nginx with `servers` around it, stopped by its process.
struct Nginx(Child);

impl Nginx {
    fn start(folder: &Folder, port: u16, servers: &str) -> Self {
        let shown = folder.0.display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {shown}/{kind};\n"))
            .concat();
        let conf = format!(
            "daemon off; master_process off; error_log {shown}/error.log; pid {shown}/nginx.pid;\n\
             events {{ }} http {{ access_log off;\n{temporary}{servers}\n}}\n"
        );
        let file = folder.write("nginx.conf", conf);
        let child = Command::new("nginx").args(["-p", &shown.to_string(), "-c", &file]).stderr(Stdio::null()).spawn();
        let nginx = Self(child.expect("nginx is installed (tests/run sees to it)"));
        wait_until(|| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        nginx
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Every redirect of an imported server carries the port, as nginx's does, a Location of the upstream among them.
#[test]
fn absolute_redirects_are_nginxs() {
    let upstream = redirecting();
    let port = TcpListener::bind("127.0.0.1:0").expect("binds").local_addr().expect("address").port();
    let servers = format!(
        "server {{ listen 127.0.0.1:{port}; server_name a.test *.b.test;
            location /red {{ return 301 /there$is_args$args; }}
            location ~ (?s)^/group/(.*)$ {{ return 302 /$1; }}
            location /out {{ return 302 https://$host/out; }}
            location /app/ {{ proxy_pass http://127.0.0.1:{0}/; }}
            location /perm {{ rewrite ^/perm(.*)$ /moved$1 permanent; }}
            location /temp {{ rewrite ^/temp(.*)$ http://c.test$1 redirect; }}
            location /page {{ error_page 404 =301 http://e.test$uri; return 404; }}
            location / {{ return 302 $scheme://$host$uri; }}
            location /own/ {{ proxy_redirect http://up/ /back/; proxy_pass http://127.0.0.1:{0}; }}
            location /off/ {{ proxy_redirect off; proxy_pass http://127.0.0.1:{0}; }}
        }}",
        upstream.port
    );
    let folder = Folder::new("redirects-nginx");
    let _nginx = Nginx::start(&folder, port, &servers);
    let gateway = Gateway::start(
        &conf::rules(&conf::http(&servers))
            .replace("upstream files external;", "upstream files { server 127.0.0.1:1; }"),
    );
    let own = format!(":{}", gateway.address.port());
    let targets = [
        "/red",
        "/red?a=b",
        "/group/a%20b",
        "/group/caf%c3%a9",
        "/group/a%7Cb%3f",
        "/out",
        "/app",
        "/app?x=1",
        "/perm/a",
        "/perm/a%5cb%3Eq?x",
        "/temp/%22x",
        "/page/y",
        "/own/?to=z",
        "/own/?to=z?a",
        "/own/?to=a%09b",
        "/off/?to=w",
        "/page/y%7C",
        "/x%3Cy%09",
    ];
    for host in [format!("a.test:{port}"), "a.test".to_owned(), "x.b.test:81".to_owned(), "A.TEST.".to_owned()] {
        for target in targets {
            let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            let mut client = Client::connect(([127, 0, 0, 1], port).into());
            client.send(&request);
            let theirs = client.answer();
            let ours = gateway.ask(&request);
            assert_eq!(ours.status, theirs.status, "{host} {target}");
            let sent = theirs.header("location").map(|sent| sent.bytes().map(char::from).collect::<String>());
            let expected = sent.map(|sent| escaped_location(&sent).replace(&format!(":{port}/"), &format!("{own}/")));
            assert_eq!(ours.header("location"), expected.as_deref(), "{host} {target}");
            assert!(expected.is_some(), "{host} {target}: {theirs:?}");
        }
    }
}
