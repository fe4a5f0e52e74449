//! What a file says of itself.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};

use super::projection;
use crate::model::STATEMENT;
use crate::ogc::crs::Crs;

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
    /// The state of the end of this day.
    pub as_of: NaiveDate,
    /// Which records, or which figures.
    pub basis: String,
    /// Up to which place in the log.
    pub seq: i64,
    /// When it was written.
    pub made_at: DateTime<Utc>,
    /// The reference system of its positions.
    pub crs: Crs,
}

impl Document {
    /// Everything, by name.
    pub fn members(&self) -> Vec<(&'static str, String)> {
        let mut members = vec![
            ("title", self.title.clone()),
            ("description", self.description.clone()),
            ("programme", self.programme.clone()),
            ("as_of", self.as_of.to_string()),
            ("basis", self.basis.clone()),
            ("crs", projection::name(self.crs)),
            ("seq", self.seq.to_string()),
            ("made_at", self.made_at.to_rfc3339_opts(SecondsFormat::Secs, true)),
            ("statement", STATEMENT.to_owned()),
        ];
        members.retain(|(_, value)| !value.is_empty());
        if self.constructed {
            members.push(("constructed", "these records are made up".to_owned()));
        }
        members
    }

    /// What is said in every row of a table: rows get copied, headings get lost.
    pub(super) fn in_every_row(&self) -> Vec<(&'static str, String)> {
        let said = ["as_of", "basis", "crs", "statement", "constructed"];
        self.members().into_iter().filter(|(name, _)| said.contains(name)).collect()
    }

    /// Everything as lines.
    pub(super) fn text(&self) -> String {
        let lines: Vec<String> =
            self.members().into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
        lines.join("\n")
    }
}
