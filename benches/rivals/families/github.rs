//! The routes of GitHub's API, as routers are benchmarked with them.

use super::flat::in_order_of_routers;
use super::policy::{Location, Policy};
use super::random::Random;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// All routes of the table, whatever number is asked for; the methods are left out.
pub(crate) fn github(random: &mut Random, _locations: usize) -> Policy {
    let mut locations: Vec<Location> = templates().into_iter().map(Location::of_template).collect();
    in_order_of_routers(&mut locations);
    let located = locations.into_iter().map(|location| {
        let path = filled(random, location.template.as_deref().unwrap_or_default());
        (location, path)
    });
    let located = located.collect();
    Policy::new(random, located)
}

/// `/users/{}/events`, each once.
fn templates() -> BTreeSet<String> {
    let file = corpora().join("go-http-routing-benchmark.json");
    let text = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let tables: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    let routes = tables["tables"]["github"].as_array().expect("a table of routes");
    routes.iter().map(|route| of_colons(route[1].as_str().expect("a path"))).collect()
}

/// `shared/corpora` beside the project, or `RULEC_CORPORA`. The package may be the one inside `benches/`.
fn corpora() -> PathBuf {
    let mut above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|folder| folder.join("shared/corpora"));
    let beside = || above.find(|folder| folder.exists()).expect("the corpora stand beside the project");
    std::env::var_os("RULEC_CORPORA").map_or_else(beside, PathBuf::from)
}

/// `/users/{}` of `/users/:user`.
fn of_colons(route: &str) -> String {
    let segments = route.split('/').map(|segment| if segment.starts_with(':') { "{}" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

/// `template` with a value in place of each parameter.
fn filled(random: &mut Random, template: &str) -> String {
    let segments = template.split('/').map(|segment| if segment == "{}" { random.name() } else { segment.to_owned() });
    segments.collect::<Vec<_>>().join("/")
}
