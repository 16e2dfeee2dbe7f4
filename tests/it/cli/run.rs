//! `rulec run`

use super::{BROKEN, FINE, Folder, command, rulec};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStderr};

struct Running {
    process: Child,
    errors: BufReader<ChildStderr>,
    address: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl Running {
    fn start(file: &std::path::Path) -> Self {
        let arguments = ["run".as_ref(), file.as_os_str(), "--listen".as_ref(), "127.0.0.1:0".as_ref()];
        let mut process = command(arguments).stdout(std::process::Stdio::null()).spawn().unwrap();
        let errors = BufReader::new(process.stderr.take().unwrap());
        let mut running = Self { process, errors, address: String::new() };
        let line = running.wait_for("serves on");
        line.split(" serves on ").nth(1).unwrap().split(';').next().unwrap().clone_into(&mut running.address);
        running
    }

    /// The next line on standard error that has `words` in it.
    fn wait_for(&mut self, words: &str) -> String {
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            assert!(self.errors.read_line(&mut line).unwrap() > 0, "no `{words}`");
        }
        line
    }

    fn get(&self, target: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {target} HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

#[test]
fn a_change_serves_and_a_mistake_leaves_what_served() {
    let folder = Folder::new();
    let file = folder.file("site.rules", FINE);
    let mut running = Running::start(&file);
    assert!(running.get("/").ends_with("\r\n\r\nhome"));
    fs::write(&file, FINE.replace("\"home\"", "\"house\"")).unwrap();
    running.wait_for("compiled and serves");
    assert!(running.get("/").ends_with("\r\n\r\nhouse"));
    fs::write(&file, BROKEN).unwrap();
    running.wait_for("nowhere");
    running.wait_for("goes on serving");
    assert!(running.get("/").ends_with("\r\n\r\nhouse"));
    fs::write(&file, FINE).unwrap();
    running.wait_for("compiled and serves");
    assert!(running.get("/").ends_with("\r\n\r\nhome"));
}

#[test]
fn what_cannot_be_served_ends_at_once() {
    let folder = Folder::new();
    let file = folder.file("site.rules", BROKEN);
    assert_eq!(rulec(["run".as_ref(), file.as_os_str()]).status, 1);
    let file = folder.file("fine.rules", FINE);
    let run = |listen: &str| rulec(["run".as_ref(), file.as_os_str(), "--listen".as_ref(), listen.as_ref()]).status;
    assert_eq!(run("nonsense"), 2);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    assert_eq!(run(&taken.local_addr().unwrap().to_string()), 4);
    let external =
        folder.file("external.rules", "upstream u external; service s { server_name a.test; location / { proxy u; } }");
    let ran = rulec(["run".as_ref(), external.as_os_str()]);
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains('u'), "{}", ran.err);
}
