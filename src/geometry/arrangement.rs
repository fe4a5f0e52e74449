//! The arrangement of outlines: the ground they cover cut into disjoint regions, each labelled with the outlines
//! that cover it.
//!
//! One pass over snap-rounded edges instead of many overlays: the edges around every face are followed once, the
//! winding number of every outline is carried from face to face, and faces under the same outlines make one region.
//! Areas are exact ring sums of the rounded edges, so the regions add up to their union to the last unit. That the
//! labels agree across *every* edge is checked, not assumed.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::exact::{GridOutline, GridPoint, SquareMillimetres, cross, length, side};
use super::overlay::OverlayError;
use super::snap::{Strand, strands};

/// Ground under exactly one set of outlines.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    /// Indices of the outlines that cover it, ascending.
    pub covers: Vec<u32>,
    /// Its area.
    pub area: SquareMillimetres,
    /// Oriented rings (shells counter-clockwise, holes clockwise); empty unless asked for.
    pub rings: Vec<Vec<GridPoint>>,
    /// Parts that look like slips of the pen: see [`is_sliver`].
    pub slivers: u32,
    /// The area of those parts. It is counted like any other; this only lists it.
    pub sliver_area: SquareMillimetres,
}

/// Disjoint regions, ordered by the outlines that cover them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Arrangement {
    /// The regions covered by at least one outline.
    pub regions: Vec<Region>,
}

/// A part below 1 m², or so thin that 4πA/P² < 0.01 (P in mm).
pub fn is_sliver(area: SquareMillimetres, perimeter: f64) -> bool {
    let square_mm = area.m2() * 1e6;
    square_mm < 1e6 || 4.0 * std::f64::consts::PI * square_mm < 0.01 * perimeter * perimeter
}

impl Arrangement {
    /// Cuts outlines into regions, without the regions' rings.
    pub fn measure(outlines: &[&GridOutline]) -> Result<Self, OverlayError> {
        Self::build(outlines, false)
    }

    /// Cuts outlines into regions with their rings, for showing.
    pub fn draw(outlines: &[&GridOutline]) -> Result<Self, OverlayError> {
        Self::build(outlines, true)
    }

    fn build(outlines: &[&GridOutline], with_rings: bool) -> Result<Self, OverlayError> {
        let graph = Graph::new(strands(outlines)?);
        let cycles = graph.cycles();
        let labels = graph.labels(&cycles)?;
        let mut regions: BTreeMap<Vec<u32>, Region> = BTreeMap::new();
        for (cycle, label) in cycles.iter().zip(&labels) {
            if label.is_empty() {
                continue;
            }
            let covers: Vec<u32> = label.iter().map(|&(outline, _)| outline).collect();
            let region = regions.entry(covers).or_insert_with_key(|covers| Region {
                covers: covers.clone(),
                area: SquareMillimetres::ZERO,
                rings: Vec::new(),
                slivers: 0,
                sliver_area: SquareMillimetres::ZERO,
            });
            region.area += cycle.area;
            if cycle.area > SquareMillimetres::ZERO && is_sliver(cycle.area, cycle.perimeter) {
                region.slivers += 1;
                region.sliver_area += cycle.area;
            }
            if with_rings {
                region.rings.push(graph.ring(cycle.start));
            }
        }
        Ok(Self { regions: regions.into_values().collect() })
    }

    /// The area of all regions together.
    pub fn area(&self) -> SquareMillimetres {
        self.regions.iter().map(|region| region.area).sum()
    }
}

/// Most entries of labels that are walked in cutting; about a quarter is kept, 8 bytes each. Some three hundred
/// outlines that all cross one another come to it; ordinary ground is under a handful of outlines.
const MOST_LABELLED: usize = 32_000_000;

/// Entries that every edge may add.
const LABELLED_PER_EDGE: usize = 64;

/// Parts whose height an edge may come across in the mean, beyond as many in all as there may be entries.
const PARTS_PER_EDGE: usize = 256;

/// Winding numbers other than 0, by outline.
type Label = Vec<(u32, i32)>;

/// A closed walk along half-edges with one face on its left.
struct Cycle {
    start: usize,
    area: SquareMillimetres,
    perimeter: f64,
}

/// Half-edge `2e` runs from the low to the high end of edge `e`, half-edge `2e + 1` back.
struct Graph {
    edges: Vec<(GridPoint, GridPoint)>,
    winds: Vec<(u32, i32)>,
    winds_end: Vec<u32>,
    next: Vec<u32>,
    cycle_of: Vec<u32>,
    /// The half-edge with the outer face on its left, for each connected part, with the part's lowest vertex.
    outer: Vec<(GridPoint, usize)>,
}

