//! Certificates change under a running gateway: their folders are watched.

use core::sync::atomic::Ordering;
use core::time::Duration;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::termination::Termination;
use crate::proxy::shared::Shared;

/// Two files that belong together are rarely written in one step: so long nothing must have changed.
const QUIET: Duration = Duration::from_millis(200);

/// Where something changes all the time, it is looked at this often nevertheless.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where a file system tells nothing of changes (network file systems), they are found this late.
const PERIOD: Duration = Duration::from_secs(60);

enum Message {
    Changed,
    Stop,
}

/// A thread that reloads certificates as long as this lives.
#[derive(Debug)]
pub(in crate::proxy) struct Watch {
    stop: Sender<Message>,
    thread: Option<JoinHandle<()>>,
}

/// Watches the files of all `listeners`.
pub(in crate::proxy) fn watch(listeners: Vec<(String, Arc<Termination>)>, shared: Arc<Shared>) -> io::Result<Watch> {
    let (sender, receiver) = mpsc::channel();
    let watcher = watcher(&listeners, sender.clone());
    let run = move || {
        while wait(&receiver) {
            for (name, termination) in &listeners {
                reload(name, termination, &shared);
            }
        }
        drop(watcher);
    };
    let thread = thread::Builder::new().name("certificates".to_owned()).spawn(run)?;
    Ok(Watch { stop: sender, thread: Some(thread) })
}

fn reload(name: &str, termination: &Termination, shared: &Shared) {
    match termination.reload() {
        Ok(false) => {}
        Ok(true) => {
            shared.doors.certificates_loaded.fetch_add(1, Ordering::Relaxed);
            tracing::info!(listener = name, "new certificates serve");
        }
        Err(error) => {
            shared.doors.certificates_failed.fetch_add(1, Ordering::Relaxed);
            tracing::error!(listener = name, %error, "the new certificates are not used, the old ones go on");
        }
    }
}

/// Until something has changed and been quiet for a while; false where it is to stop.
fn wait(receiver: &Receiver<Message>) -> bool {
    match receiver.recv_timeout(PERIOD) {
        Ok(Message::Changed) => {}
        Err(RecvTimeoutError::Timeout) => return true,
        Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return false,
    }
    let began = std::time::Instant::now();
    loop {
        match receiver.recv_timeout(QUIET) {
            Ok(Message::Changed) if began.elapsed() < PATIENCE => {}
            Ok(Message::Changed) | Err(RecvTimeoutError::Timeout) => return true,
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
}

/// None where the system has no watches left: then the clock alone does it.
fn watcher(listeners: &[(String, Arc<Termination>)], sender: Sender<Message>) -> Option<RecommendedWatcher> {
    let tell = move |event: notify::Result<notify::Event>| {
        // To read a file is an event, too: ours would never end.
        let is_change = event.is_ok_and(|event| match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
            EventKind::Access(_) => false,
            _ => true,
        });
        if is_change {
            // Nobody waits any more where this fails.
            drop(sender.send(Message::Changed));
        }
    };
    let unwatched = |error: notify::Error| tracing::warn!(%error, "certificates are looked at once a minute only");
    let mut watcher = notify::recommended_watcher(tell).map_err(unwatched).ok()?;
    for folder in folders(listeners) {
        if let Err(error) = watcher.watch(&folder, RecursiveMode::NonRecursive) {
            unwatched(error);
        }
    }
    Some(watcher)
}

/// The folders of the files, and of what they are links to: files are mostly replaced, not written.
fn folders(listeners: &[(String, Arc<Termination>)]) -> BTreeSet<PathBuf> {
    let paths = listeners.iter().flat_map(|(_, termination)| termination.paths());
    let both = paths.flat_map(|path| [path.canonicalize().ok(), Some(path)]).flatten();
    both.filter_map(|path| path.parent().map(folder)).collect()
}

fn folder(path: &Path) -> PathBuf {
    if path.as_os_str().is_empty() { PathBuf::from(".") } else { path.to_owned() }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.stop.send(Message::Stop));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
