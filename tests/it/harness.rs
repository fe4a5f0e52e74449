//! The tests' own ground: servers start, stop and start again on what they had.

use serde_json::json;

use crate::support::{Crew, Place, TestServer, on_both};

on_both!(a_server_keeps_its_people_over_a_restart, two_servers_share_a_database);

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
