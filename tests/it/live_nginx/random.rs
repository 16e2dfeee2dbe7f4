//! Choices from a seed (splitmix64): the same seed, the same choices.

/// A source of choices.
pub(crate) struct Random(u64);

impl Random {
    /// Seeds that stand side by side lead to choices that have nothing in common: not to one row, begun a step later.
    pub(crate) fn new(seed: u64) -> Self {
        Self(Self(seed).next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("below a usize")
    }

    /// True `percent` times out of a hundred.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }
}

/// The seed of a run: `RULEC_SEED`, else one from the clock where `RULEC_LIVE` asks for a run of another size, else always
/// the same, so that what fails in the tests of a change is the change.
pub(crate) fn seed() -> u64 {
    let fresh = || if super::number("RULEC_LIVE").is_some() { fresh_seed() } else { 5_551_000_000 };
    super::number("RULEC_SEED").unwrap_or_else(fresh)
}

/// A seed from the clock.
pub(crate) fn fresh_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    u64::from(now.subsec_nanos()) ^ now.as_secs() << 20
}
