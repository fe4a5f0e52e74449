//! KML (OGC 07-147r2): placemarks with their data. How they look is left behind.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::json::feature;
use super::position::{Position, geometry, list, together};
use super::xml::Element;
use super::{Crs, Item, Reading, Source};

/// What is drawn and is no feature.
const NO_FEATURES: [&str; 5] = ["GroundOverlay", "ScreenOverlay", "PhotoOverlay", "NetworkLink", "Tour"];

/// Reads the placemarks of a document, or of the folder that is asked for.
///
/// # Errors
/// Where no folder has the name.
pub(super) fn read(root: &Element, reading: &Reading) -> Result<Source, String> {
    let mut reader = Reader {
        wanted: reading.layer.as_deref(),
        source: Source::default(),
        left: BTreeMap::new(),
        folders: Vec::new(),
    };
    reader.container(root, &mut Vec::new());
    if let Some(wanted) = reader.wanted.filter(|wanted| !reader.folders.iter().any(|name| name == wanted)) {
        let names = reader.folders.join(", ");
        return Err(format!("it has no folder `{wanted}` for --layer; there are: {names}"));
    }
    let left = reader.left.iter().map(|(name, count)| {
        format!("{count} {name} show something and are no features: they are not taken")
    });
    let notes: Vec<String> = left.collect();
    reader.source.notes.extend(notes);
    Ok(reader.source)
}

struct Reader<'a> {
    wanted: Option<&'a str>,
    source: Source,
    /// What is not taken, and how often.
    left: BTreeMap<String, usize>,
    folders: Vec<String>,
}

impl Reader<'_> {
    /// Whatever lies in a document or a folder. The tree is only so deep.
    fn container(&mut self, element: &Element, path: &mut Vec<String>) {
        for child in &element.children {
            match child.name.as_str() {
                "Document" => self.container(child, path),
                "Folder" => {
                    let name = child.child("name").map(Element::text).unwrap_or_default().to_owned();
                    self.folders.push(name.clone());
                    path.push(name);
                    self.container(child, path);
                    path.pop();
                }
                "Placemark" if self.wanted.is_none_or(|wanted| path.iter().any(|name| name == wanted)) => {
                    self.source.items.push(placemark(child, path));
                }
                other if NO_FEATURES.contains(&other) => *self.left.entry(other.to_owned()).or_default() += 1,
                _ => {}
            }
        }
    }
}

fn placemark(element: &Element, path: &[String]) -> Item {
    let mut columns = data(element);
    for name in ["name", "description", "address"] {
        if let Some(text) = element.child(name).map(Element::text).filter(|text| !text.is_empty()) {
            put(&mut columns, name, text);
        }
    }
    let times = ["TimeStamp", "TimeSpan"].iter().filter_map(|name| element.child(name));
    for time in times.flat_map(|time| &time.children) {
        put(&mut columns, &time.name, time.text());
    }
    if !path.is_empty() {
        put(&mut columns, "folder", &path.join(" / "));
    }
    let (mut parts, mut notes) = (Vec::new(), Vec::new());
    for child in &element.children {
        if let Err(fault) = collect(child, &mut parts) {
            notes.push(format!("the geometry cannot be read: {fault}"));
        }
    }
    let place = together(parts).filter(|_| notes.is_empty()).map(|place| place.to_string());
    let id = element.attribute("id").map(str::to_owned);
    if let Some(id) = &id {
        columns.entry("id").or_insert_with(|| json!(id));
    }
    let mut feature = feature(id, columns, place.as_deref(), &Crs::Wgs84);
    feature.notes.extend(notes);
    Item::Feature(Box::new(feature))
}

/// `Data` and `SchemaData` of a placemark.
fn data(element: &Element) -> Map<String, Value> {
    let mut columns = Map::new();
    for child in element.child("ExtendedData").into_iter().flat_map(|data| &data.children) {
        match child.name.as_str() {
            "Data" => {
                let value = child.child("value").map(Element::text).unwrap_or_default();
                put(&mut columns, child.attribute("name").unwrap_or("Data"), value);
            }
            "SchemaData" => {
                for simple in &child.children {
                    put(&mut columns, simple.attribute("name").unwrap_or(&simple.name), simple.text());
                }
            }
            // Elements of other makers.
            other => put(&mut columns, other, child.text()),
        }
    }
    columns
}

/// Sets a column; where it says something else already, this is another one.
fn put(columns: &mut Map<String, Value>, name: &str, text: &str) {
    if text.is_empty() || columns.get(name).is_some_and(|there| there == text) {
        return;
    }
    let twins = (2..).map(|number: usize| format!("{name}_{number}"));
    let free = std::iter::once(name.to_owned()).chain(twins).find(|name| !columns.contains_key(name));
    columns.extend(free.map(|name| (name, json!(text))));
}

/// The geometries that an element is, or holds.
fn collect(element: &Element, parts: &mut Vec<Value>) -> Result<(), String> {
    let own = || element.child("coordinates").map(Element::text).unwrap_or_default();
    match element.name.as_str() {
        "Point" => {
            let at = coordinates(own())?;
            let at = at.first().ok_or("a Point has no coordinates")?;
            parts.push(geometry("Point", at.value()?));
        }
        "LineString" | "LinearRing" => parts.push(geometry("LineString", list(&coordinates(own())?)?)),
        "Polygon" => {
            let shells = element.children.iter().filter(|child| child.name == "outerBoundaryIs");
            let holes = element.children.iter().filter(|child| child.name == "innerBoundaryIs");
            // One inner boundary is seen to hold several rings.
            let rings = shells.chain(holes).flat_map(|boundary| &boundary.children);
            let rings = rings.filter(|ring| ring.name == "LinearRing").map(|ring| {
                list(&coordinates(ring.child("coordinates").map(Element::text).unwrap_or_default())?)
            });
            parts.push(geometry("Polygon", Value::Array(rings.collect::<Result<_, String>>()?)));
        }
        "MultiGeometry" | "MultiTrack" => {
            for child in &element.children {
                collect(child, parts)?;
            }
        }
        "Track" => {
            let spots = element.children.iter().filter(|child| child.name == "coord");
            let spots: Vec<Position> =
                spots.map(|spot| position(spot.text().split_whitespace())).collect::<Result<_, _>>()?;
            parts.push(geometry("LineString", list(&spots)?));
        }
        "Model" => return Err("a Model is a body in space".to_owned()),
        _ => {}
    }
    Ok(())
}

/// `lon,lat[,alt]` between blanks; some programs put blanks behind the commas too.
fn coordinates(text: &str) -> Result<Vec<Position>, String> {
    let tight = text.split(',').map(str::trim).collect::<Vec<_>>().join(",");
    tight.split_whitespace().map(|tuple| position(tuple.split(','))).collect()
}

fn position<'t>(numbers: impl Iterator<Item = &'t str>) -> Result<Position, String> {
    let numbers: Vec<&str> = numbers.filter(|number| !number.is_empty()).collect();
    let refused = || format!("`{}` is not longitude, latitude and perhaps a height", numbers.join(","));
    let number = |index: usize| numbers.get(index).and_then(|text| text.parse::<f64>().ok());
    match (number(0), number(1), numbers.len()) {
        (Some(x), Some(y), 2) => Ok(Position::new(x, y)),
        (Some(x), Some(y), 3) => Ok(Position { x, y, z: Some(number(2).ok_or_else(refused)?) }),
        _ => Err(refused()),
    }
}
