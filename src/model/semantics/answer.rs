//! Step 5: from the answer that was reached to the verdict.

use super::escape::{EscapeSet, escape};
use super::latin1;
use super::location::one_slash;
use super::spelling::{Spelt, is_spelling, pieces};
use super::target;
use super::walk::{Halt, Reached, Walk, chain};
use crate::contract::manifest::{Credential, CredentialKind, Upstream};
use crate::contract::{Refusal, is_success};
use crate::model::{
    Answer, BodyAction, BodyPolicy, Destination, Forward, HeaderAction, HeaderChanges, HeaderEdit, Part, ProxyForm,
    Setting, Side, Template, UpstreamId, Verdict, VerdictKind,
};
use std::collections::BTreeMap;

/// Octets of a body that is forwarded where the rules do not say: nginx's default.
const BODY_OCTETS_MAX: u64 = 1024 * 1024;

pub(super) mod verdict {
    //! Verdicts that need nothing but themselves.

    use crate::contract::Refusal;
    use crate::model::{Verdict, VerdictKind};

    /// The gateway's own refusal.
    pub(in super::super) fn refusal(refusal: Refusal) -> Verdict {
        let served = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];
        Verdict {
            verdict: Some(VerdictKind::Refuse),
            status: Some(refusal.status()),
            code: Some(refusal.code()),
            allow: (refusal == Refusal::MethodUnsupported).then(|| served.map(str::to_owned).to_vec()),
            ..Verdict::default()
        }
    }
}

/// What a leg of a request comes to.
#[derive(Debug)]
pub(super) enum Given<'p> {
    /// An answer; the status of an error page replaces its own.
    Answer(Verdict),
    /// One that an error page may stand in for; its status is its own.
    Special(Verdict),
    /// The request goes on there.
    Goto(&'p Destination),
}

impl<'p> Walk<'p> {
    /// All that is to be said of a request that ended so.
    pub(super) fn verdict(&self, end: Result<Verdict, Halt>) -> Verdict {
        let verdict = match end {
            Ok(verdict) => verdict,
            Err(Halt::NeedsFact(fact)) => {
                let needs_fact = self.policy.facts.get(fact.0 as usize).map(|fact| fact.name.clone());
                return Verdict { needs_fact, ..self.place(Verdict::default()) };
            }
            Err(Halt::NeedsPlan) => return Verdict { needs_plan: true, ..self.place(Verdict::default()) },
            Err(Halt::Refused(refusal, status)) => Verdict { status: Some(status), ..verdict::refusal(refusal) },
        };
        let is_proxied = verdict.verdict == Some(VerdictKind::Proxy);
        let succeeds = verdict.status.is_some_and(is_success);
        let relocate = if is_proxied { self.relocations() } else { Vec::new() };
        Verdict {
            response: self.header_changes(Side::Response, succeeds),
            relocate_origin: relocate.first().map(|_| latin1(&self.redirect_origin())),
            relocate,
            response_on_success: if is_proxied && verdict.status.is_none() {
                self.changes_on_success()
            } else {
                HeaderChanges::default()
            },
            meters: self.meters(is_proxied),
            ..self.place(verdict)
        }
    }

    /// `verdict` with the place where it was made.
    fn place(&self, verdict: Verdict) -> Verdict {
        let chain = self.location.map(|id| chain(self.policy, id));
        let displays = |chain: &Vec<&crate::model::Location>| {
            chain.iter().map(|location| location.display.as_str()).collect::<Vec<_>>().join(" > ")
        };
        Verdict {
            service: Some(self.arrival.service.name.clone()),
            location: chain.as_ref().map(displays),
            name: chain.and_then(|chain| chain.last()?.name.clone()),
            uri: Some(latin1(&self.match_path)),
            args: Some(latin1(&self.args)),
            ..verdict
        }
    }

