//! The artifact's one door: nothing that is damaged or hostile comes in, and what comes in cannot hurt.

use rulec::artifact::{Artifact, ArtifactError, ManifestError, compile, manifest_of};
use rulec::automaton::Limits;
use rulec::matcher::{Matcher, Request, Scratch};
use rulec::model::load_text;
use serde_json::{Value, json};

const RULES: &str = r#"
upstream a { server 127.0.0.1:1; }
plans p { credential key from query key or header X-Key; plan small large; }
service s {
    server_name s.test *.s.test ~^(?<who>[a-z]+)\.t$;
    plans p;
    location /a/ {
        methods GET POST;
        when header X-Beta = "1" and not client in 10.0.0.0/8 { return 200 "beta $who"; }
        rewrite ^/a/(.*)$ /b/$1?x=$arg_y last;
        location ~* \.(gif|jpg)$ { plan small { return 403; } proxy a strip /a; }
    }
    location = /b/ { return 307 https://$host$request_uri; }
    location /b/ { set request header X-Plan "$plan"; proxy a "/base/"; }
    location ~ ^/(\w+)\b.*x$ { return 200 "$1"; }
    location ~ ^/files/[0-9]+/edit$ { return 200; }
    location ~ "z[ab]*a[ab]{16}c[ab]{16}d" { return 200; }
}
"#;

fn artifact() -> Vec<u8> {
    let loaded = load_text("s.rules", RULES);
    assert!(loaded.diagnostics.is_empty(), "{:#?}", loaded.diagnostics);
    compile(&loaded.policy, &loaded.sources, &Limits::default()).expect("within the limits").bytes
}

#[test]
fn the_same_policy_gives_the_same_bytes() {
    assert_eq!(artifact(), artifact());
}

#[test]
fn every_truncation_is_refused_by_the_name_of_a_table() {
    let whole = artifact();
    for octets in 0..whole.len() {
        match Matcher::parse(&whole[..octets]) {
            Err(ArtifactError::Length { .. }) => {}
            other => panic!("cut to {octets} octets: {:?}", other.map(|_| "accepted")),
        }
    }
    let mut longer = whole;
    longer.extend([0; 4]);
    assert!(matches!(Matcher::parse(longer).map(|_| ()), Err(ArtifactError::Length { .. })));
}

#[test]
fn every_flipped_bit_is_refused_by_the_name_of_its_table() {
    let whole = artifact();
    let sizes: Vec<(&str, usize)> =
        Matcher::parse(whole.as_slice()).expect("just compiled").artifact().table_sizes().collect();
    let header = whole.len() - sizes.iter().map(|(_, octets)| octets).sum::<usize>();
    let owners = sizes.iter().flat_map(|(name, octets)| std::iter::repeat_n(*name, *octets));
    let owners: Vec<&str> = std::iter::repeat_n("header", header).chain(owners).collect();
    let mut damaged = whole.clone();
    for (index, owner) in owners.iter().enumerate() {
        for bit in 0..8 {
            damaged[index] ^= 1 << bit;
            let error = Matcher::parse(damaged.as_slice()).map(|_| ()).expect_err("a flipped bit must be seen");
            if *owner != "header" {
                assert_eq!(error, ArtifactError::Checksum { table: owner }, "octet {index} bit {bit}");
            }
            damaged[index] ^= 1 << bit;
        }
    }
    assert_eq!(damaged, whole);
}

/// Whoever can write artifacts can also write checksums: then only the checks of the rows stand.
#[test]
fn a_hostile_artifact_with_right_checksums_never_panics() {
    let whole = artifact();
    let tables = table_count(&whole);
    let header = 20 + 8 * tables;
    let mut state = 7u64;
    let mut random = move |bound: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("31 bits") % bound
    };
    let mut scratch = Box::new(Scratch::new());
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..60_000 {
        let mut hostile = whole.clone();
        for _ in 0..=random(3) {
            let word = header + 4 * random((whole.len() - header) / 4);
            let value = [0, 1, 2, 255, u32::MAX, u32::try_from(random(64)).expect("small")][random(6)];
            hostile[word..word + 4].copy_from_slice(&value.to_le_bytes());
        }
        fix_checksums(tables, &mut hostile);
        match Matcher::parse(hostile) {
            Ok(matcher) => {
                accepted += 1;
                for target in [
                    "/a/x.gif?key=1",
                    "/a/x?y=2",
                    "/files/17/edit",
                    "/b",
                    "/b/c%20d",
                    "/wx",
                    "/../x",
                    "/zabababababababababab",
                ] {
                    let headers = [(b"Host".as_slice(), b"ab.s.test".as_slice()), (b"X-Beta", b"1")];
                    let decision = matcher.decide(&Request::get(target.as_bytes(), &headers), &mut scratch);
                    let edits = decision.edits().count();
                    assert!(edits <= 1024, "{edits}");
                }
            }
            Err(_) => refused += 1,
        }
    }
    println!("{accepted} hostile artifacts accepted and harmless, {refused} refused");
    assert!(accepted > 1_000 && refused > 1_000);
}

