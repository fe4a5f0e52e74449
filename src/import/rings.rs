//! Rings without a word about which hole belongs to which shell, as outlines.

use geo::coordinate_position::{CoordPos, CoordinatePosition as _};
use geo::{BoundingRect as _, Coord, LineString, Polygon, Rect};
use serde_json::Value;

use super::position::{Position, geometry, list};

/// Rings of one outline times its vertices: more would take longer than a second, and nobody surveys it.
const MOST_WORK: usize = 20_000_000;

/// Corners, and middles of edges, of a ring that are looked at, all along it. Where all of them lie on another ring, both
/// are taken to lie on each other.
const SAMPLES: usize = 64;

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

/// Which rings are holes. A ring that runs as holes do and lies in no shell has been turned around, and with it whatever
/// lies in it; the others keep what their direction says.
fn holes(rings: &[Ring], within: &[Vec<usize>], telling: Telling) -> (Vec<bool>, Option<String>) {
    let by_direction: Vec<bool> = rings.iter().map(|ring| ring.area > 0.0).collect();
    let is_bound = |hole: usize| within[hole].iter().any(|outer| !by_direction[*outer]);
    let is_turned: Vec<bool> = (0..rings.len()).map(|one| by_direction[one] && !is_bound(one)).collect();
    let by_nesting = |one: usize| {
        telling == Telling::Nesting || is_turned[one] || within[one].iter().any(|outer| is_turned[*outer])
    };
    let is_hole = |one: usize| if by_nesting(one) { within[one].len() % 2 == 1 } else { by_direction[one] };
    let note = "some rings run the wrong way round: which of them are holes was told by which lies in which";
    let is_said = telling == Telling::Direction && is_turned.contains(&true);
    ((0..rings.len()).map(is_hole).collect(), is_said.then(|| note.to_owned()))
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
        let step = inner.positions.len().div_ceil(SAMPLES).max(1);
        let corners = inner.ground.exterior().coords().copied().step_by(step);
        let middles = inner.ground.exterior().lines().map(|edge| (edge.start + edge.end) / 2.0).step_by(step);
        for at in corners.chain(middles) {
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
    fn a_ring_that_runs_the_wrong_way_leaves_the_others_as_they_are() {
        let nested = [square(0.0, 4.0, true), square(0.0, 1.0, true)];
        let order = [nested.to_vec(), vec![square(20.0, 2.0, false)]].concat();
        let (found, note) = outline(order, Telling::Direction).unwrap();
        assert_eq!(rings(&found), [1, 1, 1]);
        assert!(note.unwrap().contains("wrong way"));
        let turned = [square(20.0, 4.0, false), square(20.0, 3.0, true), square(20.0, 1.0, false)];
        let order = [nested.to_vec(), turned.to_vec()].concat();
        assert_eq!(rings(&outline(order, Telling::Direction).unwrap().0), [1, 1, 2, 1]);
    }

    #[test]
    fn a_ring_in_a_bay_that_follows_its_shore_for_long_lies_outside() {
        let at = |x: f64, y: f64| Position::new(x, y);
        let shore = (0..100).map(|step| at(0.0, f64::from(step) / 50.0));
        let back = (0..100).map(|step| at(0.5, 2.0 - f64::from(step) / 50.0));
        let ring: Vec<Position> = shore.clone().chain(back).chain([at(0.0, 0.0)]).collect();
        let head = [at(1.0, 0.0), at(1.0, 2.0), at(2.0, 2.0), at(2.0, -1.0), at(-2.0, -1.0), at(-2.0, 2.0)];
        let coast: Vec<Position> = head.into_iter().chain(shore.rev()).chain([at(1.0, 0.0)]).collect();
        assert_eq!(rings(&outline(vec![coast, ring], Telling::Nesting).unwrap().0), [1, 1]);
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
