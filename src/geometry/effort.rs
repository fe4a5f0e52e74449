//! How much it costs to cut outlines, and how much it may cost.
//!
//! Two combs of 10 000 teeth, one turned by 90°, cross in 10⁸ places: nobody may make the server cut that. What is
//! counted are pairs of edges that [`Bins`] would have compared, in a time linear in the number of edges. A pair of
//! two outlines may be a crossing, with some 300 bytes and a microsecond for the ground around it; a pair of one
//! outline is a comparison of some nanoseconds, since outlines do not cross themselves.

use geo::Coord;

pub(crate) use super::bins::ORDINARY;
use super::bins::{Bins, edges, pairs};
use super::crossing::Edges;
use super::exact::{GridOutline, GridPoint};

/// Pairs of edges of different outlines that any cutting may cost: about 300 MB and a second or two.
const BASE: u64 = 1_000_000;

/// Pairs that every edge may add, so that a large cluster of ordinary outlines is no more restricted than a small
/// one: where every place is under eight of them they make 11.
const PER_EDGE: u64 = 24;

/// Comparisons within one outline that cost as much as a pair of two.
const COMPARED: u64 = 64;

/// Vertices that outlines of real areas do not reach. What has more may use up half of what there is, so that it does
/// not keep ordinary outlines out.
const REAL: usize = 2_000;

/// Most places in which a single outline may meet itself.
const MOST_SPLITS: usize = 100_000;

/// Most pairs that are compared in cutting so many edges. Four times what [`Effort`] admits, because bins lie
/// otherwise once something is left out.
pub(super) fn most_compared(edges: usize) -> u64 {
    4 * COMPARED * limit(edges)
}

fn limit(edges: usize) -> u64 {
    BASE + PER_EDGE * edges as u64
}

/// Whether an outline of long rings meets itself in more places than can be put in order. Those of an ordinary size
/// always can.
pub(super) fn is_too_tangled(outline: &GridOutline) -> bool {
    if !is_beyond_real(outline) {
        return false;
    }
    let edges = edges_of(outline);
    edges.any_meeting().is_some() && !edges.count_splits(MOST_SPLITS).is_ok_and(|count| count <= MOST_SPLITS)
}

#[expect(clippy::cast_precision_loss, reason = "grid coordinates are below 2^35, exact in f64")]
fn edges_of(outline: &GridOutline) -> Edges {
    let coord = |p: &GridPoint| Coord { x: p.x as f64, y: p.y as f64 };
    let closed = |ring: &[GridPoint]| ring.iter().chain(ring.first()).map(coord).collect();
    let rings: Vec<Vec<Coord<f64>>> = outline.rings().map(closed).collect();
    Edges::of(rings.iter().map(Vec::as_slice))
}

/// Whether an outline has more vertices than real ones do.
pub(crate) fn is_beyond_real(outline: &GridOutline) -> bool {
    outline.vertices() > REAL
}

/// What the outlines admitted so far cost to cut.
pub(crate) struct Effort {
    /// `None` if there are so few edges that all of them can be cut whatever they look like.
    bins: Option<Bins>,
    /// Edges in each bin.
    held: Vec<u32>,
    edges: usize,
    spent: u64,
}

impl Effort {
    /// Nothing admitted yet of these outlines.
    pub(crate) fn among(outlines: &[&GridOutline]) -> Self {
        let all: usize = outlines.iter().map(|outline| outline.vertices()).sum();
        let bins = if all > ORDINARY { Bins::over(&edges(outlines)) } else { None };
        let held = vec![0; bins.as_ref().map_or(0, Bins::count)];
        Self { bins, held, edges: 0, spent: 0 }
    }

    /// Admits an outline unless it would cost too much to cut it with those that are admitted already.
    pub(crate) fn admit(&mut self, outline: &GridOutline) -> bool {
        let Some(bins) = &self.bins else {
            return true;
        };
        let mut entered: Vec<usize> = Vec::with_capacity(2 * outline.vertices());
        outline.edges().for_each(|(from, to)| bins.along(from, to, |bin| entered.push(bin)));
        entered.sort_unstable();
        let (mut own, mut shared) = (0, 0);
        for here in entered.chunk_by(|a, b| a == b) {
            own += pairs(here.len() as u64);
            shared += here.len() as u64 * u64::from(self.held[here[0]]);
        }
        let cost = self.spent + shared + own / COMPARED;
        let limit = limit(self.edges + outline.vertices());
        if cost > if is_beyond_real(outline) { limit / 2 } else { limit } {
            return false;
        }
        for bin in entered {
            self.held[bin] += 1;
        }
        self.edges += outline.vertices();
        self.spent = cost;
        true
    }
}
