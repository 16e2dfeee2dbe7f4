//! One line for every request: written by the core into a buffer that it keeps, handed over in batches, and put where
//! it belongs by a thread of its own. A core never waits for a disk or a pipe; lines that find no room are counted.
//!
//! The operator's log, which is `tracing`'s, goes through the same queue. Access lines do not go through `tracing` itself:
//! an event costs a visit of every field and a text of its own, and batches would not come of it.

mod format;
mod queue;
mod sink;
mod text;
mod time;

pub use format::Format;
pub(super) use format::{Asked, Entry, Line, Rule};
pub use queue::OperatorLog;
pub(super) use queue::{Log, Writer, start};
pub use sink::AccessLog;
pub(super) use text::redact;
pub(super) use time::{Clock, rfc3339, since_epoch};
