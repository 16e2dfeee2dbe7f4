//! Patterns against PCRE2: refused, or the same answer for every subject.

use crate::engines::pcre;
use regex_syntax::hir::{Class, Hir, HirKind, Look};
use rulec::regex::{Mark, Meaning, parse};
use std::collections::BTreeSet;

/// Positions at which a match of `hir` that starts at one of `starts` may end. Slow, short, and of no engine.
fn ends(meaning: &Meaning, hir: &Hir, subject: &[u8], starts: &BTreeSet<usize>) -> BTreeSet<usize> {
    let keep = |holds: &dyn Fn(usize) -> bool| starts.iter().copied().filter(|at| holds(*at)).collect();
    let is_word = |at: Option<usize>| {
        at.and_then(|at| subject.get(at)).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    };
    let boundary = |at: usize| is_word(at.checked_sub(1)) != is_word(Some(at));
    match hir.kind() {
        HirKind::Empty => starts.clone(),
        HirKind::Literal(literal) => {
            starts.iter().filter(|at| subject[**at..].starts_with(&literal.0)).map(|at| at + literal.0.len()).collect()
        }
        HirKind::Class(Class::Bytes(class)) => {
            let member = |byte: u8| class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&byte));
            starts.iter().filter(|at| subject.get(**at).copied().is_some_and(member)).map(|at| at + 1).collect()
        }
        // regex-syntax makes one of `a|b`; its members are characters whose UTF-8 is meant.
        HirKind::Class(Class::Unicode(class)) => {
            let texts = class.ranges().iter().flat_map(|range| range.start()..=range.end()).map(String::from);
            texts.flat_map(|text| ends(meaning, &Hir::literal(text.into_bytes()), subject, starts)).collect()
        }
        HirKind::Look(Look::Start) => keep(&|at| at == 0),
        HirKind::Look(Look::End) => keep(&|at| at == subject.len()),
        HirKind::Look(Look::EndLF) => keep(&|at| at == subject.len() || subject[at..] == *b"\n"),
        HirKind::Look(Look::WordAscii) => keep(&boundary),
        HirKind::Look(Look::WordAsciiNegate) => keep(&|at| !boundary(at)),
        HirKind::Look(look) => panic!("a look-around of another dialect: {look:?}"),
        HirKind::Capture(capture) => match meaning.mark(capture.index) {
            Mark::Look(look) => {
                let look = &meaning.looks[look];
                let from = |at: usize| ends(meaning, &look.hir, subject, &BTreeSet::from([at]));
                let is_there = |at: usize| {
                    if look.ahead { !from(at).is_empty() } else { (0..=at).any(|start| from(start).contains(&at)) }
                };
                keep(&|at| is_there(at) != look.negative)
            }
            _ => ends(meaning, &capture.sub, subject, starts),
        },
        HirKind::Concat(parts) => {
            parts.iter().fold(starts.clone(), |starts, part| ends(meaning, part, subject, &starts))
        }
        HirKind::Alternation(parts) => parts.iter().flat_map(|part| ends(meaning, part, subject, starts)).collect(),
        HirKind::Repetition(repetition) => {
            let mut now = starts.clone();
            for _ in 0..repetition.min {
                now = ends(meaning, &repetition.sub, subject, &now);
            }
            let mut all = now.clone();
            for _ in repetition.min..repetition.max.unwrap_or(u32::MAX) {
                now = ends(meaning, &repetition.sub, subject, &now);
                let before = all.len();
                all.extend(&now);
                if all.len() == before {
                    break;
                }
            }
            all
        }
    }
}

fn is_match(meaning: &Meaning, subject: &[u8]) -> bool {
    !ends(meaning, &meaning.hir, subject, &(0..=subject.len()).collect()).is_empty()
}

/// Checks that what we accept PCRE2 accepts too, and that both match the same `subjects`.
#[track_caller]
fn same(pattern: &str, caseless: bool, subjects: &[Vec<u8>]) -> bool {
    let Ok(regex) = parse(pattern, caseless) else { return false };
    let oracle = pcre(pattern, caseless).unwrap_or_else(|error| panic!("PCRE2 refuses {pattern:?}: {error}"));
    assert_eq!(regex.groups.len() + 1, oracle.captures_len(), "{pattern:?}");
    for subject in subjects {
        // A limit reached is no verdict.
        let Ok(expected) = oracle.is_match(subject) else { continue };
        assert_eq!(is_match(&regex.meaning, subject), expected, "{pattern:?} caseless={caseless} on {subject:?}");
    }
    true
}

