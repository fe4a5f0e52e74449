//! Records as readers see them: the list, and one record.

use std::collections::HashMap;

use diesel::dsl::not;
use diesel::prelude::*;
use serde_json::Value;
use uuid::Uuid;

use super::backend::DbConnection;
use super::column::Id;
use super::named::Named;
use super::row::{RecordRow, Shape, VersionRow};
use super::schema::{conflict, record, version};
use super::{Result, Store, StoreError};
use crate::geometry::shape;
use crate::model::Stage;
use crate::model::record::Feature;
use crate::model::role::{Drafts, Shown, Sight};
use crate::model::schema::Registry;

/// What a list of records is cut down to.
#[derive(Debug, Clone, Default)]
pub struct RecordQuery {
    /// Only this kind.
    pub kind: Option<String>,
    /// Only this stage.
    pub stage: Option<Stage>,
    /// Only this organisation's.
    pub organisation: Option<Uuid>,
    /// Only what this person wrote.
    pub author: Option<Uuid>,
    /// Only contested ones.
    pub contested: Option<bool>,
    /// `[min_lon, min_lat, max_lon, max_lat]`: only those whose geometry's box touches this one.
    pub bbox: Option<[f64; 4]>,
    /// Only those that people call so.
    pub named: Option<Named>,
    /// Retired ones too.
    pub retired: bool,
    /// After this place in the log.
    pub after: i64,
    /// At most so many.
    pub limit: i64,
}

/// A page of records.
#[derive(Debug, Clone)]
pub struct RecordPage {
    /// The records, in the log's order.
    pub features: Vec<Feature>,
    /// Where the next page begins; nothing on the last one. A page may be short, or empty, and not the last.
    pub next: Option<i64>,
}

impl Store {
    /// Records at their latest state, in the log's order, as far as `sight` reaches.
    pub fn list_records(&self, query: &RecordQuery, sight: Sight) -> Result<RecordPage> {
        let (features, next) = self.read_feed(|connection| {
            let finalised = diesel::alias!(version as finalised);
            let mut select = record::table
                .inner_join(version::table.on(version::version_id.eq(record::version)))
                .left_join(finalised.on(finalised.field(version::version_id).nullable().eq(record::official)))
                .filter(record::seq.gt(query.after))
                .filter(record::tier.le(sight.tier))
                .order(record::seq)
                .limit(query.limit)
                .select((RecordRow::as_select(), VersionRow::as_select()))
                .into_boxed();
            if let Some(kind) = &query.kind {
                select = select.filter(record::kind.eq(kind));
            }
            if let Some(author) = query.author {
                select = select.filter(record::author.eq(Id(author)));
            }
            if let Some(organisation) = query.organisation {
                select = select.filter(record::organisation.eq(Id(organisation)));
            }
            if let Some(contested) = query.contested {
                select = select.filter(record::contested.eq(contested));
            }
            if !query.retired {
                // Until its retirement has been finalised, a finalised record stands; and one about which people
                // disagree may be there.
                let awaits_approval = record::official.ne(record::version.nullable()).assume_not_null();
                let stands = record::retired.eq(false).or(record::contested.eq(true));
                select = select.filter(stands.or(record::official.is_not_null().and(awaits_approval)));
            }
            if let Some([min_lon, min_lat, max_lon, max_lat]) = query.bbox {
                // What is shown may be the one or the other; which, is looked at below.
                let head = version::min_lon
                    .le(max_lon)
                    .and(version::max_lon.ge(min_lon))
                    .and(version::min_lat.le(max_lat))
                    .and(version::max_lat.ge(min_lat));
                let shown = finalised
                    .field(version::min_lon)
                    .le(max_lon)
                    .and(finalised.field(version::max_lon).ge(min_lon))
                    .and(finalised.field(version::min_lat).le(max_lat))
                    .and(finalised.field(version::max_lat).ge(min_lat));
                select = select.filter(head.or(shown));
            }
            // The stage asked for is that of what is shown: others' drafts of a finalised record are not.
            let at = |stage: Stage| record::stage.eq(stage.as_str());
            let internal = || record::stage.eq_any(Stage::INTERNAL.map(Stage::as_str));
            let official = || record::official.is_not_null();
            // Whose internal stages are shown: an organisation's, a person's, or nobody's.
            let (organisations, authors) = match sight.drafts {
                Drafts::Organisation => (vec![Id(sight.organisation)], Vec::new()),
                Drafts::Own => (Vec::new(), vec![Id(sight.account)]),
                Drafts::All | Drafts::None => (Vec::new(), Vec::new()),
            };
            let own = || {
                record::organisation.eq_any(organisations.clone()).or(record::author.eq_any(authors.clone()))
            };
            select = match query.stage {
                None | Some(Stage::Finalised) if sight.official_only => select.filter(official()),
                Some(_) if sight.official_only => return Ok((Vec::new(), None)),
                None if sight.drafts == Drafts::All => select,
                None => select.filter(not(internal()).or(official()).or(own())),
                Some(stage) if sight.drafts == Drafts::All => select.filter(at(stage)),
                Some(Stage::Finalised) => {
                    let amended = internal().and(official()).and(not(own()));
                    select.filter(at(Stage::Finalised).or(amended))
                }
                Some(stage) if stage.is_internal() => select.filter(at(stage).and(own())),
                Some(stage) => select.filter(at(stage)),
            };
            if let Some(named) = &query.named {
                select = select.filter(named.prefilter().assume_not_null());
            }
            let rows: Vec<(RecordRow, VersionRow)> = select.load(connection)?;
            // Of the rows and not of what is shown of them: what is left out is not the end.
            let full = i64::try_from(rows.len()).is_ok_and(|rows| rows >= query.limit);
            let next = rows.last().filter(|_| full).map(|(row, _)| row.seq);
            let mut seen = as_seen(connection, rows, sight)?;
            if let Some(wanted) = query.bbox {
                seen.retain(|feature| touches(feature, wanted));
            }
            Ok((seen, next))
        })?;
        let mut features: Vec<Feature> =
            features.into_iter().map(|feature| shown(feature, sight, self.registry)).collect();
        if let Some(named) = &query.named {
            features.retain(|feature| named.is(feature));
        }
        Ok(RecordPage { features, next })
    }

