//! Where a piece of the configuration stands, and what can be said of requests that come there.

use super::level::Level;
use super::values::Values;
use std::collections::{BTreeMap, BTreeSet};

/// A `server`.
#[derive(Clone, Debug)]
pub(super) struct Server<'p> {
    /// What stands in it, with `http` around it.
    pub(super) level: Level<'p>,
    /// `$server_name`
    pub(super) first_name: String,
    /// `$server_port`, if there is one only.
    pub(super) port: Option<String>,
    /// Whether TLS is spoken, if it is the same everywhere.
    pub(super) is_tls: Option<bool>,
    /// Variables that `set` keeps, and in how many blocks.
    pub(super) sets: BTreeMap<String, BTreeSet<usize>>,
    /// The variables that their values are made of.
    pub(super) made_of: BTreeMap<String, BTreeSet<String>>,
    /// Names of groups of its regexes.
    pub(super) groups: BTreeSet<String>,
    /// Variables and groups that texts of the rules name: the `set` of any other is not written.
    pub(super) said: BTreeSet<String>,
    /// Whether `$1` and its like are used outside of the rewrites that capture them.
    pub(super) takes_groups: bool,
    /// Whether it passes requests on.
    pub(super) passes_on: bool,
    /// Where internal redirects of it can lead.
    pub(super) targets: Vec<Target>,
    /// Names of `@` locations.
    pub(super) named: BTreeSet<String>,
    /// Whether it stands for all servers that a table is filled in for.
    pub(super) is_any: bool,
}

impl Server<'_> {
    /// Texts name `names`, and so what these are made of.
    pub(super) fn say(&mut self, names: BTreeSet<String>) {
        let mut waiting: Vec<String> = names.into_iter().collect();
        while let Some(name) = waiting.pop() {
            if self.said.insert(name.clone()) {
                waiting.extend(self.made_of.get(&name).into_iter().flatten().cloned());
            }
        }
    }
}

/// What of a request may be another one than it came with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moves {
    /// The path.
    pub(super) path: bool,
    /// The query.
    pub(super) args: bool,
}

impl Moves {
    /// What either changes.
    pub(super) fn or(self, other: Self) -> Self {
        Self { path: self.path || other.path, args: self.args || other.args }
    }
}

/// A place in the flow of statements.
#[derive(Clone, Debug)]
pub(super) struct Place<'a, 'p> {
    /// The server.
    pub(super) server: &'a Server<'p>,
    /// The level.
    pub(super) level: Level<'p>,
    /// What may have changed before.
    pub(super) moves: Moves,
    /// What variables that `set` keeps are known to be.
    pub(super) values: Values,
    /// Whether guards cannot tell if nginx ignores the URI of a `proxy_pass`.
    pub(super) ignores_uri: bool,
    /// `$proxy_host`, where requests are passed on.
    pub(super) proxy_host: Option<String>,
}

/// A path that a rewrite, an error page or `try_files` leads to.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// How it begins.
    pub(super) front: String,
    /// Whether that is all of it.
    pub(super) is_whole: bool,
    /// What the way there changes.
    pub(super) moves: Moves,
    /// Whether the service's statements are run again.
    pub(super) is_redirect: bool,
}
