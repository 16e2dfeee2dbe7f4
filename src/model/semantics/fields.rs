//! Arguments and cookies.

use super::request::Request;

/// The values of argument `name` in `args`, undecoded; one without `=` is empty. The name ignores case.
pub(super) fn arguments<'r>(args: &'r [u8], name: &[u8]) -> Vec<&'r [u8]> {
    let pairs = args.split(|byte| *byte == b'&').filter(|argument| !argument.is_empty()).map(|argument| {
        let end = argument.iter().position(|byte| *byte == b'=').unwrap_or(argument.len());
        let (own, value) = argument.split_at_checked(end).unwrap_or_default();
        (own, value.strip_prefix(b"=").unwrap_or(value))
    });
    pairs.filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
}

/// nginx's `$arg_NAME`: the first argument `name` that has a `=`.
pub(super) fn argument_variable<'r>(args: &'r [u8], name: &[u8]) -> Option<&'r [u8]> {
    let start = [name, b"="].concat();
    args.split(|byte| *byte == b'&').find_map(|argument| {
        let (own, value) = argument.split_at_checked(start.len())?;
        own.eq_ignore_ascii_case(&start).then_some(value)
    })
}

/// nginx's `$cookie_NAME`: the first cookie of this name.
pub(super) fn cookie<'r>(request: &'r Request, name: &[u8]) -> Option<&'r [u8]> {
    request
        .lines(b"cookie")
        .find_map(|line| line.split(|byte| *byte == b';').find_map(|cookie| cookie_value(cookie, name)))
}

/// The value of `cookie`, `NAME = VALUE` with blanks as nginx allows them, if it is called `name`.
fn cookie_value<'r>(cookie: &'r [u8], name: &[u8]) -> Option<&'r [u8]> {
    let (own, rest) = skip_blanks(cookie).split_at_checked(name.len())?;
    let value = skip_blanks(rest).strip_prefix(b"=")?;
    own.eq_ignore_ascii_case(name).then_some(skip_blanks(value))
}

fn skip_blanks(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|byte| **byte == b' ').count();
    text.get(blanks..).unwrap_or(&[])
}
