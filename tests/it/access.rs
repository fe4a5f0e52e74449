//! Who may do what: every route with every role, against one table that can be read.

use std::collections::BTreeSet;

use cartagena::auth::token::{Claims, Keys};
use serde_json::json;
use uuid::Uuid;

use crate::support::people::PASSWORD;
use crate::support::{Crew, Person, Place, TestServer, on_both};

on_both!(
    every_route_with_every_role,
    tokens_that_are_not_ours,
    other_organisations_records,
    a_role_is_what_it_is_now,
    a_forgotten_password_is_replaced,
    only_the_authority_decides_for_the_country
);

/// Every route that wants somebody known. `x` may; the columns are surveyor, supervisor, programme manager,
/// QA officer, IM officer, authority, observer, admin, relay.
const ROUTES: &[(&str, &str, &str)] = &[
    //                                              sur sup pm  qa  im  aut obs adm rel
    ("post", "/v1/auth/password", "x   x   x   x   x   x   x   x   x"),
    ("get", "/v1/account/map-passwords", "x   x   x   x   x   x   x   .   ."),
    ("post", "/v1/account/map-passwords", "x   x   x   x   x   x   x   .   ."),
    ("delete", "/v1/account/map-passwords/{id}", "x   x   x   x   x   x   x   .   ."),
    ("get", "/v1/events", "x   x   x   x   x   x   x   x   ."),
    ("get", "/v1/accounts", ".   .   .   .   .   .   .   x   ."),
    ("post", "/v1/accounts", ".   .   .   .   .   .   .   x   ."),
    ("patch", "/v1/accounts/{id}", ".   .   .   .   .   .   .   x   ."),
    ("post", "/v1/accounts/{id}/password", ".   .   .   .   .   .   .   x   ."),
    ("get", "/v1/map-passwords", ".   .   .   .   .   .   .   x   ."),
    ("delete", "/v1/map-passwords/{id}", ".   .   .   .   .   .   .   x   ."),
    ("get", "/v1/organisations", "x   x   x   x   x   x   x   x   ."),
    ("post", "/v1/organisations", ".   .   .   .   .   .   .   x   ."),
    ("get", "/v1/devices", ".   x   x   x   x   x   .   x   ."),
    ("post", "/v1/devices/enrolments", ".   .   x   .   .   .   .   x   ."),
    ("post", "/v1/devices/{id}/revoke", ".   .   x   .   .   .   .   x   ."),
    ("get", "/v1/alarms", ".   x   x   x   x   x   .   x   ."),
    // A push also wants a device; see `tokens_that_are_not_ours`.
    ("post", "/v1/sync/push", ".   .   .   .   .   .   .   .   ."),
    ("post", "/v1/sync/pull", "x   x   x   x   x   x   .   .   ."),
    ("get", "/v1/sync/scopes", "x   x   x   x   x   x   .   .   ."),
    ("get", "/v1/sync/head", "x   x   x   x   x   x   .   .   ."),
    ("get", "/v1/sync/log", ".   .   .   .   x   .   .   .   x"),
    ("get", "/v1/sync/people", ".   .   .   .   .   .   .   .   x"),
    ("get", "/v1/records", "x   x   x   x   x   x   x   .   ."),
    ("get", "/v1/records/{id}", "x   x   x   x   x   x   x   .   ."),
    ("get", "/v1/records/{id}/history", "x   x   x   x   x   x   x   .   ."),
    ("get", "/v1/records/{id}/attachments", "x   x   x   x   x   x   x   .   ."),
    ("get", "/v1/attachments/absent", ".   x   x   x   x   x   .   .   ."),
    ("post", "/v1/blobs", "x   x   x   x   x   x   .   .   x"),
    // Without `Tus-Resumable`: the head of the download.
    ("head", "/v1/blobs/{sha256}", "x   x   x   x   x   x   x   .   ."),
    ("post", "/v1/blobs/{sha256}", "x   x   x   x   x   x   .   .   x"),
    ("patch", "/v1/blobs/{sha256}", "x   x   x   x   x   x   .   .   x"),
    ("get", "/v1/blobs/{sha256}", "x   x   x   x   x   x   x   .   ."),
    ("get", "/v1/blobs/{sha256}/thumbnail", "x   x   x   x   x   x   x   .   ."),
    ("post", "/v1/records/{id}/stage", "x   x   x   x   x   x   .   .   ."),
    ("patch", "/v1/records/{id}", "x   x   x   x   x   x   .   .   ."),
    ("get", "/v1/records/{id}/outline", "x   x   x   x   x   x   x   .   ."),
    ("get", "/v1/waiting", "x   x   x   x   x   x   x   x   x"),
    ("get", "/v1/review/queue", "x   x   x   x   x   x   .   .   ."),
    ("get", "/v1/conflicts", ".   x   x   x   x   x   .   .   ."),
    ("get", "/v1/conflicts/{id}", ".   x   x   x   x   x   .   .   ."),
    ("post", "/v1/conflicts/{id}/resolve", ".   .   .   .   x   .   .   .   ."),
    ("get", "/v1/quarantine", ".   x   x   x   x   x   .   .   ."),
    ("get", "/v1/parked", ".   x   x   x   x   x   .   .   ."),
    ("post", "/v1/quarantine/{id}/repair", ".   .   x   .   x   .   .   .   ."),
    ("post", "/v1/quarantine/{id}/dismiss", ".   .   x   .   x   .   .   .   ."),
    ("get", "/v1/quality", ".   x   x   x   x   x   .   .   ."),
    ("get", "/v1/programme", "x   x   x   x   x   x   x   x   ."),
    ("get", "/v1/basemap", "x   x   x   x   x   x   x   x   ."),
    ("put", "/v1/programme", ".   .   .   .   .   x   .   x   ."),
    ("get", "/v1/ledger/remaining", ".   x   x   x   x   x   x   .   ."),
    ("get", "/v1/ledger/balance", ".   x   x   x   x   x   x   .   ."),
    ("get", "/v1/ledger/pieces", ".   x   x   x   x   x   .   .   ."),
    ("get", "/v1/ledger/releases", ".   x   x   x   x   x   .   .   ."),
    ("get", "/v1/ledger/freezes", ".   x   x   x   x   x   x   .   ."),
    ("post", "/v1/ledger/freezes", ".   .   .   .   .   x   .   .   ."),
    ("get", "/v1/progress/article5", ".   x   x   x   x   x   x   .   ."),
    ("get", "/ogc/collections", "x   x   x   x   x   x   x   .   ."),
    ("get", "/ogc/collections/{collection}", "x   x   x   x   x   x   x   .   ."),
    ("get", "/ogc/collections/{collection}/queryables", "x   x   x   x   x   x   x   .   ."),
    ("get", "/ogc/collections/{collection}/schema", "x   x   x   x   x   x   x   .   ."),
    ("get", "/ogc/collections/{collection}/items", "x   x   x   x   x   x   x   .   ."),
    ("get", "/ogc/collections/{collection}/export", "x   x   x   x   x   x   x   .   ."),
    ("get", "/ogc/collections/{collection}/items/{id}", "x   x   x   x   x   x   x   .   ."),
    ("get", "/ogc/collections/{collection}/tiles", "x   x   x   x   x   x   x   .   ."),
    ("get", "/ogc/collections/{collection}/tiles/WebMercatorQuad", "x   x   x   x   x   x   x   .   ."),
    (
        "get",
        "/ogc/collections/{collection}/tiles/WebMercatorQuad/{z}/{y}/{x}",
        "x   x   x   x   x   x   x   .   .",
    ),
    ("get", "/tiles/{layers}", "x   x   x   x   x   x   x   .   ."),
    ("get", "/tiles/{layers}/{z}/{x}/{y}", "x   x   x   x   x   x   x   .   ."),
    ("post", "/ogc/collections/{collection}/items", "x   x   x   x   x   x   .   .   ."),
    ("put", "/ogc/collections/{collection}/items/{id}", "x   x   x   x   x   x   .   .   ."),
    ("patch", "/ogc/collections/{collection}/items/{id}", "x   x   x   x   x   x   .   .   ."),
    ("delete", "/ogc/collections/{collection}/items/{id}", "x   x   x   x   x   x   .   .   ."),
];

