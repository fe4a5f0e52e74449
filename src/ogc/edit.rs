//! What a feature that a client writes changes in a record.
//!
//! A client writes back what it was shown, and more: rounded positions, lists as text, what the server gives. Only what
//! differs from what stands becomes a change, so that an edit says what its author did and nothing else.

use std::collections::BTreeMap;

use geo::Geometry;
use serde_json::{Map, Value};

use super::collection::{Collection, Property, Shape, Type};
use super::crs::Crs;
use super::filter::compare;
use super::{draw, echo};
use crate::geometry::shape;
use crate::model::mutation::GEOMETRY;
use crate::model::record::Feature;
use crate::model::schema::{Fault, MergeClass, Schema};
use crate::model::{Change, vocabulary};

vocabulary! {
    /// How a record is written.
    pub enum Manner {
        /// It is made.
        Create = "create",
        /// It says this and nothing else (`PUT`).
        Replace = "replace",
        /// It says this besides (`PATCH`, RFC 7396).
        Update = "update",
    }
}

/// Members of a feature (RFC 7946), with those that servers and clients add and that change nothing. Anything else would be
/// a property in the wrong place, and its edit lost.
const MEMBERS: [&str; 13] = [
    "type",
    "id",
    "geometry",
    "properties",
    "bbox",
    "crs",
    "links",
    "time",
    "place",
    "conformsTo",
    "featureType",
    "coordRefSys",
    "geometry_name",
];

/// Somebody's edit of a collection's feature.
#[derive(Debug, Clone, Copy)]
pub struct Edit<'e> {
    /// How.
    pub manner: Manner,
    /// Of which collection.
    pub collection: &'e Collection,
    /// Its kind's schema.
    pub schema: &'e Schema,
    /// The reference system of the positions in the body.
    pub crs: Crs,
    /// The record as its author was shown it; nothing where it is being made.
    pub stands: Option<&'e Feature>,
    /// Its geometry as it was drawn; nothing where that cannot be.
    pub drawn: Option<&'e Geometry<f64>>,
}

impl Edit<'_> {
    /// The changes that a body makes.
    ///
    /// # Errors
    /// Everything that cannot be taken, with its place in the body.
    pub fn changes(&self, body: &Value) -> Result<BTreeMap<String, Change>, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut changes = BTreeMap::new();
        let Some(members) = body.as_object() else {
            return Err(vec![fault("", "the body is not an object")]);
        };
        if self.manner != Manner::Update && members.get("type").is_none_or(|type_| type_ != "Feature") {
            faults.push(fault("/type", "must be `Feature`"));
        }
        for name in members.keys().filter(|name| !MEMBERS.contains(&name.as_str())) {
            let wrong = format!(
                "is no member of a feature: a property of the record stands under `/properties/{name}`"
            );
            faults.push(fault(&format!("/{name}"), &wrong));
        }
        let none = Map::new();
        let properties = match members.get("properties") {
            Some(Value::Object(properties)) => properties,
            Some(Value::Null) | None => &none,
            Some(_) => {
                faults.push(fault("/properties", "must be an object"));
                &none
            }
        };
        let mut said: Vec<(&Property, &Value)> = Vec::new();
        for (name, value) in properties {
            match self.collection.property(name) {
                Some(property) => said.push((property, value)),
                None => faults.push(fault(
                    &format!("/properties/{name}"),
                    &format!("is no property of {}", self.collection.id),
                )),
            }
        }
        if self.manner == Manner::Replace {
            let left_out =
                self.collection.properties.iter().filter(|one| !properties.contains_key(&one.name));
            said.extend(left_out.map(|property| (property, &Value::Null)));
        }
        for (property, value) in said {
            match self.change(property, value) {
                Ok(change) => changes.extend(change),
                Err(wrong) => faults.push(wrong),
            }
        }
        match self.geometry(members.get(GEOMETRY)) {
            Ok(change) => changes.extend(change.map(|change| (GEOMETRY.to_owned(), change))),
            Err(wrong) => faults.push(wrong),
        }
        if faults.is_empty() { Ok(changes) } else { Err(faults) }
    }

    /// What a property's value changes; nothing where it is what stands, or not the client's to say.
    fn change(&self, property: &Property, given: &Value) -> Result<Option<(String, Change)>, Fault> {
        if property.schema["readOnly"] == true {
            return Ok(None);
        }
        let given = unpacked(property.type_, given);
        let stands =
            self.stands.and_then(|stands| stands.properties.get(&property.name)).unwrap_or(&Value::Null);
        let given = if self.manner == Manner::Update { merged(stands, given) } else { given };
        if is_same(&given, stands) {
            return Ok(None);
        }
        let change = if self.schema.merge_class(&property.name) == MergeClass::Append {
            rows(&property.name, &given, stands)?
        } else {
            Change { to: Some(given), ..Change::default() }
        };
        Ok(Some((property.name.clone(), change)))
    }

    fn geometry(&self, given: Option<&Value>) -> Result<Option<Change>, Fault> {
        let stands = self.stands.and_then(|stands| stands.geometry.as_ref());
        match (given, stands) {
            (None, _) if self.manner == Manner::Update => Ok(None),
            (None | Some(Value::Null), None) => self.must_hold(None).map(|()| None),
            (None, Some(_)) => Err(fault("/geometry", "is left out; `null` empties it")),
            // What cannot be drawn is shown as null, and stays as evidence.
            (Some(Value::Null), Some(_)) if self.drawn(self.crs).is_null() => Ok(None),
            (Some(Value::Null), Some(_)) => {
                self.must_hold(None)?;
                Ok(Some(Change { to: Some(Value::Null), ..Change::default() }))
            }
            (Some(given), stands) => self.outline(given, stands),
        }
    }

    /// What a geometry changes: nothing where it is the one that was shown, whose rings turn another way and whose
    /// positions have no heights, or the one that stands.
    fn outline(&self, given: &Value, stands: Option<&Value>) -> Result<Option<Change>, Fault> {
        self.must_be_of_the_collection(given)?;
        let read =
            |geometry: &Value| draw::read(geometry, self.crs).map_err(|wrong| fault("/geometry", &wrong));
        let mut moved = read(given)?;
        if let Some(stands) = stands {
            // Through the same rounding as what came back.
            if echo::is_same(&moved, &read(&self.drawn(self.crs))?) {
                return Ok(None);
            }
            let drawn = self.drawn(Crs::Crs84);
            echo::restore(&mut moved, &drawn, stands, self.crs.is_geographic());
            let is_as_drawn = echo::is_flat(given) && echo::is_same(&drawn, &moved);
            if is_as_drawn || echo::is_same(&moved, stands) {
                return Ok(None);
            }
        }
        self.must_hold(Some(&moved))?;
        Ok(Some(Change { to: Some(moved), ..Change::default() }))
    }

    /// Among points and lines there is nothing without a place: it would be in another collection than the one that its
    /// author looks at, and not where it is said to have been made.
    fn must_hold(&self, geometry: Option<&Value>) -> Result<(), Fault> {
        let drawn = geometry.and_then(shape::Shape::read).map(shape::Shape::into_geometry);
        if self.collection.holds(drawn.as_ref()) {
            return Ok(());
        }
        let (id, kind) = (&self.collection.id, self.schema.kind());
        let wrong = format!("in {id} everything has a place that can be drawn; what has none is in {kind}");
        Err(fault("/geometry", &wrong))
    }

    /// The geometry that the client was shown.
    fn drawn(&self, crs: Crs) -> Value {
        draw::written(self.drawn, self.collection.shape, crs)
    }

    /// A point among outlines would be in another collection than the one that its author looks at.
    fn must_be_of_the_collection(&self, geometry: &Value) -> Result<(), Fault> {
        let allowed: &[&str] = match self.collection.shape {
            Shape::Areas => &["Polygon", "MultiPolygon"],
            Shape::Lines => &["LineString", "MultiLineString"],
            Shape::Points => &["Point", "MultiPoint"],
            Shape::Point => &["Point"],
            Shape::Nowhere => &[],
        };
        if geometry["type"].as_str().is_some_and(|type_| allowed.contains(&type_)) {
            return Ok(());
        }
        let wrong = if allowed.is_empty() {
            format!("{} has no geometry", self.collection.id)
        } else {
            format!("in {} it is one of {}", self.collection.id, allowed.join(", "))
        };
        Err(fault("/geometry/type", &wrong))
    }
}

