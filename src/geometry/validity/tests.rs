use geo::coordinate_position::CoordPos;
use geo::dimensions::Dimensions;
use geo::{LineString, MultiPolygon, Polygon, Relate};
use proptest::prelude::*;

use super::{NAMED, faults};
use crate::geometry::fault::FaultKind;

fn rectangle(west: f64, south: f64, width: f64, height: f64) -> LineString<f64> {
    let (east, north) = (west + width, south + height);
    vec![(west, south), (east, south), (east, north), (west, north), (west, south)].into()
}

fn alone(ring: &LineString<f64>) -> Polygon<f64> {
    Polygon::new(ring.clone(), Vec::new())
}

/// Kind, member and ring of every fault between rings, by relating each pair.
fn by_relating_all(polygons: &MultiPolygon<f64>) -> Vec<(FaultKind, usize, usize)> {
    let along = |a: &Polygon<f64>, b: &Polygon<f64>| {
        a.relate(b).get(CoordPos::OnBoundary, CoordPos::OnBoundary) == Dimensions::OneDimensional
    };
    let ground = |a: &Polygon<f64>, b: &Polygon<f64>| {
        a.relate(b).get(CoordPos::Inside, CoordPos::Inside) == Dimensions::TwoDimensional
    };
    let mut found = Vec::new();
    for (member, polygon) in polygons.iter().enumerate() {
        let shell = alone(polygon.exterior());
        let holes: Vec<Polygon<f64>> = polygon.interiors().iter().map(alone).collect();
        for (index, hole) in holes.iter().enumerate() {
            if !shell.relate(hole).is_contains() {
                found.push((FaultKind::HoleOutsideShell, member, index + 1));
            } else if along(&shell, hole) {
                found.push((FaultKind::RingsOverlap, member, index + 1));
            }
            let overlaps =
                holes[index + 1..].iter().filter(|other| ground(hole, other) || along(hole, other));
            found.extend(overlaps.map(|_| (FaultKind::RingsOverlap, member, index + 1)));
        }
    }
    if !found.is_empty() {
        return found;
    }
    for (member, polygon) in polygons.iter().enumerate() {
        for (later, other) in polygons.iter().enumerate().skip(member + 1) {
            if ground(polygon, other) {
                found.push((FaultKind::MembersOverlap, later, 0));
            } else if along(polygon, other) {
                found.push((FaultKind::MembersTouch, later, 0));
            }
        }
    }
    found
}

fn found(polygons: &MultiPolygon<f64>) -> Vec<(FaultKind, usize, usize)> {
    faults(polygons).iter().map(|fault| (fault.kind, fault.place.member, fault.place.ring)).collect()
}

/// Rectangles and triangles on a coarse lattice: they nest, touch in corners, share edges and overlap.
fn plain_ring(side: i32) -> impl Strategy<Value = LineString<f64>> {
    (0..side, 0..side, 1..side, 1..side, any::<bool>()).prop_map(|(x, y, width, height, whole)| {
        let ring = rectangle(x.into(), y.into(), width.into(), height.into());
        if whole { ring } else { [ring.0[0], ring.0[1], ring.0[2], ring.0[0]].into_iter().collect() }
    })
}

fn polygons() -> impl Strategy<Value = MultiPolygon<f64>> {
    let polygon = (plain_ring(12), proptest::collection::vec(plain_ring(5), 0..4))
        .prop_map(|(shell, holes)| Polygon::new(shell, holes));
    let framed = proptest::collection::vec(plain_ring(5), 0..4)
        .prop_map(|holes| Polygon::new(rectangle(-1.0, -1.0, 12.0, 12.0), holes));
    let bare = || plain_ring(8).prop_map(|shell| Polygon::new(shell, Vec::new()));
    let member = prop_oneof![polygon, framed, bare(), bare()];
    proptest::collection::vec(member, 1..5).prop_map(MultiPolygon::new)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn rings_that_lie_ill_are_those_that_relating_all_finds(polygons in polygons()) {
        prop_assert_eq!(found(&polygons), by_relating_all(&polygons));
    }
}

#[test]
fn thousands_of_holes_and_members_are_judged() {
    let at = |number: u32| (f64::from(number % 100) * 0.01, f64::from(number / 100) * 0.01);
    let small = |number: u32| {
        let (west, south) = at(number);
        rectangle(west, south, 0.005, 0.005)
    };
    let shell = rectangle(-0.01, -0.01, 1.1, 1.1);
    let holes = Polygon::new(shell, (0..5_000).map(small).collect());
    assert!(faults(&MultiPolygon::new(vec![holes])).is_empty());
    let members = MultiPolygon::new((0..5_000).map(|number| alone(&small(number))).collect());
    assert!(faults(&members).is_empty());
}

#[test]
fn of_many_faults_between_rings_the_first_are_named() {
    let ring = |number: u32| rectangle(0.0, 0.0, f64::from(number), f64::from(number));
    let nested = MultiPolygon::new((1..=1_000).map(|number| alone(&ring(number))).collect());
    let named = found(&nested);
    assert_eq!(named.len(), NAMED);
    assert_eq!(named[0], (FaultKind::MembersOverlap, 1, 0));
    let shell = rectangle(-1.0, -1.0, 3_000.0, 3_000.0);
    let holes = MultiPolygon::new(vec![Polygon::new(shell, (1..=1_000).map(ring).collect())]);
    assert_eq!(found(&holes).len(), NAMED);
}

#[test]
fn rings_that_touch_too_often_are_not_judged_and_that_is_said() {
    // A thousand teeth in a shell of a thousand notches, every tip on an edge.
    let tip = |number: u32| (f64::from(number), if number.is_multiple_of(2) { 0.0 } else { 1.0 });
    let mut shell: Vec<(f64, f64)> = (0..1_000).map(tip).collect();
    shell.extend([(999.0, -10.0), (0.0, -10.0), (0.0, 0.0)]);
    let hole = |number: u32| {
        let (x, y) = tip(number);
        LineString::from(vec![(x, y), (x + 0.1, y - 2.0), (x - 0.1, y - 2.0), (x, y)])
    };
    let touching = (1..999).filter(|number| number % 2 == 1).map(hole).collect();
    let polygon = MultiPolygon::new(vec![Polygon::new(shell.into(), touching)]);
    let found = faults(&polygon);
    assert_eq!(found.last().map(|fault| fault.kind), Some(FaultKind::TooIntricate), "{found:?}");
}
