//! `GeoPackage` (OGC 12-128): a layer of an SQLite database that somebody else has made. It is looked at in memory, runs
//! nothing that it brings, and for only so long.

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Row};
use serde_json::{Map, Value, json};

use super::cursor::{Cursor, Order};
use super::json::feature;
use super::{Crs, Item, Reading, Source, prj, wkb};

/// By which a database is known.
pub(super) const MAGIC: &[u8] = b"SQLite format 3\0";

/// Steps of the database's machine between two looks at how many there were.
const STEPS: u16 = 50_000;
/// Looks that every file is allowed: a fraction of a second.
const LOOKS: usize = 200;
/// Steps for each byte of the file. A table takes two for each value and some for each row.
const STEPS_PER_BYTE: usize = 16;
/// Bytes of a value.
const VALUE: i32 = 64 << 20;
/// How many times the file a layer may be that is a view on others.
const RATIO: usize = 4;
/// Bytes that every layer may have.
const LITTLE: usize = 1 << 20;
/// The tables that say what a file holds. A view in their place is somebody's joke.
const NO_VIEWS: &str = "SELECT count(*) FROM sqlite_schema WHERE type <> 'table' AND lower(name) IN \
                        ('gpkg_contents', 'gpkg_geometry_columns', 'gpkg_spatial_ref_sys')";

/// A table of features.
struct Layer {
    name: String,
    /// The column of its geometry and the number of its reference system.
    geometry: Option<(String, i64)>,
}

/// Reads the layer that is asked for, or the only one.
///
/// # Errors
/// Where it is no `GeoPackage`, broken, has several layers, or one in a reference system that cannot be reprojected.
pub(super) fn read(bytes: &[u8], reading: &Reading, given: Option<&Crs>) -> Result<Source, String> {
    let database = open(bytes).map_err(|fault| said(&fault))?;
    let layers = layers(&database)?;
    let layer = chosen(&layers, reading.layer.as_deref())?;
    let mut source = Source::default();
    let crs = match given {
        Some(given) => given.clone(),
        None => crs(&database, layer, &mut source)?,
    };
    take(&database, layer, &crs, bytes.len().saturating_mul(RATIO) + LITTLE, &mut source)?;
    Ok(source)
}

fn open(bytes: &[u8]) -> rusqlite::Result<Connection> {
    let mut bytes = bytes.to_vec();
    // A database in memory has no journal beside it, whatever its header says.
    for mark in bytes.get_mut(18..20).into_iter().flatten() {
        *mark = 1;
    }
    let mut database = Connection::open_in_memory()?;
    database.set_limit(Limit::SQLITE_LIMIT_LENGTH, VALUE)?;
    database.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    database.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    let mut left = LOOKS + bytes.len().saturating_mul(STEPS_PER_BYTE) / usize::from(STEPS);
    database.progress_handler(
        STEPS.into(),
        Some(move || {
            left = left.saturating_sub(1);
            left == 0
        }),
    )?;
    let size = bytes.len();
    database.deserialize_read_exact("main", bytes.as_slice(), size, true)?;
    database.pragma_update(None, "cell_size_check", true)?;
    Ok(database)
}

fn said(fault: &rusqlite::Error) -> String {
    match fault.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => {
            "it takes too long to read: a view or a table in it has no end".to_owned()
        }
        _ => format!("its database cannot be read: {fault}"),
    }
}

/// The layers with a geometry, and those that are tables only.
const LAYERS: &str = "SELECT c.table_name, g.column_name, g.srs_id FROM gpkg_contents c \
                      LEFT JOIN gpkg_geometry_columns g ON lower(g.table_name) = lower(c.table_name) \
                      WHERE c.data_type IN ('features', 'attributes') ORDER BY 1";
/// The layers of a file that has tables only, and need not have what describes geometries.
const TABLES: &str =
    "SELECT table_name, NULL, NULL FROM gpkg_contents WHERE data_type = 'attributes' ORDER BY 1";

