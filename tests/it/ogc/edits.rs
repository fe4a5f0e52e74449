//! Edits at a map: drafts through the one door, and nothing that stands approved is overwritten.

use std::collections::BTreeMap;

use cartagena::model::Change;
use cartagena::model::role::Actor;
use cartagena::store::StoreError;
use cartagena::store::edit::Seen;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Country, Map, features};
use crate::ledger::{create, finalise_because, push, square};
use crate::support::{Place, Reply, on_both};

on_both!(
    a_record_is_made_read_changed_and_retired,
    a_stale_edit_is_refused,
    whoever_cannot_say_what_they_saw_overwrites_nobody,
    only_what_was_meant_is_changed,
    what_cannot_be_taken_is_said_and_not_stored,
    a_record_that_is_asked_for_again_is_made_once,
    what_was_shown_is_written_back_without_a_change,
);

const PATCH: &str = "application/merge-patch+json";

fn edit(map: &Map, method: &str, path: &str, type_: &str, seen: Option<&str>, body: &Value) -> Reply {
    let seen = seen.map(|version| format!("\"{version}\""));
    let mut headers = vec![("Content-Type", type_)];
    headers.extend(seen.as_deref().map(|tag| ("If-Match", tag)));
    map.send(method, path, &headers, body.to_string().as_bytes())
}

fn version_of(reply: &Reply) -> String {
    reply.header("etag").unwrap().trim_matches('"').to_owned()
}

fn record(country: &Country, id: &str) -> Value {
    let token = country.crew.im.log_in(&country.server);
    country.server.http().get(&format!("/v1/records/{id}"), &token).expect(200)
}

fn a_record_that_is_asked_for_again_is_made_once(place: &Place) {
    let country = Country::prepare(place, 1);
    let map = Map::of(&country.server, &country.crew.manager, "read_write");
    let items = "/collections/hazardous_area/items";
    let id = Uuid::now_v7();
    let mut body = json!({"type": "Feature", "id": id, "geometry": square(0.2, 0.001), "properties": {
        "classification": "SHA", "status": "open", "contamination": ["uxo"], "date_identified": "2024-03-01"}});
    let ask = |map: &Map, body: &Value| edit(map, "POST", items, "application/geo+json", None, body);
    let (first, again) = (ask(&map, &body), ask(&map, &body));
    assert_eq!((first.status, again.status), (201, 201), "{}", again.body);
    assert_eq!(first.header("location"), again.header("location"));
    assert!(first.header("location").unwrap().ends_with(&id.to_string()));
    assert_eq!(version_of(&first), version_of(&again));
    assert_eq!(map.items("hazardous_area", &[])["numberMatched"], 2, "and the one that was there");
    let mut gone = body.clone();
    gone["id"] = json!(Uuid::now_v7());
    let made = ask(&map, &gone);
    let at = format!("{items}/{}", gone["id"].as_str().unwrap());
    assert_eq!(edit(&map, "DELETE", &at, PATCH, Some(&version_of(&made)), &json!({})).status, 204);
    assert_eq!(ask(&map, &gone).status, 409, "one that is out of use does not come back by being made");
    body["properties"]["classification"] = json!("CHA");
    assert_eq!(ask(&map, &body).status, 409, "it says something else");
    let other = Map::of(&country.server, &country.crew.im, "read_write");
    assert_eq!(ask(&other, &body).status, 409, "it is somebody else's");
    body["properties"]["classification"] = json!("SHA");
    body["properties"]["evidence"] = json!([{"id": Uuid::now_v7(), "kind": "other", "strength": "direct"}]);
    assert_eq!(ask(&map, &body).status, 409, "a row that is not stored");
    body["id"] = json!(Uuid::now_v7());
    assert_eq!((ask(&map, &body).status, ask(&map, &body).status), (201, 201));
    body["id"] = json!("12");
    assert_eq!(ask(&map, &body).status, 201, "an id of another program is none of ours");
}

