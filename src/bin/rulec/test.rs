//! `rulec test`: the test blocks of files.

mod report;

use crate::arguments::{Test, TestFormat};
use crate::console::{self, Console};
use crate::policy;
use crate::status::{Status, Stop};
use rulec::analysis::cases;
use rulec::matcher::Scratch;
use std::path::Path;

/// What came of one test block.
#[derive(Debug)]
pub(crate) struct TestResult {
    /// The file as given on the command line.
    pub(crate) file: String,
    pub(crate) name: String,
    pub(crate) cases: Vec<CaseLine>,
}

/// What came of one line of it.
#[derive(Debug)]
pub(crate) struct CaseLine {
    /// `file:line:column`
    pub(crate) place: String,
    /// As written.
    pub(crate) text: String,
    /// None: it passed.
    pub(crate) failure: Option<String>,
}

/// Runs the tests of every file; a file that does not compile is an error of its own.
pub(crate) fn run(arguments: &Test, console: Console) -> Result<Status, Stop> {
    if arguments.coverage || arguments.fail_under.is_some() {
        return Err(Stop::Usage("`test --coverage` is not supported yet".to_owned()));
    }
    let mut status = Status::Fine;
    let mut results = Vec::new();
    for path in &arguments.files {
        match run_file(path, console) {
            Ok(of_file) => results.extend(of_file),
            Err(stop) => {
                console::complain(&stop);
                status = status.max(stop.status());
            }
        }
    }
    if results.iter().flat_map(|result| &result.cases).any(|case| case.failure.is_some()) {
        status = status.max(Status::Errors);
    }
    console::offer(&match arguments.format {
        TestFormat::Human => report::human(&results),
        TestFormat::Json => report::json(&results),
        TestFormat::Junit => report::junit(&results),
    })?;
    Ok(status)
}

fn run_file(path: &Path, console: Console) -> Result<Vec<TestResult>, Stop> {
    let loaded = policy::load(path)?;
    let ready = policy::from_bytes(path, policy::compile_quietly(&loaded, console)?.bytes)?;
    let mut scratch = Scratch::new();
    let run_test = |test: &rulec::model::Test| TestResult {
        file: path.display().to_string(),
        name: test.name.clone(),
        cases: cases::run(&ready.matcher, &ready.manifest, test, &mut scratch)
            .into_iter()
            .map(|result| CaseLine {
                place: loaded.sources.place(result.span),
                text: one_line(loaded.sources.text(result.span)),
                failure: result.failure,
            })
            .collect(),
    };
    Ok(loaded.policy.tests.iter().map(run_test).collect())
}

/// `text` with every run of blanks as one.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches(';').to_owned()
}
