//! Trees of the mix: prefix locations with ten locations inside each, in two levels or in three.

use super::flat::mixed;
use super::policy::{Kind, Location, Policy};
use super::random::Random;

/// Locations inside one.
const FAN: usize = 10;

pub(crate) fn two_levels(random: &mut Random, locations: usize) -> Policy {
    let mut tree = Tree { located: Vec::new(), locations };
    while tree.has_room() {
        let group = tree.group(random, "/", None);
        tree.leaves(random, &group);
    }
    Policy::new(random, tree.located)
}

pub(crate) fn three_levels(random: &mut Random, locations: usize) -> Policy {
    let mut tree = Tree { located: Vec::new(), locations };
    while tree.has_room() {
        let outer = tree.group(random, "/", None);
        for _ in 0..FAN {
            if tree.has_room() {
                let group = tree.group(random, &outer.prefix, Some(outer.index));
                tree.leaves(random, &group);
            }
        }
    }
    Policy::new(random, tree.located)
}

struct Tree {
    located: Vec<(Location, String)>,
    locations: usize,
}

struct Group {
    prefix: String,
    index: usize,
}

impl Tree {
    fn has_room(&self) -> bool {
        self.located.len() < self.locations
    }

    fn group(&mut self, random: &mut Random, within: &str, parent: Option<usize>) -> Group {
        let index = self.located.len();
        let prefix = format!("{within}g{index}/");
        let path = format!("{prefix}{}", random.name());
        self.located.push((Location { parent, ..Location::new(Kind::Prefix, &*prefix) }, path));
        Group { prefix, index }
    }

    fn leaves(&mut self, random: &mut Random, group: &Group) {
        for _ in 0..FAN {
            if self.has_room() {
                let (location, path) = mixed(random, self.located.len(), &group.prefix);
                self.located.push((Location { parent: Some(group.index), ..location }, path));
            }
        }
    }
}
