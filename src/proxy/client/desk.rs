//! Heads on their way from the guard of a connection to the side that answers.

use core::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use tokio::time::Instant;

use super::head::Head;

/// Where the guard leaves heads for the answering side of the same connection.
#[derive(Debug)]
pub(in crate::proxy) struct Desk {
    heads: RefCell<VecDeque<Head>>,
    /// Requests that were put here and whose answers have not ended.
    open: Cell<usize>,
    idle_since: Cell<Instant>,
}

impl Desk {
    pub(super) fn new() -> Rc<Self> {
        Rc::new(Self { heads: RefCell::default(), open: Cell::new(0), idle_since: Cell::new(Instant::now()) })
    }

    /// The head of the next request in order.
    pub(in crate::proxy) fn take(&self) -> Option<Head> {
        self.heads.borrow_mut().pop_front()
    }

    /// An answer has ended.
    pub(in crate::proxy) fn close_one(&self) {
        self.open.set(self.open.get().saturating_sub(1));
        self.idle_since.set(Instant::now());
    }

    /// A request has come.
    pub(super) fn put(&self, head: Head) {
        self.open.set(self.open.get() + 1);
        self.heads.borrow_mut().push_back(head);
    }

    /// Whether an answer is on its way.
    pub(super) fn is_busy(&self) -> bool {
        self.open.get() > 0
    }

    /// When the last answer ended.
    pub(super) fn idle_since(&self) -> Instant {
        self.idle_since.get()
    }
}
