//! Nothing is overwritten unseen: parallel edits merge where that is safe, and become conflicts where it is not.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::tablet::{action, record, square, with};
use crate::support::{Crew, Person, Place, Tablet, TestServer, on_both};

on_both!(
    parallel_notes_merge,
    parallel_safety_edits_are_contested_until_resolved,
    a_stale_resolution_is_refused,
    a_resolution_sees_free_fields_too,
    whoever_made_a_branch_does_not_approve_it,
    retiring_against_a_parallel_edit_is_a_conflict,
    nothing_retired_comes_back_by_itself,
    what_an_edit_changed_beside_the_conflict_can_be_taken_up,
    a_retired_record_is_brought_back_by_a_settlement,
    rows_unite_and_struck_rows_stay_away,
    a_split_that_conflicts_is_not_taken_in_part,
    a_split_is_taken_whole,
);

/// A server, its people, and two tablets of one operator that both know one area at one version.
struct Field {
    server: TestServer,
    crew: Crew,
    one: Tablet,
    two: Tablet,
    area: Uuid,
    version: Value,
}

impl Field {
    fn prepare(place: &Place) -> Self {
        let server = TestServer::start(place);
        let crew = Crew::hire(server.store());
        let one = Tablet::enrol(&server, &crew, &crew.surveyor);
        let two = Tablet::enrol(&server, &crew, &crew.second);
        let area = Uuid::now_v7();
        let version = one.must("applied", &one.area(area));
        Self { server, crew, one, two, area, version }
    }

    fn im(&self) -> String {
        self.crew.im.log_in(&self.server)
    }

    fn shown(&self) -> Value {
        record(&self.server, &self.im(), self.area)
    }

    fn conflicts(&self) -> Vec<Value> {
        self.server.http().get("/v1/conflicts", &self.im()).expect(200)["conflicts"]
            .as_array()
            .unwrap()
            .clone()
    }

    fn update(&self, tablet: &Tablet, changes: &Value) -> Value {
        tablet.on("update", self.area, &self.version, &json!({"changes": changes}))
    }
}

fn parallel_notes_merge(place: &Place) {
    let field = Field::prepare(place);
    field.one.must("applied", &field.update(&field.one, &json!({"name": {"to": "North"}})));
    field.two.must("merged", &field.update(&field.two, &json!({"remarks": {"to": "Steep"}})));
    let shown = field.shown();
    assert_eq!(
        (&shown["properties"]["name"], &shown["properties"]["remarks"]),
        (&json!("North"), &json!("Steep"))
    );
    // The same field to the same value is no disagreement; to another it is, but nobody is in danger.
    field.two.must("merged", &field.update(&field.two, &json!({"name": {"to": "North"}})));
    field.two.must("conflict", &field.update(&field.two, &json!({"name": {"to": "South"}})));
    assert_eq!(field.shown()["properties"]["name"], "North");
    assert_eq!(field.shown().get("contested"), None);
}

fn parallel_safety_edits_are_contested_until_resolved(place: &Place) {
    let field = Field::prepare(place);
    let larger = field.update(&field.one, &json!({"geometry": {"to": square(0.001)}}));
    let head = field.one.must("applied", &larger);
    let released = field.update(&field.two, &json!({"status": {"to": "released"}}));
    let answer = field.two.send(&released);
    assert_eq!((&answer["outcome"], &answer["conflict_id"]), (&json!("conflict"), &released["mutation_id"]));
    let shown = field.shown();
    assert_eq!((&shown["contested"], &shown["version"]), (&json!(true), &head));
    assert_eq!(shown["properties"]["status"], "open");
    assert_eq!(shown["candidates"][0], square(0.0), "every outline that somebody still means");

    let conflicts = field.conflicts();
    let conflict = &conflicts[0];
    assert_eq!(conflicts.len(), 1);
    assert_eq!(conflict["base"]["version"], field.version);
    assert_eq!(conflict["theirs"]["version"], head);
    assert_eq!(conflict["mine"]["version"], released["mutation_id"]);
    let side = |side: &str| conflict[side]["values"]["status"].clone();
    assert_eq!([side("base"), side("theirs"), side("mine")], ["open", "open", "released"]);
    assert!(conflict["theirs"]["area_m2"].as_f64().unwrap() > 0.0);

    let path = format!("/v1/conflicts/{}/resolve", conflict["id"].as_str().unwrap());
    let body = json!({"version": conflict["theirs"]["version"], "seen": conflict["seen"], "changes": {"status": {"to": "suspended"}}, "reason": "Seen on site"});
    let silent = with(body.clone(), &json!({"reason": " "}));
    field.server.http().post(&path, &field.im(), &silent).expect(400);
    let manager = field.crew.manager.log_in(&field.server);
    field.server.http().post(&path, &manager, &body).expect(403);
    field.server.http().post(&path, &field.im(), &body).expect(200);
    let shown = field.shown();
    assert_eq!((shown.get("contested"), &shown["properties"]["status"]), (None, &json!("suspended")));
    assert_eq!(field.conflicts(), Vec::<Value>::new());
    let all = field.server.http().get("/v1/conflicts?settled=true", &field.im()).expect(200);
    assert_eq!(all["conflicts"][0]["settled"]["reason"], "Seen on site");
    assert_eq!(all["conflicts"][0]["settled"]["by"], shown["version"]);
}

