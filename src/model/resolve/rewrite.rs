//! `rewrite REGEX TEMPLATE [FLAG]`, with nginx's reading of the template.

use super::Resolver;
use super::statement::Scope;
use super::template::Questions;
use crate::diagnostic::Span;
use crate::model::{Rewrite, RewriteFlag, StatementKind};
use crate::syntax::ast::Word;

impl Resolver<'_> {
    /// The rewrite, and in `scope` that the path may be another one below it.
    pub(super) fn rewrite(
        &mut self,
        head: Span,
        (regex, template, flag): (&Word, &Word, Option<&Word>),
        scope: &mut Scope<'_>,
    ) -> Option<StatementKind> {
        let pattern = self.pattern(regex, 0, false);
        if template.text.is_empty() {
            self.error("invalid-value", template.span, "an empty replacement", "write the new path, such as `/$1`");
            return None;
        }
        let leaves = ["http://", "https://", "$scheme"].iter().any(|prefix| template.text.starts_with(prefix));
        let flag = match flag.map(|flag| (flag, flag.text.as_str())) {
            Some((_, "redirect")) => RewriteFlag::Redirect(302),
            Some((_, "permanent")) => RewriteFlag::Redirect(301),
            Some((_, "307")) => RewriteFlag::Redirect(307),
            Some((_, "308")) => RewriteFlag::Redirect(308),
            None | Some((_, "last" | "break")) if leaves => RewriteFlag::Redirect(302),
            Some((_, "last")) => RewriteFlag::Last,
            Some((_, "break")) => RewriteFlag::Break,
            None => RewriteFlag::Continue,
            Some((flag, _)) => {
                let known = ["last", "break", "redirect", "permanent", "307", "308"];
                self.unknown("unknown-option", "flag of `rewrite`", flag, known);
                return None;
            }
        };
        if flag == RewriteFlag::Break {
            scope.rewrite = Some(head);
        }
        let text = template.text.as_str();
        let (text, keeps_args) = text.strip_suffix('?').map_or((text, true), |text| (text, false));
        let questions =
            if matches!(flag, RewriteFlag::Redirect(_)) { Questions::Literal } else { Questions::BeginArgs };
        let replacement = self.template_of(template, text, questions, scope.service)?;
        Some(StatementKind::Rewrite(Rewrite { pattern, replacement, keeps_args, flag }))
    }
}