/// A small generator of numbers: the same ones every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % bound
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    fn subjects(&mut self) -> Vec<Vec<u8>> {
        let bytes = b"aAbBcz019_-/.,:&~^[](){}<>+*?|\\$ \t\n\x0b\x0c\r\x00\x08\x1b\x85\xa0\xc3\xa9\xff";
        (0..12)
            .map(|_| (0..self.below(7)).map(|_| bytes[self.below(bytes.len())]).collect::<Vec<u8>>())
            .chain([b"".to_vec(), b"\n".to_vec(), b"a\n".to_vec(), b"ab".to_vec(), b"aaaa".to_vec()])
            .collect()
    }
}

const ATOMS: &[&str] = &[
    "a",
    "b",
    "A",
    "0",
    "_",
    "-",
    "/",
    ".",
    ",",
    ":",
    " ",
    "&",
    "~",
    "<",
    ">",
    "}",
    "]",
    "{",
    "é",
    "^",
    "$",
    "|",
    "a",
    "b",
    "\\.",
    "\\-",
    "\\/",
    "\\d",
    "\\D",
    "\\w",
    "\\W",
    "\\s",
    "\\S",
    "\\h",
    "\\H",
    "\\v",
    "\\V",
    "\\N",
    "\\b",
    "\\B",
    "\\A",
    "\\z",
    "\\Z",
    "\\n",
    "\\t",
    "\\r",
    "\\f",
    "\\e",
    "\\a",
    "\\x41",
    "\\x{61}",
    "\\xff",
    "\\x0a",
    "\\_",
    "\\:",
    "\\~",
    "\\&",
    "\\]",
    "\\{",
    "\\ ",
    "#",
    "(?i)",
    "(?s)",
    "(?-i)",
    "(?i:a)",
    "(?s-i:.)",
    "(?:",
    "(",
    ")",
    "(?<n>",
    ")",
    ")",
    "(?P<m>",
    "(?'o'",
    "(?=a)",
    "(?!b)",
    "(?<=a)",
    "(?<!b)",
    "\\1",
    "\\k<n>",
    "(?>",
    "(?#x)",
    "(?|",
    "\\Qa\\E",
    "\\K",
    "\\G",
    "\\R",
    "\\X",
    "\\C",
    "\\0",
    "\\07",
    "\\x4",
    "\\x",
    "\\u0041",
    "\\pL",
    "\\<",
    "\\>",
    "\\b{start}",
    "\\cA",
    "\\y",
    "\\z",
    "(?x)",
    "(?m)",
    "(?U)",
    "(?R)",
    "(?1)",
    "(?^)",
    "(?)",
    "(*ANY)",
    "\\o{101}",
    "\\g1",
    "\\g{1}",
    "\\i",
];
const REPEATS: &[&str] = &[
    "*", "+", "?", "*?", "+?", "??", "{2}", "{1,}", "{0,2}", "{1,2}?", "*+", "++", "?+", "{2}+", "{,2}", "{", "{a}",
    "{1", "{1,2", "{ 1}", "{,}", "{0}", "{2,1}", "{}", "**", "{2}{2}",
];
const MEMBERS: &[&str] = &[
    "a",
    "b",
    "z",
    "A",
    "0",
    "9",
    "_",
    "-",
    "-",
    "-",
    "^",
    "[",
    "]",
    "&",
    "&&",
    "--",
    "~~",
    "~",
    ".",
    "/",
    ":",
    "\\d",
    "\\w",
    "\\S",
    "\\W",
    "\\h",
    "\\]",
    "\\-",
    "\\\\",
    "\\n",
    "\\b",
    "\\x41",
    "\\x{7a}",
    "\\B",
    "\\A",
    "\\1",
    "\\0",
    "\\Q",
    "\\E",
    "\\N",
    "\\R",
    "[:alpha:]",
    "[:^digit:]",
    "[:upper:]",
    "[:^lower:]",
    "[:space:]",
    "[:punct:]",
    "[:word:]",
    "[:nope:]",
    "[.a.]",
    "[=a=]",
    "[:",
    ":]",
    "é",
    "\\z",
    "a-z",
    "0-9",
    "+--",
    "[a]",
    "\\cA",
    "$",
    "(",
    "*",
    "{",
    "\\.",
];

