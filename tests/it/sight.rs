//! Who sees what of records that others are still writing.

use serde_json::{Value, json};
use uuid::Uuid;

use cartagena::model::Role;

use crate::ledger::{finalise, push_hazard};
use crate::support::tablet::{record, with};
use crate::support::{Crew, Person, Place, Tablet, TestServer, on_both};

on_both!(
    a_draft_of_a_finalised_record_is_seen_by_its_own_people,
    a_retirement_that_nobody_has_approved_hides_nothing,
    a_task_shows_no_draft_of_another_operator,
    a_draft_moves_a_finalised_area_for_its_own_people_only,
    records_are_found_by_what_their_reader_sees_them_called,
    what_was_refused_is_shown_to_nobody_else,
    contest_is_shown_at_whatever_version_is_shown,
    a_head_that_the_server_never_stated_changes_nothing,
);

fn get(server: &TestServer, who: &Person, path: &str) -> Value {
    server.http().get(path, &who.log_in(server)).expect(200)
}

/// The record's version in a list.
fn listed(server: &TestServer, who: &Person, question: &str, id: Uuid) -> Option<Value> {
    let list = get(server, who, &format!("/v1/records?{question}"));
    let found = list["features"].as_array().unwrap().iter().find(|one| one["id"] == json!(id)).cloned();
    found.map(|one| one["version"].clone())
}

/// A release, which partners may see, finalised and then amended by a draft; its versions.
fn amended(server: &TestServer, crew: &Crew) -> (Uuid, Value, Value) {
    let id = Uuid::now_v7();
    let tablet = Tablet::enrol(server, crew, &crew.surveyor);
    let fields = json!({"result": "cleared", "method": "manual", "depth_cm": 20, "completion_date": "2024-06-30",
                        "geometry": crate::support::tablet::square(0.0)});
    tablet.must("applied", &tablet.create("land_release", id, &fields));
    finalise(server, crew, id);
    let official = record(server, &crew.im.log_in(server), id)["version"].clone();
    let edit = tablet.edit("update", "land_release", id);
    let edit =
        with(edit, &json!({"base_version": official, "changes": {"depth_cm": {"from": 20, "to": 13}}}));
    let draft = tablet.must("applied", &edit);
    (id, official, draft)
}

fn a_draft_of_a_finalised_record_is_seen_by_its_own_people(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let (id, official, draft) = amended(&server, &crew);
    let Crew { surveyor, second, manager, stranger, qa, im, observer, .. } = &crew;
    for (who, sees) in [
        (surveyor, &draft),
        (second, &official),
        (manager, &draft),
        (stranger, &official),
        (qa, &draft),
        (im, &draft),
        (observer, &official),
    ] {
        let shown = get(&server, who, &format!("/v1/records/{id}"));
        assert_eq!(&shown["version"], sees, "{}", who.login);
        let depth = if sees == &draft { 13 } else { 20 };
        assert!(
            shown["properties"].get("depth_cm").is_none_or(|shown| *shown == json!(depth)),
            "{}",
            who.login
        );
        assert_eq!(listed(&server, who, "", id).as_ref(), Some(sees), "{}", who.login);
        let at = |stage| listed(&server, who, stage, id);
        let drafts = (sees == &draft).then(|| draft.clone());
        assert_eq!(at("stage=draft"), drafts, "{}", who.login);
        let finalised = (sees == &official).then(|| official.clone());
        assert_eq!(at("stage=finalised"), finalised, "{}", who.login);
        let history = get(&server, who, &format!("/v1/records/{id}/history"));
        let told = history["versions"].as_array().unwrap().iter().any(|step| step["version"] == draft);
        assert_eq!(told, sees == &draft, "{}", who.login);
    }
    let history = get(&server, observer, &format!("/v1/records/{id}/history"));
    let stages = history["versions"].as_array().unwrap();
    assert!(stages.len() == 1 && stages[0]["stage"] == "finalised", "{history}");
}

