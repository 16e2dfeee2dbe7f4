//! An nginx on a port of its own, which also is the upstream: it answers with what it received.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A request, bytes as Latin-1.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) method: &'static str,
    pub(super) target: String,
    pub(super) headers: Vec<(&'static str, &'static str)>,
    pub(super) body: &'static str,
}

/// What came back; `status` is None where nginx closed without an answer.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: Option<u16>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

/// A running nginx.
pub(super) struct Peer {
    child: Child,
    folder: PathBuf,
    pub(super) port: u16,
}

impl Peer {
    /// nginx with these servers, `LISTEN` in them being its port; what it says where it does not start.
    pub(super) fn start(servers: &str) -> Result<Self, String> {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
        let name = format!("rulec-peer-{}-{}", std::process::id(), super::super::random::fresh_seed());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(folder.join("html")).expect("a folder for nginx");
        let shown = folder.display();
        let conf = format!(
            "daemon off; master_process off; error_log {shown}/error.log; pid {shown}/nginx.pid;\n\
             events {{ worker_connections 512; }}\n\
             http {{ access_log off; root {shown}/html; default_type text/plain; server_names_hash_max_size 8192;\n\
             client_body_temp_path {shown}/c; proxy_temp_path {shown}/p; fastcgi_temp_path {shown}/f;\n\
             uwsgi_temp_path {shown}/u; scgi_temp_path {shown}/s; keepalive_requests 10000000;\n\
             upstream u1 {{ server unix:{shown}/back.sock; }} upstream u2 {{ server unix:{shown}/back.sock; }}\n\
             server {{ listen unix:{shown}/back.sock; merge_slashes off; location / {{ return 200\n\
             \"E|$request_method|$http_host|$http_x_loc|$http_x_p|$content_length|$request_uri\"; }} }}\n\
             {}}}\n",
            servers.replace("LISTEN", &format!("127.0.0.1:{port}"))
        );
        std::fs::write(folder.join("nginx.conf"), conf).expect("nginx.conf is written");
        let mut nginx = Command::new("nginx");
        nginx.arg("-p").arg(&folder).arg("-c").arg(folder.join("nginx.conf"));
        let child = nginx.stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect("tests/run installs nginx");
        let mut peer = Self { child, folder, port };
        peer.wait().map(|()| peer)
    }

    fn wait(&mut self) -> Result<(), String> {
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = self.child.try_wait().expect("nginx is our child");
            if ended.is_some() || began.elapsed() > Duration::from_secs(20) {
                return Err(std::fs::read_to_string(self.folder.join("error.log")).unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(3));
        }
        Ok(())
    }

    /// The replies to `asks`, in order, on as few connections as nginx allows.
    pub(super) fn ask(&self, host: &str, asks: &[Ask]) -> Vec<Reply> {
        let mut replies = Vec::new();
        while replies.len() < asks.len() {
            let before = replies.len();
            let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("nginx listens");
            stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
            let mut writer = stream.try_clone().expect("a second handle");
            let pending = &asks[before..];
            // nginx may have closed before all of it is written.
            drop(writer.write_all(&pending.iter().flat_map(|ask| ask.octets(host)).collect::<Vec<u8>>()));
            let mut reader = BufReader::new(stream);
            for ask in pending {
                let Some((reply, is_last)) = read(&mut reader, ask.method == "HEAD") else { break };
                replies.push(reply);
                if is_last {
                    break;
                }
            }
            if replies.len() == before {
                replies.push(Reply { status: None, headers: Vec::new(), body: String::new() });
            }
        }
        replies
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

impl Ask {
    fn octets(&self, host: &str) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\nHost: {host}\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.body.is_empty() {
            text.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        text.push_str("\r\n");
        text.push_str(self.body);
        text.chars().map(|c| u8::try_from(c).expect("Latin-1")).collect()
    }
}

impl Reply {
    /// All values of a header, in order.
    pub(super) fn values(&self, name: &str) -> Vec<&str> {
        let own = self.headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
        own.map(|(_, value)| value.as_str()).collect()
    }
}

/// The next reply, and whether the connection ends behind it.
fn read(reader: &mut impl BufRead, head_only: bool) -> Option<(Reply, bool)> {
    let status: u16 = line(reader)?.split(' ').nth(1)?.parse().ok()?;
    let mut headers = Vec::new();
    loop {
        let header = line(reader)?;
        let Some((name, value)) = header.split_once(':') else { break };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut reply = Reply { status: Some(status), headers, body: String::new() };
    let is_last = reply.values("connection") == ["close"];
    if !head_only && !matches!(status, 204 | 304) {
        let length = reply.values("content-length").first().and_then(|value| value.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        if reply.values("transfer-encoding") == ["chunked"] {
            body = chunked(reader)?;
        }
        reply.body = body.into_iter().map(char::from).collect();
    }
    Some((reply, is_last))
}

fn chunked(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let octets = usize::from_str_radix(&line(reader)?, 16).ok()?;
        let mut chunk = vec![0; octets];
        reader.read_exact(&mut chunk).ok()?;
        body.extend(chunk);
        line(reader)?;
        if octets == 0 {
            return Some(body);
        }
    }
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