/// A run ends with its text: cells that would read nothing for ever, or be taken for others, are refused.
#[test]
fn cells_that_would_never_end_are_refused() {
    const HEAD: u32 = 1 << 31;
    const CHAIN: u32 = 1 << 30;
    const LITERAL: u32 = 1 << 29;
    const LOOP: u32 = 1 << 28;
    const SOME: u32 = 1 << 27;
    const SPECIAL: u32 = 1 << 31;
    let whole = artifact();
    let tables = table_count(&whole);
    let start = header(&whole) + octets_before(&whole, "cells");
    let cells: Vec<(u32, u32)> = whole[start..start + table(&whole, "cells")]
        .chunks_exact(8)
        .map(|cell| (word(cell, 4), word(cell, 0)))
        .collect();
    let refuses = |index: usize, owner: u32, next: u32| {
        let mut hostile = whole.clone();
        hostile[start + 8 * index..][..4].copy_from_slice(&next.to_le_bytes());
        hostile[start + 8 * index + 4..][..4].copy_from_slice(&owner.to_le_bytes());
        fix_checksums(tables, &mut hostile);
        matches!(Matcher::parse(hostile).map(|_| ()), Err(ArtifactError::Invalid { table: "cells", .. }))
    };
    let (mut loops, mut texts, mut index) = (0, 0, 0);
    while let Some((owner, next)) = cells.get(index).copied() {
        let itself = u32::try_from(index).expect("few cells") | SPECIAL;
        if owner & (HEAD | CHAIN) == HEAD | CHAIN {
            let words = (owner & 0xFFFF).div_ceil(8) as usize;
            assert!(refuses(index, HEAD | CHAIN, next), "a text without an octet");
            // A chain of no octets that leads to itself, if anything leads to it; an owned cell, checked by nobody.
            let (end, begins) = cells[index + words];
            texts += 1;
            assert!(refuses(index + words, HEAD | CHAIN, itself + 1), "a head in a text");
            assert!(refuses(index + words, 0, begins) && !refuses(index + words, end, begins), "a cell in a text");
            index += words;
        } else if owner & (HEAD | LITERAL | LOOP) == HEAD | LOOP {
            loops += 1;
            assert!(refuses(index, owner & !SOME, itself), "a loop that leads to itself");
            assert!(refuses(index, HEAD | LOOP | 0xFFFF, next), "a set that there is not");
            assert!(refuses(index, owner | SOME, itself & !SPECIAL), "a loop that is not marked");
            assert!(!refuses(index, owner, next));
        }
        index += 1;
    }
    assert!(loops > 0 && texts > 0, "{loops} loops, {texts} texts");
}

/// A policy whose manifest has several of everything, and no credential in place of another.
const NAMES: &str = r"
upstream one { server 127.0.0.1:1; }
upstream two { server 127.0.0.1:2; }
plans p { credential key from query key or header X-Key; plan silver gold; }
plans q { credential key from header X-Q; plan basic; missing 402; }
fact f yes no;
fact g a b c;
service s { server_name s.test; plans p; listen public; meter hits; meter reads;
    location /a { when fact f yes and fact g a { return 403; } plan gold { proxy one; } plan silver { return 402; } return 404; }
    location /b { proxy two; }
}
service t { server_name t.test; plans q; location / { plan basic { proxy two; } return 403; } }
";

