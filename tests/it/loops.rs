//! Texts and repeated octets that a scanner reads at once, from the beginning and from the end.

use rulec::artifact::compile;
use rulec::automaton::Limits;
use rulec::matcher::{Found, Matcher};
use rulec::model::load_text;

fn takes(pattern: &str, path: &[u8]) -> bool {
    let rules = format!(
        "upstream u {{ server 127.0.0.1:1; }} service s {{ server_name s; location ~ \"{pattern}\" {{ proxy u; }} }}"
    );
    let loaded = load_text("s.rules", &rules);
    assert!(loaded.diagnostics.is_empty(), "{:#?}", loaded.diagnostics);
    let bytes = compile(&loaded.policy, &loaded.sources, &Limits::default()).expect("within the limits").bytes;
    Matcher::parse(bytes).expect("just compiled").find(0, path) == Found::Location(0)
}

fn holds(pattern: &str, good: &[&[u8]], bad: &[&[u8]]) {
    for path in good {
        assert!(takes(pattern, path), "{pattern} on {}", path.escape_ascii());
    }
    for path in bad {
        assert!(!takes(pattern, path), "{pattern} on {}", path.escape_ascii());
    }
}

#[test]
fn a_loop_takes_none_one_or_many_as_it_is_written() {
    holds("^/a/[0-9]*$", &[b"/a/", b"/a/1", b"/a/0123456789"], &[b"/a", b"/a/x", b"/a/1x"]);
    holds("^/a/[0-9]+$", &[b"/a/1", b"/a/0123456789", b"/a/1\n"], &[b"/a/", b"/a/x", b"/a/1x", b"/a/1\n\n"]);
    holds("^/a/[0-9]{2,}$", &[b"/a/12", b"/a/0123456789"], &[b"/a/", b"/a/1", b"/a/12x"]);
    holds("^/.*$", &[b"/", b"/a", b"/\xff\x00", b"/a\n"], &[b"/a\nb", b"/\n\n"]);
}

#[test]
fn what_follows_a_loop_is_read_behind_it() {
    holds("^/a/[^/]+/edit$", &[b"/a/1/edit", b"/a/\n\xff/edit"], &[b"/a//edit", b"/a/1/2/edit", b"/a/1/edi", b"/a/1"]);
    holds("^/a/[a-z]+[0-9]+x$", &[b"/a/b1x", b"/a/bcd123x"], &[b"/a/1x", b"/a/bx", b"/a/b1", b"/a/b1c1x"]);
    holds("^/a/[a-z]*[0-9]*$", &[b"/a/", b"/a/b", b"/a/1", b"/a/b1"], &[b"/a/1b", b"/a/b1c"]);
    holds("^/a/.*/x/.*/y$", &[b"/a//x//y", b"/a/x/x/y/y/y"], &[b"/a/x/y", b"/a//x/y", b"/a/\n/x//y"]);
}

#[test]
fn a_loop_is_read_from_the_end_too() {
    holds("/[0-9]+/edit$", &[b"/1/edit", b"/x/12345/edit"], &[b"//edit", b"/x1/edit", b"/1/edi", b"1/edit"]);
    holds("/[^/]*/[a-z]+[.]ext17$", &[b"//a.ext17", b"/x/y/abc.ext17"], &[b"/a.ext17", b"//.ext17", b"//a.ext18"]);
    holds("[.](jpeg|jpg)$", &[b"/a.jpg", b"/.jpeg"], &[b"/jpg", b"/a.jpgx", b"jpeg", b".jp", b"g"]);
}

/// No cell of a text may look like a state's: octets above ASCII do not end one.
#[test]
fn texts_hold_any_octets() {
    let text = "aäöü€ß漢字é";
    for cut in 0..8 {
        let text = format!("{}{text}", &"abcdefg"[..cut.min(7)]);
        let (whole, short) = (format!("/{text}/x"), format!("/{}/x", &text[1..]));
        let from_the_end = format!("/y{whole}");
        holds(&format!("^/{text}/x$"), &[whole.as_bytes()], &[short.as_bytes(), from_the_end.as_bytes()]);
        holds(&format!("/{text}/x$"), &[whole.as_bytes(), from_the_end.as_bytes()], &[short.as_bytes()]);
    }
}
