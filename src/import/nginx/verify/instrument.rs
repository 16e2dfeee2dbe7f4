//! The configuration that stands for the original: the author's own text, but for what the machine has to be.
//!
//! Other are addresses (`listen`, `upstream`, what `proxy_pass` names), TLS, logs, and files: none exist, so a location
//! that serves files answers by an upstream of its own; where that would make nginx redirect a missing slash, by
//! `empty_gif`, which runs in the same phase. Every location says its number in a header.

use super::super::content::Handler;
use super::super::import::{Context, Imported, context};
use super::super::importer::Importer;
use super::super::level::Level;
use super::super::listen::Listeners;
use super::super::location;
use super::super::tree::{Directive, Parsed};
use super::super::without::Options;
use super::address::{Addresses, OTHER};
use super::client::AUTH;
use super::conf::Conf;
use super::socket::Socket;
use super::sources::ServerSource;
use super::words::{ESSENTIAL, is_handler, is_omitted, quoted, replaced};
use crate::contract::manifest::Manifest;
use crate::diagnostic::Span;
use std::collections::{BTreeMap, BTreeSet};

/// What nginx is given.
#[derive(Clone, Debug, Default)]
pub(super) struct Instrumented {
    /// What stands in `http`.
    pub(super) conf: Conf,
    pub(super) addresses: Addresses,
    pub(super) sockets: Vec<Socket>,
    /// By tag: the location.
    pub(super) places: Vec<Span>,
    /// Names of `add_header`, in small letters.
    pub(super) response_names: BTreeSet<String>,
    /// Directives of `http` itself.
    pub(super) http_names: BTreeSet<String>,
    /// Servers.
    pub(super) servers: usize,
    /// Whether an error page stands for requests that nginx cannot read.
    pub(super) pages_bad_requests: bool,
    /// What they are asked with.
    pub(super) sources: Vec<ServerSource>,
    /// By name: how many directives this nginx does not run.
    pub(super) omitted: BTreeMap<String, usize>,
}

/// The header that names the location.
pub(super) const PLACE: &str = "X-Rulec-Place";
/// Where files are served.
pub(super) const FILES: &str = "rulec_files";
/// Where another protocol is spoken.
pub(super) const FOREIGN: &str = "rulec_foreign";
/// Where no file is.
const NOWHERE: &str = "/nonexistent/rulec";

/// `parsed`, less what `imported` left out, for nginx; `manifest` is that of the rules.
pub(super) fn instrument(parsed: &Parsed, imported: &Imported, manifest: &Manifest) -> Instrumented {
    let directives = parsed.directives.as_slice();
    let instrumented = Instrumented { addresses: Addresses::of(directives), ..Instrumented::default() };
    let left_out = imported.left_out.iter().map(|out| out.span).collect();
    let mut writer = Writer { instrumented, manifest, left_out, port: None, asks_auth: false };
    match context(directives) {
        Context::Main => {
            let main = Level::outermost(directives);
            for http in main.own("http") {
                writer.http(parsed, &main.inner(http));
            }
        }
        Context::Http => writer.http(parsed, &Level::outermost(directives)),
        Context::Server => {
            let http = Level::outermost(&[]);
            let level = Level::within(&http, directives);
            let socket = Socket::new(0, "80", None, false);
            let span = directives.first().map(|first| first.span).unwrap_or_default();
            writer.instrumented.sockets.push(socket);
            writer.server(&level, span, &[(0, true)]);
        }
    }
    let mut instrumented = writer.instrumented;
    let maps = instrumented.addresses.maps().to_owned();
    instrumented.conf.put(&maps);
    instrumented
}

impl Instrumented {
    /// Names of all upstreams, as `proxy_pass` has them.
    pub(super) fn upstreams(&self) -> BTreeSet<String> {
        self.addresses.names().chain([FILES, FOREIGN, OTHER]).map(str::to_owned).collect()
    }
}

struct Writer<'m> {
    instrumented: Instrumented,
    manifest: &'m Manifest,
    left_out: BTreeSet<Span>,
    /// The port of the server.
    port: Option<String>,
    /// Whether the server asks a subrequest who may pass.
    asks_auth: bool,
}

