//! What the demo's gateways stand on: two upstreams, and a folder that is gone at the end.

use super::upstream::{self, Identity};
use crate::status::Stop;
use core::net::SocketAddr;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::thread;
use tokio::runtime::{Builder, Runtime};

/// Two upstreams in a thread of their own, and a folder for files.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) production: SocketAddr,
    pub(crate) staging: SocketAddr,
    folder: PathBuf,
}

/// The certificate of the upstreams, in the folder of the stage.
pub(crate) const CERTIFICATE: &str = "upstreams.pem";

impl Stage {
    /// Starts the upstreams; those that speak TLS do so as any of `names`.
    pub(crate) fn new(names: Vec<String>) -> Result<Self, Stop> {
        let folder = std::env::temp_dir().join(format!("rulec-demo-{}", std::process::id()));
        // Keys will be in it: nobody else may read them, and a folder that is there already is somebody else's.
        DirBuilder::new().mode(0o700).create(&folder).map_err(Stop::io(folder.display()))?;
        let started = Identity::new(names).map_err(|error| io::Error::other(error.to_string())).and_then(|identity| {
            std::fs::write(folder.join(CERTIFICATE), &identity.pem)?;
            start(&identity)
        });
        match started {
            Ok((production, staging)) => Ok(Self { production, staging, folder }),
            Err(error) => {
                std::fs::remove_dir_all(&folder).ok();
                Err(Stop::Io { what: "the upstreams of the demo".to_owned(), error })
            }
        }
    }

    /// Where the files of the demo are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Returns when the reader types Ctrl-C.
pub(crate) fn wait_for_the_reader() -> Result<(), Stop> {
    runtime().and_then(|runtime| runtime.block_on(tokio::signal::ctrl_c())).map_err(Stop::io("waiting for Ctrl-C"))
}

impl Drop for Stage {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

fn start(identity: &Identity) -> io::Result<(SocketAddr, SocketAddr)> {
    let runtime = runtime()?;
    let production = runtime.block_on(upstream::start("production", identity))?;
    let staging = runtime.block_on(upstream::start("staging", identity))?;
    thread::Builder::new()
        .name("upstreams".to_owned())
        .spawn(move || runtime.block_on(core::future::pending::<()>()))?;
    Ok((production, staging))
}
