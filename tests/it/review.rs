//! From the field to the official books, one person a step; and every step can be read afterwards.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::tablet::{area, record, with};
use crate::support::{Crew, Person, Place, Tablet, TestServer, on_both};

on_both!(
    four_people_bring_a_record_into_the_books,
    nobody_takes_two_steps,
    what_a_finding_holds_back_needs_a_reason,
    approvals_that_came_first_do_not_pass_a_finding_by,
    a_contested_area_is_not_finalised,
    ground_is_handed_over_to_what_is_in_the_books,
    a_returned_record_goes_round_again,
    a_returned_record_comes_back_to_its_surveyor,
    an_amendment_leaves_the_official_version_standing,
    a_faulty_outline_is_mended_in_the_office,
    history_shows_who_changed_what,
    unknown_fields_are_kept_and_passed_on,
);

struct Office {
    server: TestServer,
    crew: Crew,
    tablet: Tablet,
    area: Uuid,
}

impl Office {
    fn open(place: &Place) -> Self {
        let server = TestServer::start(place);
        let crew = Crew::hire(server.store());
        let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
        let id = Uuid::now_v7();
        tablet.must("applied", &tablet.area(id));
        Self { server, crew, tablet, area: id }
    }

    fn shown(&self) -> Value {
        record(&self.server, &self.crew.im.log_in(&self.server), self.area)
    }

    fn try_step(&self, who: &Person, step: &str, reason: Option<&str>) -> (u16, Value) {
        let tag = format!("\"{}\"", self.shown()["version"].as_str().unwrap());
        let path = format!("/v1/records/{}/stage", self.area);
        let body = json!({"action": step, "reason": reason});
        let token = who.log_in(&self.server);
        let reply = self.server.http().post_with(&path, &token, &[("If-Match", &tag)], &body);
        (reply.status, reply.body)
    }

    #[track_caller]
    fn step(&self, who: &Person, step: &str) {
        let (status, body) = self.try_step(who, step, None);
        assert_eq!(status, 200, "{body}");
    }

    fn finalise(&self) {
        self.step(&self.crew.surveyor, "submit");
        self.step(&self.crew.manager, "org_validate");
        self.step(&self.crew.qa, "ops_validate");
        self.step(&self.crew.im, "finalise");
    }
}

fn four_people_bring_a_record_into_the_books(place: &Place) {
    let office = Office::open(place);
    office.finalise();
    let shown = office.shown();
    assert_eq!((&shown["stage"], &shown["official"]), (&json!("finalised"), &shown["version"]));
    assert!(shown["properties"]["reference"].is_string(), "the server issues the reference");
    let donor = office.crew.observer.log_in(&office.server);
    office.server.http().get("/v1/records", &donor).expect(200);
    // A step on a version that has moved on is refused, and so is one without a version.
    let path = format!("/v1/records/{}/stage", office.area);
    let token = office.crew.im.log_in(&office.server);
    let tag = format!("\"{}\"", Uuid::now_v7());
    let body = json!({"action": "return", "reason": "x"});
    office.server.http().post_with(&path, &token, &[("If-Match", &tag)], &body).expect(412);
    office.server.http().post(&path, &token, &body).expect(428);
}

fn nobody_takes_two_steps(place: &Place) {
    let office = Office::open(place);
    // The programme manager edits the record, and then may not approve it.
    let manager = Tablet::enrol(&office.server, &office.crew, &office.crew.manager);
    let change = json!({"changes": {"remarks": {"to": "Seen by me"}}});
    manager.must("applied", &manager.on("update", office.area, &office.shown()["version"], &change));
    office.step(&office.crew.supervisor, "submit");
    let (status, body) = office.try_step(&office.crew.manager, "org_validate", None);
    assert_eq!((status, &body["type"]), (409, &json!("urn:cartagena:problem:two-person")), "{body}");
    let colleague = Person::new(
        office.server.store(),
        "colleague",
        cartagena::model::Role::ProgrammeManager,
        office.crew.operator,
    );
    office.step(&colleague, "org_validate");
    // Not out of turn, not by the wrong role.
    assert_eq!(office.try_step(&office.crew.im, "finalise", None).0, 409);
    assert_eq!(office.try_step(&colleague, "ops_validate", None).0, 409);
    // Nor over a tablet: there it is kept for a human.
    let qa = Tablet::enrol(&office.server, &office.crew, &office.crew.qa);
    let step =
        |action: &str| qa.on("review", office.area, &office.shown()["version"], &json!({"review": action}));
    qa.must("applied", &step("ops_validate"));
    assert_eq!(qa.send(&step("finalise"))["problem"]["code"], "permission");
}

