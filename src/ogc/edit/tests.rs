//! What clients write back, and what of it is an edit.

use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::model::role::Actor;
use crate::model::schema::Registry;
use crate::model::{Record, Role};

fn changes(manner: Manner, stands: Option<&Feature>, body: &Value) -> Result<Value, Vec<Fault>> {
    let actor = Actor { account: Uuid::nil(), role: Role::ImOfficer, organisation: Uuid::nil() };
    let all = Collection::seen(Registry::embedded(), actor.sight(), true);
    let collection = all.iter().find(|one| one.id == "hazardous_area").unwrap();
    let schema = Registry::embedded().latest("hazardous_area").unwrap();
    let drawn = stands.and_then(|stands| shape::Shape::read(stands.geometry.as_ref()?));
    let drawn = drawn.map(shape::Shape::into_geometry);
    let edit = Edit { manner, collection, schema, crs: Crs::Crs84, stands, drawn: drawn.as_ref() };
    edit.changes(body).map(|changes| json!(changes))
}

fn area() -> Feature {
    let mut record = Record::blank(Uuid::nil(), "hazardous_area", 1, Uuid::nil(), Uuid::nil());
    record.set_field("classification", json!("CHA"));
    record.set_field("reported_area_m2", json!(1200));
    record.set_field("contamination", json!(["uxo"]));
    record.set_field("evidence", json!([{"id": ID, "kind": "other", "strength": "direct"}]));
    record.set_field("geometry", json!({"type": "Polygon", "coordinates": [[[18.123_456_78, 43.5], [18.2, 43.5], [18.2, 43.6], [18.123_456_78, 43.5]]]}));
    Feature::of(record, 1)
}

const ID: &str = "01920000-0000-7000-8000-000000000001";

#[test]
fn what_a_client_only_writes_back_is_no_change() {
    let area = area();
    let body = json!({"type": "Feature", "id": "x",
        "geometry": {"type": "MultiPolygon", "coordinates": [[[[18.123_457, 43.5], [18.2, 43.5], [18.2, 43.6], [18.123_457, 43.5]]]]},
        "properties": {"classification": "CHA", "reported_area_m2": 1200.0, "contamination": "[\"uxo\"]", "name": null,
            "evidence": [{"id": ID, "kind": "other", "strength": "direct"}], "stage": "finalised", "version": "x", "area_m2": 3}});
    assert_eq!(changes(Manner::Replace, Some(&area), &body).unwrap(), json!({}));
}

fn put(area: &Feature, geometry: &Value) -> Value {
    let body = json!({"type": "Feature", "geometry": geometry, "properties": area.properties});
    changes(Manner::Replace, Some(area), &body).unwrap()
}

#[test]
fn what_was_shown_is_no_change_whichever_way_its_rings_turn_and_however_high_it_lies() {
    let mut area = area();
    // Clockwise, with heights and a vertex twice.
    area.geometry = Some(json!({"type": "Polygon", "coordinates": [[[18.123_456_78, 43.5, 501.5],
        [18.2, 43.6, 502.5], [18.2, 43.6, 502.5], [18.2, 43.5, 503.5], [18.123_456_78, 43.5, 501.5]]]}));
    let drawn = shape::Shape::read(area.geometry.as_ref().unwrap()).unwrap().into_geometry();
    let shown = draw::written(Some(&drawn), Shape::Areas, Crs::Crs84);
    assert_eq!(shown["coordinates"][0][0].as_array().unwrap().len(), 4, "{shown}");
    assert_eq!(put(&area, &shown), json!({}));
    let mut rounded = shown.clone();
    for position in rounded["coordinates"][0][0].as_array_mut().unwrap() {
        if position[0] == 18.123_456_78 {
            position[0] = json!(18.123_457);
        }
    }
    assert_ne!(rounded, shown);
    assert_eq!(put(&area, &rounded), json!({}));
    let mut moved = shown.clone();
    let ring = moved["coordinates"][0][0].as_array_mut().unwrap();
    let place = ring.iter().position(|at| *at == json!([18.2, 43.6])).unwrap();
    ring[place] = json!([18.2, 43.65]);
    let changed = put(&area, &moved)["geometry"]["to"]["coordinates"][0][0].clone();
    let heights: Vec<&Value> = changed.as_array().unwrap().iter().map(|at| &at[2]).collect();
    assert_eq!(
        heights.iter().filter(|height| height.is_null()).count(),
        1,
        "only of the one moved: {changed}"
    );
}

#[test]
fn what_cannot_be_drawn_is_not_emptied_by_writing_back_that_it_was_not_shown() {
    let mut area = area();
    area.geometry = Some(json!({"type": "Polygon", "coordinates": [[[18.1, 243.5], [18.2, 243.5]]]}));
    assert_eq!(put(&area, &json!(null)), json!({}));
    let drawn =
        json!({"type": "Polygon", "coordinates": [[[18.1, 43.5], [18.2, 43.5], [18.2, 43.6], [18.1, 43.5]]]});
    assert_eq!(put(&area, &drawn)["geometry"]["to"], drawn);
}

