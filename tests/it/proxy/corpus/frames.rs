//! HTTP/2 frames as octets: tests/corpora/h2-cases.jsonl, against the program itself.

use core::net::SocketAddr;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::time::Duration;
use std::fs;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use serde::Deserialize;

use super::super::harness::{Client, artifact};
use super::cases;
use super::recorder::Recorder;

const CASES: &str = include_str!("../../../corpora/h2-cases.jsonl");

#[derive(Deserialize)]
struct Case {
    id: String,
    class: String,
    title: String,
    repeat: usize,
    expect: String,
    prefix: String,
    frames: Vec<(String, usize)>,
}

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const GOAWAY: u8 = 7;

fn hex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hex");
    (0..text.len()).step_by(2).map(digit).collect()
}

/// Frames, each with its head.
fn frames(mut octets: &[u8]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    while octets.len() >= 9 {
        let length = usize::from(octets[0]) << 16 | usize::from(octets[1]) << 8 | usize::from(octets[2]);
        let (frame, rest) = octets.split_at((9 + length).min(octets.len()));
        all.push(frame.to_vec());
        octets = rest;
    }
    all
}

impl Case {
    /// All octets to send. Where a flood opens streams, each repetition opens the next ones; where it goes on with
    /// one, the first frame stands there once.
    fn octets(&self) -> Vec<Vec<u8>> {
        let unit = hex(&self.frames.iter().map(|(text, times)| text.repeat(*times)).collect::<String>());
        let mut all = vec![hex(&self.prefix)];
        if self.repeat < 50 || self.class != "flood" {
            all.extend((0..self.repeat).map(|_| unit.clone()));
            return all;
        }
        let frames = frames(&unit);
        let goes_on = ["CONTINUATION", "empty DATA", "1-byte DATA"].iter().any(|title| self.title.contains(title));
        if goes_on {
            all.push(frames[0].clone());
            let rest = frames[1..].concat();
            all.extend((0..self.repeat).map(|_| rest.clone()));
            return all;
        }
        for time in 0..u32::try_from(self.repeat).expect("small") {
            for frame in &frames {
                let mut frame = frame.clone();
                let stream = u32::from_be_bytes(frame[5..9].try_into().expect("four")) & 0x7fff_ffff;
                // PRIORITY may name any stream; SETTINGS and PING name none.
                if stream > 0 && frame[3] != 2 {
                    frame[5..9].copy_from_slice(&(stream + 2 * time).to_be_bytes());
                }
                all.push(frame);
            }
        }
        all
    }
}

/// What came back.
#[derive(Debug, Default)]
struct Outcome {
    /// Answers that begin with 200, and others.
    served: usize,
    refused: usize,
    resets: usize,
    goaway: Option<u32>,
    closed: bool,
}

impl Outcome {
    fn read(octets: &[u8], closed: bool) -> Self {
        let mut outcome = Self { closed, ..Self::default() };
        for frame in frames(octets) {
            match frame[3] {
                // Indexed 8 of the static table: `:status: 200`.
                HEADERS if frame.get(9) == Some(&0x88) => outcome.served += 1,
                HEADERS => outcome.refused += 1,
                RST_STREAM => outcome.resets += 1,
                GOAWAY if frame.len() >= 17 => {
                    outcome.goaway = Some(u32::from_be_bytes(frame[13..17].try_into().expect("four")));
                }
                _ => {}
            }
        }
        outcome
    }

    fn is_cut(&self) -> bool {
        self.closed || self.goaway.is_some()
    }

    fn is_refused(&self) -> bool {
        self.served == 0 && (self.refused > 0 || self.resets > 0 || self.is_cut())
    }
}

/// The program with a listener for HTTP/2 in clear text and one for HTTP/1, on one core.
struct Program {
    child: Child,
    http1: SocketAddr,
    http2: SocketAddr,
    folder: std::path::PathBuf,
}

