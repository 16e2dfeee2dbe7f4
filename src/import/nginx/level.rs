//! Levels of a configuration, and what an inner one takes over from the outer ones.

use super::tree::Directive;
use core::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// `http`, a `server`, a `location`, an `if` or a `limit_except`, and the levels around it.
#[derive(Clone, Debug)]
pub(super) struct Level<'p> {
    /// What stands on it.
    pub(super) directives: &'p [Directive],
    /// The directive whose block it is, if it is one of `http` or within.
    pub(super) of: Option<&'p Directive>,
    /// The level around it.
    pub(super) outer: Option<Rc<Self>>,
    /// By name: where in `directives`, filled in when it is first asked for.
    by_name: Rc<OnceCell<ByName<'p>>>,
}

type ByName<'p> = BTreeMap<&'p str, Vec<&'p Directive>>;

/// Levels of more directives are asked by an index: every location of a server asks for what stands around it.
const SCANNED_MAX: usize = 16;

impl<'p> Level<'p> {
    /// The outermost level.
    pub(super) fn outermost(directives: &'p [Directive]) -> Self {
        Self { directives, of: None, outer: None, by_name: Rc::default() }
    }

    /// The level of `directives` inside of `outer`.
    pub(super) fn within(outer: &Self, directives: &'p [Directive]) -> Self {
        Self { outer: Some(Rc::new(outer.clone())), ..Self::outermost(directives) }
    }

    /// The block of `directive`, inside of this one.
    pub(super) fn inner(&self, directive: &'p Directive) -> Self {
        Self { of: Some(directive), ..Self::within(self, directive.children()) }
    }

    /// Its own directives called `name`.
    pub(super) fn own(&self, name: &str) -> Vec<&'p Directive> {
        if self.directives.len() <= SCANNED_MAX {
            return self.directives.iter().filter(|directive| directive.name() == name).collect();
        }
        self.index().get(name).cloned().unwrap_or_default()
    }

    fn has(&self, name: &str) -> bool {
        if self.directives.len() <= SCANNED_MAX {
            return self.directives.iter().any(|directive| directive.name() == name);
        }
        self.index().contains_key(name)
    }

    fn index(&self) -> &ByName<'p> {
        self.by_name.get_or_init(|| {
            let mut index = ByName::new();
            for directive in self.directives {
                index.entry(directive.name()).or_default().push(directive);
            }
            index
        })
    }

    /// The directives called `name` of the innermost level that has one: what nginx takes for lists.
    pub(super) fn effective(&self, name: &str) -> Vec<&'p Directive> {
        match &self.outer {
            Some(outer) if !self.has(name) => outer.effective(name),
            _ => self.own(name),
        }
    }

    /// The directive called `name` that counts here, for those that stand once.
    pub(super) fn one(&self, name: &str) -> Option<&'p Directive> {
        self.effective(name).into_iter().next()
    }

    /// What the levels around it say with `name`.
    pub(super) fn inherited(&self, name: &str) -> Vec<&'p Directive> {
        self.outer.as_ref().map(|outer| outer.effective(name)).unwrap_or_default()
    }
}
