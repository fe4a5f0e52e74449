//! Promises of the constructed programme.

use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

use chrono::NaiveDate;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Cast, Seeded, Step, World, seed};
use crate::geometry::Grid;
use crate::geometry::outline::{Limits, Outline};
use crate::geometry::shape::read_geojson;
use crate::ledger::{
    Classification, Contamination, Cut, EndReason, Hazard, HazardEnd, HazardVersion, Ledger, Query, Release,
};
use crate::model::mutation::Outcome;
use crate::model::role::Actor;
use crate::model::schema::Registry;
use crate::model::{Mutation, Op, ReviewAction, Role, Stage};
use crate::programme::AdminUnits;
use crate::store::conflict::ConflictQuery;
use crate::store::{DatabaseUrl, Store, migration};
use crate::treaty::{Convention, DeadlineHistory, DeadlineState, StateParty};

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, 6, 1).unwrap()
}

/// The world of seed 7, made once for all tests.
fn world() -> &'static World {
    static WORLD: LazyLock<World> = LazyLock::new(|| World::build(7, today(), &Cast::unhired()));
    &WORLD
}

fn mutations(world: &World) -> impl Iterator<Item = &Mutation> {
    world.actions.iter().filter(|step| step.meant == Outcome::Applied).flat_map(|step| &step.mutations)
}

#[test]
fn the_same_seed_makes_the_same_world() {
    let world = world();
    assert_eq!(*world, World::build(7, today(), &Cast::unhired()));
    assert_ne!(world.actions, World::build(8, today(), &Cast::unhired()).actions);
    let ids: HashSet<Uuid> = mutations(world).map(|mutation| mutation.mutation_id).collect();
    assert_eq!(ids.len(), mutations(world).count());
}

#[test]
fn it_has_what_a_programme_has() {
    let records = world().records();
    assert_eq!(records["hazardous_area"], 300, "{records:?}");
    assert!((350..=550).contains(&records["land_release"]), "{records:?}");
    assert_eq!(records["accident"], 3);
    let told = told(&world().actions);
    let area = |(kind, _): &&(String, Told)| kind == "hazardous_area";
    let confirmed = |(_, told): &&(String, Told)| told.fields["classification"] == "CHA";
    let confirmed = told.values().filter(area).filter(confirmed).count();
    assert!((150..=190).contains(&confirmed), "{confirmed} of 300 are confirmed");
    let pointed = |(_, told): &&(String, Told)| told.fields["geometry"]["type"] == "Point";
    let pointed = told.values().filter(area).filter(pointed).count();
    assert!((8..=20).contains(&pointed), "{pointed} areas are points");
    assert_eq!(records.len(), 10, "{records:?}");
}

#[test]
fn two_tablets_have_something_to_quarrel_about() {
    let world = world();
    let records = told(&world.actions);
    let (kind, area) = &records[&world.contest.hazard];
    assert_eq!((kind.as_str(), area.stage), ("hazardous_area", Stage::Finalised));
    assert_eq!(
        (&area.fields["classification"], &area.fields["status"]),
        (&"CHA".into(), &"in_progress".into())
    );
    assert_eq!(records[&world.contest.task].1.fields["status"], "in_progress");
}

#[test]
fn new_evidence_opens_a_closed_area() {
    let opened = |told: &Told| {
        let closed = told.official.iter().any(|(_, fields)| fields.get("status") == Some(&"closed".into()));
        closed && told.stage == Stage::Finalised && told.fields.get("status") == Some(&"open".into())
    };
    assert_eq!(told(&world().actions).values().filter(|(_, told)| opened(told)).count(), 1);
}

#[test]
fn reviews_stand_at_every_stage() {
    let stages: HashSet<Stage> = told(&world().actions).values().map(|(_, told)| told.stage).collect();
    assert_eq!(stages.len(), Stage::ALL.len(), "{stages:?}");
}

#[test]
fn every_record_obeys_its_schema_and_says_that_it_is_constructed() {
    let registry = Registry::embedded();
    for mutation in mutations(world()).filter(|mutation| mutation.op == Op::Create) {
        let mut properties: Map<String, Value> = mutation
            .changes
            .iter()
            .filter_map(|(name, change)| Some((name.clone(), change.to.clone()?)))
            .collect();
        let geometry = properties.remove("geometry");
        let type_ = geometry.as_ref().and_then(|geometry| geometry["type"].as_str());
        let schema = registry.schema(&mutation.kind, 1).unwrap();
        assert_eq!(schema.validate(&properties, type_), [], "{properties:?}");
        assert_eq!(properties["constructed"], true);
        let strange: Vec<&String> =
            properties.keys().filter(|name| *name != "constructed" && schema.field(name).is_none()).collect();
        assert!(strange.is_empty(), "{}: {strange:?}", mutation.kind);
    }
}

