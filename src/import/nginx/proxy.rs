//! `proxy_pass`: to which upstream, and with which target.

use super::field::Field;
use super::flow::UriUse;
use super::importer::{Importer, Lack};
use super::level::Level;
use super::location::head_of;
use super::place::Place;
use super::predicate::Predicate;
use super::rules::{Node, quoted};
use super::tree::Directive;
use super::values::{Cases, Known};
use super::variable::{Part, parts};

/// What kind of block a `proxy_pass` stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    /// `location PREFIX`
    Prefix,
    /// `location = PATH`
    Exact,
    /// A regex, `@name`, `if` or `limit_except`.
    NoPrefix,
}

/// Where a request goes on to.
struct Url {
    scheme: String,
    address: String,
    /// Target, as parts.
    uri: Vec<Part>,
}

impl Url {
    /// No address at all: nginx finds out when a request comes, and answers 500.
    fn nowhere() -> Self {
        Self { scheme: String::new(), address: String::new(), uri: Vec::new() }
    }
}

const NO_URI: &str = "\"proxy_pass\" cannot have URI part in location given by regular expression, or inside named \
                      location, or inside \"if\" statement, or inside \"limit_except\" block";

impl<'p> Importer<'p> {
    /// The statements for `directive`; `uri_use` says where its URI counts.
    pub(super) fn proxy_pass(
        &mut self,
        directive: &'p Directive,
        place: &Place<'_, 'p>,
        home: Home,
        uri_use: &UriUse,
    ) -> Result<Vec<Node>, Lack> {
        let text = directive.arg(0);
        let span = directive.span;
        if !text.contains('$') {
            let url = plain_url(text)?;
            let upstream = self.upstream_of(&url, directive, place)?;
            self.carried(directive);
            let uri = literal(&url.uri);
            if uri.is_empty() {
                return Ok(vec![Node::line(format!("proxy {upstream}"), span)]);
            }
            if home == Home::NoPrefix {
                return Err(Lack::Wrong(NO_URI.to_owned()));
            }
            let form = match (uri.contains(['?', '#']), home) {
                (false, _) => uri.clone(),
                (true, Home::Exact) if !uri.contains('#') => format!("{uri}$is_args$args"),
                _ => return Err(Lack::beyond("what stands behind the `?` would go before the rest of the path")),
            };
            let form = Node::line(format!("proxy {upstream} {}", quoted(&form)), span);
            // nginx ignores the URI once a rewrite has changed the path.
            let otherwise = Node::line(format!("proxy {upstream}"), span);
            return match uri_use {
                UriUse::Always => Ok(vec![form]),
                UriUse::UnlessBreak => Ok(vec![Node::block("unless break", span, vec![form]), otherwise]),
                UriUse::UnlessWhen(rewritten) => {
                    Ok(vec![Node::block(format!("when {}", rewritten.text()), span, vec![otherwise]), form])
                }
                UriUse::Unknown => {
                    Err(Lack::beyond("whether a `break` above makes nginx ignore the URI cannot be told"))
                }
            };
        }
        let cases = self.urls(text, place)?;
        self.carried(directive);
        let mut nodes = Vec::new();
        for (when, url) in cases {
            let answer = if url.address.is_empty() {
                vec![Node::line("return 500", span)]
            } else {
                let upstream = self.upstream_of(&url, directive, place)?;
                self.variable_form(&upstream, &url, directive, place)?
            };
            match when {
                Predicate::False => {}
                Predicate::True => {
                    nodes.extend(answer);
                    break;
                }
                when => nodes.push(Node::block(format!("when {}", when.text()), span, answer)),
            }
        }
        Ok(nodes)
    }

    /// With variables, what stands behind the address is the whole target.
    fn variable_form(
        &mut self,
        upstream: &str,
        url: &Url,
        directive: &Directive,
        place: &Place<'_, 'p>,
    ) -> Result<Vec<Node>, Lack> {
        let span = directive.span;
        let template = self.template_of(&url.uri, place)?;
        if template.is_empty() {
            return Ok(vec![Node::line(format!("proxy {upstream}"), span)]);
        }
        let template = if template.starts_with('?') { format!("/{template}") } else { template };
        if template.contains('$') {
            return Ok(vec![Node::line(format!("proxy {upstream} {}", quoted(&template)), span)]);
        }
        // A target without a variable would stand for the location's prefix only.
        let nothing = Node::line("set $nothing \"\"", span);
        Ok(vec![nothing, Node::line(format!("proxy {upstream} {}", quoted(&format!("{template}${{nothing}}"))), span)])
    }

    fn upstream_of(&mut self, url: &Url, directive: &Directive, place: &Place<'_, 'p>) -> Result<String, Lack> {
        if url.address.starts_with("unix:") {
            let what = format!("proxy.toml says where: nginx has {}", url.address);
            return Ok(self.external("socket", &what, directive.span));
        }
        self.upstream((&url.scheme, &url.address), &place.level, directive.span)
    }

