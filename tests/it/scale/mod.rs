//! Large policies and costly ones: what they compile to, what is refused, and that it is always the same.

mod bombs;
mod gaps;
mod growth;
mod limits;
mod maps;
mod nested;
mod networks;
mod passes;
mod same_bytes;
mod simulated;
mod values;

use rulec::artifact::{Compiled, compile};
use rulec::automaton::Limits;
use rulec::diagnostic::Diagnostic;
use rulec::model::{Loaded, RequestRecord, load_text};

/// `locations` in one service.
fn service(locations: &str) -> String {
    format!("service scale {{\n    server_name scale.test;\n{locations}\n}}\n")
}

fn load(rules: &str) -> Loaded {
    let loaded = load_text("scale.rules", rules);
    assert!(!loaded.has_errors(), "{:?}", loaded.diagnostics);
    loaded
}

fn compiled(loaded: &Loaded) -> Result<Compiled, Vec<Diagnostic>> {
    compile(&loaded.policy, &loaded.sources, &Limits::default())
}

/// For the service, `GET target`.
fn request(target: &str) -> RequestRecord {
    let mut request = RequestRecord::new(target);
    request.host = Some("scale.test".to_owned());
    request
}

/// Numbers that are the same every time (Knuth's MMIX).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 33).expect("31 bits") % bound
    }
}
