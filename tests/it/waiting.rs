//! What builds on something that is not here yet waits for it, and goes on by itself when it comes.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::tablet::{action, record, square, with};
use crate::support::{Crew, Place, Tablet, TestServer, on_both};

on_both!(
    an_update_waits_for_its_record,
    a_reference_waits_for_what_it_points_at,
    a_chain_is_released_to_its_end,
    an_action_waits_whole,
    an_unknown_schema_waits,
    what_waits_keeps_its_own_sender,
    operators_see_what_they_wait_for_themselves,
);

fn parked(server: &TestServer, crew: &Crew) -> Vec<Value> {
    let answer = server.http().get("/v1/parked", &crew.im.log_in(server)).expect(200);
    answer["parked"].as_array().unwrap().clone()
}

fn an_update_waits_for_its_record(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let area = Uuid::now_v7();
    let create = tablet.area(area);
    let update =
        tablet.on("update", area, &create["mutation_id"], &json!({"changes": {"name": {"to": "North"}}}));
    let answer = tablet.send(&update);
    assert_eq!(answer["outcome"], "parked");
    assert_eq!(answer["waiting_for"], create["mutation_id"]);
    assert_eq!(parked(&server, &crew)[0]["mutation_id"], update["mutation_id"]);
    tablet.must("applied", &create);
    assert_eq!(parked(&server, &crew), Vec::<Value>::new());
    let token = crew.im.log_in(&server);
    let shown = record(&server, &token, area);
    assert_eq!((&shown["properties"]["name"], &shown["version"]), (&json!("North"), &update["mutation_id"]));
}

fn a_reference_waits_for_what_it_points_at(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let (area, release) = (Uuid::now_v7(), Uuid::now_v7());
    let fields = json!({"result": "cleared", "method": "manual", "completion_date": "2026-05-01",
                        "hazardous_area_ids": [area], "geometry": square(0.0)});
    let create = tablet.create("land_release", release, &fields);
    let answer = tablet.send(&create);
    assert_eq!((&answer["outcome"], &answer["waiting_for"]), (&json!("parked"), &json!(area)), "{answer}");
    tablet.must("applied", &tablet.area(area));
    assert_eq!(parked(&server, &crew), Vec::<Value>::new());
    let token = crew.im.log_in(&server);
    assert_eq!(record(&server, &token, release)["version"], create["mutation_id"]);
}

fn a_chain_is_released_to_its_end(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let area = Uuid::now_v7();
    let create = tablet.area(area);
    let mut base = create["mutation_id"].clone();
    let mut chain = Vec::new();
    for step in 0..6 {
        let name = json!({"changes": {"name": {"to": format!("step {step}")}}});
        let edit = tablet.on("update", area, &base, &name);
        base = edit["mutation_id"].clone();
        chain.push(edit);
    }
    // The last comes first, so that each waits for one that waits.
    for edit in chain.iter().rev() {
        tablet.must("parked", edit);
    }
    assert_eq!(parked(&server, &crew).len(), chain.len());
    tablet.must("applied", &create);
    assert_eq!(parked(&server, &crew), Vec::<Value>::new());
    let token = crew.im.log_in(&server);
    assert_eq!(record(&server, &token, area)["properties"]["name"], "step 5");
    assert_eq!(record(&server, &token, area)["version"], base);
}

fn an_action_waits_whole(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let (missing, fresh) = (Uuid::now_v7(), Uuid::now_v7());
    let late = tablet.area(missing);
    let note = json!({"changes": {"name": {"to": "split"}}});
    let edits = action(vec![tablet.on("update", missing, &late["mutation_id"], &note), tablet.area(fresh)]);
    let answer = tablet.push(&[edits]).expect(200);
    let outcomes: Vec<_> = (0..2).map(|edit| answer["results"][edit]["outcome"].clone()).collect();
    assert_eq!(outcomes, ["parked", "parked"]);
    let token = crew.im.log_in(&server);
    server.http().get(&format!("/v1/records/{fresh}"), &token).expect(404);
    tablet.must("applied", &late);
    assert_eq!(record(&server, &token, missing)["properties"]["name"], "split");
    assert_eq!(record(&server, &token, fresh)["kind"], "hazardous_area");
}

fn an_unknown_schema_waits(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let newer = with(tablet.area(Uuid::now_v7()), &json!({"schema": 99}));
    let answer = tablet.send(&newer);
    assert_eq!(answer["outcome"], "parked");
    assert_eq!(answer["waiting_for"], "schema:hazardous_area/99");
    let kind = tablet.edit("create", "moon_base", Uuid::now_v7());
    assert_eq!(tablet.send(&kind)["waiting_for"], "schema:moon_base/1");
}

/// Two devices give their actions one name; one of them claims to be the other's owner.
fn what_waits_keeps_its_own_sender(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let office = Tablet::enrol(&server, &crew, &crew.im);
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let stranger = Tablet::enrol(&server, &crew, &crew.stranger);
    let area = Uuid::now_v7();
    let late = tablet.area(area);
    let txn = json!({"txn": {"id": Uuid::now_v7(), "index": 0, "size": 1}});
    let edit = |tablet: &Tablet, name: &str| {
        let more = json!({"changes": {"name": {"to": name}}});
        with(tablet.on("update", area, &late["mutation_id"], &more), &txn)
    };
    office.must("parked", &edit(&office, "Office"));
    let forged = with(edit(&stranger, "Forged"), &json!({"author": crew.im.id}));
    stranger.must("quarantined", &forged);
    stranger.must("parked", &edit(&stranger, "Stranger"));
    tablet.must("applied", &late);
    let shown = record(&server, &crew.im.log_in(&server), area);
    assert_eq!((&shown["properties"]["name"], &shown["author"]), (&json!("Office"), &json!(crew.im.id)));
    let set_aside = server.http().get("/v1/quarantine", &crew.im.log_in(&server)).expect(200);
    assert_eq!(set_aside["quarantined"].as_array().unwrap().len(), 2, "{set_aside}");
}

fn operators_see_what_they_wait_for_themselves(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    for who in [&crew.surveyor, &crew.stranger] {
        let tablet = Tablet::enrol(&server, &crew, who);
        let edit = tablet.on(
            "update",
            Uuid::now_v7(),
            &json!(Uuid::now_v7()),
            &json!({"changes": {"name": {"to": "X"}}}),
        );
        assert_eq!(tablet.send(&edit)["outcome"], "parked");
    }
    assert_eq!(parked(&server, &crew).len(), 2, "the authority sees all");
    let own = server.http().get("/v1/parked", &crew.manager.log_in(&server)).expect(200);
    let own = own["parked"].as_array().unwrap();
    assert!(own.len() == 1 && own[0]["organisation"] == json!(crew.operator), "{own:?}");
}
