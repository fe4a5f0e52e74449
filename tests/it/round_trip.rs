//! Exports that come back, as they are and edited: they are the records that they were made of, and never others.

use std::path::Path;

use cartagena::import::mapping::Wishes;
use cartagena::import::{Ids, Job, Line, Mapping, Outcome, Reading, Source, Summary, run};
use cartagena::model::Stage;
use serde_json::{Value, json};

use crate::ogc::contested::dispute;
use crate::ogc::{Country, features};
use crate::support::{Place, on_both};

on_both!(
    an_export_that_comes_back_is_no_second_record,
    an_edited_export_changes_its_records,
    what_is_contested_is_nobodys_edit,
);

fn import(
    country: &Country,
    file: &Path,
    reading: &Reading,
    change: impl FnOnce(&mut Job<'_>),
) -> (Summary, Vec<Line>) {
    let source = Source::open(file, reading).unwrap();
    let store = country.server.store();
    let mapping =
        Mapping::new(store.registry().latest("hazardous_area").unwrap(), Wishes::default()).unwrap();
    let ids = Ids::choose(&source, None, None).unwrap();
    let mut job = Job {
        source: &source,
        mapping: &mapping,
        ids: &ids,
        actor: store.find_account(country.crew.im.id).unwrap().actor(),
        captured: None,
        update: false,
        submit: false,
        dry_run: false,
    };
    change(&mut job);
    let mut lines = Vec::new();
    let summary = run(store, &job, &mut |line| lines.push(line.clone())).unwrap();
    (summary, lines)
}

fn an_export_that_comes_back_is_no_second_record(place: &Place) {
    let country = Country::prepare(place, 5);
    let map = country.im();
    // Texts that formats trim, cut, disarm or end in their own way; rows; names, of which some have one only.
    let texts = json!({"properties": {"local_reference": "BR/12", "remarks": format!(" =1+1\r\n{}\n- end ", "long ".repeat(80)),
        "evidence": [{"id": uuid::Uuid::now_v7(), "kind": "other", "strength": "direct"}]}});
    let path = format!("/collections/hazardous_area/items/{}", country.areas[0]);
    let stands = map.get(&path).expect(200)["properties"]["version"].as_str().unwrap().to_owned();
    let tag = format!("\"{stands}\"");
    let patch = [("Content-Type", "application/merge-patch+json"), ("If-Match", tag.as_str())];
    let reply = map.send("PATCH", &path, &patch, texts.to_string().as_bytes());
    assert_eq!(reply.status, 204, "{}", reply.body);
    let before = country.server.store().head().unwrap().seq;
    let closing = Reading { close_tracks: true, ..Reading::default() };
    for (format, collection, count) in [
        ("geojson", "hazardous_area", 5),
        ("gpkg", "hazardous_area", 5),
        ("shp", "hazardous_area", 5),
        ("kml", "hazardous_area", 5),
        ("gpx", "hazardous_area", 5),
        ("csv", "hazardous_area", 5),
        ("gpkg", "hazardous_area_points", 1),
        ("csv", "hazardous_area_points", 1),
    ] {
        let file = map.export(place.folder.path(), collection, &[("f", format)]);
        for update in [false, true] {
            let (summary, lines) = import(&country, &file, &closing, |job| job.update = update);
            // A shapefile cuts names and texts: what was edited in it cannot be told.
            let expected = if format == "shp" { Outcome::Differs } else { Outcome::Duplicate };
            assert_eq!(summary.count(expected), count, "{format}: {summary} {lines:?}");
        }
    }
    assert_eq!(country.server.store().head().unwrap().seq, before, "nothing was written");
}

/// An export of the country's areas, and itself after somebody has worked on it.
fn edited(country: &Country, place: &Place, edit: impl FnOnce(&mut Vec<Value>)) -> std::path::PathBuf {
    let file = country.im().export(place.folder.path(), "hazardous_area", &[("f", "geojson")]);
    let mut document: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    edit(document["features"].as_array_mut().unwrap());
    std::fs::write(&file, document.to_string()).unwrap();
    file
}

fn an_edited_export_changes_its_records(place: &Place) {
    let country = Country::prepare(place, 5);
    let store = country.server.store();
    let reading = Reading::default();
    let old = country.im().items("hazardous_area", &[]);
    let file = edited(&country, place, |features| {
        features[0]["properties"]["remarks"] = json!("mended in the office");
        let first = features[1]["geometry"]["coordinates"][0][0][0][0].as_f64().unwrap() - 1e-4;
        let ring = features[1]["geometry"]["coordinates"][0][0].as_array_mut().unwrap();
        let last = ring.len() - 1;
        ring[0][0] = json!(first);
        ring[last][0] = json!(first);
        // What is left out is not emptied.
        features[2]["properties"].as_object_mut().unwrap().remove("classification");
    });
    let before = store.head().unwrap().seq;
    let (left, lines) = import(&country, &file, &reading, |_| {});
    assert_eq!((left.count(Outcome::Differs), left.count(Outcome::Duplicate)), (2, 3), "{left}");
    assert!(lines[0].reasons[0].ends_with("something else in remarks"), "{:?}", lines[0].reasons);
    let (foretold, _) = import(&country, &file, &reading, |job| (job.update, job.dry_run) = (true, true));
    assert_eq!(foretold.count(Outcome::Edited), 2, "{foretold}");
    assert_eq!(store.head().unwrap().seq, before, "nothing was written");

    let (done, lines) = import(&country, &file, &reading, |job| (job.update, job.submit) = (true, true));
    assert_eq!((done.count(Outcome::Edited), done.submitted), (2, 2), "{done} {lines:?}");
    assert!(!done.is_fruitless());
    assert_eq!(lines[1].reasons[0], "changed: geometry");
    let record = store.find_record(lines[0].record_id.unwrap(), actor_of(&country).sight()).unwrap();
    assert_eq!(
        (record.properties["remarks"].as_str(), record.stage),
        (Some("mended in the office"), Stage::Submitted)
    );
    assert_eq!(record.properties["classification"], features(&old)[0]["properties"]["classification"]);

    // What a table disarms for spreadsheets is not what was written.
    let file_of_texts =
        edited(&country, place, |features| features[4]["properties"]["remarks"] = json!("=1+1"));
    let (armed, _) = import(&country, &file_of_texts, &reading, |job| job.update = true);
    assert_eq!(armed.count(Outcome::Edited), 1, "{armed}");
    let table = country.im().export(place.folder.path(), "hazardous_area", &[("f", "csv")]);
    assert!(std::fs::read_to_string(&table).unwrap().contains("'=1+1"));
    let (table, _) = import(&country, &table, &reading, |job| job.update = true);
    assert_eq!(table.count(Outcome::Duplicate), 5, "{table}");

    // The same again is done already; and what was exported before that is too old to change anything.
    let (again, _) = import(&country, &file, &reading, |job| (job.update, job.submit) = (true, true));
    assert_eq!((again.count(Outcome::Duplicate), again.submitted), (5, 1), "the draft of before: {again}");
    let after = store.head().unwrap().seq;
    let mut late = features(&old).clone();
    late[0]["properties"]["remarks"] = json!("from another office");
    late[3]["properties"]["remarks"] = json!("no version");
    late[3]["properties"].as_object_mut().unwrap().remove("version");
    std::fs::write(&file, json!({"type": "FeatureCollection", "features": late}).to_string()).unwrap();
    let (stale, lines) = import(&country, &file, &reading, |job| job.update = true);
    assert_eq!((stale.count(Outcome::Edited), stale.count(Outcome::Differs)), (0, 3), "{stale} {lines:?}");
    assert!(lines[0].reasons[0].starts_with("not changed in remarks: "), "{:?}", lines[0].reasons);
    assert!(lines[3].reasons[0].contains("no `version`"), "{:?}", lines[3].reasons);
    assert_eq!(store.head().unwrap().seq, after, "nothing was written");
}

/// Of a dispute the ground of both sides and the gravest that they say is shown: coming back it is no edit, and neither is
/// any other before it is settled.
fn what_is_contested_is_nobodys_edit(place: &Place) {
    let country = Country::prepare(place, 2);
    dispute(&country);
    let server = &country.server;
    let file = edited(&country, place, |_| {});
    let before = server.store().head().unwrap().seq;
    let reading = Reading::default();
    let (same, lines) = import(&country, &file, &reading, |job| job.update = true);
    assert_eq!(same.count(Outcome::Duplicate), 2, "{same} {lines:?}");
    let mut document: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    document["features"][0]["properties"]["remarks"] = json!("from the office");
    std::fs::write(&file, document.to_string()).unwrap();
    for dry_run in [true, false] {
        let (other, lines) =
            import(&country, &file, &reading, |job| (job.update, job.dry_run) = (true, dry_run));
        assert_eq!(other.count(Outcome::Differs), 1, "{other} {lines:?}");
        assert!(lines[0].reasons[0].contains("contested"), "{:?}", lines[0].reasons);
    }
    assert_eq!(server.store().head().unwrap().seq, before, "nothing was written");
}

fn actor_of(country: &Country) -> cartagena::model::role::Actor {
    country.server.store().find_account(country.crew.im.id).unwrap().actor()
}
