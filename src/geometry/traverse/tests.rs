use geo::CoordsIter;
use serde_json::json;

use super::*;
use crate::geometry::coordinate::{Utm, convergence_deg};
use crate::model::schema::Registry;

const CAMBODIA: Position = Position::new(104.90, 11.55);

fn legs(rows: &[(f64, f64)]) -> Vec<Leg> {
    rows.iter()
        .enumerate()
        .map(|(i, &(bearing_deg, distance_m))| Leg {
            from: None,
            to: format!("TP{}", i + 1),
            bearing_deg,
            distance_m,
            intermediate_points: 1,
        })
        .collect()
}

fn traverse(landmark: Position, boundary: &[(f64, f64)]) -> Traverse {
    Traverse {
        landmark,
        bearing_reference: North::True,
        declination_deg: 0.0,
        convergence_deg: 0.0,
        approach: Vec::new(),
        boundary: legs(boundary),
        closed: true,
    }
}

fn square() -> Traverse {
    traverse(CAMBODIA, &[(45.0, 100.0), (135.0, 100.0), (225.0, 100.0), (315.0, 100.0)])
}

fn metres(a: Position, b: Position) -> f64 {
    Geodesic.distance(Point::from(a), Point::from(b))
}

/// What the shoelace formula gives on a UTM grid, m².
fn planar_area(polygon: &Polygon<f64>, zone: u8) -> f64 {
    let on_grid = |c: geo::Coord<f64>| Utm::in_zone(Position::new(c.x, c.y), zone).unwrap();
    let points: Vec<Utm> = polygon.exterior_coords_iter().map(on_grid).collect();
    let twice = |pair: &[Utm]| pair[0].easting * pair[1].northing - pair[1].easting * pair[0].northing;
    points.windows(2).map(twice).sum::<f64>() / 2.0
}

#[test]
fn a_square_closes_to_half_a_millimetre() {
    let outline = square().compute(&Limits::COMPASS).unwrap();
    let misclosure = outline.report.misclosure_m.unwrap();
    assert!((misclosure - 0.0005).abs() < 5e-5, "{misclosure}");
    // The vector is of the corners as walked; adjusting half a millimetre takes the 0.023 m² away.
    let walked = outline.report.area_as_walked_m2;
    assert!((walked - 10_000.023).abs() < 1e-3, "{walked}");
    assert!((outline.report.area_m2 - 10_000.0).abs() < 1e-3, "{}", outline.report.area_m2);
    assert!(outline.report.is_accepted() && outline.report.adjusted);
    assert_eq!(outline.corners.len(), 4);
    assert_eq!((outline.corners[0].name.as_str(), outline.corners[0].position), ("SP", CAMBODIA));
    assert_eq!(outline.polygon.exterior().0.len(), 5);
}

#[test]
fn a_slip_of_two_metres_and_a_degree_shows() {
    let legs = [(45.0, 100.0), (135.0, 102.0), (226.0, 100.0), (315.0, 100.0)];
    let outline = traverse(CAMBODIA, &legs).compute(&Limits::INSTRUMENT).unwrap();
    let report = &outline.report;
    assert!((report.misclosure_m.unwrap() - 0.256).abs() < 5e-4, "{report:?}");
    assert!((report.length_m - 402.0).abs() < 1e-9);
    assert!((report.ratio.unwrap() - 1572.0).abs() < 0.5, "{report:?}");
    assert!(report.is_accepted());
}

#[test]
fn a_square_kilometre_needs_the_ellipsoid() {
    // The fourth leg is left out, so that nothing is adjusted.
    let mut form = traverse(Position::new(105.0, 0.5), &[(0.0, 1000.0), (90.0, 1000.0), (180.0, 1000.0)]);
    form.closed = false;
    let outline = form.compute(&Limits::COMPASS).unwrap();
    assert!((outline.report.area_m2 - 1_000_000.7).abs() < 0.06, "{}", outline.report.area_m2);
    let planar = planar_area(&outline.polygon, 48).abs();
    assert!((planar - 999_200.9).abs() < 0.06, "{planar}");
}

