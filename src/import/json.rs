//! Reads GeoJSON: a `FeatureCollection`, a Feature, a bare geometry, or a sequence of these.
//!
//! Features are taken apart one by one from raw text, so that what is wrong with one does not touch its neighbours.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{Content, Crs, DEPTH, Feature, Item, Source, TEXT_KEPT, as_entered, cell, too_deep};
use crate::model::Hash;

/// What stands between the texts of a GeoJSON sequence (RFC 8142), and blanks.
pub(super) const SEPARATORS: [char; 5] = ['\u{1e}', ' ', '\n', '\r', '\t'];

const GEOMETRIES: [&str; 7] =
    ["Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection"];

type Members<'a> = BTreeMap<String, &'a RawValue>;

/// Reads the text of a file.
///
/// # Errors
/// Where it is not JSON, with line and column, or holds no features.
pub(super) fn read(text: &str, given: Option<&Crs>) -> Result<Source, String> {
    // The separator of sequences is no blank to a JSON reader; a blank in its place keeps every column number.
    let text = if text.contains('\u{1e}') { text.replace('\u{1e}', " ") } else { text.to_owned() };
    let mut source = Source::default();
    let mut reader = Reader { given, foreign: BTreeMap::new() };
    let documents: Vec<&RawValue> = serde_json::Deserializer::from_str(&text)
        .into_iter()
        .collect::<Result<_, _>>()
        .map_err(|fault| format!("it is not JSON: {fault}"))?;
    let single = documents.len() == 1;
    for document in documents {
        match members(document) {
            Ok(collection) if word(&collection, "type").as_deref() == Some("FeatureCollection") => {
                reader.collection(&collection, &mut source)?;
            }
            Ok(_) => source.items.push(reader.item(document, given)),
            Err(fault) if single => return Err(format!("it is not GeoJSON: {fault}")),
            Err(fault) => source.items.push(Item::Unreadable(fault)),
        }
    }
    if single && let [Item::Unreadable(fault)] = source.items.as_slice() {
        return Err(format!("it is not GeoJSON: {fault}"));
    }
    source.notes.extend(reader.foreign.iter().map(|(name, count)| {
        format!("`{name}` stands outside `properties` in {count} feature(s) and is not taken")
    }));
    Ok(source)
}

struct Reader<'a> {
    given: Option<&'a Crs>,
    /// Members of features that GeoJSON does not know, and how often.
    foreign: BTreeMap<String, usize>,
}

impl Reader<'_> {
    fn collection(&mut self, collection: &Members<'_>, source: &mut Source) -> Result<(), String> {
        let stated = stated_crs(collection)?;
        let crs = self.given.cloned().or(stated);
        let features = collection.get("features").ok_or("the FeatureCollection has no `features`")?;
        let features: Vec<&RawValue> = serde_json::from_str(features.get())
            .map_err(|_not_a_list| "`features` of the FeatureCollection is not a list".to_owned())?;
        source.items.extend(features.into_iter().map(|feature| self.item(feature, crs.as_ref())));
        Ok(())
    }

    fn item(&mut self, raw: &RawValue, crs: Option<&Crs>) -> Item {
        match self.feature(raw, crs) {
            Ok(feature) => Item::Feature(Box::new(feature)),
            Err(reason) => Item::Unreadable(reason),
        }
    }

    fn feature(&mut self, raw: &RawValue, crs: Option<&Crs>) -> Result<Feature, String> {
        let members = members(raw)?;
        let type_ = word(&members, "type").ok_or("it has no `type`")?;
        let stated = stated_crs(&members)?;
        let crs = self.given.cloned().or(stated).or_else(|| crs.cloned()).unwrap_or(Crs::Wgs84);
        if GEOMETRIES.contains(&type_.as_str()) {
            return Ok(feature(None, Map::new(), Some(raw.get()), &crs));
        }
        if type_ != "Feature" {
            return Err(format!("a `{type_}` is neither a Feature nor a geometry"));
        }
        let mut columns = properties(&members)?;
        let id = members.get("id").and_then(|id| serde_json::from_str::<Value>(id.get()).ok());
        let id = id.filter(|id| id.is_string() || id.is_number());
        if let Some(id) = &id {
            // An id outside the properties can be mapped and is kept like any other column.
            columns.entry("id").or_insert_with(|| id.clone());
        }
        for name in members.keys() {
            if !["type", "id", "geometry", "properties", "bbox", "crs"].contains(&name.as_str()) {
                *self.foreign.entry(name.clone()).or_default() += 1;
            }
        }
        let geometry = members.get("geometry").map(|raw| raw.get()).filter(|raw| *raw != "null");
        let id = id.map(|id| cell(&id)).filter(|id| !id.is_empty());
        Ok(feature(id, columns, geometry, &crs))
    }
}

