//! What figures may be asked, what stands behind them, and what they do not claim.

use serde_json::{Value, json};
use uuid::Uuid;

use cartagena::model::Role;

use crate::ledger::{
    create, finalise, finalise_because, push, push_hazard, release, remaining, set_programme, square, total,
};
use crate::support::tablet::record;
use crate::support::{Crew, Person, Place, Tablet, TestServer, on_both, people::text};

on_both!(
    the_pieces_behind_every_row_add_up_to_it,
    a_question_that_cannot_be_answered_is_refused,
    an_empty_database_is_not_a_cleared_country,
    a_programme_that_cannot_be_right_is_refused,
    a_programme_is_changed_by_whoever_saw_it,
    releases_say_what_counts_of_them,
    single_records_are_for_whoever_sees_them,
);

/// Two provinces, an area that was suspected and then confirmed, two releases, one of them partly outside.
fn fill(server: &TestServer, crew: &Crew) -> [Uuid; 2] {
    let (area, other, first, second) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    let fields = |class: &str, province: &str| {
        json!({"classification": class, "status": "open", "contamination": ["ap_mine", "uxo"],
               "date_identified": "2020-03-01", "admin1": province})
    };
    let tablet = Tablet::enrol(server, crew, &crew.surveyor);
    let made = [
        create("hazardous_area", area, &crew.surveyor, &fields("SHA", "P1"), &square(0.0, 0.002)),
        create(
            "hazardous_area",
            other,
            &crew.surveyor,
            &json!({"classification": "SHA", "status": "open",
            "contamination": ["cluster_munition_remnant"], "date_identified": "2021-03-01"}),
            &square(0.1, 0.001),
        ),
        release(first, &crew.surveyor, area, &square(0.0005, 0.0005)),
        release(second, &crew.surveyor, other, &square(0.1005, 0.001)),
    ];
    let answer = push(server, crew, &crew.surveyor, made.into());
    assert!(
        answer["results"].as_array().unwrap().iter().all(|taken| taken["outcome"] == "applied"),
        "{answer}"
    );
    let base = record(server, &crew.im.log_in(server), area)["version"].clone();
    let confirmed = json!({"changes": {
        "classification": {"from": "SHA", "to": "CHA"},
        "classification_date": {"from": null, "to": "2023-05-05"},
    }});
    let taken = tablet.send(&tablet.on("update", area, &base, &confirmed));
    assert_eq!(taken["outcome"], "applied", "{taken}");
    [first, second]
}

fn the_pieces_behind_every_row_add_up_to_it(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    set_programme(&server, &crew);
    fill(&server, &crew);
    let token = crew.qa.log_in(&server);
    let get = |path: &str| server.http().get(path, &token).expect(200);
    let cuts = [
        "",
        "year",
        "admin1",
        "classification,year",
        "contamination",
        "operator,result",
        "method",
        "result,year",
    ];
    let mut followed = 0;
    for cut in cuts {
        let balance = get(&format!(
            "/v1/ledger/balance?basis=provisional&from=2019-06-01&to=2025-05-31&group_by={cut}"
        ));
        for row in balance["rows"].as_array().unwrap() {
            let pieces = get(&text(row, "pieces"));
            for (column, sum) in pieces["balance"].as_object().unwrap() {
                let (sum, stated) = (sum.as_f64().unwrap(), row[column].as_f64().unwrap());
                assert!((sum - stated).abs() < 1e-9, "{cut} {column}: {sum} of {row}");
            }
            followed += 1;
        }
        if cut.contains("year") {
            continue;
        }
        let remaining =
            get(&format!("/v1/ledger/remaining?basis=provisional&as_of=2025-05-31&group_by={cut}"));
        for row in remaining["rows"].as_array().unwrap() {
            let pieces = get(&text(row, "pieces"));
            assert_eq!(pieces["total_m2"], row["area_m2"], "{row}");
            followed += 1;
        }
    }
    assert!(followed > 30, "{followed} rows");
    // Rows of a year in which ground was reclassified are not those of its last day.
    let balance =
        get("/v1/ledger/balance?basis=provisional&from=2023-01-01&to=2023-12-31&group_by=classification");
    let suspected =
        balance["rows"].as_array().unwrap().iter().find(|row| row["classification"] == "sha").unwrap();
    assert!(suspected["reclassified_out_m2"].as_f64().unwrap() > 12_000.0, "{balance}");
}