    /// The answer that was reached, made.
    pub(super) fn answer(&mut self, reached: &Reached<'p>) -> Result<Given<'p>, Halt> {
        let is_own = matches!(reached, Reached::Answer { is_own: true, .. } | Reached::Redirect { is_own: true, .. });
        if is_own && let Some(verdict) = self.method_refusal() {
            return Ok(Given::Special(verdict));
        }
        let answer = match reached {
            Reached::AddSlash => return Ok(Given::Special(self.add_slash())),
            Reached::Redirect { status, location, .. } => {
                return Ok(Given::Special(self.redirect(*status, location.clone())));
            }
            Reached::Answer { answer, .. } => answer,
        };
        match answer {
            Answer::Respond { status, text } => {
                let verdict = Verdict {
                    verdict: Some(VerdictKind::Respond),
                    status: Some(*status),
                    body: text.as_ref().map(|text| self.fill_latin1(text)),
                    ..Verdict::default()
                };
                let is_bare = text.as_ref().is_none_or(|text| text.parts.is_empty());
                Ok(if is_bare && *status >= 400 { Given::Special(verdict) } else { Given::Answer(verdict) })
            }
            Answer::Redirect { status, url } => Ok(Given::Special(self.redirect(*status, self.location_text(url)))),
            Answer::Close => Ok(Given::Answer(Verdict { verdict: Some(VerdictKind::Close), ..Verdict::default() })),
            Answer::Goto(to) => Ok(Given::Goto(to)),
            Answer::Proxy { upstream, form } => {
                let verdict = self.proxy(*upstream, form)?;
                match self.fault.take() {
                    None => Ok(Given::Answer(verdict)),
                    Some(status) => Err(Halt::Refused(Refusal::UpstreamFailed, status)),
                }
            }
        }
    }

    /// 405, if the location is not for the request's method.
    fn method_refusal(&self) -> Option<Verdict> {
        let methods = self.settings.iter().rev().find_map(|setting| match setting {
            Setting::Methods(methods) => Some(methods),
            _ => None,
        })?;
        let is_allowed = methods.iter().any(|method| method.as_bytes() == self.method);
        let allow = Some(methods.clone());
        (!is_allowed).then(|| Verdict { allow, ..verdict::refusal(Refusal::MethodNotAllowed) })
    }

    fn proxy(&self, upstream: UpstreamId, form: &ProxyForm) -> Result<Verdict, Halt> {
        let body = self.body()?;
        let target = self.target(form)?;
        let key = self.policy.balance_keys.get(upstream.0 as usize).and_then(Option::as_ref);
        let upstream = self.policy.upstreams.get(upstream.0 as usize);
        let is_changed = self.method != self.request.method;
        let forward = Forward {
            method: is_changed.then(|| latin1(&self.method)),
            target: latin1(&target),
            host: upstream.and_then(host_sent),
            omit: self.omitted.iter().map(|name| latin1(name)).collect(),
            headers: self.header_changes(Side::Request, false),
            body,
            key: key.map(|key| self.fill_latin1(key)),
        };
        Ok(Verdict {
            verdict: Some(VerdictKind::Proxy),
            upstream: upstream.map(|upstream| upstream.name.clone()),
            forward: Some(forward),
            ..Verdict::default()
        })
    }

    /// What becomes of the body.
    fn body(&self) -> Result<&'static str, Halt> {
        let said = self.settings.iter().rev().find_map(|setting| match setting {
            Setting::Body(policy) => Some(*policy),
            _ => None,
        });
        let policy = said.unwrap_or(match self.method.as_slice() {
            // A body that was sent with another method is nothing that the page wants.
            method if method != self.request.method => BodyPolicy::new(BodyAction::Strip, None),
            b"GET" | b"HEAD" | b"DELETE" | b"OPTIONS" => BodyPolicy::new(BodyAction::Reject, None),
            _ => BodyPolicy::new(BodyAction::Forward, Some(BODY_OCTETS_MAX)),
        });
        if self.body == 0 {
            return Ok("none");
        }
        if policy.action == BodyAction::Reject {
            return Err(Refusal::BodyNotAllowed.into());
        }
        if policy.octets_max.is_some_and(|octets_max| self.body > octets_max) {
            return Err(Refusal::BodyTooLarge.into());
        }
        Ok(if policy.action == BodyAction::Strip { "strip" } else { "forward" })
    }

