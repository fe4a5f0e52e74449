//! Integer points, outlines and predicates on the grid. Everything here is exact.

use std::cmp::Ordering;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use geo::Coord;
use serde::{Deserialize, Serialize};

use super::crossing::Edges;

/// A point of the grid, in whole millimetres east and north of its origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct GridPoint {
    /// Millimetres east.
    pub x: i64,
    /// Millimetres north.
    pub y: i64,
}

/// An area as an exact whole number of **half** square millimetres (twice the area is what ring sums yield).
///
/// Sums and differences are exact; see [`SquareMillimetres::m2`] for showing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SquareMillimetres(i128);

impl SquareMillimetres {
    /// No ground.
    pub const ZERO: Self = Self(0);

    /// From twice the area in mm².
    pub const fn from_doubled(doubled: i128) -> Self {
        Self(doubled)
    }

    /// Twice the area in mm², exactly.
    pub const fn doubled(self) -> i128 {
        self.0
    }

    /// Square metres, for display: the nearest `f64`.
    #[expect(clippy::cast_precision_loss, reason = "display only; sums are made on the integers")]
    pub fn m2(self) -> f64 {
        self.0 as f64 / 2e6
    }

    /// The magnitude.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.abs())
    }
}

impl fmt::Display for SquareMillimetres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6} m²", self.m2())
    }
}

impl Add for SquareMillimetres {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for SquareMillimetres {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for SquareMillimetres {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for SquareMillimetres {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl SubAssign for SquareMillimetres {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl Sum for SquareMillimetres {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::ZERO, Add::add)
    }
}

/// A box on the grid, edges included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GridRect {
    /// South-western corner.
    pub min: GridPoint,
    /// North-eastern corner.
    pub max: GridPoint,
}

impl GridRect {
    /// The box around some points; `None` without points.
    pub fn around<'a>(points: impl IntoIterator<Item = &'a GridPoint>) -> Option<Self> {
        let mut points = points.into_iter();
        let first = *points.next()?;
        Some(points.fold(Self { min: first, max: first }, |rect, p| Self {
            min: GridPoint { x: rect.min.x.min(p.x), y: rect.min.y.min(p.y) },
            max: GridPoint { x: rect.max.x.max(p.x), y: rect.max.y.max(p.y) },
        }))
    }

    /// Whether the boxes share at least a point.
    pub fn touches(&self, other: &Self) -> bool {
        self.min.x <= other.max.x
            && other.min.x <= self.max.x
            && self.min.y <= other.max.y
            && other.min.y <= self.max.y
    }
}

/// Closed rings of one outline on the grid, without their closing points, in one allocation.
///
/// Ground belongs to the outline where the rings wind around it (non-zero rule), so overlapping members count once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GridOutline {
    points: Box<[GridPoint]>,
    ends: Box<[u32]>,
    rect: GridRect,
}

impl GridOutline {
    /// From rings without closing points; rings with fewer than three points enclose nothing and are left out.
    /// `None` if no ring remains.
    pub fn new(rings: impl IntoIterator<Item = Vec<GridPoint>>) -> Option<Self> {
        let mut points = Vec::new();
        let mut ends = Vec::new();
        for mut ring in rings {
            ring.dedup();
            while ring.len() > 1 && ring.first() == ring.last() {
                ring.pop();
            }
            if ring.len() >= 3 {
                points.append(&mut ring);
                ends.push(u32::try_from(points.len()).ok()?);
            }
        }
        let rect = GridRect::around(&points)?;
        Some(Self { points: points.into(), ends: ends.into(), rect })
    }

    /// The rings, each without its closing point.
    pub fn rings(&self) -> impl Iterator<Item = &[GridPoint]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let ring = &self.points[start..end as usize];
            start = end as usize;
            ring
        })
    }

    /// The edges of all rings.
    pub fn edges(&self) -> impl Iterator<Item = (GridPoint, GridPoint)> {
        self.rings().flat_map(ring_edges)
    }

    /// The box around it.
    pub fn rect(&self) -> &GridRect {
        &self.rect
    }

    /// Number of vertices.
    pub fn vertices(&self) -> usize {
        self.points.len()
    }

    /// Length of all rings in mm; judges slivers and tolerances, enters no figure.
    pub fn perimeter(&self) -> f64 {
        self.edges().map(|(a, b)| length(a, b)).sum()
    }

    /// The signed ring sum: its area, if rings are valid and canonically oriented.
    pub fn ring_sum(&self) -> SquareMillimetres {
        self.rings().map(ring_area).sum()
    }

    /// One counter-clockwise ring that nowhere meets itself: its ring sum is its area, no overlay needed.
    pub fn is_plain(&self) -> bool {
        self.ends.len() == 1 && self.ring_sum() > SquareMillimetres::ZERO && !ring_meets_itself(&self.points)
    }
}