fn layers(database: &Connection) -> Result<Vec<Layer>, String> {
    let layer = |row: &Row<'_>| {
        let column: Option<String> = row.get(1)?;
        let srs: Option<i64> = row.get(2)?;
        Ok(Layer { name: row.get(0)?, geometry: column.map(|column| (column, srs.unwrap_or(0))) })
    };
    let has = |table: &str| {
        let sql = "SELECT count(*) FROM sqlite_schema WHERE name = ?1";
        let count: rusqlite::Result<i64> = database.query_row(sql, [table], |row| row.get(0));
        count.map(|count| count > 0).map_err(|fault| said(&fault))
    };
    if !has("gpkg_contents")? {
        return Err("it is an SQLite database and no GeoPackage: it has no gpkg_contents".to_owned());
    }
    let views: i64 = database.query_row(NO_VIEWS, [], |row| row.get(0)).map_err(|fault| said(&fault))?;
    if views > 0 {
        return Err("its contents are views, which nobody writes: it is not read".to_owned());
    }
    let sql = if has("gpkg_geometry_columns")? { LAYERS } else { TABLES };
    let mut rows = database.prepare(sql).map_err(|fault| said(&fault))?;
    let layers = rows.query_map([], layer).map_err(|fault| said(&fault))?;
    layers.collect::<Result<_, _>>().map_err(|fault| said(&fault))
}

fn chosen<'l>(layers: &'l [Layer], wanted: Option<&str>) -> Result<&'l Layer, String> {
    let names = || layers.iter().map(|layer| layer.name.as_str()).collect::<Vec<_>>().join(", ");
    match (wanted, layers) {
        (_, []) => Err("it has no layer of features".to_owned()),
        (None, [only]) => Ok(only),
        (None, _) => Err(format!("it has several layers: choose one with --layer; there are: {}", names())),
        (Some(wanted), layers) => layers
            .iter()
            .find(|layer| layer.name == wanted)
            .ok_or_else(|| format!("it has no layer `{wanted}`; there are: {}", names())),
    }
}

/// The reference system of a layer, as the file describes it.
fn crs(database: &Connection, layer: &Layer, source: &mut Source) -> Result<Crs, String> {
    let Some((_, srs)) = &layer.geometry else { return Ok(Crs::Wgs84) };
    let sql = "SELECT organization, organization_coordsys_id, definition FROM gpkg_spatial_ref_sys WHERE srs_id = ?1";
    let row = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(2)?));
    let described = database.query_row(sql, [srs], row).optional().map_err(|fault| said(&fault))?;
    match described {
        Some((organisation, code, _)) if organisation.eq_ignore_ascii_case("EPSG") => {
            Crs::named(&format!("EPSG:{code}"))
                .map_err(|refused| format!("{refused}; or name what it really is with --crs"))
        }
        Some((_, _, definition)) if *srs > 0 => prj::read(&definition),
        // Degrees of a datum that nobody named are WGS 84 within a street; a plane may lie anywhere.
        _ if *srs == 0 => {
            let note = "it does not say in which reference system it is: its positions are taken for WGS 84; if they are \
                        not, say so with --crs";
            source.notes.push(note.to_owned());
            Ok(Crs::Wgs84)
        }
        _ => Err(format!(
            "it does not say in which reference system its layer is (srs_id {srs}): say which with --crs, for instance \
             --crs EPSG:32634"
        )),
    }
}