fn pattern(numbers: &mut Numbers) -> String {
    let mut pattern = String::new();
    let mut open = 0;
    for _ in 0..=numbers.below(6) {
        match numbers.below(8) {
            0 | 1 => {
                pattern.push_str(numbers.pick(&["[", "[^"]));
                for _ in 0..=numbers.below(4) {
                    pattern.push_str(numbers.pick(MEMBERS));
                }
                pattern.push(']');
            }
            2 if open > 0 => {
                open -= 1;
                pattern.push(')');
            }
            3 => {
                open += 1;
                pattern.push_str(numbers.pick(&["(", "(?:", "(?i:", "(?<n>"]));
            }
            4 => pattern.push_str(numbers.pick(&["a", "b", "/", "|", "^", "$", "\\d"])),
            _ => pattern.push_str(numbers.pick(ATOMS)),
        }
        if numbers.below(3) == 0 {
            pattern.push_str(numbers.pick(REPEATS));
        }
    }
    pattern + &")".repeat(open)
}

/// Some half of what is generated is refused, so that what is not is worth counting.
#[test]
fn a_pattern_is_refused_or_means_what_pcre_says() {
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    let mut accepted = 0;
    for _ in 0..60_000 {
        let pattern = pattern(&mut numbers);
        let subjects = numbers.subjects();
        for caseless in [false, true] {
            accepted += usize::from(same(&pattern, caseless, &subjects));
        }
    }
    assert!(accepted > 20_000, "{accepted}");
}

#[test]
fn every_byte_is_in_the_classes_that_pcre_puts_it_in() {
    let bytes: Vec<Vec<u8>> = (0..=u8::MAX).map(|byte| vec![byte]).collect();
    let names = [
        "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper",
        "word", "xdigit",
    ];
    for name in names {
        for pattern in [format!("^[[:{name}:]]\\z"), format!("^[[:^{name}:]_]\\z"), format!("^[^[:{name}:]]\\z")] {
            assert!(same(&pattern, false, &bytes) && same(&pattern, true, &bytes), "{pattern}");
        }
    }
    for set in ["\\d", "\\D", "\\w", "\\W", "\\s", "\\S", "\\N", ".", "(?s).", "[\\b]", "\\x85"] {
        let pattern = format!("^{set}\\z");
        assert!(same(&pattern, false, &bytes) && same(&pattern, true, &bytes), "{pattern}");
    }
}

#[test]
fn what_is_refused_is_named() {
    let cases = [
        ("a++a", "regex-possessive"),
        ("(?>a|ab)c", "regex-possessive"),
        ("(?<=a+)b", "regex-lookbehind"),
        ("(?<!a|b?)c", "regex-lookbehind"),
        ("(?=a)*b", "regex-ambiguous"),
        ("(?xx)a", "regex-flag"),
        ("(?n)a", "regex-flag"),
        ("(?#a", "regex-syntax"),
        ("\\o", "regex-syntax"),
        ("\\E", "regex-unsupported"),
        ("[a&&b]", "regex-ambiguous"),
        ("[a--b]", "regex-ambiguous"),
        ("\\<a", "regex-ambiguous"),
        ("\\b{start}", "regex-ambiguous"),
        ("a{,5}", "regex-ambiguous"),
        ("[é]", "regex-ambiguous"),
        ("é+", "regex-ambiguous"),
        ("a**", "regex-ambiguous"),
        ("(?u)a", "regex-flag"),
        ("(?R)", "regex-unsupported"),
        ("(?1)", "regex-unsupported"),
        ("(?(1)a)", "regex-unsupported"),
        ("\\Ka", "regex-unsupported"),
        ("\\Ga", "regex-unsupported"),
        ("\\R", "regex-unsupported"),
        ("\\h", "regex-unsupported"),
        ("\\X", "regex-unsupported"),
        ("\\C", "regex-unsupported"),
        ("\\pL", "regex-unsupported"),
        ("\\u0041", "regex-unsupported"),
        ("\\x{100}", "regex-unsupported"),
        ("(a)\\1", "regex-backreference"),
        ("(?<n>a)\\k<n>", "regex-backreference"),
        ("(?<n>a)(?<n>b)", "regex-syntax"),
        ("(a", "regex-syntax"),
        ("a)", "regex-syntax"),
        ("[a", "regex-syntax"),
        ("*a", "regex-syntax"),
        ("a\\", "regex-syntax"),
        ("(a{1000}){1000}", "regex-too-large"),
        ("a{70000}", "regex-too-large"),
    ];
    for (pattern, code) in cases {
        assert_eq!(parse(pattern, false).expect_err(pattern).code, code, "{pattern}");
    }
    assert_eq!(parse(&"(".repeat(1_000_000), false).expect_err("too deep").code, "regex-too-large");
}
