//! Tells when one of a few files has another content, however it came there.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

use super::limits::{WATCH_INTERVAL, WATCH_QUIET, WATCH_QUIET_MAX};

/// Watches files, or places where files will be.
#[derive(Debug)]
pub struct Watch {
    files: Vec<PathBuf>,
    seen: Vec<Option<Stamp>>,
    folders: BTreeSet<PathBuf>,
    /// None where the system has none left to give: then files are looked at from time to time only.
    watcher: Option<RecommendedWatcher>,
    stirred: Arc<Notify>,
}

/// Two files of the same stamp are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    octets: u64,
    changed: (i64, i64),
}

impl Watch {
    /// Watches `files` from now on.
    pub fn new(files: Vec<PathBuf>) -> Self {
        let stirred = Arc::new(Notify::new());
        let tell = Arc::clone(&stirred);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Reading a file is no change, and each look at it is an event.
            if !event.is_ok_and(|event| event.kind.is_access() && !is_written(event.kind)) {
                tell.notify_one();
            }
        });
        let watcher = watcher.inspect_err(|error| tracing::warn!(%error, "files are looked at once a second")).ok();
        let seen = stamps(&files);
        let mut watch = Self { files, seen, folders: BTreeSet::new(), watcher, stirred };
        watch.follow();
        watch
    }

    /// Watches `files` instead. What changed in those that were watched before is still told.
    pub fn set(&mut self, files: Vec<PathBuf>) {
        if files != self.files {
            let known = |file: &PathBuf| {
                let at = self.files.iter().position(|before| before == file)?;
                self.seen.get(at).copied().flatten()
            };
            self.seen = files.iter().map(|file| known(file).or_else(|| stamp(file))).collect();
            self.files = files;
        }
        self.follow();
    }

    /// Returns once a file has changed and nothing more is being written, or that takes too long to be waited for.
    pub async fn changed(&mut self) {
        while stamps(&self.files) == self.seen {
            tokio::select! {
                () = self.stirred.notified() => {}
                // Where a file lies on another machine, nobody tells.
                () = sleep(WATCH_INTERVAL) => {}
            }
        }
        let end = Instant::now() + WATCH_QUIET_MAX;
        while Instant::now() < end && timeout(WATCH_QUIET, self.stirred.notified()).await.is_ok() {}
        self.seen = stamps(&self.files);
        self.follow();
    }

    /// Watches the folders that decide which file a path leads to: symbolic links on the way may be turned.
    fn follow(&mut self) {
        let Some(watcher) = &mut self.watcher else { return };
        let folders: BTreeSet<PathBuf> = self.files.iter().flat_map(|file| folders(file)).collect();
        for gone in self.folders.difference(&folders) {
            // A folder that is gone is not watched any more either way.
            drop(watcher.unwatch(gone));
        }
        let mut followed = BTreeSet::new();
        for folder in folders {
            if self.folders.contains(&folder) || watcher.watch(&folder, RecursiveMode::NonRecursive).is_ok() {
                followed.insert(folder);
            }
        }
        self.folders = followed;
    }
}

fn is_written(kind: notify::EventKind) -> bool {
    use notify::event::{AccessKind, AccessMode, EventKind};
    kind == EventKind::Access(AccessKind::Close(AccessMode::Write))
}

fn folders(file: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut path = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    // A link may lead to a link: as many as the kernel follows.
    for _ in 0..40 {
        let turned = path.ancestors().find(|part| part.is_symlink()).map(Path::to_owned);
        found.extend(path.parent().map(Path::to_owned));
        let Some(link) = turned else { break };
        let Some(folder) = link.parent() else { break };
        found.insert(folder.to_owned());
        let Ok(target) = fs::read_link(&link) else { break };
        let rest = path.strip_prefix(&link).unwrap_or(Path::new("")).to_owned();
        let target = folder.join(target);
        path = if rest.as_os_str().is_empty() { target } else { target.join(rest) };
    }
    found
}

fn stamps(files: &[PathBuf]) -> Vec<Option<Stamp>> {
    files.iter().map(|file| stamp(file)).collect()
}

fn stamp(file: &Path) -> Option<Stamp> {
    let about = fs::metadata(file).ok()?;
    Some(Stamp {
        device: about.dev(),
        inode: about.ino(),
        octets: about.len(),
        changed: (about.mtime(), about.mtime_nsec()),
    })
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn a_change_is_told_however_it_is_made() {
        let folder = std::env::temp_dir().join(format!("rulec-watch-{}", std::process::id()));
        fs::create_dir_all(folder.join("v1")).unwrap();
        fs::create_dir_all(folder.join("v2")).unwrap();
        fs::write(folder.join("v1/policy"), "1").unwrap();
        fs::write(folder.join("v2/policy"), "22").unwrap();
        std::os::unix::fs::symlink("v1", folder.join("..data")).unwrap();
        std::os::unix::fs::symlink("..data/policy", folder.join("policy")).unwrap();
        let mut watch = Watch::new(vec![folder.join("policy"), folder.join("none")]);
        // As a ConfigMap is swapped.
        std::os::unix::fs::symlink("v2", folder.join("..new")).unwrap();
        fs::rename(folder.join("..new"), folder.join("..data")).unwrap();
        timeout(PATIENCE, watch.changed()).await.unwrap();
        // Written over, behind the links.
        fs::write(folder.join("v2/policy"), "333").unwrap();
        timeout(PATIENCE, watch.changed()).await.unwrap();
        // A file that was not there.
        fs::write(folder.join("none"), "4").unwrap();
        timeout(PATIENCE, watch.changed()).await.unwrap();
        // Something else in the folder.
        fs::write(folder.join("other"), "5").unwrap();
        assert!(timeout(Duration::from_millis(50), watch.changed()).await.is_err());
        fs::remove_dir_all(folder).unwrap();
    }
}
