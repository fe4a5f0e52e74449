//! What the formats cannot hold, and what nobody else's reader would complain of.

use std::io::Read as _;
use std::sync::Arc;

use chrono::Utc;
use geo::{LineString, MapCoords as _, MultiPolygon, Polygon};
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::model::role::Actor;
use crate::model::schema::Registry;
use crate::model::{Role, STATEMENT};

fn layer(id: &str) -> Layer {
    layer_in(id, Crs::Crs84)
}

fn layer_in(id: &str, crs: Crs) -> Layer {
    let actor = Actor { account: Uuid::nil(), role: Role::ImOfficer, organisation: Uuid::nil() };
    let all = Collection::seen(Registry::embedded(), actor.sight(), true);
    let collection = all.into_iter().find(|one| one.id == id).unwrap();
    let document = Document {
        name: collection.id.clone(),
        title: collection.title.clone(),
        description: String::new(),
        programme: "=1+1".to_owned(),
        constructed: true,
        as_of: "2026-01-02".to_owned(),
        undrawn: None,
        basis: "official".to_owned(),
        seq: 7,
        made_at: Utc::now(),
        crs,
    };
    Layer::new(Arc::new(collection), None, document)
}

fn feature(properties: &Value, geometry: Option<Geometry>) -> Feature {
    Feature { id: Uuid::nil(), geometry, properties: properties.as_object().unwrap().clone() }
}

type Geometry = geo::Geometry<f64>;

fn ring(half: f64) -> LineString<f64> {
    vec![(-half, -half), (half, -half), (half, half), (-half, half), (-half, -half)].into()
}

/// A square with a hole.
fn ground() -> Geometry {
    MultiPolygon(vec![Polygon::new(ring(0.002), vec![ring(0.001)])]).into()
}

fn written(format: Format, id: &str, features: &[Feature]) -> Vec<u8> {
    written_in(format, layer(id), features)
}

fn written_in(format: Format, layer: Layer, features: &[Feature]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path()).unwrap();
    let mut writer = begin(format, &layer, &spool).unwrap();
    for feature in features {
        writer.add(feature).unwrap();
    }
    let mut bytes = Vec::new();
    writer.finish().unwrap().read_to_end(&mut bytes).unwrap();
    drop(layer);
    assert_eq!(
        std::fs::read_dir(folder.path().join("exports")).unwrap().count(),
        0,
        "{format:?} leaves something"
    );
    bytes
}

/// A file of an archive.
fn unpacked(bytes: &[u8], end: &str) -> Vec<u8> {
    let mut archive = ::zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let index =
        (0..archive.len()).find(|index| archive.by_index(*index).unwrap().name().unwrap().ends_with(end));
    let mut found = Vec::new();
    archive.by_index(index.unwrap()).unwrap().read_to_end(&mut found).unwrap();
    found
}

#[test]
fn every_format_says_what_it_is_even_without_features() {
    for format in Format::ALL {
        let bytes = written(format, "hazardous_area", &[]);
        let text = match format {
            Format::Shapefile => unpacked(&bytes, "README.txt"),
            Format::Xlsx => unpacked(&bytes, "xl/sharedStrings.xml"),
            // Every row says it, and there is none.
            Format::Csv => continue,
            _ => bytes,
        };
        let text = String::from_utf8_lossy(&text).into_owned();
        for word in [STATEMENT, "2026-01-02", "official", "made up"] {
            assert!(text.contains(word), "{format:?}: {word}");
        }
    }
}

#[test]
fn formulas_are_disarmed_in_csv_and_texts_in_workbooks() {
    let properties =
        json!({"name": "=HYPERLINK(\"http://x\")", "local_reference": "+49", "reported_area_m2": -5});
    let csv =
        String::from_utf8(written(Format::Csv, "hazardous_area", &[feature(&properties, None)])).unwrap();
    assert!(csv.contains("'=HYPERLINK") && csv.contains("'+49") && csv.contains(",-5,"), "{csv}");
    assert!(csv.starts_with("\u{feff}id,"), "spreadsheets know it for UTF-8");
    let book = written(Format::Xlsx, "hazardous_area", &[feature(&properties, None)]);
    let sheet = String::from_utf8(unpacked(&book, "sheet1.xml")).unwrap();
    assert!(sheet.contains("=HYPERLINK") && !sheet.contains("<f>"), "{sheet}");
    assert!(sheet.contains("<v>-5</v>"), "a number is a number: {sheet}");
}

