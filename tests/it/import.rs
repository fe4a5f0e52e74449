//! From somebody's spreadsheet to the official figures, with the people of the README.

use cartagena::import::mapping::Wishes;
use cartagena::import::{Ids, Job, Line, Mapping, Outcome, Reading, Source, Summary, people, run};
use cartagena::model::Role;
use cartagena::model::role::Actor;
use serde_json::{Value, json};

use crate::support::{Crew, Person, Place, TestServer, on_both};

on_both!(
    an_import_goes_through_every_stage_into_the_official_figures,
    a_second_run_counts_no_square_metre_twice,
    people_that_the_review_lacks_are_named,
);

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A square of 0.001° at 10° N, about 12 100 m², with a number of its source.
fn sheet(name: &str) -> String {
    let ring = json!([[0.0, 10.0], [0.001, 10.0], [0.001, 10.001], [0.0, 10.001], [0.0, 10.0]]);
    json!({"type": "FeatureCollection", "features": [{"type": "Feature", "id": "MF-1",
        "properties": {"name": name, "date_identified": "2020-03-01"},
        "geometry": {"type": "Polygon", "coordinates": [ring]}}]})
    .to_string()
}

fn import(server: &TestServer, actor: Actor, text: &str) -> (Summary, Vec<Line>) {
    let source = Source::read(text.as_bytes(), &Reading::default()).unwrap();
    let schema = server.store().registry().latest("hazardous_area").unwrap();
    let set = pairs(&[("classification", "CHA"), ("status", "open"), ("contamination", "ap_mine")]);
    let mapping = Mapping::new(schema, Wishes { set, ..Wishes::default() }).unwrap();
    let ids = Ids::choose(&source, None, None).unwrap();
    let job = Job {
        source: &source,
        mapping: &mapping,
        ids: &ids,
        actor,
        captured: None,
        update: false,
        submit: true,
        dry_run: false,
    };
    let mut lines = Vec::new();
    let summary = run(server.store(), &job, &mut |line| lines.push(line.clone())).unwrap();
    (summary, lines)
}

/// A programme whose ground this is.
fn set_programme(server: &TestServer, crew: &Crew) {
    let programme = json!({
        "name": "Test programme", "country": "TST",
        "extent": {"west": -1.0, "south": 9.0, "east": 1.0, "north": 11.0},
        "deposited_on": "2010-04-16",
    });
    let reply = server.http().send("put", "/v1/programme", &crew.admin.log_in(server), &programme);
    assert_eq!(reply.status, 204, "{}", reply.body);
}

/// The actor that `cartagena import --as … --organisation …` makes.
fn actor(author: &Person, organisation: uuid::Uuid) -> Actor {
    Actor { account: author.id, role: author.role, organisation }
}

fn remaining(server: &TestServer, crew: &Crew, basis: &str) -> f64 {
    let path = format!("/v1/ledger/remaining?basis={basis}");
    let figures = server.http().get(&path, &crew.im.log_in(server)).expect(200);
    figures["total_m2"].as_f64().unwrap()
}

fn step(server: &TestServer, who: &Person, line: &Line, action: &str) -> (u16, Value) {
    let record = line.record_id.unwrap();
    let token = who.log_in(server);
    let shown = server.http().get(&format!("/v1/records/{record}"), &token).expect(200);
    let tag = format!("\"{}\"", shown["version"].as_str().unwrap());
    let path = format!("/v1/records/{record}/stage");
    let reply = server.http().post_with(&path, &token, &[("If-Match", &tag)], &json!({"action": action}));
    (reply.status, reply.body)
}

fn an_import_goes_through_every_stage_into_the_official_figures(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    set_programme(&server, &crew);
    let second = Person::new(
        server.store(),
        "data-entry",
        Role::ImOfficer,
        server.store().find_account(crew.im.id).unwrap().organisation,
    );
    // An officer of the authority imports for the operator: every step has its own person.
    let author = actor(&second, crew.operator);
    let accounts = server.store().list_accounts().unwrap();
    assert_eq!(people::missing(&accounts, author, "hazardous_area"), Vec::<String>::new());
    let (summary, lines) = import(&server, author, &sheet("Riverside"));
    assert_eq!((summary.count(Outcome::Taken), summary.submitted), (1, 1), "{summary}");
    assert!(remaining(&server, &crew, "official").abs() < f64::EPSILON);
    let must = |who: &Person, action: &str| {
        let (status, body) = step(&server, who, &lines[0], action);
        assert_eq!(status, 200, "{action}: {body}");
    };
    must(&crew.manager, "org_validate");
    must(&crew.qa, "ops_validate");
    let (status, body) = step(&server, &second, &lines[0], "finalise");
    assert_eq!((status, &body["type"]), (409, &json!("urn:cartagena:problem:two-person")), "{body}");
    must(&crew.im, "finalise");
    let official = remaining(&server, &crew, "official");
    assert!((official - 12_122.0).abs() < 20.0, "{official}");
}

fn a_second_run_counts_no_square_metre_twice(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    set_programme(&server, &crew);
    let author = actor(&crew.supervisor, crew.operator);
    import(&server, author, &sheet("Riverside"));
    let before = remaining(&server, &crew, "provisional");
    assert!(before > 12_000.0, "{before}");
    let (same, _) = import(&server, author, &sheet("Riverside"));
    assert_eq!((same.count(Outcome::Duplicate), same.submitted), (1, 0), "{same}");
    let (changed, lines) = import(&server, author, &sheet("Riverside north"));
    assert_eq!(changed.count(Outcome::Differs), 1, "{changed}");
    assert_eq!(lines[0].reasons[0], "the record has something else in name");
    assert!((remaining(&server, &crew, "provisional") - before).abs() < 0.01);
    let records = server.http().get("/v1/records", &crew.im.log_in(&server)).expect(200);
    assert_eq!(records["features"].as_array().map(Vec::len), Some(1), "{records}");
}

fn people_that_the_review_lacks_are_named(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let store = server.store();
    let accounts = || store.list_accounts().unwrap();
    let authority = store.find_account(crew.im.id).unwrap().organisation;
    let missing = |author: &Person, organisation| {
        people::missing(&accounts(), actor(author, organisation), "hazardous_area").join("; ")
    };
    assert_eq!(missing(&crew.supervisor, crew.operator), "");
    let own = missing(&crew.im, authority);
    assert!(
        own.contains("ops_validate") && own.contains("finalise") && !own.contains("org_validate"),
        "{own}"
    );
    assert!(missing(&crew.stranger, crew.other).contains("org_validate"), "it has no programme manager");
    store.set_disabled(crew.qa.id, true, crew.admin.id).unwrap();
    assert!(
        missing(&crew.supervisor, crew.operator).contains("ops_validate"),
        "a closed account helps nobody"
    );
}
