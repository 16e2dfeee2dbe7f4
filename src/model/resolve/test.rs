//! `test "NAME" { ... }`: each line as a request and what must come of it.

use super::Resolver;
use super::header::is_token;
use crate::diagnostic::Span;
use crate::model::{Expectation, RequestRecord, Test, TestCase};
use crate::syntax::ast::{self, Word};

impl Resolver<'_> {
    /// Reads a block of tests; a line with a mistake is left out.
    pub(super) fn test(&mut self, head: Span, name: &Word, cases: &[ast::TestCase]) {
        let cases = cases.iter().filter_map(|case| self.test_case(case)).collect();
        self.policy.tests.push(Test { name: name.text.clone(), span: head, cases });
    }

    fn test_case(&mut self, case: &ast::TestCase) -> Option<TestCase> {
        let url = self.url(&case.url);
        let headers = self.header_lines(&case.headers);
        let mut request = RequestRecord::new("");
        let options = self.test_options(&case.options, &mut request);
        let knows_facts = self.test_facts(&case.facts, &mut request);
        let expectation = self.expectation(&case.expectation)?;
        let (scheme, host, target) = url?;
        if !is_token(&case.method.text) {
            self.invalid(&case.method, "a method", "such as `GET` or `DELETE`");
            return None;
        }
        let request =
            RequestRecord { method: case.method.text.clone(), scheme, host, target, headers: headers?, ..request };
        (options && knows_facts).then_some(TestCase { span: case.span, request, expectation })
    }

    /// Scheme, host and target of a URL; of a mere path only the target.
    fn url(&mut self, word: &Word) -> Option<(String, Option<String>, String)> {
        let text = word.text.as_str();
        if text.starts_with('/') {
            return Some(("http".to_owned(), None, latin1(text)));
        }
        let found = text.split_once("://").filter(|(scheme, _)| matches!(*scheme, "http" | "https"));
        let Some((scheme, rest)) = found else {
            self.invalid(word, "a URL", "write `http://HOST/PATH` or `https://HOST/PATH`");
            return None;
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, target) = rest.split_at_checked(end)?;
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        Some((scheme.to_owned(), Some(latin1(host)), latin1(&target)))
    }

    fn header_lines(&mut self, words: &[Word]) -> Option<Vec<(String, String)>> {
        let lines: Vec<_> = words.iter().map(|word| self.header_line(word)).collect();
        lines.into_iter().collect()
    }

    fn header_line(&mut self, word: &Word) -> Option<(String, String)> {
        let line = word.text.split_once(':').filter(|(name, _)| is_token(name));
        if line.is_none() {
            self.invalid(word, "a header line", "write `\"Name: value\"`");
        }
        line.map(|(name, value)| (name.to_owned(), latin1(value.trim_matches([' ', '\t']))))
    }

    fn test_options(&mut self, options: &[(Word, Word)], request: &mut RequestRecord) -> bool {
        let mut valid = true;
        for (name, value) in options {
            let known = match name.text.as_str() {
                "body" => value.text.parse().map(|octets| request.body = octets).is_ok(),
                "client" => value.text.parse().map(|client| request.client = client).is_ok(),
                "fault" => {
                    request.fault = value.text.parse().ok().filter(|status| (400..=599).contains(status));
                    request.fault.is_some()
                }
                "listener" => {
                    request.listener = Some(value.text.clone());
                    true
                }
                "port" => {
                    request.port = value.text.parse().ok().filter(|port| *port != 0);
                    request.port.is_some()
                }
                "plan" => {
                    request.plan = Some(value.text.clone());
                    valid &= self.is_caller(value);
                    true
                }
                _ => {
                    self.unknown(
                        "unknown-option",
                        "option here",
                        name,
                        ["body", "client", "plan", "listener", "port", "fault"],
                    );
                    valid = false;
                    true
                }
            };
            if !known {
                let what = match name.text.as_str() {
                    "body" => "a number of octets",
                    "fault" => "the status of a fault",
                    "port" => "a port",
                    _ => "an address",
                };
                self.invalid(value, what, "such as `body=3`, `client=192.0.2.1` and `fault=502`");
                valid = false;
            }
        }
        valid
    }

    fn is_caller(&mut self, word: &Word) -> bool {
        let plans = self.policy.plan_sources.iter().flat_map(|source| source.plans.iter().cloned());
        let mut known: Vec<String> = plans.collect();
        known.extend(["?missing", "?unknown", "?failed"].map(str::to_owned));
        let found = known.contains(&word.text);
        if !found {
            self.unknown("unknown-plan", "plan", word, known.iter().map(String::as_str));
        }
        found
    }

    fn expectation(&mut self, expectation: &ast::Expectation) -> Option<Expectation> {
        match expectation {
            ast::Expectation::Close => Some(Expectation::Close),
            ast::Expectation::Status { code, text } => {
                let status = code.text.parse().ok().filter(|status| (200..=599).contains(status));
                if status.is_none() {
                    self.invalid(code, "a status", "write one of 200 to 599");
                }
                Some(Expectation::Status(status?, text.as_ref().map(|text| latin1(&text.text))))
            }
            ast::Expectation::Proxy { upstream, target, headers } => {
                let known = self.upstream_id(upstream);
                let headers = self.header_lines(headers)?;
                let target = target.as_ref().map(|target| latin1(&target.text));
                known.map(|_| Expectation::Proxy { upstream: upstream.text.clone(), target, headers })
            }
        }
    }
}

/// The bytes of `text`, each as the character of its number.
fn latin1(text: &str) -> String {
    text.bytes().map(char::from).collect()
}
