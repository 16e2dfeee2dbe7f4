//! What has to be known of a whole server before its statements are followed.

use super::condition::{tried, variables};
use super::place::{Moves, Server, Target};
use super::regex;
use super::tree::Directive;
use super::variable::{Part, parts};

impl<'p> Server<'p> {
    /// Takes note of what `directives` and all below them say; `block` tells the blocks with statements apart.
    pub(super) fn survey(&mut self, directives: &'p [Directive], block: usize, blocks: &mut usize) {
        for directive in directives {
            self.note(directive, block);
            let inner = if directive.name() == "location" {
                *blocks += 1;
                *blocks
            } else {
                block
            };
            self.survey(directive.children(), inner, blocks);
        }
    }

    fn note(&mut self, directive: &'p Directive, block: usize) {
        match directive.name() {
            "set" => {
                let name = directive.arg(0).trim_start_matches('$').to_ascii_lowercase();
                if !is_builtin(&name) {
                    let parts = directive.args.get(1).map(variables).unwrap_or_default();
                    self.made_of.entry(name.clone()).or_default().extend(parts);
                    self.sets.entry(name).or_default().insert(block);
                }
            }
            "location" => {
                let pattern = directive.args.last().map_or("", |word| word.text.as_str());
                if let Some(name) = pattern.strip_prefix('@') {
                    self.named.insert(name.to_owned());
                }
                self.groups.extend(regex::groups(pattern.trim_start_matches(['~', '*'])));
            }
            "if" => self.groups.extend(tried(directive).iter().flat_map(|source| regex::groups(source))),
            "server_name" => {
                for name in directive.args.iter().filter_map(|word| word.text.strip_prefix('~')) {
                    self.groups.extend(regex::groups(name));
                }
            }
            "rewrite" => {
                self.groups.extend(regex::groups(directive.arg(0)));
                self.rewrite_target(directive, block == 0);
            }
            "error_page" if raised(directive) => self.redirect_target(directive),
            "try_files" => self.redirect_target(directive),
            _ => {}
        }
        self.passes_on |= directive.name().ends_with("_pass");
        self.note_groups(directive);
    }

    /// Whether texts use `$1` and its like; rewrites use those that they capture themselves.
    fn note_groups(&mut self, directive: &Directive) {
        let skipped = match directive.name() {
            // Conditions are guards, and guards ask no variables.
            "if" | "rewrite" => directive.args.len(),
            "set" => 1,
            _ => 0,
        };
        let mut names = directive.args.iter().skip(skipped).flat_map(variables);
        self.takes_groups |= names.any(|name| matches!(name.as_bytes(), [b'1'..=b'9']));
    }

    fn rewrite_target(&mut self, directive: &Directive, is_of_server: bool) {
        let target = directive.arg(1);
        let leaves = ["http://", "https://", "$scheme"].iter().any(|prefix| target.starts_with(prefix));
        // A `break` of a location stays there.
        let stays = directive.arg(2) == "break" && !is_of_server;
        if leaves || stays || matches!(directive.arg(2), "redirect" | "permanent") {
            return;
        }
        let moves = Moves { path: true, args: target.contains('?') };
        self.targets.push(Target { moves, is_redirect: false, ..target_of(target) });
    }

    fn redirect_target(&mut self, directive: &Directive) {
        let target = directive.args.last().map_or("", |word| word.text.as_str());
        let leaves = target.starts_with(['@', '=']) || target.contains("://") || target.starts_with("$scheme");
        if leaves || directive.args.len() < 2 {
            return;
        }
        let moves = Moves { path: true, args: true };
        self.targets.push(Target { moves, is_redirect: true, ..target_of(target) });
    }

    /// What may have changed where a request comes to a location: `takes` tells which paths it takes.
    pub(super) fn moves_to(&self, takes: &dyn Fn(&Target) -> bool) -> Moves {
        if self.targets.len() > TARGETS_MAX {
            return self.targets.iter().fold(Moves::default(), |moves, target| moves.or(target.moves));
        }
        self.targets
            .iter()
            .filter(|target| takes(target))
            .fold(Moves::default(), |moves, target| moves.or(target.moves))
    }

    /// What may have changed where the statements of the server are run.
    pub(super) fn moves_again(&self) -> Moves {
        let again = self.targets.iter().filter(|target| target.is_redirect);
        again.fold(Moves::default(), |moves, target| moves.or(target.moves))
    }
}

/// Targets that each location is held against: beyond, each is taken to lead everywhere.
const TARGETS_MAX: usize = 4_096;

/// What rewrites among `directives` change for what is done behind them, in the same location.
pub(super) fn changes(directives: &[Directive]) -> Moves {
    directives.iter().fold(Moves::default(), |moves, directive| {
        moves.or(match directive.name() {
            "rewrite" if !matches!(directive.arg(2), "redirect" | "permanent") => {
                Moves { path: true, args: directive.arg(1).contains('?') }
            }
            "set" if directive.arg(0).eq_ignore_ascii_case("$args") => Moves { path: false, args: true },
            "if" => changes(directive.children()),
            _ => Moves::default(),
        })
    })
}

fn target_of(text: &str) -> Target {
    let path = text.split('?').next().unwrap_or("");
    let parts = parts(path).unwrap_or_default();
    let front = match parts.first() {
        Some(Part::Text(text)) => text.clone(),
        _ => String::new(),
    };
    Target { front, is_whole: parts.len() <= 1, moves: Moves::default(), is_redirect: false }
}

/// Whether a decision can raise one of the codes: what only an upstream can bring changes no request before.
fn raised(directive: &Directive) -> bool {
    let of_upstream = |code: &str| matches!(code, "500" | "502" | "503" | "504");
    directive.args.iter().any(|word| word.text.parse::<u16>().is_ok() && !of_upstream(&word.text))
}

/// Variables that `set` cannot make.
fn is_builtin(name: &str) -> bool {
    name == "args"
}
