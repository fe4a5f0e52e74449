//! Takes files of features – GeoJSON, CSV with a geometry, `GeoPackage`, Shapefile, KML, GPX – into the store as records.
//!
//! What a file is, its first bytes say. The readers of what other programs have made are small, read nothing behind the
//! end of their bytes, and have limits, so that a broken file is refused and nothing worse.
//!
//! A file is read whole into [`Source`], every feature is laid on a kind's fields by a [`Mapping`], judged
//! ([`assess`]) and pushed through the same door as a tablet's edits ([`take`]). Nothing is repaired, guessed or
//! dropped silently: what cannot be understood is kept as given, quarantined by the store or named in the report,
//! and the counts add up to the features of the file. Record ids follow from the source's own ids or, where it has
//! none, from content ([`Ids`]), so a second run adds nothing and a row that changed is not counted twice.
//!
//! Knows files and the store, not the web.

mod archive;
pub mod assess;
mod crs;
mod cursor;
mod date;
mod dbase;
mod forewarning;
mod geopackage;
mod gpx;
mod identity;
mod json;
mod kml;
mod known;
pub mod mapping;
mod ours;
pub mod people;
mod position;
mod prj;
mod quotes;
pub mod report;
mod rings;
mod shapefile;
mod table;
pub mod take;
#[cfg(test)]
mod tests;
mod value;
mod well_known_text;
mod wkb;
mod xml;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Map, Value, json};

pub use forewarning::{forewarnings, only_kept};
pub use identity::Ids;
pub use mapping::Mapping;
pub use report::{Line, Outcome, Summary};
pub use take::{Job, run};
pub use value::Decimal;

use self::crs::Crs;
use self::shapefile::Parts;
use self::xml::Element;
use crate::model::Hash;
use crate::store::StoreError;

/// How deep a value may nest. Far below the 128 levels that the JSON reader allows: a stored edit wraps the value in
/// more levels and must be readable again.
const DEPTH: usize = 32;

/// Bytes of a file, and of what one in an archive unpacks to: all of it is in memory at once.
const LARGEST_FILE: u64 = 512 << 20;

/// The field that keeps a geometry as it was entered.
const AS_ENTERED: &str = "as_entered";

/// How the note of a geometry ends that could not be made one.
const TEXT_KEPT: &str = "; its text is kept";

/// Most characters of a text as entered that a record keeps; the schemas' own limit.
const RAW_TEXT: usize = 100_000;

/// Why an import cannot begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read, and where.
    #[error("{0}")]
    File(String),
    /// The command asks for something that the file or the schema does not have.
    #[error("{0}")]
    Mapping(String),
    /// The store failed. What was taken before stands.
    #[error(
        "the store failed after {taken} of {features} features: run the same command again, nothing is taken twice"
    )]
    Store {
        /// Features that were taken before.
        taken: usize,
        /// Features of the file.
        features: usize,
        /// What the store reported.
        source: StoreError,
    },
}

/// A feature of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    /// The `id` that GeoJSON puts beside the properties.
    pub id: Option<String>,
    /// Its attributes as given.
    pub columns: Map<String, Value>,
    /// GeoJSON in WGS 84, as entered.
    pub geometry: Option<Value>,
    /// What was entered where that is not the geometry itself: its CRS and its text.
    pub as_entered: Option<Value>,
    /// What a person should know about the reading of it.
    pub notes: Vec<String>,
    /// The hash of everything that the file says of it, whichever way it is read.
    pub content: Hash,
}

/// A place in a file: a feature, or what should have been one and why it is not.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// Read.
    Feature(Box<Feature>),
    /// Not read, and why.
    Unreadable(String),
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Source {
    /// Every feature, in the file's order.
    pub items: Vec<Item>,
    /// How it writes one and a half.
    pub decimal: Decimal,
    /// It cuts the names of columns, and long texts: what is missing in it need not be missing.
    pub cuts: bool,
    /// The columns of a table of which none looks like a geometry.
    pub placeless: Option<String>,
    /// What a person should know about the whole file.
    pub notes: Vec<String>,
}

