//! What a country sets, as data: its ground, its administrative units, its treaty dates and its rules of counting.
//!
//! An administrator can change all of it; nothing of it is a constant in code.

use chrono::{Datelike, NaiveDate};
use geo::{Contains, Coord, MultiPolygon, Point};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::geometry::outline::{Extent, Limits, Outline};
use crate::geometry::shape::read_geojson;
use crate::model::vocabulary;
use crate::treaty::{Convention, DeadlineEntry, DeadlineHistory, StateParty};

vocabulary! {
    /// Which date puts released ground into a year (docs/domain.md §6).
    #[derive(Default)]
    pub enum DateRule {
        /// When the work was completed.
        #[default]
        Completion = "completion",
        /// When quality assurance accepted it.
        QaAcceptance = "qa_acceptance",
        /// When the record was finalised.
        Finalisation = "finalisation",
    }
}

/// A programme's settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Programme {
    /// The programme's name.
    pub name: String,
    /// ISO 3166-1 alpha-3.
    pub country: String,
    /// Whether its records are made up. Every answer says so then.
    #[serde(default)]
    pub constructed: bool,
    /// The country's box, degrees.
    #[schema(value_type = Object)]
    pub extent: Extent,
    /// Administrative units: a GeoJSON `FeatureCollection` whose features have `level` (1–4), `code` and `name`.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub admin_units: Option<Value>,
    /// Deposit of the instrument of ratification of the Mine Ban Convention.
    #[serde(default)]
    pub deposited_on: Option<NaiveDate>,
    /// Entry into force where it does not follow from the deposit.
    #[serde(default)]
    pub entry_into_force: Option<NaiveDate>,
    /// Extensions and later discoveries, as decided by meetings.
    #[serde(default)]
    pub deadlines: Vec<DeadlineEntry>,
    /// Days on which completion was declared.
    #[serde(default)]
    pub completions: Vec<NaiveDate>,
    /// Which date puts released ground into a year.
    #[serde(default)]
    pub date_rule: DateRule,
    /// Releases outside hazardous areas up to this many m² are digitising slivers.
    #[serde(default = "Programme::default_sliver")]
    pub sliver_m2: f64,
    /// What the programme plans, year by year.
    #[serde(default)]
    pub milestones: Vec<Milestone>,
}

/// What is planned for one year.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Milestone {
    /// The year.
    pub year: i32,
    /// Ground to be released, m².
    pub area_m2: f64,
    /// Hazardous areas to be closed.
    #[serde(default)]
    pub areas: Option<u32>,
}

impl Programme {
    fn default_sliver() -> f64 {
        1.0
    }

    /// A programme about which nothing is set yet: the whole world.
    pub fn unset() -> Self {
        Self {
            name: "Programme without a name".to_owned(),
            country: "XXX".to_owned(),
            constructed: false,
            extent: Extent { west: -180.0, south: -90.0, east: 180.0, north: 90.0 },
            admin_units: None,
            deposited_on: None,
            entry_into_force: None,
            deadlines: Vec::new(),
            completions: Vec::new(),
            date_rule: DateRule::default(),
            sliver_m2: Self::default_sliver(),
            milestones: Vec::new(),
        }
    }

    /// The history of its deadline under Article 5, if it is a party to the convention.
    pub fn deadline_history(&self) -> Option<DeadlineHistory> {
        let party = match (self.entry_into_force, self.deposited_on) {
            (Some(day), _) => StateParty::with_entry_into_force(Convention::MineBan, day),
            (None, Some(day)) => StateParty::from_deposit(Convention::MineBan, day),
            (None, None) => return None,
        };
        let mut history = DeadlineHistory::new(party);
        history.entries.extend(self.deadlines.iter().cloned());
        history.completions.clone_from(&self.completions);
        Some(history)
    }

    /// What cannot be right in it, each with a JSON pointer.
    pub fn faults(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        let mut fault = |pointer: &str, message: &str| faults.push((pointer.to_owned(), message.to_owned()));
        let Extent { west, south, east, north } = self.extent;
        let sound = [west, south, east, north].iter().all(|degrees| degrees.is_finite())
            && west < east
            && south < north
            && west >= -180.0
            && east <= 180.0
            && south >= -90.0
            && north <= 90.0;
        if !sound {
            fault("/extent", "west, south, east, north in degrees, west < east and south < north");
        }
        if self.country.len() != 3 || !self.country.bytes().all(|letter| letter.is_ascii_uppercase()) {
            fault("/country", "three capital letters (ISO 3166-1 alpha-3)");
        }
        if !(self.sliver_m2.is_finite() && self.sliver_m2 >= 0.0) {
            fault("/sliver_m2", "m², not negative");
        }
        if self
            .milestones
            .iter()
            .any(|milestone| !(milestone.area_m2.is_finite() && milestone.area_m2 >= 0.0))
        {
            fault("/milestones", "area_m2 in m², not negative");
        }
        self.treaty_faults(&mut fault);
        if let Err(message) = AdminUnits::read(self.admin_units.as_ref()) {
            fault("/admin_units", &message);
        }
        faults
    }