/// `artifact` with another manifest. Checksums of tables are made right; the tables' own of their manifest only where
/// `wholly`.
fn with_manifest(artifact: &[u8], manifest: &Value, wholly: bool) -> Vec<u8> {
    let mut json = serde_json::to_vec(manifest).expect("JSON");
    json.resize(json.len().next_multiple_of(4), b' ');
    let tables = table_count(artifact);
    let mut changed = artifact[..artifact.len() - table(artifact, "manifest")].to_vec();
    changed.extend(&json);
    let lengths = [(16, changed.len()), (20 + 8 * (tables - 1), json.len())];
    for (at, length) in lengths {
        changed[at..at + 4].copy_from_slice(&u32::try_from(length).expect("small").to_le_bytes());
    }
    if wholly {
        let at = header(artifact) + table(artifact, "policy") - 4;
        changed[at..at + 4].copy_from_slice(&crc32(&json).to_le_bytes());
    }
    fix_checksums(tables, &mut changed);
    changed
}

/// A manifest of other names would log one upstream and ask another, or take one plan for another.
#[test]
fn a_manifest_that_is_not_of_its_tables_is_refused() {
    type Edit = fn(&mut Value);
    let all: [(&str, Edit); 24] = [
        ("upstreams emptied", |m| m["upstreams"] = json!([])),
        ("services emptied", |m| m["services"] = json!([])),
        ("locations emptied", |m| m["locations"] = json!([])),
        ("meters emptied", |m| m["meters"] = json!([])),
        ("facts emptied", |m| m["facts"] = json!([])),
        ("plan sources emptied", |m| m["plan_sources"] = json!([])),
        ("listeners emptied", |m| m["listeners"] = json!([])),
        ("one upstream more", |m| push_copy(&mut m["upstreams"])),
        ("one location more", |m| push_copy(&mut m["locations"])),
        ("one meter more", |m| m["meters"].as_array_mut().unwrap().push(json!("other"))),
        ("plans in another order", |m| m["plan_sources"][0]["plans"].as_array_mut().unwrap().reverse()),
        ("sources in another order", |m| m["plan_sources"].as_array_mut().unwrap().reverse()),
        ("facts in another order", |m| m["facts"].as_array_mut().unwrap().reverse()),
        ("a value of a fact less", |m| drop(m["facts"][0]["values"].as_array_mut().unwrap().pop())),
        ("a value of a fact twice", |m| m["facts"][1]["values"][0] = json!("b")),
        ("one plan less", |m| drop(m["plan_sources"][0]["plans"].as_array_mut().unwrap().pop())),
        ("a plan of another name", |m| m["plan_sources"][0]["plans"][1] = json!("platinum")),
        ("a credential from elsewhere", |m| m["plan_sources"][0]["credentials"][0]["name"] = json!("other")),
        ("a credential that is kept", |m| m["plan_sources"][0]["credentials"][1]["keep"] = json!(true)),
        ("another status for a stranger", |m| m["plan_sources"][0]["unknown"] = json!(200)),
        ("a service without plans", |m| m["services"][0]["plans"] = json!(null)),
        ("a service with other plans", |m| m["services"][0]["plans"] = json!(1)),
        ("two upstreams of one name", |m| m["upstreams"][1]["name"] = json!("one")),
        ("two meters of one name", |m| m["meters"][1] = m["meters"][0].clone()),
    ];
    let loaded = load_text("n.rules", NAMES);
    assert!(!loaded.has_errors(), "{:#?}", loaded.diagnostics);
    let whole = compile(&loaded.policy, &loaded.sources, &Limits::default()).expect("within the limits").bytes;
    let own: Value =
        serde_json::from_slice(Artifact::parse(whole.as_slice()).expect("sound").manifest()).expect("JSON");
    let same = with_manifest(&whole, &own, true);
    assert!(manifest_of(&Artifact::parse(same).expect("the same")).is_ok());
    for (name, edit) in all {
        let mut changed = own.clone();
        edit(&mut changed);
        let naive = Matcher::parse(with_manifest(&whole, &changed, false)).map(|_| ());
        assert_eq!(naive, Err(ArtifactError::Invalid { table: "policy", row: 0 }), "{name}");
        let artifact = Artifact::parse(with_manifest(&whole, &changed, true)).expect("all checksums are right");
        let why = manifest_of(&artifact).map(|_| ()).expect_err(name);
        assert!(matches!(why, ManifestError::Count(_) | ManifestError::Names(_)), "{name}: {why}");
    }
    // Upstreams that only changed their places have the same number and different names: the checksum alone tells.
    let mut swapped = own;
    swapped["upstreams"].as_array_mut().unwrap().reverse();
    assert!(Matcher::parse(with_manifest(&whole, &swapped, false)).is_err());
    for text in ["", "null", "[]", "{", "{\"compiler\":1}"] {
        let broken = with_manifest(&whole, &json!(text), true);
        assert!(matches!(manifest_of(&Artifact::parse(broken).expect("checksums")), Err(ManifestError::Json(_))));
    }
}

