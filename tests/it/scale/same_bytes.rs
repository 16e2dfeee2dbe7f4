//! The same rules give the same bytes, however often they are compiled, and on however many threads at a time.

use super::{Random, compiled, load, service};
use std::thread;

/// A policy with something of everything that is collected in tables that hash.
fn rules() -> String {
    let mut random = Random(7);
    let mut text = String::new();
    for index in 0..200 {
        let (tenant, word) = (random.below(100), random.below(20));
        let network = random.below(250);
        let location = match index % 5 {
            0 => format!("~ ^/r{index}/[0-9]+/edit$"),
            1 => format!("~* \\.e{index}$"),
            2 => format!("= /r{index}/"),
            3 => format!("^~ /r{index}/"),
            _ => format!("/r{index}/"),
        };
        text.push_str(&format!(
            "location {location} {{
                 when header x-tenant = t{tenant} {{ return 403; }}
                 when header x-tenant ~ \"^[a-z]{word}\" {{ set response header x-route r{index}; }}
                 when method GET and query page has p{word} {{ return 204; }}
                 when client in 10.{network}.0.0/16 192.0.2.{network} {{ return 200; }}
                 when not cookie session present or header accept ~ w{word} {{ return 401; }}
                 return 404;
             }}\n"
        ));
    }
    service(&text)
}

#[test]
fn the_same_rules_give_the_same_bytes_on_any_number_of_threads() {
    let rules = rules();
    let expected = compiled(&load(&rules)).expect("within the limits").bytes;
    // Hashes are seeded anew for each table of each thread.
    for threads in [1, 2, 5] {
        thread::scope(|scope| {
            let runs: Vec<_> = (0..threads)
                .map(|_| scope.spawn(|| compiled(&load(&rules)).expect("within the limits").bytes))
                .collect();
            for run in runs {
                let bytes = run.join().expect("it compiles");
                assert!(bytes == expected, "{threads} threads: other bytes");
            }
        });
    }
}
