//! What a server holds in the end, as an auditor and a reader find it over HTTP.

use std::collections::{BTreeMap, BTreeSet};

use cartagena::sync::Digest;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::people::text;
use crate::support::{Program, Serving, Tablet};

/// The ids of an action's mutations.
pub(super) fn ids(edits: &[Value]) -> Vec<Uuid> {
    edits.iter().map(|edit| id_of(edit, "mutation_id")).collect()
}

/// A UUID member.
pub(super) fn id_of(value: &Value, name: &str) -> Uuid {
    text(value, name).parse().unwrap()
}

/// An action: an area is made and named at once, which nobody may ever see half done.
pub(super) fn action_of(tablet: &Tablet) -> Vec<Value> {
    let area = Uuid::now_v7();
    let create = tablet.area(area);
    let base = create["mutation_id"].clone();
    let rename = tablet.on("update", area, &base, &json!({"changes": {"name": {"to": "North"}}}));
    crate::support::tablet::action(vec![create, rename])
}

/// Every mutation of a log with the places that it has there: one, where all is well.
pub(super) type Log = BTreeMap<Uuid, Vec<i64>>;

/// Reads a server's log.
pub(super) fn logged(server: &impl Serving, im: &str) -> Log {
    let mut places = Log::new();
    let mut from = 0;
    loop {
        let page = server.http().get(&format!("/v1/sync/log?from={from}"), im).expect(200);
        let entries = page["entries"].as_array().unwrap();
        let Some(last) = entries.last() else { return places };
        from = last["seq"].as_i64().unwrap() + 1;
        for entry in entries.iter().filter(|entry| entry["entry"] == "mutation") {
            places.entry(id_of(entry, "subject")).or_default().push(entry["seq"].as_i64().unwrap());
        }
    }
}

/// Every record of everything with its version, once its digest is found to be that of what came.
#[track_caller]
pub(super) fn pulled(server: &impl Serving, im: &str) -> BTreeMap<Uuid, Uuid> {
    let mut records = BTreeMap::new();
    let mut cursor = 0;
    loop {
        let body = json!({"scopes": [{"id": "everything", "cursor": cursor}]});
        let page = server.http().post("/v1/sync/pull", im, &body).expect(200)["scopes"][0].clone();
        for feature in page["records"].as_array().unwrap() {
            let again = records.insert(id_of(feature, "id"), id_of(feature, "version"));
            assert_eq!(again, None, "a record came twice though nobody writes");
        }
        cursor = page["cursor"].as_i64().unwrap();
        if page["has_more"] == false {
            let digest: Digest = serde_json::from_value(page["digest"].clone()).unwrap();
            assert_eq!(records.iter().map(|(id, version)| (*id, *version)).collect::<Digest>(), digest);
            return records;
        }
    }
}

/// Everything that was acknowledged is in the log once, every action is there whole or not at all, and nothing else is.
#[track_caller]
pub(super) fn assert_kept(log: &Log, actions: &[Vec<Uuid>], acknowledged: &BTreeSet<Uuid>) {
    for (mutation, places) in log {
        assert_eq!(places.len(), 1, "{mutation} is there more than once");
    }
    let lost: Vec<&Uuid> = acknowledged.iter().filter(|id| !log.contains_key(id)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    for action in actions {
        let there = action.iter().filter(|id| log.contains_key(id)).count();
        assert!(there == 0 || there == action.len(), "{there} of {} of an action", action.len());
    }
    let sent: BTreeSet<Uuid> = actions.iter().flatten().copied().collect();
    assert!(log.keys().all(|id| sent.contains(id)), "something is there that nobody sent");
}

/// All of it is in the log once and in the records, and the database is what its log says.
#[track_caller]
pub(super) fn assert_all_there(program: &Program, im: &str, actions: &[Vec<Uuid>], records: usize) {
    let all: BTreeSet<Uuid> = actions.iter().flatten().copied().collect();
    assert_kept(&logged(program, im), actions, &all);
    assert_eq!(pulled(program, im).len(), records);
    program.verify();
}
