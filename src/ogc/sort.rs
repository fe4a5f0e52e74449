//! The `sortby` parameter.

use std::cmp::Ordering;

use serde_json::Value;

use super::Unreadable;
use super::collection::Collection;
use super::feature::Feature;
use super::filter::compare;

/// Properties that a reader may sort by at once.
const MOST: usize = 8;

/// One property to sort by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortBy {
    name: String,
    descending: bool,
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
            if collection.queryables().any(|property| property.name == name) {
                return Ok(Self { name: name.to_owned(), descending });
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

/// The values of a feature that it is sorted by.
pub fn key(by: &[SortBy], feature: &Feature) -> Vec<Value> {
    by.iter().map(|one| feature.properties.get(&one.name).cloned().unwrap_or_default()).collect()
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

    use super::*;

    #[test]
    fn what_is_empty_comes_last_either_way() {
        for (descending, sorted) in
            [(false, [json!(2), json!(10), json!(null)]), (true, [json!(10), json!(2), json!(null)])]
        {
            let by = [SortBy { name: "x".to_owned(), descending }];
            let mut keys = [vec![json!(null)], vec![json!(10)], vec![json!(2)]];
            keys.sort_by(|a, b| order(&by, a, b));
            assert_eq!(keys.concat(), sorted, "{descending}");
        }
    }
}
