//! No configuration makes the importer panic, overflow its stack, fill the memory or take more than linear time.

use core::time::Duration;
use rulec::import::nginx::{Options, import, parse_text};
use std::time::Instant;

/// Codes of what is said of `text`, each once in a row; read and translated on a stack of 2 MiB.
fn codes(text: String) -> Vec<&'static str> {
    let shown: String = text.chars().take(40).collect();
    let begun = Instant::now();
    let read = move || {
        let parsed = parse_text("nginx.conf", text.as_bytes());
        let imported = import(&parsed, &Options::default());
        assert!(imported.diagnostics.len() <= 2_000, "{} findings", imported.diagnostics.len());
        imported.diagnostics.iter().map(|diagnostic| diagnostic.code).collect::<Vec<_>>()
    };
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(read);
    let mut codes = thread.expect("threads start").join().unwrap_or_else(|_| panic!("{shown}"));
    // Some ten times what it takes without optimisation.
    assert!(begun.elapsed() < Duration::from_secs(60), "{shown}: {:?}", begun.elapsed());
    codes.dedup();
    codes
}

const MEBIBYTE: usize = 1 << 20;

#[test]
fn a_mistake_a_byte_is_told_a_thousand_times() {
    let many = ["nginx-syntax", "too-many-mistakes"];
    assert_eq!(codes("\"".repeat(500_001)), many);
    assert_eq!(codes(";".repeat(MEBIBYTE)), many);
    assert_eq!(codes("}".repeat(MEBIBYTE)), many);
    assert_eq!(codes("'' ''x\n".repeat(MEBIBYTE / 8)), many);
    assert_eq!(codes("a { ".repeat(MEBIBYTE / 4)), many);
}

#[test]
fn mistakes_of_meaning_are_told_a_thousand_times_too() {
    let of_server = |inner: &str| format!("http {{ server {{ listen 80; server_name a.test; {inner} }} }}");
    let last = |text: String| codes(text).last().copied();
    assert_eq!(last(of_server(&"no_such_directive on; ".repeat(20_000))), Some("too-many-mistakes"));
    assert_eq!(last(of_server(&"location / { } ".repeat(2_000))), Some("too-many-mistakes"));
    assert_eq!(last(of_server(&"if ($nothing) { return 403; } ".repeat(5_000))), Some("too-many-mistakes"));
    assert_eq!(
        last(format!("http {{ {} }}", "server { listen 80; proxy_pass x; } ".repeat(5_000))),
        Some("too-many-mistakes")
    );
}

#[test]
fn errors_are_told_however_many_warnings_came_before() {
    let traps = "location /a { if ($args) { set $b 1; } return 301 /b; } ".repeat(1_500);
    let imported = {
        let text = format!("http {{ server {{ listen 80; {traps} location /last {{ proxy_pass http://$host; }} }} }}");
        import(&parse_text("nginx.conf", text.as_bytes()), &Options::default())
    };
    assert!(imported.has_errors() && imported.rules.is_empty());
}

#[test]
fn what_is_too_large_is_refused_before_it_fills_the_memory() {
    let too_large = |text: String| assert!(codes(text).contains(&"file-too-large"));
    too_large("a;".repeat(2 * MEBIBYTE));
    too_large(format!("{};", "a ".repeat(2 * MEBIBYTE)));
    too_large("#\n".repeat(2 * MEBIBYTE));
    too_large(format!("http {{ {} }}", "server { listen 80; } ".repeat(MEBIBYTE / 2)));
}

#[test]
fn one_line_of_megabytes_is_read_as_quickly_as_many_lines() {
    let locations =
        (0..5_000).map(|index| format!("location /l{index} {{ return 204; }} ")).collect::<Vec<_>>().concat();
    let padded = format!("http {{ server {{ listen 80; set $a \"{}\"; {locations} }} }}", "x".repeat(4_000).as_str());
    assert_eq!(codes(padded), Vec::<&str>::new());
    assert_eq!(codes(format!("{};", "y".repeat(8 * MEBIBYTE))).first(), Some(&"nginx-syntax"));
}

/// How long this thread has been on a processor: what other threads do meanwhile takes none of it.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts it");
    let nanoseconds = stat.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number"))
}

/// How long `count` of what `make` makes take, at best.
fn takes(count: usize, make: &dyn Fn(usize) -> String) -> Duration {
    let text = format!("http {{ {} }}", make(count));
    let once = || {
        let begun = processor_time();
        let imported = import(&parse_text("nginx.conf", text.as_bytes()), &Options::default());
        assert!(!imported.has_errors(), "{:?}", imported.diagnostics.first());
        processor_time().saturating_sub(begun)
    };
    once().min(once())
}

#[test]
fn time_grows_as_the_file_does() {
    let server = |inner: String| format!("server {{ listen 80; server_name a.test; {inner} }}");
    let locations = |count: usize| {
        let one = |index| format!("location /l{index}/ {{ proxy_set_header X-A b; proxy_pass http://10.0.0.1; }}\n");
        server((0..count).map(one).collect())
    };
    let rewrites = |count: usize| {
        let one = |index| format!("location = /l{index} {{ rewrite ^ /m{index} last; }}\n");
        server((0..count).map(one).collect())
    };
    let servers = |count: usize| -> String {
        let one = |index| format!("server {{ listen 80; server_name s{index}.test; return 204; }}\n");
        (0..count).map(one).collect::<Vec<_>>().concat()
    };
    let kinds: [(&str, &dyn Fn(usize) -> String); 3] =
        [("locations", &locations), ("rewrites", &rewrites), ("servers", &servers)];
    for (what, make) in kinds {
        let (few, many) = (takes(500, make), takes(4_000, make));
        // Eight times as much; sixty-four times as long if it grew with the square.
        assert!(many < few * 24, "{what}: {few:?}, and {many:?} for eight times as many");
    }
}