fn what_a_finding_holds_back_needs_a_reason(place: &Place) {
    let office = Office::open(place);
    // A tenth of the outline's area was reported.
    let change = json!({"changes": {"reported_area_m2": {"to": 1_000}}});
    office
        .tablet
        .must("applied", &office.tablet.on("update", office.area, &office.shown()["version"], &change));
    office.step(&office.crew.surveyor, "submit");
    office.step(&office.crew.manager, "org_validate");
    office.step(&office.crew.qa, "ops_validate");
    let (status, problem) = office.try_step(&office.crew.im, "finalise", None);
    assert_eq!((status, &problem["type"]), (409, &json!("urn:cartagena:problem:held")), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("area_mismatch_large"), "{problem}");
    let im = Tablet::enrol(&office.server, &office.crew, &office.crew.im);
    let step = |more: &Value| {
        let step = with(json!({"review": "finalise"}), more);
        im.send(&im.on("review", office.area, &office.shown()["version"], &step))
    };
    assert_eq!(step(&json!({}))["problem"]["code"], "held");
    assert_eq!(step(&json!({"reason": "The reported size was of the first visit"}))["outcome"], "applied");
    assert_eq!(office.shown()["stage"], "finalised");
}

fn approvals_that_came_first_do_not_pass_a_finding_by(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let id = Uuid::now_v7();
    let surveyor = Tablet::enrol(&server, &crew, &crew.surveyor);
    let fields = with(area(), &json!({"reported_area_m2": 999_999}));
    let create = surveyor.create("hazardous_area", id, &fields);
    let mut version = create["mutation_id"].clone();
    for (who, step) in [
        (&crew.supervisor, "submit"),
        (&crew.manager, "org_validate"),
        (&crew.qa, "ops_validate"),
        (&crew.im, "finalise"),
    ] {
        let tablet = Tablet::enrol(&server, &crew, who);
        version = tablet.must("parked", &tablet.on("review", id, &version, &json!({"review": step})));
    }
    surveyor.must("applied", &create);
    let shown = record(&server, &crew.im.log_in(&server), id);
    assert_eq!((&shown["stage"], &shown["official"]), (&json!("ops_validated"), &Value::Null), "{shown}");
}

fn a_contested_area_is_not_finalised(place: &Place) {
    let office = Office::open(place);
    let version = office.shown()["version"].clone();
    let mine = json!({"changes": {"status": {"to": "suspended"}}});
    office.tablet.must("applied", &office.tablet.on("update", office.area, &version, &mine));
    let other = Tablet::enrol(&office.server, &office.crew, &office.crew.second);
    let theirs = json!({"changes": {"classification": {"to": "CHA"}}});
    other.must("conflict", &other.on("update", office.area, &version, &theirs));
    office.step(&office.crew.surveyor, "submit");
    office.step(&office.crew.manager, "org_validate");
    office.step(&office.crew.qa, "ops_validate");
    let (status, problem) = office.try_step(&office.crew.im, "finalise", Some("Quickly"));
    assert_eq!((status, &problem["type"]), (409, &json!("urn:cartagena:problem:held")), "{problem}");
}

fn ground_is_handed_over_to_what_is_in_the_books(place: &Place) {
    let office = Office::open(place);
    office.finalise();
    let (version, child) = (office.shown()["version"].clone(), Uuid::now_v7());
    office.tablet.must("applied", &office.tablet.area(child));
    let split = json!({"changes": {"split_into": {"to": [child]}}});
    office.tablet.must("applied", &office.tablet.on("update", office.area, &version, &split));
    office.step(&office.crew.surveyor, "submit");
    office.step(&office.crew.manager, "org_validate");
    office.step(&office.crew.qa, "ops_validate");
    let (status, problem) = office.try_step(&office.crew.im, "finalise", None);
    assert_eq!(status, 409);
    assert!(problem["detail"].as_str().unwrap().contains(&child.to_string()), "{problem}");
    crate::ledger::finalise(&office.server, &office.crew, child);
    office.step(&office.crew.im, "finalise");
}

