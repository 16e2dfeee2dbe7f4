//! A result for a person, line by line: what is put into a line cannot end it.

use core::fmt;

/// Lines that grow by `writeln!`, each call one of them, whatever its values hold.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    text: String,
}

impl Lines {
    /// An empty line.
    pub(crate) fn gap(&mut self) {
        self.text.push('\n');
    }

    /// All of them.
    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

impl fmt::Write for Lines {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.text.push_str(&text.replace('\n', "\\n"));
        Ok(())
    }

    fn write_fmt(&mut self, arguments: fmt::Arguments<'_>) -> fmt::Result {
        let text = arguments.to_string();
        let Some(line) = text.strip_suffix('\n') else { return self.write_str(&text) };
        self.write_str(line)?;
        self.gap();
        Ok(())
    }
}
