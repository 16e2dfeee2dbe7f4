//! `rulec import nginx`: rules, a report, and how it ends.

use super::{Folder, rulec};

const CONF: &str = "http {\n  server {\n    listen 80; server_name site.test;\n    gzip on;\n    limit_req zone=a;\n    \
                    location / { return 200 home; }\n  }\n}\n";

#[test]
fn rules_go_to_standard_output_and_the_report_to_standard_error() {
    let folder = Folder::new();
    let conf = folder.file("nginx.conf", CONF);
    let ran = rulec(["import".as_ref(), "nginx".as_ref(), conf.as_os_str()]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(ran.out.contains("location / { return 200 \"home\"; }"), "{}", ran.out);
    assert!(ran.err.contains("8 directives: 6 carried over, 1 not carried over, 1 bear on no decision"), "{}", ran.err);
    assert!(ran.err.contains("nginx.conf:5:5: `limit_req`: "), "{}", ran.err);
    assert!(ran.err.contains("bear on no decision: gzip\n"), "{}", ran.err);
}

#[test]
fn a_file_of_rules_is_written_that_check_takes() {
    let folder = Folder::new();
    let conf = folder.file("nginx.conf", CONF);
    let out = folder.path("out.rules");
    let ran = rulec(["import".as_ref(), "nginx".as_ref(), conf.as_os_str(), "-o".as_ref(), out.as_os_str()]);
    assert_eq!((ran.status, ran.out.as_str()), (0, ""), "{}", ran.err);
    assert_eq!(rulec(["check".as_ref(), out.as_os_str()]).status, 0);
    let arguments = [
        "import".as_ref(),
        "nginx".as_ref(),
        conf.as_os_str(),
        "-o".as_ref(),
        out.as_os_str(),
        "--format".as_ref(),
        "json".as_ref(),
    ];
    let ran = rulec(arguments);
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["counts"]["not_carried"], 1);
    assert_eq!(report["directives"][5]["name"], "limit_req");
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