#[test]
fn outlines_are_valid_but_for_the_bow_ties() {
    for seed in 1..5 {
        let world = World::build(seed, today(), &Cast::unhired());
        assert_eq!(faulty_outlines(&world), 2, "seed {seed}");
    }
}

fn faulty_outlines(world: &World) -> usize {
    let limits = Limits { extent: Some(world.programme.extent), ..Limits::default() };
    let mut faulty = 0;
    for mutation in mutations(world) {
        let Some(geometry) = mutation.changes.get("geometry").and_then(|change| change.to.as_ref()) else {
            continue;
        };
        if geometry["type"] != "Point" {
            let outline = Outline::read(&read_geojson(geometry).unwrap(), &limits);
            faulty += usize::from(outline.valid().is_none());
        }
    }
    faulty
}

#[test]
fn the_country_is_sound() {
    let programme = &world().programme;
    assert_eq!(programme.faults(), []);
    let units = AdminUnits::read(programme.admin_units.as_ref()).unwrap();
    assert_eq!(units.iter().count(), 14);
    for unit in units.iter() {
        assert_eq!(unit.outline.0.len(), 1, "{}", unit.name);
    }
    let party = StateParty::from_deposit(Convention::MineBan, programme.deposited_on.unwrap());
    let mut history = DeadlineHistory::new(party);
    history.entries.extend(programme.deadlines.iter().cloned());
    assert_eq!(history.faults(), []);
    assert!(party.original_clearance_deadline() < today());
    assert!(matches!(history.state(today()), DeadlineState::Running { .. }));
}

/// Seeds a database of its own.
fn seeded() -> (tempfile::TempDir, Store, Seeded) {
    let folder = tempfile::tempdir().unwrap();
    let url: DatabaseUrl = format!("sqlite:{}", folder.path().join("demo.sqlite").display()).parse().unwrap();
    migration::run(&url).unwrap();
    let store = Store::open(&url, Registry::embedded(), 2).unwrap();
    let seeded = seed(&store, 7, today(), "not a password", |_, _| {}).unwrap();
    (folder, store, seeded)
}

#[test]
fn the_store_takes_it_as_it_is_meant() {
    let (_folder, store, seeded) = seeded();
    assert_eq!(seeded.outcomes[&Outcome::Quarantined], 1);
    assert_eq!(seeded.outcomes[&Outcome::Conflict], 1);
    assert_eq!(seeded.outcomes.len(), 3);
    let im = Actor { account: Uuid::nil(), role: Role::ImOfficer, organisation: Uuid::nil() };
    let all = ConflictQuery { limit: 10, ..ConflictQuery::default() };
    assert_eq!(store.list_conflicts(all, im.sight()).unwrap().len(), 1);
    let contest = seeded.contest;
    let task = seeded.tasks.iter().find(|task| task.id == contest.task).unwrap();
    assert!(task.open && task.operator == contest.operator && task.hazards.contains(&contest.hazard));
    for operator in &seeded.operators {
        assert!(seeded.tasks.iter().any(|task| task.open && task.operator == operator.id));
    }
    assert!(seed(&store, 7, today(), "", |_, _| {}).is_err(), "only an empty database takes it");
}

/// A record's fields as they stood at some point, and how far its review had come.
#[derive(Default, Clone)]
struct Told {
    fields: BTreeMap<String, Value>,
    stage: Stage,
    /// Fields of every version that was finalised, with the day from which they hold.
    official: Vec<(NaiveDate, BTreeMap<String, Value>)>,
}

fn told(actions: &[Step]) -> BTreeMap<Uuid, (String, Told)> {
    let mut records: BTreeMap<Uuid, (String, Told)> = BTreeMap::new();
    for mutation in actions.iter().filter(|step| step.meant == Outcome::Applied).flat_map(|s| &s.mutations) {
        let (_, told) =
            records.entry(mutation.record_id).or_insert_with(|| (mutation.kind.clone(), Told::default()));
        for (name, change) in &mutation.changes {
            told.fields.insert(name.clone(), change.to.clone().unwrap_or_default());
        }
        told.stage = mutation.review.map_or(Stage::Draft, ReviewAction::gives);
        if told.stage == Stage::Finalised {
            let day = told.fields["date_of_information"].as_str().unwrap().parse().unwrap();
            told.official.push((day, told.fields.clone()));
        }
    }
    records
}

