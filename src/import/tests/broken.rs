//! Whatever a file holds, nothing panics and every feature is accounted for.

use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn broken_features_do_not_touch_their_neighbours() {
    use Outcome::{Quarantined as Q, Taken as T, Unreadable as U};

    let house = House::new();
    let deep = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
    let features = [
        r#"{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[[1],[2],[3],[1]]]}}"#,
        r#"{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[1e400,2]}}"#,
        r#"{"type":"Feature","properties":{},"geometry":{"type":"Polygn","coordinates":[]}}"#,
        r#"{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":"abc"}}"#,
        r#"{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[["a","b"],[null,2]]]}}"#,
        r#"{"type":"Feature","properties":{},"geometry":5}"#,
        r#"{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[1,2],"x":"\u0000"}}"#,
        r#"{"type":"Feature","properties":{"name":"\u0000"},"geometry":null}"#,
        r#"{"type":"Feature","properties":[1],"geometry":null}"#,
        "5",
        &format!(
            r#"{{"type":"Feature","properties":{{}},"geometry":{{"type":"Point","coordinates":{deep}}}}}"#
        ),
        r#"{"type":"Feature","properties":{"evidence":"seen","attachments":[{"name":"x"}]},"geometry":null}"#,
        r#"{"type":"Feature","properties":{"n":123456789012345678901234567890},"geometry":null}"#,
        r#"{"type":"Feature","properties":{"name":"good"},"geometry":{"type":"Point","coordinates":[18.6,43.6]}}"#,
    ];
    let text = format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","));
    let (summary, lines) = house.import(&text, "hazardous_area", hazard());
    let outcomes: Vec<Outcome> = lines.iter().map(|line| line.outcome).collect();
    assert_eq!(outcomes, [T, T, T, T, T, T, T, Q, U, U, T, Q, T, T], "{summary}");
    assert!(lines[..13].iter().all(|line| line.is_flagged() || line.outcome != T || line.number == 13));
    assert!(house.record(&lines[1]).properties["as_entered"]["raw_text"].as_str().unwrap().contains("1e400"));
}

#[test]
fn a_feature_that_says_nothing_is_held_against_its_schema() {
    let house = House::new();
    let (summary, _) =
        house.import(&collection(&[(json!({}), Value::Null)]), "hazardous_area", Wishes::default());
    assert_eq!(summary.count(Outcome::Quarantined), 1);
}

const GEOJSON: &str = r#"{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"EPSG:32634"}},"features":[
{"type":"Feature","id":1,"properties":{"name":"A","reported_area_m2":"1,5","date_identified":"13/04/2020"},
"geometry":{"type":"Polygon","coordinates":[[[306500,4832000],[306600,4832000],[306600,4832100],[306500,4832000]]]}},
{"type":"Feature","properties":{"contamination":["uxo"]},"geometry":{"type":"MultiPoint","coordinates":[[306500,4832000,1]]}}]}"#;

const CSV: &str = "id;name;reported_area_m2;date_identified;wkt\n1;\"A;b\";1,5;13/04/2020;\
POLYGON ((18.6 43.6, 18.7 43.6, 18.7 43.7, 18.6 43.6))\n2;B;;2020-01-02;SRID=32634;POINT Z (1 2 3)\n";

/// Bytes of a valid file with some of them changed, doubled or cut off.
fn mutated(text: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let junk = prop::sample::select(vec![
        "[",
        "]",
        "{",
        "}",
        "\"",
        ",",
        ";",
        "(",
        ")",
        "NaN",
        "null",
        "1e999",
        "-1e308",
        "\\u0000",
        "\n",
        "\t",
        "99999999999999999999",
        "SRID=3908;",
        "\u{feff}",
        "é",
    ]);
    let edit = (any::<prop::sample::Index>(), 0..6_usize, prop::option::of(junk), any::<u8>());
    (prop::collection::vec(edit, 1..6), any::<bool>(), any::<prop::sample::Index>()).prop_map(
        move |(edits, cut, end)| {
            let mut bytes = text.as_bytes().to_vec();
            for (at, gone, put, byte) in edits {
                let at = at.index(bytes.len());
                let until = (at + gone).min(bytes.len());
                let put = put.map_or_else(|| vec![byte], |text| text.as_bytes().to_vec());
                bytes.splice(at..until, put);
                if bytes.is_empty() {
                    bytes.push(b' ');
                }
            }
            if cut {
                bytes.truncate(end.index(bytes.len()));
            }
            bytes
        },
    )
}

/// Reads, maps and assesses: everything but the store, whose own tests these are not.
fn digest(bytes: &[u8]) {
    let schema = Registry::embedded().latest("hazardous_area").unwrap();
    let mapping = Mapping::new(schema, hazard()).unwrap();
    let around = crate::import::assess::Surroundings {
        today: chrono::NaiveDate::from_ymd_opt(2026, 1, 1).unwrap(),
        country: None,
    };
    let Ok(source) = Source::read(bytes, &Reading::default()) else { return };
    for feature in source.features() {
        let fields = mapping.fields(feature, source.decimal);
        crate::import::assess::assess("hazardous_area", &fields.values, feature.geometry.as_ref(), around);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_geojson_never_panics(bytes in mutated(GEOJSON)) {
        digest(&bytes);
    }

    #[test]
    fn mutated_tables_never_panic(bytes in mutated(CSV)) {
        digest(&bytes);
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        digest(&bytes);
    }
}

#[test]
fn a_geometry_that_is_neither_read_nor_kept_makes_no_record() {
    let house = House::new();
    let ring = vec!["18.1 43.5"; 12_000].join(",");
    let text = format!("id;reported_area_m2;wkt\n1;12.500;POINT(18.1 43.5)\n2;5;\"POLYGON(({ring})\"\n");
    let source = Source::read(text.as_bytes(), &Reading::default()).unwrap();
    let (summary, lines) = house.take(&source, "hazardous_area", hazard(), |_| {});
    assert!(
        lines[0].reasons.iter().any(|reason| reason.contains("fraction or thousands")),
        "{:?}",
        lines[0].reasons
    );
    assert_eq!(
        (lines[0].outcome, lines[1].outcome),
        (Outcome::Quarantined, Outcome::Unreadable),
        "{summary}"
    );
    assert!(lines[1].reasons[0].contains("too long to be kept"), "{:?}", lines[1].reasons);
}
