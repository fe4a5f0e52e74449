//! CQL2 as JSON. Its depth is bounded by `serde_json`, which reads 128 levels.

use geo::Geometry;
use serde_json::Value;

use super::{Comparison, Filter, Items, ListTest, Operand, Scope};
use crate::geometry::shape;

type Read<T> = Result<T, String>;

/// Reads a filter.
pub(super) fn parse(text: &str, scope: Scope<'_>) -> Read<Filter> {
    let value: Value = serde_json::from_str(text).map_err(|fault| format!("it is no JSON: {fault}"))?;
    condition(&value, scope)
}

fn condition(value: &Value, scope: Scope<'_>) -> Read<Filter> {
    if let Value::Bool(constant) = value {
        return Ok(Filter::Constant(*constant));
    }
    if let Operand::Property(name) = operand(value, scope).unwrap_or(Operand::Literal(Value::Null))
        && scope.property(&name)?.type_ == super::Type::Boolean
    {
        let yes = Operand::Literal(Value::Bool(true));
        return Ok(Filter::Compare(Comparison::Equal, Operand::Property(name), yes));
    }
    let name = value["op"].as_str().ok_or_else(|| format!("{} has no `op`", shortened(value)))?;
    let args = value["args"].as_array().ok_or_else(|| format!("`{name}` has no `args`"))?;
    let conditions = || args.iter().map(|arg| condition(arg, scope)).collect::<Read<Vec<_>>>();
    let operands = || args.iter().map(|arg| operand(arg, scope)).collect::<Read<Vec<_>>>();
    let wrong = || format!("`{name}` has {} `args`, which is not what it takes", args.len());
    match (name, args.as_slice()) {
        ("and", [_, ..]) => Ok(Filter::And(conditions()?)),
        ("or", [_, ..]) => Ok(Filter::Or(conditions()?)),
        ("not", [one]) => Ok(Filter::Not(Box::new(condition(one, scope)?))),
        ("isNull", [one]) => Ok(Filter::IsNull(operand(one, scope)?)),
        ("like", [one, pattern]) => Ok(Filter::Like(operand(one, scope)?, operand(pattern, scope)?)),
        ("between", [_, _, _]) => {
            let [one, low, high] = <[Operand; 3]>::try_from(operands()?).map_err(|_never| wrong())?;
            Ok(Filter::Between(one, low, high))
        }
        ("in", [one, Value::Array(items)]) => {
            let items = items.iter().map(|item| operand(item, scope)).collect::<Read<Vec<_>>>()?;
            Ok(Filter::In(operand(one, scope)?, items))
        }
        ("s_intersects", [a, b]) => {
            let is_property = |value: &Value| value["property"].as_str().is_some_and(Scope::is_geometry);
            match (is_property(a), is_property(b)) {
                (true, false) => Ok(Filter::Intersects(Box::new(geometry(b, scope)?))),
                (false, true) => Ok(Filter::Intersects(Box::new(geometry(a, scope)?))),
                _ => Err("s_intersects takes {\"property\": \"geometry\"} and a geometry".to_owned()),
            }
        }
        (sign, [a, b]) => {
            if let Some(comparison) = Comparison::of(sign) {
                return Ok(Filter::Compare(comparison, operand(a, scope)?, operand(b, scope)?));
            }
            match ListTest::named(sign) {
                Some(test) => Ok(Filter::List(test, list(a, scope)?, list(b, scope)?)),
                None => Err(format!("`{name}` is not known here")),
            }
        }
        ("and" | "or" | "not" | "isNull" | "between" | "in" | "like" | "s_intersects", _) => Err(wrong()),
        _ => Err(format!("`{name}` is not known here")),
    }
}

fn operand(value: &Value, scope: Scope<'_>) -> Read<Operand> {
    match value {
        Value::String(_) | Value::Number(_) | Value::Bool(_) => Ok(Operand::Literal(value.clone())),
        Value::Object(members) => {
            if let Some(name) = members.get("property").and_then(Value::as_str) {
                return scope.operand(name);
            }
            let moment = members.get("date").or_else(|| members.get("timestamp")).and_then(Value::as_str);
            if let Some(moment) = moment {
                return Operand::moment(moment.to_owned());
            }
            match (value["op"].as_str(), value["args"].as_array().map(Vec::as_slice)) {
                (Some("casei"), Some([inner])) => {
                    Ok(Operand::CaseInsensitive(Box::new(operand(inner, scope)?)))
                }
                _ => Err(format!("{} is neither a property nor a value", shortened(value))),
            }
        }
        _ => Err(format!("{} is neither a property nor a value", shortened(value))),
    }
}

/// A property that is a list, or a list of values.
fn list(value: &Value, scope: Scope<'_>) -> Read<Items> {
    if let Some(name) = value["property"].as_str() {
        return scope.list(name);
    }
    let is_value = |item: &Value| item.is_string() || item.is_number() || item.is_boolean();
    match value.as_array().filter(|items| items.iter().all(is_value)) {
        Some(items) => Ok(Items::These(items.clone())),
        None => Err(format!("{} is neither a property nor a list of values", shortened(value))),
    }
}

fn geometry(value: &Value, scope: Scope<'_>) -> Read<Geometry<f64>> {
    if let Some(numbers) = value["bbox"].as_array() {
        let numbers: Option<Vec<f64>> = numbers.iter().map(Value::as_f64).collect();
        return scope.envelope(&numbers.ok_or("a bbox has numbers")?);
    }
    let moved = crate::ogc::draw::read(value, scope.crs)?;
    let shape = shape::Shape::read(&moved).ok_or_else(|| format!("{} is no geometry", shortened(value)))?;
    Ok(shape.into_geometry())
}

/// A value as it is shown in an error.
fn shortened(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() > 60 { format!("{}…", text.chars().take(60).collect::<String>()) } else { text }
}
