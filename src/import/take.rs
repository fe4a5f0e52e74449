//! Brings the features of a file into the store, batch by batch.

use std::collections::{BTreeMap, HashMap};

use chrono::Utc;
use rayon::prelude::*;
use uuid::Uuid;

use super::assess::{Assessment, Surroundings, assess};
use super::identity::{Identities, Identity};
use super::{Feature, ImportError, Item, Line, Mapping, Outcome, Source, Summary};
use crate::model::mutation::{Captured, GEOMETRY, Outcome as Fate};
use crate::model::quality::Extent;
use crate::model::role::Actor;
use crate::model::{Change, Mutation, Op, ReviewAction, Stage};
use crate::store::push::OwnAction;
use crate::store::{Result, Store, StoreError};
use crate::sync::memory::{Answer, Problem};

/// Actions in one transaction: enough to spread the cost of a commit, few enough for a server beside to get its turn.
const BATCH: usize = 500;

/// What is to be imported, and how.
#[derive(Debug)]
pub struct Job<'a> {
    /// The file.
    pub source: &'a Source,
    /// How its columns become fields.
    pub mapping: &'a Mapping<'a>,
    /// Who answers for it, and whose records they become.
    pub actor: Actor,
    /// When the file was written, RFC 3339.
    pub captured: Option<String>,
    /// Put the records forward for review.
    pub submit: bool,
    /// Write nothing.
    pub dry_run: bool,
}

/// A feature ready for the store.
struct Prepared {
    mutation: Mutation,
    identity: Identity,
    line: Line,
}

/// Takes every feature; `on_line` is told what became of each, in the file's order.
///
/// # Errors
/// What the store reports. Batches that were taken before stand, and a second run does not take them twice.
pub fn run(store: &Store, job: &Job<'_>, on_line: &mut dyn FnMut(&Line)) -> Result<Summary, ImportError> {
    let features = job.source.items.len();
    let stopped = |taken: usize| move |source: StoreError| ImportError::Store { taken, features, source };
    let around = surroundings(store).map_err(stopped(0))?;
    let mut identities = Identities::new(job.mapping.schema().kind(), job.mapping.content());
    let mut summary = Summary { is_dry: job.dry_run, ..Summary::default() };
    for (place, items) in job.source.items.chunks(BATCH).enumerate() {
        let identified: Vec<(usize, Identified<'_>)> = items
            .iter()
            .enumerate()
            .map(|(index, item)| (place * BATCH + index + 1, identify(item, &mut identities)))
            .collect();
        let mut ready: Vec<Result<Prepared, Line>> = identified
            .into_par_iter()
            .map(|(number, identified)| prepare(job, around, number, identified))
            .collect();
        if job.dry_run {
            rehearse(store, job, &mut ready).map_err(stopped(summary.features))?;
        } else {
            push(store, job, &mut ready).map_err(stopped(summary.features))?;
        }
        for line in ready.into_iter().map(|ready| ready.map_or_else(|line| line, |prepared| prepared.line)) {
            summary.add(&line);
            on_line(&line);
        }
    }
    Ok(summary)
}

fn surroundings(store: &Store) -> Result<Surroundings> {
    let ground = store.programme()?.0.extent;
    let country = Extent { west: ground.west, south: ground.south, east: ground.east, north: ground.north };
    Ok(Surroundings { today: Utc::now().date_naive(), country: Some(country) })
}

/// A feature with its ids, or why it could not be read.
type Identified<'a> = Result<(&'a Feature, Identity), &'a str>;

fn identify<'a>(item: &'a Item, identities: &mut Identities) -> Identified<'a> {
    match item {
        Item::Feature(feature) => Ok((feature, identities.of(feature.content))),
        Item::Unreadable(reason) => Err(reason),
    }
}

/// A feature's edit, or the line of one that is not wanted or cannot be read.
fn prepare(
    job: &Job<'_>,
    around: Surroundings,
    number: usize,
    identified: Identified<'_>,
) -> Result<Prepared, Line> {
    let (feature, identity) = identified.map_err(|reason| Line {
        reasons: vec![reason.to_owned()],
        ..Line::new(number, Outcome::Unreadable)
    })?;
    if !job.mapping.wants(&feature.columns) {
        return Err(Line { source_id: feature.id.clone(), ..Line::new(number, Outcome::Skipped) });
    }
    let fields = job.mapping.fields(feature, job.source.decimal_comma);
    let kind = job.mapping.schema().kind();
    let found = assess(kind, &fields.values, feature.geometry.as_ref(), around);
    let line = line(number, feature, identity, &fields.notes, found);
    let mutation = mutation(job, feature, identity, fields.values);
    Ok(Prepared { mutation, identity, line })
}

fn line(number: usize, feature: &Feature, identity: Identity, notes: &[String], found: Assessment) -> Line {
    let mut reasons: Vec<String> = feature.notes.iter().chain(notes).cloned().collect();
    if identity.twins > 0 {
        reasons.push(format!("{} feature(s) before it say exactly the same", identity.twins));
    }
    let is_flagged = found.is_flagged || !reasons.is_empty();
    reasons.extend(found.reasons);
    Line {
        source_id: feature.id.clone(),
        record_id: Some(identity.record),
        area_m2: found.area_m2,
        proposed_m2: found.proposed_m2,
        is_flagged,
        reasons,
        ..Line::new(number, Outcome::Taken)
    }
}

fn mutation(
    job: &Job<'_>,
    feature: &Feature,
    identity: Identity,
    values: serde_json::Map<String, serde_json::Value>,
) -> Mutation {
    let mut changes: BTreeMap<String, Change> =
        values.into_iter().map(|(name, value)| (name, Change::set(value))).collect();
    // Without a geometry the edit says so: one that changed nothing at all would not be held against its schema.
    let geometry = feature.geometry.clone().unwrap_or_default();
    changes.insert(GEOMETRY.to_owned(), Change::set(geometry));
    Mutation { changes, ..draft(job, Op::Create, identity.create, identity.record) }
}

