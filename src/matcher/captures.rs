//! What the groups of a regex captured: a simulation of all its threads at once (Pike's), bounded by the size of the
//! program and the length of the subject.

use super::look;
use super::scratch::{SCRATCH_OCTETS, SCRATCH_WORDS, Slice};
use crate::artifact::Tables;
use crate::artifact::format::{Instruction, Program, instruction, look as look_kind};

/// A slot that noted nothing.
const UNSET: u32 = u32::MAX;

/// Whether a program of `instructions` with `slots` fits the working memory.
pub fn fits(instructions: usize, slots: u32) -> bool {
    words(instructions, slots as usize) <= SCRATCH_WORDS
}

/// Two lists of threads (each with an index to find it by, and slots), the slots of the best match and of the thread
/// in hand, and a stack on which each instruction pushes at most one thing to try and one slot to restore (3 words).
fn words(instructions: usize, slots: usize) -> usize {
    instructions.saturating_mul(2 * (2 + slots) + 2 * 3).saturating_add(2 * slots + 3)
}

/// Matches `program` against `subject` of the arena `bytes`, leftmost-first as Perl does. True if it matches; then
/// `groups` are set, as slices of the arena.
pub(super) fn captures(
    tables: &Tables<'_>,
    program: Program,
    words: &mut [u32; SCRATCH_WORDS],
    around: &mut [u8; SCRATCH_OCTETS + 1],
    bytes: &[u8],
    subject: Slice,
    mut group: impl FnMut(usize, Slice),
) -> bool {
    if !fits(program.count as usize, program.slots) {
        tables.lost().note();
        return false;
    }
    if program.looks_count > 0 {
        look::note(tables, program, words, around, subject.of(bytes));
    }
    let Some(mut machine) = Machine::new(tables, program, words, around, subject.of(bytes)) else {
        tables.lost().note();
        return false;
    };
    if !machine.run() {
        return false;
    }
    for (index, [start, end]) in machine.best.as_chunks::<2>().0.iter().enumerate() {
        let is_set = *start != UNSET && *end != UNSET;
        let at = |position: &u32| subject.start.saturating_add(*position);
        group(index, if is_set { Slice { start: at(start), end: at(end) } } else { Slice::EMPTY });
    }
    true
}

/// Threads at one position, best first, each at another instruction.
struct Threads<'w> {
    /// Instructions in order of preference.
    dense: &'w mut [u32],
    /// By instruction: its index in `dense`, if that names it.
    sparse: &'w mut [u32],
    /// By instruction: the slots of its thread.
    slots: &'w mut [u32],
    count: usize,
}

impl Threads<'_> {
    fn holds(&self, at: u32) -> bool {
        let index = self.sparse.get(at as usize).map_or(usize::MAX, |index| *index as usize);
        index < self.count && self.dense.get(index) == Some(&at)
    }

    fn insert(&mut self, at: u32) {
        if let (Some(dense), Some(sparse)) = (self.dense.get_mut(self.count), self.sparse.get_mut(at as usize)) {
            *dense = at;
            *sparse = u32::try_from(self.count).unwrap_or(u32::MAX);
            self.count += 1;
        }
    }

    fn slots(&mut self, at: u32, per_thread: usize) -> &mut [u32] {
        let start = at as usize * per_thread;
        self.slots.get_mut(start..start + per_thread).unwrap_or(&mut [])
    }
}

struct Machine<'a, 'w> {
    tables: &'a Tables<'a>,
    program: Program,
    subject: &'a [u8],
    /// Bits of look-around by position.
    around: &'a [u8],
    now: Threads<'w>,
    next: Threads<'w>,
    /// Slots of the best match so far.
    best: &'w mut [u32],
    /// Slots of the thread that is being followed.
    current: &'w mut [u32],
    stack: Stack<'w>,
}

/// What is still to be done for the thread that is being followed: instructions to try, slots to restore.
struct Stack<'w> {
    words: &'w mut [u32],
    used: usize,
}

enum Todo {
    Follow(u32),
    Restore { slot: u32, value: u32 },
}

impl Stack<'_> {
    fn push(&mut self, todo: &Todo) {
        let entry = match todo {
            Todo::Follow(at) => [*at, UNSET, 0],
            Todo::Restore { slot, value } => [UNSET, *slot, *value],
        };
        if let Some(place) = self.words.get_mut(self.used..self.used + 3) {
            place.copy_from_slice(&entry);
            self.used += 3;
        }
    }

    fn pop(&mut self) -> Option<Todo> {
        let start = self.used.checked_sub(3)?;
        let [at, slot, value] = *self.words.get(start..self.used)?.first_chunk::<3>()?;
        self.used = start;
        Some(if slot == UNSET { Todo::Follow(at) } else { Todo::Restore { slot, value } })
    }
}

