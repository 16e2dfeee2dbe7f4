//! nginx-server-names.jsonl: which service takes a host.

use super::{AS_NGINX, Tally, lines, list, quoted};
use crate::engines::Engines;
use rulec::model::RequestRecord;

/// U-14.
#[test]
fn hosts_find_the_server_that_nginx_finds() {
    let mut tally = Tally::default();
    for line in lines("nginx-server-names.jsonl") {
        let service = |(index, names): (usize, &serde_json::Value)| {
            let default = if index == 0 { " default" } else { "" };
            let names = names.as_array().expect("names").iter().map(|name| quoted(name.as_str().expect("a name")));
            let names = names.collect::<Vec<_>>().join(" ");
            format!("service s{index}{default} {{ {AS_NGINX} server_name {names}; location / {{ return 200; }} }}\n")
        };
        let engines = Engines::new(&list(&line, "servers").iter().enumerate().map(service).collect::<String>());
        for case in list(&line, "cases") {
            let mut request = RequestRecord::new("/");
            request.host = case[0].as_str().map(str::to_owned);
            let expected = Some(format!("s{}", case[1]));
            tally.check(&engines, &request, &expected, |verdict| verdict.service.clone());
        }
    }
    tally.finish(1_500);
}
