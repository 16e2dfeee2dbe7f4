//! Decides requests from the tables of an artifact alone: no parser, no regex crate, no allocation.

mod decision;
mod refusal;
mod request;

pub use decision::{BodyAction, Decision, Edit, EditAction, Edits, Forward, Outcome, Side};
pub use refusal::Refusal;
pub use request::{Body, Caller, Header, Request, Scheme};

/// The compiled policy of an artifact, ready to decide.
#[derive(Debug)]
pub struct Matcher<B> {
    bytes: B,
}

/// Why bytes are no artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArtifactError {
    /// Placeholder.
    Placeholder,
}

/// Where a decision puts its output: paths, targets, header values.
#[derive(Debug)]
pub struct Scratch {}

impl Scratch {
    /// An empty one.
    pub const fn new() -> Self {
        Self {}
    }
}

impl<B: AsRef<[u8]>> Matcher<B> {
    /// Checks `bytes` through and through.
    ///
    /// # Errors
    /// Names the table that is not as it should be.
    pub fn parse(bytes: B) -> Result<Self, ArtifactError> {
        Ok(Self { bytes })
    }

    /// The JSON of the manifest.
    pub fn manifest(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    /// What is to be done with `request`.
    pub fn decide<'d>(&'d self, request: &Request<'d>, scratch: &'d mut Scratch) -> Decision<'d> {
        let _ = (request, scratch);
        Decision::refused()
    }
}
