//! Well-known binary, as `GeoPackage` and `PostGIS` write it, into GeoJSON; heights stay, measures do not.

use serde_json::{Value, json};

use super::cursor::{Cursor, Order};
use super::position::{Position, geometry, list};

/// How deep geometries may nest: a collection of multipolygons needs three.
const DEPTH: usize = 8;

/// The dimensions of a geometry's positions.
#[derive(Debug, Clone, Copy)]
struct Dimensions {
    has_height: bool,
    has_measure: bool,
}

/// Reads a geometry; nothing where it is empty.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(bytes: &[u8]) -> Result<Option<Value>, String> {
    let mut cursor = Cursor(bytes);
    read_one(&mut cursor, DEPTH)
}

fn read_one(cursor: &mut Cursor<'_>, depth: usize) -> Result<Option<Value>, String> {
    if depth == 0 {
        return Err(format!("it nests more than {DEPTH} levels"));
    }
    let order = match cursor.byte()? {
        0 => Order::Big,
        1 => Order::Little,
        other => return Err(format!("no order of bytes has the number {other}")),
    };
    let code = cursor.u32(order)?;
    // The flags of PostGIS, and the thousands of the standard.
    if code & 0x2000_0000 != 0 {
        cursor.take(4)?;
    }
    let plain = code & 0x0fff_ffff;
    let dimensions = Dimensions {
        has_height: code & 0x8000_0000 != 0 || matches!(plain / 1000, 1 | 3),
        has_measure: code & 0x4000_0000 != 0 || matches!(plain / 1000, 2 | 3),
    };
    let made = match (plain / 1000, plain % 1000) {
        (0..=3, 1) => {
            let at = position(cursor, order, dimensions)?;
            // So an empty point is written.
            if at.x.is_nan() && at.y.is_nan() {
                return Ok(None);
            }
            geometry("Point", at.value()?)
        }
        (0..=3, 2) => geometry("LineString", list(&positions(cursor, order, dimensions)?)?),
        (0..=3, 3) => geometry("Polygon", rings(cursor, order, dimensions)?),
        (0..=3, kind @ 4..=7) => return several(cursor, order, kind, depth),
        _ => {
            return Err(format!(
                "the geometry type {code} (a curve or a surface) is not read: save it with straight lines"
            ));
        }
    };
    Ok(Some(made).filter(|made| made["coordinates"] != json!([])))
}

/// A geometry of geometries.
fn several(cursor: &mut Cursor<'_>, order: Order, kind: u32, depth: usize) -> Result<Option<Value>, String> {
    let mut members = Vec::new();
    // Each has its order of bytes, its type and at least a count.
    for _ in 0..cursor.count(order, 9)? {
        members.extend(read_one(cursor, depth - 1)?);
    }
    if members.is_empty() {
        return Ok(None);
    }
    let (single, multiple) = match kind {
        4 => ("Point", "MultiPoint"),
        5 => ("LineString", "MultiLineString"),
        6 => ("Polygon", "MultiPolygon"),
        _ => return Ok(Some(json!({"type": "GeometryCollection", "geometries": members}))),
    };
    if members.iter().any(|member| member["type"] != single) {
        return Err(format!("a {multiple} holds something else than a {single}"));
    }
    let coordinates = members.iter_mut().map(|member| member["coordinates"].take()).collect();
    Ok(Some(geometry(multiple, coordinates)))
}

fn rings(cursor: &mut Cursor<'_>, order: Order, dimensions: Dimensions) -> Result<Value, String> {
    let mut rings = Vec::new();
    for _ in 0..cursor.count(order, 4)? {
        rings.push(list(&positions(cursor, order, dimensions)?)?);
    }
    Ok(Value::Array(rings))
}

fn positions(cursor: &mut Cursor<'_>, order: Order, dimensions: Dimensions) -> Result<Vec<Position>, String> {
    let size = 16 + 8 * (usize::from(dimensions.has_height) + usize::from(dimensions.has_measure));
    (0..cursor.count(order, size)?).map(|_| position(cursor, order, dimensions)).collect()
}

fn position(cursor: &mut Cursor<'_>, order: Order, dimensions: Dimensions) -> Result<Position, String> {
    let mut at = Position::new(cursor.f64(order)?, cursor.f64(order)?);
    if dimensions.has_height {
        at.z = Some(cursor.f64(order)?);
    }
    if dimensions.has_measure {
        cursor.f64(order)?;
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_house_writes_is_read() {
        let ring = json!([[18.0, 43.0], [18.1, 43.0], [18.1, 43.1], [18.0, 43.0]]);
        for given in [
            json!({"type": "MultiPolygon", "coordinates": [[ring]]}),
            json!({"type": "MultiPoint", "coordinates": [[1.0, 2.0], [3.0, 4.0]]}),
            json!({"type": "LineString", "coordinates": [[1.0, 2.0], [3.0, 4.0]]}),
            json!({"type": "Point", "coordinates": [1.5, -2.0]}),
        ] {
            let bytes = crate::geometry::shape::Shape::read(&given).unwrap().wkb();
            assert_eq!(read(&bytes).unwrap(), Some(given));
            for end in 0..bytes.len() {
                assert!(read(&bytes[..end]).is_err(), "{end} of {} bytes", bytes.len());
            }
        }
    }

    #[test]
    fn heights_stay_and_measures_do_not() {
        let mut bytes = vec![1];
        bytes.extend(3001_u32.to_le_bytes());
        bytes.extend([1.0, 2.0, 3.0, 4.0].iter().flat_map(|number: &f64| number.to_le_bytes()));
        assert_eq!(read(&bytes).unwrap().unwrap()["coordinates"], json!([1.0, 2.0, 3.0]));
    }

    #[test]
    fn counts_without_bytes_and_endless_nesting_are_refused() {
        let many = [&[1][..], &2_u32.to_le_bytes(), &u32::MAX.to_le_bytes()].concat();
        assert!(read(&many).is_err());
        let one = [&[1][..], &7_u32.to_le_bytes(), &1_u32.to_le_bytes()].concat();
        assert!(read(&one.repeat(100_000)).unwrap_err().contains("nests"));
        assert!(read(&[1, 8, 0, 0, 0]).unwrap_err().contains("curve"));
    }
}
