//! Commands of later versions.

use super::rulec;

#[test]
fn a_command_of_a_later_version_says_so() {
    for arguments in [
        &["diff", "a.rules", "b.rules", "--json"][..],
        &["fmt", "--check", "a.rules"],
        &["nginx", "-c", "nginx.conf", "-p", "/p", "-t", "-V"],
        &["graph", "a.rules"],
        &["replay", "a.rules", "--against", "b.rules", "access.log"],
    ] {
        let ran = rulec(arguments);
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{arguments:?}");
        assert!(ran.err.contains(arguments[0]) && ran.err.contains("not supported yet"), "{}", ran.err);
    }
}
