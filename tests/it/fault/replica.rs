//! A streaming replica helps with reading, falls behind, goes away and is made a primary: it is used where it holds
//! everything, and nobody ever reads less than was committed.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::metrics::metric;
use crate::support::postgres::{Cluster, administer};
use crate::support::program::eventually;
use crate::support::{Backend, Crew, Place, Program, Serving as _, Tablet};

/// How often a server asked its replica and what became of it.
fn fate(program: &Program, word: &str) -> u64 {
    metric(program, &format!("cartagena_replica_reads_total{{fate=\"{word}\"}}"))
}

/// Two servers on one primary, both with its replica; pushes go to the one and pulls to the other.
struct Scene {
    replica: Cluster,
    writer: Program,
    reader: Program,
    crew: Crew,
    im: String,
    tablet: Tablet,
    _place: Place,
    _primary: Cluster,
}

impl Scene {
    fn open() -> Option<Self> {
        let Ok(primary) = Cluster::start(&[]) else {
            // Where there is none, that is said once for all tests.
            crate::support::place::run(Backend::Postgres, |_| panic!("a private cluster cannot be had"));
            return None;
        };
        let place = Place::on(Backend::Postgres, primary.create_database(""));
        let crew = Program::prepare(&place);
        let replica = primary.replicate().unwrap();
        let serve = || {
            let mut program = Program::new(&place);
            program.set("REPLICA_URL", &replica.database());
            program.start();
            program
        };
        let (writer, reader) = (serve(), serve());
        let im = crew.im.log_in(&writer);
        let tablet = Tablet::enrol(&writer, &crew, &crew.surveyor);
        Some(Self { replica, writer, reader, crew, im, tablet, _place: place, _primary: primary })
    }

    /// Pushes an area at one server; every way of reading it at the other finds it at once.
    #[track_caller]
    fn push_and_read(&self) {
        let area = Uuid::now_v7();
        self.tablet.must("applied", &self.tablet.area(area));
        let http = self.reader.http();
        let page = &pull(&self.reader, &self.im)["scopes"][0];
        let records = page["records"].as_array().unwrap();
        assert!(records.iter().any(|record| record["id"] == json!(area)), "the pull lacks what was pushed");
        let listed = http.get("/v1/records?limit=1000", &self.im).expect(200);
        let listed = listed["features"].as_array().unwrap();
        assert!(listed.iter().any(|record| record["id"] == json!(area)), "the list lacks what was pushed");
        http.get(&format!("/v1/records/{area}"), &self.im).expect(200);
        let stands = http.get("/v1/sync/head", &self.im).expect(200)["seq"].as_i64();
        let books = http.get("/v1/ledger/remaining?basis=provisional", &self.im).expect(200);
        assert_eq!(books["seq"].as_i64(), stands, "the books lack what was pushed");
    }

    /// Reads until the replica answers.
    #[track_caller]
    fn await_replica(&self) {
        let before = fate(&self.reader, "used");
        eventually("the replica answers", || {
            pull(&self.reader, &self.im);
            (fate(&self.reader, "used") > before).then_some(())
        });
    }
}

fn pull(program: &Program, token: &str) -> Value {
    program.http().post("/v1/sync/pull", token, &json!({"scopes": [{"id": "everything"}]})).expect(200)
}

#[test]
fn a_replica_that_holds_everything_answers() {
    let Some(scene) = Scene::open() else { return };
    scene.push_and_read();
    scene.await_replica();
    // Nobody writes and it has caught up: all of these are the replica's.
    let before = (fate(&scene.reader, "used"), fate(&scene.reader, "behind"));
    for _ in 0..10 {
        pull(&scene.reader, &scene.im);
    }
    assert_eq!((fate(&scene.reader, "used"), fate(&scene.reader, "behind")), (before.0 + 10, before.1));
    // What the log does not order is never asked there: a session that was made just now holds at once.
    let token = scene.crew.qa.log_in(&scene.writer);
    pull(&scene.reader, &token);
}

#[test]
fn a_replica_that_stands_still_hides_nothing() {
    let Some(scene) = Scene::open() else { return };
    scene.push_and_read();
    scene.await_replica();
    scene.replica.administer("select pg_wal_replay_pause()");
    let used = fate(&scene.reader, "used");
    for _ in 0..5 {
        scene.push_and_read();
    }
    assert!(fate(&scene.reader, "behind") >= 15, "it was asked");
    assert_eq!(fate(&scene.reader, "used"), used, "and did not answer");
    scene.replica.administer("select pg_wal_replay_resume()");
    scene.await_replica();
    scene.push_and_read();
}

#[test]
fn a_replica_that_goes_away_is_nobodys_error() {
    let Some(mut scene) = Scene::open() else { return };
    scene.push_and_read();
    scene.await_replica();
    for how in ["immediate", "fast"] {
        scene.replica.must(how);
        scene.push_and_read();
        scene.push_and_read();
        scene.replica.must("start");
        scene.await_replica();
    }
    scene.push_and_read();
    // A server starts without it, too.
    scene.replica.must("fast");
    scene.reader.kill();
    scene.reader.start();
    scene.push_and_read();
    scene.reader.must_run();
}

#[test]
fn a_replica_that_was_made_a_primary_is_not_asked() {
    let Some(scene) = Scene::open() else { return };
    scene.push_and_read();
    scene.await_replica();
    scene.replica.administer("select pg_promote()");
    eventually("it is a primary", || {
        let used = fate(&scene.reader, "used");
        pull(&scene.reader, &scene.im);
        (fate(&scene.reader, "used") == used).then_some(())
    });
    // It goes its own way, to a higher place in the log than the primary's, under the same epoch.
    administer(&scene.replica.database(), "update sync_clock set seq = seq + 1000000");
    let used = fate(&scene.reader, "used");
    scene.push_and_read();
    assert_eq!(fate(&scene.reader, "used"), used);
}
