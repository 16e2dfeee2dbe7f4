//! nginx-server-names.jsonl: which service takes a host.

use super::conf::{engines, http, quoted};
use super::{Tally, lines, list};
use rulec::model::RequestRecord;

/// U-14.
#[test]
fn hosts_find_the_server_that_nginx_finds() {
    let mut tally = Tally::default();
    for line in lines("nginx-server-names.jsonl") {
        let server = |(index, names): (usize, &serde_json::Value)| {
            let names = names.as_array().expect("names").iter().map(|name| quoted(name.as_str().expect("a name")));
            let names = names.collect::<Vec<_>>().join(" ");
            format!("server {{ listen 8080; server_name {names}; location / {{ return 200 s{index}; }} }}\n")
        };
        let engines = engines(&http(&list(&line, "servers").iter().enumerate().map(server).collect::<String>()));
        for case in list(&line, "cases") {
            let mut request = RequestRecord::new("/");
            request.host = case[0].as_str().map(str::to_owned);
            let expected = Some(format!("s{}", case[1]));
            tally.check(&engines, &request, &expected, |verdict| verdict.body.clone());
        }
    }
    tally.finish(1_500);
}
