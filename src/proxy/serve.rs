//! Starts and stops serving: one thread and one runtime a core.

use core::fmt;
use core::sync::atomic::Ordering;
use core::time::Duration;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, PoisonError, RwLock, mpsc};
use std::thread::{self, JoinHandle};

use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::access_log::{self, AccessLog, Format, Log};
use super::admin::{self, Admin};
use super::config::{Address, Config, Listener};
use super::limits::HANDSHAKES_MAX;
use super::listener::{Bound, Door, Inherited, Queue, Termination, Watch, accept, bind, watch};
use super::policy::Policy;
use super::shared::Shared;
use super::upstream;
use super::worker::Worker;

/// A gateway that serves, until it is stopped or dropped.
#[derive(Debug)]
pub struct Handle {
    pub(super) shared: Arc<Shared>,
    addresses: Vec<(String, Address)>,
    admin: Option<Address>,
    stop: watch::Sender<bool>,
    /// No core serves any more.
    drained: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
    log: Option<Arc<Log>>,
    writer: Option<JoinHandle<()>>,
    admin_thread: Option<JoinHandle<()>>,
    sockets: Vec<PathBuf>,
    certificates: Option<Watch>,
}

/// Why serving could not begin.
#[derive(Debug)]
#[non_exhaustive]
pub struct StartError {
    /// What was tried, with its address.
    pub what: String,
    /// What the system says.
    pub error: io::Error,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.error)
    }
}

impl core::error::Error for StartError {}

/// Begins to serve `policy` as `config` says; returns once every socket is bound.
///
/// # Errors
/// Where a socket cannot be bound or a thread not be started; nothing is left behind then.
pub fn serve(policy: Policy, config: &Config, log: AccessLog) -> Result<Handle, StartError> {
    let cores = config.cores();
    let shared = Shared::new(policy, config.limits, cores);
    let failed = |what: &str| {
        let what = what.to_owned();
        move |error| StartError { what, error }
    };
    let (stop, stopped) = watch::channel(false);
    let (drained, all_drained) = watch::channel(false);
    let mut handle = Handle {
        shared: Arc::clone(&shared),
        addresses: Vec::new(),
        admin: None,
        stop,
        drained,
        threads: Vec::new(),
        log: None,
        writer: None,
        admin_thread: None,
        sockets: Vec::new(),
        certificates: None,
    };
    let (log, writer) = access_log::start(log, "access-log").map_err(failed("access log"))?;
    handle.log = Some(Arc::clone(&log));
    handle.writer = writer;
    let mut inherited = Inherited::take();
    let mut by_core: Vec<Vec<Opened>> = (0..cores).map(|_| Vec::new()).collect();
    let mut terminations = Vec::new();
    for listener in &config.listeners {
        let what = format!("listener `{}` at {}", listener.name, listener.address);
        let tls = termination(listener).map_err(failed(&what))?;
        terminations.extend(tls.iter().map(|tls| (listener.name.clone(), Arc::clone(tls))));
        let (sockets, address) =
            bind(&listener.address, listener.mode, cores, &mut inherited).map_err(failed(&what))?;
        handle.bound(&listener.address);
        handle.addresses.push((listener.name.clone(), address));
        for (at, socket) in sockets.into_iter().enumerate() {
            if let Some(core) = by_core.get_mut(at % cores) {
                core.push(Opened { listener: listener.clone(), tls: tls.clone(), socket });
            }
        }
    }
    if !terminations.is_empty() {
        handle.certificates = Some(watch(terminations, Arc::clone(&shared)).map_err(failed("certificates thread"))?);
    }
    if let Some(address) = &config.admin {
        let what = format!("admin at {address}");
        if let Some(problem) = config.admin_problem() {
            return Err(failed(&what)(io::Error::new(io::ErrorKind::InvalidInput, problem)));
        }
        let (sockets, bound) = bind(address, None, 1, &mut inherited).map_err(failed(&what))?;
        handle.bound(address);
        handle.admin = Some(bound);
        let admin = Admin::new(&shared, &log, config.admin_token.as_ref()).map_err(failed("admin token"))?;
        let run = move || admin::run(&admin, sockets, all_drained);
        let thread = thread::Builder::new().name("admin".to_owned()).spawn(run).map_err(failed("admin thread"))?;
        handle.admin_thread = Some(thread);
    }
    start_cores(&mut handle, by_core, &stopped, (&log, config.log.format)).map_err(failed("core thread"))?;
    Ok(handle)
}

