//! From a push to the Article 5 figure, down to the polygons behind it.

use cartagena::model::Role;
use cartagena::store::DatabaseUrl;
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection, SqliteConnection};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::tablet::record;
use crate::support::{Crew, Person, Place, Serving, Tablet, TestServer, on_both, people::text};

on_both!(
    from_a_push_to_what_remains,
    official_figures_count_what_is_finalised,
    a_retirement_leaves_official_figures_once_it_is_finalised,
    a_frozen_year_shows_what_changed_since,
    figures_as_csv,
    figures_as_workbooks,
);

/// A square of 0.001° at `lon`, 10° N: about 12 100 m².
pub(crate) fn square(lon: f64, width: f64) -> Value {
    let (east, south, north) = (lon + width, 10.0, 10.001);
    json!({"type": "Polygon", "coordinates": [[[lon, south], [east, south], [east, north], [lon, north], [lon, south]]]})
}

pub(crate) fn create(kind: &str, record: Uuid, author: &Person, fields: &Value, geometry: &Value) -> Value {
    let mut changes: serde_json::Map<String, Value> = fields
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.clone(), json!({"to": value})))
        .collect();
    changes.insert("geometry".to_owned(), json!({"to": geometry}));
    json!({
        "mutation_id": Uuid::now_v7(), "kind": kind, "schema": 1, "op": "create",
        "record_id": record, "changes": changes, "author": author.id,
    })
}

/// Pushes these mutations, each an action of its own, from a new device of `author`.
pub(crate) fn push(server: &impl Serving, crew: &Crew, author: &Person, mutations: Vec<Value>) -> Value {
    let device = crew.enrol(server, author);
    let numbered = mutations.into_iter().zip(1..).map(|(mut mutation, number)| {
        mutation["device_seq"] = json!(number);
        json!([mutation])
    });
    let body = json!({"protocol": 1, "device_id": device["device"], "txns": numbered.collect::<Vec<_>>()});
    server.http().post("/v1/sync/push", &text(&device, "access_token"), &body).expect(200)
}

/// Pushes one hazardous area; its id.
pub(crate) fn push_hazard(server: &TestServer, crew: &Crew, author: &Person, lon: f64) -> Uuid {
    let id = Uuid::now_v7();
    let answer = push(server, crew, author, vec![hazard(id, author, &square(lon, 0.001))]);
    assert_eq!(answer["results"][0]["outcome"], "applied", "{answer}");
    id
}

fn hazard(id: Uuid, author: &Person, outline: &Value) -> Value {
    let fields = json!({"classification": "CHA", "status": "open", "contamination": ["ap_mine"],
                        "date_identified": "2020-03-01"});
    create("hazardous_area", id, author, &fields, outline)
}

pub(crate) fn release(id: Uuid, author: &Person, of: Uuid, outline: &Value) -> Value {
    let fields = json!({"result": "cleared", "method": "manual", "depth_cm": 20, "completion_date": "2024-06-30",
                        "hazardous_area_ids": [of]});
    create("land_release", id, author, &fields, outline)
}

pub(crate) fn remaining(server: &TestServer, person: &Person, query: &str) -> Value {
    server.http().get(&format!("/v1/ledger/remaining?{query}"), &person.log_in(server)).expect(200)
}

pub(crate) fn total(figures: &Value) -> f64 {
    figures["total_m2"].as_f64().unwrap()
}

pub(crate) fn set_programme(server: &impl Serving, crew: &Crew) {
    let programme = json!({
        "name": "Test programme", "country": "TST",
        "extent": {"west": -1.0, "south": 9.0, "east": 1.0, "north": 11.0},
        "deposited_on": "2010-04-16",
        "deadlines": [{"kind": "extension", "decided_on": "2019-11-29", "new_deadline": "2030-10-01"}],
        "milestones": [{"year": 2024, "area_m2": 10000.0}],
    });
    let reply = server.http().send("put", "/v1/programme", &crew.admin.log_in(server), &programme);
    assert_eq!(reply.status, 204, "{}", reply.body);
}

