use std::path::PathBuf;

use super::*;

#[test]
fn what_is_no_geometry_is_said() {
    let findings = found("hazardous_area", &area(), None, &context());
    assert_eq!(places(&findings), [("geometry_missing", "/geometry")]);
    let findings = found("hazardous_area", &area(), Some(&Value::Null), &context());
    assert_eq!(places(&findings), [("geometry_missing", "/geometry")]);
    for broken in [
        json!({"type": "Polygon", "coordinates": []}),
        json!({"type": "Polygon", "coordinates": [[]]}),
        json!({"type": "MultiPolygon", "coordinates": []}),
        json!({"type": "Point", "coordinates": [104.9]}),
        json!({"type": "Point", "coordinates": ["104.9", "11.5"]}),
        json!({"type": "Blob"}),
        json!([1, 2]),
    ] {
        assert_eq!(places(&of_outline(&broken)), [("geometry_unreadable", "/geometry")], "{broken}");
    }
    let point = json!({"type": "Point", "coordinates": [104.9, 11.55, 12.0]});
    assert_eq!(of_outline(&point), []);
}

#[test]
fn an_outline_that_is_too_large_to_count_is_said_to_be() {
    let round = |vertices: u32| {
        let corner = |step: u32| {
            let angle = std::f64::consts::TAU * f64::from(step) / f64::from(vertices);
            [104.9 + 0.02 * angle.cos(), 11.55 + 0.02 * angle.sin()]
        };
        let mut ring: Vec<[f64; 2]> = (0..vertices).map(corner).collect();
        ring.push(ring[0]);
        polygon(&ring)
    };
    let large = ("outline_too_large", "/geometry");
    assert!(places(&of_outline(&round(20_000))).contains(&large));
    assert!(!places(&of_outline(&round(19_999))).contains(&large));
}

#[test]
fn swapped_latitude_and_longitude_are_seen() {
    let mut swapped = square();
    for position in swapped["coordinates"][0].as_array_mut().unwrap() {
        position.as_array_mut().unwrap().reverse();
    }
    let findings = of_outline(&swapped);
    assert!(places(&findings).contains(&("swapped_lat_lon", "/geometry")), "{findings:?}");
    assert!(places(&findings).contains(&("coordinate_out_of_range", "/geometry/coordinates/0/0")));
    assert!(places(&findings).contains(&("outside_country", "/geometry/coordinates/0/0")));
}

#[test]
fn a_lost_sign_or_a_wrong_zone_is_seen() {
    let at = |lon: f64, lat: f64| of_outline(&json!({"type": "Point", "coordinates": [lon, lat]}));
    assert_eq!(
        places(&at(104.9, -11.55)),
        [("outside_country", "/geometry/coordinates/0"), ("sign_lost", "/geometry")]
    );
    assert!(places(&at(-104.9, 11.55)).contains(&("sign_lost", "/geometry")));
    assert!(places(&at(-104.9, -11.55)).contains(&("sign_lost", "/geometry")));
    assert!(places(&at(98.9, 11.55)).contains(&("wrong_zone", "/geometry")));
    assert_eq!(places(&at(20.0, 50.0)), [("outside_country", "/geometry/coordinates/0")]);
    let no_country = Context { country: None, ..context() };
    let far = json!({"type": "Point", "coordinates": [20.0, 50.0]});
    assert_eq!(found("hazardous_area", &area(), Some(&far), &no_country), []);
}

#[test]
fn an_outline_across_the_border_was_not_mistyped() {
    let across = polygon(&[[102.29, 13.0], [102.31, 13.0], [102.31, 13.01], [102.29, 13.0]]);
    assert_eq!(places(&of_outline(&across)), [("outside_country", "/geometry/coordinates/0/0")]);
}

#[test]
fn degrees_minutes_seconds_as_decimals_are_suspected() {
    let ring = |typed: &[[f64; 2]]| polygon(&[typed, &typed[..1]].concat());
    // 104°54'51" 11°33'07" and so on across 104°55', typed as 104.5451 and 11.3307.
    let typed = [
        [104.5451, 11.3307],
        [104.5455, 11.3305],
        [104.5502, 11.3306],
        [104.5509, 11.3314],
        [104.5504, 11.3321],
        [104.5452, 11.3319],
    ];
    let findings = of_outline(&ring(&typed));
    assert_eq!(places(&findings), [("dms_as_decimals", "/geometry")]);
    assert!(findings[0].message.contains("104.5451 as 104°54′51″"), "{}", findings[0].message);
    // Fractions of a second are written too.
    let six_digits = |degrees: f64| (degrees * 1e6).round() / 1e6;
    let finer = typed.map(|[lon, lat]| [six_digits(lon + 0.000_012), six_digits(lat + 0.000_034)]);
    assert_eq!(places(&of_outline(&ring(&finer))), [("dms_as_decimals", "/geometry")]);
    // A single number that cannot be minutes or seconds: they are decimals.
    let mut decimal = typed;
    decimal[4][1] = 11.3382;
    assert_eq!(of_outline(&ring(&decimal)), [], "82 is no number of seconds");
    // Decimals that lie close together say nothing.
    let close = typed.map(|[lon, lat]| [lon.min(104.5459), lat]);
    assert_eq!(of_outline(&ring(&close)), []);
    // Across the hundredth true decimals have vertices everywhere.
    let mut across = typed;
    across[1][0] = 104.5471;
    assert_eq!(of_outline(&ring(&across)), []);
}

