//! Bytes that no pattern of a set tells apart.

use super::program::{Instruction, Program};
use regex_automata::util::look::Look;

/// A partition of the 256 bytes.
#[derive(Clone, Debug)]
pub(super) struct ByteClasses {
    /// By byte. Invariant: every value is below `representatives.len()`.
    pub(super) of: [u8; 256],
    /// The first byte of each class.
    pub(super) representatives: Vec<u8>,
}

impl ByteClasses {
    /// The coarsest partition that all `programs` respect.
    pub(super) fn new(programs: &[&Program]) -> Self {
        Self::with_letters(programs, &[false; 256])
    }

    /// The coarsest partition that all `programs` respect and that keeps each of `letters` apart.
    pub(super) fn with_letters(programs: &[&Program], letters: &[bool; 256]) -> Self {
        let mut starts = [false; 257];
        for (byte, _) in (0..=u8::MAX).zip(letters).filter(|(_, is_letter)| **is_letter) {
            mark(&mut starts, byte, byte);
        }
        for instruction in programs.iter().flat_map(|program| &program.instructions) {
            match instruction {
                Instruction::Bytes(ranges) => {
                    for (first, last, _) in ranges {
                        mark(&mut starts, *first, *last);
                    }
                }
                Instruction::Look { look: Look::EndLF, .. } => mark(&mut starts, b'\n', b'\n'),
                Instruction::Look { look: Look::WordAscii | Look::WordAsciiNegate, .. } => {
                    for (first, last) in WORD_RANGES {
                        mark(&mut starts, first, last);
                    }
                }
                _ => {}
            }
        }
        let mut of = [0; 256];
        let mut representatives = Vec::new();
        for (byte, slot) in (0..=u8::MAX).zip(of.iter_mut()) {
            if byte == 0 || starts.get(usize::from(byte)) == Some(&true) {
                representatives.push(byte);
            }
            *slot = u8::try_from(representatives.len() - 1).unwrap_or(u8::MAX);
        }
        Self { of, representatives }
    }
}

fn mark(starts: &mut [bool; 257], first: u8, last: u8) {
    for edge in [usize::from(first), usize::from(last) + 1] {
        if let Some(start) = starts.get_mut(edge) {
            *start = true;
        }
    }
}

const WORD_RANGES: [(u8, u8); 4] = [(b'0', b'9'), (b'A', b'Z'), (b'_', b'_'), (b'a', b'z')];

/// `\w` in ASCII.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
