//! Stored inputs with the verdict that a strict proxy owes, and mutants of them.

mod frames;
mod http1;
mod mutants;
mod recorder;
mod strict;

use serde::Deserialize;

/// Octets of a case: a text, or texts and how often each stands there. A character is the octet of its number.
#[derive(Deserialize)]
struct Raw {
    raw: Option<String>,
    #[serde(default)]
    parts: Vec<(String, usize)>,
}

impl Raw {
    fn octets(&self) -> Vec<u8> {
        let text = self.raw.iter().cloned().chain(self.parts.iter().map(|(text, times)| text.repeat(*times)));
        let octet = |character: char| u8::try_from(u32::from(character)).expect("an octet");
        text.flat_map(|text| text.chars().map(octet).collect::<Vec<u8>>()).collect()
    }
}

/// The cases of a corpus; its first line says what it is and whose.
fn cases<T: for<'de> Deserialize<'de>>(text: &str) -> Vec<T> {
    text.lines().skip(1).map(|line| serde_json::from_str(line).expect("a case")).collect()
}
