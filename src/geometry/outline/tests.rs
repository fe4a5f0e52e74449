use geo::{LineString, MultiPolygon, Polygon};
use geojson::GeometryValue;

use super::{Limits, Outline, canonical};
use crate::geometry::fault::FaultKind;
use crate::geometry::measure;

const SQUARE: &str = "[[18,43],[18.01,43],[18.01,43.01],[18,43.01],[18,43]]";

fn geometry(json: &str) -> GeometryValue {
    json.parse::<geojson::Geometry>().unwrap().value
}

fn read(json: &str) -> Outline {
    Outline::read(&geometry(json), &Limits::default())
}

fn kinds(outline: &Outline) -> Vec<FaultKind> {
    outline.faults.iter().map(|fault| fault.kind).collect()
}

/// Rings that enclose nothing, and the fault of each.
const FLAT: [(&str, FaultKind); 4] = [
    ("[[18.002,43.002],[18.004,43.004],[18.002,43.002]]", FaultKind::TooFewVertices),
    ("[[18.002,43.002],[18.002,43.002],[18.002,43.002]]", FaultKind::TooFewVertices),
    ("[[18.25,43.5],[18.5,43.5],[18.75,43.5],[18.25,43.5]]", FaultKind::Spike),
    (
        "[[18.002,43.002],[18.004,43.003],[18.006,43.007],[18.004,43.003],[18.002,43.002]]",
        FaultKind::SelfIntersection,
    ),
];

