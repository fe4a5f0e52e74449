//! Snap rounding: edges that cross anywhere become edges that meet only in grid points.
//!
//! After Hobby (1999, doi:10.1016/S0925-7721(99)00021-8): every vertex and every crossing, rounded to the grid, is
//! *hot*; every edge is led through the hot points whose unit pixel (closed to the west and south) it passes. The
//! outcome needs no second round, moves no edge by more than 0.71 mm, and depends on the set of edges only – not on
//! their order, their direction or edges elsewhere.

use super::exact::{GridOutline, GridPoint, GridRect, Meeting, cross, crossing, meeting};

/// A piece of an edge between two nodes, `low < high`; `winds` is +1 if the outline ran from low to high, else −1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Strand {
    pub(crate) low: GridPoint,
    pub(crate) high: GridPoint,
    pub(crate) outline: u32,
    pub(crate) winds: i32,
}

/// An edge of an outline.
#[derive(Debug, Clone, Copy)]
struct Edge {
    from: GridPoint,
    to: GridPoint,
    outline: u32,
}

/// The strands of all edges of some outlines.
pub(crate) fn strands(outlines: &[&GridOutline]) -> Vec<Strand> {
    let edges: Vec<Edge> = (0u32..)
        .zip(outlines)
        .flat_map(|(outline, rings)| rings.edges().map(move |(from, to)| Edge { from, to, outline }))
        .collect();
    let Some(bins) = Bins::over(&edges) else {
        return Vec::new();
    };
    let hot = hot_points(&edges, &bins);
    let by_bin = bins.sort(hot.len(), |index, fill| fill(bins.bin(hot[index])));
    let mut strands = Vec::with_capacity(edges.len() + edges.len() / 2);
    let mut on_edge: Vec<GridPoint> = Vec::new();
    for edge in &edges {
        on_edge.clear();
        bins.along(edge.from, edge.to, |bin| {
            let candidates = by_bin.bin(bin).iter().map(|&index| hot[index as usize]);
            on_edge.extend(candidates.filter(|&point| passes(edge, point)));
        });
        let (east, north) = ((edge.to.x - edge.from.x).signum(), (edge.to.y - edge.from.y).signum());
        on_edge.sort_unstable_by_key(|point| (east * point.x, north * point.y));
        strands.extend(on_edge.windows(2).map(|pair| strand(pair[0], pair[1], edge.outline)));
    }
    strands
}

fn strand(from: GridPoint, to: GridPoint, outline: u32) -> Strand {
    if from < to {
        Strand { low: from, high: to, outline, winds: 1 }
    } else {
        Strand { low: to, high: from, outline, winds: -1 }
    }
}

/// Whether an edge passes the pixel around a point: the unit square, without its eastern and northern side.
fn passes(edge: &Edge, point: GridPoint) -> bool {
    let Edge { from, to, .. } = *edge;
    let within = from.x.min(to.x) <= point.x
        && point.x <= from.x.max(to.x)
        && from.y.min(to.y) <= point.y
        && point.y <= from.y.max(to.y);
    if !within {
        return false;
    }
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let off = cross(from, to, point);
    let reach = i128::from(dx.abs()) + i128::from(dy.abs());
    if 2 * off.abs() != reach {
        return 2 * off.abs() < reach;
    }
    // The edge touches one corner. Only the south-western belongs to the pixel: the edge must fall to the east, and
    // the point must lie to the north-east of it.
    dx.signum() * dy.signum() < 0 && (off > 0) == (dx > 0)
}

fn hot_points(edges: &[Edge], bins: &Bins) -> Vec<GridPoint> {
    let by_bin = bins.sort(edges.len(), |index, fill| {
        bins.along(edges[index].from, edges[index].to, fill);
    });
    let mut hot: Vec<GridPoint> = edges.iter().map(|edge| edge.from).collect();
    for bin in 0..bins.count() {
        let here = by_bin.bin(bin);
        for (rank, &i) in here.iter().enumerate() {
            let first = &edges[i as usize];
            for &j in &here[rank + 1..] {
                let second = &edges[j as usize];
                let (a, b) = ((first.from, first.to), (second.from, second.to));
                if meeting(a, b) == Meeting::Cross {
                    hot.push(crossing(a, b));
                }
            }
        }
    }
    hot.sort_unstable();
    hot.dedup();
    hot
}

/// Square bins over the box of all edges, about one per edge.
struct Bins {
    rect: GridRect,
    side: i64,
    columns: usize,
    rows: usize,
}

/// Numbers grouped by bin.
struct ByBin {
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl ByBin {
    fn bin(&self, bin: usize) -> &[u32] {
        &self.items[self.starts[bin] as usize..self.starts[bin + 1] as usize]
    }
}

impl Bins {
    fn over(edges: &[Edge]) -> Option<Self> {
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
        let across = |span: i64| usize::try_from(span / side + 1).ok();
        Some(Self { rect, side, columns: across(width)?, rows: across(height)? })
    }

    fn count(&self) -> usize {
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

    fn bin(&self, point: GridPoint) -> usize {
        self.column(point.x) * self.rows + self.row(point.y)
    }

    /// Calls `visit` once for every bin within 2 mm of an edge.
    fn along(&self, from: GridPoint, to: GridPoint, mut visit: impl FnMut(usize)) {
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

    fn sort(&self, count: usize, bins_of: impl Fn(usize, &mut dyn FnMut(usize))) -> ByBin {
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
