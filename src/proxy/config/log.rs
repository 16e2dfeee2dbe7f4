//! `[log]`: where a line for each request goes, and how it is written.

use std::path::PathBuf;

use super::section::Section;
use crate::proxy::access_log::{AccessLog, Format};

/// `[log]`
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct LogWords {
    /// Standard output unless said.
    pub access: Option<LogPlace>,
    /// JSON unless said.
    pub format: Format,
}

/// `stdout`, `off` or `file:PATH`
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "an interface that others write")]
pub enum LogPlace {
    /// Nowhere.
    Off,
    /// Standard output.
    Stdout,
    /// The end of a file.
    File(PathBuf),
}

impl From<LogPlace> for AccessLog {
    fn from(place: LogPlace) -> Self {
        match place {
            LogPlace::Off => Self::Off,
            LogPlace::Stdout => Self::Stdout,
            LogPlace::File(path) => Self::File(path),
        }
    }
}

/// `stdout`, `off` or `file:PATH`.
///
/// # Errors
/// Says what there is.
pub fn parse_log_place(text: &str) -> Result<LogPlace, String> {
    match (text, text.strip_prefix("file:")) {
        ("off", _) => Ok(LogPlace::Off),
        ("stdout", _) => Ok(LogPlace::Stdout),
        (_, Some(path)) if !path.is_empty() => Ok(LogPlace::File(PathBuf::from(path))),
        _ => Err(format!("`{text}` is none of `stdout`, `off` and `file:PATH`")),
    }
}

pub(super) fn log(section: &Section<'_, '_>) -> LogWords {
    section.only(&["access", "format"]);
    let access = section.parsed("access", parse_log_place).map(|place| match place {
        LogPlace::File(path) => LogPlace::File(section.file.relative(&path.to_string_lossy())),
        place => place,
    });
    let format = section.parsed("format", |text| match text {
        "json" => Ok(Format::Json),
        "combined" => Ok(Format::Combined),
        _ => Err(format!("`{text}` is neither `json` nor `combined`")),
    });
    LogWords { access, format: format.unwrap_or_default() }
}
