//! Shapefiles (ESRI Shapefile Technical Description, July 1998): shapes, their table, their reference system.

use serde_json::Value;

use super::cursor::{Cursor, Order};
use super::dbase::{Row, Table};
use super::json::feature;
use super::position::{Position, geometry, list};
use super::rings::{self, Telling};
use super::{Crs, Feature, Item, Source, prj};

/// By which the shapes are known.
pub(super) const MAGIC: [u8; 4] = [0, 0, 0x27, 0x0a];

/// Bytes before the first record.
const HEAD: usize = 100;

/// Heights below are none.
const NO_HEIGHT: f64 = -1e38;

/// The files of one shapefile.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) shp: Vec<u8>,
    pub(super) dbf: Option<Vec<u8>>,
    pub(super) prj: Option<Vec<u8>>,
    pub(super) cpg: Option<Vec<u8>>,
}

/// Reads a shapefile.
///
/// # Errors
/// Where the shapes or the table are none, or in a reference system that cannot be reprojected.
pub(super) fn read(parts: &Parts, given: Option<&Crs>) -> Result<Source, String> {
    let mut source = Source { cuts: true, ..Source::default() };
    let stated = parts.prj.as_deref().map(|text| prj::read(&String::from_utf8_lossy(text)));
    let crs = match (given, stated) {
        (Some(given), _) => given.clone(),
        (None, Some(stated)) => stated?,
        (None, None) => {
            source.notes.push(
                "it has no .prj: its positions are taken for WGS 84; if they are not, say so with --crs"
                    .to_owned(),
            );
            Crs::Wgs84
        }
    };
    let label = parts.cpg.as_deref().map(String::from_utf8_lossy);
    let table = parts.dbf.as_deref().map(|bytes| Table::read(bytes, label.as_deref())).transpose()?;
    match &table {
        None => source.notes.push("it has no table (.dbf): nothing but the shapes is known".to_owned()),
        Some(table) => source.notes.extend(table.notes()),
    }
    let shapes = shapes(&parts.shp)?;
    let rows = table.as_ref().map_or(0, Table::count);
    if table.is_some() && rows != shapes.len() {
        source.notes.push(format!(
            "it has {} shapes and {rows} rows: those that are missing are left empty",
            shapes.len()
        ));
    }
    let mut deleted = 0;
    for index in 0..shapes.len().max(rows) {
        let row = table.as_ref().map_or(Ok(None), |table| table.row(index))?;
        if row.as_ref().is_some_and(|row| row.is_deleted) {
            deleted += 1;
            continue;
        }
        source.items.push(item(shapes.get(index), row, &crs));
    }
    if deleted > 0 {
        source.notes.push(format!("{deleted} rows were struck out in the table and are not taken"));
    }
    Ok(source)
}

fn item(shape: Option<&Result<&[u8], String>>, row: Option<Row>, crs: &Crs) -> Item {
    let (columns, malformed) = row.map_or_else(Default::default, |row| (row.values, row.malformed));
    let (geometry, note) = match shape {
        None => (None, None),
        Some(Err(fault)) => return Item::Unreadable(fault.clone()),
        Some(Ok(content)) => match shape_of(content) {
            Ok(read) => read,
            Err(fault) => (None, Some(format!("the geometry cannot be read: {fault}"))),
        },
    };
    let mut feature: Feature = feature(None, columns, geometry.map(|read| read.to_string()).as_deref(), crs);
    feature.notes.extend(note);
    if !malformed.is_empty() {
        feature
            .notes
            .push(format!("bytes that are no text were replaced by \u{fffd} in {}", malformed.join(", ")));
    }
    Item::Feature(Box::new(feature))
}

/// The contents of the records, as far as the file goes.
fn shapes(bytes: &[u8]) -> Result<Vec<Result<&[u8], String>>, String> {
    if !bytes.starts_with(&MAGIC) || bytes.len() < HEAD {
        return Err("its shapes (.shp) are cut off or are none".to_owned());
    }
    let mut cursor = Cursor(&bytes[HEAD..]);
    let mut found = Vec::new();
    while !cursor.0.is_empty() {
        let record = record(&mut cursor);
        let is_cut = record.is_err();
        found.push(record.map_err(|fault| format!("shape {} is cut off: {fault}", found.len() + 1)));
        if is_cut {
            break;
        }
    }
    Ok(found)
}

