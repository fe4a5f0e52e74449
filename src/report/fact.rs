//! How a record's versions become facts of the ledger, on either basis.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use geo::{Centroid, InteriorPoint, MultiPolygon};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::book::Basis;
use crate::geometry::outline::{Limits, Outline};
use crate::geometry::shape::{Shape, read_geojson};
use crate::ledger::{
    Classification, Contamination, EndReason, Hazard, HazardEnd, HazardVersion, Release, ReleaseResult,
};
use crate::model::Stage;
use crate::programme::{AdminUnits, DateRule};
use crate::store::book::{LineVersion, RecordLine};

/// What a record is to the ledger.
pub(super) enum Fact {
    Hazard(Hazard),
    Release(Release),
    /// It does not count (yet, or any more).
    Nothing,
}

/// What the making of facts depends on beside the records.
pub(super) struct Rules<'a> {
    pub(super) units: &'a AdminUnits,
    pub(super) date_rule: DateRule,
    pub(super) basis: Basis,
}

impl Rules<'_> {
    /// What a record is to the ledger on this basis.
    pub(super) fn fact(&self, line: &RecordLine) -> Fact {
        let counted = self.counted(line);
        let Some(last) = counted.last() else { return Fact::Nothing };
        match line.kind.as_str() {
            "hazardous_area" => self.hazard(line, &counted).map_or(Fact::Nothing, Fact::Hazard),
            "land_release" if line.contested || last.retired => Fact::Nothing,
            "land_release" => self.release(line, &counted).map_or(Fact::Nothing, Fact::Release),
            _ => Fact::Nothing,
        }
    }

    /// The versions that count: finalised ones for official figures; for provisional ones all up to the head,
    /// without what was rejected.
    fn counted<'l>(&self, line: &'l RecordLine) -> Vec<&'l LineVersion> {
        let official = || line.versions.iter().filter(|version| version.stage == Stage::Finalised).collect();
        match self.basis {
            // A retirement too leaves the official books only once it has been finalised.
            Basis::Official => official(),
            Basis::Provisional => match line.versions.last() {
                Some(head) if head.stage == Stage::Rejected => official(),
                _ => line.versions.iter().collect(),
            },
        }
    }

    fn hazard(&self, line: &RecordLine, counted: &[&LineVersion]) -> Option<Hazard> {
        let mut versions: Vec<HazardVersion> = Vec::new();
        let mut content: Option<(&Map<String, Value>, &Option<Value>)> = None;
        let mut was_closed = false;
        for version in counted.iter().filter(|version| !version.retired) {
            if content == Some((&version.properties, &version.geometry)) {
                continue;
            }
            content = Some((&version.properties, &version.geometry));
            let mut next = self.hazard_version(line, version, versions.is_empty())?;
            let closed = matches!(text(&version.properties, "status"), Some("released" | "closed"));
            next.reopened = was_closed && !closed;
            was_closed = closed;
            // What is learnt of a day replaces all that was believed of that day and later.
            versions.retain(|there| there.effective < next.effective);
            versions.push(next);
        }
        if line.contested && self.basis == Basis::Provisional {
            self.widen(versions.last_mut()?, line);
        }
        let end = end_of(counted.last()?);
        (!versions.is_empty()).then_some(Hazard { id: line.id, sequence: line.created_seq, versions, end })
    }

    fn hazard_version(&self, line: &RecordLine, version: &LineVersion, first: bool) -> Option<HazardVersion> {
        let fields = &version.properties;
        let outline = version.geometry.as_ref().and_then(|geometry| self.ground(geometry));
        let place = outline.as_ref().and_then(place_in).or_else(|| {
            let [west, south, ..] = Shape::read(version.geometry.as_ref()?)?.bbox();
            Some((west, south))
        });
        Some(HazardVersion {
            effective: effective(version, first),
            outline,
            reported_area_m2: fields.get("reported_area_m2").and_then(Value::as_f64),
            classification: classification(fields)?,
            contamination: contamination(fields),
            organisation: line.organisation,
            admin: self.admin(fields, place),
            reopened: false,
            contested: line.contested,
        })
    }

    /// Every candidate of a contested area counts, at its most hazardous (docs/sync.md §2).
    fn widen(&self, version: &mut HazardVersion, line: &RecordLine) {
        let mut polygons = version.outline.take().map_or_else(Vec::new, |outline| outline.0);
        for candidate in line.candidates.iter().filter(|candidate| !candidate.retired) {
            let ground = candidate.geometry.as_ref().and_then(|geometry| self.ground(geometry));
            polygons.extend(ground.into_iter().flatten());
            version.contamination.extend(contamination(&candidate.properties));
            if classification(&candidate.properties) == Some(Classification::Cha) {
                version.classification = Classification::Cha;
            }
        }
        version.outline = (!polygons.is_empty()).then_some(MultiPolygon(polygons));
    }

    fn release(&self, line: &RecordLine, counted: &[&LineVersion]) -> Option<Release> {
        let last = counted.iter().rev().find(|version| !version.retired)?;
        let fields = &last.properties;
        let named = fields.get("hazardous_area_ids").and_then(Value::as_array);
        Some(Release {
            id: line.id,
            sequence: line.created_seq,
            effective: self.released_on(counted, last),
            outline: self.ground(last.geometry.as_ref()?)?,
            result: text(fields, "result")?.parse::<ReleaseResult>().ok()?,
            method: text(fields, "method").map(str::to_owned),
            operator: line.organisation,
            hazards: named
                .into_iter()
                .flatten()
                .filter_map(|id| Uuid::parse_str(id.as_str()?).ok())
                .collect(),
        })
    }

    /// The day that puts a release's ground into a year.
    fn released_on(&self, counted: &[&LineVersion], last: &LineVersion) -> NaiveDate {
        let completed = date(&last.properties, "completion_date");
        let reached = |stage: Stage| {
            let version = counted.iter().find(|version| version.stage == stage)?;
            Some(version.recorded_at.date_naive())
        };
        let day = match self.date_rule {
            DateRule::Completion => completed,
            DateRule::QaAcceptance => date(&last.properties, "qa_accepted_on")
                .or_else(|| reached(Stage::OpsValidated))
                .or_else(|| reached(Stage::Finalised))
                .or(completed),
            DateRule::Finalisation => reached(Stage::Finalised).or(completed),
        };
        day.unwrap_or_else(|| last.recorded_at.date_naive())
    }

    /// The ground of a geometry: only what is valid as entered for official figures, also a proposed repair for
    /// provisional ones: nothing is repaired silently.
    fn ground(&self, geometry: &Value) -> Option<MultiPolygon<f64>> {
        let outline = Outline::read(&read_geojson(geometry)?, &Limits::default());
        let ground = match self.basis {
            Basis::Official => outline.valid(),
            Basis::Provisional => outline.provisional(),
        };
        ground.cloned()
    }

    /// Codes of administrative levels 1 to 3: from the ground, or else as the record says.
    fn admin(&self, fields: &Map<String, Value>, place: Option<(f64, f64)>) -> [Option<String>; 3] {
        let found = place.map_or([None, None, None], |(lon, lat)| self.units.codes_at(lon, lat));
        let given = ["admin1", "admin2", "admin3"].map(|name| text(fields, name).map(str::to_owned));
        let mut codes = found.into_iter().zip(given).map(|(found, given)| found.or(given));
        std::array::from_fn(|_| codes.next().flatten())
    }
}