    /// The request target that is sent.
    fn target(&self, form: &ProxyForm) -> Result<Vec<u8>, Halt> {
        let came = &self.arrival.target;
        let (mut target, args) = match form {
            ProxyForm::Raw if !self.is_rewritten => return Ok(self.cut_credentials(&came.raw)),
            ProxyForm::Strip(prefix) => {
                let rest = self.strip(prefix).ok_or(Refusal::PrefixMismatch)?;
                return Ok(self.cut_credentials(&rest));
            }
            ProxyForm::Target(template) => {
                let target = self.cut_credentials(&self.fill(template));
                return self.sendable(target, came.path.iter().any(|byte| b"?#%".contains(byte)));
            }
            ProxyForm::Raw | ProxyForm::Canonical => (escape(&self.path, EscapeSet::Path), &self.args),
            ProxyForm::Base { base, prefix_octets } => {
                let rest = self.path.get(*prefix_octets..).unwrap_or(&[]);
                // nginx escapes only what may have been decoded.
                let escapes = came.is_quoted || self.is_internal;
                let rest = if escapes { escape(rest, EscapeSet::Path) } else { rest.to_vec() };
                ([base.as_slice(), &rest].concat(), &self.args)
            }
        };
        put_args(&mut target, &self.kept_args(args));
        self.sendable(target, false)
    }

    /// The raw target less `prefix`, if what is left means the path less `prefix`.
    fn strip(&self, prefix: &[u8]) -> Option<Vec<u8>> {
        let rest = self.arrival.target.raw.strip_prefix(prefix)?;
        let rest = match rest.first() {
            Some(b'/') => rest.to_vec(),
            Some(b'?') | None => [b"/", rest].concat(),
            Some(_) => return None,
        };
        let wanted = match self.path.strip_prefix(prefix)? {
            [] => b"/",
            wanted => wanted,
        };
        let meaning = target::read(&rest, self.arrival.service.merge_slashes)?;
        (meaning.path == wanted).then_some(rest)
    }

    /// `target` without the arguments that are credentials and not kept.
    fn cut_credentials(&self, target: &[u8]) -> Vec<u8> {
        let Some(question_mark) = target.iter().position(|byte| *byte == b'?') else { return target.to_vec() };
        let (path, query) = target.split_at(question_mark);
        let args = query.strip_prefix(b"?").unwrap_or(query);
        let kept = self.kept_args(args);
        if kept == args {
            return target.to_vec();
        }
        let mut target = path.to_vec();
        put_args(&mut target, &kept);
        target
    }

    fn kept_args(&self, args: &[u8]) -> Vec<u8> {
        let names: Vec<&str> = self.dropped_credentials(CredentialKind::Query).map(|own| own.name.as_str()).collect();
        let is_kept = |own: &Spelt<'_>| !names.iter().any(|name| is_spelling(own.name, name.as_bytes()));
        let mut kept = Vec::new();
        for (place, own) in pieces(args, b"&;").into_iter().filter(is_kept).enumerate() {
            kept.extend(own.between.0.filter(|_| place > 0));
            kept.extend_from_slice(own.name);
            kept.extend(own.value.map(|value| [b"=", value].concat()).into_iter().flatten());
        }
        kept
    }

    /// `target`, if it leaves a request line whole, and under `paths strict` is read alike by all; `may_add` says that
    /// a decoded path may have put a query, or half an escape, where the rules have none.
    fn sendable(&self, target: Vec<u8>, may_add: bool) -> Result<Vec<u8>, Halt> {
        let breaks_line = target.iter().any(|byte| *byte <= b' ' || *byte == 0x7F);
        let service = self.arrival.service;
        let is_ambiguous = || {
            let path = target.split(|byte| b"?#".contains(byte)).next().unwrap_or(&[]);
            may_add || target::is_ambiguous(path, service.path_parameters)
        };
        if breaks_line || service.strict_paths && is_ambiguous() {
            return Err(Refusal::TargetUnsafe.into());
        }
        Ok(target)
    }

    fn dropped_credentials(&self, kind: CredentialKind) -> impl Iterator<Item = &Credential> {
        let credentials = self.plan_source().map_or(&[][..], |source| source.credentials.as_slice());
        credentials.iter().filter(move |credential| credential.kind == kind && !credential.keep)
    }

