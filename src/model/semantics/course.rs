//! The course of a request: as many legs as `goto` and `error_page` send it on within the gateway.
//!
//! nginx: `ngx_http_internal_redirect`, `ngx_http_named_location`, `ngx_http_special_response_handler`.

use super::Lookup;
use super::answer::Given;
use super::choice::{Found, Search};
use super::walk::{End, Halt, Reached, Walk, chain};
use crate::contract::Refusal;
use crate::model::{
    Destination, ErrorPage, LocationId, PageStatus, Setting, SlashRedirect, Statement, StatementKind, Verdict,
    VerdictKind,
};

/// How often rewrites, `goto` and `error_page` may send a request on; once more is refused, as in nginx.
const HOPS_MAX: usize = 10;

/// Where a leg begins.
#[derive(Clone, Copy)]
enum Leg {
    /// With the statements of the service, and a lookup.
    Service,
    /// In a named location.
    Named(LocationId),
}

impl<'p> Walk<'p> {
    /// Runs to the verdict.
    pub(super) fn decide(&mut self) -> Verdict {
        let end = self.travel(Leg::Service);
        self.verdict(end)
    }

    fn travel(&mut self, leg: Leg) -> Result<Verdict, Halt> {
        let mut given = self.leg(leg).and_then(|reached| self.answer(&reached));
        if let Ok(Given::Goto(to)) = given {
            match self.goto(to) {
                Ok(next) => return self.travel(next),
                Err(halt) => given = Err(halt),
            }
        }
        let status = match &given {
            Ok(Given::Special(verdict)) => verdict.status,
            // A page has no room either.
            Err(Halt::Refused(Refusal::RewriteTooLong, _)) => None,
            Err(Halt::Refused(_, status)) => Some(*status),
            _ => None,
        };
        if let Some(page) = status.and_then(|status| self.error_page(status)) {
            if matches!(given, Err(Halt::Refused(Refusal::BodyTooLarge, _))) {
                self.body = 0;
            }
            return self.follow(page);
        }
        match given? {
            Given::Answer(verdict) => Ok(self.with_status(verdict)),
            Given::Special(verdict) => Ok(verdict),
            Given::Goto(_) => Err(Refusal::RewriteLoop.into()),
        }
    }

