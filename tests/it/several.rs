//! Several server processes share one PostgreSQL and one data folder: behind a load balancer, nobody can tell at which
//! of them a request ends.

use std::thread;

use cartagena::model::Role;
use cartagena::model::schema::Registry;
use cartagena::store::Store;
use cartagena::store::turn::Work;
use serde_json::json;
use uuid::Uuid;

use crate::support::metrics::metric;
use crate::support::place::run;
use crate::support::postgres::administer;
use crate::support::program::eventually;
use crate::support::{Backend, Person, Place, Program, Serving as _, Tablet};

fn store(place: &Place) -> Store {
    Store::open(&place.database(), Registry::embedded(), 1).unwrap()
}

/// So many servers, started at one moment.
fn start_together(place: &Place, count: usize) -> Vec<Program> {
    thread::scope(|scope| {
        let start = || {
            let mut program = Program::new(place);
            program.start();
            program
        };
        let starting: Vec<_> = (0..count).map(|_| scope.spawn(start)).collect();
        starting.into_iter().map(|starting| starting.join().unwrap()).collect()
    })
}

#[test]
fn servers_that_begin_a_database_together_are_one() {
    run(Backend::Postgres, |place| {
        let servers = start_together(place, 4);
        let store = store(place);
        let accounts = store.list_accounts().unwrap();
        assert_eq!(accounts.iter().filter(|account| account.role == Role::Admin).count(), 1);
        let organisations = store.list_organisations().unwrap();
        assert_eq!(organisations.len(), 1, "{organisations:?}");
        let person = Person::new(&store, "im", Role::ImOfficer, organisations[0].id);
        for at in &servers {
            let session = person.session(at);
            let token = session["access_token"].as_str().unwrap();
            for other in &servers {
                // A key that is new in the folder may be looked for a second later.
                eventually("a token of one server is good at another", || {
                    (other.http().get("/v1/sync/head", token).status == 200).then_some(())
                });
            }
            let refresh = json!({"refresh_token": session["refresh_token"]});
            servers[0].http().post("/v1/auth/refresh", "", &refresh).expect(200);
        }
        store.shut_down();
    });
}

#[test]
fn books_follow_what_another_server_commits_without_being_asked() {
    run(Backend::Postgres, |place| {
        let crew = Program::prepare(place);
        let servers = start_together(place, 2);
        let im = crew.im.log_in(&servers[0]);
        let ask = || servers[1].http().get("/v1/ledger/remaining?basis=provisional", &im).status == 200;
        // A key that is new in the folder may be looked for a second later.
        eventually("the books are asked for", || ask().then_some(()));
        let tablet = Tablet::enrol(&servers[0], &crew, &crew.surveyor);
        let follow = || {
            tablet.must("applied", &tablet.area(Uuid::now_v7()));
            let head = servers[0].http().get("/v1/sync/head", &im).expect(200)["seq"].as_u64().unwrap();
            eventually("the books have read it", || {
                let told = |name| metric(&servers[1], name);
                (told("cartagena_seq") >= head && told("cartagena_books_seq") >= head).then_some(())
            });
        };
        follow();
        // Whoever listens may lose the connection: the clock is looked at all the same, and it listens again.
        let end = "select pg_terminate_backend(pid) from pg_stat_activity \
                   where datname = current_database() and query = 'listen cartagena_log'";
        administer(place.database_url(), end);
        follow();
        follow();
    });
}

#[test]
fn books_that_nobody_asked_for_are_not_made() {
    run(Backend::Postgres, |place| {
        let (server, crew) = Program::begin(place);
        let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
        tablet.must("applied", &tablet.area(Uuid::now_v7()));
        let im = crew.im.log_in(&server);
        let head = server.http().get("/v1/sync/head", &im).expect(200)["seq"].as_u64().unwrap();
        eventually("the server has seen it", || (metric(&server, "cartagena_seq") >= head).then_some(()));
        assert_eq!(metric(&server, "cartagena_books_seq"), 0);
    });
}

#[test]
fn one_process_of_a_camp_passes_on_at_a_time() {
    run(Backend::Postgres, |place| {
        drop(Program::prepare(place));
        let (one, other) = (store(place), store(place));
        let turn = one.take_turn(Work::Relay).unwrap();
        assert!(turn.is_some());
        assert!(other.take_turn(Work::Relay).unwrap().is_none(), "two pass on at once");
        assert!(other.take_turn(Work::Migrate).unwrap().is_some(), "another work is another's");
        drop(turn);
        eventually("the turn is free", || other.take_turn(Work::Relay).unwrap());
    });
}
