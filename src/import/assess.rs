//! What is to be said of a feature's ground and fields before it is taken. Nothing is changed here.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde_json::{Map, Value};

use crate::geometry::shape::read_geojson;
use crate::geometry::{Limits, Outline, measure};
use crate::model::quality::{self, Context, Extent, RULES, Severity, View};

/// What was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Assessment {
    /// Geodesic area of the ground as entered, m².
    pub area_m2: Option<f64>,
    /// Geodesic area of the repair that can be proposed, m².
    pub proposed_m2: Option<f64>,
    /// Everything in words.
    pub reasons: Vec<String>,
    /// Why it is flagged, in words that many features share: a rule's title, a kind of fault.
    pub flags: BTreeSet<String>,
}

/// What is known beside the feature.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings {
    /// Today's date.
    pub today: NaiveDate,
    /// The country's box.
    pub country: Option<Extent>,
}

/// Looks at a feature as it would be stored.
pub fn assess(
    kind: &str,
    properties: &Map<String, Value>,
    geometry: Option<&Value>,
    around: Surroundings,
) -> Assessment {
    let mut found = Assessment::default();
    let areal =
        geometry.filter(|geometry| ["Polygon", "MultiPolygon"].iter().any(|name| geometry["type"] == *name));
    let mut calculated = None;
    if let Some(geometry) = areal {
        calculated = outline(geometry, &mut found);
    }
    let context =
        Context { country: around.country, calculated_area_m2: calculated, ..Context::new(around.today) };
    for finding in quality::check(&View { kind, properties, geometry }, &context) {
        if finding.severity >= Severity::Warning {
            found.flags.insert(named(finding.rule));
        }
        found.reasons.push(format!("{} {}: {}", finding.severity, finding.rule, finding.message));
    }
    found
}

/// A name with what it means, where a quality rule has it.
fn named(name: &str) -> String {
    match RULES.iter().find(|rule| rule.name == name) {
        Some(rule) => format!("{name}: {}", rule.title),
        None => name.to_owned(),
    }
}

/// Judges an outline and gives the area that a stated one is compared with.
fn outline(geometry: &Value, found: &mut Assessment) -> Option<f64> {
    let Some(read) = read_geojson(geometry) else {
        let fault = "the outline is not GeoJSON; it is stored as it stands".to_owned();
        found.flags.insert(fault.clone());
        found.reasons.push(fault);
        return None;
    };
    let outline = Outline::read(&read, &Limits::default());
    found.area_m2 = outline.entered.as_ref().map(measure::area);
    for fault in outline.errors() {
        found.flags.insert(named(fault.kind.as_str()));
        found.reasons.push(fault.to_string());
    }
    if let Some(proposed) = &outline.proposed {
        let area = measure::area(proposed);
        let entered = found.area_m2.unwrap_or_default();
        found.proposed_m2 = Some(area);
        found.reasons.push(format!(
            "repair proposed: {area:.1} m² in place of {entered:.1} m² as entered ({:+.1} m²)",
            area - entered
        ));
    }
    found.proposed_m2.or(found.area_m2)
}
