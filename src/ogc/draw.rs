//! Geometries as GeoJSON in the reference system that was asked for, and back.

use std::panic::{AssertUnwindSafe, catch_unwind};

use geo::{
    Coord, Geometry, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon, unary_union,
};
use serde_json::{Value, json};

use super::collection::Shape;
use super::crs::Crs;

/// The shape that a geometry is drawn as.
pub fn shape_of(geometry: &Geometry<f64>) -> Shape {
    match geometry {
        Geometry::Point(_) | Geometry::MultiPoint(_) => Shape::Points,
        Geometry::Line(_) | Geometry::LineString(_) | Geometry::MultiLineString(_) => Shape::Lines,
        _ => Shape::Areas,
    }
}

/// The ground of a geometry and of others together, for showing in a collection of this shape; what is no area adds
/// nothing to one.
pub fn united(own: Option<Geometry<f64>>, others: Vec<Geometry<f64>>, shape: Shape) -> Option<Geometry<f64>> {
    if others.is_empty() {
        return own;
    }
    let all: Vec<Geometry<f64>> = own.into_iter().chain(others).collect();
    let areas: Vec<MultiPolygon<f64>> = all
        .iter()
        .filter_map(|geometry| match geometry {
            Geometry::MultiPolygon(polygons) => Some(polygons.clone()),
            _ => None,
        })
        .collect();
    if areas.is_empty() {
        return if shape == Shape::Point { all.into_iter().next() } else { gathered(all) };
    }
    // No figure is made of it. Where the engine gives up, every outline is drawn by itself.
    let union =
        catch_unwind(AssertUnwindSafe(|| unary_union(&areas))).ok().filter(|union| !union.0.is_empty());
    Some(Geometry::MultiPolygon(union.unwrap_or_else(|| areas.into_iter().flatten().collect())))
}

/// All the places, or all the lines, that several geometries of the first one's shape name.
fn gathered(all: Vec<Geometry<f64>>) -> Option<Geometry<f64>> {
    let shape = shape_of(all.first()?);
    let (mut points, mut lines): (Vec<Point<f64>>, Vec<LineString<f64>>) = (Vec::new(), Vec::new());
    for geometry in all {
        match geometry {
            Geometry::Point(point) => points.push(point),
            Geometry::MultiPoint(more) => points.extend(more),
            Geometry::LineString(line) => lines.push(line),
            Geometry::MultiLineString(more) => lines.extend(more),
            _ => {}
        }
    }
    if shape == Shape::Lines {
        return Some(MultiLineString(lines).into());
    }
    // Most sides of a dispute leave the place where it was.
    let mut places: Vec<Point<f64>> = Vec::with_capacity(points.len());
    for point in points {
        if !places.contains(&point) {
            places.push(point);
        }
    }
    Some(MultiPoint(places).into())
}

/// Writes a geometry as GeoJSON of the collection's one type; `null` where it is nothing, of another shape, or has no
/// place in the reference system: of a record with swapped coordinates nothing can be drawn in a UTM zone.
pub fn write(out: &mut Vec<u8>, geometry: Option<&Geometry<f64>>, shape: Shape, crs: Crs) {
    let start = out.len();
    if geometry.and_then(|geometry| Writer { out: &mut *out, crs }.geometry(geometry, shape)).is_none() {
        out.truncate(start);
        out.extend_from_slice(b"null");
    }
}

struct Writer<'o> {
    out: &'o mut Vec<u8>,
    crs: Crs,
}

impl Writer<'_> {
    fn geometry(&mut self, geometry: &Geometry<f64>, shape: Shape) -> Option<()> {
        self.text(r#"{"type":""#);
        self.text(shape.type_name());
        self.text(r#"","coordinates":"#);
        match (geometry, shape) {
            (Geometry::Polygon(polygon), Shape::Areas) => self.list([polygon], Self::polygon)?,
            (Geometry::MultiPolygon(polygons), Shape::Areas) => self.list(polygons, Self::polygon)?,
            (Geometry::LineString(line), Shape::Lines) => self.list([line], Self::line)?,
            (Geometry::MultiLineString(lines), Shape::Lines) => self.list(lines, Self::line)?,
            (Geometry::Point(point), Shape::Point) => self.position(&point.0)?,
            (Geometry::Point(point), Shape::Points) => self.list([&point.0], Self::position)?,
            (Geometry::MultiPoint(points), Shape::Points) => {
                self.list(points.iter().map(|point| &point.0), Self::position)?;
            }
            _ => return None,
        }
        self.text("}");
        Some(())
    }

    fn text(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut each: impl FnMut(&mut Self, T) -> Option<()>,
    ) -> Option<()> {
        self.text("[");
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.text(",");
            }
            each(self, item)?;
        }
        self.text("]");
        Some(())
    }

    fn polygon(&mut self, polygon: &Polygon<f64>) -> Option<()> {
        self.list(std::iter::once(polygon.exterior()).chain(polygon.interiors()), Self::line)
    }

    fn line(&mut self, line: &LineString<f64>) -> Option<()> {
        self.list(line.coords(), Self::position)
    }

    fn position(&mut self, at: &Coord<f64>) -> Option<()> {
        let [first, second] = self.crs.place(at.x, at.y)?;
        // A tenth of a millimetre; degrees stay as they are stored.
        let shown =
            |number: f64| if self.crs.is_geographic() { number } else { (number * 1e4).round() / 1e4 };
        // Numbers that are finite are written without fail.
        serde_json::to_writer(&mut *self.out, &[shown(first), shown(second)]).ok()
    }
}

