//! What the rules and `proxy.toml` say, what cannot be reached, times from hop to hop, and the command itself.

use super::super::{Folder, rulec};
use super::servers::{free_port, nginx};
use super::{codes, examine, finding, first_address, first_server, policy};
use std::net::TcpListener;

const HELLO: &str = "server { listen 127.0.0.1:PORT; return 200 hello; }";

#[test]
fn each_value_is_shown_with_whence_it_is() {
    let folder = Folder::new();
    let server = nginx(&folder, HELLO);
    let config = folder
        .file("proxy.toml", &format!("[upstream.api]\nservers = [\"127.0.0.1:{}\"]\nkeepalive = 9\n", server.port));
    let (report, status) =
        examine(&folder, "server gone.test; host api.test;", &["--config", config.to_str().unwrap()]);
    assert_eq!(status, 0, "{report:#}");
    let settings = report["upstreams"][0]["settings"].as_array().unwrap();
    let setting = |key: &str| settings.iter().find(|setting| setting["key"] == key).unwrap_or_else(|| panic!("{key}"));
    assert!(setting("servers")["whence"].as_str().unwrap().contains("proxy.toml:1:"), "{settings:#?}");
    assert_eq!(setting("servers")["value"], format!("127.0.0.1:{}", server.port));
    assert_eq!(setting("host")["whence"], "rules");
    assert_eq!(
        (&setting("keepalive idle")["value"], &setting("keepalive idle")["whence"]),
        (&"55s".into(), &"default".into())
    );
    assert_eq!(first_server(&report)["host_header"], "api.test");
}

#[test]
fn what_cannot_be_reached_is_told_and_the_others_are_probed() {
    let folder = Folder::new();
    let (server, closed) = (nginx(&folder, HELLO), free_port());
    let words = format!(
        "server nowhere.invalid:80; server 127.0.0.1:{closed}; server localhost:{}; host api.test;",
        server.port
    );
    let (report, status) = examine(&folder, &words, &[]);
    assert_eq!(
        (codes(&report, "error"), status),
        (vec!["doctor.dns.failed".into(), "doctor.connect.failed".into()], 1)
    );
    let last = &report["upstreams"][0]["servers"][2];
    assert_eq!(last["resolution"]["source"], "hosts", "{last:#}");
    assert!(last["addresses"].as_array().unwrap().iter().any(|address| address["http"]["status"] == 200), "{last:#}");
}

#[test]
fn a_server_that_says_nothing_is_not_waited_for_for_ever() {
    let folder = Folder::new();
    // The kernel accepts for it.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let began = std::time::Instant::now();
    for (words, code) in [("", "doctor.http.failed"), ("host api.test; tls { }", "doctor.tls.failed")] {
        let (report, status) = examine(&folder, &format!("server 127.0.0.1:{port}; {words}"), &["--timeout", "300ms"]);
        assert_eq!((codes(&report, "error"), status), (vec![code.to_owned()], 1), "{report:#}");
    }
    assert!(began.elapsed() < core::time::Duration::from_secs(20));
}

#[test]
fn a_timer_that_is_too_short_for_the_server_is_told() {
    let folder = Folder::new();
    let server = nginx(&folder, HELLO);
    let (report, _) = examine(&folder, &format!("server 127.0.0.1:{}; timeout response=60s;", server.port), &[]);
    assert_eq!(codes(&report, "error"), Vec::<String>::new(), "{report:#}");
    let slow = super::servers::express(&folder, "app.head('/slow', (q, r) => setTimeout(() => r.end(), 500));");
    let words = format!("server 127.0.0.1:{}; timeout response=100ms;", slow.port);
    let (report, _) = examine(&folder, &words, &["--path", "/slow"]);
    assert!(finding(&report, "doctor.timer.too_short")["what"].as_str().unwrap().contains("response=100ms"));
    assert!(first_address(&report)["http"]["milliseconds"].as_f64().unwrap() >= 500.0);
}

#[test]
fn b_04_times_fit_from_hop_to_hop() {
    let folder = Folder::new();
    let server = nginx(&folder, HELLO);
    let words = format!("server 127.0.0.1:{}; timeout response=90s;", server.port);
    let check = |balancer: &str, expected: &[&str]| {
        let text = format!("[listener.public]\naddress = \"127.0.0.1:0\"\nload_balancer_idle = \"{balancer}\"\n");
        let config = folder.file("proxy.toml", &text);
        let (report, _) = examine(&folder, &words, &["--config", config.to_str().unwrap()]);
        let found = [codes(&report, "error"), codes(&report, "warning")].concat();
        assert_eq!(found, expected, "{report:#}");
    };
    check("120s", &["doctor.listener.idle_too_short"]);
    check("75s", &["doctor.listener.idle_too_short", "doctor.timer.never_fires"]);
    check("72s", &["doctor.timer.never_fires", "doctor.listener.idle_too_close"]);
    check("60s", &["doctor.timer.never_fires"]);
}

#[test]
fn a_policy_is_rules_or_compiled_and_the_status_says_what_went_wrong() {
    let folder = Folder::new();
    let server = nginx(&folder, HELLO);
    let rules = policy(&folder, &format!("server 127.0.0.1:{};", server.port));
    let compiled = folder.path("doctor.rulec");
    assert_eq!(rulec(["compile".as_ref(), rules.as_os_str(), "-o".as_ref(), compiled.as_os_str()]).status, 0);
    let ran = rulec(["doctor".as_ref(), compiled.as_os_str()]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(ran.out.contains("Server: nginx") && ran.out.contains("nothing is wrong"), "{}", ran.out);
    let absent = folder.path("absent.rules");
    assert_eq!(rulec(["doctor".as_ref(), absent.as_os_str()]).status, 4);
    let broken = folder.file("proxy.toml", "[listener.a]\n");
    let ran = rulec(["doctor".as_ref(), rules.as_os_str(), "--config".as_ref(), broken.as_os_str()]);
    assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{ran:?}");
    assert_eq!(rulec(["doctor", rules.to_str().unwrap(), "--idle", "soon"]).status, 2);
    assert_eq!(rulec(["doctor", rules.to_str().unwrap(), "--path", "health"]).status, 2);
}

#[test]
fn what_the_gateway_would_not_start_with_is_told() {
    let folder = Folder::new();
    let config = folder.file("proxy.toml", "[upstream.other]\nkeepalive = 1\n");
    folder.file("empty.rules", "upstream api external;\nservice all default { location / { proxy api; } }\n");
    let rules = folder.path("empty.rules");
    let ran = rulec(["doctor", rules.to_str().unwrap(), "--json", "--config", config.to_str().unwrap()]);
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (codes(&report, "error"), ran.status),
        (vec!["doctor.upstream.invalid".into(), "doctor.upstream.unknown".into()], 1)
    );
}
