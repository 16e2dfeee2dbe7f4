//! A request as one writes it on a command line: `DELETE https://host/path?x=1`.

use crate::arguments::Explain;
use crate::status::Stop;
use rulec::model::RequestRecord;

/// The request that `text` and the options beside it say.
pub(crate) fn parse(text: &str, options: &Explain) -> Result<RequestRecord, Stop> {
    let usage = || Stop::Usage(format!("`{text}` is no request: write 'GET https://host/path?x=1'"));
    let (method, url) = match text.trim().split_once(' ') {
        Some((method, url)) => (method, url.trim_start()),
        None => ("GET", text.trim()),
    };
    let (scheme, host, target) = split_url(url).ok_or_else(usage)?;
    let mut record = RequestRecord::new(latin1(&target));
    method.clone_into(&mut record.method);
    scheme.clone_into(&mut record.scheme);
    record.host = host.map(latin1);
    record.headers = options.headers.iter().map(|line| header(line)).collect::<Result<_, _>>()?;
    record.body = options.body;
    record.plan.clone_from(&options.plan);
    record.facts = options.facts.iter().map(|fact| self::fact(fact)).collect::<Result<_, _>>()?;
    record.fault = options.fault;
    record.port = options.port;
    record.listener.clone_from(&options.listener);
    if let Some(client) = options.client {
        record.client = client;
    }
    Ok(record)
}

/// Scheme, host and target; a bare path leaves the host open.
fn split_url(url: &str) -> Option<(&str, Option<&str>, String)> {
    if url.starts_with('/') {
        return Some(("http", None, url.to_owned()));
    }
    let (scheme, rest) = url.split_once("://")?;
    if !matches!(scheme, "http" | "https") {
        return None;
    }
    let (host, target) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let slash = if target.starts_with('/') { "" } else { "/" };
    Some((scheme, Some(host), format!("{slash}{target}")))
}

fn fact(said: &str) -> Result<(String, String), Stop> {
    let (name, value) = said.split_once('=').ok_or_else(|| Stop::Usage(format!("`{said}` is no `NAME=VALUE`")))?;
    Ok((name.to_owned(), value.to_owned()))
}

fn header(line: &str) -> Result<(String, String), Stop> {
    let (name, value) = line.split_once(':').ok_or_else(|| Stop::Usage(format!("`{line}` is no `Name: value`")))?;
    Ok((latin1(name.trim()), latin1(value.trim())))
}

/// What a terminal sends for `text` is its UTF-8 octets; records carry octets as Latin-1.
fn latin1(text: &str) -> String {
    text.bytes().map(char::from).collect()
}