    /// One record at its latest state.
    ///
    /// # Errors
    /// `NotFound`, also where `sight` does not reach: who may not see it is not told that it exists.
    pub fn find_record(&self, id: Uuid, sight: Sight) -> Result<Feature> {
        let found = self.read_feed(|connection| {
            let row: Option<(RecordRow, VersionRow)> = record::table
                .inner_join(version::table.on(version::version_id.eq(record::version)))
                .filter(record::record_id.eq(Id(id)))
                .select((RecordRow::as_select(), VersionRow::as_select()))
                .first(connection)
                .optional()?;
            let Some((row, version)) = row else { return Ok(None) };
            let Some(feature) = as_seen(connection, vec![(row, version)], sight)?.pop() else {
                return Ok(None);
            };
            let mut found = HashMap::from([(id, feature)]);
            contested_candidates(connection, &mut found)?;
            Ok(found.remove(&id))
        })?;
        found.map(|feature| shown(feature, sight, self.registry)).ok_or(StoreError::NotFound("record"))
    }
}

/// A record as `sight` allows: without fields above its tier, and without an exact outline for partners.
pub(super) fn shown(mut feature: Feature, sight: Sight, registry: &Registry) -> Feature {
    redact(&mut feature.properties, &feature.kind, sight, registry);
    feature
}

pub(super) fn redact(
    properties: &mut serde_json::Map<String, Value>,
    kind: &str,
    sight: Sight,
    registry: &Registry,
) {
    if let Some(schema) = registry.latest(kind) {
        properties.retain(|name, _| sight.reaches(schema, name));
    }
}

/// Records as a reader may see them, in their order: at their latest state, at the finalised one, or not at all.
fn as_seen(
    connection: &mut DbConnection,
    rows: Vec<(RecordRow, VersionRow)>,
    sight: Sight,
) -> Result<Vec<Feature>> {
    let mut features = Vec::with_capacity(rows.len());
    let mut at_official: HashMap<Uuid, usize> = HashMap::new();
    for (row, version) in rows {
        let feature = feature(&row, version)?;
        match sight.of(&feature.clone().into_record(), row.tier) {
            Shown::Head => features.push(feature),
            Shown::Official(version) => {
                at_official.insert(version, features.len());
                features.push(feature);
            }
            Shown::Nothing => {}
        }
    }
    let wanted: Vec<Id> = at_official.keys().copied().map(Id).collect();
    for feature in features_at(connection, &wanted)? {
        let Some(place) = at_official.get(&feature.version) else { continue };
        // Pages follow the record's place in the log.
        let seq = features[*place].seq;
        features[*place] = Feature { seq, ..feature };
    }
    Ok(features)
}

