//! What HTTP/2 is on both sides: fields, and whether the other side still lives.

mod fields;
mod pulse;

pub(super) use fields::{from_headers, to_headers};
pub(super) use pulse::Pulse;
