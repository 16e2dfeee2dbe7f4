//! Rewrites that make more of a request than a decision has room for.

use super::{compiled, load, request, service};
use rulec::analysis::explain::explain;
use rulec::analysis::record::decide_record;
use rulec::matcher::{Matcher, Scratch};
use rulec::model::semantics::Simulation;

/// What a location of `statements` comes to by the definition, and by the matcher.
fn codes(statements: &str) -> [Option<&'static str>; 2] {
    let loaded = load(&service(&format!("location / {{ {statements} return 204; }} location /page {{ return 200; }}")));
    let asked = request("/?abcdefghij");
    let explained = explain(&loaded.policy, &asked, &Simulation::default());
    let matcher = Matcher::parse(compiled(&loaded).expect("within the limits").bytes).expect("just compiled");
    let manifest = serde_json::from_slice(matcher.manifest()).expect("the manifest is JSON");
    let decided = decide_record(&matcher, &manifest, &asked, &mut Box::new(Scratch::new())).expect("a request");
    assert_eq!(explained.verdict.status, decided.status);
    [explained.verdict.code, decided.code]
}

#[test]
fn a_query_that_grows_with_each_rewrite_is_refused_before_it_fills_the_memory() {
    let twenty = "$args".repeat(20);
    let grows = format!(r#"rewrite ^ "/?{twenty}" last;"#);
    assert_eq!(codes(&grows), [Some("request.rewrite_too_long"); 2]);
    let goes = format!(r#"goto "/?{twenty}";"#);
    assert_eq!(codes(&goes), [Some("request.rewrite_too_long"); 2]);
}

#[test]
fn no_error_page_stands_in_for_what_there_was_no_room_for() {
    let grows = format!(r#"error_page 500 /page; rewrite ^ "/?{}" last;"#, "$args".repeat(20));
    assert_eq!(codes(&grows), [Some("request.rewrite_too_long"); 2]);
    assert_eq!(codes("error_page 500 /page; rewrite ^ / last;"), [Some("request.rewrite_loop"); 2]);
}
