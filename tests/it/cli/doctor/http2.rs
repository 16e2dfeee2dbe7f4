//! Upstreams that the rules speak HTTP/2 with.

use super::super::Folder;
use super::servers::{gunicorn, nginx, openssl};
use super::tls::{Authority, STRICT, TRUSTED, nginx_with, said};
use super::{codes, examine, finding, first_address, first_server};

const HTTP2: &str = "host api.test; tls { } protocol http2;";

#[test]
fn a_request_is_asked_over_http2_where_the_rules_say_so() {
    let folder = Folder::new();
    Authority::new(&folder).certify(&folder, "api.test", 2090);
    let server = nginx_with(&folder, "");
    let (report, status) = said(&folder, &server, HTTP2, TRUSTED);
    assert_eq!((codes(&report, "error"), codes(&report, "warning"), status), (vec![], vec![], 0), "{report:#}");
    let http = &first_address(&report)["http"];
    assert_eq!((&http["version"], &http["status"]), (&"2".into(), &200.into()), "{http}");
    assert!(http["server"].as_str().unwrap().starts_with("nginx"), "{http}");
    // In clear text, by prior knowledge; and the answer is judged.
    let clear = nginx(&folder, "server { listen 127.0.0.1:PORT http2; return 503; }");
    let words = format!("server 127.0.0.1:{}; protocol http2;", clear.port);
    let (report, status) = examine(&folder, &words, &[]);
    assert_eq!((codes(&report, "warning"), status), (vec!["doctor.http.status".to_owned()], 0), "{report:#}");
    assert_eq!(first_address(&report)["http"]["version"], "2");
}

#[test]
fn b_01_a_connection_that_ends_with_goaway_loses_nothing() {
    let folder = Folder::new();
    let server = nginx(
        &folder,
        "keepalive_timeout 1s; http2_idle_timeout 1s; server { listen 127.0.0.1:PORT http2; return 200 hello; }",
    );
    let words = format!("server 127.0.0.1:{}; protocol http2;", server.port);
    let (report, status) = examine(&folder, &words, &["--idle", "20s"]);
    let idle = &first_server(&report)["idle"];
    assert_eq!(idle["announced"], true, "{report:#}");
    assert!(idle["closed_after_milliseconds"].as_f64().unwrap() >= 500.0, "{idle}");
    assert_eq!((codes(&report, "error"), codes(&report, "warning"), status), (vec![], vec![], 0), "{report:#}");
}

#[test]
fn a_server_without_http2_is_told_as_that() {
    let folder = Folder::new();
    Authority::new(&folder).certify(&folder, "api.test", 2090);
    // It ends the handshake, says nothing of ALPN, and answers the preface with HTTP/1.1: each by its code.
    let strict = nginx(
        &folder,
        "server { listen 127.0.0.1:PORT ssl; ssl_certificate api.test.pem; ssl_certificate_key api.test.key; return 200; }",
    );
    let lax = openssl(&folder, "api.test", &[]);
    for server in [&strict, &lax] {
        let (report, status) = said(&folder, server, HTTP2, TRUSTED);
        assert_eq!((codes(&report, "error"), status), (vec!["doctor.http2.not_offered".to_owned()], 1), "{report:#}");
    }
    let clear = gunicorn(&folder, &[]);
    let (report, status) =
        examine(&folder, &format!("server 127.0.0.1:{}; protocol http2;", clear.port), &["--timeout", "3s"]);
    assert_eq!((codes(&report, "error"), status), (vec!["doctor.http2.not_offered".to_owned()], 1), "{report:#}");
    let found = finding(&report, "doctor.http2.not_offered");
    assert!(found["instead"].as_str().unwrap().contains("prior knowledge"), "{found}");
}

#[test]
fn a_server_that_speaks_nothing_but_http2_is_told_as_that() {
    let folder = Folder::new();
    Authority::new(&folder).certify(&folder, "api.test", 2090);
    let secure = openssl(&folder, "api.test", &["-alpn", "h2"]);
    let (report, status) = said(&folder, &secure, STRICT, TRUSTED);
    assert_eq!((codes(&report, "error"), status), (vec!["doctor.http2.required".to_owned()], 1), "{report:#}");
    let clear = nginx(&folder, "server { listen 127.0.0.1:PORT http2; return 200 hello; }");
    let (report, status) = examine(&folder, &format!("server 127.0.0.1:{};", clear.port), &["--timeout", "3s"]);
    assert_eq!((codes(&report, "error"), status), (vec!["doctor.http2.required".to_owned()], 1), "{report:#}");
    assert_eq!(finding(&report, "doctor.http2.required")["instead"], "`protocol http2;`");
}

#[test]
fn nothing_is_said_of_http2_where_nothing_was_seen_of_it() {
    let folder = Folder::new();
    let closed = super::servers::free_port();
    let (report, _) = examine(&folder, &format!("server 127.0.0.1:{closed}; {HTTP2}"), &[]);
    assert_eq!(codes(&report, "error"), ["doctor.connect.failed"], "{report:#}");
}
