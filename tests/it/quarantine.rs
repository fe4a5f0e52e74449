//! Nothing pushed is refused storage: what may not be taken is kept for a human, with every fault.

use cartagena::auth::token::Claims;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::tablet::{area, record, with};
use crate::support::{Crew, Place, Tablet, TestServer, on_both};

on_both!(
    every_fault_is_named_with_its_place,
    whoever_may_not_write_is_kept_waiting,
    a_number_used_twice_is_a_cloned_tablet,
    an_unlikely_number_of_retirements_waits_whole,
    a_revoked_or_expired_device_still_hands_over,
    a_repair_lets_what_waited_go_on,
    what_is_set_aside_stays_in_the_log,
    what_no_database_can_hold_is_kept_as_it_came,
    a_tablet_cannot_settle_what_was_set_aside,
    a_repair_is_held_to_what_a_push_is_held_to,
    a_repair_is_of_the_same_record,
    a_flood_of_conflicts_stays_readable,
    a_repair_keeps_what_its_maker_may_not_see,
);

fn quarantined(server: &TestServer, crew: &Crew) -> Vec<Value> {
    let answer = server.http().get("/v1/quarantine", &crew.im.log_in(server)).expect(200);
    answer["quarantined"].as_array().unwrap().clone()
}

#[track_caller]
fn must_be_quarantined(answer: &Value, code: &str) {
    let got = (&answer["outcome"], &answer["problem"]["code"]);
    assert_eq!(got, (&json!("quarantined"), &json!(code)), "{answer}");
    assert!(answer["seq"].is_i64(), "it is stored: {answer}");
}

fn every_fault_is_named_with_its_place(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let id = Uuid::now_v7();
    let line = json!({"type": "LineString", "coordinates": [[44, 33], [45, 33]]});
    let fields = json!({"classification": "maybe", "contamination": [], "geometry": line});
    let answer = tablet.send(&tablet.create("hazardous_area", id, &fields));
    must_be_quarantined(&answer, "schema");
    let faults = answer["problem"]["faults"].as_array().unwrap();
    let mut pointers: Vec<&str> = faults.iter().map(|fault| fault["pointer"].as_str().unwrap()).collect();
    pointers.sort_unstable();
    let expected =
        ["/geometry/type", "/properties/classification", "/properties/contamination", "/properties/status"];
    assert_eq!(pointers, expected);
    let waiting = quarantined(&server, &crew);
    assert_eq!((&waiting[0]["record_id"], &waiting[0]["problem"]), (&json!(id), &answer["problem"]));
    server.http().get(&format!("/v1/records/{id}"), &crew.im.log_in(&server)).expect(404);
}

fn whoever_may_not_write_is_kept_waiting(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let id = Uuid::now_v7();
    let version = tablet.must("applied", &tablet.area(id));
    let stranger = Tablet::enrol(&server, &crew, &crew.stranger);
    let theirs = stranger.on("update", id, &version, &json!({"changes": {"name": {"to": "Ours"}}}));
    must_be_quarantined(&stranger.send(&theirs), "permission");
    let order = json!({"order_number": "7", "activity": "clearance"});
    must_be_quarantined(&tablet.send(&tablet.create("task", Uuid::now_v7(), &order)), "permission");
    let forged = with(tablet.area(Uuid::now_v7()), &json!({"author": crew.im.id}));
    must_be_quarantined(&tablet.send(&forged), "permission");
    // Operators see their own organisation's.
    let manager = crew.manager.log_in(&server);
    let seen = server.http().get("/v1/quarantine", &manager).expect(200)["quarantined"].clone();
    assert_eq!(seen.as_array().unwrap().len(), 2);
}

fn a_number_used_twice_is_a_cloned_tablet(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let first = tablet.area(Uuid::now_v7());
    tablet.must("applied", &first);
    let cloned = with(tablet.area(Uuid::now_v7()), &json!({"device_seq": first["device_seq"]}));
    must_be_quarantined(&tablet.send(&cloned), "device_seq");
}

fn an_unlikely_number_of_retirements_waits_whole(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let made: Vec<Value> = (0..41).map(|_| tablet.area(Uuid::now_v7())).collect();
    let actions: Vec<Vec<Value>> = made.iter().map(|edit| vec![edit.clone()]).collect();
    tablet.push(&actions).expect(200);
    let retire = |edit: &Value| {
        let id = edit["record_id"].as_str().unwrap().parse().unwrap();
        vec![tablet.on("retire", id, &edit["mutation_id"], &json!({}))]
    };
    let few: Vec<_> = made[..20].iter().map(retire).collect();
    let answer = tablet.push(&few).expect(200);
    assert!(answer["results"].as_array().unwrap().iter().all(|result| result["outcome"] == "applied"));
    let many: Vec<_> = made[20..].iter().map(retire).collect();
    let answer = tablet.push(&many).expect(200);
    assert_eq!(answer["results"].as_array().unwrap().len(), 21);
    for result in answer["results"].as_array().unwrap() {
        must_be_quarantined(result, "blast_radius");
    }
    let still = tablet_records(&server, &crew);
    assert_eq!(still, 21);
}

