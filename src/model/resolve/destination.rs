//! Where `goto` and `error_page` lead.

use super::Resolver;
use super::statement::ServiceScope;
use crate::model::{Destination, ErrorPage, PageStatus, Setting};
use crate::syntax::ast::Word;

impl Resolver<'_> {
    /// `goto @NAME`, `goto /PATH[?ARGS]`
    pub(super) fn goto(&mut self, target: &Word, service: &ServiceScope) -> Option<Destination> {
        if target.text.starts_with('@') {
            return self.named(target, service);
        }
        if !target.text.starts_with(['/', '$']) {
            self.invalid(target, "a named location or a path", "write `goto @NAME;` or `goto /PATH;`");
            return None;
        }
        self.template(target, service).map(Destination::Uri)
    }

    /// `error_page CODE... [=[STATUS]] TARGET`, a setting for each code.
    pub(super) fn error_pages(
        &mut self,
        codes: &[Word],
        status: Option<&Word>,
        target: &Word,
        service: &ServiceScope,
    ) -> Vec<Setting> {
        let to = match target.text.chars().next() {
            Some('@') => self.named(target, service),
            Some('/') => self.template(target, service).map(Destination::Uri),
            _ => self.location_value(target, service).map(Destination::Uri),
        };
        let status = self.page_status(status);
        let codes: Vec<u16> = codes.iter().filter_map(|code| self.page_code(code)).collect();
        let (Some(to), Some(status)) = (to, status) else { return Vec::new() };
        codes.into_iter().map(|code| Setting::ErrorPage(ErrorPage::new(code, status, to.clone()))).collect()
    }

    fn named(&mut self, target: &Word, service: &ServiceScope) -> Option<Destination> {
        let found = service.named.get(&target.text).copied();
        if found.is_none() {
            let known = service.named.keys().map(String::as_str);
            self.unknown("unknown-location", "named location of the service", target, known);
        }
        found.map(Destination::Named)
    }

    fn page_code(&mut self, code: &Word) -> Option<u16> {
        let known = code.text.parse().ok().filter(|code| (300..=599).contains(code) && *code != 499);
        if known.is_none() {
            let help = "write one of 300 to 599: what is answered with a smaller one is no error";
            self.error("invalid-status", code.span, format!("no page can stand in for `{}`", code.text), help);
        }
        known
    }

    fn page_status(&mut self, status: Option<&Word>) -> Option<PageStatus> {
        let Some(word) = status else { return Some(PageStatus::Code) };
        let said = word.text.trim_start_matches('=');
        if said.is_empty() {
            return Some(PageStatus::Own);
        }
        let status = said.parse().ok().filter(|status| (200..=599).contains(status));
        if status.is_none() {
            self.error(
                "invalid-status",
                word.span,
                format!("`{said}` is no status of an answer"),
                "write one of 200 to 599",
            );
        }
        status.map(PageStatus::Said)
    }
}