fn a_retirement_that_nobody_has_approved_hides_nothing(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let area = push_hazard(&server, &crew, &crew.surveyor, 0.1);
    finalise(&server, &crew, area);
    let official = record(&server, &crew.im.log_in(&server), area)["version"].clone();
    let colleague = Person::new(server.store(), "manager-2", Role::ProgrammeManager, crew.operator);
    let tablet = Tablet::enrol(&server, &crew, &colleague);
    let retired = tablet.must("applied", &tablet.on("retire", area, &official, &json!({})));
    assert_eq!(listed(&server, &crew.im, "", area), Some(retired));
    assert_eq!(listed(&server, &crew.stranger, "", area), Some(official));
    finalise(&server, &crew, area);
    assert_eq!(listed(&server, &crew.im, "", area), None);
    assert_eq!(listed(&server, &crew.stranger, "", area), None);
}

fn a_task_shows_no_draft_of_another_operator(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let office = Tablet::enrol(&server, &crew, &crew.im);
    let rival = Tablet::enrol(&server, &crew, &crew.stranger);
    let [task, area, near, secret] = [(); 4].map(|()| Uuid::now_v7());
    office.must("applied", &office.area(area));
    let order = json!({"order_number": "7", "activity": "clearance", "operator_id": crew.operator,
                       "hazardous_area_ids": [area]});
    office.must("applied", &office.create("task", task, &order));
    rival.must("applied", &rival.area(near));
    let fields = with(crate::support::tablet::area(), &json!({"task_id": task}));
    rival.must("applied", &rival.create("hazardous_area", secret, &fields));
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let pull = || {
        let page = tablet.pull(&format!("task:{task}"));
        let mut versions = std::collections::BTreeMap::new();
        for feature in page["records"].as_array().unwrap() {
            versions
                .insert(feature["id"].as_str().unwrap().parse::<Uuid>().unwrap(), feature["version"].clone());
        }
        assert_eq!(page["digest"]["count"], json!(versions.len()), "{page}");
        versions
    };
    assert!(pull().keys().eq([task, area].iter()), "drafts of another operator");
    let version = || record(&server, &crew.im.log_in(&server), near)["version"].clone();
    let submitted =
        rival.must("applied", &rival.on("review", near, &version(), &json!({"review": "submit"})));
    assert_eq!(pull().get(&near), Some(&submitted));
    let other = |login: &str, role| Person::new(server.store(), login, role, crew.other);
    let manager = Tablet::enrol(&server, &crew, &other("other-manager", Role::ProgrammeManager));
    let qa = Tablet::enrol(&server, &crew, &crew.qa);
    manager.must("applied", &manager.on("review", near, &version(), &json!({"review": "org_validate"})));
    qa.must("applied", &qa.on("review", near, &version(), &json!({"review": "ops_validate"})));
    let official =
        office.must("applied", &office.on("review", near, &version(), &json!({"review": "finalise"})));
    assert_eq!(pull().get(&near), Some(&official));
    let change = json!({"changes": {"status": {"from": "open", "to": "suspended"}}});
    let amended = rival.must("applied", &rival.on("update", near, &official, &change));
    assert_eq!(pull().get(&near), Some(&official), "the finalised state until the amendment is put forward");
    let again = rival.must("applied", &rival.on("review", near, &amended, &json!({"review": "submit"})));
    assert_eq!(pull().get(&near), Some(&again));
}

fn a_head_that_the_server_never_stated_changes_nothing(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let head = || get(&server, &crew.im, "/v1/sync/head");
    let before = head();
    let forged = with(before.clone(), &json!({"entry_hash": "00".repeat(32)}));
    let ahead = with(before.clone(), &json!({"seq": 1_000_000}));
    for forged in [forged, ahead] {
        let body = with(tablet.body(&[]), &json!({"last_head": forged}));
        let reply = server.http().post("/v1/sync/push", &tablet.token, &body).expect(200);
        assert_eq!(reply["epoch"], before["epoch"]);
    }
    assert_eq!(head()["epoch"], before["epoch"]);
}

/// A task of the crew's operator around an area of the authority, and what a tablet of it is shown.
fn task_around(
    server: &TestServer,
    crew: &Crew,
) -> (Tablet, Uuid, impl Fn() -> std::collections::BTreeMap<Uuid, Value>) {
    let office = Tablet::enrol(server, crew, &crew.im);
    let [task, area] = [(); 2].map(|()| Uuid::now_v7());
    office.must("applied", &office.area(area));
    let order = json!({"order_number": "7", "activity": "clearance", "operator_id": crew.operator,
                       "hazardous_area_ids": [area]});
    office.must("applied", &office.create("task", task, &order));
    let tablet = Tablet::enrol(server, crew, &crew.surveyor);
    let pull = move || {
        let page = tablet.pull(&format!("task:{task}"));
        let records = page["records"].as_array().unwrap().iter();
        records.map(|one| (one["id"].as_str().unwrap().parse().unwrap(), one.clone())).collect()
    };
    (office, area, pull)
}

