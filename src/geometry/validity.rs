//! Whether polygons are valid in the sense of OGC Simple Features, and where they are not.
//!
//! `geo::Validation` says *that* a ring crosses itself, compares every edge with every other, and does not see
//! spikes; a surveyor needs to know *where*. So all rings are swept at once (see `crossing`), and the first place
//! where a ring meets itself is named. Rings that share no point lie apart or inside one another, which one vertex
//! tells; only rings that touch are given to `geo::Relate`. None of this checks that the interior is connected: a
//! hole that touches the shell in two points passes, and counts the same ground either way.

#[cfg(test)]
mod tests;

use std::cell::OnceCell;
use std::collections::BTreeSet;

use geo::coordinate_position::{CoordPos, CoordinatePosition};
use geo::dimensions::Dimensions;
use geo::relate::IntersectionMatrix;
use geo::{BoundingRect, Coord, LineString, MultiPolygon, Polygon, PreparedGeometry, Relate};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, Envelope, RTree};

use super::crossing::{Edges, Pair, TooIntricate};
use super::fault::{Fault, FaultKind, Place};

/// Faults between rings or members that are named; a thousand more tell nobody anything.
const NAMED: usize = 100;

/// Vertices that may go through `geo::Relate` for one geometry, about 0.3 s.
const RELATED: usize = 200_000;

/// All faults of canonical polygons; empty if they are valid. Of faults between rings only the first 100.
pub fn faults(polygons: &MultiPolygon<f64>) -> Vec<Fault> {
    let edges = Edges::of(polygons.iter().flat_map(rings).map(coords));
    let mut touching = BTreeSet::new();
    if edges.any_meeting().is_some() {
        let tangled: Vec<Fault> = polygons.iter().enumerate().flat_map(ring_faults).collect();
        // Relations between rings that cross themselves mean nothing, and `geo` may not survive them.
        if !tangled.is_empty() {
            return tangled;
        }
        match edges.touching_rings() {
            Ok(pairs) => touching = pairs,
            Err(TooIntricate) => return vec![too_intricate()],
        }
    }
    let mut relations = Relations { touching, left: RELATED, found: Vec::new() };
    let judged = relations
        .judge_holes(polygons)
        .and_then(|()| if relations.found.is_empty() { relations.judge_members(polygons) } else { Ok(()) });
    if judged == Err(TooIntricate) {
        relations.found.push(too_intricate());
    }
    relations.found
}

fn too_intricate() -> Fault {
    let message = "its rings touch in too many places to tell whether they overlap";
    Fault::new(FaultKind::TooIntricate, Place::default(), message)
}

fn rings(polygon: &Polygon<f64>) -> impl Iterator<Item = &LineString<f64>> {
    std::iter::once(polygon.exterior()).chain(polygon.interiors())
}

fn coords(ring: &LineString<f64>) -> &[Coord<f64>] {
    &ring.0
}

fn ring_faults((member, polygon): (usize, &Polygon<f64>)) -> impl Iterator<Item = Fault> {
    let place = move |ring| Place { member, ring, vertex: None };
    rings(polygon).enumerate().filter_map(move |(ring, line)| ring_fault(line, place(ring)))
}

/// The first place where a closed ring crosses, touches or runs back on itself.
fn ring_fault(ring: &LineString<f64>, place: Place) -> Option<Fault> {
    let edges = Edges::of([coords(ring)]);
    let (i, j) = edges.first_meeting()?;
    let place = Place { vertex: Some(i), ..place };
    if edges.are_neighbours((i, j)) {
        let message = format!("edges {i} and {j} run back on each other");
        return Some(Fault::new(FaultKind::Spike, place, message));
    }
    let (at, _) = edges.place((i, j));
    let message = format!("edges {i} and {j} meet at {:.6} {:.6}", at.x, at.y);
    Some(Fault::new(FaultKind::SelfIntersection, place, message))
}

/// Judges how rings that are simple each lie to one another.
struct Relations {
    /// Rings that share a point, numbered through over all members.
    touching: BTreeSet<Pair>,
    /// Vertices that may still be related.
    left: usize,
    found: Vec<Fault>,
}

impl Relations {
    fn judge_holes(&mut self, polygons: &MultiPolygon<f64>) -> Result<(), TooIntricate> {
        let mut first = 0;
        for (member, polygon) in polygons.iter().enumerate() {
            let alone = |ring: &LineString<f64>| Polygon::new(ring.clone(), Vec::new());
            let filled: Vec<Polygon<f64>> = rings(polygon).map(alone).collect();
            let parts: Vec<Part<'_>> = filled.iter().map(Part::new).collect();
            let boxes = Boxes::around(&filled[1..]);
            for ring in 1..parts.len() {
                self.judge_hole(member, first, &parts, ring)?;
                for other in boxes.later_near(ring - 1).into_iter().map(|index| index + 1) {
                    let touch = self.touching.contains(&(first + ring, first + other));
                    if self.overlap(&parts[ring], &parts[other], touch)?.is_some() {
                        let place = Place { member, ring, vertex: None };
                        let message = format!("holes {ring} and {other} overlap");
                        self.found.push(Fault::new(FaultKind::RingsOverlap, place, message));
                    }
                    if self.found.len() >= NAMED {
                        return Ok(());
                    }
                }
            }
            first += parts.len();
        }
        Ok(())
    }

