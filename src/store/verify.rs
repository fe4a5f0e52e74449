//! Whether a database is what its log says: for whoever restored a copy, moved a server or mistrusts a disk.
//!
//! The log is a chain of hashes, every version follows from the one before it by a mutation of the log, every record
//! stands at its newest version, every scope's digest is that of its records, and every frozen year says what was frozen.
//! All of it is read on one snapshot.

use std::collections::{BTreeMap, HashMap, HashSet};

use diesel::prelude::*;
use serde_json::Value;
use uuid::Uuid;

use super::backend::DbConnection;
use super::column::{Document, Id};
use super::memory::received;
use super::row::{LogRow, RecordRow, VersionRow};
use super::schema::{conflict, freeze, log, membership, parked, quarantine, record, scope_digest, version};
use super::scope::Scope;
use super::txn::{GENESIS, PERSONAL, chain, read_clock};
use super::{Result, Store};
use crate::model::mutation::Outcome;
use crate::model::schema::Registry;
use crate::model::{Hash, Mutation, Op, Record, ReviewAction, Stage};
use crate::sync::Digest;
use crate::sync::merge::{self, Terms, resolved, reviewed};

/// Rows read at a time.
const PAGE: i64 = 1_000;
/// Faults that are named; the others are counted.
const NAMED: usize = 100;

/// What was looked at and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Entries of the log.
    pub entries: i64,
    /// Records.
    pub records: i64,
    /// Versions on the records' own lines.
    pub versions: i64,
    /// Scopes with a digest.
    pub scopes: i64,
    /// How many faults there are.
    pub faults: usize,
    /// The first of them, in words.
    pub named: Vec<String>,
}

impl Verdict {
    /// Whether all is as the log says.
    pub fn is_sound(&self) -> bool {
        self.faults == 0
    }

    fn fault(&mut self, what: String) {
        self.faults += 1;
        if self.named.len() < NAMED {
            self.named.push(what);
        }
    }
}

/// How far a look has come: what is being looked at, how much of it, and how much there is.
pub type Progress<'p> = &'p mut dyn FnMut(&'static str, i64, i64);

impl Store {
    /// Looks at the whole database. `progress` is told how far it has come.
    ///
    /// # Errors
    /// Where the database cannot be read; what is wrong with what it holds is in the verdict.
    pub fn verify(&self, progress: Progress<'_>) -> Result<Verdict> {
        self.read(|connection| {
            let mut verdict = Verdict::default();
            let outcomes = log_chain(connection, &mut verdict, progress)?;
            places(connection, &outcomes, &mut verdict)?;
            let scopes = records(connection, self.registry, &mut verdict, progress)?;
            digests(connection, scopes, &mut verdict)?;
            freezes(connection, &mut verdict)?;
            Ok(verdict)
        })
    }
}

impl Store {
    /// Every version in the log's order, the branches marked: for whoever checks the database against rules of their own.
    pub fn versions(&self) -> Result<Vec<(bool, Record)>> {
        self.read(|connection| {
            let rows: Vec<VersionRow> =
                version::table.order(version::seq).select(VersionRow::as_select()).load(connection)?;
            rows.into_iter().map(|row| Ok((row.branch, row.into_record()?))).collect()
        })
    }
}

/// Every entry has its place and the hash of all before it; the clock stands at the last.
///
/// Gives what the log says has become of every edit.
fn log_chain(
    connection: &mut DbConnection,
    verdict: &mut Verdict,
    progress: Progress<'_>,
) -> Result<HashMap<Id, Outcome>> {
    let clock = read_clock(connection)?;
    let mut outcomes = HashMap::new();
    let (mut seq, mut hash) = (0, GENESIS.to_vec());
    loop {
        let rows: Vec<LogRow> = log::table
            .filter(log::seq.gt(seq))
            .order(log::seq)
            .limit(PAGE)
            .select(LogRow::as_select())
            .load(connection)?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            if row.seq != seq + 1 {
                verdict.fault(format!("log: entry {} comes after {seq}", row.seq));
            }
            if row.entry_hash != chain(&hash, row.seq, &row.body, &row.outcome) {
                verdict.fault(format!("log: entry {} is not what was chained", row.seq));
            }
            if row.entry != "act"
                && let Ok(outcome) = row.outcome.parse()
            {
                outcomes.insert(row.subject, outcome);
            }
            (seq, hash) = (row.seq, row.entry_hash);
            verdict.entries += 1;
        }
        progress("log", seq, clock.seq);
    }
    if seq != clock.seq || hash != clock.head_hash {
        verdict.fault(format!("log: its last entry is {seq}, the clock stands at {}", clock.seq));
    }
    Ok(outcomes)
}