    /// The edits of `side` that were reached, with those for a success if it is one.
    fn header_changes(&self, side: Side, succeeds: bool) -> HeaderChanges {
        let mut changes = HeaderChanges::default();
        if side == Side::Request {
            let is_sent = |own: &&Credential| !self.request.lines_of(&own.name).is_empty();
            let sent = self.dropped_credentials(CredentialKind::Header).filter(is_sent);
            changes.drop.extend(sent.map(|own| own.name.clone()));
        }
        let hsts = self.settings.iter().rev().find_map(|setting| match setting {
            Setting::Hsts(value) => Some(value),
            _ => None,
        });
        if let Some(value) = hsts.filter(|_| side == Side::Response && self.request.is_https()) {
            changes.set.push(("Strict-Transport-Security".to_owned(), value.clone()));
        }
        for setting in &self.settings {
            if let Setting::Header(edit) = setting
                && edit.side == side
                && (succeeds || !edit.on_success)
            {
                self.edit(edit, &mut changes);
            }
        }
        changes
    }

    /// The edits of the answer's head that hold if the upstream's answer is a success.
    fn changes_on_success(&self) -> HeaderChanges {
        let mut changes = HeaderChanges::default();
        for setting in &self.settings {
            if let Setting::Header(edit) = setting
                && edit.on_success
            {
                self.edit(edit, &mut changes);
            }
        }
        changes
    }

    /// A value that cannot be sent is empty: the line that it would have replaced must not pass for it. An empty one
    /// drops.
    fn edit(&self, edit: &HeaderEdit, changes: &mut HeaderChanges) {
        let name = edit.name.clone();
        let is_location = edit.side == Side::Response && name.eq_ignore_ascii_case("location");
        let value = match &edit.action {
            HeaderAction::Drop => Vec::new(),
            HeaderAction::Set(template) | HeaderAction::Add(template) if is_location => {
                one_slash(self.location_text(template))
            }
            HeaderAction::Set(template) | HeaderAction::Add(template) => self.field_value(template).unwrap_or_default(),
        };
        match &edit.action {
            HeaderAction::Add(_) if value.is_empty() => {}
            HeaderAction::Add(_) => changes.add.push((name, latin1(&value))),
            HeaderAction::Set(_) if !value.is_empty() => changes.set.push((name, latin1(&value))),
            HeaderAction::Set(_) | HeaderAction::Drop => changes.drop.push(name),
        }
    }

    /// The value of a field that `template` makes, without blanks at its ends; None where a variable would bring a control
    /// byte into it.
    fn field_value(&self, template: &Template) -> Option<Vec<u8>> {
        let mut value = Vec::new();
        for part in &template.parts {
            let text = self.fill(&Template::new(vec![part.clone()]));
            if !matches!(part, Part::Literal(_)) && text.iter().any(u8::is_ascii_control) {
                return None;
            }
            value.extend(text);
        }
        let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        let end = value.iter().rposition(|byte| !is_blank(byte)).map_or(0, |last| last + 1);
        let start = value.iter().take(end).take_while(|byte| is_blank(byte)).count();
        value.get(start..end).map(<[u8]>::to_vec)
    }

    /// What counts: all that was reached if the request is sent upstream, else what counts always.
    fn meters(&self, is_proxied: bool) -> Vec<(String, u64)> {
        let mut counts = BTreeMap::new();
        for setting in &self.settings {
            if let Setting::Meter { meter, always } = setting
                && (is_proxied || *always)
                && let Some(name) = self.policy.meters.get(meter.0 as usize)
            {
                *counts.entry(name.clone()).or_insert(0) += 1;
            }
        }
        counts.into_iter().collect()
    }
}

pub(super) fn put_args(target: &mut Vec<u8>, args: &[u8]) {
    if !args.is_empty() {
        target.push(b'?');
        target.extend_from_slice(args);
    }
}

/// The Host that `upstream` gets: its `host`, else its first server's name, with a port that is not the scheme's own.
fn host_sent(upstream: &Upstream) -> Option<String> {
    let of_server = || {
        let server = upstream.servers.first()?;
        let name = if server.host.contains(':') { format!("[{}]", server.host) } else { server.host.clone() };
        let own_port = if upstream.tls.is_some() { 443 } else { 80 };
        Some(if server.port == own_port { name } else { format!("{name}:{}", server.port) })
    };
    upstream.host.clone().or_else(of_server)
}
