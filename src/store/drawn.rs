//! What of a batch of records a reader is shown, drawn: at which version, on whose ground, with what it says.

use std::collections::HashMap;

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use geo::Geometry;
use serde_json::{Map, Value, json};

use super::Result;
use super::backend::{DbConnection, MultiBackend};
use super::column::{Document, Id, Instant};
use super::feature::Scan;
use super::hazardous;
use super::schema::{conflict, record, version};
use crate::geometry::shape;
use crate::model::role::{Custody, Shown};
use crate::ogc::draw;
use crate::ogc::feature::Feature;

/// A record's place: what its table says of it.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = record, check_for_backend(Pg, Sqlite, MultiBackend))]
pub(super) struct Place {
    pub(super) record_id: Id,
    organisation: Id,
    author: Id,
    stage: String,
    pub(super) version: Id,
    official: Option<Id>,
    pub(super) seq: i64,
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
pub(super) struct Drawn {
    sketch: Sketch,
    geometry: Option<Geometry<f64>>,
    contested: bool,
    /// What the other sides of its dispute say.
    sides: Vec<Map<String, Value>>,
}

/// What of a batch is shown, in its order.
pub(super) fn drawn(connection: &mut DbConnection, scan: &Scan, batch: &[Place]) -> Result<Vec<Drawn>> {
    let mut disputes = disputes(connection, scan, batch)?;
    let mut shown = shown(connection, scan, batch, &disputes)?;
    let mut found = Vec::with_capacity(batch.len());
    for place in batch {
        let Some(sketch) = shown.remove(&place.record_id) else { continue };
        let own = sketch.wkb.as_deref().and_then(shape::Shape::from_wkb).map(shape::Shape::into_geometry);
        let dispute = disputes.remove(&place.record_id);
        let contested = if place.seq <= scan.at { place.contested } else { dispute.is_some() };
        let dispute = dispute.filter(|_| contested).unwrap_or_default();
        // The most hazardous view holds: the ground of every side (docs/sync.md §2).
        let geometry = draw::united(own, dispute.outlines, scan.collection.shape);
        let wanted = scan.bbox.is_none_or(|bbox| bbox.meets(geometry.as_ref()));
        if wanted && scan.collection.holds(geometry.as_ref()) {
            found.push(Drawn { sketch, geometry, contested, sides: dispute.sides });
        }
    }
    Ok(found)
}

/// The version of each record that the reader is shown, as the record stood.
fn shown(
    connection: &mut DbConnection,
    scan: &Scan,
    batch: &[Place],
    disputes: &HashMap<Id, Dispute>,
) -> Result<HashMap<Id, Sketch>> {
    let (standing, moved): (Vec<&Place>, Vec<&Place>) = batch.iter().partition(|place| place.seq <= scan.at);
    let standing: Vec<Id> = standing.iter().map(|place| place.version).collect();
    let mut heads: HashMap<Id, Sketch> =
        sketches(connection, &standing)?.into_iter().map(|sketch| (sketch.record_id, sketch)).collect();
    let moved: Vec<Id> = moved.iter().map(|place| place.record_id).collect();
    let before = last_versions(connection, &moved, scan.at)?;
    heads.extend(before.into_iter().map(|sketch| (sketch.record_id, sketch)));
    let mut at_official = Vec::new();
    for place in batch {
        let Some(head) = heads.get(&place.record_id) else { continue };
        let then = scan.sight.of_custody(&head.custody(place)?);
        // What others have sent back or refused since is not shown as it was before.
        let now = scan.sight.of_custody(&place.custody()?);
        let shown = match (then, now, head.official) {
            (Shown::Head, Shown::Head, _) => Shown::Head,
            (Shown::Head, _, Some(official)) if official == head.version_id => Shown::Head,
            (Shown::Head, _, Some(official)) => Shown::Official(official.0),
            (Shown::Head, _, None) => Shown::Nothing,
            (other, ..) => other,
        };
        if shown != Shown::Head {
            heads.remove(&place.record_id);
        }
        if let Shown::Official(official) = shown {
            at_official.push(Id(official));
        }
    }
    let official = sketches(connection, &at_official)?;
    heads.extend(official.into_iter().map(|sketch| (sketch.record_id, sketch)));
    // Until its retirement has been finalised, a finalised record stands; and as long as somebody says that it is still
    // there, it is.
    heads.retain(|record, shown| {
        !shown.retired
            || shown.official.is_some_and(|official| official != shown.version_id)
            || disputes.get(record).is_some_and(|dispute| !dispute.sides.is_empty())
    });
    Ok(heads)
}

/// The last version of each record's line up to a place in the log.
fn last_versions(connection: &mut DbConnection, records: &[Id], at: i64) -> Result<Vec<Sketch>> {
    if records.is_empty() {
        return Ok(Vec::new());
    }
    let last: Vec<Option<i64>> = version::table
        .filter(version::record_id.eq_any(records))
        .filter(version::branch.eq(false))
        .filter(version::seq.le(at))
        .group_by(version::record_id)
        .select(diesel::dsl::max(version::seq))
        .load(connection)?;
    Ok(version::table
        .filter(version::record_id.eq_any(records))
        .filter(version::branch.eq(false))
        .filter(version::seq.eq_any(last.into_iter().flatten()))
        .select(Sketch::as_select())
        .load(connection)?)
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

impl Place {
    /// Whether something has been written since it was finalised.
    pub(super) fn is_amended(&self) -> bool {
        self.official.is_some_and(|official| official != self.version)
    }

    /// The record as it stands now.
    pub(super) fn custody(&self) -> Result<Custody> {
        Ok(Custody {
            tier: self.tier,
            organisation: self.organisation.0,
            author: self.author.0,
            stage: self.stage.parse()?,
            version: self.version.0,
            official: self.official.map(|id| id.0),
        })
    }
}

impl Sketch {
    /// The record as this version left it.
    fn custody(&self, place: &Place) -> Result<Custody> {
        Ok(Custody {
            tier: place.tier,
            organisation: self.organisation.0,
            author: self.author.0,
            stage: self.stage.parse()?,
            version: self.version_id.0,
            official: self.official.map(|id| id.0),
        })
    }
}

/// What the other sides of a record's open conflicts say.
#[derive(Default)]
struct Dispute {
    outlines: Vec<Geometry<f64>>,
    /// What those say that have it in use.
    sides: Vec<Map<String, Value>>,
}

/// Kinds that say of ground that it is safe. The most hazardous view of these is what stands, with nothing added to it.
const SAFE: [&str; 2] = ["land_release", "handover"];

/// A side: its record, its outline, whether it is out of use there, what it says.
type Side = (Id, Option<Vec<u8>>, bool, Document);

fn disputes(connection: &mut DbConnection, scan: &Scan, batch: &[Place]) -> Result<HashMap<Id, Dispute>> {
    let perhaps: Vec<Id> = batch
        .iter()
        .filter(|place| place.contested || place.seq > scan.at)
        .map(|place| place.record_id)
        .collect();
    if perhaps.is_empty() {
        return Ok(HashMap::new());
    }
    let sides: Vec<Side> = conflict::table
        .inner_join(version::table.on(version::version_id.eq(conflict::conflict_id)))
        .filter(conflict::record_id.eq_any(&perhaps))
        .filter(conflict::safety.eq(true))
        .filter(conflict::opened_seq.le(scan.at))
        .filter(conflict::closed_seq.is_null().or(conflict::closed_seq.gt(scan.at).assume_not_null()))
        .select((conflict::record_id, version::wkb, version::retired, version::properties))
        .load(connection)?;
    let mut found: HashMap<Id, Dispute> = HashMap::new();
    let is_safe = scan.collection.kind().is_some_and(|kind| SAFE.contains(&kind));
    for (record, wkb, retired, properties) in sides {
        let dispute = found.entry(record).or_default();
        // Whoever retires a record says nothing of where it is or how far it has come.
        if is_safe || retired {
            continue;
        }
        let outline = wkb.as_deref().and_then(shape::Shape::from_wkb);
        dispute.outlines.extend(outline.map(shape::Shape::into_geometry));
        dispute.sides.push(properties.read()?);
    }
    Ok(found)
}

/// What is shown, with what it says.
pub(super) fn with_properties(connection: &mut DbConnection, drawn: Vec<Drawn>) -> Result<Vec<Feature>> {
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
        self.sides.iter().for_each(|side| hazardous::raise(&mut properties, side));
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
