//! A record at one version: what all edits so far have made of it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::schema::{Fault, Schema};
use super::{Hash, Stage, mutation::GEOMETRY};

/// Statuses in which a hazardous area is none any more.
pub const CLOSED: [&str; 2] = ["released", "closed"];

/// The fields by which a hazardous area ends as a record, because its ground is another's or nobody's.
pub const ENDINGS: [&str; 4] = ["merged_into", "split_into", "duplicate_of", "entered_in_error"];

/// The fields that people call a record by, the best first: the reference that the server has issued, the operator's own,
/// a name.
pub const NAMES: [&str; 3] = ["reference", "local_reference", "name"];

/// What people call a record that says this; nothing where it has no name.
pub fn name_of(properties: &Map<String, Value>) -> Option<&str> {
    let mut names = NAMES.into_iter().filter_map(|name| properties.get(name)?.as_str());
    names.find(|name| !name.trim().is_empty())
}

/// A record at one version.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Names the record for ever.
    pub id: Uuid,
    /// Kind of record.
    pub kind: String,
    /// Version of the schema that its fields follow.
    pub schema: i32,
    /// The mutation that made this version.
    pub version: Uuid,
    /// Whose record it is; fixed when it is made.
    pub organisation: Uuid,
    /// Who last changed what it says; a step of its review changes nothing.
    pub author: Uuid,
    /// How far its review has come.
    pub stage: Stage,
    /// The newest version that was finalised, which official figures count.
    pub official: Option<Uuid>,
    /// Who made or approved something since the record was last finalised.
    pub hands: Hands,
    /// Out of use.
    pub retired: bool,
    /// An open conflict touches its safety fields.
    pub contested: bool,
    /// GeoJSON, WGS 84, as entered.
    pub geometry: Option<Value>,
    /// The kind's fields.
    pub properties: Map<String, Value>,
}

/// Who had a hand in a record since it was last finalised: one person may not take two stages of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hands {
    /// Who wrote some of what it says.
    makers: BTreeSet<Uuid>,
    /// Who put it forward or approved it as it stands.
    approvers: BTreeSet<Uuid>,
}

impl Hands {
    /// Whether somebody may not approve it any more.
    pub fn contain(&self, account: Uuid) -> bool {
        self.makers.contains(&account) || self.approvers.contains(&account)
    }

    /// Whether somebody has put it forward or approved it as it stands.
    pub fn approved_by(&self, account: Uuid) -> bool {
        self.approvers.contains(&account)
    }

    /// Somebody wrote in it: what was approved is no longer what it says.
    pub fn make(&mut self, makers: impl IntoIterator<Item = Uuid>) {
        self.makers.extend(makers);
        self.approvers.clear();
    }

    /// Somebody put it forward or approved it.
    pub fn approve(&mut self, account: Uuid) {
        self.approvers.insert(account);
    }

    /// It was sent back or refused: whoever approved it before will be asked again.
    pub fn send_back(&mut self) {
        self.approvers.clear();
    }

    /// It was finalised: what comes now is an amendment with makers and approvers of its own.
    pub fn finalise(&mut self) {
        *self = Self::default();
    }
}

impl Record {
    /// A record of which nothing is known yet.
    pub fn blank(id: Uuid, kind: &str, schema: i32, organisation: Uuid, author: Uuid) -> Self {
        Self {
            id,
            kind: kind.to_owned(),
            schema,
            version: Uuid::nil(),
            organisation,
            author,
            stage: Stage::Draft,
            official: None,
            hands: Hands::default(),
            retired: false,
            contested: false,
            geometry: None,
            properties: Map::new(),
        }
    }

    /// The value of a field, null where it is empty.
    pub fn field(&self, name: &str) -> &Value {
        let value = if name == GEOMETRY { self.geometry.as_ref() } else { self.properties.get(name) };
        value.unwrap_or(&Value::Null)
    }

    /// Puts a value into a field; null empties it.
    pub fn set_field(&mut self, name: &str, value: Value) {
        if name == GEOMETRY {
            self.geometry = (!value.is_null()).then_some(value);
        } else if value.is_null() {
            self.properties.remove(name);
        } else {
            self.properties.insert(name.to_owned(), value);
        }
    }

