//! Facts: what only the host knows, asked by name.

use super::importer::Importer;
use super::rules::Node;
use crate::diagnostic::Span;

/// `fact NAME VALUE...;`
#[derive(Clone, Debug)]
pub(super) struct Fact {
    /// How the rules ask for it.
    pub(super) name: String,
    /// What it can be.
    pub(super) values: &'static str,
    /// What it says.
    pub(super) meaning: String,
    /// Where it is asked for.
    pub(super) span: Span,
}

/// The answers of whoever checks credentials.
pub(super) const AUTH: &str = "allowed unauthorized forbidden failed";

/// As many as rules may have.
const FACTS_MAX: usize = 256;

impl Importer<'_> {
    /// The fact asked for at `span`, under a name like `wanted` of its own.
    ///
    /// The same words at two places are two facts: between them the path may have changed.
    pub(super) fn fact(&mut self, wanted: &str, values: &'static str, meaning: String, span: Span) -> String {
        if let Some(known) = self.facts.iter().find(|fact| fact.span == span && fact.meaning == meaning) {
            return known.name.clone();
        }
        // Rules with more are refused: what is asked for behind that needs no name of its own.
        if let Some(last) = self.facts.last().filter(|_| self.facts.len() > FACTS_MAX) {
            return last.name.clone();
        }
        let taken = |name: &str| self.facts.iter().any(|fact| fact.name == name);
        let numbered = (2..).map(|number| format!("{wanted}_{number}"));
        let name = core::iter::once(wanted.to_owned()).chain(numbered).find(|name| !taken(name));
        let name = name.unwrap_or_else(|| wanted.to_owned());
        self.facts.push(Fact { name: name.clone(), values, meaning, span });
        name
    }

    /// The facts as statements.
    pub(super) fn fact_nodes(&self) -> Vec<Node> {
        let node = |fact: &Fact| {
            let remark = format!("{} ({})", fact.meaning, self.place(fact.span));
            Node::line(format!("fact {} {}", fact.name, fact.values), fact.span).remark(remark)
        };
        self.facts.iter().map(node).collect()
    }

    /// `nginx.conf:12`
    pub(super) fn place(&self, span: Span) -> String {
        let place = self.parsed.sources.place(span);
        let cut = place.rsplit_once(':').map_or(place.as_str(), |(line, _)| line);
        cut.rsplit_once('/').map_or(cut, |(_, name)| name).to_owned()
    }
}

/// What a test of a file is called: `$document_root$uri` and `is_file` make `uri_is_file`.
pub(super) fn file_fact(path: &str, test: &str) -> String {
    let path = path.replace("$document_root", "").replace("$realpath_root", "").replace("$uri/", "$uri/index");
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let stem = words.collect::<Vec<_>>().join("_").to_ascii_lowercase();
    if stem.is_empty() { test.to_owned() } else { format!("{stem}_{test}") }
}