fn record<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], String> {
    cursor.u32(Order::Big)?;
    let words = cursor.u32(Order::Big)? as usize;
    cursor.take(words.saturating_mul(2))
}

/// A shape, and what a person should know about it.
type Read = (Option<Value>, Option<String>);

fn shape_of(content: &[u8]) -> Result<Read, String> {
    let mut cursor = Cursor(content);
    let type_ = cursor.u32(Order::Little)?;
    let has_height = (11..20).contains(&type_);
    match type_ {
        0 => Ok((None, None)),
        1 | 11 | 21 => {
            let mut at = position(&mut cursor)?;
            if has_height {
                at.z = height(&mut cursor)?;
            }
            Ok((Some(geometry("Point", at.value()?)), None))
        }
        8 | 18 | 28 => {
            cursor.take(32)?;
            let count = cursor.count(Order::Little, 16)?;
            let points = positions(&mut cursor, count, has_height)?;
            Ok((Some(geometry("MultiPoint", list(&points)?)), None))
        }
        3 | 13 | 23 => Ok((Some(lines(&parts(&mut cursor, has_height)?)?), None)),
        5 | 15 | 25 => {
            let (outline, note) = rings::outline(parts(&mut cursor, has_height)?, Telling::Direction)?;
            Ok((Some(outline), note))
        }
        31 => Err("a multipatch is a body in space: save it as polygons".to_owned()),
        other => Err(format!("there is no shape with the number {other}")),
    }
}

fn lines(parts: &[Vec<Position>]) -> Result<Value, String> {
    let mut lines: Vec<Value> = parts.iter().map(|part| list(part)).collect::<Result<_, _>>()?;
    Ok(match lines.len() {
        1 => geometry("LineString", lines.remove(0)),
        _ => geometry("MultiLineString", Value::Array(lines)),
    })
}

fn parts(cursor: &mut Cursor<'_>, has_height: bool) -> Result<Vec<Vec<Position>>, String> {
    cursor.take(32)?;
    let part_count = cursor.count(Order::Little, 4)?;
    let count = cursor.u32(Order::Little)? as usize;
    let firsts: Vec<usize> = (0..part_count)
        .map(|_| cursor.u32(Order::Little).map(|first| first as usize))
        .collect::<Result<_, _>>()?;
    let all = positions(cursor, count, has_height)?;
    let before = firsts.first().map_or(count, |first| *first);
    if before > 0 {
        return Err(format!("there are {before} positions before the first part, which belong to none"));
    }
    let ends = firsts.iter().skip(1).copied().chain([count]);
    let part = |(first, end): (&usize, usize)| {
        all.get(*first..end)
            .map(<[_]>::to_vec)
            .ok_or_else(|| format!("a part begins at position {first} and ends at {end}"))
    };
    firsts.iter().zip(ends).map(part).collect()
}

fn positions(cursor: &mut Cursor<'_>, count: usize, has_height: bool) -> Result<Vec<Position>, String> {
    let mut plane = Cursor(cursor.take(count.saturating_mul(16))?);
    let mut all: Vec<Position> = (0..count).map(|_| position(&mut plane)).collect::<Result<_, _>>()?;
    if has_height {
        cursor.take(16)?;
        for at in &mut all {
            at.z = height(cursor)?;
        }
    }
    Ok(all)
}

fn position(cursor: &mut Cursor<'_>) -> Result<Position, String> {
    Ok(Position::new(cursor.f64(Order::Little)?, cursor.f64(Order::Little)?))
}

