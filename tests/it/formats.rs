//! Files that other programs have made, as an import reads them: GDAL writes them here.

use std::path::{Path, PathBuf};
use std::process::Command;

use cartagena::import::{Feature, Item, Reading, Source};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::export::{gdal_is_there, positions};

/// A folder with a file of outlines, one of lines and one of points, as GDAL is given them.
struct Workshop(TempDir);

/// Outlines with a hole in the second part, a text that is not ASCII, numbers, days, and one without a place.
fn outlines() -> Value {
    let square = |x: f64, y: f64, half: f64| {
        json!([
            [x - half, y - half],
            [x + half, y - half],
            [x + half, y + half],
            [x - half, y + half],
            [x - half, y - half]
        ])
    };
    json!({"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"code": "A-1", "name": "Čapljina é", "size": 12.5, "number": 7, "day": "2020-03-01"},
         "geometry": {"type": "MultiPolygon", "coordinates": [[square(15.0, 44.0, 0.001)], [square(15.1, 44.0, 0.004), square(15.1, 44.0, 0.001)]]}},
        {"type": "Feature", "properties": {"code": "A-2", "name": "Ende", "size": 0.25, "number": -3, "day": "1999-12-31"},
         "geometry": {"type": "MultiPolygon", "coordinates": [[square(15.2, 44.1, 0.001)]]}},
        {"type": "Feature", "properties": {"code": "A-3", "name": "Nowhere", "size": null, "number": 0, "day": null}, "geometry": null},
    ]})
}

impl Workshop {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("outlines.geojson"), outlines().to_string()).unwrap();
        let line = json!({"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"name": "Walk"},
            "geometry": {"type": "LineString", "coordinates": [[15.0, 44.0], [15.01, 44.0], [15.01, 44.01]]}}]});
        std::fs::write(folder.path().join("line.geojson"), line.to_string()).unwrap();
        let point = json!({"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"name": "BM 1"},
            "geometry": {"type": "Point", "coordinates": [15.0, 44.0, 321.5]}}]});
        std::fs::write(folder.path().join("point.geojson"), point.to_string()).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Has GDAL write a file from another one.
    #[track_caller]
    fn convert(&self, from: &str, to: &str, more: &[&str]) -> PathBuf {
        let path = self.path(to);
        let done = Command::new("ogr2ogr").args(more).arg(&path).arg(self.path(from)).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        path
    }
}

#[track_caller]
pub(crate) fn read(path: &Path) -> Source {
    read_as(path, &Reading::default()).unwrap()
}

fn read_as(path: &Path, reading: &Reading) -> Result<Source, String> {
    Source::open(path, reading).map_err(|fault| fault.to_string())
}

pub(crate) fn features(source: &Source) -> Vec<&Feature> {
    let all = source.items.iter().map(|item| match item {
        Item::Feature(feature) => feature.as_ref(),
        Item::Unreadable(fault) => panic!("{fault}"),
    });
    all.collect()
}

/// That the outlines of the workshop were read, with their values and within some nanodegrees.
#[track_caller]
fn must_be_the_outlines(source: &Source, off: i64, columns: &[&str]) {
    let found = features(source);
    let given = outlines();
    let given = given["features"].as_array().unwrap();
    assert_eq!(found.len(), given.len(), "{:?}", source.notes);
    for (found, given) in found.iter().zip(given) {
        assert_eq!(found.geometry.is_some(), given["geometry"].is_object(), "{:?}", found.notes);
        for column in columns {
            let (found, given) =
                (found.columns.get(*column).unwrap_or(&Value::Null), &given["properties"][*column]);
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            // GDAL's KML has days with slashes, as the reader of dates knows them.
            let found = if *column == "day" { json!(text(found).replace('/', "-")) } else { found.clone() };
            let as_number = found.as_f64().is_some() && found.as_f64() == given.as_f64();
            assert!(as_number || text(&found) == text(given), "{column}: {found} for {given}");
        }
        let Some(place) = &found.geometry else { continue };
        let (a, b) = (positions(place), positions(&given["geometry"]));
        assert_eq!(a.len(), b.len(), "{place}");
        for (a, b) in a.iter().zip(&b) {
            assert!((a[0] - b[0]).abs() <= off && (a[1] - b[1]).abs() <= off, "{a:?} {b:?}");
        }
        // Whichever ring the file has first, the hole lies in the part around it.
        if given["properties"]["code"] == "A-1" {
            let parts = place["coordinates"].as_array().unwrap();
            let with_hole = parts.iter().find(|part| part.as_array().unwrap().len() == 2).unwrap();
            assert!((with_hole[0][0][0].as_f64().unwrap() - 15.1).abs() < 0.01, "{place}");
        }
    }
}

