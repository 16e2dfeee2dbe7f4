//! What HTTP/2 is on both sides: fields, what comes on a stream, and whether the other side still lives.

mod fields;
mod inflow;
mod pulse;

pub(super) use fields::{from_headers, to_headers};
pub(super) use inflow::Inflow;
pub(super) use pulse::Pulse;
