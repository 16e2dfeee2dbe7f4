//! Bodies that are read and dropped, so that the next request on the connection is found where it begins.

use core::future::poll_fn;
use core::pin::Pin;

use hyper::body::{Body as _, Incoming};
use tokio::time::timeout;

use super::fault::{Fault, RequestFault};
use super::limits::{DRAIN_OCTETS_MAX, Limits, STRIP_OCTETS_MAX};
use crate::matcher::Refusal;

/// What became of a body nobody wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drained {
    /// All of it was read: the connection is in step.
    Whole,
    /// Some of it may still come: the connection must not be used again.
    Left,
}

/// Reads a body, if it is short and there soon.
pub(super) async fn drain(body: Incoming, limits: &Limits) -> Drained {
    if body.size_hint().exact().is_some_and(|octets| octets > DRAIN_OCTETS_MAX) {
        return Drained::Left;
    }
    let read = timeout(limits.drain_time_max, read_all(body, DRAIN_OCTETS_MAX));
    if read.await.is_ok_and(|read| read.is_ok()) { Drained::Whole } else { Drained::Left }
}

/// Reads the body of a request that goes on without it.
pub(super) async fn strip(body: Incoming, octets_max: Option<u64>, limits: &Limits) -> Result<(), Fault> {
    let read = timeout(limits.client_body_idle_max, read_all(body, octets_max.unwrap_or(STRIP_OCTETS_MAX)));
    read.await.unwrap_or(Err(RequestFault::BodyTimeout.into()))
}

async fn read_all(mut body: Incoming, octets_max: u64) -> Result<(), Fault> {
    let mut octets = 0;
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let Ok(frame) = frame else { return Err(RequestFault::BodyMalformed.into()) };
        octets += frame.data_ref().map_or(0, |data| data.len() as u64);
        if octets > octets_max {
            return Err(Refusal::BodyTooLarge.into());
        }
    }
    Ok(())
}
