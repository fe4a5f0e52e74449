//! Geometries in a layer's one type and reference system.

use geo::{
    BoundingRect as _, Centroid as _, Coord, Geometry, MapCoords as _, MultiLineString, MultiPoint,
    MultiPolygon, Point, coord,
};

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
            Ok::<_, ()>(coord! {x: shown(x), y: shown(y)})
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

/// The middle of a geometry, which may lie beside it. One that is cut at the antimeridian is put together first: its middle
/// would else lie on the other side of the globe.
pub(super) fn centre(geometry: &Geometry<f64>) -> Option<Point<f64>> {
    if geometry.bounding_rect()?.width() <= 180.0 {
        return geometry.centroid();
    }
    let east = |at: Coord<f64>| coord! {x: if at.x < 0.0 { at.x + 360.0 } else { at.x }, y: at.y};
    let middle = geometry.map_coords(east).centroid()?;
    Some(Point::new(if middle.x() > 180.0 { middle.x() - 360.0 } else { middle.x() }, middle.y()))
}

#[cfg(test)]
mod tests {
    use geo::Rect;

    use super::*;

    #[test]
    fn what_lies_on_both_sides_of_the_antimeridian_has_its_middle_there() {
        let part = |west: f64, east: f64| {
            Rect::new(coord! {x: west, y: -17.0}, coord! {x: east, y: -16.0}).to_polygon()
        };
        let both = |east: f64| MultiPolygon(vec![part(179.8, 180.0), part(-180.0, east)]).into();
        for (east, middle) in [(-179.8, 180.0), (-179.4, -179.8), (-179.9, 179.95)] {
            let found = centre(&both(east)).unwrap();
            let off = (found.x() - middle).rem_euclid(360.0);
            assert!(off.min(360.0 - off) < 1e-9 && (found.y() + 16.5).abs() < 1e-9, "{east}: {found:?}");
            assert!(found.x().abs() <= 180.0);
        }
        let here = MultiPolygon(vec![part(-20.0, -10.0)]).into();
        assert_eq!(centre(&here), Some(Point::new(-15.0, -16.5)));
    }
}
