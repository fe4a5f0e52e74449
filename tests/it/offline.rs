//! A client that works without a network loses nothing and overwrites nothing, whatever the network does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cartagena::client::lossy::Lossy;
use cartagena::client::transport::{Request, Response, TransportError};
use cartagena::client::{Client, ClientError, Edit, Http, Report, Transport};
use cartagena::config::Limits;
use cartagena::model::mutation::Outcome;
use cartagena::model::{Record, ReviewAction, Stage};
use serde_json::json;
use uuid::Uuid;

use crate::support::server::patient_limits;
use crate::support::tablet::{record, square};
use crate::support::{Crew, Person, Place, TestServer, on_both};

on_both!(
    work_without_a_network_arrives,
    lossy_networks_converge,
    a_record_that_leaves_the_task_is_forgotten,
    a_server_that_went_back_in_time_gets_everything_again,
    a_portal_is_not_the_server,
    a_busy_server_and_small_limits_are_obeyed,
    a_damaged_copy_is_fetched_again,
    conflicts_are_told_and_shown,
    a_revoked_client_hands_over_and_is_told_to_wipe,
    an_enrolment_takes_over_what_the_last_one_left,
    a_scope_follows_its_task,
);

/// A client of somebody with a file of its own.
fn enrolled(
    place: &Place,
    server: &TestServer,
    crew: &Crew,
    whom: &Person,
    transport: Box<dyn Transport>,
) -> Client {
    let file = place.folder.path().join(format!("{}.db", Uuid::now_v7()));
    let mut client = Client::open_with(&file, transport).unwrap();
    client.enrol(server.url(), &crew.offer(server, whom), "tablet").unwrap();
    client
}

fn plain(place: &Place, server: &TestServer, crew: &Crew, whom: &Person) -> Client {
    enrolled(place, server, crew, whom, Box::new(Http::default()))
}

fn new_area(id: Uuid) -> Edit {
    Edit::create("hazardous_area", id)
        .set("classification", "SHA")
        .set("status", "open")
        .set("contamination", json!(["ap_mine"]))
        .set("geometry", square(0.0))
}

fn outcomes(client: &mut Client) -> Vec<Option<Outcome>> {
    client.edits().unwrap().iter().map(cartagena::client::Sent::outcome).collect()
}

#[track_caller]
fn shown(client: &mut Client, id: Uuid) -> Record {
    client.view(id).unwrap().expect("the record is here").record
}

