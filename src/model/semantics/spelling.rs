//! Names and values as some upstream may read them: decoded, and with either sign between arguments.

/// An argument or a cookie as some upstream may see it.
#[derive(Debug)]
pub(super) struct Spelt<'r> {
    /// As it was sent.
    pub(super) name: &'r [u8],
    /// Behind the `=`, if there is one.
    pub(super) value: Option<&'r [u8]>,
    /// The sign before it and the one behind it.
    pub(super) between: (Option<u8>, Option<u8>),
}

/// What stands between the bytes `signs` of `text`.
pub(super) fn pieces<'r>(text: &'r [u8], signs: &[u8]) -> Vec<Spelt<'r>> {
    let mut pieces = Vec::new();
    let (mut rest, mut before) = (text, None);
    loop {
        let end = rest.iter().position(|byte| signs.contains(byte)).unwrap_or(rest.len());
        let (piece, behind) = rest.split_at_checked(end).unwrap_or_default();
        let (name, value) = match piece.iter().position(|byte| *byte == b'=') {
            Some(at) => (piece.get(..at).unwrap_or(&[]), piece.get(at + 1..)),
            None => (piece, None),
        };
        pieces.push(Spelt { name, value, between: (before, behind.first().copied()) });
        let Some((sign, behind)) = behind.split_first() else { return pieces };
        (rest, before) = (behind, Some(*sign));
    }
}

/// Whether some upstream may read `raw` as `name`: nothing stands behind it but blanks, or what is cut off there.
pub(super) fn is_spelling(raw: &[u8], name: &[u8]) -> bool {
    let decoded = decoded(raw);
    let start = decoded.iter().position(|byte| !is_around(*byte)).unwrap_or(decoded.len());
    let Some((own, behind)) = decoded.get(start..).and_then(|text| text.split_at_checked(name.len())) else {
        return false;
    };
    let next = behind.iter().find(|byte| !is_around(**byte));
    is_same(own, name) && next.is_none_or(|byte| [b'[', 0].contains(byte))
}

/// What parsers take off around a name.
fn is_around(byte: u8) -> bool {
    b" \t\r\n\"".contains(&byte)
}

/// Case aside; PHP makes `_` of dots and blanks.
fn is_same(reading: &[u8], name: &[u8]) -> bool {
    let letter = |byte: &u8| if b". ".contains(byte) { b'_' } else { byte.to_ascii_lowercase() };
    reading.iter().map(letter).eq(name.iter().map(letter))
}

/// `raw` decoded as often as it is encoded, down to ASCII where that is what it looks like.
fn decoded(raw: &[u8]) -> Vec<u8> {
    let mut text = raw.to_vec();
    while let Some(at) = (0..text.len()).find(|at| begins_with_double_escape(text.get(*at..).unwrap_or(&[]))) {
        text.drain(at + 1..at + 3);
    }
    let mut bytes = Vec::new();
    let mut rest = text.as_slice();
    while let Some((first, others)) = rest.split_first() {
        let (byte, octets) = match (first, escape(rest)) {
            (_, Some(escape)) => escape,
            (b'+', _) => (b' ', 1),
            (byte, _) => (*byte, 1),
        };
        bytes.push(byte);
        rest = others.get(octets - 1..).unwrap_or(&[]);
    }
    narrow(&bytes)
}

/// `%25` before what would be an escape.
fn begins_with_double_escape(text: &[u8]) -> bool {
    text.strip_prefix(b"%25").is_some_and(|behind| escape(&[b"%", behind].concat()).is_some())
}

/// The byte that the escape at the start of `text` is, and its length.
fn escape(text: &[u8]) -> Option<(u8, usize)> {
    let number = |digits: &[u8]| u8::from_str_radix(core::str::from_utf8(digits).ok()?, 16).ok();
    let are_digits = |digits: &[u8]| digits.iter().all(u8::is_ascii_hexdigit);
    match text {
        [b'%', b'u' | b'U', b'0', b'0', high, low, ..] if are_digits(&[*high, *low]) => {
            Some((number(&[*high, *low])?, 6))
        }
        [b'%', high, low, ..] if are_digits(&[*high, *low]) => Some((number(&[*high, *low])?, 3)),
        _ => None,
    }
}

