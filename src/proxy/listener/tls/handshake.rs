//! One handshake.

use std::io;
use std::sync::Arc;

use rustls::server::Acceptor;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio::task::yield_now;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::termination::Termination;

/// Does the handshake on a new connection.
///
/// `turn` has one place: its signature takes a core a good part of a millisecond, and between two of them everything
/// else on the core has its turn.
pub(in crate::proxy::listener) async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    termination: &Arc<Termination>,
    turn: &Semaphore,
    stream: S,
) -> io::Result<TlsStream<S>> {
    let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
    let place = turn.acquire().await;
    let accept = start.into_stream(termination.config());
    yield_now().await;
    drop(place);
    accept.await
}
