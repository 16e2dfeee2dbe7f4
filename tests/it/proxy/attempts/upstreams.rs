//! Real servers on free ports, each with an application that tells what it reads.

use core::time::Duration;
use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

use super::super::process::Folder;

/// A servlet container takes some seconds, on a machine with other things to do many.
const PATIENCE: Duration = Duration::from_secs(120);

/// A server in a process of its own.
pub(super) struct Running {
    pub(super) name: &'static str,
    pub(super) port: u16,
    child: Child,
    _folder: Folder,
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// All of them, started side by side.
pub(super) fn all() -> Vec<Running> {
    let upstreams = vec![
        start("express4", |_, port| express("express", port)),
        start("express5", |_, port| express("express5", port)),
        start("gunicorn", gunicorn),
        start("waitress", |folder, port| python(folder, "waitress", port)),
        start("cheroot", |folder, port| python(folder, "cheroot", port)),
        start("tomcat", tomcat),
    ];
    let began = Instant::now();
    for Running { name, port, .. } in &upstreams {
        while TcpStream::connect(("127.0.0.1", *port)).is_err() {
            assert!(began.elapsed() < PATIENCE, "{name} does not listen");
            thread::sleep(Duration::from_millis(20));
        }
    }
    upstreams
}

fn start(name: &'static str, command: impl Fn(&Folder, u16) -> Command) -> Running {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
    let folder = Folder::new(&format!("attempts-{name}"));
    let mut command = command(&folder, port);
    let log = File::create(folder.0.join("log")).expect("a log");
    command.current_dir(&folder.0).stdin(Stdio::null()).stdout(log.try_clone().expect("a log")).stderr(log);
    let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error} (tests/run installs it)"));
    Running { name, port, child, _folder: folder }
}

fn express(package: &str, port: u16) -> Command {
    let fetched = concat!(env!("CARGO_MANIFEST_DIR"), "/target/node/node_modules");
    let mut command = Command::new("node");
    command.args(["-e", include_str!("express.js"), "--", package, &port.to_string()]);
    command.env("NODE_PATH", fetched);
    command
}

/// Debian's Python, which has Debian's packages.
fn python(folder: &Folder, server: &str, port: u16) -> Command {
    let mut command = Command::new("/usr/bin/python3");
    command.arg(folder.write("flask_app.py", include_str!("flask_app.py"))).args([server, &port.to_string()]);
    command
}

fn gunicorn(folder: &Folder, port: u16) -> Command {
    folder.write("flask_app.py", include_str!("flask_app.py"));
    let mut command = Command::new("/usr/bin/gunicorn");
    command.args(["--bind", &format!("127.0.0.1:{port}"), "--worker-tmp-dir", "/tmp", "flask_app:app"]);
    command
}

/// Tomcat from a base folder of its own, as a process, not as a service.
fn tomcat(folder: &Folder, port: u16) -> Command {
    for below in ["conf", "temp", "webapps/ROOT/WEB-INF"] {
        std::fs::create_dir_all(folder.0.join(below)).expect("a folder");
    }
    folder.write("conf/server.xml", include_str!("server.xml").replace("PORT", &port.to_string()));
    folder.write("conf/context.xml", include_str!("context.xml"));
    folder.write("webapps/ROOT/WEB-INF/web.xml", include_str!("web.xml"));
    folder.write("webapps/ROOT/servlet.jsp", include_str!("servlet.jsp"));
    let (home, base) = ("/usr/share/tomcat10", folder.0.display());
    let mut command = Command::new("java");
    command.args(["-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Djava.security.egd=file:/dev/./urandom"]);
    command.args(["-cp", &format!("{home}/bin/bootstrap.jar:{home}/bin/tomcat-juli.jar")]);
    command.args([format!("-Dcatalina.home={home}"), format!("-Dcatalina.base={base}")]);
    command.args([&format!("-Djava.io.tmpdir={base}/temp"), "org.apache.catalina.startup.Bootstrap", "start"]);
    command
}
