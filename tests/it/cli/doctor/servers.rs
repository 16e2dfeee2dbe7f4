//! Real servers on free ports, each with settings of its own, ended with the test.

use super::super::Folder;
use core::time::Duration;
use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

/// Longer than any of them takes to begin, on a machine with other things to do.
const PATIENCE: Duration = Duration::from_secs(40);

/// A server in a process of its own.
pub(super) struct Server {
    child: Child,
    pub(super) port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Asked, each of them ends its own processes, too.
        Command::new("kill").arg(self.child.id().to_string()).status().ok();
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(5) {
            if self.child.try_wait().is_ok_and(|ended| ended.is_some()) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A port that was free a moment ago.
pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Starts `command` and waits until `port` is open.
fn start(folder: &Folder, mut command: Command, port: u16) -> Server {
    let log = folder.path(&format!("log-{port}"));
    let output = File::create(&log).unwrap();
    command.current_dir(&folder.0).stdin(Stdio::null());
    command.stdout(output.try_clone().unwrap()).stderr(output);
    let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let server = Server { child, port };
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        assert!(began.elapsed() < PATIENCE, "{command:?} does not listen\n{said}");
        thread::sleep(Duration::from_millis(20));
    }
    server
}

/// `servers` stand in `http { }`; `PORT` in it is a free one.
pub(super) fn nginx(folder: &Folder, servers: &str) -> Server {
    let port = free_port();
    nginx_at(folder, &servers.replace("PORT", &port.to_string()), port)
}

/// The same, where `servers` have their ports; `port` is one of them.
pub(super) fn nginx_at(folder: &Folder, servers: &str, port: u16) -> Server {
    let conf = folder.file(
        &format!("nginx-{port}.conf"),
        &format!(
            "daemon off; master_process off; pid nginx-{port}.pid; error_log stderr;\nevents {{ }}\nhttp {{ access_log off; \
             client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; \
             scgi_temp_path scgi;\n{servers}\n}}\n"
        ),
    );
    let program = if std::path::Path::new("/usr/sbin/nginx").exists() { "/usr/sbin/nginx" } else { "nginx" };
    let mut command = Command::new(program);
    command.arg("-p").arg(&folder.0).arg("-c").arg(conf);
    start(folder, command, port)
}

/// Express on Node; `settings` is said of `server`.
pub(super) fn express(folder: &Folder, settings: &str) -> Server {
    let port = free_port();
    let script = folder.file(
        &format!("app-{port}.js"),
        &format!(
            "const app = require('express')();\napp.get('/', (request, answer) => answer.send('hello'));\n\
             const server = app.listen({port}, '127.0.0.1');\n{settings}\n"
        ),
    );
    let mut command = Command::new("node");
    // Where Debian has it, for a Node that is not Debian's.
    let fetched = concat!(env!("CARGO_MANIFEST_DIR"), "/target/node/node_modules");
    command.arg(script).env("NODE_PATH", format!("/usr/share/nodejs:{fetched}"));
    start(folder, command, port)
}

const APPLICATION: &str = "def application(environment, start):\n    start('200 OK', [('Content-Length', '5')])\n    \
                           return [b'' if environment['REQUEST_METHOD'] == 'HEAD' else b'hello']\n";

pub(super) fn gunicorn(folder: &Folder, arguments: &[&str]) -> Server {
    let port = free_port();
    folder.file("app.py", APPLICATION);
    let mut command = Command::new("gunicorn");
    command.args(["--bind", &format!("127.0.0.1:{port}"), "--worker-tmp-dir", "/tmp"]).args(arguments).arg("app");
    start(folder, command, port)
}

/// With its own router of HTTP before it.
pub(super) fn uwsgi(folder: &Folder, arguments: &[&str]) -> Server {
    let port = free_port();
    folder.file("app.py", APPLICATION);
    let mut command = Command::new("uwsgi");
    command.args(["--plugin", "http,python3", "--http", &format!("127.0.0.1:{port}"), "--master", "--die-on-term"]);
    command.args(["--wsgi-file", "app.py"]).args(arguments);
    start(folder, command, port)
}

/// The OpenSSL server, which shows a page about the connection to those who GET.
pub(super) fn openssl(folder: &Folder, certificate: &str, arguments: &[&str]) -> Server {
    let port = free_port();
    let mut command = Command::new("openssl");
    command.args(["s_server", "-www", "-accept", &format!("127.0.0.1:{port}")]);
    command.args(["-cert", &format!("{certificate}.pem"), "-key", &format!("{certificate}.key")]).args(arguments);
    start(folder, command, port)
}
