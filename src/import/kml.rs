//! KML (OGC 07-147r2): placemarks with their data. How they look is left behind.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::json::feature;
use super::position::{Position, geometry, list, together};
use super::xml::{Element, put};
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
        "Polygon" => parts.push(polygon(element)?),
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

/// A second outer ring would be a hole in the first, and without one a hole would be the ground.
fn polygon(element: &Element) -> Result<Value, String> {
    let rings = |name: &'static str| {
        let boundaries = element.children.iter().filter(move |child| child.name == name);
        // One inner boundary is seen to hold several rings.
        let rings =
            boundaries.flat_map(|boundary| &boundary.children).filter(|ring| ring.name == "LinearRing");
        rings
            .map(|ring| list(&coordinates(ring.child("coordinates").map(Element::text).unwrap_or_default())?))
    };
    let mut all = rings("outerBoundaryIs").collect::<Result<Vec<_>, String>>()?;
    match all.len() {
        0 => return Err("a Polygon has no outer ring (outerBoundaryIs)".to_owned()),
        1 => {}
        count => {
            return Err(format!(
                "a Polygon has {count} outer rings (outerBoundaryIs), and may have one: save each as a Polygon of its own"
            ));
        }
    }
    for hole in rings("innerBoundaryIs") {
        all.push(hole?);
    }
    Ok(geometry("Polygon", Value::Array(all)))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::Feature;

    fn read_text(text: &str, layer: Option<&str>) -> Result<Source, String> {
        let reading = Reading { layer: layer.map(str::to_owned), ..Reading::default() };
        Source::read(format!("<kml><Document>{text}</Document></kml>").as_bytes(), &reading)
    }

    fn only(text: &str) -> Feature {
        read_text(text, None).unwrap().features().next().unwrap().clone()
    }

    #[test]
    fn what_programs_write_is_taken_as_it_stands() {
        let ring = "<outerBoundaryIs><LinearRing><coordinates>\n 1, 2, 5 3,4\t5,7,-1 </coordinates></LinearRing></outerBoundaryIs>";
        let found = only(&format!("<Placemark id='p'><name>A</name><Polygon>{ring}</Polygon></Placemark>"));
        let place =
            json!({"type": "Polygon", "coordinates": [[[1.0, 2.0, 5.0], [3.0, 4.0], [5.0, 7.0, -1.0]]]});
        assert_eq!(
            found.geometry,
            Some(place),
            "an open ring stays open: whether it is closed is judged later"
        );
        assert_eq!((found.id.as_deref(), &found.columns["name"]), (Some("p"), &json!("A")));
    }

    #[test]
    fn data_of_every_kind_become_columns_and_none_hides_another() {
        let found = only(
            "<Placemark><name>A</name><TimeSpan><begin>2020</begin></TimeSpan><ExtendedData><Data name='x'><value>1</value></Data>\
             <SchemaData><SimpleData name='name'>B</SimpleData></SchemaData></ExtendedData></Placemark>",
        );
        assert_eq!(
            Value::from(found.columns),
            json!({"x": "1", "name": "B", "name_2": "A", "begin": "2020"})
        );
        assert_eq!(found.geometry, None);
    }

    #[test]
    fn a_folder_is_a_layer_and_what_is_no_feature_is_named() {
        let text = "<Folder><name>A</name><Folder><name>B</name><Placemark/></Folder></Folder><Placemark/><GroundOverlay/>";
        let all = read_text(text, None).unwrap();
        assert_eq!((all.items.len(), all.notes.len()), (2, 1));
        assert!(all.notes[0].contains("1 GroundOverlay"), "{:?}", all.notes);
        let some = read_text(text, Some("B")).unwrap();
        assert_eq!(some.features().map(|one| one.columns["folder"].clone()).collect::<Vec<_>>(), ["A / B"]);
        assert!(read_text(text, Some("C")).unwrap_err().contains("there are: A, B"));
        let crs = Reading { crs: Some("EPSG:32634".to_owned()), ..Reading::default() };
        assert!(Source::read(b"<kml/>", &crs).unwrap_err().contains("leave --crs out"));
    }

    #[test]
    fn a_position_that_is_none_takes_the_whole_geometry_with_it() {
        let found = only(
            "<Placemark><MultiGeometry><Point><coordinates>1,2</coordinates></Point><Point><coordinates>x,2</coordinates></Point></MultiGeometry></Placemark>",
        );
        assert!(found.geometry.is_none() && found.notes[0].contains("`x,2`"), "{:?}", found.notes);
    }

    #[test]
    fn a_polygon_has_one_outer_ring_or_cannot_be_read() {
        let ring = "<LinearRing><coordinates>1,2 3,4 5,7 1,2</coordinates></LinearRing>";
        let outer = format!("<outerBoundaryIs>{ring}</outerBoundaryIs>");
        let inner = format!("<innerBoundaryIs>{ring}{ring}</innerBoundaryIs>");
        let polygon = |inside: &str| only(&format!("<Placemark><Polygon>{inside}</Polygon></Placemark>"));
        let rings = polygon(&format!("{inner}{outer}")).geometry.unwrap();
        assert_eq!(rings["coordinates"].as_array().unwrap().len(), 3, "inner ones may be several");
        for (inside, words) in [
            (format!("<outerBoundaryIs>{ring}{ring}</outerBoundaryIs>"), "2 outer rings"),
            (format!("{outer}{outer}"), "2 outer rings"),
            (inner, "no outer ring"),
            (String::new(), "no outer ring"),
        ] {
            let found = polygon(&inside);
            assert!(
                found.geometry.is_none() && found.notes[0].contains(words),
                "{inside}: {:?}",
                found.notes
            );
        }
    }
}
