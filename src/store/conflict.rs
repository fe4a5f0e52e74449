//! Open and settled conflicts, with everything that whoever settles them must see (docs/sync.md §2).

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

use super::column::Id;
use super::row::{ConflictRow, VersionRow};
use super::schema::{conflict, version};
use super::{Result, Store, StoreError};
use crate::model::{Hash, Record};
use crate::sync::merge;

/// A conflict with its three sides.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ConflictView {
    /// Names the conflict: the mutation that could not be applied.
    pub id: Uuid,
    /// The record.
    pub record_id: Uuid,
    /// Its kind.
    pub kind: String,
    /// The fields that disagree.
    pub fields: Vec<String>,
    /// Whether the record is contested because of it.
    pub safety: bool,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// What both sides began from.
    pub base: Option<Side>,
    /// What stands: the head now.
    pub theirs: Option<Side>,
    /// What the author of the conflicting edit meant.
    pub mine: Option<Side>,
    /// To be given back as `seen` by whoever resolves: the head's safety fields.
    #[schema(value_type = Option<String>)]
    pub seen: Option<Hash>,
    /// How it was settled, if it was.
    pub settled: Option<Settled>,
}

/// One side of a conflict.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Side {
    /// The version.
    pub version: Uuid,
    /// Who made it.
    pub author: Uuid,
    /// On which device.
    pub device: Uuid,
    /// When the server learnt it.
    pub recorded_at: DateTime<Utc>,
    /// The values of the fields that disagree.
    #[schema(value_type = Object)]
    pub values: BTreeMap<String, Value>,
    /// The outline on this side.
    pub geometry: Option<Value>,
    /// Geodesic area of the outline, m².
    pub area_m2: Option<f64>,
    /// Out of use on this side.
    pub retired: bool,
}

/// How a conflict was settled.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Settled {
    /// The `resolve` mutation.
    pub by: Uuid,
    /// Its place in the log.
    pub seq: i64,
    /// Why.
    pub reason: Option<String>,
}

impl Store {
    /// Conflicts after `after` in the log's order; the open ones, or all.
    pub fn list_conflicts(
        &self,
        record_id: Option<Uuid>,
        settled_too: bool,
        after: i64,
        limit: i64,
    ) -> Result<Vec<ConflictView>> {
        self.read(|connection| {
            let mut query = conflict::table
                .filter(conflict::opened_seq.gt(after))
                .order(conflict::opened_seq)
                .limit(limit)
                .select(ConflictRow::as_select())
                .into_boxed();
            if !settled_too {
                query = query.filter(conflict::closed_seq.is_null());
            }
            if let Some(id) = record_id {
                query = query.filter(conflict::record_id.eq(Id(id)));
            }
            let rows: Vec<ConflictRow> = query.load(connection)?;
            let wanted: Vec<Id> = rows
                .iter()
                .flat_map(|row| [Some(row.conflict_id), row.base_version, row.head_version])
                .flatten()
                .collect();
            let records: Vec<Id> = rows.iter().map(|row| row.record_id).collect();
            let mut versions: HashMap<Id, VersionRow> = HashMap::new();
            for ids in wanted.chunks(5_000) {
                let found: Vec<VersionRow> = version::table
                    .filter(version::version_id.eq_any(ids))
                    .select(VersionRow::as_select())
                    .load(connection)?;
                versions.extend(found.into_iter().map(|row| (row.version_id, row)));
            }
            let heads: Vec<VersionRow> = super::schema::record::table
                .inner_join(version::table.on(version::version_id.eq(super::schema::record::version)))
                .filter(super::schema::record::record_id.eq_any(&records))
                .select(VersionRow::as_select())
                .load(connection)?;
            let heads: HashMap<Id, VersionRow> = heads.into_iter().map(|row| (row.record_id, row)).collect();
            rows.into_iter().map(|row| self.view(&row, &versions, &heads)).collect()
        })
    }

    /// One conflict.
    ///
    /// # Errors
    /// `NotFound`
    pub fn find_conflict(&self, id: Uuid) -> Result<ConflictView> {
        let record = self.read(|connection| {
            let found: Option<Id> =
                conflict::table.find(Id(id)).select(conflict::record_id).first(connection).optional()?;
            found.ok_or(StoreError::NotFound("conflict"))
        })?;
        let all = self.list_conflicts(Some(record.0), true, 0, i64::MAX)?;
        all.into_iter().find(|conflict| conflict.id == id).ok_or(StoreError::NotFound("conflict"))
    }

    fn view(
        &self,
        row: &ConflictRow,
        versions: &HashMap<Id, VersionRow>,
        heads: &HashMap<Id, VersionRow>,
    ) -> Result<ConflictView> {
        let fields: Vec<String> = row.fields.clone().read()?;
        let side = |version: Option<&VersionRow>| {
            version.map(|version| Side::of(version.clone(), &fields)).transpose()
        };
        let mine = versions.get(&row.conflict_id);
        let head = heads.get(&row.record_id);
        let kind = mine.or(head).map(|row| row.kind.clone()).unwrap_or_default();
        let seen = match (head, self.registry.latest(&kind)) {
            (Some(head), Some(schema)) => Some(merge::safety_hash(&head.clone().into_record()?, schema)),
            _ => None,
        };
        let settled = row.closed_by.zip(row.closed_seq).map(|(by, seq)| Settled {
            by: by.0,
            seq,
            reason: row.reason.clone(),
        });
        Ok(ConflictView {
            id: row.conflict_id.0,
            record_id: row.record_id.0,
            kind,
            safety: row.safety,
            opened_at: row.opened_at.0,
            base: side(row.base_version.and_then(|id| versions.get(&id)))?,
            theirs: side(head)?,
            mine: side(mine)?,
            seen,
            settled,
            fields,
        })
    }
}

impl Side {
    fn of(row: VersionRow, fields: &[String]) -> Result<Self> {
        let (version, author, device) = (row.version_id.0, row.author.0, row.device_id.0);
        let (recorded_at, area_m2) = (row.recorded_at.0, row.area_m2);
        let record: Record = row.into_record()?;
        let values = fields.iter().map(|name| (name.clone(), record.field(name).clone())).collect();
        Ok(Self {
            version,
            author,
            device,
            recorded_at,
            values,
            geometry: record.geometry,
            area_m2,
            retired: record.retired,
        })
    }
}
