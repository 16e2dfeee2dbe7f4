//! `rulec doctor`: asks the servers of a policy's upstreams what their settings are, and says what does not fit.

mod report;

use crate::arguments::{Deny, Doctor};
use crate::console::{self, Console};
use crate::policy;
use crate::status::{Status, Stop};
use rulec::proxy::doctor::{Options, Progress, Report, Severity, examine};
use rulec::proxy::{Config, parse_time};
use std::io::{self, IsTerminal, Write};

/// Probes, judges and shows; the status is that of the gravest finding.
pub(crate) fn run(arguments: &Doctor, console: Console) -> Result<Status, Stop> {
    let options = options(arguments)?;
    let manifest = policy::ready(&arguments.policy, console)?.manifest;
    let config = match &arguments.config {
        None => Config::default(),
        Some(path) => Config::load(path).map_err(|error| {
            if error.unreadable {
                Stop::Io { what: "proxy.toml".to_owned(), error: io::Error::other(error.problems.join("; ")) }
            } else {
                Stop::Input(error.to_string())
            }
        })?,
    };
    let shown = io::stderr().is_terminal();
    let tell = |progress: Progress| {
        if shown {
            let (left, seconds) = (progress.servers_left, progress.elapsed.as_secs());
            write!(io::stderr().lock(), "\r\x1b[Kasking: {left} servers left, {seconds} s").ok();
        }
    };
    let report = examine(&manifest, &config, &options, &tell).map_err(Stop::io("the network"))?;
    if shown {
        write!(io::stderr().lock(), "\r\x1b[K").ok();
    }
    let text = if arguments.json { report::json(&report)? } else { report::human(&report, &options, console.color()) };
    console::offer(&text)?;
    Ok(status(&report, arguments.deny))
}

fn options(arguments: &Doctor) -> Result<Options, Stop> {
    let mut options = Options::default();
    let time = |text: &String| parse_time(text).map_err(Stop::Usage);
    options.patience = time(&arguments.timeout)?;
    options.idle = arguments.idle.as_ref().map(time).transpose()?;
    let is_target = arguments.path.starts_with('/') && arguments.path.bytes().all(|octet| octet.is_ascii_graphic());
    if !is_target {
        return Err(Stop::Usage(format!("`{}` is no path like /health", arguments.path)));
    }
    options.path.clone_from(&arguments.path);
    Ok(options)
}

fn status(report: &Report, deny: Option<Deny>) -> Status {
    if report.count(Severity::Error) > 0 {
        Status::Errors
    } else if deny == Some(Deny::Warnings) && report.count(Severity::Warning) > 0 {
        Status::Warnings
    } else {
        Status::Fine
    }
}
