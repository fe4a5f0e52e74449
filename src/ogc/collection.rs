//! Collections: one for each kind of record, and the ground that the ledger makes of them.
//!
//! A layer of a desktop GIS has one type of geometry, and QGIS takes it from the first features: an area that is known
//! by a point only would hide the outlines of all others, or be hidden by them. A kind that is recorded in several
//! dimensions is therefore several collections: the outlines (with what has no place yet), `…_lines` and `…_points`.

use geo::Geometry;
use serde_json::{Value, json};

use super::draw;

use crate::ledger::Classification;
use crate::model::role::Sight;
use crate::model::schema::{GeometryRule, Registry, Schema};

/// What a collection's features are drawn as. Each has one type, so that no client has to guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `MultiPolygon`
    Areas,
    /// `MultiLineString`
    Lines,
    /// `MultiPoint`
    Points,
    /// `Point`
    Point,
    /// No geometry.
    Nowhere,
}

impl Shape {
    /// The GeoJSON type.
    pub const fn type_name(self) -> &'static str {
        match self {
            Self::Areas => "MultiPolygon",
            Self::Lines => "MultiLineString",
            Self::Points => "MultiPoint",
            Self::Point => "Point",
            Self::Nowhere => "null",
        }
    }

    /// The format by which a schema names it (Part 5).
    pub fn format(self) -> Option<String> {
        (self != Self::Nowhere).then(|| format!("geometry-{}", self.type_name().to_lowercase()))
    }
}

/// Ground that the ledger makes of the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// What is left of each hazardous area.
    Remaining,
    /// What each release has released of hazardous ground.
    Released,
    /// What is left of the hazardous areas about which two people disagree.
    Contested,
}

/// Where a collection's features come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Records of a kind.
    Records {
        /// The kind.
        kind: String,
        /// Whether the kind's other dimensions are other collections.
        divided: bool,
    },
    /// The ledger.
    Ground(Ground),
}

/// What a property's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Text, also dates and UUIDs.
    Text,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A list of texts or UUIDs.
    List,
    /// Rows or an object: shown, but no question can be asked of it.
    Nested,
}

/// One property of a collection's features.
#[derive(Debug, Clone)]
pub struct Property {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub type_: Type,
    /// Whether its numbers may have decimals.
    pub decimal: bool,
    /// JSON Schema of its values.
    pub schema: Value,
}

impl Property {
    fn new(name: &str, schema: Value) -> Self {
        Self { name: name.to_owned(), type_: type_of(&schema), decimal: schema["type"] == "number", schema }
    }

    /// Whether its values are days or moments.
    pub fn is_time(&self) -> bool {
        matches!(self.schema["format"].as_str(), Some("date" | "date-time"))
    }

    /// Whether its values are moments, which may be written in more ways than one.
    pub fn is_moment(&self) -> bool {
        self.schema["format"] == "date-time"
    }
}

/// The properties that say when a feature holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Time {
    /// Its first day.
    pub from: String,
    /// Its last day; nothing where it goes on.
    pub to: Option<String>,
}

/// A collection as one reader sees it.
#[derive(Debug, Clone)]
pub struct Collection {
    /// Its name in addresses.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// What is in it.
    pub description: String,
    /// Where its features come from.
    pub source: Source,
    /// What they are drawn as.
    pub shape: Shape,
    /// Their properties, in their order. Every feature has all of them.
    pub properties: Vec<Property>,
    /// When they hold.
    pub time: Option<Time>,
}

impl Collection {
    /// Every collection that a reader sees: records up to a tier, and ground for whoever sees pieces.
    pub fn seen(registry: &Registry, sight: Sight, ground: bool) -> Vec<Self> {
        let latest = registry.kinds().filter_map(|kind| registry.latest(kind));
        let kinds = latest.filter(|schema| i16::from(schema.tier()) <= sight.tier);
        let records = kinds.flat_map(|schema| of_kind(schema, sight));
        let derived = [Ground::Remaining, Ground::Released, Ground::Contested].into_iter().map(of_ground);
        records.chain(derived.filter(|_| ground)).collect()
    }

    /// A property by its name.
    pub fn property(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.name == name)
    }

    /// The properties that questions can be asked of.
    pub fn queryables(&self) -> impl Iterator<Item = &Property> {
        self.properties.iter().filter(|property| property.type_ != Type::Nested)
    }

    /// Whether a geometry belongs to it, and not to another collection of its kind. What has no place is among the first.
    pub fn holds(&self, geometry: Option<&Geometry<f64>>) -> bool {
        match (&self.source, geometry) {
            (Source::Records { divided: true, .. }, Some(geometry)) => match draw::shape_of(geometry) {
                Shape::Points => matches!(self.shape, Shape::Points | Shape::Point),
                other => self.shape == other,
            },
            (Source::Records { divided: true, .. }, None) => self.shape == Shape::Areas,
            _ => true,
        }
    }

    /// The kind of record, where its features are records.
    pub fn kind(&self) -> Option<&str> {
        match &self.source {
            Source::Records { kind, .. } => Some(kind),
            Source::Ground(_) => None,
        }
    }
}