/// Every edit is where the log says: a version, a branch with its conflict, or it waits or lies in quarantine.
fn places(
    connection: &mut DbConnection,
    outcomes: &HashMap<Id, Outcome>,
    verdict: &mut Verdict,
) -> Result<()> {
    let branches: HashMap<Id, bool> = version::table
        .select((version::version_id, version::branch))
        .load::<(Id, bool)>(connection)?
        .into_iter()
        .collect();
    let set = |ids: Vec<Id>| ids.into_iter().collect::<HashSet<Id>>();
    let conflicts = set(conflict::table.select(conflict::conflict_id).load(connection)?);
    let waiting = set(parked::table.select(parked::mutation_id).load(connection)?);
    let quarantined = set(quarantine::table.select(quarantine::mutation_id).load(connection)?);
    for (id, outcome) in outcomes {
        let there = match outcome {
            Outcome::Applied | Outcome::Merged => branches.get(id) == Some(&false),
            Outcome::Conflict => branches.get(id) == Some(&true) && conflicts.contains(id),
            Outcome::Parked => waiting.contains(id),
            Outcome::Quarantined => quarantined.contains(id),
            Outcome::Duplicate | Outcome::Retry => false,
        };
        if !there {
            verdict.fault(format!("edit {}: the log says {outcome}, and it is not there", id.0));
        }
    }
    Ok(())
}

/// Every version follows from the one before it, every record stands at its last. Gives what each scope should hold.
fn records(
    connection: &mut DbConnection,
    registry: &Registry,
    verdict: &mut Verdict,
    progress: Progress<'_>,
) -> Result<HashMap<String, Digest>> {
    let all: i64 = record::table.count().get_result(connection)?;
    let mut scopes: HashMap<String, Digest> = HashMap::new();
    let mut after = 0;
    loop {
        let rows: Vec<RecordRow> = record::table
            .filter(record::seq.gt(after))
            .order(record::seq)
            .limit(PAGE)
            .select(RecordRow::as_select())
            .load(connection)?;
        let Some(last) = rows.last() else { return Ok(scopes) };
        after = last.seq;
        let ids: Vec<Id> = rows.iter().map(|row| row.record_id).collect();
        let mut lines = lines(connection, &ids)?;
        for row in rows {
            verdict.records += 1;
            let line = lines.remove(&row.record_id).unwrap_or_default();
            verdict.versions += i64::try_from(line.len()).unwrap_or_default();
            if let Err(fault) = look_at(connection, registry, &row, line)? {
                verdict.fault(format!("record {}: {fault}", row.record_id.0));
            }
            let mut hold = |scope: Scope| {
                scopes.entry(scope.key()).or_default().add(row.record_id.0, row.version.0);
            };
            hold(Scope::Everything);
            if row.tier < PERSONAL {
                hold(Scope::Content);
                hold(Scope::Organisation(row.organisation.0));
            }
        }
        progress("records", verdict.records, all);
    }
}

/// The versions on these records' own lines, oldest first, each with its mutation as the log has it.
type Lines = BTreeMap<Id, Vec<(VersionRow, Option<Mutation>)>>;

fn lines(connection: &mut DbConnection, ids: &[Id]) -> Result<Lines> {
    let versions: Vec<VersionRow> = version::table
        .filter(version::record_id.eq_any(ids))
        .filter(version::branch.eq(false))
        .order((version::record_id, version::seq))
        .select(VersionRow::as_select())
        .load(connection)?;
    let mut bodies: HashMap<Id, Mutation> = HashMap::new();
    let wanted: Vec<Id> = versions.iter().map(|row| row.version_id).collect();
    for wanted in wanted.chunks(5_000) {
        let rows: Vec<(Id, Vec<u8>, Option<Id>)> = log::table
            .filter(log::entry.eq("mutation"))
            .filter(log::subject.eq_any(wanted))
            .select((log::subject, log::body, log::device_id))
            .load(connection)?;
        for (id, body, device) in rows {
            bodies.insert(id, received(&body, device)?.mutation);
        }
    }
    let mut lines = Lines::new();
    for row in versions {
        let mutation = bodies.remove(&row.version_id);
        lines.entry(row.record_id).or_default().push((row, mutation));
    }
    Ok(lines)
}

/// Looks at one record's line; what is wrong with it, in words.
fn look_at(
    connection: &mut DbConnection,
    registry: &Registry,
    row: &RecordRow,
    line: Vec<(VersionRow, Option<Mutation>)>,
) -> Result<Result<(), String>> {
    let mut before: Option<Record> = None;
    let mut finalised: HashMap<Uuid, Record> = HashMap::new();
    for (version, mutation) in line {
        let id = version.version_id.0;
        let stands = version.into_record()?;
        let Some(mutation) = mutation else {
            return Ok(Err(format!("the log has no mutation for version {id}")));
        };
        if before.is_none() && mutation.op == Op::Resolve {
            before = settled(connection, &mutation)?;
        }
        let official = before.as_ref().and_then(|before| finalised.get(&before.official?));
        let expected = follow(registry, before.as_ref(), official, &mutation, &stands);
        if !same(&expected, &stands) {
            return Ok(Err(format!("version {id} does not follow from its mutation")));
        }
        if stands.stage == Stage::Finalised {
            finalised.insert(stands.version, stands.clone());
        }
        before = Some(stands);
    }
    Ok(match before {
        None => Err("it has no version".to_owned()),
        Some(head) if head.version != row.version.0 => {
            Err(format!("it stands at version {}, its last is {}", row.version.0, head.version))
        }
        Some(head) => {
            let same = head.stage.as_str() == row.stage
                && head.retired == row.retired
                && head.organisation == row.organisation.0
                && head.author == row.author.0
                && head.official == row.official.map(|id| id.0);
            same.then_some(()).ok_or_else(|| "it says something else than its version".to_owned())
        }
    })
}

