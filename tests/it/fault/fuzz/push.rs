//! Bodies of a push: whatever comes, the server answers as it promises, keeps what it says it keeps, and everything that
//! it took can be read, counted and verified afterwards.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use uuid::Uuid;

use super::fuzz;
use crate::fault::witness::{id_of, logged, pulled};
use crate::support::{Crew, Place, Program, Serving as _, Tablet, on_both};

on_both!(any_push_is_answered_as_promised);

const OUTCOMES: [&str; 6] = ["applied", "merged", "conflict", "parked", "quarantined", "duplicate"];
/// What everybody reads, whatever was pushed.
const PAGES: [&str; 11] = [
    "/v1/records",
    "/v1/quarantine",
    "/v1/parked",
    "/v1/conflicts",
    "/v1/quality",
    "/v1/review/queue",
    "/v1/ledger/remaining",
    "/v1/ledger/balance?from=2020-01-01&to=2026-01-01",
    "/v1/ledger/pieces",
    "/v1/progress/article5",
    "/readyz",
];

/// The ids of a case stand for others, so that a case is new each time it is tried.
struct Cast {
    device: Uuid,
    author: Uuid,
    next: Cell<i64>,
}

impl Cast {
    fn of(tablet: &Tablet) -> Self {
        Self { device: tablet.device, author: tablet.author, next: Cell::new(1) }
    }

    /// `@device`, `@author`, and `@a` … `@f` for any other id; 777001, 777002, … for numbers of the device.
    fn play(&self, case: &[u8]) -> Vec<u8> {
        let Ok(mut text) = String::from_utf8(case.to_vec()) else { return case.to_vec() };
        text = text.replace("@device", &self.device.to_string()).replace("@author", &self.author.to_string());
        for name in ["@a", "@b", "@c", "@d", "@e", "@f"] {
            text = text.replace(name, &Uuid::now_v7().to_string());
        }
        for number in 777_001..777_005 {
            let placeholder = number.to_string();
            if text.contains(&placeholder) {
                text = text.replace(&placeholder, &self.next.get().to_string());
                self.next.set(self.next.get() + 1);
            }
        }
        text.into_bytes()
    }
}

fn any_push_is_answered_as_promised(place: &Place) {
    let (mut program, crew) = Program::begin(place);
    let tablet = Tablet::enrol(&program, &crew, &crew.surveyor);
    let cast = Cast::of(&tablet);
    let http = program.http();
    let mut told: BTreeMap<Uuid, i64> = BTreeMap::new();
    fuzz("push", |case| {
        let body = cast.play(case);
        let reply = http.post_bytes("/v1/sync/push", &tablet.token, &[], &body);
        match reply.status {
            200 => take_note(&reply.body, &mut told),
            400 => assert!(reply.body["receipt"].is_string(), "{}", reply.body),
            status => panic!("{status}: {}", reply.body),
        }
    });
    program.must_run();
    let im = crew.im.log_in(&program);
    let log = logged(&program, &im);
    for (mutation, seq) in &told {
        assert_eq!(log.get(mutation), Some(&vec![*seq]), "{mutation}");
    }
    assert_eq!(log.keys().collect::<BTreeSet<_>>(), told.keys().collect::<BTreeSet<_>>());
    assert_everything_can_be_read(&program, &crew, &im);
}

fn take_note(answer: &Value, told: &mut BTreeMap<Uuid, i64>) {
    for result in answer["results"].as_array().unwrap() {
        assert!(OUTCOMES.contains(&result["outcome"].as_str().unwrap()), "{result}");
        let seq = result["seq"].as_i64().unwrap();
        let before = told.insert(id_of(result, "mutation_id"), seq);
        assert!(before.is_none_or(|before| before == seq), "{result}: it had {before:?}");
    }
}

fn assert_everything_can_be_read(program: &Program, crew: &Crew, im: &str) {
    let records = pulled(program, im);
    for record in records.keys().take(200) {
        for end in ["", "/history"] {
            program.http().get(&format!("/v1/records/{record}{end}"), im).expect(200);
        }
    }
    let admin = crew.admin.log_in(program);
    for path in PAGES {
        let status = [im, &admin].map(|token| program.http().get(path, token).status);
        assert!(
            status.contains(&200) && status.iter().all(|status| [200, 403].contains(status)),
            "{path}: {status:?}"
        );
    }
    program.verify();
}
