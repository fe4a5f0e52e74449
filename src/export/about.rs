//! What a file says of itself.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::projection;
use crate::model::STATEMENT;
use crate::ogc::crs::Crs;

/// Hazardous ground that the ledger knows of beside what it can draw, in all: whoever sees a layer without it would take
/// its place for clear.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Undrawn {
    /// Records that are not, or not all, in figures and layers.
    pub records_left_out: usize,
    /// Areas that are known by a reported size only.
    pub areas_reported_only: u64,
    /// The sum of those sizes, m².
    pub reported_only_m2: f64,
}

impl Undrawn {
    /// All of it in a sentence.
    pub fn sentence(&self) -> String {
        format!(
            "Not drawn: {} records that are left out of the figures, and {} areas of {} m² that are known by their reported \
             sizes only.",
            self.records_left_out, self.areas_reported_only, self.reported_only_m2
        )
    }

    fn members(&self) -> [(&'static str, String); 3] {
        [
            ("records_left_out", self.records_left_out.to_string()),
            ("areas_reported_only", self.areas_reported_only.to_string()),
            ("reported_only_m2", self.reported_only_m2.to_string()),
        ]
    }
}

/// What a file says of itself.
#[derive(Debug, Clone)]
pub struct Document {
    /// The layer's name, and the first part of the file's.
    pub name: String,
    /// For people.
    pub title: String,
    /// What is in it.
    pub description: String,
    /// The programme's name.
    pub programme: String,
    /// Whether the records are made up.
    pub constructed: bool,
    /// The state of the end of this day, or of this moment.
    pub as_of: String,
    /// Which records, or which figures.
    pub basis: String,
    /// Up to which place in the log.
    pub seq: i64,
    /// When it was written.
    pub made_at: DateTime<Utc>,
    /// The reference system of its positions.
    pub crs: Crs,
    /// Of the ledger's ground, what is not in it.
    pub undrawn: Option<Undrawn>,
}

impl Document {
    /// Everything, by name.
    pub fn members(&self) -> Vec<(&'static str, String)> {
        let mut members = vec![
            ("title", self.title.clone()),
            ("description", self.description.clone()),
            ("programme", self.programme.clone()),
            ("as_of", self.as_of.clone()),
            ("basis", self.basis.clone()),
            ("crs", projection::name(self.crs)),
            ("seq", self.seq.to_string()),
            ("made_at", self.made_at.to_rfc3339_opts(SecondsFormat::Secs, true)),
            ("statement", STATEMENT.to_owned()),
        ];
        members.retain(|(_, value)| !value.is_empty());
        members.extend(self.undrawn.iter().flat_map(Undrawn::members));
        if self.constructed {
            members.push(("constructed", "these records are made up".to_owned()));
        }
        members
    }

    /// What is said in every row of a table: rows get copied, headings get lost.
    pub(super) fn in_every_row(&self) -> Vec<(&'static str, String)> {
        let said = [
            "as_of",
            "basis",
            "crs",
            "statement",
            "constructed",
            "records_left_out",
            "areas_reported_only",
            "reported_only_m2",
        ];
        self.members().into_iter().filter(|(name, _)| said.contains(name)).collect()
    }

    /// Everything as lines.
    pub(super) fn text(&self) -> String {
        let lines: Vec<String> =
            self.members().into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
        lines.join("\n")
    }
}
