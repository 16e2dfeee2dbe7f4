//! Names are resolved as the gateway resolves them: by `[dns]`, where that is said.

use core::net::Ipv4Addr;

use super::super::{Folder, rulec};
use super::servers::nginx;
use super::{codes, examine, finding, first_server, policy};
use crate::proxy::names::{NameServer, Says};
use serde_json::Value;

const HELLO: &str = "server { listen 127.0.0.1:PORT; return 200 hello; }";

/// A `proxy.toml` that names `server`.
fn asking(folder: &Folder, server: &NameServer) -> String {
    let text = format!("[dns]\nservers = [\"{}\"]\n", server.address);
    folder.file("proxy.toml", &text).to_str().unwrap().to_owned()
}

#[test]
fn p_13_the_name_servers_of_proxy_toml_are_asked_and_all_addresses_and_the_ttl_are_said() {
    let folder = Folder::new();
    let server = nginx(&folder, HELLO);
    let names = NameServer::start(Says::Addresses(vec![Ipv4Addr::new(127, 0, 0, 9), Ipv4Addr::LOCALHOST], 0));
    let config = asking(&folder, &names);
    let words = format!("server app.test:{};", server.port);
    let (report, status) = examine(&folder, &words, &["--config", &config]);
    assert_eq!(status, 0, "{report:#}");
    let resolution = &first_server(&report)["resolution"];
    assert_eq!(resolution["source"], "dns");
    assert_eq!(resolution["addresses"], serde_json::json!(["127.0.0.1", "127.0.0.9"]));
    assert_eq!(resolution["name_servers"], serde_json::json!([names.address.to_string()]));
    // The gateway keeps for a second what may not be kept.
    assert_eq!((&resolution["ttl_seconds"], &resolution["kept_seconds"]), (&0.into(), &1.into()));
    // One of its addresses refuses, which costs the gateway a moment.
    let found = finding(&report, "doctor.connect.failed");
    assert_eq!((&found["severity"], found["addresses"].as_array().unwrap().len()), (&"info".into(), 1), "{found}");
    let rules = policy(&folder, &words);
    let ran = rulec(["doctor", rules.to_str().unwrap(), "--config", &config]);
    let line = ran.out.lines().find(|line| line.contains("resolve")).unwrap();
    assert!(line.contains("127.0.0.1, 127.0.0.9, TTL 0 s (kept for 1 s)"), "{line}");
    assert!(line.ends_with(&format!("by {}", names.address)), "{line}");
}

#[test]
fn p_14_each_way_in_which_a_name_fails_is_told_with_whom_was_asked() {
    let folder = Folder::new();
    for (says, code, remedy) in [
        (Says::Code(3), "upstream.dns.not_found", "`[dns] servers`"),
        (Says::Code(2), "upstream.dns.server_failed", "port 53"),
        (Says::Nothing, "upstream.dns.timeout", "port 53"),
    ] {
        let names = NameServer::start(says);
        let config = asking(&folder, &names);
        let (report, status) = examine(&folder, "server app.test:80;", &["--config", &config, "--timeout", "1s"]);
        assert_eq!((codes(&report, "error"), status), (vec!["doctor.dns.failed".to_owned()], 1), "{report:#}");
        let found = finding(&report, "doctor.dns.failed");
        assert_eq!(first_server(&report)["resolution"]["failure"]["code"], code);
        assert!(found["what"].as_str().unwrap().contains(&names.address.to_string()), "{found}");
        assert!(found["instead"].as_str().unwrap().contains(remedy), "{found}");
    }
}

#[test]
fn a_name_that_only_the_system_knows_is_not_taken_for_one_that_the_gateway_knows() {
    let folder = Folder::new();
    let names = NameServer::start(Says::Code(3));
    let config = asking(&folder, &names);
    // The C library reads it as an address, as `ping` and `curl` do.
    let (report, status) = examine(&folder, "server 127.1:80;", &["--config", &config]);
    assert_eq!((codes(&report, "error"), status), (vec!["doctor.dns.failed".to_owned()], 1), "{report:#}");
    assert_eq!(first_server(&report)["resolution"]["only_system"], serde_json::json!(["127.0.0.1"]));
    assert_eq!(first_server(&report)["addresses"], Value::Array(Vec::new()));
    assert!(finding(&report, "doctor.dns.failed")["instead"].as_str().unwrap().contains("127.0.0.1"));
}

#[test]
fn names_of_the_hosts_file_go_to_no_name_server() {
    let folder = Folder::new();
    let server = nginx(&folder, HELLO);
    let names = NameServer::start(Says::Nothing);
    let config = asking(&folder, &names);
    let (report, _) = examine(&folder, &format!("server localhost:{};", server.port), &["--config", &config]);
    let resolution = &first_server(&report)["resolution"];
    assert_eq!((&resolution["source"], &resolution["ttl_seconds"]), (&"hosts".into(), &Value::Null));
    assert_eq!(names.asked(), 0);
}
