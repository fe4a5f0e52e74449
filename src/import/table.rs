//! Reads delimited text with a geometry in one column or in two.

use serde_json::{Map, Value, json};

use super::json::{place, read_geometry};
use super::value::{self, Decimal};
use super::{
    Content, Crs, Feature, Item, Reading, Source, TEXT_KEPT, as_entered, cell, quotes, well_known_text,
};
use crate::geometry::coordinate::{self, AxisOrder};
use crate::model::Hash;

const GEOMETRY: &[&str] = &["wkt", "wkt_geom", "geometry_wkt", "the_geom", "geom", "geometry", "geojson"];
const LON: &[&str] = &["lon", "long", "lng", "longitude", "x", "lon_dd", "point_x", "easting"];
const LAT: &[&str] = &["lat", "latitude", "y", "lat_dd", "point_y", "northing"];

/// Where a row has its geometry.
enum Place {
    Nowhere,
    Text(String),
    Position { lon: String, lat: String },
}

/// Reads the text of a file.
///
/// # Errors
/// Where it has no header, or not the columns that were named.
pub(super) fn read(text: &str, reading: &Reading, given: Option<&Crs>) -> Result<Source, String> {
    let whole = text;
    let (separator, text) = separator(text);
    if let Some(at) = quotes::unclosed(text, separator) {
        let line = whole[..whole.len() - text.len() + at].matches('\n').count() + 1;
        return Err(format!(
            "the quote that opens in line {line} is not closed: the rows behind it would be lost in one cell. Close it, \
             and double a quote inside a quoted cell"
        ));
    }
    let mut rows = csv::ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(text.as_bytes());
    let header = rows.headers().map_err(|fault| fault.to_string())?;
    let names = names(header);
    let place = find_place(&names, reading)?;
    let mut source = Source::default();
    if matches!(place, Place::Nowhere) {
        if names.len() < 2 {
            return Err(
                "it is neither GeoJSON nor a table: its first line has one column and no geometry".to_owned()
            );
        }
        source.placeless = Some(names.join(", "));
    }
    let records: Vec<csv::StringRecord> =
        rows.records().collect::<Result<_, _>>().map_err(|fault| fault.to_string())?;
    source.decimal = decimal(separator, &records);
    let reader = Reader { text, place, given, decimal: source.decimal };
    source.items.extend(records.iter().map(|record| reader.item(&names, record)));
    Ok(source)
}

/// How a table writes one and a half. `12,500` and `12.500` may both be thousands: another number has to say.
fn decimal(separator: u8, records: &[csv::StringRecord]) -> Decimal {
    let has = |is_it: fn(&str) -> bool| records.iter().flatten().any(is_it);
    let comma: fn(&str) -> bool = match separator {
        b',' => return Decimal::Point,
        // Spreadsheets separate so where the comma is taken.
        b';' => |cell| is_decimal(cell, ','),
        _ => |cell| is_decimal(cell, ',') && !may_be_thousands(cell, ','),
    };
    if has(comma) {
        Decimal::Comma
    } else if has(|cell| is_decimal(cell, '.') && !may_be_thousands(cell, '.')) {
        Decimal::Point
    } else {
        Decimal::Unknown
    }
}

/// The separator: the one Excel declares in a first line `sep=;`, else the most frequent outside quotes.
fn separator(text: &str) -> (u8, &str) {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    if let Some(declared) = first.trim_end().strip_prefix("sep=")
        && let [separator @ (b',' | b';' | b'\t' | b'|')] = declared.as_bytes()
    {
        return (*separator, rest);
    }
    let mut quoted = false;
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    for byte in first.bytes() {
        quoted ^= byte == b'"';
        if !quoted && let Some((_, count)) = counts.iter_mut().find(|(separator, _)| *separator == byte) {
            *count += 1;
        }
    }
    let most = counts.iter().rev().max_by_key(|(_, count)| *count);
    (most.filter(|(_, count)| *count > 0).map_or(b',', |(separator, _)| *separator), text)
}

