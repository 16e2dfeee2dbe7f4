//! The state of one decision.

use super::decision::EditRow;
use super::request::Request;
use super::scratch::{Arena, Full, SCRATCH_OCTETS, SCRATCH_WORDS, SETTINGS_MAX, Slice, Text, Work};
use crate::artifact::Tables;
use crate::artifact::format::{NONE, Policy, Service, VARIABLES_MAX};
use rulec_contract::Refusal;

/// Everything that is known while a request is decided.
#[derive(Debug)]
pub(super) struct Run<'d, 's> {
    pub(super) tables: Tables<'d>,
    pub(super) request: &'s Request<'d>,
    /// That of the request, but for an error page.
    pub(super) method: &'d [u8],
    pub(super) arena: Arena<'s>,
    pub(super) words: &'s mut [u32; SCRATCH_WORDS],
    pub(super) around: &'s mut [u8; SCRATCH_OCTETS + 1],
    pub(super) classes: &'s mut [u16; VARIABLES_MAX],
    /// Where each header stands; see `lines`.
    pub(super) lines: &'s mut [u32],
    /// What each named group captured.
    pub(super) named: &'s mut [Slice],
    pub(super) policy: Policy,
    pub(super) settings: Settings<'s>,
    pub(super) edits: &'s mut [EditRow; SETTINGS_MAX],
    pub(super) meters: &'s mut [u32; SETTINGS_MAX],
    /// The row of the service, once chosen.
    pub(super) service: Service,
    /// Lower case, without port and final dot.
    pub(super) host: Text<'d>,
    /// Path and query as sent, in origin-form.
    pub(super) raw: Text<'d>,
    /// The normalised path of the request as it came.
    pub(super) original_path: Text<'d>,
    /// The query of the request as it came.
    pub(super) original_args: &'d [u8],
    /// nginx's `quoted_uri`, `plus_in_uri`: of the target as it came.
    pub(super) quoted: bool,
    pub(super) plus: bool,
    /// The path as it is now.
    pub(super) path: Text<'d>,
    /// The query as it is now.
    pub(super) args: Text<'d>,
    /// Whether path or query are no longer those of the target as it came (nginx: not `valid_unparsed_uri`).
    pub(super) rewritten: bool,
    /// What became of it on its way within the gateway.
    pub(super) journey: Journey,
    /// The caller's plan, once it was asked for.
    pub(super) plan: Option<u16>,
    /// The settings of the service alone.
    pub(super) of_service: LastSettings,
    /// `$1`..`$9` of the regex that matched last.
    pub(super) groups: [Slice; 10],
}

/// What `goto`, `error_page` and rewrites have made of a request.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Journey {
    /// Whether it was sent on within the gateway (nginx: `internal`).
    pub(super) internal: bool,
    /// How often.
    pub(super) hops: u32,
    /// Whether an error page was found: there is one a request.
    pub(super) error_page_found: bool,
    /// The method that an error page has made of another one.
    pub(super) method: Option<&'static [u8]>,
    /// Whether its body was too large, and is not there any more.
    pub(super) body_dropped: bool,
    /// The status that replaces that of the answer.
    pub(super) status: Option<u16>,
    /// What the first `proxy` comes to instead.
    pub(super) fault: Option<u16>,
}

/// Settings reached so far, as indices of operations; `NONE` where none was.
#[derive(Debug)]
pub(super) struct Settings<'s> {
    /// Header edits and meters, in order.
    pub(super) list: &'s mut [u32; SETTINGS_MAX],
    pub(super) last: LastSettings,
}

/// The part of the settings that is small: where the last one of each kind wins.
#[derive(Clone, Copy, Debug)]
pub(super) struct LastSettings {
    pub(super) listed: usize,
    pub(super) methods: u32,
    pub(super) body: u32,
    pub(super) hsts: u32,
    pub(super) content_type: u32,
}

impl LastSettings {
    pub(super) const NONE: Self = Self { listed: 0, methods: NONE, body: NONE, hsts: NONE, content_type: NONE };
}

/// Why a decision ends before an answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Halt {
    /// The request is refused.
    Refused(Refusal),
    /// The caller is one of missing, unknown, failed: refused with the plans' status.
    Caller(Refusal, u16),
    /// The caller has to be looked up.
    NeedsPlan,
    /// The upstream was tried and failed, with this status.
    Fault(u16),
    /// A fact has to be known.
    NeedsFact(u32),
}

impl From<Refusal> for Halt {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Full> for Halt {
    fn from(_: Full) -> Self {
        Self::Refused(Refusal::RewriteTooLong)
    }
}

impl<'d, 's> Run<'d, 's> {
    /// Ends a decision that met an index that leads nowhere.
    #[cold]
    pub(super) fn lost(&self) -> Halt {
        self.tables.lost().note();
        Halt::Refused(Refusal::Internal)
    }

    /// A run over `request` of which nothing is known yet.
    pub(super) fn new(tables: Tables<'d>, request: &'s Request<'d>, scratch: &'s mut Work) -> Self {
        let variables = tables.variables().len();
        if let Some(classes) = scratch.classes.get_mut(..variables) {
            classes.fill(super::guard::UNKNOWN);
        }
        let policy = tables.policy().row(0);
        let named = scratch.named.get_mut(..policy.captures as usize).unwrap_or_default();
        named.fill(Slice::EMPTY);
        let lines = scratch.lines.get_mut(..policy.headers as usize).unwrap_or_default();
        super::lines::note(tables, policy, request.headers, lines);
        Self {
            tables,
            request,
            method: request.method,
            arena: Arena::new(&mut scratch.bytes),
            words: &mut scratch.words,
            around: &mut scratch.around,
            classes: &mut scratch.classes,
            lines,
            named,
            policy,
            settings: Settings { list: &mut scratch.settings, last: LastSettings::NONE },
            edits: &mut scratch.edits,
            meters: &mut scratch.meters,
            service: Service::NONE,
            host: Text::EMPTY,
            raw: Text::EMPTY,
            original_path: Text::EMPTY,
            original_args: &[],
            quoted: false,
            plus: false,
            path: Text::EMPTY,
            args: Text::EMPTY,
            rewritten: false,
            journey: Journey { fault: request.fault, ..Journey::default() },
            plan: None,
            of_service: LastSettings::NONE,
            groups: [Slice::EMPTY; 10],
        }
    }
}
