//! The `sortby` parameter.

use std::cmp::Ordering;

use serde_json::Value;

use super::Unreadable;
use super::collection::Collection;
use super::feature::Feature;
use super::filter::compare;
use super::interval::span;

/// Properties that a reader may sort by at once.
const MOST: usize = 8;

/// One property to sort by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortBy {
    name: String,
    descending: bool,
    /// Whether its values are moments, whose text is in no order: fractions of a second may stand in it or not.
    moment: bool,
}

impl SortBy {
    /// Reads `name,-date_identified`: a property each, with `-` for descending and perhaps `+` for ascending. A `+` that
    /// was typed into an address as it is arrives as a blank.
    ///
    /// # Errors
    /// Which is no queryable.
    pub fn parse(text: &str, collection: &Collection) -> Result<Vec<Self>, Unreadable> {
        let found = text.split(',').map(|part| {
            let (descending, name) = match part.strip_prefix('-') {
                Some(name) => (true, name),
                None => (false, part.trim_start_matches(['+', ' '])),
            };
            if let Some(property) = collection.queryables().find(|property| property.name == name) {
                return Ok(Self { name: name.to_owned(), descending, moment: property.is_moment() });
            }
            Err(Unreadable::new("sortby", format!("`{name}` is no queryable of {}", collection.id)))
        });
        let found: Vec<Self> = found.collect::<Result<_, _>>()?;
        if found.len() > MOST {
            return Err(Unreadable::new("sortby", format!("at most {MOST} properties")));
        }
        Ok(found)
    }
}

impl SortBy {
    /// What a value is sorted by: a moment by its microseconds.
    fn of(&self, value: &Value) -> Value {
        let moment = value.as_str().filter(|_| self.moment).and_then(span);
        moment.map_or_else(|| value.clone(), |(begin, _)| begin.timestamp_micros().into())
    }
}

/// The values of a feature that it is sorted by.
pub fn key(by: &[SortBy], feature: &Feature) -> Vec<Value> {
    by.iter().map(|one| one.of(feature.properties.get(&one.name).unwrap_or(&Value::Null))).collect()
}

/// The order of two keys; what is empty comes last either way.
pub fn order(by: &[SortBy], a: &[Value], b: &[Value]) -> Ordering {
    let orders = by.iter().zip(a.iter().zip(b)).map(|(one, (a, b))| match (a.is_null(), b.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => {
            // Values of different kinds, or lists, are put in the order of their text, so that there is one.
            let order = compare(a, b).unwrap_or_else(|| a.to_string().cmp(&b.to_string()));
            if one.descending { order.reverse() } else { order }
        }
    });
    orders.fold(Ordering::Equal, Ordering::then)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::model::Role;
    use crate::model::role::Actor;
    use crate::model::schema::Registry;

    #[test]
    fn moments_stand_in_the_order_of_time() {
        let actor = Actor { account: Uuid::nil(), role: Role::ImOfficer, organisation: Uuid::nil() };
        let all = Collection::seen(Registry::embedded(), actor.sight(), true);
        let hazards = all.iter().find(|one| one.id == "hazardous_area").unwrap();
        let by = SortBy::parse("recorded_at", hazards).unwrap();
        let sorted = [
            "2024-05-01T11:59:59.25Z",
            "2024-05-01T12:00:00Z",
            "2024-05-01T12:00:00.5Z",
            "2024-05-01T14:00:01+02:00",
        ];
        let mut keys: Vec<(Vec<Value>, &str)> = sorted
            .iter()
            .rev()
            .map(|text| {
                let properties = json!({"recorded_at": text}).as_object().unwrap().clone();
                (key(&by, &Feature { id: Uuid::nil(), geometry: None, properties }), *text)
            })
            .collect();
        keys.sort_by(|a, b| order(&by, &a.0, &b.0));
        assert_eq!(keys.iter().map(|(_, text)| *text).collect::<Vec<_>>(), sorted);
    }

    #[test]
    fn what_is_empty_comes_last_either_way() {
        for (descending, sorted) in
            [(false, [json!(2), json!(10), json!(null)]), (true, [json!(10), json!(2), json!(null)])]
        {
            let by = [SortBy { name: "x".to_owned(), descending, moment: false }];
            let mut keys = [vec![json!(null)], vec![json!(10)], vec![json!(2)]];
            keys.sort_by(|a, b| order(&by, a, b));
            assert_eq!(keys.concat(), sorted, "{descending}");
        }
    }
}