fn fault(pointer: &str, message: &str) -> Fault {
    Fault { pointer: pointer.to_owned(), message: message.to_owned() }
}

/// A list or an object that a client without either wrote as text.
fn unpacked(type_: Type, given: &Value) -> Value {
    match (type_, given) {
        (Type::List | Type::Nested, Value::String(text)) => serde_json::from_str(text)
            .ok()
            .filter(|value: &Value| !value.is_string())
            .unwrap_or_else(|| given.clone()),
        _ => given.clone(),
    }
}

/// What a value becomes by a merge patch (RFC 7396): members of an object that it does not name stay, null takes one out.
fn merged(stands: &Value, patch: Value) -> Value {
    let Value::Object(patch) = patch else { return patch };
    let mut members = stands.as_object().cloned().unwrap_or_default();
    for (name, value) in patch {
        if value.is_null() {
            members.remove(&name);
        } else {
            let member = merged(members.get(&name).unwrap_or(&Value::Null), value);
            members.insert(name, member);
        }
    }
    Value::Object(members)
}

fn is_same(a: &Value, b: &Value) -> bool {
    a == b || compare(a, b).is_some_and(std::cmp::Ordering::is_eq)
}

/// Rows are added and struck out, never changed.
fn rows(name: &str, given: &Value, stands: &Value) -> Result<Change, Fault> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let (given_rows, standing) = (list(given), list(stands));
    let id = |row: &Value| row["id"].as_str().and_then(|id| id.parse::<uuid::Uuid>().ok());
    let kept = |row: &&Value| given_rows.iter().any(|other| id(other) == id(row));
    let gone = standing.iter().filter(|row| row["removed"] != true && !kept(row)).filter_map(id);
    let is_changed = |row: &Value| {
        let standing = standing.iter().find(|standing| id(standing).is_some() && id(standing) == id(row));
        standing.is_some_and(|standing| !is_same(standing, row))
    };
    if let Some(place) = given_rows.iter().position(is_changed) {
        let wrong =
            "this row stands already and cannot be changed: leave it out, and add another without its `id`";
        return Err(fault(&format!("/properties/{name}/{place}"), wrong));
    }
    // What is no list is refused by the schema.
    let to = if given.is_array() || given.is_null() { None } else { Some(given.clone()) };
    Ok(Change { remove: gone.collect(), add: given_rows, to, from: None })
}

#[cfg(test)]
mod tests {
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
        let drawn = json!({"type": "Polygon", "coordinates": [[[18.1, 43.5], [18.2, 43.5], [18.2, 43.6], [18.1, 43.5]]]});
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
        for body in [
            json!(1),
            json!({"type": "Feature", "properties": []}),
            json!({"type": "Feature", "geometry": 3}),
        ] {
            assert!(changes(Manner::Create, None, &body).is_err(), "{body}");
        }
        let left_out = json!({"type": "Feature", "properties": {}});
        assert!(changes(Manner::Replace, Some(&area()), &left_out).is_err());
    }
}