/// Column names that differ, so that none hides another.
fn names(header: &csv::StringRecord) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (index, name) in header.iter().enumerate() {
        let name = match name.trim() {
            "" => format!("column_{}", index + 1),
            name => name.to_owned(),
        };
        let twins = (2..).map(|number| format!("{name}_{number}"));
        let free = std::iter::once(name.clone()).chain(twins).find(|free| !names.contains(free));
        names.extend(free);
    }
    names
}

fn find_place(names: &[String], reading: &Reading) -> Result<Place, String> {
    let there = |wanted: &String| match names.iter().find(|name| *name == wanted) {
        Some(name) => Ok(name.clone()),
        None => Err(format!("it has no column `{wanted}`; there are: {}", names.join(", "))),
    };
    let guess = |known: &[&str]| {
        known.iter().find_map(|known| names.iter().find(|name| name.to_lowercase() == *known)).cloned()
    };
    match (&reading.geometry, &reading.lon, &reading.lat) {
        (Some(column), None, None) => Ok(Place::Text(there(column)?)),
        (None, Some(lon), Some(lat)) => Ok(Place::Position { lon: there(lon)?, lat: there(lat)? }),
        (None, None, None) => Ok(match (guess(GEOMETRY), guess(LON), guess(LAT)) {
            (Some(column), ..) => Place::Text(column),
            (None, Some(lon), Some(lat)) => Place::Position { lon, lat },
            _ => Place::Nowhere,
        }),
        _ => Err("name the column with --geometry, or both with --lon and --lat".to_owned()),
    }
}

/// Digits around this sign, and nothing else.
fn is_decimal(cell: &str, sign: char) -> bool {
    cell.trim().trim_start_matches('-').split_once(sign).is_some_and(|(whole, fraction)| {
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        digits(whole) && digits(fraction)
    })
}

/// Three digits behind the sign, and up to three before it.
fn may_be_thousands(cell: &str, sign: char) -> bool {
    cell.trim()
        .trim_start_matches('-')
        .split_once(sign)
        .is_some_and(|(whole, rest)| (1..=3).contains(&whole.len()) && whole != "0" && rest.len() == 3)
}

struct Reader<'a> {
    text: &'a str,
    place: Place,
    given: Option<&'a Crs>,
    decimal: Decimal,
}

/// What a row says of its geometry: the geometry, what was entered where that is something else.
type Placed = (Option<Value>, Option<Value>);

