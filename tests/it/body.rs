//! A body that cannot be taken is answered in a way that a tablet can act on, and is not lost where it can be kept.

use std::io::Write as _;

use cartagena::config::Limits;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use uuid::Uuid;

use crate::support::server::patient_limits;
use crate::support::{Crew, Place, Tablet, TestServer, on_both};

on_both!(
    an_unreadable_body_is_kept_and_given_a_receipt,
    a_push_that_is_too_large_is_told_the_limits,
    a_small_body_cannot_grow_unseen,
    gzip_goes_both_ways,
    whoever_pushes_without_pause_is_told_to_wait,
);

const JSON: (&str, &str) = ("Content-Type", "application/json");

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(body).unwrap();
    gzip.finish().unwrap()
}

fn an_unreadable_body_is_kept_and_given_a_receipt(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let push =
        |body: &[u8]| server.http().post_bytes("/v1/sync/push", &tablet.token, &[JSON], body).expect(400);
    let torn = push(br#"{"protocol": 1, "device_id"#);
    let receipt: Uuid = torn["receipt"].as_str().unwrap().parse().unwrap();
    assert_ne!(receipt, Uuid::nil());
    let one_wrong = json!({"protocol": 1, "device_id": tablet.device, "txns": [[{"mutation_id": 5}]]});
    let answer = push(one_wrong.to_string().as_bytes());
    assert!(answer["detail"].as_str().unwrap().contains("/txns/0/0"), "{answer}");
    assert!(push(b"\xff\xfe\x00")["receipt"].is_string());
    let later = json!({"protocol": 2, "device_id": tablet.device, "txns": []});
    assert!(push(later.to_string().as_bytes())["receipt"].is_string());
}

fn a_push_that_is_too_large_is_told_the_limits(place: &Place) {
    let limits = Limits { push_bytes: 4_096, push_mutations: 3, ..patient_limits() };
    let server = TestServer::with_limits(place, limits);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let edit = || vec![tablet.create("hazardous_area", Uuid::now_v7(), &json!({}))];
    let many = tablet.push(&[edit(), edit(), edit(), edit()]).expect(413);
    assert_eq!((&many["max_mutations"], &many["max_bytes"]), (&json!(3), &json!(4_096)));
    let long = tablet.create("hazardous_area", Uuid::now_v7(), &json!({"remarks": "x".repeat(5_000)}));
    assert_eq!(tablet.push(&[vec![long]]).expect(413)["max_bytes"], 4_096);
    tablet.push(&[edit()]).expect(200);
}

fn a_small_body_cannot_grow_unseen(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let bomb = gzip(&vec![b' '; 64 << 20]);
    assert!(bomb.len() < 128 << 10);
    let headers = [JSON, ("Content-Encoding", "gzip")];
    let answer = server.http().post_bytes("/v1/sync/push", &tablet.token, &headers, &bomb).expect(413);
    assert!(answer["max_bytes"].is_u64());
    server.http().post_bytes("/v1/auth/login", "", &headers, &bomb).expect(413);
}

fn gzip_goes_both_ways(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let body = tablet.body(&[vec![tablet.area(Uuid::now_v7())]]).to_string();
    let headers = [JSON, ("Content-Encoding", "gzip")];
    let answer = server.http().post_bytes("/v1/sync/push", &tablet.token, &headers, &gzip(body.as_bytes()));
    assert_eq!(answer.expect(200)["results"][0]["outcome"], "applied");
    let head = server.http().get("/v1/records", &crew.im.log_in(&server));
    assert!(head.header("vary").is_some_and(|vary| vary.to_lowercase().contains("accept-encoding")));
}

fn whoever_pushes_without_pause_is_told_to_wait(place: &Place) {
    let server = TestServer::with_limits(place, Limits { pushes_per_second: 1, ..patient_limits() });
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let answers: Vec<_> = (0..4).map(|_| tablet.push(&[])).collect();
    let slowed = answers.iter().find(|answer| answer.status == 429).expect("one push a second is allowed");
    assert_eq!(slowed.header("retry-after"), Some("1"));
}
