//! Exports: what comes out is read by programs that others have written, says what it is, and holds what the items do.

use std::path::{Path, PathBuf};
use std::process::Command;

use cartagena::import::{Reading, Source};
use serde_json::Value;

use crate::formats;
use crate::ogc::{Country, Map, encoded, features};
use crate::support::{Place, on_both};

on_both!(
    every_format_is_read_by_gdal,
    an_export_answers_the_question_of_the_items,
    who_sees_less_exports_less,
    what_cannot_be_is_refused_in_words,
    what_goes_out_comes_in_again,
    ground_comes_on_its_basis_and_adds_up_to_the_figure,
);

/// The formats with what GDAL is given to read, and whether it finds outlines in them.
const FORMATS: [(&str, &str); 7] = [
    ("geojson", "geojson"),
    ("gpkg", "gpkg"),
    ("shp", "zip"),
    ("kml", "kml"),
    ("gpx", "gpx"),
    ("csv", "csv"),
    ("xlsx", "xlsx"),
];

/// What no figure says.
const STATEMENT: &str = "No record is not evidence of no contamination";

impl Map {
    /// An export as a file.
    #[track_caller]
    pub(crate) fn export(&self, folder: &Path, collection: &str, query: &[(&str, &str)]) -> PathBuf {
        let (reply, bytes) = self.download(&format!("/collections/{collection}/export?{}", encoded(query)));
        assert_eq!(reply.status, 200, "{query:?}: {}", reply.body);
        let disposition = reply.header("content-disposition").unwrap().to_owned();
        let name = disposition.split('"').nth(1).unwrap_or_else(|| panic!("{disposition}"));
        assert!(name.starts_with(collection) && reply.header("content-length").is_some(), "{disposition}");
        let path = folder.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

/// What GDAL reads as the only layer of a file, in WGS 84.
#[track_caller]
pub(crate) fn read_with_gdal(file: &Path, more: &[&str]) -> Vec<Value> {
    let mut command = Command::new("ogr2ogr");
    command.args([
        "-f",
        "GeoJSONSeq",
        "-t_srs",
        "EPSG:4326",
        "-lco",
        "COORDINATE_PRECISION=12",
        "/vsistdout/",
    ]);
    let source = match file.extension().and_then(|end| end.to_str()) {
        Some("zip") => format!("/vsizip/{}", file.display()),
        _ => file.display().to_string(),
    };
    let done = command.args(more).arg(&source).output().unwrap();
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success() && !told.contains("ERROR"), "{}: {told}", file.display());
    let text = String::from_utf8(done.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line.trim_start_matches('\u{1e}')).unwrap()).collect()
}

/// What `ogrinfo` says of a file.
#[track_caller]
fn described(file: &Path) -> String {
    let shown = match file.extension().and_then(|end| end.to_str()) {
        Some("zip") => format!("/vsizip/{}", file.display()),
        _ => file.display().to_string(),
    };
    let done = Command::new("ogrinfo").args(["-al", "-ro", "-mdd", "all", &shown]).output().unwrap();
    let told = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
    assert!(done.status.success() && !told.contains("ERROR") && !told.contains("Warning"), "{told}");
    told
}

/// Every position of a geometry, rounded so that the same ones are the same.
pub(crate) fn positions(geometry: &Value) -> Vec<[i64; 2]> {
    fn collect(value: &Value, found: &mut Vec<[i64; 2]>) {
        match value.as_array() {
            Some(list) if list.first().is_some_and(Value::is_number) => {
                let number = |index: usize| (list[index].as_f64().unwrap() * 1e9).round();
                #[expect(clippy::cast_possible_truncation, reason = "degrees")]
                found.push([number(0) as i64, number(1) as i64]);
            }
            Some(list) => list.iter().for_each(|item| collect(item, found)),
            None => {}
        }
    }
    let mut found = Vec::new();
    collect(&geometry["coordinates"], &mut found);
    for member in geometry["geometries"].as_array().into_iter().flatten() {
        collect(&member["coordinates"], &mut found);
    }
    found.sort_unstable();
    found.dedup();
    found
}

