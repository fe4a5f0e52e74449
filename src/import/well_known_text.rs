//! Well-known text of tables, with the `SRID=…;` that `PostGIS` puts before it.

use serde_json::{Value, json};
use wkt::Wkt;
use wkt::types::{Coord, LineString, Polygon};

/// How deep parentheses may nest: a collection of multipolygons needs four. The reader calls itself for each level.
const DEPTH: usize = 8;

/// A geometry that was written as text.
#[derive(Debug, PartialEq)]
pub(super) struct Written {
    /// As GeoJSON, positions as they stand.
    pub(super) geometry: Value,
    /// The CRS before it.
    pub(super) srid: Option<String>,
    /// It has measures, which GeoJSON cannot hold.
    pub(super) has_measures: bool,
}

/// Reads WKT or EWKT.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(text: &str) -> Result<Written, String> {
    let (srid, body) = match text.split_once(';') {
        Some((head, body)) if head.trim().to_uppercase().starts_with("SRID=") => {
            (Some(format!("EPSG:{}", head.trim()[5..].trim())), body)
        }
        _ => (None, text),
    };
    if depth(body) > DEPTH {
        return Err(format!("its parentheses nest more than {DEPTH} levels"));
    }
    let parsed: Wkt<f64> = body.trim().parse().map_err(str::to_owned)?;
    let mut writer = Writer { measures: false };
    let geometry = writer.geometry(&parsed)?;
    Ok(Written { geometry, srid, has_measures: writer.measures })
}

fn depth(text: &str) -> usize {
    let (mut now, mut most) = (0_usize, 0);
    for character in text.chars() {
        match character {
            '(' => now += 1,
            ')' => now = now.saturating_sub(1),
            _ => {}
        }
        most = most.max(now);
    }
    most
}

struct Writer {
    measures: bool,
}

impl Writer {
    fn geometry(&mut self, parsed: &Wkt<f64>) -> Result<Value, String> {
        let (type_, coordinates) = match parsed {
            Wkt::Point(point) => {
                let position = point.coord().map(|coord| self.position(coord)).transpose()?;
                ("Point", position.unwrap_or_else(|| json!([])))
            }
            Wkt::LineString(line) => ("LineString", self.line(line)?),
            Wkt::Polygon(polygon) => ("Polygon", self.polygon(polygon)?),
            Wkt::MultiPoint(points) => {
                let positions = points.points().iter().filter_map(|point| point.coord());
                ("MultiPoint", list(positions, |coord| self.position(coord))?)
            }
            Wkt::MultiLineString(lines) => {
                ("MultiLineString", list(lines.line_strings(), |line| self.line(line))?)
            }
            Wkt::MultiPolygon(polygons) => {
                ("MultiPolygon", list(polygons.polygons(), |polygon| self.polygon(polygon))?)
            }
            Wkt::GeometryCollection(members) => {
                let members = list(members.geometries(), |member| self.geometry(member))?;
                return Ok(json!({"type": "GeometryCollection", "geometries": members}));
            }
        };
        Ok(json!({"type": type_, "coordinates": coordinates}))
    }

    fn polygon(&mut self, polygon: &Polygon<f64>) -> Result<Value, String> {
        list(polygon.rings(), |ring| self.line(ring))
    }

    fn line(&mut self, line: &LineString<f64>) -> Result<Value, String> {
        list(line.coords(), |coord| self.position(coord))
    }

    fn position(&mut self, coord: &Coord<f64>) -> Result<Value, String> {
        self.measures |= coord.m.is_some();
        let numbers = [Some(coord.x), Some(coord.y), coord.z];
        if numbers.iter().flatten().any(|number| !number.is_finite()) {
            return Err(format!("{} {} is not a position", coord.x, coord.y));
        }
        Ok(numbers.into_iter().flatten().map(Value::from).collect())
    }
}

fn list<T>(
    items: impl IntoIterator<Item = T>,
    each: impl FnMut(T) -> Result<Value, String>,
) -> Result<Value, String> {
    items.into_iter().map(each).collect::<Result<Vec<_>, _>>().map(Value::Array)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polygons_heights_and_srids_are_read() {
        let read = read("SRID=32634;POLYGON Z ((1 2 3, 4 5 6, 7 8 9, 1 2 3))").unwrap();
        assert_eq!(read.srid.as_deref(), Some("EPSG:32634"));
        assert_eq!(read.geometry["coordinates"][0][1], json!([4.0, 5.0, 6.0]));
    }

    #[test]
    fn junk_is_an_error_and_never_a_crash() {
        let nested = "GEOMETRYCOLLECTION(".repeat(200_000);
        for text in ["POLYGON ((NaN 1, 2 3))", "POLYGON ((1", "POINT (1e999 2)", "", "POLYGON", &nested] {
            assert!(read(text).is_err(), "{}", text.chars().take(40).collect::<String>());
        }
    }
}
