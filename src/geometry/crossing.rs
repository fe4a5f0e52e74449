//! Where edges of rings meet that should not.
//!
//! Whether any do is told by one sweep (Shamos and Hoey, 1976) in n·log n, whatever the rings look like: a comb, a
//! star or a fan costs no more than a field. Its predicates are exact, so there is nothing to tune. Only rings that
//! do meet are searched further, for the place to name or to count what an overlay would split, and that search is bounded:
//! nobody may make the server compare every edge with every other.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::BTreeSet;

use geo::algorithm::kernels::{Kernel, Orientation, RobustKernel};
use geo::line_intersection::line_intersection;
use geo::{Coord, Intersects, Line, LineIntersection};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};

/// Pairs of edges with meeting boxes that one search may compare, about 0.1 s. Rings of up to 2 800 vertices are
/// always searched to the end.
const SEARCHED: usize = 4_000_000;

/// The edges of some closed rings, numbered through in the order of the rings.
#[derive(Debug)]
pub(crate) struct Edges {
    lines: Vec<Line<f64>>,
    /// First edge of each ring, and the number of edges at the end.
    starts: Vec<usize>,
    /// The ring of each edge.
    rings: Vec<usize>,
}

/// Numbers of two edges, the lower one first.
pub(crate) type Pair = (usize, usize);

/// A search was given up because it would cost too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooIntricate;

impl Edges {
    /// From closed rings of finite coordinates without repeated vertices.
    pub(crate) fn of<'a>(rings: impl IntoIterator<Item = &'a [Coord<f64>]>) -> Self {
        let mut edges = Self { lines: Vec::new(), starts: vec![0], rings: Vec::new() };
        for (number, ring) in rings.into_iter().enumerate() {
            // Minus zero would be another place to `total_cmp`.
            let plain = |c: Coord<f64>| Coord { x: c.x + 0.0, y: c.y + 0.0 };
            edges.lines.extend(ring.windows(2).map(|ends| Line::new(plain(ends[0]), plain(ends[1]))));
            edges.rings.resize(edges.lines.len(), number);
            edges.starts.push(edges.lines.len());
        }
        edges
    }

    /// Whether two edges follow one another in a ring.
    pub(crate) fn are_neighbours(&self, (i, j): Pair) -> bool {
        let ring = self.rings[i];
        ring == self.rings[j] && (j == i + 1 || (i == self.starts[ring] && j + 1 == self.starts[ring + 1]))
    }

    /// Whether two edges share more than the vertex that neighbours must share.
    fn meet(&self, (i, j): Pair) -> bool {
        if self.are_neighbours((i, j)) {
            matches!(
                line_intersection(self.lines[i], self.lines[j]),
                Some(LineIntersection::Collinear { intersection })
                    if intersection.start != intersection.end
            )
        } else {
            self.lines[i].intersects(&self.lines[j])
        }
    }

    /// The first place that two meeting edges share, and whether each passes through the other there.
    pub(crate) fn place(&self, (i, j): Pair) -> (Coord<f64>, bool) {
        match line_intersection(self.lines[i], self.lines[j]) {
            Some(LineIntersection::SinglePoint { intersection, is_proper }) => (intersection, is_proper),
            Some(LineIntersection::Collinear { intersection }) => (intersection.start, false),
            None => (self.lines[i].start, false),
        }
    }

    /// Two edges that meet, if any do: not the first ones, but those that a sweep from west to east comes upon.
    pub(crate) fn any_meeting(&self) -> Option<Pair> {
        let at = |edge: usize| self.lines[edge].start;
        let mut order: Vec<usize> = (0..self.lines.len()).collect();
        order.sort_unstable_by(|&a, &b| west_first(at(a), at(b)).then(a.cmp(&b)));
        // A vertex that is there twice is a meeting; from here on each vertex has two edges and no more.
        if let Some(twice) = order.windows(2).find(|two| at(two[0]) == at(two[1])) {
            return Some((twice[0].min(twice[1]), twice[0].max(twice[1])));
        }
        let mut sweep = Sweep { edges: self, crossed: BTreeSet::new() };
        order.into_iter().find_map(|vertex| sweep.pass(vertex))
    }

    /// The lowest pair of edges that meet, if any do. Where the search would cost too much, any pair.
    pub(crate) fn first_meeting(&self) -> Option<Pair> {
        let known = self.any_meeting()?;
        let tree = self.tree();
        let mut left = SEARCHED;
        for i in 0..=known.0 {
            let mut partner = None;
            for j in self.near(&tree, i) {
                left = left.saturating_sub(1);
                if partner.is_none_or(|found| j < found) && self.meet((i, j)) {
                    partner = Some(j);
                }
            }
            if let Some(j) = partner {
                return Some((i, j));
            }
            if left == 0 {
                break;
            }
        }
        Some(known)
    }

    /// Whether some of the edges pass through one another rather than touch, as far as the search goes.
    pub(crate) fn any_crossing(&self) -> bool {
        let tree = self.tree();
        (0..self.lines.len())
            .flat_map(|i| self.near(&tree, i).map(move |j| (i, j)))
            .take(SEARCHED)
            .any(|pair| !self.are_neighbours(pair) && self.place(pair).1)
    }

    /// Numbers of the rings that share a point, the lower one first, each pair once and in order.
    pub(crate) fn touching_rings(&self) -> Result<BTreeSet<Pair>, TooIntricate> {
        let mut found = BTreeSet::new();
        self.search(|(i, j)| {
            let rings = (self.rings[i], self.rings[j]);
            if rings.0 != rings.1 && !found.contains(&rings) && self.meet((i, j)) {
                found.insert(rings);
            }
            true
        })?;
        Ok(found)
    }

    /// The number of pairs that meet elsewhere than in a vertex or an edge of both: places where an overlay splits
    /// edges. Counting ends behind `most`.
    pub(crate) fn count_splits(&self, most: usize) -> Result<usize, TooIntricate> {
        let mut count = 0;
        self.search(|(i, j)| {
            let (a, b) = (self.lines[i], self.lines[j]);
            let ends = [a.start == b.start, a.end == b.end, a.start == b.end, a.end == b.start];
            let splits = match line_intersection(a, b) {
                Some(LineIntersection::SinglePoint { .. }) => ends == [false; 4],
                Some(LineIntersection::Collinear { .. }) => {
                    ends != [true, true, false, false] && ends != [false, false, true, true]
                }
                None => false,
            };
            count += usize::from(splits);
            count <= most
        })?;
        Ok(count)
    }

    /// Shows pairs of edges whose boxes meet until told to stop.
    fn search(&self, mut look: impl FnMut(Pair) -> bool) -> Result<(), TooIntricate> {
        let tree = self.tree();
        let mut left = SEARCHED;
        for i in 0..self.lines.len() {
            for j in self.near(&tree, i) {
                if !look((i, j)) {
                    return Ok(());
                }
                left = left.checked_sub(1).ok_or(TooIntricate)?;
            }
        }
        Ok(())
    }

    fn tree(&self) -> RTree<Boxed> {
        let boxed = |(number, line)| GeomWithData::new(Rectangle::from_aabb(envelope(line)), number);
        RTree::bulk_load(self.lines.iter().enumerate().map(boxed).collect())
    }

    /// Later edges whose boxes meet the box of edge `i`, in no order.
    fn near<'a>(&self, tree: &'a RTree<Boxed>, i: usize) -> impl Iterator<Item = usize> + use<'a> {
        let found = tree.locate_in_envelope_intersecting(&envelope(&self.lines[i]));
        found.map(|edge| edge.data).filter(move |&j| j > i)
    }
}

