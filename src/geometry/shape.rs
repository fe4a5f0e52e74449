//! The canonical form of any GeoJSON geometry, for storage and search: well-known binary, box, geodesic area.

use geo::{BoundingRect, Geometry, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon};
use geo_traits::to_geo::ToGeoGeometry as _;
use geojson::{GeometryValue, Position};
use serde_json::{Value, json};

use super::measure;
use super::outline::{Limits, canonical};

/// A geometry in its canonical form.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape(Geometry<f64>);

impl Shape {
    /// Reads a GeoJSON geometry; nothing where it cannot be drawn at all.
    pub fn read(geometry: &Value) -> Option<Self> {
        let geometry = read_geojson(geometry)?;
        let shape = match &geometry {
            GeometryValue::Polygon { .. } | GeometryValue::MultiPolygon { .. } => {
                Geometry::MultiPolygon(canonical(&geometry, &Limits::default())?)
            }
            GeometryValue::Point { coordinates } => Geometry::Point(point(coordinates)?),
            GeometryValue::MultiPoint { coordinates } => {
                Geometry::MultiPoint(MultiPoint(coordinates.iter().map(point).collect::<Option<_>>()?))
            }
            GeometryValue::LineString { coordinates } => Geometry::LineString(line(coordinates)?),
            GeometryValue::MultiLineString { coordinates } => Geometry::MultiLineString(MultiLineString(
                coordinates.iter().map(|positions| line(positions)).collect::<Option<_>>()?,
            )),
            GeometryValue::GeometryCollection { .. } => return None,
        };
        shape.bounding_rect().map(|_| Self(shape))
    }

    /// Well-known binary, little-endian, lon/lat.
    pub fn wkb(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        wkb::writer::write_geometry(&mut bytes, &self.0, &wkb::writer::WriteOptions::default())
            .expect("a vector takes every byte");
        bytes
    }

    /// Reads what [`Shape::wkb`] wrote; nothing where it is something else.
    pub fn from_wkb(bytes: &[u8]) -> Option<Self> {
        let shape = wkb::reader::read_wkb(bytes).ok()?.try_to_geometry()?;
        shape.bounding_rect().map(|_| Self(shape))
    }

    /// The geometry: points and lines as they are, polygons as a `MultiPolygon`; lon/lat.
    pub fn into_geometry(self) -> Geometry<f64> {
        self.0
    }

    /// `[min_lon, min_lat, max_lon, max_lat]`
    pub fn bbox(&self) -> [f64; 4] {
        let rect = self.0.bounding_rect().expect("a shape without positions is not made");
        [rect.min().x, rect.min().y, rect.max().x, rect.max().y]
    }

    /// Geodesic area on WGS 84, m²; 0 for points and lines, and where holes are larger than their shell.
    pub fn area_m2(&self) -> f64 {
        match &self.0 {
            Geometry::MultiPolygon(polygons) => measure::area(polygons).max(0.0),
            _ => 0.0,
        }
    }
}

/// A GeoJSON geometry as a typed value; nothing where it is not one.
pub fn read_geojson(geometry: &Value) -> Option<GeometryValue> {
    let geometry: geojson::Geometry = serde_json::from_value(geometry.clone()).ok()?;
    Some(geometry.value)
}

/// Polygons as a GeoJSON `MultiPolygon`, lon/lat.
pub fn to_geojson(polygons: &MultiPolygon<f64>) -> Value {
    let positions = |ring: &LineString<f64>| ring.coords().map(|at| [at.x, at.y]).collect::<Vec<_>>();
    let rings = |polygon: &Polygon<f64>| {
        let rings = std::iter::once(polygon.exterior()).chain(polygon.interiors());
        rings.map(positions).collect::<Vec<_>>()
    };
    json!({"type": "MultiPolygon", "coordinates": polygons.iter().map(rings).collect::<Vec<_>>()})
}

fn point(position: &Position) -> Option<Point<f64>> {
    let [lon, lat, ..] = position.as_slice() else { return None };
    let sound = lon.is_finite() && lat.is_finite() && lon.abs() <= 180.0 && lat.abs() <= 90.0;
    sound.then(|| Point::new(*lon, *lat))
}

fn line(positions: &[Position]) -> Option<LineString<f64>> {
    let points: Option<Vec<Point<f64>>> = positions.iter().map(point).collect();
    points.map(LineString::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_positions_are_refused_without_a_panic() {
        for broken in [
            json!({"type": "Point", "coordinates": [1]}),
            json!({"type": "Polygon", "coordinates": [[[1], [2], [3], [1]]]}),
            json!({"type": "LineString", "coordinates": []}),
            json!({"type": "Point", "coordinates": [200, 0]}),
            json!(null),
        ] {
            assert_eq!(Shape::read(&broken), None, "{broken}");
        }
    }

    #[test]
    fn a_square_has_its_box_and_its_area() {
        let square = json!({"type": "Polygon",
            "coordinates": [[[0.0, 0.0], [0.001, 0.0], [0.001, 0.001], [0.0, 0.001], [0.0, 0.0]]]});
        let shape = Shape::read(&square).unwrap();
        assert_eq!(format!("{:?}", shape.bbox()), "[0.0, 0.0, 0.001, 0.001]");
        assert!((shape.area_m2() - 12_309.0).abs() < 1.0, "{}", shape.area_m2());
        assert_eq!(shape.wkb()[0], 1, "little-endian");
        assert_eq!(Shape::from_wkb(&shape.wkb()), Some(shape));
        assert_eq!(Shape::from_wkb(&[1, 3]), None);
    }
}
