//! Starts and stops serving: one thread and one runtime a core.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr};
use core::sync::atomic::Ordering;
use core::time::Duration;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::access_log::{self, AccessLog, Sender};
use super::admin;
use super::client::{self, Stream};
use super::config::{Address, Config, Listener};
use super::limits::CONNECTIONS_MAX;
use super::listen::{Bound, bind};
use super::policy::Policy;
use super::shared::Shared;
use super::worker::Worker;

/// A gateway that serves, until it is stopped or dropped.
#[derive(Debug)]
pub struct Handle {
    shared: Arc<Shared>,
    addresses: Vec<(String, Address)>,
    admin: Option<Address>,
    stop: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
    log: Option<JoinHandle<()>>,
    sockets: Vec<PathBuf>,
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
    let shared = Shared::new(policy, config.limits);
    let failed = |what: &str| {
        let what = what.to_owned();
        move |error| StartError { what, error }
    };
    let (stop, stopped) = watch::channel(false);
    let mut handle = Handle {
        shared: Arc::clone(&shared),
        addresses: Vec::new(),
        admin: None,
        stop,
        threads: Vec::new(),
        log: None,
        sockets: Vec::new(),
    };
    // After the handle: where something fails below, the sender goes first, or the handle would wait for the writer.
    let (log, writer) = access_log::start(log).map_err(failed("access log"))?;
    handle.log = writer;
    let mut by_core: Vec<Vec<(Listener, Bound)>> = (0..cores).map(|_| Vec::new()).collect();
    for listener in &config.listeners {
        let what = format!("listener `{}` at {}", listener.name, listener.address);
        let (sockets, address) = bind(&listener.address, cores).map_err(failed(&what))?;
        handle.bound(&address);
        handle.addresses.push((listener.name.clone(), address));
        for (core, socket) in by_core.iter_mut().zip(sockets) {
            core.push((listener.clone(), socket));
        }
    }
    if let Some(address) = &config.admin {
        let what = format!("admin at {address}");
        let (sockets, address) = bind(address, 1).map_err(failed(&what))?;
        handle.bound(&address);
        handle.admin = Some(address);
        let (shared, stopped, log) = (Arc::clone(&shared), stopped.clone(), log.clone());
        handle.spawn("admin", move || admin::run(&shared, sockets, stopped, &log)).map_err(failed("admin thread"))?;
    }
    for (core, listeners) in by_core.into_iter().enumerate() {
        let (shared, stopped, log) = (Arc::clone(&shared), stopped.clone(), log.clone());
        let name = format!("core-{core}");
        handle.spawn(&name, move || run_core(shared, listeners, &stopped, log)).map_err(failed("core thread"))?;
    }
    Ok(handle)
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
        for thread in self.threads.drain(..).chain(self.log.take()) {
            // A thread that panicked has ended, too.
            drop(thread.join());
        }
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

fn run_core(shared: Arc<Shared>, listeners: Vec<(Listener, Bound)>, stopped: &watch::Receiver<bool>, log: Sender) {
    let Ok(runtime) = runtime() else { return };
    let worker = Worker::new(shared, log);
    for (listener, socket) in listeners {
        runtime.spawn_local(accept(Rc::clone(&worker), Rc::new(listener), socket, stopped.clone()));
    }
    runtime.block_on(supervise(worker, stopped.clone()));
    // What did not finish in time is dropped with its connections.
    runtime.shutdown_timeout(Duration::from_millis(100));
}

/// Tidies once a second; returns when the gateway stops and no connection is left, or the time for that is up.
async fn supervise(worker: Rc<Worker>, mut stopped: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = sleep(Duration::from_secs(1)) => worker.sweep(),
            _ = stopped.wait_for(|stop| *stop) => break,
        }
    }
    let deadline = Instant::now() + worker.shared.limits.stop_time_max;
    while worker.connections() > 0 && Instant::now() < deadline {
        sleep_until(deadline.min(Instant::now() + Duration::from_millis(10))).await;
    }
}

async fn accept(worker: Rc<Worker>, listener: Rc<Listener>, socket: Bound, mut stopped: watch::Receiver<bool>) {
    let accepting = async {
        match socket {
            Bound::Tcp(socket) => accept_tcp(&worker, &listener, socket, &stopped).await,
            Bound::Unix(socket) => accept_unix(&worker, &listener, socket, &stopped).await,
        }
    };
    let mut stop = stopped.clone();
    tokio::select! {
        _ = accepting => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
    stopped.mark_unchanged();
}

async fn accept_tcp(
    worker: &Rc<Worker>,
    listener: &Rc<Listener>,
    socket: std::net::TcpListener,
    stopped: &watch::Receiver<bool>,
) -> io::Result<()> {
    let socket = tokio::net::TcpListener::from_std(socket)?;
    loop {
        wait_for_room(worker).await;
        match socket.accept().await {
            Ok((stream, peer)) => {
                drop(stream.set_nodelay(true));
                let served = client::serve(
                    Rc::clone(worker),
                    Rc::clone(listener),
                    Stream::Tcp(stream),
                    peer.ip(),
                    stopped.clone(),
                );
                tokio::task::spawn_local(served);
            }
            Err(error) => after(&error).await,
        }
    }
}

async fn accept_unix(
    worker: &Rc<Worker>,
    listener: &Rc<Listener>,
    socket: std::os::unix::net::UnixListener,
    stopped: &watch::Receiver<bool>,
) -> io::Result<()> {
    let socket = tokio::net::UnixListener::from_std(socket)?;
    let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
    loop {
        wait_for_room(worker).await;
        match socket.accept().await {
            Ok((stream, _)) => {
                let served =
                    client::serve(Rc::clone(worker), Rc::clone(listener), Stream::Unix(stream), peer, stopped.clone());
                tokio::task::spawn_local(served);
            }
            Err(error) => after(&error).await,
        }
    }
}

async fn wait_for_room(worker: &Worker) {
    while worker.connections() >= CONNECTIONS_MAX {
        sleep(Duration::from_millis(10)).await;
    }
}

/// Out of descriptors or memory, accepting fails at once and again: others need the core meanwhile.
pub(super) async fn after(error: &io::Error) {
    if error.kind() != io::ErrorKind::ConnectionAborted {
        sleep(Duration::from_millis(50)).await;
    }
}
