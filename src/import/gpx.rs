//! GPX 1.0 and 1.1: waypoints, routes and tracks. A track is a line that somebody walked; that it is an outline is for a
//! person to say.

use geo::{Distance as _, Haversine, Point};
use serde_json::{Map, Value, json};

use super::json::feature;
use super::position::{Position, geometry, list, together};
use super::xml::{Element, put};
use super::{Crs, Item, Reading, Source};

/// Metres between the ends of a walk that came back to where it began: what a handheld is off by.
const MEETING_M: f64 = 20.0;
/// The same as a share of the walk's length, which large areas need.
const MEETING_SHARE: f64 = 0.02;
/// Segments that a note describes one by one.
const DESCRIBED: usize = 5;

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
            "{lines} tracks and routes are taken as lines: where they were walked around an area, take those whose ends meet as outlines with --close-tracks"
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
        put(&mut columns, &child.name, value);
    }
    columns
}

/// The leaves of what other makers add. The tree is only so deep.
fn extensions(element: &Element, columns: &mut Map<String, Value>) {
    for child in &element.children {
        put(columns, &child.name, child.text());
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
    if close {
        return outlines(&name(element), parts, notes);
    }
    Ok(several("LineString", parts.iter().map(|part| list(part)).collect::<Result<_, _>>()?))
}

/// How a person finds the track.
fn name(element: &Element) -> String {
    match element.child("name").map(Element::text).filter(|name| !name.is_empty()) {
        Some(name) => format!("`{name}`"),
        None => "a track without a name".to_owned(),
    }
}

/// Segments that come back to where they began as outlines, each of its own: a second lap around the same ground would
/// else be a hole in it. Others stay lines: closing what reception has torn makes slivers of a perimeter.
fn outlines(name: &str, parts: Vec<Vec<Position>>, notes: &mut Vec<String>) -> Result<Option<Value>, String> {
    let (count, mut areas, mut lines, mut reasons) = (parts.len(), Vec::new(), Vec::new(), Vec::new());
    for (part, number) in parts.into_iter().zip(1_usize..) {
        match open(&part) {
            None => areas.push(json!([list(&closed(part))?])),
            Some(reason) => {
                lines.push(list(&part)?);
                reasons.push(format!("segment {number} {reason}"));
            }
        }
    }
    if !reasons.is_empty() {
        let (open, shown) = (reasons.len(), reasons.iter().take(DESCRIBED).cloned().collect::<Vec<_>>());
        notes.push(format!(
            "{open} of {count} segments of {name} are no outline and are taken as lines: {}{}",
            shown.join("; "),
            if open > DESCRIBED { "; and so on" } else { "" }
        ));
    }
    if areas.len() > 1 {
        let count = areas.len();
        notes.push(format!("{name} has {count} outlines: look whether they are laps around the same ground"));
    }
    Ok(together([several("Polygon", areas), several("LineString", lines)].into_iter().flatten().collect()))
}

/// One geometry, or several of a type as one; nothing where there is none.
fn several(type_: &str, mut parts: Vec<Value>) -> Option<Value> {
    match parts.len() {
        0 => None,
        1 => Some(geometry(type_, parts.remove(0))),
        _ => Some(geometry(&format!("Multi{type_}"), Value::Array(parts))),
    }
}

/// Why a segment is no outline; nothing where its own ends meet.
fn open(part: &[Position]) -> Option<String> {
    let (Some(first), Some(last), true) = (part.first(), part.last(), part.len() > 2) else {
        return Some("has fewer than three positions".to_owned());
    };
    let metres = |a: &Position, b: &Position| Haversine.distance(Point::new(a.x, a.y), Point::new(b.x, b.y));
    let length: f64 = part.windows(2).map(|pair| metres(&pair[0], &pair[1])).sum();
    let gap = metres(first, last);
    // A few steps straight on are not far from where they began either.
    let meets = gap <= MEETING_M.max(length * MEETING_SHARE) && gap <= length / 2.0;
    (!meets).then(|| format!("is {length:.0} m long and its ends are {gap:.0} m apart"))
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

    /// A square of some hundred metres, walked to within a few metres of where it began.
    const LAP: [(f64, f64); 5] =
        [(15.0, 44.0), (15.004, 44.0), (15.004, 44.003), (15.0, 44.003), (15.0, 44.00005)];

    fn closed_track(name: &str, segments: &[String]) -> Feature {
        read_text(&format!("<trk><name>{name}</name>{}</trk>", segments.concat()), true).remove(0)
    }

    #[test]
    fn a_segment_whose_ends_meet_becomes_an_outline_where_that_is_asked_for() {
        let found = closed_track("A", &[segment(&LAP)]);
        let place = found.geometry.unwrap();
        assert_eq!(
            (&place["type"], place["coordinates"][0].as_array().unwrap().len()),
            (&json!("Polygon"), 6)
        );
        assert_eq!(place["coordinates"][0][0], place["coordinates"][0][5]);
        assert_eq!(found.notes, Vec::<String>::new());
        let line = &read_text(&format!("<trk>{}</trk>", segment(&LAP)), false)[0];
        assert_eq!(line.geometry.as_ref().unwrap()["type"], "LineString");
    }

    #[test]
    fn a_perimeter_in_pieces_is_no_row_of_slivers() {
        let sides: Vec<String> = LAP
            .windows(2)
            .map(|side| segment(&[side[0], (f64::midpoint(side[0].0, side[1].0), side[0].1 + 1e-5), side[1]]))
            .collect();
        let found = closed_track("North", &sides);
        assert_eq!(found.geometry.as_ref().unwrap()["type"], "MultiLineString");
        let note = found.notes.join("; ");
        assert!(note.contains("4 of 4 segments of `North`") && note.contains(" m apart"), "{note}");
        let steps = [(15.0, 44.0), (15.0, 44.00006), (15.0, 44.00012)];
        let short = closed_track("B", &[segment(&steps)]);
        assert_eq!(
            short.geometry.unwrap()["type"],
            "LineString",
            "13 metres straight on come back to nothing"
        );
        let two = closed_track("C", &[segment(&LAP[..2])]);
        assert!(two.notes[0].contains("fewer than three positions"), "{:?}", two.notes);
    }

    #[test]
    fn a_second_lap_is_no_hole() {
        let inner = LAP.map(|(lon, lat)| (15.002 + (lon - 15.002) * 0.95, 44.0015 + (lat - 44.0015) * 0.95));
        let found = closed_track("Twice", &[segment(&LAP), segment(&inner)]);
        let place = found.geometry.unwrap();
        let rings: Vec<usize> = place["coordinates"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one.as_array().unwrap().len())
            .collect();
        assert_eq!((&place["type"], rings), (&json!("MultiPolygon"), vec![1, 1]));
        assert!(found.notes[0].contains("2 outlines: look whether they are laps"), "{:?}", found.notes);
    }

    #[test]
    fn what_is_closed_and_what_is_not_stay_side_by_side() {
        let found = closed_track("Mixed", &[segment(&LAP), segment(&LAP[..3])]);
        let place = found.geometry.unwrap();
        let types: Vec<&Value> =
            place["geometries"].as_array().unwrap().iter().map(|one| &one["type"]).collect();
        assert_eq!(types, ["Polygon", "LineString"]);
        assert!(found.notes[0].contains("1 of 2 segments of `Mixed`"), "{:?}", found.notes);
    }

    #[test]
    fn waypoints_have_heights_links_and_extensions() {
        let text = "<wpt lat='44' lon='15'><ele>3.5</ele><name>BM</name><link href='http://x'/><link href='http://y'/><extensions><a><b>1</b><name>Z</name></a><b>2</b></extensions></wpt>";
        let found = &read_text(text, false)[0];
        assert_eq!(found.geometry, Some(json!({"type": "Point", "coordinates": [15.0, 44.0, 3.5]})));
        let expected = json!({"gpx": "wpt", "ele": "3.5", "name": "BM", "link": "http://x", "link_2": "http://y", "b": "1", "name_2": "Z", "b_2": "2"});
        assert_eq!(Value::from(found.columns.clone()), expected);
        let broken = &read_text("<wpt lat='44'/>", false)[0];
        assert!(broken.geometry.is_none() && broken.notes[0].contains("no `lon`"), "{:?}", broken.notes);
    }
}
