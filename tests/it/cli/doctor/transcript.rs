//! The transcript of docs/doctor.md, before the servers that it is about.

use super::super::{Folder, command};
use super::servers::{free_port, gunicorn, nginx};
use super::tls::Authority;
use std::fs;
use std::process::Stdio;

/// The text of the first fenced block of `language` behind the heading.
fn block<'p>(page: &'p str, language: &str) -> &'p str {
    let section = page.split("\n## Three servers\n").nth(1).unwrap();
    let fenced = section.split(&format!("\n```{language}\n")).nth(1).unwrap();
    fenced.split("```\n").next().unwrap()
}

/// Without what differs from run to run: figures that were measured, days, and what the machine's libraries bring.
fn elided(text: &str) -> String {
    let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
    for at in 1..words.len() {
        let (before, unit) = words.split_at_mut(at);
        let unit = unit[0].split([',', ';', ':', '\n']).next().unwrap();
        if ["ms", "s", "days"].contains(&unit) && before[at - 1].parse::<f64>().is_ok() {
            "#".clone_into(&mut before[at - 1]);
        }
        if before[at - 1].starts_with("nginx/") || before[at - 1].starts_with("gunicorn") {
            let end = |c: char| c.is_ascii_digit() || ".,\n".contains(c);
            let bare = before[at - 1].trim_end_matches(end).to_owned();
            before[at - 1] = bare;
        }
        // A second below what was measured.
        if before[at - 1].starts_with("idle=") && before[at - 1].contains('`') {
            "idle=#".clone_into(&mut before[at - 1]);
        }
    }
    words.join(" ")
}

#[test]
fn the_transcript_of_the_documentation_is_what_the_doctor_says() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/doctor.md")).unwrap();
    let folder = Folder::new();
    Authority::new(&folder).certify(&folder, "shop.test", 2026);
    let shop = nginx(
        &folder,
        "server { listen 127.0.0.1:PORT ssl; ssl_protocols TLSv1.3; ssl_ecdh_curve X25519; \
         ssl_certificate shop.test.pem; ssl_certificate_key shop.test.key; return 200 hello; }",
    );
    let reports = gunicorn(&folder, &["--worker-class", "gthread", "--keep-alive", "2"]);
    let ports = [("8443", shop.port), ("8000", reports.port), ("9200", free_port())];
    let real = |text: &str| {
        ports
            .iter()
            .fold(text.to_owned(), |text, (shown, port)| text.replace(&format!(":{shown}"), &format!(":{port}")))
    };
    folder.file("shop.rules", &real(block(&page, "rules")));
    folder.file("proxy.toml", &real(block(&page, "toml")));
    let transcript = real(block(&page, "console"));
    let (line, expected) = transcript.split_once('\n').unwrap();
    let arguments = line.strip_prefix("$ rulec ").unwrap().split(' ');
    let output = command(arguments).current_dir(&folder.0).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(elided(&said), elided(expected), "{said}");
    assert_eq!(output.status.code(), Some(1));
}
