//! The schemas of all kinds, embedded and compiled once.
//!
//! A file `schemas/<kind>/<version>.json` (JSON Schema 2020-12) is the single truth for a kind:
//! validation, merge classes, sensitivity, code lists and labels. It describes the `properties` of a
//! GeoJSON Feature and says beside them, as annotations, what generic code needs:
//!
//! - on the kind: `x-tier` (who may see the whole record, its exact geometry included),
//!   `x-geometry` (`"none"`, or the allowed GeoJSON types and whether one is required) and, where a
//!   record holds at a time, `x-time` (the dates from which and to which it does);
//! - on every property: `x-label`, `x-merge` (`safety`, `free` or `append`), `x-tier` (who may see
//!   that property in an extract), and where they apply `x-unit`, `x-ref` (the kind a UUID points
//!   to), `x-organisation` (a UUID is an organisation's), `x-labels` (one for each allowed value) and
//!   `x-report-form` (the treaty tables it feeds).
//!
//! A top-level property that is `null` counts as absent. Unknown properties are kept.

mod field;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;
use uuid::Uuid;

pub use field::{Field, GeometryRule, MergeClass, ValidTime};

/// `(kind, version, text)` of every file in `schemas/`, written by the build script.
static SOURCES: &[(&str, i32, &str)] = include!(concat!(env!("OUT_DIR"), "/schemas.rs"));

/// The tier of what no schema speaks about: restricted, until somebody says otherwise.
const UNKNOWN_TIER: u8 = 2;

/// One thing wrong with a record, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Fault {
    /// JSON pointer (RFC 6901) into the Feature, e.g. `/properties/depth_cm` or `/geometry/type`.
    pub pointer: String,
    /// What is wrong, for a person to read.
    pub message: String,
}

/// A schema file that cannot be used.
#[derive(Debug, Error)]
pub enum SchemaError {
    /// The file is not JSON.
    #[error("schema {kind}/{version} is not JSON")]
    Json {
        /// Kind of the schema.
        kind: String,
        /// Version of the schema.
        version: i32,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// The file is JSON but not a JSON Schema 2020-12.
    #[error("schema {kind}/{version} is not a valid JSON Schema: {reason}")]
    Schema {
        /// Kind of the schema.
        kind: String,
        /// Version of the schema.
        version: i32,
        /// What the compiler said.
        reason: String,
    },
    /// An annotation that generic code relies on is missing or wrong.
    #[error("schema {kind}/{version}, {pointer}: {reason}")]
    Annotation {
        /// Kind of the schema.
        kind: String,
        /// Version of the schema.
        version: i32,
        /// JSON pointer into the schema.
        pointer: String,
        /// What is wrong there.
        reason: String,
    },
}

/// All kinds and versions that this server knows.
#[derive(Debug)]
pub struct Registry {
    kinds: BTreeMap<String, BTreeMap<i32, Schema>>,
}

impl Registry {
    /// The schemas compiled into this binary, parsed at the first call.
    pub fn embedded() -> &'static Self {
        static EMBEDDED: LazyLock<Registry> = LazyLock::new(|| {
            Registry::from_sources(SOURCES.iter().copied())
                .expect("the unit tests compile every embedded schema")
        });
        &EMBEDDED
    }

    /// Builds a registry from `(kind, version, JSON text)`.
    ///
    /// # Errors
    /// The first file that is not JSON, not a schema, or lacks an annotation.
    pub fn from_sources<'a>(
        sources: impl IntoIterator<Item = (&'a str, i32, &'a str)>,
    ) -> Result<Self, SchemaError> {
        let mut kinds: BTreeMap<String, BTreeMap<i32, Schema>> = BTreeMap::new();
        for (kind, version, text) in sources {
            let schema = Schema::parse(kind, version, text)?;
            kinds.entry(kind.to_owned()).or_default().insert(version, schema);
        }
        Ok(Self { kinds })
    }

    /// Names of all kinds, in alphabetical order.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.kinds.keys().map(String::as_str)
    }

    /// The kinds of records that only a higher tier may see.
    pub fn kinds_above(&self, tier: i16) -> Vec<&str> {
        let above = |kind: &&str| self.latest(kind).is_some_and(|schema| i16::from(schema.tier()) > tier);
        self.kinds().filter(above).collect()
    }

    /// All versions of all kinds, by kind and then by version.
    pub fn schemas(&self) -> impl Iterator<Item = &Schema> {
        self.kinds.values().flat_map(BTreeMap::values)
    }

    /// One version of one kind.
    pub fn schema(&self, kind: &str, version: i32) -> Option<&Schema> {
        self.kinds.get(kind)?.get(&version)
    }

    /// The newest version of a kind.
    pub fn latest(&self, kind: &str) -> Option<&Schema> {
        self.kinds.get(kind)?.values().next_back()
    }
}

/// One version of one kind, compiled.
#[derive(Debug)]
pub struct Schema {
    kind: String,
    version: i32,
    title: String,
    tier: u8,
    geometry: GeometryRule,
    time: Option<ValidTime>,
    fields: BTreeMap<String, Field>,
    raw: String,
    document: Value,
    validator: Validator,
}

impl Schema {
    fn parse(kind: &str, version: i32, text: &str) -> Result<Self, SchemaError> {
        let document: Value = serde_json::from_str(text).map_err(|source| SchemaError::Json {
            kind: kind.to_owned(),
            version,
            source,
        })?;
        let validator =
            jsonschema::draft202012::options().should_validate_formats(true).build(&document).map_err(
                |error| SchemaError::Schema { kind: kind.to_owned(), version, reason: error.to_string() },
            )?;
        let annotations =
            field::Annotations::read(kind, version, &document).map_err(|(pointer, reason)| {
                SchemaError::Annotation { kind: kind.to_owned(), version, pointer, reason }
            })?;
        Ok(Self {
            kind: kind.to_owned(),
            version,
            title: annotations.title,
            tier: annotations.tier,
            geometry: annotations.geometry,
            time: annotations.time,
            fields: annotations.fields,
            raw: text.to_owned(),
            document,
            validator,
        })
    }