fn what_was_shown_is_written_back_without_a_change(place: &Place) {
    let country = Country::prepare(place, 0);
    let (server, crew, map) = (&country.server, &country.crew, country.im());
    let id = Uuid::now_v7();
    let fields = json!({"classification": "SHA", "status": "open", "contamination": ["uxo"],
        "date_identified": "2024-03-01", "direct_beneficiaries": {"girls": 4, "boys": 2}});
    // Clockwise, with heights.
    let walked = json!({"type": "Polygon", "coordinates": [[[0.2, 10.0, 501.5], [0.2, 10.001, 502.5],
        [0.201_000_123, 10.001, 503.5], [0.2, 10.0, 501.5]]]});
    push(server, crew, &crew.surveyor, vec![create("hazardous_area", id, &crew.surveyor, &fields, &walked)]);
    finalise_because(server, crew, id, Some("the size was estimated from afar"));
    let path = format!("/collections/hazardous_area/items/{id}");
    for crs in ["OGC/1.3/CRS84", "EPSG/0/4326", "EPSG/0/3857", "EPSG/0/32631"] {
        let uri = format!("http://www.opengis.net/def/crs/{crs}");
        let shown = map.get(&format!("{path}?crs={uri}"));
        let version = version_of(&shown);
        let headers = [("Content-Type", "application/geo+json"), ("Content-Crs", uri.as_str())];
        let same = map.send("PUT", &path, &headers, shown.body.to_string().as_bytes());
        assert_eq!((same.status, version_of(&same)), (204, version), "{crs}: {}", same.body);
    }
    assert_eq!(record(&country, &id.to_string())["stage"], "finalised");
    let version = version_of(&map.get(&path));
    let weak = format!("W/\"{version}\"");
    let headers = [("Content-Type", PATCH), ("If-Match", weak.as_str())];
    let patch = json!({"properties": {"direct_beneficiaries": {"girls": 5}}});
    let refused = map.send("PATCH", &path, &headers, patch.to_string().as_bytes());
    assert_eq!(refused.status, 412, "a weak tag");
    let changed = edit(&map, "PATCH", &path, PATCH, Some(&version), &patch);
    assert_eq!(changed.status, 204, "{}", changed.body);
    let stored = record(&country, &id.to_string());
    assert_eq!(stored["properties"]["direct_beneficiaries"], json!({"girls": 5, "boys": 2}));
    assert_eq!(stored["geometry"], walked);
    let points = "/collections/hazardous_area_points/items";
    let nowhere = json!({"type": "Feature", "geometry": null, "properties": fields});
    let lost = edit(&map, "POST", points, "application/geo+json", None, &nowhere);
    assert_eq!(lost.expect(422)["errors"][0]["pointer"], "/geometry");
}

fn a_record_is_made_read_changed_and_retired(place: &Place) {
    let country = Country::prepare(place, 1);
    let map = Map::of(&country.server, &country.crew.manager, "read_write");
    let body = json!({"type": "Feature", "geometry": square(0.2, 0.001), "properties": {
        "classification": "SHA", "status": "open", "contamination": ["uxo"], "name": "At the map", "stage": "finalised",
        "evidence": null}});
    let items = "/collections/hazardous_area/items";
    let made = edit(&map, "POST", items, "application/geo+json", None, &body);
    assert_eq!(made.status, 201, "{}", made.body);
    let location = made.header("location").unwrap();
    let id = location.rsplit_once("/items/").unwrap().1.to_owned();
    assert_eq!(location, format!("{}/ogc{items}/{id}", country.server.url()));
    let path = format!("{items}/{id}");
    let shown = map.get(&path);
    assert_eq!(version_of(&shown), version_of(&made));
    let shown = shown.expect(200);
    assert_eq!(
        (&shown["properties"]["stage"], &shown["properties"]["name"]),
        (&json!("draft"), &json!("At the map"))
    );
    assert_eq!(shown["properties"]["organisation"], json!(country.crew.operator));
    let renamed = json!({"properties": {"name": "Renamed", "status_comment": "seen"}});
    let changed = edit(&map, "PATCH", &path, PATCH, Some(&version_of(&made)), &renamed);
    assert_eq!(changed.status, 204, "{}", changed.body);
    let emptied = edit(
        &map,
        "PATCH",
        &path,
        PATCH,
        Some(&version_of(&changed)),
        &json!({"properties": {"status_comment": null}}),
    );
    assert_eq!(emptied.status, 204);
    let stored = record(&country, &id);
    assert_eq!(
        (&stored["properties"]["name"], &stored["properties"]["status_comment"]),
        (&json!("Renamed"), &json!(null))
    );
    let whole = json!({"type": "Feature", "geometry": square(0.2, 0.002), "properties": {
        "classification": "CHA", "status": "open", "contamination": ["uxo"]}});
    let replaced = edit(&map, "PUT", &path, "application/geo+json", Some(&version_of(&emptied)), &whole);
    assert_eq!(replaced.status, 204, "{}", replaced.body);
    let stored = record(&country, &id);
    assert_eq!(
        (&stored["properties"]["name"], &stored["properties"]["classification"]),
        (&json!(null), &json!("CHA"))
    );
    let again = edit(&map, "PUT", &path, "application/geo+json", Some(&version_of(&replaced)), &whole);
    assert_eq!(version_of(&again), version_of(&replaced), "saying the same again makes no version");
    let gone = edit(&map, "DELETE", &path, "application/json", Some(&version_of(&replaced)), &json!(null));
    assert_eq!((gone.status, map.get(&path).status), (204, 404));
    let history = country
        .server
        .http()
        .get(&format!("/v1/records/{id}/history"), &country.crew.im.log_in(&country.server));
    assert_eq!(history.expect(200)["versions"].as_array().unwrap().len(), 5, "nothing is deleted");
}

