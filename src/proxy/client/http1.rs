//! HTTP/1 with a client: one request after the other, each answered before the next is read.

use core::cell::RefCell;
use core::future::poll_fn;
use core::pin::pin;
use core::task::{Context, Poll, ready};
use std::io;
use std::rc::Rc;

use tokio::sync::watch;
use tokio::time::timeout;

use super::answer_writer::AnswerWriter;
use super::connection::{Client, Ending};
use super::tunnel;
use super::wire::Wire;
use crate::proxy::exchange::{self, Answered, Closed, Piece, RequestBody};
use crate::proxy::http1::Head;
use crate::proxy::limits::DRAIN_OCTETS_MAX;
use crate::proxy::rare::rare;

/// Serves HTTP/1 until the connection is to end, and says how.
pub(super) async fn serve(client: &Rc<Client>, wire: &Rc<RefCell<Wire>>, stop: &mut watch::Receiver<bool>) -> Ending {
    // An error means that the gateway is gone.
    let mut stopped = pin!(async { drop(stop.wait_for(|stop| *stop).await) });
    let mut stopping = false;
    loop {
        let next = poll_fn(|cx| {
            if let Poll::Ready(head) = wire.borrow_mut().poll_head(cx) {
                return Poll::Ready(head);
            }
            stopping = stopping || stopped.as_mut().poll(cx).is_ready();
            if stopping && wire.borrow().is_idle() { Poll::Ready(None) } else { Poll::Pending }
        });
        let Some(head) = next.await else { return Ending::Close };
        if let Some(ending) = serve_one(client, wire, &head).await {
            return ending;
        }
        wire.borrow_mut().rest();
    }
}

/// Answers one request; None where another may follow.
async fn serve_one(client: &Rc<Client>, wire: &Rc<RefCell<Wire>>, head: &Head) -> Option<Ending> {
    let mut writer = AnswerWriter::of(head);
    let body = RequestBody::Http1(Rc::clone(wire));
    let mut answering = pin!(exchange::answer(client, head, body));
    let answered = poll_fn(|cx| {
        if let Poll::Ready(answered) = answering.as_mut().poll(cx) {
            return Poll::Ready(Some(answered));
        }
        poll_beside(wire, cx).map(|()| None)
    });
    let Answered { head, mut body, last, tunnel } = match answered.await {
        Some(Ok(answered)) => answered,
        None | Some(Err(Closed)) => return Some(Ending::Cut),
    };
    let last = last || !wire.borrow().may_get_in_step() || client.worker.shared.is_stopping();
    let date = client.worker.date();
    let stays = writer.head(wire.borrow_mut().output.front(), &head, body.octets(), last, date.as_bytes());
    if let Some(connection) = tunnel {
        rare(tunnel::run(wire, connection, &mut body)).await;
        return Some(Ending::Close);
    }
    let written = poll_fn(|cx| poll_answer(wire, &mut writer, &mut body, cx)).await;
    // The record is written with the end of the answer, whatever the client does then.
    drop(body);
    match written {
        Err(_) if writer.ends_with_connection() => Some(Ending::Reset),
        Err(Broken::Client) => Some(Ending::Cut),
        Ok(()) if stays && (wire.borrow().is_in_step() || rare(drain(client, wire)).await) => None,
        // Of an answer that broke off, too: that it is not all is seen by its length, or by the last chunk that is missing,
        // and a reset could take from the client what it has not read yet.
        Ok(()) | Err(Broken::Answer) => Some(if wire.borrow().is_spent() { Ending::Close } else { Ending::Linger }),
    }
}

/// While the answer is made: interim answers go out, and a client that leaves is noticed.
fn poll_beside(wire: &RefCell<Wire>, cx: &mut Context<'_>) -> Poll<()> {
    let mut wire = wire.borrow_mut();
    if let Poll::Ready(Err(_)) = wire.poll_write(cx) {
        return Poll::Ready(());
    }
    wire.poll_gone(cx)
}

/// Why an answer is not written to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broken {
    /// It broke off itself.
    Answer,
    /// The client has left, or takes nothing.
    Client,
}

/// Writes the answer's body as it comes, and never takes more of it than the client does. One that breaks off has begun:
/// its head and what came of it are written first.
fn poll_answer(
    wire: &RefCell<Wire>,
    writer: &mut AnswerWriter,
    body: &mut exchange::AnswerBody,
    cx: &mut Context<'_>,
) -> Poll<Result<(), Broken>> {
    loop {
        let mut waits = false;
        while !writer.has_stopped() && wire.borrow().output.has_room() {
            match body.poll_piece(cx) {
                Poll::Ready(Some(Ok(piece))) => writer.piece(&mut wire.borrow_mut().output, piece),
                Poll::Ready(Some(Err(_))) => writer.break_off(),
                Poll::Ready(None) => writer.end(&mut wire.borrow_mut().output),
                Poll::Pending => {
                    waits = true;
                    break;
                }
            }
        }
        let written = wire.borrow_mut().poll_write(cx);
        match written {
            Poll::Ready(Ok(())) if writer.has_ended() => return Poll::Ready(Ok(())),
            Poll::Ready(Ok(())) if writer.has_stopped() => return Poll::Ready(Err(Broken::Answer)),
            Poll::Ready(Ok(())) if waits => {
                ready!(wire.borrow_mut().poll_gone(cx));
                body.abandoned(false);
                return Poll::Ready(Err(Broken::Client));
            }
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => {
                body.unwritten(wire.borrow().output.unwritten_body());
                // Of an answer that broke off, why it did is what the log says.
                if !writer.has_stopped() || writer.has_ended() {
                    body.abandoned(error.kind() == io::ErrorKind::TimedOut);
                }
                return Poll::Ready(Err(Broken::Client));
            }
            Poll::Pending => {
                if !body.poll_beside(cx) {
                    // The client may read nothing before it has sent all.
                    wire.borrow_mut().discard(cx);
                }
                return Poll::Pending;
            }
        }
    }
}

/// Reads what nobody wanted of the request, if it is little and there soon: whether the connection is in step.
async fn drain(client: &Client, wire: &RefCell<Wire>) -> bool {
    if !wire.borrow().may_get_in_step() {
        return false;
    }
    let mut octets = 0;
    let read = poll_fn(|cx| {
        loop {
            let piece = wire.borrow_mut().poll_piece(cx);
            if wire.borrow().has_left() {
                return Poll::Ready(false);
            }
            match ready!(piece) {
                Some(Ok(Piece::Data(data))) => octets += data.len() as u64,
                Some(Ok(Piece::Trailers(_))) => {}
                None => return Poll::Ready(true),
                Some(Err(_)) => return Poll::Ready(false),
            }
            if octets > DRAIN_OCTETS_MAX {
                return Poll::Ready(false);
            }
        }
    });
    timeout(client.limits.drain_time_max, read).await.unwrap_or(false)
}
