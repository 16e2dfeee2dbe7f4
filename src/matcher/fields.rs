//! What a request says in a field: arguments, cookies.

use core::ops::Range;

/// Values of the arguments named `name`, in order, undecoded; one without `=` is empty. Names ignore case.
pub(super) fn arguments<'r>(args: &'r [u8], name: &[u8]) -> impl Iterator<Item = &'r [u8]> {
    args.split(|byte| *byte == b'&').filter_map(move |argument| {
        let end = argument.iter().position(|byte| *byte == b'=').unwrap_or(argument.len());
        let (own, value) = argument.split_at_checked(end)?;
        own.eq_ignore_ascii_case(name).then(|| value.get(1..).unwrap_or(&[]))
    })
}

/// Where in `args` the value of `$arg_NAME` stands (nginx: `ngx_http_arg`): of the first argument named `name` that
/// has a `=`.
pub(super) fn argument_variable(args: &[u8], name: &[u8]) -> Option<Range<usize>> {
    let mut start = 0;
    args.split(|byte| *byte == b'&').find_map(|argument| {
        let (begin, end) = (start, start + argument.len());
        start = end + 1;
        let (own, value) = argument.split_at_checked(name.len())?;
        let is_it = own.eq_ignore_ascii_case(name) && value.first() == Some(&b'=');
        is_it.then_some(begin + name.len() + 1..end)
    })
}

/// The first cookie named `name` in the `lines` of Cookie (nginx: `ngx_http_parse_multi_header_lines`). Names ignore
/// case.
pub(super) fn cookie<'r>(lines: impl Iterator<Item = &'r [u8]>, name: &[u8]) -> Option<&'r [u8]> {
    lines.flat_map(|line| line.split(|byte| *byte == b';')).find_map(|pair| {
        let (own, value) = skip_spaces(pair).split_at_checked(name.len())?;
        if !own.eq_ignore_ascii_case(name) {
            return None;
        }
        skip_spaces(value).strip_prefix(b"=").map(skip_spaces)
    })
}

fn skip_spaces(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| *byte != b' ').unwrap_or(bytes.len());
    bytes.get(start..).unwrap_or(&[])
}
