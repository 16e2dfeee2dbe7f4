//! Field lines of a head or of trailers.

use core::ops::Range;

use bytes::{BufMut as _, Bytes, BytesMut};

use crate::matcher::Header;

/// Field lines in order. Those that were read stand where they were read, those that were added behind them.
#[derive(Clone, Debug, Default)]
pub(in crate::proxy) struct Fields {
    read: Bytes,
    added: Vec<u8>,
    // Invariant: every range lies within `read` or, less its length, within `added`.
    lines: Vec<(Range<usize>, Range<usize>)>,
}

impl Fields {
    /// Lines that stand in `read`: `lines` are parts of it, names before values.
    pub(in crate::proxy) fn within<'l>(read: Bytes, lines: impl Iterator<Item = Header<'l>>) -> Self {
        let lines = lines.map(|(name, value)| (offset(&read, name), offset(&read, trimmed(value)))).collect();
        Self { read, added: Vec::new(), lines }
    }

    /// All lines in order: name as sent, value without surrounding blanks.
    pub(in crate::proxy) fn iter(&self) -> impl Iterator<Item = Header<'_>> {
        self.lines.iter().map(|(name, value)| (self.part(name), self.part(value)))
    }

    /// The values of all lines of `name`, in order.
    pub(in crate::proxy) fn values<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f [u8]> {
        self.iter().filter(|(have, _)| have.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    pub(in crate::proxy) fn has(&self, name: &str) -> bool {
        self.values(name).next().is_some()
    }

    pub(in crate::proxy) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Adds a line behind all others.
    pub(in crate::proxy) fn push(&mut self, name: &[u8], value: &[u8]) {
        let start = self.read.len() + self.added.len();
        self.added.extend_from_slice(name);
        self.added.extend_from_slice(value);
        let middle = start + name.len();
        self.lines.push((start..middle, middle..middle + value.len()));
    }

    /// Puts one line in place of all of that name.
    pub(in crate::proxy) fn set(&mut self, name: &str, value: &[u8]) {
        self.retain(|have, _| !have.eq_ignore_ascii_case(name.as_bytes()));
        self.push(name.as_bytes(), value);
    }

    /// Leaves out the lines of which `keeps` is false.
    pub(in crate::proxy) fn retain(&mut self, keeps: impl Fn(&[u8], &[u8]) -> bool) {
        let mut lines = core::mem::take(&mut self.lines);
        lines.retain(|(name, value)| keeps(self.part(name), self.part(value)));
        self.lines = lines;
    }

    fn part(&self, range: &Range<usize>) -> &[u8] {
        let read = self.read.len();
        match range.start.checked_sub(read) {
            None => self.read.get(range.clone()).unwrap_or_default(),
            Some(start) => self.added.get(start..range.end.saturating_sub(read)).unwrap_or_default(),
        }
    }
}

/// Writes a field line.
pub(in crate::proxy) fn put_line(out: &mut BytesMut, name: &[u8], value: &[u8]) {
    for part in [name, b": ", value, b"\r\n"] {
        out.put_slice(part);
    }
}

/// The members of a comma-separated list, without blanks and empty ones.
pub(in crate::proxy) fn members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&octet| octet == b',').map(trimmed).filter(|member| !member.is_empty())
}

/// Without blanks around.
pub(in crate::proxy) fn trimmed(value: &[u8]) -> &[u8] {
    value.trim_ascii()
}

/// A length: digits only, below 10^18, so that nobody's arithmetic wraps.
pub(super) fn decimal(value: &[u8]) -> Option<u64> {
    let digits = (1..=18).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
    if !digits {
        return None;
    }
    Some(value.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

/// Where `part` lies in `whole`, of which it is a part.
pub(super) fn offset(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    // A part without octets may stand nowhere.
    if part.is_empty() { 0..0 } else { start..start + part.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(fields: &Fields) -> Vec<(String, String)> {
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        fields.iter().map(|(name, value)| (text(name), text(value))).collect()
    }

    #[test]
    fn lines_that_were_read_and_lines_that_were_added_stand_in_order() {
        let read = Bytes::from_static(b"A: 1\r\nB:\r\n");
        let mut fields =
            Fields::within(read.clone(), [(&read[0..1], &read[2..4]), (&read[6..7], &read[8..8])].into_iter());
        fields.push(b"C", b"3");
        fields.push(b"D", b"");
        let line = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(lines(&fields), [line("A", "1"), line("B", ""), line("C", "3"), line("D", "")]);
        fields.retain(|name, _| name != b"A");
        fields.set("c", b"4");
        assert_eq!(lines(&fields), [line("B", ""), line("D", ""), line("c", "4")]);
        assert!(fields.has("C") && fields.values("b").eq([b""]));
    }
}
