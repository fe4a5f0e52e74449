//! Geometries in a layer's one type and reference system.

use geo::{Centroid as _, Geometry, MapCoords as _, MultiLineString, MultiPoint, MultiPolygon, Point};

use crate::ogc::collection::Shape;
use crate::ogc::crs::Crs;

/// A geometry as the layer's type, placed in its reference system; nothing where it is of another dimension or has no
/// place there.
pub(super) fn placed(geometry: &Geometry<f64>, shape: Shape, crs: Crs) -> Option<Geometry<f64>> {
    let geometry = of_one_type(geometry.clone(), shape)?;
    if crs == Crs::Crs84 {
        return Some(geometry);
    }
    // A tenth of a millimetre, as the pages of the API have it.
    let shown = |metres: f64| (metres * 1e4).round() / 1e4;
    geometry
        .try_map_coords(|at| {
            let [x, y] = crs.place(at.x, at.y).ok_or(())?;
            Ok::<_, ()>(geo::coord! {x: shown(x), y: shown(y)})
        })
        .ok()
}

fn of_one_type(geometry: Geometry<f64>, shape: Shape) -> Option<Geometry<f64>> {
    Some(match (geometry, shape) {
        (Geometry::Polygon(polygon), Shape::Areas) => MultiPolygon(vec![polygon]).into(),
        (Geometry::LineString(line), Shape::Lines) => MultiLineString(vec![line]).into(),
        (Geometry::Point(point), Shape::Points) => MultiPoint(vec![point]).into(),
        (
            geometry @ (Geometry::MultiPolygon(_)
            | Geometry::MultiLineString(_)
            | Geometry::MultiPoint(_)
            | Geometry::Point(_)),
            shape,
        ) if type_of(&geometry) == Some(shape) => geometry,
        _ => return None,
    })
}

fn type_of(geometry: &Geometry<f64>) -> Option<Shape> {
    Some(match geometry {
        Geometry::MultiPolygon(_) => Shape::Areas,
        Geometry::MultiLineString(_) => Shape::Lines,
        Geometry::MultiPoint(_) => Shape::Points,
        Geometry::Point(_) => Shape::Point,
        _ => return None,
    })
}

/// The middle of a geometry, which may lie beside it.
pub(super) fn centre(geometry: &Geometry<f64>) -> Option<Point<f64>> {
    geometry.centroid()
}