fn from_a_push_to_what_remains(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    set_programme(&server, &crew);
    let (area, half) = (Uuid::now_v7(), Uuid::now_v7());
    let both = vec![
        hazard(area, &crew.surveyor, &square(0.0, 0.001)),
        // Half of it, and as much again outside.
        release(half, &crew.surveyor, area, &square(0.0005, 0.001)),
    ];
    let answer = push(&server, &crew, &crew.surveyor, both);
    assert_eq!(answer["durable"]["device_seq_through"], 2, "{answer}");

    assert!(total(&remaining(&server, &crew.qa, "basis=official")).abs() < f64::EPSILON);
    let before = remaining(&server, &crew.qa, "basis=provisional&as_of=2023-12-31");
    let after = remaining(&server, &crew.qa, "basis=provisional&as_of=2024-12-31");
    let whole = total(&before);
    assert!((whole - 12_122.0).abs() < 20.0, "{before}");
    assert!((total(&after) - whole / 2.0).abs() < 0.01, "{after}");

    // The polygons behind the figure add up to it.
    let href = text(&after["rows"][0], "pieces");
    let pieces = server.http().get(&href, &crew.qa.log_in(&server)).expect(200);
    assert!((total(&pieces) - total(&after)).abs() < 1e-6, "{pieces}");
    assert_eq!(pieces["features"][0]["properties"]["hazardous_area"], json!(area));
    // A view has the pieces in or across it, whole.
    let seen_in = |bbox: &str| {
        let href = format!("/v1/ledger/pieces?basis=provisional&as_of=2024-12-31&bbox={bbox}");
        let pieces = server.http().get(&href, &crew.qa.log_in(&server)).expect(200);
        (pieces["features"].as_array().unwrap().len(), total(&pieces))
    };
    let (all, whole_ground) = seen_in("-1,9,1,11");
    assert_eq!(all, 2, "one half remains, the other is released");
    assert!((whole_ground - whole).abs() < 0.01, "{whole_ground}");
    let (one, ground) = seen_in("0.0001,10.0001,0.0002,10.0002");
    assert!(one == 1 && (ground - whole / 2.0).abs() < 0.01, "{one} {ground}");
    assert_eq!(seen_in("0.5,10,0.6,10.1").0, 0);

    let query = "basis=provisional&from=2020-01-01&to=2024-12-31&group_by=year";
    let balance =
        server.http().get(&format!("/v1/ledger/balance?{query}"), &crew.qa.log_in(&server)).expect(200);
    let rows = balance["rows"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["residual_m2"] == json!(0.0)), "{balance}");
    let year = |year: &str| rows.iter().find(|row| row["year"] == year).unwrap();
    assert_eq!(year("2020")["newly_identified_m2"], before["total_m2"]);
    assert_eq!(year("2024")["closing_m2"], after["total_m2"]);

    let progress = "/v1/progress/article5?basis=provisional&as_of=2024-12-31";
    let progress = server.http().get(progress, &crew.director.log_in(&server)).expect(200);
    assert_eq!(progress["deadline"]["current"], "2030-10-01", "{progress}");
    assert_eq!(progress["forecast"]["standing"], "on_track", "{progress}");
    assert!((progress["milestones"][0]["actual_m2"].as_f64().unwrap() - whole / 2.0).abs() < 0.01);
}

/// Takes a record through every stage by the right people.
pub(crate) fn finalise(server: &TestServer, crew: &Crew, record: Uuid) {
    finalise_because(server, crew, record, None);
}

