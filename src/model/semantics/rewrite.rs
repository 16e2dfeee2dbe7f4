//! `rewrite` (nginx: `ngx_http_script_regex_start_code`, `ngx_http_script_regex_end_code`).

use super::escape::{EscapeSet, escape, unescape_redirect};
use super::template::Escaping;
use super::walk::{Halt, Walk};
use crate::contract::DECISION_OCTETS_MAX;
use crate::contract::Refusal;
use crate::model::{Part, Rewrite};

impl<'p> Walk<'p> {
    /// Whether `rewrite` matches the path as it is now; the groups are its own afterwards, or empty.
    pub(super) fn rewrite_matches(&mut self, rewrite: &'p Rewrite) -> bool {
        let path = self.path.clone();
        let groups = self.regexes.captures(&rewrite.pattern, &path);
        match &groups {
            Some(groups) => self.set_captures(&rewrite.pattern, &path, groups),
            None => self.groups.clear(),
        }
        groups.is_some()
    }

    /// Puts the replacement in place of path and query.
    pub(super) fn rewrite_path(&mut self, rewrite: &Rewrite) -> Result<(), Halt> {
        let (path, args) = self.fill_parts(&rewrite.replacement, Escaping::InArgs);
        if let Some(args) = args {
            let old = core::mem::replace(&mut self.args, args);
            if rewrite.keeps_args && !old.is_empty() {
                self.args.push(b'&');
                self.args.extend(old);
            }
        } else if !rewrite.keeps_args {
            self.args.clear();
        }
        if path.is_empty() {
            return Err(Refusal::RewriteEmpty.into());
        }
        self.path = path;
        self.is_rewritten = true;
        self.is_internal = true;
        self.bounded()
    }

    /// Refuses a path or a query that grew beyond what the matcher has room for.
    pub(super) fn bounded(&self) -> Result<(), Halt> {
        let is_short = self.path.len().max(self.args.len()) <= DECISION_OCTETS_MAX;
        if is_short { Ok(()) } else { Err(Refusal::RewriteTooLong.into()) }
    }

    /// Where a redirecting rewrite points.
    pub(super) fn redirect_target(&self, rewrite: &Rewrite) -> Vec<u8> {
        let (filled, _) = self.fill_parts(&rewrite.replacement, Escaping::Always);
        let mut target = unescape_redirect(&filled);
        if rewrite.keeps_args && !self.args.is_empty() {
            let has_query = |part: &Part| matches!(part, Part::Literal(text) if text.contains(&b'?'));
            target.push(if rewrite.replacement.parts.iter().any(has_query) { b'&' } else { b'?' });
            target.extend_from_slice(&self.args);
        }
        // What was decoded is no URI any more.
        escape(&target, EscapeSet::Location)
    }
}
