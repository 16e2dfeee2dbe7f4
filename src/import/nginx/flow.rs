//! The rewrite phase: `rewrite`, `set`, `if`, `return` and `break`, in the order in which nginx runs them.

use super::condition::{Condition, variables};
use super::importer::{Importer, Lack};
use super::kind::Kind;
use super::level::Level;
use super::place::{Moves, Place};
use super::predicate::Predicate;
use super::regex;
use super::rules::{Node, quoted, word};
use super::tree::Directive;
use super::values::Values;
use super::variable::set_name;
use crate::diagnostic::Span;
use std::collections::BTreeSet;

/// The rewrite phase of a server or a location, as far as it was followed.
#[derive(Debug)]
pub(super) struct Flow<'a, 'p> {
    /// Where it is.
    pub(super) place: Place<'a, 'p>,
    /// Whether it is a location's: there an `if` brings settings and content of its own.
    pub(super) is_location: bool,
    /// Whether `$1` and its like are used, so that every regex counts.
    pub(super) takes_groups: bool,
    /// What variables are known to be at the end: a `break` may have skipped a `set`.
    pub(super) after: Values,
    /// When a `break` has matched.
    pub(super) broke: When,
    /// The same from the beginning of the walk, also within an `if`.
    broke_of_walk: When,
    /// When a rewrite without a flag has matched, so that a new lookup waits.
    pub(super) waits: When,
    /// Whether a rewrite with `break` may have matched, and whether a plain `break` may have.
    breaks: (bool, bool),
    /// The conditions around the statement.
    path: Predicate,
    /// Each `if` that may have matched without an answer.
    pub(super) branches: Vec<Branch<'p>>,
    /// Settings that an `if` may have changed.
    changed: BTreeSet<Kind>,
    /// What it may have changed without a rewrite.
    pub(super) changes: Moves,
    /// Whether an answer was given whatever the request is.
    pub(super) is_over: bool,
    out: Vec<Piece>,
}

/// When something has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// Exactly where this holds.
    Holds(Predicate),
    /// It may have, and guards cannot tell.
    Unknown,
}

/// Where the URI of a `proxy_pass` counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum UriUse {
    /// For every request.
    Always,
    /// Where no `break` has matched.
    UnlessBreak,
    /// Where this does not hold.
    UnlessWhen(Predicate),
    /// Guards cannot tell.
    Unknown,
}

/// An `if` that matched: its settings and content count, unless a later one matched too.
#[derive(Clone, Debug)]
pub(super) struct Branch<'p> {
    /// When it matches.
    pub(super) when: Predicate,
    /// When a `break` kept it from being asked.
    pub(super) broke_before: When,
    /// Its level.
    pub(super) level: Level<'p>,
    /// Where it stands.
    pub(super) span: Span,
    /// Whether it says settings.
    pub(super) has_settings: bool,
}

#[derive(Debug)]
struct Piece {
    node: Node,
    /// It is skipped after a `break`.
    ends_with_break: bool,
    /// It may itself `break`.
    may_break: bool,
}

impl When {
    /// Whether it may have happened.
    pub(super) fn is_possible(&self) -> bool {
        *self != Self::Holds(Predicate::False)
    }

    fn or(&mut self, other: Option<Predicate>) {
        *self = match (core::mem::replace(self, Self::Unknown), other) {
            (Self::Holds(one), Some(other)) => Self::Holds(one.or(other)),
            _ => Self::Unknown,
        };
    }
}

impl<'a, 'p> Flow<'a, 'p> {
    /// Before the first statement.
    pub(super) fn new(place: Place<'a, 'p>, is_location: bool, takes_groups: bool) -> Self {
        Self {
            after: place.values.clone(),
            place,
            is_location,
            takes_groups,
            broke: When::Holds(Predicate::False),
            broke_of_walk: When::Holds(Predicate::False),
            waits: When::Holds(Predicate::False),
            breaks: (false, false),
            path: Predicate::True,
            branches: Vec::new(),
            changed: BTreeSet::new(),
            changes: Moves::default(),
            is_over: false,
            out: Vec::new(),
        }
    }

    /// The statements, those that a `break` skips in blocks of their own.
    pub(super) fn finish(self) -> (Vec<Node>, Self) {
        let mut flow = self;
        let nodes = grouped(core::mem::take(&mut flow.out));
        (nodes, flow)
    }

