//! One edit of one record, as a device sends it (docs/sync.md §2).

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{Hash, ReviewAction, vocabulary};

/// The name under which a record's geometry stands among its fields.
pub const GEOMETRY: &str = "geometry";

vocabulary! {
    /// What an edit does to its record.
    pub enum Op {
        /// Makes it.
        Create = "create",
        /// Changes fields.
        Update = "update",
        /// Takes it out of use; nothing is ever deleted.
        Retire = "retire",
        /// Brings a retired record back.
        Restore = "restore",
        /// Settles conflicts.
        Resolve = "resolve",
        /// Takes a step of the review (docs/domain.md §3).
        Review = "review",
    }
}

/// One edit of one record. The version that it makes is named by `mutation_id`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Mutation {
    /// Made by the device. Any UUID is taken; v7 is preferred, which sorts by the time it was made.
    pub mutation_id: Uuid,
    /// The device that made the edit; left out where that is the device that sends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<Uuid>,
    /// 1, 2, 3 … on that device, without a gap.
    pub device_seq: i64,
    /// The human action that this edit belongs to; left out where it stands alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub txn: Option<Txn>,
    /// Kind of record.
    pub kind: String,
    /// Version of the kind's schema that the device knew.
    pub schema: i32,
    /// What the edit does.
    pub op: Op,
    /// The record.
    pub record_id: Uuid,
    /// The version that the author edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_version: Option<Uuid>,
    /// What changed, field by field; `geometry` is one of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub changes: BTreeMap<String, Change>,
    /// The safety fields that the author saw ([`super::Record::safety_hash`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub seen: Option<Hash>,
    /// For `resolve`: the conflicts that it settles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settles: Vec<Uuid>,
    /// For `review`: the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<ReviewAction>,
    /// For `resolve`, and for `review` where a step wants it: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The quarantined mutation that this one repairs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repairs: Option<Uuid>,
    /// Files that belong to the edit and travel after it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// When and how it was recorded; orders nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub captured: Option<Captured>,
    /// The person.
    pub author: Uuid,
}

/// The place of an edit in its human action, which is taken whole or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Txn {
    /// Names the action.
    pub id: Uuid,
    /// From 0.
    pub index: u32,
    /// How many edits it has.
    pub size: u32,
}

/// What happens to one field: a value in place of another, or rows added to and removed from an append field.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Change {
    /// What the author saw; for geometry its hash will do. Left out, it is taken from `base_version`.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// What it becomes; null empties the field.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
    /// Rows for an append field, each an object with its own `id`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<Value>,
    /// Ids of rows that are struck out; a tombstone stays.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<Uuid>,
}

impl Change {
    /// A new value, with what it replaces.
    pub fn replace(from: Value, to: Value) -> Self {
        Self { from: Some(from), to: Some(to), ..Self::default() }
    }

    /// A new value in an empty field.
    pub fn set(to: Value) -> Self {
        Self { to: Some(to), ..Self::default() }
    }

    /// Whether the field is emptied.
    pub fn blanks(&self) -> bool {
        self.to == Some(Value::Null)
    }
}

/// Tells `null` from a member that is not there.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// A file, named by its contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Attachment {
    /// File name as taken.
    pub name: String,
    /// SHA-256 of the bytes, hexadecimal.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
    /// MIME type.
    pub media_type: String,
}

/// The circumstances of an edit as the device saw them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Captured {
    /// The device's clock, RFC 3339 with its offset.
    pub wall: String,
    /// Satellite time, RFC 3339 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gnss: Option<String>,
    /// Position accuracy, m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy_m: Option<f64>,
    /// Program and version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
}

vocabulary! {
    /// What became of a mutation. All but `retry` mean that it is stored for good (docs/sync.md §3).
    pub enum Outcome {
        /// It made the record's new version.
        Applied = "applied",
        /// It made the new version beside a parallel edit of other free fields.
        Merged = "merged",
        /// It is kept as a branch; the head stands as it was.
        Conflict = "conflict",
        /// It waits for something that is not here yet.
        Parked = "parked",
        /// A human decides.
        Quarantined = "quarantined",
        /// It was here before; the first outcome is given.
        Duplicate = "duplicate",
        /// Not stored: send it again.
        Retry = "retry",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn null_is_told_from_absent() {
        let change: Change = serde_json::from_value(json!({"from": null, "to": 3})).unwrap();
        assert_eq!(change.from, Some(Value::Null));
        let change: Change = serde_json::from_value(json!({"to": null})).unwrap();
        assert_eq!(change.from, None);
        assert!(change.blanks());
    }

    #[test]
    fn the_protocol_example_is_read_and_written_back() {
        let text = json!({
            "mutation_id": "01920000-0000-7000-8000-000000000001", "device_seq": 312,
            "txn": {"id": "01920000-0000-7000-8000-000000000002", "index": 0, "size": 3},
            "kind": "hazardous_area", "schema": 1, "op": "update",
            "record_id": "01920000-0000-7000-8000-000000000003",
            "base_version": "01910000-0000-7000-8000-000000000003",
            "changes": {"status": {"from": "open", "to": "suspended"}},
            "seen": format!("sha256:{}", "00".repeat(32)),
            "attachments": [{"name": "lane3.jpg", "sha256": "ab", "size": 412_345, "media_type": "image/jpeg"}],
            "captured": {"wall": "2026-11-20T09:12:33+04:30", "gnss": "2026-11-20T04:42:31Z",
                         "accuracy_m": 0.8, "app": "x/3.2"},
            "author": "01920000-0000-7000-8000-000000000009"
        });
        let mutation: Mutation = serde_json::from_value(text.clone()).unwrap();
        assert_eq!(serde_json::to_value(&mutation).unwrap(), text);
    }
}
