use std::time::Instant;

use serde_json::{Value, json};

use super::*;

const ID: &str = "01920000-0000-7000-8000-000000000001";

fn faults(kind: &str, properties: Value, geometry_type: Option<&str>) -> Vec<Fault> {
    let Value::Object(properties) = properties else { panic!("properties are an object") };
    let schema = Registry::embedded().latest(kind).unwrap();
    schema.validate(&properties, geometry_type)
}

fn pointers(faults: &[Fault]) -> Vec<&str> {
    faults.iter().map(|fault| fault.pointer.as_str()).collect()
}

fn hazardous_area() -> Value {
    json!({
        "classification": "CHA", "status": "open", "contamination": ["ap_mine", "uxo"],
        "reported_area_m2": 12_500.5, "status_date": "2026-03-01",
        "evidence": [{"id": ID, "kind": "ordnance_seen", "strength": "direct", "point": [104.9, 11.55]}],
    })
}

#[test]
fn every_kind_of_the_standard_is_there() {
    let kinds: Vec<_> = Registry::embedded().kinds().collect();
    for kind in [
        "hazardous_area",
        "survey",
        "land_release",
        "task",
        "progress_report",
        "eo_item",
        "accident",
        "victim",
        "qm_inspection",
        "handover",
    ] {
        assert!(kinds.contains(&kind), "{kind} is missing");
    }
}

#[test]
fn every_schema_is_valid_2020_12_and_keeps_unknown_properties() {
    for schema in Registry::embedded().schemas() {
        let document = schema.document();
        assert!(jsonschema::draft202012::meta::is_valid(document), "{}", schema.kind());
        assert_eq!(document["additionalProperties"], true, "{}", schema.kind());
        assert_eq!(document["$schema"], "https://json-schema.org/draft/2020-12/schema");
    }
}