/// Routes for anybody.
const OPEN: &[(&str, &str)] = &[
    ("get", "/healthz"),
    ("get", "/readyz"),
    ("get", "/metrics"),
    ("post", "/v1/auth/login"),
    ("post", "/v1/auth/refresh"),
    ("post", "/v1/auth/logout"),
    ("post", "/v1/session"),
    ("post", "/v1/session/refresh"),
    ("delete", "/v1/session"),
    ("post", "/v1/devices/enrol"),
    ("get", "/v1/schemas"),
    ("get", "/v1/schemas/{kind}"),
    ("get", "/v1/quality/rules"),
    ("options", "/v1/blobs"),
    ("options", "/v1/blobs/{sha256}"),
    ("get", "/ogc"),
    ("get", "/ogc/"),
    ("get", "/ogc/conformance"),
    ("get", "/ogc/api"),
    ("get", "/ogc/tileMatrixSets"),
    ("get", "/ogc/tileMatrixSets/WebMercatorQuad"),
    ("options", "/ogc/collections/{collection}/items"),
    ("options", "/ogc/collections/{collection}/items/{id}"),
];

/// The pages of the description, for anybody too, which does not describe itself.
const PAGES: &[&str] = &["/", "/docs", "/docs/", "/docs/index.html", "/openapi.json"];

