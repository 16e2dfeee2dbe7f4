//! Nothing is dropped in silence: every directive comes to something, and what comes out compiles.

use crate::corpora::corpora;
use rulec::diagnostic::Severity;
use rulec::import::nginx::{Directive, Options, Outcome, Parsed, import, parse, parse_text};
use rulec::model::load_text;
use std::path::{Path, PathBuf};

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.file_name().is_some_and(|name| name != "MANIFEST.json") {
            found.push(path);
        }
    }
}

fn count(directives: &[Directive]) -> usize {
    directives.iter().map(|directive| 1 + count(directive.children())).sum()
}

/// Every directive of `parsed` is accounted for once, and the rules, if there are any, are without errors.
fn check(name: &str, parsed: &Parsed) -> bool {
    let imported = import(parsed, &Options::default());
    let counts = imported.report.counts();
    assert_eq!(counts.directives, count(&parsed.directives), "{name}");
    assert_eq!(
        counts.directives,
        counts.carried + counts.not_carried + counts.left_out + counts.bearing_on_nothing,
        "{name}"
    );
    for entry in &imported.report.entries {
        if let Outcome::NotCarried(why) = &entry.outcome {
            assert!(!why.is_empty(), "{name}: {}", entry.name);
        }
        assert!(parsed.sources.position(entry.span) >= (1, 1), "{name}: {}", entry.name);
    }
    let json: serde_json::Value =
        serde_json::from_str(&imported.report.json(&parsed.sources, &imported.diagnostics)).unwrap();
    assert_eq!(json["directives"].as_array().unwrap().len(), counts.directives, "{name}");
    if imported.has_errors() {
        assert!(imported.rules.is_empty(), "{name}");
        return false;
    }
    let loaded = load_text("imported.rules", &imported.rules);
    let errors: Vec<_> =
        loaded.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{name}: {errors:?}\n{}", imported.rules);
    true
}

#[test]
fn real_configurations_are_imported_or_refused_and_accounted_for() {
    let mut paths = Vec::new();
    files(&corpora().join("nginx-conf"), &mut paths);
    paths.sort();
    assert_eq!(paths.len(), 64);
    let mut imported = 0;
    for path in &paths {
        imported += usize::from(check(&path.display().to_string(), &parse(path, None).unwrap()));
    }
    // The others lack files that they include, are templates of another tool, or broken on purpose.
    assert!(imported >= 20, "{imported} of 64 were imported");
}

/// Ends of statements outside of quotes and comments: counted without the parser.
fn ends(text: &str) -> usize {
    let mut found = 0;
    for line in text.lines() {
        let code = line.split(" # ").next().unwrap().trim_start();
        if !code.starts_with('#') {
            found += code.matches(';').count() + code.matches('{').count();
        }
    }
    found
}

#[test]
fn generated_configurations_are_accounted_for() {
    let lines = [
        "add_header X-A 1;",
        "proxy_set_header A $host;",
        "error_page 404 /x;",
        "rewrite ^/a(.*) /b$1 break;",
        "rewrite ^/c /d last;",
        "return 204;",
        "set $v $arg_a;",
        "if ($arg_b = 1) {",
        "if (-f $request_filename) {",
        "location /a/ {",
        "location ~ \\.php$ {",
        "location @n {",
        "limit_except GET {",
        "deny all;",
        "try_files $uri @n;",
        "proxy_pass http://b;",
        "proxy_pass http://$v;",
        "fastcgi_pass f:9000;",
        "gzip on;",
        "limit_req zone=a;",
        "expires 1h;",
        "nobody_knows this;",
        "}",
        "}",
        "}",
        "access_log off; # why",
        "auth_basic x;",
        "internal;",
        "types {",
        "map $http_a $m {",
        "break;",
        "# alone",
    ];
    let mut seed = 20_261_121_u64;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    for _ in 0..400 {
        let (mut text, mut depth) = (String::from("http {\nserver {\n"), 2);
        for _ in 0..next(40) {
            let line = lines[next(lines.len())];
            if line == "}" && depth <= 2 {
                continue;
            }
            depth = if line == "}" { depth - 1 } else { depth + usize::from(line.ends_with('{')) };
            text.push_str(line);
            text.push('\n');
        }
        text.push_str(&"}\n".repeat(depth));
        let parsed = parse_text("nginx.conf", text.as_bytes());
        assert_eq!(count(&parsed.directives), ends(&text), "{text}");
        check(&text, &parsed);
    }
}