impl Program {
    fn start(rules: &str) -> Self {
        // A folder of its own: the program takes over whatever policy is written there.
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("rulec-frames-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).expect("folder");
        let (policy, config) = (folder.join("policy.rulec"), folder.join("proxy.toml"));
        fs::write(&policy, artifact(rules)).expect("written");
        let text = "[listener.one]\naddress = \"127.0.0.1:0\"\n\
                    [listener.two]\naddress = \"127.0.0.1:0\"\nhttp2 = \"prior_knowledge\"\ntimeout = { write = \"1s\" }\n";
        fs::write(&config, text).expect("written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_rulec-proxy"));
        command.arg(&policy).arg("--config").arg(&config).args(["--threads", "1"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("starts");
        let messages = BufReader::new(child.stderr.take().expect("stderr"));
        // `listening on ADDRESS (NAME)`, by name.
        let mut lines = messages.lines().map_while(Result::ok);
        let mut address = || lines.next()?.split(' ').nth(2)?.parse::<SocketAddr>().ok();
        let (Some(http1), Some(http2)) = (address(), address()) else { panic!("two addresses") };
        Self { child, http1, http2, folder }
    }

    /// The greatest memory that it has ever had, in KiB.
    fn peak(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("status");
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
        line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
    }

    /// Sends `pieces` and reads until it is quiet for `quiet` or the connection ends.
    fn ask(&self, pieces: Vec<Vec<u8>>, quiet: Duration) -> Outcome {
        let stream = TcpStream::connect(self.http2).expect("connects");
        stream.set_read_timeout(Some(quiet)).expect("timeout");
        let (mut reader, mut writer) = (stream.try_clone().expect("a handle"), stream);
        let writing = thread::spawn(move || {
            for batch in pieces.chunks(64) {
                if writer.write_all(&batch.concat()).is_err() {
                    break;
                }
            }
        });
        let (mut octets, mut piece) = (Vec::new(), vec![0; 65536]);
        let closed = loop {
            match reader.read(&mut piece) {
                Ok(0) => break true,
                Ok(read) => octets.extend_from_slice(&piece[..read]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    if writing.is_finished() {
                        break false;
                    }
                }
                Err(_) => break true,
            }
        };
        drop(reader.shutdown(std::net::Shutdown::Both));
        writing.join().expect("written");
        Outcome::read(&octets, closed)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// Somebody else's requests on the same core, one after the other; the 99th percentile of what they take.
fn bystander(address: SocketAddr, until: impl Fn(usize) -> bool) -> Duration {
    let mut client = Client::connect(address);
    let mut times = Vec::new();
    while until(times.len()) {
        let began = Instant::now();
        client.send("GET /bystander HTTP/1.1\r\nHost: a.test\r\n\r\n");
        assert_eq!(client.answer().status, 200);
        times.push(began.elapsed());
    }
    times.sort();
    times[times.len() * 99 / 100]
}

/// What this thread and those that it starts do from now on takes no core from others: a flood comes from elsewhere.
fn step_back() {
    let thread = fs::read_link("/proc/thread-self").expect("a thread");
    let id = thread.file_name().expect("a number");
    let told = Command::new("renice").args(["-n", "19", "-p"]).arg(id).output().expect("util-linux");
    assert!(told.status.success(), "{told:?}");
}

fn judge(case: &Case, outcome: &Outcome, forwarded: usize) -> Result<(), String> {
    let good = match case.expect.as_str() {
        "accept" => outcome.served == 1 && forwarded == 1,
        "goaway" | "431 / goaway" => outcome.is_cut(),
        // A body beyond its window ends its stream, or the connection (RFC 9113 6.9.1); other floods have no stream.
        "bounded" => outcome.is_cut() || outcome.served == 0 && outcome.resets > 0,
        // The answers' heads may go, their bodies may not: the streams end, or the connection.
        "bounded (write timeout)" => outcome.resets == case.repeat || outcome.is_cut(),
        expect if expect.starts_with("goaway ") => outcome.is_cut(),
        _ => outcome.is_refused() && forwarded == 0,
    };
    if good {
        Ok(())
    } else {
        Err(format!("{} {} ({}): {outcome:?}, {forwarded} came", case.id, case.title, case.expect))
    }
}

#[test]
fn every_sequence_of_frames_has_the_verdict_it_is_owed() {
    let recorder = Recorder::start();
    let program = Program::start(&recorder.rules());
    let mut wrong = Vec::new();
    let cases: Vec<Case> = cases(CASES);
    for case in cases.iter().filter(|case| case.class != "flood") {
        let asked = |patience| {
            let before = recorder.count();
            let outcome = program.ask(case.octets(), Duration::from_millis(patience));
            judge(case, &outcome, recorder.count() - before)
        };
        // On a busy machine an outcome may take longer.
        wrong.extend(asked(150).or_else(|_| asked(3_000)).err());
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(recorder.wrong().is_empty(), "{:#?}", recorder.wrong());
    assert_eq!(cases.len(), 59);
}

#[test]
fn floods_are_cut_in_little_memory_and_nobody_else_waits() {
    let recorder = Recorder::start();
    let program = Program::start(&recorder.rules());
    // More often says more, and alone on a machine it is held to it.
    let repeats = std::env::var("RULEC_FLOODS").map_or(1, |text| text.parse().expect("a number"));
    let floor = if repeats == 1 { Duration::from_millis(20) } else { Duration::ZERO };
    let calm = bystander(program.http1, |asked| asked < 500 * repeats);
    let mut wrong = Vec::new();
    let cases: Vec<Case> = cases(CASES);
    let floods: Vec<&Case> = cases.iter().filter(|case| case.class == "flood").collect();
    assert_eq!(floods.len(), 12);
    for case in floods {
        let over = Arc::new(AtomicBool::new(false));
        let (seen, address) = (Arc::clone(&over), program.http1);
        let beside = thread::spawn(move || bystander(address, |asked| asked < 100 || !seen.load(Ordering::SeqCst)));
        thread::scope(|scope| {
            scope.spawn(|| {
                step_back();
                for _ in 0..repeats {
                    let outcome = program.ask(case.octets(), Duration::from_secs(3));
                    wrong.extend(judge(case, &outcome, 0).err());
                }
            });
        });
        over.store(true, Ordering::SeqCst);
        let busy = beside.join().expect("served");
        println!("{}: a bystander's p99 is {busy:?}, else {calm:?}; {} KiB", case.id, program.peak());
        // Where the machine has other things to do, a percentile of microseconds says nothing.
        if busy > (calm * 3).max(floor) {
            wrong.push(format!("{} {}: a bystander waits {busy:?}, else {calm:?}", case.id, case.title));
        }
        if program.peak() > 64 * 1024 {
            wrong.push(format!("{} {}: {} KiB", case.id, case.title, program.peak()));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
