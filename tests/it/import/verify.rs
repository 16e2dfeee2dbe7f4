//! `--verify`: a live nginx beside the rules.

use crate::corpora::corpora;
use rulec::diagnostic::Severity;
use rulec::import::nginx::verify::{Answer, Certificate, Nginx, Outcome, Random, Subject, curl, find};
use rulec::import::nginx::{Options, Without, import, parse, parse_text};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Requests for each file.
const REQUESTS: u64 = 1_000;

fn subject(conf: &str) -> Subject {
    let subject = Subject::new(parse_text("nginx.conf", conf.as_bytes()), &Options::default());
    subject.unwrap_or_else(|errors| panic!("{conf}\n{errors:?}"))
}

pub(super) fn nginx() -> PathBuf {
    find().expect("nginx is installed (tests/run sees to it)")
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            files(&path, found);
        } else if path.file_name().is_some_and(|name| name != "MANIFEST.json") {
            found.push(path);
        }
    }
}

/// What is left out of the file at `path`: the list beside this one.
fn without_of(path: &Path) -> Vec<Without> {
    let lists = include_str!("without.txt").lines().filter(|line| !line.starts_with('#'));
    let mut of_file = lists.filter_map(|line| line.split_once(": ")).filter(|(file, _)| path.ends_with(file));
    let names = of_file.next().map_or("", |(_, names)| names);
    names.split(' ').filter(|name| !name.is_empty()).map(|name| name.parse().expect("a name")).collect()
}

/// Each list of the corpus names what has to be named and nothing else, and is found by the file that it is for.
#[test]
fn what_is_left_out_of_the_corpus_is_all_that_may_be() {
    let mut found = Vec::new();
    files(&corpora().join("nginx-conf"), &mut found);
    for path in found {
        let parsed = parse(&path, None).expect("it can be read");
        let wanted: BTreeSet<String> =
            import(&parsed, &Options::default()).wanted.into_iter().map(|without| without.name).collect();
        let listed: BTreeSet<String> = without_of(&path).into_iter().map(|without| without.name).collect();
        assert_eq!(wanted, listed, "{}", path.display());
    }
}

/// The 64 files of public projects.
#[test]
fn what_imports_decides_as_a_live_nginx_does() {
    let mut found = Vec::new();
    files(&corpora().join("nginx-conf"), &mut found);
    assert_eq!(found.len(), 64, "the corpus");
    let (mut verified, mut refused, mut without_server, mut not_loaded) = (0, 0, 0, Vec::new());
    for path in found {
        let shown = path.display();
        let options = Options { without: without_of(&path) };
        let subject = match Subject::new(parse(&path, None).expect("it can be read"), &options) {
            Ok(subject) => subject,
            Err(said) => {
                let parsed = parse(&path, None).expect("it can be read");
                let mut errors = said.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
                assert!(errors.clone().next().is_some(), "{shown}: refused without an error");
                let has_place = errors.all(|error| parsed.sources.get(error.place.span.file).is_some());
                assert!(has_place, "{shown}: refused without a place");
                refused += 1;
                continue;
            }
        };
        if subject.size().1 == 0 {
            without_server += 1;
            continue;
        }
        match subject.verify(&nginx(), REQUESTS, 1) {
            Ok(certificate) => {
                assert!(certificate.differences.is_empty(), "{shown}\n{}", certificate.differences.join("\n\n"));
                assert!(certificate.agreed > 0, "{shown}: nothing was compared");
                verified += 1;
            }
            Err(why) => not_loaded.push(format!("{shown}: {why}")),
        }
    }
    let all = format!("{verified} verified, {refused} refused, {without_server} without a server, {not_loaded:#?}");
    assert!(verified >= 30 && not_loaded.len() <= 1, "{all}");
}

