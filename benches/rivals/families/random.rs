//! A generator that gives the same numbers every time (Knuth's MMIX).

pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % bound
    }

    pub(crate) fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    /// A segment of a path: one of 12,000.
    pub(crate) fn name(&mut self) -> String {
        const WORDS: [&str; 12] = [
            "users", "orders", "items", "static", "images", "v1", "v2", "admin", "search", "report", "invoice",
            "session",
        ];
        format!("{}{}", self.of(&WORDS), self.below(1000))
    }

    /// `/a/b/c/`
    pub(crate) fn path(&mut self, segments: usize) -> String {
        let names: Vec<String> = (0..segments).map(|_| self.name()).collect();
        format!("/{}/", names.join("/"))
    }
}
