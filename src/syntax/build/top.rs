//! The top level, `upstream` and `plans`.

use super::parts::Parts;
use super::predicate::predicate;
use crate::diagnostic::Diagnostic;
use crate::syntax::ast::{Item, ItemKind, MapCase, PlansOption, PlansOptionKind, UpstreamOption};
use crate::syntax::grammar::Rule;
use crate::syntax::parser::{Body, Parsed};

/// A statement of the top level.
pub(in crate::syntax) fn item(parsed: Parsed<'_>) -> Result<Item, Diagnostic> {
    let Parsed { node, head, span, body } = parsed;
    let parts = Parts::new(node, head);
    let name = || parts.word(Rule::name);
    let kind = match (parts.rule(), body) {
        (Rule::upstream, Body::Upstream(options)) => ItemKind::Upstream { name: name()?, options: Some(options) },
        (Rule::upstream, _) if parts.has(Rule::k_external) => ItemKind::Upstream { name: name()?, options: None },
        (Rule::plans, Body::Plans(options)) => ItemKind::Plans { name: name()?, options },
        (Rule::service, Body::Statements(body)) => {
            ItemKind::Service { name: name()?, default: parts.has(Rule::k_default), body }
        }
        (Rule::map, Body::Map(cases)) => ItemKind::Map { name: parts.word(Rule::dollar_name)?, cases },
        (Rule::test, Body::Tests(cases)) => ItemKind::Test { name: name()?, cases },
        // A block that could not be read, or is missing, was told of already: the statement is there all the same.
        (Rule::upstream, _) => ItemKind::Upstream { name: name()?, options: Some(Vec::new()) },
        (Rule::map, _) => ItemKind::Map { name: parts.word(Rule::dollar_name)?, cases: Vec::new() },
        (Rule::plans, _) => ItemKind::Plans { name: name()?, options: Vec::new() },
        (Rule::service, _) => {
            ItemKind::Service { name: name()?, default: parts.has(Rule::k_default), body: Vec::new() }
        }
        (Rule::test, _) => ItemKind::Test { name: name()?, cases: Vec::new() },
        (Rule::page, _) => ItemKind::Page { name: name()?, file: parts.word(Rule::file)? },
        (Rule::fact, _) => ItemKind::Fact { name: name()?, values: parts.words(Rule::item) },
        (Rule::include, _) => ItemKind::Include { glob: parts.word(Rule::file)? },
        (Rule::allow, _) => ItemKind::Allow(parts.words(Rule::warning)),
        (Rule::prove, _) => {
            if let Some(guard) = parts.all(Rule::predicate).next() {
                predicate(&guard)?;
            }
            ItemKind::Prove { name: name()?, words: parts.rest().into_iter().skip(1).collect() }
        }
        _ => return Err(parts.incomplete()),
    };
    Ok(Item { span, head, kind })
}

/// A line of a `map` block.
pub(in crate::syntax) fn map_case(parsed: Parsed<'_>) -> Result<MapCase, Diagnostic> {
    let parts = Parts::new(parsed.node, parsed.head);
    let guard = parts.all(Rule::predicate).next().map(|guard| predicate(&guard)).transpose()?;
    Ok(MapCase { span: parsed.head, guard, value: parts.word(Rule::template)? })
}

/// A statement of an `upstream` or a `tls` block.
pub(in crate::syntax) fn upstream_option(parsed: Parsed<'_>) -> Result<UpstreamOption, Diagnostic> {
    let Parsed { node, head, span, body } = parsed;
    let parts = Parts::new(node, head);
    let block = match body {
        Body::Upstream(options) => options,
        _ => Vec::new(),
    };
    Ok(UpstreamOption { span, keyword: parts.first()?, arguments: parts.rest(), block })
}

/// A statement of a `plans` block.
pub(in crate::syntax) fn plans_option(parsed: Parsed<'_>) -> Result<PlansOption, Diagnostic> {
    let Parsed { node, head, span, .. } = parsed;
    let parts = Parts::new(node, head);
    let kind = match parts.rule() {
        Rule::credential => {
            let sources = parts.all(Rule::source);
            let pair = |source: Parts<'_>| Ok((source.word(Rule::source_kind)?, source.word(Rule::field_name)?));
            PlansOptionKind::Credential {
                name: parts.word(Rule::name)?,
                sources: sources.map(pair).collect::<Result<_, Diagnostic>>()?,
                keep: parts.maybe(Rule::k_keep),
            }
        }
        Rule::plan_names => PlansOptionKind::Plan(parts.words(Rule::name)),
        Rule::missing => PlansOptionKind::Missing(parts.word(Rule::code)?),
        Rule::unknown => PlansOptionKind::Unknown(parts.word(Rule::code)?),
        Rule::failed => {
            let code = parts.word(Rule::code)?;
            PlansOptionKind::Failed { rest: parts.rest().into_iter().skip(1).collect(), code }
        }
        _ => return Err(parts.incomplete()),
    };
    Ok(PlansOption { span, kind })
}
