//! The data plane: serves a compiled policy.
#![forbid(unsafe_code)]

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use rulec::proxy::{AccessLog, Address, Config, Handle, Listener, LoadError, Policy, parse_address, serve};
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};

/// Requests allocate little and often; benches/README.md says what this saves.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Serves a compiled policy until SIGTERM or SIGINT, then lets requests in flight finish.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The artifact that `rulec compile` wrote.
    policy: PathBuf,
    /// Listeners, addresses of upstreams, keys.
    #[arg(long, value_name = "proxy.toml")]
    config: Option<PathBuf>,
    /// Address of the listener `default`; 127.0.0.1:8080 where nothing else is said.
    #[arg(long, value_name = "ADDR", value_parser = parse_address)]
    listen: Option<Address>,
    /// Address of /livez, /readyz and /status; `unix:PATH` for a socket.
    #[arg(long, value_name = "ADDR", value_parser = parse_address)]
    admin: Option<Address>,
    /// How many cores serve; all unless said.
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// Where a line of JSON for each request goes: `stdout` or `off`.
    #[arg(long, value_name = "WHERE", default_value = "stdout", value_parser = ["stdout", "off"])]
    access_log: String,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tell(&failure.message);
            ExitCode::from(failure.status)
        }
    }
}

struct Failure {
    message: String,
    status: u8,
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        Self { message: error.to_string(), status: if error.unreadable { 4 } else { 1 } }
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let config = configure(arguments)?;
    let policy = Policy::load(&arguments.policy, &config)?;
    let log = if arguments.access_log == "off" { AccessLog::Off } else { AccessLog::Stdout };
    let system = |error: &dyn core::fmt::Display| Failure { message: format!("error: {error}"), status: 4 };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| system(&error))?;
    runtime.block_on(async {
        // Before the first socket: a signal that comes early must not be lost.
        let mut terminate = signal(SignalKind::terminate()).map_err(|error| system(&error))?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| system(&error))?;
        let handle = serve(policy, &config, log).map_err(|error| system(&error))?;
        announce(&handle);
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tell_supervisor(NotifyState::Stopping);
        tell("stopping: requests in flight may finish");
        handle.stop();
        Ok(())
    })
}

fn configure(arguments: &Arguments) -> Result<Config, LoadError> {
    let mut config = match &arguments.config {
        Some(path) => Config::load(path)?,
        None => Config::default(),
    };
    let fallback = || parse_address("127.0.0.1:8080").ok().filter(|_| config.listeners.is_empty());
    if let Some(address) = arguments.listen.clone().or_else(fallback) {
        config.listeners.retain(|listener| listener.name != "default");
        config.listeners.push(Listener::new("default", address));
    }
    config.admin = arguments.admin.clone().or(config.admin);
    config.threads = arguments.threads;
    Ok(config)
}

fn announce(handle: &Handle) {
    for (name, address) in handle.addresses() {
        tell(&format!("listening on {address} ({name})"));
    }
    if let Some(address) = handle.admin() {
        tell(&format!("admin on {address}"));
    }
    tell_supervisor(NotifyState::Ready);
}

/// systemd, where it started this.
fn tell_supervisor(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tell(&format!("the supervisor cannot be told: {error}"));
    }
}

/// Standard output is the access log's.
fn tell(message: &str) {
    // Where standard error is closed nobody listens.
    drop(writeln!(io::stderr().lock(), "{message}"));
}
