//! What the ledger makes of the records, as layers: they add up to the figures.

use serde_json::json;
use uuid::Uuid;

use super::{Country, Map, features, next_of};
use crate::ledger::{create, push, release, remaining, square, total};
use crate::support::tablet::with;
use crate::support::{Place, Tablet, on_both};

on_both!(
    ground_adds_up_to_the_figures,
    contested_ground_is_a_layer,
    pages_are_of_one_ground_or_end,
    what_cannot_be_drawn_is_told,
);

fn area_of(page: &serde_json::Value) -> f64 {
    features(page).iter().map(|one| one["properties"]["area_m2"].as_f64().unwrap()).sum()
}

fn ground_adds_up_to_the_figures(place: &Place) {
    let country = Country::prepare(place, 4);
    let (server, crew) = (&country.server, &country.crew);
    let (half, whole) = (Uuid::now_v7(), Uuid::now_v7());
    let made = vec![
        release(half, &crew.surveyor, country.areas[0], &square(0.0005, 0.001)),
        release(whole, &crew.surveyor, country.areas[1], &square(0.0095, 0.002)),
    ];
    push(server, crew, &crew.surveyor, made);
    let map = Map::of(server, &crew.qa, "read");
    let provisional = [("basis", "provisional")];
    let left = map.items("remaining", &provisional);
    let figure = total(&remaining(server, &crew.qa, "basis=provisional"));
    assert!((area_of(&left) - figure).abs() < 1e-6 && figure > 10_000.0, "{left}");
    assert_eq!(left["numberMatched"], 3, "nothing is left of the second area");
    assert_eq!(
        (&left["basis"], &left["as_of"]),
        (&json!("provisional"), &json!(chrono::Utc::now().date_naive()))
    );
    let mut hazards = country.areas.clone();
    hazards.remove(1);
    assert_eq!(map.ids("remaining", &provisional), hazards);
    let before = map.items("remaining", &[("basis", "provisional"), ("as_of", "2023-12-31")]);
    assert_eq!(before["numberMatched"], 4, "before the releases");
    assert_eq!(map.items("remaining", &[])["numberMatched"], 0, "nothing is finalised");
    let released = map.items("released", &provisional);
    assert_eq!(map.ids("released", &provisional), [half, whole]);
    assert!((area_of(&before) - area_of(&left) - area_of(&released)).abs() < 1e-6);
    let one = &features(&released)[0];
    assert_eq!(one["geometry"]["type"], "MultiPolygon");
    assert_eq!(
        (&one["properties"]["result"], &one["properties"]["released_on"]),
        (&json!("cleared"), &json!("2024-06-30"))
    );
    // Filters, boxes, orders and pages as for records.
    let with_basis = |more: &[(&'static str, &'static str)]| [&provisional, more].concat();
    assert_eq!(map.ids("remaining", &with_basis(&[("bbox", "0.015,9,0.025,11")])), country.areas[2..3]);
    assert_eq!(
        map.ids("remaining", &with_basis(&[("filter", "classification = 'cha' AND area_m2 > 7000")])),
        country.areas[2..3]
    );
    assert_eq!(map.ids("remaining", &with_basis(&[("datetime", "2001-01-01")])), country.areas[..1]);
    assert_eq!(
        map.ids("remaining", &with_basis(&[("sortby", "-since")])),
        [3, 2, 0].map(|place| country.areas[place])
    );
    let page = map.get("/collections/remaining/items?basis=provisional&limit=2").expect(200);
    let next = next_of(&page).unwrap();
    assert_eq!(features(&map.get(&next).expect(200))[0]["id"], json!(country.areas[3]));
    let path = format!("/collections/remaining/items/{}?basis=provisional", country.areas[0]);
    assert_eq!(map.get(&path).expect(200)["properties"], features(&left)[0]["properties"]);
    for (method, path) in [
        ("POST", "/collections/remaining/items".to_owned()),
        ("DELETE", path.split('?').next().unwrap().to_owned()),
    ] {
        let writing = Map::of(server, &crew.im, "read_write");
        let reply = writing.send(method, &path, &[("Content-Type", "application/json")], b"{}");
        assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, OPTIONS")), "{method}");
    }
}

