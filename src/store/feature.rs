//! Records as a map draws them: a kind's records in the order of their ids, as they stood at one place in the log, each
//! with its canonical geometry.
//!
//! Versions never change, so that pages that are asked for one after the other show one state, whatever is written
//! meanwhile. Only as much is read at a time as one batch holds.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use geo::Geometry;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::backend::{DbConnection, MultiBackend};
use super::column::{Document, Id, Instant};
use super::schema::{conflict, log, record, version};
use super::txn::read_clock;
use super::{Result, Store, StoreError};
use crate::geometry::shape;
use crate::model::Record;
use crate::model::role::{Shown, Sight};
use crate::ogc::bbox::Bbox;
use crate::ogc::collection::Collection;
use crate::ogc::draw;
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

/// A record's place: what its table says of it.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = record, check_for_backend(Pg, Sqlite, MultiBackend))]
struct Place {
    record_id: Id,
    version: Id,
    seq: i64,
    tier: i16,
    contested: bool,
}

/// A version without its properties.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = version, check_for_backend(Pg, Sqlite, MultiBackend))]
struct Sketch {
    version_id: Id,
    record_id: Id,
    organisation: Id,
    author: Id,
    stage: String,
    retired: bool,
    official: Option<Id>,
    recorded_at: Instant,
    wkb: Option<Vec<u8>>,
    area_m2: Option<f64>,
}