pub(crate) fn gdal_is_there() -> bool {
    if Command::new("ogrinfo").arg("--version").output().is_ok_and(|done| done.status.success()) {
        return true;
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "in CI GDAL must be tried: `.ci/run` installs it");
    eprintln!("\nSKIPPED: GDAL was not tried: `.ci/run` installs it\n");
    false
}

/// The text of a file, or of the README in an archive, or of a workbook's sheets.
fn said_by(file: &Path) -> String {
    let bytes = std::fs::read(file).unwrap();
    let Ok(mut archive) = zip::ZipArchive::new(std::io::Cursor::new(&bytes)) else {
        return String::from_utf8_lossy(&bytes).into_owned();
    };
    let mut text = String::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let mut bytes = Vec::new();
        std::io::copy(&mut entry, &mut bytes).unwrap();
        text.push_str(&String::from_utf8_lossy(&bytes));
    }
    text
}

fn every_format_is_read_by_gdal(place: &Place) {
    if !gdal_is_there() {
        return;
    }
    let country = Country::prepare(place, 7);
    let map = country.im();
    let page = map.items("hazardous_area", &[]);
    let today = chrono::Utc::now().date_naive().to_string();
    for (format, end) in FORMATS {
        let file = map.export(place.folder.path(), "hazardous_area", &[("f", format)]);
        assert_eq!(file.extension().unwrap(), end);
        let said = said_by(&file);
        for word in [STATEMENT, today.as_str(), "every stage of the review", "EPSG:4326", "Test programme"] {
            let in_rows_only = format == "csv" && word == "Test programme";
            assert!(
                in_rows_only || said.contains(word) || format == "geojson" && word == "EPSG:4326",
                "{format}: {word}"
            );
        }
        described(&file);
        let more: &[&str] = match format {
            "gpx" => &["-sql", "SELECT * FROM tracks"],
            "csv" => &["-oo", "GEOM_POSSIBLE_NAMES=wkt", "-oo", "AUTODETECT_TYPE=YES", "-s_srs", "EPSG:4326"],
            "xlsx" => &["-sql", "SELECT * FROM hazardous_area", "-s_srs", "EPSG:4326"],
            _ => &[],
        };
        let read = read_with_gdal(&file, more);
        assert_eq!(read.len(), features(&page).len(), "{format}");
        let mut sum = 0.0;
        for one in features(&page) {
            let id = one["id"].as_str().unwrap();
            let properties =
                |found: &Value| ["id", "cmt"].iter().any(|name| found["properties"][*name] == id);
            let found = read.iter().find(|found| properties(found) || found["id"] == id);
            let found = found.unwrap_or_else(|| panic!("{format}: {id} is missing in {read:?}"));
            if format != "xlsx" {
                assert_eq!(positions(&found["geometry"]), positions(&one["geometry"]), "{format}");
            }
            if format != "gpx" {
                let of = |name: &str| &found["properties"][name];
                let name = if format == "kml" { "Name" } else { "name" };
                assert_eq!(of(name), &one["properties"]["name"], "{format}");
                let reported = if format == "shp" { "reported_a" } else { "reported_area_m2" };
                assert_eq!(
                    of(reported).as_f64(),
                    one["properties"]["reported_area_m2"].as_f64(),
                    "{format}: {found}"
                );
                sum += of("area_m2").as_f64().unwrap() - one["properties"]["area_m2"].as_f64().unwrap();
            }
        }
        assert!(sum.abs() < 1e-3, "{format}: {sum}");
    }
}