fn a_stale_resolution_is_refused(place: &Place) {
    let field = Field::prepare(place);
    field.one.must("applied", &field.update(&field.one, &json!({"status": {"to": "suspended"}})));
    field.two.must("conflict", &field.update(&field.two, &json!({"status": {"to": "released"}})));
    let conflict = field.conflicts()[0].clone();
    let now = json!({"base_version": field.shown()["version"], "changes": {"status": {"to": "rework"}}});
    field.one.must("applied", &with(field.one.edit("update", "hazardous_area", field.area), &now));
    let path = format!("/v1/conflicts/{}/resolve", conflict["id"].as_str().unwrap());
    let body =
        json!({"version": conflict["theirs"]["version"], "seen": conflict["seen"], "reason": "Seen on site"});
    let refused = field.server.http().post(&path, &field.im(), &body).expect(412);
    assert_eq!(refused["type"], "urn:cartagena:problem:stale");
    assert_eq!(field.conflicts().len(), 1);
}

fn retiring_against_a_parallel_edit_is_a_conflict(place: &Place) {
    let field = Field::prepare(place);
    field.one.must("applied", &field.update(&field.one, &json!({"remarks": {"to": "Mines seen"}})));
    field.two.must("conflict", &field.two.on("retire", field.area, &field.version, &json!({})));
    let shown = field.shown();
    assert_eq!((shown.get("retired"), &shown["contested"]), (None, &json!(true)));
    assert_eq!(field.conflicts()[0]["mine"]["retired"], true);
}

fn nothing_retired_comes_back_by_itself(place: &Place) {
    let field = Field::prepare(place);
    let retired = field.one.must("applied", &field.one.on("retire", field.area, &field.version, &json!({})));
    field.two.must("conflict", &field.update(&field.two, &json!({"remarks": {"to": "Still there"}})));
    field.two.must("conflict", &field.two.area(field.area));
    field.two.must("conflict", &field.two.on("restore", field.area, &field.version, &json!({})));
    assert_eq!(field.shown()["retired"], true);
    // Whoever has seen that it was retired may bring it back.
    field.two.must("applied", &field.two.on("restore", field.area, &retired, &json!({})));
    assert_eq!(field.shown().get("retired"), None);
}

fn settle(field: &Field, conflict: &Value, changes: &Value) {
    let path = format!("/v1/conflicts/{}/resolve", conflict["id"].as_str().unwrap());
    let body = json!({"version": conflict["theirs"]["version"], "seen": conflict["seen"], "changes": changes, "reason": "Seen on site"});
    field.server.http().post(&path, &field.im(), &body).expect(200);
}

