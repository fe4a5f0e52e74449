//! The most hazardous of what several people say of one area (docs/sync.md §2): until somebody has decided between them,
//! it holds.

use serde_json::{Map, Value};

use crate::model::record::{CLOSED, ENDINGS};

/// Makes what a record says as hazardous as what another side says, where that is more.
pub(super) fn raise(stands: &mut Map<String, Value>, side: &Map<String, Value>) {
    confirm(stands, side);
    reopen(stands, side);
    add_contamination(stands, side);
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

fn add_contamination(stands: &mut Map<String, Value>, side: &Map<String, Value>) {
    let Some(more) = side.get("contamination").and_then(Value::as_array) else { return };
    match stands.get_mut("contamination").and_then(Value::as_array_mut) {
        Some(known) => {
            let new: Vec<Value> = more.iter().filter(|kind| !known.contains(kind)).cloned().collect();
            known.extend(new);
        }
        None => {
            stands.insert("contamination".to_owned(), more.clone().into());
        }
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
                            "duplicate_of": "a", "entered_in_error": true, "name": "x"});
        let side = json!({"classification": "CHA", "status": "open", "contamination": ["uxo", "ap_mine"],
                          "entered_in_error": true, "name": "y"});
        let both = json!({"classification": "CHA", "status": "open", "contamination": ["uxo", "ap_mine"],
                          "entered_in_error": true, "name": "x"});
        assert_eq!(raised(stands, &side), both);
        let graver = json!({"classification": "CHA", "status": "open", "contamination": ["ap_mine"]});
        let milder = json!({"classification": "SHA", "status": "released", "contamination": []});
        assert_eq!(raised(graver.clone(), &milder), graver);
    }
}
