//! The body of a request that goes on without it.

use core::future::poll_fn;

use tokio::time::timeout;

use super::request_body::{Piece, RequestBody};
use crate::matcher::Refusal;
use crate::proxy::fault::{Fault, RequestFault};
use crate::proxy::limits::{Limits, STRIP_OCTETS_MAX};

/// Reads and drops `body`, which holds at most `octets_max`.
pub(super) async fn strip(mut body: RequestBody, octets_max: Option<u64>, limits: &Limits) -> Result<(), Fault> {
    let octets_max = octets_max.unwrap_or(STRIP_OCTETS_MAX);
    let read = async {
        let mut octets = 0;
        while let Some(piece) = poll_fn(|cx| body.poll_piece(cx)).await {
            if let Piece::Data(data) = piece? {
                octets += data.len() as u64;
            }
            if octets > octets_max {
                return Err(Refusal::BodyTooLarge.into());
            }
        }
        Ok(())
    };
    timeout(limits.client_body_idle_max, read).await.unwrap_or(Err(RequestFault::BodyTimeout.into()))
}
