//! A refresh token that is used twice was stolen – unless its successor was lost on the way.

use serde_json::{Value, json};

use crate::support::people::text;
use crate::support::{Crew, Place, Reply, TestServer, on_both};

on_both!(
    a_stolen_token_ends_its_family,
    a_device_may_ask_again_for_a_lost_answer,
    a_lost_answer_gives_a_thief_nothing,
    logging_out_ends_the_session,
    a_closed_account_is_offered_no_device,
);

fn refresh(server: &TestServer, tokens: &Value) -> Reply {
    let body = json!({"refresh_token": text(tokens, "refresh_token")});
    server.http().post("/v1/auth/refresh", "", &body)
}

fn a_stolen_token_ends_its_family(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    // A person's token can be used once, full stop.
    let first = crew.im.session(&server);
    let second = refresh(&server, &first).expect(200);
    refresh(&server, &first).expect(401);
    refresh(&server, &second).expect(401);
    // A device's, once its successor is in use.
    let first = crew.enrol(&server, &crew.surveyor);
    let second = refresh(&server, &first).expect(200);
    let third = refresh(&server, &second).expect(200);
    refresh(&server, &first).expect(401);
    refresh(&server, &third).expect(401);
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
    let first = crew.enrol(&server, &crew.surveyor);
    let owner = refresh(&server, &first).expect(200);
    let thief = refresh(&server, &first).expect(200);
    // The owner comes back with a token that was replaced: both are out.
    refresh(&server, &owner).expect(401);
    refresh(&server, &thief).expect(401);
}

fn logging_out_ends_the_session(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let session = crew.im.session(&server);
    let body = json!({"refresh_token": text(&session, "refresh_token")});
    server.http().post("/v1/auth/logout", "", &body).expect(204);
    refresh(&server, &session).expect(401);
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
