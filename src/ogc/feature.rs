//! A feature as it is filtered, sorted and written.

use geo::Geometry;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::collection::{Collection, Property};
use super::crs::Crs;
use super::draw;
use super::interval::Interval;

/// A feature of a collection.
#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    /// Names it within its collection, and orders it.
    pub id: Uuid,
    /// WGS 84, longitude first, canonical.
    pub geometry: Option<Geometry<f64>>,
    /// What is known of it; what is empty may be missing.
    pub properties: Map<String, Value>,
}

impl Feature {
    /// When it holds; nothing where it does not say.
    pub fn interval(&self, collection: &Collection) -> Option<Interval> {
        let time = collection.time.as_ref()?;
        let text = |name: &str| self.properties.get(name).and_then(Value::as_str);
        Interval::of_dates(text(&time.from), time.to.as_deref().and_then(text))
    }
}

/// How features of a collection are written: which properties, in which reference system.
#[derive(Debug, Clone)]
pub struct Form<'c> {
    collection: &'c Collection,
    properties: Vec<&'c Property>,
    crs: Crs,
}

impl<'c> Form<'c> {
    /// All properties, or the chosen ones. Every feature has every one of them, `null` where it is empty: clients take a
    /// layer's fields from the first features.
    pub fn new(collection: &'c Collection, chosen: Option<&[String]>, crs: Crs) -> Self {
        let wanted = |property: &&Property| chosen.is_none_or(|chosen| chosen.contains(&property.name));
        Self { collection, properties: collection.properties.iter().filter(wanted).collect(), crs }
    }

    /// The properties' names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.properties.iter().map(|property| property.name.as_str())
    }

    /// Writes a GeoJSON feature without its last brace, so that links may follow.
    pub fn write_open(&self, out: &mut Vec<u8>, feature: &Feature) {
        out.extend_from_slice(br#"{"type":"Feature","id":""#);
        out.extend_from_slice(feature.id.to_string().as_bytes());
        out.extend_from_slice(br#"","geometry":"#);
        draw::write(out, feature.geometry.as_ref(), self.collection.shape, self.crs);
        out.extend_from_slice(br#","properties":{"#);
        for (index, property) in self.properties.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            // Strings and values that JSON can hold are written without fail.
            let _ = serde_json::to_writer(&mut *out, &property.name);
            out.push(b':');
            match feature.properties.get(&property.name) {
                Some(value) => write_value(out, property, value),
                None => out.extend_from_slice(b"null"),
            }
        }
        out.push(b'}');
    }

    /// The properties that any of these features says something of.
    #[must_use]
    pub fn without_empty(mut self, features: &[Feature]) -> Self {
        let says =
            |name: &str| features.iter().any(|one| one.properties.get(name).is_some_and(|it| !it.is_null()));
        self.properties.retain(|property| says(&property.name));
        self
    }

    /// Writes a GeoJSON feature.
    pub fn write(&self, out: &mut Vec<u8>, feature: &Feature) {
        self.write_open(out, feature);
        out.push(b'}');
    }
}

/// A property that may have decimals has them: clients take the type from the first features.
fn write_value(out: &mut Vec<u8>, property: &Property, value: &Value) {
    let _ = serde_json::to_writer(&mut *out, value);
    if value.as_i64().is_some() && property.decimal {
        out.extend_from_slice(b".0");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Role;
    use crate::model::role::Actor;
    use crate::model::schema::Registry;

    #[test]
    fn every_feature_has_every_property_and_the_id_stands_outside() {
        let actor = Actor { account: Uuid::nil(), role: Role::ImOfficer, organisation: Uuid::nil() };
        let all = Collection::seen(Registry::embedded(), actor.sight(), true);
        let releases = all.iter().find(|one| one.id == "land_release").unwrap();
        let properties = json!({"result": "cleared", "start_date": "2024-01-01", "completion_date": "2024-02-01", "depth_cm": 20});
        let feature =
            Feature { id: Uuid::nil(), geometry: None, properties: properties.as_object().unwrap().clone() };
        let mut out = Vec::new();
        Form::new(releases, None, Crs::Crs84).write(&mut out, &feature);
        let written: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(written["properties"].as_object().unwrap().len(), releases.properties.len());
        assert_eq!(
            (&written["properties"]["result"], &written["properties"]["team"]),
            (&json!("cleared"), &json!(null))
        );
        assert!(written["properties"]["depth_cm"].is_f64(), "others have half a centimetre");
        assert_eq!((&written["id"], &written["geometry"]), (&json!(Uuid::nil()), &json!(null)));
        let interval = feature.interval(releases).unwrap();
        assert!(interval.meets(&Interval::parse("2024-01-15").unwrap()));
        assert!(!interval.meets(&Interval::parse("2024-03-01/..").unwrap()));
        let mut chosen = Vec::new();
        Form::new(releases, Some(&["method".to_owned()]), Crs::Crs84).write(&mut chosen, &feature);
        let chosen: Value = serde_json::from_slice(&chosen).unwrap();
        assert_eq!(chosen["properties"], json!({"method": null}));
    }
}
