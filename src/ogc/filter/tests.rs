use std::time::Instant;

use geo::Point;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::model::Role;
use crate::model::role::Actor;
use crate::model::schema::Registry;
use crate::ogc::feature::Feature;

fn hazards() -> Collection {
    let actor = Actor { account: Uuid::nil(), role: Role::ImOfficer, organisation: Uuid::nil() };
    let all = Collection::seen(Registry::embedded(), actor.sight(), true);
    all.into_iter().find(|one| one.id == "hazardous_area").unwrap()
}

fn area() -> Feature {
    let properties = json!({
        "name": "O'Hara's field", "classification": "CHA", "date_identified": "2020-03-01", "reported_area_m2": 1200.5,
        "contamination": ["ap_mine", "uxo"], "contested": false, "remarks": "50% done_", "priority": null,
        "recorded_at": "2024-05-01T12:00:00.5Z",
    });
    Feature {
        id: Uuid::nil(),
        geometry: Some(Point::new(18.5, 43.5).into()),
        properties: properties.as_object().unwrap().clone(),
    }
}

fn text(filter: &str) -> Result<bool, String> {
    let parsed = Filter::parse(filter, None, Crs::Crs84, &hazards()).map_err(|fault| fault.reason)?;
    Ok(parsed.admits(&area()))
}

fn json(filter: &Value) -> Result<bool, String> {
    let parsed = Filter::parse(&filter.to_string(), Some("cql2-json"), Crs::Crs84, &hazards())
        .map_err(|fault| fault.reason)?;
    Ok(parsed.admits(&area()))
}

#[test]
fn texts_mean_what_they_say() {
    for (filter, holds) in [
        ("classification = 'CHA'", true),
        ("(classification = 'SHA')", false),
        ("(classification = 'CHA') AND (name = 'O''Hara''s field')", true),
        ("NOT classification <> 'CHA'", true),
        ("\"classification\"='SHA' or reported_area_m2>=1.2e3", true),
        ("reported_area_m2 BETWEEN 1000 AND 2000 and contested = false", true),
        ("reported_area_m2 not between 1000 and 2000", false),
        ("classification IN ('SHA','CHA')", true),
        ("classification NOT IN ('SHA')", true),
        ("name LIKE 'O''%'", true),
        ("name LIKE 'o''%'", false),
        ("CASEI(name) LIKE casei('o''HARA%')", true),
        ("CASEI(classification) = CASEI('cha')", true),
        ("remarks LIKE '50\\% done\\_'", true),
        ("remarks LIKE '5_\\% done\\_'", true),
        ("remarks LIKE '50\\_%'", false),
        ("priority IS NULL", true),
        ("priority IS NOT NULL", false),
        ("priority = 'high'", false),
        ("NOT priority = 'high'", false),
        ("priority = 'high' OR classification = 'CHA'", true),
        (
            "date_identified >= DATE('2020-01-01') AND date_identified < TIMESTAMP('2020-03-02T00:00:00Z')",
            true,
        ),
        ("date_identified > '2020-03-01'", false),
        ("contested", false),
        ("not contested", true),
        ("S_INTERSECTS(geometry,BBOX(18,43,19,44))", true),
        ("S_INTERSECTS(geom, POLYGON((0 0,1 0,1 1,0 0)))", false),
        ("s_intersects(POINT(18.5 43.5), geometry)", true),
        ("A_CONTAINS(contamination, ('uxo'))", true),
        ("A_CONTAINS(contamination, ('uxo','axo'))", false),
        ("A_OVERLAPS(contamination, ('uxo','axo'))", true),
        ("A_CONTAINEDBY(contamination, ('uxo','ap_mine','axo'))", true),
        ("A_EQUALS(contamination, ('uxo'))", false),
        ("TRUE", true),
        ("reported_area_m2 > -5", true),
        ("name = 'O\\'Hara\\'s field'", true),
        // Nobody knows whether an empty property is in a list, or is the one that is looked for.
        ("classification IN (priority)", false),
        ("NOT (classification IN (priority))", false),
        ("classification IN (priority, 'CHA')", true),
        ("NOT (priority IN ('high'))", false),
        ("NOT (reported_area_m2 BETWEEN 2000 AND geometry_accuracy_m)", true),
        ("NOT (reported_area_m2 BETWEEN 1000 AND geometry_accuracy_m)", false),
        // A day is all of the day, and moments are compared by their time.
        ("recorded_at >= '2024-05-01T14:00:00+02:00'", true),
        ("recorded_at < '2024-05-01T14:00:00+02:00'", false),
        ("recorded_at > '2024-05-01T12:00:00Z'", true),
        ("recorded_at <= DATE('2024-05-01')", true),
        ("recorded_at > DATE('2024-05-01')", false),
        ("DATE('2024-05-01') >= recorded_at", true),
        ("recorded_at = '2024-05-01'", true),
        ("recorded_at BETWEEN DATE('2024-05-01') AND DATE('2024-05-01')", true),
        ("recorded_at >= '2024'", true),
        ("date_identified >= '2020-03-01T00:00:00+02:00'", true),
        ("A_CONTAINS(('uxo','ap_mine','axo'), contamination)", true),
        ("A_EQUALS(contamination, contamination)", true),
        ("contested = 0", true),
        ("contested <> 1", true),
    ] {
        assert_eq!(text(filter), Ok(holds), "{filter}");
    }
}

