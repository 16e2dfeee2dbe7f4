//! The configuration that stands for the original: what bears on decisions, with our own sockets, upstreams and tags.
//!
//! No files exist, so a location that serves files answers by an upstream of its own; where that would make nginx
//! redirect a missing slash, by `empty_gif`, which runs in the same phase. Every location says its number in a header.

use super::super::content::Handler;
use super::super::import::{Context, context};
use super::super::importer::Importer;
use super::super::level::Level;
use super::super::listen::Listeners;
use super::super::tree::{Directive, Parsed};
use super::super::without::Options;
use super::super::{decode, location};
use super::client::AUTH;
use super::sources::ServerSource;
use super::words::{KEPT, PUSHED, quoted, replaced};
use crate::diagnostic::Span;
use std::collections::{BTreeMap, BTreeSet};

/// What nginx is given.
#[derive(Clone, Debug, Default)]
pub(super) struct Instrumented {
    /// What stands in `http`.
    pub(super) text: Vec<u8>,
    /// Names of upstreams, as `proxy_pass` has them.
    pub(super) upstreams: BTreeSet<String>,
    /// Of those: the address that the original has.
    pub(super) renamed: BTreeMap<String, String>,
    /// Sockets, and the listeners of the rules that they stand for.
    pub(super) sockets: Vec<(String, Option<String>)>,
    /// Listeners that stand for TLS.
    pub(super) tls: Vec<bool>,
    /// By tag: the location.
    pub(super) places: Vec<Span>,
    /// Names of `add_header`, in small letters.
    pub(super) response_names: BTreeSet<String>,
    /// Names of `proxy_set_header`, in small letters.
    pub(super) request_names: BTreeSet<String>,
    /// Servers.
    pub(super) servers: usize,
    /// Whether an error page stands for requests that nginx cannot read.
    pub(super) pages_bad_requests: bool,
    /// What they are asked with.
    pub(super) sources: Vec<ServerSource>,
}

/// The header that names the location.
pub(super) const PLACE: &str = "X-Rulec-Place";
/// Where files are served.
pub(super) const FILES: &str = "rulec_files";
/// Where another protocol is spoken.
pub(super) const FOREIGN: &str = "rulec_foreign";

/// `parsed` for nginx; `number` keeps its sockets apart from those of others.
pub(super) fn instrument(parsed: &Parsed, number: usize) -> Instrumented {
    let mut writer = Writer { number, ..Writer::default() };
    let directives = parsed.directives.as_slice();
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
            let level = Level { directives, outer: Some(std::rc::Rc::new(http)) };
            writer.socket("s", None, false);
            let socket = writer.address("s");
            let span = directives.first().map(|first| first.span).unwrap_or_default();
            writer.server(&level, span, &[(socket, true)]);
        }
    }
    writer.instrumented.upstreams.insert(FILES.to_owned());
    writer.instrumented.upstreams.insert(FOREIGN.to_owned());
    writer.instrumented.text = decode::encode(&writer.text);
    writer.instrumented
}

#[derive(Debug, Default)]
struct Writer {
    number: usize,
    text: String,
    instrumented: Instrumented,
    declared: BTreeSet<String>,
    port: Option<String>,
    /// Whether the server asks a subrequest who may pass.
    asks_auth: bool,
}

impl Writer {
    fn put(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn address(&self, address: &str) -> String {
        let name: String = address.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        format!("s{}_{name}.sock", self.number)
    }

    fn socket(&mut self, address: &str, listener: Option<String>, tls: bool) {
        self.instrumented.sockets.push((self.address(address), listener));
        self.instrumented.tls.push(tls);
    }

    fn http<'p>(&mut self, parsed: &'p Parsed, level: &Level<'p>) {
        let servers: Vec<&'p Directive> =
            level.own("server").into_iter().filter(|server| server.block.is_some()).collect();
        let listeners: Listeners = Importer::new(parsed, &Options::default()).listeners(&servers);
        for (address, name, tls) in listeners.all() {
            self.socket(&address, name, tls);
        }
        for directive in level.directives {
            match directive.name() {
                "upstream" => {
                    self.declared.insert(directive.arg(0).to_ascii_lowercase());
                    self.instrumented.upstreams.insert(directive.arg(0).to_owned());
                }
                "map" | "geo" | "split_clients" => {
                    self.line(directive, usize::MAX);
                    self.put(" {\n");
                    for inner in directive.children().iter().filter(|inner| inner.name() != "include") {
                        self.line(inner, usize::MAX);
                        self.put(";\n");
                    }
                    self.put("}\n");
                }
                _ => {}
            }
        }
        for (index, server) in servers.iter().enumerate() {
            let sockets: Vec<(String, bool)> = listeners
                .addresses(index)
                .iter()
                .map(|address| (self.address(address), listeners.default_at(address) == Some(index)))
                .collect();
            self.port = listeners.port_and_tls(index).0;
            self.server(&level.inner(server), server.span, &sockets);
        }
    }

