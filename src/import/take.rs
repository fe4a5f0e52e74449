//! Brings the features of a file into the store, batch by batch.

use std::collections::{BTreeMap, HashMap};

use chrono::Utc;
use rayon::prelude::*;
use uuid::Uuid;

use super::assess::{Assessment, Surroundings, assess};
use super::identity::{self, Identities, Identity, Ids};
use super::known::{self, Known};
use super::ours;
use super::report::NAMESAKE;
use super::{Feature, ImportError, Item, Line, Mapping, Outcome, Source, Summary};
use crate::model::mutation::{Captured, GEOMETRY, Outcome as Fate};
use crate::model::quality::Extent;
use crate::model::record::Feature as Record;
use crate::model::role::Actor;
use crate::model::{Change, Hash, Mutation, Op, ReviewAction, Stage};
use crate::ogc::collection::Collection;
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
    /// What tells its features apart.
    pub ids: &'a Ids,
    /// Who answers for it, and whose records they become.
    pub actor: Actor,
    /// When the file was written, RFC 3339.
    pub captured: Option<String>,
    /// Change records of this server that the file has an edited export of.
    pub update: bool,
    /// Put the records forward for review.
    pub submit: bool,
    /// Write nothing.
    pub dry_run: bool,
}

/// A feature ready for the store.
pub(super) struct Prepared {
    /// What the file says of one that may be a record of this server, as it stands there.
    pub(super) columns: Option<serde_json::Map<String, serde_json::Value>>,
    /// The edit that makes its record.
    pub(super) mutation: Mutation,
    /// Who it is.
    pub(super) identity: Identity,
    /// What is to be said of it.
    pub(super) line: Line,
}

