//! Outlines as GeoJSON and as the well-known text of a table: nothing panics, and what is called valid is.

use cartagena::geometry::{Limits, Outline, shape};
use cartagena::import::{Reading, Source};
use serde_json::Value;

use super::fuzz;

#[test]
fn any_geojson_is_judged() {
    fuzz("geojson", |case| {
        if let Ok(value) = serde_json::from_slice(case) {
            judge(&value);
        }
    });
}

#[test]
fn any_well_known_text_is_read_or_refused() {
    fuzz("wkt", |case| {
        let text = String::from_utf8_lossy(case).replace('"', "\"\"");
        let table = format!("id,wkt\n1,\"{text}\"\n");
        let Ok(source) = Source::read(table.as_bytes(), &Reading::default()) else { return };
        for geometry in source.features().filter_map(|feature| feature.geometry.as_ref()) {
            judge(geometry);
        }
    });
}

fn judge(value: &Value) {
    if let Some(shape) = shape::Shape::read(value) {
        assert!(shape.area_m2().is_finite() && shape.area_m2() >= 0.0, "{}", shape.area_m2());
        assert!(shape.bbox().iter().all(|edge| edge.is_finite()), "{:?}", shape.bbox());
        assert!(!shape.wkb().is_empty());
    }
    let Some(geometry) = shape::read_geojson(value) else { return };
    // How large an area may be is the programme's to say.
    let limits = Limits { least_area_m2: 0.0, largest_area_m2: f64::INFINITY, ..Limits::default() };
    let outline = Outline::read(&geometry, &limits);
    if let Some(valid) = outline.valid() {
        let again = Outline::from_polygons(valid, &limits);
        assert_eq!(again.valid(), Some(valid), "a valid outline stays as it is");
    }
    if let Some(proposed) = &outline.proposed {
        let again = Outline::from_polygons(proposed, &limits);
        assert!(again.valid().is_some(), "a proposed repair is valid: {:?}", again.faults);
    }
}
