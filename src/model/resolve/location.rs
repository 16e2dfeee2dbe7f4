//! Locations: what paths they take, and how they nest.

use super::Resolver;
use super::statement::{LocationScope, Scope, ServiceScope, slash_redirect_switch};
use crate::diagnostic::{Diagnostic, Span};
use crate::model::{Answer, Location, LocationId, LocationPaths, ServiceId, Statement, StatementKind};
use crate::syntax::ast::{self, Word};
use std::collections::BTreeMap;

/// A location whose block is being read.
pub(super) struct Parent<'p> {
    id: LocationId,
    head: Span,
    /// Its pattern, whatever its kind: nginx compares nested prefixes with it.
    pattern: &'p str,
    exact: bool,
    is_internal: bool,
}

impl Resolver<'_> {
    /// Reads the locations of one level; `rewrite` is a rewrite of the service that may have changed the path.
    pub(super) fn locations(
        &mut self,
        body: &[ast::Statement],
        service: &ServiceScope,
        parent: Option<&Parent<'_>>,
        rewrite: Option<Span>,
    ) -> Vec<LocationId> {
        let mut ids = Vec::new();
        let mut literals: BTreeMap<(bool, Vec<u8>), Span> = BTreeMap::new();
        for statement in body {
            let ast::StatementKind::Location(location) = &statement.kind else { continue };
            if is_named(location) {
                self.refuse_nested_name(statement.head, parent);
                continue;
            }
            let Some(paths) = self.paths(location, statement.head) else { continue };
            let literal = match &paths {
                LocationPaths::Exact(path) => Some((true, path.clone())),
                LocationPaths::Prefix { prefix, .. } => Some((false, prefix.clone())),
                LocationPaths::Regex(_) | LocationPaths::Named => None,
            };
            if let Some(literal) = literal {
                if let Some(first) = literals.get(&literal) {
                    let message = format!("`location {}` stands here twice", display(location));
                    let diagnostic = Diagnostic::error("duplicate-location", statement.head, message);
                    self.say(
                        diagnostic.related(*first, "first here").help("leave one of them out, or put them together"),
                    );
                }
                literals.entry(literal).or_insert(statement.head);
            }
            if let Some(parent) = parent {
                self.check_nesting(location, statement.head, &paths, parent);
            }
            ids.push(self.location(location, statement, paths, service, (parent, rewrite)));
        }
        ids
    }

    fn location(
        &mut self,
        location: &ast::Location,
        statement: &ast::Statement,
        paths: LocationPaths,
        service: &ServiceScope,
        (parent, rewrite): (Option<&Parent<'_>>, Option<Span>),
    ) -> LocationId {
        let id = LocationId(u32::try_from(self.policy.locations.len()).unwrap_or(u32::MAX));
        let exact = matches!(paths, LocationPaths::Exact(_));
        let prefix_octets = match &paths {
            LocationPaths::Exact(path) | LocationPaths::Prefix { prefix: path, .. } => Some(path.len()),
            LocationPaths::Regex(_) | LocationPaths::Named => None,
        };
        // Its place is taken before nested ones refer to it.
        self.policy.locations.push(Location {
            span: statement.head,
            service: service.id,
            parent: parent.map(|parent| parent.id),
            paths,
            name: location.name.as_ref().map(|name| name.text.clone()),
            display: display(location),
            proxies: false,
            is_internal: parent.is_some_and(|parent| parent.is_internal) || says_internal(&location.body),
            statements: Vec::new(),
            nested: Vec::new(),
        });
        let inner = LocationScope { span: statement.span, prefix_octets };
        let mut scope = Scope::of_location(service, inner, rewrite);
        let statements = self.statements(&location.body, &mut scope);
        let switch = location.body.iter().find_map(|statement| slash_redirect_switch(&statement.kind));
        let is_internal = self.policy.locations.get(id.0 as usize).is_some_and(|location| location.is_internal);
        let itself = Parent { id, head: statement.head, pattern: &location.pattern.text, exact, is_internal };
        let nested = self.locations(&location.body, service, Some(&itself), rewrite);
        if let Some(location) = self.policy.locations.get_mut(id.0 as usize) {
            location.proxies = switch.unwrap_or_else(|| holds_proxy(&statements, !service.unguarded_proxy_only));
            location.statements = statements;
            location.nested = nested;
        }
        id
    }

    /// nginx knows named locations directly in a server only.
    fn refuse_nested_name(&mut self, head: Span, parent: Option<&Parent<'_>>) {
        let Some(parent) = parent else { return };
        let diagnostic = Diagnostic::error("named-location", head, "a named location cannot be inside another one");
        self.say(diagnostic.related(parent.head, "encloses it").help("move it to the top of the service"));
    }

    /// Gives the named locations of a service their places, so that statements above them can name them.
    pub(super) fn named_locations(&mut self, service: ServiceId, body: &[ast::Statement]) -> Vec<LocationId> {
        let mut ids = Vec::new();
        for (statement, location) in named(body) {
            ids.push(LocationId(u32::try_from(self.policy.locations.len()).unwrap_or(u32::MAX)));
            self.policy.locations.push(Location {
                span: statement.head,
                service,
                parent: None,
                paths: LocationPaths::Named,
                name: location.name.as_ref().map(|name| name.text.clone()),
                display: location.pattern.text.clone(),
                proxies: false,
                is_internal: says_internal(&location.body),
                statements: Vec::new(),
                nested: Vec::new(),
            });
        }
        ids
    }

    /// By name; of several the first, as nginx takes it.
    pub(super) fn first_of_each_name(body: &[ast::Statement], ids: &[LocationId]) -> BTreeMap<String, LocationId> {
        let names = named(body).map(|(_, location)| location.pattern.text.clone());
        let mut first = BTreeMap::new();
        for (name, id) in names.zip(ids) {
            first.entry(name).or_insert(*id);
        }
        first
    }

    /// Reads the blocks of the named locations of a service, whose places are `ids`.
    pub(super) fn fill_named_locations(
        &mut self,
        body: &[ast::Statement],
        ids: &[LocationId],
        service: &ServiceScope,
        rewrite: Option<Span>,
    ) {
        for ((statement, location), id) in named(body).zip(ids) {
            let inner = LocationScope { span: statement.span, prefix_octets: None };
            let statements = self.statements(&location.body, &mut Scope::of_location(service, inner, rewrite));
            let nested = location.body.iter().find(|inner| matches!(inner.kind, ast::StatementKind::Location(_)));
            if let Some(nested) = nested {
                let message = "nothing can be inside a named location";
                let diagnostic = Diagnostic::error("named-location", nested.head, message);
                self.say(diagnostic.related(statement.head, "is named").help("it has no path: use `when path ...`"));
            }
            if let Some(place) = self.policy.locations.get_mut(id.0 as usize) {
                place.statements = statements;
            }
        }
    }

    fn paths(&mut self, location: &ast::Location, head: Span) -> Option<LocationPaths> {
        let pattern = &location.pattern;
        let Some(modifier) = &location.modifier else {
            return self.literal(pattern).map(|prefix| LocationPaths::Prefix { prefix, stops_regex: false });
        };
        match modifier.text.as_str() {
            "=" => self.literal(pattern).map(LocationPaths::Exact),
            "^~" => self.literal(pattern).map(|prefix| LocationPaths::Prefix { prefix, stops_regex: true }),
            "~" => Some(LocationPaths::Regex(self.pattern(pattern, 0, false))),
            "~*" => Some(LocationPaths::Regex(self.pattern(pattern, 0, true))),
            other => {
                let message = format!("`{other}` is no modifier of a location");
                self.error("unknown-modifier", modifier.span.to(head), message, "there are `=`, `^~`, `~` and `~*`");
                None
            }
        }
    }

    fn literal(&mut self, pattern: &Word) -> Option<Vec<u8>> {
        if pattern.text.is_empty() {
            self.error("invalid-value", pattern.span, "an empty path", "`location / { ... }` takes every path");
            return None;
        }
        Some(pattern.text.as_bytes().to_vec())
    }

    /// nginx's rules (L-29): none inside `=`, and what is no regex begins with what encloses it.
    fn check_nesting(&mut self, location: &ast::Location, head: Span, paths: &LocationPaths, parent: &Parent<'_>) {
        let display = display(location);
        if parent.exact {
            let message = format!("`location {display}` cannot be inside an exact location");
            let diagnostic = Diagnostic::error("location-inside-exact", head, message);
            self.say(diagnostic.related(parent.head, "takes one path only").help("move it out"));
            return;
        }
        if !matches!(paths, LocationPaths::Regex(_)) && !location.pattern.text.starts_with(parent.pattern) {
            let message = format!("`location {display}` is outside the location that encloses it");
            let diagnostic = Diagnostic::error("location-outside-parent", head, message);
            let text = format!("its paths do not begin with `{}`", parent.pattern);
            self.say(diagnostic.related(parent.head, "encloses it").label(text).help("move it out"));
        }
    }
}

/// The named locations of a service.
fn named(body: &[ast::Statement]) -> impl Iterator<Item = (&ast::Statement, &ast::Location)> {
    body.iter().filter_map(|statement| match &statement.kind {
        ast::StatementKind::Location(location) if is_named(location) => Some((statement, location)),
        _ => None,
    })
}

/// Whether a location is a named one: `@name`.
fn is_named(location: &ast::Location) -> bool {
    location.modifier.is_none() && location.pattern.text.starts_with('@')
}

/// Whether the block of a location says `internal`.
fn says_internal(body: &[ast::Statement]) -> bool {
    body.iter().any(|statement| matches!(statement.kind, ast::StatementKind::Internal))
}

/// Modifier and pattern as written, unescaped.
fn display(location: &ast::Location) -> String {
    match &location.modifier {
        Some(modifier) => format!("{} {}", modifier.text, location.pattern.text),
        None => location.pattern.text.clone(),
    }
}

fn holds_proxy(statements: &[Statement], guarded_too: bool) -> bool {
    statements.iter().any(|statement| match &statement.kind {
        StatementKind::Answer(Answer::Proxy { .. }) => true,
        _ => guarded_too && statement.block().is_some_and(|body| holds_proxy(body, guarded_too)),
    })
}
