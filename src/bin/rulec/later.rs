//! Commands of later versions: known by name, so that a script learns why instead of "unrecognized subcommand".

use crate::status::Stop;

/// Refuses `command`.
pub(crate) fn refuse(command: &str) -> Stop {
    Stop::Usage(format!(
        "`{command}` is not supported yet: this version checks, compiles, decides, explains, tests and runs"
    ))
}