#[test]
fn its_ledger_closes() {
    let world = world();
    let operator = Uuid::nil();
    let limits = Limits::default();
    let outline = |fields: &BTreeMap<String, Value>| {
        let geometry = read_geojson(&fields["geometry"]).unwrap();
        Outline::read(&geometry, &limits).valid().cloned()
    };
    let (mut hazards, mut releases) = (Vec::new(), Vec::new());
    for (sequence, (id, (kind, told))) in (0..).zip(told(&world.actions)) {
        if kind == "hazardous_area" && !told.official.is_empty() {
            let version = |(effective, fields): &(NaiveDate, BTreeMap<String, Value>)| HazardVersion {
                effective: *effective,
                outline: outline(fields),
                reported_area_m2: fields["reported_area_m2"].as_f64(),
                classification: if fields["classification"] == "CHA" {
                    Classification::Cha
                } else {
                    Classification::Sha
                },
                contamination: [Contamination::ApMine].into(),
                treaty_scope: None,
                organisation: operator,
                admin: [fields["admin1"].as_str().map(str::to_owned), None, None],
                closed: false,
                reopened: fields
                    .get("status_reason")
                    .and_then(Value::as_str)
                    .is_some_and(|why| why.starts_with("New evidence")),
                contested: false,
            };
            let (last, fields) = told.official.last().unwrap();
            let end = [
                ("merged_into", EndReason::MergedInto),
                ("split_into", EndReason::SplitInto),
                ("duplicate_of", EndReason::DuplicateOf),
                ("entered_in_error", EndReason::EnteredInError),
            ];
            let end = end.into_iter().find(|(name, _)| fields.contains_key(*name));
            let end = end.map(|(_, reason)| HazardEnd { date: *last, reason });
            hazards.push(Hazard { id, sequence, versions: told.official.iter().map(version).collect(), end });
        } else if kind == "land_release" && told.stage == Stage::Finalised {
            let text = |name: &str| told.fields[name].as_str().unwrap();
            releases.push(Release {
                id,
                sequence,
                effective: text("completion_date").parse().unwrap(),
                outline: outline(&told.fields).unwrap(),
                result: text("result").parse().unwrap(),
                method: None,
                operator,
                treaty_scope: [].into(),
                hazards: Vec::new(),
            });
        }
    }
    let mut ledger = Ledger::new(Grid::for_extent(world.programme.extent).unwrap());
    assert_eq!(ledger.load(hazards, releases), []);
    ledger.settle().unwrap();
    let from = NaiveDate::from_ymd_opt(2019, 1, 1).unwrap();
    for query in [Query::default(), Query::by([Cut::Year, Cut::Admin1]), Query::by([Cut::Year])] {
        for row in ledger.balance(from, today(), &query) {
            assert_eq!(row.residual().doubled(), 0, "{row:?}");
        }
    }
}

#[test]
fn verification_finds_what_was_tampered_with() {
    use diesel::connection::SimpleConnection as _;
    use diesel::{Connection as _, SqliteConnection};

    let (folder, store, _) = seeded();
    let verify = || store.verify(&mut |_, _, _| ()).unwrap();
    let sound = verify();
    assert!(sound.is_sound() && sound.records > 1_000 && sound.versions > sound.records, "{sound:?}");
    let file = folder.path().join("demo.sqlite");
    let mut tamper = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    let cases = [
        (
            "log",
            "update log set outcome = 'applied' where seq = (select min(seq) from log where outcome = 'conflict')",
        ),
        (
            "record",
            "update version set properties = json_set(properties, '$.depth_cm', 99)
          where version_id = (select version from record where kind = 'land_release' limit 1)",
        ),
        (
            "record",
            "update record set stage = 'finalised' where seq = (select max(seq) from record where stage = 'draft')",
        ),
        ("scope", "update scope_digest set count = count + 1 where scope = 'content'"),
    ];
    let mut known = 0;
    for (named, tampering) in cases {
        tamper.batch_execute(tampering).unwrap();
        let verdict = verify();
        assert!(verdict.faults > known, "{tampering}: {verdict:?}");
        known = verdict.faults;
        assert!(verdict.named.iter().any(|fault| fault.starts_with(named)), "{tampering}: {verdict:?}");
    }
}
