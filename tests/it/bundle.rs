//! Where there is no network the log travels on a stick, and mixes with whatever came over the network.

use std::io::Cursor;

use age::secrecy::SecretString;
use cartagena::bundle::{self, BundleError};
use cartagena::store::Store;
use cartagena::sync::wire::LogHead;
use serde_json::json;
use uuid::Uuid;

use crate::support::tablet::{record, square, with};
use crate::support::{Crew, Place, Tablet, TestServer, on_both};

on_both!(
    a_stick_carries_edits_up_and_decisions_down,
    a_bundle_that_is_not_whole_is_not_taken,
    a_log_is_laid_down_again,
    alarms_name_what_to_look_after,
);

fn export(store: &Store, from: i64, passphrase: Option<&str>) -> Vec<u8> {
    let mut file = Vec::new();
    let head: LogHead = store.head().unwrap();
    let passphrase = passphrase.map(|words| SecretString::from(words.to_owned()));
    bundle::export(store, head, from, passphrase, &mut file).unwrap();
    file
}

fn import(store: &Store, file: &[u8]) -> Result<bundle::Taken, BundleError> {
    bundle::import(store, None, || Ok(Cursor::new(file)))
}

fn a_stick_carries_edits_up_and_decisions_down(place: &Place) {
    let nation = TestServer::start(place);
    let crew = Crew::hire(nation.store());
    let beside = place.another();
    let camp = TestServer::start(&beside);
    camp.store().begin_following().unwrap();
    // The camp is set up from the nation's stick: it has never seen a network.
    let down = export(nation.store(), 1, None);
    assert!(import(camp.store(), &down).unwrap().followed);
    let code = cartagena::auth::token::code(12);
    camp.store().insert_enrolment(&code, crew.supervisor.id, crew.supervisor.id).unwrap();
    let tablet = Tablet::with_code(&camp, &code, &crew.supervisor);
    let area = Uuid::now_v7();
    tablet.must("applied", &tablet.area(area));
    let pushed = tablet.push(&[]).expect(200);
    assert_eq!(
        (&pushed["durable"]["device_seq_through"], &pushed["durable"]["here_through"]),
        (&json!(0), &json!(1))
    );

    let up = export(camp.store(), 1, None);
    let taken = import(nation.store(), &up).unwrap();
    assert_eq!((taken.new, taken.followed), (1, false));
    assert_eq!(import(nation.store(), &up).unwrap().new, 0, "it may be done again");
    let there = record(&nation, &crew.im.log_in(&nation), area);
    assert_eq!(there["author"], json!(crew.supervisor.id));

    let stands = camp.store().upstream().unwrap().unwrap().seq;
    let down = export(nation.store(), stands + 1, None);
    import(camp.store(), &down).unwrap();
    import(camp.store(), &down).unwrap();
    assert_eq!(camp.store().upstream().unwrap().unwrap().pending, 0);
    let pushed = tablet.push(&[]).expect(200);
    assert_eq!(pushed["durable"]["device_seq_through"], 1, "the nation has it");
    // A part that does not begin where the camp stands is not laid over a gap.
    let office = Tablet::enrol(&nation, &crew, &crew.im);
    office.must("applied", &office.area(Uuid::now_v7()));
    office.must("applied", &office.area(Uuid::now_v7()));
    let gap = export(nation.store(), nation.store().head().unwrap().seq, None);
    let refused = import(camp.store(), &gap).unwrap_err().to_string();
    assert!(refused.contains("does not follow"), "{refused}");
}

