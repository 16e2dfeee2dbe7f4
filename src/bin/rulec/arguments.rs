//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use core::net::IpAddr;
use rulec::import::nginx::Without;
use std::ffi::OsString;
use std::path::PathBuf;

/// Decides what a gateway does with a request: checks, compiles, explains, tests and tries out .rules files
///
/// Exit status: 0 fine; 1 the input has errors; 2 usage; 3 warnings only, under --deny warnings; 4 reading or
/// writing failed.
#[derive(Debug, Parser)]
#[command(name = "rulec", version, max_term_width = 100)]
pub(crate) struct Rulec {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show every mistake of every file, and run the files' own tests
    Check(Check),
    /// Compile a .rules file to a .rulec file
    Compile(Compile),
    /// Show what a .rulec file holds
    Inspect(Inspect),
    /// Decide requests: JSON lines in, JSON lines out
    Decide(Decide),
    /// Show how one request is decided, and why; or what a code means
    Explain(Explain),
    /// Run the test blocks of files
    Test(Test),
    /// Compile a file, serve it, and compile it again whenever it changes
    Run(Run),
    /// A tour that needs nothing installed: two upstreams, a gateway, and one request for each rule
    Demo(Demo),
    /// Manage the keys of callers
    #[command(subcommand)]
    Keys(Keys),
    /// (later) Find the requests whose answer differs between two policies
    #[command(disable_help_flag = true)]
    Diff(Anything),
    /// (later) Format files
    #[command(disable_help_flag = true)]
    Fmt(Anything),
    /// Translate another gateway's configuration to rules
    #[command(subcommand)]
    Import(Import),
    /// (later) Stand in for nginx
    #[command(disable_help_flag = true)]
    Nginx(Anything),
    /// (later) Draw a policy
    #[command(disable_help_flag = true)]
    Graph(Anything),
    /// (later) Decide the requests of an access log again
    #[command(disable_help_flag = true)]
    Replay(Anything),
    /// Ask the servers of a policy's upstreams, and show what does not fit
    Doctor(Doctor),
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Files to check; `-` is standard input
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// How diagnostics are written; json, sarif and github go to standard output
    #[arg(long, value_enum, default_value_t = CheckFormat::Human)]
    pub(crate) format: CheckFormat,
    /// End with status 3 where there are warnings
    #[arg(long, value_enum)]
    pub(crate) deny: Option<Deny>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckFormat {
    Human,
    Concise,
    Json,
    Sarif,
    Github,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Deny {
    Warnings,
}

#[derive(Debug, Args)]
pub(crate) struct Compile {
    /// The file to compile; `-` is standard input
    pub(crate) file: PathBuf,
    /// Where to; unsaid: the file's name with the ending .rulec
    #[arg(short, long)]
    pub(crate) output: Option<PathBuf>,
    /// Print rules, classes, states, bytes and seconds as JSON
    #[arg(long)]
    pub(crate) stats: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// A .rulec file
    pub(crate) file: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Decide {
    /// A .rules or a .rulec file
    pub(crate) policy: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A .rules or a .rulec file; or, alone, the code of a diagnostic or a refusal
    pub(crate) subject: String,
    /// Method and URL as one argument, such as `DELETE https://host/path?x=1`
    pub(crate) request: Option<String>,
    /// A header line
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<String>,
    /// Octets of the body
    #[arg(long, value_name = "OCTETS", default_value_t = 0)]
    pub(crate) body: u64,
    /// The caller's plan, or ?missing, ?unknown, ?failed
    #[arg(long)]
    pub(crate) plan: Option<String>,
    /// The value of a fact
    #[arg(long = "fact", value_name = "NAME=VALUE")]
    pub(crate) facts: Vec<String>,
    /// The status that the first upstream's failure would have, such as 502
    #[arg(long, value_name = "STATUS")]
    pub(crate) fault: Option<u16>,
    /// The client's address
    #[arg(long, value_name = "IP")]
    pub(crate) client: Option<IpAddr>,
    /// The listener that the request came through
    #[arg(long)]
    pub(crate) listener: Option<String>,
    /// The port of the socket that accepted it, which `redirects absolute` puts into redirects
    #[arg(long)]
    pub(crate) port: Option<u16>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Files whose test blocks are run; `-` is standard input
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// How results are written
    #[arg(long, value_enum, default_value_t = TestFormat::Human)]
    pub(crate) format: TestFormat,
    /// (later) Say which rules no test reaches
    #[arg(long)]
    pub(crate) coverage: bool,
    /// (later) Fail where fewer rules are reached
    #[arg(long, value_name = "PERCENT")]
    pub(crate) fail_under: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TestFormat {
    Human,
    Json,
    Junit,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The .rules file
    pub(crate) file: PathBuf,
    /// Where to listen, in place of what proxy.toml says; without either 127.0.0.1:8080
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<String>,
    /// Upstreams, plans and trusted hops
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// End after the tour, with status 1 if any answer was not as expected
    #[arg(long)]
    pub(crate) once: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    /// Translate an nginx configuration: the rules decide as nginx does, and every directive is accounted for
    ///
    /// A directive decides if without it some request is let in or refused otherwise, is sent on otherwise, or gets
    /// another answer. One that decides and has no translation ends the import with status 1, and no rules are written,
    /// unless `--without` names it; then it is named at the head of the rules. A `--without` that names nothing of that
    /// kind ends it with status 2. A request field that nginx would set or remove is never left to the client, not even
    /// under `--without`: the rules drop it.
    Nginx(ImportNginx),
}

#[derive(Debug, Args)]
pub(crate) struct ImportNginx {
    /// The configuration: nginx.conf, or a part of one
    pub(crate) conf: PathBuf,
    /// Where the rules go; unsaid: standard output
    #[arg(short, long, value_name = "OUT.rules")]
    pub(crate) output: Option<PathBuf>,
    /// Where relative includes are sought; unsaid: the folder of CONF
    #[arg(short, long, value_name = "FOLDER")]
    pub(crate) prefix: Option<PathBuf>,
    /// Leave out a directive that decides and has no translation: everywhere, or at one place (FILE by the end of its
    /// path); repeatable
    #[arg(long, value_name = "NAME[@FILE:LINE]")]
    pub(crate) without: Vec<Without>,
    /// How the report is written; json goes to standard output where the rules do not
    #[arg(long, value_enum, default_value_t = ImportFormat::Human)]
    pub(crate) format: ImportFormat,
    /// Ask a real nginx and the rules the same, show every difference and what was not asked: 1 where they differ, 4 where nginx cannot be asked
    #[arg(long)]
    pub(crate) verify: bool,
    /// How many requests are asked
    #[arg(long, default_value_t = 20_000, requires = "verify")]
    pub(crate) requests: u64,
    /// Repeats the requests of an earlier run
    #[arg(long, requires = "verify")]
    pub(crate) seed: Option<u64>,
    /// The nginx that is asked; unsaid: the one in PATH
    #[arg(long, value_name = "PATH", requires = "verify")]
    pub(crate) nginx: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImportFormat {
    Human,
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Make a key, print it once, and store its keyed hash
    Add(KeysAdd),
}

#[derive(Debug, Args)]
pub(crate) struct KeysAdd {
    /// The plan that the key stands for
    #[arg(long)]
    pub(crate) plan: String,
    /// The caller's name
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Which `[plans.NAME]` of proxy.toml, where there are several
    #[arg(long, value_name = "NAME")]
    pub(crate) plans: Option<String>,
    /// Where keys file and secret are named; unsaid: proxy.toml, where there is one
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The keys file, which is made where there is none; unsaid: what proxy.toml says, else `keys`
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Option<PathBuf>,
    /// The file with the secret that hashes are keyed with, which is made where there is none; unsaid: what proxy.toml
    /// says, else `hash.key`
    #[arg(long, value_name = "FILE")]
    pub(crate) hash_key: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// A .rules or a .rulec file
    pub(crate) policy: PathBuf,
    /// What stands in place of the rules' words here, and the hop before
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Measure how long each server keeps an idle connection: it takes as long as it takes, MAX at most
    #[arg(long, value_name = "MAX", num_args = 0..=1, default_missing_value = "5m")]
    pub(crate) idle: Option<String>,
    /// How long each step may take
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub(crate) timeout: String,
    /// The path that is asked for, with HEAD
    #[arg(long, value_name = "PATH", default_value = "/")]
    pub(crate) path: String,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// End with status 3 where there are warnings
    #[arg(long, value_enum)]
    pub(crate) deny: Option<Deny>,
}

/// What a command of a later version may be called with.
#[derive(Debug, Args)]
pub(crate) struct Anything {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _words: Vec<OsString>,
}
