//! An nginx of our own: its own folder, its own sockets, stopped by its process.

use super::client::{self, Answer, CLIENT};
use super::conf::Conf;
use super::echo::{Echo, TOLD_BY, socket};
use super::instrument::Instrumented;
use super::socket::Bound;
use super::subject::Subject;
use crate::diagnostic::Span;
use crate::model::RequestRecord;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// A running nginx; it ends with it.
#[derive(Debug)]
pub struct Nginx {
    running: Running,
    echo: Echo,
    /// Directives that this nginx does not take and that no decision needs: the name, the place, what it says of it.
    pub(super) refused: Vec<(String, Span, String)>,
}

/// A folder that goes with its owner.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn new() -> io::Result<Self> {
        static FOLDERS: AtomicU64 = AtomicU64::new(0);
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("rulec-nginx-{}-{number}", std::process::id()));
        // What an earlier process of this number has left behind.
        drop(std::fs::remove_dir_all(&path));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// Modules that an nginx may lack: a configuration uses some dozens of their directives at most.
const ATTEMPTS_MAX: usize = 100;

impl Nginx {
    /// The nginx at `binary` with `subject`.
    ///
    /// What it does not take and no decision needs is left out, and said in the certificate.
    ///
    /// # Errors
    /// It cannot be started, or does not take the configuration: then the message is nginx's own.
    pub fn start(binary: &Path, subject: &Subject) -> io::Result<Self> {
        let instrumented = &subject.instrumented;
        let upstreams: Vec<String> = instrumented.upstreams().into_iter().collect();
        let (mut dropped, mut refused) = (Vec::new(), Vec::new());
        for _ in 0..ATTEMPTS_MAX {
            let folder = Folder::new()?;
            let echo = Echo::start(&folder.0, &upstreams)?;
            match Running::start(binary, folder, instrumented, &upstreams, &dropped)? {
                Ok(running) => return Ok(Self { running, echo, refused }),
                Err(complaint) => match complaint.directive {
                    Some(index) => dropped.extend(complaint.without(index, &instrumented.conf, &mut refused)),
                    None if complaint.text.contains("Address already in use") => {}
                    None => return Err(io::Error::other(complaint.text)),
                },
            }
        }
        Err(io::Error::other(format!("it refuses more than {ATTEMPTS_MAX} directives")))
    }

    /// The answers to `requests`, which are for `subject`, in order.
    ///
    /// # Errors
    /// nginx has ended, or what it answers is no HTTP.
    pub fn ask(&self, requests: &[RequestRecord]) -> io::Result<Vec<Answer>> {
        let mut answers: Vec<Answer> = vec![Answer::default(); requests.len()];
        for bound in &self.running.sockets {
            let own: Vec<usize> = (0..requests.len())
                .filter(|index| requests.get(*index).is_some_and(|own| own.listener == bound.socket.listener))
                .collect();
            let asked: Vec<RequestRecord> = own.iter().filter_map(|index| requests.get(*index).cloned()).collect();
            for (index, mut answer) in own.into_iter().zip(client::ask(bound, &self.running.folder.0, &asked)?) {
                answer.received = answer.values(TOLD_BY).first().and_then(|number| self.echo.received(number));
                for (_, value) in answer.headers.iter_mut().filter(|(name, _)| name == "location") {
                    *value = bound.restored(value);
                }
                if let Some(place) = answers.get_mut(index) {
                    *place = answer;
                }
            }
        }
        Ok(answers)
    }
}

impl Nginx {
    /// How many requests upstreams received that no answer told of: copies, and those whose answer was replaced.
    pub(super) fn untold(&self) -> usize {
        self.echo.unasked()
    }
}

/// A process, and where it listens.
#[derive(Debug)]
struct Running {
    child: Child,
    folder: Folder,
    sockets: Vec<Bound>,
}

/// What nginx says is wrong.
struct Complaint {
    text: String,
    /// The directive that it is about, where nginx can do without.
    directive: Option<usize>,
}

impl Complaint {
    /// What has to be dropped for the directive number `index` to be gone; it is noted in `refused`.
    fn without(&self, index: usize, conf: &Conf, refused: &mut Vec<(String, Span, String)>) -> Vec<usize> {
        let is_unknown = self.text.contains("unknown directive");
        let gone = if is_unknown { conf.namesakes(index) } else { vec![index] };
        let why = self.text.split(" in ").next().unwrap_or(&self.text);
        for (name, span) in gone.iter().filter_map(|index| conf.directive(*index)) {
            refused.push((name.clone(), *span, why.to_owned()));
        }
        gone
    }
}

