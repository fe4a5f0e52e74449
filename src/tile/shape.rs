//! Geometries in the world of web Mercator.

use geo::{Coord, Geometry, LineString, Polygon};

use super::id::{Bounds, Spot};

/// Places one after the other; a ring is not closed.
pub(super) type Path = Box<[Spot]>;

/// One shell and its holes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Area {
    pub(super) shell: Path,
    pub(super) holes: Box<[Path]>,
}

/// What a feature is drawn as.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Parts {
    Points(Path),
    Lines(Box<[Path]>),
    Areas(Box<[Area]>),
}

/// A geometry, projected once.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    pub(super) parts: Parts,
    pub(super) bounds: Bounds,
}

impl Shape {
    /// The shape of a geometry in degrees, longitude first; nothing of one that is empty or a collection.
    pub fn of(geometry: &Geometry<f64>) -> Option<Self> {
        let parts = match geometry {
            Geometry::Point(point) => Parts::Points([spot(&point.0)].into()),
            Geometry::MultiPoint(points) => {
                Parts::Points(points.iter().map(|point| spot(&point.0)).collect())
            }
            Geometry::LineString(line) => Parts::Lines([path(line)].into()),
            Geometry::MultiLineString(lines) => Parts::Lines(lines.iter().map(path).collect()),
            Geometry::Polygon(polygon) => Parts::Areas([area(polygon)].into()),
            Geometry::MultiPolygon(polygons) => Parts::Areas(polygons.iter().map(area).collect()),
            _ => return None,
        };
        let bounds = match &parts {
            Parts::Points(spots) => Bounds::around(spots.iter().copied()),
            Parts::Lines(lines) => Bounds::around(lines.iter().flatten().copied()),
            Parts::Areas(areas) => Bounds::around(areas.iter().flat_map(|area| &area.shell).copied()),
        };
        Some(Self { parts, bounds: bounds? })
    }

    /// Its first place: the one tile that it is counted in is where this lies, because its middle may lie outside it.
    pub(super) fn anchor(&self) -> Spot {
        let first = match &self.parts {
            Parts::Points(spots) => spots.first(),
            Parts::Lines(lines) => lines.iter().flatten().next(),
            Parts::Areas(areas) => areas.iter().flat_map(|area| &area.shell).next(),
        };
        first.copied().unwrap_or(self.bounds.min)
    }

    /// The box around it.
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }
}

fn spot(at: &Coord<f64>) -> Spot {
    Spot::of(at.x, at.y)
}

fn path(line: &LineString<f64>) -> Path {
    let mut spots: Vec<Spot> = line.coords().map(spot).collect();
    spots.dedup();
    spots.into()
}

fn ring(line: &LineString<f64>) -> Path {
    let mut spots = path(line).into_vec();
    if spots.len() > 1 && spots.first() == spots.last() {
        spots.pop();
    }
    spots.into()
}

fn area(polygon: &Polygon<f64>) -> Area {
    Area { shell: ring(polygon.exterior()), holes: polygon.interiors().iter().map(ring).collect() }
}
