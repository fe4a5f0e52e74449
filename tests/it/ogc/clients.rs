//! The programs that others have written, against the compiled server: GDAL, QGIS without a screen, and schemathesis, which
//! makes up requests from the API's definition.
//!
//! `.ci/run` installs them. Without one of them its test says that it was skipped, and fails with `CI=true`.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use super::{Map, survey};
use crate::ledger::set_programme;
use crate::support::{Crew, Place, Program, Serving, on_both};

on_both!(
    gdal_reads_pages_filters_and_copies,
    qgis_loads_counts_and_filters,
    made_up_requests_meet_no_fault_of_the_server,
);

/// Areas: three pages of the ten features that GDAL 3.6 asks for at a time.
const AREAS: i32 = 25;

/// The compiled server with a programme and its areas, and the information management officer's map.
fn begin(place: &Place) -> (Program, Crew, Map) {
    let (program, crew) = Program::begin(place);
    set_programme(&program, &crew);
    survey(&program, &crew, AREAS);
    let map = Map::of(&program, &crew.im, "read_write");
    (program, crew, map)
}

/// Says that a program is missing, which CI does not take for an answer.
pub(super) fn skip(what: &str) {
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "in CI {what} must be tried: `.ci/run` installs it"
    );
    let text = format!("\nSKIPPED: {what} was not tried: `.ci/run` installs it\n");
    std::io::stderr().write_all(text.as_bytes()).unwrap();
}

/// Whether a command runs; what speaks against it is printed, because a program that is there may fail all the same.
pub(super) fn runs(command: &mut Command) -> bool {
    let done = command.output();
    let runs = done.as_ref().is_ok_and(|done| done.status.success());
    if !runs {
        eprintln!("{command:?}: {done:?}");
    }
    runs
}

/// What a command that must succeed says.
#[track_caller]
pub(super) fn said(command: &mut Command) -> String {
    let done = command.output().unwrap();
    let all = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
    assert!(done.status.success() && !all.contains("ERROR"), "{command:?}\n{all}");
    all
}

fn gdal_reads_pages_filters_and_copies(place: &Place) {
    if !runs(Command::new("ogrinfo").arg("--version")) {
        return skip("GDAL");
    }
    let (program, _crew, map) = begin(place);
    let source = format!("OAPIF:{}/ogc", program.url());
    let gdal = |tool: &str| {
        let mut command = Command::new(tool);
        command.args(["--config", "GDAL_HTTP_USERPWD", &format!("{}:{}", map.login, map.password)]);
        command
    };
    let count = |source: &str, layer: &str, more: &[&str]| {
        let told = said(gdal("ogrinfo").arg("-so").args(more).args([source, layer]));
        let line = told.lines().find_map(|line| line.strip_prefix("Feature Count: ")).map(str::to_owned);
        line.unwrap_or_else(|| panic!("{told}")).parse::<i32>().unwrap()
    };
    let layers = said(gdal("ogrinfo").arg(&source));
    assert!(layers.contains("hazardous_area (title: Hazardous area) (Multi Polygon)"), "{layers}");
    assert_eq!(count(&source, "hazardous_area", &[]), AREAS);
    assert_eq!(count(&source, "hazardous_area_points", &[]), 1);
    assert_eq!(count(&source, "hazardous_area", &["-spat", "0.005", "9", "0.035", "11"]), 3);
    assert_eq!(count(&source, "hazardous_area", &["-where", "classification='CHA'"]), 13);
    let copy = place.folder.path().join("copy.gpkg");
    said(gdal("ogr2ogr").args(["-f", "GPKG", "-nln", "areas"]).arg(&copy).args([&source, "hazardous_area"]));
    let copy = copy.to_str().unwrap();
    assert_eq!(count(copy, "areas", &[]), AREAS, "every page");
    assert_eq!(count(copy, "areas", &["-where", "name='Area 24' and reported_area_m2=24000"]), 1);
    let typed = said(gdal("ogrinfo").args(["-so", copy, "areas"]));
    for field in
        ["Geometry: Multi Polygon", "date_identified: Date", "reported_area_m2: Real", "stage: String"]
    {
        assert!(typed.contains(field), "{field}: {typed}");
    }
    let one = map.ids("hazardous_area", &[("limit", "100")])[0].to_string();
    let found =
        said(gdal("ogrinfo").args(["-q", &source, "hazardous_area", "-where", &format!("id='{one}'")]));
    assert!(found.contains(&one) && found.contains("MULTIPOLYGON"), "{found}");
}

/// Loads layers, counts, and filters by a box and by an attribute; says what it found as JSON.
const SCRIPT: &str = r#"
import json, os, sys
from urllib.parse import quote
from qgis.core import (Qgis, QgsApplication, QgsCoordinateReferenceSystem, QgsFeatureRequest, QgsMapRendererParallelJob,
    QgsMapSettings, QgsRectangle, QgsVectorLayer, QgsVectorTileLayer)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor
