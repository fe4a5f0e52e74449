//! Union, difference and intersection of outlines by `i_overlay`'s 64-bit engine, measured by exact ring sums.
//!
//! Grouping of rings into shells and holes plays no part in any area: the engine has been seen to put holes on wrong
//! shells (34 against 44 in the test below), while the signed sum over its rings was right.

use std::panic::{AssertUnwindSafe, catch_unwind};

use i_overlay::core::fill_rule::FillRule;
use i_overlay::core::overlay::{Overlay, ShapeType};
use i_overlay::core::overlay_rule::OverlayRule;
use i_overlay::i_float::int::point::IntPoint;
use i_overlay::i_shape::flat::buffer::FlatContoursBuffer;

use super::effort;
use super::exact::{GridOutline, GridPoint, SquareMillimetres, ring_area};
use super::repair::panic_text;

/// Why an overlay has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OverlayError {
    /// The engine panicked; the process goes on.
    #[error("the overlay of {outlines} outlines with {vertices} vertices broke off: {panic}")]
    BrokeOff {
        /// Number of outlines.
        outlines: usize,
        /// Their vertices.
        vertices: usize,
        /// What the engine said.
        panic: String,
    },
    /// Checks that must hold do not.
    #[error("the overlay contradicts itself: {0}")]
    Contradiction(String),
    /// Edges meet in too many places, or too much ground lies upon one another.
    #[error("the outlines are too intricate to be cut")]
    TooIntricate,
}

/// What one call of the engine says about some ground and what was taken from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// area(∪ subject).
    pub subject: SquareMillimetres,
    /// area(∪ subject − ∪ clip).
    pub difference: SquareMillimetres,
    /// area(∪ subject ∩ ∪ clip).
    pub intersection: SquareMillimetres,
    /// How far areas may be off by rounding crossings to the grid: the length of all edges × 1 mm.
    pub tolerance: SquareMillimetres,
}

/// Areas of the union of `subject`, of what `clip` leaves of it and takes from it, out of one split of the edges,
/// with the checks |H∖R| + |H∩R| = |H| and 0 ≤ |H∖R| ≤ |H|.
pub fn balance(subject: &[&GridOutline], clip: &[&GridOutline]) -> Result<Balance, OverlayError> {
    let rules = [OverlayRule::Subject, OverlayRule::Difference, OverlayRule::Intersect];
    let [union, difference, intersection] = areas(subject, clip, rules)?;
    let found = Balance { subject: union, difference, intersection, tolerance: tolerance(subject, clip) };
    let off = (found.difference + found.intersection - found.subject).abs();
    if off > found.tolerance || difference.doubled() < 0 || intersection.doubled() < 0 {
        return Err(OverlayError::Contradiction(format!(
            "{} left and {} taken of {}",
            found.difference, found.intersection, found.subject
        )));
    }
    Ok(found)
}

/// The same ground in rings that wind around it exactly once: what [`balance`] and [`union_area`] expect of outlines
/// whose own rings cross, because two outlines that wind against each other would cancel. `None` if it has no area.
pub fn untangle(outline: &GridOutline) -> Result<Option<GridOutline>, OverlayError> {
    if effort::is_too_tangled(outline) {
        return Err(OverlayError::TooIntricate);
    }
    let rings: Vec<Vec<GridPoint>> = outline.rings().map(<[GridPoint]>::to_vec).collect();
    let shapes = united(&rings, false)?;
    Ok(GridOutline::new(shapes.into_iter().flatten()))
}

/// Area of the union of some outlines.
pub fn union_area(outlines: &[&GridOutline]) -> Result<SquareMillimetres, OverlayError> {
    let [area] = areas(outlines, &[], [OverlayRule::Subject])?;
    Ok(area)
}

/// Area of the ground that two outlines share.
pub fn shared_area(a: &GridOutline, b: &GridOutline) -> Result<SquareMillimetres, OverlayError> {
    let [area] = areas(&[a], &[b], [OverlayRule::Intersect])?;
    Ok(area)
}

/// Shells and holes of the union of oriented rings, grouped for showing (OGC extraction).
pub(crate) fn shapes(rings: &[Vec<GridPoint>]) -> Result<Vec<Vec<Vec<GridPoint>>>, OverlayError> {
    united(rings, true)
}

fn united(rings: &[Vec<GridPoint>], ogc: bool) -> Result<Vec<Vec<Vec<GridPoint>>>, OverlayError> {
    let vertices = rings.iter().map(Vec::len).sum();
    guarded(rings.len(), vertices, || {
        let mut overlay = Overlay::<i64>::new(vertices);
        overlay.options.ogc = ogc;
        for ring in rings {
            overlay.add_path_iter(ring.iter().map(|p| IntPoint::new(p.x, p.y)), ShapeType::Subject);
        }
        let shapes = overlay.overlay(OverlayRule::Subject, FillRule::NonZero);
        let points = |ring: Vec<IntPoint<i64>>| ring.iter().map(|p| GridPoint { x: p.x, y: p.y }).collect();
        shapes.into_iter().map(|shape| shape.into_iter().map(points).collect()).collect()
    })
}

