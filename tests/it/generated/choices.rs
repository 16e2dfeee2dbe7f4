//! Where a generator's choices come from.

/// A row of choices. A list shrinks well: where it ends, every choice is the first, the simplest.
pub(super) enum Choices<'a> {
    List(core::slice::Iter<'a, u16>),
    Seed(u64),
}

impl<'a> Choices<'a> {
    pub(super) fn of_list(list: &'a [u16]) -> Self {
        Self::List(list.iter())
    }

    /// Choices without end (splitmix64).
    pub(super) fn of_seed(seed: u64) -> Self {
        Self::Seed(seed)
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        let raw = match self {
            Self::List(list) => u64::from(list.next().copied().unwrap_or(0)),
            Self::Seed(state) => {
                *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
                let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
                let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
                mixed ^ (mixed >> 31)
            }
        };
        usize::try_from(raw % end as u64).expect("below a usize")
    }

    /// True in `percent` of a hundred.
    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) >= 100 - percent
    }

    pub(super) fn pick<'p, T: ?Sized>(&mut self, choices: &[&'p T]) -> &'p T {
        choices[self.below(choices.len())]
    }

    /// Whether there is nothing left to choose.
    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::List(list) if list.len() == 0)
    }
}
