//! The attempts themselves.

use core::net::SocketAddr;
use std::process::Command;

use super::super::harness::Answer;
use super::super::process::Folder;

/// A request that wants to be read in two ways.
#[derive(Debug)]
pub(super) struct Attempt {
    /// Bytes as Latin-1.
    pub(super) target: &'static str,
    /// Field lines.
    fields: &'static [&'static str],
}

impl Attempt {
    /// As HTTP/1, one request on its connection.
    pub(super) fn octets(&self, host: &str) -> String {
        let fields = self.fields.iter().map(|line| format!("{line}\r\n")).collect::<Vec<_>>().concat();
        let target = self.target.replace("HOST", host);
        let connection = if fields.contains("Connection:") { "" } else { "Connection: close\r\n" };
        format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{fields}{connection}\r\n")
    }

    /// What everybody reads in a plain request: header, argument, cookie.
    pub(super) fn read(&self) -> [String; 3] {
        let of = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let field = |name: &str| self.fields.iter().find_map(|line| line.strip_prefix(name));
        let query = self.target.split_once("?role=").map(|(_, value)| value);
        [of(field("X-Role: ")), of(query), of(field("Cookie: role="))]
    }
}

const fn path(target: &'static str) -> Attempt {
    Attempt { target, fields: &[] }
}

const fn fields(fields: &'static [&'static str]) -> Attempt {
    Attempt { target: "/fields", fields }
}

const fn dropped(fields: &'static [&'static str]) -> Attempt {
    Attempt { target: "/dropped/x", fields }
}

/// What honest clients send: it must get through, and be read by everybody.
pub(super) const PLAIN: [Attempt; 6] = [
    path("/pub"),
    path("/a/b.c/d-e_f~g"),
    path("/pub?role=user"),
    fields(&["X-Role: user"]),
    fields(&["Cookie: role=user"]),
    Attempt { target: "/pub?role=user", fields: &["X-Role: staff", "Cookie: role=guest"] },
];