/// Overlong and fullwidth forms of ASCII as what they are forms of.
fn narrow(bytes: &[u8]) -> Vec<u8> {
    let mut narrow = Vec::new();
    let mut rest = bytes;
    loop {
        let (byte, others) = match rest {
            [first @ (0xC0 | 0xC1), next @ 0x80..=0xBF, others @ ..] => (first % 2 * 64 + next % 64, others),
            [0xEF, 0xBC, last @ 0x81..=0xBF, others @ ..] => (last - 0x81 + b'!', others),
            [0xEF, 0xBD, last @ 0x80..=0x9E, others @ ..] => (last - 0x80 + b'`', others),
            [byte, others @ ..] => (*byte, others),
            [] => return narrow,
        };
        narrow.push(byte);
        rest = others;
    }
}

/// Whether every upstream reads `value` alike, decoded or not.
fn value_is_plain(value: &[u8]) -> bool {
    (0..value.len()).filter(|at| value.get(*at) == Some(&b'%')).all(|at| {
        let escape = value.get(at + 1..at + 3).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let byte = escape.and_then(|digits| u8::from_str_radix(core::str::from_utf8(digits).ok()?, 16).ok());
        let needs_none = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        byte.is_some_and(|byte| !needs_none(byte) && ![0, 0xC0, 0xC1].contains(&byte))
    })
}

/// `unique query`: at most one argument that may be read as `name`, and that one plainly.
pub(super) fn is_unique_argument(query: &[u8], name: &[u8]) -> bool {
    let found: Vec<Spelt<'_>> = pieces(query, b"&;").into_iter().filter(|own| is_spelling(own.name, name)).collect();
    let is_plain = |own: &Spelt<'_>| {
        let is_apart = own.between.0 != Some(b';') && own.between.1 != Some(b';');
        is_apart && own.name.eq_ignore_ascii_case(name) && value_is_plain(own.value.unwrap_or(&[]))
    };
    found.len() < 2 && found.iter().all(is_plain)
}

/// `unique cookie`: at most one cookie that may be read as `name`, and that one plainly.
pub(super) fn is_unique_cookie(lines: &[&[u8]], name: &[u8]) -> bool {
    let all = lines.iter().flat_map(|line| {
        let mut before = 0;
        pieces(line, b";,").into_iter().map(move |own| {
            let at = before;
            before += own.name.len() + own.value.map_or(0, |value| value.len() + 1) + 1;
            (own, line.get(..at).unwrap_or(&[]))
        })
    });
    let found: Vec<_> = all.filter(|(own, _)| is_spelling(own.name, name)).collect();
    let is_plain = |(own, before): &(Spelt<'_>, &[u8])| {
        let spaces = own.name.iter().take_while(|byte| **byte == b' ').count();
        let is_named = own.name.get(spaces..).is_some_and(|own| own.eq_ignore_ascii_case(name));
        let is_apart = own.between.0 != Some(b',') && own.between.1 != Some(b',');
        let is_bare = |value: &[u8]| value.trim_ascii() == value && !value.contains(&b'"') && value_is_plain(value);
        is_named && is_apart && !may_be_quoted(before) && own.value.is_some_and(is_bare)
    };
    found.len() < 2 && found.iter().all(is_plain)
}

/// Whether a quote of `before` may still be open: some upstreams read what stands in one as part of the cookie before.
fn may_be_quoted(before: &[u8]) -> bool {
    let is_open = before.split(|byte| *byte == b'"').count() % 2 == 0;
    is_open || before.contains(&b'"') && before.contains(&b'\\')
}