#[test]
fn a_ring_without_area_takes_no_ground_away() {
    let whole = read(&format!(r#"{{"type":"Polygon","coordinates":[{SQUARE}]}}"#));
    let whole = measure::area(whole.valid().unwrap());
    for (flat, kind) in FLAT {
        let hole = format!(r#"{{"type":"Polygon","coordinates":[{SQUARE},{flat}]}}"#);
        let later = format!(r#"{{"type":"MultiPolygon","coordinates":[[{SQUARE}],[{flat}]]}}"#);
        let first = format!(r#"{{"type":"MultiPolygon","coordinates":[[{flat}],[{SQUARE}]]}}"#);
        for json in [hole, later, first] {
            let outline = read(&json);
            assert!(kinds(&outline).contains(&kind), "{json}: {:?}", outline.faults);
            assert_eq!(outline.valid(), None, "{json}");
            let proposed = measure::area(outline.proposed.as_ref().expect(&json));
            assert!((proposed / whole - 1.0).abs() < 1e-9, "{json}: {proposed}");
            assert!(outline.entered.is_some(), "{json}");
        }
    }
}

#[test]
fn what_encloses_nothing_at_all_has_no_proposal() {
    for (flat, kind) in FLAT {
        let outline = read(&format!(r#"{{"type":"Polygon","coordinates":[{flat}]}}"#));
        assert!(kinds(&outline).contains(&kind), "{:?}", outline.faults);
        assert_eq!(outline.provisional(), None);
    }
}

#[test]
fn a_position_that_lies_nowhere_still_spoils_the_whole() {
    let lost = "[[18.002,43.002],[181,43.004],[18.002,43.004],[18.002,43.002]]";
    let outline = read(&format!(r#"{{"type":"Polygon","coordinates":[{SQUARE},{lost}]}}"#));
    assert_eq!(kinds(&outline), [FaultKind::OutOfRange]);
    assert_eq!((outline.entered, outline.proposed), (None, None));
}

/// A zigzag and the straight way back through its middle.
fn zigzag(vertices: u32) -> MultiPolygon<f64> {
    let corner = |step: u32| {
        let up = if step.is_multiple_of(2) { 0.0 } else { 0.01 };
        (18.0 + 0.01 * f64::from(step) / f64::from(vertices), 43.0 + up)
    };
    let mut ring: Vec<(f64, f64)> = (0..vertices - 2).map(corner).collect();
    ring.extend([(18.011, 43.005), (17.999, 43.005)]);
    MultiPolygon::new(vec![Polygon::new(LineString::from(ring), Vec::new())])
}

#[test]
fn what_is_too_tangled_to_repair_says_so_and_counts_nothing() {
    let small = Outline::from_polygons(&zigzag(1_000), &Limits::default());
    assert!(small.proposed.is_some(), "{:?}", small.faults);
    let long = Outline::from_polygons(&zigzag(19_000), &Limits::default());
    let errors: Vec<_> = long.errors().map(|fault| fault.kind).collect();
    assert_eq!(errors, [FaultKind::SelfIntersection, FaultKind::NoRepair]);
    assert!(long.faults.last().unwrap().message.contains("vertices"), "{:?}", long.faults);
    assert!(long.entered.is_some() && long.provisional().is_none());
    // A star whose every edge crosses every other.
    let angle = |step: u32| f64::from(step * 200 % 401) * std::f64::consts::TAU / 401.0;
    let points = (0..401).map(|step| (18.0 + 0.01 * angle(step).cos(), 43.0 + 0.01 * angle(step).sin()));
    let star = MultiPolygon::new(vec![Polygon::new(points.collect(), Vec::new())]);
    let star = Outline::from_polygons(&star, &Limits::default());
    assert_eq!(star.faults.last().map(|fault| fault.kind), Some(FaultKind::NoRepair));
    assert!(star.faults.last().unwrap().message.contains("places"), "{:?}", star.faults);
}

#[test]
fn what_is_longer_than_allowed_is_not_looked_at() {
    let outline = Outline::from_polygons(&zigzag(20_000), &Limits::default());
    assert_eq!(kinds(&outline), [FaultKind::TooLarge], "the closing point is the one too many");
    assert_eq!(outline.entered, None);
}

#[test]
fn the_canonical_form_is_what_was_entered() {
    let bow_tie = "[[18,43],[18.01,43.01],[18.01,43],[18,43.01],[18,43]]";
    let clockwise = "[[18,43],[18,43.01],[18.01,43.01],[18.01,43]]";
    for json in [
        format!(r#"{{"type":"Polygon","coordinates":[{SQUARE}]}}"#),
        format!(r#"{{"type":"Polygon","coordinates":[{bow_tie}]}}"#),
        format!(r#"{{"type":"MultiPolygon","coordinates":[[{clockwise}],[{SQUARE}]]}}"#),
        format!(r#"{{"type":"Polygon","coordinates":[{SQUARE},{}]}}"#, FLAT[0].0),
        r#"{"type":"Point","coordinates":[18,43]}"#.to_owned(),
        r#"{"type":"Polygon","coordinates":[]}"#.to_owned(),
    ] {
        assert_eq!(canonical(&geometry(&json), &Limits::default()), read(&json).entered, "{json}");
    }
}

#[test]
fn many_parcels_that_share_edges_are_united() {
    let parcel = |number: u32| {
        let (west, south) = (18.0 + 0.001 * f64::from(number % 20), 43.0 + 0.001 * f64::from(number / 20));
        let corner = |step: u32| {
            let (along, side) = (0.001 * f64::from(step % 7) / 7.0, step / 7);
            let (x, y) = match side {
                0 => (along, 0.0),
                1 => (0.001, along),
                2 => (0.001 - along, 0.001),
                _ => (0.0, 0.001 - along),
            };
            // Neighbours must have the same corners to the last digit.
            let exact = |degrees: f64| (degrees * 1e9).round() / 1e9;
            (exact(west + x), exact(south + y))
        };
        Polygon::new((0..28).map(corner).collect(), Vec::new())
    };
    let parcels = MultiPolygon::new((0..300).map(parcel).collect());
    let outline = Outline::from_polygons(&parcels, &Limits::default());
    let proposed = outline.proposed.as_ref().expect("parcels are no tangle");
    let (found, sum) = (measure::area(proposed), measure::area(&parcels));
    assert!((found / sum - 1.0).abs() < 1e-6, "{found} {sum}");
}