/// A GeoJSON geometry given in a reference system, in CRS84.
///
/// # Errors
/// The first position that is none, in words.
pub fn read(geometry: &Value, crs: Crs) -> Result<Value, String> {
    let mut moved = geometry.clone();
    if crs != Crs::Crs84
        && let Some(coordinates) = moved.get_mut("coordinates")
    {
        each_position(coordinates, &mut |position| {
            let numbers = (position.first().and_then(Value::as_f64), position.get(1).and_then(Value::as_f64));
            let place = match numbers {
                (Some(first), Some(second)) => crs.locate(first, second),
                _ => None,
            };
            let Some([lon, lat]) = place else {
                return Err(format!("{} has no place on the globe in {crs}", Value::from(position.clone())));
            };
            (position[0], position[1]) = (json!(lon), json!(lat));
            Ok(())
        })?;
    }
    Ok(moved)
}

/// Visits every position in the coordinates of a geometry, however deep; what is no list is left alone.
pub(super) fn each_position(
    coordinates: &mut Value,
    visit: &mut impl FnMut(&mut Vec<Value>) -> Result<(), String>,
) -> Result<(), String> {
    let Some(list) = coordinates.as_array_mut() else { return Ok(()) };
    if list.first().is_some_and(|first| !first.is_array()) {
        return visit(list);
    }
    list.iter_mut().try_for_each(|item| each_position(item, visit))
}

/// A geometry as GeoJSON; null where [`write()`] writes so.
pub fn written(geometry: Option<&Geometry<f64>>, shape: Shape, crs: Crs) -> Value {
    let mut out = Vec::new();
    write(&mut out, geometry, shape, crs);
    // What was written as JSON is read as JSON.
    serde_json::from_slice(&out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(geometry: &Geometry<f64>, shape: Shape, crs: Crs) -> Value {
        written(Some(geometry), shape, crs)
    }

    fn square() -> Polygon<f64> {
        let ring = vec![(18.0, 43.0), (18.1, 43.0), (18.1, 43.1), (18.0, 43.0)];
        Polygon::new(LineString::from(ring), Vec::new())
    }

    #[test]
    fn one_type_for_all_and_axes_in_their_order() {
        let polygon = Geometry::Polygon(square());
        let found = drawn(&polygon, Shape::Areas, Crs::Crs84);
        assert_eq!(found["type"], "MultiPolygon");
        assert_eq!(found["coordinates"][0][0][1], json!([18.1, 43.0]));
        assert_eq!(drawn(&polygon, Shape::Areas, Crs::Epsg4326)["coordinates"][0][0][1], json!([43.0, 18.1]));
        let point = Geometry::Point(Point::new(18.0, 43.0));
        assert_eq!(drawn(&point, Shape::Points, Crs::Crs84)["coordinates"], json!([[18.0, 43.0]]));
        assert_eq!(drawn(&point, Shape::Areas, Crs::Crs84), Value::Null);
        assert_eq!(drawn(&polygon, Shape::Areas, Crs::Utm { zone: 4, north: true }), Value::Null);
    }

    #[test]
    fn what_was_drawn_is_read_back() {
        let polygon = Geometry::Polygon(square());
        let stored = drawn(&polygon, Shape::Areas, Crs::Crs84);
        for crs in [Crs::Epsg4326, Crs::WebMercator, Crs::Utm { zone: 34, north: true }] {
            let back = read(&drawn(&polygon, Shape::Areas, crs), crs).unwrap();
            let near = |value: &Value| value["coordinates"][0][0][2][0].as_f64().unwrap();
            assert!((near(&back) - near(&stored)).abs() < 1e-8, "{crs}");
        }
        let junk = json!({"type": "Point", "coordinates": ["a"]});
        assert!(read(&junk, Crs::WebMercator).is_err());
        assert!(read(&json!({"type": "Point", "coordinates": [1e300, 0]}), Crs::Epsg4326).is_err());
    }

    #[test]
    fn contested_ground_is_that_of_every_side() {
        let side = |west: f64| {
            let ring = vec![(west, 0.0), (west + 2.0, 0.0), (west + 2.0, 1.0), (west, 1.0), (west, 0.0)];
            Geometry::MultiPolygon(Polygon::new(LineString::from(ring), Vec::new()).into())
        };
        let together = united(Some(side(0.0)), vec![side(1.0)], Shape::Areas).unwrap();
        assert!((geo::Area::unsigned_area(&together) - 3.0).abs() < 1e-9);
        assert_eq!(united(Some(side(0.0)), Vec::new(), Shape::Areas), Some(side(0.0)));
        assert_eq!(
            united(Some(Point::new(1.0, 1.0).into()), vec![side(0.0)], Shape::Areas).map(|it| shape_of(&it)),
            Some(Shape::Areas)
        );
        let [here, there] = [1.0, 2.0].map(|lon| Point::new(lon, 1.0));
        let both = |shape| united(Some(here.into()), vec![there.into(), here.into()], shape);
        assert_eq!(both(Shape::Points), Some(MultiPoint(vec![here, there]).into()));
        assert_eq!(both(Shape::Point), Some(here.into()), "a kind of single places has one");
    }
}
