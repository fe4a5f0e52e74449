//! PostgreSQL goes away in the midst of everything and comes back: clients are told to wait, and nobody restarts us.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use super::witness::{action_of, assert_all_there, ids};
use crate::support::people::PASSWORD;
use crate::support::postgres::Cluster;
use crate::support::{Backend, Crew, Place, Program, Reply, Serving as _, Tablet};

const TABLETS: usize = 6;

/// How often somebody was served and how often told to wait.
#[derive(Default)]
struct Tally {
    served: AtomicUsize,
    waited: AtomicUsize,
}

impl Tally {
    /// Served, or told to wait: anything else would be a lie about the sender.
    #[track_caller]
    fn served(&self, reply: &Reply) -> bool {
        let served = reply.status == 200;
        if served {
            self.served.fetch_add(1, Ordering::SeqCst);
        } else {
            assert_eq!(
                (reply.status, &reply.body["type"]),
                (503, &json!("urn:cartagena:problem:retry")),
                "{}",
                reply.body
            );
            assert!(reply.header("retry-after").is_some());
            self.waited.fetch_add(1, Ordering::SeqCst);
        }
        served
    }
}

#[test]
fn an_outage_of_postgres_costs_time_and_nothing_else() {
    let Ok(mut cluster) = Cluster::start(&[]) else {
        // Where there is none, that is said once for all tests.
        return crate::support::place::run(Backend::Postgres, |_| panic!("a private cluster cannot be had"));
    };
    let place = Place::on(Backend::Postgres, cluster.create_database(""));
    let (mut program, crew) = Program::begin(&place);
    let im = crew.im.log_in(&program);
    let tablets: Vec<Tablet> = (0..TABLETS).map(|_| Tablet::enrol(&program, &crew, &crew.surveyor)).collect();
    let (over, pushes, reads) = (AtomicBool::new(false), Tally::default(), Tally::default());
    let actions = thread::scope(|scope| {
        let working: Vec<_> =
            tablets.iter().map(|tablet| scope.spawn(|| work(tablet, &over, &pushes))).collect();
        scope.spawn(|| office(&program, &crew, &over, &reads));
        for (how, seconds) in [("immediate", 1), ("fast", 7), ("immediate", 0)] {
            let before = pushes.served.load(Ordering::SeqCst);
            let served = || pushes.served.load(Ordering::SeqCst);
            crate::support::program::eventually("pushes are served", || {
                (served() > before + 20).then_some(())
            });
            cluster.must(how);
            thread::sleep(Duration::from_secs(seconds));
            cluster.must("start");
        }
        over.store(true, Ordering::SeqCst);
        let actions: Vec<Vec<Uuid>> = working.into_iter().flat_map(|work| work.join().unwrap()).collect();
        actions
    });
    let count = |tally: &Tally| (tally.served.load(Ordering::SeqCst), tally.waited.load(Ordering::SeqCst));
    println!("pushes (served, told to wait): {:?}; others: {:?}", count(&pushes), count(&reads));
    assert!(count(&pushes).1 > 0 && count(&reads).1 > 0, "the outage was not felt");
    program.must_run();
    assert_all_there(&program, &im, &actions, actions.len());
}

/// Makes and pushes one action after the other; each is pushed until it is taken.
fn work(tablet: &Tablet, over: &AtomicBool, pushes: &Tally) -> Vec<Vec<Uuid>> {
    let mut actions = Vec::new();
    while !over.load(Ordering::SeqCst) {
        let action = [action_of(tablet)];
        actions.push(ids(&action[0]));
        loop {
            let reply = tablet.push(&action);
            if pushes.served(&reply) {
                assert_eq!(reply.body["durable"]["device_seq_through"], tablet.made());
                break;
            }
            thread::sleep(Duration::from_millis(100));
        }
    }
    let distinct: BTreeSet<Uuid> = actions.iter().flatten().copied().collect();
    assert_eq!(distinct.len(), actions.len() * 2);
    actions
}

/// People log in and read; nobody is told that they do not exist.
fn office(program: &Program, crew: &Crew, over: &AtomicBool, tally: &Tally) {
    let http = program.http();
    let im = crew.im.log_in(program);
    while !over.load(Ordering::SeqCst) {
        tally.served(&http.post(
            "/v1/auth/login",
            "",
            &json!({"login": crew.qa.login, "password": PASSWORD}),
        ));
        tally.served(&http.post("/v1/sync/pull", &im, &json!({"scopes": [{"id": "everything"}]})));
        tally.served(&http.get("/v1/records", &im));
        tally.served(&http.get("/readyz", ""));
    }
}