fn what_an_edit_changed_beside_the_conflict_can_be_taken_up(place: &Place) {
    let field = Field::prepare(place);
    field.one.must("applied", &field.update(&field.one, &json!({"status": {"to": "suspended"}})));
    let edit = json!({"status": {"to": "released"}, "remarks": {"to": "Three mines seen at the well"}});
    field.two.must("conflict", &field.update(&field.two, &edit));
    let conflict = field.conflicts()[0].clone();
    assert_eq!(conflict["fields"], json!(["status"]), "only the status disagrees");
    assert_eq!(conflict["changed"], json!(["remarks", "status"]), "and yet nothing of the edit stands");
    let told: Vec<&Value> =
        ["base", "theirs", "mine"].map(|side| &conflict[side]["values"]["remarks"]).to_vec();
    assert_eq!(told, [&Value::Null, &Value::Null, &json!("Three mines seen at the well")]);
    settle(&field, &conflict, &json!({"remarks": {"to": told[2]}}));
    let shown = field.shown();
    assert_eq!(shown["properties"]["status"], "suspended");
    assert_eq!(shown["properties"]["remarks"], "Three mines seen at the well");
}

fn a_retired_record_is_brought_back_by_a_settlement(place: &Place) {
    let field = Field::prepare(place);
    field.one.must("applied", &field.one.on("retire", field.area, &field.version, &json!({})));
    field.two.must("conflict", &field.update(&field.two, &json!({"remarks": {"to": "Still there"}})));
    let conflict = field.conflicts()[0].clone();
    assert_eq!(conflict["fields"], json!(["retired"]));
    let retired = |side: &str| &conflict[side]["values"]["retired"];
    assert_eq!(
        [retired("base"), retired("theirs"), retired("mine")],
        [false, true, false].map(|it| json!(it)).each_ref()
    );
    assert_eq!(conflict["mine"]["values"]["remarks"], "Still there");
    settle(&field, &conflict, &json!({"retired": {"to": false}, "remarks": {"to": "Still there"}}));
    let shown = field.shown();
    assert_eq!((shown.get("retired"), &shown["properties"]["remarks"]), (None, &json!("Still there")));
    // The other way round: what stands is retired after all.
    field.one.must(
        "applied",
        &with(
            field.one.edit("update", "hazardous_area", field.area),
            &json!({"base_version": shown["version"], "changes": {"remarks": {"to": "Seen again"}}}),
        ),
    );
    field.two.must("conflict", &field.two.on("retire", field.area, &shown["version"], &json!({})));
    let conflict = field.conflicts()[0].clone();
    assert_eq!(conflict["changed"], json!(["retired"]));
    settle(&field, &conflict, &json!({"retired": {"to": true}}));
    assert_eq!(field.shown()["retired"], true);
}

fn rows_unite_and_struck_rows_stay_away(place: &Place) {
    let field = Field::prepare(place);
    let row =
        |id: Uuid| json!({"id": id, "kind": "ordnance_seen", "strength": "direct", "date": "2026-04-01"});
    let (a, b) = (Uuid::now_v7(), Uuid::now_v7());
    field.one.must("applied", &field.update(&field.one, &json!({"evidence": {"add": [row(a)]}})));
    field.two.must("merged", &field.update(&field.two, &json!({"evidence": {"add": [row(b)]}})));
    field.one.must("merged", &field.update(&field.one, &json!({"evidence": {"remove": [a]}})));
    // A tablet that has not heard of it says the row once more.
    field.two.must("merged", &field.update(&field.two, &json!({"evidence": {"add": [row(a)]}})));
    let shown = field.shown();
    let evidence = shown["properties"]["evidence"].as_array().unwrap();
    assert_eq!(evidence.len(), 2);
    assert!(evidence.contains(&json!({"id": a, "removed": true})), "{evidence:?}");
    assert!(evidence.contains(&row(b)));
}

/// Retires the field's area for two new ones.
fn split(field: &Field) -> (Vec<Value>, [Uuid; 2]) {
    let parts = [Uuid::now_v7(), Uuid::now_v7()];
    let lineage = json!({"changes": {"split_into": {"to": parts}}});
    let told = field.two.on("update", field.area, &field.version, &lineage);
    let retire = field.two.on("retire", field.area, &told["mutation_id"], &json!({}));
    (action(vec![told, retire, field.two.area(parts[0]), field.two.area(parts[1])]), parts)
}

