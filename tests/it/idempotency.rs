//! A push that is sent again, however often and at once, is taken once.

use std::thread;

use serde_json::json;
use uuid::Uuid;

use crate::support::tablet::with;
use crate::support::{Crew, Place, Tablet, TestServer, on_both};

on_both!(
    parallel_copies_of_a_push_are_taken_once,
    a_duplicate_is_told_what_it_came_to_first,
    other_content_under_a_known_id_changes_nothing,
);

const COPIES: usize = 16;

fn parallel_copies_of_a_push_are_taken_once(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let push = [vec![tablet.area(Uuid::now_v7())], vec![tablet.area(Uuid::now_v7())]];
    let answers: Vec<_> = thread::scope(|scope| {
        let copies: Vec<_> = (0..COPIES).map(|_| scope.spawn(|| tablet.push(&push).expect(200))).collect();
        copies.into_iter().map(|copy| copy.join().unwrap()).collect()
    });
    for edit in 0..push.len() {
        let outcome =
            |word| answers.iter().filter(|answer| answer["results"][edit]["outcome"] == word).count();
        assert_eq!((outcome("applied"), outcome("duplicate")), (1, COPIES - 1));
        let seq = &answers[0]["results"][edit]["seq"];
        assert!(seq.is_i64() && answers.iter().all(|answer| answer["results"][edit]["seq"] == *seq));
    }
    assert!(answers.iter().all(|answer| answer["durable"]["device_seq_through"] == 2));
    let log = server.http().get("/v1/sync/log", &crew.im.log_in(&server)).expect(200);
    let entries = log["entries"].as_array().unwrap();
    assert_eq!(entries.iter().filter(|entry| entry["entry"] == "mutation").count(), 2);
}

fn a_duplicate_is_told_what_it_came_to_first(place: &Place) {
    let mut server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let edit = tablet.on("update", Uuid::now_v7(), &json!(Uuid::now_v7()), &json!({}));
    let first = tablet.send(&edit);
    assert_eq!(first["outcome"], "parked");
    server.restart();
    let body = tablet.body(&[vec![edit]]);
    let again = server.http().post("/v1/sync/push", &tablet.token, &body).expect(200)["results"][0].clone();
    let expected = with(first, &json!({"outcome": "duplicate", "first": "parked"}));
    assert_eq!(again, expected);
}

fn other_content_under_a_known_id_changes_nothing(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let area = Uuid::now_v7();
    let edit = tablet.area(area);
    tablet.must("applied", &edit);
    let forged = with(edit, &json!({"op": "retire"}));
    let answer = tablet.send(&forged);
    assert_eq!((&answer["outcome"], &answer["problem"]["code"]), (&json!("duplicate"), &json!("content")));
    let im = crew.im.log_in(&server);
    let record = server.http().get(&format!("/v1/records/{area}"), &im).expect(200);
    assert_eq!(record.get("retired"), None);
}
