//! Rows of the tables that hold records and the log, and their way to and from domain types.

use std::collections::BTreeMap;

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use serde_json::Value;
use uuid::Uuid;

use super::backend::MultiBackend;
use super::column::{Document, Id, Instant};
use super::{Result, schema};
use crate::model::Record;
use crate::model::mutation::{GEOMETRY, Op};
use crate::model::record::Hands;
use crate::sync::memory::{Conflict, Received};

/// One entry of the log.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = schema::log, treat_none_as_default_value = false)]
#[diesel(check_for_backend(Pg, Sqlite, MultiBackend))]
pub(super) struct LogRow {
    pub(super) seq: i64,
    pub(super) entry: String,
    pub(super) subject: Id,
    pub(super) device_id: Option<Id>,
    pub(super) device_seq: Option<i64>,
    pub(super) record_id: Option<Id>,
    pub(super) outcome: String,
    pub(super) answer: Document,
    pub(super) actor: Option<Id>,
    pub(super) received_at: Instant,
    pub(super) skew_ms: Option<i64>,
    pub(super) body: Vec<u8>,
    pub(super) entry_hash: Vec<u8>,
    /// What the actor was.
    pub(super) role: Option<String>,
    /// Whom the actor worked for.
    pub(super) organisation: Option<Id>,
}

/// A record's latest state, without its content.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = schema::record, treat_none_as_null = true, treat_none_as_default_value = false)]
#[diesel(check_for_backend(Pg, Sqlite, MultiBackend))]
pub(super) struct RecordRow {
    pub(super) record_id: Id,
    pub(super) kind: String,
    pub(super) organisation: Id,
    pub(super) version: Id,
    pub(super) official: Option<Id>,
    pub(super) author: Id,
    pub(super) stage: String,
    pub(super) retired: bool,
    pub(super) contested: bool,
    pub(super) tier: i16,
    pub(super) seq: i64,
    pub(super) created_seq: i64,
    pub(super) hands: Document,
}

/// A version with its content.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = schema::version, treat_none_as_default_value = false)]
#[diesel(check_for_backend(Pg, Sqlite, MultiBackend))]
pub(super) struct VersionRow {
    pub(super) version_id: Id,
    pub(super) record_id: Id,
    pub(super) seq: i64,
    pub(super) base_version: Option<Id>,
    pub(super) branch: bool,
    pub(super) op: String,
    pub(super) kind: String,
    pub(super) schema: i32,
    pub(super) organisation: Id,
    /// Who last changed what the record says.
    pub(super) author: Id,
    /// Who made this version: for a step of a review, who took it.
    pub(super) made_by: Id,
    pub(super) device_id: Id,
    pub(super) stage: String,
    pub(super) retired: bool,
    pub(super) official: Option<Id>,
    pub(super) reason: Option<String>,
    pub(super) recorded_at: Instant,
    pub(super) properties: Document,
    pub(super) geometry: Option<Document>,
    pub(super) wkb: Option<Vec<u8>>,
    pub(super) min_lon: Option<f64>,
    pub(super) min_lat: Option<f64>,
    pub(super) max_lon: Option<f64>,
    pub(super) max_lat: Option<f64>,
    pub(super) area_m2: Option<f64>,
    /// Who had a hand in it; versions of older programs do not say.
    pub(super) hands: Option<Document>,
}

/// A conflict, open or closed.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = schema::conflict, treat_none_as_default_value = false)]
#[diesel(check_for_backend(Pg, Sqlite, MultiBackend))]
pub(super) struct ConflictRow {
    pub(super) conflict_id: Id,
    pub(super) record_id: Id,
    pub(super) base_version: Option<Id>,
    pub(super) head_version: Option<Id>,
    pub(super) fields: Document,
    pub(super) safety: bool,
    pub(super) opened_seq: i64,
    pub(super) opened_at: Instant,
    pub(super) closed_seq: Option<i64>,
    pub(super) closed_by: Option<Id>,
    pub(super) reason: Option<String>,
}

/// The canonical geometry of a version: what maps and figures use, beside the form as entered.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shape {
    /// Well-known binary, lon/lat.
    pub(super) wkb: Vec<u8>,
    /// `[min_lon, min_lat, max_lon, max_lat]`
    pub(super) bbox: [f64; 4],
    /// Geodesic, WGS 84.
    pub(super) area_m2: f64,
}

/// A record as it stands, with what the writer needs besides.
#[derive(Debug, Clone)]
pub(super) struct Head {
    pub(super) record: Record,
    pub(super) seq: i64,
    pub(super) created_seq: i64,
    pub(super) shape: Option<Shape>,
}