impl<'a, 'w> Machine<'a, 'w> {
    /// None where the program does not fit the memory, which the compiler does not let happen.
    fn new(
        tables: &'a Tables<'a>,
        program: Program,
        memory: &'w mut [u32],
        around: &'a [u8],
        subject: &'a [u8],
    ) -> Option<Self> {
        let (count, slots) = (program.count as usize, program.slots as usize);
        let (now, memory) = threads(memory, count, slots)?;
        let (next, memory) = threads(memory, count, slots)?;
        let (best, memory) = memory.split_at_mut_checked(slots)?;
        let (current, memory) = memory.split_at_mut_checked(slots)?;
        let (stack, _) = memory.split_at_mut_checked(count * 6 + 3)?;
        Some(Self {
            tables,
            program,
            subject,
            around,
            now,
            next,
            best,
            current,
            stack: Stack { words: stack, used: 0 },
        })
    }

    fn run(&mut self) -> bool {
        let mut matched = false;
        for position in 0..=self.subject.len() {
            if !matched && (position == 0 || self.program.anchored == 0) {
                self.current.fill(UNSET);
                self.follow(self.program.start, position, false);
            }
            if self.now.count == 0 && (matched || self.program.anchored == 1) {
                break;
            }
            matched |= self.step(position);
            core::mem::swap(&mut self.now, &mut self.next);
            self.next.count = 0;
        }
        matched
    }

    /// Lets every thread read the byte at `position`; true if one matched, which ends those behind it.
    fn step(&mut self, position: usize) -> bool {
        let byte = self.subject.get(position).copied();
        for index in 0..self.now.count {
            let at = self.now.dense.get(index).copied().unwrap_or(0);
            let Instruction { kind, a, b, c } = self.at(at);
            match kind {
                instruction::MATCH => {
                    let slots = self.now.slots(at, self.best.len());
                    copy(slots, self.best);
                    return true;
                }
                instruction::BYTE if byte.is_some_and(|byte| (a..=b).contains(&u32::from(byte))) => {
                    let slots = self.now.slots(at, self.current.len());
                    copy(slots, self.current);
                    self.follow(c, position + 1, true);
                }
                _ => {}
            }
        }
        false
    }

    /// Adds what the thread in hand reaches from `at` without reading a byte, to the next or the present threads.
    fn follow(&mut self, at: u32, position: usize, to_next: bool) {
        self.stack.push(&Todo::Follow(at));
        while let Some(todo) = self.stack.pop() {
            let mut at = match todo {
                Todo::Follow(at) => at,
                Todo::Restore { slot, value } => {
                    self.note(slot, value);
                    continue;
                }
            };
            loop {
                let threads = if to_next { &mut self.next } else { &mut self.now };
                if threads.holds(at) {
                    break;
                }
                threads.insert(at);
                let Instruction { kind, a, b, .. } = self.at(at);
                at = match kind {
                    instruction::SPLIT => {
                        self.stack.push(&Todo::Follow(b));
                        a
                    }
                    instruction::SAVE => {
                        let value = self.current.get(a as usize).copied().unwrap_or(UNSET);
                        self.stack.push(&Todo::Restore { slot: a, value });
                        self.note(a, u32::try_from(position).unwrap_or(UNSET));
                        b
                    }
                    instruction::LOOK if a >= look_kind::AROUND + self.program.looks_count => {
                        self.tables.lost().note();
                        break;
                    }
                    instruction::LOOK if look::holds(a, position, self.subject, self.around) => b,
                    instruction::BYTE | instruction::MATCH => {
                        let threads = if to_next { &mut self.next } else { &mut self.now };
                        copy(self.current, threads.slots(at, self.current.len()));
                        break;
                    }
                    _ => break,
                };
            }
        }
    }

    fn note(&mut self, slot: u32, value: u32) {
        match self.current.get_mut(slot as usize) {
            Some(place) => *place = value,
            None => self.tables.lost().note(),
        }
    }

    fn at(&self, index: u32) -> Instruction {
        if index >= self.program.count {
            self.tables.lost().note();
        }
        self.tables.instructions().row(self.program.instructions.saturating_add(index))
    }
}

/// Copies as far as both go.
fn copy(from: &[u32], to: &mut [u32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

fn threads(memory: &mut [u32], count: usize, slots: usize) -> Option<(Threads<'_>, &mut [u32])> {
    let (dense, memory) = memory.split_at_mut_checked(count)?;
    let (sparse, memory) = memory.split_at_mut_checked(count)?;
    let (slots, memory) = memory.split_at_mut_checked(count * slots)?;
    Some((Threads { dense, sparse, slots, count: 0 }, memory))
}
