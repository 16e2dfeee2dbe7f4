//! One core accepts connections.

use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;
use std::io;
use std::rc::Rc;

use tokio::sync::watch;
use tokio::time::sleep;

use super::admit::{Door, admit};
use super::bind::Bound;
use crate::proxy::client::Stream;
use crate::proxy::limits::CONNECTIONS_MAX;
use crate::proxy::shared::Shared;
use crate::proxy::shortage;
use crate::proxy::worker::Worker;

/// Accepts until the gateway stops.
pub(in crate::proxy) async fn accept(door: Rc<Door>, socket: Bound, stopped: watch::Receiver<bool>) {
    let accepting = async {
        match socket {
            Bound::Tcp(socket) => accept_tcp(&door, socket, &stopped).await,
            Bound::Unix(socket) => accept_unix(&door, socket, &stopped).await,
        }
    };
    let mut stop = stopped.clone();
    tokio::select! {
        Err(error) = accepting => tracing::error!(listener = door.listener.name, %error, "nothing can be accepted"),
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

async fn accept_tcp(door: &Rc<Door>, socket: std::net::TcpListener, stopped: &watch::Receiver<bool>) -> io::Result<()> {
    let socket = tokio::net::TcpListener::from_std(socket)?;
    loop {
        wait_for_room(&door.worker).await;
        match socket.accept().await {
            Ok((stream, peer)) => {
                drop(stream.set_nodelay(true));
                let admitted = admit(Rc::clone(door), Stream::Tcp(stream.into()), peer.ip(), stopped.clone());
                tokio::task::spawn_local(admitted);
            }
            Err(error) => after(&error, &door.worker.shared).await,
        }
    }
}

async fn accept_unix(
    door: &Rc<Door>,
    socket: std::os::unix::net::UnixListener,
    stopped: &watch::Receiver<bool>,
) -> io::Result<()> {
    let socket = tokio::net::UnixListener::from_std(socket)?;
    let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
    loop {
        wait_for_room(&door.worker).await;
        match socket.accept().await {
            Ok((stream, _)) => {
                tokio::task::spawn_local(admit(Rc::clone(door), Stream::Unix(stream.into()), peer, stopped.clone()));
            }
            Err(error) => after(&error, &door.worker.shared).await,
        }
    }
}

async fn wait_for_room(worker: &Worker) {
    while worker.connections() >= CONNECTIONS_MAX {
        sleep(Duration::from_millis(10)).await;
    }
    while !worker.has_descriptor() {
        sleep(ACCEPT_PAUSE).await;
        // However few there are, each core serves somebody. Who was accepted before the pause is counted by now.
        if worker.connections() == 0 {
            break;
        }
    }
}

/// Where nothing can be accepted, others need the core until the next try.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Out of descriptors or memory, accepting fails at once and again.
pub(in crate::proxy) async fn after(error: &io::Error, shared: &Shared) {
    if let Some(fault) = shortage::of(error) {
        shared.shortage.met(fault, "a connection of a client", error);
    }
    if error.kind() != io::ErrorKind::ConnectionAborted {
        sleep(ACCEPT_PAUSE).await;
    }
}