fn areas<const N: usize>(
    subject: &[&GridOutline],
    clip: &[&GridOutline],
    rules: [OverlayRule; N],
) -> Result<[SquareMillimetres; N], OverlayError> {
    let vertices = subject.iter().chain(clip).map(|outline| outline.vertices()).sum();
    guarded(subject.len() + clip.len(), vertices, || {
        let mut overlay = Overlay::<i64>::new(vertices);
        for (outlines, role) in [(subject, ShapeType::Subject), (clip, ShapeType::Clip)] {
            for ring in outlines.iter().flat_map(|outline| outline.rings()) {
                overlay.add_path_iter(ring.iter().map(|p| IntPoint::new(p.x, p.y)), role);
            }
        }
        let mut buffer = overlay.boolean_buffer.take().unwrap_or_default();
        let Some(graph) = overlay.build_graph_view(FillRule::NonZero) else {
            return [SquareMillimetres::ZERO; N];
        };
        let mut rings = FlatContoursBuffer::with_capacity(vertices);
        rules.map(|rule| {
            rings.clear_and_reserve(vertices, subject.len());
            graph.extract_contours_into(rule, &mut buffer, &mut rings);
            rings.ranges.iter().map(|range| contour_area(&rings.points[range.clone()])).sum()
        })
    })
}

fn contour_area(contour: &[IntPoint<i64>]) -> SquareMillimetres {
    let ring: Vec<GridPoint> = contour.iter().map(|p| GridPoint { x: p.x, y: p.y }).collect();
    ring_area(&ring)
}

fn guarded<T>(outlines: usize, vertices: usize, work: impl FnOnce() -> T) -> Result<T, OverlayError> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| OverlayError::BrokeOff {
        outlines,
        vertices,
        panic: panic_text(panic.as_ref()),
    })
}

/// The length of all edges × 1 mm, doubled as [`SquareMillimetres`] are, at least 1 mm².
pub fn tolerance(subject: &[&GridOutline], clip: &[&GridOutline]) -> SquareMillimetres {
    let length: i128 = subject
        .iter()
        .chain(clip)
        .flat_map(|outline| outline.edges())
        .map(|(a, b)| i128::from((b.x - a.x).abs() + (b.y - a.y).abs()))
        .sum();
    SquareMillimetres::from_doubled(2 * length + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(rings: &[&[(i64, i64)]]) -> GridOutline {
        let points = |ring: &&[(i64, i64)]| ring.iter().map(|&(x, y)| GridPoint { x, y }).collect();
        GridOutline::new(rings.iter().map(points)).unwrap()
    }

    fn frame(outer: [(i64, i64); 4], inner: [(i64, i64); 4]) -> GridOutline {
        let scale = |ring: [(i64, i64); 4]| ring.map(|(x, y)| (x * 1000, y * 1000));
        let (mut outer, mut inner) = (scale(outer), scale(inner));
        let area = |ring: &[(i64, i64)]| {
            ring_area(&ring.iter().map(|&(x, y)| GridPoint { x, y }).collect::<Vec<_>>()).doubled()
        };
        if area(&outer) < 0 {
            outer.reverse();
        }
        if area(&inner) > 0 {
            inner.reverse();
        }
        outline(&[&outer, &inner])
    }

    #[test]
    fn a_hole_on_the_wrong_shell_does_not_change_the_area() {
        let subject = [
            frame([(11, 2), (11, 8), (6, 8), (6, 2)], [(10, 3), (7, 3), (7, 7), (10, 7)]),
            frame([(11, 4), (11, 9), (5, 9), (5, 4)], [(10, 5), (6, 5), (6, 8), (10, 8)]),
            frame([(11, 6), (11, 12), (6, 12), (6, 6)], [(10, 7), (7, 7), (7, 11), (10, 11)]),
        ];
        let clip = frame([(9, 4), (9, 8), (6, 8), (6, 4)], [(8, 5), (7, 5), (7, 7), (8, 7)]);
        let found = balance(&subject.each_ref(), &[&clip]).unwrap();
        assert_eq!(found.difference.doubled(), 2 * 34 * 1_000_000);
    }

    #[test]
    fn overlapping_members_count_once_whatever_their_winding() {
        let square = |x: i64, reverse: bool| {
            let mut ring = [(x, 0), (x + 10, 0), (x + 10, 10), (x, 10)];
            if reverse {
                ring.reverse();
            }
            ring
        };
        for (first, second) in [(false, false), (true, true)] {
            let both = outline(&[&square(0, first), &square(5, second)]);
            assert_eq!(union_area(&[&both]).unwrap().doubled(), 2 * 150);
        }
    }

    #[test]
    fn a_polygon_far_away_adds_its_own_area_and_nothing_else() {
        let near = outline(&[&[(0, 0), (333_333, 17), (299_999, 300_001), (7, 250_003)]]);
        let cut = outline(&[&[(100_003, -50), (200_007, 13), (150_001, 400_000)]]);
        let far = outline(&[&[
            (1_200_000_000, 0),
            (1_200_100_000, 0),
            (1_200_100_000, 100_000),
            (1_200_000_000, 100_000),
        ]]);
        let alone = balance(&[&near], &[&cut]).unwrap().difference;
        let together = balance(&[&near, &far], &[&cut]).unwrap().difference;
        assert_eq!((together - alone).doubled(), 2 * 100_000 * 100_000);
    }
}