    /// Where the URI of a `proxy_pass` counts: nginx ignores it once a rewrite has changed the path for good.
    pub(super) fn uri(&self) -> UriUse {
        match (self.breaks, &self.waits) {
            ((false, false), _) | ((false, true), When::Holds(Predicate::False)) => UriUse::Always,
            ((true, false), _) => UriUse::UnlessBreak,
            ((false, true), When::Holds(waits)) => UriUse::UnlessWhen(waits.clone()),
            _ => UriUse::Unknown,
        }
    }

    fn push(&mut self, node: Node, skipped: bool, may_break: bool) {
        let ends_with_break = skipped && self.broke.is_possible();
        self.out.push(Piece { node, ends_with_break, may_break });
    }

    fn comments(&mut self, directive: &Directive) {
        for comment in &directive.comments {
            self.push(Node::Comment(comment.text.clone()), true, false);
        }
    }
}

fn grouped(pieces: Vec<Piece>) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut group: Vec<Node> = Vec::new();
    let close = |group: &mut Vec<Node>, nodes: &mut Vec<Node>| {
        if group.iter().any(Node::is_statement) {
            let body = core::mem::take(group);
            let span = body.iter().find_map(|node| match node {
                Node::Line { span, .. } | Node::Block { span, .. } => *span,
                _ => None,
            });
            nodes.push(Node::block("unless break", span.unwrap_or_default(), body));
        } else {
            nodes.append(group);
        }
    };
    for piece in pieces {
        if piece.ends_with_break {
            group.push(piece.node);
            if piece.may_break {
                close(&mut group, &mut nodes);
            }
        } else {
            close(&mut group, &mut nodes);
            nodes.push(piece.node);
        }
    }
    close(&mut group, &mut nodes);
    nodes
}

/// What a path must match where a rewrite of `flow` tries it; None where the path may be another one.
fn tried(flow: &Flow<'_, '_>, source: &str) -> Option<Predicate> {
    let holds = Predicate::atom(format!("path ~ {}", quoted(source)));
    (!flow.place.moves.path).then(|| flow.path.clone().and(holds))
}

/// Whether a page that is sought within stands in for answers of `code`, by the settings of the place or of an `if` before.
fn has_page_within(flow: &Flow<'_, '_>, code: &str) -> bool {
    let stands_in = |page: &Directive| {
        page.args.split_last().is_some_and(|(target, codes)| {
            target.text.starts_with(['/', '@', '$']) && codes.iter().any(|word| word.text == code)
        })
    };
    let levels = flow.branches.iter().map(|branch| &branch.level);
    core::iter::once(&flow.place.level)
        .chain(levels)
        .any(|level| level.effective("error_page").into_iter().any(stands_in))
}

impl<'p> Importer<'p> {
    /// Follows `directives` from where `flow` is.
    pub(super) fn follow(&mut self, directives: &'p [Directive], flow: &mut Flow<'_, 'p>) {
        for directive in directives {
            let done = match directive.name() {
                "rewrite" => self.rewrite(directive, flow),
                "return" => self.answer(directive, flow),
                "set" => self.set(directive, flow),
                "break" => {
                    flow.comments(directive);
                    flow.push(Node::line("break", directive.span), false, true);
                    let path = Some(flow.path.clone());
                    flow.broke.or(path.clone());
                    flow.broke_of_walk.or(path);
                    flow.breaks.1 = true;
                    self.carried(directive);
                    Ok(())
                }
                "if" => self.branch(directive, flow),
                _ => Ok(()),
            };
            if let Err(lack) = done {
                self.lacks(directive, &lack);
            }
        }
    }

    fn rewrite(&mut self, directive: &'p Directive, flow: &mut Flow<'_, 'p>) -> Result<(), Lack> {
        let (source, target, flag) = match directive.args.as_slice() {
            [source, target] => (source, target, ""),
            [source, target, flag] => (source, target, flag.text.as_str()),
            _ => return Err(Lack::Wrong("invalid number of arguments in \"rewrite\" directive".to_owned())),
        };
        if !["", "last", "break", "redirect", "permanent"].contains(&flag) {
            return Err(Lack::Wrong(format!("invalid parameter \"{flag}\"")));
        }
        if target.text.is_empty() {
            return Err(Lack::Wrong("empty replacement".to_owned()));
        }
        self.carried(directive);
        let leaves = ["http://", "https://", "$scheme"].iter().any(|prefix| target.text.starts_with(prefix));
        let source = regex::source(&source.text);
        let template = self.template(target, &flow.place)?;
        let text = [format!("rewrite {}", word(&source)), template, flag.to_owned()].join(" ").trim_end().to_owned();
        let moves_on = !leaves && !matches!(flag, "redirect" | "permanent");
        flow.comments(directive);
        flow.push(Node::line(text, directive.span), false, flag == "break" && moves_on);
        if !moves_on {
            return Ok(());
        }
        let matched = tried(flow, &source);
        let unless = |broke: &When| match (broke, &matched) {
            (When::Holds(broke), Some(matched)) => Some(matched.clone().and(broke.clone().not())),
            _ => None,
        };
        match flag {
            "break" => {
                let unless_broken = unless(&flow.broke);
                flow.broke_of_walk.or(unless_broken.clone());
                flow.broke.or(unless_broken);
                flow.breaks.0 = true;
            }
            "" => {
                // Also a `break` before the `if` that it stands in.
                let unless_broken = unless(&flow.broke_of_walk);
                flow.waits.or(unless_broken);
                flow.place.moves.path = true;
                flow.place.moves.args |= target.text.contains('?');
            }
            _ => {}
        }
        Ok(())
    }