/// The same, with a reason for the last step.
pub(crate) fn finalise_because(server: &TestServer, crew: &Crew, record: Uuid, reason: Option<&str>) {
    let steps = [
        (&crew.supervisor, "submit"),
        (&crew.manager, "org_validate"),
        (&crew.qa, "ops_validate"),
        (&crew.im, "finalise"),
    ];
    for (person, action) in steps {
        let token = person.log_in(server);
        let path = format!("/v1/records/{record}");
        let version = text(&server.http().get(&path, &token).expect(200), "version");
        let headers = [("If-Match", version.as_str())];
        let path = format!("{path}/stage");
        let reason = reason.filter(|_| action == "finalise");
        let body = json!({"action": action, "reason": reason});
        server.http().post_with(&path, &token, &headers, &body).expect(200);
    }
}

fn official_figures_count_what_is_finalised(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    set_programme(&server, &crew);
    let area = push_hazard(&server, &crew, &crew.surveyor, 0.1);
    assert!(total(&remaining(&server, &crew.observer, "")).abs() < f64::EPSILON);
    finalise(&server, &crew, area);
    let official = remaining(&server, &crew.observer, "group_by=classification,contamination");
    assert!(total(&official) > 12_000.0, "{official}");
    assert_eq!(official["rows"][0]["classification"], "cha");
    let shown = server.http().get(&format!("/v1/records/{area}"), &crew.im.log_in(&server)).expect(200);
    assert_eq!(shown["stage"], "finalised");
    assert!(shown["properties"]["reference"].is_string(), "{shown}");
}

fn a_retirement_leaves_official_figures_once_it_is_finalised(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    set_programme(&server, &crew);
    let area = push_hazard(&server, &crew, &crew.surveyor, 0.1);
    finalise(&server, &crew, area);
    let before = total(&remaining(&server, &crew.observer, ""));
    assert!(before > 12_000.0);
    let version = || record(&server, &crew.im.log_in(&server), area)["version"].clone();
    let retire = |author: &Person| {
        let tablet = Tablet::enrol(&server, &crew, author);
        let more = json!({"changes": {"remarks": {"to": "Entered twice"}}});
        tablet.send(&tablet.on("retire", area, &version(), &more))
    };
    let refused = retire(&crew.surveyor);
    assert_eq!(refused["problem"]["code"], "permission", "{refused}");
    let colleague = Person::new(server.store(), "manager-2", Role::ProgrammeManager, crew.operator);
    let taken = retire(&colleague);
    assert_eq!(taken["outcome"], "applied", "{taken}");
    let shown = record(&server, &crew.im.log_in(&server), area);
    assert_eq!(shown["properties"]["remarks"], "Entered twice", "what came with the retirement is kept");
    assert!((total(&remaining(&server, &crew.observer, "")) - before).abs() < 1e-6, "nobody has approved it");
    finalise(&server, &crew, area);
    assert!(total(&remaining(&server, &crew.observer, "")).abs() < f64::EPSILON);
}

fn a_frozen_year_shows_what_changed_since(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    set_programme(&server, &crew);
    push_hazard(&server, &crew, &crew.surveyor, 0.0);
    let director = crew.director.log_in(&server);
    let body = json!({"year": 2024, "basis": "provisional"});
    let frozen = server.http().post("/v1/ledger/freezes", &director, &body).expect(201);
    assert!(text(&frozen, "hash").starts_with("sha256:"));
    server.http().post("/v1/ledger/freezes", &director, &body).expect(409);
    let list = || server.http().get("/v1/ledger/freezes", &director).expect(200)["freezes"][0].clone();
    assert_eq!(list()["unchanged"], true);
    push_hazard(&server, &crew, &crew.surveyor, 0.5);
    let later = list();
    assert_eq!(later["unchanged"], false);
    assert!(later["adjustments"]["closing_m2"].as_f64().unwrap() > 12_000.0, "{later}");
    assert_eq!(later["freeze"]["hash"], frozen["hash"], "the published figure stays");
    // What was published is in the log: nobody changes it or takes it away unnoticed.
    let faults = || server.store().verify(&mut |_, _, _| ()).unwrap().named;
    assert_eq!(faults(), Vec::<String>::new());
    let run = |statement: &str| match place.database() {
        DatabaseUrl::Sqlite(path) => {
            SqliteConnection::establish(&path).unwrap().batch_execute(statement).unwrap();
        }
        DatabaseUrl::Postgres(url) => {
            PgConnection::establish(&url).unwrap().batch_execute(statement).unwrap();
        }
    };
    run("create table kept as select * from \"freeze\"");
    run("update \"freeze\" set document = '{\"closing_m2\": 1}'");
    assert!(faults()[0].contains("frozen year 2024"), "{:?}", faults());
    assert_eq!(list()["unchanged"], false, "what is shown as frozen is not what was");
    run("delete from \"freeze\"");
    assert!(faults()[0].contains("it is gone"), "{:?}", faults());
    run("insert into \"freeze\" select * from kept; drop table kept");
}