    fn treaty_faults(&self, fault: &mut impl FnMut(&str, &str)) {
        let bad = |day: Option<NaiveDate>| day.is_some_and(|day| !TREATY_YEARS.contains(&day.year()));
        let years = format!("a day from {} to {}", TREATY_YEARS.start(), TREATY_YEARS.end());
        for (pointer, day) in
            [("/deposited_on", self.deposited_on), ("/entry_into_force", self.entry_into_force)]
        {
            if bad(day) {
                fault(pointer, &years);
            }
        }
        for (index, entry) in self.deadlines.iter().enumerate() {
            if [entry.requested_on, entry.decided_on, entry.new_deadline].into_iter().any(bad) {
                fault(&format!("/deadlines/{index}"), &years);
            }
        }
        for (index, day) in self.completions.iter().enumerate() {
            if bad(Some(*day)) {
                fault(&format!("/completions/{index}"), &years);
            }
        }
        let decided = !self.deadlines.is_empty() || !self.completions.is_empty();
        if decided && self.deposited_on.is_none() && self.entry_into_force.is_none() {
            fault("/deposited_on", "decisions about a deadline need `deposited_on` or `entry_into_force`");
        }
        if self.milestones.iter().any(|milestone| !TREATY_YEARS.contains(&milestone.year)) {
            fault("/milestones", &years);
        }
    }
}

/// Years in which something can be decided under the Mine Ban Convention: signed in 1997, and no plan reaches further
/// than two centuries.
const TREATY_YEARS: std::ops::RangeInclusive<i32> = 1997..=2200;

/// Administrative units, ready to be asked which one a place lies in.
#[derive(Debug, Clone, Default)]
pub struct AdminUnits(Vec<AdminUnit>);

/// One administrative unit.
#[derive(Debug, Clone)]
pub struct AdminUnit {
    /// 1 for provinces, 2 for districts …
    pub level: usize,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its ground.
    pub outline: MultiPolygon<f64>,
}

impl AdminUnits {
    /// Reads a `FeatureCollection`.
    ///
    /// # Errors
    /// What is wrong with which feature, in words.
    pub fn read(collection: Option<&Value>) -> Result<Self, String> {
        let Some(collection) = collection else { return Ok(Self::default()) };
        let features = collection
            .get("features")
            .and_then(Value::as_array)
            .ok_or("a GeoJSON FeatureCollection with `features`")?;
        // The bounds of a country are longer than any hazardous area's, and an administrator brings them once.
        let limits = Limits { vertices: 100_000, largest_area_m2: 1e14, ..Limits::default() };
        let unit = |(place, feature): (usize, &Value)| {
            let wrong = |what: &str| format!("feature {place}: {what}");
            let properties = feature.get("properties").ok_or_else(|| wrong("has no properties"))?;
            let text = |name: &str| {
                let value = properties.get(name).and_then(Value::as_str);
                value.map(str::to_owned).ok_or_else(|| wrong(&format!("needs the text `{name}`")))
            };
            let level =
                properties.get("level").and_then(Value::as_u64).filter(|level| (1..=4).contains(level));
            let geometry = feature.get("geometry").and_then(read_geojson);
            let geometry = geometry.ok_or_else(|| wrong("needs a polygon"))?;
            Ok::<_, String>(AdminUnit {
                level: usize::try_from(level.ok_or_else(|| wrong("needs `level`, 1 to 4"))?).unwrap_or(1),
                code: text("code")?,
                name: text("name")?,
                outline: Outline::read(&geometry, &limits)
                    .provisional()
                    .cloned()
                    .ok_or_else(|| wrong("its polygon is not valid"))?,
            })
        };
        features.iter().enumerate().map(unit).collect::<Result<_, _>>().map(Self)
    }

    /// Every unit.
    pub fn iter(&self) -> impl Iterator<Item = &AdminUnit> {
        self.0.iter()
    }

    /// Codes of the units of levels 1 to 3 that a place lies in.
    pub fn codes_at(&self, lon: f64, lat: f64) -> [Option<String>; 3] {
        let point = Point(Coord { x: lon, y: lat });
        let mut codes = [None, None, None];
        for unit in self.0.iter().filter(|unit| unit.level <= 3) {
            let code = &mut codes[unit.level - 1];
            if code.is_none() && unit.outline.contains(&point) {
                *code = Some(unit.code.clone());
            }
        }
        codes
    }
}