#[test]
fn an_ignored_declination_moves_the_point() {
    for (declination, expected) in [(2.0, 17.5), (5.0, 43.6), (10.0, 87.2)] {
        let mut form = square();
        form.approach = legs(&[(30.0, 500.0)]);
        form.bearing_reference = North::Magnetic;
        let start = |form: &Traverse| form.compute(&Limits::COMPASS).unwrap().corners[0].position;
        let ignored = start(&form);
        form.declination_deg = declination;
        let away = metres(ignored, start(&form));
        assert!((away - expected).abs() < 0.06, "{declination}: {away}");
    }
}

#[test]
fn three_norths_meet_in_one_bearing() {
    let mut form = square();
    form.declination_deg = 3.5;
    form.convergence_deg = convergence_deg(CAMBODIA, 48);
    form.bearing_reference = North::Magnetic;
    let grid = form.grid_bearing(45.0);
    assert!((grid - (45.0 + 3.5 - form.convergence_deg)).abs() < 1e-12);
    let by_compass = form.compute(&Limits::COMPASS).unwrap();
    for leg in &mut form.boundary {
        leg.bearing_deg += 3.5 - form.convergence_deg;
    }
    form.bearing_reference = North::Grid;
    let by_grid = form.compute(&Limits::COMPASS).unwrap();
    for (a, b) in by_compass.corners.iter().zip(&by_grid.corners) {
        assert!(metres(a.position, b.position) < 1e-6);
    }
    assert!((form.grid_bearing(359.0) - 359.0).abs() < 1e-12);
}

#[test]
fn the_approach_leads_from_landmark_to_start() {
    let mut form = square();
    form.approach = legs(&[(90.0, 40.0), (0.0, 30.0)]);
    form.approach[0].to = "BM".to_owned();
    form.approach[1].to = "SP".to_owned();
    form.boundary[0].from = Some("SP".to_owned());
    let outline = form.compute(&Limits::COMPASS).unwrap();
    let names: Vec<_> = outline.approach.iter().map(|placed| placed.name.as_str()).collect();
    assert_eq!(names, ["BM", "SP"]);
    assert_eq!(outline.approach[1].position, outline.corners[0].position);
    assert!((metres(CAMBODIA, outline.corners[0].position) - 50.0).abs() < 1e-3);
    assert!(outline.report.flags.is_empty());
}

#[test]
fn bowditch_closes_the_ring_in_proportion() {
    let mut form = square();
    form.boundary[1].distance_m = 100.4;
    let raw = form.walk(CAMBODIA.into(), &form.boundary);
    let outline = form.compute(&Limits::COMPASS).unwrap();
    let misclosure = outline.report.misclosure_m.unwrap();
    let moved: Vec<f64> = (1..4).map(|i| metres(raw[i - 1].into(), outline.corners[i].position)).collect();
    for (moved, walked) in moved.iter().zip([100.0, 200.4, 300.4]) {
        assert!((moved - misclosure * walked / 400.4).abs() < 1e-6, "{moved}");
    }
}

#[test]
fn a_blunder_is_flagged_and_not_spread() {
    let mut form = square();
    form.boundary[1].distance_m = 120.0;
    let raw = form.walk(CAMBODIA.into(), &form.boundary);
    let outline = form.compute(&Limits::COMPASS).unwrap();
    assert!(!outline.report.adjusted && !outline.report.is_accepted());
    assert!(matches!(outline.report.flags[..], [Flag::Misclosure { ratio, limit: 500.0 }] if ratio < 25.0));
    assert_eq!(outline.corners[1].position, raw[0].into());
}

#[test]
fn the_limit_is_the_programmes_choice() {
    let mut form = square();
    form.boundary[1].distance_m = 100.6;
    assert!(form.compute(&Limits::COMPASS).unwrap().report.is_accepted());
    assert!(!form.compute(&Limits::INSTRUMENT).unwrap().report.is_accepted());
}