fn figures_as_csv(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    set_programme(&server, &crew);
    push_hazard(&server, &crew, &crew.surveyor, 0.0);
    let headers = [("Accept", "text/csv")];
    let path = "/v1/ledger/remaining?basis=provisional&group_by=operator";
    let text = server.http().get_text(path, &crew.qa.log_in(&server), &headers);
    let mut lines = text.lines();
    let head = lines.next().unwrap();
    assert!(head.contains("operator") && head.contains("statement"), "{head}");
    assert!(lines.next().unwrap().contains(&crew.operator.to_string()));
}

fn figures_as_workbooks(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    set_programme(&server, &crew);
    push_hazard(&server, &crew, &crew.surveyor, 0.0);
    let reader = crew.qa.log_in(&server);
    let xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    for (path, sheet, area) in [
        ("/v1/ledger/remaining?basis=provisional&group_by=operator", "figures", "area_m2"),
        ("/v1/ledger/balance?basis=provisional&from=2020-01-01&to=2020-12-31", "figures", "closing_m2"),
        ("/v1/progress/article5?basis=provisional", "years", "remaining_m2"),
    ] {
        let (asked, taken) = (format!("{path}&f=xlsx"), path.to_owned());
        let (reply, bytes) = server.http().raw("GET", &asked, &reader, &[], &[]);
        assert_eq!((reply.status, reply.header("content-type")), (200, Some(xlsx)), "{path}");
        let (_, accepted) = server.http().raw("GET", &taken, &reader, &[("Accept", xlsx)], &[]);
        assert!(accepted.starts_with(b"PK"), "{path}");
        let csv = server.http().get_text(&format!("{path}&f=csv"), &reader, &[]);
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
        let mut part = |name: &str| std::io::read_to_string(archive.by_name(name).unwrap()).unwrap();
        let book = part("xl/workbook.xml");
        assert!(book.contains(&format!("name=\"{sheet}\"")) && book.contains("name=\"About\""), "{book}");
        let texts = part("xl/sharedStrings.xml");
        for word in ["as_of", "basis", "provisional", "No record is not evidence", "constructed", area] {
            let in_a_period = word == "as_of" && path.contains("balance");
            assert!(in_a_period || texts.contains(word), "{path}: {word} in {texts}");
        }
        // The last row of the sheet has the number of the CSV as a number.
        let mut lines = csv.lines();
        let column = lines.next().unwrap().split(',').position(|name| name == area).unwrap();
        let number: f64 = lines.last().unwrap().split(',').nth(column).unwrap().parse().unwrap();
        let rows = part("xl/worksheets/sheet1.xml");
        let numbers =
            rows.split("<v>").skip(1).filter_map(|rest| rest.split('<').next()?.parse::<f64>().ok());
        assert!(
            number > 12_000.0 && numbers.into_iter().any(|one| (one - number).abs() < 1e-6),
            "{number} in {rows}"
        );
    }
    let refused = server.http().get("/v1/ledger/remaining?f=pdf", &reader).expect(400);
    assert!(refused["detail"].as_str().unwrap().contains("json, csv, xlsx"), "{refused}");
    assert_eq!(server.http().get("/v1/ledger/pieces?f=csv", &reader).status, 400);
}
