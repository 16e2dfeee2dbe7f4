//! The data plane: serves a compiled policy.
#![forbid(unsafe_code)]

use core::time::Duration;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use rulec::proxy::{
    AccessLog, Address, Config, Handle, Listener, LoadError, LogPlace, OperatorLog, Policy, Watch, parse_address,
    parse_log_place, serve,
};
use rulec::visible;
use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// How often what earlier policies hold is freed.
const TIDY_INTERVAL: Duration = Duration::from_secs(1);

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
    /// Address of /livez, /readyz, /status and /metrics; `unix:PATH` for a socket.
    #[arg(long, value_name = "ADDR", value_parser = parse_address)]
    admin: Option<Address>,
    /// How many cores serve; all unless said.
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// Where a line for each request goes: `stdout`, `off` or `file:PATH`; goes before `[log]`.
    #[arg(long, value_name = "WHERE", value_parser = parse_log_place)]
    access_log: Option<LogPlace>,
}

fn main() -> ExitCode {
    let log = match OperatorLog::start() {
        Ok(log) => log,
        Err(error) => {
            tell(&format!("error: {error}"));
            return ExitCode::from(4);
        }
    };
    let writer = log.clone();
    let lines = tracing_subscriber::fmt::layer().with_writer(move || writer.clone());
    tracing_subscriber::registry().with(lines.with_target(false).with_ansi(false)).with(own_lines()).init();
    let status = match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tell(&failure.message);
            ExitCode::from(failure.status)
        }
    };
    log.flush_all();
    status
}

/// Of what is traced only our own lines are for the operator: those of libraries are one a frame or a packet, at whatever
/// level, so that whoever sends them fills the log.
fn own_lines() -> Targets {
    Targets::new().with_targets([("rulec", LevelFilter::INFO), ("rulec_proxy", LevelFilter::INFO)])
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
    let place = arguments.access_log.clone().or_else(|| config.log.access.clone());
    let log = AccessLog::from(place.unwrap_or(LogPlace::Stdout));
    let system = |error: &dyn core::fmt::Display| Failure { message: format!("error: {error}"), status: 4 };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| system(&error))?;
    runtime.block_on(async {
        // Before the first socket: a signal that comes early must not be lost.
        let mut signals = Signals::new().map_err(|error| system(&error))?;
        let handle = serve(policy, &config, log).map_err(|error| system(&error))?;
        announce(&handle);
        serve_until_told(arguments, &config, &handle, &mut signals).await;
        tell_supervisor(&[NotifyState::Stopping]);
        tracing::info!("stopping: requests in flight may finish; a second signal ends at once");
        // Stopping waits for threads: signals must be heard meanwhile.
        let stopped = tokio::task::spawn_blocking(move || handle.stop());
        tokio::select! {
            _ = stopped => {}
            () = signals.end() => {
                // Not by returning, which would wait for them.
                tell("ended at once: requests in flight are cut off");
                std::process::exit(1);
            }
        }
        tracing::info!("stopped");
        Ok(())
    })
}

/// What others say to the process.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    reload: Signal,
    reopen: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            reload: signal(SignalKind::hangup())?,
            reopen: signal(SignalKind::user_defined1())?,
        })
    }

    /// Returns once the process is told to end.
    async fn end(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Takes over what changes, until a signal says to end.
async fn serve_until_told(arguments: &Arguments, config: &Config, handle: &Handle, signals: &mut Signals) {
    let mut watch = Watch::new(files(arguments, config));
    loop {
        tokio::select! {
            _ = signals.terminate.recv() => break,
            _ = signals.interrupt.recv() => break,
            _ = signals.reload.recv() => handle.reopen_log(),
            _ = signals.reopen.recv() => {
                handle.reopen_log();
                continue;
            }
            () = watch.changed() => {}
            () = tokio::time::sleep(TIDY_INTERVAL) => {
                handle.tidy();
                continue;
            }
        }
        let mut watched = None;
        tell_reloading();
        let served = handle.reload(|before| {
            let config = reconfigure(arguments, config)?;
            watched = Some(files(arguments, &config));
            Policy::load_again(&arguments.policy, &config, before)
        });
        // Told by the reload itself; the policy before goes on serving.
        drop(served);
        tell_supervisor(&[NotifyState::Ready]);
        if let Some(files) = watched {
            watch.set(files);
        }
    }
}

/// The configuration read again. Sockets stay as they are.
fn reconfigure(arguments: &Arguments, running: &Config) -> Result<Config, LoadError> {
    let mut config = configure(arguments)?;
    let sockets = |config: &Config| format!("{:?} {:?}", config.listeners, config.admin);
    if sockets(&config) != sockets(running) {
        tracing::warn!("what listeners and `[admin]` say has changed, and counts from the next start on");
    }
    config.listeners.clone_from(&running.listeners);
    config.admin.clone_from(&running.admin);
    Ok(config)
}

/// All files that a reload reads.
fn files(arguments: &Arguments, config: &Config) -> Vec<PathBuf> {
    let mut files = vec![arguments.policy.clone()];
    files.extend(arguments.config.clone());
    files.extend(config.files());
    files
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
    tell_supervisor(&[NotifyState::Ready]);
}

/// A reload has begun; systemd wants to know when, by its clock.
fn tell_reloading() {
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        tell_supervisor(&[NotifyState::Reloading, now]);
    }
}

/// systemd, where it started this.
fn tell_supervisor(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the supervisor cannot be told");
    }
}

/// What whoever starts it reads first, as it always was: no time, no level. Standard output is the access log's.
fn tell(message: &str) {
    // Where standard error is closed nobody listens.
    drop(writeln!(io::stderr().lock(), "{}", visible::lines(message, false)));
}
