//! The course of a request: as many legs as `goto` and `error_page` send it on within the gateway.

use super::answer::{Draft, Given};
use super::decide::Place;
use super::find::{Found, NESTING_MAX, find};
use super::method::GET;
use super::run::{Halt, LastSettings, Run};
use super::scratch::{Slice, Text};
use super::walk::End;
use crate::artifact::format::{Location, NONE, Operation, operation};
use rulec_contract::Refusal;

/// How often a request may be sent on; nginx answers 500 to once more.
const HOPS_MAX: u32 = 10;

/// Where a leg begins.
#[derive(Clone, Copy, Debug)]
enum Leg {
    /// With the operations of the service, and a lookup.
    Service,
    /// In a named location.
    Named(u32),
}

/// Where an error page leads.
enum Paged<'d> {
    Leg(Leg),
    Draft(Draft<'d>),
}

impl<'d> Run<'d, '_> {
    /// Runs to the draft.
    pub(super) fn course(&mut self, place: &mut Place<'d>) -> Result<Draft<'d>, Halt> {
        let mut leg = Leg::Service;
        // Ends: every other leg is a hop.
        loop {
            let mut given = self.leg(leg, place);
            if let Ok(Given::Goto(operation)) = given {
                match self.enter(operation.a, operation.b) {
                    Ok(next) => {
                        leg = next;
                        continue;
                    }
                    Err(halt) => given = Err(halt),
                }
            }
            let Some(page) = self.error_page(&given) else {
                return match given? {
                    Given::Answer(draft) => Ok(draft.with_status(self.journey.status)),
                    Given::Special(draft) => Ok(draft),
                    Given::Goto(_) => Err(Refusal::RewriteLoop.into()),
                };
            };
            if matches!(given, Err(Halt::Refused(Refusal::BodyTooLarge))) {
                self.journey.body_dropped = true;
            }
            match self.follow(page)? {
                Paged::Leg(next) => leg = next,
                Paged::Draft(draft) => return Ok(draft),
            }
        }
    }

    /// One leg, to an answer.
    fn leg(&mut self, leg: Leg, place: &mut Place<'d>) -> Result<Given<'d>, Halt> {
        place.uri = Some(self.path);
        match leg {
            Leg::Service => {
                place.location = None;
                self.settings.last = LastSettings::NONE;
                let end = self.walk(self.service.operations, self.service.operations_count);
                self.of_service = self.settings.last;
                let end = end?;
                place.uri = Some(self.path);
                match end {
                    End::Answer(operation) => return self.answer(operation),
                    End::Redirect { status, location } => return self.redirect(status, location).map(Given::Special),
                    End::Lookup | End::Nothing => {}
                }
            }
            Leg::Named(location) => {
                self.settings.last = self.of_service;
                place.location = Some(location);
                let row = self.tables.locations().row(location);
                if let Some(given) = self.own(row)? {
                    return Ok(given);
                }
            }
        }
        loop {
            self.settings.last = self.of_service;
            if let Some(given) = self.lookup(place)? {
                return Ok(given);
            }
        }
    }

    /// Looks the path up and runs the location; None where it asks for a new lookup.
    fn lookup(&mut self, place: &mut Place<'d>) -> Result<Option<Given<'d>>, Halt> {
        place.uri = Some(self.path);
        place.location = None;
        let found = find(self.tables, self.service.lookup, self.path.of(self.arena.bytes));
        let (Found::Location(location) | Found::Redirect(location)) = found else {
            return Err(Refusal::NoLocation.into());
        };
        place.location = Some(location);
        let row = self.tables.locations().row(location);
        if row.internal == 1 && !self.journey.internal {
            self.walk(row.settings, row.settings_count)?;
            return Err(Refusal::InternalOnly.into());
        }
        if let Found::Redirect(_) = found {
            self.walk(row.settings, row.settings_count)?;
            return self.slash_redirect().map(|draft| Some(Given::Special(draft)));
        }
        self.capture_groups(row, 0)?;
        self.own(row)
    }

    /// Takes the groups of a location's regex, after those of the regexes that it is nested in.
    fn capture_groups(&mut self, location: Location, depth: usize) -> Result<(), Halt> {
        if let Some(enclosing) = self.tables.locations().optional(location.enclosing).filter(|_| depth < NESTING_MAX) {
            self.capture_groups(enclosing, depth + 1)?;
        }
        if location.is_regex == 1 {
            self.capture_path(location.program)?;
        }
        Ok(())
    }

    /// What a location gives; None where it asks for a new lookup.
    fn own(&mut self, row: Location) -> Result<Option<Given<'d>>, Halt> {
        match self.walk(row.operations, row.operations_count)? {
            End::Answer(operation) => self.own_answer(operation).map(Some),
            End::Redirect { status, location } => self.own_redirect(status, location).map(Some),
            End::Nothing => Err(Refusal::NoAnswer.into()),
            End::Lookup => self.hop().map(|()| None),
        }
    }

    /// The leg that begins in the named `location`, or with the path of the template `uri` where there is none.
    fn enter(&mut self, location: u32, uri: u32) -> Result<Leg, Halt> {
        if location == NONE {
            let uri = self.fill(uri)?;
            return self.restart(uri);
        }
        self.hop()?;
        self.journey.internal = true;
        Ok(Leg::Named(location))
    }

    fn restart(&mut self, uri: Slice) -> Result<Leg, Halt> {
        self.hop()?;
        let bytes = uri.of(self.arena.bytes);
        let path = bytes.iter().position(|byte| *byte == b'?').unwrap_or(bytes.len());
        let whole = bytes.len();
        let has_slash = bytes.first() == Some(&b'/') && path > 0;
        let end = uri.start.saturating_add(u32::try_from(path).unwrap_or(u32::MAX)).min(uri.end);
        self.path = Text::Made(Slice { end, ..uri });
        self.args = Text::Made(uri).part((path + 1).min(whole)..whole);
        self.journey.internal = true;
        self.rewritten = true;
        if has_slash { Ok(Leg::Service) } else { Err(Refusal::RewriteEmpty.into()) }
    }

    fn hop(&mut self) -> Result<(), Halt> {
        self.journey.hops += 1;
        if self.journey.hops > HOPS_MAX { Err(Refusal::RewriteLoop.into()) } else { Ok(()) }
    }

    /// What stands in for `given`: one page a request, and none where it was sent on too often or has no room left.
    fn error_page(&mut self, given: &Result<Given<'d>, Halt>) -> Option<Operation> {
        let status = match given {
            Ok(Given::Special(draft)) => draft.own_status()?,
            Err(Halt::Refused(refusal)) if *refusal != Refusal::RewriteTooLong => refusal.status(),
            Err(Halt::Caller(_, status) | Halt::Fault(status)) => *status,
            Ok(_) | Err(Halt::Refused(_) | Halt::NeedsPlan | Halt::NeedsFact(_)) => return None,
        };
        if self.journey.error_page_found || self.journey.hops > HOPS_MAX {
            return None;
        }
        let reached = (0..self.settings.last.listed).rev().filter_map(|place| self.listed(place));
        let pages = reached.take_while(|setting| setting.kind != operation::FORGET_ERROR_PAGES);
        let page =
            pages.into_iter().find(|setting| setting.kind == operation::ERROR_PAGE && setting.a == u32::from(status));
        self.journey.error_page_found = page.is_some();
        page
    }

    fn follow(&mut self, page: Operation) -> Result<Paged<'d>, Halt> {
        let said = u16::try_from(page.b).ok();
        self.journey.status = match said {
            None => u16::try_from(page.a).ok(),
            Some(0) => None,
            said => said,
        };
        if page.c != NONE {
            return self.enter(page.c, NONE).map(Paged::Leg);
        }
        let uri = self.fill(page.d)?;
        if uri.of(self.arena.bytes).first() != Some(&b'/') {
            let status = said.filter(|status| matches!(status, 301 | 302 | 303 | 307 | 308)).unwrap_or(302);
            let location = self.fill_location(page.d)?;
            return self.redirect(status, location).map(Paged::Draft);
        }
        if !matches!(self.method, b"GET" | b"HEAD") {
            self.method = GET;
            self.journey.method = Some(GET);
            self.forget_method();
        }
        self.restart(uri).map(Paged::Leg)
    }
}
