//! `rulec decide`: JSON lines in, JSON lines out.

use crate::arguments::Decide;
use crate::console::{self, Console};
use crate::policy::{self, Ready};
use crate::status::{Status, Stop};
use rulec::analysis::record::decide_record;
use rulec::matcher::Scratch;
use rulec::model::RequestRecord;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};

/// A request line and its headers are 8 KiB to 64 KiB in practice; this is room for every test of a limit.
const LINE_OCTETS_MAX: u64 = 16 << 20;

/// Decides every line of standard input. A line that is no request gets an object with `error` in its place, so that
/// answers stay beside their questions, and a word on standard error.
pub(crate) fn run(arguments: &Decide, console: Console) -> Result<Status, Stop> {
    let ready = policy::ready(&arguments.policy, console)?;
    let mut input = BufReader::new(io::stdin().lock());
    let mut output = BufWriter::new(io::stdout().lock());
    let mut scratch = Scratch::new();
    let mut status = Status::Fine;
    let mut line = Vec::new();
    for number in 1_u64.. {
        if !next_line(&mut input, &mut line)? {
            break;
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match decide(&ready, &line, &mut scratch) {
            Ok(answer) => writeln!(output, "{}", console::json_line(&answer))?,
            Err(message) => {
                status = Status::Errors;
                let answer = serde_json::json!({ "error": message, "line": number }).to_string();
                writeln!(output, "{}", console::json_line(&answer))?;
                console::say(&format!("-:{number}: {message}"));
            }
        }
        // A program at the other end may wait for this answer before it sends its next question.
        if input.buffer().is_empty() {
            output.flush()?;
        }
    }
    output.flush()?;
    Ok(status)
}

/// Reads the next line; false at the end of the input.
fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> Result<bool, Stop> {
    line.clear();
    let mut bounded = input.take(LINE_OCTETS_MAX);
    let read = bounded.read_until(b'\n', line).map_err(Stop::io("standard input"))?;
    if read as u64 == LINE_OCTETS_MAX {
        return Err(Stop::Input(format!("a line is longer than {LINE_OCTETS_MAX} octets")));
    }
    Ok(read > 0)
}

fn decide(ready: &Ready, line: &[u8], scratch: &mut Scratch) -> Result<String, String> {
    let record: RequestRecord = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let verdict =
        decide_record(&ready.matcher, &ready.manifest, &record, scratch).map_err(|error| error.to_string())?;
    serde_json::to_string(&verdict).map_err(|error| error.to_string())
}