fn draft(job: &Job<'_>, op: Op, mutation_id: Uuid, record_id: Uuid) -> Mutation {
    let schema = job.mapping.schema();
    let app = Some(concat!("cartagena-import/", env!("CARGO_PKG_VERSION")).to_owned());
    let captured = job.captured.clone().map(|wall| Captured { wall, gnss: None, accuracy_m: None, app });
    Mutation {
        mutation_id,
        device_id: None,
        device_seq: 0,
        txn: None,
        kind: schema.kind().to_owned(),
        schema: schema.version(),
        op,
        record_id,
        base_version: None,
        changes: BTreeMap::new(),
        seen: None,
        settles: Vec::new(),
        review: None,
        reason: None,
        repairs: None,
        attachments: Vec::new(),
        captured,
        author: job.actor.account,
    }
}

/// Pushes a batch and writes into its lines what became of it.
fn push(store: &Store, job: &Job<'_>, ready: &mut [Result<Prepared, Line>]) -> Result<()> {
    let action = |mutation: Mutation| OwnAction { actor: job.actor, mutations: vec![mutation] };
    let create = ready.iter().flatten().map(|prepared| action(prepared.mutation.clone())).collect();
    let answers = by_mutation(store.push_own(create)?);
    let mut submissions = Vec::new();
    for prepared in ready.iter_mut().flatten() {
        let Some(answer) = answers.get(&prepared.identity.create) else { continue };
        settle(&mut prepared.line, answer);
        if job.submit && may_submit(store, job, prepared.identity, answer)? {
            submissions.push(action(submission(job, prepared.identity)));
        }
    }
    if submissions.is_empty() {
        return Ok(());
    }
    let answers = by_mutation(store.push_own(submissions)?);
    for prepared in ready.iter_mut().flatten() {
        match answers.get(&prepared.identity.submit) {
            None => {}
            Some(answer) if answer.outcome == Fate::Applied => prepared.line.is_submitted = true,
            Some(answer) => prepared.line.reasons.push(format!("not put forward: {}", words(answer))),
        }
    }
    Ok(())
}

/// A record that somebody has worked on since is left alone: to submit it would only make a conflict.
fn may_submit(store: &Store, job: &Job<'_>, identity: Identity, answer: &Answer) -> Result<bool> {
    match (answer.outcome, answer.first) {
        (Fate::Applied, _) => Ok(true),
        (Fate::Duplicate, _) => match store.find_record(identity.record, job.actor.sight()) {
            Ok(record) => Ok(record.version == identity.create && record.stage == Stage::Draft),
            Err(StoreError::NotFound(_)) => Ok(false),
            Err(fault) => Err(fault),
        },
        _ => Ok(false),
    }
}

fn submission(job: &Job<'_>, identity: Identity) -> Mutation {
    Mutation {
        base_version: Some(identity.create),
        review: Some(ReviewAction::Submit),
        ..draft(job, Op::Review, identity.submit, identity.record)
    }
}

fn by_mutation(answers: Vec<Answer>) -> HashMap<Uuid, Answer> {
    answers.into_iter().map(|answer| (answer.mutation_id, answer)).collect()
}

fn settle(line: &mut Line, answer: &Answer) {
    line.outcome = match answer.outcome {
        Fate::Applied | Fate::Merged => Outcome::Taken,
        Fate::Conflict => Outcome::Conflict,
        Fate::Parked => Outcome::Parked,
        Fate::Quarantined | Fate::Retry => Outcome::Quarantined,
        Fate::Duplicate => Outcome::Duplicate,
    };
    match answer.outcome {
        Fate::Applied | Fate::Merged => {}
        Fate::Duplicate => {
            if let Some(first) = answer.first.filter(|first| *first != Fate::Applied) {
                line.reasons.insert(0, format!("first: {first}"));
            }
        }
        _ => line.reasons.insert(0, words(answer)),
    }
}

/// An answer in words.
fn words(answer: &Answer) -> String {
    match (&answer.problem, &answer.waiting_for) {
        (Some(problem), _) => problem_words(problem),
        (None, Some(thing)) => format!("it waits for {thing}"),
        _ => answer.outcome.to_string(),
    }
}

fn problem_words(problem: &Problem) -> String {
    if problem.faults.is_empty() {
        return problem.detail.clone();
    }
    let faults = problem.faults.iter().map(|fault| format!("{} {}", fault.pointer, fault.message));
    faults.collect::<Vec<_>>().join("; ")
}

/// What would become of a batch, as far as that can be told without writing.
fn rehearse(store: &Store, job: &Job<'_>, ready: &mut [Result<Prepared, Line>]) -> Result<()> {
    let schema = job.mapping.schema();
    for prepared in ready.iter_mut().flatten() {
        match store.find_mutation(prepared.identity.create) {
            Ok(_) => prepared.line.outcome = Outcome::Duplicate,
            Err(StoreError::NotFound(_)) => {
                let mut properties = serde_json::Map::new();
                for (name, change) in &prepared.mutation.changes {
                    properties.extend(change.to.clone().map(|value| (name.clone(), value)));
                }
                let geometry = properties.remove(GEOMETRY).unwrap_or_default();
                let faults = schema.validate(&properties, geometry["type"].as_str());
                if !faults.is_empty() {
                    let problem = Problem { faults, ..Problem::new("schema", "") };
                    prepared.line.outcome = Outcome::Quarantined;
                    prepared.line.reasons.insert(0, problem_words(&problem));
                }
            }
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}
