//! The keep-alive idle time: announced, measured, and held against the rules.

use super::super::Folder;
use super::servers::{Server, express, gunicorn, nginx, uwsgi};
use super::{codes, examine, finding, first_address, first_server};

fn upstream(server: &Server, words: &str) -> String {
    format!("server 127.0.0.1:{}; {words}", server.port)
}

/// The measured idle time is `seconds`; a machine with other things to do may add to it, and time out late.
#[track_caller]
fn assert_closed_after(report: &serde_json::Value, seconds: f64) {
    let idle = &first_server(report)["idle"];
    let measured = idle["closed_after_milliseconds"].as_f64().unwrap_or_else(|| panic!("{report:#}")) / 1_000.0;
    assert!((seconds - 0.6..seconds + 2.5).contains(&measured), "{measured} s, not {seconds}: {report:#}");
}

#[test]
fn b_01_nginx_closes_earlier_than_the_rules_think_and_the_doctor_measures_it() {
    let folder = Folder::new();
    let server = nginx(&folder, "keepalive_timeout 2s; server { listen 127.0.0.1:PORT; return 200 hello; }");
    let (report, status) = examine(&folder, &upstream(&server, ""), &["--idle", "20s"]);
    assert_closed_after(&report, 2.0);
    assert_eq!((codes(&report, "error"), status), (vec!["doctor.keepalive.too_long".to_owned()], 1), "{report:#}");
    let found = finding(&report, "doctor.keepalive.too_long");
    assert!(found["instead"].as_str().unwrap().contains("keepalive_timeout 65s;"), "{found}");
    assert!(found["instead"].as_str().unwrap().contains("`keepalive idle="), "{found}");
    // What is written in its place satisfies.
    let (report, status) = examine(&folder, &upstream(&server, "keepalive 8 idle=500ms;"), &["--idle", "20s"]);
    assert_eq!((codes(&report, "error"), status), (Vec::new(), 0), "{report:#}");
}

#[test]
fn b_01_an_idle_time_that_outlasts_the_patience_is_no_problem() {
    let folder = Folder::new();
    let server = nginx(&folder, "keepalive_timeout 300s; server { listen 127.0.0.1:PORT; return 200 hello; }");
    let (report, status) = examine(&folder, &upstream(&server, ""), &["--idle", "1s"]);
    assert!(first_server(&report)["idle"]["open_after_milliseconds"].as_f64().unwrap() >= 1_000.0, "{report:#}");
    assert_eq!((codes(&report, "error"), status), (Vec::new(), 0));
}

#[test]
fn b_01_b_05_express_announces_its_time_and_the_pool_learns_it() {
    let folder = Folder::new();
    let server = express(&folder, "server.keepAliveTimeout = 2000;");
    let (report, status) = examine(&folder, &upstream(&server, ""), &["--idle", "20s"]);
    assert_closed_after(&report, 2.0);
    let http = &first_address(&report)["http"];
    assert_eq!((&http["powered_by"], &http["keep_alive_seconds"]), (&"Express".into(), &2.into()), "{report:#}");
    assert_eq!((codes(&report, "error"), status), (Vec::new(), 0), "{report:#}");
    let hint = finding(&report, "doctor.keepalive.announced")["instead"].as_str().unwrap().to_owned();
    assert!(hint.contains("keepAliveTimeout = 65_000") && hint.contains("headersTimeout = 66_000"), "{hint}");
}

#[test]
fn b_05_express_unset_announces_5_seconds() {
    let folder = Folder::new();
    let server = express(&folder, "");
    let (report, _) = examine(&folder, &upstream(&server, ""), &[]);
    assert_eq!(first_address(&report)["http"]["keep_alive_seconds"], 5, "{report:#}");
}

#[test]
fn b_05_gunicorn_is_told_how_to_keep_connections() {
    let folder = Folder::new();
    let server = gunicorn(&folder, &["--worker-class", "gthread", "--keep-alive", "2"]);
    let (report, status) = examine(&folder, &upstream(&server, ""), &["--idle", "20s"]);
    assert_closed_after(&report, 2.0);
    assert_eq!(status, 1);
    let found = finding(&report, "doctor.keepalive.too_long");
    assert!(found["instead"].as_str().unwrap().contains("--keep-alive 65"), "{found}");
    // Unmeasured, its header says what to fear.
    let (report, status) = examine(&folder, &upstream(&server, ""), &["--deny", "warnings"]);
    assert_eq!((codes(&report, "warning"), status), (vec!["doctor.keepalive.suspect".to_owned()], 3), "{report:#}");
}

#[test]
fn b_05_the_sync_worker_of_gunicorn_keeps_no_connection() {
    let folder = Folder::new();
    let server = gunicorn(&folder, &[]);
    let (report, status) = examine(&folder, &upstream(&server, ""), &["--idle", "20s"]);
    assert_eq!((codes(&report, "warning"), status), (vec!["doctor.keepalive.none".to_owned()], 0), "{report:#}");
    assert!(finding(&report, "doctor.keepalive.none")["instead"].as_str().unwrap().contains("gthread"));
    let idle = &first_server(&report)["idle"];
    assert_eq!(idle["failure"]["code"], "doctor.keepalive.none", "{idle}");
}

#[test]
fn b_05_uwsgi_is_measured_too() {
    let folder = Folder::new();
    let server = uwsgi(&folder, &["--http-keepalive=2", "--add-header", "Server: uWSGI"]);
    let (report, status) = examine(&folder, &upstream(&server, ""), &["--idle", "20s"]);
    assert_closed_after(&report, 2.0);
    assert_eq!(status, 1);
    let hint = finding(&report, "doctor.keepalive.too_long")["instead"].as_str().unwrap().to_owned();
    assert!(hint.contains("http-keepalive = 65") && hint.contains("harakiri"), "{hint}");
}
