//! A record's past: what each version changed, and who made it.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::backend::DbConnection;
use super::column::Id;
use super::record::redact;
use super::row::{RecordRow, VersionRow};
use super::schema::{account, record, version};
use super::{Result, Store};
use crate::model::mutation::GEOMETRY;
use crate::model::role::{Drafts, Shown, Sight};
use crate::model::{Record, Stage};

/// One step in a record's history.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct HistoryEntry {
    /// The version, which is the mutation that made it.
    pub version: Uuid,
    /// Its place in the log.
    pub seq: i64,
    /// What the mutation did.
    pub op: String,
    /// The version that its author edited.
    pub base_version: Option<Uuid>,
    /// Kept beside the head's line because of a conflict.
    pub branch: bool,
    /// Who.
    pub author: Uuid,
    /// That person's name, for whoever sees drafts: others are told of the programme, not of its people.
    pub author_name: Option<String>,
    /// On which device.
    pub device: Uuid,
    /// When the server learnt it.
    pub recorded_at: DateTime<Utc>,
    /// Where it left the review.
    pub stage: Stage,
    /// Why, where a reason was given.
    pub reason: Option<String>,
    /// Geodesic area of its outline, m².
    pub area_m2: Option<f64>,
    /// Field by field what differs from the version before it on the head's line.
    #[schema(value_type = Object)]
    pub diff: BTreeMap<String, Diff>,
}

/// One field before and after.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diff {
    /// Before; null where it was empty.
    pub from: Value,
    /// After; null where it is empty.
    pub to: Value,
}

/// A record with its versions, and the names of those who made them.
type Past = ((RecordRow, VersionRow), Vec<VersionRow>, HashMap<Id, String>);

impl Store {
    /// Every version of a record, the branches too, each with what it changed; to who sees the finalised state only,
    /// the finalised ones.
    ///
    /// # Errors
    /// `NotFound`, as for the record.
    pub fn history(&self, id: Uuid, sight: Sight) -> Result<Vec<HistoryEntry>> {
        self.find_record(id, sight)?;
        let (head, mut rows, names): Past = self.read_feed(|connection| {
            let head = record::table
                .inner_join(version::table.on(version::version_id.eq(record::version)))
                .filter(record::record_id.eq(Id(id)))
                .select((RecordRow::as_select(), VersionRow::as_select()))
                .first(connection)?;
            let versions: Vec<VersionRow> = version::table
                .filter(version::record_id.eq(Id(id)))
                .order(version::seq)
                .select(VersionRow::as_select())
                .load(connection)?;
            let names =
                if sight.drafts == Drafts::None { HashMap::new() } else { names(connection, &versions)? };
            Ok((head, versions, names))
        })?;
        let (row, version) = head;
        if sight.official_only || sight.of(&version.into_record()?, row.tier) != Shown::Head {
            rows.retain(|row| !row.branch && row.stage == Stage::Finalised.as_str());
        }
        let mut line: Option<Record> = None;
        let mut entries = Vec::with_capacity(rows.len());
        for row in rows {
            let (branch, recorded_at) = (row.branch, row.recorded_at.0);
            let mut entry = HistoryEntry {
                version: row.version_id.0,
                seq: row.seq,
                op: row.op.clone(),
                base_version: row.base_version.map(|id| id.0),
                branch,
                author: row.made_by.0,
                author_name: names.get(&row.made_by).cloned(),
                device: row.device_id.0,
                recorded_at,
                stage: row.stage.parse()?,
                reason: row.reason.clone(),
                area_m2: row.area_m2,
                diff: BTreeMap::new(),
            };
            let mut state = row.into_record()?;
            redact(&mut state.properties, &state.kind, sight, self.registry);
            entry.diff = diff(line.as_ref(), &state);
            entries.push(entry);
            if !branch {
                line = Some(state);
            }
        }
        Ok(entries)
    }
}

fn names(connection: &mut DbConnection, versions: &[VersionRow]) -> Result<HashMap<Id, String>> {
    let mut people: Vec<Id> = versions.iter().map(|version| version.made_by).collect();
    people.sort_unstable();
    people.dedup();
    let found: Vec<(Id, String)> = account::table
        .filter(account::account_id.eq_any(&people))
        .select((account::account_id, account::name))
        .load(connection)?;
    Ok(found.into_iter().collect())
}

/// Field by field what differs.
pub fn diff(before: Option<&Record>, after: &Record) -> BTreeMap<String, Diff> {
    let names = before
        .into_iter()
        .chain([after])
        .flat_map(|record| record.properties.keys().map(String::as_str))
        .chain([GEOMETRY]);
    names
        .filter_map(|name| {
            let from = before.map_or(&Value::Null, |record| record.field(name));
            let to = after.field(name);
            (from != to).then(|| (name.to_owned(), Diff { from: from.clone(), to: to.clone() }))
        })
        .collect()
}
