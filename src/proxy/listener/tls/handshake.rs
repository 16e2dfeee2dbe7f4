//! One handshake.

use std::io;
use std::sync::Arc;

use rustls::ProtocolVersion;
use rustls::server::Acceptor;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::Semaphore;
use tokio::task::yield_now;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::termination::Termination;
use crate::proxy::client::Held;

/// Does the handshake on a new connection.
///
/// `turn` has one place: its signature takes a core a good part of a millisecond, and between two of them everything
/// else on the core has its turn.
pub(in crate::proxy::listener) async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    termination: &Arc<Termination>,
    turn: &Semaphore,
    stream: S,
) -> io::Result<TlsStream<Held<S>>> {
    let start = LazyConfigAcceptor::new(Acceptor::default(), Held::new(stream)).await?;
    let place = turn.acquire().await;
    let mut accept = start.into_stream(termination.config());
    if let Some(held) = accept.get_mut() {
        held.hold();
    }
    yield_now().await;
    drop(place);
    match accept.into_fallible().await {
        Ok(mut stream) => {
            let (held, session) = stream.get_mut();
            held.release();
            // Of TLS 1.2 the client waits for the end.
            if session.protocol_version() != Some(ProtocolVersion::TLSv1_3) {
                held.flush().await?;
            }
            Ok(stream)
        }
        Err((error, mut held)) => {
            held.release();
            // An alert, if the client is still there.
            drop(held.flush().await);
            Err(error)
        }
    }
}
