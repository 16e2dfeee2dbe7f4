//! How a command ends.

use core::fmt;
use std::io;
use std::process::ExitCode;

/// What the exit status says, from best to worst; of several files the worst counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    /// 0
    Fine,
    /// 3: warnings only, under `--deny warnings`.
    Warnings,
    /// 1: the input has errors.
    Errors,
    /// 4: reading or writing failed.
    Io,
    /// 2: the command line means nothing.
    Usage,
}

impl Status {
    /// As the exit status of the process.
    pub(crate) fn exit(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Fine => 0,
            Self::Errors => 1,
            Self::Usage => 2,
            Self::Warnings => 3,
            Self::Io => 4,
        })
    }
}

/// Why a command stopped before its end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The command line means nothing, or asks for what this version cannot do.
    Usage(String),
    /// The input cannot be worked on; the diagnostics have been shown.
    Shown,
    /// The input cannot be worked on.
    Input(String),
    /// Reading or writing failed.
    Io {
        /// What was read or written.
        what: String,
        /// Why it failed.
        error: io::Error,
    },
    /// Whoever read the results has read enough.
    Pipe,
}

impl Stop {
    /// Reading or writing `what` failed.
    pub(crate) fn io(what: impl fmt::Display) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Io { what: what.to_string(), error }
    }

    /// The exit status it leads to.
    pub(crate) fn status(&self) -> Status {
        match self {
            Self::Usage(_) => Status::Usage,
            Self::Shown | Self::Input(_) => Status::Errors,
            Self::Io { .. } => Status::Io,
            Self::Pipe => Status::Fine,
        }
    }

    /// What is to be said about it.
    pub(crate) fn message(&self) -> Option<String> {
        match self {
            Self::Usage(message) | Self::Input(message) => Some(message.clone()),
            Self::Io { what, error } => Some(format!("{what}: {error}")),
            Self::Shown | Self::Pipe => None,
        }
    }
}

/// Writing a result failed.
impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::Pipe;
        }
        Self::Io { what: "standard output".to_owned(), error }
    }
}
