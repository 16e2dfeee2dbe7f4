//! Routers of parameters: what they can express are exact paths, prefixes that end with a slash, and templates.

use super::{Engine, NOTHING};
use crate::families::policy::{Kind, Location, Policy};
use crate::measure::Timed;

/// How a router writes `/a/{}/b` and `/a/...`.
struct Spelling {
    parameter: fn(usize) -> String,
    rest: &'static str,
}

impl Spelling {
    /// Routes of `location`; None: it has none.
    fn routes(&self, location: &Location) -> Option<Vec<String>> {
        if location.parent.is_some() {
            return None;
        }
        match (location.kind, &location.template) {
            (Kind::Exact, _) => Some(vec![location.pattern.clone()]),
            (Kind::Prefix, _) => Some(vec![location.pattern.clone(), format!("{}{}", location.pattern, self.rest)]),
            (_, Some(template)) => Some(vec![self.filled(template)]),
            _ => None,
        }
    }

    fn filled(&self, template: &str) -> String {
        let segments = template.split('/').enumerate().map(|(nth, segment)| match segment {
            "{}" => (self.parameter)(nth),
            segment => segment.to_owned(),
        });
        segments.collect::<Vec<_>>().join("/")
    }

    /// Routes of all locations; None: one of them has none.
    fn all(&self, policy: &Policy) -> Option<Vec<(String, u32)>> {
        let mut routes = Vec::new();
        for (location, index) in policy.locations.iter().zip(0..) {
            routes.extend(self.routes(location)?.into_iter().map(|route| (route, index)));
        }
        Some(routes)
    }
}

pub(super) fn matchit(policy: &Policy) -> Option<Box<dyn Timed>> {
    let spelling = Spelling { parameter: |nth| format!("{{p{nth}}}"), rest: "{*rest}" };
    let mut router = matchit::Router::new();
    for (route, index) in spelling.all(policy)? {
        router.insert(route, index).expect("a route");
    }
    Some(Box::new(router))
}

impl Engine for matchit::Router<u32> {
    fn find(&mut self, path: &str) -> u32 {
        self.at(path).map_or(NOTHING, |found| *found.value)
    }
}

pub(super) fn wayfind(policy: &Policy) -> Option<Box<dyn Timed>> {
    let spelling = Spelling { parameter: |nth| format!("<p{nth}>"), rest: "<*rest>" };
    let mut builder = wayfind::RouterBuilder::new();
    for (route, index) in spelling.all(policy)? {
        builder.insert(&route, index).expect("a route");
    }
    Some(Box::new(builder.build()))
}

impl Engine for wayfind::Router<u32> {
    fn find(&mut self, path: &str) -> u32 {
        self.search(path).map_or(NOTHING, |found| *found.data())
    }
}

pub(super) fn path_tree(policy: &Policy) -> Option<Box<dyn Timed>> {
    let spelling = Spelling { parameter: |nth| format!(":p{nth}"), rest: "+" };
    let mut router = path_tree::PathTree::new();
    for (route, index) in spelling.all(policy)? {
        let _ = router.insert(&route, index);
    }
    Some(Box::new(router))
}

impl Engine for path_tree::PathTree<u32> {
    fn find(&mut self, path: &str) -> u32 {
        Self::find(self, path).map_or(NOTHING, |(index, _)| *index)
    }
}
