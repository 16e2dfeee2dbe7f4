//! What the documentation shows is what the tool does.

use super::{Folder, command, rulec, rulec_with};
use rulec::proxy::Config;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// A fenced block: where it starts, the word behind the fence, and its text.
struct Block {
    place: String,
    language: String,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> =
        fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.extend(["README.md", "ARCHITECTURE.md"].map(|name| root().join(name)));
    pages.sort();
    pages
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let mut lines = (1..).zip(text.lines());
        while let Some((number, line)) = lines.next() {
            let Some(language) = line.strip_prefix("```") else {
                continue;
            };
            let body: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
            let place = format!("{}:{number}", page.file_name().unwrap().to_string_lossy());
            blocks.push(Block { place, language: language.trim().to_owned(), text: body.join("\n") + "\n" });
        }
    }
    blocks
}

#[test]
fn every_rules_block_is_checked_and_its_tests_pass() {
    let rules: Vec<Block> = blocks().into_iter().filter(|block| block.language == "rules").collect();
    assert!(rules.len() >= 2);
    for block in rules {
        let ran = rulec_with(&block.text, ["check", "-"]);
        assert_eq!(ran.status, 0, "{}\n{}", block.place, ran.err);
    }
}

/// What nginx's users would hand over is taken as a whole.
#[test]
fn every_nginx_block_is_imported() {
    let configurations: Vec<Block> = blocks().into_iter().filter(|block| block.language == "nginx").collect();
    assert!(configurations.len() >= 3);
    let folder = Folder::new();
    for block in configurations {
        let path = folder.file("nginx.conf", &block.text);
        let ran = rulec(["import".as_ref(), "nginx".as_ref(), path.as_os_str()]);
        assert_eq!(ran.status, 0, "{}\n{}", block.place, ran.err);
    }
}

/// They run beside `shop.rules`, the example of README.md, and the project's `rules`.
#[test]
fn every_console_block_prints_what_it_shows() {
    let shown = blocks().into_iter().filter(|block| block.language == "console" && block.text.starts_with("$ rulec "));
    // What needs servers is shown by the tests of the doctor.
    let shown = shown.filter(|block| !block.text.starts_with("$ rulec doctor "));
    let folder = Folder::new();
    let example = blocks().into_iter().find(|block| block.place.starts_with("README.md:") && block.language == "rules");
    folder.file("shop.rules", &example.unwrap().text);
    std::os::unix::fs::symlink(root().join("rules"), folder.path("rules")).unwrap();
    let mut count = 0;
    for block in shown {
        for run in block.text.split("$ ").skip(1) {
            let (line, expected) = run.split_once('\n').unwrap();
            let words = words(line);
            assert_eq!(words[0], "rulec", "{}", block.place);
            let output = command(&words[1..]).current_dir(&folder.0).stdin(Stdio::null()).output().unwrap();
            let shown = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            assert_eq!(shown, expected, "{}: {line}", block.place);
            count += 1;
        }
    }
    assert!(count >= 2);
}

/// The words of a command line, as a shell takes apart what stands in the documentation.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (None, ' ') => words.push(String::new()),
            (Some(open), c) if open == c => quote = None,
            (_, c) => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// String literals of the sources below `folder`, tests left out.
fn literals(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            literals(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("\n#[cfg(test)]").next().unwrap();
            let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            for line in lines {
                found.extend(line.split('"').skip(1).step_by(2).map(str::to_owned));
            }
        }
    }
}