fn a_question_that_cannot_be_answered_is_refused(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    set_programme(&server, &crew);
    fill(&server, &crew);
    let token = crew.qa.log_in(&server);
    let refused = [
        ("remaining?as_off=2024-12-31", "as_off"),
        ("remaining?as_of=2024-13-01", "2024-13-01"),
        ("remaining?as_of=2190-01-01", "has not come yet"),
        ("remaining?as_of=+9999-01-01", "2024-12-31"),
        ("remaining?group_by=year", "balance"),
        ("remaining?group_by=provinces", "admin1"),
        ("remaining?from=2024-01-01", "from"),
        ("remaining?state=released", "state"),
        ("remaining?contamination=mines", "ap_mine"),
        ("balance?result=blown_up", "bac_cleared"),
        ("remaining?result=cleared", "result"),
        ("remaining?method=manual", "method"),
        ("remaining?classification=maybe", "cha"),
        ("remaining?admin1=P9", "P9"),
        ("remaining?treaty=geneva", "apmbc_article_5"),
        ("balance?from=2024-01-01&to=2023-01-01", "from"),
        ("balance?from=2024-01-01&as_of=2024-12-31", "as_of"),
        ("pieces?group_by=admin1", "group_by"),
        ("pieces?state=maybe", "contaminated"),
        ("releases?admin1=P1", "admin1"),
    ];
    for (question, named) in refused {
        let problem = server.http().get(&format!("/v1/ledger/{question}"), &token).expect(400);
        let detail = text(&problem, "detail");
        assert!(detail.contains(named), "{question}: {detail}");
    }
    let some =
        |question: &str| total(&remaining(&server, &crew.qa, &format!("basis=provisional&{question}")));
    assert!(some("contamination=ap_mine%2Buxo") > 12_000.0);
    assert!(some("contamination=cluster_munition_remnant") < 12_000.0);
    assert!((some("admin1=P1") + some("admin1=none") - some("")).abs() < 1e-6);
}

fn standing(server: &TestServer, crew: &Crew, basis: &str) -> Value {
    let path = format!("/v1/progress/article5?basis={basis}&as_of=2024-12-31");
    server.http().get(&path, &crew.director.log_in(server)).expect(200)
}

fn an_empty_database_is_not_a_cleared_country(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let empty = standing(&server, &crew, "official");
    assert_eq!(empty["forecast"]["standing"], "undetermined", "{empty}");
    set_programme(&server, &crew);
    let area = push_hazard(&server, &crew, &crew.surveyor, 0.0);
    let pending = standing(&server, &crew, "official");
    assert_eq!(pending["forecast"]["standing"], "undetermined", "{pending}");
    assert!(pending["doubts"]["unapproved_m2"].as_f64().unwrap() > 12_000.0, "{pending}");
    assert_eq!(pending["forecast"]["completion"]["mean"], Value::Null);
    // All of it released and approved, but one area is known by its reported size only.
    let (all, point) = (Uuid::now_v7(), Uuid::now_v7());
    let fields = json!({"classification": "CHA", "status": "open", "contamination": ["ap_mine"],
                        "date_identified": "2020-03-01", "reported_area_m2": 2500.0});
    let reported = create(
        "hazardous_area",
        point,
        &crew.surveyor,
        &fields,
        &json!({"type": "Point", "coordinates": [0.5, 10.0]}),
    );
    let made = vec![release(all, &crew.surveyor, area, &square(0.0, 0.001)), reported];
    push(&server, &crew, &crew.surveyor, made);
    for id in [area, all, point] {
        finalise(&server, &crew, id);
    }
    let reported = standing(&server, &crew, "official");
    assert_eq!(reported["forecast"]["standing"], "undetermined", "{reported}");
    assert_eq!(reported["reported_only"], json!({"areas": 1, "reported_m2": 2500.0}));
    let figures = remaining(&server, &crew.manager, "as_of=2024-12-31");
    assert_eq!(figures["reported_only"], reported["reported_only"], "one account, two addresses");
    let manager = Person::new(server.store(), "manager-3", Role::ProgrammeManager, crew.operator);
    let tablet = Tablet::enrol(&server, &crew, &manager);
    let base = record(&server, &crew.im.log_in(&server), point)["version"].clone();
    let closed = json!({"changes": {"status": {"from": "open", "to": "released"}, "status_date": {"from": null, "to": "2024-05-05"}}});
    let taken = tablet.send(&tablet.on("update", point, &base, &closed));
    assert_eq!(taken["outcome"], "applied", "{taken}");
    finalise_because(&server, &crew, point, Some("Visited: it is the same ground as the other area"));
    let done = standing(&server, &crew, "official");
    assert_eq!(done["forecast"]["standing"], "complete", "{done}");
}

