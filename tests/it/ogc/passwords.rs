//! Map passwords: each for one program, no stronger than its person and its scope, and ended by itself.

use serde_json::{Value, json};

use super::{Country, Map};
use crate::support::tablet::with;
use crate::support::{Person, Place, Tablet, on_both, people::PASSWORD, people::text};

on_both!(
    a_map_password_opens_the_map_and_nothing_else,
    a_map_password_ends,
    a_map_password_is_made_by_a_person_who_knows_theirs,
    another_password_ends_map_passwords
);

fn list(country: &Country, who: &Person) -> Vec<Value> {
    let reply = country.server.http().get("/v1/account/map-passwords", &who.log_in(&country.server));
    reply.expect(200).as_array().unwrap().clone()
}

fn a_map_password_opens_the_map_and_nothing_else(place: &Place) {
    let country = Country::prepare(place, 1);
    let (server, crew) = (&country.server, &country.crew);
    let map = Map::of(server, &crew.im, "read");
    assert_eq!(map.get("/collections").status, 200);
    let listed = list(&country, &crew.im);
    assert_eq!(listed.len(), 1);
    assert!(listed[0]["last_used_at"].is_string() && listed[0].get("password").is_none(), "{listed:?}");
    for (login, password) in [
        ("im", PASSWORD),
        ("manager", map.password.as_str()),
        ("im", "AAAAAAAAAAAAAAAAAAAAAAAAAA"),
        ("", ""),
        ("nobody", "x"),
    ] {
        let reply = Map::with(server, login, password).get("/collections");
        assert_eq!(reply.status, 401, "{login}");
        let challenges: Vec<&str> =
            reply.headers.get_all("www-authenticate").iter().map(|value| value.to_str().unwrap()).collect();
        assert!(challenges[0] == "Bearer" && challenges[1].starts_with("Basic realm="), "{challenges:?}");
    }
    for (path, status) in [
        ("/v1/ledger/remaining?group_by=admin1&f=csv", 200),
        ("/v1/ledger/balance?group_by=year", 200),
        ("/v1/progress/article5", 200),
        ("/v1/ledger/pieces", 401),
    ] {
        let told = server.http().raw("GET", path, "", &[("Authorization", &map.basic)], &[]).0;
        assert_eq!(told.status, status, "{path}: spreadsheets ask for figures");
    }
    let elsewhere = server.http().raw("GET", "/v1/records", "", &[("Authorization", &map.basic)], &[]).0;
    assert_eq!(elsewhere.status, 401, "it is for maps and figures only");
    let items = "/collections/hazardous_area/items";
    let geojson = [("Content-Type", "application/geo+json")];
    let body = br#"{"type": "Feature", "geometry": null, "properties": {"classification": "SHA"}}"#;
    assert_eq!(map.send("POST", items, &geojson, body).status, 403, "it is for reading only");
    assert_eq!(map.send("OPTIONS", items, &[], &[]).header("allow"), Some("GET, OPTIONS"));
    let writing = country.im();
    assert_eq!(writing.send("OPTIONS", items, &[], &[]).header("allow"), Some("GET, POST, OPTIONS"));
    let one = format!("{items}/{}", country.areas[0]);
    let all = writing.send("OPTIONS", &one, &[], &[]);
    assert_eq!(all.header("allow"), Some("GET, PUT, PATCH, DELETE, OPTIONS"));
    assert_eq!(
        writing.send("OPTIONS", "/collections/remaining/items", &[], &[]).header("allow"),
        Some("GET, OPTIONS")
    );
    let observer = Map::of(server, &crew.observer, "read_write");
    assert_eq!(
        observer.send("POST", "/collections/land_release/items", &geojson, body).status,
        403,
        "no stronger than its person"
    );
    let asked = json!({"name": "x", "scope": "read", "account_password": PASSWORD});
    for wrong in [json!({"name": " "}), json!({"scope": "all"}), json!({"account_password": null})] {
        let body = with(asked.clone(), &wrong);
        let reply = server.http().post("/v1/account/map-passwords", &crew.im.log_in(server), &body);
        assert_eq!(reply.status, 400, "{body}");
    }
}

