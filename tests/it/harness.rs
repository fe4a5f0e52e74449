//! The tests' own ground: servers start, stop and start again on what they had.

use serde_json::json;

use crate::support::{Crew, Place, TestServer, on_both};

on_both!(
    a_server_keeps_its_people_over_a_restart,
    two_servers_share_a_database,
    probes_may_ask_without_a_body,
    a_wrong_method_is_told_the_right_ones,
);

fn a_server_keeps_its_people_over_a_restart(place: &Place) {
    let mut server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let token = crew.im.log_in(&server);
    let epoch = server.http().get("/v1/sync/head", &token).expect(200)["epoch"].clone();
    server.restart();
    let head = server.http().get("/v1/sync/head", &token);
    assert!(head.header("content-type").is_some_and(|type_| type_.starts_with("application/json")));
    assert_eq!(head.expect(200)["epoch"], epoch);
    assert_eq!(crew.enrol(&server, &crew.surveyor)["account"], json!(crew.surveyor.id));
    server.stop();
}

fn two_servers_share_a_database(place: &Place) {
    let (one, two) = (TestServer::start(place), TestServer::start(place));
    let crew = Crew::hire(one.store());
    let token = crew.im.log_in(&one);
    let head = |server: &TestServer| server.http().get("/v1/sync/head", &token).expect(200);
    assert_eq!(head(&one), head(&two));
}

fn probes_may_ask_without_a_body(place: &Place) {
    let server = TestServer::start(place);
    for path in ["/healthz", "/readyz"] {
        assert_eq!(server.http().get(path, "").expect(200)["status"].as_str().map(str::len), Some(5));
        assert_eq!(server.http().head(path, "").expect(200), json!(null), "{path}");
    }
}

fn a_wrong_method_is_told_the_right_ones(place: &Place) {
    let server = TestServer::start(place);
    let http = server.http();
    for (path, allowed) in [
        ("/v1/sync/head", "GET"),
        ("/v1/programme", "GET, PUT"),
        ("/v1/records/01920000-0000-7000-8000-000000000001", "GET, PATCH"),
        ("/healthz", "GET, HEAD"),
        ("/v1/blobs", "POST, OPTIONS"),
    ] {
        let reply = http.send(if path == "/v1/blobs" { "get" } else { "post" }, path, "", &json!({}));
        assert_eq!((reply.status, reply.header("allow")), (405, Some(allowed)), "{path}: {}", reply.body);
        assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    }
    assert_eq!(http.get("/v1/sync/push", "").header("allow"), Some("POST"));
    for path in ["/v1/nothing", "/v1/records/1/2/3"] {
        let reply = http.get(path, "");
        assert_eq!((reply.status, reply.header("allow")), (404, None), "{path}");
    }
}