    /// Whether a hole lies inside its shell, which is ring 0 of the parts.
    fn judge_hole(
        &mut self,
        member: usize,
        first: usize,
        parts: &[Part<'_>],
        ring: usize,
    ) -> Result<(), TooIntricate> {
        let place = Place { member, ring, vertex: None };
        let (shell, hole) = (&parts[0], &parts[ring]);
        let (inside, along) = if self.touching.contains(&(first, first + ring)) {
            let relation = self.relate(shell, hole)?;
            (relation.is_contains(), boundaries_run_along(&relation))
        } else {
            (shell.covers_start_of(hole), false)
        };
        if !inside {
            let message = "the hole is not inside its shell";
            self.found.push(Fault::new(FaultKind::HoleOutsideShell, place, message));
        } else if along {
            let message = "the hole shares an edge with its shell";
            self.found.push(Fault::new(FaultKind::RingsOverlap, place, message));
        }
        Ok(())
    }

    fn judge_members(&mut self, polygons: &MultiPolygon<f64>) -> Result<(), TooIntricate> {
        let member_of: Vec<usize> = polygons
            .iter()
            .enumerate()
            .flat_map(|(member, polygon)| std::iter::repeat_n(member, rings(polygon).count()))
            .collect();
        let touching: BTreeSet<Pair> =
            self.touching.iter().map(|&(a, b)| (member_of[a], member_of[b])).collect();
        let parts: Vec<Part<'_>> = polygons.iter().map(Part::new).collect();
        let boxes = Boxes::around(&polygons.0);
        for member in 0..parts.len() {
            for later in boxes.later_near(member) {
                let touch = touching.contains(&(member, later));
                let Some(kind) = self.overlap(&parts[member], &parts[later], touch)? else {
                    continue;
                };
                let place = Place { member: later, ring: 0, vertex: None };
                let verb = if kind == FaultKind::MembersTouch { "share an edge" } else { "overlap" };
                let message = format!("members {member} and {later} {verb}");
                self.found.push(Fault::new(kind, place, message));
                if self.found.len() >= NAMED {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Whether two polygons share ground or edges.
    fn overlap(
        &mut self,
        a: &Part<'_>,
        b: &Part<'_>,
        touch: bool,
    ) -> Result<Option<FaultKind>, TooIntricate> {
        if !touch {
            let nested = a.covers_start_of(b) || b.covers_start_of(a);
            return Ok(nested.then_some(FaultKind::MembersOverlap));
        }
        let relation = self.relate(a, b)?;
        if relation.get(CoordPos::Inside, CoordPos::Inside) == Dimensions::TwoDimensional {
            Ok(Some(FaultKind::MembersOverlap))
        } else {
            Ok(boundaries_run_along(&relation).then_some(FaultKind::MembersTouch))
        }
    }

    fn relate(&mut self, a: &Part<'_>, b: &Part<'_>) -> Result<IntersectionMatrix, TooIntricate> {
        self.left = self.left.checked_sub(a.vertices() + b.vertices()).ok_or(TooIntricate)?;
        Ok(a.prepared().relate(b.prepared()))
    }
}

fn boundaries_run_along(relation: &IntersectionMatrix) -> bool {
    relation.get(CoordPos::OnBoundary, CoordPos::OnBoundary) == Dimensions::OneDimensional
}

/// A polygon that is made ready for `geo::Relate` once, and only if need be.
struct Part<'a> {
    polygon: &'a Polygon<f64>,
    prepared: OnceCell<PreparedGeometry<'a, &'a Polygon<f64>>>,
}

impl<'a> Part<'a> {
    fn new(polygon: &'a Polygon<f64>) -> Self {
        Self { polygon, prepared: OnceCell::new() }
    }

    fn prepared(&self) -> &PreparedGeometry<'a, &'a Polygon<f64>> {
        self.prepared.get_or_init(|| self.polygon.into())
    }

    fn vertices(&self) -> usize {
        rings(self.polygon).map(|ring| ring.0.len()).sum()
    }

    /// Whether a polygon whose rings share no point with this one begins inside it: then all of its shell does.
    fn covers_start_of(&self, other: &Part<'_>) -> bool {
        self.polygon.coordinate_position(&other.polygon.exterior().0[0]) == CoordPos::Inside
    }
}

/// Boxes around polygons, to find those that lie near one another.
struct Boxes {
    envelopes: Vec<AABB<[f64; 2]>>,
    tree: RTree<GeomWithData<Rectangle<[f64; 2]>, usize>>,
}

impl Boxes {
    fn around(polygons: &[Polygon<f64>]) -> Self {
        let envelope = |polygon: &Polygon<f64>| {
            polygon.bounding_rect().map_or_else(AABB::new_empty, |rect| {
                AABB::from_corners([rect.min().x, rect.min().y], [rect.max().x, rect.max().y])
            })
        };
        let envelopes: Vec<_> = polygons.iter().map(envelope).collect();
        let boxed =
            |(number, aabb): (usize, &AABB<_>)| GeomWithData::new(Rectangle::from_aabb(*aabb), number);
        let tree = RTree::bulk_load(envelopes.iter().enumerate().map(boxed).collect());
        Self { envelopes, tree }
    }

    /// Numbers of later polygons whose boxes meet the box of this one, in order.
    fn later_near(&self, number: usize) -> Vec<usize> {
        let near = self.tree.locate_in_envelope_intersecting(&self.envelopes[number]);
        let mut later: Vec<usize> = near.map(|found| found.data).filter(|&other| other > number).collect();
        later.sort_unstable();
        later
    }
}
