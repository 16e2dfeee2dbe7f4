//! How a request is decided, from the method to the answer.

use super::ambiguous::is_ambiguous;
use super::answer::Draft;
use super::decision::Decision;
use super::host::{authority, host, lower};
use super::lines;
use super::method::is_valid;
use super::request::Request;
use super::run::{Halt, Run};
use super::scan::first_of;
use super::scratch::{Text, Work};
use super::target::{self, Malformed, Target};
use super::values;
use crate::artifact::Tables;
use crate::artifact::format::{Host, NONE, ValueHash, service_flag};
use rulec_contract::Refusal;

/// Decides `request`; what is made on the way goes into `scratch`.
pub(super) fn decide<'d>(tables: Tables<'d>, request: &Request<'d>, scratch: &'d mut Work) -> Decision<'d> {
    let (place, draft, made) = {
        let mut run = Run::new(tables, request, scratch);
        let mut place = Place::default();
        let draft = match run.outcome(&mut place) {
            Ok(draft) => draft,
            Err(halt) => run.halted(halt),
        };
        let (draft, made) = run.settled(draft);
        place.args = run.args;
        (place, draft, made)
    };
    if tables.lost().is_set() {
        return Decision::lost(tables, request.headers);
    }
    draft.finish((tables, request.headers), scratch, &place, made)
}

/// How far a decision got.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'d> {
    pub(super) service: Option<u32>,
    pub(super) location: Option<u32>,
    pub(super) uri: Option<Text<'d>>,
    pub(super) args: Text<'d>,
}

impl Default for Place<'_> {
    fn default() -> Self {
        Self { service: None, location: None, uri: None, args: Text::EMPTY }
    }
}

impl<'d> Run<'d, '_> {
    fn outcome(&mut self, place: &mut Place<'d>) -> Result<Draft<'d>, Halt> {
        if !is_valid(self.method) {
            return Err(Refusal::MethodInvalid.into());
        }
        let field = self.line(lines::HOST).filter(|_| !self.is_repeated(lines::HOST)).ok_or(Refusal::HostInvalid)?;
        let row = self.host_row();
        let known = self.known_host(row, field);
        // A name that stands in rules is valid, and in lower case.
        let named = if known == NONE { Some(host(field).ok_or(Refusal::HostInvalid)?) } else { None };
        if matches!(self.method, b"CONNECT" | b"TRACE") {
            return Err(Refusal::MethodUnsupported.into());
        }
        let target = target::split(self.request.target);
        let named = match target {
            Some(Target { authority: Some(named), .. }) => Some(authority(named).ok_or(Refusal::TargetInvalid)?),
            _ => named,
        };
        self.host = Text::Given(field);
        let mut rank = known;
        if let Some(named) = named {
            self.host = lower(&mut self.arena, named)?;
            let search = self.tables.searches().row(row.search);
            rank = first_of(self.tables, search, self.host.of(self.arena.bytes));
        }
        let service = self.choose_service(row, rank)?;
        place.service = Some(service);
        if self.is_there(lines::CONNECTION) || self.keeps_names() {
            self.look_again()?;
        }
        self.read_target(target.ok_or(Refusal::TargetInvalid)?)?;
        self.course(place)
    }

    /// The rank of the name that `field` is, if it is one of those that are told without the search.
    fn known_host(&self, row: Host, field: &[u8]) -> u32 {
        let is_field = |text: &[u8]| text == field;
        values::find(&self.tables, row.names, row.names_count, ValueHash::of_name(field), is_field).unwrap_or(NONE)
    }

    fn choose_service(&mut self, row: Host, rank: u32) -> Result<u32, Halt> {
        let service = if rank == NONE {
            row.default
        } else {
            if rank >= row.ranks_count {
                return Err(self.lost());
            }
            let name = self.tables.host_ranks().row(row.ranks.saturating_add(rank));
            if name.program != NONE {
                let host = self.arena.hold(self.host)?;
                self.host = Text::Made(host);
                self.capture(name.program, host);
            }
            name.service
        };
        self.service = self.tables.services().optional(service).ok_or(Refusal::Misdirected)?;
        Ok(service)
    }

    /// The services of the listener: row 0 where the request does not say it, row 1 where no rule names it.
    fn host_row(&self) -> Host {
        let rows = self.tables.hosts();
        let index = match self.request.listener {
            None => 0,
            Some(listener) => {
                let mut named = (2..).zip(rows.iter().skip(2));
                named.find(|(_, row)| self.tables.string(row.listener) == listener).map_or(1, |(index, _)| index)
            }
        };
        rows.row(index)
    }

    fn read_target(&mut self, target: Target<'d>) -> Result<(), Halt> {
        let merges = self.service.flags & service_flag::MERGE_SLASHES != 0;
        self.raw = Text::Given(target.rest);
        let lacks_slash = target.rest.first() != Some(&b'/');
        if lacks_slash {
            let mark = self.arena.mark();
            self.arena.put_byte(b'/')?;
            self.arena.put(target.rest)?;
            self.raw = Text::Made(self.arena.since(mark));
        }
        let meaning = target::normalise(&mut self.arena, target.rest, merges).map_err(|malformed| match malformed {
            Malformed::Invalid => Halt::Refused(Refusal::TargetInvalid),
            Malformed::Full => Halt::Refused(Refusal::RewriteTooLong),
        })?;
        self.path = meaning.path;
        if lacks_slash {
            let mark = self.arena.mark();
            self.arena.put_byte(b'/')?;
            self.path = Text::Made(self.arena.since(mark));
        }
        self.original_path = self.path;
        self.original_args = meaning.args;
        self.args = Text::Given(meaning.args);
        self.quoted = meaning.quoted;
        self.plus = meaning.plus;
        let strict = self.service.flags & service_flag::STRICT_PATHS != 0;
        if strict && is_ambiguous(target.rest, self.service.flags & service_flag::PATH_PARAMETERS != 0) {
            return Err(Refusal::PathAmbiguous.into());
        }
        Ok(())
    }
}
