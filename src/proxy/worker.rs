//! What one core has for itself: scratch, upstream connections, request ids. Nothing of it is shared or waited for.

use core::cell::{Cell, RefCell};
use core::sync::atomic::Ordering;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::access_log::{Line, Sender};
use super::policy::Policy;
use super::shared::Shared;
use super::upstream::Pool;
use super::verdict::Verdict;
use crate::matcher::{Request, Scratch};

/// One core's state.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) shared: Arc<Shared>,
    scratch: RefCell<Box<Scratch>>,
    serving: RefCell<Serving>,
    ids: RefCell<Ids>,
    log: Sender,
    connections: Cell<usize>,
    date: RefCell<Date>,
}

/// A policy with this core's connections to its upstreams.
#[derive(Clone, Debug)]
pub(super) struct Serving {
    generation: u64,
    pub(super) policy: Arc<Policy>,
    /// By upstream index.
    pub(super) pools: Rc<Vec<Rc<Pool>>>,
}

impl Serving {
    fn new(generation: u64, policy: Arc<Policy>) -> Self {
        let pools = policy.upstreams.iter().map(|upstream| Pool::new(Arc::clone(upstream))).collect();
        Self { generation, policy, pools: Rc::new(pools) }
    }
}

impl Worker {
    pub(super) fn new(shared: Arc<Shared>, log: Sender) -> Rc<Self> {
        let (generation, policy) = shared.policy();
        Rc::new(Self {
            shared,
            scratch: RefCell::new(Box::new(Scratch::new())),
            serving: RefCell::new(Serving::new(generation, policy)),
            ids: RefCell::default(),
            log,
            connections: Cell::new(0),
            date: RefCell::default(),
        })
    }

    /// The policy that serves now; a request keeps to the one it began with.
    pub(super) fn serving(&self) -> Serving {
        if self.serving.borrow().generation != self.shared.generation() {
            let (generation, policy) = self.shared.policy();
            *self.serving.borrow_mut() = Serving::new(generation, policy);
        }
        self.serving.borrow().clone()
    }

    pub(super) fn decide(&self, policy: &Policy, request: &Request<'_>) -> Verdict {
        policy.matcher.decide(request, &mut self.scratch.borrow_mut()).into()
    }

    /// 128 random bits in hex.
    pub(super) fn request_id(&self) -> String {
        self.ids.borrow_mut().next()
    }

    /// The value of Date (RFC 9110 5.6.7).
    pub(super) fn date(&self) -> Rc<str> {
        self.date.borrow_mut().now()
    }

    pub(super) fn log(&self, line: &Line) {
        self.log.write(line);
    }

    pub(super) fn count(&self, line: &Line) {
        let counters = &self.shared.counters;
        counters.requests.fetch_add(1, Ordering::Relaxed);
        counters.outcome(line.outcome).fetch_add(1, Ordering::Relaxed);
    }

    /// Closes upstream connections that have been idle for too long.
    pub(super) fn sweep(&self) {
        // Those of a policy that was replaced go with it.
        for pool in self.serving().pools.iter() {
            pool.sweep();
        }
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.get()
    }

    pub(super) fn connected(self: &Rc<Self>) -> Connected {
        self.connections.set(self.connections.get() + 1);
        self.shared.counters.connections.fetch_add(1, Ordering::Relaxed);
        Connected(Rc::clone(self))
    }
}

/// A client connection counts as long as this lives.
#[derive(Debug)]
pub(super) struct Connected(Rc<Worker>);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.connections.set(self.0.connections.get().saturating_sub(1));
        self.0.shared.counters.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The date as HTTP writes it, written once a second.
#[derive(Debug, Default)]
struct Date {
    written: Option<(u64, Rc<str>)>,
}

impl Date {
    fn now(&mut self) -> Rc<str> {
        let now = SystemTime::now();
        let second = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        match &self.written {
            Some((of, text)) if *of == second => Rc::clone(text),
            _ => {
                let text: Rc<str> = Rc::from(httpdate::fmt_http_date(now));
                self.written = Some((second, Rc::clone(&text)));
                text
            }
        }
    }
}

/// Random octets, drawn sixteen ids at a time.
#[derive(Debug, Default)]
struct Ids {
    drawn: Vec<u8>,
}

impl Ids {
    fn next(&mut self) -> String {
        if self.drawn.len() < 16 {
            self.drawn = vec![0; 256];
            // Without random octets ids repeat, which harms nothing but the log.
            let _ = getrandom::fill(&mut self.drawn);
        }
        let id = self.drawn.split_off(self.drawn.len().saturating_sub(16));
        let digit = |value: u8| char::from(if value < 10 { b'0' + value } else { b'a' + value - 10 });
        let mut text = String::with_capacity(32);
        text.extend(id.iter().flat_map(|octet| [digit(octet >> 4), digit(octet & 15)]));
        text
    }
}
