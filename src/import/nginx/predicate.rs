//! Predicates of the rules, put together and simplified.

/// What a guard asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Predicate {
    /// Holds always.
    True,
    /// Never holds.
    False,
    /// As it is written.
    Atom(String),
    /// The opposite.
    Not(Box<Self>),
    /// All of them.
    And(Vec<Self>),
    /// One of them.
    Or(Vec<Self>),
}

impl Predicate {
    /// One test, as it is written.
    pub(super) fn atom(text: impl Into<String>) -> Self {
        Self::Atom(text.into())
    }

    /// The opposite.
    pub(super) fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    /// Both.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::True, other) | (other, Self::True) => other,
            (Self::False, _) | (_, Self::False) => Self::False,
            (one, other) if one == other => one,
            (one, other) => {
                let mut all = one.conjuncts();
                for part in other.conjuncts() {
                    if all.contains(&part.clone().not()) {
                        return Self::False;
                    }
                    if !all.contains(&part) {
                        all.push(part);
                    }
                }
                Self::And(all)
            }
        }
    }

    /// One of both.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::False, other) | (other, Self::False) => other,
            (Self::True, _) | (_, Self::True) => Self::True,
            (one, other) if one == other => one,
            (one, other) => {
                let mut any = one.disjuncts();
                for part in other.disjuncts() {
                    if any.contains(&part.clone().not()) {
                        return Self::True;
                    }
                    if any.iter().any(|known| part.implies(known)) {
                        continue;
                    }
                    any.retain(|known| !known.implies(&part));
                    any.push(part);
                }
                match any.pop() {
                    Some(only) if any.is_empty() => only,
                    Some(last) => {
                        any.push(last);
                        Self::Or(any)
                    }
                    None => Self::False,
                }
            }
        }
    }

    /// Whether it says at least what `other` says, as far as that is seen at once.
    fn implies(&self, other: &Self) -> bool {
        let parts = |predicate: &Self| predicate.clone().conjuncts();
        let own = parts(self);
        parts(other).iter().all(|part| own.contains(part))
    }

    /// How many tests it holds.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::True | Self::False | Self::Atom(_) => 1,
            Self::Not(inner) => inner.size(),
            Self::And(parts) | Self::Or(parts) => parts.iter().map(Self::size).sum(),
        }
    }

    /// As the rules write it; `True` and `False` are never written.
    pub(super) fn text(&self) -> String {
        match self {
            Self::True => "method GET or not method GET".to_owned(),
            Self::False => "method GET and not method GET".to_owned(),
            Self::Atom(text) => text.clone(),
            Self::Not(inner) => format!("not {}", inner.grouped()),
            Self::And(parts) => joined(parts, " and "),
            Self::Or(parts) => joined(parts, " or "),
        }
    }

    fn grouped(&self) -> String {
        match self {
            Self::And(_) | Self::Or(_) | Self::True | Self::False => format!("( {} )", self.text()),
            _ => self.text(),
        }
    }

    fn conjuncts(self) -> Vec<Self> {
        match self {
            Self::And(parts) => parts,
            other => vec![other],
        }
    }

    fn disjuncts(self) -> Vec<Self> {
        match self {
            Self::Or(parts) => parts,
            other => vec![other],
        }
    }
}

fn joined(parts: &[Predicate], connective: &str) -> String {
    parts.iter().map(Predicate::grouped).collect::<Vec<_>>().join(connective)
}

#[cfg(test)]
mod tests {
    use super::Predicate;

    #[test]
    fn what_is_always_or_never_true_goes_away() {
        let [a, b] = ["a", "b"].map(Predicate::atom);
        assert_eq!(a.clone().and(Predicate::True), a);
        assert_eq!(a.clone().or(a.clone().not()), Predicate::True);
        assert_eq!(a.clone().and(b.clone()).and(a.clone().not()), Predicate::False);
        assert_eq!(a.clone().or(b.clone()).not().text(), "not ( a or b )");
        assert_eq!(a.clone().and(b.clone()).or(b.clone()), b);
        assert_eq!(a.and(b.not()).text(), "a and not b");
    }
}
