//! What one core has for itself: scratch, upstream connections, request ids. Nothing of it is shared or waited for.

use core::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::access_log::{Clock, Format, Log, Writer};
use super::descriptors::Credit;
use super::limits::{LINGERING_MAX, LOG_BUFFER_OCTETS_MAX, LOG_BUFFERS_MAX};
use super::listener::Queue;
use super::metrics::{Asked, Cells};
use super::policy::Policy;
use super::shared::Shared;
use super::upstream::{Pool, Upstream};
use super::verdict::Verdict;
use crate::matcher::{Request, Scratch};

/// One core's state.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) shared: Arc<Shared>,
    scratch: RefCell<Box<Scratch>>,
    serving: RefCell<Rc<Serving>>,
    ids: RefCell<Ids>,
    pub(super) log: Writer,
    pub(super) format: Format,
    pub(super) clock: RefCell<Clock>,
    pub(super) cells: Arc<Cells>,
    pub(super) asked: RefCell<Asked>,
    /// Where lines were written, for others.
    buffers: RefCell<Vec<Vec<u8>>>,
    connections: Cell<usize>,
    /// Connections whose clients may still be sending behind their last answer.
    pub(super) lingering: Queue,
    /// What is dropped now did not finish before the gateway ended.
    ends: Cell<bool>,
    credit: Credit,
    date: RefCell<Date>,
}

/// A policy with this core's connections to its upstreams.
#[derive(Debug)]
pub(super) struct Serving {
    generation: u64,
    pub(super) policy: Arc<Policy>,
    /// By upstream index.
    pub(super) pools: Vec<Rc<Pool>>,
}

impl Serving {
    fn new(generation: u64, policy: Arc<Policy>, cells: &Cells, shared: &Shared) -> Rc<Self> {
        let pools = policy.upstreams.iter().map(|upstream| new_pool(upstream, cells, shared)).collect();
        Rc::new(Self { generation, policy, pools })
    }

    /// The next policy, with the connections to upstreams that are the same in both.
    fn renew(&self, generation: u64, policy: Arc<Policy>, cells: &Cells, shared: &Shared) -> Rc<Self> {
        let address = |upstream: &Arc<Upstream>| Arc::as_ptr(upstream).addr();
        let before: BTreeMap<usize, &Rc<Pool>> =
            self.pools.iter().map(|pool| (address(&pool.upstream), pool)).collect();
        let pool = |upstream: &Arc<Upstream>| match before.get(&address(upstream)) {
            Some(pool) => Rc::clone(pool),
            None => new_pool(upstream, cells, shared),
        };
        let pools = policy.upstreams.iter().map(pool).collect();
        Rc::new(Self { generation, policy, pools })
    }
}

fn new_pool(upstream: &Arc<Upstream>, cells: &Cells, shared: &Shared) -> Rc<Pool> {
    Pool::new(Arc::clone(upstream), cells.pool(&upstream.name), Arc::clone(&shared.shortage))
}

impl Worker {
    pub(super) fn new(shared: Arc<Shared>, log: Arc<Log>, format: Format) -> Rc<Self> {
        let (generation, policy) = shared.policy();
        let cells = shared.metrics.core();
        let serving = Serving::new(generation, policy, &cells, &shared);
        Rc::new(Self {
            shared,
            scratch: RefCell::new(Box::new(Scratch::new())),
            serving: RefCell::new(serving),
            credit: Credit::default(),
            ids: RefCell::default(),
            log: Writer::new(log),
            format,
            clock: RefCell::default(),
            cells,
            asked: RefCell::default(),
            buffers: RefCell::default(),
            connections: Cell::new(0),
            lingering: Queue::new(LINGERING_MAX),
            ends: Cell::new(false),
            date: RefCell::default(),
        })
    }

    /// The policy that serves now; a request keeps to the one it began with.
    pub(super) fn serving(&self) -> Rc<Serving> {
        if self.serving.borrow().generation != self.shared.generation() {
            let (generation, policy) = self.shared.policy();
            let next = self.serving.borrow().renew(generation, policy, &self.cells, &self.shared);
            // What is left of the one before goes once nothing is borrowed: closing a connection may run anything.
            drop(self.serving.replace(next));
        }
        Rc::clone(&self.serving.borrow())
    }

    pub(super) fn decide(&self, policy: &Policy, request: &Request<'_>) -> Verdict {
        policy.matcher.decide(request, &mut self.scratch.borrow_mut()).into()
    }

    /// 128 random bits in hex.
    pub(super) fn request_id(&self) -> Rc<str> {
        self.ids.borrow_mut().next()
    }

    /// The value of Date (RFC 9110 5.6.7).
    pub(super) fn date(&self) -> Rc<str> {
        self.date.borrow_mut().now()
    }

    /// Room for the text of a line.
    pub(super) fn take_buffer(&self) -> Vec<u8> {
        self.buffers.borrow_mut().pop().unwrap_or_default()
    }

    /// Takes it back.
    pub(super) fn give_buffer(&self, buffer: Vec<u8>) {
        let mut buffers = self.buffers.borrow_mut();
        if buffers.len() < LOG_BUFFERS_MAX && buffer.capacity() <= LOG_BUFFER_OCTETS_MAX {
            buffers.push(buffer);
        }
    }

    /// Closes upstream connections that have been idle for too long.
    pub(super) fn sweep(&self) {
        // Those of a policy that was replaced go with it.
        for pool in &self.serving().pools {
            pool.sweep();
        }
    }

    /// The gateway ends: requests that are dropped from now on were not given up by their clients.
    pub(super) fn end(&self) {
        self.ends.set(true);
    }

    pub(super) fn is_ending(&self) -> bool {
        self.ends.get()
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.get()
    }

    /// Whether there is a file descriptor for one more client.
    pub(super) fn has_descriptor(&self) -> bool {
        self.credit.take(&self.shared.descriptors)
    }

    pub(super) fn connected(self: &Rc<Self>) -> Connected {
        self.connections.set(self.connections.get() + 1);
        self.cells.connected();
        Connected(Rc::clone(self))
    }
}

/// A client connection counts as long as this lives.
#[derive(Debug)]
pub(super) struct Connected(Rc<Worker>);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.connections.set(self.0.connections.get().saturating_sub(1));
        self.0.cells.disconnected();
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
    fn next(&mut self) -> Rc<str> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        if self.drawn.len() < 16 {
            self.drawn = vec![0; 256];
            // Without random octets ids repeat, which harms nothing but the log.
            let _ = getrandom::fill(&mut self.drawn);
        }
        let mut id = [b'0'; 32];
        let drawn = self.drawn.len().saturating_sub(16);
        for (pair, octet) in id.chunks_exact_mut(2).zip(self.drawn.drain(drawn..)) {
            let digit = |half: u8| DIGITS.get(usize::from(half)).copied().unwrap_or_default();
            pair.copy_from_slice(&[digit(octet >> 4), digit(octet & 15)]);
        }
        Rc::from(core::str::from_utf8(&id).unwrap_or_default())
    }
}
