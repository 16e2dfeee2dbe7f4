//! The artifact's one door: nothing that is damaged or hostile comes in, and what comes in cannot hurt.

use rulec::artifact::{ArtifactError, compile};
use rulec::automaton::Limits;
use rulec::matcher::{Matcher, Request, Scratch};
use rulec::model::load_text;

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
                for target in ["/a/x.gif?key=1", "/a/x?y=2", "/b", "/b/c%20d", "/wx", "/../x", "/zabababababababababab"]
                {
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

fn table_count(artifact: &[u8]) -> usize {
    Matcher::parse(artifact).expect("just compiled").artifact().table_sizes().count()
}

fn fix_checksums(tables: usize, artifact: &mut [u8]) {
    let word = |bytes: &[u8], at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 octets"));
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