/// Distance in mm. The plain root: nothing here is near overflow, and `hypot` takes five times as long.
#[expect(clippy::cast_precision_loss, reason = "differences stay below 2^36")]
pub(crate) fn length(a: GridPoint, b: GridPoint) -> f64 {
    let (east, north) = ((b.x - a.x) as f64, (b.y - a.y) as f64);
    (east * east + north * north).sqrt()
}

/// The edges of a ring given without its closing point.
pub fn ring_edges(ring: &[GridPoint]) -> impl Iterator<Item = (GridPoint, GridPoint)> {
    ring.iter().copied().zip(ring.iter().copied().cycle().skip(1))
}

/// Signed area of a ring by the shoelace formula, counter-clockwise positive.
pub fn ring_area(ring: &[GridPoint]) -> SquareMillimetres {
    let Some(&origin) = ring.first() else {
        return SquareMillimetres::ZERO;
    };
    SquareMillimetres(ring_edges(ring).map(|(a, b)| cross(origin, a, b)).sum())
}

/// Twice the signed area of the triangle `o`, `a`, `b`: positive if `b` is left of the way from `o` to `a`.
pub fn cross(o: GridPoint, a: GridPoint, b: GridPoint) -> i128 {
    i128::from(a.x - o.x) * i128::from(b.y - o.y) - i128::from(a.y - o.y) * i128::from(b.x - o.x)
}

/// Which side of the way from `o` to `a` the point `b` is on: `Greater` is left.
pub fn side(o: GridPoint, a: GridPoint, b: GridPoint) -> Ordering {
    cross(o, a, b).cmp(&0)
}

/// How two edges meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meeting {
    /// They share no point.
    Apart,
    /// They share points, at least one of which is an end.
    Touch,
    /// Each passes from one side of the other to its other side.
    Cross,
}

/// How the edges `a` and `b` meet.
pub fn meeting(a: (GridPoint, GridPoint), b: (GridPoint, GridPoint)) -> Meeting {
    let spans = |a: (i64, i64), b: (i64, i64)| a.0.min(a.1) <= b.0.max(b.1) && b.0.min(b.1) <= a.0.max(a.1);
    if !spans((a.0.x, a.1.x), (b.0.x, b.1.x)) || !spans((a.0.y, a.1.y), (b.0.y, b.1.y)) {
        return Meeting::Apart;
    }
    let (b0, b1) = (side(a.0, a.1, b.0), side(a.0, a.1, b.1));
    if b0 == b1 && b0 != Ordering::Equal {
        return Meeting::Apart;
    }
    let (a0, a1) = (side(b.0, b.1, a.0), side(b.0, b.1, a.1));
    if a0 == a1 && a0 != Ordering::Equal {
        return Meeting::Apart;
    }
    if [a0, a1, b0, b1].contains(&Ordering::Equal) { Meeting::Touch } else { Meeting::Cross }
}

/// The grid point nearest to where two edges cross (halves go up). Call only for [`Meeting::Cross`].
pub fn crossing(a: (GridPoint, GridPoint), b: (GridPoint, GridPoint)) -> GridPoint {
    let from = cross(b.0, b.1, a.0);
    let to = cross(b.0, b.1, a.1);
    let (part, whole) = if from > to { (from, from - to) } else { (-from, to - from) };
    let along = |start: i64, end: i64| {
        let doubled = 2 * i128::from(end - start) * part + whole;
        let steps = doubled.div_euclid(2 * whole);
        start + i64::try_from(steps).expect("a crossing lies between the ends of its edge")
    };
    GridPoint { x: along(a.0.x, a.1.x), y: along(a.0.y, a.1.y) }
}

/// Edges from which the sweep of `crossing`, which suits rings of any form, is quicker than comparing edges that
/// overlap in x.
const LONG_RING: usize = 1_000;

