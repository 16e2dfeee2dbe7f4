//! Text with variables.

use super::Resolver;
use super::statement::ServiceScope;
use crate::diagnostic::{Diagnostic, nearest};
use crate::model::{Part, Template, Variable};
use crate::syntax::ast::Word;

/// What a `?` of a template is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Questions {
    /// A character.
    Literal,
    /// The first one begins the query; later ones are characters of it (nginx: `compile_args`).
    BeginArgs,
}

const VARIABLES: &[&str] = &[
    "uri",
    "request_uri",
    "args",
    "is_args",
    "host",
    "scheme",
    "request_method",
    "remote_addr",
    "request_id",
    "plan",
    "proxy_add_x_forwarded_for",
];

/// nginx's names of what is spelt otherwise here.
const ALIASES: &[(&str, &str)] = &[
    ("query_string", "args"),
    ("document_uri", "uri"),
    ("http_host", "http_host"),
    ("server_name", "host"),
    ("method", "request_method"),
];

impl Resolver<'_> {
    /// The template that `word` is.
    pub(super) fn template(&mut self, word: &Word, service: &ServiceScope) -> Option<Template> {
        self.template_of(word, &word.text, Questions::Literal, service)
    }

    /// The template that `text`, the beginning of `word`, is.
    pub(super) fn template_of(
        &mut self,
        word: &Word,
        text: &str,
        mut questions: Questions,
        service: &ServiceScope,
    ) -> Option<Template> {
        let mut parts: Vec<Part> = Vec::new();
        let mut valid = true;
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            if letter == '?' && questions == Questions::BeginArgs {
                questions = Questions::Literal;
                parts.push(Part::Args);
                rest = rest.get(1..).unwrap_or("");
                continue;
            }
            let start = text.len() - rest.len();
            if letter == '$' {
                let name = name_at(rest.get(1..).unwrap_or(""));
                if let Name::Open = name {
                    let span = self.inside(word, start, start + 2);
                    self.error("unknown-variable", span, "this `${` is not closed", "write `${name}`");
                    return None;
                }
                if let Name::Of { name, octets } = name {
                    let end = start + 1 + octets;
                    match variable(name, service) {
                        Some(Variable::Plan) if service.plans.is_none() => {
                            let span = self.inside(word, start, end);
                            self.needs_plans(span, service);
                            valid = false;
                        }
                        Some(variable) => parts.push(Part::Variable(variable)),
                        None => {
                            self.unknown_variable(word, (start, end), name, service);
                            valid = false;
                        }
                    }
                    rest = text.get(end..).unwrap_or("");
                    continue;
                }
            }
            let octets = letter.len_utf8();
            let bytes = rest.as_bytes().get(..octets).unwrap_or(&[]);
            match parts.last_mut() {
                Some(Part::Literal(literal)) => literal.extend_from_slice(bytes),
                _ => parts.push(Part::Literal(bytes.to_vec())),
            }
            rest = rest.get(octets..).unwrap_or("");
        }
        valid.then(|| Template::new(parts))
    }

    fn unknown_variable(&mut self, word: &Word, (start, end): (usize, usize), name: &str, service: &ServiceScope) {
        let span = self.inside(word, start, end);
        let diagnostic = Diagnostic::error("unknown-variable", span, format!("no variable is called `${name}`"));
        let alias = ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, instead)| *instead);
        let maps = service.maps.keys().map(String::as_str);
        let known = VARIABLES.iter().copied().chain(service.captures.iter().map(String::as_str)).chain(maps);
        let diagnostic = match alias.or_else(|| nearest(name, known)) {
            Some(near) => diagnostic.help(format!("did you mean `${near}`?")),
            None => diagnostic.note("named groups of the regexes of the service are variables too"),
        };
        self.say(diagnostic);
    }
}

/// What stands behind a `$`.
enum Name<'t> {
    /// A name, and the octets it takes with its braces.
    Of { name: &'t str, octets: usize },
    /// `${` without its `}`.
    Open,
    /// Nothing that could be a name: the `$` is a character.
    None,
}

fn name_at(behind: &str) -> Name<'_> {
    let of_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    if let Some(inside) = behind.strip_prefix('{') {
        let octets = inside.find(|letter| !of_name(letter)).unwrap_or(inside.len());
        return match inside.split_at_checked(octets) {
            Some((name, rest)) if rest.starts_with('}') && !name.is_empty() => Name::Of { name, octets: octets + 2 },
            _ => Name::Open,
        };
    }
    // `$10` is `$1` and a zero.
    let octets = match behind.bytes().next() {
        Some(b'1'..=b'9') => 1,
        _ => behind.find(|letter| !of_name(letter)).unwrap_or(behind.len()),
    };
    match behind.get(..octets) {
        Some(name) if !name.is_empty() => Name::Of { name, octets },
        _ => Name::None,
    }
}

/// What `$name` stands for. Names ignore case, as nginx's do.
fn variable(name: &str, service: &ServiceScope) -> Option<Variable> {
    if let Some(group @ 1..=9) = name.parse::<u8>().ok().filter(|_| name.len() == 1) {
        return Some(Variable::Capture(group));
    }
    let lower = name.to_ascii_lowercase();
    let named = |prefix: &str| lower.strip_prefix(prefix).filter(|name| !name.is_empty()).map(str::to_owned);
    if let Some(map) = service.maps.get(name).or_else(|| service.maps.get(&lower)) {
        return Some(Variable::Map(*map));
    }
    if let Some(capture) = captured(name, service) {
        return Some(Variable::Named(capture));
    }
    Some(match lower.as_str() {
        "uri" => Variable::Uri,
        "request_uri" => Variable::RequestUri,
        "args" => Variable::Args,
        "is_args" => Variable::IsArgs,
        "host" => Variable::Host,
        "scheme" => Variable::Scheme,
        "request_method" => Variable::RequestMethod,
        "remote_addr" => Variable::RemoteAddr,
        "request_id" => Variable::RequestId,
        "plan" => Variable::Plan,
        "proxy_add_x_forwarded_for" => Variable::ProxyAddXForwardedFor,
        _ => {
            if let Some(name) = named("arg_") {
                Variable::Arg(name)
            } else if let Some(name) = named("http_") {
                Variable::Http(name.replace('_', "-"))
            } else {
                Variable::Cookie(named("cookie_")?)
            }
        }
    })
}

/// Whether `$name` stands for something without any regex; a group of this name would hide it.
pub(super) fn is_reserved(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    VARIABLES.contains(&lower.as_str()) || ["arg_", "http_", "cookie_"].iter().any(|prefix| lower.starts_with(prefix))
}

fn captured(name: &str, service: &ServiceScope) -> Option<String> {
    let exact = service.captures.get(name);
    let found = exact.or_else(|| service.captures.iter().find(|capture| capture.eq_ignore_ascii_case(name)));
    found.filter(|name| !is_reserved(name)).cloned()
}
