//! HTTP/1.1 requests, read by the letter: what is not certain is no request. Knows nothing of the gateway.

/// A request that can be read in one way only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) lines: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
    pub(super) trailers: Vec<(String, Vec<u8>)>,
    /// The body's framing had an extension.
    pub(super) extended: bool,
    minor: u8,
}

impl Request {
    pub(super) fn values<'r>(&'r self, name: &'r str) -> impl Iterator<Item = &'r [u8]> {
        self.lines.iter().filter(move |(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_slice())
    }

    /// Which host is asked for is certain. Where it is not, where the request ends still is.
    pub(super) fn has_host(&self) -> bool {
        let hosts = self.values("host").count();
        hosts == 1 || (hosts == 0 && self.minor == 0)
    }

    /// The only value of `name`.
    pub(super) fn value(&self, name: &str) -> Option<String> {
        let mut values = self.values(name);
        let value = values.next().filter(|_| values.next().is_none())?;
        Some(value.iter().map(|&octet| char::from(octet)).collect())
    }

    /// The target without what an absolute one begins with; an empty path is `/` (RFC 9112 3.2.1).
    pub(super) fn origin_form(&self) -> String {
        let target = self.target.as_str();
        let absolute = target.split_once("://").filter(|_| !target.starts_with('/'));
        let Some((_, rest)) = absolute else { return target.to_owned() };
        let rest = rest.find(['/', '?']).map_or("", |at| &rest[at..]);
        if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") }
    }
}

/// What octets begin with.
pub(super) enum Read {
    Whole(Box<Request>, usize),
    /// More is needed; whether the head is whole.
    Part {
        head: bool,
    },
    Wrong(String),
}

/// All requests that stand one after the other, up to the first that is none or ends too early.
pub(super) fn requests(mut octets: &[u8]) -> Vec<Request> {
    let mut all = Vec::new();
    loop {
        // RFC 9112 2.2: an empty line before a request is ignored.
        while let Some(rest) = octets.strip_prefix(b"\r\n") {
            octets = rest;
        }
        let Read::Whole(request, used) = read(octets) else { return all };
        octets = &octets[used..];
        all.push(*request);
    }
}

/// Reads the request that `octets` begin with.
pub(super) fn read(octets: &[u8]) -> Read {
    let mut input = Input { octets, at: 0, head: false };
    match request(&mut input) {
        Ok(request) => Read::Whole(Box::new(request), input.at),
        Err(None) => Read::Part { head: input.head },
        Err(Some(why)) => Read::Wrong(why),
    }
}

/// None: the input ends too early.
type Failed = Option<String>;

struct Input<'i> {
    octets: &'i [u8],
    at: usize,
    head: bool,
}

impl<'i> Input<'i> {
    /// A line that ends in CRLF and holds no other CR or LF.
    fn line(&mut self) -> Result<&'i [u8], Failed> {
        let rest = &self.octets[self.at..];
        let end = rest.iter().position(|octet| b"\r\n\0".contains(octet)).ok_or(None)?;
        match rest.get(end..end + 2) {
            Some(b"\r\n") => {
                self.at += end + 2;
                Ok(&rest[..end])
            }
            None if rest[end] == b'\r' => Err(None),
            _ => wrong("a bare CR, LF or NUL"),
        }
    }

    fn take(&mut self, octets: usize) -> Result<&'i [u8], Failed> {
        let taken = self.octets.get(self.at..self.at + octets).ok_or(None)?;
        self.at += octets;
        Ok(taken)
    }
}

fn wrong<T>(why: &str) -> Result<T, Failed> {
    Err(Some(why.to_owned()))
}

fn is_token(octets: &[u8]) -> bool {
    let of_token = |octet: &u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(octet);
    !octets.is_empty() && octets.iter().all(of_token)
}

fn text(octets: &[u8]) -> String {
    octets.iter().map(|&octet| char::from(octet)).collect()
}

fn request(input: &mut Input<'_>) -> Result<Request, Failed> {
    let line = input.line()?;
    let parts: Vec<&[u8]> = line.split(|&octet| octet == b' ').collect();
    let [method, target, version] = parts[..] else { return wrong("no request line") };
    if !is_token(method) || target.is_empty() || !target.iter().all(u8::is_ascii_graphic) {
        return wrong("no request line");
    }
    let minor = match version {
        b"HTTP/1.1" => 1,
        b"HTTP/1.0" => 0,
        _ => return wrong("another version"),
    };
    let lines = fields(input)?;
    input.head = true;
    let mut request = Request {
        method: text(method),
        target: text(target),
        lines,
        body: Vec::new(),
        trailers: Vec::new(),
        extended: false,
        minor,
    };
    let lengths: Vec<String> = request.values("content-length").map(text).collect();
    let codings: Vec<String> = request.values("transfer-encoding").map(text).collect();
    match (&lengths[..], &codings[..]) {
        ([], []) => {}
        ([length], []) if (1..=18).contains(&length.len()) && length.bytes().all(|octet| octet.is_ascii_digit()) => {
            let length: usize = length.parse().map_err(|_| None)?;
            request.body = input.take(length)?.to_vec();
        }
        ([], [coding]) if coding.eq_ignore_ascii_case("chunked") && minor == 1 => chunks(input, &mut request)?,
        _ => return wrong("framing that is not certain"),
    }
    Ok(request)
}

/// Lines up to the empty one.
fn fields(input: &mut Input<'_>) -> Result<Vec<(String, Vec<u8>)>, Failed> {
    let mut lines = Vec::new();
    loop {
        let line = input.line()?;
        if line.is_empty() {
            return Ok(lines);
        }
        let Some(colon) = line.iter().position(|&octet| octet == b':') else { return wrong("no colon") };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if !is_token(name) || value.iter().any(|octet| octet.is_ascii_control() && *octet != b'\t') {
            return wrong("no field");
        }
        lines.push((text(name), value.to_vec()));
    }
}

fn chunks(input: &mut Input<'_>, request: &mut Request) -> Result<(), Failed> {
    loop {
        let line = input.line()?;
        let digits = line.iter().take_while(|octet| octet.is_ascii_hexdigit()).count();
        let extension = &line[digits..];
        if !(1..=15).contains(&digits) || !(extension.is_empty() || extension[0] == b';') {
            return wrong("no chunk size");
        }
        if extension.iter().any(|octet| octet.is_ascii_control() && *octet != b'\t') {
            return wrong("a control octet in an extension");
        }
        request.extended |= !extension.is_empty();
        let size = usize::from_str_radix(&text(&line[..digits]), 16).map_err(|_| None)?;
        if size == 0 {
            request.trailers = fields(input)?;
            return Ok(());
        }
        request.body.extend_from_slice(input.take(size)?);
        if input.take(2)? != b"\r\n" {
            return wrong("a chunk that is longer than it says");
        }
    }
}
