//! What a feature that a client writes changes in a record.
//!
//! A client writes back what it was shown, and more: rounded positions, lists as text, what the server gives. Only what
//! differs from what stands becomes a change, so that an edit says what its author did and nothing else.

#[cfg(test)]
mod tests;

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
use crate::model::{Change, Hash, vocabulary};

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
        standing.is_some_and(|standing| Hash::of_value(standing) != Hash::of_value(row))
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