impl Graph {
    fn new(mut strands: Vec<Strand>) -> Self {
        strands.sort_unstable();
        let mut edges = Vec::with_capacity(strands.len());
        let mut winds: Vec<(u32, i32)> = Vec::with_capacity(strands.len());
        let mut winds_end = Vec::with_capacity(strands.len());
        for same in strands.chunk_by(|a, b| (a.low, a.high) == (b.low, b.high)) {
            let before = winds.len();
            for outline in same.chunk_by(|a, b| a.outline == b.outline) {
                let net: i32 = outline.iter().map(|strand| strand.winds).sum();
                if net != 0 {
                    winds.push((outline[0].outline, net));
                }
            }
            // An edge walked there and back bounds nothing.
            if winds.len() > before {
                edges.push((same[0].low, same[0].high));
                winds_end.push(u32::try_from(winds.len()).expect("fewer strands than 2^32"));
            }
        }
        let (next, outer) = link(&edges);
        let mut graph = Self { edges, winds, winds_end, next, cycle_of: Vec::new(), outer };
        graph.number_cycles();
        graph.keep_one_outer_per_part();
        graph
    }

    fn ends(&self, half: usize) -> (GridPoint, GridPoint) {
        let (low, high) = self.edges[half / 2];
        if half.is_multiple_of(2) { (low, high) } else { (high, low) }
    }

    fn winds(&self, edge: usize) -> &[(u32, i32)] {
        let start = if edge == 0 { 0 } else { self.winds_end[edge - 1] as usize };
        &self.winds[start..self.winds_end[edge] as usize]
    }

    fn walk(&self, start: usize) -> impl Iterator<Item = usize> {
        let mut half = Some(start);
        std::iter::from_fn(move || {
            let current = half?;
            let next = self.next[current] as usize;
            half = (next != start).then_some(next);
            Some(current)
        })
    }

    fn ring(&self, start: usize) -> Vec<GridPoint> {
        self.walk(start).map(|half| self.ends(half).0).collect()
    }

    fn number_cycles(&mut self) {
        let mut cycle_of = vec![u32::MAX; self.next.len()];
        let mut cycle = 0;
        for start in 0..cycle_of.len() {
            if cycle_of[start] == u32::MAX {
                self.walk(start).for_each(|half| cycle_of[half] = cycle);
                cycle += 1;
            }
        }
        self.cycle_of = cycle_of;
    }

    fn cycles(&self) -> Vec<Cycle> {
        let mut cycles: Vec<Cycle> = Vec::new();
        for start in 0..self.next.len() {
            if self.cycle_of[start] as usize == cycles.len() {
                let (area, perimeter) = self.measure(start);
                cycles.push(Cycle { start, area, perimeter });
            }
        }
        cycles
    }

    fn measure(&self, start: usize) -> (SquareMillimetres, f64) {
        let origin = self.ends(start).0;
        let (mut doubled, mut perimeter) = (0, 0.0);
        for half in self.walk(start) {
            let (a, b) = self.ends(half);
            doubled += cross(origin, a, b);
            perimeter += length(a, b);
        }
        (SquareMillimetres::from_doubled(doubled), perimeter)
    }

    /// Of the candidates for outermost half-edges (one per locally lowest vertex) keeps each part's lowest.
    fn keep_one_outer_per_part(&mut self) {
        let cycles = self.cycle_of.iter().max().map_or(0, |&last| last as usize + 1);
        let mut parts = Parts::new(cycles);
        for edge in 0..self.edges.len() {
            parts.join(self.cycle_of[2 * edge] as usize, self.cycle_of[2 * edge + 1] as usize);
        }
        let mut seen = vec![false; cycles];
        let mut outer = std::mem::take(&mut self.outer);
        outer.sort_unstable_by_key(|&(vertex, _)| vertex);
        outer.retain(|&(_, half)| {
            let part = parts.find(self.cycle_of[half] as usize);
            !std::mem::replace(&mut seen[part], true)
        });
        self.outer = outer;
    }

    /// The winding numbers left of every cycle.
    fn labels(&self, cycles: &[Cycle]) -> Result<Vec<Label>, OverlayError> {
        let mut labels: Vec<Option<Label>> = vec![None; cycles.len()];
        let mut open = Vec::new();
        let surroundings = self.surroundings()?;
        let mut left = MOST_LABELLED + LABELLED_PER_EDGE * self.edges.len();
        for (&(_, half), around) in self.outer.iter().zip(surroundings) {
            labels[self.cycle_of[half] as usize] = Some(around);
            open.push(self.cycle_of[half] as usize);
            while let Some(cycle) = open.pop() {
                let label = labels[cycle].clone().expect("a cycle is labelled before it is opened");
                for half in self.walk(cycles[cycle].start) {
                    left = left.checked_sub(label.len()).ok_or(OverlayError::TooIntricate)?;
                    let beyond = self.cycle_of[half ^ 1] as usize;
                    match &labels[beyond] {
                        None => {
                            labels[beyond] = Some(self.step(&label, half));
                            open.push(beyond);
                        }
                        Some(known) if half % 2 == 0 && *known != self.step(&label, half) => {
                            return Err(contradiction(self.ends(half).0));
                        }
                        Some(_) => {}
                    }
                }
            }
        }
        labels.into_iter().map(|label| label.ok_or_else(|| contradiction(GridPoint::default()))).collect()
    }

