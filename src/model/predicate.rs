//! Conditions on a request.

use super::{FactId, MapId, Pattern, PlanId};

/// A condition on the request as it came.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "definition and compiler have to consider every one")]
pub enum Predicate {
    /// All hold.
    And(Vec<Self>),
    /// One holds.
    Or(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// The field satisfies the operator; an absent header, argument or cookie satisfies none.
    Field(Field, Operator),
    /// The text of the map, for the request as it came, satisfies the operator. It is never absent: what a value reads
    /// that is not there is empty, as in every text. Invariant: the map's values are of the kinds that
    /// [`MapValue::field`](super::MapValue) tells, or begin with a text that decides; a map's cases ask maps above it.
    Map(MapId, Operator),
    /// The fact has one of these values (indices, sorted).
    Fact(FactId, Vec<u16>),
    /// The caller has one of these plans (`plan any`: all of them).
    Plan(Vec<PlanId>),
}

impl Predicate {
    /// Whether it asks for what the request does not say: who calls, or a fact.
    pub fn asks_opaque(&self) -> bool {
        match self {
            Self::And(all) | Self::Or(all) => all.iter().any(Self::asks_opaque),
            Self::Not(inner) => inner.asks_opaque(),
            Self::Field(..) | Self::Map(..) => false,
            Self::Fact(..) | Self::Plan(_) => true,
        }
    }

    /// Calls `visit` with all of it that is no `and`, `or`, `not`.
    pub fn questions<'p>(&'p self, visit: &mut impl FnMut(&'p Self)) {
        match self {
            Self::And(all) | Self::Or(all) => all.iter().for_each(|one| one.questions(visit)),
            Self::Not(inner) => inner.questions(visit),
            Self::Field(..) | Self::Map(..) | Self::Fact(..) | Self::Plan(_) => visit(self),
        }
    }

    /// The field and the pattern, where it is one regex on one field and nothing else but, perhaps, `or not FIELD present`.
    pub fn one_regex(&self) -> Option<(&Field, &Pattern)> {
        match self {
            Self::Field(field, Operator::Regex(pattern)) => Some((field, pattern)),
            Self::Or(any) => match any.as_slice() {
                [regex, Self::Not(absent)] => {
                    let (field, pattern) = regex.one_regex()?;
                    let is_absence = matches!(absent.as_ref(), Self::Field(own, Operator::Present) if own == field);
                    is_absence.then_some((field, pattern))
                }
                _ => None,
            },
            _ => None,
        }
    }
}

/// What a predicate looks at. Every field is one string of bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "definition and compiler have to consider every one")]
pub enum Field {
    /// As sent. `method GET` has come as `in "GET" "HEAD"`.
    Method,
    /// `http` or `https`.
    Scheme,
    /// Lower case, without port and final dot. Literals compared with it are lower case.
    Host,
    /// Normalised, as the request came.
    Path,
    /// The query as it came, without `?`; empty where there is none.
    Args,
    /// The target as it came, in origin-form.
    Target,
    /// Name of the listener; absent where the request does not say.
    Listener,
    /// Whether there is a body: present or absent (an empty string if present).
    Body,
    /// The client's address; only [`Operator::Within`] asks for it.
    Client,
    /// All lines joined by `, ` (Cookie by `; `). The name is in lower case.
    Header(String),
    /// The first argument of this name (in lower case), undecoded; one without `=` is empty.
    Query(String),
    /// `$arg_NAME` (in lower case): the first argument of this name that has a `=`, undecoded. Only values of maps read
    /// it.
    Argument(String),
    /// The first cookie of this name (in lower case), undecoded.
    Cookie(String),
}

/// What is asked of a field.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "definition and compiler have to consider every one")]
pub enum Operator {
    /// It is one of these.
    In(Vec<Vec<u8>>),
    /// It begins so.
    Prefix(Vec<u8>),
    /// The regex matches somewhere in it.
    Regex(Pattern),
    /// One member of the comma-separated list, blanks around it cut, is this.
    Has(Vec<u8>),
    /// It is there. (The text of a map always is.)
    Present,
    /// The address is in one of these networks.
    Within(Vec<Network>),
}

/// `10.0.0.0/8`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Network {
    /// Any address of it; an IPv4-mapped IPv6 address counts as IPv4.
    pub address: core::net::IpAddr,
    /// Bits that count.
    pub prefix_bits: u8,
}

impl Network {
    /// The network of the first `prefix_bits` of `address`.
    pub fn new(address: core::net::IpAddr, prefix_bits: u8) -> Self {
        Self { address, prefix_bits }
    }
}