const EVERYTHING: &str = r#"
map $http_x_plan $backend { default app; ~^pro prod; "beta" app; }
upstream app { server 127.0.0.1:9001; }
upstream prod { server 127.0.0.1:9002; }
server {
    listen 80 default_server;
    server_name example.org *.example.org ~^(?<sub>\w+)\.test$;
    add_header X-Answer $sub;
    error_page 404 /missing.html;
    if ($request_method = DELETE) { return 405; }
    location / { proxy_pass http://app; proxy_set_header Host $host; }
    location /api/ { proxy_pass http://$backend; expires 1h; }
    location /old/ { rewrite ^/old/(.*)$ /api/$1 last; return 301 /new; }
    location /base/ { proxy_pass http://127.0.0.1:8080/x/; proxy_hide_header X-Runtime; add_header X-Runtime mine always; }
    location ~ \.php$ { fastcgi_pass unix:/run/php.sock; }
    location /files/ { root /var/www; try_files $uri /index.php; }
    location = /secret { internal; return 200 ok; }
    location /named/ { try_files $uri @app; }
    location @app { proxy_set_header X-Named 1; proxy_pass http://app; }
    location /auth/ { auth_basic "x"; proxy_pass http://prod; }
    location /asked/ { auth_request /allowed; proxy_pass http://prod; }
    location /any/ { satisfy any; allow 192.0.2.0/24; deny all; auth_basic "x"; proxy_pass http://prod; }
    location /limited/ { limit_except GET { deny all; } allow 10.0.0.0/8; deny all; proxy_pass http://app; }
    location /post { client_max_body_size 2; proxy_pass http://app; }
    location /gone/ { return 444; }
    location /if/ { if ($arg_a = 1) { return 403; } if ($http_cookie ~ "x=([0-9]+)") { return 302 /to/$1; } proxy_pass http://app; }
}
server { listen 80; server_name other.org; return 301 https://$host$request_uri; }
server { listen 443 ssl; server_name other.org; location / { return 200 "$scheme $request_method $uri"; } }
"#;

#[test]
fn every_kind_of_handler_is_compared() {
    let subject = subject(EVERYTHING);
    let certificate = subject.verify(&nginx(), 20_000, 7).expect("nginx takes it");
    assert!(certificate.differences.is_empty(), "{}", certificate.differences.join("\n\n"));
    let (reached, all) = certificate.locations;
    // `/old/`, `/files/`, `/named/`, `= /secret` and `/gone/` lead elsewhere, or nowhere: it is not they that answer.
    assert!(reached + 5 >= all, "{certificate}");
    assert!(certificate.agreed > 19_000, "{certificate}");
}

type Alteration = fn(&mut Answer);

/// What is compared would be worth nothing if differences were not seen.
#[test]
fn every_part_of_an_answer_that_is_another_is_a_difference() {
    let subject = subject(EVERYTHING);
    let nginx = Nginx::start(&nginx(), &subject).expect("nginx takes it");
    let mut random = Random::new(3);
    let requests: Vec<_> = (0..600).map(|_| subject.request(&mut random)).collect();
    let answers = nginx.ask(&requests).expect("nginx answers");
    let alterations: [(&str, Alteration); 6] = [
        ("status", |answer| answer.status += 1),
        ("Location", |answer| {
            answer.headers.iter_mut().filter(|(name, _)| name == "location").for_each(|(_, value)| value.push('x'));
        }),
        ("location", |answer| answer.headers.retain(|(name, _)| name != "x-rulec-place")),
        ("target", |answer| answer.received.iter_mut().for_each(|received| received.line.insert(5, 'x'))),
        ("host", |answer| {
            answer.received.iter_mut().for_each(|received| received.headers.retain(|(name, _)| name != "host"));
        }),
        ("header", |answer| answer.headers.push(("x-answer".to_owned(), "other".to_owned()))),
    ];
    for (what, alter) in alterations {
        let (mut altered, mut seen) = (0, 0);
        for (request, answer) in requests.iter().zip(&answers) {
            let verdict = subject.decide(request).expect("it is decided");
            let mut other = answer.clone();
            alter(&mut other);
            if other == *answer || subject.compare(request, answer, &verdict) != Outcome::Same {
                continue;
            }
            altered += 1;
            // An external upstream has no Host of its own.
            seen += usize::from(matches!(subject.compare(request, &other, &verdict), Outcome::Differs(_)));
        }
        assert!(altered > 10 && seen * 10 >= altered * 6, "{what}: {seen} of {altered}");
    }
}

#[test]
fn a_difference_is_shown_as_a_line_for_a_shell() {
    let subject = subject("server { listen 80; server_name a.test; location / { return 204; } }");
    let mut request = subject.request(&mut Random::new(1));
    "POST".clone_into(&mut request.method);
    request.target = "/it's?a=1".to_owned();
    request.host = Some("a.test".to_owned());
    request.headers = vec![("X-A".to_owned(), "b c".to_owned())];
    request.body = 0;
    let line = curl(&request);
    let begins = r"curl -i -X POST --path-as-is --request-target '/it'\''s?a=1' -H 'X-A: b c' 'http://a.test/'";
    assert!(line.starts_with(begins), "{line}");
}

/// nginx is asked `conf`, and agrees with the rules wherever it was asked.
fn check_agrees(conf: &str) -> Certificate {
    let certificate = subject(conf).verify(&nginx(), 2_000, 11).unwrap_or_else(|why| panic!("{conf}\n{why}"));
    assert_eq!(certificate.differing, 0, "{conf}\n{}", certificate.differences.join("\n\n"));
    assert!(certificate.agreed > 1_000, "{conf}\n{certificate}");
    certificate
}

#[test]
fn an_address_of_variables_is_reached_without_a_resolver() {
    for (set, address) in [
        ("set $app grafana;", "http://$app:3000"),
        ("set $app grafana; set $port 3000; set $proto http;", "$proto://$app:$port"),
        ("set $app grafana; set $port 3000; set $proto https;", "$proto://$app:$port"),
        ("set $app grafana;", "https://$app:3000$request_uri"),
        ("set $app grafana; if ($arg_beta = 1) { set $app grafana-beta; }", "http://$app:3000"),
        ("set $app grafana;", "http://$app"),
        ("set $app 10.0.0.7;", "http://$app:8080/to$request_uri"),
        ("set $app declared;", "http://$app"),
        ("set $url http://grafana:3000;", "$url"),
        ("set $app grafana;", "http://${app}:3000/x?$args"),
        ("", "http://$by_map"),
        ("", "http://$by_map:3000"),
    ] {
        check_agrees(&format!(
            "map $http_x_which $by_map {{ default declared; one 10.0.0.1; two other.test; }}\n\
             upstream declared {{ server 10.0.0.9:80; }}\nserver {{ listen 80; server_name a.test;\n\
             resolver 127.0.0.11 valid=30s; location / {{ {set} proxy_pass {address}; }} }}"
        ));
    }
}

#[test]
fn what_nginx_refuses_before_it_knows_a_server_need_not_carry_its_fields() {
    let certificate = check_agrees(
        "server { listen 80; server_name a.test; add_header Strict-Transport-Security max-age=1 always;\n\
         location / { proxy_pass http://10.0.0.1; } location /own { add_header X-Own 1 always; return 403; } }",
    );
    assert!(certificate.on_purpose.keys().any(|why| why.contains("response fields too")), "{certificate}");
}

#[test]
fn redirects_say_the_port_that_is_listened_on() {
    for listen in ["8080", "127.0.0.1:8081", "80", "443", "443 ssl", "8443 ssl", "[::]:8080", "unix:/run/a.sock"] {
        check_agrees(&format!(
            "server {{ listen {listen}; server_name a.test; location /app/ {{ proxy_pass http://10.0.0.1/x/; }}\n\
             location /old {{ return 301 /new; }} location /r {{ rewrite ^ /s permanent; }}\n\
             location /t {{ return 302 https://$host/t; }} }}"
        ));
    }
}

#[test]
fn a_certificate_names_what_was_not_asked() {
    let conf = "http { server { listen 80; server_name a.test; ssl_session_timeout 1d; keyval_zone zone=a:1m;\n\
                access_log /var/log/a; location / { limit_req zone=z; proxy_pass http://10.0.0.1; } } }";
    let options = Options { without: vec!["limit_req".parse().expect("a name")] };
    let subject = Subject::new(parse_text("site.conf", conf.as_bytes()), &options);
    let subject = subject.unwrap_or_else(|errors| panic!("{errors:?}"));
    let certificate = subject.verify(&nginx(), 300, 1).expect("nginx takes it").to_string();
    let lines: Vec<&str> = certificate.lines().filter(|line| line.starts_with("not asked: ")).collect();
    assert!(certificate.contains(" requests agreed, over 1 of 1 locations of 1 servers\nnot asked: "), "{certificate}");
    for (line, part) in lines.iter().zip([
        "`limit_req` (site.conf:2:",
        "`keyval_zone` (site.conf:1:",
        "runs without: `access_log`, `ssl_session_timeout`",
        "TLS and client certificates",
    ]) {
        assert!(line.contains(part), "{part}\n{certificate}");
    }
    assert_eq!(lines.len(), 4, "{certificate}");
}

#[test]
fn nothing_is_certified_where_nothing_was_compared() {
    let subject = subject("server { listen 80; location / { return 204; } }");
    let why = subject.verify(&nginx(), 0, 1).expect_err("no requests").to_string();
    assert!(why.starts_with("nothing could be compared"), "{why}");
    let all = "http { server { listen 80; server_name a.test; location / { return 204; } } }";
    let parsed = parse_text("nginx.conf", all.replace("location /", "location ~ (").as_bytes());
    let imported = import(&parse_text("nginx.conf", all.as_bytes()), &Options::default());
    let subject = Subject::of(parsed, imported).expect("there are rules");
    let why = subject.verify(&nginx(), 10, 1).expect_err("nginx does not take it").to_string();
    assert!(why.contains("pcre"), "{why}");
}

#[test]
fn an_nginx_that_is_not_there_is_named() {
    let subject = subject("server { listen 80; location / { return 204; } }");
    let why = subject.verify(Path::new("/nowhere/nginx"), 10, 1).expect_err("there is none").to_string();
    assert!(why.starts_with("/nowhere/nginx: "), "{why}");
}
