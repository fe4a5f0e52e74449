//! Files that records claim and that have not come: what is still on somebody's tablet.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;
use uuid::Uuid;

use super::column::{Id, Instant};
use super::schema::{blob_holder, claim, version};
use super::{Result, Store};
use crate::model::role::Sight;

/// A file that is claimed and not here.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Absent {
    /// The record that claims it.
    pub record_id: Uuid,
    /// Its kind.
    pub kind: String,
    /// Who is to send it.
    pub organisation: Uuid,
    /// On which device it was claimed.
    pub device: Uuid,
    /// File name as taken.
    pub name: String,
    /// The hash that names it.
    pub sha256: String,
    /// Bytes, as claimed.
    pub size: u64,
    /// MIME type, as claimed.
    pub media_type: String,
    /// Since when it is waited for.
    pub since: DateTime<Utc>,
    /// The claim's place in the log, for the next page.
    pub seq: i64,
}

type Row = (Id, String, Id, Id, (String, String, i64, String), Instant, i64);

impl Store {
    /// Files that applied edits claim and that their organisation has not sent whole, the longest awaited first; one
    /// organisation's, or all. Those of kinds that `sight` does not reach are left out.
    pub fn list_absent(&self, of: Option<Uuid>, after: i64, limit: i64, sight: Sight) -> Result<Vec<Absent>> {
        let rows: Vec<Row> = self.read(|connection| {
            let mut query = claim::table
                .inner_join(version::table.on(version::version_id.eq(claim::mutation_id)))
                .left_join(
                    blob_holder::table.on(blob_holder::sha256
                        .eq(claim::sha256)
                        .and(blob_holder::organisation.eq(claim::organisation))),
                )
                .filter(blob_holder::sha256.nullable().is_null())
                .filter(claim::seq.gt(after))
                .filter(version::kind.ne_all(self.registry.kinds_above(sight.tier)))
                .order((claim::seq, claim::place))
                .limit(limit)
                .select((
                    claim::record_id,
                    version::kind,
                    claim::organisation,
                    version::device_id,
                    (claim::name, claim::sha256, claim::size, claim::media_type),
                    version::recorded_at,
                    claim::seq,
                ))
                .into_boxed();
            if let Some(organisation) = of {
                query = query.filter(claim::organisation.eq(Id(organisation)));
            }
            Ok(query.load(connection)?)
        })?;
        Ok(rows.into_iter().map(Absent::of).collect())
    }
}

impl Absent {
    fn of((record, kind, organisation, device, file, since, seq): Row) -> Self {
        let (name, sha256, size, media_type) = file;
        Self {
            record_id: record.0,
            kind,
            organisation: organisation.0,
            device: device.0,
            name,
            sha256,
            size: size.unsigned_abs(),
            media_type,
            since: since.0,
            seq,
        }
    }
}