/// Takes every feature; `on_line` is told what became of each, in the file's order.
///
/// # Errors
/// What the store reports. Batches that were taken before stand, and a second run does not take them twice.
pub fn run(store: &Store, job: &Job<'_>, on_line: &mut dyn FnMut(&Line)) -> Result<Summary, ImportError> {
    let features = job.source.items.len();
    let stopped = |taken: usize| move |source: StoreError| ImportError::Store { taken, features, source };
    let around = surroundings(store).map_err(stopped(0))?;
    let mut identities =
        Identities::new(job.source, job.ids, job.actor.organisation, job.mapping.schema().kind());
    let mut summary = Summary { is_dry: job.dry_run, ..Summary::default() };
    for (place, items) in job.source.items.chunks(BATCH).enumerate() {
        let identified: Vec<(usize, Identified<'_>)> = items
            .iter()
            .enumerate()
            .map(|(index, item)| {
                let number = place * BATCH + index + 1;
                (number, identify(job, number, item, &mut identities))
            })
            .collect();
        let mut ready: Vec<Result<Prepared, Box<Line>>> = identified
            .into_par_iter()
            .map(|(number, identified)| prepare(job, around, number, identified))
            .collect();
        settle_batch(store, job, &mut ready).map_err(stopped(summary.features))?;
        for line in ready.into_iter().map(|ready| ready.map_or_else(|line| *line, |prepared| prepared.line)) {
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

/// A feature with its ids, or the line of one that is not wanted or cannot be read.
type Identified<'a> = Result<(&'a Feature, Identity), Box<Line>>;

fn identify<'a>(
    job: &Job<'_>,
    number: usize,
    item: &'a Item,
    identities: &mut Identities<'_>,
) -> Identified<'a> {
    match item {
        Item::Feature(feature) if job.mapping.wants(&feature.columns) => {
            Ok((feature, identities.of(number, feature)))
        }
        Item::Feature(feature) => {
            Err(Box::new(Line { source_id: job.ids.of(feature), ..Line::new(number, Outcome::Skipped) }))
        }
        Item::Unreadable(reason) => {
            Err(Box::new(Line { reasons: vec![reason.clone()], ..Line::new(number, Outcome::Unreadable) }))
        }
    }
}

/// A feature's edit, or the line of one that is not to be pushed.
fn prepare(
    job: &Job<'_>,
    around: Surroundings,
    number: usize,
    identified: Identified<'_>,
) -> Result<Prepared, Box<Line>> {
    let (feature, identity) = identified?;
    let fields = job.mapping.fields(feature, job.source.decimal);
    let kind = job.mapping.schema().kind();
    let found = assess(kind, &fields.values, feature.geometry.as_ref(), around);
    let mut line = line(number, feature, &identity, &fields.notes, found);
    if let Some((first, is_same)) = identity.namesake {
        line.outcome = if is_same { Outcome::Duplicate } else { Outcome::Differs };
        let what = if is_same { "says the same" } else { "says something else" };
        let reason = format!("{NAMESAKE} and {what}");
        line.reasons.splice(0..0, [reason, format!("it is feature {first}")]);
        return Err(Box::new(line));
    }
    let mutation = mutation(job, feature, &identity, fields.values);
    let columns = (!identity.own.is_empty()).then(|| feature.columns.clone());
    Ok(Prepared { columns, mutation, identity, line })
}

fn line(number: usize, feature: &Feature, identity: &Identity, notes: &[String], found: Assessment) -> Line {
    let mut reasons: Vec<String> = feature.notes.iter().chain(notes).cloned().collect();
    if identity.twins > 0 {
        reasons.push(format!("features before it say exactly the same: {}", identity.twins));
    }
    // What comes after a colon differs from feature to feature.
    let heads = reasons.iter().map(|reason| reason.split(": ").next().unwrap_or(reason).to_owned());
    let flags = heads.chain(found.flags).collect();
    reasons.extend(found.reasons);
    Line {
        source_id: identity.source_id.clone(),
        record_id: Some(identity.record),
        area_m2: found.area_m2,
        proposed_m2: found.proposed_m2,
        flags,
        reasons,
        ..Line::new(number, Outcome::Taken)
    }
}

fn mutation(
    job: &Job<'_>,
    feature: &Feature,
    identity: &Identity,
    values: serde_json::Map<String, serde_json::Value>,
) -> Mutation {
    let mut changes: BTreeMap<String, Change> =
        values.into_iter().map(|(name, value)| (name, Change::set(value))).collect();
    // Without a geometry the edit says so: one that changed nothing at all would not be held against its schema.
    let geometry = feature.geometry.clone().unwrap_or_default();
    changes.insert(GEOMETRY.to_owned(), Change::set(geometry));
    // Other words are another edit: a mended feature can follow one that was quarantined.
    let id = identity::edit(identity.record, &words_of(&changes));
    Mutation { changes, ..draft(job, Op::Create, id, identity.record) }
}

/// What names the edit that makes a record with these fields.
pub(super) fn words_of(changes: &BTreeMap<String, Change>) -> String {
    format!("create\n{}", Hash::of_value(changes))
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

/// Brings a batch into the store and writes into its lines what became of it.
fn settle_batch(store: &Store, job: &Job<'_>, ready: &mut [Result<Prepared, Box<Line>>]) -> Result<()> {
    let mut new = Vec::new();
    let mut drafts = Vec::new();
    let mut edited = Vec::new();
    let collections = Collection::seen(store.registry(), job.actor.sight(), false);
    for prepared in ready.iter_mut().flatten() {
        match known::look(store, job, &collections, prepared)? {
            Known::No => new.push(prepared),
            Known::Same(record) => {
                prepared.line.outcome = Outcome::Duplicate;
                prepared.line.record_id = Some(record.id);
                drafts.push((prepared, record));
            }
            Known::Differs(record, what) => {
                prepared.line.outcome = Outcome::Differs;
                prepared.line.record_id = Some(record.id);
                prepared.line.reasons.insert(0, what);
            }
            Known::Ours(record, ours) => edited.extend(ours::settle(store, job, prepared, &record, ours)?),
        }
    }
    if job.dry_run {
        return new.into_iter().try_for_each(|prepared| rehearse(store, job, prepared));
    }
    let mut submissions = push(store, job, new)?;
    submissions.extend(edited.into_iter().filter(|_| job.submit));
    // An earlier run may have left them as drafts.
    for (prepared, record) in drafts.into_iter().filter(|_| job.submit) {
        match may_submit(&record, prepared) {
            Ok(true) => submissions.push((record.id, record.version, &mut prepared.line)),
            Ok(false) => {}
            Err(why) => prepared.line.reasons.push(format!("not put forward: {why}")),
        }
    }
    submit(store, job, submissions)
}

/// A record to be put forward: its id, its version and its line.
pub(super) type Submission<'a> = (Uuid, Uuid, &'a mut Line);

/// Pushes new features, and gives those that are to be put forward.
fn push<'a>(store: &Store, job: &Job<'_>, new: Vec<&'a mut Prepared>) -> Result<Vec<Submission<'a>>> {
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let creates = new.iter().map(|prepared| own(job, prepared.mutation.clone())).collect();
    let answers = by_mutation(store.push_own(creates)?);
    let mut submissions = Vec::new();
    let mut whole = HashMap::new();
    for prepared in new {
        let version = prepared.mutation.mutation_id;
        let Some(answer) = answers.get(&version) else { continue };
        settle(&mut prepared.line, answer);
        if answer.outcome == Fate::Applied {
            let ground = prepared.mutation.changes.get(GEOMETRY).and_then(|change| change.to.clone());
            whole.insert(prepared.identity.record, ground.unwrap_or_default());
        }
        if job.submit && answer.outcome == Fate::Applied {
            submissions.push((prepared.identity.record, version, &mut prepared.line));
        }
    }
    // A camp leaves what is in quarantine to the nation.
    match store.dismiss_replaced(&whole, job.actor.account, "a mended file has brought the record") {
        Ok(()) | Err(StoreError::Refused { .. }) => Ok(submissions),
        Err(fault) => Err(fault),
    }
}

/// Whether an earlier run left the record as a draft. One that somebody has worked on since is theirs to put forward.
fn may_submit(record: &Record, prepared: &Prepared) -> Result<bool, &'static str> {
    let made_by_import = identity::edit(record.id, &words_of(&prepared.mutation.changes));
    match record.stage {
        Stage::Draft if record.retired => Err("it is out of use"),
        Stage::Draft if record.version == made_by_import => Ok(true),
        Stage::Draft => Err("somebody has worked on it since it was imported"),
        Stage::Returned => Err("it was returned: mend it first"),
        _ => Ok(false),
    }
}