/// An area of the other operator beside it, taken through every stage; its finalised version.
fn neighbour(server: &TestServer, crew: &Crew, office: &Tablet) -> (Tablet, Uuid, Value) {
    let rival = Tablet::enrol(server, crew, &crew.stranger);
    let near = Uuid::now_v7();
    rival.must("applied", &rival.area(near));
    let manager = Person::new(server.store(), "other-manager", Role::ProgrammeManager, crew.other);
    let manager = Tablet::enrol(server, crew, &manager);
    let qa = Tablet::enrol(server, crew, &crew.qa);
    let mut version = Value::Null;
    for (tablet, step) in
        [(&rival, "submit"), (&manager, "org_validate"), (&qa, "ops_validate"), (office, "finalise")]
    {
        let stands = record(server, &crew.im.log_in(server), near)["version"].clone();
        version = tablet.must("applied", &tablet.on("review", near, &stands, &json!({"review": step})));
    }
    (rival, near, version)
}

fn a_draft_moves_a_finalised_area_for_its_own_people_only(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let (office, area, pull) = task_around(&server, &crew);
    let (rival, near, official) = neighbour(&server, &crew, &office);
    assert_eq!(pull()[&near]["version"], official);
    let moved = |place: Value| json!({"changes": {"geometry": {"to": place}}});
    let far = crate::support::tablet::square(3.0);
    let draft = rival.must("applied", &rival.on("update", near, &official, &moved(far.clone())));
    assert_eq!(pull()[&near]["version"], official, "a draft takes nothing off another's tablet");
    let here = "bbox=43.99,32.99,44.01,33.01";
    let there = "bbox=46.99,32.99,47.01,33.01";
    assert_eq!(listed(&server, &crew.surveyor, here, near), Some(official.clone()));
    assert_eq!(listed(&server, &crew.surveyor, there, near), None, "nor is the place of the draft told");
    assert_eq!(listed(&server, &crew.im, there, near), Some(draft));
    // What is left out of a page does not end the list.
    let page = get(&server, &crew.surveyor, &format!("/v1/records?{there}&limit=1"));
    assert!(page["features"] == json!([]) && page["next"].is_i64(), "{page}");
    // The area that the tablet is sent to is moved by a draft too: what lies around its finalised place stays.
    let version = record(&server, &crew.im.log_in(&server), area)["version"].clone();
    office.must("applied", &office.on("update", area, &version, &moved(far)));
    assert!(!pull().contains_key(&near), "this area was never finalised: it lies where it stands");
}

fn what_was_refused_is_shown_to_nobody_else(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let (office, _, pull) = task_around(&server, &crew);
    let (rival, near, official) = neighbour(&server, &crew, &office);
    let manager = Person::new(server.store(), "manager-3", Role::ProgrammeManager, crew.other);
    let reject = |version: &Value| {
        let tablet = Tablet::enrol(&server, &crew, &manager);
        let step = json!({"review": "reject", "reason": "Mines were seen"});
        tablet.must("applied", &tablet.on("review", near, version, &step))
    };
    let far = json!({"changes": {"geometry": {"to": crate::support::tablet::square(3.0)}}});
    let draft = rival.must("applied", &rival.on("update", near, &official, &far));
    reject(&draft);
    assert_eq!(pull()[&near]["version"], official);
    assert_eq!(get(&server, &crew.surveyor, &format!("/v1/records/{near}"))["version"], official);
    let own = get(&server, &manager, &format!("/v1/records/{near}"));
    assert_eq!(own["stage"], "rejected");
    assert_eq!(own["geometry"], crate::support::tablet::square(0.0), "it says again what was finalised");
    // A retirement that was refused retires nothing, for anybody.
    let retired = manager_tablet(&server, &crew, &manager, near, &own["version"]);
    let tablet = Tablet::enrol(&server, &crew, &manager);
    let submitted =
        tablet.must("applied", &tablet.on("review", near, &retired, &json!({"review": "submit"})));
    assert_eq!(pull()[&near]["retired"], true, "put forward, it is seen");
    reject(&submitted);
    assert!(pull()[&near]["retired"] != true && pull()[&near]["version"] == official);
    assert!(get(&server, &manager, &format!("/v1/records/{near}"))["retired"] != true);
    // What was never put forward does not come to light by being refused.
    let secret = Uuid::now_v7();
    let made = rival.must("applied", &rival.area(secret));
    server.http().get(&format!("/v1/records/{secret}"), &crew.surveyor.log_in(&server)).expect(404);
    let tablet = Tablet::enrol(&server, &crew, &manager);
    tablet.must(
        "applied",
        &tablet.on("review", secret, &made, &json!({"review": "reject", "reason": "Twice"})),
    );
    server.http().get(&format!("/v1/records/{secret}"), &crew.surveyor.log_in(&server)).expect(404);
}

