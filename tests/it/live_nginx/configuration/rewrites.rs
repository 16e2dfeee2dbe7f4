//! What nginx's rewrite module runs: `rewrite`, `set`, `if`, `break`, `return`.

use super::Node;
use crate::live_nginx::random::Random;

const REGEXES: [&str; 18] = [
    r"^/a/(.*)$",
    r"^/(\w+)/(.*)$",
    r"\.php$",
    r"^/old/(?<rest>.*)$",
    r"(a|b)",
    r"^/([^/]+)$",
    r"^/v1",
    r"/img/(\w*)",
    r"^/(?<first>\w+)",
    r"o",
    r"^",
    r"^/new/?(.*)",
    r"(\d+)",
    r"^/(?!api/)(.*)$",
    r"^/(?=a)(\w)",
    r"(?<!x)\.php$",
    r"^/(?!.*old).*$",
    r"(?i)^/IMG",
];

const REPLACEMENTS: [&str; 13] = [
    "/b/$1",
    "/new$1",
    "/x.php",
    "/$2/$1",
    "/a?x=$1",
    "/old?",
    "/v1/$1?y=$args&z=1",
    "/img/$1?",
    "/q$uri",
    "/a b/$1",
    "http://o.test/$1",
    "$scheme://o.test$uri",
    "/n/$first/$rest",
];

/// A regex, as a word of a configuration.
pub(super) fn regex(random: &mut Random) -> String {
    format!("\"{}\"", random.pick(&REGEXES))
}

/// Text with variables.
pub(super) fn text(random: &mut Random) -> String {
    const PARTS: [&str; 17] = [
        "$1",
        "$2",
        "$uri",
        "$args",
        "$v",
        "$w",
        "-",
        "$host",
        "$arg_q",
        "$http_x",
        ".x",
        "$is_args",
        "$request_uri",
        "$cookie_c",
        "$request_method-",
        "$m",
        "$g",
    ];
    let text: String = (0..random.below(4)).map(|_| random.pick(&PARTS)).collect();
    // The regexes of a map overwrite the groups while nginx puts the text together: it answers 500 then.
    if text.contains("$m") { text.replace("$1", "").replace("$2", "") } else { text }
}

/// One statement of a server or a location.
pub(super) fn statement(in_location: bool, random: &mut Random) -> Vec<Node> {
    vec![match random.below(12) {
        0..4 => rewrite(random),
        4..6 => set(random),
        6..10 => condition(in_location, random),
        10 => Node::line("break;"),
        _ => answer(random),
    }]
}

fn rewrite(random: &mut Random) -> Node {
    let flag = random.pick(&["", "", " last", " break", " break", " redirect", " permanent"]);
    Node::line(format!("rewrite {} \"{}\"{flag};", regex(random), random.pick(&REPLACEMENTS)))
}

fn set(random: &mut Random) -> Node {
    let value = text(random);
    match random.below(10) {
        0 => Node::line(format!("set $args \"{value}\";")),
        1..5 => Node::line(format!("set ${} \"{value}\";", random.pick(&["v", "w"]))),
        _ => Node::line(format!("set ${} \"{}\";", random.pick(&["v", "w"]), random.pick(&["", "0", "1", "a", "b"]))),
    }
}

/// `return` in all its forms.
pub(super) fn answer(random: &mut Random) -> Node {
    let text = text(random);
    Node::line(match random.below(5) {
        0 => format!("return {} \"t{text}\";", random.pick(&["200", "201", "404", "403", "410", "500"])),
        1 => format!("return {};", random.pick(&["404", "403", "204", "444", "503", "410"])),
        2 | 3 => {
            let status = random.pick(&["301", "302", "303", "307", "308"]);
            let url = random.pick(&["/to/$1", "https://o.test$uri", "$uri", "$scheme://$host/z$is_args$args"]);
            format!("return {status} \"{url}\";")
        }
        _ => "return \"http://x.test/$1\";".to_owned(),
    })
}

fn condition(in_location: bool, random: &mut Random) -> Node {
    const ASKED: [&str; 15] = [
        "$request_method",
        "$request_method",
        "$http_x",
        "$http_x",
        "$arg_q",
        "$args",
        "$host",
        "$request_uri",
        "$cookie_c",
        "$uri",
        "$scheme",
        "$flag",
        "$v",
        "$http_user_agent",
        "$query_string",
    ];
    let asked = random.pick(&ASKED);
    let test = match random.below(6) {
        0 => asked.to_owned(),
        1 | 2 => {
            let values = ["GET", "POST", "1", "0", "", "a", "b", "s1.test", "q=1", "/a/b"];
            format!("{asked} {} \"{}\"", random.pick(&["=", "!="]), random.pick(&values))
        }
        _ => {
            let regexes = ["^G", "a", "1", "^$", "(.)(.)", "POST|PUT", "q=(.*)", "[?]", "php$", "^(.*)$", "^/(?<if>.)"];
            format!("{asked} {} \"{}\"", random.pick(&["~", "~", "~*", "!~"]), random.pick(&regexes))
        }
    };
    let body = match random.below(10) {
        0 if in_location => vec![Node::line("proxy_pass http://u1;")],
        1 if in_location => vec![Node::line(format!("add_header X-If {} always;", random.pick(&["1", "$uri"])))],
        2 => vec![Node::line("break;")],
        3..5 => vec![set(random), set(random)],
        5..7 => vec![rewrite(random)],
        7 => vec![set(random), answer(random)],
        _ => vec![answer(random)],
    };
    Node::Block(format!("if ({test})"), body)
}