    /// What a URL with variables can be, and when.
    fn urls(&mut self, text: &str, place: &Place<'_, 'p>) -> Result<Vec<(Predicate, Url)>, Lack> {
        let mut waiting = vec![(Predicate::True, String::new(), parts(text)?)];
        let mut done = Vec::new();
        while let Some((when, head, mut rest)) = waiting.pop() {
            if let Some(mut url) = complete(&head, &rest) {
                url.uri.extend(rest);
                done.push((when, url));
                if done.len() > URLS_MAX {
                    return Err(Lack::beyond("it can lead to too many upstreams"));
                }
                continue;
            }
            if rest.is_empty() {
                done.push((when, Url::nowhere()));
                continue;
            }
            match rest.remove(0) {
                Part::Text(text) => waiting.push((when, format!("{head}{text}"), rest)),
                Part::Variable(name) => {
                    let cases = self.address_cases(&name, place)?;
                    let mut before = Predicate::False;
                    for (case, known) in &cases {
                        let Known::Is(Field::Text(text)) = known else {
                            let why = "the upstream is made of request data, and not one of those declared";
                            return Err(Lack::beyond(why));
                        };
                        let here = when.clone().and(case.clone());
                        if here != Predicate::False && before != Predicate::True {
                            waiting.push((here, format!("{head}{text}"), rest.clone()));
                        }
                        before = before.or(case.clone());
                    }
                }
            }
        }
        // What was pushed last came out first.
        done.reverse();
        let mut seen = Vec::new();
        done.sort_by_key(|(when, _)| *when == Predicate::True);
        done.retain(|(when, url)| {
            let same = (when.clone(), url.address.clone());
            let new = !seen.contains(&same);
            seen.push(same);
            new
        });
        Ok(done)
    }

    /// The texts that a variable of an address can be.
    fn address_cases(&mut self, name: &str, place: &Place<'_, 'p>) -> Result<Cases, Lack> {
        let lower = name.to_ascii_lowercase();
        let text = |text: &str| Known::Is(Field::Text(text.to_owned()));
        if lower == "scheme" {
            return Ok(vec![(Predicate::atom("scheme https"), text("https")), (Predicate::True, text("http"))]);
        }
        if self.maps.is_declared(&lower) {
            let values = self
                .maps
                .literal_values(&lower)
                .ok_or_else(|| Lack::beyond(format!("`${name}` has values that are not written in its table")))?;
            let own = self.use_map_at(&lower, place)?;
            let (default, others) = values;
            let mut cases: Cases = others
                .into_iter()
                .map(|value| (Predicate::atom(format!("${own} = {}", quoted(&value))), text(&value)))
                .collect();
            cases.push((Predicate::True, text(&default)));
            return Ok(cases);
        }
        self.known_variable(name, place)
    }
}

/// Upstreams that one `proxy_pass` can lead to: tables of tenants have some dozens.
const URLS_MAX: usize = 256;

fn literal(parts: &[Part]) -> String {
    let text = |part: &Part| match part {
        Part::Text(text) => text.clone(),
        Part::Variable(name) => format!("${name}"),
    };
    parts.iter().map(text).collect()
}

fn plain_url(text: &str) -> Result<Url, Lack> {
    let wrong = || Lack::Wrong("invalid URL prefix".to_owned());
    let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
    let scheme = scheme.to_ascii_lowercase();
    if scheme != "http" && scheme != "https" {
        return Err(wrong());
    }
    let end = if rest.starts_with("unix:") {
        rest.match_indices(':').nth(1).map_or(rest.len(), |(at, _)| at)
    } else {
        rest.find(['/', '?']).unwrap_or(rest.len())
    };
    let (address, uri) = rest.split_at_checked(end).unwrap_or((rest, ""));
    if address.is_empty() {
        return Err(Lack::Wrong(format!("no host in upstream \"{rest}\"")));
    }
    let uri = if address.starts_with("unix:") { uri.strip_prefix(':').unwrap_or(uri) } else { uri };
    let uri = if uri.is_empty() { Vec::new() } else { vec![Part::Text(uri.to_owned())] };
    Ok(Url { scheme, address: address.to_owned(), uri })
}

/// nginx's default `proxy_redirect` for the `proxy_pass` of `level` itself: from what is passed on to, to the location.
pub(super) fn default_redirect(level: &Level<'_>) -> Option<(String, String)> {
    let url = level.own("proxy_pass").first()?.arg(0);
    if url.contains('$') {
        return None;
    }
    if plain_url(url).ok()?.uri.is_empty() {
        return Some((format!("{url}/"), "/".to_owned()));
    }
    let (_, location) = head_of(level.of.filter(|of| of.name() == "location")?)?;
    Some((url.to_owned(), location))
}

/// The address in `head`, if what follows cannot belong to it any more.
fn complete(head: &str, rest: &[Part]) -> Option<Url> {
    let (_, behind) = head.split_once("://")?;
    let begins_path = match rest.first() {
        None => true,
        Some(Part::Variable(name)) => {
            matches!(name.to_ascii_lowercase().as_str(), "request_uri" | "uri" | "document_uri" | "is_args")
        }
        Some(Part::Text(_)) => false,
    };
    if behind.is_empty() || !(begins_path || behind.contains(['/', '?'])) {
        return None;
    }
    plain_url(head).ok()
}
