//! The Location of an upstream's answer, led back through the gateway (nginx: `proxy_redirect`).

use crate::matcher::{EditAction, is_escaped_in_location};
use crate::proxy::http1::Fields;
use crate::proxy::verdict::Edits;

/// Puts another beginning in place of the one that the upstream gave its Location. One that no edit fits stays as it came.
pub(super) fn relocate(edits: &Edits, fields: &mut Fields) {
    let mut rows = edits.rows.iter().filter(|edit| edit.action == EditAction::Relocate).peekable();
    if rows.peek().is_none() {
        return;
    }
    let Some(location) = fields.values("location").next() else { return };
    let moved = rows.find_map(|edit| {
        let rest = location.strip_prefix(edit.name.as_slice())?;
        Some(joined(&edit.value, rest, &edits.redirect_origin))
    });
    if let Some(moved) = moved {
        fields.set("Location", &moved);
    }
}

/// `to` and what followed in the upstream's Location. A path that comes out is one of this host, as in a redirect of the
/// gateway's own: one slash at its start, no byte that a browser would overlook, `origin` before it.
fn joined(to: &[u8], rest: &[u8], origin: &[u8]) -> Vec<u8> {
    let mut moved = to.to_vec();
    for &byte in rest {
        if is_escaped_in_location(byte) {
            moved.extend_from_slice(format!("%{byte:02X}").as_bytes());
        } else {
            moved.push(byte);
        }
    }
    if moved.first() == Some(&b'/') {
        let slashes = moved.iter().take_while(|byte| matches!(byte, b'/' | b'\\')).count();
        moved.splice(..slashes, origin.iter().copied().chain([b'/']));
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_comes_out_is_one_of_this_host() {
        let check = |to: &str, rest: &str, expect: &str| {
            let moved = joined(to.as_bytes(), rest.as_bytes(), b"");
            assert_eq!(String::from_utf8_lossy(&moved), expect, "{to} {rest}");
        };
        check("/app/", "a?b=%20", "/app/a?b=%20");
        check("/", "/evil.test/", "/evil.test/");
        check("/", "\\evil.test/", "/%5Cevil.test/");
        check("/", "\t/evil.test/", "/%09/evil.test/");
        check("", "//evil.test/", "/evil.test/");
        check("/\\", "/evil.test/", "/evil.test/");
        check("https://a.test/", "/a b", "https://a.test//a%20b");
        check("/", "caf\u{e9}", "/caf%C3%A9");
        assert_eq!(joined(b"/", b"/a", b"http://a.test:8080"), b"http://a.test:8080/a");
        assert_eq!(joined(b"x", b"/a", b"http://a.test:8080"), b"x/a");
    }
}
