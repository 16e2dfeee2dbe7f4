//! A decision that outlives the scratch it was made in.

use bytes::Bytes;

use super::fault::Fault;
use crate::contract::field_name::{begins_with, is_same};
use crate::matcher::{BodyAction, Decision, EditAction, Omitted, Outcome, Refusal, Side};

/// What is to be done with a request.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) service: Option<u32>,
    pub(super) location: Option<u32>,
    pub(super) action: Action,
    /// Lines of the request that are not sent on, in order.
    pub(super) omitted: Vec<Omitted>,
    pub(super) edits: Edits,
    pub(super) meters: Vec<u32>,
}

/// The header edits of a decision, owned.
#[derive(Debug, Default)]
pub(super) struct Edits {
    /// In the order in which they apply.
    pub(super) rows: Vec<Edit>,
    /// What stands before a path that a relocation puts into Location.
    pub(super) redirect_origin: Vec<u8>,
}

/// An outcome, owned.
#[derive(Debug)]
pub(super) enum Action {
    NeedsPlan { plans: u32, credential: Option<Vec<u8>> },
    Proxy(Forward),
    Respond { status: u16, body: Bytes, content_type: Option<Vec<u8>> },
    Redirect { status: u16, location: Vec<u8> },
    Refuse { fault: Fault, allow: Vec<u8> },
    Close,
}

/// Where a request goes.
#[derive(Debug)]
pub(super) struct Forward {
    pub(super) upstream: u32,
    /// Another method than the request's.
    pub(super) method: Option<&'static [u8]>,
    pub(super) target: Vec<u8>,
    pub(super) body: BodyAction,
    pub(super) octets_max: Option<u64>,
    /// Goes over the status of the upstream's answer.
    pub(super) status: Option<u16>,
    /// Its hash picks the server.
    pub(super) key: Option<Vec<u8>>,
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
                if self.side == Side::Request {
                    return begins_with(name, front);
                }
                name.get(..front.len()).is_some_and(|have| have.eq_ignore_ascii_case(front))
            }
            _ if self.side == Side::Request => is_same(name, &self.name),
            _ => self.name.eq_ignore_ascii_case(name),
        }
    }
}

impl From<Decision<'_>> for Verdict {
    fn from(decision: Decision<'_>) -> Self {
        let rows = decision.edits().map(|edit| Edit {
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
            omitted: decision.omitted().collect(),
            edits: Edits { rows: rows.collect(), redirect_origin: decision.redirect_origin().to_vec() },
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
            // A policy is served with all of its facts.
            Outcome::NeedsFact { .. } => Self::Refuse { fault: Refusal::FactUnknown.into(), allow: Vec::new() },
            Outcome::Proxy(forward) => Self::Proxy(Forward {
                upstream: forward.upstream,
                method: forward.method,
                target: forward.target.to_vec(),
                body: forward.body,
                octets_max: forward.body_octets_max,
                status: forward.status,
                key: forward.key.map(<[u8]>::to_vec),
            }),
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
