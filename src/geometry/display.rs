//! Polygons for maps and exports, out of rings on the grid. No figure is ever made from them.

use geo::{MultiPolygon, Polygon};

use super::exact::{GridOutline, GridPoint, SquareMillimetres, ring_area, winding};
use super::grid::{Grid, GridError};
use super::overlay::shapes;

/// Why a region cannot be shown.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DisplayError {
    /// A vertex has no position in degrees.
    #[error(transparent)]
    Grid(#[from] GridError),
    /// The grouping of rings broke off.
    #[error(transparent)]
    Overlay(#[from] super::overlay::OverlayError),
}

/// Oriented rings of the grid as polygons in degrees, 8 decimals.
pub fn polygons(grid: &Grid, rings: &[Vec<GridPoint>]) -> Result<MultiPolygon<f64>, DisplayError> {
    let mut grouped = shapes(rings)?;
    if !is_consistent(rings, &grouped) {
        grouped = regroup(grouped.into_iter().flatten().collect());
    }
    let mut polygons = Vec::with_capacity(grouped.len());
    for shape in grouped {
        let mut lines = Vec::with_capacity(shape.len());
        for ring in &shape {
            let line = grid.ring_in_degrees(ring)?;
            // Rounding to 8 decimals may fold a millimetre sliver; a hole or part of that size is invisible.
            lines.push((line.0.len() >= 4).then_some(line));
        }
        let mut lines = lines.into_iter();
        if let Some(shell) = lines.next().flatten() {
            polygons.push(Polygon::new(shell, lines.flatten().collect()));
        }
    }
    Ok(MultiPolygon::new(polygons))
}

/// Every hole is smaller than its shell and inside it, and all together cover what the rings covered.
fn is_consistent(rings: &[Vec<GridPoint>], shapes: &[Vec<Vec<GridPoint>>]) -> bool {
    let covered: SquareMillimetres = rings.iter().map(|ring| ring_area(ring)).sum();
    let shown: SquareMillimetres = shapes.iter().flatten().map(|ring| ring_area(ring)).sum();
    covered == shown && shapes.iter().all(|shape| is_shape(shape))
}

fn is_shape(shape: &[Vec<GridPoint>]) -> bool {
    let Some((shell, holes)) = shape.split_first() else {
        return false;
    };
    holes.iter().all(|hole| contains(shell, hole))
}

/// Whether a shell contains a hole that does not cross it: by a hole's vertex that is not on the shell.
fn contains(shell: &[GridPoint], hole: &[GridPoint]) -> bool {
    let Some(outline) = GridOutline::new([shell.to_vec()]) else {
        return false;
    };
    let free = hole.iter().find(|vertex| !shell.contains(vertex)).or(hole.first());
    ring_area(hole).abs() < ring_area(shell).abs()
        && free.is_some_and(|&vertex| winding(&outline, vertex) != 0)
}

/// Gives every hole to the smallest shell that contains it.
fn regroup(rings: Vec<Vec<GridPoint>>) -> Vec<Vec<Vec<GridPoint>>> {
    let (mut shells, holes): (Vec<_>, Vec<_>) =
        rings.into_iter().partition(|ring| ring_area(ring) > SquareMillimetres::ZERO);
    shells.sort_by_key(|shell| ring_area(shell));
    let mut shapes: Vec<Vec<Vec<GridPoint>>> = shells.into_iter().map(|shell| vec![shell]).collect();
    for hole in holes {
        if let Some(shape) = shapes.iter_mut().find(|shape| contains(&shape[0], &hole)) {
            shape.push(hole);
        }
    }
    shapes
}
