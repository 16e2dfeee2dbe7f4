//! The program itself: arguments, messages, signals, and real clients and servers around it.

use core::time::Duration;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use super::harness::{Client, PATIENCE, Upstream, artifact};

/// A folder that goes away again.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rulec-process-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("folder");
        Self(path)
    }

    pub(super) fn write(&self, name: &str, octets: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        fs::write(&path, octets).expect("written");
        path.to_string_lossy().into_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rulec-proxy"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A gateway in a process of its own.
pub(super) struct Running {
    child: Child,
    messages: Messages,
    reader: thread::JoinHandle<()>,
    pub(super) address: core::net::SocketAddr,
}

/// What a process has said, and how much of it was waited for.
#[derive(Clone, Default)]
struct Messages(Arc<(Mutex<(String, usize)>, Condvar)>);

impl Messages {
    fn add(&self, line: &str) {
        self.0.0.lock().expect("messages").0.push_str(line);
        self.0.1.notify_all();
    }

    /// Waits for the next line that holds `words`.
    fn wait_for(&self, words: &str) -> String {
        let mut said = self.0.0.lock().expect("messages");
        loop {
            let begin = said.1;
            let found = said.0[begin..].split_inclusive('\n').find(|line| line.contains(words)).map(str::to_owned);
            if let Some(line) = found {
                let at = said.0[begin..].find(&line).expect("found");
                said.1 = begin + at + line.len();
                return line;
            }
            let (next, late) = self.0.1.wait_timeout(said, PATIENCE).expect("messages");
            assert!(!late.timed_out(), "no `{words}` in: {}", next.0);
            said = next;
        }
    }
}

impl Running {
    pub(super) fn start(arguments: &[&str]) -> Self {
        Self::of(program(arguments))
    }

    /// With so many descriptors at most.
    pub(super) fn start_with_descriptors(descriptors: usize, arguments: &[&str]) -> Self {
        let mut command = Command::new("sh");
        let line = format!("ulimit -n {descriptors}; exec \"$0\" \"$@\"");
        command.args(["-c", &line, env!("CARGO_BIN_EXE_rulec-proxy")]).args(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Self::of(command)
    }

    fn of(mut command: Command) -> Self {
        let mut child = command.spawn().expect("starts");
        let stderr = BufReader::new(child.stderr.take().expect("stderr"));
        let messages = Messages::default();
        let said = messages.clone();
        let reader = thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                said.add(&format!("{line}\n"));
            }
        });
        let line = messages.wait_for("listening on ");
        let address =
            line.split_once("listening on ").and_then(|(_, rest)| rest.split_whitespace().next()?.parse().ok());
        let address = address.unwrap_or_else(|| panic!("listening on an address: {line}"));
        Self { child, messages, reader, address }
    }

    /// The next line that it says with `words` in it.
    pub(super) fn wait_for_message(&self, words: &str) -> String {
        self.messages.wait_for(words)
    }

    /// Its number, for whoever looks at it from outside.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal by its name.
    pub(super) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().expect("kill");
        assert!(sent.success());
    }

    /// Asks it to end; its status, standard output and messages.
    pub(super) fn terminate(mut self) -> (Option<i32>, String, String) {
        self.signal("TERM");
        let status = self.child.wait().expect("ends");
        let mut log = String::new();
        self.child.stdout.take().expect("stdout").read_to_string(&mut log).expect("log");
        self.reader.join().expect("reader");
        let messages = self.messages.0.0.lock().expect("messages").0.clone();
        (status.code(), log, messages)
    }
}

#[test]
fn it_serves_until_sigterm_and_ends_with_0() {
    let folder = Folder::new("serves");
    let upstream = Upstream::start(|_, wire, seen| {
        while seen.read(wire).is_some() {
            thread::sleep(Duration::from_millis(300));
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow");
        }
    });
    let policy = folder.write("policy.rulec", artifact(&upstream.rules("location / { proxy up; }")));
    let running = Running::start(&[&policy, "--listen", "127.0.0.1:0", "--threads", "2"]);
    let mut client = Client::connect(running.address);
    client.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    upstream.wait_for(1);
    let (status, log, messages) = running.terminate();
    assert_eq!(client.answer().text(), "slow");
    assert_eq!(status, Some(0), "{messages}");
    let line: serde_json::Value = serde_json::from_str(log.trim()).expect("one line of JSON");
    assert_eq!((&line["target"], &line["status"]), (&"/x".into(), &200.into()));
}

fn fails(arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = program(arguments).output().expect("runs");
    (status.code(), String::from_utf8_lossy(&stderr).into_owned())
}