#[test]
fn long_legs_want_intermediate_points() {
    let mut form = square();
    form.boundary[2].intermediate_points = 0;
    let report = form.compute(&Limits::COMPASS).unwrap().report;
    assert_eq!(report.flags, [Flag::NeedsIntermediatePoints { leg: 2, distance_m: 100.0 }]);
    assert!(report.is_accepted());
    form.boundary[2].distance_m = 5_001.0;
    let report = form.compute(&Limits::COMPASS).unwrap().report;
    assert_eq!(report.flags[0], Flag::LegTooLong { leg: 2, distance_m: 5_001.0 });
    assert!(!report.is_accepted());
}

#[test]
fn a_line_left_out_of_the_form_shows() {
    let mut form = square();
    form.boundary[2].from = Some("TP3".to_owned());
    form.boundary[1].distance_m = 0.0;
    let report = form.compute(&Limits::COMPASS).unwrap().report;
    assert!(report.flags.contains(&Flag::LegWithoutLength { leg: 1 }));
    let (expected, given) = ("TP2".to_owned(), "TP3".to_owned());
    assert!(report.flags.contains(&Flag::BrokenChain { leg: 2, expected, given }));
}

#[test]
fn an_open_traverse_has_no_misclosure() {
    let mut form = square();
    form.boundary.pop();
    form.closed = false;
    let outline = form.compute(&Limits::COMPASS).unwrap();
    assert_eq!(outline.corners.len(), 4);
    assert_eq!((outline.report.misclosure_m, outline.report.ratio), (None, None));
    assert_eq!(outline.report.flags, [Flag::NotClosed]);
    assert!((outline.report.area_m2 - 10_000.0).abs() < 0.1);
}

#[test]
fn what_has_no_outline_is_an_error() {
    let error = |form: Traverse| form.compute(&Limits::COMPASS).unwrap_err();
    assert_eq!(error(traverse(CAMBODIA, &[(0.0, 1.0), (180.0, 1.0)])), TraverseError::TooFewCorners(2));
    let nowhere = Position::new(11.55, 104.9);
    assert_eq!(error(Traverse { landmark: nowhere, ..square() }), TraverseError::Landmark(nowhere));
    let mut form = square();
    form.boundary[3].distance_m = -1.0;
    assert_eq!(error(form), TraverseError::Number { leg: 3, value: -1.0 });
    let form = Traverse { declination_deg: 200.0, ..square() };
    assert_eq!(error(form), TraverseError::North(200.0));
}

#[test]
fn the_outline_is_counter_clockwise_either_way() {
    let clockwise = square().compute(&Limits::COMPASS).unwrap();
    let legs = [(135.0, 100.0), (45.0, 100.0), (315.0, 100.0), (225.0, 100.0)];
    let counter = traverse(CAMBODIA, &legs).compute(&Limits::COMPASS).unwrap();
    for outline in [clockwise, counter] {
        assert!(outline.polygon.geodesic_area_signed() > 0.0);
    }
}

#[test]
fn the_form_travels_as_entered() {
    let form = json!({
        "landmark": [104.9, 11.55], "bearing_reference": "magnetic", "declination_deg": -0.5,
        "boundary": [{"to": "TP1", "bearing_deg": 45.0, "distance_m": 100.0}],
    });
    let form: Traverse = serde_json::from_value(form).unwrap();
    assert!(form.closed && form.approach.is_empty());
    let again = serde_json::to_value(&form).unwrap();
    let record = json!({"classification": "CHA", "status": "open", "contamination": ["ap_mine"],
                        "as_entered": {"traverse": again.clone()}});
    let schema = Registry::embedded().latest("hazardous_area").unwrap();
    assert_eq!(schema.validate(record.as_object().unwrap(), Some("Polygon")), []);
    assert_eq!(serde_json::from_value::<Traverse>(again).unwrap(), form);
}
