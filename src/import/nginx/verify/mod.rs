//! `--verify`: a real nginx beside the rules, asked the same.

mod address;
mod certificate;
mod client;
mod compare;
mod conf;
mod echo;
mod instrument;
mod nginx;
mod on_purpose;
mod random;
mod requests;
mod sample;
mod socket;
mod sources;
mod subject;
mod upstream_answer;
mod words;

pub use certificate::Certificate;
pub use client::Answer;
pub use compare::Outcome;
pub use echo::Received;
pub use nginx::Nginx;
pub use random::{Random, fresh_seed};
pub use subject::Subject;
pub use upstream_answer::UpstreamAnswer;

use crate::model::RequestRecord;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Requests of one exchange.
const BATCH: u64 = 512;

impl Subject {
    /// Asks the nginx at `binary` and the rules `requests` times the same.
    ///
    /// # Errors
    /// nginx cannot be started, does not take the configuration, or nothing could be compared: nothing is certified then.
    pub fn verify(&self, binary: &Path, requests: u64, seed: u64) -> io::Result<Certificate> {
        let nginx = Nginx::start(binary, self)?;
        let mut random = Random::new(seed);
        let mut certificate = Certificate { version: version(binary), ..Certificate::default() };
        let mut left = requests;
        while left > 0 {
            let batch = left.min(BATCH);
            left -= batch;
            let asked: Vec<RequestRecord> = (0..batch).map(|_| self.request(&mut random)).collect();
            let answers = nginx.ask(&asked)?;
            for (request, answer) in asked.iter().zip(&answers) {
                certificate.count(self, request, answer);
            }
        }
        certificate.close(self, &nginx);
        if certificate.agreed == 0 && certificate.differing == 0 {
            return Err(io::Error::other(format!("nothing could be compared\n{certificate}")));
        }
        Ok(certificate)
    }
}

/// `request` as a line for a shell.
pub fn curl(request: &RequestRecord) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
    let host = request.host.as_deref().unwrap_or("");
    let mut words = vec![match request.method.as_str() {
        "GET" => "curl -i".to_owned(),
        "HEAD" => "curl -I".to_owned(),
        method => format!("curl -i -X {method}"),
    }];
    words.push(format!("--path-as-is --request-target {}", quoted(&request.target)));
    words.extend(request.headers.iter().map(|(name, value)| format!("-H {}", quoted(&format!("{name}: {value}")))));
    if request.body > 0 {
        words.push(format!("-d \"$(head -c {} /dev/zero | tr '\\0' b)\"", request.body));
    }
    words.push(quoted(&format!("{}://{host}/", request.scheme)));
    let mut known = vec![format!("client {}", request.client)];
    known.extend(request.listener.iter().map(|listener| format!("listener {listener}")));
    known.extend(request.facts.iter().map(|(name, value)| format!("{name} {value}")));
    format!("{}   # {}", words.join(" "), known.join(", "))
}

/// Where `nginx` is, if it is installed.
pub fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin", "/usr/local/nginx/sbin"].map(PathBuf::from));
    folders.map(|folder| folder.join("nginx")).find(|binary| binary.is_file())
}

fn version(binary: &Path) -> String {
    let said = Command::new(binary).arg("-v").output().map(|output| output.stderr).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    said.trim().strip_prefix("nginx version: ").unwrap_or(said.trim()).to_owned()
}
