//! Geometries as GeoJSON in the reference system that was asked for, and back.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use geo::{Coord, Geometry, LineString, MultiPolygon, Polygon, unary_union};
use serde_json::{Value, json};

use super::collection::Shape;
use super::crs::Crs;

/// Decimals of degrees that QGIS rounds to when it writes: 0.1 m.
const ROUNDED: f64 = 1e6;
/// Numbers that differ by less are the same: degrees lose a tenth of a millimetre where they are written in metres.
const SAME: f64 = 1e-9;

/// The shape that a geometry is drawn as.
pub fn shape_of(geometry: &Geometry<f64>) -> Shape {
    match geometry {
        Geometry::Point(_) | Geometry::MultiPoint(_) => Shape::Points,
        Geometry::Line(_) | Geometry::LineString(_) | Geometry::MultiLineString(_) => Shape::Lines,
        _ => Shape::Areas,
    }
}

/// The ground of a geometry and of others together, for showing; what is no area adds nothing to one.
pub fn united(own: Option<Geometry<f64>>, others: Vec<Geometry<f64>>) -> Option<Geometry<f64>> {
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
        return all.into_iter().next();
    }
    // No figure is made of it. Where the engine gives up, every outline is drawn by itself.
    let union =
        catch_unwind(AssertUnwindSafe(|| unary_union(&areas))).ok().filter(|union| !union.0.is_empty());
    Some(Geometry::MultiPolygon(union.unwrap_or_else(|| areas.into_iter().flatten().collect())))
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

/// Gives back to positions that a client only wrote back what was surveyed, heights too: those that are where one of the
/// record as it stands is, and, where the client `rounds` to six decimals, those that one rounds to. `shown` is the
/// record as it was drawn, whose order a client keeps: two vertices in the same tenth of a metre take turns.
pub fn restore(geometry: &mut Value, shown: &Value, stands: &Value, rounds: bool) {
    let mut surveyed = Surveyed::new(shown, stands);
    let Some(coordinates) = geometry.get_mut("coordinates") else { return };
    let _ = each_position(coordinates, &mut |position| {
        let Some(before) = surveyed.take(position, rounds && is_round(position)) else { return Ok(()) };
        let heights = if position.len() > 2 { &position[2..] } else { before.get(2..).unwrap_or_default() };
        *position = before.iter().take(2).chain(heights).cloned().collect();
        Ok(())
    });
}

/// Positions that were surveyed, by the tenth of a metre that they are in, each with whether it was given back.
struct Surveyed(HashMap<[i64; 2], Vec<(Vec<Value>, bool)>>);

impl Surveyed {
    /// The positions that were drawn, in their order, as whoever surveyed them wrote them; those of the record itself
    /// where it is not drawn.
    fn new(shown: &Value, stands: &Value) -> Self {
        let exactly = |position: &[Value]| {
            let number = |index: usize| position.get(index)?.as_f64().map(f64::to_bits);
            Some([number(0)?, number(1)?])
        };
        let entered = positions(stands);
        let whole: HashMap<_, &Vec<Value>> =
            entered.iter().rev().filter_map(|position| Some((exactly(position)?, position))).collect();
        let drawn = positions(shown);
        let mut cells: HashMap<_, Vec<_>> = HashMap::new();
        for position in if drawn.is_empty() { &entered } else { &drawn } {
            let known = exactly(position).and_then(|key| whole.get(&key)).copied().unwrap_or(position);
            if let Some(key) = rounded(position) {
                cells.entry(key).or_default().push((known.clone(), false));
            }
        }
        Self(cells)
    }

    /// The position that this one was, as it was surveyed. One that more were made of is given back again.
    fn take(&mut self, position: &[Value], is_rounded: bool) -> Option<Vec<Value>> {
        let [x, y] = rounded(position)?;
        let cells = if is_rounded { vec![[x, y]] } else { around([x, y]) };
        let mut found = None;
        'cells: for cell in cells {
            for (index, (known, used)) in self.0.get(&cell).into_iter().flatten().enumerate() {
                if is_rounded || is_same_place(known, position) {
                    found = Some((cell, index));
                    if !used {
                        break 'cells;
                    }
                }
            }
        }
        let (cell, index) = found?;
        let (known, used) = self.0.get_mut(&cell)?.get_mut(index)?;
        *used = true;
        Some(known.clone())
    }
}

