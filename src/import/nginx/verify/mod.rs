//! `--verify`: a real nginx beside the rules, asked the same.

mod client;
mod compare;
mod echo;
mod instrument;
mod nginx;
mod random;
mod requests;
mod sample;
mod sources;
mod subject;
mod words;

pub use client::Answer;
pub use compare::Outcome;
pub use echo::Received;
pub use nginx::Nginx;
pub use random::{Random, fresh_seed};
pub use subject::Subject;

use crate::model::RequestRecord;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What came of all comparisons.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Certificate {
    /// Requests on which both agree.
    pub agreed: u64,
    /// Requests on which they differ on purpose, by reason.
    pub on_purpose: BTreeMap<&'static str, u64>,
    /// The first differences: the request as a curl line, and how both answer.
    pub differences: Vec<String>,
    /// All differences.
    pub differing: u64,
    /// Locations that were reached, of how many.
    pub locations: (usize, usize),
    /// Servers.
    pub servers: usize,
    /// What `nginx -v` says.
    pub version: String,
}

/// Differences that are shown: a reader looks at the first.
const SHOWN_MAX: usize = 20;
/// Requests of one exchange.
const BATCH: u64 = 512;

impl Subject {
    /// Asks the nginx at `binary` and the rules `requests` times the same.
    ///
    /// # Errors
    /// nginx cannot be started, or does not take the configuration.
    pub fn verify(&self, binary: &Path, requests: u64, seed: u64) -> io::Result<Certificate> {
        let nginx = Nginx::start(binary, &[self])?;
        let mut random = Random::new(seed);
        let mut certificate = Certificate { version: version(binary), ..Certificate::default() };
        let mut reached = BTreeSet::new();
        let mut left = requests;
        while left > 0 {
            let batch = left.min(BATCH);
            left -= batch;
            let asked: Vec<RequestRecord> = (0..batch).map(|_| self.request(&mut random)).collect();
            let answers = nginx.ask(self, &asked)?;
            for (request, answer) in asked.iter().zip(&answers) {
                certificate.count(self, request, answer);
                reached.extend(
                    answer.values("x-rulec-place").iter().map(|tag| (*tag).to_owned()).filter(|tag| tag != "s"),
                );
            }
        }
        let (locations, servers) = self.size();
        certificate.locations = (reached.len(), locations);
        certificate.servers = servers;
        Ok(certificate)
    }
}

impl Certificate {
    fn count(&mut self, subject: &Subject, request: &RequestRecord, answer: &Answer) {
        let Some(verdict) = subject.decide(request) else { return };
        match subject.compare(request, answer, &verdict) {
            Outcome::Same => self.agreed += 1,
            Outcome::OnPurpose(why) => *self.on_purpose.entry(why).or_default() += 1,
            Outcome::Differs(how) => {
                self.differing += 1;
                if self.differences.len() < SHOWN_MAX {
                    self.differences.push(format!("{}\n{how}", curl(request)));
                }
            }
        }
    }
}

impl core::fmt::Display for Certificate {
    /// Without the version: what agreed, over how much, and what could not be compared.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (reached, all) = self.locations;
        for (why, count) in &self.on_purpose {
            writeln!(f, "{count} requests not compared: {why}")?;
        }
        if self.differing > 0 {
            writeln!(f, "{} requests differ", self.differing)?;
        }
        writeln!(f, "{} requests agreed, over {reached} of {all} locations of {} servers", self.agreed, self.servers)
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
