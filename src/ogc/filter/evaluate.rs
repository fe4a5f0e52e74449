//! Whether a feature is let through.

use std::cmp::Ordering;

use geo::Intersects as _;
use serde_json::Value;

use super::{Comparison, Filter, Items, ListTest, Operand};
use crate::ogc::feature::Feature;
use crate::ogc::interval::{Span, span};

impl Filter {
    /// Whether a feature is let through. What cannot be told because a property is empty is no match.
    pub fn admits(&self, feature: &Feature) -> bool {
        self.tell(feature) == Some(true)
    }

    /// True, false, or nothing where an empty property leaves it open (SQL's three-valued logic).
    fn tell(&self, feature: &Feature) -> Option<bool> {
        match self {
            Self::Constant(constant) => Some(*constant),
            Self::And(parts) => decide(parts.iter().map(|part| part.tell(feature)), false),
            Self::Or(parts) => decide(parts.iter().map(|part| part.tell(feature)), true),
            Self::Not(inner) => inner.tell(feature).map(|told| !told),
            Self::Compare(comparison, left, right) => Some(comparison.holds(order(left, right, feature)?)),
            Self::Like(value, pattern) => {
                let insensitive = value.is_insensitive() || pattern.is_insensitive();
                let (text, pattern) = (value.text(feature)?, pattern.text(feature)?);
                Some(if insensitive {
                    is_like(&text.to_lowercase(), &pattern.to_lowercase())
                } else {
                    is_like(text, pattern)
                })
            }
            Self::Between(value, low, high) => decide(
                [
                    order(value, low, feature).map(Ordering::is_ge),
                    order(value, high, feature).map(Ordering::is_le),
                ],
                false,
            ),
            Self::In(value, items) => {
                decide(items.iter().map(|item| order(value, item, feature).map(Ordering::is_eq)), true)
            }
            Self::IsNull(operand) => Some(operand.value(feature).is_none()),
            Self::Intersects(wanted) => Some(feature.geometry.as_ref()?.intersects(wanted.as_ref())),
            Self::List(test, there, wanted) => Some(test.holds(there.of(feature)?, wanted.of(feature)?)),
        }
    }
}

/// The parts joined: the first that decides does, one that is open leaves it open.
fn decide(parts: impl IntoIterator<Item = Option<bool>>, deciding: bool) -> Option<bool> {
    let mut open = false;
    for part in parts {
        match part {
            Some(told) if told == deciding => return Some(deciding),
            Some(_) => {}
            None => open = true,
        }
    }
    if open { None } else { Some(!deciding) }
}

/// How two operands compare; nothing where one is empty, or they are of different kinds.
fn order(left: &Operand, right: &Operand, feature: &Feature) -> Option<Ordering> {
    let (a, b) = (left.value(feature)?, right.value(feature)?);
    if left.is_insensitive() || right.is_insensitive() {
        let lower = |value: &Value| value.as_str().map(str::to_lowercase);
        return Some(lower(a)?.cmp(&lower(b)?));
    }
    if left.is_time() || right.is_time() {
        if let (Some(a), Some(b)) = (left.span(a), right.span(b)) {
            return Some(order_of_spans(a, b));
        }
        // The beginning of a date, or what a faulty record says, is a text.
        if left.is_moment() || right.is_moment() {
            return None;
        }
    }
    compare(a, b)
}

/// A day is all of the day: neither before nor after what lies in it.
fn order_of_spans(a: Span, b: Span) -> Ordering {
    if a.1 < b.0 {
        Ordering::Less
    } else if a.0 > b.1 {
        Ordering::Greater
    } else {
        Ordering::Equal
    }
}

/// How two values compare; nothing where they are of different kinds.
pub fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64()?.partial_cmp(&b.as_f64()?),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

impl Comparison {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

impl ListTest {
    fn holds(self, there: &[Value], wanted: &[Value]) -> bool {
        let all = |these: &[Value], those: &[Value]| these.iter().all(|item| has(those, item));
        match self {
            Self::Equals => all(there, wanted) && all(wanted, there),
            Self::Contains => all(wanted, there),
            Self::ContainedBy => all(there, wanted),
            Self::Overlaps => wanted.iter().any(|item| has(there, item)),
        }
    }
}

fn has(items: &[Value], wanted: &Value) -> bool {
    items.iter().any(|item| compare(item, wanted) == Some(Ordering::Equal))
}

impl Items {
    /// The list; nothing where it is empty.
    fn of<'v>(&'v self, feature: &'v Feature) -> Option<&'v [Value]> {
        match self {
            Self::Property(name) => Some(feature.properties.get(name)?.as_array()?),
            Self::These(items) => Some(items),
        }
    }
}

impl Operand {
    /// Its value; nothing where it is empty.
    fn value<'v>(&'v self, feature: &'v Feature) -> Option<&'v Value> {
        match self {
            Self::Property(name) | Self::Time(name) => {
                feature.properties.get(name).filter(|value| !value.is_null())
            }
            Self::Literal(value) | Self::Moment(value, _) => Some(value),
            Self::CaseInsensitive(inner) => inner.value(feature),
        }
    }

    fn text<'v>(&'v self, feature: &'v Feature) -> Option<&'v str> {
        self.value(feature)?.as_str()
    }

    /// From when to when its value is.
    fn span(&self, value: &Value) -> Option<Span> {
        match self {
            Self::Moment(_, span) => Some(*span),
            _ => value.as_str().and_then(span),
        }
    }

    fn is_moment(&self) -> bool {
        matches!(self, Self::Moment(..))
    }

    fn is_time(&self) -> bool {
        matches!(self, Self::Moment(..) | Self::Time(_))
    }

    fn is_insensitive(&self) -> bool {
        matches!(self, Self::CaseInsensitive(_))
    }
}

/// SQL's LIKE: a walk over both with one place to go back to, so that no pattern takes longer than their product.
fn is_like(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let pattern = wildcards(pattern);
    let (mut at, mut place, mut back) = (0, 0, None);
    while at < text.len() {
        match pattern.get(place) {
            Some(Wild::Any) => {
                back = Some((place, at));
                place += 1;
            }
            Some(Wild::One) => (at, place) = (at + 1, place + 1),
            Some(Wild::Char(wanted)) if *wanted == text[at] => (at, place) = (at + 1, place + 1),
            _ => {
                let Some((any, from)) = back else { return false };
                back = Some((any, from + 1));
                (at, place) = (from + 1, any + 1);
            }
        }
    }
    pattern[place..].iter().all(|wild| matches!(wild, Wild::Any))
}

enum Wild {
    Any,
    One,
    Char(char),
}

fn wildcards(pattern: &str) -> Vec<Wild> {
    let mut found = Vec::new();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        found.push(match character {
            '%' => Wild::Any,
            '_' => Wild::One,
            '\\' => Wild::Char(characters.next().unwrap_or('\\')),
            other => Wild::Char(other),
        });
    }
    found
}
