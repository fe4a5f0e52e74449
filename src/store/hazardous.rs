//! The most hazardous of what several people say of one area (docs/sync.md §2): until somebody has decided between them,
//! it holds.

use serde_json::{Map, Value};

use crate::model::record::{CLOSED, ENDINGS};

/// Makes what a record says as hazardous as what another side says, where that is more.
pub(super) fn raise(stands: &mut Map<String, Value>, side: &Map<String, Value>) {
    confirm(stands, side);
    reopen(stands, side);
    add_kinds(stands, side);
    enlarge(stands, side);
    // An area that somebody holds to be one is no duplicate, no mistake and no part of another.
    stands.retain(|name, _| !ENDINGS.contains(&name.as_str()) || side.get(name).is_some_and(says));
}

fn confirm(stands: &mut Map<String, Value>, side: &Map<String, Value>) {
    if let Some(class) = stands.get_mut("classification")
        && side.get("classification").is_some_and(|other| other == "CHA")
    {
        *class = Value::from("CHA");
    }
}

fn reopen(stands: &mut Map<String, Value>, side: &Map<String, Value>) {
    if let Some(status) = stands.get_mut("status").filter(|status| is_closed(status))
        && let Some(open) = side.get("status").filter(|status| !is_closed(status))
    {
        *status = open.clone();
    }
}

/// The kinds of contamination of both; the duties of both, where both state any: else they follow from the kinds.
fn add_kinds(stands: &mut Map<String, Value>, side: &Map<String, Value>) {
    for name in ["contamination", "treaty_scope"] {
        let Some(more) = side.get(name).and_then(Value::as_array) else { continue };
        if let Some(known) = stands.get_mut(name).and_then(Value::as_array_mut) {
            let new: Vec<Value> = more.iter().filter(|kind| !known.contains(kind)).cloned().collect();
            known.extend(new);
        } else if name == "contamination" {
            stands.insert(name.to_owned(), more.clone().into());
        }
    }
}

fn enlarge(stands: &mut Map<String, Value>, side: &Map<String, Value>) {
    let size = |fields: &Map<String, Value>| fields.get("reported_area_m2").and_then(Value::as_f64);
    if let Some(larger) = size(side).filter(|size_there| size(stands).is_none_or(|own| *size_there > own)) {
        stands.insert("reported_area_m2".to_owned(), Value::from(larger));
    }
}

fn is_closed(status: &Value) -> bool {
    status.as_str().is_some_and(|status| CLOSED.contains(&status))
}

/// Whether a field says anything: an empty list of areas, or `false`, ends none.
fn says(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(ids) => !ids.is_empty(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn raised(stands: Value, side: &Value) -> Value {
        let Value::Object(mut stands) = stands else { panic!("{stands}") };
        raise(&mut stands, side.as_object().unwrap());
        stands.into()
    }

    #[test]
    fn the_most_hazardous_view_holds() {
        let stands = json!({"classification": "SHA", "status": "closed", "contamination": ["uxo"],
                            "duplicate_of": "a", "entered_in_error": true, "name": "x",
                            "reported_area_m2": 10.0});
        let side = json!({"classification": "CHA", "status": "open", "contamination": ["uxo", "ap_mine"],
                          "entered_in_error": true, "name": "y", "reported_area_m2": 25.0});
        let both = json!({"classification": "CHA", "status": "open", "contamination": ["uxo", "ap_mine"],
                          "entered_in_error": true, "name": "x", "reported_area_m2": 25.0});
        assert_eq!(raised(stands, &side), both);
        let graver = json!({"classification": "CHA", "status": "open", "contamination": ["ap_mine"]});
        let milder = json!({"classification": "SHA", "status": "released", "contamination": []});
        assert_eq!(raised(graver.clone(), &milder), graver);
    }
}
