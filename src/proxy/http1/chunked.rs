//! The chunked transfer coding, read strictly; the same reader guards clients and upstreams.

use super::Fields;
use crate::proxy::limits::{CHUNK_OVERHEAD_MAX, HEAD_LINES_MAX};
use bytes::Bytes;

/// Follows a chunked body through its octets.
#[derive(Debug)]
pub(in crate::proxy) struct Chunked {
    state: State,
    overhead: usize,
    /// The lines of the trailers.
    trailers: Vec<u8>,
}

/// What [`Chunked::step`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::proxy) struct Step {
    /// Octets of framing at the front of the input.
    pub(in crate::proxy) framing: usize,
    /// What stands after them.
    pub(in crate::proxy) then: Then,
}

/// What stands after the framing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::proxy) enum Then {
    /// The input is used up.
    More,
    /// So many octets of data; never none.
    Data(usize),
    /// The body has ended.
    End,
}

/// The octets are no chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::proxy) struct Malformed;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// `digits` read so far of a size.
    Size {
        size: u64,
        digits: u8,
    },
    /// After `;`.
    Extension {
        size: u64,
        part: Extension,
    },
    SizeLf {
        size: u64,
    },
    Data {
        left: u64,
    },
    DataCr,
    DataLf,
    TrailerStart,
    Trailer {
        named: bool,
    },
    TrailerLf,
    EndLf,
    Ended,
}

impl State {
    /// Whether the octet that led here is one of a trailer.
    fn is_trailer(self) -> bool {
        matches!(self, Self::Trailer { .. } | Self::TrailerLf)
    }
}

impl Chunked {
    pub(in crate::proxy) fn new() -> Self {
        Self { state: SIZE, overhead: 0, trailers: Vec::new() }
    }

    /// Takes framing off the front of `input`, up to the next data or the end.
    ///
    /// The caller takes the data away: at the next call `input` begins behind it.
    pub(in crate::proxy) fn step(&mut self, input: &[u8]) -> Result<Step, Malformed> {
        let mut framing = 0;
        for &octet in input {
            if let State::Data { left } = self.state {
                let here = input.len().saturating_sub(framing);
                let data = usize::try_from(left).unwrap_or(usize::MAX).min(here);
                let left = left.saturating_sub(data as u64);
                self.state = if left == 0 { State::DataCr } else { State::Data { left } };
                return Ok(Step { framing, then: Then::Data(data) });
            }
            let after = self.next(octet)?;
            let before = core::mem::replace(&mut self.state, after);
            framing += 1;
            if self.state.is_trailer() || before == State::TrailerLf {
                self.trailers.push(octet);
            }
            if self.state == State::Ended {
                return Ok(Step { framing, then: Then::End });
            }
        }
        Ok(Step { framing, then: Then::More })
    }

    /// The fields behind the last chunk, once the body has ended.
    pub(in crate::proxy) fn take_trailers(&mut self) -> Result<Fields, Malformed> {
        if self.trailers.is_empty() {
            return Ok(Fields::default());
        }
        self.trailers.extend_from_slice(b"\r\n");
        let octets = Bytes::from(core::mem::take(&mut self.trailers));
        let mut storage = [httparse::EMPTY_HEADER; HEAD_LINES_MAX];
        match httparse::parse_headers(&octets, &mut storage) {
            Ok(httparse::Status::Complete((_, lines))) => {
                Ok(Fields::within(octets.clone(), lines.iter().map(|line| (line.name.as_bytes(), line.value))))
            }
            _ => Err(Malformed),
        }
    }

    fn next(&mut self, octet: u8) -> Result<State, Malformed> {
        match (self.state, octet) {
            (State::Size { size, digits }, _) if octet.is_ascii_hexdigit() => {
                // 15 digits: no length that the arithmetic of anyone on the way could wrap.
                let digits = if digits < 15 { digits + 1 } else { return Err(Malformed) };
                Ok(State::Size { size: size * 16 + hex(octet), digits })
            }
            (State::Size { size, digits: 1.. }, b';') => Ok(State::Extension { size, part: Extension::NAME }),
            (State::Size { size, digits: 1.. }, b'\r') => Ok(State::SizeLf { size }),
            (State::Extension { size, part }, b'\r') if part.may_end() => Ok(State::SizeLf { size }),
            (State::Extension { size, part }, _) => {
                self.count()?;
                Ok(State::Extension { size, part: part.next(octet).ok_or(Malformed)? })
            }
            (State::SizeLf { size: 0 } | State::TrailerLf, b'\n') => Ok(State::TrailerStart),
            (State::SizeLf { size }, b'\n') => Ok(State::Data { left: size }),
            (State::DataCr, b'\r') => Ok(State::DataLf),
            (State::DataLf, b'\n') => Ok(SIZE),
            (State::TrailerStart, b'\r') => Ok(State::EndLf),
            (State::TrailerStart | State::Trailer { named: false }, _) if is_token(octet) => {
                self.count()?;
                Ok(State::Trailer { named: false })
            }
            (State::Trailer { named: false }, b':') => Ok(State::Trailer { named: true }),
            (State::Trailer { named: true }, b'\t' | b' '..=0x7e | 0x80..) => {
                self.count()?;
                Ok(State::Trailer { named: true })
            }
            (State::Trailer { named: true }, b'\r') => Ok(State::TrailerLf),
            (State::EndLf, b'\n') => Ok(State::Ended),
            _ => Err(Malformed),
        }
    }

