//! The ways in which files say the same thing.

use serde_json::json;

use super::*;
use crate::model::Stage;

const SQUARE: &str = "POLYGON ((18.60 43.60, 18.61 43.60, 18.61 43.61, 18.60 43.61, 18.60 43.60))";

fn square() -> Value {
    json!({"type": "Polygon",
        "coordinates": [[[18.60, 43.60], [18.61, 43.60], [18.61, 43.61], [18.60, 43.61], [18.60, 43.60]]]})
}

#[test]
fn a_spreadsheet_of_the_balkans_is_read() {
    let house = House::new();
    let text = format!(
        "\u{feff}Sifra;Status;reported_area_m2;date_identified;wkt\r\n\
         A-1;Open;1.234,5;13/04/2020;{SQUARE}\r\n\
         A-2;open;900,5;03/04/2020;{SQUARE}\r\n\
         A-3;open;900,5;13.04.2020;\"{SQUARE}\"\r\n\
         A-4;open;900,5\r\n"
    );
    let set = pairs(&[("classification", "suspected hazardous area"), ("contamination", "ap_mine,UXO")]);
    let rename = pairs(&[("Sifra", "local_reference"), ("Status", "status")]);
    let (summary, lines) = house.import(&text, "hazardous_area", Wishes { rename, set, ..Wishes::default() });
    let expected = [(Outcome::Taken, 1), (Outcome::Quarantined, 2), (Outcome::Unreadable, 1)];
    assert_eq!(counts(&summary), BTreeMap::from(expected));
    assert!(lines[0].reasons.iter().any(|reason| reason.contains("1.234,5")), "{:?}", lines[0].reasons);
    assert!(lines[1].reasons.iter().any(|reason| reason.contains("2020-04-03 or 2020-03-04")));
    assert!(lines[3].reasons[0].contains("line 5 has 3 fields"), "{:?}", lines[3].reasons);
    let record = house.record(&lines[2]);
    assert_eq!(record.properties["reported_area_m2"], json!(900.5));
    assert_eq!(record.properties["date_identified"], "2020-04-13");
    assert_eq!(record.properties["contamination"], json!(["ap_mine", "uxo"]));
    assert_eq!(record.properties["classification"], "SHA");
    assert_eq!(record.geometry, Some(square()));
}

#[test]
fn positions_come_in_two_columns() {
    let house = House::new();
    let text = "id\tLongitude\tLatitude\n1\t18,605\t43,605\n2\t18°36'18\"E\t43°36'18\"N\n3\t18,6\t\n4\t\t\n";
    let (summary, lines) = house.import(text, "hazardous_area", hazard());
    assert_eq!(counts(&summary), BTreeMap::from([(Outcome::Taken, 4)]));
    let first = house.record(&lines[0]);
    assert_eq!(first.geometry, Some(json!({"type": "Point", "coordinates": [18.605, 43.605]})));
    assert_eq!(first.properties["Longitude"], "18,605", "columns are kept as they were");
    let second = house.record(&lines[1]).geometry.unwrap();
    assert!((second["coordinates"][0].as_f64().unwrap() - 18.605).abs() < 1e-9);
    assert!(lines[2].is_flagged() && house.record(&lines[2]).properties["as_entered"]["raw_text"] == "18,6");
}

#[test]
fn metres_are_reprojected_and_kept_as_entered() {
    let house = House::new();
    let geometry = json!({"type": "Point", "coordinates": [306_500.0, 4_832_000.0]});
    let text = json!({"type": "FeatureCollection",
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32634"}},
        "features": [{"type": "Feature", "id": 7, "properties": {"geometry": "odd", "reference": "R"},
            "geometry": geometry}]});
    let (_, lines) = house.import(&text.to_string(), "hazardous_area", hazard());
    let record = house.record(&lines[0]);
    let found = record.geometry.unwrap();
    assert!((found["coordinates"][0].as_f64().unwrap() - 18.6).abs() < 0.1, "{found}");
    assert_eq!(record.properties["as_entered"]["crs"], "EPSG:32634");
    assert!(record.properties["as_entered"]["raw_text"].as_str().unwrap().contains("4832000"));
    assert_eq!(record.properties["geometry_as_given"], "odd");
    assert_eq!(record.properties["reference_as_given"], "R");
    assert_eq!(lines[0].source_id.as_deref(), Some("7"));
    let bare = json!({"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": geometry}]});
    let refused = Source::read(bare.to_string().as_bytes(), &Reading::default()).unwrap_err();
    assert!(refused.contains("--crs"), "{refused}");
}

