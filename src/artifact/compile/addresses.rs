//! The networks that guards ask of, as one table of addresses.

use super::asked::Question;
use super::tables::Builder;
use crate::artifact::format::{Addresses, NONE, Variable, field};
use crate::automaton::classify_networks;
use crate::diagnostic::Span;
use crate::model::{Field, Network, Operator};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

impl Builder<'_> {
    /// Gives the client's address its variable: its class is found by looking for the stretch that it is in.
    pub(super) fn classify_addresses(&mut self, questions: &[Question<'_>]) {
        let every =
            [Network::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0), Network::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0)];
        let of = |operator: &Operator| match operator {
            Operator::Within(networks) => networks.clone(),
            // A request always has an address.
            Operator::Present => every.to_vec(),
            _ => Vec::new(),
        };
        let networks: Vec<(Network, u32)> = (0u32..)
            .zip(questions)
            .flat_map(|(own, question)| of(question.operator).into_iter().map(move |network| (network, own)))
            .collect();
        let addresses = classify_networks(&networks);
        let span = questions.first().map_or(Span::default(), |question| question.span);
        let Some((order, classes)) = self.ordered(&addresses.sets, span) else { return };
        for (first, label) in &addresses.stretches {
            let class = order.get(*label as usize).map_or(0, |place| place + 1);
            self.addresses.push(&Addresses::new(*first, class));
        }
        let variable = self.fields.add_variable(classes);
        self.variables.push(&Variable {
            field: field::CLIENT,
            name: NONE,
            automaton: NONE,
            classes,
            ..Variable::default()
        });
        self.answers(&Field::Client, variable, &addresses.sets, &order, |own| own);
    }
}
