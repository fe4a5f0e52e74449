//! Edges sorted into square bins, so that only near ones are compared.

use super::exact::{GridOutline, GridPoint, GridRect};

/// Edges up to which comparing all of them costs so little that nobody needs to look where they lie.
pub(crate) const ORDINARY: usize = 1_400;

/// Most bins, and most entries in them, that are tried where edges are crowded: 4 MB each.
const MOST_BINS: usize = 1_000_000;

/// An edge of an outline.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edge {
    pub(crate) from: GridPoint,
    pub(crate) to: GridPoint,
    pub(crate) outline: u32,
}

/// The edges of some outlines.
pub(crate) fn edges(outlines: &[&GridOutline]) -> Vec<Edge> {
    (0u32..)
        .zip(outlines)
        .flat_map(|(outline, rings)| rings.edges().map(move |(from, to)| Edge { from, to, outline }))
        .collect()
}

/// Pairs among so many.
pub(crate) fn pairs(count: u64) -> u64 {
    count * count.saturating_sub(1) / 2
}

/// Square bins over the box of all edges, about one per edge.
pub(crate) struct Bins {
    rect: GridRect,
    side: i64,
    columns: usize,
    rows: usize,
}

/// Numbers grouped by bin.
pub(crate) struct ByBin {
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl ByBin {
    pub(crate) fn bin(&self, bin: usize) -> &[u32] {
        &self.items[self.starts[bin] as usize..self.starts[bin + 1] as usize]
    }

    pub(crate) fn bins(&self) -> impl Iterator<Item = &[u32]> {
        self.starts.windows(2).map(|ends| &self.items[ends[0] as usize..ends[1] as usize])
    }

    /// Pairs of numbers in one bin, over all bins.
    pub(crate) fn pairs(&self) -> u64 {
        self.bins().map(|here| pairs(here.len() as u64)).sum()
    }

    /// Pairs of one number from here and one from there in the same bin, over all bins.
    pub(crate) fn pairs_with(&self, other: &Self) -> u64 {
        self.bins().zip(other.bins()).map(|(here, there)| here.len() as u64 * there.len() as u64).sum()
    }
}

impl Bins {
    pub(crate) fn over(edges: &[Edge]) -> Option<Self> {
        let rect = GridRect::around(edges.iter().map(|edge| &edge.from))?;
        let count = i64::try_from(edges.len()).ok()?;
        let (width, height) = (rect.max.x - rect.min.x + 1, rect.max.y - rect.min.y + 1);
        let length: i64 = edges
            .iter()
            .map(|edge| (edge.to.x - edge.from.x).abs().max((edge.to.y - edge.from.y).abs()))
            .sum();
        let even = i128::from(width) * i128::from(height) / i128::from(count);
        let even = i64::try_from(even.isqrt()).ok()?;
        // The last term keeps the number of bins linear in the number of edges whatever the shape of the box.
        let side = even.max(length / count).max(width.max(height) / (count + 1)).max(16);
        Self::of(rect, side)?.refined(edges)
    }

    fn of(rect: GridRect, side: i64) -> Option<Self> {
        let across = |from: i64, to: i64| usize::try_from((to - from + 1) / side + 1).ok();
        let (columns, rows) = (across(rect.min.x, rect.max.x)?, across(rect.min.y, rect.max.y)?);
        Some(Self { rect, side, columns, rows })
    }

    /// Smaller bins where many edges lie in few of them: a dense place within a wide box.
    fn refined(self, edges: &[Edge]) -> Option<Self> {
        if edges.len() <= ORDINARY {
            return Some(self);
        }
        let plenty = 16 * edges.len() as u64;
        let (rect, mut side) = (self.rect, self.side);
        let mut least = self.pairs(edges);
        let mut best = self;
        while least > plenty && side >= 32 {
            side /= 2;
            let finer = Self::of(rect, side)?;
            if finer.columns.saturating_mul(finer.rows) > MOST_BINS || finer.entries(edges) > MOST_BINS {
                break;
            }
            let pairs = finer.pairs(edges);
            if pairs < least {
                (least, best) = (pairs, finer);
            }
        }
        Some(best)
    }

    fn pairs(&self, edges: &[Edge]) -> u64 {
        let mut held = vec![0u32; self.count()];
        for edge in edges {
            self.along(edge.from, edge.to, |bin| held[bin] += 1);
        }
        held.into_iter().map(|here| pairs(here.into())).sum()
    }

    /// About how often edges lie in bins.
    fn entries(&self, edges: &[Edge]) -> usize {
        let across = |edge: &Edge| (edge.to.x - edge.from.x).abs() + (edge.to.y - edge.from.y).abs();
        let entries: i64 = edges.iter().map(|edge| across(edge) / self.side + 1).sum();
        usize::try_from(entries).unwrap_or(usize::MAX)
    }

    pub(crate) fn count(&self) -> usize {
        self.columns * self.rows
    }

    fn column(&self, x: i64) -> usize {
        let column = ((x - self.rect.min.x) / self.side).max(0);
        usize::try_from(column).map_or(0, |column| column.min(self.columns - 1))
    }

    fn row(&self, y: i64) -> usize {
        let row = ((y - self.rect.min.y) / self.side).max(0);
        usize::try_from(row).map_or(0, |row| row.min(self.rows - 1))
    }

    pub(crate) fn bin(&self, point: GridPoint) -> usize {
        self.column(point.x) * self.rows + self.row(point.y)
    }

    /// Calls `visit` once for every bin within 2 mm of an edge.
    pub(crate) fn along(&self, from: GridPoint, to: GridPoint, mut visit: impl FnMut(usize)) {
        let (west, east) = if from.x <= to.x { (from, to) } else { (to, from) };
        let (first, last) = (self.column(west.x - 2), self.column(east.x + 2));
        let (south, north) = (from.y.min(to.y), from.y.max(to.y));
        for column in first..=last {
            let (low, high) = if first == last || west.x == east.x {
                (south, north)
            } else {
                self.rise(west, east, column)
            };
            let rows = self.row(low.max(south) - 2)..=self.row(high.min(north) + 2);
            rows.for_each(|row| visit(column * self.rows + row));
        }
    }

    /// The range of northings, with some millimetres to spare, that an edge runs through inside a column.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        reason = "differences stay below 2^36, where f64 is exact to far less than the margin"
    )]
    fn rise(&self, west: GridPoint, east: GridPoint, column: usize) -> (i64, i64) {
        let slope = (east.y - west.y) as f64 / (east.x - west.x) as f64;
        let start = self.rect.min.x + column as i64 * self.side;
        let at = |x: i64| {
            let x = x.clamp(west.x, east.x);
            west.y + (slope * (x - west.x) as f64) as i64
        };
        // Steep edges climb many millimetres within the two that the column is widened by.
        let (one, other) = (at(start - 3), at(start + self.side + 3));
        (one.min(other) - 2, one.max(other) + 2)
    }

    pub(crate) fn sort(&self, count: usize, bins_of: impl Fn(usize, &mut dyn FnMut(usize))) -> ByBin {
        let mut starts = vec![0u32; self.count() + 1];
        for index in 0..count {
            bins_of(index, &mut |bin| starts[bin + 1] += 1);
        }
        for bin in 0..self.count() {
            starts[bin + 1] += starts[bin];
        }
        let mut next = starts.clone();
        let mut items = vec![0u32; starts[self.count()] as usize];
        for (index, number) in (0..count).zip(0u32..) {
            bins_of(index, &mut |bin| {
                items[next[bin] as usize] = number;
                next[bin] += 1;
            });
        }
        ByBin { starts, items }
    }
}
