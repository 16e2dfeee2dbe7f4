//! From the operation that answers to what the host is told.

use super::decide::Place;
use super::decision::{BodyAction, Decision, Edits, Forward, Outcome};
use super::method::{ALLOW_ALL, forwards_body, is_allowed};
use super::request::{Body, Header};
use super::run::{Halt, Run};
use super::scratch::{Slice, Text, Work};
use super::settings::Made;
use crate::artifact::Tables;
use crate::artifact::format::{NONE, Operation, body_action, operation};
use rulec_contract::Refusal;

/// Octets of a body that is forwarded where the rules say nothing; nginx's `client_max_body_size`.
const BODY_OCTETS_MAX: u64 = 1024 * 1024;

/// The Content-Type of a text where the rules say none that can be sent. Without one, browsers guess.
const PLAIN_TEXT: Text<'static> = Text::Given(b"text/plain; charset=utf-8");

/// An outcome whose bytes may stand in the scratch.
#[derive(Clone, Copy, Debug)]
pub(super) enum Draft<'d> {
    NeedsPlan { plans: u32, credential: Option<&'d [u8]> },
    NeedsFact { fact: u32 },
    Proxy { forward: ForwardDraft<'d>, status: Option<u16> },
    Respond { status: u16, body: Slice, content_type: Option<Text<'d>> },
    Redirect { status: u16, location: Slice },
    Refuse { status: u16, refusal: Refusal, allow: &'d [u8] },
    Close,
}

/// What is sent to an upstream.
#[derive(Clone, Copy, Debug)]
pub(super) struct ForwardDraft<'d> {
    upstream: u32,
    method: Option<&'static [u8]>,
    target: Text<'d>,
    body: BodyAction,
    body_octets_max: Option<u64>,
    key: Option<Slice>,
}

/// What a leg of a request comes to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Given<'d> {
    /// An answer; the status of an error page replaces its own.
    Answer(Draft<'d>),
    /// One that an error page may stand in for; its status is its own.
    Special(Draft<'d>),
    /// The request goes on as the operation says.
    Goto(Operation),
}

impl<'d> Draft<'d> {
    fn refuse(refusal: Refusal) -> Self {
        let allow = if refusal == Refusal::MethodUnsupported { ALLOW_ALL } else { &[] };
        Self::Refuse { status: refusal.status(), refusal, allow }
    }

    /// The status of the answer, where it is known; 0 where none is sent.
    pub(super) fn own_status(&self) -> Option<u16> {
        match self {
            Self::Respond { status, .. } | Self::Redirect { status, .. } | Self::Refuse { status, .. } => Some(*status),
            Self::Close => Some(0),
            Self::Proxy { status, .. } => *status,
            Self::NeedsPlan { .. } | Self::NeedsFact { .. } => None,
        }
    }

    /// The same with `status` over that of the answer, where one is said.
    pub(super) fn with_status(self, status: Option<u16>) -> Self {
        match self {
            Self::Proxy { forward, .. } => Self::Proxy { forward, status },
            Self::Respond { status: own, body, content_type } => {
                Self::Respond { status: status.unwrap_or(own), body, content_type }
            }
            other => other,
        }
    }

    /// The decision, now that nothing is put into `scratch` any more.
    pub(super) fn finish(
        self,
        (tables, headers): (Tables<'d>, &'d [Header<'d>]),
        scratch: &'d Work,
        place: &Place<'d>,
        made: Made,
    ) -> Decision<'d> {
        let bytes: &'d [u8] = &scratch.bytes;
        let outcome = match self {
            Self::NeedsPlan { plans, credential } => Outcome::NeedsPlan { plans, credential },
            Self::NeedsFact { fact } => Outcome::NeedsFact { fact },
            Self::Proxy { forward: ForwardDraft { upstream, method, target, body, body_octets_max, key }, status } => {
                let (target, key) = (target.of(bytes), key.map(|key| key.of(bytes)));
                Outcome::Proxy(Forward { upstream, method, target, body, body_octets_max, status, key })
            }
            Self::Respond { status, body, content_type } => Outcome::Respond {
                status,
                body: body.of(bytes),
                content_type: content_type.map(|content_type| content_type.of(bytes)),
            },
            Self::Redirect { status, location } => Outcome::Redirect { status, location: location.of(bytes) },
            Self::Refuse { status, refusal, allow } => Outcome::Refuse { status, refusal, allow },
            Self::Close => Outcome::Close,
        };
        let rows = scratch.edits.get(..made.edits).unwrap_or(&[]);
        Decision {
            service: place.service,
            location: place.location,
            uri: place.uri.map(|uri| uri.of(bytes)),
            args: place.args.of(bytes),
            outcome,
            edits: Edits { rows, made: bytes, tables },
            redirect_origin: made.redirect_origin.of(bytes),
            meters: scratch.meters.get(..made.meters).unwrap_or(&[]),
            headers,
        }
    }
}

impl<'d> Run<'d, '_> {
    /// What a walk that was halted comes to.
    pub(super) fn halted(&mut self, halt: Halt) -> Draft<'d> {
        match halt {
            Halt::Refused(refusal) => Draft::refuse(refusal),
            Halt::NeedsFact(fact) => Draft::NeedsFact { fact },
            Halt::Fault(status) => Draft::Refuse { status, refusal: Refusal::UpstreamFailed, allow: &[] },
            Halt::Caller(refusal, status) => Draft::Refuse { status, refusal, allow: &[] },
            Halt::NeedsPlan => {
                let source = self.tables.plans().row(self.service.plans);
                let credential = self.credential().unwrap_or(None);
                Draft::NeedsPlan { plans: source.d >> 16, credential }
            }
        }
    }

    /// `draft` with the settings that belong to it.
    pub(super) fn settled(&mut self, draft: Draft<'d>) -> (Draft<'d>, Made) {
        if matches!(draft, Draft::NeedsPlan { .. } | Draft::NeedsFact { .. }) {
            return (draft, Made::default());
        }
        let proxied = matches!(draft, Draft::Proxy { .. });
        if let Ok(made) = self.make_settings(proxied, draft.own_status()) {
            (draft, made)
        } else {
            (Draft::refuse(Refusal::RewriteTooLong), Made::default())
        }
    }

    /// The answer of a location: for its methods only.
    pub(super) fn own_answer(&mut self, operation: Operation) -> Result<Given<'d>, Halt> {
        match self.not_allowed() {
            Some(refused) => Ok(Given::Special(refused)),
            None => self.answer(operation),
        }
    }

    /// A redirecting rewrite of a location: for its methods only.
    pub(super) fn own_redirect(&mut self, status: u16, location: Slice) -> Result<Given<'d>, Halt> {
        match self.not_allowed() {
            Some(refused) => Ok(Given::Special(refused)),
            None => self.redirect(status, location).map(Given::Special),
        }
    }

    fn not_allowed(&self) -> Option<Draft<'d>> {
        let allow = self.tables.string(self.setting(self.settings.last.methods)?.a);
        let refusal = Refusal::MethodNotAllowed;
        let refused = Draft::Refuse { status: refusal.status(), refusal, allow };
        (!is_allowed(allow, self.method)).then_some(refused)
    }

    /// The answer that `operation` gives.
    pub(super) fn answer(&mut self, operation: Operation) -> Result<Given<'d>, Halt> {
        let status = u16::try_from(operation.a).unwrap_or(500);
        match operation.kind {
            operation::RESPOND => {
                let draft = self.respond(status, operation)?;
                let text = self.tables.templates().optional(operation.b);
                let is_special = status >= 400 && text.is_none_or(|text| text.parts_count == 0);
                Ok(if is_special { Given::Special(draft) } else { Given::Answer(draft) })
            }
            operation::REDIRECT => {
                let location = self.fill_location(operation.b)?;
                self.redirect(status, location).map(Given::Special)
            }
            operation::GOTO => Ok(Given::Goto(operation)),
            operation::PROXY => {
                let draft = self.proxy(operation)?;
                match self.journey.fault.take() {
                    None => Ok(Given::Answer(draft)),
                    Some(status) => Err(Halt::Fault(status)),
                }
            }
            _ => Ok(Given::Answer(Draft::Close)),
        }
    }

    fn respond(&mut self, status: u16, operation: Operation) -> Result<Draft<'d>, Halt> {
        if operation.b == NONE {
            return Ok(Draft::Respond { status, body: Slice::EMPTY, content_type: None });
        }
        let body = self.fill(operation.b)?;
        let content_type = match self.setting(self.settings.last.content_type) {
            Some(said) => self.fill_value(said.a)?.map_or(PLAIN_TEXT, Text::Made),
            None => PLAIN_TEXT,
        };
        Ok(Draft::Respond { status, body, content_type: Some(content_type) })
    }

    fn proxy(&mut self, operation: Operation) -> Result<Draft<'d>, Halt> {
        let (body, body_octets_max) = self.body()?;
        let target = self.forward_target(operation)?;
        let key = match self.tables.balance_keys().row(operation.a).value {
            NONE => None,
            key => Some(self.fill(key)?),
        };
        let method = self.journey.method;
        let forward = ForwardDraft { upstream: operation.a, method, target, body, body_octets_max, key };
        Ok(Draft::Proxy { forward, status: None })
    }

    /// What becomes of the body.
    fn body(&self) -> Result<(BodyAction, Option<u64>), Halt> {
        let (action, octets_max) = match self.setting(self.settings.last.body) {
            Some(said) => (said.a, (said.d == 1).then_some(u64::from(said.b) | u64::from(said.c) << 32)),
            // A body that was sent with another method is nothing that the page wants.
            None if self.journey.method.is_some() => (body_action::STRIP, None),
            None if forwards_body(self.method) => (body_action::FORWARD, Some(BODY_OCTETS_MAX)),
            None => (body_action::REJECT, None),
        };
        let octets = match self.request.body {
            _ if self.journey.body_dropped => return Ok((BodyAction::None, octets_max)),
            Body::None => return Ok((BodyAction::None, octets_max)),
            Body::Octets(octets) => octets,
            Body::Unknown => 0,
        };
        if action == body_action::REJECT {
            return Err(Refusal::BodyNotAllowed.into());
        }
        if octets_max.is_some_and(|octets_max| octets > octets_max) {
            return Err(Refusal::BodyTooLarge.into());
        }
        let action = if action == body_action::STRIP { BodyAction::Strip } else { BodyAction::Forward };
        Ok((action, octets_max))
    }
}
