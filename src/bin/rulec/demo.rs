//! `rulec demo`: upstreams, gateways and a client in one process, and a tour of what the rules do.

mod client;
mod files;
mod gateway;
mod show;
mod stage;
mod tour;
mod upstream;

use crate::arguments::Demo;
use crate::console::{self, Console};
use crate::status::{Status, Stop};
use core::fmt::Write;
use files::FILES;
use gateway::Gateway;
use rulec::analysis::record::host_sent;
use rulec::matcher::Scratch;
use rulec::model::{self, Loaded, TestCase};
use show::Show;
use stage::Stage;

/// Walks through every file, and then stays up for the reader's own requests.
pub(crate) fn run(arguments: &Demo, console: Console) -> Result<Status, Stop> {
    let show = Show { color: console.color() };
    let files: Vec<(&'static str, Loaded)> =
        FILES.into_iter().map(|(name, text)| (name, model::load_text(name, text))).collect();
    let stage = Stage::new(tls_names(&files))?;
    console::result(&introduction(&stage))?;
    let mut gateways = Vec::new();
    let mut all_right = true;
    for (name, loaded) in files {
        let gateway = Gateway::start(&stage, name, loaded, console)?;
        all_right &= walk(&gateway, gateways.is_empty(), show)?;
        gateways.push(gateway);
    }
    if arguments.once {
        console::result(if all_right { "\nEvery answer was as expected.\n" } else { "\nNot all was as expected.\n" })?;
    } else {
        console::result(&invitation(&gateways))?;
        stage::wait_for_the_reader()?;
    }
    Ok(if all_right { Status::Fine } else { Status::Errors })
}

/// The names by which upstreams are asked over TLS.
fn tls_names(files: &[(&str, Loaded)]) -> Vec<String> {
    let upstreams = files.iter().flat_map(|(_, loaded)| &loaded.policy.upstreams);
    let hosts = upstreams.filter(|upstream| upstream.tls.is_some()).filter_map(host_sent);
    let mut names: Vec<String> = hosts.map(|host| host.split(':').next().unwrap_or_default().to_owned()).collect();
    names.sort();
    names.dedup();
    names
}

fn introduction(stage: &Stage) -> String {
    format!(
        "Two upstreams, production on {} and staging on {}, answer with what\n\
         they receive. Each file of rules is compiled and served by a gateway of its own. Requests over https\n\
         come through a hop that the gateways trust, as from a load balancer that ends TLS.\n",
        stage.production, stage.staging
    )
}

/// Shows the cases of a file: all of them, or the first of each test.
fn walk(gateway: &Gateway, whole: bool, show: Show) -> Result<bool, Stop> {
    console::result(&show.heading(gateway.name, &gateway.about))?;
    let mut scratch = Box::new(Scratch::new());
    let mut all_right = true;
    for case in shown(gateway, whole) {
        let (text, is_right) = tour::step(gateway, case, &mut scratch, show);
        console::result(&text)?;
        all_right &= is_right;
    }
    Ok(all_right)
}

fn shown(gateway: &Gateway, whole: bool) -> impl Iterator<Item = &TestCase> {
    let of_a_test = if whole { usize::MAX } else { 1 };
    gateway.tests.iter().flat_map(move |test| test.cases.iter().take(of_a_test))
}

/// What a reader may type.
fn invitation(gateways: &[Gateway]) -> String {
    let mut text = "\nThe gateways stay up. To ask them yourself:\n\n".to_owned();
    for gateway in gateways {
        writeln!(text, "# {}\n{}", gateway.name, gateway.curls().join("\n")).ok();
    }
    text.push_str("\nCtrl-C ends.\n");
    text
}
