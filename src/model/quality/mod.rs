//! Quality rules: what a schema cannot say of a record.
//!
//! A schema refuses what cannot be stored; these rules find what is stored and probably wrong – the
//! errors that people really make (docs/domain.md §5) and what an activity may not do (§1). Nothing is
//! dropped or repaired here: a bad record is evidence that somebody saw something, so it is kept and
//! flagged. Pure: all that a rule needs besides the record comes in the [`Context`].

mod content;
mod dates;
mod extent;
mod outline;
mod place;
mod ring;
mod rules;
mod shape;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use chrono::NaiveDate;
use geo::MultiPolygon;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::model::vocabulary;

pub use extent::Extent;
pub use outline::{OutlineHash, outline_hashes};
pub use rules::{RULES, Rule};

vocabulary! {
    /// What a finding asks for.
    pub enum Severity {
        /// Worth knowing.
        Info = "info",
        /// A person should look at it.
        Warning = "warning",
        /// Wrong as it stands: to be corrected or explained before the record is approved.
        Error = "error",
        /// Must not enter any official figure until a person has decided.
        Hold = "hold",
    }
}

/// Something that a rule found. A record has at most one finding of a rule at a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Finding {
    /// Stable name of the rule, e.g. `area_mismatch`.
    pub rule: &'static str,
    /// What the finding asks for.
    pub severity: Severity,
    /// JSON pointer (RFC 6901) into the Feature, e.g. `/properties/depth_cm`.
    pub pointer: String,
    /// What is wrong, for a person to read.
    pub message: String,
}

/// The record to look at: the parts of its Feature.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Kind of record.
    pub kind: &'a str,
    /// The Feature's properties.
    pub properties: &'a Map<String, Value>,
    /// The Feature's geometry, GeoJSON on WGS 84.
    pub geometry: Option<&'a Value>,
}

impl<'a> View<'a> {
    fn text(&self, name: &str) -> Option<&'a str> {
        self.properties.get(name)?.as_str()
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.properties.get(name)?.as_f64()
    }

    fn date(&self, name: &str) -> Option<NaiveDate> {
        self.text(name)?.parse().ok()
    }

    /// Rows of an append list that are not tombstones, with their index.
    fn rows(&self, name: &str) -> impl Iterator<Item = (usize, &'a Value)> {
        let rows = self.properties.get(name).and_then(Value::as_array);
        rows.into_iter().flatten().enumerate().filter(|(_, row)| row["removed"] != true)
    }
}

/// An administrative area of the programme's gazetteer.
#[derive(Debug, Clone)]
pub struct AdminArea {
    /// 1 to 4.
    pub level: u8,
    /// Its names and spellings; compared without regard to case.
    pub names: Vec<String>,
    /// Its outline on WGS 84.
    pub outline: MultiPolygon<f64>,
}

/// What is known beside the record. A rule whose part is missing stays silent.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Today's date where the programme is.
    pub today: NaiveDate,
    /// The box around the programme's ground.
    pub country: Option<Extent>,
    /// Outlines of administrative areas.
    pub admin_areas: &'a [AdminArea],
    /// How far outside its stated admin area a geometry may lie, metres.
    pub admin_tolerance_m: f64,
    /// Geodesic area of the geometry, m².
    pub calculated_area_m2: Option<f64>,
    /// Whether a finalised release is linked to this hazardous area.
    pub has_release: Option<bool>,
    /// `NTS` or `TS`: the type of the survey that this release cites.
    pub survey_type: Option<&'a str>,
    /// Whether the programme's standard lets technical survey count as cleared what it processed.
    pub survey_may_clear: bool,
    /// Outlines of other records of the same kind, each with its record's label.
    pub other_outlines: Option<&'a HashMap<OutlineHash, String>>,
    /// References of other records as written, by [`normal_reference`].
    pub other_references: Option<&'a HashMap<String, String>>,
}

impl Context<'_> {
    /// A context that knows only the date.
    pub fn new(today: NaiveDate) -> Self {
        Self {
            today,
            country: None,
            admin_areas: &[],
            admin_tolerance_m: 5_000.0,
            calculated_area_m2: None,
            has_release: None,
            survey_type: None,
            survey_may_clear: false,
            other_outlines: None,
            other_references: None,
        }
    }
}

/// A reference without regard to case and blanks, to find two spellings of one.
pub fn normal_reference(reference: &str) -> String {
    reference.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Everything that the rules find in a record, the gravest first.
pub fn check(view: &View<'_>, context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Findings::default();
    dates::check(view, context, &mut findings);
    content::check(view, context, &mut findings);
    if let Some(shape) = shape::Shape::read(view, &mut findings) {
        ring::check(&shape, &mut findings);
        outline::check(&shape, context, &mut findings);
        place::check(view, &shape, context, &mut findings);
    }
    findings.sorted()
}

/// Collects findings.
#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, rule: &'static Rule, pointer: impl Into<String>, message: impl Into<String>) {
        let (pointer, message) = (pointer.into(), message.into());
        self.0.push(Finding { rule: rule.name, severity: rule.severity, pointer, message });
    }

    fn sorted(mut self) -> Vec<Finding> {
        // Stable: of several messages of one rule at one place the first stays.
        self.0.sort_by(|a, b| {
            let key = |finding: &Finding| (std::cmp::Reverse(finding.severity), finding.rule);
            key(a).cmp(&key(b)).then_with(|| a.pointer.cmp(&b.pointer))
        });
        self.0.dedup_by(|a, b| a.rule == b.rule && a.pointer == b.pointer);
        self.0
    }
}