/// Neither of these is ever true, nor is its negation: whoever asks must not be told that there is nothing.
#[test]
fn what_can_never_be_true_is_refused_with_what_can() {
    for (filter, says) in [
        ("contamination = 'ap_mine'", "A_CONTAINS(contamination"),
        ("contamination LIKE '%mine%'", "A_CONTAINS(contamination"),
        ("contamination IN ('ap_mine')", "A_CONTAINS(contamination"),
        ("reported_area_m2 > '1000'", "a number"),
        ("reported_area_m2 BETWEEN 1 AND 'x'", "a number"),
        ("reported_area_m2 LIKE '1%'", "a number"),
        ("date_identified > 2020", "a text"),
        ("contested = 'true'", "true or false"),
        ("contested = 2", "true or false"),
        ("classification = 'cha'", "SHA, CHA"),
        ("NOT (classification IN ('CHA','xha'))", "SHA, CHA"),
        ("A_OVERLAPS(contamination, ('uxo','mine'))", "ap_mine"),
        ("A_OVERLAPS((1,TRUE), contamination)", "ap_mine"),
        ("name = 1", "a text"),
    ] {
        for filter in [filter.to_owned(), format!("NOT ({filter}) OR TRUE")] {
            let refused = text(&filter).unwrap_err();
            assert!(refused.contains(says), "{filter}: {refused}");
        }
    }
}

#[test]
fn json_means_the_same() {
    let property = |name: &str| json!({"property": name});
    for (filter, holds) in [
        (json!({"op": "=", "args": [property("classification"), "CHA"]}), true),
        (
            json!({"op": "and", "args": [{"op": "not", "args": [{"op": "isNull", "args": [property("name")]}]}, true]}),
            true,
        ),
        (json!({"op": "in", "args": [property("classification"), ["SHA"]]}), false),
        (json!({"op": "between", "args": [property("reported_area_m2"), 1000, 1300]}), true),
        (json!({"op": "like", "args": [{"op": "casei", "args": [property("name")]}, "o'hara%"]}), true),
        (json!({"op": ">", "args": [property("date_identified"), {"date": "2020-02-29"}]}), true),
        (json!({"op": "s_intersects", "args": [property("geometry"), {"bbox": [18, 43, 19, 44]}]}), true),
        (
            json!({"op": "s_intersects", "args": [property("geometry"), {"type": "Point", "coordinates": [1, 2]}]}),
            false,
        ),
        (json!({"op": "a_contains", "args": [property("contamination"), ["uxo"]]}), true),
        (json!({"op": "a_containedBy", "args": [["uxo"], property("contamination")]}), true),
        (property("contested"), false),
    ] {
        assert_eq!(json(&filter), Ok(holds), "{filter}");
    }
    for broken in [
        json!({}),
        json!({"op": "="}),
        json!({"op": "between", "args": []}),
        json!([1]),
        json!(3),
        json!({"op": "mod", "args": [1, 2]}),
        json!({"op": "=", "args": [property("nothing"), 1]}),
        json!({"op": "a_contains", "args": [property("name"), ["x"]]}),
        json!({"op": "a_contains", "args": [property("contamination"), [["x"]]]}),
    ] {
        assert!(json(&broken).is_err(), "{broken}");
    }
}