fn a_stale_edit_is_refused(place: &Place) {
    let country = Country::prepare(place, 1);
    let map = country.im();
    let path = format!("/collections/hazardous_area/items/{}", country.areas[0]);
    let first = version_of(&map.get(&path));
    let name = |name: &str| json!({"properties": {"name": name}});
    let mine = edit(&map, "PATCH", &path, PATCH, Some(&first), &name("mine"));
    assert_eq!(mine.status, 204, "{}", mine.body);
    for (method, type_, body) in [
        ("PATCH", PATCH, name("theirs")),
        ("PUT", "application/geo+json", json!({"type": "Feature", "geometry": null, "properties": {}})),
        ("DELETE", PATCH, json!(null)),
    ] {
        let stale = edit(&map, method, &path, type_, Some(&first), &body);
        assert_eq!(stale.expect(412)["type"], "urn:cartagena:problem:stale", "{method}");
        let nonsense = edit(&map, method, &path, type_, Some("nonsense"), &body);
        assert_eq!(nonsense.status, 412, "{method}");
    }
    let stored = record(&country, &country.areas[0].to_string());
    assert_eq!(stored["properties"]["name"], "mine");
}

fn whoever_cannot_say_what_they_saw_overwrites_nobody(place: &Place) {
    let country = Country::prepare(place, 2);
    let (server, crew, map) = (&country.server, &country.crew, country.im());
    let (draft, approved) = (country.areas[0], country.areas[1]);
    finalise_because(server, crew, approved, Some("the size was estimated from afar"));
    let path = |id: Uuid| format!("/collections/hazardous_area/items/{id}");
    let name = |name: &str| json!({"properties": {"name": name}});
    let unseen = edit(&map, "PATCH", &path(draft), PATCH, None, &name("unseen"));
    assert_eq!(unseen.expect(428)["type"], "urn:cartagena:problem:unseen", "the surveyor's draft");
    assert_eq!(edit(&map, "DELETE", &path(draft), PATCH, None, &json!(null)).status, 428);
    // What was found out against another version than stands is not written.
    let actor = Actor { account: crew.im.id, role: crew.im.role, organisation: crew.operator };
    let changes = BTreeMap::from([("name".to_owned(), Change::set(json!("late")))]);
    let late = Seen::Unknown { read: Uuid::now_v7() };
    let refused = server.store().correct(actor, approved, late, changes, None).unwrap_err();
    assert!(matches!(refused, StoreError::Refused { code: "moved-on", .. }), "{refused}");
    let before = record(&country, &approved.to_string());
    let amended = edit(&map, "PATCH", &path(approved), PATCH, None, &name("amended"));
    assert_eq!(amended.status, 204, "{}", amended.body);
    let after = record(&country, &approved.to_string());
    assert_eq!(
        (&after["stage"], &after["official"]),
        (&json!("draft"), &before["version"]),
        "a draft above what stands approved"
    );
    let observer_sees = Map::of(server, &crew.stranger, "read").items("hazardous_area", &[]);
    let shown = &features(&observer_sees)[0]["properties"];
    assert_eq!(
        (&shown["name"], &shown["stage"]),
        (&json!("Area 1"), &json!("finalised")),
        "others see what stands approved"
    );
    let own = edit(&map, "PATCH", &path(approved), PATCH, None, &name("once more"));
    assert_eq!(own.status, 204, "one's own draft: {}", own.body);
    assert_eq!(edit(&map, "DELETE", &path(approved), PATCH, None, &json!(null)).status, 204);
    let still = Map::of(server, &crew.stranger, "read").items("hazardous_area", &[]);
    assert_eq!(still["numberMatched"], 1, "until the retirement is finalised");
}

