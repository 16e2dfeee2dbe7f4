//! What answers in a location, who may, and with which fields.

use super::{Node, rewrites};
use crate::live_nginx::random::Random;

/// Where requests are sent; nothing where nginx looks for a file.
pub(super) fn handler(takes_base: bool, random: &mut Random) -> Vec<Node> {
    vec![Node::line(match random.below(13) {
        0..5 => "proxy_pass http://u1;",
        5 | 6 if takes_base => {
            random.pick(&["proxy_pass http://u2/;", "proxy_pass http://u2/base/;", "proxy_pass http://u2/base;"])
        }
        7 => "proxy_pass http://u1/t/$1$is_args$args;",
        8 => "proxy_pass http://$backend;",
        9 => {
            return vec![
                Node::line(format!("set $up u{};", 1 + random.below(2))),
                Node::line("proxy_pass http://$up;"),
            ];
        }
        10 => return kept(random),
        _ => return Vec::new(),
    })]
}

/// A `proxy_pass` of variables that `set` keeps: in the address, in the path, in the query, or in several of them; set
/// once or twice, under an `if`, from groups, from tables, or by the server.
fn kept(random: &mut Random) -> Vec<Node> {
    let line = |text: &str| Node::line(text);
    let mut nodes = vec![
        line(&format!("set $up {};", random.pick(&["u1", "u2", "u1/deep"]))),
        line(&format!("set $p \"{}\";", rewrites::text(random))),
    ];
    match random.below(6) {
        0 => nodes.push(line("set $p \"x$p\";")),
        1 => nodes.push(Node::Block("if ($arg_q)".to_owned(), vec![line("set $p i;")])),
        2 => nodes.push(Node::Block("if ($http_x = a)".to_owned(), vec![line("set $up u2;")])),
        3 => nodes.insert(0, line("set $p $request_method;")),
        _ => {}
    }
    nodes.push(line(random.pick(&[
        "proxy_pass http://u1/$p;",
        "proxy_pass http://u1/$p;",
        "proxy_pass http://$up/$p;",
        "proxy_pass http://$up/x?p=$p;",
        "proxy_pass http://$up/x/$p?$args;",
        "proxy_pass http://u2/$v/$w$is_args$args;",
        "proxy_pass http://u2/$m;",
        "proxy_pass http://$backend/$p;",
        "proxy_pass $scheme://$up/$p;",
    ])));
    nodes
}

/// `allow`, `deny`, `limit_except`, `satisfy`.
pub(super) fn access(random: &mut Random) -> Vec<Node> {
    let line = Node::line;
    match random.below(20) {
        0 => vec![line("deny all;")],
        1 => vec![line("allow 127.0.0.1;"), line("deny all;")],
        2 => vec![line("allow 10.0.0.0/8;"), line("deny all;")],
        3 => vec![Node::Block(
            format!("limit_except {}", random.pick(&["GET", "POST", "GET DELETE"])),
            vec![line("deny all;")],
        )],
        _ => Vec::new(),
    }
}

/// Edits of both heads.
pub(super) fn header(random: &mut Random) -> Vec<Node> {
    let value = random.pick(&["1", "\"$uri\"", "\"$v\"", "\"$m\"", "\"\""]);
    match random.below(10) {
        0 | 1 => vec![Node::line(format!(
            "add_header X-{} {value}{};",
            random.pick(&["A", "B"]),
            random.pick(&["", " always"])
        ))],
        2 | 3 => vec![Node::line(format!("proxy_set_header X-{} {value};", random.pick(&["Loc", "P"])))],
        4 => vec![Node::line("expires 1h;")],
        _ => Vec::new(),
    }
}

/// `error_page` with each kind of target.
pub(super) fn error_page(random: &mut Random) -> Vec<Node> {
    let codes = random.pick(&["404", "403 404", "405", "410", "301", "503", "413 410"]);
    let status = random.pick(&["", "", " =", " =200", " =418"]);
    let target = random.pick(&["@named", "@named", "/a", "/b/x?z=1", "http://e.test/", "/int/x"]);
    vec![Node::line(format!("error_page {codes}{status} {target};"))]
}

/// What leads to other locations, or hides this one.
pub(super) fn jump(random: &mut Random) -> Vec<Node> {
    match random.below(12) {
        0 => error_page(random),
        1 => {
            let last = random.pick(&["@named", "=404", "=410", "/a/b", "/x.php?t=$args"]);
            vec![Node::line(format!("try_files /nofile {last};"))]
        }
        2 if random.chance(40) => vec![Node::line("internal;")],
        _ => Vec::new(),
    }
}