fn tablet_records(server: &TestServer, crew: &Crew) -> usize {
    let listed = server.http().get("/v1/records?limit=1000", &crew.im.log_in(server)).expect(200);
    listed["features"].as_array().unwrap().len()
}

fn a_revoked_or_expired_device_still_hands_over(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let mut tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let fresh = tablet.token.clone();
    let old = Claims {
        sub: crew.surveyor.id,
        device: Some(tablet.device),
        iss: "cartagena".to_owned(),
        iat: 1,
        exp: 2,
    };
    tablet.token = server.keys().sign(&old);
    must_be_quarantined(&tablet.send(&tablet.area(Uuid::now_v7())), "expired");
    tablet.token = fresh;
    let admin = crew.admin.log_in(&server);
    server.http().post(&format!("/v1/devices/{}/revoke", tablet.device), &admin, &json!({})).expect(204);
    let edit = tablet.area(Uuid::now_v7());
    let answer = tablet.push(&[vec![edit]]).expect(200);
    must_be_quarantined(&answer["results"][0], "revoked");
    assert_eq!((&answer["wipe"], &answer["durable"]["device_seq_through"]), (&json!(true), &json!(2)));
    let body = json!({"refresh_token": tablet.refresh});
    server.http().post("/v1/auth/refresh", "", &body).expect(401);
    server.http().post("/v1/sync/pull", &tablet.token, &json!({"scopes": []})).expect(401);
}

fn a_repair_lets_what_waited_go_on(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let id = Uuid::now_v7();
    let wrong = tablet.create("hazardous_area", id, &with(area(), &json!({"status": "opened"})));
    must_be_quarantined(&tablet.send(&wrong), "schema");
    let name = json!({"changes": {"name": {"to": "North"}}});
    let next = tablet.on("update", id, &wrong["mutation_id"], &name);
    tablet.must("parked", &next);
    let im = crew.im.log_in(&server);
    let path = format!("/v1/quarantine/{}/repair", wrong["mutation_id"].as_str().unwrap());
    let still_wrong = server.http().post(&path, &im, &wrong).expect(409);
    assert_eq!(still_wrong["errors"][0]["pointer"], "/properties/status", "{still_wrong}");
    let mut mended = quarantined(&server, &crew)[0]["mutation"].clone();
    mended["changes"]["status"]["to"] = json!("open");
    server.http().post(&path, &im, &mended).expect(200);
    let shown = record(&server, &im, id);
    assert_eq!((&shown["properties"]["name"], &shown["version"]), (&json!("North"), &next["mutation_id"]));
    assert_eq!(shown["organisation"], json!(crew.operator), "it stays the operator's record");
    assert_eq!(quarantined(&server, &crew), Vec::<Value>::new());
    server.http().post(&path, &im, &mended).expect(412);
}

fn what_is_set_aside_stays_in_the_log(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let wrong = tablet.create("hazardous_area", Uuid::now_v7(), &json!({}));
    must_be_quarantined(&tablet.send(&wrong), "schema");
    let im = crew.im.log_in(&server);
    let path = format!("/v1/quarantine/{}/dismiss", wrong["mutation_id"].as_str().unwrap());
    server.http().post(&path, &im, &json!({"reason": ""})).expect(400);
    server.http().post(&path, &im, &json!({"reason": "A trial in the office"})).expect(204);
    assert_eq!(quarantined(&server, &crew), Vec::<Value>::new());
    let all = server.http().get("/v1/quarantine?settled=true", &im).expect(200);
    assert_eq!(all["quarantined"][0]["reason"], "A trial in the office");
    assert_eq!(tablet.send(&wrong)["outcome"], "duplicate");
}

