//! The request target and the path it means (nginx: `ngx_http_parse_request_line`, `ngx_http_parse_complex_uri`).

/// What a target means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// Path and query as they came, in origin-form.
    pub(super) raw: Vec<u8>,
    /// The normalised path.
    pub(super) path: Vec<u8>,
    /// The query as it came, without a fragment.
    pub(super) args: Vec<u8>,
    /// The path held a `%XX`; nginx escapes more where it did.
    pub(super) is_quoted: bool,
    /// The path held a `+`, encoded or not; likewise.
    pub(super) has_plus: bool,
    /// What is before the query, as it came.
    pub(super) raw_path: Vec<u8>,
}

/// The authority of an absolute-form target and what follows it; None for other targets.
pub(super) fn absolute_form(target: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = ["http://", "https://"].into_iter().find_map(|scheme| {
        let (start, rest) = target.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme.as_bytes()).then_some(rest)
    })?;
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len());
    rest.split_at_checked(end)
}

/// What `target` means; None where nginx answers 400.
pub(super) fn read(target: &[u8], merges_slashes: bool) -> Option<Target> {
    if target.iter().any(|byte| *byte <= b' ' || *byte == 0x7f) {
        return None;
    }
    let raw = match absolute_form(target) {
        Some((_, [])) => b"/".to_vec(),
        // nginx wants a path before a fragment, not before a query.
        Some((_, rest @ [b'?', ..])) => [b"/", rest].concat(),
        Some((_, rest)) => rest.to_vec(),
        None => target.to_vec(),
    };
    if raw.first() != Some(&b'/') {
        return None;
    }
    let (before_fragment, _) = split_at_byte(&raw, b'#');
    let (raw_path, args) = split_at_byte(before_fragment, b'?');
    let decoded = decode(raw_path)?;
    let path = segments(&decoded, merges_slashes)?;
    let octets: Vec<u8> = decoded.iter().map(|octet| octet.byte).collect();
    Some(Target {
        path,
        args: args.to_vec(),
        is_quoted: raw_path.contains(&b'%'),
        has_plus: octets.contains(&b'+'),
        raw_path: raw_path.to_vec(),
        raw,
    })
}

/// What is before the first `byte` and what is behind it.
fn split_at_byte(text: &[u8], byte: u8) -> (&[u8], &[u8]) {
    let mut halves = text.splitn(2, |other| *other == byte);
    (halves.next().unwrap_or(&[]), halves.next().unwrap_or(&[]))
}

/// A byte of a path after decoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Octet {
    byte: u8,
    was_encoded: bool,
}

/// `path` with every `%XX` decoded, once.
fn decode(path: &[u8]) -> Option<Vec<Octet>> {
    let mut octets = Vec::new();
    let mut rest = path;
    while let [first, others @ ..] = rest {
        rest = others;
        let mut octet = Octet { byte: *first, was_encoded: false };
        if *first == b'%' {
            let [high, low, others @ ..] = others else { return None };
            rest = others;
            octet = Octet { byte: hex(*high)? * 16 + hex(*low)?, was_encoded: true };
            if octet.byte == 0 {
                return None;
            }
        }
        octets.push(octet);
    }
    Some(octets)
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// The path of `octets` without `.` and `..`; None where it climbs above the root.
///
/// A dot or slash counts the same whether it was encoded or not.
fn segments(octets: &[Octet], merges_slashes: bool) -> Option<Vec<u8>> {
    let bytes: Vec<u8> = octets.iter().map(|octet| octet.byte).collect();
    let mut path = Vec::new();
    let mut segments = bytes.split(|byte| *byte == b'/').skip(1).peekable();
    // Invariant: `path` is empty or ends behind a segment, and the next segment is to be put behind a slash.
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            b"." if is_last => path.push(b'/'),
            b"." => {}
            b".." => {
                climb(&mut path)?;
                if is_last {
                    path.push(b'/');
                }
            }
            b"" if merges_slashes && !is_last => {}
            _ => {
                path.push(b'/');
                path.extend_from_slice(segment);
            }
        }
    }
    Some(path)
}

/// Takes the last segment off. Of `/a//` that is the empty one, as nginx sees it.
fn climb(path: &mut Vec<u8>) -> Option<()> {
    let slash = path.iter().rposition(|byte| *byte == b'/')?;
    path.truncate(slash);
    Some(())
}

/// Whether two hops may read the path of a target, as it came, differently (`paths strict`); `takes_parameters` says
/// that a `;` is suspicious beside dots only, and at the start of a segment, which is empty without it.
pub(super) fn is_ambiguous(raw_path: &[u8], takes_parameters: bool) -> bool {
    let Some(octets) = decode(raw_path) else { return true };
    let is_encoded = |octet: &Octet, bytes: &[u8]| octet.was_encoded && bytes.contains(&octet.byte);
    let bytes: Vec<u8> = octets.iter().map(|octet| octet.byte).collect();
    let segments: Vec<&[u8]> = bytes.split(|byte| *byte == b'/').collect();
    let inner = segments.get(1..segments.len().max(2) - 1).unwrap_or(&[]);
    octets.iter().any(|octet| is_encoded(octet, b"/") || octet.byte == b'\\')
        || segments.iter().any(|segment| [b".".as_slice(), b".."].contains(segment))
        || inner.iter().any(|segment| segment.is_empty())
        || bytes.iter().any(u8::is_ascii_control)
        || has_overlong(&bytes)
        || has_lookalike(&bytes)
        || has_double_escape(&octets)
        || segments.iter().any(|segment| if takes_parameters { hides_dots(segment) } else { segment.contains(&b';') })
}

/// An encoded `%` before two hexadecimal digits.
fn has_double_escape(octets: &[Octet]) -> bool {
    octets.windows(3).any(|window| match window {
        [percent, digits @ ..] => {
            percent.was_encoded && percent.byte == b'%' && digits.iter().all(|digit| hex(digit.byte).is_some())
        }
        [] => false,
    })
}

/// A `;` beside a dot, or one with nothing before it.
fn hides_dots(segment: &[u8]) -> bool {
    segment.first() == Some(&b';')
        || segment.windows(2).any(|pair| [b".;", b";."].contains(&pair.first_chunk().unwrap_or(b"  ")))
}

/// UTF-8 that spells a character in more bytes than it needs.
fn has_overlong(octets: &[u8]) -> bool {
    let too_long = |pair: &[u8]| {
        matches!(pair, [0xE0, 0x80..=0x9F] | [0xF0, 0x80..=0x8F] | [0xF8, 0x80..=0x87] | [0xFC, 0x80..=0x83])
    };
    octets.iter().any(|byte| matches!(byte, 0xC0 | 0xC1)) || octets.windows(2).any(too_long)
}

/// The fullwidth forms of `.`, `/`, `;` and `\`, which Windows makes those of.
fn has_lookalike(octets: &[u8]) -> bool {
    octets.windows(3).any(|window| matches!(window, [0xEF, 0xBC, 0x8E | 0x8F | 0x9B | 0xBC]))
}
