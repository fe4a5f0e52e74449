use std::collections::BTreeSet;
use std::f64::consts::TAU;

use geo::line_intersection::line_intersection;
use geo::{Coord, Intersects, Line, LineIntersection};
use proptest::prelude::*;

use super::{Edges, Pair, TooIntricate};

type Ring = Vec<Coord<f64>>;

fn closed(points: impl IntoIterator<Item = (f64, f64)>) -> Ring {
    let mut ring: Ring = points.into_iter().map(|(x, y)| Coord { x, y }).collect();
    ring.dedup();
    while ring.len() > 1 && ring.first() == ring.last() {
        ring.pop();
    }
    ring.push(ring[0]);
    ring
}

fn edges(rings: &[Ring]) -> Edges {
    Edges::of(rings.iter().map(Vec::as_slice))
}

/// Every edge with every other, as anybody would write it down first.
fn all_meetings(rings: &[Ring]) -> Vec<Pair> {
    let mut lines: Vec<(usize, usize, usize, Line<f64>)> = Vec::new();
    for (number, ring) in rings.iter().enumerate() {
        let count = ring.len() - 1;
        let line = |(at, ends): (usize, &[Coord<f64>])| (number, at, count, Line::new(ends[0], ends[1]));
        lines.extend(ring.windows(2).enumerate().map(line));
    }
    let mut found = Vec::new();
    for (i, &(ring, at, count, a)) in lines.iter().enumerate() {
        for (j, &(other, later, _, b)) in lines.iter().enumerate().skip(i + 1) {
            let next = later == at + 1 || (at == 0 && later + 1 == count);
            let meet = if ring == other && next {
                matches!(line_intersection(a, b), Some(LineIntersection::Collinear { intersection })
                    if intersection.start != intersection.end)
            } else {
                a.intersects(&b)
            };
            if meet {
                found.push((i, j));
            }
        }
    }
    found
}

/// Whether an end of one edge lies within the other, or each passes through the other.
fn split(a: Line<f64>, b: Line<f64>) -> bool {
    let within = |point: Coord<f64>, line: Line<f64>| {
        point != line.start && point != line.end && line.intersects(&point)
    };
    let proper =
        matches!(line_intersection(a, b), Some(LineIntersection::SinglePoint { is_proper: true, .. }));
    proper || within(a.start, b) || within(a.end, b) || within(b.start, a) || within(b.end, a)
}

fn agrees_with_all_pairs(rings: &[Ring]) -> Result<(), TestCaseError> {
    let edges = edges(rings);
    let expected = all_meetings(rings);
    prop_assert_eq!(edges.first_meeting(), expected.first().copied());
    match edges.any_meeting() {
        Some(pair) => prop_assert!(expected.contains(&pair), "{pair:?} do not meet"),
        None => prop_assert!(expected.is_empty(), "{expected:?} were not seen"),
    }
    let crosses = |&pair: &Pair| !edges.are_neighbours(pair) && edges.place(pair).1;
    prop_assert_eq!(edges.any_crossing(), expected.iter().any(crosses));
    let ring_of = |edge: usize| edges.rings[edge];
    let touching: BTreeSet<Pair> = expected
        .iter()
        .map(|&(i, j)| (ring_of(i), ring_of(j)))
        .filter(|(ring, other)| ring != other)
        .collect();
    prop_assert_eq!(edges.touching_rings(), Ok(touching));
    let splits = expected.iter().filter(|&&(i, j)| split(edges.lines[i], edges.lines[j])).count();
    prop_assert_eq!(edges.count_splits(1_000_000), Ok(splits));
    Ok(())
}

/// Rings on a lattice so coarse that vertices, edges and whole rings fall upon one another.
fn lattice_ring(side: i32, longest: usize) -> impl Strategy<Value = Ring> {
    let points = proptest::collection::vec((0..side, 0..side), 3..longest);
    points
        .prop_map(|points| closed(points.into_iter().map(|(x, y)| (f64::from(x), f64::from(y)))))
        .prop_filter("three edges", |ring| ring.len() > 3)
}