fn an_export_answers_the_question_of_the_items(place: &Place) {
    if !gdal_is_there() {
        return;
    }
    let country = Country::prepare(place, 6);
    let map = country.im();
    let folder = place.folder.path();
    for (question, count) in [
        (vec![("filter", "classification = 'CHA'")], 3),
        (vec![("bbox", "0.005,9,0.025,11")], 2),
        (vec![("classification", "SHA"), ("datetime", "../2003-12-31")], 2),
        (vec![("as_of", "2020-01-01")], 0),
        (vec![("sortby", "-reported_area_m2"), ("properties", "name,reported_area_m2")], 6),
    ] {
        let asked: Vec<&str> = features(&map.items("hazardous_area", &question)).iter().map(|_| "").collect();
        assert_eq!(asked.len(), count, "{question:?}");
        for format in ["gpkg", "geojson", "shp"] {
            let query: Vec<(&str, &str)> = question.iter().copied().chain([("f", format)]).collect();
            let file = map.export(folder, "hazardous_area", &query);
            assert_eq!(read_with_gdal(&file, &[]).len(), count, "{query:?}");
        }
    }
    let query = [("f", "csv"), ("sortby", "-reported_area_m2"), ("properties", "name")];
    let csv = std::fs::read_to_string(map.export(folder, "hazardous_area", &query)).unwrap();
    let rows: Vec<&str> = csv.lines().map(|line| line.split(',').nth(1).unwrap()).collect();
    assert_eq!(rows[..3], ["name", "Area 5", "Area 4"], "{csv}");
    // Longitude stands first in every file, and the answer says so of it.
    for (asked, said) in [("EPSG/0/4326", "OGC/1.3/CRS84"), ("EPSG/0/32631", "EPSG/0/32631")] {
        let query = format!("crs=http://www.opengis.net/def/crs/{asked}&f=geojson");
        let reply = map.get(&format!("/collections/hazardous_area/export?{query}"));
        let said = format!("<http://www.opengis.net/def/crs/{said}>");
        assert_eq!(reply.header("content-crs"), Some(said.as_str()), "{asked}");
    }
    // In the country's own zone the files say so, and lead back to the same places.
    let whole = read_with_gdal(&map.export(folder, "hazardous_area", &[("f", "gpkg")]), &[]);
    for format in ["gpkg", "shp", "geojson"] {
        let crs = "http://www.opengis.net/def/crs/EPSG/0/32631";
        let file = map.export(folder, "hazardous_area", &[("f", format), ("crs", crs)]);
        assert!(described(&file).contains("UTM"), "{format}");
        let moved = read_with_gdal(&file, &[]);
        for (one, other) in whole.iter().zip(&moved) {
            let near = positions(&one["geometry"]).into_iter().zip(positions(&other["geometry"]));
            for (a, b) in near {
                assert!((a[0] - b[0]).abs() < 10 && (a[1] - b[1]).abs() < 10, "{format}: {a:?} {b:?}");
            }
        }
    }
}

fn who_sees_less_exports_less(place: &Place) {
    if !gdal_is_there() {
        return;
    }
    let country = Country::prepare(place, 4);
    let count = |who, collection: &str| {
        let map = Map::of(&country.server, who, "read");
        let file = map.export(place.folder.path(), collection, &[("f", "gpkg")]);
        read_with_gdal(&file, &[]).len()
    };
    let crew = &country.crew;
    assert_eq!(count(&crew.im, "hazardous_area"), 4);
    assert_eq!(count(&crew.surveyor, "hazardous_area"), 4, "their author");
    assert_eq!(count(&crew.stranger, "hazardous_area"), 0, "drafts of another operator");
    let observer = Map::of(&country.server, &crew.observer, "read");
    assert_eq!(observer.get("/collections/hazardous_area/export?f=csv").status, 404);
    assert_eq!(observer.get("/collections/remaining/export?f=csv").status, 404);
    let releases = observer.export(place.folder.path(), "land_release", &[("f", "csv")]);
    let header = std::fs::read_to_string(releases).unwrap().lines().next().unwrap().to_owned();
    assert!(header.contains("result") && !header.contains("man_hours"), "{header}");
}

fn what_cannot_be_is_refused_in_words(place: &Place) {
    let country = Country::prepare(place, 1);
    let map = country.im();
    for (path, words) in [
        ("/collections/hazardous_area/export?f=dxf", "`dxf`: one of geojson, gpkg"),
        ("/collections/victim/export?f=shp", "ask for csv"),
        (
            "/collections/hazardous_area/export?f=gpx&crs=http://www.opengis.net/def/crs/EPSG/0/3857",
            "WGS 84 only",
        ),
        ("/collections/hazardous_area/export?f=csv&limit=3", "`limit` is not a parameter"),
        ("/collections/hazardous_area/export?f=csv&nonsense=3", "`nonsense` is not a parameter"),
    ] {
        let problem = map.get(path).expect(400);
        assert!(problem["detail"].as_str().unwrap().contains(words), "{path}: {problem}");
    }
    assert_eq!(map.get("/collections/victim/export?f=xlsx").status, 200);
    assert_eq!(map.get("/collections/hazardous_area/export").expect(200)["type"], "FeatureCollection");
    let spooled: Vec<_> = std::fs::read_dir(country.server.data().join("exports")).unwrap().collect();
    assert!(spooled.is_empty(), "{spooled:?}");
}