fn every_route_with_every_role(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let people = [
        &crew.surveyor,
        &crew.supervisor,
        &crew.manager,
        &crew.qa,
        &crew.im,
        &crew.director,
        &crew.observer,
        &crew.admin,
        &crew.camp,
    ];
    let tokens: Vec<String> = people.iter().map(|person| person.log_in(&server)).collect();
    let mut described: BTreeSet<(String, String)> = routes_in_the_description(&server);
    for (method, path, row) in ROUTES {
        assert!(
            described.remove(&((*method).to_owned(), (*path).to_owned())),
            "{method} {path} is not described"
        );
        assert_eq!(ask(&server, method, path, "").0, 401, "{method} {path} without a token");
        for ((person, token), cell) in people.iter().zip(&tokens).zip(row.split_whitespace()) {
            let (status, problem) = ask(&server, method, path, token);
            let who = format!("{method} {path} as {}: {status} {problem}", person.role);
            if cell == "x" {
                assert!(![401, 403, 405, 500].contains(&status), "{who}");
            } else {
                assert_eq!(status, 403, "{who}");
            }
        }
    }
    for (method, path) in OPEN {
        assert!(
            described.remove(&((*method).to_owned(), (*path).to_owned())),
            "{method} {path} is not described"
        );
        let (status, problem) = ask(&server, method, path, "");
        let refused_body = problem["type"] != "urn:cartagena:problem:unauthorized";
        assert!(status != 403 && refused_body, "{method} {path}: {status}");
    }
    for path in PAGES {
        assert_eq!(server.http().get(path, "").status, 200, "{path}");
    }
    assert!(described.is_empty(), "routes that the tables lack: {described:?}");
}

fn routes_in_the_description(server: &TestServer) -> BTreeSet<(String, String)> {
    let api = server.http().get("/openapi.json", "").expect(200);
    let paths = api["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            methods.filter(|method| *method != "parameters").map(|method| (method.clone(), path.clone()))
        })
        .collect()
}

fn ask(server: &TestServer, method: &str, path: &str, token: &str) -> (u16, serde_json::Value) {
    let path = path.replace("{id}", &Uuid::nil().to_string()).replace("{kind}", "task");
    let path = path.replace("{sha256}", &"0".repeat(64)).replace("{collection}", "land_release");
    let path =
        path.replace("{layers}", "land_release").replace("{z}", "0").replace("{x}", "0").replace("{y}", "0");
    let reply = server.http().send(method, &path, token, &json!({}));
    (reply.status, reply.body)
}