/// Syncs until nothing is lost on the way any more.
fn insist(client: &mut Client) -> Report {
    for _ in 0..500 {
        match client.sync() {
            Ok(report) => return report,
            Err(ClientError::Transport(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }
    panic!("a lossy network lets something through now and then");
}

fn work_without_a_network_arrives(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let file = place.folder.path().join("tablet.db");
    let (area, other) = (Uuid::now_v7(), Uuid::now_v7());
    {
        let mut tablet = Client::open(&file).unwrap();
        assert!(matches!(tablet.edit(new_area(area)), Err(ClientError::NotEnrolled)));
        tablet.enrol(server.url(), &crew.offer(&server, &crew.surveyor), "tablet").unwrap();
        tablet.edit(new_area(area)).unwrap();
        tablet.edit(Edit::update(area).set("status", "suspended").set("geometry", square(0.001))).unwrap();
        tablet.act(vec![new_area(other), Edit::update(other).set("name", "East")]).unwrap();
        tablet.edit(Edit::review(area, ReviewAction::Submit)).unwrap();
        let unknown = tablet.edit(Edit::update(Uuid::now_v7()).set("name", "?"));
        assert!(matches!(unknown, Err(ClientError::NoRecord(_))));
        assert_eq!(shown(&mut tablet, area).stage, Stage::Submitted);
        assert_eq!(tablet.pending().unwrap(), 5);
    }
    // The battery was flat in between.
    let mut tablet = Client::open(&file).unwrap();
    let numbers: Vec<i64> = tablet.edits().unwrap().iter().map(|sent| sent.device_seq).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
    let report = tablet.sync().unwrap();
    assert_eq!((report.pushed, tablet.pending().unwrap()), (5, 0));
    assert!(outcomes(&mut tablet).iter().all(|outcome| *outcome == Some(Outcome::Applied)));
    assert_eq!(tablet.sync().unwrap().pushed, 0);
    // Its author still sees what no scope holds.
    assert_eq!(shown(&mut tablet, other).field("name"), "East");
    let on_server = record(&server, &crew.im.log_in(&server), area);
    let here = shown(&mut tablet, area);
    assert_eq!((&on_server["version"], &on_server["stage"]), (&json!(here.version), &json!("submitted")));
    assert_eq!(here.field("geometry"), &on_server["geometry"]);

    let mut office = plain(place, &server, &crew, &crew.im);
    assert!(office.offered_scopes().unwrap().contains(&"everything".to_owned()));
    office.follow("everything").unwrap();
    let report = office.sync().unwrap();
    assert!(report.complete && report.pulled == 2);
    assert_eq!(office.records(Some("hazardous_area")).unwrap().len(), 2);
    assert_eq!(shown(&mut office, area), here);
}

fn lossy_networks_converge(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let mut clients: Vec<Client> = (0..4)
        .map(|seed| {
            let mut client = plain(place, &server, &crew, &crew.im);
            client.follow("everything").unwrap();
            client.use_transport(Box::new(Lossy::new(Http::default(), seed, 0.15, 0.25)));
            client
        })
        .collect();
    let areas: Vec<Uuid> = (0..6).map(|_| Uuid::now_v7()).collect();
    for area in &areas {
        clients[0].edit(new_area(*area)).unwrap();
    }
    for round in 0..5 {
        for (number, client) in clients.iter_mut().enumerate() {
            insist(client);
            for (at, area) in areas.iter().enumerate().filter(|(at, _)| (at + number + round) % 3 == 0) {
                if client.view(*area).unwrap().is_none() {
                    continue;
                }
                let edit = match (at + round) % 4 {
                    0 => Edit::update(*area).set("remarks", format!("{number}/{round}")),
                    1 => Edit::update(*area).set("geometry", square(0.001 * f64::from(u32::try_from(round).unwrap()))),
                    2 => Edit::update(*area).set("status", ["open", "suspended"][number % 2]),
                    _ => Edit::update(*area).add(
                        "evidence",
                        json!({"id": Uuid::now_v7(), "kind": "detonation", "strength": "direct", "date": "2026-04-01"}),
                    ),
                };
                client.edit(edit).unwrap();
            }
        }
    }
    for _ in 0..2 {
        for client in &mut clients {
            insist(client);
        }
    }
    let views: Vec<BTreeMap<Uuid, Record>> = clients.iter_mut().map(settled_view).collect();
    let on_server = record(&server, &crew.im.log_in(&server), areas[0]);
    assert_eq!(json!(views[0][&areas[0]].version), on_server["version"]);
    assert!(views.iter().all(|view| *view == views[0] && view.len() == areas.len()));
    let digest = clients[0].digest("everything").unwrap();
    assert_eq!(digest.count, 6);
    for client in &mut clients {
        assert_eq!(client.digest("everything").unwrap(), digest);
        assert!(client.scopes().unwrap().iter().all(|scope| scope.complete_as_of.is_some()));
        // Nothing was taken twice, and nothing was lost.
        assert!(outcomes(client).iter().all(Option::is_some));
        assert!(client.edits().unwrap().iter().all(|sent| sent.durable && !sent.replayed));
    }
    each_edit_is_logged_once(&server, &crew, &mut clients);
}

fn settled_view(client: &mut Client) -> BTreeMap<Uuid, Record> {
    assert_eq!(client.pending().unwrap(), 0);
    client.records(None).unwrap().into_iter().map(|view| (view.record.id, view.record)).collect()
}

fn each_edit_is_logged_once(server: &TestServer, crew: &Crew, clients: &mut [Client]) {
    let log = server.http().get("/v1/sync/log", &crew.im.log_in(server)).expect(200);
    let entries = log["entries"].as_array().unwrap();
    let mut logged: Vec<String> = entries
        .iter()
        .filter(|entry| entry["entry"] == "mutation")
        .map(|entry| entry["subject"].as_str().unwrap().to_owned())
        .collect();
    let mut made: Vec<String> = clients
        .iter_mut()
        .flat_map(|client| client.edits().unwrap())
        .map(|sent| sent.mutation_id.to_string())
        .collect();
    logged.sort_unstable();
    made.sort_unstable();
    assert_eq!(logged, made);
}

fn a_record_that_leaves_the_task_is_forgotten(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let mut office = plain(place, &server, &crew, &crew.im);
    let (task, stays, goes) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    office.edit(new_area(stays)).unwrap();
    // Far away: only the order holds it in the task.
    office.edit(new_area(goes).set("geometry", square(2.0))).unwrap();
    let order = Edit::create("task", task)
        .set("order_number", "7")
        .set("activity", "clearance")
        .set("operator_id", json!(crew.operator))
        .set("hazardous_area_ids", json!([stays, goes]));
    office.edit(order).unwrap();
    office.sync().unwrap();

    let scope = format!("task:{task}");
    let mut tablet = plain(place, &server, &crew, &crew.surveyor);
    assert!(tablet.offered_scopes().unwrap().contains(&scope));
    tablet.follow(&scope).unwrap();
    assert!(tablet.sync().unwrap().complete);
    assert_eq!(tablet.records(None).unwrap().len(), 3);
    office.edit(Edit::update(task).set("hazardous_area_ids", json!([stays]))).unwrap();
    office.sync().unwrap();
    let report = tablet.sync().unwrap();
    assert!(report.complete && report.refetched.is_empty(), "{report:?}");
    assert_eq!(report.left, [goes]);
    assert!(tablet.view(goes).unwrap().is_none());
    assert_eq!(tablet.records(None).unwrap().len(), 2);

    // The order goes to somebody else: the whole scope goes.
    office.edit(Edit::update(task).set("operator_id", json!(crew.other))).unwrap();
    office.sync().unwrap();
    tablet.sync().unwrap();
    assert!(tablet.scopes().unwrap()[0].revoked);
    assert_eq!(tablet.records(None).unwrap().len(), 0);
}

fn a_scope_follows_its_task(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let mut office = plain(place, &server, &crew, &crew.im);
    let (task, area, neighbour) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    office.edit(new_area(area)).unwrap();
    office.edit(new_area(neighbour).set("geometry", square(2.0))).unwrap();
    office.edit(Edit::review(neighbour, ReviewAction::Submit)).unwrap();
    let order = Edit::create("task", task)
        .set("order_number", "7")
        .set("activity", "clearance")
        .set("operator_id", json!(crew.operator))
        .set("hazardous_area_ids", json!([area]));
    office.edit(order).unwrap();
    office.sync().unwrap();
    let mut tablet = plain(place, &server, &crew, &crew.surveyor);
    tablet.follow(&format!("task:{task}")).unwrap();
    assert!(tablet.sync().unwrap().complete);
    assert!(tablet.view(neighbour).unwrap().is_none());
    // The area turns out to lie elsewhere: what is around it there comes too.
    office.edit(Edit::update(area).set("geometry", square(2.0005))).unwrap();
    office.sync().unwrap();
    assert!(tablet.sync().unwrap().complete);
    assert!(tablet.view(neighbour).unwrap().is_some());
    // The task ends: nothing stays behind to grow old.
    office.edit(Edit::retire(task)).unwrap();
    office.sync().unwrap();
    assert!(tablet.sync().unwrap().complete);
    let left = tablet.records(None).unwrap();
    assert_eq!(left.len(), 1);
    assert!(left[0].record.id == task && left[0].record.retired);
}

fn a_server_that_went_back_in_time_gets_everything_again(place: &Place) {
    let old_place = place.another();
    let mut server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let mut tablet = plain(place, &server, &crew, &crew.im);
    tablet.follow("everything").unwrap();
    let areas: Vec<Uuid> = (0..3).map(|_| Uuid::now_v7()).collect();
    tablet.edit(new_area(areas[0])).unwrap();
    tablet.sync().unwrap();
    server.stop();
    copy(place, &old_place);
    server.restart();
    tablet.move_to(server.url()).unwrap();
    tablet.edit(new_area(areas[1])).unwrap();
    tablet.edit(Edit::update(areas[0]).set("status", "suspended")).unwrap();
    tablet.sync().unwrap();
    tablet.edit(new_area(areas[2])).unwrap();
    server.stop();

    // The laptop is dead; yesterday's copy takes its place, with the keys.
    let keys = place.folder.path().join("keys");
    let restored_keys = old_place.folder.path().join("keys");
    std::fs::create_dir_all(&restored_keys).unwrap();
    for key in std::fs::read_dir(keys).unwrap().map(Result::unwrap) {
        std::fs::copy(key.path(), restored_keys.join(key.file_name())).unwrap();
    }
    let restored = TestServer::start(&old_place);
    tablet.move_to(restored.url()).unwrap();
    let report = tablet.sync().unwrap();
    assert!(report.new_epoch && report.complete, "{report:?}");
    assert_eq!(tablet.pending().unwrap(), 0);
    assert_eq!(tablet.records(None).unwrap().len(), 3);
    let im = crew.im.log_in(&restored);
    assert_eq!(record(&restored, &im, areas[0])["properties"]["status"], "suspended");
    for area in areas {
        assert_eq!(record(&restored, &im, area)["version"], json!(shown(&mut tablet, area).version));
    }
    assert!(!tablet.sync().unwrap().new_epoch);
}

/// Copies a stopped server's database.
fn copy(from: &Place, to: &Place) {
    from.copy_database(to);
}

/// Answers for the server, as long as it has something to say.
struct Script {
    inner: Http,
    answers: Arc<Mutex<Vec<Response>>>,
    waited: Arc<Mutex<Vec<Duration>>>,
}

impl Script {
    fn new(answers: Vec<Response>) -> (Self, Arc<Mutex<Vec<Response>>>, Arc<Mutex<Vec<Duration>>>) {
        let (answers, waited) = (Arc::new(Mutex::new(answers)), Arc::default());
        (
            Self { inner: Http::default(), answers: Arc::clone(&answers), waited: Arc::clone(&waited) },
            answers,
            waited,
        )
    }
}

impl Transport for Script {
    fn send(&mut self, request: &Request) -> Result<Response, TransportError> {
        let scripted = self.answers.lock().unwrap().pop();
        scripted.map_or_else(|| self.inner.send(request), Ok)
    }

    fn wait(&mut self, time: Duration) {
        self.waited.lock().unwrap().push(time);
    }
}

fn said(status: u16, body: &str) -> Response {
    Response { status, retry_after: None, body: body.as_bytes().to_vec() }
}

fn a_portal_is_not_the_server(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let (script, answers, _) = Script::new(Vec::new());
    let mut tablet = enrolled(place, &server, &crew, &crew.surveyor, Box::new(script));
    tablet.edit(new_area(Uuid::now_v7())).unwrap();
    let portals = [
        said(200, "<html>Please accept our terms</html>"),
        said(200, "{}"),
        said(
            200,
            &json!({"epoch": Uuid::now_v7(), "server_time": "2026-01-01T00:00:00Z", "results": [],
            "durable": {"device_seq_through": 9},
            "limits": {"max_mutations": 9, "max_bytes": 9, "retry_after_ms": 0}})
            .to_string(),
        ),
        said(302, ""),
        said(401, "Log in to the hotel"),
        said(413, "<html>Too large</html>"),
    ];
    for portal in portals {
        answers.lock().unwrap().push(portal.clone());
        let fault = tablet.sync().unwrap_err();
        assert!(matches!(fault, ClientError::NotOurs { .. }), "{fault} to {portal:?}");
        assert_eq!(tablet.pending().unwrap(), 1);
    }
    assert_eq!(tablet.sync().unwrap().pushed, 1);
}

fn a_busy_server_and_small_limits_are_obeyed(place: &Place) {
    let limits = Limits { push_bytes: 4_000, push_mutations: 4, ..patient_limits() };
    let server = TestServer::with_limits(place, limits);
    let crew = Crew::hire(server.store());
    let (script, answers, waited) = Script::new(Vec::new());
    let mut tablet = enrolled(place, &server, &crew, &crew.surveyor, Box::new(script));
    let first = Uuid::now_v7();
    tablet.edit(new_area(first)).unwrap();
    let giant = tablet.edit(Edit::update(first).set("remarks", "x".repeat(6_000))).unwrap();
    for _ in 0..20 {
        tablet.edit(new_area(Uuid::now_v7())).unwrap();
    }
    let busy = Response { retry_after: Some(Duration::from_secs(7)), ..said(503, "") };
    answers.lock().unwrap().extend([busy.clone(), busy]);
    let report = tablet.sync().unwrap();
    assert_eq!(*waited.lock().unwrap(), [Duration::from_secs(7), Duration::from_secs(7)]);
    assert_eq!(report.pushed, 21, "one bad item blocks nothing behind it");
    assert_eq!(report.too_large, [giant]);
    assert_eq!(shown(&mut tablet, first).version, giant, "its author still sees it");
    // A server that takes more gets it.
    drop(server);
    let server = TestServer::start(place);
    tablet.move_to(server.url()).unwrap();
    let report = tablet.sync().unwrap();
    assert_eq!((report.pushed, tablet.pending().unwrap()), (1, 0));
}

fn a_damaged_copy_is_fetched_again(place: &Place) {
    use diesel::connection::SimpleConnection as _;
    use diesel::{Connection as _, SqliteConnection};

    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let file = place.folder.path().join("tablet.db");
    let mut tablet = Client::open(&file).unwrap();
    tablet.enrol(server.url(), &crew.offer(&server, &crew.im), "tablet").unwrap();
    tablet.follow("everything").unwrap();
    for _ in 0..3 {
        tablet.edit(new_area(Uuid::now_v7())).unwrap();
    }
    assert!(tablet.sync().unwrap().complete);
    let pending = tablet.edit(new_area(Uuid::now_v7())).unwrap();
    let mut damage = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    damage.batch_execute("delete from member where rowid in (select min(rowid) from member)").unwrap();
    let report = tablet.sync().unwrap();
    assert_eq!(report.refetched, ["everything"]);
    assert!(report.complete);
    assert_eq!(tablet.records(None).unwrap().len(), 4);
    assert_eq!(tablet.edits().unwrap().last().unwrap().mutation_id, pending);
}

fn conflicts_are_told_and_shown(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let mut one = plain(place, &server, &crew, &crew.im);
    let mut two = plain(place, &server, &crew, &crew.im);
    let area = Uuid::now_v7();
    for client in [&mut one, &mut two] {
        client.follow("everything").unwrap();
    }
    one.edit(new_area(area)).unwrap();
    one.sync().unwrap();
    two.sync().unwrap();
    one.edit(Edit::update(area).set("geometry", square(0.001))).unwrap();
    let released = two.edit(Edit::update(area).set("status", "released")).unwrap();
    assert_eq!(shown(&mut two, area).field("status"), "released");
    one.sync().unwrap();
    two.sync().unwrap();
    let sent = two.edits().unwrap().pop().unwrap();
    assert_eq!((sent.outcome(), sent.replayed), (Some(Outcome::Conflict), false));
    let view = two.view(area).unwrap().unwrap();
    assert!(view.record.contested && view.record.field("status") == "open");
    assert_eq!(view.candidates, [square(0.0)]);
    let resolve = Edit::resolve(area, vec![released]).set("status", "suspended").because("Seen on site");
    two.edit(resolve).unwrap();
    two.sync().unwrap();
    one.sync().unwrap();
    let view = one.view(area).unwrap().unwrap();
    assert!(!view.record.contested && view.record.field("status") == "suspended");
    assert_eq!(outcomes(&mut two), [Some(Outcome::Conflict), Some(Outcome::Applied)]);
}

fn a_revoked_client_hands_over_and_is_told_to_wipe(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let mut tablet = plain(place, &server, &crew, &crew.surveyor);
    tablet.sync().unwrap();
    let device = tablet.identity().unwrap().device;
    let admin = crew.admin.log_in(&server);
    server.http().post(&format!("/v1/devices/{device}/revoke"), &admin, &json!({})).expect(204);
    tablet.edit(new_area(Uuid::now_v7())).unwrap();
    tablet.follow("content").unwrap();
    assert!(matches!(tablet.sync(), Err(ClientError::LoggedOut(_))));
    assert_eq!(outcomes(&mut tablet), [Some(Outcome::Quarantined)]);
    assert!(tablet.identity().unwrap().wipe);
    assert_eq!(tablet.pending().unwrap(), 0);
    // Enrolled again, it goes on under a new device.
    tablet.enrol(server.url(), &crew.offer(&server, &crew.surveyor), "tablet").unwrap();
    let area = Uuid::now_v7();
    tablet.edit(new_area(area)).unwrap();
    tablet.sync().unwrap();
    assert_eq!(outcomes(&mut tablet), [Some(Outcome::Quarantined), Some(Outcome::Applied)]);
    record(&server, &crew.im.log_in(&server), area);
}

fn an_enrolment_takes_over_what_the_last_one_left(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let mut tablet = plain(place, &server, &crew, &crew.surveyor);
    let (known, new) = (Uuid::now_v7(), Uuid::now_v7());
    tablet.edit(new_area(known)).unwrap();
    // The server takes it, and its answer is lost.
    tablet.use_transport(Box::new(Deaf { inner: Http::default(), to: "/v1/sync/push" }));
    assert!(matches!(tablet.sync(), Err(ClientError::Transport(_))));
    tablet.use_transport(Box::new(Http::default()));
    tablet.edit(Edit::update(known).set("name", "North")).unwrap();
    tablet.edit(new_area(new)).unwrap();
    tablet.enrol(server.url(), &crew.offer(&server, &crew.surveyor), "tablet").unwrap();
    tablet.edit(Edit::update(new).set("name", "South")).unwrap();
    tablet.sync().unwrap();
    assert_eq!(outcomes(&mut tablet), [Some(Outcome::Applied); 4]);
    assert_eq!(tablet.pending().unwrap(), 0);
    let im = crew.im.log_in(&server);
    assert_eq!(record(&server, &im, known)["properties"]["name"], "North");
    assert_eq!(record(&server, &im, new)["properties"]["name"], "South");
}

/// Hears no answer to some requests.
struct Deaf {
    inner: Http,
    to: &'static str,
}

impl Transport for Deaf {
    fn send(&mut self, request: &Request) -> Result<Response, TransportError> {
        let response = self.inner.send(request);
        if request.url.ends_with(self.to) {
            return Err(TransportError("the answer was lost".to_owned()));
        }
        response
    }
}
