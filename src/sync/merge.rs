//! Whether an edit may be laid on the head, field by field and for the safety group (docs/sync.md §2), and what it makes
//! of a record.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::model::mutation::{GEOMETRY, Outcome};
use crate::model::schema::{MergeClass, Registry, Schema};
use crate::model::{Change, Hash, Mutation, Record, Stage};
use crate::planted::{Fault, is_planted};

/// The pseudo-field under which a `resolve` retires a record or brings it back.
pub const RETIRED: &str = "retired";

/// The field that holds a record's human reference.
pub const REFERENCE: &str = "reference";

/// The schemas by which an edit is laid on a record. Programs of different age write the same records: what a newer one
/// counts as safety an older one does not know.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'r> {
    /// In which its author wrote.
    pub spoken: &'r Schema,
    /// The newer of that and the record's: what the record must obey.
    pub ruling: &'r Schema,
}

impl<'r> Terms<'r> {
    /// Those of an edit that is laid on a record; where one of them is not known, which, as `schema:kind/version`.
    ///
    /// # Errors
    /// The schema that this program is too old to know.
    pub fn of(registry: &'r Registry, mutation: &Mutation, record: Option<&Record>) -> Result<Self, String> {
        let kind = &mutation.kind;
        let known =
            |version| registry.schema(kind, version).ok_or_else(|| format!("schema:{kind}/{version}"));
        let spoken = known(mutation.schema)?;
        let newer = record.filter(|record| record.schema > mutation.schema && record.kind == *kind);
        let ruling = newer.map_or(Ok(spoken), |record| known(record.schema))?;
        Ok(Self { spoken, ruling })
    }

    /// Whether a field belongs to the safety group, for either.
    fn is_safety(self, name: &str) -> bool {
        is_safety(self.spoken, name) || is_safety(self.ruling, name)
    }
}

/// What an edit comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Merge {
    /// The record's new state, and whether the edit was made on the head or beside it.
    Laid(Box<Record>, Outcome),
    /// The fields that disagree.
    Disagrees(BTreeSet<String>),
}

/// Lays an `update` on the head. `base` is the version that its author edited, where it is known.
pub fn update(head: &Record, base: Option<&Record>, mutation: &Mutation, terms: Terms<'_>) -> Merge {
    let mut fields = BTreeSet::new();
    let safety: Vec<&String> = mutation.changes.keys().filter(|name| terms.is_safety(name)).collect();
    if !safety.is_empty() && !saw_the_safety_group(head, base, mutation, terms) {
        fields.extend(safety.into_iter().cloned());
    }
    let mut record = head.clone();
    for (name, change) in &mutation.changes {
        if !lay(&mut record, base, name, change, terms.ruling.merge_class(name)) {
            fields.insert(name.clone());
        }
    }
    if is_planted(Fault::LastWriteWins) {
        let won = intended(head, mutation, Some(terms.ruling));
        return Merge::Laid(Box::new(won), Outcome::Applied);
    }
    if !fields.is_empty() {
        return Merge::Disagrees(fields);
    }
    let outcome =
        if mutation.base_version == Some(head.version) { Outcome::Applied } else { Outcome::Merged };
    Merge::Laid(Box::new(record), outcome)
}

/// The state that the author of an edit meant, whatever stands now: for branches and for records being made.
pub fn intended(base: &Record, mutation: &Mutation, schema: Option<&Schema>) -> Record {
    let mut record = base.clone();
    for (name, change) in &mutation.changes {
        let class = schema.map_or(MergeClass::Free, |schema| schema.merge_class(name));
        if class == MergeClass::Append {
            union(&mut record, name, change);
        } else if let Some(to) = &change.to {
            record.set_field(name, to.clone());
        }
    }
    record
}

/// What a resolve makes of the record that it is laid on.
pub fn resolved(base: &Record, mutation: &Mutation, schema: &Schema) -> Record {
    let mut record = intended(base, mutation, Some(schema));
    record.properties.remove(RETIRED);
    if let Some(retired) = mutation.changes.get(RETIRED).and_then(|change| change.to.as_ref()) {
        record.retired = retired == &Value::Bool(true);
    }
    record
}