fn manager_tablet(server: &TestServer, crew: &Crew, who: &Person, record: Uuid, version: &Value) -> Value {
    let tablet = Tablet::enrol(server, crew, who);
    tablet.must("applied", &tablet.on("retire", record, version, &json!({})))
}

fn contest_is_shown_at_whatever_version_is_shown(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let (office, _, pull) = task_around(&server, &crew);
    let (rival, near, official) = neighbour(&server, &crew, &office);
    let wide = crate::support::tablet::square(0.0005);
    let note = rival.must(
        "applied",
        &rival.on("update", near, &official, &json!({"changes": {"status": {"to": "suspended"}}})),
    );
    let colleague = Person::new(server.store(), "stranger-2", Role::Surveyor, crew.other);
    let colleague = Tablet::enrol(&server, &crew, &colleague);
    let other = json!({"changes": {"geometry": {"to": wide}, "classification": {"to": "CHA"}}});
    let conflict = colleague.must("conflict", &colleague.on("update", near, &official, &other));
    let shown = pull()[&near].clone();
    assert_eq!((&shown["version"], &shown["contested"]), (&official, &json!(true)), "{shown}");
    assert_eq!((&shown["candidates"], &shown["gravest"]), (&json!([wide]), &json!("CHA")), "{shown}");
    let settled = json!({"settles": [conflict], "reason": "Seen on site", "seen": server.store()
        .find_conflict(conflict.as_str().unwrap().parse().unwrap(), None, crew_sight(&server, &crew)).unwrap().seen});
    office.must("applied", &office.on("resolve", near, &note, &settled));
    let shown = pull()[&near].clone();
    assert!(shown["version"] == official && shown["contested"] != true, "{shown}");
    assert!(shown.get("candidates").is_none_or(|candidates| candidates == &json!([])), "{shown}");
}

fn crew_sight(server: &TestServer, crew: &Crew) -> cartagena::model::role::Sight {
    server.store().find_account(crew.im.id).unwrap().actor().sight()
}

fn records_are_found_by_what_their_reader_sees_them_called(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let id = Uuid::now_v7();
    let fields = json!({"result": "cleared", "method": "manual", "depth_cm": 20, "completion_date": "2024-06-30",
                        "local_reference": "Çay'ir 50%/7", "geometry": crate::support::tablet::square(0.0)});
    tablet.must("applied", &tablet.create("land_release", id, &fields));
    finalise(&server, &crew, id);
    let found = |who: &Person, part: &str| {
        let part = part.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"));
        listed(&server, who, &format!("named={part}"), id).is_some()
    };
    for part in ["Çay'ir 50%/7", "çAY", "50%/7", "%/", " 7 "] {
        assert!(found(&crew.im, part) && found(&crew.observer, part), "{part}");
    }
    for part in ["7/50", "_ay", "50_", "' or 1=1 --", "Cay", "%%"] {
        assert!(!found(&crew.im, part), "{part}");
    }
    // An amendment's new name is a draft: others do not find it by that, and still by the old one.
    let version = record(&server, &crew.im.log_in(&server), id)["version"].clone();
    let renamed = json!({"base_version": version, "changes": {"local_reference": {"to": "Secret valley"}}});
    tablet.must("applied", &with(tablet.edit("update", "land_release", id), &renamed));
    assert!(found(&crew.surveyor, "secret") && !found(&crew.surveyor, "50%"));
    assert!(!found(&crew.observer, "secret") && found(&crew.observer, "50%"));
}