/// Whether two states say the same. PostgreSQL writes a number like `1e2` in its own way: values are compared as they
/// are hashed (RFC 8785).
fn same(a: &Record, b: &Record) -> bool {
    let content = |record: &Record| {
        let geometry = record.geometry.as_ref().map(Hash::of_value);
        (Hash::of_value(&Value::Object(record.properties.clone())), geometry)
    };
    let bare =
        |record: &Record| Record { properties: serde_json::Map::new(), geometry: None, ..record.clone() };
    a == b || content(a) == content(b) && bare(a) == bare(b)
}

/// What a record disputed from its beginning was built on.
fn settled(connection: &mut DbConnection, mutation: &Mutation) -> Result<Option<Record>> {
    let Some(branch) = mutation.settles.first() else { return Ok(None) };
    let row: Option<VersionRow> =
        version::table.find(Id(*branch)).select(VersionRow::as_select()).first(connection).optional()?;
    row.map(VersionRow::into_record).transpose()
}

/// What a mutation that was applied makes of the version before it.
fn follow(
    registry: &Registry,
    before: Option<&Record>,
    official: Option<&Record>,
    mutation: &Mutation,
    stands: &Record,
) -> Record {
    let schema = Terms::of(registry, mutation, before).ok().map(|terms| terms.ruling);
    let blank = || {
        let (id, organisation) = (mutation.record_id, stands.organisation);
        Record::blank(id, &mutation.kind, mutation.schema, organisation, mutation.author)
    };
    let base = before.cloned().unwrap_or_else(blank);
    let mut record = match (mutation.op, schema) {
        (Op::Review, _) => {
            let stage = mutation.review.map_or(base.stage, ReviewAction::gives);
            reviewed(&base, official, mutation, stage)
        }
        (Op::Resolve, Some(schema)) => resolved(&base, mutation, schema),
        _ => merge::intended(&base, mutation, schema),
    };
    match mutation.op {
        Op::Retire => record.retired = true,
        Op::Restore => record.retired = false,
        Op::Create | Op::Update | Op::Resolve | Op::Review => {}
    }
    record.version = mutation.mutation_id;
    record.schema = record.schema.max(mutation.schema);
    if mutation.op != Op::Review {
        record.author = mutation.author;
        record.stage = Stage::Draft;
    } else if record.stage == Stage::Finalised {
        record.official = Some(mutation.mutation_id);
    }
    record
}

/// Every stored digest is that of what its scope shows.
fn digests(
    connection: &mut DbConnection,
    mut expected: HashMap<String, Digest>,
    verdict: &mut Verdict,
) -> Result<()> {
    let shown: Vec<(String, Id, Option<Id>)> = membership::table
        .filter(membership::version.is_not_null())
        .select((membership::scope, membership::record_id, membership::version))
        .load(connection)?;
    for (scope, record, version) in shown {
        if let Some(version) = version {
            expected.entry(scope).or_default().add(record.0, version.0);
        }
    }
    let stored: Vec<(String, i64, i64)> = scope_digest::table
        .select((scope_digest::scope, scope_digest::count, scope_digest::sum))
        .load(connection)?;
    for (scope, count, sum) in stored {
        verdict.scopes += 1;
        if expected.remove(&scope).unwrap_or_default() != (Digest { count, sum }) {
            verdict.fault(format!("scope {scope}: its digest is not that of its records"));
        }
    }
    for scope in expected.keys() {
        verdict.fault(format!("scope {scope}: it has records and no digest"));
    }
    Ok(())
}

/// Every year that the log says was frozen is there with the figures of then, and no other is.
fn freezes(connection: &mut DbConnection, verdict: &mut Verdict) -> Result<()> {
    let acts: Vec<(Id, Vec<u8>)> = log::table
        .filter(log::entry.eq("act").and(log::outcome.eq("year_frozen")))
        .select((log::subject, log::body))
        .load(connection)?;
    let said = |body: &[u8]| Some(serde_json::from_slice::<Value>(body).ok()?["hash"].as_str()?.to_owned());
    let mut frozen: HashMap<Id, Option<String>> = acts.iter().map(|(id, body)| (*id, said(body))).collect();
    let rows: Vec<(Id, i32, Document)> =
        freeze::table.select((freeze::freeze_id, freeze::year, freeze::document)).load(connection)?;
    for (id, year, document) in rows {
        if frozen.remove(&id).flatten() != Some(Hash::of_value(&document.0).to_string()) {
            verdict
                .fault(format!("frozen year {year} ({}): its figures are not those that were frozen", id.0));
        }
    }
    for id in frozen.keys() {
        verdict.fault(format!("frozen year ({}): it is gone", id.0));
    }
    Ok(())
}
