//! A policy to decide with, in a form that every engine can take, and the paths it is asked about.

use super::random::Random;
use core::fmt::Write;

/// Paths that one measurement decides in turn.
pub(crate) const PATHS: usize = 512;

pub(crate) struct Policy {
    pub(crate) locations: Vec<Location>,
    pub(crate) paths: Vec<String>,
}

pub(crate) struct Location {
    pub(crate) kind: Kind,
    pub(crate) pattern: String,
    /// What a router of parameters takes for it: `/users/{}/orders`.
    pub(crate) template: Option<String>,
    /// Index of the location that encloses it.
    pub(crate) parent: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Exact,
    Prefix,
    /// `^~`
    StopPrefix,
    Regex,
    /// `~*`
    CaselessRegex,
}

impl Kind {
    pub(crate) fn is_regex(self) -> bool {
        matches!(self, Self::Regex | Self::CaselessRegex)
    }

    fn modifier(self) -> &'static str {
        match self {
            Self::Exact => "= ",
            Self::Prefix => "",
            Self::StopPrefix => "^~ ",
            Self::Regex => "~ ",
            Self::CaselessRegex => "~* ",
        }
    }
}

impl Location {
    pub(crate) fn new(kind: Kind, pattern: impl Into<String>) -> Self {
        Self { kind, pattern: pattern.into(), template: None, parent: None }
    }

    /// The location that takes what `template` takes: `=` where it has no parameter.
    pub(crate) fn of_template(template: String) -> Self {
        if !template.contains("{}") {
            return Self { template: Some(template.clone()), ..Self::new(Kind::Exact, template) };
        }
        let pattern = format!("^{}$", template.replace('.', "\\.").replace("{}", "[^/]+"));
        Self { template: Some(template), ..Self::new(Kind::Regex, pattern) }
    }
}

impl Policy {
    /// Of locations, each with a path that hits it: 512 of these in random order, every tenth turned into a miss.
    pub(crate) fn new(random: &mut Random, located: Vec<(Location, String)>) -> Self {
        let (locations, hits): (Vec<_>, Vec<_>) = located.into_iter().unzip();
        let mut paths: Vec<String> = (0..PATHS).map(|_| random.of(&hits).clone()).collect();
        for (nth, path) in paths.iter_mut().step_by(10).enumerate() {
            *path = if nth % 2 == 0 { strayed(random, path) } else { format!("{}{}", random.path(5), random.name()) };
        }
        Self { locations, paths }
    }

    /// The same locations without their nesting.
    pub(crate) fn flattened(mut self) -> Self {
        for location in &mut self.locations {
            location.parent = None;
        }
        self
    }

    /// As a `.rules` text in which every location answers 200, and the index of the location that each line opens.
    pub(crate) fn rules(&self) -> (String, Vec<Option<usize>>) {
        self.worded(&Wording { before: "", service: "", location: |_| "return 200;".to_owned() })
    }

    /// The same with other statements.
    pub(crate) fn worded(&self, wording: &Wording) -> (String, Vec<Option<usize>>) {
        let mut inner = vec![Vec::new(); self.locations.len()];
        let mut outermost = Vec::new();
        for (index, location) in self.locations.iter().enumerate() {
            location.parent.map_or(&mut outermost, |parent| &mut inner[parent]).push(index);
        }
        let before = format!("{}service bench {{\n    server_name bench.test;\n{}", wording.before, wording.service);
        // Lines count from 1.
        let opens = vec![None; before.lines().count() + 1];
        let mut text = Text { rules: before, opens, location: wording.location };
        for index in outermost {
            text.location(&self.locations, &inner, index);
        }
        text.rules.push_str("}\n");
        (text.rules, text.opens)
    }
}

/// `path` with a byte in its first half that no location has there.
fn strayed(random: &mut Random, path: &str) -> String {
    let at = 1 + random.below(path.len() / 2);
    format!("{}_{}", &path[..at], &path[at + 1..])
}

/// Statements around and in the locations; each ends its lines.
pub(crate) struct Wording {
    pub(crate) before: &'static str,
    pub(crate) service: &'static str,
    /// The statements of the location of this index, without a line's end.
    pub(crate) location: fn(usize) -> String,
}

struct Text {
    rules: String,
    opens: Vec<Option<usize>>,
    location: fn(usize) -> String,
}

impl Text {
    fn location(&mut self, locations: &[Location], inner: &[Vec<usize>], index: usize) {
        let Location { kind, pattern, .. } = &locations[index];
        self.opens.push(Some(index));
        write!(self.rules, "    location {}{pattern} {{", kind.modifier()).expect("a string takes everything");
        if !inner[index].is_empty() {
            self.rules.push('\n');
            for &index in &inner[index] {
                self.location(locations, inner, index);
            }
            self.opens.push(None);
            self.rules.push_str("   ");
        }
        writeln!(self.rules, " {} }}", (self.location)(index)).expect("a string takes everything");
    }
}