    fn answer(&mut self, directive: &'p Directive, flow: &mut Flow<'_, 'p>) -> Result<(), Lack> {
        self.carried(directive);
        let text = self.return_text(directive, flow)?;
        flow.comments(directive);
        flow.push(Node::line(text, directive.span), true, false);
        flow.is_over |= flow.path == Predicate::True && !flow.broke.is_possible();
        Ok(())
    }

    fn return_text(&mut self, directive: &'p Directive, flow: &Flow<'_, 'p>) -> Result<String, Lack> {
        let place = &flow.place;
        let first = directive.arg(0);
        let leaves = ["http://", "https://", "$scheme"].iter().any(|prefix| first.starts_with(prefix));
        let invalid = || Lack::Wrong(format!("invalid return code \"{first}\""));
        let code = if leaves { "302" } else { first };
        if matches!(code, "301" | "302" | "303" | "307" | "308") && has_page_within(flow, code) {
            return Err(Lack::beyond("an error page stands in for it, and nginx drops the body of the request before"));
        }
        match directive.args.as_slice() {
            [url] if leaves => Ok(format!("return 302 {}", self.template(url, place)?)),
            [code, rest @ ..] if rest.len() < 2 => {
                let status: u16 = code.text.parse().ok().filter(|status| *status <= 999).ok_or_else(invalid)?;
                let redirects = matches!(status, 301 | 302 | 303 | 307 | 308);
                match (status, rest) {
                    (444, _) => Ok("return 444".to_owned()),
                    (200..=599, []) if !redirects => Ok(format!("return {status}")),
                    (200..=599, [url]) if redirects && !url.text.is_empty() => {
                        Ok(format!("return {status} {}", self.template(url, place)?))
                    }
                    (204 | 304, [_]) => Ok(format!("return {status}")),
                    // An empty text is none: an error page may stand in.
                    (400..=599, [text]) if text.text.is_empty() => Ok(format!("return {status}")),
                    (200..=599, [text]) if !redirects => {
                        Ok(format!("return {status} {}", quoted(&self.template_text(&text.text, place)?)))
                    }
                    (200..=599, _) => Err(Lack::beyond("a redirect that leads nowhere")),
                    _ => Err(Lack::beyond(format!("{status} is no status of an answer"))),
                }
            }
            _ => Err(Lack::Wrong("invalid number of arguments in \"return\" directive".to_owned())),
        }
    }

    fn set(&mut self, directive: &'p Directive, flow: &mut Flow<'_, 'p>) -> Result<(), Lack> {
        let [variable, value] = directive.args.as_slice() else {
            return Err(Lack::Wrong("invalid number of arguments in \"set\" directive".to_owned()));
        };
        let Some(name) = variable.text.strip_prefix('$').map(str::to_ascii_lowercase) else {
            return Err(Lack::Wrong(format!("invalid variable name \"{}\"", variable.text)));
        };
        self.carried(directive);
        if flow.takes_groups && variables(value).iter().any(|name| self.maps.tries_regexes(&name.to_ascii_lowercase()))
        {
            return Err(Lack::beyond("the regexes of its table change `$1`, which is used here"));
        }
        let known = self.known_text(value, &flow.place)?;
        if name == "args" {
            flow.place.moves.args = true;
            flow.changes.args = true;
        } else {
            let path = flow.path.clone();
            match &flow.broke_of_walk {
                When::Holds(broke) => flow.after.set(&name, &path.clone().and(broke.clone().not()), known.clone()),
                When::Unknown => flow.after.open(&name, "a `break` above may have skipped its `set`"),
            }
            flow.place.values.set(&name, &path, known);
        }
        if name == "args" || flow.place.server.said.contains(&name) {
            let template = self.template(value, &flow.place)?;
            flow.comments(directive);
            flow.push(Node::line(format!("set ${} {template}", set_name(&name)), directive.span), true, false);
        }
        Ok(())
    }

