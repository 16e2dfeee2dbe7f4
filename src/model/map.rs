//! Maps: what a name stands for, by case.

use super::{Field, MapId, Operator, Part, Pattern, Policy, Predicate, Template, Variable};
use crate::diagnostic::Span;
use std::collections::BTreeSet;

/// `map $NAME { ... }`
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Map {
    /// Its name, without the `$`.
    pub name: String,
    /// Its head.
    pub span: Span,
    /// In order; the first that holds counts.
    pub cases: Vec<MapCase>,
    /// The value where none holds.
    pub default: MapValue,
}

/// What a line of a map gives.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct MapValue {
    /// The text.
    pub text: Template,
    /// The field of the request that is the text, where it is one variable that guards can ask of; absent it is an empty
    /// text.
    pub field: Option<Field>,
}

/// A line of a map.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MapCase {
    /// What must hold; it asks for no plan.
    pub guard: Predicate,
    /// What it gives. `$1`.. in it are those of `captures`.
    pub value: MapValue,
    /// The field and the pattern of a guard that is nothing else, where the value uses its groups.
    pub captures: Option<(Field, Pattern)>,
}

impl MapValue {
    /// The value that is `text`.
    pub fn new(text: Template) -> Self {
        let field = match text.parts.as_slice() {
            [Part::Variable(variable)] => field(variable),
            _ => None,
        };
        Self { text, field }
    }

    /// What a guard with `operator` finds out of it; None where more than one field decides.
    pub(crate) fn answer(&self, operator: &Operator) -> Option<MapAnswer<'_>> {
        match self.text.parts.as_slice() {
            [] => Some(MapAnswer::Text(b"")),
            [Part::Literal(text)] => Some(MapAnswer::Text(text)),
            [Part::Literal(front), ..] => known_by(operator, front).map(MapAnswer::Always),
            _ => self.field.as_ref().map(MapAnswer::Field),
        }
    }
}

impl Policy {
    /// The fields of the request that `guard` depends on, those that maps ask for it among them.
    pub(crate) fn fields_asked<'p>(&'p self, guard: &'p Predicate) -> BTreeSet<&'p Field> {
        let mut fields = BTreeSet::new();
        let mut maps: BTreeSet<MapId> = BTreeSet::new();
        let mut waiting = vec![guard];
        while let Some(guard) = waiting.pop() {
            guard.questions(&mut |question| match question {
                Predicate::Field(field, _) => {
                    fields.insert(field);
                }
                Predicate::Map(id, _) if maps.insert(*id) => {
                    let Some(map) = self.maps.get(id.0 as usize) else { return };
                    waiting.extend(map.cases.iter().map(|case| &case.guard));
                    let values = map.cases.iter().map(|case| &case.value).chain([&map.default]);
                    fields.extend(values.filter_map(|value| value.field.as_ref()));
                }
                _ => {}
            });
        }
        fields
    }
}

/// What decides whether a value of a map satisfies an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MapAnswer<'p> {
    /// Nothing of the request: it always does, or never.
    Always(bool),
    /// This text.
    Text(&'p [u8]),
    /// The text of this field; absent it is empty.
    Field(&'p Field),
}

/// The field whose text `variable` is.
fn field(variable: &Variable) -> Option<Field> {
    Some(match variable {
        Variable::Host => Field::Host,
        Variable::Scheme => Field::Scheme,
        Variable::RequestMethod => Field::Method,
        Variable::RequestUri => Field::Target,
        Variable::Http(name) => Field::Header(name.clone()),
        Variable::Arg(name) => Field::Argument(name.clone()),
        Variable::Cookie(name) => Field::Cookie(name.clone()),
        _ => return None,
    })
}

/// What `operator` says of every text that begins with `front`, where it says the same of all.
fn known_by(operator: &Operator, front: &[u8]) -> Option<bool> {
    match operator {
        Operator::In(values) => values.iter().all(|value| !value.starts_with(front)).then_some(false),
        Operator::Prefix(prefix) if front.starts_with(prefix) => Some(true),
        Operator::Prefix(prefix) => (!prefix.starts_with(front)).then_some(false),
        Operator::Present => Some(true),
        _ => None,
    }
}
