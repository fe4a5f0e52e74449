//! How a hazardous area's versions become a fact of the ledger.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use geo::MultiPolygon;
use serde_json::{Map, Value};

use super::book::Basis;
use super::fact::{DATES, Doubt, Fact, Reading, Rules, Surveyed, date, newest_date, text, treaty_scope};
use super::ground::Ground;
use crate::ledger::{
    Classification, Contamination, EndReason, Hazard, HazardEnd, HazardVersion, TreatyScope,
};
use crate::model::record::CLOSED;
use crate::store::book::{LineVersion, RecordLine};

impl Rules<'_> {
    pub(super) fn hazard(&self, record: &Surveyed<'_>, counted: &[usize]) -> Reading {
        let Some(&last) = counted.last() else { return Reading::nothing(None) };
        let line = record.line;
        let Some(mut versions) = self.hazard_versions(record, counted) else {
            return Reading::nothing(Some(Doubt::LeftOut("an area without a classification".to_owned())));
        };
        let mut end = end_of(line, last);
        if line.contested && self.basis == Basis::Provisional {
            self.widen(record, &mut versions);
            // As long as somebody says that it is still there, it is.
            if line.candidates.iter().any(|side| ending(side).is_none()) {
                end = None;
            }
        }
        let doubt = if end.is_some() { None } else { self.doubt(record, counted) };
        if versions.is_empty() {
            return Reading::nothing(doubt);
        }
        let hazard = Hazard { id: line.id, sequence: line.created_seq, versions, end };
        Reading { fact: Fact::Hazard(hazard), doubt, name: None }
    }

    /// What was held true from which day on; `None` where a version has no classification.
    fn hazard_versions(&self, record: &Surveyed<'_>, counted: &[usize]) -> Option<Vec<HazardVersion>> {
        let mut versions: Vec<HazardVersion> = Vec::new();
        let mut before: Option<&LineVersion> = None;
        let mut identified = None;
        for &index in counted {
            let version = record.version(index);
            let unchanged = before.is_some_and(|before| {
                before.properties == version.properties && before.geometry == version.geometry
            });
            if version.retired || unchanged {
                continue;
            }
            let reopens = before.is_some_and(|before| reopens(before, version));
            let day = match (before, versions.last()) {
                (Some(before), Some(last)) => effective(version, before, last.effective),
                _ => first_day(version),
            };
            let mut next = self.hazard_version(record.line, version, record.ground(index), day)?;
            next.reopened = reopens;
            // What is learnt of a day replaces all that was believed of that day and later. New evidence stays new
            // evidence when the version that brought it is edited, unless the edit closes the area.
            let keep = versions.partition_point(|there| there.effective < next.effective);
            next.reopened |= !next.closed && versions.drain(keep..).any(|there| there.reopened);
            versions.truncate(keep);
            versions.push(next);
            let told = |version: &LineVersion| date(&version.properties, "date_identified");
            if before.is_some_and(|before| told(before) != told(version)) && !reopens {
                identified = told(version).map(|day| day.min(learnt(version))).or(identified);
            }
            before = Some(version);
        }
        if let Some(identified) = identified {
            begin_on(&mut versions, identified);
        }
        Some(versions)
    }

    fn hazard_version(
        &self,
        line: &RecordLine,
        version: &LineVersion,
        ground: &Ground,
        effective: NaiveDate,
    ) -> Option<HazardVersion> {
        let fields = &version.properties;
        Some(HazardVersion {
            effective,
            outline: ground.counted(self.basis).cloned(),
            reported_area_m2: reported(fields),
            classification: classification(fields)?,
            contamination: contamination(fields),
            treaty_scope: treaty_scope(fields),
            organisation: line.organisation,
            admin: self.admin(fields, ground.place()),
            closed: is_closed(fields),
            reopened: false,
            contested: line.contested,
        })
    }

    /// Every candidate of a contested area counts, at its most hazardous (docs/sync.md §2).
    fn widen(&self, record: &Surveyed<'_>, versions: &mut Vec<HazardVersion>) {
        let Some(version) = versions.last_mut() else { return };
        let mut polygons = version.outline.take().map_or_else(Vec::new, |outline| outline.0);
        let stands = record.line.versions.iter().rev().find(|stands| !stands.retired);
        let mut open_since: Option<NaiveDate> = None;
        let sides = record.line.candidates.iter().zip(&record.candidates);
        for (side, ground) in sides.filter(|(side, _)| ending(side).is_none()) {
            let fields = &side.properties;
            // Thirty people who drew the same outline mean one piece of ground.
            for polygon in ground.counted(self.basis).into_iter().flatten() {
                if !polygons.contains(polygon) {
                    polygons.push(polygon.clone());
                }
            }
            let kinds = contamination(fields);
            let mut duties =
                version.treaty_scope.take().unwrap_or_else(|| TreatyScope::over(&version.contamination));
            duties.extend(treaty_scope(fields).unwrap_or_else(|| TreatyScope::over(&kinds)));
            version.treaty_scope = Some(duties);
            version.contamination.extend(kinds);
            version.reported_area_m2 =
                version.reported_area_m2.into_iter().chain(reported(fields)).reduce(f64::max);
            if classification(fields) == Some(Classification::Cha) {
                version.classification = Classification::Cha;
            }
            if version.closed && !is_closed(fields) {
                let day = stands.map_or_else(|| learnt(side), |stands| reopened_on(side, stands));
                open_since = Some(open_since.map_or(day, |known| known.min(day)));
            }
        }
        version.outline = (!polygons.is_empty()).then_some(MultiPolygon(polygons));
        if let Some(day) = open_since {
            let open = HazardVersion { closed: false, reopened: true, ..version.clone() };
            if day > version.effective {
                versions.push(HazardVersion { effective: day, ..open });
            } else {
                *version = open;
            }
        }
    }

    fn doubt(&self, record: &Surveyed<'_>, counted: &[usize]) -> Option<Doubt> {
        let last = *counted.iter().rev().find(|&&index| !record.version(index).retired)?;
        let (ground, fields) = (record.ground(last), &record.version(last).properties);
        if let Some(fault) = ground.fault(self.basis) {
            let instead = match reported(fields) {
                Some(size) => {
                    format!("counted with its reported size, {size} m², among areas without an outline")
                }
                None => "counted with no ground".to_owned(),
            };
            return Some(Doubt::LeftOut(format!(
                "an area whose outline cannot be counted: {fault}; {instead}"
            )));
        }
        if ground.counted(self.basis).is_none() && reported(fields).is_none() && !is_closed(fields) {
            return Some(Doubt::LeftOut("an area with neither an outline nor a reported size".to_owned()));
        }
        ground.repaired(self.basis).map(Doubt::Repaired)
    }
}