/// A place that surely lies in the ground.
fn place_in(outline: &MultiPolygon<f64>) -> Option<(f64, f64)> {
    let point = outline.interior_point().or_else(|| outline.centroid())?;
    Some((point.x(), point.y()))
}

/// The day from which a version of an area holds: when the area was identified for its first version, the newest
/// date that the record gives for a later one.
fn effective(version: &LineVersion, first: bool) -> NaiveDate {
    let fields = &version.properties;
    let dates = ["date_identified", "date_of_information", "classification_date", "status_date"];
    let mut given = dates.iter().filter_map(|name| date(fields, name));
    let day = if first { given.next() } else { given.max() };
    day.unwrap_or_else(|| version.recorded_at.date_naive())
}

/// How an area left the books: by its lineage, which is terminal, or by being taken out of use.
fn end_of(last: &LineVersion) -> Option<HazardEnd> {
    let fields = &last.properties;
    let given = |name: &str| fields.get(name).is_some_and(|value| !value.is_null() && value != false);
    let reason = [
        ("merged_into", EndReason::MergedInto),
        ("split_into", EndReason::SplitInto),
        ("duplicate_of", EndReason::DuplicateOf),
        ("entered_in_error", EndReason::EnteredInError),
    ]
    .into_iter()
    .find_map(|(name, reason)| given(name).then_some(reason));
    match (reason, last.retired) {
        (Some(reason), _) => Some(HazardEnd { date: effective(last, false), reason }),
        (None, true) => Some(HazardEnd { date: last.recorded_at.date_naive(), reason: EndReason::Retired }),
        (None, false) => None,
    }
}

fn classification(fields: &Map<String, Value>) -> Option<Classification> {
    text(fields, "classification")?.to_lowercase().parse().ok()
}

fn contamination(fields: &Map<String, Value>) -> BTreeSet<Contamination> {
    let kinds = fields.get("contamination").and_then(Value::as_array);
    kinds.into_iter().flatten().filter_map(|kind| kind.as_str()?.parse().ok()).collect()
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    fields.get(name)?.as_str()
}

fn date(fields: &Map<String, Value>, name: &str) -> Option<NaiveDate> {
    text(fields, name)?.get(..10)?.parse().ok()
}
