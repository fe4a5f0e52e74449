//! Features as files that other programs open: GeoJSON, `GeoPackage`, Shapefile, KML, GPX, CSV and XLSX, one file each.
//!
//! A [`Writer`] takes features one by one and keeps none of them, so that a collection of any size can be written. What it
//! writes lies in the [`Spool`] until it is whole: a file that is cut short looks like one that has fewer minefields.
//! Each file says of itself what [`Document`] holds. Positions are longitude or easting first in every format, whatever
//! a registry says of EPSG:4326: so programs read them.
//!
//! Knows features and files, neither the store nor the web.

mod about;
mod csv;
mod dbase;
mod geojson;
mod geopackage;
mod gpx;
mod ground;
mod kml;
mod layer;
mod projection;
mod shapefile;
mod spool;
#[cfg(test)]
mod tests;
pub mod xlsx;
mod xml;

use std::fs::File;

pub use about::{Document, Undrawn};
pub use csv::disarmed;
pub use layer::{Cell, Layer};
pub use spool::Spool;

use crate::ogc::collection::{Collection, Shape};
use crate::ogc::crs::Crs;
use crate::ogc::feature::Feature;

/// Why a file cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// More than the format holds, and what does.
    #[error("{0}")]
    TooLarge(String),
    /// The disk.
    #[error("the export cannot be written: {0}")]
    Io(#[from] std::io::Error),
    /// The SQLite inside.
    #[error("the GeoPackage cannot be written: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The workbook.
    #[error("the workbook cannot be written: {0}")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
    /// The archive.
    #[error("the archive cannot be written: {0}")]
    Zip(#[from] ::zip::result::ZipError),
    /// The rows.
    #[error("the table cannot be written: {0}")]
    Csv(#[from] ::csv::Error),
}

/// A result of writing.
pub type Result<T> = std::result::Result<T, ExportError>;

/// The formats of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 7946, with the `crs` member of 2008 where it is not WGS 84.
    GeoJson,
    /// OGC `GeoPackage` 1.3.
    GeoPackage,
    /// ESRI's, in a zip.
    Shapefile,
    /// OGC KML 2.2.
    Kml,
    /// GPX 1.1: waypoints, and tracks for lines and outlines.
    Gpx,
    /// With WKT.
    Csv,
    /// Office Open XML, with a position in place of a geometry.
    Xlsx,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 7] =
        [Self::GeoJson, Self::GeoPackage, Self::Shapefile, Self::Kml, Self::Gpx, Self::Csv, Self::Xlsx];

    /// The name by which it is asked for.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GeoJson => "geojson",
            Self::GeoPackage => "gpkg",
            Self::Shapefile => "shp",
            Self::Kml => "kml",
            Self::Gpx => "gpx",
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }

    /// The name for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::GeoJson => "GeoJSON",
            Self::GeoPackage => "GeoPackage",
            Self::Shapefile => "Shapefile",
            Self::Kml => "KML",
            Self::Gpx => "GPX",
            Self::Csv => "CSV with WKT",
            Self::Xlsx => "XLSX",
        }
    }

    /// What the files' names end in.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Shapefile => "zip",
            other => other.name(),
        }
    }

    /// The media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::GeoJson => "application/geo+json",
            Self::GeoPackage => "application/geopackage+sqlite3",
            Self::Shapefile => "application/zip",
            Self::Kml => "application/vnd.google-earth.kml+xml",
            Self::Gpx => "application/gpx+xml",
            Self::Csv => "text/csv",
            Self::Xlsx => xlsx::MEDIA_TYPE,
        }
    }

    /// The format of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Why a collection cannot be written so, and what can be done instead.
    pub fn refusal(self, collection: &Collection, crs: Crs) -> Option<String> {
        let title = self.title();
        if matches!(self, Self::Kml | Self::Gpx | Self::Xlsx) && projection::code(crs) != projection::WGS84 {
            return Some(format!(
                "{title} is in WGS 84 only: leave crs out, or ask for gpkg, shp, geojson or csv"
            ));
        }
        if matches!(self, Self::Gpx | Self::Shapefile) && collection.shape == Shape::Nowhere {
            let id = &collection.id;
            return Some(format!("{title} holds places only, and {id} has none: ask for csv, xlsx or gpkg"));
        }
        None
    }
}

/// Writes features into a file.
pub trait Writer {
    /// Takes the next feature.
    ///
    /// # Errors
    /// Where the disk is full or the format holds no more.
    fn add(&mut self, feature: &Feature) -> Result<()>;

    /// Ends the file. It is at its beginning, and gone once it is closed.
    ///
    /// # Errors
    /// As for [`Writer::add`].
    fn finish(self: Box<Self>) -> Result<File>;
}

/// Begins a file of a layer.
///
/// # Errors
/// Where the spool cannot be written.
pub fn begin<'l>(format: Format, layer: &'l Layer, spool: &'l Spool) -> Result<Box<dyn Writer + 'l>> {
    Ok(match format {
        Format::GeoJson => Box::new(geojson::GeoJson::begin(layer, spool)?),
        Format::GeoPackage => Box::new(geopackage::GeoPackage::begin(layer, spool)?),
        Format::Shapefile => Box::new(shapefile::Shapefile::begin(layer, spool)?),
        Format::Kml => Box::new(kml::Kml::begin(layer, spool)?),
        Format::Gpx => Box::new(gpx::Gpx::begin(layer, spool)?),
        Format::Csv => Box::new(csv::Csv::begin(layer, spool)?),
        Format::Xlsx => Box::new(xlsx::Xlsx::begin(layer, spool)?),
    })
}
