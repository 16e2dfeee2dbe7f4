//! What is to be done with a request.

use super::request::Header;
use super::scratch::Slice;
use crate::artifact::Tables;
use rulec_contract::Refusal;

/// A decision; its bytes stand in the request, the artifact or the scratch.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Decision<'d> {
    /// Index of the service that the host chose.
    pub service: Option<u32>,
    /// Index of the location that was chosen last.
    pub location: Option<u32>,
    /// The match path: the normalised path on which the last location was chosen; None before it was normalised.
    pub uri: Option<&'d [u8]>,
    /// The query as it is at the end.
    pub args: &'d [u8],
    /// What is done.
    pub outcome: Outcome<'d>,
    pub(super) edits: Edits<'d>,
    pub(super) meters: &'d [u32],
    pub(super) headers: &'d [Header<'d>],
    pub(super) redirect_origin: &'d [u8],
}

impl<'d> Decision<'d> {
    /// The one where a row of the artifact was missing: of what was read in its place nothing is told.
    #[cold]
    pub(super) fn lost(tables: Tables<'d>, headers: &'d [Header<'d>]) -> Self {
        let refusal = Refusal::Internal;
        Self {
            service: None,
            location: None,
            uri: None,
            args: &[],
            outcome: Outcome::Refuse { status: refusal.status(), refusal, allow: &[] },
            edits: Edits { rows: &[], made: &[], tables },
            meters: &[],
            headers,
            redirect_origin: &[],
        }
    }

    /// Header edits in the order in which they apply, dropped credentials and HSTS among them.
    pub fn edits(&self) -> Edits<'d> {
        self.edits.clone()
    }

    /// What stands before a path that a [`EditAction::Relocate`] puts into Location: `http://host:port` where the service
    /// says `redirects absolute`, else empty.
    pub fn redirect_origin(&self) -> &'d [u8] {
        self.redirect_origin
    }

    /// Indices of the meters that count, in the order reached; one that was reached twice stands twice.
    pub fn meters(&self) -> &'d [u32] {
        self.meters
    }
}

/// The header edits of a decision, in the order in which they apply.
#[derive(Clone, Debug)]
pub struct Edits<'d> {
    pub(super) rows: &'d [EditRow],
    pub(super) made: &'d [u8],
    pub(super) tables: Tables<'d>,
}

impl<'d> Iterator for Edits<'d> {
    type Item = Edit<'d>;

    fn next(&mut self) -> Option<Edit<'d>> {
        let (row, rest) = self.rows.split_first()?;
        self.rows = rest;
        let value = match row.value {
            EditValue::Made(slice) => slice.of(self.made),
            EditValue::String(index) => self.tables.string(index),
        };
        Some(Edit {
            side: row.side,
            on_success: row.on_success,
            action: row.action,
            name: self.tables.string(row.name),
            value,
        })
    }
}

/// An edit while it is in the scratch.
#[derive(Clone, Copy, Debug)]
pub(super) struct EditRow {
    pub(super) side: Side,
    pub(super) on_success: bool,
    pub(super) action: EditAction,
    /// A string.
    pub(super) name: u32,
    pub(super) value: EditValue,
}

/// Where the value of an edit stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum EditValue {
    Made(Slice),
    String(u32),
}

impl EditRow {
    pub(super) const EMPTY: Self = Self::always(Side::Request, EditAction::Drop, 0, EditValue::Made(Slice::EMPTY));

    /// An edit whatever the status.
    pub(super) const fn always(side: Side, action: EditAction, name: u32, value: EditValue) -> Self {
        Self { side, on_success: false, action, name, value }
    }
}

/// What is done with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "every host has to carry out every one")]
pub enum Outcome<'d> {
    /// The caller has to be looked up; decide again with `caller` set.
    NeedsPlan {
        /// Index of the plan source.
        plans: u32,
        /// The one credential that was sent, as it stands in the request; None: missing.
        credential: Option<&'d [u8]>,
    },
    /// A fact has to be known; decide again with its value in `facts`.
    NeedsFact {
        /// Index of the fact.
        fact: u32,
    },
    /// Sent to an upstream.
    Proxy(Forward<'d>),
    /// A `return` with a body.
    Respond {
        /// The status.
        status: u16,
        /// The text; empty where none was given.
        body: &'d [u8],
        /// Content-Type; None where no text was given.
        content_type: Option<&'d [u8]>,
    },
    /// 301 302 303 307 308.
    Redirect {
        /// The status.
        status: u16,
        /// The Location header as sent: what no URI holds is escaped, a path begins with one slash.
        location: &'d [u8],
    },
    /// The gateway's own 4xx or 5xx.
    Refuse {
        /// The status.
        status: u16,
        /// Why.
        refusal: Refusal,
        /// The value of Allow, `GET, HEAD`; with a 405, else empty.
        allow: &'d [u8],
    },
    /// The connection is closed without an answer.
    Close,
}

/// What is sent to an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Forward<'d> {
    /// Index of the upstream.
    pub upstream: u32,
    /// The method to send, where an error page has made it another one than the request's.
    pub method: Option<&'static [u8]>,
    /// The request target to send.
    pub target: &'d [u8],
    /// What becomes of the body.
    pub body: BodyAction,
    /// Octets beyond which a body is 413; a body of stated length is within it.
    pub body_octets_max: Option<u64>,
    /// The status that replaces that of the upstream's answer.
    pub status: Option<u16>,
    /// The text whose hash picks the server, where the upstream is balanced by one.
    pub key: Option<&'d [u8]>,
}

/// What becomes of the body of a request that is sent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "every host has to carry out every one")]
pub enum BodyAction {
    /// There is none.
    None,
    /// Sent on as it comes.
    Forward,
    /// Read and dropped, with Content-Length, Transfer-Encoding, Content-Type, Content-Encoding and Expect.
    Strip,
}

/// One edit of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Edit<'d> {
    /// Which head.
    pub side: Side,
    /// Of the answer to a proxied request: only if its status [`is_success`]. Where the status is known, own answers
    /// among them, this has been asked already.
    pub on_success: bool,
    /// What is done.
    pub action: EditAction,
    /// The name as written; for `Drop` it may end in `*`. Of a request it stands for lines of every spelling of it that
    /// are left: `-`, `_` and what else is neither letter nor digit are one there.
    pub name: &'d [u8],
    /// The value: no control byte that a variable brought, no blank at its ends; empty for `Drop`, and only there or for
    /// `Relocate`.
    pub value: &'d [u8],
}

/// Which head an edit changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are two")]
pub enum Side {
    /// Towards the upstream.
    Request,
    /// Towards the client.
    Response,
}

/// What an edit does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the language has these")]
pub enum EditAction {
    /// Replaces all lines of the name by one.
    Set,
    /// Adds a line.
    Add,
    /// Drops all lines of the name.
    Drop,
    /// Where Location begins with the name, which is none, the value stands in its place. Of several in a row the first
    /// that fits counts. What follows is escaped as [`is_escaped_in_location`](super::is_escaped_in_location) says; a path
    /// that comes out begins with one slash, and stands behind [`Decision::redirect_origin`].
    Relocate,
}
