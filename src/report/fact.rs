//! How a record's versions become facts of the ledger, on either basis.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::NaiveDate;
use serde_json::{Map, Value};

use super::book::Basis;
use super::ground::Ground;
use crate::ledger::{Hazard, Release, TreatyScope};
use crate::model::Stage;
use crate::model::record::name_of;
use crate::programme::{AdminUnits, DateRule};
use crate::store::book::{LineVersion, RecordLine};

/// What a record is to the ledger.
pub(super) enum Fact {
    Hazard(Hazard),
    Release(Release),
    /// It does not count (yet, or any more).
    Nothing,
}

/// Why a person should look at how a record counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Some or all of what it reports is in no figure.
    LeftOut(String),
    /// It counts with a proposed repair of its outline.
    Repaired(String),
}

/// A fact and what is doubtful about it.
pub(super) struct Reading {
    pub(super) fact: Fact,
    pub(super) doubt: Option<Doubt>,
    /// What people call the record.
    pub(super) name: Option<Arc<str>>,
}

impl Reading {
    pub(super) fn nothing(doubt: Option<Doubt>) -> Self {
        Self { fact: Fact::Nothing, doubt, name: None }
    }
}

/// A record's line with the ground of each of its versions.
pub(super) struct Surveyed<'l> {
    pub(super) line: &'l RecordLine,
    /// What the open conflicts' candidates say of their place.
    pub(super) candidates: Vec<Ground>,
    grounds: Vec<Ground>,
    /// For each version, which of the grounds is its own.
    ground_of: Vec<usize>,
}

impl<'l> Surveyed<'l> {
    /// Judges each distinct outline of a line once.
    pub(super) fn read(line: &'l RecordLine) -> Self {
        let mut grounds: Vec<Ground> = Vec::new();
        let mut ground_of: Vec<usize> = Vec::with_capacity(line.versions.len());
        for (index, version) in line.versions.iter().enumerate() {
            let unchanged =
                index.checked_sub(1).filter(|&before| line.versions[before].geometry == version.geometry);
            if let Some(before) = unchanged {
                ground_of.push(ground_of[before]);
            } else {
                ground_of.push(grounds.len());
                grounds.push(Ground::read(version.geometry.as_ref()));
            }
        }
        let candidates = line.candidates.iter().map(|side| Ground::read(side.geometry.as_ref())).collect();
        Self { line, candidates, grounds, ground_of }
    }

    pub(super) fn version(&self, index: usize) -> &'l LineVersion {
        &self.line.versions[index]
    }

    pub(super) fn ground(&self, index: usize) -> &Ground {
        &self.grounds[self.ground_of[index]]
    }
}

/// What the making of facts depends on beside the records.
pub(super) struct Rules<'a> {
    pub(super) units: &'a AdminUnits,
    pub(super) date_rule: DateRule,
    pub(super) basis: Basis,
}

impl Rules<'_> {
    /// What a record is to the ledger on this basis.
    pub(super) fn read(&self, record: &Surveyed<'_>) -> Reading {
        let counted = counted(self.basis, record.line);
        let Some(&last) = counted.last() else { return Reading::nothing(None) };
        let reading = match record.line.kind.as_str() {
            "hazardous_area" => self.hazard(record, &counted),
            "land_release" if record.version(last).retired => Reading::nothing(None),
            "land_release" => self.release(record, last),
            _ => Reading::nothing(None),
        };
        Reading { name: name_of(&record.version(last).properties).map(Arc::from), ..reading }
    }

    /// Codes of administrative levels 1 to 3: from the ground, or else as the record says.
    pub(super) fn admin(
        &self,
        fields: &Map<String, Value>,
        place: Option<(f64, f64)>,
    ) -> [Option<String>; 3] {
        let found = place.map_or([None, None, None], |(lon, lat)| self.units.codes_at(lon, lat));
        // `none` is how figures name ground about which nothing is said.
        let named = |name: &str| text(fields, name).filter(|code| !code.eq_ignore_ascii_case("none"));
        let given = ["admin1", "admin2", "admin3"].map(|name| named(name).map(str::to_owned));
        let mut codes = found.into_iter().zip(given).map(|(found, given)| found.or(given));
        std::array::from_fn(|_| codes.next().flatten())
    }
}

/// The versions of a line that count: finalised ones for official figures, a retirement too only once it has been
/// finalised; for provisional ones all but those whose review ended in rejection, or in a return after which another
/// version came.
pub(super) fn counted(basis: Basis, line: &RecordLine) -> Vec<usize> {
    let finalised = |index: &usize| line.versions[*index].stage == Stage::Finalised;
    let all = 0..line.versions.len();
    if basis == Basis::Official {
        return all.filter(finalised).collect();
    }
    let mut counted = Vec::with_capacity(line.versions.len());
    let mut run = Vec::new();
    for index in all {
        run.push(index);
        let version = &line.versions[index];
        let next = line.versions.get(index + 1);
        if next.is_some_and(|next| says_the_same(next, version)) {
            continue;
        }
        // A rejected amendment gives way to the finalised version: the step that refused it says what that says.
        let refused = next.is_some_and(|next| next.stage == Stage::Rejected);
        let dropped = match version.stage {
            Stage::Rejected => true,
            Stage::Returned => next.is_some(),
            _ => refused,
        };
        // What was once finalised has been approved before the step that dropped it.
        counted.extend(run.drain(..).filter(|index| !dropped || finalised(index)));
    }
    counted
}

/// Whether two versions differ in their review only.
fn says_the_same(one: &LineVersion, other: &LineVersion) -> bool {
    one.retired == other.retired && one.properties == other.properties && one.geometry == other.geometry
}

/// The days that an area's record gives for what it says, the one that says since when it is known first.
pub(crate) const DATES: [&str; 4] =
    ["date_identified", "date_of_information", "classification_date", "status_date"];

/// The newest day that a version gives for what it says.
pub(super) fn newest_date(fields: &Map<String, Value>) -> Option<NaiveDate> {
    DATES.iter().filter_map(|name| date(fields, name)).max()
}

/// The treaty duties that a record states, if it states any; those of other treaties are no duty to clear here.
pub(super) fn treaty_scope(fields: &Map<String, Value>) -> Option<BTreeSet<TreatyScope>> {
    let stated = fields.get("treaty_scope")?.as_array().filter(|stated| !stated.is_empty())?;
    Some(stated.iter().filter_map(|scope| scope.as_str()?.parse().ok()).collect())
}

pub(super) fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    fields.get(name)?.as_str()
}

pub(super) fn date(fields: &Map<String, Value>, name: &str) -> Option<NaiveDate> {
    text(fields, name)?.get(..10)?.parse().ok()
}
