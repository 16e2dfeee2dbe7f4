//! Writes an answer to a client that speaks HTTP/1.

use core::fmt::Write as _;

use bytes::{BufMut as _, Bytes, BytesMut};
use http::StatusCode;

use super::output::Output;
use crate::proxy::exchange::{AnswerHead, Piece, is_bodiless};
use crate::proxy::http1::{Fields, Head, members, put_line};

/// How one answer is written.
#[derive(Debug)]
pub(super) struct AnswerWriter {
    minor: u8,
    /// The client would go on with this connection.
    wants_to_stay: bool,
    is_head: bool,
    takes_trailers: bool,
    framing: Framing,
    progress: Progress,
}

/// How far an answer's body has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Coming,
    /// All of it was put.
    Ended,
    /// No more of it comes, and it is not all.
    BrokenOff,
}

/// How the end of the answer is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    /// By its length, or there is no body.
    Length,
    Chunked,
    /// By the end of the connection.
    Close,
}

impl AnswerWriter {
    /// For the answer to the request `head`.
    pub(super) fn of(head: &Head) -> Self {
        let mut codings = head.values("te").flat_map(members);
        Self {
            minor: head.minor,
            wants_to_stay: head.wants_to_stay(),
            is_head: head.method() == b"HEAD",
            takes_trailers: codings.any(|coding| coding.eq_ignore_ascii_case(b"trailers")),
            framing: Framing::Length,
            progress: Progress::Coming,
        }
    }

    /// Writes the head; whether the connection may go on afterwards.
    pub(super) fn head(
        &mut self,
        out: &mut BytesMut,
        answer: &AnswerHead,
        length: Option<u64>,
        last: bool,
        date: &[u8],
    ) -> bool {
        let (status, fields) = (answer.status, &answer.fields);
        let has_body = !self.is_head && !is_bodiless(status);
        self.framing = match length {
            None if has_body && self.minor >= 1 => Framing::Chunked,
            None if has_body => Framing::Close,
            _ => Framing::Length,
        };
        let stays = self.wants_to_stay && !last && self.framing != Framing::Close;
        let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("");
        out.reserve(512);
        // Writing to a BytesMut cannot fail.
        let _ = write!(out, "HTTP/1.1 {status} {reason}\r\n");
        // Without a body it is said how long it would have been.
        let keeps_length = status == 304 || (self.is_head && !is_bodiless(status));
        for (name, value) in fields.iter() {
            if keeps_length || !name.eq_ignore_ascii_case(b"content-length") {
                put_line(out, name, value);
            }
        }
        if let Some(octets) = length.filter(|_| has_body) {
            let _ = write!(out, "Content-Length: {octets}\r\n");
        }
        if self.framing == Framing::Chunked {
            put_line(out, b"Transfer-Encoding", b"chunked");
        }
        if status == 101 {
            put_line(out, b"Connection", b"upgrade");
        } else if !stays {
            put_line(out, b"Connection", b"close");
        } else if self.minor == 0 {
            put_line(out, b"Connection", b"keep-alive");
        }
        if !fields.has("date") {
            put_line(out, b"Date", date);
        }
        out.put_slice(b"\r\n");
        stays
    }

    /// Puts a part of the body.
    pub(super) fn piece(&mut self, output: &mut Output, piece: Piece) {
        match (piece, self.framing) {
            (Piece::Data(data), Framing::Chunked) => {
                let _ = write!(output.front(), "{:x}\r\n", data.len());
                output.put(data, b"\r\n");
            }
            (Piece::Data(data), Framing::Length | Framing::Close) => output.put(data, b""),
            (Piece::Trailers(trailers), Framing::Chunked) => {
                let out = output.front();
                out.put_slice(b"0\r\n");
                for (name, value) in trailers.iter().filter(|_| self.takes_trailers) {
                    put_line(out, name, value);
                }
                out.put_slice(b"\r\n");
                self.progress = Progress::Ended;
            }
            (Piece::Trailers(_), Framing::Length | Framing::Close) => self.progress = Progress::Ended,
        }
    }

    /// The body has ended.
    pub(super) fn end(&mut self, output: &mut Output) {
        if self.framing == Framing::Chunked {
            output.put(Bytes::new(), b"0\r\n\r\n");
        }
        self.progress = Progress::Ended;
    }

    /// No more of the body comes, and it is not all: what tells the end of the answer is never written.
    pub(super) fn break_off(&mut self) {
        self.progress = Progress::BrokenOff;
    }

    /// Whether all of the answer was put.
    pub(super) fn has_ended(&self) -> bool {
        self.progress == Progress::Ended
    }

    /// Whether nothing more of it comes, be it all or not.
    pub(super) fn has_stopped(&self) -> bool {
        self.progress != Progress::Coming
    }

    /// Whether only the end of the connection tells the end of the answer.
    pub(super) fn ends_with_connection(&self) -> bool {
        self.framing == Framing::Close
    }
}

/// Writes an interim answer, such as 103.
pub(super) fn write_interim(out: &mut BytesMut, status: u16, fields: &Fields) {
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("");
    // Writing to a BytesMut cannot fail.
    let _ = write!(out, "HTTP/1.1 {status} {reason}\r\n");
    for (name, value) in fields.iter() {
        put_line(out, name, value);
    }
    out.put_slice(b"\r\n");
}