#[test]
fn lines_of_features_and_bare_geometries_are_read() {
    let house = House::new();
    let feature = json!({"type": "Feature", "properties": {}, "geometry": square()});
    let text = format!("\u{1e}{feature}\n\u{1e}{feature}\n");
    let (summary, lines) = house.import(&text, "hazardous_area", hazard());
    assert_eq!(summary.count(Outcome::Taken), 2);
    assert_ne!(lines[0].record_id, lines[1].record_id, "twins are two records");
    assert!(lines[1].is_flagged() && !lines[0].is_flagged(), "{lines:?}");
    let (bare, _) = house.import(&square().to_string(), "land_release", Wishes::default());
    assert_eq!(bare.count(Outcome::Quarantined), 1, "required fields are missing");
    assert!(bare.to_string().contains("/properties/result is required"), "{bare}");
}

#[test]
fn a_bow_tie_is_stored_as_entered() {
    let house = House::new();
    let tie = json!({"type": "Polygon",
        "coordinates": [[[18.60, 43.60], [18.61, 43.61], [18.61, 43.60], [18.60, 43.61], [18.60, 43.60]]]});
    let (summary, lines) = house.import(&collection(&[(json!({}), tie.clone())]), "hazardous_area", hazard());
    assert_eq!((summary.count(Outcome::Taken), summary.proposed), (1, 1));
    assert!(lines[0].reasons.iter().any(|reason| reason.starts_with("repair proposed: ")));
    assert_eq!(house.record(&lines[0]).geometry, Some(tie));
}

#[test]
fn records_are_put_forward_once_and_not_over_somebodys_work() {
    let house = House::new();
    let text = collection(&[(json!({"name": "A"}), square())]);
    let source = Source::read(text.as_bytes(), &Reading::default()).unwrap();
    let (draft, lines) = house.take(&source, "hazardous_area", hazard(), |_| {});
    assert_eq!((draft.submitted, house.record(&lines[0]).stage), (0, Stage::Draft));
    let (first, lines) = house.take(&source, "hazardous_area", hazard(), |job| job.submit = true);
    assert_eq!((first.count(Outcome::Duplicate), first.submitted), (1, 1));
    assert_eq!(house.record(&lines[0]).stage, Stage::Submitted);
    let (again, _) = house.take(&source, "hazardous_area", hazard(), |job| job.submit = true);
    assert_eq!(again.submitted, 0);
}

#[test]
fn slips_in_the_command_are_said_before_anything_is_taken() {
    let schema = Registry::embedded().latest("hazardous_area").unwrap();
    let refusal = |wishes: Wishes| Mapping::new(schema, wishes).unwrap_err().to_string();
    let set = |field: &str, value: &str| Wishes { set: pairs(&[(field, value)]), ..Wishes::default() };
    assert!(refusal(set("status", "opened")).contains("in_progress"));
    assert!(refusal(set("statsu", "open")).contains("no field `statsu`"));
    assert!(refusal(set("reference", "X")).contains("local_reference"));
    assert!(refusal(set("evidence", "seen")).contains("evidence"));
    let source = Source::read(square().to_string().as_bytes(), &Reading::default()).unwrap();
    let filter = Wishes { filter: pairs(&[("type", "x")]), ..Wishes::default() };
    assert!(Mapping::new(schema, filter).unwrap().expect_columns(&source).is_err());
}

#[test]
fn files_that_cannot_be_read_say_where() {
    let fault = |bytes: &[u8]| Source::read(bytes, &Reading::default()).unwrap_err();
    assert!(fault(b"{\"type\": \"FeatureCollection\",\n \"features\": [NaN]}").contains("line 2 column"));
    assert!(fault(b"a,b\n1,\xff\n").contains("line 2 is not UTF-8"));
    assert!(fault(b"\xff\xfea\0").contains("UTF-16"));
    assert!(fault(b"Dear colleagues:\nhere is the list\n").contains("neither GeoJSON nor a table"));
    assert!(fault(b"  \n").contains("empty"));
    assert!(fault(b"{\"type\": \"Topology\"}").contains("Topology"));
}