    fn count(&mut self) -> Result<(), Malformed> {
        self.overhead += 1;
        if self.overhead > CHUNK_OVERHEAD_MAX { Err(Malformed) } else { Ok(()) }
    }
}

/// Where in `;name=value` or `;name="value"` an octet stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extension {
    Name { empty: bool },
    Value { empty: bool },
    Quoted,
    Escaped,
    Closed,
}

impl Extension {
    const NAME: Self = Self::Name { empty: true };

    fn may_end(self) -> bool {
        matches!(self, Self::Name { empty: false } | Self::Value { empty: false } | Self::Closed)
    }

    fn next(self, octet: u8) -> Option<Self> {
        match (self, octet) {
            (_, b';') if self.may_end() => Some(Self::NAME),
            (Self::Name { .. }, _) if is_token(octet) => Some(Self::Name { empty: false }),
            (Self::Name { empty: false }, b'=') => Some(Self::Value { empty: true }),
            (Self::Value { empty: true }, b'"') => Some(Self::Quoted),
            (Self::Value { .. }, _) if is_token(octet) => Some(Self::Value { empty: false }),
            (Self::Quoted, b'"') => Some(Self::Closed),
            (Self::Quoted, b'\\') => Some(Self::Escaped),
            (Self::Quoted | Self::Escaped, b'\t' | b' '..=0x7e | 0x80..) => Some(Self::Quoted),
            _ => None,
        }
    }
}

const SIZE: State = State::Size { size: 0, digits: 0 };

fn hex(octet: u8) -> u64 {
    char::from(octet).to_digit(16).map_or(0, u64::from)
}

/// Whether `octet` may stand in a token (RFC 9110 5.6.2).
pub(in crate::proxy) fn is_token(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mut input: &[u8], at_once: usize) -> Result<(Vec<u8>, usize, bool), Malformed> {
        let mut chunked = Chunked::new();
        let (mut data, mut used) = (Vec::new(), 0);
        while !input.is_empty() {
            let window = &input[..at_once.min(input.len())];
            let step = chunked.step(window)?;
            let mut taken = step.framing;
            if let Then::Data(octets) = step.then {
                data.extend_from_slice(&window[taken..taken + octets]);
                taken += octets;
            }
            used += taken;
            if step.then == Then::End {
                return Ok((data, used, true));
            }
            input = &input[taken..];
        }
        Ok((data, used, false))
    }

    #[test]
    fn well_formed_bodies_are_read_whatever_the_cuts() {
        let body = b"5\r\nhello\r\n6;a=\"b ;c\";d;e=f\r\n world\r\n0\r\nX-Sum: 1\r\n\r\nGET";
        for at_once in 1..body.len() {
            assert_eq!(read(body, at_once), Ok((b"hello world".to_vec(), body.len() - 3, true)), "{at_once}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_malformed() {
        let bodies: [&[u8]; 15] = [
            b"5\nhello\r\n0\r\n\r\n",
            b"5 \r\nhello\r\n",
            b"5\t\r\nhello\r\n",
            b"5;\r\nhello\r\n",
            b"5 ;ext\r\nhello\r\n",
            b"5;a\0\r\nhello\r\n",
            b"5;a[\r\nhello\r\n",
            b"5;a=\r\nhello\r\n",
            b"5;a=\"b\r\nhello\r\n",
            b"5\r\nhello0\r\n\r\n",
            b"5\r\nhello\n0\r\n\r\n",
            b"-1\r\n",
            b"0x5\r\nhello\r\n",
            b"10000000000000000\r\n",
            b"0\r\n X: 1\r\n\r\n",
        ];
        for body in bodies {
            assert_eq!(read(body, 64), Err(Malformed), "{:?}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn trailers_are_kept() {
        let trailers = |body: &[u8]| {
            let mut chunked = Chunked::new();
            assert_eq!(chunked.step(body).map(|step| step.then), Ok(Then::End));
            let fields = chunked.take_trailers().unwrap();
            let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
            fields.iter().map(|(name, value)| (text(name), text(value))).collect::<Vec<_>>()
        };
        assert_eq!(trailers(b"0\r\n\r\n"), []);
        let line = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(trailers(b"0\r\nX-Sum:  1 \r\nB:\r\n\r\n"), [line("X-Sum", "1"), line("B", "")]);
    }

    #[test]
    fn an_unfinished_body_is_no_end() {
        assert_eq!(read(b"5\r\nhel", 64), Ok((b"hel".to_vec(), 6, false)));
    }
}