fn a_split_that_conflicts_is_not_taken_in_part(place: &Place) {
    let field = Field::prepare(place);
    field.one.must("applied", &field.update(&field.one, &json!({"status": {"to": "suspended"}})));
    let (edits, parts) = split(&field);
    let answer = field.two.push(std::slice::from_ref(&edits)).expect(200);
    assert!(
        answer["results"].as_array().unwrap().iter().all(|result| result["outcome"] == "conflict"),
        "{answer}"
    );
    assert_eq!(field.shown().get("retired"), None);
    for part in parts {
        field.server.http().get(&format!("/v1/records/{part}"), &field.im()).expect(404);
    }
    assert_eq!(field.conflicts().len(), edits.len());
}

fn a_split_is_taken_whole(place: &Place) {
    let field = Field::prepare(place);
    let (edits, parts) = split(&field);
    let cut: Vec<Vec<Value>> = edits.chunks(2).map(<[Value]>::to_vec).collect();
    let torn = field.two.push(&cut).expect(200);
    assert!(
        torn["results"].as_array().unwrap().iter().all(|result| result["outcome"] == "quarantined"),
        "{torn}"
    );
    assert_eq!(torn["results"][0]["problem"]["code"], "transaction");
    let (edits, whole) = split(&field);
    let answer = field.two.push(&[edits]).expect(200);
    assert!(
        answer["results"].as_array().unwrap().iter().all(|result| result["outcome"] == "applied"),
        "{answer}"
    );
    let shown = field.shown();
    assert_eq!((&shown["retired"], &shown["properties"]["split_into"]), (&json!(true), &json!(whole)));
    for (part, status) in parts.map(|part| (part, 404)).into_iter().chain(whole.map(|part| (part, 200))) {
        field.server.http().get(&format!("/v1/records/{part}"), &field.im()).expect(status);
    }
}

fn a_resolution_sees_free_fields_too(place: &Place) {
    let field = Field::prepare(place);
    field.one.must("applied", &field.update(&field.one, &json!({"remarks": {"to": "b"}})));
    field.two.must("conflict", &field.update(&field.two, &json!({"remarks": {"to": "c"}})));
    let conflict = field.conflicts()[0].clone();
    let warning =
        json!({"base_version": field.shown()["version"], "changes": {"remarks": {"to": "New trip wires"}}});
    field.one.must("applied", &with(field.one.edit("update", "hazardous_area", field.area), &warning));
    let path = format!("/v1/conflicts/{}/resolve", conflict["id"].as_str().unwrap());
    let changes = json!({"remarks": {"to": "c"}});
    let body = json!({"version": conflict["theirs"]["version"], "seen": conflict["seen"], "changes": changes, "reason": "x"});
    field.server.http().post(&path, &field.im(), &body).expect(412);
    assert_eq!(field.shown()["properties"]["remarks"], "New trip wires");
    // Whoever looks again may settle it.
    let again = field.conflicts()[0].clone();
    let body = with(body, &json!({"version": field.shown()["version"], "seen": again["seen"]}));
    field.server.http().post(&path, &field.im(), &body).expect(200);
}

fn whoever_made_a_branch_does_not_approve_it(place: &Place) {
    let field = Field::prepare(place);
    let manager = Tablet::enrol(&field.server, &field.crew, &field.crew.manager);
    field.one.must("applied", &field.update(&field.one, &json!({"remarks": {"to": "b"}})));
    manager.must("conflict", &field.update(&manager, &json!({"remarks": {"to": "c"}})));
    let conflict = field.conflicts()[0].clone();
    let path = format!("/v1/conflicts/{}/resolve", conflict["id"].as_str().unwrap());
    let body = json!({"version": conflict["theirs"]["version"], "seen": conflict["seen"],
                      "changes": {"remarks": {"to": "c"}}, "reason": "The manager is right"});
    field.server.http().post(&path, &field.im(), &body).expect(200);
    let step = |who: &Person, action: &str| {
        let version = field.shown()["version"].as_str().unwrap().to_owned();
        let stage = format!("/v1/records/{}/stage", field.area);
        let token = who.log_in(&field.server);
        let headers = [("If-Match", version.as_str())];
        field.server.http().post_with(&stage, &token, &headers, &json!({"action": action}))
    };
    step(&field.crew.supervisor, "submit").expect(200);
    let refused = step(&field.crew.manager, "org_validate").expect(409);
    assert_eq!(refused["type"], "urn:cartagena:problem:two-person", "{refused}");
}
