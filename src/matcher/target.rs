//! The request target: which form it has, and the path it means (nginx: `ngx_http_parse_complex_uri`).

use super::escape::hex;
use super::normal::split_normal;
use super::scratch::{Arena, Full, Slice, Text};

/// A target taken apart, as far as that needs no decoding.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'r> {
    /// The authority of an absolute-form target.
    pub(super) authority: Option<&'r [u8]>,
    /// Path and query as sent; where an absolute-form target has no path, a `/` is missing at its start.
    pub(super) rest: &'r [u8],
}

/// Takes `target` apart; None for a form that is neither origin-form nor absolute-form of http and https
/// (RFC 9112 section 3.2).
pub(super) fn split(target: &[u8]) -> Option<Target<'_>> {
    if target.first() == Some(&b'/') {
        return Some(Target { authority: None, rest: target });
    }
    let behind = ["http://", "https://"].into_iter().find_map(|scheme| {
        let (start, behind) = target.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme.as_bytes()).then_some(behind)
    })?;
    let end = behind.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(behind.len());
    let (authority, rest) = behind.split_at_checked(end)?;
    Some(Target { authority: Some(authority), rest })
}

/// What a target means.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meaning<'r> {
    /// The normalised path; given where the target says it so, plainly and in ASCII.
    pub(super) path: Text<'r>,
    /// The query, neither decoded nor normalised.
    pub(super) args: &'r [u8],
    /// Whether the path held a `%XX` (nginx: `quoted_uri`).
    pub(super) quoted: bool,
    /// Whether the path held a `+`, encoded or not (nginx: `plus_in_uri`).
    pub(super) plus: bool,
}

/// Why a path has no meaning.
#[derive(Clone, Copy, Debug)]
pub(super) enum Malformed {
    /// nginx answers 400.
    Invalid,
    /// It does not fit the scratch.
    Full,
}

impl From<Full> for Malformed {
    fn from(_: Full) -> Self {
        Self::Full
    }
}

/// Where in a segment the normaliser is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// Somewhere in it.
    Usual,
    /// Behind a slash.
    Slash,
    /// Behind `/.`
    Dot,
    /// Behind `/..`
    DotDot,
}

/// The normalised path of `rest`, which begins with `/`; put into the arena where it is not there already.
pub(super) fn normalise<'r>(
    arena: &mut Arena<'_>,
    rest: &'r [u8],
    merge_slashes: bool,
) -> Result<Meaning<'r>, Malformed> {
    match split_normal(rest) {
        Some((path, args)) => Ok(Meaning { path: Text::Given(path), args, quoted: false, plus: false }),
        None => rewrite(arena, rest, merge_slashes),
    }
}

/// Puts the normalised path of `rest` into the arena, byte by byte.
fn rewrite<'r>(arena: &mut Arena<'_>, rest: &'r [u8], merge_slashes: bool) -> Result<Meaning<'r>, Malformed> {
    let mut normaliser = Normaliser { begin: arena.mark(), arena, at: At::Usual, merge_slashes };
    let mut meaning = Meaning { path: Text::EMPTY, args: &[], quoted: false, plus: false };
    let mut index = 0;
    while let Some(byte) = rest.get(index).copied() {
        index += 1;
        match byte {
            0..=b' ' | 0x7F => return Err(Malformed::Invalid),
            b'?' => {
                let behind = rest.get(index..).unwrap_or(&[]);
                let end = behind.iter().position(|byte| *byte == b'#').unwrap_or(behind.len());
                meaning.args = behind.get(..end).unwrap_or(&[]);
                // nginx refuses these in the request line, wherever they stand.
                if behind.iter().any(|byte| matches!(byte, 0..=b' ' | 0x7F)) {
                    return Err(Malformed::Invalid);
                }
                break;
            }
            b'#' => {
                if rest.get(index..).unwrap_or(&[]).iter().any(|byte| matches!(byte, 0..=b' ' | 0x7F)) {
                    return Err(Malformed::Invalid);
                }
                break;
            }
            b'%' => {
                let digit = |index| rest.get(index).copied().and_then(hex);
                let decoded = match (digit(index), digit(index + 1)) {
                    (Some(high), Some(low)) => high << 4 | low,
                    _ => return Err(Malformed::Invalid),
                };
                index += 2;
                meaning.quoted = true;
                meaning.plus |= decoded == b'+';
                match decoded {
                    0 => return Err(Malformed::Invalid),
                    b'%' | b'#' | b'?' => normaliser.literal(decoded)?,
                    decoded => normaliser.byte(decoded)?,
                }
            }
            b'/' | b'.' => normaliser.byte(byte)?,
            _ => {
                let run = rest.get(index - 1..).unwrap_or(&[]);
                let plain = run.iter().position(|byte| !is_plain(*byte)).unwrap_or(run.len());
                let run = run.get(..plain).unwrap_or(&[]);
                meaning.plus |= run.contains(&b'+');
                normaliser.run(run)?;
                index += run.len().saturating_sub(1);
            }
        }
    }
    meaning.path = Text::Made(normaliser.finish()?);
    Ok(meaning)
}