pub(super) const ATTEMPTS: [Attempt; 115] = [
    // The plain way in.
    path("/admin"),
    path("/admin/x"),
    path("/%61dmin/x"),
    path("/ADMIN/x"),
    path("/aDmIn"),
    path("http://HOST/admin/x"),
    path("HTTP://HOST//admin/x"),
    path("http://HOST/pub/../admin/x"),
    // Dot segments, as they are and encoded.
    path("/admin/../pub"),
    path("/admin/delete/../../pub"),
    path("/pub/../admin/x"),
    path("/pub/..%2fadmin/x"),
    path("/./admin/x"),
    path("/pub/%2e%2e/admin/x"),
    path("/pub/.%2e/admin/x"),
    path("/pub/%2E./admin/x"),
    path("/admin/%2e%2e/pub"),
    path("/admin/%2e"),
    path("/admin/."),
    path("/admin/.."),
    path("/admin/x/..;/../../pub"),
    // What servlet containers take off a segment.
    path("/pub/..;/admin/x"),
    path("/pub/..;x=1/admin/x"),
    path("/pub/..%3b/admin/x"),
    path("/pub/%2e%2e;/admin/x"),
    path("/pub/.;/../admin/x"),
    path("/;/admin/x"),
    path("/;x/admin/x"),
    path("/admin;/x"),
    path("/admin;x=1/y"),
    path("/admin;jsessionid=1"),
    path("/adm;in/x"),
    path("/%3b/admin/x"),
    path("/pub;/..;/admin/x"),
    // Empty segments.
    path("//admin/x"),
    path("///admin///x"),
    path("//HOST/admin/x"),
    path("/pub//../admin/x"),
    path("/a//b/..//admin"),
    path("/admin//../pub"),
    // Other slashes.
    path("/admin%2fx"),
    path("/pub%2f..%2fadmin/x"),
    path("/%2fadmin/x"),
    path("/admin%5cx"),
    path("/pub%5c..%5cadmin%5cx"),
    path("/%5cadmin/x"),
    path("/\\admin\\x"),
    path("/pub\\..\\admin\\x"),
    path("\\admin\\x"),
    // Twice encoded.
    path("/%2561dmin/x"),
    path("/pub/%252e%252e/admin/x"),
    path("/pub/%25%32%65%252e/admin/x"),
    path("/%252fadmin/x"),
    path("/admin%252f..%252fpub"),
    // Overlong and broken UTF-8, other dots and slashes.
    path("/pub/%c0%ae%c0%ae/admin/x"),
    path("/%c0%afadmin/x"),
    path("/%e0%80%afadmin/x"),
    path("/pub/%ef%bc%8e%ef%bc%8e/admin/x"),
    path("/%ef%bc%8fadmin/x"),
    path("/%u002e%u002e/admin/x"),
    path("/%c1%a1dmin/x"),
    // Bytes that end or vanish.
    path("/admin%00/x"),
    path("/admin%09/x"),
    path("/%0aadmin/x"),
    path("/admin%0d%0a/x"),
    path("/admin%20/x"),
    path("/admin%7f"),
    path("/admin?/../pub"),
    path("/admin%3f/../pub"),
    path("/admin#/../pub"),
    path("/admin%23/../pub"),
    // Spellings of one field.
    fields(&["X-Role: admin"]),
    fields(&["x-role: admin"]),
    fields(&["X_Role: admin"]),
    fields(&["X.Role: admin"]),
    fields(&["X-Role: user", "X_Role: admin"]),
    fields(&["X_Role: admin", "X-Role: user"]),
    fields(&["X-Role: user", "X-Role: admin"]),
    fields(&["X-Role: admin", "X-Role: user"]),
    fields(&["X-Role: user", "X-ROLE: admin"]),
    fields(&["X-Role: admin", "Connection: close, X-Role"]),
    fields(&["X-Role: user", "X_Role: admin", "Connection: close, X-Role"]),
    fields(&["Cookie: role=admin", "Connection: close, Cookie"]),
    dropped(&["X-Role: admin"]),
    dropped(&["X_Role: admin"]),
    dropped(&["X_ROLE: admin"]),
    dropped(&["X.Role: admin"]),
    dropped(&["X-Role: user", "X_Role: admin"]),
    dropped(&["X_Role: admin", "Connection: close, X_Role"]),
    dropped(&["x_role: admin", "Connection: close, X-Role"]),
    // Spellings of one argument.
    path("/q?role=admin"),
    path("/q?role=user&role=admin"),
    path("/q?role=admin&role=user"),
    path("/q?%72ole=admin"),
    path("/q?role=%61dmin"),
    path("/q?role=user&%72ole=admin"),
    path("/q?role[]=admin"),
    path("/q?role=user&role[]=admin"),
    path("/q?role%5b%5d=admin"),
    path("/q?role[0]=admin"),
    path("/q?a=1;role=admin"),
    path("/q?role=user;role=admin"),
    path("/q?&role=admin"),
    path("/q??role=user&role=admin"),
    // Spellings of one cookie.
    fields(&["Cookie: role=admin"]),
    fields(&["Cookie: role=user; role=admin"]),
    fields(&["Cookie: role=user", "Cookie: role=admin"]),
    fields(&["Cookie: a=b;role=admin"]),
    fields(&["Cookie: role=\"admin\""]),
    fields(&["Cookie: role=%61dmin"]),
    fields(&["Cookie: role =admin"]),
    fields(&["Cookie: a=\"x; role=admin\""]),
    fields(&["Cookie: a=\"x; role=user; b=\""]),
    fields(&["Cookie: a=\"x\\\"; role=user; b=\""]),
    // HTTP/2 crumbs: each of them is a line.
    fields(&["Cookie: a=\"x", "Cookie: role=admin"]),
];

/// All attempts over HTTP/2, by one curl; None where there was no answer, because a connection cannot go on after that.
pub(super) fn over_http2(gateway: SocketAddr, host: &str) -> Vec<Option<Answer>> {
    let folder = Folder::new(&format!("attempts-http2-{host}"));
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let file = |kind: &str, number: usize| folder.0.join(format!("{kind}{number}"));
    let mut asked = Vec::new();
    for (number, attempt) in ATTEMPTS.iter().enumerate() {
        let (head, body) = (file("head", number), file("body", number));
        let mut options = vec![
            format!("url = \"http://{gateway}\"\nhttp2-prior-knowledge\nsilent\nmax-time = 20"),
            format!("dump-header = \"{}\"\noutput = \"{}\"", head.display(), body.display()),
            format!("request-target = \"{}\"", quoted(&attempt.target.replace("HOST", host))),
            format!("header = \"Host: {host}\""),
        ];
        // HTTP/2 has no Connection; its list is HTTP/1's affair.
        let lines = attempt.fields.iter().filter(|line| !line.starts_with("Connection:"));
        options.extend(lines.map(|line| format!("header = \"{}\"", quoted(line))));
        asked.push(options.join("\n"));
    }
    let configuration = folder.write("curl", asked.join("\nnext\n"));
    Command::new("curl").args(["-q", "-K", &configuration]).output().expect("curl is installed (tests/run sees to it)");
    let answers = (0..ATTEMPTS.len()).map(|number| {
        let head = String::from_utf8_lossy(&std::fs::read(file("head", number)).ok()?).into_owned();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Answer { status, head, body: std::fs::read(file("body", number)).unwrap_or_default(), whole: true })
    });
    answers.collect()
}
