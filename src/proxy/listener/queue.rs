//! Connections of which there may be so many: where one more comes, the oldest goes.

use core::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use tokio::sync::{Notify, Semaphore};

/// Those that are there, oldest first.
#[derive(Debug)]
pub(in crate::proxy) struct Queue {
    max: usize,
    waiting: RefCell<BTreeMap<u64, Rc<Notify>>>,
    next: Cell<u64>,
    /// One place: whoever has it computes.
    pub(super) turn: Semaphore,
}

/// A place in the queue, given back when this goes.
#[derive(Debug)]
pub(in crate::proxy) struct Waiting<'q> {
    queue: &'q Queue,
    number: u64,
    evicted: Rc<Notify>,
}

impl Queue {
    /// Of `max` places.
    pub(in crate::proxy) fn new(max: usize) -> Self {
        Self { max, waiting: RefCell::default(), next: Cell::new(0), turn: Semaphore::new(1) }
    }

    /// There is always a place: where all are taken, the one that has waited longest goes. A flood of connections that
    /// say nothing costs itself, not those that come after it.
    pub(in crate::proxy) fn enter(&self) -> Waiting<'_> {
        let number = self.next.get();
        self.next.set(number + 1);
        let evicted = Rc::new(Notify::new());
        let mut waiting = self.waiting.borrow_mut();
        if waiting.len() >= self.max
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
    pub(in crate::proxy) async fn evicted(&self) {
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
        const MAX: usize = 100;
        let queue = Queue::new(MAX);
        let mut all: Vec<_> = (0..MAX).map(|_| queue.enter()).collect();
        drop(all.remove(1));
        all.push(queue.enter());
        assert_eq!(queue.waiting.borrow().len(), MAX);
        all.push(queue.enter());
        assert_eq!(queue.waiting.borrow().len(), MAX);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(all[0].evicted());
        drop(all);
        assert!(queue.waiting.borrow().is_empty());
    }
}
