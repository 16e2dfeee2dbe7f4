//! A server that speaks HTTP/2 by hand, so that everything about it can be wrong.

use std::io::Read as _;
use std::sync::Arc;

use rustls::ServerConfig;

use super::rows::serve;
use super::server::{Serve, Spoken};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

/// SETTINGS and PING: the other side's are taken.
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// Octets of a frame at most, as long as nobody says more.
const FRAME_OCTETS_MAX: usize = 16_384;

/// SETTINGS that leave no room for bodies.
pub(super) const NO_WINDOW: &[u8] = &[0, 4, 0, 0, 0, 0];

/// What becomes of a connection after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    Next,
    Close,
    Reset,
}

/// A connection.
pub(super) struct Frames {
    spoken: Spoken,
    answers_pings: bool,
}

/// Does `script` for every request that is complete; the number is its stream's.
pub(super) fn http2(
    tls: Option<&Arc<ServerConfig>>,
    settings: &'static [u8],
    script: impl Fn(&mut Frames, u32) -> Then + Send + Sync + 'static,
) -> Serve {
    serve(tls, move |spoken| {
        let mut frames = Frames { spoken, answers_pings: true };
        if frames.spoken.wire.stream.read_exact(&mut [0; 24]).is_err() {
            return;
        }
        frames.send(SETTINGS, 0, 0, settings);
        while let Some(stream) = frames.request() {
            match script(&mut frames, stream) {
                Then::Next => {}
                Then::Close => return,
                Then::Reset => return frames.spoken.reset(),
            }
        }
    })
}

/// The head of an answer that promises ten octets.
pub(super) fn ten() -> Vec<u8> {
    [status("200"), field("content-length", "10")].concat()
}

pub(super) fn status(status: &str) -> Vec<u8> {
    field(":status", status)
}

/// A line as HPACK has it without any table (RFC 7541, 6.2.2).
pub(super) fn field(name: &str, value: &str) -> Vec<u8> {
    let mut octets = vec![0];
    for text in [name, value] {
        length(&mut octets, text.len());
        octets.extend_from_slice(text.as_bytes());
    }
    octets
}

/// RFC 7541, 5.1, with a prefix of seven bits.
fn length(octets: &mut Vec<u8>, length: usize) {
    let Some(mut rest) = length.checked_sub(127) else { return octets.push(u8::try_from(length).expect("small")) };
    octets.push(127);
    while rest >= 128 {
        octets.push(u8::try_from(rest % 128 + 128).expect("an octet"));
        rest /= 128;
    }
    octets.push(u8::try_from(rest).expect("an octet"));
}

impl Frames {
    /// Reads until a request is complete.
    fn request(&mut self) -> Option<u32> {
        loop {
            let mut head = [0; 9];
            self.spoken.wire.stream.read_exact(&mut head).ok()?;
            let octets = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let (kind, flags) = (head[3], head[4]);
            let stream = u32::from_be_bytes([head[5] & 0x7F, head[6], head[7], head[8]]);
            let mut payload = vec![0; usize::try_from(octets).expect("small")];
            self.spoken.wire.stream.read_exact(&mut payload).ok()?;
            match kind {
                SETTINGS if flags & ACK == 0 => self.send(SETTINGS, ACK, 0, &[]),
                PING if flags & ACK == 0 && self.answers_pings => self.send(PING, ACK, 0, &payload),
                HEADERS | DATA if flags & END_STREAM != 0 => return Some(stream),
                _ => {}
            }
        }
    }

    pub(super) fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let octets = u32::try_from(payload.len()).expect("small").to_be_bytes();
        let mut frame = octets[1..].to_vec();
        frame.extend_from_slice(&[kind, flags]);
        frame.extend_from_slice(&stream.to_be_bytes());
        frame.extend_from_slice(payload);
        self.spoken.send(frame);
    }

    /// A whole head, after which a body comes.
    pub(super) fn head(&mut self, stream: u32, block: &[u8]) {
        self.block(stream, block, 0);
    }

    /// A whole head, and nothing more.
    pub(super) fn only_head(&mut self, stream: u32, block: &[u8]) {
        self.block(stream, block, END_STREAM);
    }

    fn block(&mut self, stream: u32, block: &[u8], ends: u8) {
        let mut parts = block.chunks(FRAME_OCTETS_MAX).peekable();
        let mut kind = HEADERS;
        while let Some(part) = parts.next() {
            let last = if parts.peek().is_none() { END_HEADERS } else { 0 };
            self.send(kind, last | if kind == HEADERS { ends } else { 0 }, stream, part);
            kind = CONTINUATION;
        }
    }

    /// The begin of a head, after which a CONTINUATION must come.
    pub(super) fn half_a_head(&mut self, stream: u32, block: &[u8]) {
        self.send(HEADERS, 0, stream, block);
    }

    pub(super) fn data(&mut self, stream: u32, octets: &[u8]) {
        self.send(DATA, 0, stream, octets);
    }

    pub(super) fn last_data(&mut self, stream: u32, octets: &[u8]) {
        self.send(DATA, END_STREAM, stream, octets);
    }

    pub(super) fn reset(&mut self, stream: u32, reason: h2::Reason) {
        self.send(RST_STREAM, 0, stream, &u32::from(reason).to_be_bytes());
    }

    /// Nothing above `last` is done.
    pub(super) fn goaway(&mut self, last: u32, reason: h2::Reason) {
        self.send(GOAWAY, 0, 0, &[last.to_be_bytes(), u32::from(reason).to_be_bytes()].concat());
    }

    /// From now on; and it is not this side that ends the connection, however long nothing comes.
    pub(super) fn ignore_pings(&mut self) {
        self.answers_pings = false;
        self.spoken.wait_for_ever();
    }
}
