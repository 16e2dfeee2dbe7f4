//! Requests, answers and reasons side by side.

use core::fmt::Write;

/// Columns of a terminal that everybody has, and their split between request, answer and reason.
const WIDTHS: [usize; 3] = [41, 33, 22];

const DIM: &str = "\u{1b}[2m";
const BOLD: &str = "\u{1b}[1m";
const RED: &str = "\u{1b}[31m";
const PLAIN: &str = "\u{1b}[0m";

/// Writes the tour for a reader; colours only where they are wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Show {
    pub(crate) color: bool,
}

impl Show {
    /// The heading of a part of the tour.
    pub(crate) fn heading(self, name: &str, about: &str) -> String {
        let columns = self.row([&["REQUEST"], &["ANSWER"], &["WHY"]], DIM);
        let about = wrap(&[about], WIDTHS.iter().sum()).join("\n");
        format!("\n{}\n{about}\n{columns}\n", self.style(BOLD, name))
    }

    /// One request, what came of it, and why. `wrong` says what was expected instead.
    pub(crate) fn answer(
        self,
        request: &[String],
        answer: &[String],
        reason: &[String],
        wrong: Option<&str>,
    ) -> String {
        let cells = [request, answer, reason].map(|cell| cell.iter().map(String::as_str).collect::<Vec<_>>());
        let mut text = self.row([&cells[0], &cells[1], &cells[2]], "");
        text.push('\n');
        if let Some(expected) = wrong {
            writeln!(text, "  {}", self.style(RED, &format!("not as expected: {expected}"))).ok();
        }
        text
    }

    /// Cells beside each other, each wrapped to its column.
    fn row(self, cells: [&[&str]; 3], style: &str) -> String {
        let columns: Vec<Vec<String>> = cells.iter().zip(WIDTHS).map(|(cell, width)| wrap(cell, width)).collect();
        let height = columns.iter().map(Vec::len).max().unwrap_or(0);
        let line = |index: usize| {
            let cells = columns.iter().zip(WIDTHS).map(|(column, width)| {
                let text = column.get(index).map_or("", String::as_str);
                format!("{text:<width$}")
            });
            let line = cells.collect::<Vec<_>>().join("  ");
            self.style(style, line.trim_end())
        };
        (0..height).map(line).collect::<Vec<_>>().join("\n")
    }

    fn style(self, style: &str, text: &str) -> String {
        if self.color && !style.is_empty() { format!("{style}{text}{PLAIN}") } else { text.to_owned() }
    }
}

/// The lines of a cell, each at most `width` wide; what goes on is indented.
fn wrap(lines: &[&str], width: usize) -> Vec<String> {
    let mut wrapped = Vec::new();
    for line in lines {
        let mut rest: Vec<char> = line.chars().collect();
        let mut indent = "";
        while indent.len() + rest.len() > width {
            let room = width - indent.len();
            // After a blank or a slash where one is near, else within the word.
            let near =
                rest.iter().take(room).rposition(|c| [' ', '/', '?', '&'].contains(c)).filter(|at| *at > room / 2);
            let tail = rest.split_off(near.map_or(room, |at| at + 1));
            wrapped.push(format!("{indent}{}", rest.iter().collect::<String>().trim_end()));
            rest = tail;
            indent = "  ";
        }
        wrapped.push(format!("{indent}{}", rest.iter().collect::<String>()));
    }
    wrapped
}