/// Starts a thread for each core. None accepts before all have what they need themselves: what is left of the
/// descriptors then is for clients and upstreams.
fn start_cores(
    handle: &mut Handle,
    by_core: Vec<Vec<Opened>>,
    stopped: &watch::Receiver<bool>,
    (log, format): (&Arc<Log>, Format),
) -> io::Result<()> {
    let begins = Arc::new(RwLock::new(false));
    // They wait for it. Where something fails below it stays false, and they end.
    let mut held = begins.write().unwrap_or_else(PoisonError::into_inner);
    let (told, made) = mpsc::channel();
    for (core, listeners) in by_core.into_iter().enumerate() {
        let (shared, stopped, log) = (Arc::clone(&handle.shared), stopped.clone(), Arc::clone(log));
        let (told, begins) = (told.clone(), Arc::clone(&begins));
        let checks = core == 0;
        handle.spawn(&format!("core-{core}"), move || {
            let (runtime, outcome) = match runtime() {
                Ok(runtime) => (Some(runtime), Ok(())),
                Err(error) => (None, Err(error)),
            };
            drop(told.send(outcome));
            drop(told);
            let begins = begins.read().is_ok_and(|begins| *begins);
            if let Some(runtime) = runtime.filter(|_| begins) {
                run_core(&runtime, shared, listeners, &stopped, (log, format), checks);
                // What did not finish in time is dropped with its connections.
                runtime.shutdown_timeout(Duration::from_millis(100));
            }
        })?;
    }
    drop(told);
    made.iter().collect::<io::Result<()>>()?;
    handle.shared.descriptors.begin();
    *held = true;
    Ok(())
}

/// A listener with one of its sockets.
struct Opened {
    listener: Listener,
    tls: Option<Arc<Termination>>,
    socket: Bound,
}

fn termination(listener: &Listener) -> io::Result<Option<Arc<Termination>>> {
    let Some(words) = &listener.tls else { return Ok(None) };
    let made = Termination::new(words, listener.http2).map_err(io::Error::other)?;
    Ok(Some(Arc::new(made)))
}

impl Handle {
    /// The listeners with the addresses they are bound to.
    pub fn addresses(&self) -> &[(String, Address)] {
        &self.addresses
    }

    /// Where health and counters are told.
    pub fn admin(&self) -> Option<&Address> {
        self.admin.as_ref()
    }

    /// From the next request on, `policy` decides; requests that have begun keep to the old one.
    pub fn replace(&self, policy: Policy) {
        self.shared.replace(policy);
    }

    /// The file that the access log is written to is opened again: somebody has moved the one before away.
    pub fn reopen_log(&self) {
        if let Some(log) = &self.log {
            log.reopen();
        }
    }

    /// Counts of all meters since the start.
    pub fn meters(&self) -> std::collections::BTreeMap<String, u64> {
        self.shared.meters()
    }

    /// Accepts nothing more, lets requests in flight finish, for as long as the limits say, and ends.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        self.stop.send_replace(true);
        self.certificates = None;
        let end = |thread: JoinHandle<()>| {
            // A thread that panicked has ended, too.
            drop(thread.join());
        };
        self.threads.drain(..).for_each(end);
        // Until here it has told that the gateway is not ready, and what is still in flight.
        self.drained.send_replace(true);
        self.admin_thread.take().map(end).unwrap_or_default();
        // With the last who could write a line the log ends.
        drop(self.log.take());
        self.writer.take().map(end).unwrap_or_default();
        for path in self.sockets.drain(..) {
            drop(std::fs::remove_file(path));
        }
    }

    fn bound(&mut self, address: &Address) {
        if let Address::Unix(path) = address {
            self.sockets.push(path.clone());
        }
    }

    fn spawn(&mut self, name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
        self.threads.push(thread::Builder::new().name(name.to_owned()).spawn(run)?);
        Ok(())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.end();
    }
}

/// A runtime for one thread, whose tasks need not be `Send`.
pub(super) fn runtime() -> io::Result<LocalRuntime> {
    Builder::new_current_thread().enable_all().build_local(LocalOptions::default())
}

/// `checks`: this core asks the upstreams that want to be asked whether they work.
fn run_core(
    runtime: &LocalRuntime,
    shared: Arc<Shared>,
    listeners: Vec<Opened>,
    stopped: &watch::Receiver<bool>,
    (log, format): (Arc<Log>, Format),
    checks: bool,
) {
    if checks {
        runtime.spawn_local(upstream::check::run(Arc::clone(&shared)));
    }
    let worker = Worker::new(shared, log, format);
    let lines = Rc::clone(&worker);
    runtime.spawn_local(async move { lines.log.run().await });
    let queue = Rc::new(Queue::new(HANDSHAKES_MAX));
    for Opened { listener, tls, socket } in listeners {
        let (worker, queue) = (Rc::clone(&worker), Rc::clone(&queue));
        let door = Door { worker, listener: Rc::new(listener), port: socket.port(), tls, queue };
        runtime.spawn_local(accept(Rc::new(door), socket, stopped.clone()));
    }
    runtime.block_on(supervise(worker, stopped.clone()));
}

/// Tidies once a second; returns when the gateway stops and no connection is left, or the time for that is up.
async fn supervise(worker: Rc<Worker>, mut stopped: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = sleep(Duration::from_secs(1)) => {
                worker.sweep();
                worker.shared.descriptors.tidy();
            }
            _ = stopped.wait_for(|stop| *stop) => break,
        }
    }
    let deadline = Instant::now() + worker.shared.limits.stop_time_max;
    while worker.connections() > 0 && Instant::now() < deadline {
        sleep_until(deadline.min(Instant::now() + Duration::from_millis(10))).await;
    }
    worker.end();
}
