//! Decides requests from the tables of an artifact alone: no parser, no regex crate, no allocation.
//!
//! *Classify, then decide*: a field is read once by its automaton, guards are looked up in the diagram of the classes,
//! and the operations of one service and one location run top to bottom.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), no_std)]

pub mod artifact;

mod address;
mod ambiguous;
mod answer;
mod automaton;
mod captures;
mod course;
mod decide;
mod decision;
mod escape;
mod field_text;
mod field_value;
mod fields;
mod find;
mod forward;
mod guard;
mod host;
mod lines;
mod location;
mod look;
mod map;
mod method;
mod normal;
mod omission;
mod reader;
mod request;
mod run;
mod scan;
mod scratch;
mod settings;
mod simulate;
#[doc(hidden)]
pub mod spelling;
mod target;
mod template;
mod unique;
mod values;
mod walk;

pub use decision::{BodyAction, Decision, Edit, EditAction, Edits, Forward, Outcome, Side};
pub use escape::is_escaped_in_location;
pub use find::Found;
pub use omission::{Omission, Omitted};
pub use request::{Body, Header, Request, Scheme};
#[doc(no_inline)]
pub use rulec_contract::{Caller, Refusal};
pub use scratch::Scratch;

use crate::artifact::{Artifact, ArtifactError, Lost};

/// What the compiler and the proxy of this workspace share with the matcher; nobody else builds on it.
#[doc(hidden)]
pub mod internal {
    pub use crate::artifact::{Cells, Lost, OctetSets, Table, Tables, checksum, format, header_hash};
    pub use crate::captures::fits as program_fits;
    pub use crate::spelling;
}

/// The compiled policy of an artifact, ready to decide.
#[derive(Debug)]
pub struct Matcher<B> {
    artifact: Artifact<B>,
}

impl<B: AsRef<[u8]>> Matcher<B> {
    /// Checks `bytes` through and through; linear in their number, so that no request pays for it.
    ///
    /// # Errors
    /// Names the first table that is not as it should be.
    pub fn parse(bytes: B) -> Result<Self, ArtifactError> {
        Ok(Self { artifact: Artifact::parse(bytes)? })
    }

    /// A matcher of `bytes` whose rows nobody has checked; the tables stand where those of `sound` do.
    #[cfg(feature = "unchecked")]
    pub fn unchecked(bytes: B, sound: &Self) -> Self {
        Self { artifact: Artifact::unchecked(bytes, &sound.artifact) }
    }

    /// The artifact decided from.
    pub fn artifact(&self) -> &Artifact<B> {
        &self.artifact
    }

    /// The JSON of the manifest: names for the indices of a decision.
    pub fn manifest(&self) -> &[u8] {
        self.artifact.manifest()
    }

    /// What is to be done with `request`.
    ///
    /// It never fails: what cannot be decided is refused with a code. Where the caller's plan matters and is not in
    /// `request` yet, the outcome is [`Outcome::NeedsPlan`], where a fact does [`Outcome::NeedsFact`]; deciding again with
    /// them goes on from there, since everything else comes out the same. Costs one look at each byte of the host, the path and the fields that the
    /// reached guards read; allocates nothing.
    pub fn decide<'d>(&'d self, request: &Request<'d>, scratch: &'d mut Scratch) -> Decision<'d> {
        let (lost, work) = scratch.parts();
        decide::decide(self.artifact.tables(lost), request, work)
    }

    /// The location of service `service` (an index of the manifest) that takes `path`, which is normalised already.
    ///
    /// The part of a decision that grows with the number of locations, for hosts that have parsed and normalised the
    /// request themselves. Allocates nothing.
    pub fn find(&self, service: u32, path: &[u8]) -> Found {
        let lost = Lost::new();
        let tables = self.artifact.tables(&lost);
        let Some(service) = tables.services().get(service) else { return Found::Nothing };
        let found = find::find(tables, service.lookup, path);
        if lost.is_set() { Found::Nothing } else { found }
    }
}
