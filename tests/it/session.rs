//! A refresh token that is used twice was stolen – unless its successor was lost on the way.

use serde_json::{Value, json};

use cartagena::config::Limits;

use crate::support::people::{PASSWORD, text};
use crate::support::server::patient_limits;
use crate::support::{Crew, Place, Reply, Tablet, TestServer, on_both};

on_both!(
    a_stolen_token_ends_its_family,
    a_device_may_ask_again_for_a_lost_answer,
    a_lost_answer_gives_a_thief_nothing,
    logging_out_ends_the_session,
    another_password_ends_other_sessions_and_no_tablet,
    passwords_cannot_be_tried_with_a_stolen_token,
    a_closed_account_is_offered_no_device,
);

fn refresh(server: &TestServer, tokens: &Value) -> Reply {
    let body = json!({"refresh_token": text(tokens, "refresh_token")});
    server.http().post("/v1/auth/refresh", "", &body)
}

fn a_stolen_token_ends_its_family(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    // Once its successor is in use.
    for first in [crew.im.session(&server), crew.enrol(&server, &crew.surveyor)] {
        let second = refresh(&server, &first).expect(200);
        let third = refresh(&server, &second).expect(200);
        refresh(&server, &first).expect(401);
        refresh(&server, &third).expect(401);
    }
}

fn a_device_may_ask_again_for_a_lost_answer(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let first = crew.enrol(&server, &crew.surveyor);
    refresh(&server, &first).expect(200);
    refresh(&server, &first).expect(200);
    let arrived = refresh(&server, &first).expect(200);
    assert_eq!(arrived["role"], "surveyor");
    assert_eq!(arrived["organisation"], json!(crew.operator));
    let next = refresh(&server, &arrived).expect(200);
    refresh(&server, &next).expect(200);
}

fn a_lost_answer_gives_a_thief_nothing(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    for first in [crew.im.session(&server), crew.enrol(&server, &crew.surveyor)] {
        let owner = refresh(&server, &first).expect(200);
        let thief = refresh(&server, &first).expect(200);
        // The owner comes back with a token that was replaced: both are out.
        refresh(&server, &owner).expect(401);
        refresh(&server, &thief).expect(401);
    }
}

fn logging_out_ends_the_session(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let session = crew.im.session(&server);
    let body = json!({"refresh_token": text(&session, "refresh_token")});
    server.http().post("/v1/auth/logout", "", &body).expect(204);
    refresh(&server, &session).expect(401);
}

fn another_password_ends_other_sessions_and_no_tablet(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let elsewhere = crew.surveyor.session(&server);
    let change = json!({"old": PASSWORD, "new": "another correct horse battery"});
    server.http().post("/v1/auth/password", &crew.surveyor.log_in(&server), &change).expect(204);
    let refresh =
        |token: &Value| server.http().post("/v1/auth/refresh", "", &json!({"refresh_token": token})).status;
    assert_eq!(refresh(&elsewhere["refresh_token"]), 401);
    assert_eq!(refresh(&json!(tablet.refresh)), 200, "a tablet was enrolled by a code of its own");
}

fn passwords_cannot_be_tried_with_a_stolen_token(place: &Place) {
    let limits = Limits { log_ins_per_minute: 5, ..patient_limits() };
    let server = TestServer::with_limits(place, limits);
    let crew = Crew::hire(server.store());
    let token = crew.surveyor.log_in(&server);
    let guess = |number: u32| {
        let change = json!({"old": format!("guess number {number}"), "new": "another correct horse battery"});
        server.http().post("/v1/auth/password", &token, &change).status
    };
    let answers: Vec<u16> = (0..10).map(guess).collect();
    assert!(answers[0] == 401 && answers[9] == 429, "{answers:?}");
    // Nor by logging in: by one name, or by many from one address.
    let log_in = |login: &str| {
        let body = json!({"login": login, "password": "guess"});
        server.http().post("/v1/auth/login", "", &body).status
    };
    let answers: Vec<u16> = (0..10).map(|_| log_in("surveyor")).collect();
    assert!(answers[0] == 401 && answers[9] == 429, "{answers:?}");
    let answers: Vec<u16> = (0..110).map(|number| log_in(&format!("somebody {number}"))).collect();
    assert!(answers[0] == 401 && answers[109] == 429, "{answers:?}");
}

fn a_closed_account_is_offered_no_device(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    crew.offer(&server, &crew.second);
    server.store().set_disabled(crew.second.id, true, crew.admin.id).unwrap();
    let body = json!({"account": crew.second.id});
    let refused =
        server.http().post("/v1/devices/enrolments", &crew.admin.log_in(&server), &body).expect(409);
    assert_eq!(refused["type"], "urn:cartagena:problem:account-closed", "{refused}");
}
