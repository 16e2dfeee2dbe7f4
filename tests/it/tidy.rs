//! The shape of the project, held: who may know whom, and how long a file may get.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file: its path from the root of the project, and its text.
struct SourceFile {
    path: String,
    text: String,
}

impl SourceFile {
    /// Its lines of code: without comments, and without the tests at its end.
    fn code(&self) -> impl Iterator<Item = &str> {
        let lines = self.text.lines().take_while(|line| *line != "#[cfg(test)]");
        lines.map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"))
    }

    fn is_below(&self, folders: &[&str]) -> bool {
        folders.iter().any(|folder| self.path.starts_with(folder))
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn sources(folder: &str) -> Vec<SourceFile> {
    let mut paths = Vec::new();
    files_below(&root().join(folder), &mut paths);
    let read = |path: PathBuf| SourceFile {
        text: fs::read_to_string(&path).unwrap(),
        path: path.strip_prefix(root()).unwrap().to_string_lossy().into_owned(),
    };
    paths.into_iter().map(read).collect()
}

/// Whether `line` names the module or crate `name` in a path, `name::`.
fn names(line: &str, name: &str) -> bool {
    let needle = format!("{name}::");
    line.match_indices(&needle).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && c != '_')
    })
}

/// Fails where a file of `folder` names one of `strangers`.
fn check_knows_nothing_of(folder: &str, exceptions: &[&str], strangers: &[&str]) {
    for file in sources(folder).iter().filter(|file| !file.is_below(exceptions)) {
        for line in file.code() {
            for stranger in strangers {
                let imported = names(line, &format!("crate::{stranger}")) || names(line, &format!("rulec::{stranger}"));
                assert!(!imported, "{} knows {stranger}: {line}", file.path);
            }
        }
    }
}

/// Fails where a file outside `homes` names `krate`.
fn check_lives_only_in(krate: &str, homes: &[&str]) {
    for file in sources("src").iter().filter(|file| !file.is_below(homes)) {
        for line in file.code() {
            assert!(!names(line, krate), "{} knows {krate}: {line}", file.path);
        }
    }
}

const COMPILER: [&str; 8] = ["analysis", "automaton", "diagnostic", "diagram", "import", "model", "regex", "syntax"];

#[test]
fn nothing_on_the_request_path_knows_the_compiler() {
    check_knows_nothing_of("src/artifact", &["src/artifact/compile"], &COMPILER);
    check_knows_nothing_of("src/proxy", &[], &COMPILER);
    check_knows_nothing_of("src/bin", &["src/bin/rulec/"], &COMPILER);
}

#[test]
fn the_compiler_knows_nothing_of_the_proxy() {
    for folder in COMPILER {
        check_knows_nothing_of(&format!("src/{folder}"), &[], &["proxy"]);
    }
}

/// From the ground up: each room knows only those that stand before it.
const ROOMS: [&str; 11] = [
    "diagnostic",
    "syntax",
    "regex",
    "model",
    "diagram",
    "automaton",
    "trial",
    "artifact",
    "analysis",
    "import",
    "proxy",
];

#[test]
fn each_room_knows_only_those_below_it() {
    for (index, room) in ROOMS.iter().enumerate() {
        check_knows_nothing_of(&format!("src/{room}"), &[], &ROOMS[index + 1..]);
    }
    for room in ["regex", "diagram"] {
        check_knows_nothing_of(&format!("src/{room}"), &[], &["syntax", "model", "matcher"]);
    }
    check_knows_nothing_of("src/model", &[], &["matcher"]);
}

/// What is imported in one group would escape the other tests.
#[test]
fn rooms_are_named_one_a_line() {
    for file in sources("src") {
        for line in file.code() {
            assert!(!line.contains("use crate::{"), "{}: {line}", file.path);
        }
    }
}

#[test]
fn each_large_dependency_has_one_home() {
    check_lives_only_in("pest", &["src/syntax"]);
    check_lives_only_in("pest_derive", &["src/syntax"]);
    check_lives_only_in("annotate_snippets", &["src/diagnostic"]);
    check_lives_only_in("hyper", &["src/proxy", "src/bin/rulec/demo"]);
    check_lives_only_in("hyper_util", &["src/proxy", "src/bin/rulec/demo"]);
    check_lives_only_in("h2", &["src/proxy"]);
    check_lives_only_in("clap", &["src/bin"]);
}

/// 400 lines are about eight screens: what one reader can hold. Comments and tests do not count.
#[test]
fn a_file_is_one_idea() {
    for file in sources("src") {
        let lines = file.code().count();
        assert!(lines <= 400, "{} has {lines} lines of code", file.path);
    }
}

/// A package that is neither a member nor a workspace of its own is one that cargo refuses to read.
#[test]
fn every_package_of_the_benches_stands_beside_the_workspace() {
    for folder in ["vectorscan", "peers/handshakes"] {
        let path = root().join("benches").join(folder).join("Cargo.toml");
        let manifest = fs::read_to_string(&path).unwrap();
        assert!(manifest.lines().any(|line| line == "[workspace]"), "{}", path.display());
    }
}

/// It is what members exchange, not a store-room.
#[test]
fn the_contract_stays_small() {
    let lines: usize = sources("src/contract").iter().map(|file| file.text.lines().count()).sum();
    assert!(lines <= 1_500, "{lines} lines");
}

#[test]
fn no_module_is_a_drawer() {
    for file in sources("src").iter().chain(&sources("tests")) {
        let stem = Path::new(&file.path).file_stem().unwrap().to_string_lossy();
        let drawer = ["util", "utils", "helpers", "misc", "common"].contains(&stem.as_ref());
        assert!(!drawer, "{}: a name that says nothing", file.path);
    }
}

#[test]
fn unsafe_code_is_forbidden_in_every_library_and_binary() {
    for path in
        ["src/contract/lib.rs", "src/matcher/lib.rs", "src/lib.rs", "src/bin/rulec/main.rs", "src/bin/rulec-proxy.rs"]
    {
        let text = fs::read_to_string(root().join(path)).unwrap();
        assert!(text.contains("#![forbid(unsafe_code)]"), "{path}");
    }
}