fn a_returned_record_goes_round_again(place: &Place) {
    let office = Office::open(place);
    office.step(&office.crew.surveyor, "submit");
    office.step(&office.crew.manager, "org_validate");
    assert_eq!(office.try_step(&office.crew.qa, "return", None).0, 409, "a return needs a reason");
    assert_eq!(
        office.try_step(&office.crew.qa, "return", Some("The outline is missing a turning point")).0,
        200
    );
    assert_eq!(office.shown()["stage"], "returned");
    let change = json!({"changes": {"remarks": {"to": "Measured again"}}});
    office
        .tablet
        .must("applied", &office.tablet.on("update", office.area, &office.shown()["version"], &change));
    assert_eq!(office.shown()["stage"], "draft");
    office.step(&office.crew.surveyor, "submit");
    // What they approved before was sent back: they are asked again, and nobody else is needed.
    office.step(&office.crew.manager, "org_validate");
    office.step(&office.crew.qa, "ops_validate");
    office.step(&office.crew.im, "finalise");
    assert_eq!(office.shown()["stage"], "finalised");
}

fn a_returned_record_comes_back_to_its_surveyor(place: &Place) {
    let office = Office::open(place);
    let queue = |who: &Person| {
        let waiting = office.server.http().get("/v1/review/queue", &who.log_in(&office.server)).expect(200);
        waiting["features"].as_array().unwrap().len()
    };
    office.step(&office.crew.surveyor, "submit");
    office.step(&office.crew.manager, "org_validate");
    assert_eq!(office.try_step(&office.crew.qa, "return", Some("Which benchmark?")).0, 200);
    assert_eq!(
        office.shown()["author"],
        json!(office.crew.surveyor.id),
        "a step changes nothing of what it says"
    );
    assert_eq!((queue(&office.crew.surveyor), queue(&office.crew.second)), (1, 0));
    assert_eq!(office.try_step(&office.crew.second, "submit", None).0, 404, "not a colleague's");
    office.step(&office.crew.surveyor, "submit");
    let history = office
        .server
        .http()
        .get(&format!("/v1/records/{}/history", office.area), &office.crew.im.log_in(&office.server));
    let history = history.expect(200);
    let authors: Vec<&Value> =
        history["versions"].as_array().unwrap().iter().map(|step| &step["author"]).collect();
    let Crew { surveyor, manager, qa, .. } = &office.crew;
    assert_eq!(
        authors,
        [surveyor, surveyor, manager, qa, surveyor].map(|person| json!(person.id)).each_ref()
    );
}

fn an_amendment_leaves_the_official_version_standing(place: &Place) {
    let office = Office::open(place);
    office.finalise();
    let official = office.shown()["version"].clone();
    let change = json!({"changes": {"status": {"to": "suspended"}}});
    office.tablet.must("applied", &office.tablet.on("update", office.area, &official, &change));
    let shown = office.shown();
    assert_eq!((&shown["stage"], &shown["official"]), (&json!("draft"), &official));
    let reference = shown["properties"]["reference"].clone();
    office.finalise();
    let shown = office.shown();
    assert_eq!(shown["official"], shown["version"]);
    assert_eq!(shown["properties"]["reference"], reference, "a reference is issued once");
}

