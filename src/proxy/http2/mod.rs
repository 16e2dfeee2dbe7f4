//! What HTTP/2 is on both sides: fields, what comes on a stream, how much at once, and whether the other side still lives.

mod fields;
mod inflow;
mod pulse;
mod turn;

pub(super) use fields::{from_headers, to_headers};
pub(super) use inflow::Inflow;
pub(super) use pulse::Pulse;
pub(super) use turn::Turn;
