//! Every index of every table set out of range, behind the back of the check: what is decided is the same, or refused.

use super::compile;
use crate::artifact::format::{
    CHAIN, HEAD, Instruction, LITERAL, LOOP, NONE, Node, Operation, Part, PlansRow, Record, SPECIAL, TABLES, Variable,
    field, instruction, operation, part, plans, proxy_form,
};
use crate::artifact::{Artifact, Lost};
use crate::automaton::Limits;
use crate::matcher::{Caller, Matcher, Outcome, Refusal, Request, Scratch};
use crate::model::load_text;

const RULES: &str = r#"
upstream a { server 127.0.0.1:1; balance hash "$arg_y $m"; }
upstream b { server 127.0.0.1:2; }
plans p { credential key from query key or header X-Key; plan small large; }
fact f yes no;
map $m { header X-M = "1" -> one; client in 10.0.0.0/8 -> $http_x_m; path ~ ^/n/(\w+) -> "n $1"; default -> none; }
map $k { $m = one -> yes; $m ^~ n -> no; default -> $arg_y; }
service s default {
    server_name s.test *.s.test www.* ~^(?<who>[a-z]+)\.t$;
    plans p;
    hsts 1y;
    meter hits;
    unique header X-One;
    unique query once;
    unique cookie once;
    when header X_Odd = 1 { return 402; }
    error_page 404 /missing.html;
    error_page 403 @denied;
    set response header X-K "$k $who";
    when header X-Block in "1" "2" { return 403 "no"; }
    when cookie c ~ ^bad { return 400; }
    location /a/ {
        methods GET POST;
        when header X-Beta = "1" and not client in 10.0.0.0/8 { set request header X-A 1; meter beta always; return 200 "beta $who $m"; }
        rewrite ^/a/([a-z]*)(?=/|$)(.*)$ /b/$1$2?x=$arg_y last;
        location ~* \.(gif|jpg)$ { plan small { return 403; } proxy a strip /a; location ~ x(?<q>.)\. { drop response header X-*; return 200 "$q"; } }
    }
    location = /b/ { return 307 https://$host$request_uri; }
    location /b/ { set request header X-Plan "$plan"; body forward max=1k; proxy b "/base/"; }
    location /c/ { set $v "$1 $k"; fact_guard }
    location /d/ { match path ~ ^/d/(?<part>\w+) { return 200 "$part $1"; } goto @denied; }
    location /e { proxy a; }
    location /f/ { type "text/$k"; when query z has x { set $args "q=$m"; proxy a "/t?$args"; } return 200 $k; }
    location @denied { proxy_redirect /x /y; proxy b canonical; }
    location ~ ^/(\w+)\b.*x$ { return 200 "$1"; }
    location ~ ^/files/[0-9]+/edit$ { return 200; }
    location ~ "z[ab]*a[ab]{16}c[ab]{16}d" { return 200; }
}
service t { server_name t.test; listen public; location / { return 200 t; } }
"#;

/// Numbers that are no row of anything; `NONE` is a number with a meaning.
const OUT_OF_RANGE: [u32; 2] = [NONE - 2, 0x00FF_FFFF];

fn artifact() -> Vec<u8> {
    let rules = RULES.replace("fact_guard", "when fact f yes { return 201; } return 202 $v;");
    let loaded = load_text("s.rules", &rules);
    assert!(!loaded.has_errors(), "{:#?}", loaded.diagnostics);
    compile(&loaded.policy, &loaded.sources, &Limits::default()).expect("within the limits").bytes
}

type Asked = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const REQUESTS: [Asked; 27] = [
    ("GET", "/a/x/y?y=2", &[("Host", "ab.s.test")]),
    ("GET", "/a/x.gif?key=1", &[("Host", "s.test")]),
    ("GET", "/a/xx.jpg", &[("Host", "s.test"), ("X-Key", "k")]),
    ("DELETE", "/a/x", &[("Host", "s.test"), ("Cookie", "c=bad")]),
    ("DELETE", "/a/x", &[("Host", "abc.t")]),
    ("POST", "/a/", &[("Host", "abc.t"), ("X-Beta", "1"), ("X-M", "1")]),
    ("GET", "/b/", &[("Host", "www.x")]),
    ("POST", "/b/q%20r?key=1&y", &[("Host", "s.test")]),
    ("GET", "/c/x", &[("Host", "s.test"), ("X-Block", "3"), ("X-M", "2")]),
    ("GET", "/c/x", &[("Host", "s.test"), ("X-Block", "2")]),
    ("GET", "/d/part", &[("Host", "s.test")]),
    ("GET", "/d/-", &[("Host", "s.test"), ("X-One", "1"), ("X-One", "2")]),
    ("GET", "/d/-", &[("Host", "other"), ("X-One", "1"), ("x-key", "a"), ("x-key", "a")]),
    ("GET", "/e", &[("Host", "s.test")]),
    ("GET", "/f", &[("Host", "s.test")]),
    ("GET", "/f/?z=x&y=1", &[("Host", "s.test")]),
    ("GET", "/f/?z=a,x", &[("Host", "s.test"), ("X-M", "1"), ("X-M", "1")]),
    ("GET", "/n/abx", &[("Host", "s.test")]),
    ("GET", "/files/17/edit", &[("Host", "s.test")]),
    ("GET", "/zababababababababababcababababababababd", &[("Host", "s.test")]),
    ("GET", "/nothing", &[("Host", "s.test")]),
    ("GET", "http://t.test/x", &[("Host", "s.test")]),
    ("GET", "/../x", &[("Host", "t.test")]),
    ("TRACE", "/", &[("Host", "s.test")]),
    ("GET", "/e?once=1", &[("Host", "s.test"), ("X_Odd", "1"), ("X_One", "1")]),
    ("GET", "/e?once=1&once=2", &[("Host", "s.test"), ("X-Odd", "2"), ("x_odd", "1")]),
    ("GET", "/e", &[("Host", "s.test"), ("Cookie", "once=1; once=2"), ("Connection", "X-One")]),
];

/// What is decided, in words; `None` where it is the refusal of what was lost.
fn decide(matcher: &Matcher<&[u8]>, scratch: &mut Scratch) -> Vec<Option<String>> {
    let mut decided = Vec::new();
    for (number, (method, target, headers)) in (0u16..).zip(REQUESTS) {
        let lines: Vec<_> = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let mut request = Request::get(target.as_bytes(), &lines);
        request.method = method.as_bytes();
        request.facts = &[Some(1)];
        request.listener = (number % 3 == 0).then_some(b"public".as_slice());
        if number % 5 == 0 {
            request.client = [10, 1, 2, 3].into();
        }
        for caller in [None, Some(Caller::Plan(number % 2))] {
            request.caller = caller;
            let decision = matcher.decide(&request, scratch);
            let edits: Vec<_> = decision.edits().collect();
            let is_lost = matches!(decision.outcome, Outcome::Refuse { refusal: Refusal::Internal, .. });
            let words = || format!("{:?} {:?} {edits:?} {:?}", decision.outcome, decision.location, decision.meters());
            decided.push((!is_lost).then(words));
        }
    }
    decided
}

/// Words of the rows of `R` in a table, and which of them are indices.
struct Indices<'a> {
    found: Vec<usize>,
    words: &'a [[u8; 4]],
    ranges: Vec<(&'static str, usize, usize)>,
}

impl Indices<'_> {
    fn of<R: Record>(&mut self, table: &str, places: impl Fn(usize, R) -> Vec<usize>) {
        let (_, start, end) = *self.ranges.iter().find(|(name, ..)| *name == table).expect("there is one");
        for (number, row) in self.words[start..end].chunks_exact(R::WORDS).enumerate() {
            let places = places(number, R::read(row));
            // What means "none" is no index.
            let is_index = |place: &usize| u32::from_le_bytes(row[*place]) != NONE;
            self.found.extend(places.into_iter().filter(is_index).map(|place| start + number * R::WORDS + place));
        }
    }

    fn columns<R: Record>(&mut self, table: &str, columns: &[usize]) {
        self.of(table, |_, _: R| columns.to_vec());
    }
}