/// The day on which the programme learnt of a version.
fn learnt(version: &LineVersion) -> NaiveDate {
    version.recorded_at.date_naive()
}

/// The day from which an area counts: when it was identified. Nothing is known before it happens: a day in the future is
/// a slip of the pen, and the area counts from the day on which it was learnt of.
fn first_day(version: &LineVersion) -> NaiveDate {
    let given = DATES.iter().find_map(|name| date(&version.properties, name));
    given.map_or(learnt(version), |day| day.min(learnt(version)))
}

/// The day from which a later version holds: the newest one that its record gives; where it gives none that the version
/// before did not, it corrects what held. New evidence without a day of its own is of the day it was learnt: it must not
/// slip behind the releases that it takes back.
fn effective(version: &LineVersion, before: &LineVersion, since: NaiveDate) -> NaiveDate {
    if reopens(before, version) {
        return reopened_on(version, before);
    }
    let (told, known) = (newest_date(&version.properties), newest_date(&before.properties));
    if told == known { since } else { told.map_or(since, |day| day.min(learnt(version))) }
}

fn reopens(before: &LineVersion, version: &LineVersion) -> bool {
    is_closed(&before.properties) && !is_closed(&version.properties)
}

fn reopened_on(version: &LineVersion, before: &LineVersion) -> NaiveDate {
    let known = newest_date(&before.properties).max(newest_evidence(&before.properties));
    let told = newest_date(&version.properties).max(newest_evidence(&version.properties));
    let news = told.filter(|told| known.is_none_or(|known| *told > known));
    news.map_or(learnt(version), |day| day.min(learnt(version)))
}

fn newest_evidence(fields: &Map<String, Value>) -> Option<NaiveDate> {
    let rows = fields.get("evidence").and_then(Value::as_array).into_iter().flatten();
    let rows = rows.filter(|row| row["removed"] != true);
    rows.filter_map(|row| row["date"].as_str()?.get(..10)?.parse().ok()).max()
}

/// Moves the beginning of an area to the day on which, as is known now, it was identified.
fn begin_on(versions: &mut Vec<HazardVersion>, identified: NaiveDate) {
    let known = versions.partition_point(|version| version.effective <= identified);
    let reopened = versions[..known].iter().any(|version| version.reopened);
    versions.drain(..known.saturating_sub(1));
    if let Some(first) = versions.first_mut() {
        first.effective = identified;
        first.reopened |= reopened;
    }
}

/// How an area left the books, and when: on the day that came with its end, or else when the programme learnt of it.
fn end_of(line: &RecordLine, last: usize) -> Option<HazardEnd> {
    let reason = ending(&line.versions[last])?;
    let (before, run) = line.versions[..=last]
        .iter()
        .rposition(|version| ending(version) != Some(reason))
        .map_or((None, &line.versions[..=last]), |at| {
            (Some(&line.versions[at]), &line.versions[at + 1..=last])
        });
    let first = run.first()?;
    let told = newest_date(&first.properties);
    let news = match before {
        Some(before) => told.filter(|told| newest_date(&before.properties).is_none_or(|known| *told > known)),
        None => told,
    };
    let date = match (reason, news) {
        (EndReason::Retired, _) | (_, None) => first.recorded_at.date_naive(),
        (_, Some(day)) => day,
    };
    Some(HazardEnd { date, reason })
}

/// How a version takes an area out of the books: by its lineage, which is terminal, or by being taken out of use.
fn ending(version: &LineVersion) -> Option<EndReason> {
    let given = |name: &str| match version.properties.get(name) {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::Array(ids)) => !ids.is_empty(),
        Some(Value::String(id)) => !id.is_empty(),
        Some(_) => true,
    };
    let lineage = [
        ("merged_into", EndReason::MergedInto),
        ("split_into", EndReason::SplitInto),
        ("duplicate_of", EndReason::DuplicateOf),
        ("entered_in_error", EndReason::EnteredInError),
    ];
    let reason = lineage.into_iter().find_map(|(name, reason)| given(name).then_some(reason));
    reason.or(version.retired.then_some(EndReason::Retired))
}

fn is_closed(fields: &Map<String, Value>) -> bool {
    text(fields, "status").is_some_and(|status| CLOSED.contains(&status))
}

fn reported(fields: &Map<String, Value>) -> Option<f64> {
    fields.get("reported_area_m2")?.as_f64()
}

fn classification(fields: &Map<String, Value>) -> Option<Classification> {
    text(fields, "classification")?.to_lowercase().parse().ok()
}

fn contamination(fields: &Map<String, Value>) -> BTreeSet<Contamination> {
    let kinds = fields.get("contamination").and_then(Value::as_array);
    kinds.into_iter().flatten().filter_map(|kind| kind.as_str()?.parse().ok()).collect()
}
