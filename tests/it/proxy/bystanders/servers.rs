//! Servers that people have: Node's and nghttp2's.

use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::proxy::harness::wait_until;

/// One of them, with `/big`, which no buffers hold, and `/small`.
pub(super) struct Server {
    pub(super) port: u16,
    process: Child,
    folder: Option<PathBuf>,
}

impl Server {
    /// It takes so many requests at once on a connection.
    pub(super) fn node(streams: usize) -> Self {
        let mut command = Command::new("node");
        command.args(["-e", include_str!("server.js"), &streams.to_string()]);
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("tests/run installs node");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped")).read_line(&mut line).expect("it says its port");
        Self { port: line.trim().parse().expect("a port"), process, folder: None }
    }

    pub(super) fn nghttpd(streams: usize) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").expect("binds").local_addr().expect("address").port();
        let folder = std::env::temp_dir().join(format!("rulec-nghttpd-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("folder");
        std::fs::write(folder.join("big"), vec![b'x'; 16 << 20]).expect("writes");
        std::fs::write(folder.join("small"), "small").expect("writes");
        let mut command = Command::new("nghttpd");
        command.args(["--no-tls", "--address=127.0.0.1", &format!("--max-concurrent-streams={streams}")]);
        command.arg(format!("--htdocs={}", folder.display())).arg(port.to_string());
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("tests/run installs nghttpd");
        wait_until(|| TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { port, process, folder: Some(folder) }
    }

    /// A service for every host around `locations`, with this server as `up`.
    pub(super) fn rules(&self, locations: &str) -> String {
        let port = self.port;
        format!("upstream up {{ server 127.0.0.1:{port}; protocol http2; }}\nservice all default {{\n{locations}\n}}\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
        if let Some(folder) = &self.folder {
            std::fs::remove_dir_all(folder).ok();
        }
    }
}
