//! Targets that mean what they say: their path is taken as it stands, and nothing is copied.

/// Bytes that are looked at together.
const LANES: usize = 16;

/// Path and query of `rest` if the path is its own normal form: without escapes, dot segments,
/// merged slashes, `+`, control bytes and bytes beyond ASCII. None says only that a closer look is needed.
pub(super) fn split_normal(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    if rest.first() != Some(&b'/') {
        return None;
    }
    let Some(end) = first(rest, is_special) else { return Some((rest, &[])) };
    let (path, behind) = rest.split_at_checked(end)?;
    let (b'?', args) = behind.split_first()? else { return None };
    let is_plain = !first_is(args, ends_query) && first(args, |_, byte| ends_query(byte)).is_none();
    is_plain.then_some((path, args))
}

fn first_is(bytes: &[u8], is_it: impl Fn(u8) -> bool) -> bool {
    bytes.first().is_some_and(|byte| is_it(*byte))
}

/// Whether a path is not its own normal form because of `byte`, which stands behind `before`.
fn is_special(before: u8, byte: u8) -> bool {
    let by_itself = (byte <= b' ') | (byte >= 0x7F) | (byte == b'%') | (byte == b'?') | (byte == b'#') | (byte == b'+');
    let behind_slash = (before == b'/') & ((byte == b'/') | (byte == b'.'));
    by_itself | behind_slash
}

/// Whether `byte` cannot stand in a query, or ends it.
fn ends_query(byte: u8) -> bool {
    (byte <= b' ') | (byte == 0x7F) | (byte == b'#')
}

/// Index of the first byte but the very first that `is_it`, told the byte before it and itself.
///
/// Lanes are looked at without a branch between them, so that the compiler may take them at once.
fn first(bytes: &[u8], is_it: impl Fn(u8, u8) -> bool + Copy) -> Option<usize> {
    let behind = bytes.get(1..)?;
    let mut start = 0;
    while let Some(any) = any_of_lanes(bytes, behind, start, is_it) {
        if any {
            break;
        }
        start += LANES;
    }
    // The last lanes overlap those before.
    if let Some(last) = behind.len().checked_sub(LANES)
        && start > last
        && any_of_lanes(bytes, behind, last, is_it) == Some(false)
    {
        return None;
    }
    let pairs = bytes.get(start..)?.iter().zip(behind.get(start..)?);
    let found = pairs.into_iter().position(|(before, byte)| is_it(*before, *byte))?;
    Some(start + found + 1)
}

#[inline]
fn any_of_lanes(bytes: &[u8], behind: &[u8], start: usize, is_it: impl Fn(u8, u8) -> bool) -> Option<bool> {
    let before: &[u8; LANES] = bytes.get(start..)?.first_chunk()?;
    let own: &[u8; LANES] = behind.get(start..)?.first_chunk()?;
    let any = before.iter().zip(own).fold(0, |any, (before, byte)| any | u8::from(is_it(*before, *byte)));
    Some(any != 0)
}