url, login, password = sys.argv[1:]
application = QgsApplication([], False)
application.initQgis()
def load(name):
    source = f"typename='{name}' url='{url}/ogc' username='{login}' password='{password}' restrictToRequestBBOX=1"
    layer = QgsVectorLayer(source, name, "OAPIF")
    assert layer.isValid(), (name, layer.error().message())
    return layer
found = {"version": Qgis.QGIS_VERSION}
areas = load("hazardous_area")
found["type"] = areas.wkbType() == 6 or str(areas.wkbType())
found["counted"] = areas.featureCount()
found["loaded"] = len({feature["id"] for feature in areas.getFeatures()})
found["in_box"] = sum(1 for _ in areas.getFeatures(QgsFeatureRequest(QgsRectangle(0.005, 9, 0.035, 11))))
found["year"] = next(areas.getFeatures())["date_identified"].year()
assert areas.setSubsetString("classification = 'CHA'")
found["confirmed"] = sum(1 for _ in areas.getFeatures())
found["points"] = load("hazardous_area_points").featureCount()
found["remaining"] = load("remaining").featureCount()
# Vector tiles, drawn: how many dots are not blank.
def drawn():
    tiles = url.replace("//", f"//{login}:{password}@") + "/tiles/hazardous_area,remaining/{z}/{x}/{y}"
    layer = QgsVectorTileLayer(f"type=xyz&url={quote(tiles, safe='')}&zmin=0&zmax=16", "tiles")
    assert layer.isValid(), layer.error().message()
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    settings.setOutputSize(QSize(200, 200))
    settings.setBackgroundColor(QColor("white"))
    settings.setExtent(QgsRectangle(0, 1110000, 30000, 1140000))
    job = QgsMapRendererParallelJob(settings)
    job.start()
    # Whoever waits here with closed eyes waits for the log-in, which waits for whoever waits here.
    while job.isActive():
        application.processEvents()
    image = job.renderedImage()
    return sum(image.pixelColor(x, y) != QColor("white") for x in range(200) for y in range(200))
found["tiles"] = drawn() > 20
print(json.dumps(found), flush=True)
# Taking QGIS down with layers in it crashes now and then, whatever they came from.
os._exit(0)
"#;

fn qgis_loads_counts_and_filters(place: &Place) {
    // QGIS belongs to Debian's own Python.
    let offered = std::env::var_os("CARTAGENA_TEST_QGIS_PYTHON").map(PathBuf::from);
    let python = offered.unwrap_or_else(|| PathBuf::from("/usr/bin/python3"));
    let python = || {
        let mut command = Command::new(&python);
        command.env("QT_QPA_PLATFORM", "offscreen").env("HOME", place.folder.path());
        command
    };
    // As below: QGIS crashes now and then when Python takes it down.
    if !runs(python().args(["-c", "import os, qgis.core; os._exit(0)"])) {
        return skip("QGIS");
    }
    let (program, _crew, map) = begin(place);
    let told = said(python().args(["-c", SCRIPT, program.url(), &map.login, &map.password]));
    let line = told.lines().find(|line| line.starts_with('{')).unwrap_or_else(|| panic!("{told}"));
    let mut found: Value = serde_json::from_str(line).unwrap();
    found.as_object_mut().unwrap().remove("version");
    assert_eq!(
        found,
        json!({"type": true, "counted": AREAS, "loaded": AREAS, "in_box": 3, "year": 2000, "confirmed": 13, "points": 1,
            "remaining": 0, "tiles": true})
    );
}

/// The collections that stand for the others: records with outlines, records that partners see, and the ledger's ground.
const SOME: &str = "^/(api|conformance|collections)?$|/(hazardous_area|land_release|remaining)(/|$)";

fn made_up_requests_meet_no_fault_of_the_server(place: &Place) {
    let beside =
        std::env::current_exe().unwrap().ancestors().nth(3).unwrap().join("schemathesis/bin/schemathesis");
    let found = [beside, PathBuf::from("schemathesis")]
        .into_iter()
        .find(|one| runs(Command::new(one).arg("--version")));
    let Some(schemathesis) = found else { return skip("schemathesis") };
    let (mut program, _crew, map) = begin(place);
    let checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,ignored_auth";
    let mut command = Command::new(schemathesis);
    command
        .args([
            "run",
            &format!("{}/ogc/api", program.url()),
            "--auth",
            &format!("{}:{}", map.login, map.password),
        ])
        .args(["--checks", checks, "--phases", "coverage,fuzzing", "--max-examples", "5", "--workers", "1"])
        .args(["--include-path-regex", SOME, "--warnings", "off", "--no-color"])
        .current_dir(place.folder.path());
    let done = command.output().unwrap();
    let told = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{}", told.chars().take(6_000).collect::<String>());
    assert!(told.contains("generated"), "{told}");
    program.must_run();
    program.kill();
    program.verify();
}
