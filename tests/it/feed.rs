//! A reader's cursor misses nothing, however many write at once (sync.md §5).

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::tablet::with;
use crate::support::{Crew, Place, Tablet, TestServer, on_both};

on_both!(a_poller_sees_every_record_of_sixteen_writers, so_it_does_over_two_servers_on_one_database);

const WRITERS: usize = 16;
const PUSHES: usize = 12;

fn a_poller_sees_every_record_of_sixteen_writers(place: &Place) {
    let server = TestServer::start(place);
    race(&[&server]);
}

fn so_it_does_over_two_servers_on_one_database(place: &Place) {
    let (one, two) = (TestServer::start(place), TestServer::start(place));
    race(&[&one, &two]);
}

/// Writers at every server, a poller at the last one.
fn race(servers: &[&TestServer]) {
    let crew = Crew::hire(servers[0].store());
    let tablets: Vec<Tablet> = (0..WRITERS)
        .map(|writer| Tablet::enrol(servers[writer % servers.len()], &crew, &crew.surveyor))
        .collect();
    let reader = servers[servers.len() - 1];
    let token = crew.im.log_in(reader);
    let writing = AtomicUsize::new(tablets.len());
    let (committed, delivered) = thread::scope(|scope| {
        let writing = &writing;
        let writers: Vec<_> = tablets
            .iter()
            .zip(0..)
            .map(|(tablet, seed)| {
                scope.spawn(move || {
                    let written = write(tablet, seed);
                    writing.fetch_sub(1, Ordering::SeqCst);
                    written
                })
            })
            .collect();
        let delivered = poll(reader, &token, writing);
        let committed: Vec<(Uuid, i64)> =
            writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect();
        (committed, delivered)
    });
    let records: BTreeSet<Uuid> = committed.iter().map(|(record, _)| *record).collect();
    assert_eq!(records.len(), committed.len());
    assert_eq!(delivered, records, "the cursor passed over records");
    // The numbers of what was committed have no gap: nothing was numbered and not there.
    let mut numbers: Vec<i64> = committed.iter().map(|(_, seq)| *seq).collect();
    numbers.sort_unstable();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
    let head = reader.http().get("/v1/sync/head", &token).expect(200);
    assert_eq!(head["seq"].as_i64(), numbers.last().copied());
}

/// Pushes of random size; every record with the place that it was given.
fn write(tablet: &Tablet, seed: u64) -> Vec<(Uuid, i64)> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut written = Vec::new();
    for _ in 0..PUSHES {
        let size = random.random_range(1..12);
        let fields = json!({"classification": "SHA", "status": "open", "contamination": ["unknown"]});
        let edits: Vec<Value> =
            (0..size).map(|_| tablet.create("hazardous_area", Uuid::now_v7(), &fields)).collect();
        let txns: Vec<Vec<Value>> = edits.iter().map(|edit| vec![edit.clone()]).collect();
        let answer = push_until_taken(tablet, &txns);
        for (edit, result) in edits.iter().zip(answer["results"].as_array().unwrap()) {
            assert_eq!(result["outcome"], "applied", "{result}");
            let record = edit["record_id"].as_str().unwrap().parse().unwrap();
            written.push((record, result["seq"].as_i64().unwrap()));
        }
    }
    written
}

fn push_until_taken(tablet: &Tablet, txns: &[Vec<Value>]) -> Value {
    loop {
        let reply = tablet.push(txns);
        if reply.status != 503 {
            return reply.expect(200);
        }
    }
}

/// Pulls without pause until the writers are done and nothing more comes.
fn poll(server: &TestServer, token: &str, writing: &AtomicUsize) -> BTreeSet<Uuid> {
    let mut delivered = BTreeSet::new();
    let mut cursor = 0;
    loop {
        // Asked before the page: what is committed by now is in it.
        let done = writing.load(Ordering::SeqCst) == 0;
        let scope = json!({"scopes": [with(json!({"id": "everything"}), &json!({"cursor": cursor}))]});
        let answer = server.http().post("/v1/sync/pull", token, &scope).expect(200);
        let page = &answer["scopes"][0];
        for feature in page["records"].as_array().unwrap() {
            let seq = feature["seq"].as_i64().unwrap();
            assert!(seq > cursor, "an old record came again");
            assert!(delivered.insert(feature["id"].as_str().unwrap().parse().unwrap()));
        }
        cursor = page["cursor"].as_i64().unwrap();
        if let Some(count) = page["digest"]["count"].as_i64() {
            assert_eq!(usize::try_from(count), Ok(delivered.len()), "the digest is of the same moment");
        }
        if done && page["has_more"] == false {
            return delivered;
        }
    }
}
