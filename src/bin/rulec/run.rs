//! `rulec run`: compile, serve, and compile again whenever a file changes.

use crate::arguments::Run;
use crate::console::{self, Console};
use crate::policy;
use crate::status::{Status, Stop};
use core::time::Duration;
use rulec::model::Loaded;
use rulec::proxy::{self, AccessLog, Config, Handle, Policy};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::SystemTime;

/// How often files are looked at: soon enough for a person who saves and asks.
const INTERVAL: Duration = Duration::from_millis(250);

/// Serves until the process is ended. What does not compile is shown, and what served before goes on serving.
pub(crate) fn run(arguments: &Run, console: Console) -> Result<Status, Stop> {
    let config = config(arguments)?;
    let (policy, mut watched) = build(arguments, &config, console)?;
    let handle = proxy::serve(policy, &config, AccessLog::Stdout)
        .map_err(|failed| Stop::Io { what: failed.what, error: failed.error })?;
    announce(&handle, &arguments.file);
    let mut seen = stamps(&watched);
    loop {
        thread::sleep(INTERVAL);
        let now = stamps(&watched);
        if now == seen {
            continue;
        }
        seen = now;
        match rebuild(arguments, &config, console, &handle) {
            Ok(files) => {
                if watched != files {
                    seen = stamps(&files);
                    watched = files;
                }
                console::say(&format!("{} is compiled and serves", arguments.file.display()));
            }
            Err(stop) => {
                console::complain(&stop);
                console::say("the policy before goes on serving");
            }
        }
    }
}

fn config(arguments: &Run) -> Result<Config, Stop> {
    let listen = arguments.listen.as_deref();
    let address = |text: &str| proxy::parse_address(text).map_err(Stop::Usage);
    let Some(path) = &arguments.config else {
        return Ok(Config::listen(address(listen.unwrap_or("127.0.0.1:8080"))?));
    };
    let mut config = Config::load(path).map_err(|error| Stop::Input(error.to_string()))?;
    if let Some(listen) = listen {
        config.listeners = Config::listen(address(listen)?).listeners;
    }
    Ok(config)
}

/// A policy that can be served, and the files that it was made from.
fn build(arguments: &Run, config: &Config, console: Console) -> Result<(Policy, Vec<PathBuf>), Stop> {
    let loaded = policy::load(&arguments.file)?;
    let bytes = policy::compile(&loaded, console)?.bytes;
    let policy = Policy::new(bytes, config).map_err(|error| Stop::Input(error.to_string()))?;
    Ok((policy, files(&loaded)))
}

/// What [`build`] gives takes over, with the connections to upstreams that stay as they are.
fn rebuild(arguments: &Run, config: &Config, console: Console, handle: &Handle) -> Result<Vec<PathBuf>, Stop> {
    let loaded = policy::load(&arguments.file)?;
    let bytes = policy::compile(&loaded, console)?.bytes;
    let served = handle.reload(|before| Policy::renew(bytes, config, before));
    handle.tidy();
    served.map_err(|error| Stop::Input(error.to_string()))?;
    Ok(files(&loaded))
}

fn files(loaded: &Loaded) -> Vec<PathBuf> {
    loaded.sources.iter().map(|(_, source)| PathBuf::from(&source.name)).collect()
}

fn announce(handle: &Handle, file: &Path) {
    let addresses: Vec<String> = handle.addresses().iter().map(|(_, address)| address.to_string()).collect();
    console::say(&format!("{} serves on {}; Ctrl-C ends", file.display(), addresses.join(", ")));
}

/// When each file was changed, and its length; None where it is not there.
fn stamps(files: &[PathBuf]) -> Vec<Option<(SystemTime, u64)>> {
    let stamp = |path: &PathBuf| {
        let about = fs::metadata(path).ok()?;
        Some((about.modified().ok()?, about.len()))
    };
    files.iter().map(stamp).collect()
}
