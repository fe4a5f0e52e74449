//! Rings without a word about which hole belongs to which shell, as outlines.

use geo::coordinate_position::{CoordPos, CoordinatePosition as _};
use geo::{BoundingRect as _, Coord, LineString, Polygon, Rect};
use serde_json::Value;

use super::position::{Position, geometry, list};

/// Rings of one outline times its vertices: more would take longer than a second, and nobody surveys it.
const MOST_WORK: usize = 20_000_000;

/// Positions of a ring that may lie on another one before both are taken to lie on each other.
const MOST_ON_LINE: usize = 64;

/// What tells shells from holes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Telling {
    /// Shells run clockwise, holes the other way: shapefiles.
    Direction,
    /// Nothing but which ring lies in which.
    Nesting,
}

/// An outline, and what a person should know about it.
pub(super) type Outlined = (Value, Option<String>);

struct Ring {
    positions: Vec<Position>,
    /// Without its holes.
    ground: Polygon<f64>,
    bounds: Rect<f64>,
    /// Twice the area, positive where the ring runs counter-clockwise.
    area: f64,
}

/// Puts rings together: each hole goes to the smallest shell that it lies in, whatever their order.
///
/// # Errors
/// A position that is none, or more rings than can be compared.
pub(super) fn outline(rings: Vec<Vec<Position>>, telling: Telling) -> Result<Outlined, String> {
    let vertices: usize = rings.iter().map(Vec::len).sum();
    if rings.len().saturating_mul(vertices) > MOST_WORK {
        return Err(format!("{} rings with {vertices} vertices are too many for one outline", rings.len()));
    }
    let rings: Vec<Ring> = rings.into_iter().filter_map(Ring::new).collect::<Result<_, _>>()?;
    let within: Vec<Vec<usize>> = (0..rings.len()).map(|inner| around(&rings, inner)).collect();
    let (holes, note) = holes(&rings, &within, telling);
    let mut polygons: Vec<(usize, Vec<Value>)> = Vec::new();
    for (index, ring) in rings.iter().enumerate().filter(|(index, _)| !holes[*index]) {
        polygons.push((index, vec![list(&ring.positions)?]));
    }
    for (index, ring) in rings.iter().enumerate().filter(|(index, _)| holes[*index]) {
        let shell = within[index].iter().find(|outer| !holes[**outer]);
        if let Some((_, polygon)) = polygons.iter_mut().find(|(outer, _)| Some(outer) == shell) {
            polygon.push(list(&ring.positions)?);
        }
    }
    let mut polygons: Vec<Value> = polygons.into_iter().map(|(_, rings)| Value::Array(rings)).collect();
    let made = match polygons.len() {
        1 => geometry("Polygon", polygons.remove(0)),
        _ => geometry("MultiPolygon", Value::Array(polygons)),
    };
    Ok((made, note))
}

/// Which rings are holes.
fn holes(rings: &[Ring], within: &[Vec<usize>], telling: Telling) -> (Vec<bool>, Option<String>) {
    let by_direction: Vec<bool> = rings.iter().map(|ring| ring.area > 0.0).collect();
    let is_bound = |hole: usize| within[hole].iter().any(|outer| !by_direction[*outer]);
    let all_bound = (0..rings.len()).filter(|index| by_direction[*index]).all(is_bound);
    if telling == Telling::Direction && all_bound {
        return (by_direction, None);
    }
    let by_nesting = within.iter().map(|outer| outer.len() % 2 == 1).collect();
    let note = "some rings run the wrong way round: which of them are holes was told by which lies in which";
    (by_nesting, (telling == Telling::Direction).then(|| note.to_owned()))
}

/// The rings that one lies in, the smallest first.
fn around(rings: &[Ring], inner: usize) -> Vec<usize> {
    let mut found: Vec<usize> = (0..rings.len())
        .filter(|outer| {
            let (a, b) = (rings[*outer].area.abs(), rings[inner].area.abs());
            // Of two rings that are the same, the later lies in the earlier.
            *outer != inner && (a > b || (a.total_cmp(&b).is_eq() && *outer < inner))
        })
        .filter(|outer| rings[*outer].surrounds(&rings[inner]))
        .collect();
    found.sort_by(|a, b| rings[*a].area.abs().total_cmp(&rings[*b].area.abs()));
    found
}

impl Ring {
    /// A ring; nothing where it has no position.
    fn new(positions: Vec<Position>) -> Option<Result<Self, String>> {
        if let Some(fault) = positions.iter().find_map(|position| position.value().err()) {
            return Some(Err(fault));
        }
        let line: LineString<f64> = positions.iter().map(|at| Coord { x: at.x, y: at.y }).collect();
        let bounds = line.bounding_rect()?;
        // Near the origin, so that the digits of large coordinates are not lost.
        let origin = bounds.min();
        let turn = |edge: geo::Line<f64>| {
            (edge.start - origin).x * (edge.end - origin).y - (edge.end - origin).x * (edge.start - origin).y
        };
        let ground = Polygon::new(line, Vec::new());
        let area = ground.exterior().lines().map(turn).sum();
        Some(Ok(Self { positions, ground, bounds, area }))
    }