#[test]
fn a_kind_says_when_its_records_hold() {
    let time = Registry::embedded().latest("land_release").unwrap().valid_time().unwrap();
    assert_eq!((time.from.as_str(), time.to.as_deref()), ("start_date", Some("completion_date")));
    let text = Registry::embedded()
        .latest("accident")
        .unwrap()
        .raw()
        .replace(r#""x-time": { "from": "accident_date""#, r#""x-time": { "from": "remarks""#);
    let refused = Registry::from_sources([("accident", 1, text.as_str())]).unwrap_err();
    assert!(refused.to_string().contains("/x-time"), "{refused}");
}

#[test]
fn every_property_is_annotated_and_every_reference_leads_somewhere() {
    let registry = Registry::embedded();
    for schema in registry.schemas() {
        let properties = schema.document()["properties"].as_object().unwrap();
        for (name, body) in properties {
            let place = format!("{}.{name}", schema.kind());
            for annotation in ["x-label", "x-merge", "x-tier"] {
                assert!(body.get(annotation).is_some(), "{place} lacks {annotation}");
            }
            let field = schema.field(name).unwrap();
            if let Some(kind) = &field.refers_to {
                assert!(registry.latest(kind).is_some(), "{place} refers to {kind}");
                let id = if body["type"] == "array" { &body["items"] } else { body };
                assert_eq!(id["format"], "uuid", "{place}");
            }
            let unit = name.ends_with("_m2").then_some("m²").or(name.ends_with("_cm").then_some("cm"));
            if unit.is_some() {
                assert_eq!(field.unit.as_deref(), unit, "{place}");
            }
        }
        for name in schema.document()["required"].as_array().unwrap() {
            assert!(schema.field(name.as_str().unwrap()).is_some(), "{name} is required but unknown");
        }
    }
}

#[test]
fn common_properties_say_the_same_in_every_kind() {
    let registry = Registry::embedded();
    for name in ["reference", "team", "author_name", "date_of_information", "source", "admin1"] {
        let mut bodies = registry.kinds().map(|kind| {
            let mut body = registry.latest(kind).unwrap().document()["properties"][name].clone();
            let body_map = body.as_object_mut().unwrap();
            body_map.remove("x-tier");
            body_map.remove("x-report-form");
            body
        });
        let first = bodies.next().unwrap();
        assert!(bodies.all(|body| body == first), "{name} differs between kinds");
    }
}

#[test]
fn personal_kinds_have_no_property_below_their_tier() {
    let victim = Registry::embedded().latest("victim").unwrap();
    assert_eq!(victim.tier(), 3);
    for (name, field) in victim.fields() {
        assert_eq!(field.tier, 3, "{name}");
    }
}

#[test]
fn merge_classes_and_tiers_follow_the_schema() {
    let area = Registry::embedded().schema("hazardous_area", 1).unwrap();
    assert_eq!(area.merge_class("geometry"), MergeClass::Safety);
    assert_eq!(area.merge_class("status"), MergeClass::Safety);
    assert_eq!(area.merge_class("remarks"), MergeClass::Free);
    assert_eq!(area.merge_class("evidence"), MergeClass::Append);
    assert_eq!(area.merge_class("a_field_of_tomorrow"), MergeClass::Free);
    assert_eq!((area.tier(), area.field_tier("geometry")), (2, 2));
    assert_eq!((area.field_tier("classification"), area.field_tier("author_name")), (1, 3));
    assert_eq!(area.field_tier("a_field_of_tomorrow"), 2);
    assert_eq!(area.field("classification").unwrap().choices["SHA"], "Suspected hazardous area");
    assert_eq!(area.field("contamination").unwrap().choices["uxo"], "Unexploded ordnance");
}

#[test]
fn a_good_record_has_no_faults() {
    assert_eq!(faults("hazardous_area", hazardous_area(), Some("Polygon")), []);
    let mut area = hazardous_area();
    area["a_field_of_tomorrow"] = json!({"kept": [1, null]});
    area["remarks"] = Value::Null;
    assert_eq!(faults("hazardous_area", area, None), []);
    let release = json!({"result": "cleared", "method": "manual", "completion_date": "2026-02-28"});
    assert_eq!(faults("land_release", release, Some("MultiPolygon")), []);
}

#[test]
fn every_fault_is_named_with_its_place() {
    let mut area = hazardous_area();
    area["status"] = json!("lost");
    area["contamination"] = json!([]);
    area["reported_area_m2"] = json!(-1);
    area["status_date"] = json!("2026-02-30");
    area["merged_into"] = json!("not a uuid");
    area["classification"] = Value::Null;
    area["evidence"][0]["point"] = json!([104.9, 111.0]);
    let found = faults("hazardous_area", area, Some("LineString"));
    let mut places = pointers(&found);
    places.sort_unstable();
    assert_eq!(
        places,
        [
            "/geometry/type",
            "/properties/classification",
            "/properties/contamination",
            "/properties/evidence/0/point/1",
            "/properties/merged_into",
            "/properties/reported_area_m2",
            "/properties/status",
            "/properties/status_date",
        ]
    );
}

#[test]
fn a_tombstone_needs_only_its_id() {
    let mut area = hazardous_area();
    area["evidence"] = json!([{"id": ID, "removed": true}]);
    assert_eq!(faults("hazardous_area", area.clone(), None), []);
    area["evidence"] = json!([{"id": ID, "removed": false}, {"removed": true}]);
    let found = faults("hazardous_area", area, None);
    assert_eq!(
        pointers(&found),
        ["/properties/evidence/0/kind", "/properties/evidence/0/strength", "/properties/evidence/1/id"]
    );
}

#[test]
fn geometry_rules_hold() {
    let release = json!({"result": "cleared", "method": "manual", "completion_date": "2026-02-28"});
    assert_eq!(pointers(&faults("land_release", release, None)), ["/geometry"]);
    let victim = json!({"sex": "unknown", "age_band": "unknown", "outcome": "injured"});
    assert_eq!(pointers(&faults("victim", victim.clone(), Some("Point"))), ["/geometry"]);
    assert_eq!(faults("victim", victim, None), []);
}

#[test]
fn nul_characters_are_faults_wherever_they_hide() {
    let mut area = hazardous_area();
    area["remarks"] = json!("a\0b");
    area["new"] = json!({"a/b": ["fine", "\0"], "x\0": 1});
    let found = faults("hazardous_area", area, None);
    assert_eq!(pointers(&found), ["/properties/new/a~1b/1", "/properties/new/x\0", "/properties/remarks"]);
}

#[test]
fn a_schema_without_annotations_is_refused() {
    let bare = r#"{"title": "T", "x-kind": "t", "x-version": 1, "x-tier": 0, "x-geometry": "none",
                   "properties": {"a": {"type": "string"}}}"#;
    let error = Registry::from_sources([("t", 1, bare)]).unwrap_err();
    assert!(matches!(error, SchemaError::Annotation { pointer, .. } if pointer == "/properties/a/x-tier"));
    let misplaced = Registry::from_sources([("other", 1, bare)]).unwrap_err();
    assert!(matches!(misplaced, SchemaError::Annotation { pointer, .. } if pointer == "/x-kind"));
    assert!(matches!(Registry::from_sources([("t", 1, "{")]), Err(SchemaError::Json { .. })));
}

/// Not an assertion: a debug build is no measure. Run in release with `--ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn validations_per_second() {
    let Value::Object(properties) = hazardous_area() else { unreachable!() };
    let schema = Registry::embedded().latest("hazardous_area").unwrap();
    let start = Instant::now();
    for _ in 0..100_000 {
        assert!(schema.validate(&properties, Some("Polygon")).is_empty());
    }
    println!("{:.0} validations/s", 100_000.0 / start.elapsed().as_secs_f64());
}