#[test]
fn what_cannot_be_read_is_said_with_its_place() {
    for (filter, said) in [
        ("", "at the end"),
        ("classification", "a comparison is expected"),
        ("classification =", "at the end"),
        ("classification = 'CHA' classification", "character 24"),
        ("name = 'open", "has no end"),
        ("nothing = 1", "no queryable"),
        ("evidence IS NULL", "no queryable"),
        ("(classification = 'CHA'", "`)` is expected"),
        ("S_INTERSECTS(geometry, CIRCLE(1 2))", "a geometry"),
        ("S_INTERSECTS(geometry, POINT(1))", "is no geometry"),
        ("S_INTERSECTS(geometry, POINT(400 2))", "no place"),
        ("DATE('x') = date_identified", "no day or moment"),
        ("name ; 'x'", "cannot be read"),
        ("name LIKE", "at the end"),
        ("name = 'open\\'", "has no end"),
        ("A_CONTAINS(name, ('x'))", "is no list"),
        ("ACCENTI(name) = 'x'", "CASEI"),
        ("-- = 1", "cannot be read"),
    ] {
        let fault = text(filter).expect_err(filter);
        assert!(fault.contains(said), "{filter}: {fault}");
    }
    let unknown = Filter::parse("TRUE", Some("ecql"), Crs::Crs84, &hazards());
    assert_eq!(unknown.unwrap_err().name, "filter-lang");
}

#[test]
fn no_filter_takes_long_or_breaks_the_stack() {
    let begun = Instant::now();
    for open in ["(", "NOT ", "CASEI(", "S_INTERSECTS(", "POLYGON(", "A_CONTAINS(", "'", "-"] {
        assert!(text(&open.repeat(9_000)).is_err(), "{open}");
    }
    assert!(text(&format!("{}classification = 'CHA'", "(".repeat(18))).is_err());
    let many = vec!["name LIKE '%a%a%a%a%a%a%a%a%b'"; 1_000].join(" OR ");
    assert_eq!(text(&many), Ok(false));
    assert!(json(&serde_json::from_str("[[[[[[[[1]]]]]]]]").unwrap()).is_err());
    let listed = |count: usize| format!("classification IN ({})", vec!["'SHA'"; count].join(","));
    assert_eq!(text(&listed(1_000)), Ok(false));
    for filter in [listed(1_001), format!("{} OR TRUE", listed(1_000)), many.clone() + " OR TRUE"] {
        assert!(text(&filter).unwrap_err().contains("ask in parts"), "{}", filter.len());
    }
    let items = json!(vec!["uxo"; 1_001]);
    let contains = json!({"op": "a_contains", "args": [{"property": "contamination"}, items]});
    assert!(json(&contains).unwrap_err().contains("ask in parts"));
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
}

#[test]
fn positions_stand_in_the_filters_reference_system() {
    let [x, y] = Crs::WebMercator.place(18.5, 43.5).unwrap();
    let around = format!("S_INTERSECTS(geometry, BBOX({},{},{},{}))", x - 10.0, y - 10.0, x + 10.0, y + 10.0);
    let admits = |crs| Filter::parse(&around, None, crs, &hazards()).map(|filter| filter.admits(&area()));
    assert_eq!(admits(Crs::WebMercator), Ok(true));
    assert!(admits(Crs::Crs84).is_err());
}

/// Beside the box, and within the box in degrees around it: a grid's edges do not run along meridians.
#[test]
fn what_lies_beside_a_box_on_a_grid_is_not_in_it() {
    let crs = Crs::Utm { zone: 34, north: true };
    let [x, y] = crs.place(18.5, 43.5).unwrap();
    let admits = |corner: [f64; 2]| {
        let [west, south] = corner;
        let found = format!("S_INTERSECTS(geometry, BBOX({west},{south},{},{}))", west + 9e4, south + 9e4);
        let beyond = format!("NOT {found}");
        [found, beyond].map(|text| Filter::parse(&text, None, crs, &hazards()).unwrap().admits(&area()))
    };
    assert_eq!(admits([x - 1e4, y - 1e4]), [true, false]);
    assert_eq!(admits([x + 200.0, y - 1e3]), [false, true]);
}

#[test]
fn a_queryable_is_a_parameter_too() {
    let collection = hazards();
    let asked = |name: &str, value: &str| {
        let property = collection.property(name).unwrap();
        Filter::of_parameter(property, value).map(|filter| filter.admits(&area()))
    };
    assert_eq!(asked("classification", "CHA"), Ok(true));
    assert_eq!(asked("reported_area_m2", "1200.50"), Ok(true));
    assert_eq!(asked("contested", "false"), Ok(true));
    assert_eq!(asked("contamination", "uxo"), Ok(true));
    for (name, value) in [("reported_area_m2", "much"), ("contested", "perhaps"), ("evidence", "x")] {
        assert!(asked(name, value).is_err(), "{name}");
    }
}