#[test]
fn only_what_differs_is_changed() {
    let area = area();
    let patch = json!({"properties": {"classification": "SHA", "contamination": null, "evidence": []}});
    let found = changes(Manner::Update, Some(&area), &patch).unwrap();
    assert_eq!(
        found,
        json!({"classification": {"to": "SHA"}, "contamination": {"to": null}, "evidence": {"remove": [ID]}})
    );
    let put = json!({"type": "Feature", "geometry": null, "properties": {"classification": "CHA"}});
    let found = changes(Manner::Replace, Some(&area), &put).unwrap();
    let names: Vec<&String> = found.as_object().unwrap().keys().collect();
    assert_eq!(names, ["contamination", "evidence", "geometry", "reported_area_m2"]);
    let made = changes(Manner::Create, None, &put).unwrap();
    assert_eq!(made, json!({"classification": {"to": "CHA"}}));
}

#[test]
fn what_would_be_lost_is_refused() {
    let area = area();
    let place = |body: Value| changes(Manner::Update, Some(&area), &body).unwrap_err()[0].pointer.clone();
    assert_eq!(place(json!({"classification": "SHA"})), "/classification", "beside its properties");
    assert_eq!(place(json!({"propertys": {"classification": "SHA"}})), "/propertys");
    let row = json!({"id": ID, "kind": "other", "strength": "indirect"});
    assert_eq!(place(json!({"properties": {"evidence": [row]}})), "/properties/evidence/0");
}

#[test]
fn among_points_nothing_is_without_a_place() {
    let actor = Actor { account: Uuid::nil(), role: Role::ImOfficer, organisation: Uuid::nil() };
    let all = Collection::seen(Registry::embedded(), actor.sight(), true);
    let collection = all.iter().find(|one| one.id == "hazardous_area_points").unwrap();
    let schema = Registry::embedded().latest("hazardous_area").unwrap();
    let (mut stands, drawn) = (area(), geo::Point::new(18.0, 43.0).into());
    stands.geometry = Some(json!({"type": "Point", "coordinates": [18, 43]}));
    let edit = |manner, geometry: Value| {
        let of = (manner != Manner::Create).then_some(&stands);
        let edit = Edit { manner, collection, schema, crs: Crs::Crs84, stands: of, drawn: Some(&drawn) };
        edit.changes(&json!({"type": "Feature", "geometry": geometry, "properties": {}}))
    };
    for manner in [Manner::Create, Manner::Replace, Manner::Update] {
        for nowhere in [json!(null), json!({"type": "Point", "coordinates": [43, 118]})] {
            let faults = edit(manner, nowhere).unwrap_err();
            assert_eq!(faults[0].pointer, "/geometry", "{manner}");
        }
        assert!(edit(manner, json!({"type": "Point", "coordinates": [18.5, 43]})).is_ok());
    }
}

#[test]
fn a_patch_of_an_object_leaves_what_it_does_not_name() {
    let mut area = area();
    let there = json!({"girls": 4, "boys": 2, "women": 5, "men": 1});
    area.properties.insert("direct_beneficiaries".to_owned(), there);
    let patched = |patch: Value| {
        let body = json!({"properties": {"direct_beneficiaries": patch}});
        changes(Manner::Update, Some(&area), &body).unwrap()
    };
    let becomes = |value: Value| json!({"direct_beneficiaries": {"to": value}});
    assert_eq!(patched(json!({"men": 3})), becomes(json!({"girls": 4, "boys": 2, "women": 5, "men": 3})));
    assert_eq!(patched(json!({"men": null})), becomes(json!({"girls": 4, "boys": 2, "women": 5})));
    assert_eq!(patched(json!("{\"boys\": 2}")), json!({}), "as text, from a client without objects");
    assert_eq!(patched(json!(null)), becomes(json!(null)));
    let put = json!({"type": "Feature", "geometry": area.geometry, "properties": {"direct_beneficiaries": {"men": 3}}});
    let replaced = changes(Manner::Replace, Some(&area), &put).unwrap();
    assert_eq!(replaced["direct_beneficiaries"]["to"], json!({"men": 3}));
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let body = json!({"type": "Thing", "properties": {"colour": "red"}, "geometry": {"type": "Point", "coordinates": [1, 2]}});
    let faults = changes(Manner::Create, None, &body).unwrap_err();
    let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(pointers, ["/type", "/properties/colour", "/geometry/type"]);
    for body in
        [json!(1), json!({"type": "Feature", "properties": []}), json!({"type": "Feature", "geometry": 3})]
    {
        assert!(changes(Manner::Create, None, &body).is_err(), "{body}");
    }
    let left_out = json!({"type": "Feature", "properties": {}});
    assert!(changes(Manner::Replace, Some(&area()), &left_out).is_err());
}
