//! Records as a map draws them: a kind's records in the order of their ids, as they stood at one place in the log, each
//! with its canonical geometry.
//!
//! Versions never change, so that pages that are asked for one after the other show one state, whatever is written
//! meanwhile. Only as much is read at a time as one batch holds.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use super::backend::{DbConnection, MultiBackend};
use super::column::{Id, Instant};
use super::drawn::{Place, drawn, with_properties};
use super::schema::{log, record, version};
use super::txn::read_clock;
use super::{Result, Store, StoreError};
use crate::model::role::Sight;
use crate::ogc::bbox::Bbox;
use crate::ogc::collection::Collection;
use crate::ogc::feature::Feature;

/// Records that are read at a time, at most.
pub const LARGEST_BATCH: u16 = 500;

/// Which features of a collection of records.
#[derive(Debug, Clone)]
pub struct Scan {
    /// The collection.
    pub collection: Arc<Collection>,
    /// Who looks.
    pub sight: Sight,
    /// As they stood at this place in the log.
    pub at: i64,
    /// Only what meets this box.
    pub bbox: Option<Bbox>,
    /// Records that are read at a time, at most [`LARGEST_BATCH`].
    pub batch: u16,
}

/// A way through features, batch by batch. Nothing is held between two batches but the place that was reached.
#[derive(Debug)]
pub struct Walk {
    scan: Scan,
    ahead: Ahead,
}

#[derive(Debug)]
enum Ahead {
    /// Everything after this one, in the order of ids.
    After(Option<Id>),
    /// These, the next one last.
    These(Vec<Id>),
    /// Nothing.
    End,
}

impl Store {
    /// A way through what a scan lets through, in the order of ids, after this one.
    pub fn walk(&self, scan: Scan, after: Option<Uuid>) -> Result<Walk> {
        let ahead = match scan.bbox {
            None => Ahead::After(after.map(Id)),
            Some(bbox) => {
                let ids = self.read_feed(|connection| near(connection, &scan, bbox, after))?;
                Ahead::These(ids.into_iter().rev().collect())
            }
        };
        Ok(Walk { scan, ahead })
    }

    /// The features of the next batch; nothing at the end. A batch in which the reader is shown nothing is empty.
    pub fn next_features(&self, walk: &mut Walk) -> Result<Option<Vec<Feature>>> {
        let Some(batch) = self.next_places(walk)? else { return Ok(None) };
        let features = self.read_feed(|connection| {
            let drawn = drawn(connection, &walk.scan, &batch)?;
            with_properties(connection, drawn)
        })?;
        Ok(Some(features))
    }

    /// How many features a scan lets through.
    pub fn count_features(&self, scan: Scan) -> Result<u64> {
        let mut walk = self.walk(Scan { batch: LARGEST_BATCH, ..scan }, None)?;
        let mut count = 0;
        while let Some(batch) = self.next_places(&mut walk)? {
            count += self.read_feed(|connection| Ok(drawn(connection, &walk.scan, &batch)?.len()))? as u64;
        }
        Ok(count)
    }

    /// One feature of a collection.
    ///
    /// # Errors
    /// `NotFound`, also where the reader may not see it or it is in another collection of its kind.
    pub fn find_feature(&self, scan: Scan, id: Uuid) -> Result<Feature> {
        let mut walk = Walk { scan, ahead: Ahead::These(vec![Id(id)]) };
        let found = self.next_features(&mut walk)?.and_then(|mut found| found.pop());
        found.ok_or(StoreError::NotFound("feature"))
    }

    /// The place of the newest entry that the log had at a moment.
    pub fn seq_at(&self, moment: DateTime<Utc>) -> Result<i64> {
        self.read_feed(|connection| {
            // The log is in the order of its times, but no index is: halve it.
            let (mut low, mut high) = (0, read_clock(connection)?.seq);
            while low < high {
                let middle = low + (high - low + 1) / 2;
                let taken: Option<Instant> = log::table
                    .filter(log::seq.le(middle))
                    .order(log::seq.desc())
                    .select(log::received_at)
                    .first(connection)
                    .optional()?;
                if taken.is_none_or(|taken| taken.0 <= moment) {
                    low = middle;
                } else {
                    high = middle - 1;
                }
            }
            Ok(low)
        })
    }

    fn next_places(&self, walk: &mut Walk) -> Result<Option<Vec<Place>>> {
        let size = walk.scan.batch.clamp(1, LARGEST_BATCH);
        match &mut walk.ahead {
            Ahead::End => Ok(None),
            Ahead::After(after) => {
                let from = *after;
                let batch = self.read_feed(|connection| {
                    let next = in_collection(&walk.scan).order(record::record_id).limit(size.into());
                    Ok(match from {
                        Some(after) => next.filter(record::record_id.gt(after)).load(connection)?,
                        None => next.load(connection)?,
                    })
                })?;
                let last = batch.last().map(|place: &Place| place.record_id);
                walk.ahead = match last {
                    Some(last) if batch.len() == usize::from(size) => Ahead::After(Some(last)),
                    _ => Ahead::End,
                };
                Ok(Some(batch))
            }
            Ahead::These(ids) => {
                let begin = ids.len().saturating_sub(size.into());
                let part: Vec<Id> = ids.drain(begin..).rev().collect();
                if part.is_empty() {
                    return Ok(None);
                }
                let mut batch: Vec<Place> = self.read_feed(|connection| {
                    Ok(in_collection(&walk.scan).filter(record::record_id.eq_any(&part)).load(connection)?)
                })?;
                let turns: HashMap<Id, usize> = part.iter().copied().zip(0..).collect();
                batch.sort_by_key(|place| turns.get(&place.record_id).copied());
                Ok(Some(batch))
            }
        }
    }
}

impl Walk {
    /// A way through these features, in this order.
    pub fn through(scan: Scan, ids: impl DoubleEndedIterator<Item = Uuid>) -> Self {
        Self { scan, ahead: Ahead::These(ids.rev().map(Id).collect()) }
    }
}

type Places<'q> =
    record::BoxedQuery<'q, MultiBackend, diesel::dsl::SqlTypeOf<diesel::dsl::AsSelect<Place, MultiBackend>>>;

/// The records of a scan's kind that there were, as far as the reader's tier reaches.
fn in_collection<'q>(scan: &Scan) -> Places<'q> {
    let kind = scan.collection.kind().unwrap_or_default().to_owned();
    record::table
        .filter(record::kind.eq(kind))
        .filter(record::tier.le(scan.sight.tier))
        .filter(record::created_seq.le(scan.at))
        .select(Place::as_select())
        .into_boxed()
}

/// The records any version of which may meet a box or has no place, in their order: which version is shown, is looked at
/// later.
fn near(connection: &mut DbConnection, scan: &Scan, bbox: Bbox, after: Option<Uuid>) -> Result<Vec<Id>> {
    let kind = scan.collection.kind().unwrap_or_default();
    let mut ids: Vec<Id> = version::table
        .filter(version::kind.eq(kind))
        .filter(version::min_lon.is_null())
        .select(version::record_id)
        .load(connection)?;
    for [west, south, east, north] in bbox.parts() {
        ids.extend(
            version::table
                .filter(version::kind.eq(kind))
                .filter(version::min_lon.le(east))
                .filter(version::max_lon.ge(west))
                .filter(version::min_lat.le(north))
                .filter(version::max_lat.ge(south))
                .select(version::record_id)
                .load::<Id>(connection)?,
        );
    }
    ids.retain(|id| after.is_none_or(|after| id.0 > after));
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}
