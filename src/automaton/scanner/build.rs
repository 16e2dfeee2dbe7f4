//! The subset construction of scanners.

use super::job::{Emission, Job};
use super::tree::Tree;
use super::{DEAD, NO_RANK, Output, Scanner, State};
use crate::automaton::byte_classes::ByteClasses;
use crate::automaton::determinise::OverBudget;
use crate::automaton::program::Program;
use crate::automaton::threads::{Behind, Threads};
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// A literal that begins at the first byte, and its mark.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Literal<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) mark: u32,
}

/// Builds one scanner with a start for each list of `starts`; `literals` are looked for from the first start on. Takes
/// its steps from `steps`.
pub(crate) fn build(
    starts: &[&[Job]],
    literals: &[Literal<'_>],
    states_max: usize,
    steps: &mut u64,
) -> Result<Scanner, OverBudget> {
    let programs: Vec<&Program> = starts.iter().flat_map(|jobs| jobs.iter()).map(|job| &job.program).collect();
    let emissions = starts.iter().flat_map(|jobs| jobs.iter()).map(|job| job.emission).collect();
    let mut tree = Tree::default();
    let roots = plant(&mut tree, starts, literals);
    let mut letters = [false; 256];
    for letter in tree.nodes.iter().flat_map(|node| &node.edges).flat_map(|(letter, _)| letter) {
        if let Some(place) = letters.get_mut(usize::from(*letter)) {
            *place = true;
        }
    }
    let classes = ByteClasses::with_letters(&programs, &letters);
    let stride = classes.representatives.len();
    let mut builder = Builder {
        threads: Threads::new(&programs),
        tree,
        emissions,
        classes,
        begins: vec![Begin::default()],
        ids: FxHashMap::default(),
        waiting: Vec::new(),
        steps,
        targets: vec![Vec::new(); stride],
    };
    let starts = roots.into_iter().map(|roots| builder.start(roots)).collect::<Result<_, _>>()?;
    let mut states = Vec::new();
    while let Some(key) = builder.waiting.get(states.len()).cloned() {
        let (default, edges) = builder.row(key.begin, &key.places)?;
        states.push(State { output: key.output.clone(), default, edges });
        if builder.waiting.len() > states_max {
            return Err(OverBudget);
        }
    }
    Ok(Scanner { classes: builder.classes.of, stride, starts, states })
}

/// Where the anchored and the other jobs of a start begin.
#[derive(Clone, Copy)]
struct Roots {
    anchored: u32,
    anywhere: u32,
}

fn plant(tree: &mut Tree, starts: &[&[Job]], literals: &[Literal<'_>]) -> Vec<Roots> {
    let mut number = 0;
    let mut roots = Vec::new();
    for jobs in starts {
        let own = Roots { anchored: tree.root(), anywhere: tree.root() };
        for job in *jobs {
            let root = if job.anchored { own.anchored } else { own.anywhere };
            if let Some(node) = tree.insert(root, job.letters.iter().copied()) {
                node.jobs.push(number);
            }
            number += 1;
        }
        roots.push(own);
    }
    if let Some(first) = roots.first() {
        for literal in literals {
            if let Some(node) = tree.insert(first.anchored, literal.text.iter().map(|byte| [*byte, *byte])) {
                node.mark = Some(literal.mark);
            }
        }
    }
    roots
}

/// A node of the tree or a thread, by [`node`].
type Place = u32;

const NODE: Place = 1 << 31;

fn node(place: Place) -> Option<u32> {
    (place & NODE != 0).then_some(place & !NODE)
}

/// What every state of a start holds besides its own places: where patterns that may begin anywhere begin.
#[derive(Clone, Debug, Default)]
struct Begin {
    places: Vec<Place>,
    /// By class: where they lead.
    targets: Vec<Vec<Place>>,
    /// By class: the states that they lead to alone.
    row: Vec<u32>,
    /// What stands in its place behind a byte of a word, and behind another. Those of `begins[0]` are itself.
    after: [u32; 2],
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    begin: u32,
    places: Box<[Place]>,
    output: Output,
}

struct Builder<'a> {
    threads: Threads<'a>,
    tree: Tree,
    /// By job.
    emissions: Vec<Emission>,
    classes: ByteClasses,
    begins: Vec<Begin>,
    ids: FxHashMap<Rc<Key>, u32>,
    /// States in the order of their numbers.
    waiting: Vec<Rc<Key>>,
    steps: &'a mut u64,
    /// By class; emptied after use.
    targets: Vec<Vec<Place>>,
}

impl Builder<'_> {
    fn start(&mut self, roots: Roots) -> Result<u32, OverBudget> {
        let [word, other] = [Behind::Word, Behind::NotWord].map(|behind| self.reached(roots.anywhere, behind));
        let after = if word.is_empty() && other.is_empty() {
            [0, 0]
        } else if word == other {
            let both = self.begin(word, [0, 0]);
            self.begin_after(both, [both, both]);
            [both, both]
        } else {
            let after = [self.begin(word, [0, 0]), self.begin(other, [0, 0])];
            for begin in after {
                self.begin_after(begin, after);
            }
            after
        };
        let mut first = self.reached(roots.anchored, Behind::Nothing);
        first.extend(self.reached(roots.anywhere, Behind::Nothing));
        let begin = self.begin(first, after);
        self.number(begin, Vec::new())
    }

    fn begin(&mut self, mut places: Vec<Place>, after: [u32; 2]) -> u32 {
        places.sort_unstable();
        self.begins.push(Begin { places, after, ..Begin::default() });
        u32::try_from(self.begins.len() - 1).unwrap_or(u32::MAX)
    }

    fn begin_after(&mut self, begin: u32, after: [u32; 2]) {
        if let Some(begin) = self.begins.get_mut(begin as usize) {
            begin.after = after;
        }
    }

    /// The places that are reached with `node`, behind `behind`.
    fn reached(&mut self, node: u32, behind: Behind) -> Vec<Place> {
        let mut places = Vec::new();
        reach(&self.tree, &mut self.threads, node, behind, &mut places);
        places
    }

    /// The default and the edges of the state of `places` with `begin`.
    fn row(&mut self, begin: u32, places: &[Place]) -> Result<(u32, Vec<(u8, u32)>), OverBudget> {
        self.know(begin)?;
        let mut edges = Vec::new();
        for class in self.step(places)? {
            let mut targets = core::mem::take(self.targets.get_mut(usize::from(class)).unwrap_or(&mut Vec::new()));
            let of_begin = self.begins.get(begin as usize).and_then(|begin| begin.targets.get(usize::from(class)));
            targets.extend(of_begin.into_iter().flatten());
            edges.push((class, self.number(self.after(begin, class), targets)?));
        }
        let of_begin = self.begins.get(begin as usize).map_or([].as_slice(), |begin| begin.row.as_slice());
        if begin == 0 && edges.len() * 2 < of_begin.len() {
            edges.retain(|(_, next)| *next != DEAD);
            return Ok((DEAD, edges));
        }
        let mut row = of_begin.to_vec();
        for (class, next) in edges {
            if let Some(place) = row.get_mut(usize::from(class)) {
                *place = next;
            }
        }
        let default = most_frequent(&row);
        Ok((default, (0..=u8::MAX).zip(row).filter(|(_, next)| *next != default).collect()))
    }

    /// Fills in the targets and the row of `begin`.
    fn know(&mut self, begin: u32) -> Result<(), OverBudget> {
        let stride = self.classes.representatives.len();
        let Some(own) = self.begins.get(begin as usize).filter(|own| own.row.is_empty()) else { return Ok(()) };
        let places = own.places.clone();
        let mut targets = vec![Vec::new(); stride];
        let mut row = vec![DEAD; stride];
        self.step(&places)?;
        for (class, (own, next)) in (0..=u8::MAX).zip(targets.iter_mut().zip(&mut row)) {
            *own = core::mem::take(self.targets.get_mut(usize::from(class)).unwrap_or(&mut Vec::new()));
            *next = self.number(self.after(begin, class), own.clone())?;
        }
        if let Some(begin) = self.begins.get_mut(begin as usize) {
            (begin.targets, begin.row) = (targets, row);
        }
        Ok(())
    }

    fn after(&self, begin: u32, class: u8) -> u32 {
        let byte = self.classes.representatives.get(usize::from(class)).copied().unwrap_or(0);
        let [word, other] = self.begins.get(begin as usize).map_or([0, 0], |begin| begin.after);
        if Behind::byte(byte) == Behind::Word { word } else { other }
    }

    /// Puts where `places` lead into `targets`; says which classes lead somewhere, ascending.
    fn step(&mut self, places: &[Place]) -> Result<Vec<u8>, OverBudget> {
        let Self { threads, tree, classes, targets, .. } = self;
        let mut touched = Vec::new();
        let mut cost = 1;
        let mut put = |class: u8, add: &mut dyn FnMut(u8, &mut Vec<Place>)| {
            let byte = classes.representatives.get(usize::from(class)).copied().unwrap_or(0);
            let Some(own) = targets.get_mut(usize::from(class)) else { return };
            let before = own.len();
            add(byte, own);
            cost += (own.len() - before) as u64;
            if before == 0 && !own.is_empty() {
                touched.push(class);
            }
        };
        let class = |byte: u8| classes.of.get(usize::from(byte)).copied().unwrap_or(0);
        for place in places {
            if let Some(node) = node(*place) {
                for ([upper, lower], child) in &tree.node(node).edges {
                    let mut into = |byte: u8| {
                        put(class(byte), &mut |byte, own| reach(tree, threads, *child, Behind::byte(byte), own));
                    };
                    into(*upper);
                    if upper != lower {
                        into(*lower);
                    }
                }
            } else {
                for (first, last) in threads.ranges(*place) {
                    for class in class(first)..=class(last) {
                        put(class, &mut |byte, own| threads.read(*place, byte, own));
                    }
                }
            }
        }
        let left = self.steps.checked_sub(cost);
        *self.steps = left.unwrap_or(0);
        left.ok_or(OverBudget)?;
        touched.sort_unstable();
        Ok(touched)
    }

    /// The state of `places` with `begin`, or `DEAD`.
    fn number(&mut self, begin: u32, mut places: Vec<Place>) -> Result<u32, OverBudget> {
        places.sort_unstable();
        places.dedup();
        let output = self.output(begin, &places);
        self.forget(&mut places, &output);
        if begin == 0 && places.is_empty() && output == Output::NONE {
            return Ok(DEAD);
        }
        let fresh = u32::try_from(self.waiting.len()).map_err(|_| OverBudget)?;
        let waiting = &mut self.waiting;
        let key = Rc::new(Key { begin, places: places.into_boxed_slice(), output });
        Ok(*self.ids.entry(key).or_insert_with_key(|key| {
            waiting.push(Rc::clone(key));
            fresh
        }))
    }

    fn output(&self, begin: u32, places: &[Place]) -> Output {
        let mut output = Output::NONE;
        let of_begin = self.begins.get(begin as usize).map_or([].as_slice(), |begin| begin.places.as_slice());
        for place in places.iter().chain(of_begin) {
            if let Some(node) = node(*place) {
                output.mark = output.mark.or(self.tree.node(node).mark);
            } else if self.threads.is_certain(*place) {
                match self.emission(*place) {
                    Emission::Rank(rank) => output.seen = output.seen.min(rank),
                    Emission::Continuation { continuation, .. } => output.continuations.push(continuation),
                }
            } else if self.threads.accepts(*place) {
                output.end = output.end.min(self.emission(*place).best());
            }
        }
        if output.end >= output.seen {
            output.end = NO_RANK;
        }
        output.continuations.sort_unstable();
        output.continuations.dedup();
        output
    }

    /// Takes out what has been told, and what cannot be better than what has been told.
    fn forget(&self, places: &mut Vec<Place>, output: &Output) {
        if output.seen == NO_RANK && output.continuations.is_empty() {
            return;
        }
        let threads = places.iter().filter(|place| node(**place).is_none());
        let told: Vec<u32> =
            threads.filter(|thread| self.threads.is_certain(**thread)).map(|t| self.threads.program(*t)).collect();
        places.retain(|place| {
            node(*place).is_some()
                || self.emission(*place).best() < output.seen
                    && told.binary_search(&self.threads.program(*place)).is_err()
        });
    }

    fn emission(&self, thread: Place) -> Emission {
        let job = self.threads.program(thread) as usize;
        self.emissions.get(job).copied().unwrap_or(Emission::Rank(NO_RANK))
    }
}

/// Adds the places that are reached with `node`, behind `behind`.
fn reach(tree: &Tree, threads: &mut Threads<'_>, node: u32, behind: Behind, places: &mut Vec<Place>) {
    let own = tree.node(node);
    if !own.edges.is_empty() || own.mark.is_some() {
        places.push(NODE | node);
    }
    for job in &own.jobs {
        threads.enter(*job, behind, places);
    }
}

fn most_frequent(row: &[u32]) -> u32 {
    // Most rows have one that stands in more than half of their places: it outlasts all others.
    let mut lasting = (DEAD, 0);
    for next in row {
        lasting = match lasting {
            (_, 0) => (*next, 1),
            (kept, count) if kept == *next => (kept, count + 1),
            (kept, count) => (kept, count - 1),
        };
    }
    if row.iter().filter(|next| **next == lasting.0).count() * 2 > row.len() {
        return lasting.0;
    }
    let mut sorted = row.to_vec();
    sorted.sort_unstable();
    let longest = sorted.chunk_by(|a, b| a == b).rev().max_by_key(|chunk| chunk.len());
    longest.and_then(<[u32]>::first).copied().unwrap_or(DEAD)
}