/// Whether `byte` of a target stands for itself, wherever it is.
fn is_plain(byte: u8) -> bool {
    const PLAIN: [bool; 256] = plain();
    PLAIN.get(usize::from(byte)).copied().unwrap_or(false)
}

#[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "evaluated by the compiler, for 0..256")]
const fn plain() -> [bool; 256] {
    let mut plain = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        plain[byte] = !matches!(byte as u8, 0..=b' ' | 0x7F | b'%' | b'?' | b'#' | b'/' | b'.');
        byte += 1;
    }
    plain
}

struct Normaliser<'a, 's> {
    arena: &'a mut Arena<'s>,
    begin: u32,
    at: At,
    merge_slashes: bool,
}

impl Normaliser<'_, '_> {
    /// Bytes that are themselves, at least one.
    fn run(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        self.at = At::Usual;
        Ok(self.arena.put(bytes)?)
    }

    /// A byte that is itself, whatever it is.
    fn literal(&mut self, byte: u8) -> Result<(), Malformed> {
        self.at = At::Usual;
        Ok(self.arena.put_byte(byte)?)
    }

    fn byte(&mut self, byte: u8) -> Result<(), Malformed> {
        self.at = match (self.at, byte) {
            (At::Slash, b'/') if self.merge_slashes => return Ok(()),
            (At::Usual | At::Slash, b'/') => At::Slash,
            (At::Dot, b'/') => {
                self.arena.pop();
                self.at = At::Slash;
                return Ok(());
            }
            (At::DotDot, b'/') => {
                self.up()?;
                self.at = At::Slash;
                return Ok(());
            }
            (At::Slash, b'.') => At::Dot,
            (At::Dot, b'.') => At::DotDot,
            _ => At::Usual,
        };
        Ok(self.arena.put_byte(byte)?)
    }

    /// Takes `x/..` back, and what stands before it up to the slash; above the root nginx answers 400.
    fn up(&mut self) -> Result<(), Malformed> {
        // Behind `/..` the last three bytes are these; the segment before them ends one byte earlier.
        let mut end = self.arena.mark().checked_sub(3).filter(|end| *end > self.begin).ok_or(Malformed::Invalid)?;
        while end > self.begin && self.arena.byte(end - 1) != b'/' {
            end -= 1;
        }
        if end == self.begin {
            return Err(Malformed::Invalid);
        }
        self.arena.back_to(end);
        Ok(())
    }

    fn finish(mut self) -> Result<Slice, Malformed> {
        match self.at {
            At::Dot => self.arena.pop(),
            At::DotDot => self.up()?,
            At::Usual | At::Slash => {}
        }
        Ok(self.arena.since(self.begin))
    }
}