/// The dimensions in which a kind is recorded.
fn shapes(rule: &GeometryRule) -> Vec<Shape> {
    let GeometryRule::OneOf { types, .. } = rule else { return vec![Shape::Nowhere] };
    let has = |name: &str| types.iter().any(|type_| type_ == name);
    let points = if has("MultiPoint") { Shape::Points } else { Shape::Point };
    let known = [
        (has("Polygon") || has("MultiPolygon"), Shape::Areas),
        (has("LineString") || has("MultiLineString"), Shape::Lines),
        (has("Point") || has("MultiPoint"), points),
    ];
    known.into_iter().filter_map(|(there, shape)| there.then_some(shape)).collect()
}

fn of_kind(schema: &Schema, sight: Sight) -> Vec<Collection> {
    let shapes = shapes(schema.geometry());
    let (first, divided) = (shapes[0], shapes.len() > 1);
    let collection = |shape: Shape| {
        let (suffix, of) = match shape {
            _ if shape == first => ("", ""),
            Shape::Lines => ("_lines", ", known by a line"),
            _ => ("_points", ", known by a point"),
        };
        let described = schema.document()["description"].as_str().unwrap_or_default();
        let elsewhere = if divided && shape == first {
            let others = shapes[1..].iter().map(|shape| match shape {
                Shape::Lines => format!("{}_lines", schema.kind()),
                _ => format!("{}_points", schema.kind()),
            });
            format!(" Those known otherwise are in {}.", others.collect::<Vec<_>>().join(" and "))
        } else {
            String::new()
        };
        Collection {
            id: format!("{}{suffix}", schema.kind()),
            title: format!("{}{of}", schema.title()),
            description: format!("{described}{elsewhere}").trim().to_owned(),
            source: Source::Records { kind: schema.kind().to_owned(), divided },
            shape,
            properties: record_properties(schema, sight, shape),
            time: schema
                .valid_time()
                .filter(|time| sight.reaches(schema, &time.from))
                .map(|time| Time { from: time.from.clone(), to: time.to.clone() }),
        }
    };
    shapes.iter().map(|shape| collection(*shape)).collect()
}

/// The kind's fields in the schema's order, then what the server says of the record.
fn record_properties(schema: &Schema, sight: Sight, shape: Shape) -> Vec<Property> {
    let document = &schema.document()["properties"];
    let own = schema.fields().filter(|(name, _)| sight.reaches(schema, name)).map(|(name, field)| {
        let mut said = document[name].clone();
        inline_references(&mut said, schema.document());
        said["title"] = json!(field.label);
        Property::new(name, said)
    });
    let mut properties: Vec<Property> = own.collect();
    if shape == Shape::Areas {
        properties.push(given("area_m2", "Calculated area", &json!({"type": "number", "x-unit": "m²"})));
    }
    let stages: Vec<&str> = crate::model::Stage::ALL.iter().map(|stage| stage.as_str()).collect();
    properties.extend([
        given("stage", "Stage of the review", &json!({"type": "string", "enum": stages})),
        given("contested", "An open conflict touches its safety fields", &json!({"type": "boolean"})),
        given("organisation", "Organisation", &json!({"type": "string", "format": "uuid"})),
        given("version", "Version", &json!({"type": "string", "format": "uuid"})),
        given("recorded_at", "Taken by the server", &json!({"type": "string", "format": "date-time"})),
    ]);
    properties
}

/// A property that the server gives.
fn given(name: &str, title: &str, schema: &Value) -> Property {
    let mut schema = schema.clone();
    schema["title"] = json!(title);
    schema["readOnly"] = json!(true);
    Property::new(name, schema)
}

fn type_of(schema: &Value) -> Type {
    match schema["type"].as_str() {
        Some("string") => Type::Text,
        Some("number" | "integer") => Type::Number,
        Some("boolean") => Type::Boolean,
        Some("array") if schema["items"]["type"] == "string" => Type::List,
        _ => Type::Nested,
    }
}

/// Puts definitions where they are pointed at: a single property's schema has none of its own.
fn inline_references(schema: &mut Value, document: &Value) {
    if let Some(pointer) = schema.get("$ref").and_then(Value::as_str)
        && let Some(definition) = document.pointer(pointer.trim_start_matches('#'))
    {
        let mut definition = definition.clone();
        inline_references(&mut definition, document);
        if let (Some(definition), Some(own)) = (definition.as_object(), schema.as_object_mut()) {
            own.remove("$ref");
            own.extend(definition.clone());
        }
    }
    match schema {
        Value::Array(items) => items.iter_mut().for_each(|item| inline_references(item, document)),
        Value::Object(members) => members.values_mut().for_each(|item| inline_references(item, document)),
        _ => {}
    }
}

