//! Locations of all kinds, two levels of them.

use super::{Node, content, rewrites};
use crate::live_nginx::random::Random;
use std::collections::BTreeSet;

const SEGMENTS: [&str; 8] = ["a", "b", "v1", "x.php", "img", "old", "new", "api"];

/// The locations of a server, with those that error pages lead to.
pub(super) fn level(random: &mut Random) -> Vec<Node> {
    let mut taken = BTreeSet::new();
    let mut nodes = Vec::new();
    for _ in 0..=random.below(5) {
        nodes.extend(location(None, &mut taken, random));
    }
    let mut named = content::header(random);
    named.push(Node::line("return 200 \"N|$uri|$args|$request_method\";"));
    nodes.push(Node::Block("location @named".to_owned(), named));
    let internal = vec![Node::line("internal;"), Node::line("return 200 \"I|$uri|$args\";")];
    nodes.push(Node::Block("location /int/".to_owned(), internal));
    nodes
}

fn location(parent: Option<&str>, taken: &mut BTreeSet<(bool, String)>, random: &mut Random) -> Option<Node> {
    let modifier = random.pick(&["", "", "", "~", "~*", "^~", "="]);
    let is_regex = modifier.starts_with('~');
    let pattern = if is_regex { rewrites::regex(random) } else { path(parent, random) };
    if !is_regex && !taken.insert((modifier == "=", pattern.clone())) {
        return None;
    }
    let mut body = vec![
        content::header(random),
        content::access(random),
        content::jump(random),
        content::handler(!is_regex, random),
    ];
    body.extend((0..random.below(4)).map(|_| rewrites::statement(true, random)));
    // nginx's phases do not care for the order of directives of different ones.
    for index in (1..body.len()).rev() {
        body.swap(index, random.below(index + 1));
    }
    let mut body: Vec<Node> = body.into_iter().flatten().collect();
    if parent.is_none() && modifier != "=" && !is_regex && random.chance(25) {
        body.extend(location(Some(&pattern), taken, random));
    }
    Some(Node::Block(format!("location {modifier} {pattern}").replace("  ", " "), body))
}

fn path(parent: Option<&str>, random: &mut Random) -> String {
    let mut path = parent.map_or(String::new(), |parent| parent.trim_end_matches('/').to_owned());
    for _ in 0..=random.below(2) {
        path.push('/');
        path.push_str(random.pick(&SEGMENTS));
    }
    if random.chance(40) {
        path.push('/');
    }
    path
}
