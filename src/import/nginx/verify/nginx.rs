//! An nginx of our own: its own folder, sockets of the file system, stopped by its process.

use super::client::{self, Answer, CLIENT};
use super::echo::{Echo, socket};
use super::subject::Subject;
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
    child: Child,
    folder: Folder,
    _echo: Echo,
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

impl Nginx {
    /// The nginx at `binary` with all of `subjects`.
    ///
    /// # Errors
    /// It cannot be started, or does not take the configuration: then the message is nginx's own.
    pub fn start(binary: &Path, subjects: &[&Subject]) -> io::Result<Self> {
        let folder = Folder::new()?;
        let mut upstreams: Vec<String> =
            subjects.iter().flat_map(|subject| subject.instrumented.upstreams.iter().cloned()).collect();
        upstreams.sort();
        upstreams.dedup();
        let echo = Echo::start(&folder.0, &upstreams)?;
        std::fs::write(folder.0.join("nginx.conf"), conf(&upstreams, subjects))?;
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
        let mut nginx = Self { child, folder, _echo: echo };
        nginx.wait(subjects)?;
        Ok(nginx)
    }

    /// nginx binds its sockets one after the other: it is there once all can be connected to.
    fn wait(&mut self, subjects: &[&Subject]) -> io::Result<()> {
        let began = Instant::now();
        let sockets =
            subjects.iter().flat_map(|subject| subject.instrumented.sockets.iter().map(|(name, _)| name.as_str()));
        let sockets: Vec<&str> = core::iter::once("ready.sock").chain(sockets).collect();
        while sockets.iter().any(|name| UnixStream::connect(self.folder.0.join(name)).is_err()) {
            if self.child.try_wait()?.is_some() || began.elapsed() > START_MAX {
                return Err(io::Error::other(self.complaint()));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// What nginx says is wrong.
    fn complaint(&self) -> String {
        let read = |name: &str| std::fs::read_to_string(self.folder.0.join(name)).unwrap_or_default();
        let said = read("stderr");
        let line = said.lines().find(|line| line.contains("[emerg]")).unwrap_or("it does not start");
        let text = line.split_once("[emerg] ").map_or(line, |(_, text)| text);
        let number = text.rsplit_once("nginx.conf:").and_then(|(_, number)| number.parse::<usize>().ok());
        let conf = read("nginx.conf");
        let place = number.and_then(|number| conf.lines().nth(number.checked_sub(1)?));
        place.map_or_else(|| text.to_owned(), |place| format!("{text}: {}", place.trim()))
    }

    /// The answers to `requests`, which are for `subject`, in order.
    ///
    /// # Errors
    /// nginx has ended, or what it answers is no HTTP.
    pub fn ask(&self, subject: &Subject, requests: &[RequestRecord]) -> io::Result<Vec<Answer>> {
        let mut answers: Vec<Answer> = vec![Answer::default(); requests.len()];
        for (address, listener) in &subject.instrumented.sockets {
            let own: Vec<usize> = (0..requests.len())
                .filter(|index| requests.get(*index).is_some_and(|own| own.listener == *listener))
                .collect();
            let asked: Vec<RequestRecord> = own.iter().filter_map(|index| requests.get(*index).cloned()).collect();
            for (index, answer) in own.into_iter().zip(client::ask(&self.folder.0.join(address), &asked)?) {
                if let Some(place) = answers.get_mut(index) {
                    *place = answer;
                }
            }
        }
        Ok(answers)
    }
}

/// Reading the largest configurations takes nginx a second or two, on a busy machine some more.
const START_MAX: Duration = Duration::from_secs(30);

impl Drop for Nginx {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Sockets stand relative to the folder: the path of one may have 108 octets.
fn conf(upstreams: &[String], subjects: &[&Subject]) -> Vec<u8> {
    let mut conf = format!(
        "daemon off; master_process off; error_log error.log; pid nginx.pid;\n\
         events {{ worker_connections 4096; }}\n\
         http {{\n\
         access_log off; root /nonexistent/rulec; default_type text/plain; keepalive_requests 10000000;\n\
         server_names_hash_max_size 65536; server_names_hash_bucket_size 512; variables_hash_max_size 16384;\n\
         map_hash_max_size 65536; map_hash_bucket_size 512; types_hash_max_size 4096; proxy_headers_hash_max_size 4096;\n\
         proxy_headers_hash_bucket_size 256; large_client_header_buffers 8 32k; types {{ }}\n\
         client_body_temp_path c; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;\n\
         proxy_buffer_size 128k; proxy_buffers 8 128k; proxy_busy_buffers_size 256k;\n\
         proxy_http_version 1.1; proxy_set_header Connection \"\"; uninitialized_variable_warn off;\n\
         set_real_ip_from unix:; real_ip_header {CLIENT};\n\
         map $http_x_rulec_scheme $rulec_scheme {{ default http; https https; }}\n\
         map $http_x_rulec_scheme $rulec_https {{ default \"\"; https on; }}\n\
         server {{ listen unix:ready.sock; return 204; }}\n"
    )
    .into_bytes();
    for (index, name) in upstreams.iter().enumerate() {
        conf.extend(format!("upstream {name} {{ server unix:{}; keepalive 2; }}\n", socket(index)).bytes());
    }
    for subject in subjects {
        conf.extend(&subject.instrumented.text);
    }
    conf.extend(b"}\n");
    conf
}
