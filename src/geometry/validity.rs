//! Whether polygons are valid in the sense of OGC Simple Features, and where they are not.
//!
//! `geo::Validation` says *that* a ring crosses itself, compares every edge with every other, and does not see
//! spikes; a surveyor needs to know *where*. So rings are swept here and the first crossing is named, while holes and
//! members are judged by `geo::Relate` as `geo` does it. Neither checks that the interior is connected: a hole that
//! touches the shell in two points passes, and counts the same ground either way.

use geo::coordinate_position::CoordPos;
use geo::dimensions::Dimensions;
use geo::line_intersection::line_intersection;
use geo::{BoundingRect, Intersects, Line, LineString, MultiPolygon, Polygon, Relate};

use super::fault::{Fault, FaultKind, Place};

/// All faults of canonical polygons; empty if they are valid.
pub fn faults(polygons: &MultiPolygon<f64>) -> Vec<Fault> {
    let mut found = Vec::new();
    for (member, polygon) in polygons.iter().enumerate() {
        let rings = std::iter::once(polygon.exterior()).chain(polygon.interiors());
        for (ring, line) in rings.enumerate() {
            found.extend(ring_fault(line, Place { member, ring, vertex: None }));
        }
    }
    // Relations between rings that cross themselves mean nothing, and `geo` may not survive them.
    if found.is_empty() {
        for (member, polygon) in polygons.iter().enumerate() {
            hole_faults(member, polygon, &mut found);
        }
    }
    if found.is_empty() {
        member_faults(polygons, &mut found);
    }
    found
}

/// The first place where a closed ring crosses, touches or runs back on itself.
fn ring_fault(ring: &LineString<f64>, place: Place) -> Option<Fault> {
    let edges: Vec<Line<f64>> = ring.lines().collect();
    let mut order: Vec<usize> = (0..edges.len()).collect();
    let west = |edge: &Line<f64>| edge.start.x.min(edge.end.x);
    let east = |edge: &Line<f64>| edge.start.x.max(edge.end.x);
    order.sort_unstable_by(|&i, &j| west(&edges[i]).total_cmp(&west(&edges[j])));
    let mut first: Option<(usize, usize)> = None;
    for (rank, &i) in order.iter().enumerate() {
        let reach = east(&edges[i]);
        for &j in order[rank + 1..].iter().take_while(|&&j| west(&edges[j]) <= reach) {
            let pair = (i.min(j), i.max(j));
            if first.is_none_or(|known| pair < known) && meet(&edges, pair) {
                first = Some(pair);
            }
        }
    }
    first.map(|pair| describe(&edges, pair, place))
}

fn neighbours(count: usize, (i, j): (usize, usize)) -> bool {
    j == i + 1 || (i == 0 && j + 1 == count)
}

/// Whether two edges of a ring share more than the vertex that neighbours must share.
fn meet(edges: &[Line<f64>], (i, j): (usize, usize)) -> bool {
    if neighbours(edges.len(), (i, j)) {
        matches!(
            line_intersection(edges[i], edges[j]),
            Some(geo::LineIntersection::Collinear { intersection })
                if intersection.start != intersection.end
        )
    } else {
        edges[i].intersects(&edges[j])
    }
}

fn describe(edges: &[Line<f64>], (i, j): (usize, usize), place: Place) -> Fault {
    let place = Place { vertex: Some(i), ..place };
    if neighbours(edges.len(), (i, j)) {
        let message = format!("edges {i} and {j} run back on each other");
        return Fault::new(FaultKind::Spike, place, message);
    }
    let at = match line_intersection(edges[i], edges[j]) {
        Some(geo::LineIntersection::SinglePoint { intersection, .. }) => intersection,
        Some(geo::LineIntersection::Collinear { intersection }) => intersection.start,
        None => edges[i].start,
    };
    let message = format!("edges {i} and {j} meet at {:.6} {:.6}", at.x, at.y);
    Fault::new(FaultKind::SelfIntersection, place, message)
}

fn hole_faults(member: usize, polygon: &Polygon<f64>, found: &mut Vec<Fault>) {
    let shell = Polygon::new(polygon.exterior().clone(), Vec::new());
    let holes: Vec<Polygon<f64>> =
        polygon.interiors().iter().map(|ring| Polygon::new(ring.clone(), Vec::new())).collect();
    for (index, hole) in holes.iter().enumerate() {
        let place = Place { member, ring: index + 1, vertex: None };
        let relation = shell.relate(hole);
        if !relation.is_contains() {
            let message = "the hole is not inside its shell";
            found.push(Fault::new(FaultKind::HoleOutsideShell, place, message));
        } else if relation.get(CoordPos::OnBoundary, CoordPos::OnBoundary) == Dimensions::OneDimensional {
            let message = "the hole shares an edge with its shell";
            found.push(Fault::new(FaultKind::RingsOverlap, place, message));
        }
        for (later, other) in holes.iter().enumerate().skip(index + 1) {
            if shares_more_than_points(hole, other).is_some() {
                let message = format!("holes {} and {} overlap", index + 1, later + 1);
                found.push(Fault::new(FaultKind::RingsOverlap, place, message));
            }
        }
    }
}

fn member_faults(polygons: &MultiPolygon<f64>, found: &mut Vec<Fault>) {
    for (member, polygon) in polygons.iter().enumerate() {
        for (later, other) in polygons.iter().enumerate().skip(member + 1) {
            let Some(kind) = shares_more_than_points(polygon, other) else {
                continue;
            };
            let place = Place { member: later, ring: 0, vertex: None };
            let verb = if kind == FaultKind::MembersTouch { "share an edge" } else { "overlap" };
            found.push(Fault::new(kind, place, format!("members {member} and {later} {verb}")));
        }
    }
}

fn shares_more_than_points(a: &Polygon<f64>, b: &Polygon<f64>) -> Option<FaultKind> {
    let (first, second) = (a.bounding_rect()?, b.bounding_rect()?);
    if !first.intersects(&second) {
        return None;
    }
    let relation = a.relate(b);
    if relation.get(CoordPos::Inside, CoordPos::Inside) == Dimensions::TwoDimensional {
        Some(FaultKind::MembersOverlap)
    } else if relation.get(CoordPos::OnBoundary, CoordPos::OnBoundary) == Dimensions::OneDimensional {
        Some(FaultKind::MembersTouch)
    } else {
        None
    }
}