/// A record as it will be shown, not yet with its properties.
struct Drawn {
    sketch: Sketch,
    geometry: Option<Geometry<f64>>,
    contested: bool,
    gravest: bool,
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

/// What of a batch is shown, in its order.
fn drawn(connection: &mut DbConnection, scan: &Scan, batch: &[Place]) -> Result<Vec<Drawn>> {
    let mut shown = shown(connection, scan, batch)?;
    let mut disputes = disputes(connection, scan, batch)?;
    let mut found = Vec::with_capacity(batch.len());
    for place in batch {
        let Some(sketch) = shown.remove(&place.record_id) else { continue };
        let own = sketch.wkb.as_deref().and_then(shape::Shape::from_wkb).map(shape::Shape::into_geometry);
        let dispute = disputes.remove(&place.record_id);
        let contested = if place.seq <= scan.at { place.contested } else { dispute.is_some() };
        let dispute = dispute.filter(|_| contested).unwrap_or_default();
        // The most hazardous view holds: the ground of every side (docs/sync.md §2).
        let geometry = draw::united(own, dispute.outlines);
        let wanted = scan.bbox.is_none_or(|bbox| bbox.meets(geometry.as_ref()));
        if wanted && scan.collection.holds(geometry.as_ref()) {
            found.push(Drawn { sketch, geometry, contested, gravest: dispute.confirmed });
        }
    }
    Ok(found)
}

/// The version of each record that the reader is shown, as the record stood.
fn shown(connection: &mut DbConnection, scan: &Scan, batch: &[Place]) -> Result<HashMap<Id, Sketch>> {
    let (standing, moved): (Vec<&Place>, Vec<&Place>) = batch.iter().partition(|place| place.seq <= scan.at);
    let standing: Vec<Id> = standing.iter().map(|place| place.version).collect();
    let mut heads: HashMap<Id, Sketch> =
        sketches(connection, &standing)?.into_iter().map(|sketch| (sketch.record_id, sketch)).collect();
    let moved: Vec<Id> = moved.iter().map(|place| place.record_id).collect();
    let before: Vec<Sketch> = version::table
        .filter(version::record_id.eq_any(&moved))
        .filter(version::branch.eq(false))
        .filter(version::seq.le(scan.at))
        .order(version::seq)
        .select(Sketch::as_select())
        .load(connection)?;
    // The last of each record's line stays.
    heads.extend(before.into_iter().map(|sketch| (sketch.record_id, sketch)));
    let mut at_official = Vec::new();
    for place in batch {
        let Some(head) = heads.get(&place.record_id) else { continue };
        match scan.sight.of(&head.as_record(&scan.collection)?, place.tier) {
            Shown::Head => {}
            Shown::Official(official) => {
                at_official.push(Id(official));
                heads.remove(&place.record_id);
            }
            Shown::Nothing => {
                heads.remove(&place.record_id);
            }
        }
    }
    let official = sketches(connection, &at_official)?;
    heads.extend(official.into_iter().map(|sketch| (sketch.record_id, sketch)));
    // Until its retirement has been finalised, a finalised record stands.
    heads.retain(|_, shown| {
        !shown.retired || shown.official.is_some_and(|official| official != shown.version_id)
    });
    Ok(heads)
}

fn sketches(connection: &mut DbConnection, versions: &[Id]) -> Result<Vec<Sketch>> {
    if versions.is_empty() {
        return Ok(Vec::new());
    }
    Ok(version::table
        .filter(version::version_id.eq_any(versions))
        .select(Sketch::as_select())
        .load(connection)?)
}

impl Sketch {
    /// As much of the record as decides who sees it.
    fn as_record(&self, collection: &Collection) -> Result<Record> {
        let kind = collection.kind().unwrap_or_default();
        let mut record = Record::blank(self.record_id.0, kind, 0, self.organisation.0, self.author.0);
        record.version = self.version_id.0;
        record.official = self.official.map(|id| id.0);
        record.stage = self.stage.parse()?;
        Ok(record)
    }
}

/// What the other sides of a record's open conflicts say.
#[derive(Default)]
struct Dispute {
    outlines: Vec<Geometry<f64>>,
    /// One of them says that it is confirmed.
    confirmed: bool,
}

fn disputes(connection: &mut DbConnection, scan: &Scan, batch: &[Place]) -> Result<HashMap<Id, Dispute>> {
    let perhaps: Vec<Id> = batch
        .iter()
        .filter(|place| place.contested || place.seq > scan.at)
        .map(|place| place.record_id)
        .collect();
    if perhaps.is_empty() {
        return Ok(HashMap::new());
    }
    let sides: Vec<(Id, Option<Vec<u8>>, Document)> = conflict::table
        .inner_join(version::table.on(version::version_id.eq(conflict::conflict_id)))
        .filter(conflict::record_id.eq_any(&perhaps))
        .filter(conflict::safety.eq(true))
        .filter(conflict::opened_seq.le(scan.at))
        .filter(conflict::closed_seq.is_null().or(conflict::closed_seq.gt(scan.at).assume_not_null()))
        .select((conflict::record_id, version::wkb, version::properties))
        .load(connection)?;
    let mut found: HashMap<Id, Dispute> = HashMap::new();
    for (record, wkb, Document(properties)) in sides {
        let dispute = found.entry(record).or_default();
        let outline = wkb.as_deref().and_then(shape::Shape::from_wkb);
        dispute.outlines.extend(outline.map(shape::Shape::into_geometry));
        dispute.confirmed |= properties["classification"] == "CHA";
    }
    Ok(found)
}

/// What is shown, with what it says.
fn with_properties(connection: &mut DbConnection, drawn: Vec<Drawn>) -> Result<Vec<Feature>> {
    let versions: Vec<Id> = drawn.iter().map(|drawn| drawn.sketch.version_id).collect();
    let rows: Vec<(Id, Document)> = version::table
        .filter(version::version_id.eq_any(&versions))
        .select((version::version_id, version::properties))
        .load(connection)?;
    let mut properties: HashMap<Id, Document> = rows.into_iter().collect();
    drawn
        .into_iter()
        .map(|drawn| {
            let own = properties.remove(&drawn.sketch.version_id);
            let own = own.map(Document::read::<Map<String, Value>>).transpose()?.unwrap_or_default();
            Ok(drawn.into_feature(own))
        })
        .collect()
}

impl Drawn {
    fn into_feature(self, mut properties: Map<String, Value>) -> Feature {
        let sketch = self.sketch;
        if self.gravest && properties.contains_key("classification") {
            properties.insert("classification".to_owned(), json!("CHA"));
        }
        let given = [
            ("area_m2", json!(sketch.area_m2)),
            ("stage", json!(sketch.stage)),
            ("contested", json!(self.contested)),
            ("organisation", json!(sketch.organisation.0)),
            ("version", json!(sketch.version_id.0)),
            ("recorded_at", json!(sketch.recorded_at.0)),
        ];
        properties.extend(given.map(|(name, value)| (name.to_owned(), value)));
        Feature { id: sketch.record_id.0, geometry: self.geometry, properties }
    }
}