    fn server<'p>(&mut self, level: &Level<'p>, span: Span, sockets: &[(String, bool)]) {
        self.instrumented.servers += 1;
        let own_sockets = sockets.iter().map(|(socket, _)| socket.clone()).collect();
        self.instrumented.sources.push(ServerSource::of(level.directives, own_sockets));
        self.asks_auth = false;
        self.put("server {\n");
        for (socket, is_default) in sockets {
            let default = if *is_default { " default_server" } else { "" };
            self.put(&format!("listen unix:{socket}{default};\n"));
        }
        for group in PUSHED {
            if group.iter().all(|name| level.own(name).is_empty()) {
                for directive in group.iter().flat_map(|name| level.inherited(name)) {
                    self.statement(directive);
                }
            }
        }
        self.block(level, Kind::Server, "s");
        let all = level.own("location");
        let is_root = |location: &&&'p Directive| {
            location::head_of(location).is_some_and(|(modifier, path)| path == "/" && matches!(modifier, "" | "^~ "))
        };
        if !all.iter().any(|location| is_root(&location)) {
            let has_root = !level.own("root").is_empty() || !level.own("alias").is_empty();
            if has_root && level.own("return").is_empty() {
                let tag = self.tag(span);
                self.put("location / {\n");
                let nothing: Level<'p> = Level { directives: &[], outer: Some(std::rc::Rc::new(level.clone())) };
                self.tagged(&nothing, Kind::Location, &tag);
                self.put(&format!("proxy_pass http://{FILES};\n}}\n"));
            } else {
                self.put("location / { return 404; }\n");
            }
        }
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

    fn tag(&mut self, span: Span) -> String {
        self.instrumented.places.push(span);
        (self.instrumented.places.len() - 1).to_string()
    }

    fn block(&mut self, level: &Level<'_>, kind: Kind, tag: &str) {
        for directive in level.directives {
            match directive.name() {
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
                "proxy_set_header" if directive.arg(0).eq_ignore_ascii_case("connection") => {}
                _ => self.statement(directive),
            }
        }
        self.tagged(level, kind, tag);
    }

    /// Header lists with our own lines: a list of a level's own ends the inheritance of the one above.
    fn tagged(&mut self, level: &Level<'_>, kind: Kind, tag: &str) {
        let own = level.own("add_header");
        if matches!(kind, Kind::Server | Kind::Location) || !own.is_empty() {
            if own.is_empty() && kind != Kind::Server {
                for directive in level.inherited("add_header") {
                    self.statement(directive);
                }
            }
            if kind != Kind::LimitExcept {
                self.put(&format!("add_header {PLACE} {tag} always;\n"));
            }
        }
        let own = level.own("proxy_set_header");
        let pushed = kind == Kind::Server && !level.inherited("proxy_set_header").is_empty();
        if !own.is_empty() || pushed {
            self.put("proxy_set_header Connection \"\";\n");
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
        let text = directive.arg(0);
        let Some((scheme, rest)) = text.split_once("://") else {
            self.put(&format!("proxy_pass {};\n", quoted(text)));
            return;
        };
        let (address, uri) = if let Some(path) = rest.strip_prefix("unix:") {
            path.split_once(':')
                .map_or((rest, ""), |(path, uri)| (rest.get(..path.len() + "unix:".len()).unwrap_or(rest), uri))
        } else {
            rest.split_at_checked(rest.find(['/', '?', '$']).unwrap_or(rest.len())).unwrap_or((rest, ""))
        };
        // What a variable gives is the name of an upstream that is declared.
        let name = if address.is_empty() || self.declared.contains(&address.to_ascii_lowercase()) {
            address.to_owned()
        } else {
            let name: String =
                address.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '_' }).collect();
            let name = format!("rulec_{name}");
            self.instrumented.upstreams.insert(name.clone());
            // nginx says a port only where it is not the scheme's own.
            let port = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
            let shown = address.strip_suffix(port).unwrap_or(address);
            self.instrumented.renamed.insert(name.clone(), shown.to_owned());
            name
        };
        let target = replaced(&format!("http://{name}{uri}"), self.port.as_deref());
        self.put(&format!("proxy_pass {};\n", quoted(&target)));
    }

    fn statement(&mut self, directive: &Directive) {
        match directive.name() {
            "auth_basic" if directive.arg(0) != "off" => {
                self.line(directive, usize::MAX);
                self.put("; auth_basic_user_file users;\n");
                return;
            }
            "auth_request" if directive.arg(0) != "off" => {
                self.asks_auth = true;
                self.put("auth_request /rulec-auth;\n");
                return;
            }
            "add_header" => {
                self.instrumented.response_names.insert(directive.arg(0).to_ascii_lowercase());
            }
            "proxy_set_header" => {
                self.instrumented.request_names.insert(directive.arg(0).to_ascii_lowercase());
            }
            "expires" => {
                self.instrumented.response_names.insert("cache-control".to_owned());
            }
            "error_page" => {
                self.instrumented.pages_bad_requests |= directive.args.iter().any(|word| word.text == "400");
            }
            name if !KEPT.contains(&name) => return,
            _ => {}
        }
        let plain = if directive.name() == "rewrite" { 0 } else { usize::MAX };
        self.line(directive, plain);
        self.put(";\n");
    }

    /// The words of `directive`; in the word number `plain` a `$` is no variable.
    fn line(&mut self, directive: &Directive, plain: usize) {
        self.put(&quoted(&directive.name.text));
        for (index, word) in directive.args.iter().enumerate() {
            let text = if index == plain { word.text.clone() } else { replaced(&word.text, self.port.as_deref()) };
            self.text.push(' ');
            self.put(&quoted(&text));
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
