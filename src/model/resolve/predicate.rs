//! What a `when` tests.

use super::Resolver;
use super::statement::ServiceScope;
use crate::diagnostic::Span;
use crate::model::semantics::{Regexes, Simulation};
use crate::model::{Field, Network, Operator, PlanId, Predicate};
use crate::syntax::ast::{self, PredicateKind, Word};
use core::net::IpAddr;

impl Resolver<'_> {
    /// The meaning of `predicate`; None where it has a mistake, which was said.
    pub(super) fn predicate(&mut self, predicate: &ast::Predicate, service: &ServiceScope) -> Option<Predicate> {
        match &predicate.kind {
            PredicateKind::And(all) => self.predicates(all, service).map(Predicate::And),
            PredicateKind::Or(all) => self.predicates(all, service).map(Predicate::Or),
            PredicateKind::Not(inner) => Some(Predicate::Not(Box::new(self.predicate(inner, service)?))),
            PredicateKind::Method(words) => {
                let methods = self.methods(words, false)?;
                Some(one_of(Field::Method, methods.into_iter().map(String::into_bytes).collect()))
            }
            PredicateKind::Scheme(word) => {
                if !matches!(word.text.as_str(), "http" | "https") {
                    self.invalid(word, "a scheme", "write `http` or `https`");
                    return None;
                }
                Some(one_of(Field::Scheme, vec![word.text.as_bytes().to_vec()]))
            }
            PredicateKind::Plan(words) => self.plans_predicate(predicate.span, words, service),
            PredicateKind::Fact { name, values } => self.fact_predicate(name, values),
            PredicateKind::Client(words) => {
                let networks: Vec<_> = words.iter().map(|word| self.network(word)).collect();
                let networks = networks.into_iter().collect::<Option<Vec<_>>>()?;
                Some(Predicate::Field(Field::Client, Operator::Within(networks)))
            }
            PredicateKind::Body => Some(Predicate::Field(Field::Body, Operator::Present)),
            PredicateKind::Listener(words) => {
                Some(one_of(Field::Listener, words.iter().map(|word| word.text.as_bytes().to_vec()).collect()))
            }
            PredicateKind::Field { field, operator } => {
                let field = plain_field(&field.text);
                let operator = self.operator(operator, field == Field::Host)?;
                Some(Predicate::Field(field, operator))
            }
            PredicateKind::Map { name, operator } => self.map_predicate(name, operator),
            PredicateKind::Named { field, name, operator } => {
                let operator = self.operator(operator, false);
                Some(Predicate::Field(self.named_field(field, name)?, operator?))
            }
        }
    }

    /// The guard of `match FIELD [NAME] ~ REGEX`.
    pub(super) fn match_guard(
        &mut self,
        (field, name): (&Word, Option<&Word>),
        (regex, caseless): (&Word, bool),
    ) -> Option<Predicate> {
        let pattern = self.pattern(regex, 0, caseless);
        let field = match name {
            Some(name) => self.named_field(field, name)?,
            None => plain_field(&field.text),
        };
        // As in nginx an absent field is an empty text here.
        let takes_absent = Simulation::default().captures(&pattern, b"").is_some();
        let absent = Predicate::Not(Box::new(Predicate::Field(field.clone(), Operator::Present)));
        let matches = Predicate::Field(field, Operator::Regex(pattern));
        Some(if takes_absent { Predicate::Or(vec![matches, absent]) } else { matches })
    }

    /// The header, argument or cookie called `name`; None where that is no name, which was said.
    pub(super) fn named_field(&mut self, field: &Word, name: &Word) -> Option<Field> {
        let lower = name.text.to_ascii_lowercase();
        Some(match field.text.as_str() {
            "header" => Field::Header(self.read_name(name)?),
            "cookie" => self.is_field_name(name).then_some(Field::Cookie(lower))?,
            _ => Field::Query(lower),
        })
    }

    /// All of them are read, so that every mistake is said.
    fn predicates(&mut self, all: &[ast::Predicate], service: &ServiceScope) -> Option<Vec<Predicate>> {
        let all: Vec<_> = all.iter().map(|predicate| self.predicate(predicate, service)).collect();
        all.into_iter().collect()
    }

    pub(super) fn operator(&mut self, operator: &ast::Operator, is_host: bool) -> Option<Operator> {
        let value = |word: &Word| {
            let text = if is_host { word.text.to_ascii_lowercase() } else { word.text.clone() };
            text.into_bytes()
        };
        Some(match operator {
            ast::Operator::Equals(word) => Operator::In(vec![value(word)]),
            ast::Operator::In(words) => Operator::In(words.iter().map(value).collect()),
            ast::Operator::Prefix(word) => Operator::Prefix(value(word)),
            ast::Operator::Regex(word) => Operator::Regex(self.pattern(word, 0, false)),
            ast::Operator::RegexCaseless(word) => Operator::Regex(self.pattern(word, 0, true)),
            ast::Operator::Present => Operator::Present,
            ast::Operator::Has(word) => {
                let member = word.text.trim_matches([' ', '\t']);
                if member.is_empty() || member.len() != word.text.len() || member.contains(',') {
                    self.invalid(
                        word,
                        "one member of a list",
                        "members are separated by commas, blanks around them cut",
                    );
                    return None;
                }
                Operator::Has(value(word))
            }
        })
    }

    fn plans_predicate(&mut self, span: Span, words: &[Word], service: &ServiceScope) -> Option<Predicate> {
        let source = service.plans.and_then(|id| self.policy.plan_sources.get(id.0 as usize));
        let Some(source) = source else {
            self.needs_plans(span, service);
            return None;
        };
        let known = source.plans.clone();
        let mut ids = Vec::new();
        let mut valid = true;
        for word in words {
            if word.text == "any" && !word.quoted {
                ids.extend((0..known.len()).filter_map(plan_id));
            } else if let Some(id) = known.iter().position(|plan| *plan == word.text).and_then(plan_id) {
                ids.push(id);
            } else {
                valid = false;
                self.unknown("unknown-plan", "plan", word, known.iter().map(String::as_str));
            }
        }
        ids.sort();
        ids.dedup();
        valid.then_some(Predicate::Plan(ids))
    }

    /// Says that what stands at `span` asks for a plan, and the service has none.
    pub(super) fn needs_plans(&mut self, span: Span, service: &ServiceScope) {
        let name = self.policy.services.get(service.id.0 as usize).map_or("", |service| service.name.as_str());
        let message = format!("service `{name}` does not say who its callers are");
        let known = self.policy.plan_sources.first().map_or("NAME", |source| source.name.as_str());
        let help = format!("write `plans {known};` in the service");
        self.error("service-without-plans", span, message, help);
    }

    fn network(&mut self, word: &Word) -> Option<Network> {
        let (address, bits) = word.text.split_once('/').map_or((word.text.as_str(), None), |(a, b)| (a, Some(b)));
        let network = address.parse::<IpAddr>().ok().and_then(|address| {
            let (canonical, mapped_bits) = (address.to_canonical(), if address.is_ipv6() { 96 } else { 0 });
            let longest = if address.is_ipv4() { 32 } else { 128 };
            let bits = bits.map_or(Some(longest), |bits| bits.parse::<u8>().ok()).filter(|bits| *bits <= longest)?;
            // `::ffff:10.0.0.0/104` is 10.0.0.0/8.
            if address.is_ipv6() && canonical.is_ipv4() {
                return Some(Network::new(canonical, bits.checked_sub(mapped_bits)?));
            }
            Some(Network::new(address, bits))
        });
        let Some(network) = network else {
            self.invalid(word, "a network", "write `10.0.0.0/8`, `2001:db8::/32` or one address");
            return None;
        };
        if has_host_bits(network) {
            self.invalid(word, "the first address of its network", "write zeros behind the bits that count");
            return None;
        }
        Some(network)
    }
}

fn one_of(field: Field, values: Vec<Vec<u8>>) -> Predicate {
    Predicate::Field(field, Operator::In(values))
}

fn plan_id(index: usize) -> Option<PlanId> {
    u16::try_from(index).ok().map(PlanId)
}

fn has_host_bits(network: Network) -> bool {
    let (bits, longest) = match network.address {
        IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    };
    let free = u32::from(u8::saturating_sub(longest, network.prefix_bits));
    bits & 1u128.checked_shl(free).map_or(u128::MAX, |bit| bit - 1) != 0
}

fn plain_field(word: &str) -> Field {
    match word {
        "host" => Field::Host,
        "args" => Field::Args,
        "target" => Field::Target,
        "method" => Field::Method,
        _ => Field::Path,
    }
}
