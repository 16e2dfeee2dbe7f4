//! Where a block of Lua ends: not at a brace within its strings and comments.

/// The octets of `text`, which begins behind `{`, up to its `}`; none if there is no such brace.
pub(super) fn block(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0_u32);
    while let Some(byte) = bytes.get(at) {
        let rest = bytes.get(at..)?;
        match byte {
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            b'{' => depth += 1,
            b'"' | b'\'' => at += string(rest, *byte),
            b'-' if rest.starts_with(b"--") => {
                let behind = rest.get(2..)?;
                at += 1 + long(behind).unwrap_or_else(|| line(behind));
            }
            b'[' => at += long(rest).map_or(0, |octets| octets - 1),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The octets of a string up to its closing quote.
fn string(text: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' => at += 1,
            b'\n' => return at,
            byte if *byte == quote => return at,
            _ => {}
        }
        at += 1;
    }
    at
}

fn line(text: &[u8]) -> usize {
    text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len())
}

/// The octets of `[[ ... ]]` or `[==[ ... ]==]`, if `text` begins with one.
fn long(text: &[u8]) -> Option<usize> {
    let equals = text.get(1..)?.iter().take_while(|byte| **byte == b'=').count();
    if text.first() != Some(&b'[') || text.get(equals + 1) != Some(&b'[') {
        return None;
    }
    let close: Vec<u8> = [b"]".as_slice(), &vec![b'='; equals], b"]"].concat();
    let found = text.windows(close.len()).position(|window| window == close)?;
    Some(found + close.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_of_strings_and_comments_do_not_count() {
        for text in [
            " ngx.say('}') }",
            " x = { 1 } }",
            " -- }\n }",
            " --[[ } ]] }",
            " s = [==[ } ]] ]==] }",
            " \"\\\"}\" }",
            "}",
        ] {
            assert_eq!(block(text), Some(text.len() - 1), "{text}");
        }
        assert_eq!(block(" -- }"), None);
    }
}
