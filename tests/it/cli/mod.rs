//! The author's tool, as a shell runs it.

mod check;
mod clients;
mod compile;
mod decide;
mod docs;
mod doctor;
mod echo;
mod examples;
mod explain;
mod import;
mod keys;
mod later;
mod live;
mod run;
mod strangers;
mod test;

use core::sync::atomic::{AtomicU32, Ordering};
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What came of a command.
#[derive(Debug)]
struct Ran {
    status: i32,
    out: String,
    err: String,
}

/// The tool, started in the root of the project, without colours.
fn command<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rulec"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).env("NO_COLOR", "1");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs the tool with `input` as its standard input.
fn rulec_with<S: AsRef<OsStr>>(input: &str, arguments: impl IntoIterator<Item = S>) -> Ran {
    let mut child = command(arguments).spawn().unwrap();
    // A command that reads no input may have ended by now.
    child.stdin.take().unwrap().write_all(input.as_bytes()).ok();
    let output = child.wait_with_output().unwrap();
    Ran {
        status: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn rulec<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Ran {
    rulec_with("", arguments)
}

/// A folder of its own for each test, gone at its end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("rulec-cli-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Writes `text` to the file `name` and says where it is.
    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// The example policies, in the order of their names.
fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "rules"));
    paths.sort();
    paths
}

/// A policy without a mistake, with one test.
const FINE: &str = r#"
service site {
    server_name site.test;
    location = / { return 200 "home"; }
    location /old { return 307 /new; }
}
test "home" { GET http://site.test/ -> 200 "home"; }
"#;

/// A policy that does not compile.
const BROKEN: &str = "service site { server_name site.test; location / { proxy nowhere; } }\n";
