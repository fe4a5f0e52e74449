//! Snap rounding: edges that cross anywhere become edges that meet only in grid points.
//!
//! After Hobby (1999, doi:10.1016/S0925-7721(99)00021-8): every vertex and every crossing, rounded to the grid, is
//! *hot*; every edge is led through the hot points whose unit pixel (closed to the west and south) it passes. The
//! outcome needs no second round, moves no edge by more than 0.71 mm, and depends on the set of edges only – not on
//! their order, their direction or edges elsewhere.

use super::bins::{Bins, ByBin, Edge, edges};
use super::effort;
use super::exact::{GridOutline, GridPoint, Meeting, cross, crossing, meeting};
use super::overlay::OverlayError;

/// A piece of an edge between two nodes, `low < high`; `winds` is +1 if the outline ran from low to high, else −1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Strand {
    pub(crate) low: GridPoint,
    pub(crate) high: GridPoint,
    pub(crate) outline: u32,
    pub(crate) winds: i32,
}

/// The strands of all edges of some outlines. Fails where that would cost too much: see [`effort`].
pub(crate) fn strands(outlines: &[&GridOutline]) -> Result<Vec<Strand>, OverlayError> {
    let edges = edges(outlines);
    let Some(bins) = Bins::over(&edges) else {
        return Ok(Vec::new());
    };
    let most = effort::most_compared(edges.len());
    let edges_by_bin = bins.sort(edges.len(), |index, fill| {
        bins.along(edges[index].from, edges[index].to, fill);
    });
    if edges_by_bin.pairs() > most {
        return Err(OverlayError::TooIntricate);
    }
    let hot = hot_points(&edges, &edges_by_bin);
    let by_bin = bins.sort(hot.len(), |index, fill| fill(bins.bin(hot[index])));
    if edges_by_bin.pairs_with(&by_bin) > most {
        return Err(OverlayError::TooIntricate);
    }
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
    Ok(strands)
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

/// Edges in one bin from which it pays to sort them.
const CROWDED: usize = 64;

fn hot_points(edges: &[Edge], by_bin: &ByBin) -> Vec<GridPoint> {
    let mut hot: Vec<GridPoint> = edges.iter().map(|edge| edge.from).collect();
    let mut compare = |i: u32, j: u32| {
        let (first, second) = (&edges[i as usize], &edges[j as usize]);
        let (a, b) = ((first.from, first.to), (second.from, second.to));
        if meeting(a, b) == Meeting::Cross {
            hot.push(crossing(a, b));
        }
    };
    for here in by_bin.bins() {
        if here.len() >= CROWDED {
            compare_crowd(edges, here, &mut compare);
            continue;
        }
        for (rank, &i) in here.iter().enumerate() {
            here[rank + 1..].iter().for_each(|&j| compare(i, j));
        }
    }
    hot.sort_unstable();
    hot.dedup();
    hot
}

/// Shows the pairs of edges that overlap in the direction in which they reach less far: the teeth of a comb overlap
/// in one direction and lie side by side in the other.
fn compare_crowd(edges: &[Edge], here: &[u32], mut compare: impl FnMut(u32, u32)) {
    let reach = |along: fn(GridPoint) -> i64| -> i64 {
        here.iter().map(|&i| &edges[i as usize]).map(|edge| (along(edge.to) - along(edge.from)).abs()).sum()
    };
    let along: fn(GridPoint) -> i64 = if reach(|p| p.x) < reach(|p| p.y) { |p| p.x } else { |p| p.y };
    let spans = here.iter().map(|&i| (i, &edges[i as usize])).map(|(i, edge)| {
        let (from, to) = (along(edge.from), along(edge.to));
        (from.min(to), from.max(to), i)
    });
    let mut spans: Vec<(i64, i64, u32)> = spans.collect();
    spans.sort_unstable();
    for (rank, &(_, end, i)) in spans.iter().enumerate() {
        let overlapping = spans[rank + 1..].iter().take_while(|other| other.0 <= end);
        overlapping.for_each(|other| compare(i, other.2));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]

        /// Many short edges in one place and a few long ones: bins are made smaller and crowds sorted.
        #[test]
        fn crowded_edges_are_hot_where_any_pair_of_them_crosses(
            dense in proptest::collection::vec((0..2_000i64, 0..2_000i64, -300..300i64, -90..90i64), 750..800),
            wide in proptest::collection::vec((800_000..900_000i64, -900..900i64), 1..4),
        ) {
            let edge = |from: (i64, i64), to: (i64, i64)| {
                let point = |(x, y)| GridPoint { x, y };
                Edge { from: point(from), to: point(to), outline: 0 }
            };
            let dense = dense.into_iter().map(|(x, y, east, north)| edge((x, y), (x + east, y + north)));
            let wide = wide.into_iter().map(|(far, low)| edge((-far, low), (far, 1_000 - low)));
            // There and back, as rings are closed.
            let back = |there: Edge| [there, Edge { from: there.to, to: there.from, ..there }];
            let edges: Vec<Edge> =
                dense.chain(wide).filter(|edge| edge.from != edge.to).flat_map(back).collect();
            let bins = Bins::over(&edges).unwrap();
            let by_bin = bins.sort(edges.len(), |index, fill| {
                bins.along(edges[index].from, edges[index].to, fill);
            });
            let count = u64::try_from(edges.len()).unwrap();
            prop_assert!(by_bin.pairs() < count * count / 8, "{} of {count} edges", by_bin.pairs());
            let mut expected: Vec<GridPoint> = edges.iter().map(|edge| edge.from).collect();
            for (rank, first) in edges.iter().enumerate() {
                for second in &edges[rank + 1..] {
                    let (a, b) = ((first.from, first.to), (second.from, second.to));
                    if meeting(a, b) == Meeting::Cross {
                        expected.push(crossing(a, b));
                    }
                }
            }
            expected.sort_unstable();
            expected.dedup();
            prop_assert_eq!(hot_points(&edges, &by_bin), expected);
        }
    }
}