/// A cell and those beside it: what is the same place may lie on either side of their edge.
fn around([x, y]: [i64; 2]) -> Vec<[i64; 2]> {
    let near = |at: i64| [at, at.saturating_sub(1), at.saturating_add(1)];
    near(x).into_iter().flat_map(|x| near(y).map(|y| [x, y])).collect()
}

fn positions(geometry: &Value) -> Vec<Vec<Value>> {
    let mut found = Vec::new();
    let _ = each_position(&mut geometry["coordinates"].clone(), &mut |position| {
        found.push(position.clone());
        Ok(())
    });
    found
}

#[expect(clippy::cast_possible_truncation, reason = "degrees with six decimals are far below 2^53")]
fn rounded(position: &[Value]) -> Option<[i64; 2]> {
    let number = |index: usize| Some((position.get(index)?.as_f64()? * ROUNDED).round() as i64);
    Some([number(0)?, number(1)?])
}

fn is_round(position: &[Value]) -> bool {
    position.iter().take(2).filter_map(Value::as_f64).all(|number| {
        let scaled = number * ROUNDED;
        (scaled - scaled.round()).abs() < 1e-3
    })
}

/// Visits every position in the coordinates of a geometry, however deep; what is no list is left alone.
fn each_position(
    coordinates: &mut Value,
    visit: &mut impl FnMut(&mut Vec<Value>) -> Result<(), String>,
) -> Result<(), String> {
    let Some(list) = coordinates.as_array_mut() else { return Ok(()) };
    if list.first().is_some_and(|first| !first.is_array()) {
        return visit(list);
    }
    list.iter_mut().try_for_each(|item| each_position(item, visit))
}

/// Whether a geometry says the same as another one, as far as numbers that went through a client can tell: a single part
/// in its `Multi…` or alone, with the same rings in the same parts. Heights that it leaves out are no difference.
pub fn is_same(a: &Value, b: &Value) -> bool {
    match (parts(a), parts(b)) {
        (Some((family, parts)), Some((other, others))) => {
            family == other
                && parts.len() == others.len()
                && parts.into_iter().zip(others).all(|(part, other)| is_same_part(part, other))
        }
        _ => a == b,
    }
}

/// The type of a geometry's parts, and their coordinates.
fn parts(geometry: &Value) -> Option<(&str, Vec<&Value>)> {
    let (type_, coordinates) = (geometry["type"].as_str()?, geometry.get("coordinates")?);
    Some(match type_.strip_prefix("Multi") {
        Some(family) => (family, coordinates.as_array()?.iter().collect()),
        None => (type_, vec![coordinates]),
    })
}

fn is_same_part(a: &Value, b: &Value) -> bool {
    let (Some(first), Some(second)) = (a.as_array(), b.as_array()) else { return a == b };
    let is_position = |list: &[Value]| list.first().is_some_and(|first| !first.is_array());
    if is_position(first) && is_position(second) {
        return is_same_position(first, second);
    }
    first.len() == second.len() && first.iter().zip(second).all(|(a, b)| is_same_part(a, b))
}

fn is_same_position(a: &[Value], b: &[Value]) -> bool {
    is_same_place(a, b) && (a.get(2).is_none() || is_near(a, b, 2))
}

fn is_same_place(a: &[Value], b: &[Value]) -> bool {
    is_near(a, b, 0) && is_near(a, b, 1)
}

fn is_near(a: &[Value], b: &[Value], index: usize) -> bool {
    let number = |position: &[Value]| position.get(index).and_then(Value::as_f64);
    number(a).zip(number(b)).is_some_and(|(a, b)| (a - b).abs() < SAME)
}

/// Whether no position of a geometry has a height.
pub fn is_flat(geometry: &Value) -> bool {
    positions(geometry).iter().all(|position| position.len() < 3)
}

