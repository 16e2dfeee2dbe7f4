//! The one table of directives: what each name of nginx and of its common modules means for decisions.
//!
//! A directive *decides* if without it some request is let in or refused otherwise; reaches another upstream, method,
//! target, body, field or TLS verification; or gets another status, Location, cookie or response field, body filters
//! and copies included. A name that stands nowhere here decides.

mod decides;
mod family;
mod nothing;
mod translated;

use super::tree::Directive;

/// What a directive means for the decisions.
#[derive(Clone, Copy, Debug)]
pub(super) enum Class {
    /// The translation says it, or refuses the form that it has.
    Translated {
        /// What to write by hand for a form that has no translation.
        instead: &'static str,
        /// Whether it may be left out: not what others stand in or what answers.
        may_leave_out: bool,
    },
    /// Requests fare otherwise without it, and the translation does not say it.
    Decides(Decides),
    /// It says more about directives that decide: it decides where one of these does.
    Parameter(&'static [&'static str]),
    /// It gives a variable: what uses the variable is refused there.
    Variable,
    /// No decision depends on it.
    Nothing,
    /// Nothing is known of it.
    Unknown,
}

/// Why a directive decides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decides {
    /// What becomes of requests without it.
    pub(super) without: &'static str,
    /// What to write by hand: a form of the rules, or a key of proxy.toml.
    pub(super) instead: &'static str,
    /// When it decides nothing.
    pub(super) harmless: Harmless,
}

/// When a directive decides nothing: at nginx's default, or where it switches something off.
#[derive(Clone, Copy, Debug)]
pub(super) enum Harmless {
    /// Never.
    Never,
    /// With these words, in one text.
    Words(&'static [&'static str]),
    /// With one of these first words.
    First(&'static [&'static str]),
    /// With a word of these.
    Has(&'static [&'static str]),
    /// Where none of these is on in the configuration.
    Unless(&'static [&'static str]),
}

impl Decides {
    /// Whether `directive` decides in the form that it has; `is_on` tells which others are on.
    pub(super) fn decides(&self, directive: &Directive, is_on: &dyn Fn(&str) -> bool) -> bool {
        !match self.harmless {
            Harmless::Never => false,
            Harmless::Words(texts) => {
                let words: Vec<&str> = directive.args.iter().map(|word| word.text.as_str()).collect();
                texts.contains(&words.join(" ").as_str())
            }
            Harmless::First(words) => words.contains(&directive.arg(0)),
            Harmless::Has(words) => directive.args.iter().any(|own| words.contains(&own.text.as_str())),
            Harmless::Unless(switches) => !switches.iter().any(|switch| is_on(switch)),
        }
    }
}

/// A row of the table: what becomes of requests without the directive `name`, unless it is `harmless`.
const fn row(
    name: &'static str,
    harmless: Harmless,
    without: &'static str,
    instead: &'static str,
) -> (&'static str, Decides) {
    (name, Decides { without, instead, harmless })
}

/// The class of the directive `name`.
pub(super) fn class(name: &str) -> Class {
    if let Some((_, instead, may_leave_out)) = translated::ALL.iter().find(|(own, ..)| *own == name) {
        return Class::Translated { instead, may_leave_out: *may_leave_out };
    }
    if let Some((_, decides)) = decides::ALL.iter().find(|(own, _)| *own == name) {
        return Class::Decides(*decides);
    }
    let is_own = |names: &str| names.split_whitespace().any(|own| own == name);
    if let Some((switches, _)) = decides::PARAMETERS.iter().find(|(_, names)| is_own(names)) {
        return Class::Parameter(switches);
    }
    if decides::VARIABLES.split_whitespace().any(|own| own == name) {
        return Class::Variable;
    }
    if nothing::ALL.iter().any(|(_, names)| names.split_whitespace().any(|own| own == name)) {
        return Class::Nothing;
    }
    family::class(name)
}

/// Whether `directive` switches on what others say more about.
pub(super) fn is_on(directive: &Directive) -> bool {
    match class(directive.name()) {
        Class::Decides(row) => row.decides(directive, &|_| false),
        Class::Translated { .. } => directive.name() == "proxy_ssl_verify" && directive.arg(0) == "on",
        _ => false,
    }
}

