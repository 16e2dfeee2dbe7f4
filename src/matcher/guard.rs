//! Whether a guard holds: a walk through the diagram, reading each field at most once.

use super::address;
use super::automaton::Run as AutomatonRun;
use super::fields::{argument_variable, arguments, cookie};
use super::request::Body;
use super::run::{Halt, Run};
use super::spelling::{self, is_spelling};
use super::values;
use crate::artifact::Table;
use crate::artifact::format::{NONE, Node, Number, PlansRow, ValueHash, Variable, field, plans};
use core::ops::Range;
use rulec_contract::Caller;
use rulec_contract::Refusal;

/// Pairs of nodes that are compared before a fact is asked for rather than not; a guard asks for few.
const COMPARISONS_MAX: u32 = 8192;

/// The class of a variable that was not asked for yet.
pub(super) const UNKNOWN: u16 = u16::MAX;

impl<'d> Run<'d, '_> {
    /// Whether the guard with root `node` holds; halts where that depends on a caller who has no plan.
    #[inline]
    pub(super) fn holds(&mut self, node: u32) -> Result<bool, Halt> {
        if node < 2 { Ok(node == 1) } else { self.descend(node) }
    }

    fn descend(&mut self, mut node: u32) -> Result<bool, Halt> {
        let (nodes, children) = (self.tables.nodes(), self.tables.children());
        // Ends: children stand before their parents.
        while let Some(above) = node.checked_sub(2) {
            let Some(row) = nodes.get(above) else {
                self.tables.lost().note();
                return Err(self.lost());
            };
            let known = self.classes.get(row.variable as usize).copied().unwrap_or(UNKNOWN);
            let class = if known == UNKNOWN { self.learn(row)? } else { known };
            node = child(children, row, class);
        }
        Ok(node == 1)
    }

    /// The class that `node` asks for, which was not asked for yet.
    #[inline(never)]
    fn learn(&mut self, node: Node) -> Result<u16, Halt> {
        let row = self.tables.variables().row(node.variable);
        let class = match row.field {
            field::PLAN => self.caller_class()?,
            field::FACT => match self.fact_class(row) {
                Some(class) => class,
                // Where every value leads to the same, nobody has to know it.
                None if self.children_agree(node) => return Ok(0),
                None => return Err(Halt::NeedsFact(row.automaton)),
            },
            field::CLIENT => {
                u16::try_from(address::class(self.tables.addresses(), self.request.client)).unwrap_or(UNKNOWN)
            }
            _ => self.field_class(row),
        };
        if u32::from(class) >= row.classes {
            return Err(self.lost());
        }
        if let Some(place) = self.classes.get_mut(node.variable as usize) {
            *place = class;
        }
        Ok(class)
    }

    /// The index of the value of a fact; None where it is not known, or not one of its values.
    fn fact_class(&self, variable: Variable) -> Option<u16> {
        let value = self.request.facts.get(variable.automaton as usize).copied().flatten();
        value.filter(|value| u32::from(*value) < variable.classes)
    }

    /// Whether all children of `node` are the same, with the facts that are known and the plan that was asked for.
    fn children_agree(&self, node: Node) -> bool {
        let classes = self.tables.variables().row(node.variable).classes;
        let mut children = (0..classes)
            .filter_map(|class| u16::try_from(class).ok())
            .map(|class| child(self.tables.children(), node, class));
        let Some(first) = children.next() else { return false };
        let mut budget = COMPARISONS_MAX;
        children.all(|other| self.agree(first, other, node.variable, &mut budget))
    }

    /// Whether two guards that ask for variables behind `above` are the same likewise. Ends: variables ascend.
    fn agree(&self, one: u32, other: u32, above: u32, budget: &mut u32) -> bool {
        if one == other || *budget == 0 {
            return one == other;
        }
        *budget -= 1;
        let node = |guard: u32| guard.checked_sub(2).map(|node| self.tables.nodes().row(node));
        let nodes = [node(one), node(other)];
        let Some(variable) = nodes.iter().flatten().map(|node| node.variable).min() else { return false };
        let row = self.tables.variables().row(variable);
        if variable <= above {
            return false;
        }
        let child = |guard: u32, node: Option<Node>, class: u16| match node {
            Some(node) if node.variable == variable => child(self.tables.children(), node, class),
            _ => guard,
        };
        let [one_node, other_node] = nodes;
        let mut same =
            |class: u16| self.agree(child(one, one_node, class), child(other, other_node, class), variable, budget);
        let known = if row.field == field::FACT { self.fact_class(row) } else { self.plan };
        match known {
            Some(known) => same(known),
            // Two guards that are the same are one node: nothing is known that could make these so.
            None if row.field != field::FACT => false,
            None => (0..row.classes).filter_map(|class| u16::try_from(class).ok()).all(same),
        }
    }

    /// The index of the caller's plan.
    pub(super) fn caller_class(&mut self) -> Result<u16, Halt> {
        if self.service.plans == NONE {
            return Err(self.lost());
        }
        let source = self.tables.plans().row(self.service.plans);
        if self.may_conflict(source) {
            self.credential()?;
        }
        let status = |refusal: Refusal, said: u32| {
            Halt::Caller(refusal, u16::try_from(said & 0xFFFF).unwrap_or(refusal.status()))
        };
        match self.request.caller {
            None => Err(Halt::NeedsPlan),
            Some(Caller::Plan(plan)) if u32::from(plan) < source.a => {
                self.plan = Some(plan);
                Ok(plan)
            }
            Some(Caller::Missing) => Err(status(Refusal::PlanMissing, source.c)),
            Some(Caller::Unknown | Caller::Plan(_)) => Err(status(Refusal::PlanUnknown, source.c >> 16)),
            Some(Caller::Failed) => Err(status(Refusal::PlanFailed, source.d)),
        }
    }

    /// Whether a request may bring several credentials to the plan source: not in one line.
    fn may_conflict(&self, source: PlansRow) -> bool {
        let row = self.tables.plans().get(self.service.plans.saturating_add(1).saturating_add(source.a));
        source.b != 1 || row.is_none_or(|row| row.a != 1 || self.is_repeated(row.d))
    }

    /// The one credential that the request brings; an empty one counts as not sent.
    pub(super) fn credential(&self) -> Result<Option<&'d [u8]>, Halt> {
        let source = self.tables.plans().row(self.service.plans);
        let rows = self.service.plans.saturating_add(1).saturating_add(source.a);
        let mut found: Option<&'d [u8]> = None;
        for row in self.tables.plans().range(rows, source.b).filter(|row| row.kind == plans::CREDENTIAL) {
            let mut take = |value: &'d [u8]| {
                if value.is_empty() || found == Some(value) {
                    return Ok(());
                }
                if found.is_some() {
                    return Err(Halt::Refused(Refusal::CredentialsConflict));
                }
                found = Some(value);
                Ok(())
            };
            if row.a == 1 {
                self.lines(row.d).try_for_each(&mut take)?;
            } else {
                self.spelt_arguments(self.tables.string(row.b), &mut take)?;
            }
        }
        Ok(found)
    }

    /// Hands the values of all arguments that an upstream may read as `name` to `take`.
    fn spelt_arguments(&self, name: &[u8], mut take: impl FnMut(&'d [u8]) -> Result<(), Halt>) -> Result<(), Halt> {
        let args = self.original_args;
        let part = |range: Range<usize>| args.get(range).unwrap_or(&[]);
        for argument in spelling::arguments(args) {
            if !is_spelling(part(argument.name), name) {
                continue;
            }
            // Where it ends, and with that who calls, would be for the upstream to say.
            if args.get(argument.value.end) == Some(&b';') {
                return Err(Refusal::CredentialsConflict.into());
            }
            take(part(argument.value))?;
        }
        Ok(())
    }

    /// Forgets the class of the method, which has become another one.
    pub(super) fn forget_method(&mut self) {
        for (class, variable) in self.classes.iter_mut().zip(self.tables.variables().iter()) {
            if variable.field == field::METHOD {
                *class = UNKNOWN;
            }
        }
    }

    /// The class of a field; 0 where it is absent.
    fn field_class(&self, variable: Variable) -> u16 {
        if variable.field == field::HEADER && self.is_repeated(variable.name) {
            return self.lines_class(variable);
        }
        let Some(value) = self.value(variable) else { return 0 };
        let class = if variable.slots_count == 0 {
            let mut run = AutomatonRun::new(&self.tables, variable.automaton);
            run.feed(value);
            run.label().saturating_add(1)
        } else {
            values::class(&self.tables, variable, ValueHash::START.feed(value), |text| value == text)
        };
        u16::try_from(class).unwrap_or(UNKNOWN)
    }

    /// The bytes of a field; of a header those of its first line.
    fn value(&self, variable: Variable) -> Option<&[u8]> {
        match variable.field {
            field::METHOD => Some(self.method),
            field::SCHEME => Some(self.request.scheme.name().as_bytes()),
            field::LISTENER => self.request.listener,
            field::BODY => (self.request.body != Body::None).then_some(&[]),
            field::HOST => Some(self.host.of(self.arena.bytes)),
            field::ARGS => Some(self.original_args),
            field::TARGET => Some(self.raw.of(self.arena.bytes)),
            field::PATH => Some(self.original_path.of(self.arena.bytes)),
            field::HEADER => self.line(variable.name),
            field::QUERY => arguments(self.original_args, self.tables.string(variable.name)).next(),
            field::ARGUMENT => {
                let name = self.tables.string(variable.name);
                argument_variable(self.original_args, name).and_then(|value| self.original_args.get(value))
            }
            field::COOKIE => cookie(self.lines(self.policy.cookie), self.tables.string(variable.name)),
            _ => None,
        }
    }

    /// The class of a header of several lines, which are taken as one value.
    #[inline(never)]
    fn lines_class(&self, variable: Variable) -> u16 {
        let class = if variable.slots_count == 0 {
            let mut run = AutomatonRun::new(&self.tables, variable.automaton);
            self.pieces(variable.name, |bytes| run.feed(bytes));
            run.label().saturating_add(1)
        } else {
            let mut hash = ValueHash::START;
            self.pieces(variable.name, |bytes| hash = hash.feed(bytes));
            values::class(&self.tables, variable, hash, |text| {
                let mut rest = Some(text);
                self.pieces(variable.name, |bytes| rest = rest.and_then(|rest| rest.strip_prefix(bytes)));
                rest == Some(&[])
            })
        };
        u16::try_from(class).unwrap_or(UNKNOWN)
    }

    /// Hands the lines of `header` to `take`, and what stands between them.
    fn pieces(&self, header: u32, mut take: impl FnMut(&[u8])) {
        for (number, line) in self.lines(header).enumerate() {
            if number > 0 {
                take(self.separator(header));
            }
            take(line);
        }
    }
}

/// Where `node` leads for `class`.
#[inline]
fn child(children: Table<'_, Number>, node: Node, class: u16) -> u32 {
    let number = |index: u32| children.number(node.children as usize + index as usize);
    let class = u32::from(class);
    if node.runs == 0 {
        return number(class);
    }
    // Invariant: runs before `run` begin at `class` or before it, those from `end` on behind it.
    let (mut run, mut end) = (0, node.runs - 1);
    while run < end {
        let middle = run.midpoint(end);
        if number(middle) <= class {
            run = middle + 1;
        } else {
            end = middle;
        }
    }
    number(node.runs - 1 + run)
}