    fn branch(&mut self, directive: &'p Directive, flow: &mut Flow<'_, 'p>) -> Result<(), Lack> {
        self.carried(directive);
        let condition = self.condition(directive, &flow.place)?;
        self.check_groups(directive, &condition, flow.takes_groups, &flow.place)?;
        let takes_groups =
            condition.source.as_ref().is_some_and(|source| flow.takes_groups || !regex::groups(source).is_empty());
        let level = flow.place.level.inner(directive);
        let broke_before = flow.broke.clone();
        let outer_path = flow.path.clone();
        let before = core::mem::take(&mut flow.out);
        let (was_level, was_over) = (flow.place.level.clone(), flow.is_over);
        flow.path = outer_path.clone().and(condition.holds.clone());
        flow.place.level = level.clone();
        // Within, a `break` before has not happened.
        flow.broke = When::Holds(Predicate::False);
        let settings = if flow.is_location { self.branch_settings(flow) } else { Vec::new() };
        let has_settings = settings.iter().any(Node::is_statement);
        for node in settings {
            flow.push(node, false, false);
        }
        let answers = directive.children().iter().any(|inner| inner.name() == "return");
        self.follow(directive.children(), flow);
        let body = grouped(core::mem::replace(&mut flow.out, before));
        let inner_broke = core::mem::replace(&mut flow.broke, broke_before.clone());
        let may_break = inner_broke.is_possible();
        match inner_broke {
            When::Holds(broke) => flow.broke.or(match &broke_before {
                When::Holds(before) => Some(broke.and(before.clone().not())),
                When::Unknown => None,
            }),
            When::Unknown => flow.broke = When::Unknown,
        }
        if !may_break {
            flow.broke = broke_before.clone();
        }
        let path = core::mem::replace(&mut flow.path, outer_path);
        flow.place.level = was_level;
        flow.is_over = was_over || (flow.is_over && path == Predicate::True && !broke_before.is_possible());
        flow.comments(directive);
        // What is skipped by `break` above is decided with the broke of before.
        let now = core::mem::replace(&mut flow.broke, broke_before.clone());
        self.push_branch(directive, (&condition, takes_groups), body, (has_settings, may_break), flow);
        flow.broke = now;
        if flow.is_location && path != Predicate::False && (!answers || has_settings) {
            // One that always answers has no content, but its settings may stand where they must not.
            let when = if answers && !may_break { Predicate::False } else { path };
            flow.branches.push(Branch { when, broke_before, level, span: directive.span, has_settings });
        }
        Ok(())
    }

    fn push_branch(
        &mut self,
        directive: &'p Directive,
        (condition, takes_groups): (&Condition, bool),
        body: Vec<Node>,
        (has_settings, may_break): (bool, bool),
        flow: &mut Flow<'_, 'p>,
    ) {
        let is_empty = !body.iter().any(Node::is_statement);
        let span = directive.span;
        let place = self.place(span);
        match &condition.regex {
            Some(regex) if takes_groups && !condition.is_negative => {
                flow.push(Node::block(format!("match {regex}"), span, body).remark(place), true, may_break);
                return;
            }
            Some(regex) if takes_groups => {
                flow.push(Node::block(format!("match {regex}"), span, Vec::new()), true, false);
            }
            // A regex without groups leaves `$1` empty, whatever it tries; no method is empty.
            None if condition.source.is_some() && flow.takes_groups => {
                flow.push(Node::block("match method ~ ^$", span, Vec::new()), true, false);
            }
            _ => {}
        }
        if is_empty {
            return;
        }
        match &condition.holds {
            Predicate::False => {}
            // Settings of a block go before those of the blocks above it; no method is empty.
            Predicate::True if has_settings => {
                flow.push(Node::block("when not method ~ ^$", span, body).remark(place), true, may_break);
            }
            Predicate::True => {
                for node in body {
                    flow.push(node, true, may_break);
                }
            }
            holds => {
                flow.push(Node::block(format!("when {}", holds.text()), span, body).remark(place), true, may_break);
            }
        }
    }

    /// The settings of an `if`: its own, and those of the location that an `if` before has changed.
    fn branch_settings(&mut self, flow: &mut Flow<'_, 'p>) -> Vec<Node> {
        let (mut nodes, own) = self.own_settings(&flow.place, &flow.changed);
        let restored: BTreeSet<Kind> = flow.changed.difference(&own).copied().collect();
        nodes.extend(self.restored(&restored, &flow.place));
        flow.changed.extend(own);
        nodes
    }
}
