//! How deep a predicate nests, told before the grammar recurses into it.

/// How deep the parentheses and `not`s of a predicate nest.
#[derive(Debug, Default)]
pub(super) struct Nesting {
    /// The `not`s before each open parenthesis.
    open: Vec<usize>,
    /// Their sum.
    negated: usize,
    /// The `not`s just read.
    pending: usize,
}

impl Nesting {
    /// People nest three deep. Each level costs a few stack frames in the parser and in everything that walks the tree.
    pub(super) const DEPTH_MAX: usize = 32;

    /// Notes `word`; false if it nests too deep.
    pub(super) fn word(&mut self, word: &str) -> bool {
        match word {
            "not" => self.pending += 1,
            "(" => {
                self.negated += self.pending;
                self.open.push(self.pending);
                self.pending = 0;
            }
            ")" => {
                self.negated -= self.open.pop().unwrap_or(0);
                self.pending = 0;
            }
            _ => self.pending = 0,
        }
        self.open.len() + self.negated + self.pending <= Self::DEPTH_MAX
    }
}
