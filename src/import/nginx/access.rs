//! `allow`, `deny`, `satisfy`, `auth_basic` and `auth_request`: who may pass.

use super::fact::AUTH;
use super::importer::Importer;
use super::level::Level;
use super::place::Place;
use super::predicate::Predicate;
use super::rules::{Node, quoted, template_word};
use super::tree::Directive;
use core::net::IpAddr;

impl<'p> Importer<'p> {
    /// Statements that refuse who may not pass on `level`.
    pub(super) fn access(&mut self, level: &Level<'p>, place: &Place<'_, 'p>) -> Vec<Node> {
        let rules = level.effective_access();
        let denied = self.denied(&rules);
        let auth = self.auth(level, place);
        let any = level.one("satisfy").is_some_and(|satisfy| satisfy.arg(0) == "any");
        if let Some(satisfy) = level.one("satisfy") {
            self.carried(satisfy);
        }
        let span = rules.first().map(|rule| rule.span).unwrap_or_default();
        if any && !rules.is_empty() && !auth.is_empty() {
            return match denied {
                Predicate::False => Vec::new(),
                Predicate::True => auth,
                denied => vec![Node::block(format!("when {}", denied.text()), span, auth)],
            };
        }
        let refusal = Node::line("return 403", span);
        let mut nodes = match denied {
            Predicate::False => Vec::new(),
            Predicate::True => vec![refusal],
            denied => vec![Node::block(format!("when {}", denied.text()), span, vec![refusal])],
        };
        nodes.extend(auth);
        nodes
    }

    /// When none of `rules` lets a client pass.
    fn denied(&mut self, rules: &[&'p Directive]) -> Predicate {
        let mut groups: Vec<(bool, Option<Vec<String>>)> = Vec::new();
        for rule in rules {
            self.carried(rule);
            let denies = rule.name() == "deny";
            let what = match rule.arg(0) {
                "all" => None,
                // No client of ours comes through a socket of the file system.
                "unix:" => continue,
                text => {
                    let Some((network, _)) = network(text) else {
                        self.wrong(rule.span, format!("invalid parameter \"{text}\""));
                        continue;
                    };
                    Some(network)
                }
            };
            match (groups.last_mut(), what) {
                (Some((same, Some(networks))), Some(network)) if *same == denies => networks.push(network),
                (_, what) => groups.push((denies, what.map(|network| vec![network]))),
            }
        }
        let mut denied = Predicate::False;
        for (denies, networks) in groups.into_iter().rev() {
            let here = networks.map_or(Predicate::True, |all| Predicate::atom(format!("client in {}", all.join(" "))));
            denied = if denies { here.or(denied) } else { here.not().and(denied) };
        }
        denied
    }

    /// Statements that refuse whom the host does not know.
    fn auth(&mut self, level: &Level<'p>, place: &Place<'_, 'p>) -> Vec<Node> {
        let mut nodes = Vec::new();
        if let Some(request) = level.one("auth_request") {
            self.carried(request);
            if request.arg(0) != "off" {
                let meaning = format!("what a request to `{}` answers: 2xx, 401, 403, else", request.arg(0));
                let fact = self.fact("auth", AUTH, meaning, request.span);
                nodes.extend(refusals(&fact, request, Vec::new()));
            }
        }
        if let Some(basic) = level.one("auth_basic") {
            self.carried(basic);
            if basic.arg(0) != "off" {
                let file = level.one("auth_basic_user_file").map_or("the user file", |file| file.arg(0));
                let meaning = format!("whether `{file}` knows the Authorization of the request");
                let fact = self.fact("auth_basic", AUTH, meaning, basic.span);
                let realm = match self.template_text(basic.arg(0), place) {
                    Ok(realm) => format!("Basic realm=\"{realm}\""),
                    Err(lack) => {
                        self.lacks(basic, &lack);
                        return nodes;
                    }
                };
                let header = format!("set response header WWW-Authenticate {}", quote_template(&realm));
                nodes.extend(refusals(&fact, basic, vec![Node::line(header, basic.span)]));
            }
        }
        nodes
    }
}

fn quote_template(text: &str) -> String {
    let word = template_word(text);
    if word == text { quoted(text) } else { word }
}

fn refusals(fact: &str, directive: &Directive, asks: Vec<Node>) -> Vec<Node> {
    let mut unauthorized = asks;
    unauthorized.push(Node::line("return 401", directive.span));
    let refuse = |value: &str, body: Vec<Node>| Node::block(format!("when fact {fact} {value}"), directive.span, body);
    let code = |code: &str| vec![Node::line(format!("return {code}"), directive.span)];
    vec![refuse("unauthorized", unauthorized), refuse("forbidden", code("403")), refuse("failed", code("500"))]
}

impl<'p> Level<'p> {
    /// `allow` and `deny` are one list.
    pub(super) fn effective_access(&self) -> Vec<&'p Directive> {
        let is_rule = |directive: &&Directive| matches!(directive.name(), "allow" | "deny");
        let own: Vec<&'p Directive> = self.directives.iter().filter(is_rule).collect();
        match &self.outer {
            Some(outer) if own.is_empty() => outer.effective_access(),
            _ => own,
        }
    }
}

/// `10.0.0.0/8` with the bits behind the mask cut, and how many bits count.
pub(super) fn network(text: &str) -> Option<(String, u8)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let full: u8 = if address.is_ipv4() { 32 } else { 128 };
    let bits = match bits {
        None => full,
        Some(bits) => bits.parse().ok().filter(|bits| *bits <= full)?,
    };
    let cut: IpAddr = match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            IpAddr::V4((u32::from(address) & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            IpAddr::V6((u128::from(address) & mask).into())
        }
    };
    Some((if bits == full { cut.to_string() } else { format!("{cut}/{bits}") }, bits))
}