/// What a step of a review makes of a record: its stage, the reference that the server issues, and the finalised content
/// where an amendment is refused.
pub fn reviewed(head: &Record, official: Option<&Record>, mutation: &Mutation, stage: Stage) -> Record {
    let mut record = head.clone();
    if let (Stage::Rejected, Some(official)) = (stage, official) {
        record.give_way(official);
    }
    record.stage = stage;
    refer(&mut record, mutation);
    record
}

/// The server issues a record's human reference when it finalises it, and never changes it (docs/domain.md §4).
fn refer(record: &mut Record, mutation: &Mutation) {
    let issued = mutation.changes.get(REFERENCE).and_then(|change| change.to.clone());
    if let Some(reference) = issued
        && record.stage == Stage::Finalised
        && record.field(REFERENCE).is_null()
    {
        record.set_field(REFERENCE, reference);
    }
}

/// Whether a field belongs to the safety group.
pub fn is_safety(schema: &Schema, name: &str) -> bool {
    name == GEOMETRY || schema.merge_class(name) == MergeClass::Safety
}

/// The hash of a record's safety group.
pub fn safety_hash(record: &Record, schema: &Schema) -> Hash {
    record.safety_hash(|name| is_safety(schema, name))
}

/// A mutation that touches any safety field applies only if its author saw the whole group as it stands. What they saw
/// is told in their own schema; of what only a newer one counts, nothing may have changed since the version they edited.
fn saw_the_safety_group(head: &Record, base: Option<&Record>, mutation: &Mutation, terms: Terms<'_>) -> bool {
    let Terms { spoken, ruling } = terms;
    let unchanged = |schema| base.is_some_and(|base| safety_hash(base, schema) == safety_hash(head, schema));
    if base.is_some_and(|base| base.version == head.version) && mutation.seen.is_none() {
        return true;
    }
    let saw = match mutation.seen {
        Some(seen) => seen == safety_hash(head, spoken),
        None => unchanged(spoken),
    };
    saw && (ruling.version() == spoken.version() || unchanged(ruling))
}

/// Lays one field; false where it disagrees with what stands.
fn lay(record: &mut Record, base: Option<&Record>, name: &str, change: &Change, class: MergeClass) -> bool {
    if class == MergeClass::Append {
        return union(record, name, change);
    }
    let Some(to) = &change.to else { return false };
    let current = record.field(name);
    let agrees = current == to
        || match (&change.from, base) {
            (Some(from), _) => Hash::names(from, current),
            (None, Some(base)) => base.field(name) == current,
            (None, None) => false,
        };
    if agrees {
        record.set_field(name, to.clone());
    }
    agrees
}

/// Adds rows and strikes out rows; false where a row with the same id says something else.
/// A struck-out row stays as a tombstone, so that it cannot come back by itself.
fn union(record: &mut Record, name: &str, change: &Change) -> bool {
    let mut rows = record.field(name).as_array().cloned().unwrap_or_default();
    let whole = change.to.as_ref().and_then(Value::as_array).into_iter().flatten();
    let mut agrees = true;
    for row in whole.chain(&change.add) {
        match rows.iter().find(|there| same_row(there, row)) {
            None => rows.push(row.clone()),
            Some(there) => agrees &= there == row || is_struck(there),
        }
    }
    for id in &change.remove {
        let tombstone = tombstone(*id);
        match rows.iter_mut().find(|there| same_row(there, &tombstone)) {
            Some(there) => *there = tombstone,
            None => rows.push(tombstone),
        }
    }
    if !rows.is_empty() {
        record.set_field(name, Value::Array(rows));
    }
    agrees
}

fn tombstone(id: Uuid) -> Value {
    Value::Object(Map::from_iter([("id".to_owned(), json!(id)), ("removed".to_owned(), json!(true))]))
}

fn is_struck(row: &Value) -> bool {
    row.get("removed") == Some(&Value::Bool(true))
}

fn same_row(a: &Value, b: &Value) -> bool {
    match (a.get("id"), b.get("id")) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}
