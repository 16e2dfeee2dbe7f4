//! `unique query`, `unique cookie`: whether all upstreams read a field as the rules do.

use core::ops::Range;

use super::spelling::{arguments, is_spelling, pieces, value_is_plain};

/// Whether `query` has at most one argument that an upstream may read as `name`, and that one in its plain spelling.
pub(super) fn is_unique_argument(query: &[u8], name: &[u8]) -> bool {
    let part = |range: Range<usize>| query.get(range).unwrap_or(&[]);
    let mut found = arguments(query).filter(|argument| is_spelling(part(argument.name.clone()), name));
    match (found.next(), found.next()) {
        (None, _) => true,
        (Some(own), None) => {
            own.is_plain && part(own.name).eq_ignore_ascii_case(name) && value_is_plain(part(own.value))
        }
        (Some(_), Some(_)) => false,
    }
}

/// Whether the `lines` of Cookie have at most one cookie that an upstream may read as `name`, and that one in its plain
/// spelling: `NAME=VALUE` without blanks and quotes, no comma beside it, at which some parsers begin a new one, and no
/// quote open before it, in which some see none.
pub(super) fn is_unique_cookie<'r>(lines: impl Iterator<Item = &'r [u8]>, name: &[u8]) -> bool {
    let mut found = lines.flat_map(|line| cookies(line).filter(|cookie| is_spelling(cookie.name, name)));
    match (found.next(), found.next()) {
        (None, _) => true,
        (Some(own), None) => own.is_plain && own.name.eq_ignore_ascii_case(name),
        (Some(_), Some(_)) => false,
    }
}

/// A cookie as some upstream may see it.
struct Cookie<'r> {
    /// Without spaces before it.
    name: &'r [u8],
    is_plain: bool,
}

fn cookies(line: &[u8]) -> impl Iterator<Item = Cookie<'_>> {
    pieces(line, |byte| matches!(byte, b';' | b',')).map(|piece| {
        let is_comma = |at: Option<usize>| at.and_then(|at| line.get(at)) == Some(&b',');
        let is_apart = !is_comma(piece.start.checked_sub(1)) && !is_comma(Some(piece.end));
        let is_quoted = may_be_quoted(line.get(..piece.start).unwrap_or(&[]));
        let mut text = line.get(piece).unwrap_or(&[]);
        while let [b' ', rest @ ..] = text {
            text = rest;
        }
        let end = text.iter().position(|byte| *byte == b'=');
        let (name, value) = text.split_at_checked(end.unwrap_or(text.len())).unwrap_or_default();
        let value = value.strip_prefix(b"=").unwrap_or(value);
        let is_bare = value.trim_ascii() == value && !value.contains(&b'"') && value_is_plain(value);
        Cookie { name, is_plain: end.is_some() && is_apart && is_bare && !is_quoted }
    })
}

/// Whether a quote of `before` may still be open.
fn may_be_quoted(before: &[u8]) -> bool {
    let is_open = before.split(|byte| *byte == b'"').count() % 2 == 0;
    is_open || before.contains(&b'"') && before.contains(&b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_is_there_once_and_plainly_or_refused() {
        for query in
            ["", "a=1", "role=user", "ROLE=user", "role", "a&role=&b", "role=a+b%20c", "roles=1&role=2", "a=role=1"]
        {
            assert!(is_unique_argument(query.as_bytes(), b"role"), "{query}");
        }
        for query in [
            "role=user&role=admin",
            "role&role",
            "role=user&%72ole=admin",
            "role=user&ROLE=admin",
            "role=user;role=admin",
            "a=1;role=admin",
            "role=user;a",
            "%72ole=admin",
            "role[]=admin",
            "role%5b%5d=a",
            "role=%61dmin",
            "role=admin%00",
            "+role=admin",
            "role+=admin",
            "%2572ole=admin",
            "role=%",
            "role=a&role[x]=b",
            "role%00=a",
        ] {
            assert!(!is_unique_argument(query.as_bytes(), b"role"), "{query}");
        }
    }

    #[test]
    fn a_cookie_is_there_once_and_plainly_or_refused() {
        let is_unique = |lines: &[&str]| is_unique_cookie(lines.iter().map(|line| line.as_bytes()), b"role");
        for lines in [
            &[][..],
            &["a=1"],
            &["role=user"],
            &["a=b; role=user", "c=d"],
            &["  role=user;"],
            &["roles=1; role=2"],
            &["a=\"role=x\""],
            &["a=\"x\"; role=user"],
        ] {
            assert!(is_unique(lines), "{lines:?}");
        }
        for lines in [
            &["role=user; role=admin"][..],
            &["role=user", "role=admin"],
            &["role=user; ROLE=admin"],
            &["role=user; %72ole=admin"],
            &["role=user, role=admin"],
            &["role=user,a"],
            &["a,role=user"],
            &["role=\"admin\""],
            &["a=\"x; role=user\""],
            &["a=\"x; role=user; b=\""],
            &["a=\"x\\\"; role=user; b=\""],
            &["role=us\"er"],
            &["role =admin"],
            &["role= admin"],
            &["role=admin ; a"],
            &["role=%61dmin"],
            &["\trole=admin"],
            &["role"],
            &["role[]=a"],
            &["role=a; role"],
            &["\"role\"=a"],
        ] {
            assert!(!is_unique(lines), "{lines:?}");
        }
    }
}