/// How a file is to be read, where it does not say so itself.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The column with the geometry.
    pub geometry: Option<String>,
    /// The column with the longitude or easting.
    pub lon: Option<String>,
    /// The column with the latitude or northing.
    pub lat: Option<String>,
    /// The coordinate reference system, in place of what the file says.
    pub crs: Option<String>,
    /// The layer, where a file has several.
    pub layer: Option<String>,
    /// Tracks of a GPX were walked around areas.
    pub close_tracks: bool,
}

impl Source {
    /// Reads a file; of a `.shp` also what lies beside it.
    ///
    /// # Errors
    /// Where the file is none that is known, broken beyond single features, too large, or in a CRS that cannot be
    /// reprojected.
    pub fn open(path: &Path, reading: &Reading) -> Result<Self, ImportError> {
        let refused =
            |fault: String| ImportError::File(format!("{} cannot be read: {fault}", path.display()));
        let bytes = load(path).map_err(refused)?;
        if bytes.starts_with(&shapefile::MAGIC) {
            let beside = |end: &str| {
                let other = [end.to_owned(), end.to_uppercase()].map(|end| path.with_extension(end));
                other.iter().find(|path| path.is_file()).map(|path| load(path)).transpose()
            };
            let parts =
                || Ok(Parts { shp: bytes, dbf: beside("dbf")?, prj: beside("prj")?, cpg: beside("cpg")? });
            return parts().and_then(|parts| Self::of_shapefile(&parts, reading)).map_err(refused);
        }
        let log = PathBuf::from(format!("{}-wal", path.display()));
        if bytes.starts_with(geopackage::MAGIC) && log.metadata().is_ok_and(|known| known.len() > 0) {
            return Err(refused("another program has it open: close it there first".to_owned()));
        }
        Self::read(&bytes, reading).map_err(refused)
    }

    /// Reads a file's bytes.
    ///
    /// # Errors
    /// As for [`Source::open`], in words.
    pub fn read(bytes: &[u8], reading: &Reading) -> Result<Self, String> {
        if bytes.starts_with(&shapefile::MAGIC) {
            return Self::of_shapefile(&Parts { shp: bytes.to_vec(), ..Parts::default() }, reading);
        }
        let given = reading.crs.as_deref().map(Crs::named).transpose()?;
        let source = if bytes.starts_with(geopackage::MAGIC) {
            geopackage::read(bytes, reading, given.as_ref())?
        } else if bytes.starts_with(archive::MAGIC) {
            archive::read(bytes, reading, given.as_ref())?
        } else if xml::is_xml(bytes) {
            of_xml(&xml::read(bytes)?, reading)?
        } else {
            of_text(decode(bytes)?, reading, given.as_ref())?
        };
        source.checked(given.is_some())
    }

    fn of_shapefile(parts: &Parts, reading: &Reading) -> Result<Self, String> {
        let given = reading.crs.as_deref().map(Crs::named).transpose()?;
        shapefile::read(parts, given.as_ref())?.checked(given.is_some())
    }

    fn checked(mut self, crs_is_given: bool) -> Result<Self, String> {
        self.items = self.items.into_iter().map(refuse_lost).collect();
        if !crs_is_given {
            self.expect_degrees()?;
        }
        Ok(self)
    }

    /// The features that were read.
    pub fn features(&self) -> impl Iterator<Item = &Feature> {
        self.items.iter().filter_map(|item| match item {
            Item::Feature(feature) => Some(feature.as_ref()),
            Item::Unreadable(_) => None,
        })
    }

    /// What to say of a column that no feature has.
    fn lacks(&self, column: &str) -> String {
        let there: BTreeSet<&str> =
            self.features().flat_map(|feature| feature.columns.keys().map(String::as_str)).collect();
        let list = there.into_iter().collect::<Vec<_>>().join(", ");
        format!("no feature has a column `{column}`; there are: {list}")
    }

    /// Metres without a CRS would be taken as thousands of records that lie nowhere.
    fn expect_degrees(&self) -> Result<(), String> {
        let mut first =
            self.features().filter_map(|feature| first_position(&feature.geometry.as_ref()?["coordinates"]));
        let mut any = false;
        let nowhere = first.all(|(x, y)| {
            any = true;
            x.abs() > 180.0 || y.abs() > 90.0
        });
        if any && nowhere {
            return Err("its coordinates are not degrees and it names no CRS: give one, for instance \
                        --crs EPSG:32634 for UTM zone 34 north"
                .to_owned());
        }
        Ok(())
    }
}