#[test]
fn round_coordinates_are_not_suspected() {
    let ring = |typed: &[[f64; 2]]| polygon(&[typed, &typed[..1]].concat());
    // To a hundred metres.
    let round = [
        [104.545, 11.33],
        [104.548, 11.331],
        [104.551, 11.333],
        [104.552, 11.335],
        [104.55, 11.341],
        [104.545, 11.34],
    ];
    assert_eq!(of_outline(&ring(&round)), []);
    // A rectangle has four numbers, however long they are.
    let four = [[104.5451, 11.3351], [104.5505, 11.3351], [104.5505, 11.3405], [104.5451, 11.3405]];
    assert_eq!(of_outline(&ring(&four)), []);
    let steps = [[104.545, 11.335], [104.55, 11.335], [104.555, 11.34], [104.55, 11.345], [104.545, 11.34]];
    assert_eq!(of_outline(&ring(&steps)), []);
}

#[test]
fn another_datum_is_pointed_out() {
    let judge = |crs: &str| {
        let mut record = area();
        record["as_entered"] = json!({"crs": crs});
        places(&of_record("hazardous_area", &record)) == [("other_datum", "/properties/as_entered/crs")]
    };
    assert!(judge("Indian 1975 / UTM zone 48N") && judge("ED50"));
    assert!(!judge("WGS 84 / UTM zone 48N") && !judge("EPSG:32648") && !judge("wgs84") && !judge(" "));
}

#[test]
fn rings_close_once_and_repeat_nothing() {
    let [a, b, c] = [[104.900_123_4, 11.55], [104.901_123_4, 11.55], [104.901_123_4, 11.551_987_6]];
    assert_eq!(places(&of_outline(&polygon(&[a, b, c]))), [("ring_not_closed", "/geometry/coordinates/0")]);
    assert_eq!(
        places(&of_outline(&polygon(&[a, b, c, a, a]))),
        [("closing_point_repeated", "/geometry/coordinates/0/4")]
    );
    let near = [b[0] + 5e-7, b[1] - 5e-7];
    assert_eq!(
        places(&of_outline(&polygon(&[a, b, near, c, a]))),
        [("vertex_repeated", "/geometry/coordinates/0/2")]
    );
    let apart = [b[0] + 2e-6, b[1]];
    assert_eq!(of_outline(&polygon(&[a, b, apart, c, a])), []);
    for flat in [polygon(&[a, b, a]), polygon(&[a, b, a, b, a]), polygon(&[a, a, a, a])] {
        let findings = of_outline(&flat);
        assert!(places(&findings).contains(&("too_few_vertices", "/geometry/coordinates/0")), "{flat}");
    }
}

#[test]
fn crossings_and_scrambled_orders_are_seen() {
    let corners = [[104.9, 11.5], [104.901, 11.5], [104.901, 11.501], [104.9, 11.501]];
    let ring = |order: &[usize]| {
        let mut ring: Vec<[f64; 2]> = order.iter().map(|&i| corners[i]).collect();
        ring.push(ring[0]);
        polygon(&ring)
    };
    assert_eq!(of_outline(&ring(&[0, 1, 2, 3])), []);
    assert_eq!(of_outline(&ring(&[3, 2, 1, 0])), [], "a clockwise ring is simple too");
    let place = "/geometry/coordinates/0";
    assert_eq!(
        places(&of_outline(&ring(&[0, 2, 1, 3]))),
        [("scrambled_order", place), ("self_intersection", place)]
    );
    // A small loop at one end of a long ring: the order is right, a corner is not.
    let loop_end = polygon(&[
        [104.9, 11.5],
        [104.91, 11.5],
        [104.911, 11.5011],
        [104.911, 11.4999],
        [104.91, 11.501],
        [104.9, 11.501],
        [104.9, 11.5],
    ]);
    let findings = of_outline(&loop_end);
    assert!(places(&findings).contains(&("self_intersection", place)), "{findings:?}");
    let spike = polygon(&[[104.9, 11.5], [104.902, 11.5], [104.901, 11.5], [104.9, 11.501], [104.9, 11.5]]);
    assert_eq!(places(&of_outline(&spike)), [("self_intersection", place)]);
    let touching = polygon(&[
        [104.9, 11.5],
        [104.902, 11.5],
        [104.902, 11.502],
        [104.901, 11.5],
        [104.9, 11.502],
        [104.9, 11.5],
    ]);
    assert_eq!(places(&of_outline(&touching)), [("self_intersection", place)]);
}

