//! One connection of a client, from its first octet to its last.

use core::future::poll_fn;
use core::net::IpAddr;
use core::time::Duration;
use std::rc::Rc;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::timeout;

use super::desk::Desk;
use super::guard::Guard;
use crate::proxy::config::Listener;
use crate::proxy::exchange::{self, Client};
use crate::proxy::limits::{CLIENT_BUFFER_OCTETS, LINGER_OCTETS_MAX, READ_OCTETS};
use crate::proxy::worker::Worker;

/// Serves a connection until it ends; once `stop` says so, after the request in flight.
pub(in crate::proxy) async fn serve<S>(
    worker: Rc<Worker>,
    listener: Rc<Listener>,
    socket: S,
    peer: IpAddr,
    mut stop: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let _connected = worker.connected();
    let limits = worker.shared.limits;
    let desk = Desk::new();
    let client = Rc::new(Client { worker, desk: Rc::clone(&desk), listener, peer });
    let service = service_fn(move |request: Request<Incoming>| {
        Box::pin(exchange::answer(Rc::clone(&client), request.into_body()))
    });
    // The guard has its own timer for heads, and bounds their size.
    let mut hyper = http1::Builder::new()
        .header_read_timeout(None)
        .max_buf_size(CLIENT_BUFFER_OCTETS)
        .serve_connection(TokioIo::new(Guard::new(socket, desk, limits)), service);
    let mut stopping = false;
    let ended = loop {
        tokio::select! {
            ended = poll_fn(|cx| hyper.poll_without_shutdown(cx)) => break ended,
            _ = stop.wait_for(|stop| *stop), if !stopping => {
                stopping = true;
                core::pin::Pin::new(&mut hyper).graceful_shutdown();
            }
        }
    };
    let (socket, may_send) = hyper.into_parts().io.into_inner().into_socket();
    if ended.is_ok() {
        leave(socket, may_send, limits.linger_time_max).await;
    }
}

/// Closes a connection so that the last answer arrives even where the client is still sending.
async fn leave<S: AsyncRead + AsyncWrite + Unpin>(mut socket: S, may_send: bool, patience: Duration) {
    if socket.shutdown().await.is_ok() && may_send {
        let linger = async {
            let mut octets = vec![0; READ_OCTETS];
            let mut read = 0;
            while let Ok(more @ 1..) = socket.read(&mut octets).await {
                read += more;
                if read > LINGER_OCTETS_MAX {
                    break;
                }
            }
        };
        // Whoever sends longer is cut off.
        drop(timeout(patience, linger).await);
    }
}
