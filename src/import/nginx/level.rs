//! Levels of a configuration, and what an inner one takes over from the outer ones.

use super::tree::Directive;
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
}

impl<'p> Level<'p> {
    /// The outermost level.
    pub(super) fn outermost(directives: &'p [Directive]) -> Self {
        Self { directives, of: None, outer: None }
    }

    /// The block of `directive`, inside of this one.
    pub(super) fn inner(&self, directive: &'p Directive) -> Self {
        Self { directives: directive.children(), of: Some(directive), outer: Some(Rc::new(self.clone())) }
    }

    /// Its own directives called `name`.
    pub(super) fn own(&self, name: &str) -> Vec<&'p Directive> {
        self.directives.iter().filter(|directive| directive.name() == name).collect()
    }

    /// The directives called `name` of the innermost level that has one: what nginx takes for lists.
    pub(super) fn effective(&self, name: &str) -> Vec<&'p Directive> {
        let own = self.own(name);
        match &self.outer {
            Some(outer) if own.is_empty() => outer.effective(name),
            _ => own,
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