#[test]
fn shells_run_clockwise_and_holes_the_other_way() {
    let zip = written(Format::Shapefile, "hazardous_area", &[feature(&json!({}), Some(ground()))]);
    let shapes = unpacked(&zip, ".shp");
    let double = |at: usize| f64::from_le_bytes(shapes[at..at + 8].try_into().unwrap());
    // Behind the header, the record's, the type, the box, two counts and two beginnings.
    let positions = 100 + 8 + 4 + 32 + 8 + 8;
    let turn = |ring: usize| -> f64 {
        let at = |index: usize| {
            (double(positions + 16 * (ring + index)), double(positions + 16 * (ring + index) + 8))
        };
        (0..4).map(|index| at(index).0 * at(index + 1).1 - at(index + 1).0 * at(index).1).sum()
    };
    assert!(turn(0) < 0.0 && turn(5) > 0.0, "{} {}", turn(0), turn(5));
    assert_eq!(shapes.len(), positions + 16 * 10);
}

#[test]
fn what_a_table_of_a_shapefile_cannot_hold_is_said() {
    let long = "é".repeat(200);
    let fields =
        json!({"name": long, "date_identified": "someday", "reported_area_m2": 0.000_001_234_567_890_123});
    let zip = written(Format::Shapefile, "hazardous_area", &[feature(&fields, None)]);
    let readme = String::from_utf8(unpacked(&zip, "README.txt")).unwrap();
    assert!(readme.contains("1 texts were cut") && readme.contains("1 values do not fit"), "{readme}");
    assert!(readme.contains("reported_a  reported_area_m2 (Reported area, m²)"), "{readme}");
    let table = unpacked(&zip, ".dbf");
    let names: Vec<&[u8]> =
        table[32..].chunks(32).take_while(|one| one[0] != 0x0d).map(|one| &one[..11]).collect();
    let distinct: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!(distinct.len(), names.len(), "names of ten letters still differ");
    assert!(String::from_utf8_lossy(&table).contains("0.000001234567890123"), "every digit is there");
}

#[test]
fn xml_holds_what_people_write_and_replaces_what_it_cannot() {
    let name = "a < b & \"c\" \u{1} \u{202e}é";
    for format in [Format::Kml, Format::Gpx] {
        let bytes = written(format, "hazardous_area", &[feature(&json!({"name": name}), Some(ground()))]);
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains("a &lt; b &amp; &quot;c&quot; \u{fffd} \u{202e}é"), "{text}");
    }
}

#[test]
fn a_handheld_is_told_what_it_does_not_get() {
    let features = [feature(&json!({}), None), feature(&json!({"name": "X"}), Some(ground()))];
    let text = String::from_utf8(written(Format::Gpx, "hazardous_area", &features)).unwrap();
    assert!(text.contains("not in this file: 1 records without a place"), "{text}");
    assert_eq!(text.matches("<trkseg>").count(), 2, "a ring each");
}

#[test]
fn what_has_no_place_in_a_zone_is_counted_and_said() {
    let zone = Crs::Utm { zone: 31, north: true };
    let afar: Geometry = ground().map_coords(|at| geo::coord! { x: at.x + 150.0, y: at.y });
    let near: Geometry = ground().map_coords(|at| geo::coord! { x: at.x + 3.0, y: at.y });
    let features: Vec<Feature> =
        [Some(afar), Some(near), None].map(|place| feature(&json!({}), place)).into();
    let words = "1 geometries have no place in EPSG:32631";
    for format in [Format::GeoJson, Format::GeoPackage, Format::Shapefile, Format::Csv] {
        let said = |features: &[Feature]| {
            let bytes = written_in(format, layer_in("hazardous_area", zone), features);
            let text = if format == Format::Shapefile { unpacked(&bytes, "README.txt") } else { bytes };
            String::from_utf8_lossy(&text).matches(words).count()
        };
        assert_eq!((said(&features) > 0, said(&features[1..])), (true, 0), "{format:?}");
    }
}

#[test]
fn a_workbook_cuts_what_a_cell_does_not_hold_and_says_so() {
    let features = [feature(&json!({"name": "x".repeat(40_000)}), None)];
    let book = written(Format::Xlsx, "hazardous_area", &features);
    let about = String::from_utf8(unpacked(&book, "xl/sharedStrings.xml")).unwrap();
    assert!(about.contains("1 texts at 32767 characters"), "{about}");
}

#[test]
fn what_a_format_cannot_hold_is_refused_before_it_begins() {
    let (victims, areas) = (layer("victim"), layer("hazardous_area"));
    let refusal = |format: Format, layer: &Layer, crs| format.refusal(&layer.collection, crs);
    assert!(refusal(Format::Gpx, &victims, Crs::Crs84).is_some());
    assert!(refusal(Format::Kml, &areas, Crs::WebMercator).is_some());
    assert!(refusal(Format::Kml, &areas, Crs::Epsg4326).is_none(), "the same, longitude first");
    assert!(refusal(Format::Shapefile, &areas, Crs::Utm { zone: 34, north: true }).is_none());
}
