//! What is to be said of a feature's ground and fields before it is taken. Nothing is changed here.

use chrono::NaiveDate;
use serde_json::{Map, Value};

use crate::geometry::shape::read_geojson;
use crate::geometry::{Limits, Outline, measure};
use crate::model::quality::{self, Context, Extent, Severity, View};

/// What was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Assessment {
    /// Geodesic area of the ground as entered, m².
    pub area_m2: Option<f64>,
    /// Geodesic area of the repair that can be proposed, m².
    pub proposed_m2: Option<f64>,
    /// A quality rule wants a person to look at it.
    pub is_flagged: bool,
    /// Everything in words.
    pub reasons: Vec<String>,
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
        found.is_flagged |= finding.severity >= Severity::Warning;
        found.reasons.push(format!("{} {}: {}", finding.severity, finding.rule, finding.message));
    }
    found
}

/// Judges an outline and gives the area that a stated one is compared with.
fn outline(geometry: &Value, found: &mut Assessment) -> Option<f64> {
    let Some(read) = read_geojson(geometry) else {
        found.is_flagged = true;
        found.reasons.push("the outline is not GeoJSON; it is stored as it stands".to_owned());
        return None;
    };
    let outline = Outline::read(&read, &Limits::default());
    found.area_m2 = outline.entered.as_ref().map(measure::area);
    let faults: Vec<String> = outline.errors().map(ToString::to_string).collect();
    found.is_flagged |= !faults.is_empty();
    found.reasons.extend(faults);
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