/// A file's bytes.
fn load(path: &Path) -> Result<Vec<u8>, String> {
    let size = std::fs::metadata(path).map_err(|fault| fault.to_string())?.len();
    if size > LARGEST_FILE {
        let (size, most) = (size >> 20, LARGEST_FILE >> 20);
        return Err(format!("it has {size} MB, and {most} MB is most: divide it"));
    }
    std::fs::read(path).map_err(|fault| fault.to_string())
}

fn of_text(text: &str, reading: &Reading, given: Option<&Crs>) -> Result<Source, String> {
    match text.trim_start_matches(json::SEPARATORS).chars().next() {
        None => Err("it is empty".to_owned()),
        Some('{' | '[') => json::read(text, given),
        Some(_) => table::read(text, reading, given),
    }
}

fn of_xml(root: &Element, reading: &Reading) -> Result<Source, String> {
    match root.name.as_str() {
        _ if reading.crs.is_some() => {
            Err("KML and GPX are in WGS 84 by their standards: leave --crs out".to_owned())
        }
        // Some leave out what should be around it.
        "kml" | "Document" | "Folder" => kml::read(root, reading),
        "gpx" => gpx::read(root, reading),
        other => Err(format!("<{other}> is neither KML nor GPX")),
    }
}

fn first_position(coordinates: &Value) -> Option<(f64, f64)> {
    let list = coordinates.as_array()?;
    match (list.first()?.as_f64(), list.get(1).and_then(Value::as_f64)) {
        (Some(x), Some(y)) => Some((x, y)),
        (None, _) => first_position(&list[0]),
        _ => None,
    }
}

/// Text without its byte order mark.
fn decode(bytes: &[u8]) -> Result<&str, String> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err("it is UTF-16: save it as UTF-8 (in Excel: `CSV UTF-8`)".to_owned());
    }
    if bytes.contains(&0) {
        return Err("it is no text, and none of GeoPackage, Shapefile, KML, KMZ or GPX: save it as one of these, or a \
                    table as CSV"
            .to_owned());
    }
    let text = std::str::from_utf8(bytes).map_err(|fault| {
        let line = bytes[..fault.valid_up_to()].split(|byte| *byte == b'\n').count();
        format!("line {line} is not UTF-8: save it as UTF-8 (in Excel: `CSV UTF-8`)")
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// What a file says of a feature before anything is made of it.
#[derive(Serialize)]
struct Content<'a> {
    id: &'a Option<String>,
    columns: &'a Map<String, Value>,
    geometry: Option<&'a str>,
}

/// A geometry as entered: a CRS, a text, or both.
fn as_entered(crs: Option<&str>, text: Option<&str>) -> Option<Value> {
    let mut entered = Map::new();
    entered.extend(crs.map(|crs| ("crs".to_owned(), json!(crs))));
    let text = text.filter(|text| text.chars().count() <= RAW_TEXT);
    entered.extend(text.map(|text| ("raw_text".to_owned(), json!(text))));
    (!entered.is_empty()).then_some(Value::Object(entered))
}

/// A feature whose geometry could not be read, and is too long to be kept, would be a record that has lost it.
fn refuse_lost(item: Item) -> Item {
    let Item::Feature(feature) = &item else { return item };
    let has_text = feature.as_entered.as_ref().is_some_and(|entered| entered["raw_text"].is_string());
    let lost = feature.notes.iter().find_map(|note| note.strip_suffix(TEXT_KEPT));
    match lost.filter(|_| !has_text) {
        Some(why) => {
            Item::Unreadable(format!("{why}; its text is too long to be kept, {RAW_TEXT} characters is most"))
        }
        None => item,
    }
}

/// Whether a value nests deeper than can be stored and read again.
fn too_deep(value: &Value, allowed: usize) -> bool {
    match value {
        Value::Array(items) => allowed == 0 || items.iter().any(|item| too_deep(item, allowed - 1)),
        Value::Object(members) => allowed == 0 || members.values().any(|item| too_deep(item, allowed - 1)),
        _ => false,
    }
}

/// A value as a cell of a table shows it.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    }
}