/// What an artifact says of itself is shown where it is refused.
#[test]
fn a_manifest_that_acts_on_a_terminal_is_told_as_text() {
    let whole = artifact();
    let own: Value =
        serde_json::from_slice(Artifact::parse(whole.as_slice()).expect("sound").manifest()).expect("JSON");
    for word in ["\u{1b}[2J\n\r\u{202e}\u{9b}".to_owned(), "x".repeat(100_000), "\u{1b}".repeat(50_000)] {
        let mut changed = own.clone();
        changed["upstreams"][0]["protocol"] = json!(word);
        let artifact = Artifact::parse(with_manifest(&whole, &changed, true)).expect("all checksums are right");
        let why = manifest_of(&artifact).map(|_| ()).expect_err("there is no such protocol").to_string();
        assert!(!why.chars().any(|letter| letter.is_control() || letter == '\u{202e}') && why.len() < 30_000, "{why}");
    }
}

fn push_copy(list: &mut Value) {
    let list = list.as_array_mut().expect("a list");
    list.push(list[0].clone());
}

/// Numbers of upstreams, meters and variables that nobody counted.
#[test]
fn an_operation_of_what_there_is_not_is_refused() {
    let loaded = load_text(
        "n.rules",
        &NAMES.replace(
            "location /b {",
            "location /b { set $v 1; when method GET { set response header a b; set response header c d; }",
        ),
    );
    assert!(!loaded.has_errors(), "{:#?}", loaded.diagnostics);
    let whole = compile(&loaded.policy, &loaded.sources, &Limits::default()).expect("within the limits").bytes;
    let start = header(&whole) + octets_before(&whole, "operations");
    let (proxy, meter, set, skip) = (4, 10, 16, 24);
    let mut seen = Vec::new();
    for row in (start..start + table(&whole, "operations")).step_by(24) {
        let kind = word(&whole, row + 4);
        if ![proxy, meter, set, skip].contains(&kind) {
            continue;
        }
        seen.push(kind);
        for number in [2, 64, 1 << 20, u32::MAX - 1, u32::MAX] {
            let mut hostile = whole.clone();
            hostile[row + 8..row + 12].copy_from_slice(&number.to_le_bytes());
            fix_checksums(table_count(&whole), &mut hostile);
            let refused =
                matches!(Matcher::parse(hostile).map(|_| ()), Err(ArtifactError::Invalid { table: "operations", .. }));
            assert!(refused || kind == skip && number == 2, "kind {kind}, number {number}");
        }
    }
    assert!([proxy, meter, set, skip].iter().all(|kind| seen.contains(kind)), "{seen:?}");
}

fn header(artifact: &[u8]) -> usize {
    20 + 8 * table_count(artifact)
}

fn sizes(artifact: &[u8]) -> Vec<(&'static str, usize)> {
    Matcher::parse(artifact).expect("just compiled").artifact().table_sizes().collect()
}

fn table(artifact: &[u8], name: &str) -> usize {
    sizes(artifact).iter().find(|(own, _)| *own == name).expect("there is one").1
}

fn octets_before(artifact: &[u8], name: &str) -> usize {
    sizes(artifact).iter().take_while(|(own, _)| *own != name).map(|(_, octets)| octets).sum()
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 octets"))
}

fn table_count(artifact: &[u8]) -> usize {
    Matcher::parse(artifact).expect("just compiled").artifact().table_sizes().count()
}

fn fix_checksums(tables: usize, artifact: &mut [u8]) {
    let mut start = 20 + 8 * tables;
    for table in 0..tables {
        let entry = 20 + 8 * table;
        let octets = word(artifact, entry) as usize;
        let crc = crc32(&artifact[start..start + octets]);
        artifact[entry + 4..entry + 8].copy_from_slice(&crc.to_le_bytes());
        start += octets;
    }
    let whole = crc32(&artifact[12..]);
    artifact[8..12].copy_from_slice(&whole.to_le_bytes());
}

/// Bit by bit: another way than the library's.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    !crc
}
