//! Variables as fields of a request, and what guards can ask of them.

use super::predicate::Predicate;
use super::regex;
use super::rules::quoted;
use core::net::IpAddr;
use std::collections::BTreeSet;

/// What the value of a variable is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// This text.
    Text(String),
    /// A header, a query argument or a cookie: `header X-Plan`. Absent, it is the empty text.
    Named(String),
    /// A field that is always there: `host`, `target`, `args`, `path`, or a map, `$backend`.
    Plain(String),
    /// The method.
    Method,
    /// `http` or `https`.
    Scheme,
    /// `on` or nothing.
    Https,
    /// The client's address.
    Client,
}

/// Why a guard cannot ask so.
type Why = String;

impl Field {
    /// Whether it is `value`.
    pub(super) fn equals(&self, value: &str, caseless: bool) -> Predicate {
        let same = |own: &str| if caseless { own.eq_ignore_ascii_case(value) } else { own == value };
        let is = |field: &str| {
            if caseless && value.bytes().any(|byte| byte.is_ascii_alphabetic()) {
                Predicate::atom(format!("{field} ~* {}", quoted(&regex::exactly(value))))
            } else {
                Predicate::atom(format!("{field} = {}", quoted(value)))
            }
        };
        match self {
            Self::Text(own) => constant(same(own)),
            Self::Named(field) if value.is_empty() => Predicate::atom(format!("{field} present")).not().or(is(field)),
            Self::Plain(field) if field == "host" && value.is_empty() => Predicate::False,
            Self::Named(field) | Self::Plain(field) => is(field),
            Self::Method => {
                let value = if caseless { value.to_ascii_uppercase() } else { value.to_owned() };
                methods(&[value].into())
            }
            Self::Scheme => schemes(same("http"), same("https")),
            Self::Https => schemes(value.is_empty(), same("on")),
            Self::Client => value
                .parse::<IpAddr>()
                .map_or(Predicate::False, |address| Predicate::atom(format!("client in {address}"))),
        }
    }

    /// Whether `source` matches in it.
    pub(super) fn matches(&self, source: &str, caseless: bool) -> Result<Predicate, Why> {
        let known = |text: &str| {
            regex::matches(source, caseless, text).ok_or("what this regex matches is not known here".to_owned())
        };
        let operator = if caseless { "~*" } else { "~" };
        let atom = |field: &str| Predicate::atom(format!("{field} {operator} {}", quoted(source)));
        Ok(match self {
            Self::Text(own) => constant(known(own)?),
            Self::Named(field) => {
                let takes_nothing = regex::matches(source, caseless, "").unwrap_or(false);
                let absent = Predicate::atom(format!("{field} present")).not();
                if takes_nothing { absent.or(atom(field)) } else { atom(field) }
            }
            Self::Plain(field) => atom(field),
            Self::Scheme => schemes(known("http")?, known("https")?),
            Self::Https => schemes(known("")?, known("on")?),
            Self::Method => {
                let mut found = BTreeSet::new();
                for method in METHODS {
                    if known(method)? {
                        found.insert((*method).to_owned());
                    }
                }
                if known("X-UNKNOWN")? {
                    let others: BTreeSet<String> =
                        METHODS.iter().map(|method| (*method).to_owned()).filter(|own| !found.contains(own)).collect();
                    methods(&others).not()
                } else {
                    methods(&found)
                }
            }
            Self::Client => return Err("guards ask for networks of clients, not for the text of an address".to_owned()),
        })
    }

    /// Whether it is neither empty nor `0`.
    pub(super) fn is_true(&self) -> Predicate {
        match self {
            Self::Text(own) => constant(!own.is_empty() && own != "0"),
            Self::Named(field) => {
                Predicate::atom(format!("{field} present")).and(Predicate::atom(format!("{field} in \"\" \"0\"")).not())
            }
            Self::Plain(field) if field == "args" || field.starts_with('$') => {
                Predicate::atom(format!("{field} in \"\" \"0\"")).not()
            }
            Self::Https => schemes(false, true),
            _ => Predicate::True,
        }
    }

    /// How `match` names it; None where it cannot.
    pub(super) fn for_match(&self) -> Option<&str> {
        match self {
            Self::Named(field) => Some(field),
            Self::Plain(field) if !field.starts_with('$') => Some(field),
            Self::Method => Some("method"),
            _ => None,
        }
    }
}

/// Methods that are told apart when a regex asks for one; all others count as `X-UNKNOWN`.
const METHODS: &[&str] = &[
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "OPTIONS",
    "PATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "PROPFIND",
    "PROPPATCH",
    "LOCK",
    "UNLOCK",
    "TRACE",
    "CONNECT",
    "PURGE",
    "REPORT",
    "SEARCH",
    "TRACK",
];

/// The request has one of `names`; nginx's GET is without HEAD.
pub(super) fn methods(names: &BTreeSet<String>) -> Predicate {
    let of_method = |byte: u8| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'-');
    let valid: Vec<&str> =
        names.iter().map(String::as_str).filter(|name| !name.is_empty() && name.bytes().all(of_method)).collect();
    if valid.is_empty() {
        return Predicate::False;
    }
    let has_get = valid.contains(&"GET");
    let has_head = valid.contains(&"HEAD");
    let said: Vec<&str> = valid.iter().copied().filter(|method| !(has_get && *method == "HEAD")).collect();
    let one_of = Predicate::atom(format!("method {}", said.join(" ")));
    if has_get && !has_head { one_of.and(Predicate::atom("method HEAD").not()) } else { one_of }
}

fn schemes(http: bool, https: bool) -> Predicate {
    match (http, https) {
        (true, true) => Predicate::True,
        (true, false) => Predicate::atom("scheme http"),
        (false, true) => Predicate::atom("scheme https"),
        (false, false) => Predicate::False,
    }
}

fn constant(holds: bool) -> Predicate {
    if holds { Predicate::True } else { Predicate::False }
}
