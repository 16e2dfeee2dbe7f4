//! Settings that were reached, made ready for the host: header edits and meters.

use super::decision::{EditAction, EditRow, EditValue, Side};
use super::request::Scheme;
use super::run::{Halt, Run};
use super::scratch::Slice;
use crate::artifact::format::{NONE, Operation, operation, plans};
use rulec_contract::Refusal;
use rulec_contract::is_success;

/// In the action of a header edit: only on success.
const ON_SUCCESS: u32 = 4;

/// How many rows were made.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Made {
    pub(super) edits: usize,
    pub(super) meters: usize,
    /// What stands before a path in the Location of an upstream's answer.
    pub(super) redirect_origin: Slice,
}

/// Settings that were reached before these places have been taken back.
#[derive(Clone, Copy, Debug, Default)]
struct Forgotten {
    request: usize,
    response: usize,
    redirects: usize,
}

impl Forgotten {
    fn has(self, place: usize, setting: Operation) -> bool {
        match setting.kind {
            operation::HEADER if setting.a == 0 => place < self.request,
            operation::HEADER => place < self.response,
            operation::PROXY_REDIRECT => place < self.redirects,
            _ => false,
        }
    }
}

impl Run<'_, '_> {
    /// Fills in the edits and meters that were reached. An answer of the gateway's own gets no edits of the request head,
    /// and only the meters that count always. Where the `status` is known, edits for a success are those of a success.
    pub(super) fn make_settings(&mut self, proxied: bool, status: Option<u16>) -> Result<Made, Halt> {
        let mut made = Made::default();
        if proxied {
            self.drop_credentials(&mut made)?;
        }
        self.make_hsts(&mut made)?;
        let forgotten = self.forgotten();
        for place in 0..self.settings.last.listed {
            let Some(operation) = self.listed(place) else { break };
            if forgotten.has(place, operation) {
                continue;
            }
            if operation.kind == operation::METER && (proxied || operation.b == 1) {
                if operation.a >= self.policy.meters {
                    return Err(self.lost());
                }
                *self.meters.get_mut(made.meters).ok_or(Refusal::RewriteTooLong)? = operation.a;
                made.meters += 1;
            }
            if operation.kind == operation::PROXY_REDIRECT && proxied {
                self.make_relocation(operation, &mut made)?;
            }
            let waits = operation.b & ON_SUCCESS != 0 && status.is_some_and(|status| !is_success(status));
            if operation.kind == operation::HEADER && (proxied || operation.a == 1) && !waits {
                self.make_edit(operation, status.is_none(), &mut made)?;
            }
        }
        Ok(made)
    }

    /// The operation of the setting that was reached as number `place`.
    pub(super) fn listed(&self, place: usize) -> Option<Operation> {
        self.settings.list.get(place).map(|index| self.tables.operations().row(*index))
    }

    /// Behind which settings the last `forget` of each kind was reached.
    fn forgotten(&self) -> Forgotten {
        let mut forgotten = Forgotten::default();
        for place in 0..self.settings.last.listed {
            match self.listed(place) {
                Some(Operation { kind: operation::FORGET_HEADERS, a: 0, .. }) => forgotten.request = place,
                Some(Operation { kind: operation::FORGET_HEADERS, .. }) => forgotten.response = place,
                Some(Operation { kind: operation::PROXY_REDIRECT_OFF, .. }) => forgotten.redirects = place,
                _ => {}
            }
        }
        forgotten
    }

    /// Strict-Transport-Security comes first, so that an edit of the author's can change it.
    fn make_hsts(&mut self, made: &mut Made) -> Result<(), Halt> {
        let Some(operation) = self.setting(self.settings.last.hsts) else { return Ok(()) };
        if self.request.scheme != Scheme::Https {
            return Ok(());
        }
        let value = EditValue::String(operation.a);
        self.push_edit(EditRow::always(Side::Response, EditAction::Set, operation.b, value), made)
    }

    /// Credentials that were sent in a header and are not kept.
    fn drop_credentials(&mut self, made: &mut Made) -> Result<(), Halt> {
        let Some(source) = self.tables.plans().optional(self.service.plans) else { return Ok(()) };
        let first = self.service.plans + 1 + source.a;
        for row in self.tables.plans().range(first, source.b) {
            let is_dropped = row.kind == plans::CREDENTIAL && row.a == 1 && row.c == 0;
            if is_dropped && self.is_there(row.d) {
                let value = EditValue::Made(Slice::EMPTY);
                self.push_edit(EditRow::always(Side::Request, EditAction::Drop, row.b, value), made)?;
            }
        }
        Ok(())
    }

    fn make_edit(&mut self, operation: Operation, waits: bool, made: &mut Made) -> Result<(), Halt> {
        let side = if operation.a == 0 { Side::Request } else { Side::Response };
        let value = match operation.d {
            NONE => None,
            template if side == Side::Response && self.is_location(operation.c) => {
                let location = self.fill_location(template)?;
                Some(self.one_slash(location)?)
            }
            template => self.fill_value(template)?,
        };
        let value = value.filter(|value| !value.of(self.arena.bytes).is_empty());
        // A line that cannot be set is not there: the one that it would have replaced must not pass for it.
        let action = match (operation.b & 3, value) {
            (0, Some(_)) => EditAction::Set,
            (1, Some(_)) => EditAction::Add,
            (1, None) => return Ok(()),
            _ => EditAction::Drop,
        };
        let value = EditValue::Made(value.unwrap_or(Slice::EMPTY));
        let on_success = waits && operation.b & ON_SUCCESS != 0;
        self.push_edit(EditRow { side, on_success, action, name: operation.c, value }, made)
    }

    fn is_location(&self, name: u32) -> bool {
        self.tables.string(name).eq_ignore_ascii_case(b"location")
    }

    fn make_relocation(&mut self, operation: Operation, made: &mut Made) -> Result<(), Halt> {
        let to = self.fill_location(operation.b)?;
        if made.redirect_origin == Slice::EMPTY {
            made.redirect_origin = self.redirect_origin()?;
        }
        self.push_edit(EditRow::always(Side::Response, EditAction::Relocate, operation.a, EditValue::Made(to)), made)
    }

    fn push_edit(&mut self, row: EditRow, made: &mut Made) -> Result<(), Halt> {
        // Names and values are read when the decision stands.
        self.tables.string(row.name);
        if let EditValue::String(value) = row.value {
            self.tables.string(value);
        }
        *self.edits.get_mut(made.edits).ok_or(Refusal::RewriteTooLong)? = row;
        made.edits += 1;
        Ok(())
    }
}
