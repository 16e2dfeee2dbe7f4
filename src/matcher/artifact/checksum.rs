//! CRC-32 (ISO 3309, as in gzip): finds accidents, not malice.

/// Octets that are looked up at once: their look-ups do not wait for each other, which makes it some six times as fast
/// as one after the other.
const LANES: usize = 16;

/// `TABLES[n][octet]`: what `octet` does to the checksum with `n` octets behind it.
static TABLES: [[u32; 256]; LANES] = tables();

/// The CRC-32 of `bytes`.
pub fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    let (blocks, rest) = bytes.as_chunks::<LANES>();
    for block in blocks {
        crc = after_block(crc, block);
    }
    for byte in rest {
        crc = (crc >> 8) ^ entry(0, crc.to_le_bytes()[0] ^ byte);
    }
    !crc
}

fn after_block(crc: u32, block: &[u8; LANES]) -> u32 {
    let mut block = *block;
    for (octet, own) in block.iter_mut().zip(crc.to_le_bytes()) {
        *octet ^= own;
    }
    let mut next = 0;
    for (table, octet) in TABLES.iter().rev().zip(block) {
        next ^= table.get(usize::from(octet)).copied().unwrap_or(0);
    }
    next
}

fn entry(behind: usize, octet: u8) -> u32 {
    TABLES.get(behind).and_then(|table| table.get(usize::from(octet))).copied().unwrap_or(0)
}

/// The checksum of two texts one after the other, from the checksum of each and the octets of the second.
pub fn joined(first: u32, second: u32, octets: usize) -> u32 {
    // A checksum is a polynomial over bits; each octet behind a text multiplies its by x^8.
    let mut octets = octets;
    let mut shifted = first;
    let mut power = 1 << (31 - 8);
    while octets > 0 {
        if octets & 1 == 1 {
            shifted = product(power, shifted);
        }
        power = product(power, power);
        octets >>= 1;
    }
    shifted ^ second
}

/// The product of two polynomials, less what divides by that of the checksum. The highest bit is x^0.
fn product(a: u32, b: u32) -> u32 {
    let mut product = 0;
    let mut b = b;
    for bit in (0..32).rev() {
        if a >> bit & 1 == 1 {
            product ^= b;
        }
        b = if b & 1 == 1 { (b >> 1) ^ POLYNOMIAL } else { b >> 1 };
    }
    product
}

/// Without x^32, highest bit x^0.
const POLYNOMIAL: u32 = 0xEDB8_8320;

#[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "evaluated by the compiler, for 0..256")]
const fn tables() -> [[u32; 256]; LANES] {
    let mut tables = [[0; 256]; LANES];
    let mut index = 0;
    while index < 256 {
        let mut crc = index as u32;
        let mut lane = 0;
        while lane < LANES {
            let mut bit = 0;
            while bit < 8 {
                crc = if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
                bit += 1;
            }
            tables[lane][index] = crc;
            lane += 1;
        }
        index += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_check_value_of_the_standard() {
        assert_eq!(super::crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn checksums_of_parts_give_that_of_the_whole() {
        let bytes: Vec<u8> = (0..1000u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
        for middle in [0, 1, 15, 512, 999, 1000] {
            let (first, second) = bytes.split_at(middle);
            let joined = super::joined(super::crc32(first), super::crc32(second), second.len());
            assert_eq!(joined, super::crc32(&bytes), "{middle} octets first");
        }
    }

    #[test]
    fn many_octets_at_once_are_as_one_after_the_other() {
        let bytes: Vec<u8> = (0..1000u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
        for end in [15, 16, 17, 31, 32, 33, 1000] {
            let bitwise = bytes[..end].iter().fold(u32::MAX, |crc, byte| {
                (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 * (crc & 1)))
            });
            assert_eq!(super::crc32(&bytes[..end]), !bitwise, "{end} octets");
        }
    }
}
