//! nginx-curated.json: cases from nginx's documents, tests and source, each group a small configuration.

use super::{Tally, corpus, list, quoted, status, text};
use crate::engines::Engines;
use rulec::model::{RequestRecord, Verdict, VerdictKind};
use serde_json::Value;

/// Groups that wait for the importer, and for look-around.
const WAITING: [&str; 10] = [
    "named-locations",
    "error_page-method",
    "hsts-only-success",
    "add_header-inheritance",
    "limit_except",
    "method-if-405",
    "map",
    "if-is-evil",
    "if-condition-operators",
    "pcre-lookaround",
];

/// L-01 to L-26, U-01 to U-13, R-01 to R-10, P-01 to P-07.
#[test]
fn documented_cases_come_out_as_nginx_answered() {
    let corpus: Value = serde_json::from_str(&corpus("nginx-curated.json")).expect("JSON");
    let mut tally = Tally::default();
    for group in list(&corpus, "groups") {
        let name = text(group, "name");
        if WAITING.contains(&name) || name.starts_with("config-") {
            continue;
        }
        let mut ids = Vec::new();
        let engines = Engines::new(&rules(group, &mut ids));
        for case in list(group, "cases") {
            // `return URL` without a code is the importer's affair.
            if text(&case["request"], "target") == "/url" {
                continue;
            }
            let expected = Answer::expected(&case["expect"]);
            tally.check(&engines, &request(&case["request"]), &expected, |verdict| expected.of(verdict, &ids));
        }
    }
    tally.finish(CASES);
}

/// 366 less those of the waiting groups and one `return` of a bare URL.
const CASES: usize = 292;

