//! Edits as they are made on a client: each is laid down against what its author sees.

use std::collections::BTreeMap;

use chrono::Utc;
use diesel::sqlite::SqliteConnection;
use serde_json::Value;
use uuid::Uuid;

use super::error::{ClientError, Result};
use super::session::Session;
use super::{blobs, outbox, view};
use crate::model::mutation::{Attachment, Captured, GEOMETRY, Txn};
use crate::model::schema::{MergeClass, Registry};
use crate::model::{Change, Hash, Mutation, Op, Record, ReviewAction};
use crate::sync::merge;

/// One edit of one record, before it is laid down.
#[derive(Debug, Clone)]
pub struct Edit {
    op: Op,
    record_id: Uuid,
    kind: Option<String>,
    changes: BTreeMap<String, Change>,
    settles: Vec<Uuid>,
    review: Option<ReviewAction>,
    reason: Option<String>,
    attachments: Vec<Attachment>,
    captured: Option<Captured>,
}

impl Edit {
    fn of(op: Op, record_id: Uuid) -> Self {
        Self {
            op,
            record_id,
            kind: None,
            changes: BTreeMap::new(),
            settles: Vec::new(),
            review: None,
            reason: None,
            attachments: Vec::new(),
            captured: None,
        }
    }

    /// Makes a record.
    pub fn create(kind: &str, record_id: Uuid) -> Self {
        Self { kind: Some(kind.to_owned()), ..Self::of(Op::Create, record_id) }
    }

    /// Changes fields.
    pub fn update(record_id: Uuid) -> Self {
        Self::of(Op::Update, record_id)
    }

    /// Takes a record out of use.
    pub fn retire(record_id: Uuid) -> Self {
        Self::of(Op::Retire, record_id)
    }

    /// Brings a retired record back.
    pub fn restore(record_id: Uuid) -> Self {
        Self::of(Op::Restore, record_id)
    }

    /// Takes a step of the review.
    pub fn review(record_id: Uuid, step: ReviewAction) -> Self {
        Self { review: Some(step), ..Self::of(Op::Review, record_id) }
    }

    /// Settles conflicts.
    pub fn resolve(record_id: Uuid, settles: Vec<Uuid>) -> Self {
        Self { settles, ..Self::of(Op::Resolve, record_id) }
    }

    /// The record that is edited.
    pub fn record_id(&self) -> Uuid {
        self.record_id
    }

    /// Says the kind of a record that this client does not hold.
    #[must_use]
    pub fn of_kind(mut self, kind: &str) -> Self {
        self.kind = Some(kind.to_owned());
        self
    }

    /// Gives a field another value; null empties it. `geometry` is GeoJSON, WGS 84.
    #[must_use]
    pub fn set(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.changes.insert(field.to_owned(), Change::set(value.into()));
        self
    }

    /// Adds a row, an object with its own `id`, to an append field.
    #[must_use]
    pub fn add(mut self, field: &str, row: impl Into<Value>) -> Self {
        self.changes.entry(field.to_owned()).or_default().add.push(row.into());
        self
    }

    /// Strikes a row out of an append field; a tombstone stays.
    #[must_use]
    pub fn strike(mut self, field: &str, row: Uuid) -> Self {
        self.changes.entry(field.to_owned()).or_default().remove.push(row);
        self
    }

    /// Says why.
    #[must_use]
    pub fn because(mut self, reason: &str) -> Self {
        self.reason = Some(reason.to_owned());
        self
    }

    /// Claims a file that belongs to the edit and travels after it: one that [`super::Client::keep_file`] keeps.
    #[must_use]
    pub fn attach(mut self, attachment: Attachment) -> Self {
        self.attachments.push(attachment);
        self
    }

    /// Says when and how it was recorded, where that is not here and now.
    #[must_use]
    pub fn captured(mut self, captured: Captured) -> Self {
        self.captured = Some(captured);
        self
    }
}

/// Lays down the edits of one human action. Part of the caller's transaction.
pub(super) fn lay_down(
    connection: &mut SqliteConnection,
    registry: &Registry,
    edits: Vec<Edit>,
) -> Result<Vec<Uuid>> {
    let size = u32::try_from(edits.len()).unwrap_or(u32::MAX);
    let action = Uuid::now_v7();
    let mut ids = Vec::with_capacity(edits.len());
    for (index, edit) in (0..).zip(edits) {
        let session = Session::load(connection)?;
        let seen = view::record(connection, registry, &session, edit.record_id)?;
        let mut mutation = mutation(edit, seen.map(|view| view.record), registry, &session)?;
        mutation.txn = (size > 1).then_some(Txn { id: action, index, size });
        outbox::append(connection, &mutation, &session.device_id)?;
        blobs::note(connection, &mutation)?;
        ids.push(mutation.mutation_id);
    }
    Ok(ids)
}

fn mutation(edit: Edit, seen: Option<Record>, registry: &Registry, session: &Session) -> Result<Mutation> {
    let kind = edit.kind.or_else(|| seen.as_ref().map(|seen| seen.kind.clone()));
    let kind = kind.ok_or(ClientError::NoRecord(edit.record_id))?;
    let schema = registry.latest(&kind).ok_or_else(|| ClientError::UnknownKind(kind.clone()))?;
    let mut changes = edit.changes;
    if let Some(seen) = seen.as_ref().filter(|_| edit.op != Op::Create) {
        for (name, change) in &mut changes {
            if change.to.is_some() && schema.merge_class(name) != MergeClass::Append {
                change.from = Some(named(name, seen.field(name)));
            }
        }
    }
    let captured = edit.captured.unwrap_or_else(|| Captured {
        wall: Utc::now().to_rfc3339(),
        gnss: None,
        accuracy_m: None,
        app: None,
    });
    let base = seen.filter(|_| edit.op != Op::Create);
    Ok(Mutation {
        mutation_id: Uuid::now_v7(),
        device_id: Some(Uuid::parse_str(&session.device_id)?),
        device_seq: session.next_seq,
        txn: None,
        schema: schema.version(),
        op: edit.op,
        record_id: edit.record_id,
        base_version: base.as_ref().map(|base| base.version),
        seen: base.as_ref().map(|base| merge::safety_hash(base, schema)),
        kind,
        changes,
        settles: edit.settles,
        review: edit.review,
        reason: edit.reason,
        repairs: None,
        attachments: edit.attachments,
        captured: Some(captured),
        author: Uuid::parse_str(&session.account)?,
    })
}

/// A field's value as `from` names it: an outline by its hash, which is shorter.
fn named(field: &str, value: &Value) -> Value {
    if field == GEOMETRY && !value.is_null() {
        Hash::of_value(value).to_string().into()
    } else {
        value.clone()
    }
}
