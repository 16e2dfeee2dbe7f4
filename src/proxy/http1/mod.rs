//! HTTP/1 on the wire, in both directions: heads, fields and chunked bodies, read strictly.

mod chunked;
mod fields;
mod head_end;
mod request;
mod response;

pub(super) use chunked::{Chunked, Then, is_token};
pub(super) use fields::{Fields, members, put_line};
pub(super) use head_end::{HeadEnd, head_end};
pub(super) use request::Head;
pub(super) use response::{Framing, ResponseHead};