fn a_map_password_ends(place: &Place) {
    let country = Country::prepare(place, 1);
    let (server, crew) = (&country.server, &country.crew);
    let (kept, lost) = (Map::of(server, &crew.manager, "read"), Map::of(server, &crew.manager, "read"));
    let id = text(&list(&country, &crew.manager)[1], "id");
    let path = format!("/v1/account/map-passwords/{id}");
    let revoke = |who: &Person| server.http().send("delete", &path, &who.log_in(server), &json!(null)).status;
    assert_eq!(revoke(&crew.im), 404, "somebody else's");
    assert_eq!((lost.get("/collections").status, revoke(&crew.manager)), (200, 204));
    assert_eq!((lost.get("/collections").status, revoke(&crew.manager)), (401, 404));
    assert_eq!(kept.get("/collections").status, 200);
    let others = Map::of(server, &crew.qa, "read_write");
    let admin = crew.admin.log_in(server);
    let all = server.http().get("/v1/map-passwords", &admin).expect(200);
    let theirs = all.as_array().unwrap().iter().find(|one| one["account"] == json!(crew.qa.id)).unwrap();
    assert_eq!((all.as_array().unwrap().len(), &theirs["scope"]), (2, &json!("read_write")), "{all}");
    let path = format!("/v1/map-passwords/{}", text(theirs, "id"));
    let end = || server.http().send("delete", &path, &admin, &json!(null)).status;
    assert_eq!((others.get("/collections").status, end()), (200, 204), "an administrator's to end");
    assert_eq!((others.get("/collections").status, end()), (401, 404));
    let account = format!("/v1/accounts/{}", crew.manager.id);
    for disabled in [true, false] {
        let change = json!({"disabled": disabled});
        assert_eq!(server.http().send("patch", &account, &crew.admin.log_in(server), &change).status, 204);
        assert_eq!(kept.get("/collections").status, 401, "a closed account's do not come back with it");
    }
    let token = crew.manager.log_in(server);
    let make = || {
        let body = json!({"name": "x", "scope": "read", "account_password": PASSWORD});
        server.http().post("/v1/account/map-passwords", &token, &body).status
    };
    assert_eq!((0..20).map(|_| make()).filter(|status| *status == 201).count(), 20);
    assert_eq!(make(), 409, "there is an end to them");
}

fn a_map_password_is_made_by_a_person_who_knows_theirs(place: &Place) {
    let country = Country::prepare(place, 1);
    let (server, crew) = (&country.server, &country.crew);
    let make = |token: &str, password: &str| {
        let body = json!({"name": "x", "scope": "read_write", "account_password": password});
        server.http().post("/v1/account/map-passwords", token, &body).status
    };
    // A stolen session would else be worth more than the session.
    assert_eq!(make(&crew.im.log_in(server), "what a thief does not know"), 403);
    // And so would a tablet that was found, whoever carried it.
    let tablet = Tablet::enrol(server, crew, &crew.surveyor);
    assert_eq!(make(&tablet.token, PASSWORD), 403);
    assert_eq!(make(&crew.surveyor.log_in(server), PASSWORD), 201);
}

fn another_password_ends_map_passwords(place: &Place) {
    let country = Country::prepare(place, 1);
    let (server, crew) = (&country.server, &country.crew);
    let (map, others) = (country.im(), Map::of(server, &crew.qa, "read"));
    let change = json!({"old": PASSWORD, "new": "another one that is long enough"});
    server.http().post("/v1/auth/password", &crew.im.log_in(server), &change).expect(204);
    assert_eq!((map.get("/collections").status, others.get("/collections").status), (401, 200));
}
