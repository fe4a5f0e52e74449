//! Promises of the geometry as a whole: known wrong answers of others, properties, and a real sheet.

use geo::{BooleanOps, GeodesicArea, MultiPolygon, Polygon, Validation, polygon};
use geojson::GeometryValue;
use proptest::prelude::*;

use super::fault::FaultKind;
use super::overlay::{balance, tolerance, union_area, untangle};
use super::{Arrangement, Extent, Grid, GridOutline, GridPoint, Limits, Outline, SquareMillimetres};
use super::{display, measure, repair};

fn read(json: &str) -> Outline {
    let geometry: geojson::Geometry = json.parse().unwrap();
    Outline::read(&geometry.value, &Limits::default())
}

fn kinds(outline: &Outline) -> Vec<FaultKind> {
    outline.faults.iter().map(|fault| fault.kind).collect()
}

fn bosnia() -> Grid {
    Grid::for_extent(Extent { west: 15.7, south: 42.5, east: 19.7, north: 45.3 }).unwrap()
}

const SQUARE: &str = "[[18,43],[18.01,43],[18.01,43.01],[18,43.01],[18,43]]";

#[test]
fn a_clean_polygon_has_nothing_to_say() {
    let outline = read(&format!(r#"{{"type":"Polygon","coordinates":[{SQUARE}]}}"#));
    assert!(outline.faults.is_empty(), "{:?}", outline.faults);
    assert!(outline.valid().is_some());
    assert!(outline.proposed.is_none());
}

#[test]
fn what_can_be_put_right_without_moving_ground_is_noted() {
    let outline = read(
        r#"{"type":"Polygon","coordinates":[[[18,43],[18,43.01],[18,43.01],[18.01,43.01],[18.01,43]]]}"#,
    );
    let expected = [FaultKind::RepeatedVertex, FaultKind::RingClosed, FaultKind::Reoriented];
    assert_eq!(kinds(&outline), expected);
    assert!(outline.valid().is_some());
    let signed = outline.valid().unwrap().geodesic_area_signed();
    assert!(signed > 0.0 && signed < 1e6, "{signed}");
}

#[test]
fn hopeless_geometries_are_faults_and_never_panics() {
    let cases = [
        (r#"{"type":"Point","coordinates":[18,43]}"#, FaultKind::NotAnArea),
        (r#"{"type":"Polygon","coordinates":[]}"#, FaultKind::Empty),
        (r#"{"type":"Polygon","coordinates":[[]]}"#, FaultKind::Empty),
        (r#"{"type":"MultiPolygon","coordinates":[]}"#, FaultKind::Empty),
        (r#"{"type":"Polygon","coordinates":[[[18],[18,43],[19,43],[18,43]]]}"#, FaultKind::ShortPosition),
        (r#"{"type":"Polygon","coordinates":[[[18,43],[18.1,43],[18,43]]]}"#, FaultKind::TooFewVertices),
        (r#"{"type":"Polygon","coordinates":[[[181,43],[18,43],[19,44],[181,43]]]}"#, FaultKind::OutOfRange),
        (
            r#"{"type":"Polygon","coordinates":[[[179,1],[-179,1],[-179,2],[179,2],[179,1]]]}"#,
            FaultKind::AcrossAntimeridian,
        ),
    ];
    for (json, kind) in cases {
        let geometry: Result<geojson::Geometry, _> = json.parse();
        // A reader may refuse one-number positions by itself.
        let Ok(geometry) = geometry else { continue };
        let outline = Outline::read(&geometry.value, &Limits::default());
        assert!(kinds(&outline).contains(&kind), "{json}: {:?}", outline.faults);
        assert!(outline.valid().is_none() && outline.proposed.is_none(), "{json}");
    }
    let nan: GeometryValue =
        GeometryValue::new_polygon([[[18.0, f64::NAN], [18.1, 43.0], [18.0, 43.1], [18.0, 43.0]]]);
    assert_eq!(kinds(&Outline::read(&nan, &Limits::default())), [FaultKind::NotFinite]);
}

#[test]
fn swapped_coordinates_are_told_from_distant_ones() {
    let extent = Extent { west: 15.7, south: 42.5, east: 19.7, north: 45.3 };
    let limits = Limits { extent: Some(extent), ..Limits::default() };
    let swapped: geojson::Geometry =
        r#"{"type":"Polygon","coordinates":[[[43,18],[43,18.1],[43.1,18.1],[43,18]]]}"#.parse().unwrap();
    let outline = Outline::read(&swapped.value, &limits);
    assert_eq!(outline.faults[0].kind, FaultKind::OutsideExtent);
    assert!(outline.faults[0].message.contains("swapped"), "{}", outline.faults[0]);
    assert_eq!(outline.faults[0].place.vertex, Some(0));
}

#[test]
fn a_bow_tie_is_placed_and_a_repair_of_both_loops_proposed() {
    let outline =
        read(r#"{"type":"Polygon","coordinates":[[[18,43],[18.01,43.01],[18.01,43],[18,43.01],[18,43]]]}"#);
    let fault = outline.errors().next().unwrap();
    assert_eq!(fault.kind, FaultKind::SelfIntersection);
    assert_eq!(fault.place.vertex, Some(0));
    assert!(outline.valid().is_none());
    let whole = read(&format!(r#"{{"type":"Polygon","coordinates":[{SQUARE}]}}"#));
    let half = measure::area(whole.valid().unwrap()) / 2.0;
    let found = measure::area(outline.proposed.as_ref().unwrap());
    assert!((found / half - 1.0).abs() < 1e-4, "{found} {half}");
    assert_eq!(outline.provisional(), outline.proposed.as_ref());
}

#[test]
fn overlapping_members_keep_their_shared_ground_once() {
    let other = "[[18.005,43],[18.015,43],[18.015,43.01],[18.005,43.01],[18.005,43]]";
    let outline = read(&format!(r#"{{"type":"MultiPolygon","coordinates":[[{SQUARE}],[{other}]]}}"#));
    assert_eq!(kinds(&outline), [FaultKind::MembersOverlap]);
    let whole = read(&format!(r#"{{"type":"Polygon","coordinates":[{SQUARE}]}}"#));
    let expected = 1.5 * measure::area(whole.valid().unwrap());
    let found = measure::area(outline.proposed.as_ref().unwrap());
    assert!((found / expected - 1.0).abs() < 1e-6, "{found} {expected}");
}

#[test]
fn a_hole_outside_its_shell_does_not_become_ground() {
    let hole = "[[18.02,43],[18.02,43.01],[18.03,43.01],[18.03,43],[18.02,43]]";
    let outline = read(&format!(r#"{{"type":"Polygon","coordinates":[{SQUARE},{hole}]}}"#));
    assert_eq!(kinds(&outline), [FaultKind::HoleOutsideShell]);
    let whole = read(&format!(r#"{{"type":"Polygon","coordinates":[{SQUARE}]}}"#));
    let found = measure::area(outline.proposed.as_ref().unwrap());
    assert!((found / measure::area(whole.valid().unwrap()) - 1.0).abs() < 1e-9, "{found}");
}

#[test]
fn vertices_metres_apart_are_not_merged_by_a_repair() {
    let tiny = polygon![
        (x: 18.0, y: 43.0), (x: 18.00005, y: 43.00005), (x: 18.00005, y: 43.0), (x: 18.0, y: 43.00005)
    ];
    let found = measure::area(&repair::propose(&MultiPolygon::new(vec![tiny])).unwrap());
    assert!((found - 11.3).abs() < 0.2, "half of 4.1 m × 5.6 m: {found}");
}

#[test]
fn winding_of_neighbours_does_not_change_what_is_left() {
    // `geo` 0.33 takes its fill rule from the first ring: with mixed winding it loses ground.
    let grid = bosnia();
    let square = |lon: f64, clockwise: bool| {
        let mut square = polygon![
            (x: lon, y: 43.0), (x: lon + 0.01, y: 43.0), (x: lon + 0.01, y: 43.01), (x: lon, y: 43.01)
        ];
        if clockwise {
            square.exterior_mut(|ring| ring.0.reverse());
        }
        square
    };
    let area = |first: bool, second: bool| {
        let both = [square(18.0, first), square(18.005, second)];
        let outlines = both.map(|one| grid.outline(&MultiPolygon::new(vec![one])).unwrap());
        let outlines = outlines.each_ref();
        let arranged = Arrangement::measure(&outlines).unwrap().area();
        assert!((arranged - union_area(&outlines).unwrap()).abs() <= tolerance(&outlines, &[]));
        arranged
    };
    let expected = area(false, false);
    assert!((expected.m2() / 1e6 - 1.358).abs() < 0.01, "{expected}");
    for (first, second) in [(false, true), (true, false), (true, true)] {
        assert_eq!(area(first, second), expected);
    }
}

fn ring() -> impl Strategy<Value = Vec<GridPoint>> {
    let point = (0i64..40, 0i64..40).prop_map(|(x, y)| GridPoint { x, y });
    proptest::collection::vec(point, 3..9)
}

fn large_ring() -> impl Strategy<Value = Vec<GridPoint>> {
    let point = (0i64..400_000, 0i64..400_000).prop_map(|(x, y)| GridPoint { x, y });
    proptest::collection::vec(point, 3..12)
}

fn outlines(ring: impl Strategy<Value = Vec<GridPoint>>) -> impl Strategy<Value = Vec<GridOutline>> {
    let outline = proptest::collection::vec(ring, 1..3)
        .prop_filter_map("no ring with three points", GridOutline::new)
        .prop_filter_map("no area", |tangled| untangle(&tangled).unwrap());
    proptest::collection::vec(outline, 1..7)
}

fn covered_by(arranged: &Arrangement, test: impl Fn(&[u32]) -> bool) -> SquareMillimetres {
    arranged.regions.iter().filter(|region| test(&region.covers)).map(|region| region.area).sum()
}

fn agrees_with_overlay(outlines: &[GridOutline]) -> Result<(), TestCaseError> {
    let all: Vec<&GridOutline> = outlines.iter().collect();
    let arranged = Arrangement::measure(&all).unwrap();
    let slack = tolerance(&all, &[]);
    for region in &arranged.regions {
        prop_assert!(region.area > SquareMillimetres::ZERO);
    }
    prop_assert!((arranged.area() - union_area(&all).unwrap()).abs() <= slack);
    let (subject, clip) = all.split_at(all.len() / 2);
    let boundary = u32::try_from(subject.len()).unwrap();
    let found = balance(subject, clip).unwrap();
    let in_subject = |covers: &[u32]| covers.iter().any(|&outline| outline < boundary);
    let in_clip = |covers: &[u32]| covers.iter().any(|&outline| outline >= boundary);
    let left = covered_by(&arranged, |covers| in_subject(covers) && !in_clip(covers));
    let taken = covered_by(&arranged, |covers| in_subject(covers) && in_clip(covers));
    prop_assert!((left - found.difference).abs() <= slack, "{left} {}", found.difference);
    prop_assert!((taken - found.intersection).abs() <= slack);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn tangles_on_a_coarse_grid_agree_with_the_overlay(outlines in outlines(ring())) {
        agrees_with_overlay(&outlines)?;
    }

    #[test]
    fn large_tangles_agree_with_the_overlay(outlines in outlines(large_ring())) {
        agrees_with_overlay(&outlines)?;
    }

    #[test]
    fn the_order_of_outlines_does_not_matter(outlines in outlines(large_ring())) {
        let forward: Vec<&GridOutline> = outlines.iter().collect();
        let backward: Vec<&GridOutline> = outlines.iter().rev().collect();
        let last = u32::try_from(outlines.len()).unwrap() - 1;
        let mut turned = Arrangement::measure(&backward).unwrap();
        for region in &mut turned.regions {
            region.covers = region.covers.iter().rev().map(|index| last - index).collect();
        }
        turned.regions.sort_by(|a, b| a.covers.cmp(&b.covers));
        let expected = Arrangement::measure(&forward).unwrap();
        let areas = |a: &Arrangement| -> Vec<_> {
            a.regions.iter().map(|region| (region.covers.clone(), region.area)).collect()
        };
        prop_assert_eq!(areas(&turned), areas(&expected));
    }

    #[test]
    fn what_is_shown_covers_what_was_counted(outlines in outlines(large_ring())) {
        let grid = bosnia();
        let all: Vec<&GridOutline> = outlines.iter().collect();
        for region in Arrangement::draw(&all).unwrap().regions {
            let shown = display::polygons(&grid, &region.rings).unwrap();
            let counted = region.area.m2();
            let edges = u32::try_from(region.rings.iter().map(Vec::len).sum::<usize>()).unwrap();
            let perimeter = 2000.0 * f64::from(edges);
            prop_assert!((measure::area(&shown) - counted).abs() < 1e-3 * perimeter + 1e-5 * counted);
        }
    }
}

/// The sheet, or a plain word that it is absent.
pub(crate) fn sheet() -> Option<geojson::FeatureCollection> {
    let data = std::env::var("CARTAGENA_SHARED_DATA")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data").into());
    let path = std::path::Path::new(&data).join("bih_sheet_2882-III.geojson");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("SKIPPED: {} is absent; set CARTAGENA_SHARED_DATA", path.display());
        return None;
    };
    Some(text.parse::<geojson::GeoJson>().unwrap().try_into().unwrap())
}

/// Outlines of the sheet's polygons of one kind.
pub(crate) fn sheet_outlines(sheet: &geojson::FeatureCollection, kind: &str) -> Vec<Outline> {
    let limits = Limits { least_area_m2: 0.0, ..Limits::default() };
    sheet
        .features
        .iter()
        .filter(|feature| feature.property("typeArea").and_then(|v| v.as_str()) == Some(kind))
        .filter_map(|feature| feature.geometry.as_ref())
        .map(|geometry| Outline::read(&geometry.value, &limits))
        .collect()
}

#[test]
fn the_bosnian_sheet_agrees_with_geos() {
    let Some(sheet) = sheet() else { return };
    let grid = bosnia();
    let on_grid = |kind: &str| -> Vec<GridOutline> {
        sheet_outlines(&sheet, kind)
            .iter()
            .filter_map(|outline| outline.provisional())
            .map(|polygons| grid.outline(polygons).unwrap())
            .collect()
    };
    let (suspected, cleared) = (on_grid("Suspected Minefield"), on_grid("Cleared Areas"));
    let suspected: Vec<&GridOutline> = suspected.iter().collect();
    let cleared: Vec<&GridOutline> = cleared.iter().collect();
    let left = balance(&suspected, &cleared).unwrap();
    let found = [left.subject, left.intersection, left.difference, union_area(&cleared).unwrap()];
    let found = found.map(SquareMillimetres::m2);
    println!("suspected, overlap, left, cleared: {found:?}");
    let close = |found: f64, oracle: f64, share: f64| (found / oracle - 1.0).abs() < share;
    assert!(close(found[0], 28_342_112.0, 1e-4), "{found:?}");
    assert!(close(found[1], 47_954.0, 1e-3), "{found:?}");
    assert!(close(found[2], 28_294_156.0, 1e-4), "{found:?}");
    assert!(close(found[3], 494_310.0, 1e-3), "{found:?}");
}

#[test]
fn faults_of_the_sheet_are_those_geo_sees() {
    let Some(sheet) = sheet() else { return };
    let (mut tangled, mut proposals) = (0, 0);
    for kind in ["Suspected Minefield", "Cleared Areas"] {
        for outline in sheet_outlines(&sheet, kind) {
            let Some(entered) = &outline.entered else {
                continue;
            };
            let ours = outline.valid().is_none();
            // `geo` does not see spikes; whatever it refuses, we refuse.
            assert!(ours || entered.is_valid(), "{:?}", outline.faults);
            tangled += usize::from(ours);
            proposals += usize::from(outline.proposed.as_ref().is_some_and(Validation::is_valid));
        }
    }
    println!("{tangled} faulty outlines, {proposals} valid proposals");
    assert_eq!(tangled, proposals);
    assert!(tangled >= 29);
}

#[test]
#[expect(clippy::cast_possible_truncation, reason = "a few kilometres in millimetres")]
fn float_overlays_move_with_distant_polygons_and_ours_do_not() {
    // The reason for the fixed grid: `geo` scales to the joint box of all its input.
    let near = polygon![(x: 0.0, y: 0.0), (x: 333.3, y: 0.1), (x: 299.7, y: 300.1), (x: 0.3, y: 250.7)];
    let far = polygon![
        (x: 1.2e6, y: 0.0), (x: 1.2e6 + 100.0, y: 0.0), (x: 1.2e6 + 100.0, y: 100.0), (x: 1.2e6, y: 100.0)
    ];
    let union: MultiPolygon<f64> =
        MultiPolygon::new(vec![near.clone()]).union(&MultiPolygon::new(vec![far.clone()]));
    assert_eq!(union.0.len(), 2);
    let whole = |polygon: &Polygon<f64>| {
        let points = polygon
            .exterior()
            .0
            .iter()
            .map(|c| GridPoint { x: (c.x * 1e3).round() as i64, y: (c.y * 1e3).round() as i64 });
        GridOutline::new([points.collect::<Vec<_>>()]).unwrap()
    };
    let (near, far) = (whole(&near), whole(&far));
    let together = Arrangement::measure(&[&near, &far]).unwrap().area();
    let apart = Arrangement::measure(&[&near]).unwrap().area();
    assert_eq!((together - apart).doubled(), 2 * 100_000 * 100_000);
}