/// All files of a folder in a zip, in a folder of theirs.
fn zipped(folder: &Path, to: &Path) {
    let mut zip = zip::ZipWriter::new(std::fs::File::create(to).unwrap());
    let options = zip::write::SimpleFileOptions::default();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        zip.start_file(format!("data/{}", path.file_name().unwrap().to_str().unwrap()), options).unwrap();
        std::io::copy(&mut std::fs::File::open(&path).unwrap(), &mut zip).unwrap();
    }
    zip.finish().unwrap();
}

const ALL: [&str; 5] = ["code", "name", "size", "number", "day"];

#[test]
fn a_geopackage_is_read_and_its_layers_are_asked_for() {
    if !gdal_is_there() {
        return;
    }
    let shop = Workshop::new();
    let file = shop.convert("outlines.geojson", "a.gpkg", &["-nln", "areas"]);
    must_be_the_outlines(&read(&file), 0, &ALL);
    let moved = shop.convert("outlines.geojson", "utm.gpkg", &["-t_srs", "EPSG:32633"]);
    let source = read(&moved);
    must_be_the_outlines(&source, 2, &ALL);
    assert_eq!(features(&source)[0].as_entered.as_ref().unwrap()["crs"], "EPSG:32633");
    shop.convert("line.geojson", "a.gpkg", &["-update", "-nln", "walks"]);
    let refused = read_as(&file, &Reading::default()).unwrap_err();
    assert!(refused.contains("--layer; there are: areas, walks"), "{refused}");
    let layer = |name: &str| Reading { layer: Some(name.to_owned()), ..Reading::default() };
    assert_eq!(read_as(&file, &layer("walks")).unwrap().items.len(), 1);
    assert!(read_as(&file, &layer("Walks")).unwrap_err().contains("areas, walks"));
    let odd = shop.convert("outlines.geojson", "odd.gpkg", &["-t_srs", "EPSG:25833"]);
    let refused = read_as(&odd, &Reading::default()).unwrap_err();
    assert!(refused.contains("EPSG:25833") && refused.contains("--crs"), "{refused}");
    must_not_be(&[0; 100], "SQLite format 3\0");
}

/// That a file of these first letters and nothing behind is refused.
fn must_not_be(rest: &[u8], begin: &str) {
    let bytes = [begin.as_bytes(), rest].concat();
    assert!(Source::read(&bytes, &Reading::default()).is_err());
}

#[test]
fn a_shapefile_is_read_zipped_or_as_it_lies() {
    if !gdal_is_there() {
        return;
    }
    let shop = Workshop::new();
    let shape = |name: &str, more: &[&str]| {
        std::fs::create_dir(shop.path(name)).unwrap();
        shop.convert("outlines.geojson", &format!("{name}/areas.shp"), more)
    };
    let plain = shape("plain", &["-lco", "ENCODING=UTF-8"]);
    must_be_the_outlines(&read(&plain), 0, &ALL);
    let zip = shop.path("plain.zip");
    zipped(plain.parent().unwrap(), &zip);
    must_be_the_outlines(&read(&zip), 0, &ALL);
    let utm = shape("utm", &["-t_srs", "EPSG:32633", "-lco", "ENCODING=UTF-8"]);
    let source = read(&utm);
    must_be_the_outlines(&source, 2, &ALL);
    assert_eq!(features(&source)[0].as_entered.as_ref().unwrap()["crs"], "EPSG:32633");
    // é is in Latin 1, Č is not: GDAL writes what it can.
    let latin = shape("latin", &["-lco", "ENCODING=ISO-8859-1"]);
    let name = |source: &Source| features(source)[0].columns["name"].as_str().unwrap().to_owned();
    assert!(name(&read(&latin)).ends_with("apljina é"), "{}", name(&read(&latin)));
    std::fs::remove_file(latin.with_extension("cpg")).unwrap();
    assert!(name(&read(&latin)).ends_with("apljina é"), "the table's own mark says so");
    let odd = shape("odd", &["-t_srs", "EPSG:25833"]);
    let refused = read_as(&odd, &Reading::default()).unwrap_err();
    assert!(refused.contains("ETRS_1989_UTM_Zone_33N") && refused.contains("--crs"), "{refused}");
    std::fs::remove_file(utm.with_extension("prj")).unwrap();
    let refused = read_as(&utm, &Reading::default()).unwrap_err();
    assert!(refused.contains("--crs"), "metres without a word: {refused}");
    let given = Reading { crs: Some("EPSG:32633".to_owned()), ..Reading::default() };
    must_be_the_outlines(&read_as(&utm, &given).unwrap(), 2, &ALL);
    let heights = shop.convert("point.geojson", "heights.shp", &["-lco", "SHPT=POINTZ"]);
    assert_eq!(
        features(&read(&heights))[0].geometry.as_ref().unwrap()["coordinates"],
        json!([15.0, 44.0, 321.5])
    );
    let lines = shop.convert("line.geojson", "lines.shp", &[]);
    assert_eq!(features(&read(&lines))[0].geometry.as_ref().unwrap()["type"], "LineString");
}