/// What nginx answered; fields that a case does not name are None.
#[derive(Debug, PartialEq)]
struct Answer {
    status: Option<u64>,
    location: Option<String>,
    uri: Option<String>,
    args: Option<String>,
    redirect: Option<String>,
    hsts: Option<String>,
    target: Option<String>,
    host: Option<String>,
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
            target: upstream("target"),
            // Another Host is the upstream's to say here, not an edit's.
            host: upstream("host").filter(|host| host.ends_with(":BACKEND")),
        }
    }

    /// The fields of `verdict` that the case names.
    fn of(&self, verdict: &Verdict, ids: &[String]) -> Self {
        let body = verdict.body.clone().unwrap_or_default();
        let said = |name: &str| {
            let (_, behind) = body.split_once(&format!("|{name}="))?;
            behind.split_once('|').map(|(value, _)| value.to_owned())
        };
        let index = verdict.name.as_deref().and_then(|name| name.strip_prefix('l')?.parse::<usize>().ok());
        let hsts = verdict.response.set.iter().find(|(name, _)| name == "Strict-Transport-Security");
        let forward = verdict.forward.as_ref();
        let host = forward.and_then(|forward| forward.host.clone());
        let closed = verdict.verdict == Some(VerdictKind::Close);
        Self {
            status: status(verdict).filter(|_| !closed).map(u64::from),
            location: index.map(|index| ids[index].clone()).filter(|_| self.location.is_some()),
            uri: said("uri").filter(|_| self.uri.is_some()),
            args: said("args").filter(|_| self.args.is_some()),
            redirect: verdict.redirect.clone(),
            hsts: hsts.map(|(_, value)| value.clone()),
            target: forward.map(|forward| forward.target.clone()).filter(|_| self.target.is_some()),
            host: host.map(|host| host.replace(":18081", ":BACKEND")).filter(|_| self.host.is_some()),
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

/// The group as rules; `ids` are the locations by the number in their names.
fn rules(group: &Value, ids: &mut Vec<String>) -> String {
    let mut rules = String::from("upstream backend { server 127.0.0.1:18081; }\n");
    let directives = list(group, "server_directives");
    let directives: Vec<&str> = directives.iter().map(|line| line.as_str().expect("a directive")).collect();
    let redirects = if directives.contains(&"absolute_redirect off;") { "relative" } else { "absolute" };
    let statements: String = directives.iter().map(|directive| statement(directive)).collect();
    let own = [group.clone()];
    let servers = if list(group, "servers").is_empty() { own.as_slice() } else { list(group, "servers") };
    for (index, server) in servers.iter().enumerate() {
        let default = if index == 0 { " default" } else { "" };
        rules.push_str(&format!("service s{index}{default} {{\n"));
        rules.push_str(&format!("redirects {redirects}; slash_redirect 301; body forward;\n{statements}"));
        let names = server["server_name"].as_str().unwrap_or_default().split_whitespace().map(quoted);
        let names = names.collect::<Vec<_>>().join(" ");
        if !names.is_empty() {
            rules.push_str(&format!("server_name {names};\n"));
        }
        locations(list(server, "locations"), ids, &mut rules);
        rules.push_str("}\n");
    }
    rules
}

fn locations(tree: &[Value], ids: &mut Vec<String>, rules: &mut String) {
    for location in tree {
        let (id, modifier) = (text(location, "id"), text(location, "mod"));
        // The corpus means the one byte FC.
        let pattern = text(location, "pattern").replace('ü', "\\xfc");
        if id == "url" {
            continue;
        }
        rules.push_str(&format!("location {modifier} {} as l{} {{\n", quoted(&pattern), ids.len()));
        ids.push(id.to_owned());
        let directives = list(location, "directives").iter().map(|line| line.as_str().expect("a directive"));
        // nginx's headers do not depend on the order, settings do.
        let (headers, others): (Vec<&str>, Vec<&str>) = directives.partition(|line| line.starts_with("add_header"));
        rules.extend(headers.iter().chain(&others).map(|directive| statement(directive)));
        locations(list(location, "nested"), ids, rules);
        let rewrites = others.iter().any(|line| line.starts_with("rewrite"));
        rules.push_str(&match location["proxy"].as_str() {
            Some(url) => proxy(url, rewrites),
            None if location["raw"].as_bool() == Some(true) => String::new(),
            None => format!("return 200 {};", quoted(&format!("loc={id}|uri=$uri|args=$args|"))),
        });
        rules.push_str("}\n");
    }
}

/// `proxy_pass`: nginx ignores its URI after a rewrite, here it is left out then.
fn proxy(url: &str, rewrites: bool) -> String {
    match url.trim_start_matches("http://").split_once('/') {
        Some((_, uri)) if !rewrites => format!("proxy backend {};\n", quoted(&format!("/{uri}"))),
        _ => "proxy backend;\n".to_owned(),
    }
}

/// A directive as a statement.
fn statement(directive: &str) -> String {
    let translated = match directive {
        "absolute_redirect off;" | "set $b http://127.0.0.1:18081;" => "",
        "if ($request_method = TRACK) { return 405; }" => "when method TRACK { return 405; }",
        "if ($http_x_forwarded_proto = \"http\") { return 307 https://$host$request_uri; }" => {
            "when header X-Forwarded-Proto = http { return 307 https://$host$request_uri; }"
        }
        "add_header Strict-Transport-Security 'max-age=31536000' always;" => {
            "set response header Strict-Transport-Security max-age=31536000;"
        }
        "proxy_pass http://127.0.0.1:18081;" | "proxy_pass $b;" | "proxy_pass $b$request_uri;" => "proxy backend;",
        // A target with variables is a rewrite here.
        "proxy_pass $b/users?id=$1;" => "rewrite ^/u/([0-9]+)$ /users?id=$1? break; proxy backend;",
        "proxy_pass $b/fixed;" => "rewrite ^ /fixed? break; proxy backend;",
        "proxy_set_header Authorization '';" => "drop request header Authorization;",
        "proxy_set_header X-Empty '';" => "drop request header X-Empty;",
        "client_max_body_size 4;" => "body forward max=4;",
        // Host and X-Forwarded-For are the upstream's and the proxy's own.
        _ if directive.starts_with("proxy_set_header") => "",
        _ => directive,
    };
    format!("{translated}\n")
}
