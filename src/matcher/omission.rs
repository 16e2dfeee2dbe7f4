//! Lines of a request that no rule sees, and that must not be sent on for that reason.
//!
//! What a rule reads is what the upstream sees: a line that an upstream may take for another one than the rules did is
//! left out before the rules are asked.

use super::decision::Decision;
use super::lines::CONNECTION;
use super::run::{Halt, Run};
use crate::artifact::Tables;
use crate::artifact::format::{Service, plans, service_flag};
use rulec_contract::Refusal;
use rulec_contract::field_name::{is_plain, is_plain_but_for_underscores, is_protected, is_same, named_by};

/// Fields that the Connection lines of a request may name; clients name one or two.
const CONNECTION_NAMES_MAX: usize = 32;

/// Why a line is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the language has these")]
pub enum Omission {
    /// Its name holds other bytes than letters, digits and `-`, and the service does not know it.
    Name,
    /// A Connection names it.
    Connection,
}

/// A line that is not to be sent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Omitted {
    /// Its index among the lines of the request.
    pub line: usize,
    /// Why.
    pub why: Omission,
}

impl<'d> Decision<'d> {
    /// The lines of the request that were not there for any rule, in order. Whoever carries the decision out leaves
    /// them out of what is sent on, before the edits.
    ///
    /// For most requests there are none. Costs a look at each byte of the names. Trailers have no part in a decision: of
    /// those only such as have a name of letters, digits and `-` may be sent on.
    pub fn omitted(&self) -> impl Iterator<Item = Omitted> + use<'d> {
        let tables = self.edits.tables;
        let kept = self.service.map(|service| Kept { tables, service: tables.services().row(service) });
        let connection = self.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"connection"));
        let named = Named::by(connection.map(|(_, value)| *value));
        self.headers.iter().enumerate().filter_map(move |(line, (name, _))| {
            let why = omission(kept.as_ref(), &named, name)?;
            Some(Omitted { line, why })
        })
    }
}

impl<'d> Run<'d, '_> {
    /// Whether the service keeps names that are not plain.
    pub(super) fn keeps_names(&self) -> bool {
        self.service.flags & service_flag::UNDERSCORES != 0 || self.service.kept_names_count > 0
    }

    /// Looks again at a head that has a Connection, or that may have names which the service keeps: now it is known which.
    #[cold]
    pub(super) fn look_again(&mut self) -> Result<(), Halt> {
        let (headers, named) = (self.request.headers, Named::by(self.lines(CONNECTION)));
        if named.are_too_many || named.names().iter().any(|name| is_protected(name) || self.is_credential(name)) {
            return Err(Refusal::ConnectionNamesField.into());
        }
        let names_fields = named.count > 0;
        if names_fields || self.keeps_names() && headers.iter().any(|(name, _)| !is_plain(name)) {
            let kept = self.kept();
            let is_seen = |name: &[u8]| omission(Some(&kept), &named, name).is_none();
            super::lines::note_unusual(self.tables, self.policy, headers, is_seen, self.lines);
        }
        Ok(())
    }

    /// The names that the service keeps.
    pub(super) fn kept(&self) -> Kept<'d> {
        Kept { tables: self.tables, service: self.service }
    }

    /// Whether callers of the service send a credential in the header `name`.
    fn is_credential(&self, name: &[u8]) -> bool {
        let Some(source) = self.tables.plans().optional(self.service.plans) else { return false };
        let first = self.service.plans.saturating_add(1).saturating_add(source.a);
        let rows = self.tables.plans().range(first, source.b);
        let mut headers = rows.filter(|row| row.kind == plans::CREDENTIAL && row.a == 1);
        headers.any(|row| is_same(self.tables.string(row.b), name))
    }
}

/// Which names a service keeps though they are not plain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept<'d> {
    tables: Tables<'d>,
    service: Service,
}

impl Kept<'_> {
    /// Whether `name`, which is not plain, is kept.
    pub(super) fn has(&self, name: &[u8]) -> bool {
        let tables = self.tables;
        let takes_underscores = self.service.flags & service_flag::UNDERSCORES != 0;
        takes_underscores && is_plain_but_for_underscores(name)
            || tables
                .kept_names()
                .range(self.service.kept_names, self.service.kept_names_count)
                .any(|kept| is_same(tables.string(kept.value), name))
    }
}

/// What the Connection lines of a request name.
#[derive(Debug)]
struct Named<'r> {
    names: [&'r [u8]; CONNECTION_NAMES_MAX],
    count: usize,
    are_too_many: bool,
}

impl<'r> Named<'r> {
    /// Of the lines with these values.
    fn by(connection: impl Iterator<Item = &'r [u8]>) -> Self {
        let mut named = Self { names: [&[]; CONNECTION_NAMES_MAX], count: 0, are_too_many: false };
        for name in connection.flat_map(named_by) {
            let Some(place) = named.names.get_mut(named.count) else {
                named.are_too_many = true;
                break;
            };
            *place = name;
            named.count += 1;
        }
        named
    }

    fn names(&self) -> &[&'r [u8]] {
        self.names.get(..self.count).unwrap_or(&[])
    }
}

/// Why lines of `name` are left out, if they are, by a service that keeps `kept`.
fn omission(kept: Option<&Kept<'_>>, named: &Named<'_>, name: &[u8]) -> Option<Omission> {
    if !is_plain(name) && !kept.is_some_and(|kept| kept.has(name)) {
        return Some(Omission::Name);
    }
    named.names().iter().any(|own| is_same(own, name)).then_some(Omission::Connection)
}