fn only_what_was_meant_is_changed(place: &Place) {
    let country = Country::prepare(place, 1);
    let map = country.im();
    let surveyed = json!({"type": "Polygon", "coordinates": [[
        [0.300_000_123, 10.0], [0.301_000_456, 10.0], [0.301_000_456, 10.001_000_789], [0.300_000_123, 10.0]]]});
    let body = json!({"type": "Feature", "geometry": surveyed, "properties": {"classification": "SHA", "status": "open", "contamination": ["uxo"]}});
    let made = edit(&map, "POST", "/collections/hazardous_area/items", "application/geo+json", None, &body);
    let id = made.header("location").unwrap().rsplit_once('/').unwrap().1.to_owned();
    let path = format!("/collections/hazardous_area/items/{id}");
    // What QGIS sends of it: another type, six decimals, and one vertex moved.
    let rounded = json!({"geometry": {"type": "MultiPolygon", "coordinates": [[[
        [0.300_000, 10.0], [0.301_000, 10.0], [0.301_000, 10.001_001], [0.300_000, 10.0]]]]}});
    let same = edit(&map, "PATCH", &path, PATCH, Some(&version_of(&made)), &rounded);
    assert_eq!((same.status, version_of(&same)), (204, version_of(&made)), "it is the same outline");
    let mut moved = rounded.clone();
    moved["geometry"]["coordinates"][0][0][1] = json!([0.302, 10.0]);
    let moved = edit(&map, "PATCH", &path, PATCH, Some(&version_of(&made)), &moved);
    assert_eq!(moved.status, 204, "{}", moved.body);
    let ring = record(&country, &id)["geometry"]["coordinates"][0][0].clone();
    assert_eq!(
        ring,
        json!([[0.300_000_123, 10.0], [0.302, 10.0], [0.301_000_456, 10.001_000_789], [0.300_000_123, 10.0]])
    );
    // In another reference system, and with its name as QGIS writes it.
    let point = json!({"type": "Feature", "geometry": {"type": "Point", "coordinates": [10.5, 0.25]}, "properties":
        {"classification": "SHA", "status": "open", "contamination": ["uxo"]}});
    let headers = [
        ("Content-Type", "application/geo+json"),
        ("Content-Crs", "http://www.opengis.net/def/crs/EPSG/0/4326"),
    ];
    let made =
        map.send("POST", "/collections/hazardous_area_points/items", &headers, point.to_string().as_bytes());
    assert_eq!(made.status, 201, "{}", made.body);
    let id = made.header("location").unwrap().rsplit_once('/').unwrap().1.to_owned();
    assert_eq!(record(&country, &id)["geometry"]["coordinates"], json!([0.25, 10.5]));
}

fn what_cannot_be_taken_is_said_and_not_stored(place: &Place) {
    let country = Country::prepare(place, 1);
    let (server, crew, map) = (&country.server, &country.crew, country.im());
    let items = "/collections/hazardous_area/items";
    let before = map.items("hazardous_area", &[])["numberMatched"].clone();
    for (body, status) in [
        (json!({"type": "Feature", "geometry": null, "properties": {"colour": "red"}}), 422),
        (json!({"type": "Feature", "geometry": null, "properties": {"classification": "XHA"}}), 422),
        (
            json!({"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}, "properties": {}}),
            422,
        ),
        (
            json!({"type": "Feature", "geometry": {"type": "Polygon", "coordinates": 7}, "properties": {}}),
            422,
        ),
        (json!([1]), 422),
    ] {
        let reply = edit(&map, "POST", items, "application/geo+json", None, &body);
        assert_eq!(reply.status, status, "{body}: {}", reply.body);
    }
    assert_eq!(map.send("POST", items, &[("Content-Type", "application/geo+json")], b"{").status, 400);
    assert_eq!(
        map.send("POST", items, &[("Content-Type", "text/plain")], b"{}").status,
        415,
        "a form of another site"
    );
    let far = [("Content-Type", "application/geo+json"), ("Content-Crs", "EPSG:2180")];
    assert_eq!(map.send("POST", items, &far, b"{}").status, 400);
    assert_eq!(map.items("hazardous_area", &[])["numberMatched"], before);
    let path = format!("{items}/{}", country.areas[0]);
    for (who, method, status) in [
        (&crew.qa, "PATCH", 403),
        (&crew.director, "PATCH", 403),
        (&crew.stranger, "PATCH", 404),
        (&crew.observer, "PATCH", 403),
        (&crew.second, "PATCH", 404),
    ] {
        let other = Map::of(server, who, "read_write");
        let reply = edit(&other, method, &path, PATCH, None, &json!({"properties": {"name": "x"}}));
        assert_eq!(reply.status, status, "{} {}", who.login, reply.body);
    }
    let qa = Map::of(server, &crew.qa, "read_write");
    let made = edit(
        &qa,
        "POST",
        items,
        "application/geo+json",
        None,
        &json!({"type": "Feature", "geometry": null, "properties": {}}),
    );
    assert_eq!(made.status, 403, "{}", made.body);
}