fn a_programme_that_cannot_be_right_is_refused(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let admin = crew.admin.log_in(&server);
    let extent = json!({"west": -1.0, "south": 9.0, "east": 1.0, "north": 11.0});
    let set = |more: Value| {
        let mut programme = json!({"name": "Test", "country": "TST", "extent": extent});
        for (name, value) in more.as_object().unwrap() {
            programme[name] = value.clone();
        }
        server.http().send("put", "/v1/programme", &admin, &programme)
    };
    let extension =
        |day: &str| json!([{"kind": "extension", "decided_on": "2019-11-29", "new_deadline": day}]);
    let refused = [
        json!({"deposited_on": "+262142-12-31"}),
        json!({"entry_into_force": "-0044-03-15"}),
        json!({"deposited_on": "2010-04-16", "deadlines": extension("9999-12-31")}),
        json!({"deadlines": extension("2030-10-01")}),
        json!({"deposited_on": "2010-04-16", "completions": ["0001-01-01"]}),
    ];
    for more in refused {
        let reply = set(more.clone());
        assert_eq!(reply.status, 422, "{more}: {}", reply.body);
    }
    let reply = set(json!({"deposited_on": "2010-04-16", "completions": ["2024-06-30"]}));
    assert_eq!(reply.status, 204, "{}", reply.body);
    let declared = standing(&server, &crew, "official");
    assert_eq!(declared["deadline"]["state"]["state"], "completed", "{declared}");
}

fn a_programme_is_changed_by_whoever_saw_it(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    set_programme(&server, &crew);
    let admin = crew.admin.log_in(&server);
    let read = || server.http().raw("GET", "/v1/programme", &admin, &[], &[]);
    let (first, body) = read();
    let etag = first.header("etag").unwrap().to_owned();
    let put = |tag: &str| {
        let headers = [("Content-Type", "application/json"), ("If-Match", tag)];
        server.http().raw("PUT", "/v1/programme", &admin, &headers, &body).0.status
    };
    assert_eq!(put(&format!("W/{etag}")), 204, "a proxy that packs answers makes the tag a weak one");
    assert_eq!(put(&format!("W/{etag}")), 412, "another has changed it");
    assert_eq!(put("\"deadbeef\""), 412, "nobody has seen this");
    assert_eq!(put(read().0.header("etag").unwrap()), 204);
}

fn releases_say_what_counts_of_them(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    set_programme(&server, &crew);
    let [inside, half_outside] = fill(&server, &crew);
    let path = "/v1/ledger/releases?basis=provisional&as_of=2024-12-31";
    let figures = server.http().get(path, &crew.qa.log_in(&server)).expect(200);
    let rows = figures["rows"].as_array().unwrap();
    let of = |id: Uuid| rows.iter().find(|row| row["land_release"] == json!(id)).unwrap();
    assert_eq!(of(inside)["case"], "inside");
    assert_eq!(of(inside)["effective_m2"], of(inside)["area_m2"]);
    let other = of(half_outside);
    assert_eq!(other["case"], "outside");
    let sum = other["effective_m2"].as_f64().unwrap() + other["outside_m2"].as_f64().unwrap();
    assert!((sum - other["area_m2"].as_f64().unwrap()).abs() < 1e-6, "{other}");
}

