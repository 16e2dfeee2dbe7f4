//! `set $NAME TEMPLATE`

use super::Resolver;
use super::statement::ServiceScope;
use super::template::is_reserved;
use crate::model::StatementKind;
use crate::syntax::ast::Word;

impl Resolver<'_> {
    /// What `set` keeps; `$args` is the one variable of the request that can be set.
    pub(super) fn set_variable(&mut self, name: &Word, value: &Word, service: &ServiceScope) -> Option<StatementKind> {
        let text = name.text.trim_start_matches('$');
        let value = self.template(value, service);
        if text == "args" {
            return value.map(StatementKind::SetArgs);
        }
        if is_reserved(text) || text.bytes().all(|byte| byte.is_ascii_digit()) {
            let message = format!("`${text}` says something of the request and cannot be set");
            self.error("reserved-name", name.span, message, "give your own variable another name");
            return None;
        }
        Some(StatementKind::Set { name: text.to_owned(), value: value? })
    }
}
