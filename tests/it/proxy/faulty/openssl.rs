//! Servers with odd settings, of another make.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use rulec::proxy::Config;

use super::rows::NAME;
use crate::proxy::harness::Gateway;
use crate::proxy::identity::Authority;

/// `openssl s_server`, stopped with the test.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(authority: &Authority, options: &[&str]) -> Self {
        let (certificate, key) = authority.certify(&[NAME], 2000, 2090).pem();
        let file = |name: &str, text: String| {
            let path = authority.folder.join(name);
            fs::write(&path, text).expect("written");
            path
        };
        let mut child = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-www", "-cert"])
            .arg(file("server.pem", certificate))
            .arg("-key")
            .arg(file("server.key", key))
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl");
        let lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
        let port = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("ACCEPT 127.0.0.1:").and_then(|port| port.trim().parse().ok()));
        Self { child, port: port.expect("a port") }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn a_03_a_server_of_openssl_with_nothing_in_common_has_the_code_of_what_is_not() {
    let authority = Authority::new("openssl");
    let text = "[listener.default]\naddress = \"127.0.0.1:0\"\n[upstream.api]\ntls = { ca = \"ca.pem\" }\n";
    let mut config = Config::parse(text, &authority.folder.join("proxy.toml")).expect("config");
    config.threads = 1;
    for (options, code) in [
        (&[] as &[&str], ""),
        (&["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"], "upstream.tls.nothing_in_common"),
        (&["-tls1_3", "-groups", "ffdhe2048"], "upstream.tls.nothing_in_common"),
        (&["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"], "upstream.tls.version"),
        (&["-Verify", "1", "-verify_return_error"], "upstream.tls.client_certificate"),
    ] {
        let server = Server::start(&authority, options);
        let port = server.port;
        let gateway = Gateway::with(
            &format!(
                "upstream api {{ server 127.0.0.1:{port}; host {NAME}; tls {{ }} }}
                 service all default {{ location / {{ proxy api; }} }}"
            ),
            &config,
        );
        for _ in 0..3 {
            let answer = gateway.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            assert_eq!(answer.status == 200, code.is_empty(), "{options:?}: {answer:?}");
            assert!(code.is_empty() || answer.code() == code, "{options:?}: {answer:?}");
        }
    }
}