    fn surrounds(&self, inner: &Self) -> bool {
        if !lies_within(inner.bounds, self.bounds) {
            return false;
        }
        // Rings may touch: the first position that is not on the line decides.
        let corners = inner.ground.exterior().coords().copied();
        let middles = inner.ground.exterior().lines().map(|edge| (edge.start + edge.end) / 2.0);
        for at in corners.chain(middles).take(MOST_ON_LINE) {
            match self.ground.coordinate_position(&at) {
                CoordPos::Inside => return true,
                CoordPos::Outside => return false,
                CoordPos::OnBoundary => {}
            }
        }
        true
    }
}

/// Whether a box lies in another one, its edges included.
fn lies_within(inner: Rect<f64>, outer: Rect<f64>) -> bool {
    let (least, most) = (inner.min(), inner.max());
    outer.min().x <= least.x && outer.min().y <= least.y && outer.max().x >= most.x && outer.max().y >= most.y
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A square around a centre, clockwise or the other way.
    fn square(x: f64, half: f64, clockwise: bool) -> Vec<Position> {
        let mut corners = [(-1.0, -1.0), (-1.0, 1.0), (1.0, 1.0), (1.0, -1.0), (-1.0, -1.0)];
        if !clockwise {
            corners.reverse();
        }
        corners.map(|(east, north)| Position::new(x + east * half, north * half)).to_vec()
    }

    fn rings(polygon: &Value) -> Vec<usize> {
        let coordinates = polygon["coordinates"].as_array().unwrap();
        if polygon["type"] == "Polygon" {
            return vec![coordinates.len()];
        }
        coordinates.iter().map(|polygon| polygon.as_array().unwrap().len()).collect()
    }

    #[test]
    fn a_hole_goes_to_the_shell_that_it_lies_in_whatever_the_order() {
        let (one, other, hole) = (square(0.0, 1.0, true), square(10.0, 4.0, true), square(10.0, 1.0, false));
        for (order, expected) in [
            (vec![hole.clone(), one.clone(), other.clone()], vec![1, 2]),
            (vec![one.clone(), hole.clone(), other.clone()], vec![1, 2]),
            (vec![other, one, hole], vec![2, 1]),
        ] {
            let (found, note) = outline(order, Telling::Direction).unwrap();
            assert_eq!((rings(&found), note), (expected, None));
        }
    }

    #[test]
    fn an_island_in_a_hole_is_a_polygon_of_its_own() {
        let order = vec![square(0.0, 4.0, true), square(0.0, 3.0, false), square(0.0, 1.0, true)];
        assert_eq!(rings(&outline(order.clone(), Telling::Direction).unwrap().0), [2, 1]);
        assert_eq!(rings(&outline(order, Telling::Nesting).unwrap().0), [2, 1]);
    }

    #[test]
    fn rings_that_all_run_the_wrong_way_are_told_by_nesting_and_it_is_said() {
        let order = vec![square(0.0, 4.0, false), square(0.0, 1.0, false)];
        let (found, note) = outline(order, Telling::Direction).unwrap();
        assert_eq!(rings(&found), [2]);
        assert!(note.unwrap().contains("wrong way"));
    }

    #[test]
    fn two_shells_on_each_other_stay_two() {
        let order = vec![square(0.0, 4.0, true), square(0.0, 1.0, true)];
        assert_eq!(
            rings(&outline(order, Telling::Direction).unwrap().0),
            [1, 1],
            "both are said to be ground"
        );
    }

    #[test]
    fn a_hole_that_touches_its_shell_is_bound_to_it() {
        let triangle = [(-4.0, -4.0), (1.0, 0.0), (0.0, 1.0), (-4.0, -4.0)];
        let hole = triangle.map(|(x, y)| Position::new(x, y)).to_vec();
        assert_eq!(rings(&outline(vec![hole, square(0.0, 4.0, true)], Telling::Direction).unwrap().0), [2]);
    }

    #[test]
    fn junk_is_refused() {
        assert!(outline(vec![vec![Position::new(f64::NAN, 1.0)]], Telling::Nesting).is_err());
        assert!(outline(vec![vec![Position::new(0.0, 1.0); 10]; 10_000], Telling::Nesting).is_err());
        assert_eq!(outline(Vec::new(), Telling::Nesting).unwrap().0["coordinates"], json!([]));
    }
}
