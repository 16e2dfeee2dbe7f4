//! Predicates.

use super::parts::Parts;
use crate::diagnostic::{Diagnostic, Span};
use crate::syntax::ast::{Operator, Predicate, PredicateKind};
use crate::syntax::grammar::Rule;

/// `P and Q`, `P or Q`, or one alone.
pub(super) fn predicate(parts: &Parts<'_>) -> Result<Predicate, Diagnostic> {
    let span = parts.span();
    let connectives: Vec<_> =
        parts.children().filter(|child| matches!(child.rule(), Rule::k_and | Rule::k_or)).collect();
    let first = connectives.first();
    let other = connectives.iter().find(|each| first.is_some_and(|first| first.rule() != each.rule()));
    if let (Some(first), Some(other)) = (first, other) {
        return Err(mixed(first, other));
    }
    let mut operands = parts.all(Rule::unary).map(|child| unary(&child)).collect::<Result<Vec<_>, _>>()?;
    let kind = match first.map(Parts::rule) {
        None => return operands.pop().ok_or_else(|| parts.incomplete()),
        Some(Rule::k_and) => PredicateKind::And(operands),
        Some(_) => PredicateKind::Or(operands),
    };
    Ok(Predicate { span, kind })
}

fn mixed(first: &Parts<'_>, other: &Parts<'_>) -> Diagnostic {
    let message = "`and` and `or` are mixed without parentheses";
    Diagnostic::error("mixed-and-or", other.span(), message)
        .related(first.span(), format!("`{}` stands here", first.as_word().text))
        .help("write `P and ( Q or R )` or `( P and Q ) or R`, with blanks around the parentheses")
}

fn unary(parts: &Parts<'_>) -> Result<Predicate, Diagnostic> {
    let operand = parts.children().find(|child| child.rule() != Rule::k_not).ok_or_else(|| parts.incomplete())?;
    let end = parts.span().end;
    let positive = positive(&operand)?;
    let negations: Vec<Span> = parts.all(Rule::k_not).map(|not| Span { end, ..not.span() }).collect();
    Ok(negations
        .into_iter()
        .rev()
        .fold(positive, |predicate, span| Predicate { span, kind: PredicateKind::Not(Box::new(predicate)) }))
}

fn positive(parts: &Parts<'_>) -> Result<Predicate, Diagnostic> {
    let kind = match parts.rule() {
        Rule::group => {
            let inside = predicate(&parts.part(Rule::predicate)?)?;
            return Ok(Predicate { span: parts.span(), ..inside });
        }
        Rule::method_is => PredicateKind::Method(parts.words(Rule::item)),
        Rule::scheme_is => PredicateKind::Scheme(parts.word(Rule::item)?),
        Rule::plan_is => PredicateKind::Plan(parts.words(Rule::item)),
        Rule::fact_is => PredicateKind::Fact { name: parts.word(Rule::name)?, values: parts.words(Rule::item) },
        Rule::client_in => PredicateKind::Client(parts.words(Rule::range)),
        Rule::body_is => PredicateKind::Body,
        Rule::listener_is => PredicateKind::Listener(parts.words(Rule::item)),
        Rule::field_is => {
            PredicateKind::Field { field: parts.word(Rule::field)?, operator: operator(&parts.part(Rule::operator)?)? }
        }
        Rule::named_is => PredicateKind::Named {
            field: parts.word(Rule::named_field)?,
            name: parts.word(Rule::field_name)?,
            operator: operator(&parts.part(Rule::operator)?)?,
        },
        Rule::map_is => PredicateKind::Map {
            name: parts.word(Rule::dollar_name)?,
            operator: operator(&parts.part(Rule::operator)?)?,
        },
        _ => return Err(parts.incomplete()),
    };
    Ok(Predicate { span: parts.span(), kind })
}

/// What is asked of a field.
pub(super) fn operator(parts: &Parts<'_>) -> Result<Operator, Diagnostic> {
    let sign = parts.children().next().ok_or_else(|| parts.incomplete())?;
    Ok(match sign.rule() {
        Rule::equals => Operator::Equals(parts.word(Rule::item)?),
        Rule::prefix => Operator::Prefix(parts.word(Rule::item)?),
        Rule::matches => Operator::Regex(parts.word(Rule::regex)?),
        Rule::caseless => Operator::RegexCaseless(parts.word(Rule::regex)?),
        Rule::k_in => Operator::In(parts.words(Rule::item)),
        Rule::k_has => Operator::Has(parts.word(Rule::item)?),
        Rule::k_present => Operator::Present,
        _ => return Err(parts.incomplete()),
    })
}
