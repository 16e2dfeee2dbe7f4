//! nginx-curated.json: cases from nginx's documents, tests and source, each group a small configuration.

use super::conf::{http, imported, quoted, rules};
use super::{Tally, corpus, list, status, text};
use crate::engines::Engines;
use rulec::model::{RequestRecord, Verdict, VerdictKind};
use serde_json::Value;
use std::collections::BTreeMap;

/// L-01 to L-26, U-01 to U-13, R-01 to R-10, P-01 to P-07.
#[test]
fn documented_cases_come_out_as_nginx_answered() {
    let corpus: Value = serde_json::from_str(&corpus("nginx-curated.json")).expect("JSON");
    let mut tally = Tally::default();
    for group in list(&corpus, "groups") {
        if group["expect_config_error"].as_bool() == Some(true) {
            continue;
        }
        let name = text(group, "name");
        let mut ids = BTreeMap::new();
        let engines = Engines::new(&rules(&conf(group, &mut ids)));
        for case in list(group, "cases") {
            if name == "pcre-lookaround" && case["expect"]["location"] == BACKREFERENCE {
                tally.cases += 1;
                continue;
            }
            let mut expected = Answer::expected(&case["expect"]);
            // A map's values are not the ids of locations.
            expected.are_texts = name == "map" || name == "config-ok-duplicate-named" || name == "if-is-evil";
            text(&case["request"], "method").clone_into(&mut expected.sent);
            let mut request = request(&case["request"]);
            // No file is there.
            if engines.rules().contains("fact nofile_is_file ") {
                request.facts.insert("nofile_is_file".to_owned(), "no".to_owned());
            }
            tally.check(&engines, &request, &expected.clone(), |verdict| expected.of(verdict, &ids));
        }
    }
    tally.finish(CASES);
}

/// The one location that is left out: its pattern is a backreference, `^/(\w+)/\1$`, which is not regular.
const BACKREFERENCE: &str = "back";

/// 366 groups and cases, less the configurations that nginx does not start with.
const CASES: usize = 354;

/// L-29.
#[test]
fn what_nginx_does_not_start_with_is_refused_at_its_place() {
    let corpus: Value = serde_json::from_str(&corpus("nginx-curated.json")).expect("JSON");
    let mut refused = 0;
    for group in list(&corpus, "groups").iter().filter(|group| group["expect_config_error"].as_bool() == Some(true)) {
        let name = text(group, "name");
        let (imported, said) = imported(&conf(group, &mut BTreeMap::new()));
        assert!(imported.has_errors() && imported.rules.is_empty(), "{name}: nginx says {}", group["config_error"]);
        assert!(said.contains("nginx.conf:"), "{name}: {said}");
        refused += 1;
    }
    assert_eq!(refused, 12, "the corpus has another size");
}

/// What nginx answered; fields that a case does not name are None.
#[derive(Clone, Debug, PartialEq)]
struct Answer {
    status: Option<u64>,
    location: Option<String>,
    uri: Option<String>,
    args: Option<String>,
    redirect: Option<String>,
    hsts: Option<String>,
    method: Option<String>,
    target: Option<String>,
    host: Option<String>,
    forwarded_for: Option<String>,
    are_texts: bool,
    /// The method that the client sent.
    sent: String,
}

impl Answer {
    fn expected(expect: &Value) -> Self {
        let field = |name: &str| expect[name].as_str().map(str::to_owned);
        let upstream = |name: &str| expect["upstream"][name].as_str().map(str::to_owned);
        Self {
            status: expect["status"].as_u64(),
            location: field("location"),
            uri: field("uri"),
            args: field("args"),
            redirect: field("header_location"),
            hsts: field("header_strict-transport-security"),
            method: upstream("method"),
            target: upstream("target"),
            host: upstream("host"),
            forwarded_for: expect["upstream"]["headers"]["x-forwarded-for"].as_str().map(str::to_owned),
            are_texts: false,
            sent: String::new(),
        }
    }

