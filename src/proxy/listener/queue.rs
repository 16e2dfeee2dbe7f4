//! Connections of one core that have not said anything yet that a request could be.

use core::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use tokio::sync::{Notify, Semaphore};

use crate::proxy::limits::HANDSHAKES_MAX;

/// Those that are in a handshake, oldest first.
#[derive(Debug)]
pub(in crate::proxy) struct Queue {
    waiting: RefCell<BTreeMap<u64, Rc<Notify>>>,
    next: Cell<u64>,
    /// One place: whoever has it computes.
    pub(super) turn: Semaphore,
}

/// A place in the queue, given back when this goes.
#[derive(Debug)]
pub(super) struct Waiting<'q> {
    queue: &'q Queue,
    number: u64,
    evicted: Rc<Notify>,
}

impl Queue {
    pub(in crate::proxy) fn new() -> Self {
        Self { waiting: RefCell::default(), next: Cell::new(0), turn: Semaphore::new(1) }
    }

    /// There is always a place: where all are taken, the one that has waited longest goes. A flood of connections that
    /// say nothing costs itself, not those that come after it.
    pub(super) fn enter(&self) -> Waiting<'_> {
        let number = self.next.get();
        self.next.set(number + 1);
        let evicted = Rc::new(Notify::new());
        let mut waiting = self.waiting.borrow_mut();
        if waiting.len() >= HANDSHAKES_MAX
            && let Some((_, oldest)) = waiting.pop_first()
        {
            oldest.notify_one();
        }
        waiting.insert(number, Rc::clone(&evicted));
        Waiting { queue: self, number, evicted }
    }
}

impl Waiting<'_> {
    /// Returns when the place is needed for somebody else.
    pub(super) async fn evicted(&self) {
        self.evicted.notified().await;
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.queue.waiting.borrow_mut().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_makes_room() {
        let queue = Queue::new();
        let mut all: Vec<_> = (0..HANDSHAKES_MAX).map(|_| queue.enter()).collect();
        drop(all.remove(1));
        all.push(queue.enter());
        assert_eq!(queue.waiting.borrow().len(), HANDSHAKES_MAX);
        all.push(queue.enter());
        assert_eq!(queue.waiting.borrow().len(), HANDSHAKES_MAX);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(all[0].evicted());
        drop(all);
        assert!(queue.waiting.borrow().is_empty());
    }
}
