//! What a schema's annotations say, read once into plain types.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How parallel edits of a property merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MergeClass {
    /// All safety properties and the geometry are one group: an edit applies only if its author saw
    /// the group's current state.
    Safety,
    /// Merges by itself if nobody else changed the same property.
    Free,
    /// Rows with an `id`: sets unite, a removal is a tombstone (`removed: true`).
    Append,
}

/// Which geometry a kind has, from `x-geometry`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GeometryRule {
    /// A record of this kind has no geometry.
    None,
    /// One of these GeoJSON types.
    OneOf {
        /// GeoJSON type names, e.g. `Polygon`.
        types: Vec<String>,
        /// Whether a record without geometry is a fault.
        required: bool,
    },
}

/// One property, as annotated.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Field {
    /// Label for people.
    #[serde(rename = "x-label")]
    pub label: String,
    /// How parallel edits merge.
    #[serde(rename = "x-merge")]
    pub merge: MergeClass,
    /// Who may see it, 0 (public) to 3 (personal).
    #[serde(rename = "x-tier")]
    pub tier: u8,
    /// Unit of a number, e.g. `m²`.
    #[serde(rename = "x-unit", default)]
    pub unit: Option<String>,
    /// Kind of the record that this UUID, or these UUIDs, point to.
    #[serde(rename = "x-ref", default)]
    pub refers_to: Option<String>,
    /// Treaty tables that the property feeds, e.g. `article5_released`.
    #[serde(rename = "x-report-form", default)]
    pub report_forms: Vec<String>,
    /// Allowed values with their labels; empty if any value of the type is allowed.
    #[serde(skip)]
    pub choices: BTreeMap<String, String>,
}

/// The properties that say when a record holds, from `x-time`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidTime {
    /// Its first day.
    pub from: String,
    /// Its last day; nothing where it goes on.
    #[serde(default)]
    pub to: Option<String>,
}

/// Everything a schema says beside validation.
#[derive(Debug)]
pub(super) struct Annotations {
    pub(super) title: String,
    pub(super) tier: u8,
    pub(super) geometry: GeometryRule,
    pub(super) time: Option<ValidTime>,
    pub(super) fields: BTreeMap<String, Field>,
}

/// Where in the schema, and what is wrong there.
type Flaw = (String, String);

impl Annotations {
    pub(super) fn read(kind: &str, version: i32, document: &Value) -> Result<Self, Flaw> {
        expect_value(document, "x-kind", &Value::from(kind))?;
        expect_value(document, "x-version", &Value::from(version))?;
        let title = document["title"].as_str().ok_or_else(|| flaw("/title", "is missing"))?;
        let properties =
            document["properties"].as_object().ok_or_else(|| flaw("/properties", "must be an object"))?;
        let fields = properties
            .iter()
            .map(|(name, body)| Ok((name.clone(), read_field(name, body)?)))
            .collect::<Result<_, Flaw>>()?;
        Ok(Self {
            title: title.to_owned(),
            tier: read_tier(&document["x-tier"], "/x-tier")?,
            geometry: read_geometry(&document["x-geometry"])?,
            time: read_time(&document["x-time"], properties)?,
            fields,
        })
    }
}

fn flaw(pointer: &str, reason: &str) -> Flaw {
    (pointer.to_owned(), reason.to_owned())
}

/// The file's own words must agree with its place, or a copied file would answer for another kind.
fn expect_value(document: &Value, name: &str, expected: &Value) -> Result<(), Flaw> {
    if &document[name] == expected {
        return Ok(());
    }
    Err((format!("/{name}"), format!("must be {expected}, as the file's place says")))
}

fn read_tier(value: &Value, pointer: &str) -> Result<u8, Flaw> {
    value
        .as_u64()
        .and_then(|tier| u8::try_from(tier).ok())
        .filter(|tier| *tier <= 3)
        .ok_or_else(|| flaw(pointer, "must be 0, 1, 2 or 3"))
}

fn read_geometry(value: &Value) -> Result<GeometryRule, Flaw> {
    if value == "none" {
        return Ok(GeometryRule::None);
    }
    let wrong = || flaw("/x-geometry", "must be \"none\" or {types: […], required}");
    let types = value["types"].as_array().ok_or_else(wrong)?;
    let types = types.iter().map(|name| name.as_str().map(str::to_owned));
    Ok(GeometryRule::OneOf {
        types: types.collect::<Option<_>>().ok_or_else(wrong)?,
        required: value["required"].as_bool().ok_or_else(wrong)?,
    })
}

fn read_time(value: &Value, properties: &Map<String, Value>) -> Result<Option<ValidTime>, Flaw> {
    if value.is_null() {
        return Ok(None);
    }
    let wrong = |reason: &str| flaw("/x-time", reason);
    let time = ValidTime::deserialize(value).map_err(|error| wrong(&error.to_string()))?;
    let is_date = |name: &String| properties.get(name).is_some_and(|body| body["format"] == "date");
    if !std::iter::once(&time.from).chain(&time.to).all(is_date) {
        return Err(wrong("names properties whose format is `date`"));
    }
    Ok(Some(time))
}

fn read_field(name: &str, body: &Value) -> Result<Field, Flaw> {
    let pointer = format!("/properties/{name}");
    read_tier(&body["x-tier"], &format!("{pointer}/x-tier"))?;
    let mut field = Field::deserialize(body).map_err(|error| (pointer.clone(), error.to_string()))?;
    // A list of codes carries its labels on the items.
    let coded = if body.get("enum").is_some() { body } else { &body["items"] };
    for code in coded["enum"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let label = coded["x-labels"][code]
            .as_str()
            .ok_or_else(|| (pointer.clone(), format!("x-labels lacks {code:?}")))?;
        field.choices.insert(code.to_owned(), label.to_owned());
    }
    if field.merge == MergeClass::Append && !has_row_ids(body) {
        return Err(flaw(&pointer, "x-merge append needs rows with a required id"));
    }
    Ok(field)
}

fn has_row_ids(body: &Value) -> bool {
    let required = body["items"]["required"].as_array();
    required.is_some_and(|names| names.iter().any(|name| name == "id"))
}