    /// The fields of `verdict` that the case names.
    fn of(&self, verdict: &Verdict, ids: &BTreeMap<String, String>) -> Self {
        let body = verdict.body.clone().unwrap_or_default();
        let said = |name: &str| {
            let (_, behind) =
                format!("|{body}").split_once(&format!("|{name}=")).map(|(a, b)| (a.to_owned(), b.to_owned()))?;
            behind.split_once('|').map(|(value, _)| value.to_owned())
        };
        let place = verdict.location.as_ref().and_then(|display| ids.get(display)).cloned();
        let location = if self.are_texts { said("loc") } else { said("loc").or(place) };
        let edits = &verdict.response;
        let hsts = edits.add.iter().chain(&edits.set).find(|(name, _)| name == "Strict-Transport-Security");
        let forward = verdict.forward.as_ref();
        let set = |name: &str| {
            let set = forward.iter().flat_map(|forward| &forward.headers.set);
            set.filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone()).next_back()
        };
        let host = set("host").or_else(|| forward.and_then(|forward| forward.host.clone()));
        let closed = verdict.verdict == Some(VerdictKind::Close);
        Self {
            status: status(verdict).filter(|_| !closed).map(u64::from),
            location: location.filter(|_| self.location.is_some()),
            uri: said("uri").filter(|_| self.uri.is_some()),
            args: said("args").filter(|_| self.args.is_some()),
            redirect: verdict.redirect.clone(),
            hsts: hsts.map(|(_, value)| value.clone()),
            method: forward
                .map(|forward| forward.method.clone().unwrap_or_else(|| self.sent.clone()))
                .filter(|_| self.method.is_some()),
            target: forward.map(|forward| forward.target.clone()).filter(|_| self.target.is_some()),
            host: host.map(|host| host.replace(":18081", ":BACKEND")).filter(|_| self.host.is_some()),
            forwarded_for: set("x-forwarded-for").filter(|_| self.forwarded_for.is_some()),
            are_texts: self.are_texts,
            sent: self.sent.clone(),
        }
    }
}

fn request(said: &Value) -> RequestRecord {
    let mut request = RequestRecord::new(text(said, "target"));
    text(said, "method").clone_into(&mut request.method);
    request.host = match &said["host"] {
        // A record without a Host gets the first service's name; this one's has none.
        Value::Null if said.get("host").is_some() => None,
        host => Some(host.as_str().unwrap_or("localhost").to_owned()),
    };
    request.body = said["body"].as_str().map_or(0, |body| body.len() as u64);
    if let Some(headers) = said["headers"].as_object() {
        let line = |(name, value): (&String, &Value)| (name.clone(), value.as_str().unwrap_or_default().to_owned());
        request.headers = headers.iter().map(line).collect();
    }
    request
}

/// The group as a configuration; `ids` are the locations by how they are displayed.
fn conf(group: &Value, ids: &mut BTreeMap<String, String>) -> Vec<u8> {
    let lines = |of: &str| {
        let lines = list(group, of).iter().map(|line| line.as_str().expect("a directive").to_owned());
        lines.collect::<Vec<_>>().join("\n")
    };
    let mut servers = lines("http_directives") + "\n";
    let own = [group.clone()];
    let all = if list(group, "servers").is_empty() { own.as_slice() } else { list(group, "servers") };
    for server in all {
        let names = server["server_name"].as_str().unwrap_or("localhost");
        let names = names.split_whitespace().map(quoted).collect::<Vec<_>>().join(" ");
        let names = if names.is_empty() { "\"\"".to_owned() } else { names };
        servers.push_str(&format!("server {{\nlisten 8080; server_name {names};\n{}\n", lines("server_directives")));
        locations(list(server, "locations"), "", ids, &mut servers);
        servers.push_str("}\n");
    }
    http(&servers)
}

fn locations(tree: &[Value], outer: &str, ids: &mut BTreeMap<String, String>, conf: &mut String) {
    for location in tree {
        let (id, modifier, pattern) = (text(location, "id"), text(location, "mod"), text(location, "pattern"));
        if id == BACKREFERENCE && pattern.contains("\\1") {
            continue;
        }
        let display = format!("{outer}{modifier} {pattern}").trim_start().to_owned();
        ids.insert(display.clone(), id.to_owned());
        conf.push_str(&format!("location {modifier} {} {{\n", quoted(pattern)));
        for line in list(location, "directives") {
            conf.push_str(&format!("{}\n", line.as_str().expect("a directive")));
        }
        locations(list(location, "nested"), &format!("{display} > "), ids, conf);
        conf.push_str(&match location["proxy"].as_str() {
            Some(url) => format!("proxy_pass {url};\n"),
            None if location["raw"].as_bool() == Some(true) => String::new(),
            None => format!("return 200 {};\n", quoted(&format!("loc={id}|uri=$uri|args=$args|"))),
        });
        conf.push_str("}\n");
    }
}
