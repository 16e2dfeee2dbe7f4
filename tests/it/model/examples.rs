//! The examples of the project have no mistake.

use rulec::model::load;
use std::path::Path;

#[test]
fn every_example_is_understood() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let mut count = 0;
    for entry in directory.read_dir().expect("the examples are there") {
        let path = entry.expect("it can be listed").path();
        let loaded = load(&path).expect("it can be read");
        let messages: Vec<_> = loaded
            .diagnostics
            .iter()
            .map(|diagnostic| format!("{}: {}", loaded.sources.place(diagnostic.place.span), diagnostic.message))
            .collect();
        assert_eq!(messages, [""; 0]);
        assert!(!loaded.policy.services.is_empty() && !loaded.policy.tests.is_empty(), "{}", path.display());
        count += 1;
    }
    assert!(count >= 9);
}