#[test]
fn kml_and_kmz_are_read() {
    if !gdal_is_there() {
        return;
    }
    let shop = Workshop::new();
    let file = shop.convert("outlines.geojson", "a.kml", &["-f", "LIBKML", "-nln", "areas"]);
    must_be_the_outlines(&read(&file), 0, &["code", "size", "number", "day"]);
    let names: Vec<Value> = features(&read(&file)).iter().map(|one| one.columns["name"].clone()).collect();
    assert_eq!(names, ["Čapljina é", "Ende", "Nowhere"]);
    let packed = shop.convert("outlines.geojson", "a.kmz", &["-f", "LIBKML", "-nln", "areas"]);
    // GDAL writes a document that links to one for each layer.
    must_be_the_outlines(&read(&packed), 0, &["code", "size", "number", "day"]);
    let layer = Reading { layer: Some("areas".to_owned()), ..Reading::default() };
    assert_eq!(read_as(&packed, &layer).unwrap().items.len(), 3);
}

#[test]
fn gpx_is_read_and_tracks_become_outlines_on_request_only() {
    if !gdal_is_there() {
        return;
    }
    let shop = Workshop::new();
    let force = ["-f", "GPX", "-lco", "FORCE_GPX_TRACK=YES"];
    let file = shop.convert("line.geojson", "walk.gpx", &force);
    let source = read(&file);
    let found = features(&source)[0];
    assert_eq!(found.geometry.as_ref().unwrap()["type"], "LineString");
    assert_eq!(found.columns["name"], "Walk");
    assert!(source.notes.iter().any(|note| note.contains("--close-tracks")), "{:?}", source.notes);
    let closing = Reading { close_tracks: true, ..Reading::default() };
    let source = read_as(&file, &closing).unwrap();
    let open = features(&source)[0];
    assert_eq!(open.geometry.as_ref().unwrap()["type"], "LineString", "its ends lie a kilometre apart");
    assert!(open.notes[0].contains("`Walk`"), "{:?}", open.notes);
    let lap = json!({"type": "Feature", "properties": {"name": "Lap"}, "geometry": {"type": "LineString",
        "coordinates": [[15.0, 44.0], [15.01, 44.0], [15.01, 44.01], [15.0001, 44.0001]]}});
    std::fs::write(shop.path("lap.geojson"), lap.to_string()).unwrap();
    let source = read_as(&shop.convert("lap.geojson", "lap.gpx", &force), &closing).unwrap();
    let place = features(&source)[0].geometry.clone().unwrap();
    assert_eq!((&place["type"], place["coordinates"][0].as_array().unwrap().len()), (&json!("Polygon"), 5));
    let points = shop.convert("point.geojson", "points.gpx", &["-f", "GPX"]);
    let source = read(&points);
    assert_eq!(features(&source)[0].geometry.as_ref().unwrap()["coordinates"][0], json!(15.0));
    let layer = Reading { layer: Some("routes".to_owned()), ..Reading::default() };
    assert_eq!(read_as(&points, &layer).unwrap().items.len(), 0);
}
