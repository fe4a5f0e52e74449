//! Whole files through the reader, the mapping and a real store.

mod again;
mod broken;
mod formats;
mod sheet;
mod speed;

use std::collections::BTreeMap;

use serde_json::Value;

use super::mapping::Wishes;
use super::{Ids, Job, Line, Mapping, Outcome, Reading, Source, Summary, run};
use crate::model::Role;
use crate::model::record::Feature as Record;
use crate::model::role::Actor;
use crate::model::schema::Registry;
use crate::store::account::NewAccount;
use crate::store::{DatabaseUrl, Store, migration};

/// A store in a folder of its own, and an IM officer.
struct House {
    store: Store,
    actor: Actor,
    _folder: tempfile::TempDir,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().join("test.db").to_str().unwrap().to_owned());
        migration::run(&url).unwrap();
        let store = Store::open(&url, Registry::embedded(), 2).unwrap();
        let organisation = store.insert_organisation("Authority", "authority", None).unwrap().id;
        let actor = person(&store, "im", Role::ImOfficer, organisation);
        Self { store, actor, _folder: folder }
    }

    fn person(&self, login: &str, role: Role) -> Actor {
        person(&self.store, login, role, self.actor.organisation)
    }

    fn import(&self, text: &str, kind: &str, wishes: Wishes) -> (Summary, Vec<Line>) {
        let source = Source::read(text.as_bytes(), &Reading::default()).unwrap();
        self.take(&source, kind, wishes, |_| {})
    }

    fn take(
        &self,
        source: &Source,
        kind: &str,
        wishes: Wishes,
        change: impl FnOnce(&mut Job<'_>),
    ) -> (Summary, Vec<Line>) {
        let schema = self.store.registry().latest(kind).unwrap();
        let mapping = Mapping::new(schema, wishes).unwrap();
        mapping.expect_columns(source).unwrap();
        let ids = Ids::choose(source, None, None).unwrap();
        let mut job = Job {
            source,
            mapping: &mapping,
            ids: &ids,
            actor: self.actor,
            captured: Some("2026-01-02T03:04:05Z".to_owned()),
            update: false,
            submit: false,
            dry_run: false,
        };
        change(&mut job);
        let mut lines = Vec::new();
        let summary = run(&self.store, &job, &mut |line| lines.push(line.clone())).unwrap();
        assert_eq!(summary.features, source.items.len(), "every feature of the file is counted");
        assert_eq!(summary.outcomes.values().sum::<usize>(), summary.features, "the counts add up");
        assert_eq!(lines.len(), summary.features, "every feature has its line");
        (summary, lines)
    }

    fn record(&self, line: &Line) -> Record {
        self.store.find_record(line.record_id.unwrap(), self.actor.sight()).unwrap()
    }
}

fn person(store: &Store, login: &str, role: Role, organisation: uuid::Uuid) -> Actor {
    let new = NewAccount {
        login: login.to_owned(),
        name: login.to_owned(),
        role,
        organisation,
        password: String::new(),
        must_change: false,
    };
    store.insert_account(new, None).unwrap().actor()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The least that a hazardous area needs.
fn hazard() -> Wishes {
    let set = pairs(&[("classification", "SHA"), ("status", "open"), ("contamination", "ap_mine,uxo")]);
    Wishes { set, ..Wishes::default() }
}

fn counts(summary: &Summary) -> BTreeMap<Outcome, usize> {
    summary.outcomes.clone()
}

/// A collection of features, each properties and geometry.
fn collection(features: &[(Value, Value)]) -> String {
    let features: Vec<Value> = features
        .iter()
        .map(|(properties, geometry)| {
            serde_json::json!({"type": "Feature", "properties": properties, "geometry": geometry})
        })
        .collect();
    serde_json::json!({"type": "FeatureCollection", "features": features}).to_string()
}