/// A geometry as GeoJSON; null where [`write`] writes so.
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
        let point = Geometry::Point(geo::Point::new(18.0, 43.0));
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
        let together = united(Some(side(0.0)), vec![side(1.0)]).unwrap();
        assert!((geo::Area::unsigned_area(&together) - 3.0).abs() < 1e-9);
        assert_eq!(united(Some(side(0.0)), Vec::new()), Some(side(0.0)));
        assert_eq!(
            united(Some(geo::Point::new(1.0, 1.0).into()), vec![side(0.0)]).map(|it| shape_of(&it)),
            Some(Shape::Areas)
        );
    }

    #[test]
    fn a_hole_is_no_second_part() {
        let (outer, inner) =
            (json!([[0, 0], [9, 0], [9, 9], [0, 0]]), json!([[3, 1], [4, 1], [4, 2], [3, 1]]));
        let multi = |coordinates: Value| json!({"type": "MultiPolygon", "coordinates": coordinates});
        let holed = json!({"type": "Polygon", "coordinates": [outer, inner]});
        assert!(is_same(&multi(json!([[outer, inner]])), &holed));
        assert!(!is_same(&multi(json!([[outer], [inner]])), &holed));
        let lines = |parts: Value| json!({"type": "MultiLineString", "coordinates": parts});
        let (one, two) =
            (json!([[[0, 0], [1, 1], [2, 2], [3, 3]]]), json!([[[0, 0], [1, 1]], [[2, 2], [3, 3]]]));
        assert!(!is_same(&lines(one), &lines(two)));
        let point = |position: Value| json!({"type": "Point", "coordinates": position});
        assert!(is_same(&point(json!([1, 2])), &point(json!([1, 2, 300]))), "a height that is left out");
        assert!(!is_same(&point(json!([1, 2, 300])), &point(json!([1, 2]))), "a height that is new");
        assert!(is_same(&json!(null), &json!(null)) && !is_same(&point(json!([1, 2])), &json!(null)));
    }

    #[test]
    fn two_vertices_in_the_same_tenth_of_a_metre_stay_two() {
        let line = |positions: Value| json!({"type": "LineString", "coordinates": positions});
        let stands = line(json!([[18.100_000_1, 43.5], [18.100_000_3, 43.5], [18.2, 43.6]]));
        let mut sent = line(json!([[18.1, 43.5], [18.1, 43.5], [18.2, 43.6]]));
        restore(&mut sent, &stands, &stands, true);
        assert_eq!(sent, stands);
        // Drawn the other way round, and written back so.
        let drawn = line(json!([[18.2, 43.6], [18.100_000_3, 43.5], [18.100_000_1, 43.5]]));
        let mut sent = line(json!([[18.2, 43.6], [18.1, 43.5], [18.1, 43.5]]));
        restore(&mut sent, &drawn, &stands, true);
        assert_eq!(sent, drawn);
        // Whoever does not round says which one it is.
        let mut precise = line(json!([[18.100_000_3, 43.5], [18.2, 43.6]]));
        restore(&mut precise, &drawn, &stands, true);
        assert_eq!(precise, line(json!([[18.100_000_3, 43.5], [18.2, 43.6]])));
    }

    #[test]
    fn heights_stay_where_a_vertex_was_not_moved() {
        let line = |positions: Value| json!({"type": "LineString", "coordinates": positions});
        let stands = line(json!([[18.123_456_789, 43.5, 501.5], [18.2, 43.6, 502], [18.3, 43.7, 503]]));
        let drawn = line(json!([[18.123_456_789, 43.5], [18.2, 43.6], [18.3, 43.7]]));
        let mut sent = line(json!([[18.123_456_789_4, 43.5], [18.25, 43.6], [18.3, 43.7, 600]]));
        for rounds in [true, false] {
            restore(&mut sent, &drawn, &stands, rounds);
            let kept = json!([[18.123_456_789, 43.5, 501.5], [18.25, 43.6], [18.3, 43.7, 600]]);
            assert_eq!(sent, line(kept), "a height that the client gives is the client's");
        }
    }

    #[test]
    fn rounding_does_not_move_what_was_surveyed() {
        let stands =
            json!({"type": "Polygon", "coordinates": [[[18.123_456_78, 43.5], [18.2, 43.6], [18.3, 43.7]]]});
        let mut sent = json!({"type": "MultiPolygon", "coordinates":
            [[[[18.123_457, 43.5], [18.25, 43.6], [18.300_000_1, 43.7]]]]});
        restore(&mut sent, &stands, &stands, true);
        assert_eq!(sent["coordinates"][0][0][0], json!([18.123_456_78, 43.5]));
        assert_eq!(sent["coordinates"][0][0][1], json!([18.25, 43.6]), "a vertex that was moved");
        assert_eq!(sent["coordinates"][0][0][2], json!([18.300_000_1, 43.7]), "as precise as it was sent");
        assert!(!is_same(&sent, &stands));
        assert!(is_same(&json!({"type": "MultiPolygon", "coordinates": [stands["coordinates"]]}), &stands));
    }
}