fn submit(store: &Store, job: &Job<'_>, submissions: Vec<Submission<'_>>) -> Result<()> {
    if submissions.is_empty() {
        return Ok(());
    }
    // Somebody else may put forward what the one who tried before may not.
    let name = |version: &Uuid| identity::edit(*version, &format!("submit\n{}", job.actor.account));
    let mutations = submissions.iter().map(|(record, version, _)| {
        own(
            job,
            Mutation {
                base_version: Some(*version),
                review: Some(ReviewAction::Submit),
                ..draft(job, Op::Review, name(version), *record)
            },
        )
    });
    let answers = by_mutation(store.push_own(mutations.collect())?);
    for (_, version, line) in submissions {
        match answers.get(&name(&version)) {
            None => {}
            Some(answer) if answer.outcome == Fate::Applied => line.is_submitted = true,
            Some(answer) => line.reasons.push(format!("not put forward: {}", words(answer))),
        }
    }
    Ok(())
}

fn own(job: &Job<'_>, mutation: Mutation) -> OwnAction {
    OwnAction { actor: job.actor, mutations: vec![mutation] }
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

/// What would become of a new feature, as far as that can be told without writing.
fn rehearse(store: &Store, job: &Job<'_>, prepared: &mut Prepared) -> Result<()> {
    match store.find_mutation(prepared.mutation.mutation_id) {
        Ok(_) => prepared.line.outcome = Outcome::Duplicate,
        Err(StoreError::NotFound(_)) => {
            let mut properties = serde_json::Map::new();
            for (name, change) in &prepared.mutation.changes {
                properties.extend(change.to.clone().map(|value| (name.clone(), value)));
            }
            let geometry = properties.remove(GEOMETRY).unwrap_or_default();
            let faults = job.mapping.schema().validate(&properties, geometry["type"].as_str());
            if !faults.is_empty() {
                let problem = Problem { faults, ..Problem::new("schema", "") };
                prepared.line.outcome = Outcome::Quarantined;
                prepared.line.reasons.insert(0, problem_words(&problem));
            }
        }
        Err(fault) => return Err(fault),
    }
    Ok(())
}
