//! GPX 1.0 and 1.1: waypoints, routes and tracks. A track is a line that somebody walked; that it is an outline is for a
//! person to say.

use serde_json::{Map, Value, json};

use super::json::feature;
use super::position::{Position, geometry, list};
use super::rings::{self, Telling};
use super::xml::Element;
use super::{Crs, Item, Reading, Source};

/// The layers, with the elements that they are made of.
const LAYERS: [(&str, &str); 3] = [("waypoints", "wpt"), ("routes", "rte"), ("tracks", "trk")];

/// Reads waypoints, routes and tracks, or those that are asked for.
///
/// # Errors
/// Where there is no layer of the name.
pub(super) fn read(root: &Element, reading: &Reading) -> Result<Source, String> {
    let wanted = match reading.layer.as_deref() {
        None => None,
        Some(name) => {
            let known = LAYERS.iter().find(|(layer, _)| *layer == name);
            let names = LAYERS.map(|(layer, _)| layer).join(", ");
            Some(known.ok_or_else(|| format!("it has no `{name}` for --layer; there are: {names}"))?.1)
        }
    };
    let mut source = Source::default();
    let mut lines = 0;
    for element in &root.children {
        let name = element.name.as_str();
        if !LAYERS.iter().any(|(_, known)| *known == name) || wanted.is_some_and(|wanted| wanted != name) {
            continue;
        }
        lines += usize::from(name != "wpt");
        source.items.push(item(element, reading.close_tracks));
    }
    if lines > 0 && !reading.close_tracks {
        source.notes.push(format!(
            "{lines} tracks and routes are taken as lines: where they were walked around an area, take them as outlines with --close-tracks"
        ));
    }
    Ok(source)
}

fn item(element: &Element, close: bool) -> Item {
    let mut notes = Vec::new();
    let place = place(element, close, &mut notes).unwrap_or_else(|fault| {
        notes.push(format!("the geometry cannot be read: {fault}"));
        None
    });
    let place = place.map(|place| place.to_string());
    let mut feature = feature(None, columns(element), place.as_deref(), &Crs::Wgs84);
    feature.notes.extend(notes);
    Item::Feature(Box::new(feature))
}

/// What is said of a waypoint or a track, extensions included.
fn columns(element: &Element) -> Map<String, Value> {
    let mut columns = Map::from_iter([("gpx".to_owned(), json!(element.name))]);
    for child in &element.children {
        let value = match child.name.as_str() {
            "trkseg" | "rtept" => continue,
            "extensions" => {
                extensions(child, &mut columns);
                continue;
            }
            "link" => child.attribute("href").unwrap_or_default(),
            _ => child.text(),
        };
        if !value.is_empty() {
            columns.insert(child.name.clone(), json!(value));
        }
    }
    columns
}

/// The leaves of what other makers add. The tree is only so deep.
fn extensions(element: &Element, columns: &mut Map<String, Value>) {
    for child in &element.children {
        if !child.text().is_empty() {
            columns.entry(&child.name).or_insert_with(|| json!(child.text()));
        }
        extensions(child, columns);
    }
}

fn place(element: &Element, close: bool, notes: &mut Vec<String>) -> Result<Option<Value>, String> {
    if element.name == "wpt" {
        return position(element)?.value().map(|at| Some(geometry("Point", at)));
    }
    let segments: Vec<&Element> = match element.name.as_str() {
        "trk" => element.children.iter().filter(|child| child.name == "trkseg").collect(),
        _ => vec![element],
    };
    let mut parts: Vec<Vec<Position>> = Vec::new();
    for segment in segments {
        let points =
            segment.children.iter().filter(|child| ["trkpt", "rtept"].contains(&child.name.as_str()));
        parts.push(points.map(position).collect::<Result<_, _>>()?);
    }
    parts.retain(|part| !part.is_empty());
    if parts.is_empty() {
        return Ok(None);
    }
    if close && parts.iter().all(|part| part.len() > 2) {
        let closed = parts.into_iter().map(closed).collect();
        return rings::outline(closed, Telling::Nesting).map(|(outline, _)| Some(outline));
    }
    if close {
        notes.push(
            "it has a part of fewer than three positions, which is no outline: it is taken as a line"
                .to_owned(),
        );
    }
    let mut lines: Vec<Value> = parts.iter().map(|part| list(part)).collect::<Result<_, _>>()?;
    Ok(Some(match lines.len() {
        1 => geometry("LineString", lines.remove(0)),
        _ => geometry("MultiLineString", Value::Array(lines)),
    }))
}