fn a_bundle_that_is_not_whole_is_not_taken(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    for _ in 0..20 {
        tablet.must("applied", &tablet.area(Uuid::now_v7()));
    }
    let beside = place.another();
    let other = TestServer::start(&beside);
    let whole = export(server.store(), 1, None);
    for length in [0, 1, 10, whole.len() / 3, whole.len() - 40] {
        assert!(import(other.store(), &whole[..length]).is_err(), "{length} of {} bytes", whole.len());
    }
    let mut changed = whole.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    assert!(import(other.store(), &changed).is_err());
    assert!(matches!(import(other.store(), b"what is this?\n"), Err(BundleError::NotWhole)));
    assert_eq!(other.store().head().unwrap().seq, 0, "nothing of them was taken");

    let sealed = export(server.store(), 1, Some("a long road home"));
    assert!(!sealed.windows(4).any(|bytes| bytes == b"SHA\""), "nothing can be read");
    assert!(matches!(import(other.store(), &sealed), Err(BundleError::Sealed(_))));
    let opened = |words: &str| {
        let passphrase = SecretString::from(words.to_owned());
        bundle::import(other.store(), Some(&passphrase), || Ok(Cursor::new(sealed.as_slice())))
    };
    assert!(matches!(opened("a short road home"), Err(BundleError::Sealed(_))));
    assert_eq!(opened("a long road home").unwrap().new, 20);
}

fn a_log_is_laid_down_again(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.supervisor);
    let area = Uuid::now_v7();
    // PostgreSQL writes such a number in another way than JSON; whoever verifies must not take that for a change.
    let mut large = tablet.area(area);
    large["changes"]["elsewhere"] = json!({"to": 1e16});
    let made = tablet.must("applied", &large);
    let wider = |east: f64| json!({"changes": {"geometry": {"to": square(east)}}});
    let moved = tablet.must("applied", &tablet.on("update", area, &made, &wider(0.002)));
    tablet.must("conflict", &tablet.on("update", area, &made, &wider(0.004)));
    tablet.must("parked", &tablet.on("update", Uuid::now_v7(), &made, &wider(0.004)));
    tablet.must("quarantined", &with(tablet.area(Uuid::now_v7()), &json!({"author": crew.im.id})));
    let im = crew.im.log_in(&server);
    let before = (record(&server, &im, area), server.store().head().unwrap());
    assert_eq!(before.0["version"], moved);
    assert_eq!(server.store().rebuild(Box::new(|_, _| ())).unwrap(), 0);
    assert_eq!((record(&server, &im, area), server.store().head().unwrap()), before);
    for (path, length) in [("/v1/conflicts", 1), ("/v1/quarantine", 1), ("/v1/parked", 1)] {
        let list = server.http().get(path, &im).expect(200);
        let rows = list.as_object().and_then(|list| list.values().find_map(|rows| rows.as_array()));
        assert_eq!(rows.or(list.as_array()).unwrap().len(), length, "{path}: {list}");
    }
}

fn alarms_name_what_to_look_after(place: &Place) {
    let server = TestServer::start(place);
    let crew = Crew::hire(server.store());
    let tablet = Tablet::enrol(&server, &crew, &crew.surveyor);
    let manager = crew.manager.log_in(&server);
    let alarms = || server.http().get("/v1/alarms", &manager).expect(200);
    assert_eq!(alarms(), json!([]));
    // Edit 1 stays on the tablet; another tablet has taken its number 2.
    let (_, second, clone) =
        (tablet.area(Uuid::now_v7()), tablet.area(Uuid::now_v7()), tablet.area(Uuid::now_v7()));
    tablet.must("applied", &second);
    tablet.must("quarantined", &with(clone, &json!({"device_seq": 2})));
    let days_ago = chrono::Utc::now() - chrono::Duration::days(5);
    let body = with(
        tablet.body(&[]),
        &json!({"outbox": {"pending": 3, "oldest": days_ago}, "client_time": days_ago}),
    );
    server.http().post("/v1/sync/push", &tablet.token, &body).expect(200);
    let alarms = alarms();
    let kinds: Vec<&str> =
        alarms.as_array().unwrap().iter().map(|alarm| alarm["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["missing_edits", "old_outbox", "wrong_clock", "cloned_device"]);
    assert!(alarms[0]["detail"].as_str().unwrap().contains("edits 1 are missing"), "{alarms}");
    // Another organisation's are nobody else's business.
    let stranger = cartagena::model::Role::Supervisor;
    let other = crate::support::Person::new(server.store(), "other-supervisor", stranger, crew.other);
    assert_eq!(server.http().get("/v1/alarms", &other.log_in(&server)).expect(200), json!([]));
}