fn a_faulty_outline_is_mended_in_the_office(place: &Place) {
    let office = Office::open(place);
    let Crew { supervisor, manager, stranger, qa, im, .. } = &office.crew;
    let bow_tie = json!({"type": "Polygon", "coordinates":
        [[[44.0, 33.0], [44.001, 33.001], [44.001, 33.0], [44.0, 33.001], [44.0, 33.0]]]});
    let change = json!({"changes": {"geometry": {"to": bow_tie}}});
    office
        .tablet
        .must("applied", &office.tablet.on("update", office.area, &office.shown()["version"], &change));
    let path = format!("/v1/records/{}", office.area);
    let judged =
        office.server.http().get(&format!("{path}/outline"), &supervisor.log_in(&office.server)).expect(200);
    assert_eq!((&judged["valid"], &judged["version"]), (&json!(false), &office.shown()["version"]));
    assert!(judged["faults"][0]["message"].as_str().unwrap().contains("meet at"), "{judged}");
    assert!(judged["proposed_area_m2"].as_f64().unwrap() > 5_000.0, "{judged}");
    let correct = |who: &Person, version: &Value, body: &Value| {
        let token = who.log_in(&office.server);
        office.server.http().patch(&path, &token, version.as_str().unwrap(), body)
    };
    let accept =
        json!({"changes": {"geometry": {"to": judged["proposed"]}}, "reason": "Two corners were swapped"});
    assert_eq!(correct(stranger, &judged["version"], &accept).status, 404, "others' drafts do not exist");
    assert_eq!(correct(qa, &judged["version"], &accept).status, 409);
    assert_eq!(correct(supervisor, &json!(Uuid::now_v7()), &accept).status, 412);
    let wrong = json!({"changes": {"classification": {"to": "maybe"}}});
    assert_eq!(correct(supervisor, &judged["version"], &wrong).status, 409);
    correct(supervisor, &judged["version"], &accept).expect(200);
    assert_eq!(correct(supervisor, &judged["version"], &accept).status, 412, "it has moved on");
    assert_eq!(office.shown()["author"], json!(supervisor.id));
    office.step(supervisor, "submit");
    office.step(manager, "org_validate");
    office.step(qa, "ops_validate");
    office.step(im, "finalise");
    let figures = office.server.http().get("/v1/ledger/remaining", &im.log_in(&office.server)).expect(200);
    let (counted, meant) =
        (figures["total_m2"].as_f64().unwrap(), judged["proposed_area_m2"].as_f64().unwrap());
    assert!((counted / meant - 1.0).abs() < 1e-3, "{figures}");
}

fn history_shows_who_changed_what(place: &Place) {
    let office = Office::open(place);
    let change = json!({"changes": {"status": {"to": "suspended"}, "remarks": {"to": "Snow"}}});
    let update = office.tablet.on("update", office.area, &office.shown()["version"], &change);
    office.tablet.must("applied", &update);
    office.step(&office.crew.supervisor, "submit");
    let path = format!("/v1/records/{}/history", office.area);
    let token = office.crew.im.log_in(&office.server);
    let history = office.server.http().get(&path, &token).expect(200);
    let versions = history["versions"].as_array().unwrap();
    let ops: Vec<&str> = versions.iter().map(|version| version["op"].as_str().unwrap()).collect();
    assert_eq!(ops, ["create", "update", "review"]);
    let diff =
        json!({"status": {"from": "open", "to": "suspended"}, "remarks": {"from": null, "to": "Snow"}});
    assert_eq!(versions[1]["diff"], diff);
    assert_eq!(
        (&versions[1]["version"], &versions[1]["author"]),
        (&update["mutation_id"], &json!(office.crew.surveyor.id))
    );
    assert_eq!((&versions[2]["diff"], &versions[2]["stage"]), (&json!({}), &json!("submitted")));
    assert_eq!(versions[2]["author"], json!(office.crew.supervisor.id));
}

fn unknown_fields_are_kept_and_passed_on(place: &Place) {
    let office = Office::open(place);
    let id = Uuid::now_v7();
    let fields = with(area(), &json!({"x_soil": "laterite", "x_layers": [{"depth": 1}]}));
    let version = office.tablet.must("applied", &office.tablet.create("hazardous_area", id, &fields));
    // A tablet that does not know them edits what it knows.
    let change = json!({"changes": {"status": {"to": "suspended"}}});
    office.tablet.must("applied", &office.tablet.on("update", id, &version, &change));
    let kept = |feature: &Value| {
        assert_eq!(feature["properties"]["x_soil"], "laterite");
        assert_eq!(feature["properties"]["x_layers"], json!([{"depth": 1}]));
    };
    kept(&record(&office.server, &office.crew.im.log_in(&office.server), id));
    let im = Tablet::enrol(&office.server, &office.crew, &office.crew.im);
    let page = im.pull("everything");
    let features = page["records"].as_array().unwrap();
    kept(features.iter().find(|feature| feature["id"] == json!(id)).unwrap());
}
