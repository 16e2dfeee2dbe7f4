//! Rules as text: statements, blocks, comments, and which place of the configuration each line came from.

use crate::diagnostic::Span;

/// A piece of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// `statement;`
    Line {
        /// Without the `;`.
        text: String,
        /// What it came from.
        span: Option<Span>,
        /// A remark behind it.
        remark: String,
    },
    /// `head { ... }`
    Block {
        /// Without the `{`.
        head: String,
        /// What it came from.
        span: Option<Span>,
        /// A remark behind the `{`.
        remark: String,
        /// What stands in it.
        body: Vec<Self>,
    },
    /// `# text`
    Comment(String),
    /// An empty line.
    Blank,
}

impl Node {
    /// `text;`, which came from `span`.
    pub(super) fn line(text: impl Into<String>, span: Span) -> Self {
        Self::Line { text: text.into(), span: Some(span), remark: String::new() }
    }

    /// `head { body }`, which came from `span`.
    pub(super) fn block(head: impl Into<String>, span: Span, body: Vec<Self>) -> Self {
        Self::Block { head: head.into(), span: Some(span), remark: String::new(), body }
    }

    /// The same with a remark behind it.
    pub(super) fn remark(mut self, text: impl Into<String>) -> Self {
        if let Self::Line { remark, .. } | Self::Block { remark, .. } = &mut self {
            *remark = text.into();
        }
        self
    }

    /// Whether it says something to the compiler.
    pub(super) fn is_statement(&self) -> bool {
        matches!(self, Self::Line { .. } | Self::Block { .. })
    }
}

/// A text, and for each of its lines the place it came from.
#[derive(Clone, Debug, Default)]
pub(super) struct Rendered {
    /// The whole text.
    pub(super) text: String,
    /// By line, from 0.
    pub(super) origins: Vec<Option<Span>>,
}

impl Rendered {
    /// `nodes` as a text.
    pub(super) fn of(nodes: &[Node]) -> Self {
        let mut rendered = Self::default();
        rendered.nodes(nodes, 0, None);
        rendered
    }

    fn nodes(&mut self, nodes: &[Node], depth: usize, outer: Option<Span>) {
        for node in nodes {
            match node {
                Node::Line { text, span, remark } => self.push(depth, &format!("{text};"), remark, span.or(outer)),
                Node::Comment(text) => self.push(depth, format!("# {text}").trim_end(), "", outer),
                Node::Blank => self.push(0, "", "", outer),
                Node::Block { head, span, remark, body } => {
                    let span = span.or(outer);
                    let one = match body.as_slice() {
                        [] => Some(String::new()),
                        [Node::Line { text, remark, .. }] if remark.is_empty() => Some(format!("{text}; ")),
                        _ => None,
                    };
                    let short = one.map(|inner| format!("{head} {{ {inner}}}"));
                    if let Some(line) = short.filter(|line| line.len() + depth * INDENT <= SHORT_MAX) {
                        self.push(depth, &line, remark, span);
                    } else {
                        self.push(depth, &format!("{head} {{"), remark, span);
                        self.nodes(body, depth + 1, span);
                        self.push(depth, "}", "", span);
                    }
                }
            }
        }
    }

    fn push(&mut self, depth: usize, line: &str, remark: &str, span: Option<Span>) {
        if !line.is_empty() {
            self.text.extend(core::iter::repeat_n(' ', depth * INDENT));
            self.text.push_str(line);
        }
        if !remark.is_empty() {
            self.text.push_str("  # ");
            self.text.push_str(remark);
        }
        // A word may hold line ends of its own.
        let lines = line.matches('\n').count() + 1;
        self.origins.extend(core::iter::repeat_n(span, lines));
        self.text.push('\n');
    }
}

const INDENT: usize = 4;
/// A block of one statement stands on one line up to here.
const SHORT_MAX: usize = 100;

/// `text` as a word of the rules: in quotes only where it has to be.
pub(super) fn word(text: &str) -> String {
    let ends = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | ';' | '{' | '}');
    let bare = !text.is_empty() && !text.starts_with('#') && !text.contains(ends);
    if bare { text.to_owned() } else { quoted(text) }
}

/// `text` as a template of the rules: `${name}` does not ask for quotes.
pub(super) fn template_word(text: &str) -> String {
    let mut rest = text;
    let mut plain = String::new();
    while let Some(at) = rest.find("${") {
        plain.push_str(rest.get(..at).unwrap_or(""));
        let behind = rest.get(at + 2..).unwrap_or("");
        let Some(end) = behind.find('}') else { return quoted(text) };
        plain.push('v');
        rest = behind.get(end + 1..).unwrap_or("");
    }
    plain.push_str(rest);
    if word(&plain) == plain { text.to_owned() } else { quoted(text) }
}

/// `text` in quotes.
pub(super) fn quoted(text: &str) -> String {
    let mut word = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => word.push_str("\\\""),
            '\\' => word.push_str("\\\\"),
            '\n' => word.push_str("\\n"),
            '\r' => word.push_str("\\r"),
            '\t' => word.push_str("\\t"),
            _ => word.push(c),
        }
    }
    word.push('"');
    word
}

/// `text` as a name: letters, digits and a few signs, so that no word of the language is meant by it.
pub(super) fn name(text: &str) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.') { c } else { '_' };
    let name: String = text.chars().map(keep).collect();
    let name = name.trim_matches(['_', '.', '-']);
    if name.is_empty() { "x".to_owned() } else { name.to_owned() }
}
