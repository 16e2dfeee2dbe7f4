//! Sockets that are handed over, and a supervisor that is told of it: what systemd does, done by a shell.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};

use super::harness::{Client, PATIENCE, artifact};

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rulec-activation-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("folder");
        fs::write(path.join("policy.rulec"), artifact("service all default { location / { return 200 fine; } }"))
            .expect("written");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Starts it with `socket` as descriptor 3, called `names`, at the address that `config` says.
fn start(folder: &Folder, socket: OwnedFd, names: &str, address: &str) -> (Child, BufReader<ChildStderr>) {
    let config = folder.0.join("proxy.toml");
    fs::write(&config, format!("[listener.a]\naddress = \"{address}\"\n")).expect("written");
    let mut child = Command::new("bash")
        .args(["-c", "exec 3<&0 </dev/null; export LISTEN_PID=$$; exec \"$@\"", "launcher"])
        .arg(env!("CARGO_BIN_EXE_rulec-proxy"))
        .arg(folder.0.join("policy.rulec"))
        .args(["--threads", "2", "--access-log", "off", "--config"])
        .arg(config)
        .env("LISTEN_FDS", "1")
        .env("LISTEN_FDNAMES", names)
        .env("NOTIFY_SOCKET", folder.0.join("notify"))
        .stdin(Stdio::from(socket))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let messages = BufReader::new(child.stderr.take().expect("stderr"));
    (child, messages)
}

fn end(mut child: Child, mut messages: BufReader<ChildStderr>) -> (Option<i32>, String) {
    assert!(Command::new("kill").arg(child.id().to_string()).status().expect("kill").success());
    let mut said = String::new();
    messages.read_to_string(&mut said).expect("messages");
    (child.wait().expect("ends").code(), said)
}

#[test]
fn a_socket_is_taken_by_its_name_or_number_and_the_supervisor_is_told() {
    for (test, address) in [("name", "fd:public"), ("number", "fd:0")] {
        let folder = Folder::new(test);
        let supervisor = UnixDatagram::bind(folder.0.join("notify")).expect("binds");
        supervisor.set_read_timeout(Some(PATIENCE)).expect("timeout");
        let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
        let bound = listener.local_addr().expect("address");
        // Whoever comes before the gateway is there waits in the queue.
        let mut early = Client::connect(bound);
        early.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        let (child, messages) = start(&folder, listener.into(), "public", address);
        assert_eq!(early.answer().text(), "fine");
        for _ in 0..8 {
            let mut client = Client::connect(bound);
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            assert_eq!(client.answer().text(), "fine");
        }
        let told = || {
            let mut octets = [0; 256];
            let read = supervisor.recv(&mut octets).expect("a message");
            String::from_utf8_lossy(&octets[..read]).into_owned()
        };
        assert_eq!(told(), "READY=1\n");
        assert!(Command::new("kill").args(["-HUP", &child.id().to_string()]).status().expect("kill").success());
        let reloading = told();
        assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
        assert_eq!(told(), "READY=1\n");
        let (status, said) = end(child, messages);
        assert_eq!(status, Some(0), "{said}");
        assert!(said.contains(&bound.to_string()), "{said}");
        assert_eq!(told(), "STOPPING=1\n");
    }
}

#[test]
fn a_unix_socket_that_was_handed_over_is_left_where_it_was() {
    let folder = Folder::new("unix");
    let path = folder.0.join("local.sock");
    let listener = UnixListener::bind(&path).expect("binds");
    let (child, messages) = start(&folder, listener.into(), "local", "fd:local");
    let mut stream = UnixStream::connect(&path).expect("connects");
    stream.set_read_timeout(Some(PATIENCE)).expect("timeout");
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("read");
    assert!(answer.ends_with("fine"), "{answer}");
    let (status, said) = end(child, messages);
    assert_eq!(status, Some(0), "{said}");
    assert!(path.exists());
}

#[test]
fn a_socket_that_was_not_handed_over_stops_the_start() {
    let folder = Folder::new("missing");
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let (mut child, mut messages) = start(&folder, listener.into(), "public:other", "fd:private");
    let mut said = String::new();
    messages.read_to_string(&mut said).expect("messages");
    assert_eq!(child.wait().expect("ends").code(), Some(4), "{said}");
    assert!(said.contains("nobody handed over a socket `private`"), "{said}");
    // Nothing is left in between.
    assert_eq!(messages.read_line(&mut said).expect("the end"), 0);
}
