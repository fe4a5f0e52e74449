//! `GeoPackage` 1.3 (OGC 12-128r17), written through the SQLite that is carried anyway.

use std::fs::File;
use std::io::Seek as _;

use chrono::SecondsFormat;
use geo::{BoundingRect as _, Geometry, Rect};
use rusqlite::types::Value as Stored;
use rusqlite::{Connection, params, params_from_iter};
use tempfile::NamedTempFile;

use super::layer::{Cell, Kind, Layer};
use super::{Result, Spool, Writer, projection};
use crate::ogc::collection::Shape;
use crate::ogc::feature::Feature;

/// The tables that every `GeoPackage` has, and those of its metadata.
const TABLES: &str = "
PRAGMA application_id = 0x47504B47;
PRAGMA user_version = 10300;
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
BEGIN;
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY, organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
INSERT INTO gpkg_spatial_ref_sys VALUES
  ('Undefined Cartesian SRS', -1, 'NONE', -1, 'undefined', NULL),
  ('Undefined geographic SRS', 0, 'NONE', 0, 'undefined', NULL);
CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
  description TEXT DEFAULT '', last_change DATETIME NOT NULL, min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE,
  srs_id INTEGER REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL UNIQUE REFERENCES gpkg_contents(table_name),
  column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL,
  srs_id INTEGER NOT NULL REFERENCES gpkg_spatial_ref_sys(srs_id), z TINYINT NOT NULL, m TINYINT NOT NULL,
  PRIMARY KEY (table_name, column_name));
CREATE TABLE gpkg_extensions (table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL,
  scope TEXT NOT NULL, UNIQUE (table_name, column_name, extension_name));
INSERT INTO gpkg_extensions VALUES
  ('gpkg_metadata', NULL, 'gpkg_metadata', 'http://www.geopackage.org/spec131/#extension_metadata', 'read-write'),
  ('gpkg_metadata_reference', NULL, 'gpkg_metadata', 'http://www.geopackage.org/spec131/#extension_metadata', 'read-write');
CREATE TABLE gpkg_metadata (id INTEGER PRIMARY KEY AUTOINCREMENT, md_scope TEXT NOT NULL DEFAULT 'dataset',
  md_standard_uri TEXT NOT NULL, mime_type TEXT NOT NULL DEFAULT 'text/xml', metadata TEXT NOT NULL DEFAULT '');
CREATE TABLE gpkg_metadata_reference (reference_scope TEXT NOT NULL, table_name TEXT, column_name TEXT, row_id_value INTEGER,
  timestamp DATETIME NOT NULL, md_file_id INTEGER NOT NULL REFERENCES gpkg_metadata(id),
  md_parent_id INTEGER REFERENCES gpkg_metadata(id));
";

/// Writes a `GeoPackage`.
pub(super) struct GeoPackage<'l> {
    layer: &'l Layer,
    file: NamedTempFile,
    database: Connection,
    insert: String,
    extent: Option<Rect<f64>>,
    lost: usize,
}

impl<'l> GeoPackage<'l> {
    pub(super) fn begin(layer: &'l Layer, spool: &Spool) -> Result<Self> {
        let file = spool.named()?;
        let database = Connection::open(file.path())?;
        database.execute_batch(TABLES)?;
        let writer = Self { layer, file, database, insert: insertion(layer), extent: None, lost: 0 };
        writer.describe()?;
        writer.database.execute_batch(&creation(layer))?;
        Ok(writer)
    }

    fn srs(&self) -> i32 {
        projection::code(self.layer.crs).into()
    }

    /// Says which layer there is, and what the file says of itself.
    fn describe(&self) -> Result<()> {
        let Self { layer, database, .. } = self;
        let (document, crs) = (&layer.document, layer.crs);
        let when = document.made_at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let mut systems = vec![crate::ogc::crs::Crs::Crs84];
        systems.extend((self.srs() != i32::from(projection::WGS84)).then_some(crs));
        for crs in systems {
            let code = projection::code(crs);
            database.execute(
                "INSERT INTO gpkg_spatial_ref_sys VALUES (?1, ?2, 'EPSG', ?2, ?3, NULL)",
                params![projection::title(crs), code, projection::well_known_text(crs)],
            )?;
        }
        let has_place = layer.shape() != Shape::Nowhere;
        database.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change, srs_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                document.name,
                if has_place { "features" } else { "attributes" },
                document.title,
                document.text(),
                when,
                has_place.then(|| self.srs()),
            ],
        )?;
        if has_place {
            database.execute(
                "INSERT INTO gpkg_geometry_columns VALUES (?1, 'geom', ?2, ?3, 0, 0)",
                params![document.name, layer.shape().type_name().to_uppercase(), self.srs()],
            )?;
        }
        database.execute(
            "INSERT INTO gpkg_metadata VALUES (1, 'dataset', 'https://www.dublincore.org/specifications/dublin-core/dcmi-terms/', 'text/plain', ?1)",
            params![document.text()],
        )?;
        database.execute(
            "INSERT INTO gpkg_metadata_reference VALUES ('geopackage', NULL, NULL, NULL, ?1, 1, NULL)",
            params![when],
        )?;
        Ok(())
    }
}

