//! `rulec import nginx`: rules, a report, and how it ends.

use super::{Folder, Ran, rulec};
use std::path::Path;

const CONF: &str = "http {\n  server {\n    listen 80; server_name site.test;\n    gzip on;\n    limit_req zone=a;\n    \
                    location / { return 200 home; }\n  }\n}\n";
const WITHOUT: [&str; 2] = ["--without", "limit_req"];

/// `rulec import nginx CONF ARGUMENTS...`
fn import(conf: &Path, arguments: &[&str]) -> Ran {
    let conf = conf.to_str().unwrap();
    rulec(["import", "nginx", conf].iter().chain(arguments))
}

#[test]
fn rules_go_to_standard_output_and_the_report_to_standard_error() {
    let folder = Folder::new();
    let conf = folder.file("nginx.conf", CONF);
    let ran = import(&conf, &WITHOUT);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(ran.out.contains("location / { return 200 \"home\"; }"), "{}", ran.out);
    assert!(ran.out.contains("# Left out on request: `limit_req` (nginx.conf:5): "), "{}", ran.out);
    let counts = "8 directives: 6 carried over, 0 not carried over, 1 left out, 1 bear on no decision";
    assert!(ran.err.contains(counts), "{}", ran.err);
    assert!(ran.err.contains("nginx.conf:5:5: `limit_req`: "), "{}", ran.err);
    assert!(ran.err.contains("bear on no decision: gzip\n"), "{}", ran.err);
}

#[test]
fn a_file_of_rules_is_written_that_check_takes() {
    let folder = Folder::new();
    let conf = folder.file("nginx.conf", CONF);
    let out = folder.path("out.rules");
    let output = out.to_str().unwrap();
    let ran = import(&conf, &[&WITHOUT[..], &["-o", output]].concat());
    assert_eq!((ran.status, ran.out.as_str()), (0, ""), "{}", ran.err);
    assert_eq!(rulec(["check".as_ref(), out.as_os_str()]).status, 0);
    let ran = import(&conf, &[&WITHOUT[..], &["-o", output, "--format", "json"]].concat());
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&report["counts"]["not_carried"], &report["counts"]["left_out"]), (&0.into(), &1.into()));
    assert_eq!(
        (&report["directives"][5]["name"], &report["directives"][5]["outcome"]),
        (&"limit_req".into(), &"left_out".into())
    );
    assert_eq!(
        (report["directives"][5]["line"].as_u64(), report["directives"][5]["column"].as_u64()),
        (Some(5), Some(5))
    );
}

#[test]
fn what_cannot_be_imported_ends_with_status_one_and_writes_nothing() {
    let folder = Folder::new();
    let conf = folder.file("nginx.conf", "http { server { location / { proxy_pass http://$host; } } }");
    let out = folder.path("out.rules");
    let ran = rulec(["import".as_ref(), "nginx".as_ref(), conf.as_os_str(), "-o".as_ref(), out.as_os_str()]);
    assert_eq!((ran.status, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("nginx-not-decidable") && ran.err.contains("nginx.conf:1:30"), "{}", ran.err);
    assert!(!out.exists());
    assert_eq!(rulec(["import", "nginx", "/there/is/no.conf"]).status, 4);
    assert_eq!(rulec(["import", "nginx"]).status, 2);
}

#[test]
fn relative_includes_are_sought_from_the_prefix() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path("sites")).unwrap();
    let conf = folder.file("sites/a.conf", "server { include snippets/all.conf; }");
    std::fs::create_dir_all(folder.path("snippets")).unwrap();
    folder.file("snippets/all.conf", "return 204;");
    let ran = rulec(["import".as_ref(), "nginx".as_ref(), conf.as_os_str()]);
    assert_eq!(ran.status, 1, "{}", ran.err);
    let root = folder.path("");
    let ran = rulec(["import".as_ref(), "nginx".as_ref(), conf.as_os_str(), "-p".as_ref(), root.as_os_str()]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(ran.out.contains("return 204;"), "{}", ran.out);
}

