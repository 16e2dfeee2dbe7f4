//! `rulec compile`: a .rules file to a .rulec file.

use crate::arguments::Compile;
use crate::console::{self, Console};
use crate::file;
use crate::policy;
use crate::status::{Status, Stop};
use std::path::{Path, PathBuf};

/// Compiles `arguments.file`; what stood at the output is left alone where that fails.
pub(crate) fn run(arguments: &Compile, console: Console) -> Result<Status, Stop> {
    let output = output(arguments)?;
    let loaded = policy::load(&arguments.file)?;
    let compiled = policy::compile(&loaded, console)?;
    file::write_atomically(&output, &compiled.bytes)?;
    if arguments.stats {
        console::result(&format!("{}\n", serde_json::json!(compiled.stats)))?;
    }
    Ok(Status::Fine)
}

fn output(arguments: &Compile) -> Result<PathBuf, Stop> {
    match &arguments.output {
        Some(output) => Ok(output.clone()),
        None if arguments.file == Path::new("-") => {
            Err(Stop::Usage("standard input has no name: say where to with `-o OUT.rulec`".to_owned()))
        }
        None => Ok(arguments.file.with_extension("rulec")),
    }
}