/// What to write by hand for the translated directive `name`, where the form that it has is not translated.
pub(super) fn instead(name: &str) -> &'static str {
    match class(name) {
        Class::Translated { instead, .. } => instead,
        Class::Decides(decides) => decides.instead,
        _ => UNKNOWN_INSTEAD,
    }
}

/// Whether `--without` may name the directive `name`, where the form that it has is not translated.
pub(super) fn may_leave_out(name: &str) -> bool {
    !matches!(class(name), Class::Translated { may_leave_out: false, .. })
}

/// What to do about a directive that is not known.
pub(super) const UNKNOWN_INSTEAD: &str = "say in rules what the module does with a request: `return`, `proxy`, `set \
                                          request header`, or a `fact` that the host answers";

/// Every name that stands alone in the table, for proposals and for documents.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let translated = translated::ALL.iter().map(|(name, ..)| *name);
    let decide = decides::ALL.iter().map(|(name, _)| *name);
    let parameters = decides::PARAMETERS.iter().flat_map(|(_, names)| names.split_whitespace());
    let nothing = nothing::ALL.iter().flat_map(|(_, names)| names.split_whitespace());
    translated.chain(decide).chain(parameters).chain(decides::VARIABLES.split_whitespace()).chain(nothing)
}

/// Whether what stands in the block of `name` is of its own kind, so that it is accounted for with the block.
pub(super) fn is_opaque(name: &str) -> bool {
    matches!(
        name,
        "types"
            | "events"
            | "stream"
            | "mail"
            | "charset_map"
            | "match"
            | "split_clients"
            | "map"
            | "geo"
            | "geoip2"
            | "mgmt"
            | "otel_exporter"
    ) || name.ends_with("_by_lua_block")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_name_has_one_class() {
        let mut seen = BTreeSet::new();
        for name in names() {
            assert!(seen.insert(name), "{name} stands twice");
        }
        assert!(seen.len() > 400);
    }

    #[test]
    fn what_a_family_says_of_a_name_is_not_said_twice() {
        for name in names() {
            let is_translated = translated::ALL.iter().any(|(own, ..)| *own == name);
            assert!(is_translated || matches!(family::class(name), Class::Unknown), "{name}");
        }
    }

    #[test]
    fn parameters_have_switches_that_decide() {
        for (switches, names) in decides::PARAMETERS {
            for switch in *switches {
                assert!(matches!(class(switch), Class::Decides(_) | Class::Translated { .. }), "{names}: {switch}");
            }
        }
    }

    /// Names of the rows of docs/coming-from-nginx.md, by what the row is about.
    fn documented() -> Vec<(String, BTreeSet<String>)> {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/coming-from-nginx.md"));
        let text = text.expect("the page");
        let section = text.split("## Not carried over").nth(1).and_then(|rest| rest.split("\n## ").next());
        let rows = section.expect("the section").lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
        let names = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        rows.map(|(what, text)| (what.to_owned(), names(text)))
            .filter(|(_, names)| !BTreeSet::is_empty(names))
            .collect()
    }

    #[test]
    fn the_documents_list_what_the_table_has() {
        let set = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<BTreeSet<String>>();
        let words = |text: &'static str| text.split_whitespace().collect::<Vec<&str>>();
        let mut expected: Vec<(&str, BTreeSet<String>)> =
            nothing::ALL.iter().map(|(why, names)| (*why, set(words(names)))).collect();
        let parameters = decides::PARAMETERS.iter().flat_map(|(of, names)| of.iter().copied().chain(words(names)));
        expected.extend([
            ("on its own", set(decides::ALL.iter().map(|(name, _)| *name).collect())),
            ("with another one", set(parameters.collect())),
            ("where its variable is used", set(words(decides::VARIABLES))),
            ("as a part of a cache", set(words(family::CACHE))),
            ("buffers, times, files, versions", set(words(family::NOTHING))),
            ("behind `proxy_`", set(family::ALL.iter().map(|(name, _)| *name).collect())),
        ]);
        let documented = documented();
        assert_eq!(documented.len(), expected.len(), "{documented:?}");
        for (what, names) in expected {
            let row = documented.iter().find(|(own, _)| own.starts_with(what));
            assert_eq!(row.map(|(_, own)| own), Some(&names), "{what}");
        }
    }
}
