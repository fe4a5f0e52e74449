//! A GeoJSON geometry as typed, with the place of every position: nothing is repaired or reordered.

use geo::Coord;
use serde_json::Value;

use super::rules::{COORDINATE_OUT_OF_RANGE, GEOMETRY_MISSING, GEOMETRY_UNREADABLE};
use super::{Findings, View};

/// Kinds whose place is what they are about.
const PLACED: &[&str] = &["hazardous_area", "land_release", "eo_item", "accident"];

/// A sequence of positions.
#[derive(Debug)]
pub(super) struct Line {
    /// JSON pointer of the sequence.
    pub(super) pointer: String,
    /// Positions in their order, as typed.
    pub(super) coords: Vec<Coord<f64>>,
    /// Whether it must close: a ring of a polygon.
    pub(super) is_ring: bool,
    /// Whether it is a polygon's outer ring.
    pub(super) is_shell: bool,
    /// Whether neighbours are joined: not in a `MultiPoint`.
    pub(super) has_legs: bool,
}

/// All positions of a geometry.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// Rings and lines; a point is a line of one.
    pub(super) lines: Vec<Line>,
    /// How many corners the traverse has that the geometry was computed from, if there was one.
    pub(super) traverse_corners: Option<usize>,
}

impl Shape {
    /// Reads the geometry and says why it cannot be read.
    pub(super) fn read(view: &View<'_>, findings: &mut Findings) -> Option<Self> {
        let Some(geometry) = view.geometry.filter(|geometry| !geometry.is_null()) else {
            if PLACED.contains(&view.kind) {
                findings.add(&GEOMETRY_MISSING, "/geometry", "there is no geometry");
            }
            return None;
        };
        let coordinates = &geometry["coordinates"];
        let mut shape = Self { lines: Vec::new(), traverse_corners: traverse_corners(view) };
        let read = match geometry["type"].as_str() {
            Some("Point") => shape.points(&Value::Array(vec![coordinates.clone()]), "/geometry/coordinates"),
            Some("MultiPoint") => shape.points(coordinates, "/geometry/coordinates"),
            Some("LineString") => shape.line(coordinates, "/geometry/coordinates", None),
            Some("MultiLineString") => {
                shape.members(coordinates, |shape, line, pointer| shape.line(line, pointer, None))
            }
            Some("Polygon") => shape.polygon(coordinates, "/geometry/coordinates"),
            Some("MultiPolygon") => shape.members(coordinates, Self::polygon),
            _ => None,
        };
        if read.is_none() || shape.lines.is_empty() {
            findings.add(&GEOMETRY_UNREADABLE, "/geometry", "not a GeoJSON geometry with positions");
            return None;
        }
        shape.flag_range(findings);
        Some(shape)
    }

    /// Every position with its pointer.
    pub(super) fn positions(&self) -> impl Iterator<Item = (String, Coord<f64>)> {
        self.lines.iter().flat_map(|line| {
            let coords = line.coords.iter().enumerate();
            coords.map(|(index, coord)| (format!("{}/{index}", line.pointer), *coord))
        })
    }

    /// Every position.
    pub(super) fn coords(&self) -> impl Iterator<Item = Coord<f64>> {
        self.lines.iter().flat_map(|line| line.coords.iter().copied())
    }

    fn members(
        &mut self,
        items: &Value,
        mut read: impl FnMut(&mut Self, &Value, &str) -> Option<()>,
    ) -> Option<()> {
        for (index, item) in items.as_array()?.iter().enumerate() {
            read(self, item, &format!("/geometry/coordinates/{index}"))?;
        }
        Some(())
    }

    fn polygon(&mut self, rings: &Value, pointer: &str) -> Option<()> {
        let rings = rings.as_array().filter(|rings| !rings.is_empty())?;
        for (index, ring) in rings.iter().enumerate() {
            self.line(ring, &format!("{pointer}/{index}"), Some(index == 0))?;
        }
        Some(())
    }

    /// `shell`: not a ring, a hole, or a shell.
    fn line(&mut self, positions: &Value, pointer: &str, shell: Option<bool>) -> Option<()> {
        let coords = positions.as_array()?.iter().map(coord).collect::<Option<Vec<_>>>()?;
        if coords.is_empty() {
            return None;
        }
        let (is_ring, is_shell) = (shell.is_some(), shell == Some(true));
        self.lines.push(Line { pointer: pointer.to_owned(), coords, is_ring, is_shell, has_legs: true });
        Some(())
    }

    fn points(&mut self, positions: &Value, pointer: &str) -> Option<()> {
        self.line(positions, pointer, None)?;
        self.lines.last_mut()?.has_legs = false;
        Some(())
    }

    fn flag_range(&self, findings: &mut Findings) {
        for (pointer, Coord { x, y }) in self.positions() {
            if x.abs() > 180.0 || y.abs() > 90.0 {
                let message = format!("longitude {x}, latitude {y} lies nowhere");
                findings.add(&COORDINATE_OUT_OF_RANGE, pointer, message);
            }
        }
    }
}

fn coord(position: &Value) -> Option<Coord<f64>> {
    let [x, y, ..] = position.as_array()?.as_slice() else { return None };
    Some(Coord { x: x.as_f64()?, y: y.as_f64()? })
}

/// A closed traverse has one corner for each boundary leg, an open one has one more.
fn traverse_corners(view: &View<'_>) -> Option<usize> {
    let traverse = view.properties.get("as_entered")?.get("traverse")?;
    let legs = traverse["boundary"].as_array()?.len();
    Some(legs + usize::from(traverse["closed"] == false))
}