impl Reader<'_> {
    fn item(&self, names: &[String], record: &csv::StringRecord) -> Item {
        if record.len() != names.len() {
            let line = record.position().map_or(0, |position| self.line(position));
            // A row that is shifted by a stray separator has every value in the wrong field.
            return Item::Unreadable(format!(
                "line {line} has {} fields where the header has {}",
                record.len(),
                names.len()
            ));
        }
        let columns = names.iter().zip(record).filter(|(_, text)| !text.trim().is_empty());
        let mut columns: Map<String, Value> =
            columns.map(|(name, text)| (name.clone(), json!(text))).collect();
        let content = Hash::of_value(&Content { id: &None, columns: &columns, geometry: None });
        let mut notes = Vec::new();
        let (geometry, as_entered) = match &self.place {
            Place::Nowhere => (None, None),
            Place::Text(column) => match columns.remove(column) {
                Some(text) => self.written(&cell(&text), &mut notes),
                None => (None, None),
            },
            Place::Position { lon, lat } => self.position(columns.get(lon), columns.get(lat), &mut notes),
        };
        Item::Feature(Box::new(Feature { id: None, columns, geometry, as_entered, notes, content }))
    }

    /// The line on which a row begins. The position that the reader keeps is still before the line feed of a CRLF and
    /// before empty lines.
    fn line(&self, position: &csv::Position) -> u64 {
        let from = usize::try_from(position.byte()).unwrap_or(usize::MAX);
        let blank = self.text.bytes().skip(from).take_while(|byte| matches!(byte, b'\r' | b'\n'));
        let feeds = blank.filter(|byte| *byte == b'\n').count();
        position.line() + u64::try_from(feeds).unwrap_or(0)
    }

    fn written(&self, text: &str, notes: &mut Vec<String>) -> Placed {
        let kept = |fault: String, notes: &mut Vec<String>| {
            notes.push(format!("the geometry cannot be read: {fault}{TEXT_KEPT}"));
            (None, as_entered(self.given.and_then(Crs::name), Some(text)))
        };
        if text.starts_with('{') {
            return match read_geometry(text) {
                Ok(geometry) => place(geometry, text, self.given.unwrap_or(&Crs::Wgs84), notes),
                Err(fault) => kept(fault, notes),
            };
        }
        let written = match well_known_text::read(text) {
            Ok(written) => written,
            Err(fault) => return kept(fault, notes),
        };
        let stated = match written.srid.as_deref().map(Crs::named).transpose() {
            Ok(stated) => stated,
            Err(fault) => return kept(fault, notes),
        };
        let crs = self.given.or(stated.as_ref()).unwrap_or(&Crs::Wgs84);
        let (geometry, entered) = place(written.geometry, text, crs, notes);
        if written.has_measures && entered.is_none() {
            return (geometry, as_entered(None, Some(text)));
        }
        (geometry, entered)
    }

    fn position(&self, lon: Option<&Value>, lat: Option<&Value>, notes: &mut Vec<String>) -> Placed {
        let (lon, lat) = match (lon, lat) {
            (None, None) => return (None, None),
            (lon, lat) => (lon.map(cell).unwrap_or_default(), lat.map(cell).unwrap_or_default()),
        };
        let text = format!("{lat} {lon}").trim().to_owned();
        let crs = self.given.unwrap_or(&Crs::Wgs84);
        let plain = |text: &str| value::number(text, self.decimal, false);
        if let (Ok(x), Ok(y)) = (plain(&lon), plain(&lat)) {
            return place(json!({"type": "Point", "coordinates": [x, y]}), &text, crs, notes);
        }
        match coordinate::parse(&text, AxisOrder::LatLon) {
            Ok(parsed) if crs.name().is_none() && !lon.is_empty() && !lat.is_empty() => {
                let position: [f64; 2] = parsed.position.into();
                (Some(json!({"type": "Point", "coordinates": position})), as_entered(None, Some(&text)))
            }
            Ok(_) => {
                notes.push(format!("the position has only one half{TEXT_KEPT}"));
                (None, as_entered(crs.name(), Some(&text)))
            }
            Err(fault) => {
                notes.push(format!("the position cannot be read: {fault}{TEXT_KEPT}"));
                (None, as_entered(crs.name(), Some(&text)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        read(text, &Reading::default(), None).expect("a table").decimal
    }

    #[test]
    fn what_may_be_thousands_is_no_evidence_of_a_decimal_comma() {
        let of =
            |size: &str, lon: &str| decimal(&format!("lon\tlat\treported_area_m2\n{lon}\t44.1\t{size}\n"));
        assert_eq!(of("12,500", "18.6050"), Decimal::Point, "an English spreadsheet's twelve thousand");
        for (size, lon) in [("12,5", "18.6050"), ("0,500", "18.6050"), ("12,500", "18,6050")] {
            assert_eq!(of(size, lon), Decimal::Comma, "{size} {lon}");
        }
        assert_eq!(decimal("lon;lat;size\n18.1;44.1;12,500\n"), Decimal::Comma, "where the comma is taken");
        assert_eq!(decimal("lon,lat,size\n18.1,44.1,\"12,5\"\n"), Decimal::Point);
        let sizes = "id;reported_area_m2;wkt\n1;12.500;POINT(-21.8 5.6)\n";
        assert_eq!(decimal(sizes), Decimal::Unknown, "twelve thousand, or twelve and a half");
    }
}