fn contested_ground_is_a_layer(place: &Place) {
    let country = Country::prepare(place, 2);
    let (server, crew, area) = (&country.server, &country.crew, country.areas[0]);
    let map = country.im();
    let provisional = [("basis", "provisional")];
    assert_eq!(map.ids("contested", &provisional), Vec::<Uuid>::new());
    let version = crate::support::tablet::record(server, &crew.im.log_in(server), area)["version"].clone();
    for (who, outline, outcome) in
        [(&crew.surveyor, square(0.001, 0.001), "applied"), (&crew.second, square(0.0005, 0.001), "conflict")]
    {
        let tablet = Tablet::enrol(server, crew, who);
        let edit = tablet.on("update", area, &version, &json!({"changes": {"geometry": {"to": outline}}}));
        tablet.must(outcome, &with(edit, &json!({})));
    }
    assert_eq!(map.ids("contested", &provisional), [area]);
    let path = |collection: &str, id: Uuid| format!("/collections/{collection}/items/{id}?basis=provisional");
    assert_eq!(map.get(&path("contested", area)).status, 200);
    assert_eq!(map.get(&path("contested", country.areas[1])).status, 404);
    assert_eq!(map.get(&path("remaining", country.areas[1])).status, 200);
}

fn pages_are_of_one_ground_or_end(place: &Place) {
    let country = Country::prepare(place, 4);
    let (server, crew) = (&country.server, &country.crew);
    let map = country.im();
    let first = || map.get("/collections/remaining/items?basis=provisional&limit=2").expect(200);
    let next = next_of(&first()).unwrap();
    // What is written elsewhere does not move it.
    let task = json!({"task_type": "clearance", "title": "T", "hazardous_area_ids": [country.areas[0]]});
    push(
        server,
        crew,
        &crew.surveyor,
        vec![create("task", Uuid::now_v7(), &crew.director, &task, &json!(null))],
    );
    assert_eq!(features(&map.get(&next).expect(200)).len(), 2);
    let taken = release(Uuid::now_v7(), &crew.surveyor, country.areas[3], &square(0.03, 0.0005));
    push(server, crew, &crew.surveyor, vec![taken]);
    let problem = map.get(&next).expect(409);
    assert_eq!(problem["type"], "urn:cartagena:problem:ground-moved", "{problem}");
    let next = next_of(&first()).unwrap();
    assert_eq!(features(&map.get(&next).expect(200)).len(), 2);
    // Of records each page is as it was.
    let page = map.get("/collections/hazardous_area/items?limit=2").expect(200);
    push(
        server,
        crew,
        &crew.surveyor,
        vec![release(Uuid::now_v7(), &crew.surveyor, country.areas[2], &square(0.02, 0.0005))],
    );
    assert_eq!(features(&map.get(&next_of(&page).unwrap()).expect(200)).len(), 2);
    // Ground is known by days; a moment would be of another day elsewhere.
    for moment in ["2024-12-31T23:30:00-05:00", "2024-12-31T00:00:00Z"] {
        let path = format!("/collections/remaining/items?as_of={}", moment.replace('+', "%2B"));
        assert_eq!(map.get(&path).status, 400, "{moment}");
    }
}

fn what_cannot_be_drawn_is_told(place: &Place) {
    let country = Country::prepare(place, 1);
    let (server, crew, map) = (&country.server, &country.crew, country.im());
    let ahead =
        json!({"result": "cleared", "method": "manual", "depth_cm": 20, "completion_date": "2100-06-30"});
    let ahead = create("land_release", Uuid::now_v7(), &crew.surveyor, &ahead, &square(0.1, 0.001));
    push(server, crew, &crew.surveyor, vec![ahead]);
    // The country has one area that is known by a point and its size of 1 000 m².
    let page = map.items("remaining", &[("basis", "provisional")]);
    let undrawn = json!({"records_left_out": 1, "areas_reported_only": 1, "reported_only_m2": 1000.0});
    assert_eq!(page["undrawn"], undrawn, "{page}");
    let (_, file) = map.download("/collections/remaining/export?f=csv&basis=provisional");
    let rows = String::from_utf8(file).unwrap();
    let (head, row) = rows.split_once('\n').unwrap();
    assert!(head.trim_end().ends_with("records_left_out,areas_reported_only,reported_only_m2"), "{head}");
    assert!(row.trim_end().ends_with(",1,1,1000"), "{row}");
    let token = crew.im.log_in(server);
    let said = server.http().get("/tiles/remaining?basis=provisional", &token).expect(200);
    assert!(said["description"].as_str().unwrap().contains("1 areas of 1000 m²"), "{said}");
    assert!(map.items("hazardous_area", &[])["undrawn"].is_null());
}