    /// One leg, to an answer.
    fn leg(&mut self, leg: Leg) -> Result<Reached<'p>, Halt> {
        self.match_path.clone_from(&self.path);
        match leg {
            Leg::Service => {
                self.location = None;
                self.settings.clear();
                let end = self.walk(&self.arrival.service.statements);
                self.of_service.clone_from(&self.settings);
                let end = end?;
                self.match_path.clone_from(&self.path);
                match end {
                    End::Answer(answer) => return Ok(Reached::Answer { answer, is_own: false }),
                    End::Redirect(status, location) => {
                        return Ok(Reached::Redirect { status, location, is_own: false });
                    }
                    End::Lookup | End::Nothing => {}
                }
            }
            Leg::Named(id) => {
                self.settings.clone_from(&self.of_service);
                self.location = Some(id);
                let path = self.match_path.clone();
                self.lookups.push(Lookup { path, location: Some(id), is_redirect: false, is_named: true });
                if let Some(reached) = self.own(id)? {
                    return Ok(reached);
                }
            }
        }
        loop {
            self.settings.clone_from(&self.of_service);
            let found = self.find().ok_or(Refusal::NoLocation)?;
            self.refuse_from_outside(found.id())?;
            if let Found::Redirect(id) = found {
                self.settings_of(id)?;
                return Ok(Reached::AddSlash);
            }
            if let Some(reached) = self.own(found.id())? {
                return Ok(reached);
            }
        }
    }

    /// What a location gives; None where it asks for a new lookup.
    fn own(&mut self, id: LocationId) -> Result<Option<Reached<'p>>, Halt> {
        match self.location_statements(id)? {
            End::Answer(answer) => Ok(Some(Reached::Answer { answer, is_own: true })),
            End::Redirect(status, location) => Ok(Some(Reached::Redirect { status, location, is_own: true })),
            End::Nothing => Err(Refusal::NoAnswer.into()),
            End::Lookup => {
                self.hop()?;
                Ok(None)
            }
        }
    }

    /// Looks the path up.
    fn find(&mut self) -> Option<Found> {
        self.match_path.clone_from(&self.path);
        let adds_slash = self.arrival.service.slash_redirect != SlashRedirect::Off;
        let search = Search { policy: self.policy, path: &self.match_path, adds_slash };
        let found = search.find(&self.arrival.service.locations, self.regexes);
        self.location = found.map(Found::id);
        self.lookups.push(Lookup {
            path: self.match_path.clone(),
            location: self.location,
            is_redirect: matches!(found, Some(Found::Redirect(_))),
            is_named: false,
        });
        found
    }

    /// 404, with the settings of the location, where it is for requests from within only.
    fn refuse_from_outside(&mut self, id: LocationId) -> Result<(), Halt> {
        let is_closed = self.policy.locations.get(id.0 as usize).is_some_and(|location| location.is_internal);
        if self.is_internal || !is_closed {
            return Ok(());
        }
        self.settings_of(id)?;
        Err(Refusal::InternalOnly.into())
    }

    /// The settings of a location whose statements do not run, but those that ask what the request does not say.
    fn settings_of(&mut self, id: LocationId) -> Result<(), Halt> {
        chain(self.policy, id).into_iter().try_for_each(|location| self.plain_settings(&location.statements))
    }

    fn plain_settings(&mut self, statements: &'p [Statement]) -> Result<(), Halt> {
        for statement in statements.iter().filter(|statement| !statement.asks_opaque()) {
            match &statement.kind {
                StatementKind::When { guard, .. } if !self.holds(guard)? => {}
                StatementKind::When { body, .. } | StatementKind::UnlessBreak(body) => self.plain_settings(body)?,
                StatementKind::Setting(_) => self.set(statement)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// `goto`, and where it leads.
    fn goto(&mut self, to: &Destination) -> Result<Leg, Halt> {
        match to {
            Destination::Named(id) => self.enter(*id),
            Destination::Uri(template) => {
                let uri = self.fill(template);
                self.restart(&uri)
            }
        }
    }

    fn enter(&mut self, id: LocationId) -> Result<Leg, Halt> {
        self.hop()?;
        self.is_internal = true;
        Ok(Leg::Named(id))
    }

    fn restart(&mut self, uri: &[u8]) -> Result<Leg, Halt> {
        self.hop()?;
        let mut parts = uri.splitn(2, |byte| *byte == b'?');
        self.path = parts.next().unwrap_or_default().to_vec();
        self.args = parts.next().unwrap_or_default().to_vec();
        (self.is_internal, self.is_rewritten) = (true, true);
        if self.path.first() != Some(&b'/') {
            return Err(Refusal::RewriteEmpty.into());
        }
        self.bounded()?;
        Ok(Leg::Service)
    }

    fn hop(&mut self) -> Result<(), Halt> {
        self.hops += 1;
        if self.hops > HOPS_MAX { Err(Refusal::RewriteLoop.into()) } else { Ok(()) }
    }

    /// What stands in for an answer of `status`: one page a request, and none where it was sent on too often.
    fn error_page(&mut self, status: u16) -> Option<&'p ErrorPage> {
        if self.has_error_page || self.hops > HOPS_MAX {
            return None;
        }
        let pages = self.settings.iter().rev().filter_map(|setting| match setting {
            Setting::ErrorPage(page) => Some(page),
            _ => None,
        });
        let page = pages.into_iter().find(|page| page.code == status);
        self.has_error_page = page.is_some();
        page
    }

    fn follow(&mut self, page: &'p ErrorPage) -> Result<Verdict, Halt> {
        self.status = match page.status {
            PageStatus::Code => Some(page.code),
            PageStatus::Own => None,
            PageStatus::Said(status) => Some(status),
        };
        let leg = match &page.to {
            Destination::Named(id) => self.enter(*id)?,
            Destination::Uri(template) => {
                let uri = self.fill(template);
                if uri.first() != Some(&b'/') {
                    return Ok(self.redirect(page.redirect_status(), self.location_text(template)));
                }
                if self.method != b"HEAD" {
                    self.method = b"GET".to_vec();
                    // Maps may ask for the method.
                    self.map_texts.take();
                }
                self.restart(&uri)?
            }
        };
        self.travel(leg)
    }

    /// The status of an error page goes over that of its answer.
    fn with_status(&self, verdict: Verdict) -> Verdict {
        let status = match verdict.verdict {
            Some(VerdictKind::Proxy | VerdictKind::Respond) => self.status.or(verdict.status),
            _ => verdict.status,
        };
        Verdict { status, ..verdict }
    }
}