fn catalogue() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("docs/errors.md")).unwrap();
    let headings = text.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`'));
    headings.map(str::to_owned).collect()
}

fn is_fault_code(literal: &str) -> bool {
    let Some((family, rest)) = literal.split_once('.') else {
        return false;
    };
    let of_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(of_word);
    ["gateway", "request", "plan", "upstream"].contains(&family) && rest.split('.').all(is_word)
}

#[test]
fn every_refusal_and_fault_is_in_the_catalogue() {
    let mut found = BTreeSet::new();
    literals(&root().join("src/contract"), &mut found);
    literals(&root().join("src/matcher"), &mut found);
    literals(&root().join("src/proxy"), &mut found);
    found.retain(|literal| is_fault_code(literal));
    assert!(found.len() >= 20, "{found:?}");
    let catalogue = catalogue();
    let missing: Vec<&String> = found.difference(&catalogue).collect();
    assert!(missing.is_empty(), "docs/errors.md lacks {missing:?}");
    let stale: Vec<&String> = catalogue.iter().filter(|code| is_fault_code(code) && !found.contains(*code)).collect();
    assert!(stale.is_empty(), "docs/errors.md has {stale:?}, which nothing says");
}

/// What stands in quotes right after `before` in the sources below `folder`, blanks between them ignored.
fn after(folder: &Path, before: &str, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            after(&path, before, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("\n#[cfg(test)]").next().unwrap();
            let literals =
                code.split(before).skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
            found.extend(literals.map(str::to_owned));
        }
    }
}

fn is_doctor_code(literal: &str) -> bool {
    let Some(rest) = literal.strip_prefix("doctor.") else {
        return false;
    };
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    rest.split('.').all(is_word)
}

#[test]
fn every_finding_of_the_doctor_is_in_the_catalogue() {
    let mut found = BTreeSet::new();
    literals(&root().join("src/proxy/doctor"), &mut found);
    found.retain(|literal| is_doctor_code(literal));
    assert!(found.len() >= 20, "{found:?}");
    let documented: BTreeSet<String> = catalogue().into_iter().filter(|code| is_doctor_code(code)).collect();
    assert_eq!(found, documented);
}

/// By name at least: what a test of the doctor names, it expects of a server.
#[test]
fn every_finding_of_the_doctor_is_met_by_a_test() {
    let mut met = BTreeSet::new();
    literals(&root().join("tests/it/cli/doctor"), &mut met);
    let unmet: Vec<String> =
        catalogue().into_iter().filter(|code| is_doctor_code(code) && !met.contains(code)).collect();
    assert!(unmet.is_empty(), "no test of the doctor meets {unmet:?}");
}

fn is_diagnostic_code(literal: &str) -> bool {
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    literal.split('-').all(is_word)
}

#[test]
fn every_diagnostic_is_in_the_catalogue() {
    let mut found = BTreeSet::new();
    let mut all_literals = BTreeSet::new();
    for folder in [
        "src/diagnostic",
        "src/syntax",
        "src/regex",
        "src/model",
        "src/analysis",
        "src/artifact",
        "src/automaton",
        "src/diagram",
        "src/import",
    ] {
        let folder = root().join(folder);
        after(&folder, "error(", &mut found);
        after(&folder, "warning(", &mut found);
        literals(&folder, &mut all_literals);
    }
    found.retain(|literal| is_diagnostic_code(literal));
    assert!(found.len() >= 20, "{found:?}");
    let catalogue = catalogue();
    let missing: Vec<&String> = found.difference(&catalogue).collect();
    assert!(missing.is_empty(), "docs/errors.md lacks {missing:?}");
    let codes = catalogue.iter().filter(|code| !is_fault_code(code) && !is_doctor_code(code));
    let stale: Vec<&String> = codes.filter(|code| !all_literals.contains(*code)).collect();
    assert!(stale.is_empty(), "docs/errors.md has {stale:?}, which nothing says");
}

#[test]
fn every_toml_block_is_a_proxy_toml() {
    let shown: Vec<Block> = blocks().into_iter().filter(|block| block.language == "toml").collect();
    assert!(!shown.is_empty());
    for block in shown {
        let read = Config::parse(&block.text, Path::new("proxy.toml"));
        assert!(read.is_ok(), "{}: {read:?}", block.place);
    }
}
