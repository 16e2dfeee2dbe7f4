//! Bytes that are not UTF-8, kept in texts.
//!
//! nginx reads bytes; sources and rules are texts. A byte that is not part of a UTF-8 sequence becomes one character at
//! the end of the last private plane. A text that really holds one of these is taken apart into bytes itself, so the
//! way back is exact.

/// The character that stands for the byte 0.
const FIRST: u32 = 0x10_FF00;

/// `bytes` as a text.
pub(super) fn decode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_byte(c) {
                c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| text.extend(character(byte)));
            } else {
                text.push(c);
            }
        }
        chunk.invalid().iter().for_each(|byte| text.extend(character(*byte)));
    }
    text
}

/// The bytes of which `text` was made.
pub(super) fn encode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        match byte(c) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend(c.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    bytes
}

/// The byte that `c` stands for, if it stands for one.
pub(super) fn byte(c: char) -> Option<u8> {
    u8::try_from(u32::from(c).checked_sub(FIRST)?).ok()
}

/// Whether `c` stands for a byte that is not UTF-8.
pub(super) fn is_byte(c: char) -> bool {
    byte(c).is_some()
}

fn character(byte: u8) -> Option<char> {
    char::from_u32(FIRST + u32::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_decoded_comes_back_byte_for_byte() {
        let own = "\u{10FF80}x\u{10FFFF}".as_bytes();
        let all: Vec<u8> = (0..=255).collect();
        for bytes in [b"plain".as_slice(), "caf\u{e9} \u{1F600}".as_bytes(), b"\xFC\xC3", b"\xC3\xBC\xFF", own, &all] {
            assert_eq!(encode(&decode(bytes)), bytes);
        }
    }
}