#[test]
fn what_decides_and_is_not_translated_ends_with_one_and_says_what_to_do() {
    let folder = Folder::new();
    let conf = folder.file(
        "site.conf",
        "limit_req zone=a;\nlimit_req zone=b;\nlocation / {\n  proxy_set_header X-User $remote_user;\n  sub_filter a b;\n  \
         proxy_pass http://b;\n}\n",
    );
    let out = folder.path("out.rules");
    let ran = import(&conf, &["-o", out.to_str().unwrap()]);
    assert_eq!((ran.status, ran.out.as_str(), out.exists()), (1, "", false), "{}", ran.err);
    for said in [
        "error[nginx-decides]: `limit_req` decides, and is not translated: without it requests beyond the rate are let in",
        "site.conf:1:1",
        "site.conf:2:1",
        "write `limit 10/s burst=20 per client;`",
        "error[nginx-not-decidable]: `proxy_set_header` has no translation here: only the host knows `$remote_user`",
        "site.conf:4:3",
        "write `set request header NAME VALUE;`, or `drop request header NAME;`",
        "without it the body of an answer is passed on as it came",
        "site.conf:5:3",
    ] {
        assert!(ran.err.contains(said), "{said}\n{}", ran.err);
    }
    // The last line is the whole list, to be taken as it stands.
    let last = ran.err.lines().last().unwrap().to_owned();
    let words: Vec<&str> = last.split_once("--without ").unwrap().1.split(" --without ").collect();
    assert_eq!(words.len(), 4, "{last}");
    let arguments: Vec<&str> = words.iter().flat_map(|word| ["--without", word]).collect();
    let ran = import(&conf, &arguments);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_eq!(ran.out.matches("# Left out on request: ").count(), 4, "{}", ran.out);
    assert!(ran.out.contains("drop request header X-User;"), "{}", ran.out);
}

#[test]
fn what_cannot_be_left_out_is_usage() {
    let folder = Folder::new();
    let conf = folder.file("nginx.conf", CONF);
    for (without, why) in [
        ("gzip", "no decision depends on `gzip`"),
        ("return", "is carried over, and stays"),
        ("sub_filter", "no directive of this configuration is called `sub_filter`"),
        ("limit_req@nginx.conf:4", "no `limit_req` stands there"),
        ("@nginx.conf:4", "the name of a directive is missing"),
        ("limit_req@4", "is no place"),
    ] {
        let ran = import(&conf, &["--without", "limit_req", "--without", without]);
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{without}: {}", ran.err);
        assert!(ran.err.contains(why), "{without}: {}", ran.err);
    }
}

/// What the help says of `--without` and of the exit status.
#[test]
fn the_help_says_what_ends_an_import() {
    let ran = rulec(["import", "nginx", "--help"]);
    for said in ["--without <NAME[@FILE:LINE]>", "decides", "1", "2"] {
        assert!(ran.out.contains(said), "{said}\n{}", ran.out);
    }
}

#[test]
fn verify_ends_with_a_certificate_or_says_why_there_is_none() {
    let folder = Folder::new();
    let conf = folder.file("site.conf", "limit_req zone=a;\nlocation / {\n  proxy_pass http://b;\n}\n");
    let asked = ["--without", "limit_req", "--verify", "--requests", "300"];
    let ran = import(&conf, &asked);
    assert_eq!(ran.status, 0, "{}", ran.err);
    let certificate = ran.err.split_once(" requests agreed, over 1 of 1 locations of 1 servers\n").unwrap().1;
    assert!(certificate.starts_with("not asked: `limit_req` ("), "{}", ran.err);
    assert!(certificate.contains("site.conf:1:1), left out on request: "), "{}", ran.err);
    let none = import(&conf, &["--without", "limit_req", "--verify", "--requests", "0"]);
    assert_eq!(none.status, 4, "{}", none.err);
    assert!(none.err.contains("nothing could be compared"), "{}", none.err);
    let absent = import(&conf, &["--without", "limit_req", "--verify", "--nginx", "/nowhere/nginx"]);
    assert_eq!(absent.status, 4, "{}", absent.err);
    let empty = folder.file("empty.conf", "http { map $arg_a $b { default 1; } }\n");
    let ran = import(&empty, &["--verify"]);
    assert_eq!(ran.status, 1, "{}", ran.err);
    assert!(ran.err.contains("nothing to verify: no server stands in this configuration"), "{}", ran.err);
}
