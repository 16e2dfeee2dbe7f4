//! A decision that outlives the scratch it was made in.

use bytes::Bytes;

use super::fault::Fault;
use crate::matcher::{BodyAction, Decision, EditAction, Outcome, Side};

/// What is to be done with a request.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) service: Option<u32>,
    pub(super) location: Option<u32>,
    pub(super) action: Action,
    pub(super) edits: Vec<Edit>,
    pub(super) meters: Vec<u32>,
}

/// An outcome, owned.
#[derive(Debug)]
pub(super) enum Action {
    NeedsPlan { plans: u32, credential: Option<Vec<u8>> },
    Proxy { upstream: u32, target: Vec<u8>, body: BodyAction, octets_max: Option<u64> },
    Respond { status: u16, body: Bytes, content_type: Option<Vec<u8>> },
    Redirect { status: u16, location: Vec<u8> },
    Refuse { fault: Fault, allow: Vec<u8> },
    Close,
}

/// A header edit, owned.
#[derive(Debug)]
pub(super) struct Edit {
    pub(super) side: Side,
    pub(super) on_success: bool,
    pub(super) action: EditAction,
    pub(super) name: Vec<u8>,
    pub(super) value: Vec<u8>,
}

impl Edit {
    /// Whether it is about lines of `name`.
    pub(super) fn names(&self, name: &[u8]) -> bool {
        match self.name.strip_suffix(b"*") {
            Some(front) if self.action == EditAction::Drop => {
                name.get(..front.len()).is_some_and(|have| have.eq_ignore_ascii_case(front))
            }
            _ => self.name.eq_ignore_ascii_case(name),
        }
    }
}

impl From<Decision<'_>> for Verdict {
    fn from(decision: Decision<'_>) -> Self {
        let edits = decision.edits().map(|edit| Edit {
            side: edit.side,
            on_success: edit.on_success,
            action: edit.action,
            name: edit.name.to_vec(),
            value: edit.value.to_vec(),
        });
        Self {
            service: decision.service,
            location: decision.location,
            action: decision.outcome.into(),
            edits: edits.collect(),
            meters: decision.meters().to_vec(),
        }
    }
}

impl From<Outcome<'_>> for Action {
    fn from(outcome: Outcome<'_>) -> Self {
        match outcome {
            Outcome::NeedsPlan { plans, credential } => {
                Self::NeedsPlan { plans, credential: credential.map(<[u8]>::to_vec) }
            }
            Outcome::Proxy(forward) => Self::Proxy {
                upstream: forward.upstream,
                target: forward.target.to_vec(),
                body: forward.body,
                octets_max: forward.body_octets_max,
            },
            Outcome::Respond { status, body, content_type } => Self::Respond {
                status,
                body: Bytes::copy_from_slice(body),
                content_type: content_type.map(<[u8]>::to_vec),
            },
            Outcome::Redirect { status, location } => Self::Redirect { status, location: location.to_vec() },
            Outcome::Refuse { status, refusal, allow } => {
                Self::Refuse { fault: Fault::Refused { refusal, status }, allow: allow.to_vec() }
            }
            Outcome::Close => Self::Close,
        }
    }
}