/// A feature, whatever it was read from: `raw` is its geometry as GeoJSON, in a reference system.
pub(super) fn feature(
    id: Option<String>,
    columns: Map<String, Value>,
    raw: Option<&str>,
    crs: &Crs,
) -> Feature {
    // The text of a geometry goes into the hash as a value where it is one, so that blanks do not count.
    let read = raw.map(read_geometry);
    let canonical = match &read {
        Some(Ok(value)) => Some(Hash::of_value(value).to_string()),
        _ => raw.map(str::to_owned),
    };
    let content = Content { id: &id, columns: &columns, geometry: canonical.as_deref() };
    let content = Hash::of_value(&content);
    let mut notes = Vec::new();
    let (geometry, entered) = match (read, raw) {
        (None, _) | (_, None) => (None, None),
        (Some(Err(fault)), Some(raw)) => {
            notes.push(format!("the geometry cannot be read: {fault}{TEXT_KEPT}"));
            (None, as_entered(crs.name(), Some(raw)))
        }
        (Some(Ok(value)), Some(raw)) => place(value, raw, crs, &mut notes),
    };
    Feature { id, columns, geometry, as_entered: entered, notes, content }
}

/// A geometry in WGS 84, and what was entered where that is something else.
pub(super) fn place(
    geometry: Value,
    raw: &str,
    crs: &Crs,
    notes: &mut Vec<String>,
) -> (Option<Value>, Option<Value>) {
    if geometry["coordinates"].as_array().is_some_and(Vec::is_empty) {
        notes.push(format!("an empty {} is no geometry", geometry["type"].as_str().unwrap_or_default()));
        return (None, None);
    }
    let Some(name) = crs.name() else { return (Some(geometry), None) };
    match crs.to_wgs84(&geometry) {
        Ok(moved) => (Some(moved), as_entered(Some(name), Some(raw))),
        Err(fault) => {
            notes.push(format!("the geometry cannot be reprojected: {fault}{TEXT_KEPT}"));
            (None, as_entered(Some(name), Some(raw)))
        }
    }
}

/// A geometry as a value; which types a kind may have is for its schema to say.
pub(super) fn read_geometry(raw: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_str(raw).map_err(|fault| fault.to_string())?;
    if !value["type"].is_string() {
        return Err("it has no `type`".to_owned());
    }
    if too_deep(&value, DEPTH) {
        return Err(format!("it nests more than {DEPTH} levels"));
    }
    // PostgreSQL's jsonb cannot hold the character; in the kept text it stays escaped.
    if raw.contains("\\u0000") {
        return Err("it holds a NUL character".to_owned());
    }
    Ok(value)
}

fn members(raw: &RawValue) -> Result<Members<'_>, String> {
    let not_an_object = |fault: serde_json::Error| {
        if raw.get().starts_with('{') { fault.to_string() } else { "it is not a JSON object".to_owned() }
    };
    serde_json::from_str(raw.get()).map_err(not_an_object)
}

fn word(members: &Members<'_>, name: &str) -> Option<String> {
    serde_json::from_str(members.get(name)?.get()).ok()
}

fn stated_crs(members: &Members<'_>) -> Result<Option<Crs>, String> {
    let Some(raw) = members.get("crs") else { return Ok(None) };
    let member: Value = serde_json::from_str(raw.get()).map_err(|fault| format!("`crs`: {fault}"))?;
    Crs::member(&member)
}

fn properties(members: &Members<'_>) -> Result<Map<String, Value>, String> {
    let Some(raw) = members.get("properties") else { return Ok(Map::new()) };
    let value: Option<Map<String, Value>> = serde_json::from_str(raw.get())
        .map_err(|fault| format!("its `properties` cannot be read: {fault}"))?;
    let mut columns = value.unwrap_or_default();
    for value in columns.values_mut() {
        if too_deep(value, DEPTH) {
            *value = Value::String(value.to_string());
        }
    }
    Ok(columns)
}