/// Rings that go once around a place: most are simple, and some touch themselves.
fn round_ring() -> impl Strategy<Value = Ring> {
    let points = proptest::collection::vec((0u32..24, 1i32..5), 3..20);
    let shift = (-6i32..7, -6i32..7);
    (points, shift)
        .prop_map(|(mut points, (east, north))| {
            points.sort_unstable();
            points.dedup_by_key(|(angle, _)| *angle);
            closed(points.into_iter().map(|(angle, reach)| {
                let angle = f64::from(angle) * TAU / 24.0;
                let (x, y) = (f64::from(reach) * angle.cos(), f64::from(reach) * angle.sin());
                (x + f64::from(east), y + f64::from(north))
            }))
        })
        .prop_filter("three edges", |ring| ring.len() > 3)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn a_small_tangle_is_seen_as_by_comparing_all(ring in lattice_ring(5, 9)) {
        agrees_with_all_pairs(&[ring])?;
    }

    #[test]
    fn a_large_tangle_is_seen_as_by_comparing_all(ring in lattice_ring(1_000, 40)) {
        agrees_with_all_pairs(&[ring])?;
    }

    #[test]
    fn a_round_ring_is_seen_as_by_comparing_all(ring in round_ring()) {
        agrees_with_all_pairs(&[ring])?;
    }

    #[test]
    fn several_rings_are_seen_as_by_comparing_all(
        rings in proptest::collection::vec(prop_oneof![round_ring(), lattice_ring(4, 5)], 1..5),
    ) {
        agrees_with_all_pairs(&rings)?;
    }
}

/// Teeth one above the other, turned by an angle: at 0 all edges overlap in x, at others all boxes overlap.
fn comb(teeth: u32, angle: f64) -> Ring {
    let mut points = Vec::new();
    for tooth in 0..teeth {
        let foot = f64::from(tooth) / f64::from(teeth);
        let head = foot + 0.5 / f64::from(teeth);
        points.extend([(0.1, foot), (1.0, foot), (1.0, head), (0.1, head)]);
    }
    points.extend([(0.0, 1.0), (0.0, -0.1)]);
    let (sine, cosine) = angle.sin_cos();
    closed(points.into_iter().map(|(x, y)| (x * cosine - y * sine, x * sine + y * cosine)))
}

/// Narrow rays around one place.
fn fan(rays: u32) -> Ring {
    closed((0..2 * rays).map(|step| {
        let angle = f64::from(step) * TAU / f64::from(2 * rays);
        let reach = if step % 2 == 0 { 1.0 } else { 0.001 };
        (reach * angle.cos(), reach * angle.sin())
    }))
}

#[test]
fn long_valid_rings_of_any_form_are_judged() {
    for ring in [comb(25_000, 0.0), comb(25_000, 0.7), fan(50_000)] {
        assert_eq!(edges(&[ring]).any_meeting(), None);
    }
}

#[test]
fn a_search_that_costs_too_much_names_another_meeting() {
    let mut ring = fan(50_000);
    let last = ring.len() - 2;
    ring.swap(last, last - 2);
    let edges = edges(&[ring]);
    let named = edges.first_meeting().unwrap();
    assert!(edges.meet(named), "{named:?}");
    assert_eq!(edges.count_splits(10_000), Err(TooIntricate));
}

#[test]
fn a_ring_that_crosses_itself_everywhere_is_named_by_its_first_edges() {
    // A star of 9 999 points, each edge crossing nearly all others.
    let count = 9_999_u32;
    let angle = |step: u32| f64::from(step * (count / 2) % count) * TAU / f64::from(count);
    let star = closed((0..count).map(|step| (angle(step).cos(), angle(step).sin())));
    let edges = edges(&[star]);
    assert_eq!(edges.first_meeting(), Some((0, 2)));
    assert_eq!(edges.count_splits(1_000), Ok(1_001));
}
