//! Listeners: from a bound socket to a connection that requests may come on.

mod accept;
mod admit;
mod bind;
mod counters;
mod inherited;
mod proxy_protocol;
mod queue;
mod tls;

pub(super) use accept::{accept, after};
pub(super) use admit::Door;
pub(super) use bind::{Bound, bind};
pub(super) use counters::DoorCounters;
pub(super) use inherited::Inherited;
pub(super) use queue::Queue;
pub(super) use tls::{Termination, Watch, watch};
