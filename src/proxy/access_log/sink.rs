//! Where lines end up.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Where access log lines go.
#[expect(missing_debug_implementations, reason = "a writer need not be")]
#[expect(clippy::exhaustive_enums, reason = "a caller makes these")]
pub enum AccessLog {
    /// Nowhere.
    Off,
    /// To standard output.
    Stdout,
    /// To the end of a file, which is opened again when [`crate::proxy::Handle::reopen_log`] says so.
    File(PathBuf),
    /// To a writer.
    Writer(Box<dyn Write + Send>),
}

/// An open [`AccessLog`].
pub(super) struct Sink {
    writer: Box<dyn Write + Send>,
    /// Of a file.
    path: Option<PathBuf>,
    /// The last line was not written to its end.
    torn: bool,
}

impl Sink {
    /// None where nothing is logged.
    pub(super) fn open(log: AccessLog) -> io::Result<Option<Self>> {
        let (writer, path): (Box<dyn Write + Send>, _) = match log {
            AccessLog::Off => return Ok(None),
            AccessLog::Stdout => (Box::new(io::stdout()), None),
            AccessLog::Writer(writer) => (writer, None),
            AccessLog::File(path) => (Box::new(append(&path)?), Some(path)),
        };
        Ok(Some(Self { writer, path, torn: false }))
    }

    /// The file anew: somebody may have moved the one before away.
    pub(super) fn reopen(&mut self) {
        let Some(path) = &self.path else { return };
        match append(path) {
            Ok(file) => {
                self.writer = Box::new(file);
                self.torn = false;
            }
            Err(error) => tracing::error!(path = %path.display(), %error, "the access log stays in the file before"),
        }
    }

    /// Writes whole lines.
    pub(super) fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        let mut write = || {
            if self.torn {
                self.writer.write_all(b"\n")?;
            }
            self.writer.write_all(lines)?;
            self.writer.flush()
        };
        let written = write();
        self.torn = written.is_err();
        written
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}