/// A ring that ends where it begins. Where somebody stopped walking has a height of its own.
fn closed(mut ring: Vec<Position>) -> Vec<Position> {
    let (first, last) = (ring[0], ring[ring.len() - 1]);
    if (first.x, first.y) != (last.x, last.y) {
        ring.push(first);
    }
    ring
}

fn position(element: &Element) -> Result<Position, String> {
    let number = |name: &str| {
        let text = element.attribute(name).ok_or_else(|| format!("a {} has no `{name}`", element.name))?;
        text.trim().parse::<f64>().map_err(|_none| format!("`{name}` is `{text}`, which is no number"))
    };
    let height = element.child("ele").and_then(|height| height.text().parse().ok());
    Ok(Position { x: number("lon")?, y: number("lat")?, z: height })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::Feature;

    fn read_text(text: &str, close_tracks: bool) -> Vec<Feature> {
        let reading = Reading { close_tracks, ..Reading::default() };
        let source = Source::read(format!("<gpx>{text}</gpx>").as_bytes(), &reading).unwrap();
        source.features().cloned().collect()
    }

    fn segment(corners: &[(f64, f64)]) -> String {
        let points: Vec<String> =
            corners.iter().map(|(lon, lat)| format!("<trkpt lat='{lat}' lon='{lon}'/>")).collect();
        format!("<trkseg>{}</trkseg>", points.concat())
    }

    #[test]
    fn tracks_around_areas_become_outlines_with_their_holes() {
        let shell = segment(&[(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0)]);
        let hole = segment(&[(1.0, 1.0), (2.0, 1.0), (2.0, 2.0), (1.0, 1.0)]);
        let found = &read_text(&format!("<trk>{hole}{shell}</trk>"), true)[0];
        let rings = found.geometry.as_ref().unwrap()["coordinates"].as_array().unwrap();
        assert_eq!(rings.iter().map(|ring| ring.as_array().unwrap().len()).collect::<Vec<_>>(), [5, 4]);
        let line = &read_text(&format!("<trk>{hole}{shell}</trk>"), false)[0];
        assert_eq!(line.geometry.as_ref().unwrap()["type"], "MultiLineString");
        let short = &read_text(&format!("<trk>{}</trk>", segment(&[(0.0, 0.0), (1.0, 1.0)])), true)[0];
        assert_eq!(short.geometry.as_ref().unwrap()["type"], "LineString");
        assert!(short.notes[0].contains("no outline"), "{:?}", short.notes);
    }

    #[test]
    fn waypoints_have_heights_links_and_extensions() {
        let text = "<wpt lat='44' lon='15'><ele>3.5</ele><name>BM</name><link href='http://x'/><extensions><a><b>1</b></a></extensions></wpt>";
        let found = &read_text(text, false)[0];
        assert_eq!(found.geometry, Some(json!({"type": "Point", "coordinates": [15.0, 44.0, 3.5]})));
        let expected = json!({"gpx": "wpt", "ele": "3.5", "name": "BM", "link": "http://x", "b": "1"});
        assert_eq!(Value::from(found.columns.clone()), expected);
        let broken = &read_text("<wpt lat='44'/>", false)[0];
        assert!(broken.geometry.is_none() && broken.notes[0].contains("no `lon`"), "{:?}", broken.notes);
    }
}
