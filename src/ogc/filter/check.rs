//! Whether a filter can ever be true: one that compares a list with a text, or a code with one that is none, would answer
//! that there is nothing, and so would its negation.

use serde_json::Value;

use super::{Comparison, Filter, Items, Operand};
use crate::ogc::collection::{Collection, Property, Type};

type Checked = Result<(), String>;

impl Filter {
    /// Refuses comparisons of unlike things. A yes or no may be written as 1 or 0, as SQL's clients do.
    pub(super) fn check(&mut self, collection: &Collection) -> Checked {
        match self {
            Self::And(parts) | Self::Or(parts) => {
                parts.iter_mut().try_for_each(|part| part.check(collection))
            }
            Self::Not(inner) => inner.check(collection),
            Self::Compare(comparison, left, right) => {
                let is_equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
                alike(left, right, is_equality, collection)
            }
            Self::Between(value, low, high) => {
                [low, high].into_iter().try_for_each(|other| alike(value, other, false, collection))
            }
            Self::In(value, items) => {
                items.iter_mut().try_for_each(|item| alike(value, item, true, collection))
            }
            Self::Like(value, pattern) => [value, pattern].into_iter().try_for_each(|operand| {
                let type_ = type_of(operand, collection)?;
                let is_text = type_ == Type::Text;
                is_text.then_some(()).ok_or_else(|| format!("LIKE compares texts: {}", shown(operand, type_)))
            }),
            Self::List(_, there, wanted) => {
                known_items(there, wanted, collection)?;
                known_items(wanted, there, collection)
            }
            Self::Constant(_) | Self::IsNull(_) | Self::Intersects(_) => Ok(()),
        }
    }
}

fn alike(left: &mut Operand, right: &mut Operand, is_equality: bool, collection: &Collection) -> Checked {
    let types = [type_of(left, collection)?, type_of(right, collection)?];
    if types.contains(&Type::Boolean) {
        [&mut *left, &mut *right].into_iter().for_each(to_boolean);
    }
    let [a, b] = [type_of(left, collection)?, type_of(right, collection)?];
    if a != b {
        return Err(format!("{} and {} are never the same", shown(left, a), shown(right, b)));
    }
    if is_equality {
        known_code(left, right, collection)?;
        known_code(right, left, collection)?;
    }
    Ok(())
}

/// What an operand's values are; a list is none that can be compared.
fn type_of(operand: &Operand, collection: &Collection) -> Result<Type, String> {
    match operand {
        Operand::Property(name) | Operand::Time(name) => match collection.property(name).map(|one| one.type_)
        {
            Some(Type::List) => Err(format!(
                "`{name}` is a list: ask A_CONTAINS({name},('…')) or A_OVERLAPS({name},('…','…'))"
            )),
            other => Ok(other.unwrap_or(Type::Nested)),
        },
        Operand::Literal(Value::Number(_)) => Ok(Type::Number),
        Operand::Literal(Value::Bool(_)) => Ok(Type::Boolean),
        Operand::Literal(_) | Operand::Moment(..) => Ok(Type::Text),
        Operand::CaseInsensitive(inner) => type_of(inner, collection),
    }
}

fn to_boolean(operand: &mut Operand) {
    if let Operand::Literal(value) = operand {
        match value.as_f64() {
            Some(0.0) => *value = Value::Bool(false),
            Some(1.0) => *value = Value::Bool(true),
            _ => {}
        }
    }
}

/// An operand with what it is, in words.
fn shown(operand: &Operand, type_: Type) -> String {
    let what = match type_ {
        Type::Text => "a text",
        Type::Number => "a number",
        Type::Boolean => "true or false",
        Type::List => "a list",
        Type::Nested => "an object",
    };
    match operand {
        Operand::Property(name) | Operand::Time(name) => format!("`{name}`, {what},"),
        Operand::Literal(value) | Operand::Moment(value, _) => format!("{value}, {what},"),
        Operand::CaseInsensitive(inner) => shown(inner, type_),
    }
}

/// A property that has codes is only ever one of them.
fn known_code(property: &Operand, value: &Operand, collection: &Collection) -> Checked {
    match (property, value) {
        (Operand::Property(name), Operand::Literal(value)) => {
            collection.property(name).map_or(Ok(()), |property| is_code(property, &property.schema, value))
        }
        _ => Ok(()),
    }
}

fn known_items(property: &Items, items: &Items, collection: &Collection) -> Checked {
    match (property, items) {
        (Items::Property(name), Items::These(items)) => {
            collection.property(name).map_or(Ok(()), |property| {
                items.iter().try_for_each(|item| is_code(property, &property.schema["items"], item))
            })
        }
        _ => Ok(()),
    }
}

fn is_code(property: &Property, schema: &Value, value: &Value) -> Checked {
    let Some(codes) = schema["enum"].as_array() else { return Ok(()) };
    if codes.contains(value) {
        return Ok(());
    }
    let codes: Vec<&str> = codes.iter().filter_map(Value::as_str).collect();
    Err(format!("{value} is no code of `{}`: {}", property.name, codes.join(", ")))
}