impl Writer<'_> {
    fn put(&mut self, text: &str) {
        self.instrumented.conf.put(text);
    }

    fn http<'p>(&mut self, parsed: &'p Parsed, level: &Level<'p>) {
        let servers: Vec<&'p Directive> =
            level.own("server").into_iter().filter(|server| server.block.is_some()).collect();
        let listeners: Listeners = Importer::new(parsed, &Options::default()).listeners(&servers);
        let mut numbers = BTreeMap::new();
        for (address, name, tls) in listeners.all() {
            let number = self.instrumented.sockets.len();
            self.instrumented.sockets.push(Socket::new(number, &address, name, tls));
            numbers.insert(address, number);
        }
        for directive in level.directives {
            match directive.name() {
                "server" | "upstream" => {}
                "map" | "geo" | "split_clients" => self.table(directive),
                _ => {
                    self.instrumented.http_names.insert(directive.name().to_owned());
                    self.statement(directive);
                }
            }
        }
        for (index, server) in servers.iter().enumerate() {
            let sockets: Vec<(usize, bool)> = listeners
                .addresses(index)
                .iter()
                .filter_map(|address| Some((*numbers.get(address)?, listeners.default_at(address) == Some(index))))
                .collect();
            self.port = listeners.port_and_tls(index).0;
            self.server(&level.inner(server), server.span, &sockets);
        }
    }

    fn table(&mut self, directive: &Directive) {
        if self.left_out.contains(&directive.span) {
            return;
        }
        self.line(directive, usize::MAX);
        self.put(" {\n");
        for inner in directive.children().iter().filter(|inner| inner.name() != "include") {
            self.line(inner, usize::MAX);
            self.put(";\n");
        }
        self.put("}\n");
    }

    fn server(&mut self, level: &Level<'_>, span: Span, sockets: &[(usize, bool)]) {
        self.instrumented.servers += 1;
        let own_sockets = sockets.iter().map(|(socket, _)| *socket).collect();
        self.instrumented.sources.push(ServerSource::of(level.directives, own_sockets));
        self.asks_auth = false;
        self.put("server {\n");
        for (socket, is_default) in sockets {
            let default = if *is_default { " default_server" } else { "" };
            let address = self.instrumented.sockets.get(*socket).map(Socket::listen).unwrap_or_default();
            self.put(&format!("listen {address}{default};\n"));
        }
        self.block(level, Kind::Server, "s");
        self.root_location(level, span);
        if self.asks_auth {
            self.put(&format!(
                "location = /rulec-auth {{ internal; auth_request off; auth_basic off; satisfy all; allow all; \
                 error_page 497 /rulec; if (${0} = 401) {{ return 401; }} if (${0} = 403) {{ return 403; }} \
                 if (${0} = 500) {{ return 500; }} return 204; }}\n",
                format!("http_{}", AUTH.to_ascii_lowercase().replace('-', "_"))
            ));
        }
        self.put("}\n");
    }

    /// Where no location takes all paths: there nginx looks for files, and rules answer 404.
    fn root_location<'p>(&mut self, level: &Level<'p>, span: Span) {
        let is_root = |location: &&'p Directive| {
            location::head_of(location).is_some_and(|(modifier, path)| path == "/" && matches!(modifier, "" | "^~ "))
        };
        if level.own("location").iter().any(is_root) {
            return;
        }
        let has_root = !level.own("root").is_empty() || !level.own("alias").is_empty();
        if has_root && level.own("return").is_empty() {
            let tag = self.tag(span);
            self.put("location / {\n");
            let nothing: Level<'p> = Level::within(level, &[]);
            self.tagged(&nothing, Kind::Location, &tag);
            self.put(&format!("proxy_pass http://{FILES};\n}}\n"));
        } else {
            self.put("location / { return 404; }\n");
        }
    }

    fn tag(&mut self, span: Span) -> String {
        self.instrumented.places.push(span);
        (self.instrumented.places.len() - 1).to_string()
    }

    fn block(&mut self, level: &Level<'_>, kind: Kind, tag: &str) {
        for directive in level.directives {
            match directive.name() {
                "listen" => {}
                "location" => self.location(directive, level),
                "if" | "limit_except" => {
                    let kind = if directive.name() == "if" { Kind::If } else { Kind::LimitExcept };
                    self.line(directive, usize::MAX);
                    self.put(" {\n");
                    let inner = level.inner(directive);
                    self.block(&inner, kind, tag);
                    if kind == Kind::LimitExcept && Handler::own(level).is_none() && Handler::own(&inner).is_none() {
                        self.put(&format!("proxy_pass http://{FILES};\n"));
                    }
                    self.put("}\n");
                }
                "proxy_pass" => self.proxy_pass(directive),
                name if is_handler(name) && kind == Kind::If => self.put(&format!("proxy_pass http://{FOREIGN};\n")),
                name if is_handler(name) => {}
                _ => self.statement(directive),
            }
        }
        self.tagged(level, kind, tag);
    }

    /// The level's `add_header`s with our own line: a list of a level's own ends the inheritance of the one above.
    fn tagged(&mut self, level: &Level<'_>, kind: Kind, tag: &str) {
        let own = level.own("add_header").iter().any(|own| !self.left_out.contains(&own.span));
        if !own && !matches!(kind, Kind::Server | Kind::Location) {
            return;
        }
        if !own {
            for directive in level.inherited("add_header") {
                self.statement(directive);
            }
        }
        if kind != Kind::LimitExcept {
            self.put(&format!("add_header {PLACE} {tag} always;\n"));
        }
    }

    fn location<'p>(&mut self, directive: &'p Directive, outer: &Level<'p>) {
        let level = outer.inner(directive);
        let tag = self.tag(directive.span);
        self.line(directive, 0);
        self.put(" {\n");
        self.block(&level, Kind::Location, &tag);
        let redirects_slash = location::head_of(directive)
            .is_some_and(|(modifier, path)| !modifier.starts_with('~') && path.ends_with('/'));
        let own = match Handler::own(&level) {
            Some(Handler::Proxy(_)) => None,
            Some(Handler::Foreign(foreign)) if foreign.name().ends_with("_pass") => Some(FOREIGN),
            Some(Handler::Files | Handler::Foreign(_)) | None if redirects_slash => Some(""),
            Some(Handler::Foreign(_)) => Some(FOREIGN),
            Some(Handler::Files) | None => Some(FILES),
        };
        match own {
            Some("") => self.put("empty_gif;\n"),
            Some(upstream) => self.put(&format!("proxy_pass http://{upstream};\n")),
            None => {}
        }
        self.put("}\n");
    }

    fn proxy_pass(&mut self, directive: &Directive) {
        let text = replaced(directive.arg(0), self.port.as_deref());
        let word = self.instrumented.addresses.word(&text, self.manifest);
        self.put(&format!("proxy_pass {};\n", quoted(&word)));
    }

    fn statement(&mut self, directive: &Directive) {
        let name = directive.name();
        if self.left_out.contains(&directive.span) {
            // Rules keep a field that they cannot make from the client: nginx sends none either.
            if name == "proxy_set_header" {
                self.put(&format!("proxy_set_header {} \"\";\n", quoted(directive.arg(0))));
            }
            return;
        }
        if is_omitted(name) || directive.block.as_ref().is_some_and(|block| block.raw.is_some()) {
            if name != "include" {
                *self.instrumented.omitted.entry(name.to_owned()).or_default() += 1;
            }
            return;
        }
        match name {
            "root" | "alias" => {
                let path = replaced(directive.arg(0), self.port.as_deref());
                let slash = if path.starts_with('/') { "" } else { "/" };
                self.put(&format!("{name} {};\n", quoted(&format!("{NOWHERE}{slash}{path}"))));
            }
            "auth_basic" if directive.arg(0) != "off" => {
                self.line(directive, usize::MAX);
                self.put("; auth_basic_user_file users;\n");
            }
            "auth_request" if directive.arg(0) != "off" => {
                self.asks_auth = true;
                self.put("auth_request /rulec-auth;\n");
            }
            _ => {
                self.noted(directive);
                self.verbatim(directive);
            }
        }
    }

    /// What a statement means for the requests that are asked.
    fn noted(&mut self, directive: &Directive) {
        let name = directive.arg(0).to_ascii_lowercase();
        let instrumented = &mut self.instrumented;
        match directive.name() {
            "add_header" => drop(instrumented.response_names.insert(name)),
            "expires" => drop(instrumented.response_names.insert("cache-control".to_owned())),
            "error_page" => {
                instrumented.pages_bad_requests |= directive.args.iter().any(|word| word.text == "400");
            }
            _ => {}
        }
    }

    fn verbatim(&mut self, directive: &Directive) {
        if !ESSENTIAL.contains(&directive.name()) {
            self.instrumented.conf.begin(directive.name(), directive.span);
        }
        let plain = if directive.name() == "rewrite" { 0 } else { usize::MAX };
        self.lines(directive, plain);
        self.instrumented.conf.end();
    }

    /// `directive` and its block, in which everything is as the author wrote it.
    fn lines(&mut self, directive: &Directive, plain: usize) {
        self.line(directive, plain);
        if directive.block.is_none() {
            self.put(";\n");
            return;
        }
        self.put(" {\n");
        for inner in directive.children().iter().filter(|inner| inner.name() != "include") {
            self.lines(inner, usize::MAX);
        }
        self.put("}\n");
    }

    /// The words of `directive`; in the word number `plain` a `$` is no variable.
    fn line(&mut self, directive: &Directive, plain: usize) {
        self.put(&quoted(&directive.name.text));
        let mut asks_file = false;
        for (index, word) in directive.args.iter().enumerate() {
            let mut text = if index == plain { word.text.clone() } else { replaced(&word.text, self.port.as_deref()) };
            if asks_file && text.starts_with('/') {
                text.insert_str(0, NOWHERE);
            }
            let operator = text.trim_start_matches(['(', '!']);
            asks_file = directive.name() == "if" && matches!(operator, "-f" | "-d" | "-e" | "-x");
            self.put(&format!(" {}", quoted(&text)));
        }
    }
}

/// A kind of block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Server,
    Location,
    If,
    LimitExcept,
}
