//! gRPC from a real client through the gateway to a real server: Python's grpcio.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use super::super::harness::Gateway;
use super::peers::http2_config;

const PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/proxy/http2/grpc_peer.py");

/// The system's Python, for which the package is.
fn peer(arguments: &[&str]) -> Child {
    let mut command = Command::new("/usr/bin/python3");
    command.arg(PEER).args(arguments).stdout(Stdio::piped());
    command.spawn().expect("python3, as tests/run installs it")
}

#[test]
fn grpc_calls_of_every_kind_pass() {
    let mut server = peer(&["server"]);
    let mut told = BufReader::new(server.stdout.take().expect("output")).lines().map_while(Result::ok);
    let port = told.next().expect("a port");
    let rules = format!(
        "upstream up {{ server 127.0.0.1:{port}; protocol http2; }}
        service all default {{ body forward; location / {{ proxy up; }} }}"
    );
    let gateway = Gateway::with(&rules, &http2_config());
    let client = peer(&["client", &gateway.address.port().to_string()]);
    let output = client.wait_with_output().expect("ends");
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(
        lines.lines().collect::<Vec<_>>(),
        ["unary", "large", "fails", "down", "up", "both", "deadline", "cancel"]
    );
    assert!(output.status.success());
    // The server hears of both calls that were given up.
    assert_eq!((told.next().as_deref(), told.next().as_deref()), (Some("cancelled"), Some("cancelled")));
    server.kill().expect("killed");
    server.wait().expect("ended");
    gateway.stop();
}
