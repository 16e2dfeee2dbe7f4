//! `rulec explain CODE`: the page of the catalogue about a diagnostic or a refusal.

/// What may go wrong, and what to do then: `docs/errors.md`.
const CATALOGUE: &str = include_str!("../../../docs/errors.md");

/// The section of the catalogue under the heading `code`; None where there is none.
pub(crate) fn find(code: &str) -> Option<String> {
    let heading = format!("### `{code}`");
    let mut lines = CATALOGUE.lines().skip_while(|line| *line != heading);
    let first = lines.next()?;
    let body = lines.take_while(|line| !line.starts_with('#'));
    let title = first.trim_start_matches('#').trim().trim_matches('`');
    let text: Vec<&str> = body.collect();
    Some(format!("{title}\n\n{}\n", text.join("\n").trim()))
}