#[test]
fn what_is_wrong_is_told_and_ends_with_its_status() {
    let folder = Folder::new("wrong");
    let good = folder.write("good.rulec", artifact("service all default { location / { return 200 ok; } }"));
    let bad = folder.write("bad.rulec", "no artifact");
    let config =
        folder.write("proxy.toml", "[listener.a]\naddress = \"127.0.0.1:0\"\nport = 1\n[upstream.x]\nservers = []\n");
    assert_eq!(fails(&["--no-such"]).0, Some(2));
    assert_eq!(fails(&[]).0, Some(2));
    assert_eq!(fails(&["/no/such/file.rulec"]).0, Some(4));
    assert_eq!(fails(&[&good, "--config", "/no/such/proxy.toml"]).0, Some(4));
    let (status, messages) = fails(&[&bad]);
    assert!(status == Some(1) && messages.contains("bad.rulec"), "{messages}");
    let (status, messages) = fails(&[&good, "--config", &config]);
    assert_eq!(status, Some(1));
    assert!(messages.contains("proxy.toml:3:1") && messages.contains("proxy.toml:5:11"), "{messages}");
}

#[test]
fn keys_files_are_told_by_file_and_line() {
    let folder = Folder::new("keys");
    let rules = "plans p { credential key from header X-Key; plan a b; }
        service all default { plans p; location / { plan a { return 200 a; } return 200 b; } }";
    let policy = folder.write("policy.rulec", artifact(rules));
    folder.write("secret", "0123456789abcdef\n");
    folder.write("p.keys", "# keys\nx 00\na zz\n");
    let text = "[listener.default]\naddress = \"127.0.0.1:0\"\n[plans.p]\nkeys = \"p.keys\"\nhash_key = { file = \"secret\" }\n";
    let config = folder.write("proxy.toml", text);
    let (status, messages) = fails(&[&policy, "--config", &config]);
    assert_eq!(status, Some(1));
    assert!(messages.contains("p.keys:2: ") && messages.contains("p.keys:3: "), "{messages}");
}

/// A real nginx that serves a folder.
struct Nginx {
    child: Child,
    port: u16,
}

impl Nginx {
    /// None where this machine has none.
    fn start(folder: &Folder) -> Option<Self> {
        let program = ["/usr/sbin/nginx", "/usr/bin/nginx"].into_iter().find(|path| Path::new(path).exists())?;
        let port = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {kind};"))
            .concat();
        let text = format!(
            "daemon off; master_process off; pid nginx.pid; error_log error.log; events {{}}
             http {{ access_log off; {temporary} server {{ listen 127.0.0.1:{port}; root .; }} }}"
        );
        folder.write("nginx.conf", text);
        let prefix = format!("{}/", folder.0.display());
        let child = Command::new(program)
            .args(["-p", &prefix, "-c", "nginx.conf", "-e", "error.log"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let nginx = Self { child, port };
        for _ in 0..100 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(nginx);
            }
            thread::sleep(Duration::from_millis(50));
        }
        None
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn curl(arguments: &[&str]) -> Option<String> {
    let output = Command::new("curl").args(["-sS", "--max-time", "20"]).args(arguments).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn s_06_curl_reads_a_file_and_a_part_of_it_from_nginx() {
    let folder = Folder::new("nginx");
    let content: String = "one line of a file that is not short\n".repeat(3000);
    fs::create_dir_all(folder.0.join("media")).expect("folder");
    folder.write("media/a b.txt", &content);
    let Some(nginx) = Nginx::start(&folder) else { return };
    let rules = format!(
        "upstream files {{ server 127.0.0.1:{}; }}
         service all default {{
            location ^~ /s3/ {{ methods GET; proxy files strip /s3; }}
            location ^~ /nginx/ {{ rewrite ^/nginx/(.*)$ /media/$1 break; proxy files; }}
         }}",
        nginx.port
    );
    let policy = folder.write("policy.rulec", artifact(&rules));
    let running = Running::start(&[&policy, "--listen", "127.0.0.1:0", "--access-log", "off"]);
    let url = |path: &str| format!("http://{}{path}", running.address);
    let Some(whole) = curl(&[&url("/s3/media/a%20b.txt")]) else { return };
    assert_eq!(whole, content);
    assert_eq!(curl(&[&url("/nginx/a%20b.txt")]), Some(content));
    assert_eq!(
        curl(&["-r", "9-18", "-w", "%{http_code}", &url("/s3/media/a%20b.txt")]),
        Some("of a file 206".to_owned())
    );
    let both =
        curl(&["-I", "-w", "%{num_connects}", &url("/s3/media/a%20b.txt"), &url("/s3/media/none")]).unwrap_or_default();
    assert!(both.contains("HTTP/1.1 200 OK") && both.contains("HTTP/1.1 404 Not Found"), "{both}");
    let refused = curl(&["-i", "-X", "DELETE", &url("/s3/media/a%20b.txt")]).unwrap_or_default();
    assert!(
        refused.starts_with("HTTP/1.1 405") && refused.to_ascii_lowercase().contains("allow: get, head"),
        "{refused}"
    );
    assert_eq!(running.terminate().0, Some(0));
}