fn touches(feature: &Feature, [west, south, east, north]: [f64; 4]) -> bool {
    let bbox = feature.geometry.as_ref().and_then(shape::Shape::read).map(|shape| shape.bbox());
    bbox.is_some_and(|[w, s, e, n]| w <= east && e >= west && s <= north && n >= south)
}

fn feature(row: &RecordRow, version: VersionRow) -> Result<Feature> {
    let (seq, contested) = (row.seq, row.contested);
    let mut feature = Feature::of(version.into_record()?, seq);
    feature.contested = contested;
    Ok(feature)
}

/// These records at their latest state, in no order.
pub(super) fn features(connection: &mut DbConnection, ids: &[Id]) -> Result<Vec<Feature>> {
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(5_000) {
        let rows: Vec<(RecordRow, VersionRow)> = record::table
            .inner_join(version::table.on(version::version_id.eq(record::version)))
            .filter(record::record_id.eq_any(ids))
            .select((RecordRow::as_select(), VersionRow::as_select()))
            .load(connection)?;
        for (row, version) in rows {
            found.push(feature(&row, version)?);
        }
    }
    Ok(found)
}

/// Records at these versions, in no order. A contested record is contested at whatever version it is shown.
pub(super) fn features_at(connection: &mut DbConnection, versions: &[Id]) -> Result<Vec<Feature>> {
    let mut found = Vec::with_capacity(versions.len());
    for versions in versions.chunks(5_000) {
        let rows: Vec<(VersionRow, (i64, Id, bool))> = version::table
            .inner_join(record::table.on(record::record_id.eq(version::record_id)))
            .filter(version::version_id.eq_any(versions))
            .select((VersionRow::as_select(), (record::seq, record::version, record::contested)))
            .load(connection)?;
        for (version, (head_seq, head, contested)) in rows {
            let at_head = version.version_id == head;
            let seq = if at_head { head_seq } else { version.seq };
            let mut feature = Feature::of(version.into_record()?, seq);
            feature.contested = contested;
            found.push(feature);
        }
    }
    Ok(found)
}

/// Shows contested records at their most hazardous: the outlines of every open candidate and the gravest
/// classification, beside the head's own fields (docs/sync.md §2).
pub(super) fn contested_candidates(
    connection: &mut DbConnection,
    found: &mut HashMap<Uuid, Feature>,
) -> Result<()> {
    let contested: Vec<Id> =
        found.values().filter(|feature| feature.contested).map(|feature| Id(feature.id)).collect();
    if contested.is_empty() {
        return Ok(());
    }
    let rows: Vec<VersionRow> = conflict::table
        .inner_join(version::table.on(version::version_id.eq(conflict::conflict_id)))
        .filter(conflict::record_id.eq_any(&contested))
        .filter(conflict::closed_seq.is_null())
        .filter(conflict::safety.eq(true))
        .select(VersionRow::as_select())
        .load(connection)?;
    for row in rows {
        let candidate = row.into_record()?;
        let Some(feature) = found.get_mut(&candidate.id) else { continue };
        if candidate.field("classification") == "CHA"
            && feature.properties.get("classification").is_some_and(|own| own != "CHA")
        {
            feature.gravest = Some("CHA".to_owned());
        }
        let geometry = candidate.geometry.filter(|geometry| !feature.candidates.contains(geometry));
        feature.candidates.extend(geometry);
    }
    Ok(())
}

/// The canonical geometry of a GeoJSON value, if it has one.
pub(super) fn shape_of(geometry: &Value) -> Option<Shape> {
    let shape = shape::Shape::read(geometry)?;
    Some(Shape { wkb: shape.wkb(), bbox: shape.bbox(), area_m2: shape.area_m2() })
}
