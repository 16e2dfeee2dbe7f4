//! Targets that mean what they say: their path is taken as it stands, and nothing is copied.

/// Bytes that are looked at together.
const LANES: usize = 16;

/// Path and query of `rest` if the path is its own normal form: without escapes, dot segments, merged slashes, `+`,
/// control bytes and bytes beyond ASCII. None says only that a closer look is needed.
pub(super) fn split_normal(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    if rest.first() != Some(&b'/') {
        return None;
    }
    let Some(end) = first(rest, is_special, is_listed) else { return Some((rest, &[])) };
    let (path, behind) = rest.split_at_checked(end)?;
    // From the question mark on, so that the first byte needs no care.
    let args = behind.strip_prefix(b"?")?;
    let ends_query = |_, byte| ends_query(byte);
    first(behind, ends_query, ends_query).is_none().then_some((path, args))
}

/// Whether a path is not its own normal form because of `byte`, which stands behind `before`.
#[expect(clippy::needless_bitwise_bool, reason = "without a branch it is done for many bytes at once")]
const fn is_special(before: u8, byte: u8) -> bool {
    let by_itself = (byte <= b' ') | (byte >= 0x7F) | (byte == b'%') | (byte == b'?') | (byte == b'#') | (byte == b'+');
    let behind_slash = (before == b'/') & ((byte == b'/') | (byte == b'.'));
    by_itself | behind_slash
}

/// The same looked up, which is faster for one byte than for many.
#[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "evaluated by the compiler, for 0..256")]
fn is_listed(before: u8, byte: u8) -> bool {
    const BY_ITSELF: u8 = 1;
    const BEHIND_SLASH: u8 = 2;
    const LISTED: [u8; 256] = {
        let mut listed = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            let (after_other, after_slash) = (is_special(b'a', byte as u8), is_special(b'/', byte as u8));
            listed[byte] = if after_other { BY_ITSELF } else { 0 } | if after_slash { BEHIND_SLASH } else { 0 };
            byte += 1;
        }
        listed
    };
    let wanted = if before == b'/' { BEHIND_SLASH } else { BY_ITSELF };
    LISTED.get(usize::from(byte)).is_none_or(|listed| listed & wanted != 0)
}

/// Whether `byte` cannot stand in a query, or ends it.
#[expect(clippy::needless_bitwise_bool, reason = "without a branch it is done for many bytes at once")]
fn ends_query(byte: u8) -> bool {
    (byte <= b' ') | (byte == 0x7F) | (byte == b'#')
}

/// Index of the first byte but the very first that is looked for, given the byte before it and itself. `any_of` and
/// `is_one` say the same.
///
/// Lanes are looked at without a branch between them, so that the compiler may take them at once.
fn first(bytes: &[u8], any_of: impl Fn(u8, u8) -> bool + Copy, is_one: impl Fn(u8, u8) -> bool) -> Option<usize> {
    let behind = bytes.get(1..)?;
    let mut start = 0;
    while any_of_lanes(bytes, behind, start, any_of) == Some(false) {
        start += LANES;
    }
    // The last lanes overlap those before.
    if let Some(last) = behind.len().checked_sub(LANES)
        && start > last
        && any_of_lanes(bytes, behind, last, any_of) == Some(false)
    {
        return None;
    }
    let mut before = *bytes.get(start)?;
    for byte in behind.get(start..)? {
        start += 1;
        if is_one(before, *byte) {
            return Some(start);
        }
        before = *byte;
    }
    None
}

#[inline]
fn any_of_lanes(bytes: &[u8], behind: &[u8], start: usize, is_it: impl Fn(u8, u8) -> bool) -> Option<bool> {
    let before: &[u8; LANES] = bytes.get(start..)?.first_chunk()?;
    let own: &[u8; LANES] = behind.get(start..)?.first_chunk()?;
    let any = before.iter().zip(own).fold(0, |any, (before, byte)| any | u8::from(is_it(*before, *byte)));
    Some(any != 0)
}
