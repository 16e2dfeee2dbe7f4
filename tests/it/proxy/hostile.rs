//! Octets that nobody would send, in numbers; and a policy that is replaced under load.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::time::Duration;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;

use rulec::proxy::Policy;

use super::harness::{Client, Gateway, Upstream, artifact, config};

/// The same numbers every time.
struct Dice(u64);

impl Dice {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below.max(1) as u64).expect("small")
    }

    /// `octets` with up to four places changed, cut or filled with one of `pieces`.
    fn mutate(&mut self, octets: &[u8], pieces: &[&str]) -> Vec<u8> {
        let mut octets = octets.to_vec();
        for _ in 0..=self.next(4) {
            let at = self.next(octets.len() + 1);
            match self.next(3) {
                0 if at < octets.len() => octets[at] = self.next(256).to_le_bytes()[0],
                1 => drop(octets.drain(at..(at + 1 + self.next(5)).min(octets.len()).max(at))),
                _ => drop(octets.splice(at..at, pieces[self.next(pieces.len())].bytes())),
            }
        }
        octets
    }
}

const PIECES: [&str; 16] = [
    "\r\n",
    "\n",
    "\r",
    "\0",
    " ",
    "\t",
    ":",
    ",",
    ";",
    "%00",
    "#",
    "Content-Length: 3\r\n",
    "Transfer-Encoding: chunked\r\n",
    "0\r\n\r\n",
    "Host: b\r\n",
    "Expect: 100-continue\r\n",
];

/// Whether an upstream can read a request in one way only.
fn is_strict(request: &str) -> bool {
    let Some((head, _)) = request.split_once("\r\n\r\n") else { return false };
    let is_token = |word: &str| {
        !word.is_empty()
            && word.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet))
    };
    let mut lines = head.split("\r\n");
    let words: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    let fields: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(": ")).collect();
    let count = |name: &str| fields.iter().filter(|(have, _)| have.eq_ignore_ascii_case(name)).count();
    words.len() == 3
        && is_token(words[0])
        && words[1].starts_with('/')
        && words[2] == "HTTP/1.1"
        && fields.len() + 1 == head.split("\r\n").count()
        && fields.iter().all(|(name, value)| is_token(name) && !value.contains(['\r', '\n', '\0']))
        && count("host") == 1
        && count("content-length") + count("transfer-encoding") <= 1
}

#[test]
fn whatever_clients_send_upstreams_get_requests_of_one_meaning() {
    let upstream = Upstream::echo();
    let gateway = Gateway::start(&upstream.rules("body forward; location / { proxy up; }"));
    let bases = [
        "GET /x?y=1 HTTP/1.1\r\nHost: a.test\r\nX-A: 1\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello",
        "PUT /x HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nT: 1\r\n\r\n",
        "DELETE http://a.test/x HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n",
    ];
    let mut dice = Dice(0x5eed);
    for round in 0..1500 {
        let mut octets = dice.mutate(bases[round % bases.len()].as_bytes(), &PIECES);
        octets.extend_from_slice(b"GET /next HTTP/1.1\r\nHost: a.test\r\n\r\n");
        let mut stream = TcpStream::connect(gateway.address).expect("connects");
        stream.set_read_timeout(Some(Duration::from_millis(10))).expect("timeout");
        let middle = dice.next(octets.len());
        for piece in [&octets[..middle], &octets[middle..]] {
            // It may be refused before it is all sent.
            drop(stream.write_all(piece));
        }
        let mut answer = [0; 4096];
        while let Ok(1..) = stream.read(&mut answer) {}
    }
    let requests = upstream.seen.requests();
    // How many come through before the client turns away depends on the machine; that some do is what matters.
    assert!(requests.len() > 50, "only {} came through", requests.len());
    let strange: Vec<_> = requests.iter().filter(|request| !is_strict(request)).collect();
    assert!(strange.is_empty(), "{strange:#?}");
    assert_eq!(gateway.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").status, 200, "it still serves");
}

#[test]
fn whatever_upstreams_answer_clients_get_one_answer_or_none() {
    let bases = [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\nhello",
    ];
    let round = Arc::new(AtomicUsize::new(1));
    let counter = Arc::clone(&round);
    let upstream = Upstream::start(move |_, wire, seen| {
        let round = counter.fetch_add(1, Ordering::SeqCst);
        let mut dice = Dice(round as u64 * 0x9e37_79b9);
        if seen.read(wire).is_some() {
            wire.send(dice.mutate(bases[round % bases.len()].as_bytes(), &PIECES));
        }
    });
    let gateway = Gateway::start(&upstream.rules("location / { proxy up; }"));
    for _ in 0..600 {
        let mut client = gateway.client();
        client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        if let Some(answer) = client.read_answer(false) {
            assert!((200..600).contains(&answer.status), "{answer:?}");
            assert!(client.is_closed(), "nothing follows {answer:?}");
        }
    }
    assert_eq!(round.load(Ordering::SeqCst), 601);
}

#[test]
fn f_01_no_request_is_lost_while_policies_are_replaced() {
    let rules = |number: usize| format!("service all default {{ location / {{ return 200 v{number}; }} }}");
    let policies: Vec<Vec<u8>> = (0..2).map(|number| artifact(&rules(number))).collect();
    let mut config = config();
    config.threads = 2;
    let gateway = Gateway::with(&rules(0), &config);
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let (address, stop) = (gateway.address, Arc::clone(&stop));
            thread::spawn(move || {
                let mut client = Client::connect(address);
                let mut seen = [0_usize; 2];
                while !stop.load(Ordering::SeqCst) {
                    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
                    let answer = client.answer();
                    assert_eq!(answer.status, 200);
                    match answer.text().as_str() {
                        "v0" => seen[0] += 1,
                        "v1" => seen[1] += 1,
                        other => panic!("{other}"),
                    }
                }
                seen
            })
        })
        .collect();
    let handle = gateway.handle.as_ref().expect("runs");
    for number in 0..300 {
        let policy = Policy::new(policies[number % 2].clone(), &config).expect("policy");
        handle.replace(policy);
        thread::sleep(Duration::from_millis(1));
    }
    stop.store(true, Ordering::SeqCst);
    for client in clients {
        let seen = client.join().expect("no request was lost");
        assert!(seen[0] > 0 && seen[1] > 0, "{seen:?}");
    }
}
