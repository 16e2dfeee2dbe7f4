//! Answers that are there, and say that something does not fit.

use super::super::Folder;
use super::servers::{nginx, openssl};
use super::tls::{Authority, STRICT, TRUSTED, said};
use super::{codes, examine, finding};
use std::fs;

/// Without what OpenSSL's server does with a HEAD: nothing.
fn about_tls(report: &serde_json::Value) -> Vec<String> {
    let mut found = codes(report, "error");
    found.retain(|code| code.starts_with("doctor.tls"));
    found
}

#[test]
fn a_status_of_the_servers_own_trouble_is_told() {
    let folder = Folder::new();
    let server = nginx(&folder, "server { listen 127.0.0.1:PORT; location /down { return 502; } return 503; }");
    for (path, remedy) in [("/", "behind the server"), ("/down", "behind the server")] {
        let (report, status) = examine(&folder, &format!("server 127.0.0.1:{};", server.port), &["--path", path]);
        assert_eq!((codes(&report, "warning"), status), (vec!["doctor.http.status".to_owned()], 0), "{report:#}");
        let found = finding(&report, "doctor.http.status");
        assert!(found["instead"].as_str().unwrap().contains(remedy), "{found}");
    }
}

#[test]
fn a_server_of_several_names_that_is_asked_by_address_is_told() {
    let folder = Folder::new();
    let server = nginx(
        &folder,
        "server { listen 127.0.0.1:PORT default_server; return 404; }\n\
         server { listen 127.0.0.1:PORT; server_name api.test; return 200 hello; }",
    );
    let (report, status) = examine(&folder, &format!("server 127.0.0.1:{};", server.port), &[]);
    assert_eq!((codes(&report, "warning"), status), (vec!["doctor.host.missing".to_owned()], 0), "{report:#}");
    let (report, _) = examine(&folder, &format!("server 127.0.0.1:{}; host api.test;", server.port), &[]);
    assert_eq!(codes(&report, "warning"), Vec::<String>::new(), "{report:#}");
}

#[test]
fn b_01_a_time_that_is_hardly_shorter_than_the_servers_is_told() {
    let folder = Folder::new();
    let server = nginx(&folder, "keepalive_timeout 3s; server { listen 127.0.0.1:PORT; return 200 hello; }");
    let words = format!("server 127.0.0.1:{}; keepalive 8 idle=2400ms;", server.port);
    let (report, status) = examine(&folder, &words, &["--idle", "20s"]);
    assert_eq!((codes(&report, "warning"), status), (vec!["doctor.keepalive.too_close".to_owned()], 0), "{report:#}");
    let found = finding(&report, "doctor.keepalive.too_close");
    assert!(found["what"].as_str().unwrap().contains("2400ms (rules)"), "{found}");
}

#[test]
fn a_server_that_wants_the_gateways_certificate_is_told_in_each_way_it_says_so() {
    let folder = Folder::new();
    let authority = Authority::new(&folder);
    authority.certify(&folder, "api.test", 2090);
    authority.certify(&folder, "gateway.test", 2090);
    // TLS 1.3: an alert behind the handshake; 1.2: in it, and as if nothing were in common; nginx: an answer.
    let strict = ["-Verify", "1", "-verify_return_error", "-CAfile", "ca.pem"];
    let newest = openssl(&folder, "api.test", &strict);
    let older = openssl(&folder, "api.test", &[&["-tls1_2"][..], &strict].concat());
    let polite = nginx(
        &folder,
        "server { listen 127.0.0.1:PORT ssl; ssl_certificate api.test.pem; ssl_certificate_key api.test.key; \
         ssl_verify_client on; ssl_client_certificate ca.pem; return 200 hello; }",
    );
    let expected = vec!["doctor.tls.client_certificate".to_owned()];
    for server in [&newest, &older, &polite] {
        let (report, _) = said(&folder, server, STRICT, TRUSTED);
        assert_eq!(codes(&report, "error"), expected, "{report:#}");
        let found = finding(&report, "doctor.tls.client_certificate");
        assert!(found["instead"].as_str().unwrap().contains("certificate = \"FILE\""), "{found}");
        let shown = "ca = \"ca.pem\", certificate = \"gateway.test.pem\", key = \"gateway.test.key\"";
        let (report, _) = said(&folder, server, STRICT, shown);
        assert_eq!(about_tls(&report), Vec::<String>::new(), "{report:#}");
    }
    // Another authority's is not taken.
    fs::copy(folder.path("ca.pem"), folder.path("trusted.pem")).unwrap();
    Authority::new(&folder).certify(&folder, "stranger.test", 2090);
    for server in [&newest, &polite] {
        let shown = "ca = \"trusted.pem\", certificate = \"stranger.test.pem\", key = \"stranger.test.key\"";
        let (report, _) = said(&folder, server, STRICT, shown);
        assert_eq!(codes(&report, "error"), expected, "{report:#}");
        let found = finding(&report, "doctor.tls.client_certificate");
        assert!(found["what"].as_str().unwrap().contains("does not accept"), "{found}");
    }
}

#[test]
fn a_03_a_certificate_that_is_for_no_server_is_told() {
    let folder = Folder::new();
    Authority::new(&folder).certify_for(&folder, "api.test", 2090, &[rcgen::ExtendedKeyUsagePurpose::ClientAuth]);
    let server = openssl(&folder, "api.test", &[]);
    let (report, _) = said(&folder, &server, STRICT, TRUSTED);
    assert_eq!(about_tls(&report), ["doctor.tls.certificate"], "{report:#}");
    let found = finding(&report, "doctor.tls.certificate");
    assert!(found["instead"].as_str().unwrap().contains("extended key usage"), "{found}");
}

#[test]
fn what_one_address_of_several_does_is_said_of_this_one() {
    let folder = Folder::new();
    let port = super::servers::free_port();
    let text = format!(
        "server {{ listen 127.0.0.1:{port}; return 200 hello; }} server {{ listen 127.0.0.2:{port}; return 500; }}"
    );
    let _server = super::servers::nginx_at(&folder, &text, port);
    let names = crate::proxy::names::NameServer::start(crate::proxy::names::Says::Addresses(
        vec![core::net::Ipv4Addr::LOCALHOST, core::net::Ipv4Addr::new(127, 0, 0, 2)],
        60,
    ));
    let config = folder.file("proxy.toml", &format!("[dns]\nservers = [\"{}\"]\n", names.address));
    let rules = super::policy(&folder, &format!("server app.test:{port};"));
    let ran = super::rulec(["doctor", rules.to_str().unwrap(), "--config", config.to_str().unwrap()]);
    assert!(ran.out.contains(&format!("(only 127.0.0.2:{port})")), "{}", ran.out);
}