    /// The label right of a half-edge, from the label left of it.
    fn step(&self, label: &Label, half: usize) -> Label {
        let sign = if half.is_multiple_of(2) { -1 } else { 1 };
        let mut beyond = label.clone();
        for &(outline, winds) in self.winds(half / 2) {
            add(&mut beyond, outline, sign * winds);
        }
        beyond
    }

    /// For each part, the winding numbers of all other parts around it, by a ray to the west of its lowest vertex.
    fn surroundings(&self) -> Result<Vec<Label>, OverlayError> {
        let mut found = vec![Label::new(); self.outer.len()];
        if self.outer.len() < 2 {
            return Ok(found);
        }
        let mut left = MOST_LABELLED + PARTS_PER_EDGE * self.edges.len();
        let mut by_height: Vec<usize> = (0..self.outer.len()).collect();
        by_height.sort_unstable_by_key(|&part| self.outer[part].0.y);
        for (edge, &(low, high)) in self.edges.iter().enumerate() {
            let (bottom, top, sign) = if low.y < high.y { (low, high, -1) } else { (high, low, 1) };
            let first = by_height.partition_point(|&part| self.outer[part].0.y < bottom.y);
            let crossed = by_height[first..].iter().take_while(|&&part| self.outer[part].0.y < top.y);
            for &part in crossed {
                left = left.checked_sub(1).ok_or(OverlayError::TooIntricate)?;
                if side(bottom, top, self.outer[part].0) == Ordering::Less {
                    for &(outline, winds) in self.winds(edge) {
                        add(&mut found[part], outline, sign * winds);
                    }
                }
            }
        }
        Ok(found)
    }
}

fn contradiction(at: GridPoint) -> OverlayError {
    OverlayError::Contradiction(format!("faces disagree near {} {} mm on the grid", at.x, at.y))
}

fn add(label: &mut Label, outline: u32, winds: i32) {
    match label.binary_search_by_key(&outline, |&(known, _)| known) {
        Ok(at) => {
            label[at].1 += winds;
            if label[at].1 == 0 {
                label.remove(at);
            }
        }
        Err(at) => label.insert(at, (outline, winds)),
    }
}

/// For every half-edge the next one around the face on its left, and candidates for outermost half-edges.
fn link(edges: &[(GridPoint, GridPoint)]) -> (Vec<u32>, Vec<(GridPoint, usize)>) {
    let target = |half: usize| {
        let (low, high) = edges[half / 2];
        if half.is_multiple_of(2) { high } else { low }
    };
    let origin = |half: usize| target(half ^ 1);
    let mut out: Vec<u32> =
        (0..u32::try_from(edges.len() * 2).expect("fewer half-edges than 2^32")).collect();
    out.sort_unstable_by(|&a, &b| {
        let (a, b) = (a as usize, b as usize);
        origin(a).cmp(&origin(b)).then_with(|| turn(origin(a), target(a), target(b)))
    });
    let mut next = vec![0u32; out.len()];
    let mut outer = Vec::new();
    for around in out.chunk_by(|&a, &b| origin(a as usize) == origin(b as usize)) {
        for (index, &half) in around.iter().enumerate() {
            let clockwise = around[(index + around.len() - 1) % around.len()];
            next[half as usize ^ 1] = clockwise;
        }
        let last = around[around.len() - 1] as usize;
        if eastward(origin(last), target(last)) {
            outer.push((origin(last), last));
        }
    }
    (next, outer)
}

/// Directions in (−90°, 90°], those of edges that leave the lowest vertex of a part.
fn eastward(origin: GridPoint, target: GridPoint) -> bool {
    origin < target
}

/// Orders directions counter-clockwise, starting after due south.
fn turn(origin: GridPoint, a: GridPoint, b: GridPoint) -> Ordering {
    eastward(origin, b).cmp(&eastward(origin, a)).then_with(|| side(origin, b, a))
}

/// Disjoint sets with path halving.
pub(crate) struct Parts(Vec<u32>);

impl Parts {
    pub(crate) fn new(count: usize) -> Self {
        Self((0..u32::try_from(count).expect("fewer parts than 2^32")).collect())
    }

    /// Adds a set of one and returns its index.
    pub(crate) fn grow(&mut self) -> usize {
        let index = self.0.len();
        self.0.push(u32::try_from(index).expect("fewer parts than 2^32"));
        index
    }

    pub(crate) fn find(&mut self, mut item: usize) -> usize {
        while self.0[item] as usize != item {
            self.0[item] = self.0[self.0[item] as usize];
            item = self.0[item] as usize;
        }
        item
    }

    /// Joins two sets; the smaller root stays, so that the outcome does not depend on the order of joining.
    pub(crate) fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        let (low, high) = (a.min(b), a.max(b));
        self.0[high] = self.0[low];
    }
}