fn ring_meets_itself(ring: &[GridPoint]) -> bool {
    if ring.len() >= LONG_RING {
        return long_ring_meets_itself(ring);
    }
    let edges: Vec<_> = ring_edges(ring).collect();
    let west = |i: usize| edges[i].0.x.min(edges[i].1.x);
    let mut order: Vec<usize> = (0..edges.len()).collect();
    order.sort_unstable_by_key(|&i| west(i));
    order.iter().enumerate().any(|(rank, &i)| {
        let reach = edges[i].0.x.max(edges[i].1.x);
        order[rank + 1..].iter().take_while(|&&j| west(j) <= reach).any(|&j| {
            let (first, second) = (i.min(j), i.max(j));
            let next = second == first + 1;
            if next || (first == 0 && second + 1 == edges.len()) {
                let (before, after) =
                    if next { (edges[first], edges[second]) } else { (edges[second], edges[first]) };
                runs_back(before, after)
            } else {
                meeting(edges[i], edges[j]) != Meeting::Apart
            }
        })
    })
}

#[expect(clippy::cast_precision_loss, reason = "grid coordinates are below 2^35, exact in f64")]
fn long_ring_meets_itself(ring: &[GridPoint]) -> bool {
    let closed = ring.iter().chain(ring.first());
    let coords: Vec<Coord<f64>> = closed.map(|p| Coord { x: p.x as f64, y: p.y as f64 }).collect();
    Edges::of([coords.as_slice()]).any_meeting().is_some()
}

/// Whether the edge after runs back along the edge before it.
fn runs_back(before: (GridPoint, GridPoint), after: (GridPoint, GridPoint)) -> bool {
    let along =
        |d: fn(GridPoint) -> i64| i128::from(d(before.1) - d(before.0)) * i128::from(d(after.1) - d(after.0));
    side(before.0, before.1, after.1) == Ordering::Equal && along(|p| p.x) + along(|p| p.y) < 0
}

/// How often the rings of an outline wind around a point that is not on them.
pub fn winding(outline: &GridOutline, point: GridPoint) -> i32 {
    outline
        .edges()
        .map(|(a, b)| {
            if a.y <= point.y && b.y > point.y && side(a, b, point) == Ordering::Greater {
                1
            } else if b.y <= point.y && a.y > point.y && side(a, b, point) == Ordering::Less {
                -1
            } else {
                0
            }
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(x: i64, y: i64) -> GridPoint {
        GridPoint { x, y }
    }

    #[test]
    fn ring_sums_are_exact_far_from_the_origin() {
        let far = 9_000_000_000;
        let ring = [p(far, far), p(far + 3, far), p(far + 3, far + 1), p(far, far + 1)];
        assert_eq!(ring_area(&ring).doubled(), 6);
    }

    #[test]
    fn a_crossing_does_not_depend_on_who_is_named_first() {
        let a = (p(0, 0), p(7, 3));
        let b = (p(0, 4), p(9, -1));
        let expected = crossing(a, b);
        for a in [a, (a.1, a.0)] {
            for b in [b, (b.1, b.0)] {
                assert_eq!(meeting(a, b), Meeting::Cross);
                assert_eq!(crossing(a, b), expected);
                assert_eq!(crossing(b, a), expected);
            }
        }
    }

    #[test]
    fn long_rings_are_told_plain_as_short_ones_are() {
        // Teeth above one another; swapping two corners of one crosses its edges, folding one back makes a spike.
        let tooth = |tooth: i64| {
            let foot = 4 * tooth;
            [p(10, foot), p(1_000, foot), p(1_000, foot + 2), p(10, foot + 2)]
        };
        let comb = |teeth: i64| -> Vec<GridPoint> {
            (0..teeth).flat_map(tooth).chain([p(0, 4 * teeth), p(0, 0)]).collect()
        };
        for teeth in [3, 300, 3_000] {
            let plain = comb(teeth);
            let (mut crossed, mut folded) = (plain.clone(), plain.clone());
            crossed.swap(5, 6);
            folded[6] = p(500, 4);
            assert!(!ring_meets_itself(&plain), "{teeth}");
            assert!(ring_meets_itself(&crossed), "{teeth}");
            assert!(ring_meets_itself(&folded), "{teeth}");
        }
    }

    #[test]
    fn plain_rings_are_told_from_tangled_ones() {
        let plain = |ring: Vec<GridPoint>| GridOutline::new([ring]).unwrap().is_plain();
        assert!(plain(vec![p(0, 0), p(10, 0), p(10, 10), p(0, 10)]));
        assert!(!plain(vec![p(0, 0), p(0, 10), p(10, 10), p(10, 0)]), "clockwise");
        assert!(!plain(vec![p(0, 0), p(10, 10), p(10, 0), p(0, 10)]), "bow-tie");
        assert!(!plain(vec![p(0, 0), p(10, 0), p(10, 10), p(10, 0), p(0, 10)]), "spike");
        assert!(plain(vec![p(0, 0), p(5, 0), p(10, 0), p(0, 10)]), "straight on");
    }
}
