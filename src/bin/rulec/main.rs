//! The author's tool: checks, compiles, explains, tests and tries out `.rules` files.
#![forbid(unsafe_code)]

mod arguments;
mod check;
mod compile;
mod console;
mod decide;
mod demo;
mod doctor;
mod explain;
mod file;
mod import;
mod inspect;
mod keys;
mod later;
mod lines;
mod page;
mod policy;
mod request;
mod run;
mod status;
mod test;

use arguments::{Command, Rulec};
use clap::Parser;
use console::Console;
use status::{Status, Stop};
use std::process::ExitCode;

fn main() -> ExitCode {
    let console = Console::new();
    let command = match Rulec::try_parse() {
        Ok(rulec) => rulec.command,
        Err(error) => return asked_for(&error),
    };
    match run(&command, console) {
        Ok(status) => status.exit(),
        Err(stop) => {
            console::complain(&stop);
            stop.status().exit()
        }
    }
}

/// Help and version are results; anything else that clap has to say is a usage error.
fn asked_for(error: &clap::Error) -> ExitCode {
    error.print().ok();
    if error.use_stderr() { Status::Usage.exit() } else { Status::Fine.exit() }
}

fn run(command: &Command, console: Console) -> Result<Status, Stop> {
    match command {
        Command::Check(arguments) => check::run(arguments, console),
        Command::Compile(arguments) => compile::run(arguments, console),
        Command::Inspect(arguments) => inspect::run(arguments),
        Command::Decide(arguments) => decide::run(arguments, console),
        Command::Explain(arguments) => explain::run(arguments, console),
        Command::Test(arguments) => test::run(arguments, console),
        Command::Run(arguments) => run::run(arguments, console),
        Command::Demo(arguments) => demo::run(arguments, console),
        Command::Keys(command) => keys::run(command),
        Command::Diff(_) => Err(later::refuse("diff")),
        Command::Fmt(_) => Err(later::refuse("fmt")),
        Command::Import(arguments::Import::Nginx(arguments)) => import::run(arguments, console),
        Command::Nginx(_) => Err(later::refuse("nginx")),
        Command::Graph(_) => Err(later::refuse("graph")),
        Command::Replay(_) => Err(later::refuse("replay")),
        Command::Doctor(arguments) => doctor::run(arguments, console),
    }
}