    /// Name of the kind, e.g. `hazardous_area`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Version of the schema, from 1.
    pub fn version(&self) -> i32 {
        self.version
    }

    /// Label of the kind.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The file as written, for serving.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// The file, parsed.
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Sensitivity of the whole record with its exact geometry, 0 (public) to 3 (personal).
    pub fn tier(&self) -> u8 {
        self.tier
    }

    /// Which geometry a record of this kind may or must have.
    pub fn geometry(&self) -> &GeometryRule {
        &self.geometry
    }

    /// Which properties say when a record holds.
    pub fn valid_time(&self) -> Option<&ValidTime> {
        self.time.as_ref()
    }

    /// All known properties by name.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &Field)> {
        self.fields.iter().map(|(name, field)| (name.as_str(), field))
    }

    /// What the schema says of one property.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.get(name)
    }

    /// The records that a property's value points at: one UUID or a list of them, in a field with `x-ref`.
    pub fn references(&self, name: &str, value: &Value) -> Vec<Uuid> {
        if self.field(name).is_none_or(|field| field.refers_to.is_none()) {
            return Vec::new();
        }
        let ids = match value {
            Value::Array(ids) => ids.as_slice(),
            one => std::slice::from_ref(one),
        };
        ids.iter().filter_map(|id| Uuid::parse_str(id.as_str()?).ok()).collect()
    }

    /// How parallel edits of a property merge. `geometry` is always [`MergeClass::Safety`]; a
    /// property that the schema does not know is [`MergeClass::Free`].
    pub fn merge_class(&self, name: &str) -> MergeClass {
        if name == "geometry" {
            return MergeClass::Safety;
        }
        self.field(name).map_or(MergeClass::Free, |field| field.merge)
    }

    /// Who may see a property, 0 (public) to 3 (personal). `geometry` has the kind's tier; an unknown
    /// property is at least restricted (2), because nobody has said what it holds.
    pub fn field_tier(&self, name: &str) -> u8 {
        if name == "geometry" {
            return self.tier;
        }
        self.field(name).map_or(self.tier.max(UNKNOWN_TIER), |field| field.tier)
    }

    /// Every fault of a record: of its properties, of the type of its geometry (`None`: no geometry),
    /// and NUL characters, which PostgreSQL's jsonb cannot hold. Empty means valid.
    pub fn validate(&self, properties: &Map<String, Value>, geometry_type: Option<&str>) -> Vec<Fault> {
        let mut faults = Vec::new();
        let instance = Value::Object(properties.clone());
        if !self.validator.is_valid(&instance) {
            self.collect_property_faults(properties, &mut faults);
        }
        collect_nul_faults(&instance, "/properties", &mut faults);
        faults.extend(self.geometry_fault(geometry_type));
        faults
    }

    /// Only reached by records that failed as they stand: without nulls they may still pass.
    fn collect_property_faults(&self, properties: &Map<String, Value>, faults: &mut Vec<Fault>) {
        let present = properties.iter().filter(|(_, value)| !value.is_null());
        let instance = Value::Object(present.map(|(name, value)| (name.clone(), value.clone())).collect());
        for error in self.validator.iter_errors(&instance) {
            let mut pointer = format!("/properties{}", error.instance_path());
            let mut message = error.to_string();
            if let ValidationErrorKind::Required { property: Value::String(name) } = error.kind() {
                pointer.push('/');
                pointer.push_str(&escape(name));
                "is required".clone_into(&mut message);
            }
            faults.push(Fault { pointer, message });
        }
    }

    fn geometry_fault(&self, geometry_type: Option<&str>) -> Option<Fault> {
        let (pointer, message) = match (geometry_type, &self.geometry) {
            (None, GeometryRule::OneOf { required: true, types }) => {
                ("/geometry", format!("is required: one of {}", types.join(", ")))
            }
            (None, _) => return None,
            (Some(_), GeometryRule::None) => ("/geometry", format!("a {} has no geometry", self.kind)),
            (Some(given), GeometryRule::OneOf { types, .. }) => {
                if types.iter().any(|allowed| allowed == given) {
                    return None;
                }
                ("/geometry/type", format!("{given:?} is not one of {}", types.join(", ")))
            }
        };
        Some(Fault { pointer: pointer.to_owned(), message })
    }
}

/// Descends without building pointers: they are made only on the way back from a fault.
fn collect_nul_faults(value: &Value, pointer: &str, faults: &mut Vec<Fault>) {
    if !holds_nul(value) {
        return;
    }
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect_nul_faults(item, &format!("{pointer}/{index}"), faults);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                let below = format!("{pointer}/{}", escape(name));
                if name.contains('\0') {
                    let message = "the name holds a NUL character".to_owned();
                    faults.push(Fault { pointer: below.clone(), message });
                }
                collect_nul_faults(member, &below, faults);
            }
        }
        _ => faults.push(Fault {
            pointer: pointer.to_owned(),
            message: "holds a NUL character, which cannot be stored".to_owned(),
        }),
    }
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(members) => {
            members.iter().any(|(name, member)| name.contains('\0') || holds_nul(member))
        }
        _ => false,
    }
}

/// Escapes one token of a JSON pointer (RFC 6901).
fn escape(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}
