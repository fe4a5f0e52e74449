//! Open and settled conflicts, with everything that whoever settles them must see (docs/sync.md §2).

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

use super::column::Id;
use super::history::diff;
use super::row::{ConflictRow, VersionRow};
use super::schema::{conflict, version};
use super::{Result, Store, StoreError};
use crate::model::role::Sight;
use crate::model::{Hash, Record};
use crate::sync::merge::{self, RETIRED};

/// A conflict with its three sides.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ConflictView {
    /// Names the conflict: the mutation that could not be applied.
    pub id: Uuid,
    /// Its place in the log, for the next page.
    pub seq: i64,
    /// The record.
    pub record_id: Uuid,
    /// Its kind.
    pub kind: String,
    /// The fields that disagree; `record_id`, `stage`, `txn`, `settles` where something else than a field does: two records
    /// of one id, a review of an earlier version, another edit of the same action, a conflict settled meanwhile.
    pub fields: Vec<String>,
    /// Every field that the conflicting edit changed, whether it disagrees or not, `retired` among them: none of it
    /// stands, and what a settlement does not take up is lost.
    pub changed: Vec<String>,
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

/// Which conflicts are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct ConflictQuery {
    /// Only this record's.
    pub record: Option<Uuid>,
    /// Only about records of this organisation: conflicts are drafts, which others do not see.
    pub organisation: Option<Uuid>,
    /// The settled ones too.
    pub settled: bool,
    /// After this place in the log.
    pub after: i64,
    /// At most so many.
    pub limit: i64,
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
    /// The values of the fields that disagree and of those that the conflicting edit changed.
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
    /// Conflicts in the log's order, without those of kinds and the values of fields that `sight` does not reach.
    pub fn list_conflicts(&self, which: ConflictQuery, sight: Sight) -> Result<Vec<ConflictView>> {
        self.read_feed(|connection| {
            let mut query = conflict::table
                .inner_join(version::table.on(version::version_id.eq(conflict::conflict_id)))
                .filter(conflict::opened_seq.gt(which.after))
                .filter(version::kind.ne_all(self.registry.kinds_above(sight.tier)))
                .order(conflict::opened_seq)
                .limit(which.limit)
                .select(ConflictRow::as_select())
                .into_boxed();
            if !which.settled {
                query = query.filter(conflict::closed_seq.is_null());
            }
            if let Some(id) = which.record {
                query = query.filter(conflict::record_id.eq(Id(id)));
            }
            if let Some(organisation) = which.organisation {
                query = query.filter(version::organisation.eq(Id(organisation)));
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
            rows.into_iter().map(|row| self.view(&row, &versions, &heads, sight)).collect()
        })
    }

    /// One conflict.
    ///
    /// # Errors
    /// `NotFound`, also where `sight` does not reach.
    pub fn find_conflict(&self, id: Uuid, organisation: Option<Uuid>, sight: Sight) -> Result<ConflictView> {
        let record = self.read(|connection| {
            let found: Option<Id> =
                conflict::table.find(Id(id)).select(conflict::record_id).first(connection).optional()?;
            found.ok_or(StoreError::NotFound("conflict"))
        })?;
        let which = ConflictQuery {
            record: Some(record.0),
            organisation,
            settled: true,
            limit: i64::MAX,
            ..ConflictQuery::default()
        };
        let all = self.list_conflicts(which, sight)?;
        all.into_iter().find(|conflict| conflict.id == id).ok_or(StoreError::NotFound("conflict"))
    }

    fn view(
        &self,
        row: &ConflictRow,
        versions: &HashMap<Id, VersionRow>,
        heads: &HashMap<Id, VersionRow>,
        sight: Sight,
    ) -> Result<ConflictView> {
        let fields: Vec<String> = row.fields.clone().read()?;
        let mine = versions.get(&row.conflict_id);
        let head = heads.get(&row.record_id);
        let kind = mine.or(head).map(|row| row.kind.clone()).unwrap_or_default();
        let schema = self.registry.latest(&kind);
        let shown = |name: &&String| schema.is_none_or(|schema| sight.reaches(schema, name));
        let base = row.base_version.and_then(|id| versions.get(&id));
        let changed: Vec<String> = changed(base, mine)?.into_iter().filter(|name| shown(&name)).collect();
        let shown: BTreeSet<&String> = fields.iter().filter(shown).chain(&changed).collect();
        let side = |version: Option<&VersionRow>| {
            version.map(|version| Side::of(version.clone(), &shown)).transpose()
        };
        let seen = match (head, schema) {
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
            seq: row.opened_seq,
            record_id: row.record_id.0,
            kind,
            safety: row.safety,
            opened_at: row.opened_at.0,
            base: side(base)?,
            theirs: side(head)?,
            mine: side(mine)?,
            seen,
            settled,
            changed,
            fields,
        })
    }
}

/// What an edit changed of what its author saw.
fn changed(base: Option<&VersionRow>, mine: Option<&VersionRow>) -> Result<Vec<String>> {
    let record = |row: &VersionRow| row.clone().into_record();
    let Some(mine) = mine.map(record).transpose()? else { return Ok(Vec::new()) };
    let base = base.map(record).transpose()?;
    let was_retired = base.as_ref().is_some_and(|base| base.retired);
    let mut changed: Vec<String> = diff(base.as_ref(), &mine).into_keys().collect();
    if mine.retired != was_retired {
        changed.push(RETIRED.to_owned());
    }
    Ok(changed)
}

fn value_in(record: &Record, name: &str) -> Value {
    if name == RETIRED { record.retired.into() } else { record.field(name).clone() }
}

impl Side {
    fn of(row: VersionRow, fields: &BTreeSet<&String>) -> Result<Self> {
        let (version, author, device) = (row.version_id.0, row.author.0, row.device_id.0);
        let (recorded_at, area_m2) = (row.recorded_at.0, row.area_m2);
        let record: Record = row.into_record()?;
        let values = fields.iter().map(|name| ((*name).clone(), value_in(&record, name))).collect();
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
