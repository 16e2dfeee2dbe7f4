//! An nginx of our own: its own folder, Unix sockets, stopped by its process.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running nginx.
pub(super) struct Nginx {
    child: Child,
    folder: PathBuf,
}

/// What a client sees. Strings carry bytes as Latin-1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) location: Option<String>,
    pub(super) body: Option<String>,
}

impl Nginx {
    /// nginx with these servers; they listen on `unix:front.sock` and proxy to `http://u`, which answers with
    /// `P|X-Location|target`.
    pub(super) fn start(servers: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("rulec-nginx-{}-{}", std::process::id(), super::random::fresh_seed()));
        std::fs::create_dir_all(folder.join("html")).expect("a folder for nginx");
        let shown = folder.display();
        let conf = format!(
            "daemon off; master_process off; error_log {shown}/error.log; pid {shown}/nginx.pid;\n\
             events {{ worker_connections 512; }}\n\
             http {{ access_log off; root {shown}/html; default_type text/plain; server_names_hash_max_size 8192;\n\
             client_body_temp_path {shown}/c; proxy_temp_path {shown}/p; fastcgi_temp_path {shown}/f;\n\
             uwsgi_temp_path {shown}/u; scgi_temp_path {shown}/s; keepalive_requests 10000000;\n\
             variables_hash_max_size 4096; proxy_http_version 1.1; proxy_set_header Connection \"\";\n\
             upstream u {{ server unix:{shown}/back.sock; keepalive 8; }}\n\
             server {{ listen unix:{shown}/back.sock; merge_slashes off; return 200 \"P|$http_x_location|$request_uri\"; }}\n\
             {}}}\n",
            servers
                .replace("unix:front.sock", &format!("unix:{shown}/front.sock"))
                // A proxy_set_header of a location's own ends the inheritance of the one above.
                .replace(
                    "proxy_set_header X-Location",
                    "proxy_set_header Connection \"\"; proxy_set_header X-Location"
                )
        );
        std::fs::write(folder.join("nginx.conf"), conf).expect("nginx.conf is written");
        let child = Command::new("nginx")
            .arg("-p")
            .arg(&folder)
            .arg("-c")
            .arg(folder.join("nginx.conf"))
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx is installed (tests/run sees to it)");
        let mut nginx = Self { child, folder };
        nginx.wait();
        nginx
    }

    fn wait(&mut self) {
        let began = Instant::now();
        while UnixStream::connect(self.folder.join("front.sock")).is_err() {
            let ended = self.child.try_wait().expect("nginx is our child");
            if ended.is_some() || began.elapsed() > Duration::from_secs(20) {
                let log = std::fs::read_to_string(self.folder.join("error.log")).unwrap_or_default();
                panic!("nginx does not start ({ended:?}):\n{log}");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The answers to `targets`, in order. They are pipelined on one connection; where nginx closes it, as behind a
    /// 400, the rest goes on the next one.
    pub(super) fn ask(&self, host: &str, targets: &[String]) -> Vec<Answer> {
        let requests: Vec<(&str, String)> = targets.iter().map(|target| ("GET", target.clone())).collect();
        self.ask_each(host, &requests)
    }

    /// The same with a method for each.
    pub(super) fn ask_each(&self, host: &str, targets: &[(&str, String)]) -> Vec<Answer> {
        let mut answers = Vec::new();
        while answers.len() < targets.len() {
            let mut stream = UnixStream::connect(self.folder.join("front.sock")).expect("nginx listens");
            stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
            let mut sent = Vec::new();
            for (method, target) in &targets[answers.len()..] {
                sent.extend(format!("{method} ").bytes());
                sent.extend(target.chars().map(|c| u8::try_from(c).expect("Latin-1")));
                sent.extend(format!(" HTTP/1.1\r\nHost: {host}\r\n\r\n").bytes());
            }
            // nginx may have closed before all of it is written.
            drop(stream.write_all(&sent));
            let mut reader = BufReader::new(stream);
            let before = answers.len();
            while answers.len() < targets.len() {
                let Some((answer, is_last)) = read(&mut reader) else { break };
                answers.push(answer);
                if is_last {
                    break;
                }
            }
            assert!(answers.len() > before, "nginx does not answer {:?} for {host}", targets[before]);
        }
        answers
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// The next answer, and whether the connection ends behind it.
fn read(reader: &mut impl BufRead) -> Option<(Answer, bool)> {
    let status = line(reader)?.split(' ').nth(1)?.parse().ok()?;
    let (mut location, mut length, mut is_last) = (None, 0, false);
    loop {
        let header = line(reader)?;
        let Some((name, value)) = header.split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "location" => location = Some(value.to_owned()),
            "content-length" => length = value.parse().ok()?,
            "connection" => is_last = value == "close",
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((Answer { status, location, body: Some(body.into_iter().map(char::from).collect()) }, is_last))
}

/// Up to CR LF: nginx writes a bare LF of a path into Location.
fn line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        if reader.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
    }
    let text = line.strip_suffix(b"\r\n")?;
    Some(text.iter().copied().map(char::from).collect())
}