fn operands(row: Operation) -> Vec<usize> {
    let own: &[usize] = match row.kind {
        operation::RESPOND | operation::REDIRECT | operation::UNIQUE => &[3],
        operation::PROXY if row.b == proxy_form::STRIP || row.b == proxy_form::BASE || row.b == proxy_form::TARGET => {
            &[2, 4]
        }
        operation::PROXY
        | operation::METHODS
        | operation::METER
        | operation::TYPE
        | operation::SET_ARGS
        | operation::UNLESS_BREAK
        | operation::SKIP => &[2],
        operation::REWRITE | operation::HSTS | operation::SET | operation::PROXY_REDIRECT | operation::GOTO => &[2, 3],
        operation::HEADER | operation::ERROR_PAGE => &[4, 5],
        operation::MATCH => &[2, 4],
        _ => &[],
    };
    [&[0], own].concat()
}

fn targets(row: Instruction) -> Vec<usize> {
    match row.kind {
        instruction::BYTE => vec![3],
        instruction::SPLIT | instruction::SAVE => vec![1, 2],
        instruction::LOOK => vec![2],
        _ => vec![],
    }
}

/// The words of `artifact` that are indices.
fn indices(artifact: &Artifact<&[u8]>, words: &[[u8; 4]]) -> Vec<usize> {
    use crate::artifact::format as f;
    let sizes: Vec<(&'static str, usize)> = artifact.table_sizes().collect();
    let mut start = words.len() - sizes.iter().map(|(_, octets)| octets / 4).sum::<usize>();
    let mut ranges = Vec::new();
    for (name, octets) in sizes {
        ranges.push((name, start, start + octets / 4));
        start += octets / 4;
    }
    let lost = Lost::new();
    let tables = artifact.tables(&lost);
    let mut is_first = vec![false; tables.children().len()];
    for node in tables.nodes().iter() {
        let Node { runs, children, .. } = node;
        is_first
            .iter_mut()
            .skip(children as usize)
            .take((runs as usize).saturating_sub(1))
            .for_each(|first| *first = true);
    }
    let mut all = Indices { found: Vec::new(), words, ranges };
    all.columns::<f::Number>("header_slots", &[0]);
    all.columns::<f::HeaderName>("header_names", &[2]);
    all.columns::<f::Text>("strings", &[0, 1]);
    all.columns::<f::Automaton>("automata", &[0, 3]);
    all.columns::<f::Number>("transitions", &[0]);
    all.of("variables", |_, row: Variable| match row.field {
        field::HEADER | field::QUERY | field::COOKIE | field::ARGUMENT if row.slots_count > 0 => vec![1, 4],
        field::HEADER | field::QUERY | field::COOKIE | field::ARGUMENT => vec![1, 2],
        _ => vec![2],
    });
    all.columns::<f::Slot>("slots", &[0, 1, 2]);
    all.columns::<f::Addresses>("addresses", &[4]);
    all.columns::<Node>("nodes", &[0, 2]);
    all.of("children", |number, _: f::Number| if is_first[number] { vec![] } else { vec![0] });
    all.columns::<f::Host>("hosts", &[1, 2, 4]);
    all.columns::<f::HostRank>("host_ranks", &[0, 1]);
    all.of("services", |_, row: f::Service| if row.kept_names_count > 0 { vec![2, 3, 5, 6] } else { vec![2, 3, 5] });
    all.columns::<f::Number>("kept_names", &[0]);
    all.columns::<f::Output>("outputs", &[0, 1, 2, 3, 4]);
    all.columns::<f::Scan>("scans", &[0, 1, 4, 5]);
    all.columns::<f::Filter>("filters", &[0]);
    all.columns::<f::Search>("searches", &[0, 2]);
    all.columns::<f::Number>("regex_locations", &[0]);
    all.columns::<f::Lookup>("lookups", &[0, 1, 2, 3]);
    all.columns::<f::Outcome>("outcomes", &[0, 2]);
    all.of("eligible", |_, row: f::Number| if row.value == f::ROOT_SEARCH { vec![] } else { vec![0] });
    all.columns::<f::Location>("locations", &[2, 3, 4, 5, 8]);
    all.of("operations", |_, row| operands(row));
    all.columns::<f::Template>("templates", &[0]);
    all.of("parts", |_, row: Part| match row.kind {
        part::LITERAL | part::NAMED | part::ARG | part::HTTP | part::COOKIE | part::MAP => vec![1],
        _ => vec![],
    });
    all.columns::<f::Program>("programs", &[0, 2, 4, 7]);
    all.of("instructions", |_, row| targets(row));
    all.columns::<f::NamedGroup>("named_groups", &[0, 1]);
    all.columns::<f::Look>("looks", &[0, 1, 2]);
    all.of("plans", |_, row: PlansRow| match row.kind {
        plans::PLAN => vec![1],
        plans::CREDENTIAL if row.a == 1 => vec![2, 4],
        plans::CREDENTIAL => vec![2],
        _ => vec![],
    });
    all.columns::<f::Map>("maps", &[0]);
    all.columns::<f::MapCase>("map_cases", &[0, 2, 5]);
    all.columns::<f::Number>("balance_keys", &[0]);
    all.columns::<f::Number>("kept_names", &[0]);
    all.found.extend(next_states(words, &all.ranges));
    all.found
}

/// Where the cells of scanners say which state follows, texts of chains left out.
fn next_states(words: &[[u8; 4]], ranges: &[(&'static str, usize, usize)]) -> Vec<usize> {
    let (_, start, end) = *ranges.iter().find(|(name, ..)| *name == "cells").expect("there is one");
    let (mut found, mut index) = (Vec::new(), start);
    while index < end {
        let owner = u32::from_le_bytes(words[index + 1]);
        found.push(index);
        if owner & HEAD != 0 && owner & CHAIN == 0 && owner & (LITERAL | LOOP) != 0 {
            found.push(index + 1);
        }
        let is_chain = owner & (HEAD | CHAIN) == HEAD | CHAIN;
        index += if is_chain { 2 + 2 * ((owner & 0xFFFF).div_ceil(8) as usize) } else { 2 };
    }
    found
}

#[test]
fn a_wrong_index_refuses_and_never_decides_otherwise() {
    let whole = artifact();
    let mut scratch = Box::new(Scratch::new());
    let sound = Matcher::parse(whole.as_slice()).expect("just compiled");
    let expected = decide(&sound, &mut scratch);
    let lost: Vec<&Asked> =
        expected.iter().zip(0..).filter(|(one, _)| one.is_none()).map(|(_, index)| &REQUESTS[index / 2]).collect();
    assert!(lost.is_empty(), "{lost:#?}");
    let indices = indices(&Artifact::parse(whole.as_slice()).expect("just compiled"), whole.as_chunks().0);
    assert!(indices.len() > 1_500 && TABLES.len() == 41, "{} indices", indices.len());
    let (mut refused, mut same) = (0, 0);
    let mut wrong = Vec::new();
    for place in indices {
        let number = OUT_OF_RANGE[place / 5 % 2];
        let mut corrupted = whole.clone();
        let word = &mut corrupted[4 * place..4 * place + 4];
        let before = u32::from_le_bytes(word.try_into().expect("4 bytes"));
        // A head of a scanner keeps what kind it is; a state keeps that it is special.
        let kept = before & (HEAD | LITERAL | LOOP);
        let number = if is_cell(&whole, place) { kept | number & 0x00FF_FFFF | before & SPECIAL } else { number };
        word.copy_from_slice(&number.to_le_bytes());
        let matcher = Matcher::unchecked(corrupted.as_slice(), &sound);
        for (index, (found, expected)) in decide(&matcher, &mut scratch).iter().zip(&expected).enumerate() {
            match found {
                None => refused += 1,
                Some(_) if found == expected => same += 1,
                Some(found) => wrong.push(format!(
                    "{} {}: {before} -> {number}: {:?}\n  {found}\n  {expected:?}",
                    table(&whole, place).0,
                    table(&whole, place).1,
                    REQUESTS[index / 2]
                )),
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}: {}", wrong.len(), refused + same, wrong[..wrong.len().min(12)].join("\n"));
    assert!(refused > 3_000, "{refused} refused, {same} the same");
}

/// The table that the word `place` stands in, and its number there.
fn table(artifact: &[u8], place: usize) -> (&'static str, usize) {
    let whole = Artifact::parse(artifact).expect("just compiled");
    let sizes: Vec<(&'static str, usize)> = whole.table_sizes().collect();
    let mut start = artifact.len() / 4 - sizes.iter().map(|(_, octets)| octets / 4).sum::<usize>();
    for (name, octets) in sizes {
        if place < start + octets / 4 {
            return (name, place - start);
        }
        start += octets / 4;
    }
    ("", 0)
}

fn is_cell(artifact: &[u8], place: usize) -> bool {
    table(artifact, place).0 == "cells"
}
