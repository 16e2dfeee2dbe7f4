//! `rulec doctor` before real servers: nginx, Express on Node, gunicorn, uWSGI, OpenSSL.

mod answers;
mod http2;
mod keepalive;
mod names;
mod servers;
mod settings;
mod tls;
mod transcript;

use super::{Folder, Ran, rulec};
use serde_json::Value;

/// A policy of one upstream `api` and the words of it.
fn policy(folder: &Folder, upstream: &str) -> std::path::PathBuf {
    folder.file(
        "doctor.rules",
        &format!("upstream api {{ {upstream} }}\nservice all default {{ location / {{ proxy api; }} }}\n"),
    )
}

/// What the doctor says of `upstream`, in JSON, and the status it ends with.
fn examine(folder: &Folder, upstream: &str, more: &[&str]) -> (Value, i32) {
    let rules = policy(folder, upstream);
    let mut arguments = vec!["doctor", rules.to_str().unwrap(), "--json"];
    arguments.extend(more);
    let ran: Ran = rulec(arguments);
    let report = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    (report, ran.status)
}

/// The codes of a severity.
fn codes(report: &Value, severity: &str) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    let grave = findings.filter(|finding| finding["severity"] == severity);
    grave.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

fn finding<'r>(report: &'r Value, code: &str) -> &'r Value {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["code"] == code).unwrap_or_else(|| panic!("no {code}: {report:#}"))
}

fn first_server(report: &Value) -> &Value {
    &report["upstreams"][0]["servers"][0]
}

fn first_address(report: &Value) -> &Value {
    &first_server(report)["addresses"][0]
}
