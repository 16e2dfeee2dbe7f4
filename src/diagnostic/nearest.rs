//! Which known word was probably meant.

/// The one of `known` that `word` is a slip of, if one is near enough; of equally near ones the first.
///
/// Near enough is one edit in three letters (a swap of neighbours is one edit), so short words match only when they are
/// nearly right. It costs the product of the lengths for each word of a similar length.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(LENGTH_MAX + 1).collect();
    if word.len() > LENGTH_MAX {
        return None;
    }
    let mut best: Option<(usize, &str)> = None;
    for candidate in known {
        let letters: Vec<char> = candidate.chars().take(LENGTH_MAX + 1).collect();
        let allowed = word.len().max(letters.len()).div_ceil(3);
        if letters.len() > LENGTH_MAX || letters.len().abs_diff(word.len()) > allowed {
            continue;
        }
        let distance = edits(&word, &letters);
        if distance <= allowed && distance < letters.len() && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Nobody mistypes a longer word in a way that is worth guessing at.
const LENGTH_MAX: usize = 64;

/// Insertions, removals, replacements and swaps of neighbours that make `right` of `left`, ignoring case.
fn edits(left: &[char], right: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    let mut previous = None;
    for (height, &letter) in (1..).zip(left) {
        let mut next = vec![height];
        let mut beside = None;
        for (width, &other) in (1..).zip(right) {
            let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX / 2);
            let same = letter.eq_ignore_ascii_case(&other);
            let mut least = at(&row, width - 1) + usize::from(!same);
            least = least.min(at(&row, width) + 1).min(at(&next, width - 1) + 1);
            if width > 1 && previous == Some(other) && beside == Some(letter) {
                least = least.min(at(&before, width - 2) + 1);
            }
            next.push(least);
            beside = Some(other);
        }
        before = core::mem::replace(&mut row, next);
        previous = Some(letter);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_are_recognised_and_other_words_are_not() {
        let known = ["location", "return", "proxy", "plan", "plans", "set", "when"];
        let cases = [
            ("locaton", Some("location")),
            ("retrun", Some("return")),
            ("Proxy", Some("proxy")),
            ("plna", Some("plan")),
            ("whne", Some("when")),
            ("se", Some("set")),
            ("x", None),
            ("", None),
            ("try_files", None),
        ];
        for (word, expected) in cases {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
        assert_eq!(nearest(&"l".repeat(1 << 20), known), None);
    }
}