/// Takes every row, as long as they are no more bytes than the file can mean.
fn take(
    database: &Connection,
    layer: &Layer,
    crs: &Crs,
    mut room: usize,
    source: &mut Source,
) -> Result<(), String> {
    let described = columns(database, layer)?;
    let names: Vec<String> = described.iter().map(|(name, _)| quoted(name)).collect();
    let sql = format!("SELECT {} FROM {}", names.join(", "), quoted(&layer.name));
    let mut statement = database.prepare(&sql).map_err(|fault| said(&fault))?;
    let mut rows = statement.query([]).map_err(|fault| said(&fault))?;
    let mut bytes_left = 0;
    while let Some(row) = rows.next().map_err(|fault| said(&fault))? {
        let (mut columns, mut place, mut notes) = (Map::new(), None, Vec::new());
        for (index, (name, type_)) in described.iter().enumerate() {
            let value = row.get_ref(index).map_err(|fault| said(&fault))?;
            room = room.checked_sub(size(value)).ok_or("its layer yields more than the file can hold")?;
            let is_place =
                layer.geometry.as_ref().is_some_and(|(column, _)| column.eq_ignore_ascii_case(name));
            match value {
                ValueRef::Null => {}
                ValueRef::Blob(blob) if is_place => match geometry(blob) {
                    Ok(read) => place = read.map(|place| place.to_string()),
                    Err(fault) => notes.push(format!("the geometry cannot be read: {fault}")),
                },
                ValueRef::Blob(_) => bytes_left += 1,
                ValueRef::Integer(truth @ (0 | 1)) if type_.eq_ignore_ascii_case("BOOLEAN") => {
                    columns.insert(name.clone(), json!(truth == 1));
                }
                ValueRef::Integer(number) => {
                    columns.insert(name.clone(), json!(number));
                }
                ValueRef::Real(number) => {
                    columns.insert(name.clone(), json!(number));
                }
                ValueRef::Text(text) => {
                    columns.insert(name.clone(), json!(String::from_utf8_lossy(text).replace('\0', " ")));
                }
            }
        }
        let mut feature = feature(None, columns, place.as_deref(), crs);
        feature.notes.extend(notes);
        source.items.push(Item::Feature(Box::new(feature)));
    }
    if bytes_left > 0 {
        source.notes.push(format!("{bytes_left} values are bytes (pictures, say) and are not taken"));
    }
    Ok(())
}

/// Bytes that a value takes at least.
fn size(value: ValueRef<'_>) -> usize {
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len() + 1,
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => 1,
    }
}

/// The columns of a layer with their types, before anything else is asked of it: the library panics over a name that is
/// no text.
fn columns(database: &Connection, layer: &Layer) -> Result<Vec<(String, String)>, String> {
    let sql = "SELECT name, type FROM pragma_table_xinfo(?1) WHERE hidden <> 1";
    let mut rows = database.prepare(sql).map_err(|fault| said(&fault))?;
    let columns = rows
        .query_map([&layer.name], |row| Ok((row.get(0)?, row.get(1)?)))
        .and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>)
        .map_err(|fault| said(&fault))?;
    if columns.is_empty() {
        return Err(format!("its layer `{}` is named and not there", layer.name));
    }
    Ok(columns)
}