#[test]
fn legs_beyond_five_kilometres_are_seen() {
    let long = polygon(&[[104.9, 11.5], [104.95, 11.5], [104.95, 11.501], [104.9, 11.5]]);
    let findings = of_outline(&long);
    assert_eq!(
        places(&findings),
        [("leg_too_long", "/geometry/coordinates/0/1"), ("leg_too_long", "/geometry/coordinates/0/3")]
    );
    let apart = json!({"type": "MultiPoint", "coordinates": [[104.9, 11.5], [104.95, 11.5]]});
    assert_eq!(of_outline(&apart), [], "points have no legs between them");
}

#[test]
fn a_corner_left_out_of_the_drawing_is_seen() {
    let leg = json!({"to": "TP", "bearing_deg": 1.0, "distance_m": 10.0});
    let mut record = area();
    record["as_entered"] = json!({"traverse": {"boundary": [leg, leg, leg, leg]}});
    assert_eq!(of_record("hazardous_area", &record), []);
    record["as_entered"]["traverse"]["closed"] = json!(false);
    let findings = of_record("hazardous_area", &record);
    assert_eq!(places(&findings), [("vertex_missing", "/geometry/coordinates/0")]);
}

#[test]
fn an_outline_pasted_twice_is_seen_however_it_is_turned() {
    let mut turned = square();
    let ring = turned["coordinates"][0].as_array_mut().unwrap();
    ring.pop();
    ring.rotate_left(2);
    ring.reverse();
    ring.push(ring[0].clone());
    let [hash] = outline_hashes(&square())[..] else { panic!("one ring, one hash") };
    assert_eq!(outline_hashes(&turned), [hash]);
    let others = HashMap::from([(hash, "KH-0007".to_owned())]);
    let context = Context { other_outlines: Some(&others), ..context() };
    let findings = found("hazardous_area", &area(), Some(&turned), &context);
    assert_eq!(places(&findings), [("outline_repeated", "/geometry/coordinates/0")]);
    assert!(findings[0].message.contains("KH-0007"));

    let twice =
        json!({"type": "MultiPolygon", "coordinates": [square()["coordinates"], turned["coordinates"]]});
    assert_eq!(places(&of_outline(&twice)), [("outline_repeated", "/geometry/coordinates/1/0")]);
    let mut moved = square();
    moved["coordinates"][0][1][0] = json!(104.902);
    assert_ne!(outline_hashes(&moved), [hash]);
    assert_eq!(outline_hashes(&json!({"type": "Point", "coordinates": [1, 2]})), []);
}

#[test]
fn a_geometry_far_from_its_district_is_seen() {
    let outline = |west: f64| {
        let corner = [(west, 11.5), (west + 0.2, 11.5), (west + 0.2, 11.7), (west, 11.7)];
        MultiPolygon::new(vec![geo::Polygon::new(geo::LineString::from(corner.to_vec()), Vec::new())])
    };
    let areas = [
        AdminArea { level: 2, names: vec!["Kien Svay".to_owned()], outline: outline(104.8) },
        AdminArea {
            level: 2,
            names: vec!["Lvea Aem".to_owned(), "Lvea Em".to_owned()],
            outline: outline(105.0),
        },
    ];
    let judge = |label: &str, admin_tolerance_m: f64| {
        let mut record = area();
        record["admin2"] = json!(label);
        let context = Context { admin_areas: &areas, admin_tolerance_m, ..context() };
        let findings = found("hazardous_area", &record, Some(&square()), &context);
        places(&findings) == [("far_from_admin_area", "/properties/admin2")]
    };
    assert!(judge("lvea em ", 5_000.0), "about 10.8 km outside");
    assert!(!judge("Lvea Aem", 20_000.0));
    assert!(!judge("Kien Svay", 5_000.0) && !judge("unknown to the gazetteer", 5_000.0));
}

/// GEOS finds 14 self-intersecting suspected areas and 15 cleared ones on this sheet.
#[test]
fn a_real_sheet_has_the_crossings_that_geos_finds() {
    let folder = std::env::var_os("CARTAGENA_SHARED_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let path = folder.join("bih_sheet_2882-III.geojson");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: {} is not here", path.display());
        return;
    };
    let sheet: Value = serde_json::from_str(&text).unwrap();
    let count = |kind: &str, rule: &str| {
        let features = sheet["features"].as_array().unwrap().iter();
        let of_kind =
            features.filter(|feature| feature["properties"]["typeArea"].as_str().unwrap().contains(kind));
        let judged = of_kind.map(|feature| {
            let country = Extent { west: 15.7, south: 42.5, east: 19.7, north: 45.3 };
            let context = Context { country: Some(country), ..context() };
            found("hazardous_area", &area(), Some(&feature["geometry"]), &context)
        });
        judged.filter(|findings| findings.iter().any(|finding| finding.rule == rule)).count()
    };
    assert_eq!((count("Suspected", "geometry_missing"), count("Cleared", "geometry_missing")), (60, 1));
    assert_eq!((count("Suspected", "self_intersection"), count("Cleared", "self_intersection")), (14, 15));
    assert_eq!(count("", "outside_country"), 0);
}
