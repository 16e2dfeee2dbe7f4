//! The names of the headers that rules read, for one look at the headers of a request.

use super::tables::{Builder, index};
use crate::artifact::format::{HEADERS_MAX, HeaderName, NONE, Number, Policy};
use crate::artifact::header_hash::{Ends, length_bit};
use crate::diagnostic::Span;
use std::collections::HashMap;

/// Factors that are tried; a dozen names have one without a collision within a few.
const FACTORS_MAX: u32 = 256;

/// Names in the order in which they were first read. Names ignore case.
#[derive(Debug, Default)]
pub(super) struct Headers {
    names: Vec<Vec<u8>>,
    known: HashMap<Vec<u8>, u32>,
}

impl Headers {
    /// Host and Connection alone, which every decision reads.
    pub(super) fn new() -> Self {
        let mut headers = Self::default();
        headers.add(b"host");
        headers.add(b"connection");
        headers
    }

    /// Index of the header `name`.
    pub(super) fn add(&mut self, name: &[u8]) -> u32 {
        let name = name.to_ascii_lowercase();
        if let Some(index) = self.known.get(&name) {
            return *index;
        }
        let index = index(self.names.len());
        self.names.push(name.clone());
        self.known.insert(name, index);
        index
    }

    /// The factor with which the fewest names share a slot.
    fn factor(&self, bits: u32) -> u32 {
        let factors = (1..=FACTORS_MAX).map(|number| number.wrapping_mul(0x9E37_79B9) | 1);
        let collisions = |factor: u32| {
            let mut slots: Vec<usize> = self.names.iter().map(|name| Ends::of(name).slot(factor, bits)).collect();
            slots.sort_unstable();
            slots.dedup();
            self.names.len() - slots.len()
        };
        factors.min_by_key(|factor| collisions(*factor)).unwrap_or(1)
    }
}

impl Builder<'_> {
    /// Writes the names out, and what else holds for the whole policy; no header can be added afterwards.
    /// `manifest` is the checksum of the manifest that goes with the tables.
    pub(super) fn policy_tables(&mut self, manifest: u32) {
        let headers = core::mem::take(&mut self.headers);
        if headers.names.len() > HEADERS_MAX {
            let message = format!("the rules read more than {HEADERS_MAX} different headers");
            let help = "a matcher keeps the place of each of them; ask fewer different headers";
            self.error("too-many-fields", Span::default(), message, help);
        }
        let bits = headers.names.len().next_power_of_two().ilog2() + 1;
        let factor = headers.factor(bits);
        let lengths = headers.names.iter().fold(0, |lengths, name| lengths | length_bit(name));
        let mut slots = vec![NONE; 1 << bits];
        let mut rows = Vec::new();
        for (number, name) in (0u32..).zip(&headers.names) {
            let start = index(self.bytes.len());
            self.bytes.extend(name);
            rows.push(HeaderName::new(start, name, NONE));
            let mut place = slots.get_mut(Ends::of(name).slot(factor, bits));
            while let Some(next) = place.as_deref().copied().filter(|next| *next != NONE) {
                place = rows.get_mut(next as usize).map(|row| &mut row.next);
            }
            if let Some(place) = place {
                *place = number;
            }
        }
        for row in &rows {
            self.header_names.push(row);
        }
        for slot in slots {
            self.header_slots.push(&Number { value: slot });
        }
        let [low, high] = [lengths & u64::from(u32::MAX), lengths >> 32].map(|half| u32::try_from(half).unwrap_or(0));
        self.policies.push(&Policy {
            captures: index(self.captures.len()),
            headers: index(headers.names.len()),
            lengths_low: low,
            lengths_high: high,
            factor,
            bits,
            cookie: headers.known.get(b"cookie".as_slice()).copied().unwrap_or(NONE),
            upstreams: index(self.policy.upstreams.len()),
            meters: index(self.policy.meters.len()),
            facts: index(self.policy.facts.len()),
            manifest,
        });
    }
}