/// An SQL identifier.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A geometry as a `GeoPackage` stores it (§2.1.3): a header, perhaps with a box, then well-known binary.
fn geometry(blob: &[u8]) -> Result<Option<Value>, String> {
    let mut cursor = Cursor(blob);
    if cursor.take(2)? != b"GP" {
        return Err("it does not begin as a GeoPackage's do".to_owned());
    }
    cursor.byte()?;
    let flags = cursor.byte()?;
    if flags & 0b10_0000 != 0 {
        return Err("it is of a type that only its maker knows".to_owned());
    }
    let order = if flags & 1 == 1 { Order::Little } else { Order::Big };
    cursor.u32(order)?;
    let edges = match flags >> 1 & 0b111 {
        0 => 0,
        1 => 4,
        2 | 3 => 6,
        4 => 8,
        other => return Err(format!("no box has the number {other}")),
    };
    cursor.take(edges * 8)?;
    wkb::read(cursor.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with a layer `areas` of one point; then what somebody does to it.
    fn file(then: &str) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gpkg");
        let database = Connection::open(&path).unwrap();
        let blob = "X'47500001E6100000' || X'01010000000000000000002E400000000000004640'";
        let sql = format!(
            "CREATE TABLE gpkg_contents (table_name, data_type);
             CREATE TABLE gpkg_geometry_columns (table_name, column_name, srs_id);
             CREATE TABLE gpkg_spatial_ref_sys (srs_id, organization, organization_coordsys_id, definition);
             INSERT INTO gpkg_contents VALUES ('areas', 'features');
             INSERT INTO gpkg_geometry_columns VALUES ('areas', 'geom', 4326);
             INSERT INTO gpkg_spatial_ref_sys VALUES (4326, 'EPSG', 4326, '');
             CREATE TABLE areas (fid INTEGER PRIMARY KEY, open BOOLEAN, photo BLOB, geom BLOB);
             INSERT INTO areas VALUES (1, 1, X'00', CAST({blob} AS BLOB)); {then}"
        );
        database.execute_batch(&sql).unwrap();
        database.close().unwrap();
        std::fs::read(path).unwrap()
    }

    fn read_bytes(bytes: &[u8]) -> Result<Source, String> {
        Source::read(bytes, &Reading::default())
    }

    #[test]
    fn a_layer_is_read_with_its_types() {
        let source = read_bytes(&file("")).unwrap();
        let feature = source.features().next().unwrap();
        assert_eq!(feature.geometry, Some(json!({"type": "Point", "coordinates": [15.0, 44.0]})));
        assert_eq!(Value::from(feature.columns.clone()), json!({"fid": 1, "open": true}));
        assert!(source.notes[0].contains("1 values are bytes"), "{:?}", source.notes);
        let table = "DROP TABLE gpkg_geometry_columns; UPDATE gpkg_contents SET data_type = 'attributes'";
        assert_eq!(read_bytes(&file(table)).unwrap().features().next().unwrap().geometry, None);
        let broken = read_bytes(&file("UPDATE areas SET geom = X'475000'")).unwrap();
        let feature = broken.features().next().unwrap();
        assert!(
            feature.geometry.is_none() && feature.notes[0].contains("cannot be read"),
            "{:?}",
            feature.notes
        );
    }

    #[test]
    fn a_plane_that_nobody_named_is_asked_about() {
        let plane = file(
            "UPDATE gpkg_geometry_columns SET srs_id = -1; INSERT INTO gpkg_spatial_ref_sys VALUES (-1, 'NONE', -1, 'undefined')",
        );
        let refused = read_bytes(&plane).unwrap_err();
        assert!(refused.contains("say which with --crs"), "{refused}");
        let said = Reading { crs: Some("EPSG:4326".to_owned()), ..Reading::default() };
        assert_eq!(Source::read(&plane, &said).unwrap().items.len(), 1);
        let degrees = read_bytes(&file("UPDATE gpkg_geometry_columns SET srs_id = 0")).unwrap();
        assert!(degrees.notes[0].contains("taken for WGS 84"), "{:?}", degrees.notes);
    }

    #[test]
    fn views_without_end_come_to_one() {
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT x.* FROM x, n";
        for (then, words) in [
            (
                format!("ALTER TABLE areas RENAME TO x; CREATE VIEW areas AS {endless}"),
                "yields more than the file",
            ),
            (
                format!("ALTER TABLE areas RENAME TO x; CREATE VIEW areas AS {endless} WHERE i < 0"),
                "takes too long",
            ),
            (
                format!("ALTER TABLE gpkg_contents RENAME TO x; CREATE VIEW gpkg_contents AS {endless}"),
                "are views",
            ),
            ("DELETE FROM gpkg_contents".to_owned(), "no layer"),
            ("DROP TABLE gpkg_contents".to_owned(), "no GeoPackage"),
            ("DROP TABLE areas".to_owned(), "named and not there"),
        ] {
            let refused = read_bytes(&file(&then)).unwrap_err();
            assert!(refused.contains(words), "{then}: {refused}");
        }
    }
}