fn tokens_that_are_not_ours(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let device = crew.enrol(&server, &crew.surveyor);
    let claims = |exp: i64| Claims { sub: crew.im.id, device: None, iss: "cartagena".into(), iat: 0, exp };
    let soon = chrono::Utc::now().timestamp() + 600;
    let foreign = Keys::load(tempfile::tempdir().unwrap().path()).unwrap();
    let good = server.keys().sign(&claims(soon));
    assert_eq!(server.http().get("/v1/sync/head", &good).status, 200);
    let unsigned = {
        use base64::Engine as _;
        let url = base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let middle = good.split('.').nth(1).unwrap();
        format!("{}.{middle}.", url.encode(r#"{"alg":"none","typ":"JWT"}"#))
    };
    for (what, token) in [
        ("expired", server.keys().sign(&claims(1))),
        ("another server's", foreign.sign(&claims(soon))),
        ("unsigned", unsigned),
        ("cut short", good[..good.len() - 4].to_owned()),
        ("nonsense", "Bearer".to_owned()),
    ] {
        for path in ["/v1/sync/head", "/v1/records", "/v1/ledger/remaining"] {
            assert_eq!(server.http().get(path, &token).status, 401, "{what} token at {path}");
        }
    }
    // A person's token is no device's: it does not push. The device's own does.
    let push = json!({"protocol": 1, "device_id": device["device"], "txns": []});
    assert_eq!(server.http().post("/v1/sync/push", &crew.surveyor.log_in(&server), &push).status, 403);
    let token = device["access_token"].as_str().unwrap();
    assert_eq!(server.http().post("/v1/sync/push", token, &push).status, 200);
    // A device cannot speak for another one; what it said is kept.
    let other = json!({"protocol": 1, "device_id": Uuid::nil(), "txns": []});
    let answer = server.http().post("/v1/sync/push", token, &other).expect(400);
    assert!(answer["receipt"].is_string(), "{answer}");
}

fn other_organisations_records(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let draft = crate::ledger::push_hazard(&server, &crew, &crew.surveyor, 0.0);
    let path = format!("/v1/records/{draft}");
    let may = |person: &Person| server.http().get(&path, &person.log_in(&server)).status;
    assert_eq!(may(&crew.surveyor), 200, "its author");
    assert_eq!(may(&crew.second), 404, "a colleague does not see another team's draft");
    assert_eq!(may(&crew.manager), 200, "its manager");
    assert_eq!(may(&crew.stranger), 404, "another operator does not see it");
    assert_eq!(may(&crew.im), 200, "information management");
    assert_eq!(may(&crew.observer), 404, "an observer sees no exact outlines of uncleared ground");
    let scopes = server.http().get("/v1/sync/scopes", &crew.stranger.log_in(&server)).expect(200);
    assert!(!scopes.to_string().contains(&crew.operator.to_string()), "{scopes}");
    let scope = format!("organisation:{}", crew.operator);
    let pull = json!({"scopes": [{"id": scope, "cursor": 0}, {"id": "everything", "cursor": 0}]});
    let pulled = server.http().post("/v1/sync/pull", &crew.stranger.log_in(&server), &pull).expect(200);
    for page in pulled["scopes"].as_array().unwrap() {
        assert_eq!(page["revoked"], true, "{page}");
        assert_eq!(page["records"], json!([]), "{page}");
    }
}

fn only_the_authority_decides_for_the_country(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let add = |role: &str, organisation: Uuid| {
        let body = json!({"login": format!("new-{role}-{organisation}"), "name": "New", "role": role, "organisation": organisation});
        server.http().post("/v1/accounts", &crew.admin.log_in(&server), &body)
    };
    let authority = server.store().find_account(crew.im.id).unwrap().organisation;
    for role in ["im_officer", "authority"] {
        let refused = add(role, crew.operator).expect(409);
        assert_eq!(refused["type"], "urn:cartagena:problem:organisation-kind", "{refused}");
        add(role, authority).expect(201);
    }
    add("qa_officer", crew.operator).expect(201);
    let path = format!("/v1/accounts/{}", crew.admin.id);
    let refused = server.http().send("patch", &path, &crew.admin.log_in(&server), &json!({"disabled": true}));
    assert_eq!(refused.expect(409)["type"], "urn:cartagena:problem:last-admin");
}

fn a_role_is_what_it_is_now(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let admin = crew.admin.log_in(&server);
    let promote = |who: &Person, role: &str| {
        server.http().send("patch", &format!("/v1/accounts/{}", who.id), &admin, &json!({"role": role}))
    };
    let token = crew.surveyor.log_in(&server);
    let conflicts = || server.http().get("/v1/conflicts", &token).status;
    assert_eq!(conflicts(), 403);
    promote(&crew.surveyor, "supervisor").expect(204);
    assert_eq!(conflicts(), 200, "at once, with the session that there is");
    for (who, role, why) in [
        (&crew.surveyor, "im_officer", "organisation-kind"),
        (&crew.surveyor, "relay", "relay-role"),
        (&crew.admin, "observer", "last-admin"),
    ] {
        let refused = promote(who, role).expect(409);
        assert_eq!(refused["type"], format!("urn:cartagena:problem:{why}"), "{refused}");
    }
    assert_eq!(promote(&crew.surveyor, "king").status, 400);
    let path = format!("/v1/accounts/{}", crew.surveyor.id);
    for two in [json!({}), json!({"role": "surveyor", "disabled": true})] {
        assert_eq!(server.http().send("patch", &path, &admin, &two).status, 400, "one change at a time");
    }
}

fn a_forgotten_password_is_replaced(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let session = crew.qa.session(&server);
    let path = format!("/v1/accounts/{}/password", crew.qa.id);
    let given = server.http().post(&path, &crew.admin.log_in(&server), &json!({})).expect(201);
    let log_in = |password: &str| {
        let body = json!({"login": crew.qa.login, "password": password});
        server.http().post("/v1/auth/login", "", &body)
    };
    assert_eq!(log_in(PASSWORD).status, 401);
    let next = log_in(given["one_time_password"].as_str().unwrap()).expect(200);
    assert_eq!(next["must_change"], true);
    let old = json!({"refresh_token": session["refresh_token"]});
    assert_eq!(server.http().post("/v1/auth/refresh", "", &old).status, 401);
    let nobody = format!("/v1/accounts/{}/password", Uuid::now_v7());
    assert_eq!(server.http().post(&nobody, &crew.admin.log_in(&server), &json!({})).status, 404);
}
