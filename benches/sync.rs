//! What a push of 200 edits costs: read and measured, laid on a head by the rules, and taken by a store on a SQLite
//! file with its disk.
//!
//! `cargo bench --bench sync`. Over several devices and on PostgreSQL: `cartagena bench sync`.

use std::hint::black_box;

use cartagena::model::Role;
use cartagena::model::role::Actor;
use cartagena::model::schema::Registry;
use cartagena::model::{Mutation, Record};
use cartagena::store::account::NewAccount;
use cartagena::store::push::Push;
use cartagena::store::{Store, migration};
use cartagena::sync::{Digest, Standing, merge};
use divan::Bencher;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use uuid::Uuid;

const EDITS: usize = 200;

fn main() {
    divan::main();
}

fn edit(actor: Uuid, number: usize) -> Value {
    let ring: Vec<[f64; 2]> = (0..=16)
        .map(|corner| {
            let angle = f64::from(corner % 16) / 16.0 * std::f64::consts::TAU;
            [17.0 + 0.002 * angle.cos(), 44.0 + 0.0015 * angle.sin()]
        })
        .collect();
    json!({
        "mutation_id": Uuid::now_v7(), "device_seq": number, "kind": "hazardous_area", "schema": 1,
        "op": "create", "record_id": Uuid::now_v7(), "author": actor,
        "changes": {
            "geometry": {"to": {"type": "Polygon", "coordinates": [ring]}}, "classification": {"to": "CHA"},
            "status": {"to": "open"}, "contamination": {"to": ["ap_mine"]}, "date_identified": {"to": "2020-01-01"},
        },
    })
}

fn read(device: Uuid, actor: Actor, edits: &[Box<RawValue>]) -> Push {
    let txns: Vec<Vec<&RawValue>> = edits.iter().map(|edit| vec![&**edit]).collect();
    Push::read(device, actor, Standing::Good, &txns).expect("edits of this protocol")
}

fn edits(actor: Actor, from: usize) -> Vec<Box<RawValue>> {
    let numbers = from..from + EDITS;
    numbers
        .map(|number| serde_json::value::to_raw_value(&edit(actor.account, number)).expect("JSON"))
        .collect()
}

#[divan::bench]
fn read_a_push(bencher: Bencher<'_, '_>) {
    let actor = Actor { account: Uuid::nil(), role: Role::ProgrammeManager, organisation: Uuid::nil() };
    let edits = edits(actor, 1);
    bencher.counter(EDITS).bench(|| read(Uuid::nil(), actor, &edits));
}

#[divan::bench]
fn lay_an_update_on_its_head(bencher: Bencher<'_, '_>) {
    let registry = Registry::embedded();
    let schema = registry.latest("hazardous_area").expect("a kind of the house");
    let created: Mutation = serde_json::from_value(edit(Uuid::nil(), 1)).expect("a mutation");
    let blank = Record::blank(created.record_id, "hazardous_area", 1, Uuid::nil(), Uuid::nil());
    let head = merge::intended(&blank, &created, Some(schema));
    let mut update = created;
    update.changes.retain(|name, _| name == "status");
    update.seen = Some(merge::safety_hash(&head, schema));
    let terms = merge::Terms { spoken: schema, ruling: schema };
    bencher.bench(|| merge::update(black_box(&head), None, black_box(&update), terms));
}

#[divan::bench]
fn digest_of_a_scope(bencher: Bencher<'_, '_>) {
    let records: Vec<(Uuid, Uuid)> = (0..50_000).map(|_| (Uuid::new_v4(), Uuid::new_v4())).collect();
    bencher.counter(records.len()).bench(|| records.iter().copied().collect::<Digest>());
}

#[divan::bench]
fn take_a_push_on_sqlite(bencher: Bencher<'_, '_>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite:{}", folder.path().join("bench.db").display()).parse().expect("a URL");
    migration::run(&url).expect("migrations");
    let store = Store::open(&url, Registry::embedded(), 2).expect("a store");
    let (actor, device) = enrolled(&store);
    let mut from = 1;
    bencher
        .counter(EDITS)
        .with_inputs(|| {
            from += EDITS;
            read(device, actor, &edits(actor, from - EDITS))
        })
        .bench_local_values(|push| store.push(push).expect("a push that is taken"));
    store.shut_down();
}

fn enrolled(store: &Store) -> (Actor, Uuid) {
    let organisation = store.insert_organisation("Bench", "operator", None).expect("an organisation").id;
    let new = NewAccount {
        login: "bench".to_owned(),
        name: "Bench".to_owned(),
        role: Role::ProgrammeManager,
        organisation,
        password: String::new(),
        must_change: false,
    };
    let account = store.insert_account(new, None).expect("an account").id;
    store.insert_enrolment("BENCH", account, account).expect("an offer");
    let (device, _) = store.enrol("BENCH", "bench").expect("an enrolment");
    (Actor { account, role: Role::ProgrammeManager, organisation }, device)
}