fn height(cursor: &mut Cursor<'_>) -> Result<Option<f64>, String> {
    Ok(Some(cursor.f64(Order::Little)?).filter(|height| *height > NO_HEIGHT))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::import::Reading;

    /// A record of a shape of a type with these parts.
    fn shape(type_: u32, parts: &[&[(f64, f64)]]) -> Vec<u8> {
        let mut out = type_.to_le_bytes().to_vec();
        out.extend([0; 32]);
        let count = |count: usize| u32::try_from(count).unwrap().to_le_bytes();
        out.extend(count(parts.len()));
        out.extend(count(parts.iter().map(|part| part.len()).sum()));
        let mut first = 0;
        for part in parts {
            out.extend(count(first));
            first += part.len();
        }
        out.extend(parts.concat().iter().flat_map(|(x, y)| [x.to_le_bytes(), y.to_le_bytes()].concat()));
        out
    }

    fn file(records: &[Vec<u8>]) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.resize(HEAD, 0);
        for (record, number) in records.iter().zip(1_u32..) {
            out.extend(number.to_be_bytes());
            out.extend(u32::try_from(record.len() / 2).unwrap().to_be_bytes());
            out.extend(record);
        }
        out
    }

    fn read_bytes(bytes: &[u8]) -> Result<Source, String> {
        Source::read(bytes, &Reading::default())
    }

    const SHELL: [(f64, f64); 5] = [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.0), (0.0, 0.0)];
    const OTHER: [(f64, f64); 5] = [(10.0, 0.0), (10.0, 4.0), (14.0, 4.0), (14.0, 0.0), (10.0, 0.0)];
    /// In the other shell.
    const HOLE: [(f64, f64); 5] = [(11.0, 1.0), (12.0, 1.0), (12.0, 2.0), (11.0, 2.0), (11.0, 1.0)];

    #[test]
    fn a_hole_is_cut_out_of_the_ground_it_lies_in_not_of_the_ring_before_it() {
        for order in [[&SHELL[..], &HOLE, &OTHER], [&HOLE, &SHELL, &OTHER], [&OTHER, &SHELL, &HOLE]] {
            let source = read_bytes(&file(&[shape(5, &order)])).unwrap();
            let place = source.features().next().unwrap().geometry.clone().unwrap();
            let parts = place["coordinates"].as_array().unwrap();
            let of = |x: f64| parts.iter().find(|part| part[0][0][0] == json!(x)).unwrap();
            assert_eq!(
                (of(0.0).as_array().unwrap().len(), of(10.0).as_array().unwrap().len()),
                (1, 2),
                "{place}"
            );
        }
    }

    #[test]
    fn positions_that_belong_to_no_part_are_not_dropped() {
        let mut late = shape(5, &[&SHELL, &OTHER]);
        // Where the first part begins.
        late[44..48].copy_from_slice(&2_u32.to_le_bytes());
        let mut partless = shape(3, &[]);
        partless[40..44].copy_from_slice(&1_u32.to_le_bytes());
        partless.extend([0; 16]);
        let source = read_bytes(&file(&[late, partless])).unwrap();
        for (found, words) in
            source.features().zip(["2 positions before the first part", "1 positions before"])
        {
            assert!(found.geometry.is_none() && found.notes[0].contains(words), "{:?}", found.notes);
        }
        assert_eq!(source.features().count(), 2);
    }

    #[test]
    fn what_is_broken_in_one_shape_does_not_touch_the_others() {
        let good = shape(5, &[&SHELL]);
        let nan = shape(5, &[&[(f64::NAN, 0.0), (1.0, 1.0), (2.0, 0.0)]]);
        let strange = shape(99, &[]);
        let mut lying = good.clone();
        lying[40..44].copy_from_slice(&u32::MAX.to_le_bytes());
        let source = read_bytes(&file(&[nan, good.clone(), strange, lying, shape(0, &[])])).unwrap();
        let read: Vec<&Feature> = source.features().collect();
        assert_eq!(read.len(), 5);
        assert_eq!(read.iter().filter(|one| one.geometry.is_some()).count(), 1);
        assert_eq!(
            read.iter().filter(|one| one.notes.iter().any(|note| note.contains("cannot be read"))).count(),
            3
        );
        let whole = file(&[good.clone(), good]);
        let source = read_bytes(&whole[..whole.len() - 10]).unwrap();
        assert!(
            matches!(&source.items[1], Item::Unreadable(fault) if fault.contains("cut off")),
            "{:?}",
            source.items
        );
        assert!(source.notes.iter().any(|note| note.contains("no .prj")), "{:?}", source.notes);
        assert!(read_bytes(&whole[..50]).is_err());
    }
}
