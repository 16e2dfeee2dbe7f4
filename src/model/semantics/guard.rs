//! Whether a guard holds: on the request as it came, whatever rewrites made of it.

use super::Regexes;
use super::facts::Opaque;
use super::fields::{argument_variable, arguments, cookie};
use super::walk::Walk;
use crate::model::{Field, MapId, Network, Operator, Predicate};
use core::net::IpAddr;

impl Walk<'_> {
    /// Whether `predicate` holds if what the request does not say is as in `opaque`.
    pub(super) fn truth(&self, predicate: &Predicate, opaque: &Opaque) -> bool {
        match predicate {
            Predicate::And(all) => all.iter().all(|inner| self.truth(inner, opaque)),
            Predicate::Or(any) => any.iter().any(|inner| self.truth(inner, opaque)),
            Predicate::Not(inner) => !self.truth(inner, opaque),
            Predicate::Plan(plans) => opaque.plan.is_some_and(|plan| plans.contains(&plan)),
            Predicate::Fact(fact, values) => opaque.has(*fact, values),
            Predicate::Field(Field::Client, operator) => is_within(self.request.client, operator),
            Predicate::Field(field, operator) => {
                self.field(field).is_some_and(|value| satisfies(self.regexes, &value, operator))
            }
            Predicate::Map(map, operator) => satisfies(self.regexes, &self.map_as_it_came(*map), operator),
        }
    }

    /// The one string that `field` is; None if it is absent.
    pub(super) fn field(&self, field: &Field) -> Option<Vec<u8>> {
        let request = self.request;
        match field {
            Field::Method => Some(self.method.clone()),
            Field::Scheme => Some(request.scheme.clone()),
            Field::Host => Some(self.arrival.host.clone()),
            Field::Path => Some(self.arrival.target.path.clone()),
            Field::Args => Some(self.arrival.target.args.clone()),
            Field::Target => Some(self.arrival.target.raw.clone()),
            Field::Listener => request.listener.clone(),
            Field::Body => (request.body > 0).then(Vec::new),
            Field::Client => None,
            Field::Header(name) => request.header(name.as_bytes()),
            Field::Query(name) => {
                let arguments = arguments(&self.arrival.target.args, name.as_bytes());
                arguments.first().map(|value| value.to_vec())
            }
            Field::Argument(name) => argument_variable(&self.arrival.target.args, name.as_bytes()).map(<[u8]>::to_vec),
            Field::Cookie(name) => cookie(request, name.as_bytes()).map(<[u8]>::to_vec),
        }
    }

    /// The text of `map` for the request as it came. A map asks those above it, so theirs are found first, each once.
    fn map_as_it_came(&self, map: MapId) -> Vec<u8> {
        loop {
            let known = self.map_texts.borrow().get(map.0 as usize).cloned();
            if let Some(text) = known {
                return text;
            }
            let next = self.map_texts.borrow().len();
            let Some(row) = self.policy.maps.get(next) else { return Vec::new() };
            let case = row.cases.iter().find(|case| self.truth(&case.guard, &Opaque::default()));
            let value = case.map_or(&row.default, |case| &case.value);
            let text = match &value.field {
                Some(field) => self.field(field).unwrap_or_default(),
                // Of a longer text its literal beginning decides.
                None => self.map_value(row, case),
            };
            self.map_texts.borrow_mut().push(text);
        }
    }
}

/// Whether the text `value` satisfies `operator`.
pub(crate) fn satisfies(regexes: &dyn Regexes, value: &[u8], operator: &Operator) -> bool {
    match operator {
        Operator::In(values) => values.iter().any(|own| own == value),
        Operator::Prefix(prefix) => value.starts_with(prefix),
        Operator::Regex(pattern) => regexes.captures(pattern, value).is_some(),
        Operator::Has(member) => value.split(|byte| *byte == b',').any(|own| trim_blanks(own) == member),
        Operator::Present => true,
        Operator::Within(_) => false,
    }
}

fn trim_blanks(text: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = text.iter().take_while(|byte| is_blank(byte)).count();
    let text = text.get(start..).unwrap_or(&[]);
    let end = text.iter().rposition(|byte| !is_blank(byte)).map_or(0, |last| last + 1);
    text.get(..end).unwrap_or(&[])
}

fn is_within(client: IpAddr, operator: &Operator) -> bool {
    match operator {
        Operator::Within(networks) => networks.iter().any(|network| contains(network, client)),
        Operator::Present => true,
        _ => false,
    }
}

/// Whether `client` is in `network`; an IPv4-mapped address is an IPv4 address on both sides.
fn contains(network: &Network, client: IpAddr) -> bool {
    let mapped = network.address.to_canonical() != network.address;
    let bits = if mapped { network.prefix_bits.saturating_sub(96) } else { network.prefix_bits };
    let same = |own: u128, other: u128, width: u32| {
        let ignored = width.saturating_sub(u32::from(bits));
        own.checked_shr(ignored).unwrap_or(0) == other.checked_shr(ignored).unwrap_or(0)
    };
    match (network.address.to_canonical(), client) {
        (IpAddr::V4(own), IpAddr::V4(other)) => same(u128::from(own.to_bits()), u128::from(other.to_bits()), 32),
        (IpAddr::V6(own), IpAddr::V6(other)) => same(own.to_bits(), other.to_bits(), 128),
        _ => false,
    }
}