impl Head {
    /// Joins a record's row with its version's.
    pub(super) fn of(row: RecordRow, version: VersionRow) -> Result<Self> {
        let (seq, created_seq) = (row.seq, row.created_seq);
        let shape = version.shape();
        let hands: Hands = row.hands.read()?;
        let mut record = version.into_record()?;
        record.contested = row.contested;
        record.hands = hands;
        Ok(Self { record, seq, created_seq, shape })
    }

    pub(super) fn row(&self, tier: i16) -> RecordRow {
        let record = &self.record;
        RecordRow {
            record_id: Id(record.id),
            kind: record.kind.clone(),
            organisation: Id(record.organisation),
            version: Id(record.version),
            official: record.official.map(Id),
            author: Id(record.author),
            stage: record.stage.to_string(),
            retired: record.retired,
            contested: record.contested,
            tier,
            seq: self.seq,
            created_seq: self.created_seq,
            hands: Document::of(&record.hands),
        }
    }
}

impl VersionRow {
    pub(super) fn of(
        record: &Record,
        shape: Option<&Shape>,
        received: &Received,
        seq: i64,
        branch: bool,
        now: Instant,
    ) -> Self {
        let mutation = &received.mutation;
        let [min_lon, min_lat, max_lon, max_lat] = shape.map_or([None; 4], |shape| shape.bbox.map(Some));
        Self {
            version_id: Id(record.version),
            record_id: Id(record.id),
            seq,
            base_version: mutation.base_version.map(Id),
            branch,
            op: mutation.op.to_string(),
            kind: record.kind.clone(),
            schema: record.schema,
            organisation: Id(record.organisation),
            author: Id(record.author),
            made_by: Id(mutation.author),
            device_id: Id(received.device),
            stage: record.stage.to_string(),
            retired: record.retired,
            official: record.official.map(Id),
            reason: mutation.reason.clone(),
            recorded_at: now,
            properties: Document(Value::Object(record.properties.clone())),
            geometry: record.geometry.clone().map(Document),
            wkb: shape.map(|shape| shape.wkb.clone()),
            min_lon,
            min_lat,
            max_lon,
            max_lat,
            area_m2: shape.map(|shape| shape.area_m2),
            hands: Some(Document::of(&record.hands)),
        }
    }

    pub(super) fn shape(&self) -> Option<Shape> {
        Some(Shape {
            wkb: self.wkb.clone()?,
            bbox: [self.min_lon?, self.min_lat?, self.max_lon?, self.max_lat?],
            area_m2: self.area_m2?,
        })
    }

    /// The record as this version left it. Hands and contest are the head's affair.
    pub(super) fn into_record(self) -> Result<Record> {
        Ok(Record {
            id: self.record_id.0,
            kind: self.kind,
            schema: self.schema,
            version: self.version_id.0,
            organisation: self.organisation.0,
            author: self.author.0,
            stage: self.stage.parse()?,
            official: self.official.map(|id| id.0),
            hands: Hands::default(),
            retired: self.retired,
            contested: false,
            geometry: self.geometry.map(|document| document.0),
            properties: self.properties.read()?,
        })
    }
}

impl ConflictRow {
    pub(super) fn of(conflict: &Conflict, seq: i64, now: Instant) -> Self {
        Self {
            conflict_id: Id(conflict.id),
            record_id: Id(conflict.record_id),
            base_version: conflict.base_version.map(Id),
            head_version: conflict.head_version.map(Id),
            fields: Document::of(&conflict.fields),
            safety: conflict.safety,
            opened_seq: seq,
            opened_at: now,
            closed_seq: None,
            closed_by: None,
            reason: None,
        }
    }

    pub(super) fn into_conflict(self) -> Result<Conflict> {
        Ok(Conflict {
            id: self.conflict_id.0,
            record_id: self.record_id.0,
            base_version: self.base_version.map(|id| id.0),
            head_version: self.head_version.map(|id| id.0),
            fields: self.fields.read()?,
            safety: self.safety,
        })
    }
}

/// The shapes of the geometries in mutations, worked out before the writer's turn comes.
pub(super) type Shapes = BTreeMap<Uuid, Shape>;

/// The geometry that a mutation brings, if it brings one.
pub(super) fn brought_geometry(received: &Received) -> Option<&Value> {
    let mutation = &received.mutation;
    if mutation.op == Op::Review {
        return None;
    }
    mutation.changes.get(GEOMETRY)?.to.as_ref()
}
