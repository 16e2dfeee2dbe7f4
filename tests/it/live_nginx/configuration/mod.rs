//! Random servers over all that the importer translates, as text that can be made smaller piece by piece.

mod content;
mod locations;
mod rewrites;

use super::random::Random;
use std::fmt::Write;

/// A directive, or a block of them.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Line(String),
    Block(String, Vec<Self>),
}

/// A server of its own name.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) host: String,
    pub(super) nodes: Vec<Node>,
}

/// What all servers can use: maps, upstreams, variables that are known everywhere, and who takes other hosts.
pub(super) const SHARED: &str = "map $http_x $m { default d; a one; ~^b(.*) \"two$1\"; \"\" empty; }\n\
    map $http_x $flag { default 0; a 1; ~*^B 1; }\n\
    map $arg_q $backend { default u1; 1 u2; }\n\
    geo $g { default d; 127.0.0.0/8 one; 127.0.0.1/32 a; 10.0.0.0/8 b; }\n\
    server { listen LISTEN; server_name \"~^(?<first>no)(?<rest>body)$\"; return 421; }\n\
    server { listen LISTEN default_server; server_name _; set $v \"\"; set $w \"\"; return 421; }\n";

impl Server {
    pub(super) fn new(number: usize, random: &mut Random) -> Self {
        let host = format!("s{number}.test");
        let name = match random.below(6) {
            0 => format!("~^(?<sub>s{number})\\.(test)$"),
            1 => format!("*.nowhere{number}.test s{number}.*"),
            _ => host.clone(),
        };
        let root = Node::Block("location /".to_owned(), vec![Node::line("return 200 \"R|$uri|$args\";")]);
        let mut nodes = vec![Node::line(format!("listen LISTEN; server_name {name};")), root];
        nodes.extend(content::header(random));
        if random.chance(25) {
            nodes.extend(rewrites::statement(false, random));
        }
        if random.chance(12) {
            nodes.extend(content::error_page(random));
        }
        nodes.extend(locations::level(random));
        Self { host, nodes }
    }

    /// As nginx.conf.
    pub(super) fn conf(&self) -> String {
        let mut conf = String::from("server {\n");
        self.nodes.iter().for_each(|node| node.write(1, &mut conf));
        conf.push_str("}\n");
        conf
    }

    /// Every server that lacks one piece of this one, large pieces first.
    pub(super) fn smaller(&self) -> Vec<Self> {
        // Without its name it would be nobody's, without its root nginx would look for files.
        let nodes = |nodes| Self { host: self.host.clone(), nodes };
        let (head, rest) = self.nodes.split_at(2);
        smaller(rest).into_iter().map(|rest| nodes([head, &rest].concat())).collect()
    }

    /// Prefixes and exact paths of its locations.
    pub(super) fn paths(&self) -> Vec<String> {
        let mut found = Vec::new();
        paths(&self.nodes, &mut found);
        found
    }
}

impl Node {
    fn line(text: impl Into<String>) -> Self {
        Self::Line(text.into())
    }

    fn write(&self, depth: usize, conf: &mut String) {
        let indent = "    ".repeat(depth);
        match self {
            Self::Line(text) => writeln!(conf, "{indent}{text}").expect("a string takes text"),
            Self::Block(head, nodes) => {
                writeln!(conf, "{indent}{head} {{").expect("a string takes text");
                for node in nodes {
                    node.write(depth + 1, conf);
                }
                writeln!(conf, "{indent}}}").expect("a string takes text");
            }
        }
    }
}

/// Lists that lack one node, then lists in which one block lacks something.
fn smaller(nodes: &[Node]) -> Vec<Vec<Node>> {
    let with = |index: usize, node: Option<Node>| {
        let mut list = nodes.to_vec();
        match node {
            Some(node) => list[index] = node,
            None => drop(list.remove(index)),
        }
        list
    };
    let without = (0..nodes.len()).map(|index| with(index, None));
    let inside = nodes.iter().enumerate().filter_map(|(index, node)| match node {
        Node::Block(head, own) => Some((index, head, own)),
        Node::Line(_) => None,
    });
    let inside = inside.flat_map(|(index, head, own)| {
        smaller(own).into_iter().map(move |own| (index, Node::Block(head.clone(), own)))
    });
    without.chain(inside.map(|(index, node)| with(index, Some(node)))).collect()
}

fn paths(nodes: &[Node], found: &mut Vec<String>) {
    for node in nodes {
        let Node::Block(head, own) = node else { continue };
        found.extend(head.split(' ').find(|word| word.starts_with('/')).map(str::to_owned));
        paths(own, found);
    }
}