fn what_goes_out_comes_in_again(place: &Place) {
    let country = Country::prepare(place, 5);
    let map = country.im();
    let page = map.items("hazardous_area", &[]);
    let utm = "http://www.opengis.net/def/crs/EPSG/0/32631";
    let zone = Reading { crs: Some("EPSG:32631".to_owned()), ..Reading::default() };
    let closing = Reading { close_tracks: true, ..Reading::default() };
    for (format, crs, reading, off) in [
        ("geojson", "", Reading::default(), 0),
        ("gpkg", "", Reading::default(), 0),
        ("shp", "", Reading::default(), 0),
        ("kml", "", Reading::default(), 0),
        ("gpx", "", closing, 0),
        ("csv", "", Reading::default(), 0),
        ("geojson", utm, Reading::default(), 5),
        ("gpkg", utm, Reading::default(), 5),
        ("shp", utm, Reading::default(), 5),
        ("csv", utm, zone, 5),
    ] {
        let mut query = vec![("f", format)];
        query.extend((!crs.is_empty()).then_some(("crs", crs)));
        let file = map.export(place.folder.path(), "hazardous_area", &query);
        let source = Source::open(&file, &reading).unwrap();
        let found = formats::features(&source);
        assert_eq!(found.len(), 5, "{format}");
        for (found, given) in found.iter().zip(features(&page)) {
            let ids = [found.columns.get("id"), found.columns.get("cmt")];
            assert!(ids.contains(&Some(&given["id"])), "{format}: {:?}", found.columns);
            assert_eq!(found.notes, Vec::<String>::new(), "{format}");
            let near =
                positions(found.geometry.as_ref().unwrap()).into_iter().zip(positions(&given["geometry"]));
            for (a, b) in near {
                assert!(
                    (a[0] - b[0]).abs() <= off && (a[1] - b[1]).abs() <= off,
                    "{format} {crs}: {a:?} {b:?}"
                );
            }
            if format != "gpx" {
                assert_eq!(
                    found.columns[if format == "shp" { "classifica" } else { "classification" }],
                    given["properties"]["classification"],
                    "{format}"
                );
            }
        }
    }
}

fn ground_comes_on_its_basis_and_adds_up_to_the_figure(place: &Place) {
    if !gdal_is_there() {
        return;
    }
    let country = Country::prepare(place, 4);
    let map = country.im();
    let figure = crate::ledger::total(&crate::ledger::remaining(
        &country.server,
        &country.crew.im,
        "basis=provisional",
    ));
    for format in ["gpkg", "shp", "geojson"] {
        let ground = |query: &[(&str, &str)]| {
            let query: Vec<(&str, &str)> = query.iter().copied().chain([("f", format)]).collect();
            let file = map.export(place.folder.path(), "remaining", &query);
            let basis = query.iter().any(|(name, _)| *name == "basis");
            let (word, end) =
                if basis { ("provisional: everything", "_provisional") } else { ("official: what", "") };
            assert!(format == "gpkg" || said_by(&file).contains(word), "{format}");
            assert!(file.file_stem().unwrap().to_str().unwrap().ends_with(end));
            read_with_gdal(&file, &[])
        };
        assert_eq!(ground(&[]).len(), 0, "nothing is finalised");
        let found = ground(&[("basis", "provisional")]);
        let sum: f64 = found.iter().map(|one| one["properties"]["area_m2"].as_f64().unwrap()).sum();
        assert!(
            found.len() == 4 && figure > 48_000.0 && (sum - figure).abs() < 1e-3,
            "{format}: {sum} {figure}"
        );
        assert_eq!(
            ground(&[("basis", "provisional"), ("as_of", "2001-12-31")]).len(),
            2,
            "two were known by then"
        );
        if format == "geojson" {
            let path = "/collections/remaining/export?basis=provisional&as_of=2001-12-31";
            let said: Value = serde_json::from_slice(&map.download(path).1).unwrap();
            assert!(said["seq"].as_i64().unwrap() > 0, "what is known of that day today: {said}");
        }
    }
}
