//! Text of strangers on terminals, in logs and in messages: it shows what it is, and does nothing.
//!
//! A file of rules, an nginx.conf, an artifact, a request, an upstream's answer or a certificate may hold characters that
//! move a cursor, end a line or turn the direction of what follows. They are written out as `\u001b`, which JSON reads as
//! what they were; and a message ends somewhere.

use core::fmt::Write;

/// Bytes of one message: some screens. Strings of an artifact may be as long as the artifact.
pub const MESSAGE_BYTES_MAX: usize = 4096;

/// Whether `letter` changes the direction of the text around it, so that what is shown is not what is meant (Unicode
/// Bidirectional Algorithm, 2: explicit and implicit directional formatting characters).
pub fn turns(letter: char) -> bool {
    matches!(letter, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Whether a terminal does something else with `letter` than showing it: controls (C0, DEL, C1), ends of lines,
/// directions.
fn acts(letter: char) -> bool {
    letter.is_control() || turns(letter) || matches!(letter, '\u{2028}' | '\u{2029}')
}

/// `text` on one line, nothing in it that acts, and no longer than a message.
///
/// ```
/// use rulec::visible::line;
/// assert_eq!(line("a\n\u{1b}[2Jb\u{202e}"), r"a\n\u001b[2Jb\u202e");
/// ```
pub fn line(text: &str) -> String {
    let mut shown = String::new();
    for (at, letter) in text.char_indices() {
        if at >= MESSAGE_BYTES_MAX {
            // Writing to a string cannot fail.
            write!(shown, "... and {} bytes more", text.len() - at).ok();
            break;
        }
        write_out(letter, &mut shown);
    }
    shown
}

/// `text`, whose lines were made one by one, with nothing else in it that acts than line ends, tabs and, where
/// `has_colors`, colours.
///
/// Of JSON it leaves JSON that reads the same: there such characters stand in strings only.
pub fn lines(text: &str, has_colors: bool) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let octets = match color(rest).filter(|_| has_colors) {
            Some(octets) => octets,
            None => letter.len_utf8(),
        };
        let (own, behind) = rest.split_at_checked(octets).unwrap_or((rest, ""));
        if octets > 1 && letter == '\u{1b}' || matches!(letter, '\n' | '\t') {
            shown.push_str(own);
        } else {
            write_out(letter, &mut shown);
        }
        rest = behind;
    }
    shown
}

/// The octets of a colour or weight that `text` begins with. What hides text is none.
fn color(text: &str) -> Option<usize> {
    let codes = text.strip_prefix("\u{1b}[")?;
    let (codes, _) = codes.split_once('m')?;
    let is_plain = |code: &str| {
        matches!(code, "" | "0" | "1" | "2" | "3" | "4" | "22")
            || matches!(code.as_bytes(), [b'3' | b'9', b'0'..=b'7' | b'9'])
    };
    (codes.len() < 16 && codes.split(';').all(is_plain)).then(|| codes.len() + 3)
}

fn write_out(letter: char, shown: &mut String) {
    match letter {
        '\n' => shown.push_str("\\n"),
        '\r' => shown.push_str("\\r"),
        '\t' => shown.push_str("\\t"),
        _ if acts(letter) => {
            write!(shown, "\\u{:04x}", u32::from(letter)).ok();
        }
        _ => shown.push(letter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_acts_on_a_line() {
        let all: String = (0..0x3000).filter_map(char::from_u32).collect();
        for part in all.chars().collect::<Vec<_>>().chunks(512) {
            let shown = line(&part.iter().collect::<String>());
            assert!(!shown.chars().any(acts), "{shown}");
        }
        assert_eq!(line("\u{9b}2J\u{85}\u{7f}\u{2066}\r"), "\\u009b2J\\u0085\\u007f\\u2066\\r");
        assert_eq!(line("stra\u{df}e \u{5d0} \\u001b"), "stra\u{df}e \u{5d0} \\u001b");
    }

    #[test]
    fn a_line_ends_somewhere() {
        for text in ["x".repeat(100_000), "\u{1b}".repeat(100_000), "\u{20ac}".repeat(40_000)] {
            let shown = line(&text);
            assert!(shown.len() < 7 * MESSAGE_BYTES_MAX && shown.ends_with("bytes more"), "{}", shown.len());
        }
        assert_eq!(line(&"x".repeat(MESSAGE_BYTES_MAX)).len(), MESSAGE_BYTES_MAX);
    }

    #[test]
    fn json_reads_the_same() {
        let all: String = (0..0x3000).filter_map(char::from_u32).collect();
        let json = serde_json::json!({ "a": all, "b": ["\u{1b}[31m", "\u{202e}"] });
        for text in [json.to_string(), format!("{json:#}\n")] {
            let shown = lines(&text, false);
            assert!(!shown.chars().any(|letter| acts(letter) && letter != '\n'), "{shown}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).expect("JSON"), json);
        }
    }

    #[test]
    fn only_colours_pass_and_only_where_they_may() {
        let own = "\u{1b}[1m\u{1b}[38mx\u{1b}[1;31my\u{1b}[0m\u{1b}[2J\u{1b}[8m\u{1b}]0;t\u{7}";
        let shown = "\u{1b}[1m\\u001b[38mx\u{1b}[1;31my\u{1b}[0m\\u001b[2J\\u001b[8m\\u001b]0;t\\u0007";
        assert_eq!(lines(own, true), shown);
        assert!(!lines(own, false).contains('\u{1b}'));
        assert_eq!(lines("a\tb\r\nc\n", true), "a\tb\\r\nc\n");
    }
}
