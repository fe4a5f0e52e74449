//! What the ledger reads: every version of hazardous areas and releases, and finds, by the log's order.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, not};
use diesel::prelude::*;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::backend::DbConnection;
use super::column::Id;
use super::row::{RecordRow, VersionRow};
use super::schema::{conflict, log, record, version};
use super::txn::read_clock;
use super::{Result, Store};
use crate::model::Stage;

/// Records read at a time: a country fits through memory piece by piece.
const CHUNK: i64 = 1_000;

/// One record with all that was ever held true of it.
#[derive(Debug, Clone)]
pub struct RecordLine {
    /// The record.
    pub id: Uuid,
    /// Its kind.
    pub kind: String,
    /// Whose it is.
    pub organisation: Uuid,
    /// Its first place in the log: the order in which the programme learnt of it.
    pub created_seq: i64,
    /// Its place in the log now.
    pub seq: i64,
    /// Two people disagree about its safety fields.
    pub contested: bool,
    /// The head's line, oldest first.
    pub versions: Vec<LineVersion>,
    /// What the open conflicts would make of it.
    pub candidates: Vec<LineVersion>,
}

/// One version on a record's line.
#[derive(Debug, Clone)]
pub struct LineVersion {
    /// The version.
    pub version: Uuid,
    /// How far its review had come.
    pub stage: Stage,
    /// When the server learnt it.
    pub recorded_at: DateTime<Utc>,
    /// Out of use.
    pub retired: bool,
    /// The kind's fields.
    pub properties: Map<String, Value>,
    /// GeoJSON as entered.
    pub geometry: Option<Value>,
}

impl Store {
    /// Hands every record of these kinds that changed after `after` to `take`, in the log's order; gives the place
    /// up to which it has read.
    pub fn read_lines(&self, kinds: &[&str], after: i64, mut take: impl FnMut(RecordLine)) -> Result<i64> {
        let mut from = after;
        loop {
            let (lines, head) = self.read_feed(|connection| {
                let head = read_clock(connection)?.seq;
                Ok((chunk(connection, kinds, from)?, head))
            })?;
            let Some(last) = lines.last().map(|line| line.seq) else { return Ok(head) };
            from = last;
            lines.into_iter().for_each(&mut take);
        }
    }
}

impl Store {
    /// Records that a camp had and its nation did not take, told in the log after `after` and up to `until`: they are
    /// here no longer, and no list of what has changed has them.
    pub fn withdrawn(&self, after: i64, until: i64) -> Result<Vec<Uuid>> {
        self.read_feed(|connection| {
            let here = record::table.filter(record::record_id.eq(log::subject));
            let gone: Vec<Id> = log::table
                .filter(log::seq.gt(after).and(log::seq.le(until)))
                .filter(log::entry.eq("withdrawn"))
                .filter(not(exists(here)))
                .select(log::subject)
                .load(connection)?;
            Ok(gone.into_iter().map(|id| id.0).collect())
        })
    }
}

fn chunk(connection: &mut DbConnection, kinds: &[&str], after: i64) -> Result<Vec<RecordLine>> {
    let rows: Vec<RecordRow> = record::table
        .filter(record::kind.eq_any(kinds))
        .filter(record::seq.gt(after))
        .order(record::seq)
        .limit(CHUNK)
        .select(RecordRow::as_select())
        .load(connection)?;
    let ids: Vec<Id> = rows.iter().map(|row| row.record_id).collect();
    let mut lines: BTreeMap<Id, (Vec<LineVersion>, Vec<LineVersion>)> = BTreeMap::new();
    let versions: Vec<VersionRow> = version::table
        .filter(version::record_id.eq_any(&ids))
        .filter(version::branch.eq(false))
        .order((version::record_id, version::seq))
        .select(VersionRow::as_select())
        .load(connection)?;
    for row in versions {
        lines.entry(row.record_id).or_default().0.push(line_version(row)?);
    }
    let contested: Vec<Id> = rows.iter().filter(|row| row.contested).map(|row| row.record_id).collect();
    if !contested.is_empty() {
        let branches: Vec<VersionRow> = conflict::table
            .inner_join(version::table.on(version::version_id.eq(conflict::conflict_id)))
            .filter(conflict::record_id.eq_any(&contested))
            .filter(conflict::closed_seq.is_null())
            .filter(conflict::safety.eq(true))
            .order(conflict::opened_seq)
            .select(VersionRow::as_select())
            .load(connection)?;
        for row in branches {
            lines.entry(row.record_id).or_default().1.push(line_version(row)?);
        }
    }
    let line = |row: RecordRow| {
        let (versions, candidates) = lines.remove(&row.record_id).unwrap_or_default();
        RecordLine {
            id: row.record_id.0,
            kind: row.kind,
            organisation: row.organisation.0,
            created_seq: row.created_seq,
            seq: row.seq,
            contested: row.contested,
            versions,
            candidates,
        }
    };
    Ok(rows.into_iter().map(line).collect())
}

fn line_version(row: VersionRow) -> Result<LineVersion> {
    Ok(LineVersion {
        version: row.version_id.0,
        stage: row.stage.parse()?,
        recorded_at: row.recorded_at.0,
        retired: row.retired,
        properties: row.properties.read()?,
        geometry: row.geometry.map(|document| document.0),
    })
}
