//! Whatever answers, does not answer or answers too much, a client keeps what it holds until the server has it.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cartagena::auth::token::Claims;
use cartagena::client::transport::{Request, Response, TransportError};
use cartagena::client::{Client, ClientError, Edit, Http, Transport};
use cartagena::config::Limits;
use cartagena::model::mutation::Outcome;
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use serde_json::json;
use uuid::Uuid;

use crate::support::client::{enrolled, new_area, outcomes, plain, shown};
use crate::support::server::patient_limits;
use crate::support::tablet::record;
use crate::support::{Crew, Place, TestServer, on_both};

on_both!(
    a_portal_is_not_the_server,
    a_busy_server_and_small_limits_are_obeyed,
    a_damaged_copy_is_fetched_again,
    a_revoked_client_hands_over_and_is_told_to_wipe,
    a_client_that_was_logged_out_waits_for_its_enrolment,
    an_enrolment_takes_over_what_the_last_one_left,
);

/// Answers for the server, as long as it has something to say.
struct Script {
    inner: Http,
    answers: Answers,
    waited: Waits,
}

type Answers = Arc<Mutex<Vec<Response>>>;
type Waits = Arc<Mutex<Vec<Duration>>>;

impl Script {
    /// The script, what it is to answer next (the last first), and how long it was asked to wait.
    fn new() -> (Self, Answers, Waits) {
        let (answers, waited) = (Answers::default(), Waits::default());
        let script =
            Self { inner: Http::default(), answers: Arc::clone(&answers), waited: Arc::clone(&waited) };
        (script, answers, waited)
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
    Response { status, retry_after: None, body: body.as_bytes().to_vec(), headers: Vec::new() }
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

fn a_portal_is_not_the_server(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let (script, answers, _) = Script::new();
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
    let (script, answers, waited) = Script::new();
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
    assert!(matches!(tablet.sync(), Err(ClientError::Revoked(_))));
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

/// Opens a client's file again with tokens that the server no longer takes.
fn reopened_with_old_tokens(file: &Path, server: &TestServer, crew: &Crew) -> Client {
    let device = Client::open(file).unwrap().identity().unwrap().device;
    let old =
        Claims { sub: crew.surveyor.id, device: Some(device), iss: "cartagena".to_owned(), iat: 1, exp: 2 };
    let mut session = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    let tokens = format!(
        "update session set access_token = '{}', refresh_token = 'forgotten'",
        server.keys().sign(&old)
    );
    session.batch_execute(&tokens).unwrap();
    Client::open(file).unwrap()
}

fn a_client_that_was_logged_out_waits_for_its_enrolment(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let file = place.folder.path().join("tablet.db");
    let mut tablet = Client::open(&file).unwrap();
    let enrol = |tablet: &mut Client| {
        tablet.enrol(server.url(), &crew.offer(&server, &crew.surveyor), "tablet").unwrap();
    };
    enrol(&mut tablet);
    tablet.edit(new_area(Uuid::now_v7())).unwrap();
    let mut tablet = reopened_with_old_tokens(&file, &server, &crew);
    assert!(matches!(tablet.sync(), Err(ClientError::LoggedOut(_))));
    assert_eq!((tablet.pending().unwrap(), outcomes(&mut tablet)), (1, vec![None]));
    enrol(&mut tablet);
    tablet.sync().unwrap();
    assert_eq!(outcomes(&mut tablet), [Some(Outcome::Applied)]);
    // Where no enrolment can be had, a person decides about what it holds.
    tablet.edit(new_area(Uuid::now_v7())).unwrap();
    let mut tablet = reopened_with_old_tokens(&file, &server, &crew);
    assert_eq!(tablet.hand_over().unwrap().pushed, 1);
    assert_eq!(outcomes(&mut tablet), [Some(Outcome::Applied), Some(Outcome::Quarantined)]);
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
