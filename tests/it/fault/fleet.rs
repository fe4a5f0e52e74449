//! Several server processes on one PostgreSQL: whatever each of them writes, a reader at any of them misses nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use cartagena::sync::Digest;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use uuid::Uuid;

use super::witness::{assert_all_there, id_of};
use crate::support::place::run;
use crate::support::program::seed;
use crate::support::{Backend, Place, Program, Serving, Tablet};

const TABLETS: usize = 8;
const PUSHES: usize = 10;

#[test]
fn two_servers_on_one_database_are_followed_without_a_gap() {
    run(Backend::Postgres, |place| race(place, 2));
}

#[test]
fn four_servers_on_one_database_are_followed_without_a_gap() {
    run(Backend::Postgres, |place| race(place, 4));
}

/// Tablets that push to every server in turn; a poller without pause at every server.
fn race(place: &Place, servers: usize) {
    let seed = seed();
    let crew = Program::prepare(place);
    let servers: Vec<Program> = (0..servers)
        .map(|_| {
            let mut server = Program::new(place);
            server.start();
            server
        })
        .collect();
    let im = crew.im.log_in(&servers[0]);
    let mut tablets: Vec<Tablet> =
        (0..TABLETS).map(|_| Tablet::enrol(&servers[0], &crew, &crew.surveyor)).collect();
    let writing = AtomicUsize::new(TABLETS);
    let (servers, writing) = (&servers, &writing);
    let (written, followed) = thread::scope(|scope| {
        let writers: Vec<_> = tablets
            .iter_mut()
            .zip(seed..)
            .map(|(tablet, seed)| {
                scope.spawn(move || {
                    let written = write(tablet, servers, StdRng::seed_from_u64(seed));
                    writing.fetch_sub(1, Ordering::SeqCst);
                    written
                })
            })
            .collect();
        let im = &im;
        let pollers: Vec<_> =
            servers.iter().map(|server| scope.spawn(move || follow(server, im, writing))).collect();
        let written: Vec<Written> = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
        let followed: Vec<_> = pollers.into_iter().map(|poller| poller.join().unwrap()).collect();
        (written, followed)
    });
    let newest: BTreeMap<Uuid, Uuid> =
        written.iter().flat_map(|written| &written.newest).map(|(id, version)| (*id, *version)).collect();
    for held in followed {
        assert_eq!(held, newest, "a poller holds something else than was written last");
    }
    let actions: Vec<Vec<Uuid>> =
        written.into_iter().flat_map(|written| written.mutations).map(|id| vec![id]).collect();
    assert_all_there(&servers[servers.len() - 1], &im, &actions, newest.len());
}

/// What a tablet has written.
#[derive(Default)]
struct Written {
    newest: BTreeMap<Uuid, Uuid>,
    mutations: BTreeSet<Uuid>,
}

/// New areas and changes of old ones, each push at another server; each is applied, because nobody else changes them.
fn write(tablet: &mut Tablet, servers: &[Program], mut random: StdRng) -> Written {
    let mut written = Written::default();
    for push in 0..PUSHES {
        tablet.move_to(&servers[push % servers.len()]);
        let mut edits: Vec<Value> =
            (0..random.random_range(1..8)).map(|_| tablet.area(Uuid::now_v7())).collect();
        for (area, version) in &written.newest {
            if random.random_bool(0.3) {
                let name = json!({"changes": {"name": {"to": format!("Area {push}")}}});
                edits.push(tablet.on("update", *area, &json!(version), &name));
            }
        }
        let txns: Vec<Vec<Value>> = edits.iter().map(|edit| vec![edit.clone()]).collect();
        for (edit, result) in edits.iter().zip(patiently(tablet, &txns)["results"].as_array().unwrap()) {
            assert_eq!(result["outcome"], "applied", "{result}");
            let mutation = id_of(edit, "mutation_id");
            written.newest.insert(id_of(edit, "record_id"), mutation);
            written.mutations.insert(mutation);
        }
    }
    written
}

fn patiently(tablet: &Tablet, txns: &[Vec<Value>]) -> Value {
    loop {
        let reply = tablet.push(txns);
        if reply.status != 503 {
            return reply.expect(200);
        }
    }
}

/// Follows everything without pause until nothing more comes; what is held in the end. Whenever a page is the last, its
/// digest is that of what is held: not one record is missing, and each is at the state of that moment.
fn follow(server: &Program, im: &str, writing: &AtomicUsize) -> BTreeMap<Uuid, Uuid> {
    let mut held: BTreeMap<Uuid, Uuid> = BTreeMap::new();
    let mut cursor = 0;
    loop {
        // Asked before the page: what is committed by now is in it.
        let done = writing.load(Ordering::SeqCst) == 0;
        let body = json!({"scopes": [{"id": "everything", "cursor": cursor}], "limit_bytes": 20_000});
        let page = server.http().post("/v1/sync/pull", im, &body).expect(200)["scopes"][0].clone();
        let mut on_page = BTreeSet::new();
        for feature in page["records"].as_array().unwrap() {
            let (id, version) = (id_of(feature, "id"), id_of(feature, "version"));
            assert!(feature["seq"].as_i64().unwrap() > cursor, "an old state came again");
            assert!(on_page.insert(id), "a record is twice on one page");
            assert_ne!(held.insert(id, version), Some(version), "a state came twice");
        }
        cursor = page["cursor"].as_i64().unwrap();
        if page["has_more"] == false {
            let digest: Digest = serde_json::from_value(page["digest"].clone()).unwrap();
            let own: Digest = held.iter().map(|(id, version)| (*id, *version)).collect();
            assert_eq!(own, digest, "the cursor passed over a change");
            if done {
                return held;
            }
        }
    }
}