impl Writer for GeoPackage<'_> {
    fn add(&mut self, feature: &Feature) -> Result<()> {
        let mut row = vec![Stored::Text(feature.id.to_string())];
        row.extend(self.layer.cells(feature).map(|(_, cell)| stored(cell)));
        if self.layer.shape() != Shape::Nowhere {
            let geometry = self.layer.geometry(feature);
            self.lost += usize::from(geometry.is_none() && self.layer.is_lost(feature));
            let bounds = geometry.as_ref().and_then(geo::BoundingRect::bounding_rect);
            self.extent = union(self.extent, bounds);
            row.push(geometry.map_or(Stored::Null, |geometry| Stored::Blob(blob(&geometry, self.srs()))));
        }
        self.database.prepare_cached(&self.insert)?.execute(params_from_iter(row))?;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<File> {
        if let Some(extent) = self.extent {
            let (least, most) = (extent.min(), extent.max());
            self.database.execute(
                "UPDATE gpkg_contents SET min_x = ?1, min_y = ?2, max_x = ?3, max_y = ?4",
                params![least.x, least.y, most.x, most.y],
            )?;
        }
        if let Some((name, text)) = self.layer.lost(self.lost) {
            let said = format!("\n{name}: {text}");
            self.database.execute("UPDATE gpkg_contents SET description = description || ?1", [&said])?;
            self.database.execute("UPDATE gpkg_metadata SET metadata = metadata || ?1", [&said])?;
        }
        self.database.execute_batch("COMMIT")?;
        self.database.close().map_err(|(_, fault)| fault)?;
        let mut file = self.file.into_file();
        file.rewind()?;
        Ok(file)
    }
}

/// An SQL identifier.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn creation(layer: &Layer) -> String {
    let mut columns =
        vec!["fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL".to_owned(), "id TEXT(36)".to_owned()];
    columns.extend(layer.columns.iter().map(|column| {
        let kind = match column.kind {
            Kind::Text => "TEXT",
            Kind::Integer => "INTEGER",
            Kind::Real => "DOUBLE",
            Kind::Boolean => "BOOLEAN",
            Kind::Date => "DATE",
        };
        format!("{} {kind}", quoted(&column.name))
    }));
    if layer.shape() != Shape::Nowhere {
        columns.push(format!("geom {}", layer.shape().type_name().to_uppercase()));
    }
    format!("CREATE TABLE {} ({})", quoted(&layer.document.name), columns.join(", "))
}

fn insertion(layer: &Layer) -> String {
    let mut names = vec!["id".to_owned()];
    names.extend(layer.columns.iter().map(|column| quoted(&column.name)));
    names.extend((layer.shape() != Shape::Nowhere).then(|| "geom".to_owned()));
    let places: Vec<&str> = names.iter().map(|_| "?").collect();
    let table = quoted(&layer.document.name);
    format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), places.join(", "))
}

fn stored(cell: Cell<'_>) -> Stored {
    match cell {
        Cell::Empty => Stored::Null,
        Cell::Text(text) => Stored::Text(text.into_owned()),
        Cell::Integer(number) => Stored::Integer(number),
        Cell::Real(number) => Stored::Real(number),
        Cell::Boolean(truth) => Stored::Integer(truth.into()),
        Cell::Date(day) => Stored::Text(day.to_string()),
    }
}

/// A geometry as a `GeoPackage` stores it (§2.1.3): a header with the box, then well-known binary.
fn blob(geometry: &Geometry<f64>, srs: i32) -> Vec<u8> {
    let bounds = geometry.bounding_rect();
    // Bit 0: little-endian; bits 1–3: a box follows; bit 4: empty.
    let flags = if bounds.is_some() { 0b0011 } else { 0b1_0001 };
    let mut bytes = vec![b'G', b'P', 0, flags];
    bytes.extend(srs.to_le_bytes());
    if let Some(bounds) = bounds {
        let edges = [bounds.min().x, bounds.max().x, bounds.min().y, bounds.max().y];
        bytes.extend(edges.iter().flat_map(|edge| edge.to_le_bytes()));
    }
    wkb::writer::write_geometry(&mut bytes, geometry, &wkb::writer::WriteOptions::default())
        .expect("a vector takes every byte");
    bytes
}

fn union(one: Option<Rect<f64>>, other: Option<Rect<f64>>) -> Option<Rect<f64>> {
    let (Some(a), Some(b)) = (one, other) else { return one.or(other) };
    let least = (a.min().x.min(b.min().x), a.min().y.min(b.min().y));
    Some(Rect::new(least, (a.max().x.max(b.max().x), a.max().y.max(b.max().y))))
}