    /// Says again what a finalised version says: what was written since has been refused.
    pub fn give_way(&mut self, official: &Self) {
        self.properties.clone_from(&official.properties);
        self.geometry.clone_from(&official.geometry);
        self.retired = official.retired;
    }

    /// What its schema finds wrong with it.
    pub fn faults(&self, schema: &Schema) -> Vec<Fault> {
        let geometry = self.geometry.as_ref().and_then(|geometry| geometry.get("type")?.as_str());
        schema.validate(&self.properties, geometry)
    }

    /// The hash of all safety fields together (docs/sync.md §2); an empty field does not count.
    pub fn safety_hash(&self, is_safety: impl Fn(&str) -> bool) -> Hash {
        let mut group: Map<String, Value> = self
            .properties
            .iter()
            .filter(|(name, value)| is_safety(name) && !value.is_null())
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        if let Some(geometry) = &self.geometry {
            group.insert(GEOMETRY.to_owned(), geometry.clone());
        }
        Hash::of_value(&group)
    }
}

/// A record as a GeoJSON Feature with its envelope as foreign members (RFC 7946 §6.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// `Feature`.
    #[serde(rename = "type")]
    pub type_: FeatureType,
    /// The record's UUID.
    pub id: Uuid,
    /// WGS 84, lon/lat.
    pub geometry: Option<Value>,
    /// The kind's fields.
    pub properties: Map<String, Value>,
    /// Kind of record.
    pub kind: String,
    /// Version of the kind's schema.
    pub schema: i32,
    /// The record's version.
    pub version: Uuid,
    /// When the server took this version, in its own order.
    pub seq: i64,
    /// How far its review has come.
    pub stage: Stage,
    /// The newest finalised version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub official: Option<Uuid>,
    /// Whose record it is.
    pub organisation: Uuid,
    /// Who made this version.
    pub author: Uuid,
    /// An open conflict touches its safety fields: show the most hazardous candidate.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub contested: bool,
    /// Out of use.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retired: bool,
    /// The outlines of every open candidate of a contested record, besides `geometry`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Value>,
    /// The gravest classification of a contested record's candidates, where it is graver than its own: show this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gravest: Option<String>,
}

/// The one value of a Feature's `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FeatureType {
    /// RFC 7946 §3.2
    Feature,
}

impl Feature {
    /// The record as the wire shows it.
    pub fn of(record: Record, seq: i64) -> Self {
        Self {
            type_: FeatureType::Feature,
            id: record.id,
            geometry: record.geometry,
            properties: record.properties,
            kind: record.kind,
            schema: record.schema,
            version: record.version,
            seq,
            stage: record.stage,
            official: record.official,
            organisation: record.organisation,
            author: record.author,
            contested: record.contested,
            retired: record.retired,
            candidates: Vec::new(),
            gravest: None,
        }
    }

    /// The record that a client keeps of it. Who had a hand in it stays on the server.
    pub fn into_record(self) -> Record {
        Record {
            id: self.id,
            kind: self.kind,
            schema: self.schema,
            version: self.version,
            organisation: self.organisation,
            author: self.author,
            stage: self.stage,
            official: self.official,
            hands: Hands::default(),
            retired: self.retired,
            contested: self.contested,
            geometry: self.geometry,
            properties: self.properties,
        }
    }

    /// The Feature as a JSON value.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self)
            .unwrap_or_else(|fault| json!({"type": "Feature", "fault": fault.to_string()}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn safety_hash_sees_safety_fields_only() {
        let mut record = Record::blank(Uuid::nil(), "hazardous_area", 1, Uuid::nil(), Uuid::nil());
        let safety = |name: &str| name == "status";
        let empty = record.safety_hash(safety);
        record.set_field("notes", json!("wet season"));
        assert_eq!(record.safety_hash(safety), empty);
        record.set_field("status", json!("open"));
        let open = record.safety_hash(safety);
        assert_ne!(open, empty);
        record.set_field("geometry", json!({"type": "Point", "coordinates": [1, 2]}));
        assert_ne!(record.safety_hash(safety), open);
        record.set_field("geometry", Value::Null);
        record.set_field("status", Value::Null);
        assert_eq!(record.safety_hash(safety), empty);
    }
}