fn what_no_database_can_hold_is_kept_as_it_came(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let name = tablet.create("hazardous_area", Uuid::now_v7(), &with(area(), &json!({"odd\u{0}": 1})));
    let reason = with(tablet.area(Uuid::now_v7()), &json!({"reason": "odd\u{0}"}));
    let kind = tablet.edit("create", &"x".repeat(12_000), Uuid::now_v7());
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    let deep = tablet.create("hazardous_area", Uuid::now_v7(), &with(area(), &json!({"odd": deep})));
    for edit in [&name, &reason, &kind, &deep] {
        must_be_quarantined(&tablet.send(edit), "content");
    }
    assert_eq!(quarantined(&server, &crew).len(), 4);
    let body = with(
        tablet.body(&[vec![tablet.area(Uuid::now_v7())]]),
        &json!({"app": "odd\u{0}", "outbox": {"pending": 1, "oldest": "-200000-01-01T00:00:00Z"}}),
    );
    let answer = server.http().post("/v1/sync/push", &tablet.token, &body).expect(200);
    assert_eq!(answer["results"][0]["outcome"], "applied");
}

fn a_tablet_cannot_settle_what_was_set_aside(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let wrong = tablet.create("hazardous_area", Uuid::now_v7(), &json!({}));
    must_be_quarantined(&tablet.send(&wrong), "schema");
    let forged = with(tablet.area(Uuid::now_v7()), &json!({"repairs": wrong["mutation_id"]}));
    must_be_quarantined(&tablet.send(&forged), "permission");
    assert_eq!(quarantined(&server, &crew).len(), 2, "the first is still open");
}

/// A hazardous area that a surveyor sent with a fault and a personal field; its id and what was sent.
fn faulty(server: &TestServer, crew: &Crew) -> (Uuid, Value) {
    let tablet = Tablet::enrol(server, crew, &crew.surveyor);
    let id = Uuid::now_v7();
    let fields = with(area(), &json!({"classification": "maybe", "author_name": "A. Person"}));
    let sent = tablet.create("hazardous_area", id, &fields);
    must_be_quarantined(&tablet.send(&sent), "schema");
    (id, sent)
}

fn a_repair_is_held_to_what_a_push_is_held_to(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let (_, mut sent) = faulty(&server, &crew);
    sent["changes"]["classification"]["to"] = json!("SHA");
    sent["changes"]["name"] = json!({"to": "North\u{0}field"});
    let path = format!("/v1/quarantine/{}/repair", sent["mutation_id"].as_str().unwrap());
    let problem = server.http().post(&path, &crew.im.log_in(&server), &sent).expect(409);
    assert!(problem["detail"].as_str().unwrap().contains("U+0000"), "{problem}");
    assert_eq!(quarantined(&server, &crew).len(), 1, "it still waits");
}

fn a_repair_keeps_what_its_maker_may_not_see(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let (id, sent) = faulty(&server, &crew);
    let manager = crew.manager.log_in(&server);
    let seen = server.http().get("/v1/quarantine", &manager).expect(200)["quarantined"][0].clone();
    assert!(seen["mutation"]["changes"].get("author_name").is_none(), "{seen}");
    let mut repaired = seen["mutation"].clone();
    repaired["changes"]["classification"]["to"] = json!("SHA");
    let path = format!("/v1/quarantine/{}/repair", sent["mutation_id"].as_str().unwrap());
    server.http().post(&path, &manager, &repaired).expect(200);
    let shown = record(&server, &crew.im.log_in(&server), id);
    assert_eq!(shown["properties"]["author_name"], "A. Person", "{shown}");
    assert_eq!(shown["properties"]["classification"], "SHA");
}

fn a_repair_is_of_the_same_record(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let (_, mut sent) = faulty(&server, &crew);
    sent["changes"]["classification"]["to"] = json!("SHA");
    sent["record_id"] = json!(Uuid::now_v7());
    let path = format!("/v1/quarantine/{}/repair", sent["mutation_id"].as_str().unwrap());
    server.http().post(&path, &crew.im.log_in(&server), &sent).expect(409);
    assert_eq!(quarantined(&server, &crew).len(), 1, "it still waits");
}

fn a_flood_of_conflicts_stays_readable(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let id = Uuid::now_v7();
    let version = tablet.must("applied", &tablet.area(id));
    tablet.must(
        "applied",
        &tablet.on("update", id, &version, &json!({"changes": {"status": {"to": "suspended"}}})),
    );
    let stale = json!({"changes": {"geometry": {"to": crate::support::tablet::square(0.001)}}});
    let outcomes: Vec<Value> =
        (0..40).map(|_| tablet.send(&tablet.on("update", id, &version, &stale))["outcome"].clone()).collect();
    assert_eq!(outcomes.iter().filter(|outcome| *outcome == "conflict").count(), 30);
    assert_eq!(outcomes[39], "quarantined");
    let shown = record(&server, &crew.im.log_in(&server), id);
    assert_eq!(shown["candidates"].as_array().unwrap().len(), 1, "the same outline thirty times is one");
}