impl Running {
    fn start(
        binary: &Path,
        folder: Folder,
        instrumented: &Instrumented,
        upstreams: &[String],
        dropped: &[usize],
    ) -> io::Result<Result<Self, Complaint>> {
        let sockets = instrumented.sockets.iter().map(super::socket::Socket::bound).collect::<io::Result<Vec<_>>>()?;
        let lines = lines(instrumented, upstreams, &sockets, dropped);
        let text: Vec<u8> = lines.iter().flat_map(|(line, _)| line.iter().copied().chain([b'\n'])).collect();
        std::fs::write(folder.0.join("nginx.conf"), text)?;
        std::fs::write(folder.0.join("users"), "user:{PLAIN}password\n")?;
        let said = std::fs::File::create(folder.0.join("stderr"))?;
        let child = Command::new(binary)
            .arg("-p")
            .arg(&folder.0)
            .arg("-c")
            .arg("nginx.conf")
            .arg("-e")
            .arg("error.log")
            .current_dir(&folder.0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(said)
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", binary.display())))?;
        let mut running = Self { child, folder, sockets };
        if running.is_up()? { Ok(Ok(running)) } else { Ok(Err(running.complaint(&lines))) }
    }

    /// nginx binds its sockets one after the other: it is there once all can be connected to.
    fn is_up(&mut self) -> io::Result<bool> {
        let began = Instant::now();
        let is_missing = |running: &Self| {
            UnixStream::connect(running.folder.0.join(READY)).is_err()
                || running.sockets.iter().any(|bound| bound.connect(&running.folder.0).is_err())
        };
        while is_missing(self) {
            if self.child.try_wait()?.is_some() || began.elapsed() > START_MAX {
                return Ok(false);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        // A port may be somebody else's, who was quicker.
        Ok(self.child.try_wait()?.is_none())
    }

    fn complaint(&self, lines: &[(Vec<u8>, Option<usize>)]) -> Complaint {
        let said = std::fs::read_to_string(self.folder.0.join("stderr")).unwrap_or_default();
        let line = said.lines().find(|line| line.contains("[emerg]")).unwrap_or("it does not start");
        let text = line.split_once("[emerg] ").map_or(line, |(_, text)| text);
        let number = text.rsplit_once("nginx.conf:").and_then(|(_, number)| number.parse::<usize>().ok());
        let place = number.and_then(|number| lines.get(number.checked_sub(1)?));
        let shown = place.map(|(line, _)| String::from_utf8_lossy(line).trim().to_owned());
        Complaint {
            text: shown.map_or_else(|| text.to_owned(), |shown| format!("{text}: {shown}")),
            directive: place.and_then(|(_, directive)| *directive),
        }
    }
}

/// A socket of ours, so that there is one where the configuration has no server.
const READY: &str = "ready.sock";
/// Reading the largest configurations takes nginx a second or two, on a busy machine some more.
const START_MAX: Duration = Duration::from_secs(30);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What `http` says where the author does not; each line begins with the name of its directive.
const UNSAID: &[&str] = &[
    "server_names_hash_max_size 65536;",
    "server_names_hash_bucket_size 512;",
    "variables_hash_max_size 16384;",
    "map_hash_max_size 65536;",
    "map_hash_bucket_size 512;",
    "types_hash_max_size 4096;",
    "proxy_headers_hash_max_size 4096;",
    "proxy_headers_hash_bucket_size 256;",
    "uninitialized_variable_warn off;",
    "root /nonexistent/rulec;",
    "proxy_http_version 1.1;",
    "proxy_set_header Connection \"\";",
];

/// All that nginx reads. Sockets stand relative to the folder: the path of one may have 108 bytes.
fn lines(
    instrumented: &Instrumented,
    upstreams: &[String],
    sockets: &[Bound],
    dropped: &[usize],
) -> Vec<(Vec<u8>, Option<usize>)> {
    let mut head = format!(
        "daemon off; master_process off; error_log error.log; pid nginx.pid;\n\
         events {{ worker_connections 4096; }}\n\
         http {{\n\
         access_log off; keepalive_requests 10000000;\n\
         client_body_temp_path c; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;\n\
         set_real_ip_from unix:; set_real_ip_from 127.0.0.1; real_ip_header {CLIENT};\n\
         server {{ listen unix:{READY}; return 204; }}\n"
    );
    let is_unsaid = |line: &&&str| !instrumented.http_names.contains(line.split(' ').next().unwrap_or(line));
    for line in UNSAID.iter().filter(is_unsaid) {
        head.push_str(line);
        head.push('\n');
    }
    for (index, name) in upstreams.iter().enumerate() {
        head.push_str(&format_args!("upstream {name} {{ server unix:{}; keepalive 2; }}\n", socket(index)).to_string());
    }
    let mut lines: Vec<(Vec<u8>, Option<usize>)> = head.lines().map(|line| (line.as_bytes().to_vec(), None)).collect();
    for (line, of) in instrumented.conf.lines(dropped) {
        let is_listen = line.starts_with(b"listen 127.0.0.1:");
        let line = if is_listen {
            let text = String::from_utf8_lossy(&line).into_owned();
            sockets.iter().fold(text, |text, bound| bound.put_in(&text)).into_bytes()
        } else {
            line
        };
        lines.push((line, of));
    }
    // Behind the author's tables: the first table closes what is said of their sizes.
    let variable = format!("http_{}", client::SCHEME.to_ascii_lowercase().replace('-', "_"));
    let tail = format!(
        "map ${variable} $rulec_scheme {{ default http; https https; }}\n\
         map ${variable} $rulec_https {{ default \"\"; https on; }}\n\
         }}\n"
    );
    lines.extend(tail.lines().map(|line| (line.as_bytes().to_vec(), None)));
    lines
}