fn single_records_are_for_whoever_sees_them(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    set_programme(&server, &crew);
    // An outline that crosses itself: figures say where.
    let (area, ahead) = (Uuid::now_v7(), Uuid::now_v7());
    let fields = json!({"classification": "CHA", "status": "open", "contamination": ["ap_mine"],
                        "date_identified": "2020-03-01"});
    let later = json!({"result": "cleared", "method": "manual", "depth_cm": 20, "completion_date": "2100-06-30",
                       "hazardous_area_ids": [area]});
    let bow = json!({"type": "Polygon", "coordinates":
        [[[0.0, 10.0], [0.002, 10.002], [0.002, 10.0], [0.0, 10.002], [0.0, 10.0]]]});
    let made = vec![
        create("hazardous_area", area, &crew.surveyor, &fields, &bow),
        // And a release of a day to come.
        create("land_release", ahead, &crew.surveyor, &later, &square(0.1, 0.001)),
    ];
    push(&server, &crew, &crew.surveyor, made);
    server
        .http()
        .post(
            "/v1/ledger/freezes",
            &crew.director.log_in(&server),
            &json!({"year": 2024, "basis": "provisional"}),
        )
        .expect(201);
    let asked = |who: &Person, path: &str| server.http().get(path, &who.log_in(&server));
    for path in [
        "/v1/ledger/remaining?basis=provisional",
        "/v1/ledger/balance?basis=provisional&from=2020-01-01&to=2020-12-31",
        "/v1/progress/article5?basis=provisional",
    ] {
        let all = asked(&crew.qa, path).expect(200);
        let listed = ["left_out", "repaired"].map(|name| all[name].as_array().unwrap().len());
        assert_eq!(listed, [1, 1], "{all}");
        for who in [&crew.manager, &crew.observer] {
            let counted = asked(who, path).expect(200);
            assert_eq!(
                [&counted["records_left_out"], &counted["records_repaired"]],
                listed.map(|count| json!(count)).each_ref(),
            );
            for id in [area, ahead] {
                assert!(!counted.to_string().contains(&id.to_string()), "{counted}");
            }
            assert_eq!((&counted["left_out"], &counted["repaired"]), (&Value::Null, &Value::Null));
        }
    }
    assert!(asked(&crew.qa, "/v1/ledger/freezes").body.to_string().contains(&ahead.to_string()));
    for who in [&crew.manager, &crew.observer] {
        let frozen = asked(who, "/v1/ledger/freezes").expect(200);
        assert!(!frozen.to_string().contains(&ahead.to_string()), "{frozen}");
    }
    // The ground itself, and sums of one area.
    for (path, official) in [
        (format!("/v1/ledger/remaining?hazard={area}"), 200),
        ("/v1/ledger/pieces?as_of=2024-12-31".to_owned(), 200),
        ("/v1/ledger/releases?as_of=2024-12-31".to_owned(), 200),
        ("/ogc/collections/remaining/items?as_of=2024-12-31".to_owned(), 200),
        ("/ogc/collections/remaining/export?f=csv".to_owned(), 200),
        (format!("/ogc/collections/remaining/items/{area}?as_of=2024-12-31"), 404),
        ("/tiles/remaining/9/256/241?as_of=2024-12-31".to_owned(), 204),
        ("/ogc/collections/remaining/tiles/WebMercatorQuad/9/241/256?as_of=2024-12-31".to_owned(), 204),
    ] {
        let status = |who: &Person, path: &str| {
            server.http().raw("GET", path, &who.log_in(&server), &[], &[]).0.status
        };
        assert_eq!(status(&crew.manager, &path), official, "{path}");
        let provisional = format!("{path}&basis=provisional");
        assert_eq!(status(&crew.manager, &provisional), 403, "{provisional}");
        assert_eq!(status(&crew.qa, &provisional), 200, "{provisional}");
        assert!([403, 404].contains(&status(&crew.observer, &path)), "{path}");
    }
}