type Boxed = GeomWithData<Rectangle<[f64; 2]>, usize>;

fn envelope(line: &Line<f64>) -> AABB<[f64; 2]> {
    AABB::from_corners([line.start.x, line.start.y], [line.end.x, line.end.y])
}

/// From west to east, and from south to north on one meridian: as if the sweep leaned a little.
fn west_first(a: Coord<f64>, b: Coord<f64>) -> Ordering {
    a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y))
}

/// The edges that the sweep line crosses, from south to north. As long as none meet, their order cannot change, and
/// two that meet first have become neighbours in it before.
struct Sweep<'a> {
    edges: &'a Edges,
    crossed: BTreeSet<Crossed>,
}

impl Sweep<'_> {
    /// Moves past the vertex at which an edge starts; gives two edges that meet if they became neighbours there.
    fn pass(&mut self, vertex: usize) -> Option<Pair> {
        let ring = self.edges.rings[vertex];
        let (first, end) = (self.edges.starts[ring], self.edges.starts[ring + 1]);
        let before = if vertex == first { end - 1 } else { vertex - 1 };
        let here = self.edges.lines[vertex].start;
        let both = [before, vertex].map(|number| Crossed::new(number, &self.edges.lines[number]));
        let starts = |edge: &Crossed| edge.west == here;
        for edge in both.iter().filter(|edge| !starts(edge)) {
            self.crossed.remove(edge);
        }
        for edge in both.into_iter().filter(starts) {
            let (south, north) = self.beside(&edge);
            let found = self.meeting(south, Some(edge)).or_else(|| self.meeting(Some(edge), north));
            if found.is_some() {
                return found;
            }
            self.crossed.insert(edge);
        }
        // Where both edges end, those beside them come together.
        let (south, north) = if both.iter().any(starts) { (None, None) } else { self.beside(&both[0]) };
        self.meeting(south, north)
    }

    fn beside(&self, edge: &Crossed) -> (Option<Crossed>, Option<Crossed>) {
        (self.crossed.range(..edge).next_back().copied(), self.crossed.range(edge..).next().copied())
    }

    fn meeting(&self, a: Option<Crossed>, b: Option<Crossed>) -> Option<Pair> {
        let (a, b) = (a?.number, b?.number);
        let pair = (a.min(b), a.max(b));
        self.edges.meet(pair).then_some(pair)
    }
}

/// An edge under the sweep line.
#[derive(Debug, Clone, Copy)]
struct Crossed {
    west: Coord<f64>,
    east: Coord<f64>,
    number: usize,
}

impl Crossed {
    fn new(number: usize, line: &Line<f64>) -> Self {
        let forward = west_first(line.start, line.end).is_lt();
        let (west, east) = if forward { (line.start, line.end) } else { (line.end, line.start) };
        Self { west, east, number }
    }

    /// Where a point lies as seen from this edge: `Less` if the edge is south of it.
    fn below(&self, point: Coord<f64>) -> Ordering {
        match RobustKernel::orient2d(self.west, self.east, point) {
            Orientation::CounterClockwise => Ordering::Less,
            Orientation::Clockwise => Ordering::Greater,
            Orientation::Collinear => Ordering::Equal,
        }
    }
}

impl Ord for Crossed {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.number == other.number {
            return Ordering::Equal;
        }
        let order = match west_first(self.west, other.west) {
            Ordering::Less => self.below(other.west),
            Ordering::Equal => self.below(other.east),
            Ordering::Greater => other.below(self.west).reverse(),
        };
        // Edges that meet where the later one begins come to lie side by side, and that is all it takes to see them.
        order.then(self.number.cmp(&other.number))
    }
}

impl PartialOrd for Crossed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Crossed {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Crossed {}