/// The collection of the ledger's ground.
pub fn of_ground(ground: Ground) -> Collection {
    let day = |name: &str, title: &str| given(name, title, &json!({"type": "string", "format": "date"}));
    let text = |name: &str, title: &str| given(name, title, &json!({"type": "string"}));
    let code = |name: &str, title: &str, codes: &[&str]| {
        given(name, title, &json!({"type": "string", "enum": codes}))
    };
    let id = |name: &str, title: &str| given(name, title, &json!({"type": "string", "format": "uuid"}));
    let area = given("area_m2", "Area", &json!({"type": "number", "x-unit": "m²"}));
    let (name, title, description, properties, from) = match ground {
        Ground::Remaining | Ground::Contested => {
            let contested = given("contested", "Two people disagree about it", &json!({"type": "boolean"}));
            let properties = vec![
                text("name", "What people call the area: its reference, the operator's own, or its name"),
                area,
                id("hazardous_area", "Hazardous area"),
                code(
                    "classification",
                    "Classification",
                    &[Classification::Sha, Classification::Cha].map(Classification::as_str),
                ),
                text("contamination", "Contamination, its kinds joined by +"),
                text("admin1", "Province"),
                text("admin2", "District"),
                text("admin3", "Commune"),
                id("organisation", "Organisation that reported it"),
                contested,
                day("since", "First day of the area's version"),
            ];
            if ground == Ground::Remaining {
                let said = "What is left of each hazardous area at the end of a day, out of the ledger: ground that two \
                            areas share belongs to one of them, and all areas add up to the figure.";
                ("remaining", "Remaining hazardous ground", said, properties, "since")
            } else {
                let said = "What is left of the hazardous areas about which two people disagree; the most hazardous \
                            view holds until somebody has decided.";
                ("contested", "Contested ground", said, properties, "since")
            }
        }
        Ground::Released => {
            let properties = vec![
                text("name", "What people call the release: its reference, or the operator's own"),
                area,
                id("land_release", "Land release"),
                day("released_on", "Released on"),
                text("result", "Result"),
                text("method", "Method"),
                id("operator", "Organisation that released it"),
            ];
            let said = "What each release has released of hazardous ground by the end of a day, out of the ledger: ground \
                        that was released before, or never was hazardous, is not in it.";
            ("released", "Released ground", said, properties, "released_on")
        }
    };
    Collection {
        id: name.to_owned(),
        title: title.to_owned(),
        description: description.to_owned(),
        source: Source::Ground(ground),
        shape: Shape::Areas,
        properties,
        time: Some(Time { from: from.to_owned(), to: (from == "released_on").then(|| from.to_owned()) }),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::model::Role;
    use crate::model::role::Actor;

    fn seen_by(role: Role, ground: bool) -> Vec<Collection> {
        let actor = Actor { account: Uuid::nil(), role, organisation: Uuid::nil() };
        Collection::seen(Registry::embedded(), actor.sight(), ground)
    }

    fn find(collections: &[Collection], id: &str) -> Collection {
        collections.iter().find(|one| one.id == id).unwrap_or_else(|| panic!("{id}")).clone()
    }

    #[test]
    fn every_collection_has_one_shape_and_an_id_of_its_own() {
        let all = seen_by(Role::ImOfficer, true);
        let mut ids: Vec<&str> = all.iter().map(|one| one.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all.len());
        assert_eq!(find(&all, "hazardous_area").shape, Shape::Areas);
        assert_eq!(find(&all, "hazardous_area_points").shape, Shape::Points);
        assert_eq!(find(&all, "eo_item").shape, Shape::Point);
        assert_eq!(find(&all, "victim").shape, Shape::Nowhere);
        assert!(find(&all, "hazardous_area").description.contains("hazardous_area_points"));
    }

    #[test]
    fn nobody_is_told_of_what_lies_above_their_tier() {
        let partner = seen_by(Role::Observer, false);
        assert!(partner.iter().all(|one| one.id != "hazardous_area" && one.id != "remaining"));
        let release = find(&partner, "land_release");
        assert!(release.property("result").is_some() && release.property("man_hours").is_none());
        assert!(seen_by(Role::QaOfficer, true).iter().all(|one| one.id != "victim"));
    }

    #[test]
    fn names_of_properties_do_not_meet() {
        for collection in seen_by(Role::ImOfficer, true) {
            let mut names: Vec<&str> = collection.properties.iter().map(|one| one.name.as_str()).collect();
            let all = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), all, "{}", collection.id);
            assert!(!names.contains(&"id") && !names.contains(&"geometry"), "{}", collection.id);
            let time = collection.time.map(|time| time.from);
            assert!(time.is_none_or(|from| names.contains(&from.as_str())), "{}", collection.id);
        }
    }
}
