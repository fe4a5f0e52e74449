//! The past as the rules of sync see it, read from and written to the database.

use std::collections::HashSet;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::backend::on_backend;
use super::column::{Document, Id};
use super::prefetch;
use super::row::{ConflictRow, Head, LogRow, VersionRow, brought_geometry};
use super::schema::{conflict, finding, log, parked, quarantine, record, version};
use super::txn::{Changed, SyncTxn};
use super::{Result, StoreError};
use crate::model::quality::Severity;
use crate::model::role::{Actor, Role};
use crate::model::{Hash, Op, Record, Stage};
use crate::planted::{Fault, is_planted};
use crate::sync::memory::{Answer, Conflict, Entry, Held, Known, Memory, Problem, Received, Waiting};

impl Memory for SyncTxn<'_> {
    type Error = StoreError;

    fn known(&mut self, mutation: Uuid) -> Result<Option<Known>> {
        if is_planted(Fault::NoIdempotency) {
            return Ok(None);
        }
        if !self.cache.known.contains_key(&mutation) {
            prefetch::known(self, &[mutation])?;
        }
        Ok(self.cache.known.get(&mutation).cloned().flatten())
    }

    fn numbered(&mut self, device: Uuid, device_seq: i64) -> Result<Option<Uuid>> {
        if !self.cache.numbered.contains_key(&(device, device_seq)) {
            prefetch::numbered(self, device, &[device_seq])?;
        }
        Ok(self.cache.numbered.get(&(device, device_seq)).copied().flatten())
    }

    fn head(&mut self, record: Uuid) -> Result<Option<Record>> {
        if !self.cache.heads.contains_key(&record) {
            prefetch::heads(self, &[record])?;
        }
        Ok(self.cache.heads.get(&record).and_then(Option::as_ref).map(|head| head.record.clone()))
    }

    fn version(&mut self, version: Uuid) -> Result<Option<Record>> {
        if !self.cache.versions.contains_key(&version) {
            prefetch::versions(self, &[version])?;
        }
        if let Some(Some(record)) = self.cache.versions.get(&version) {
            return Ok(Some(record.clone()));
        }
        // A repaired mutation's version stands for the quarantined one, on which others may build.
        let repaired: Option<Option<Id>> = quarantine::table
            .find(Id(version))
            .select(quarantine::repaired_by)
            .first(self.connection)
            .optional()?;
        match repaired.flatten() {
            Some(Id(by)) => self.version(by),
            None => Ok(None),
        }
    }

    fn open_conflicts(&mut self, record: Uuid) -> Result<Vec<Conflict>> {
        let rows: Vec<ConflictRow> = conflict::table
            .filter(conflict::record_id.eq(Id(record)))
            .filter(conflict::closed_seq.is_null())
            .order(conflict::opened_seq)
            .select(ConflictRow::as_select())
            .load(self.connection)?;
        rows.into_iter().map(ConflictRow::into_conflict).collect()
    }

    fn conflict_known(&mut self, conflict: Uuid) -> Result<bool> {
        let found: Option<Id> = conflict::table
            .find(Id(conflict))
            .select(conflict::conflict_id)
            .first(self.connection)
            .optional()?;
        Ok(found.is_some())
    }

    fn held_by(&mut self, record: Uuid) -> Result<Vec<String>> {
        if self.buffer.changed.get(&record).is_some_and(|changed| changed.content) {
            // Written in this very transaction: its findings are not stored yet.
            let found = super::quality::inspect(self, record)?;
            let held = found.into_iter().filter(|found| found.severity == Severity::Hold);
            return Ok(held.map(|found| format!("{}: {}", found.rule, found.message)).collect());
        }
        let found: Vec<(String, String)> = finding::table
            .filter(finding::record_id.eq(Id(record)))
            .filter(finding::severity.eq(Severity::Hold.as_str()))
            .order((finding::rule, finding::pointer))
            .select((finding::rule, finding::message))
            .load(self.connection)?;
        Ok(found.into_iter().map(|(rule, message)| format!("{rule}: {message}")).collect())
    }

    fn waiting_for(&mut self, thing: &str) -> Result<Vec<Waiting>> {
        if !self.things_waited_for()?.contains(thing) {
            return Ok(Vec::new());
        }
        let rows: Vec<(Id, Id, Document)> = parked::table
            .filter(parked::waiting_for.eq(thing))
            .order(parked::since_seq)
            .select((parked::txn, parked::mutation_id, parked::actor))
            .load(self.connection)?;
        // The name of an action is its device's own affair: another device may have used the same.
        let mut actions: Vec<Waiting> = Vec::new();
        for (txn, mutation, actor) in rows {
            let received = self.stored_mutation(mutation.0)?;
            let device = received.device;
            let of_same = |action: &&mut Waiting| {
                action.txn == txn.0 && action.mutations.iter().all(|there| there.device == device)
            };
            match actions.iter_mut().find(of_same) {
                Some(action) => action.mutations.push(received),
                None => actions.push(Waiting {
                    txn: txn.0,
                    mutations: vec![received],
                    actor: actor.read::<StoredActor>()?.into(),
                }),
            }
        }
        for action in &mut actions {
            action.mutations.sort_by_key(|received| received.mutation.txn.map_or(0, |txn| txn.index));
        }
        Ok(actions)
    }

    fn log(&mut self, received: &Received, actor: &Actor, entry: Entry, answer: &mut Answer) -> Result<i64> {
        let id = received.id();
        // What the nation tells of for the first time arrives here, whatever else of its action had been here before.
        let new = entry == Entry::Rebased && !self.stood(id) && self.known(id)?.is_none();
        if entry == Entry::Rebased && !new {
            return Ok(self.log_rebased(received, answer));
        }
        let device_seq = received.mutation.device_seq;
        answer.seq = Some(self.clock.seq + 1);
        let arrived = new || entry == Entry::Arrived;
        let row = LogRow {
            seq: 0,
            entry: if arrived { "mutation" } else { "unparked" }.to_owned(),
            subject: Id(id),
            device_id: arrived.then_some(Id(received.device)),
            device_seq: arrived.then_some(device_seq),
            record_id: Some(Id(received.mutation.record_id)),
            outcome: answer.outcome.to_string(),
            answer: Document::of(answer),
            actor: Some(Id(received.mutation.author)),
            received_at: self.now,
            skew_ms: self.skew_ms,
            body: received.bytes.to_vec(),
            entry_hash: Vec::new(),
            role: Some(actor.role.to_string()),
            organisation: Some(Id(actor.organisation)),
        };
        let seq = self.append(row);
        if arrived && self.clock.follows && self.rebase.is_none() {
            self.buffer.pending.push((Id(id), seq));
        }
        if arrived {
            let known = Known { answer: answer.clone(), bytes: Hash::of_bytes(&received.bytes) };
            self.cache.known.insert(id, Some(known));
            let numbered = self.cache.numbered.entry((received.device, device_seq)).or_default();
            *numbered = numbered.or(Some(id));
        }
        Ok(seq)
    }

    fn put_head(&mut self, record: Record, received: &Received, seq: i64) -> Result<()> {
        let before = self.cache.heads.remove(&record.id).flatten();
        let stays = before.as_ref().is_some_and(|head| head.record.geometry == record.geometry);
        let shape = match brought_geometry(received) {
            Some(geometry) if Some(geometry) == record.geometry.as_ref() => {
                self.cache.shapes.get(&received.id()).cloned()
            }
            None if stays => before.as_ref().and_then(|head| head.shape.clone()),
            _ => record.geometry.as_ref().and_then(super::record::shape_of),
        };
        let row = VersionRow::of(&record, shape.as_ref(), received, seq, false, self.now);
        let row = self.in_place(row, received);
        let seq = row.seq;
        self.buffer.versions.push(row);
        self.cache.versions.insert(record.version, Some(record.clone()));
        // A step of a review changes nothing, unless it refuses an amendment.
        let refused = record.stage == Stage::Rejected && record.official.is_some();
        let content = received.mutation.op != Op::Review || refused;
        let contest = received.mutation.op == Op::Resolve;
        let version = before.as_ref().map(|head| head.record.version);
        let changed = self.buffer.changed.entry(record.id).or_insert(Changed::from(version));
        changed.content |= content;
        changed.contest |= contest;
        let created_seq = before.map_or(seq, |head| head.created_seq);
        self.cache.heads.insert(record.id, Some(Head { record, seq, created_seq, shape }));
        Ok(())
    }

    fn put_branch(&mut self, record: Record, received: &Received, seq: i64) -> Result<()> {
        let shape = match brought_geometry(received) {
            Some(_) => self.cache.shapes.get(&received.id()).cloned(),
            None => record.geometry.as_ref().and_then(super::record::shape_of),
        };
        let mut row = VersionRow::of(&record, shape.as_ref(), received, seq, true, self.now);
        row.recorded_at = self.learnt(row.version_id.0);
        self.buffer.versions.push(row);
        self.cache.versions.insert(record.version, Some(record));
        Ok(())
    }

    fn open_conflict(&mut self, conflict: Conflict, seq: i64) -> Result<()> {
        let row = ConflictRow::of(&conflict, seq, self.learnt(conflict.id));
        diesel::insert_into(conflict::table).values(&row).execute(self.connection)?;
        if let Some(Some(head)) = self.cache.heads.get_mut(&conflict.record_id) {
            head.record.contested |= conflict.safety;
            head.seq = seq;
            let version = head.record.version;
            let changed = self.buffer.changed.entry(conflict.record_id);
            changed.or_insert(Changed::from(Some(version))).contest = true;
        }
        Ok(())
    }

    fn close_conflict(&mut self, conflict: Uuid, by: Uuid, reason: &str, seq: i64) -> Result<()> {
        diesel::update(conflict::table.find(Id(conflict)))
            .set((conflict::closed_seq.eq(seq), conflict::closed_by.eq(Id(by)), conflict::reason.eq(reason)))
            .execute(self.connection)?;
        Ok(())
    }

    fn park(&mut self, received: &Received, txn: Uuid, thing: &str, actor: &Actor, seq: i64) -> Result<()> {
        self.things_waited_for()?.insert(thing.to_owned());
        let row = (
            parked::mutation_id.eq(Id(received.id())),
            parked::txn.eq(Id(txn)),
            parked::waiting_for.eq(thing),
            parked::actor.eq(Document::of(&StoredActor::from(*actor))),
            parked::since_seq.eq(seq),
            parked::since.eq(self.learnt(received.id())),
        );
        on_backend!(&mut *self.connection, |c| {
            diesel::insert_into(parked::table)
                .values(row)
                .on_conflict(parked::mutation_id)
                .do_update()
                .set(parked::waiting_for.eq(thing))
                .execute(c)
        })?;
        Ok(())
    }

    fn unpark(&mut self, mutation: Uuid) -> Result<()> {
        diesel::delete(parked::table.find(Id(mutation))).execute(self.connection)?;
        Ok(())
    }

    fn quarantine(&mut self, received: &Received, problem: &Problem, actor: &Actor, seq: i64) -> Result<()> {
        let mutation = &received.mutation;
        let row = (
            quarantine::mutation_id.eq(Id(received.id())),
            quarantine::record_id.eq(Id(mutation.record_id)),
            quarantine::kind.eq(&mutation.kind),
            quarantine::organisation.eq(Id(actor.organisation)),
            quarantine::author.eq(Id(mutation.author)),
            quarantine::problem.eq(Document::of(problem)),
            quarantine::since_seq.eq(seq),
            quarantine::since.eq(self.learnt(received.id())),
        );
        diesel::insert_into(quarantine::table).values(row).execute(self.connection)?;
        Ok(())
    }

    fn in_quarantine(&mut self, mutation: Uuid) -> Result<Option<Held>> {
        let row: Option<(Id, Id)> = quarantine::table
            .find(Id(mutation))
            .filter(quarantine::settled_seq.is_null())
            .select((quarantine::record_id, quarantine::organisation))
            .first(self.connection)
            .optional()?;
        Ok(row.map(|(record, organisation)| Held { record: record.0, organisation: organisation.0 }))
    }

    fn repaired(&mut self, quarantined: Uuid, by: Uuid, seq: i64) -> Result<Option<Uuid>> {
        let open = quarantine::table
            .find(Id(quarantined))
            .filter(quarantine::repaired_by.is_null())
            .filter(quarantine::reason.is_null());
        let author: Option<Id> = open.select(quarantine::author).first(self.connection).optional()?;
        // Another server may have settled it in another order: the edit stands all the same.
        let Some(author) = author else { return Ok(None) };
        diesel::update(quarantine::table.find(Id(quarantined)))
            .set((quarantine::repaired_by.eq(Id(by)), quarantine::settled_seq.eq(seq)))
            .execute(self.connection)?;
        Ok(Some(author.0))
    }
}

impl SyncTxn<'_> {
    /// What anybody waits for: mostly nothing, which spares a query for every mutation.
    fn things_waited_for(&mut self) -> Result<&mut HashSet<String>> {
        if self.cache.waiting.is_none() {
            let things: Vec<String> =
                parked::table.select(parked::waiting_for).distinct().load(self.connection)?;
            self.cache.waiting = Some(things.into_iter().collect());
        }
        Ok(self.cache.waiting.get_or_insert_default())
    }

    /// A mutation as the log has it.
    pub(super) fn stored_mutation(&mut self, mutation: Uuid) -> Result<Received> {
        if let Some(row) =
            self.buffer.log.iter().find(|row| row.subject.0 == mutation && row.entry == "mutation")
        {
            return received(&row.body, row.device_id);
        }
        let (body, device): (Vec<u8>, Option<Id>) = log::table
            .filter(log::subject.eq(Id(mutation)))
            .filter(log::entry.eq("mutation"))
            .select((log::body, log::device_id))
            .first(self.connection)
            .optional()?
            .ok_or(StoreError::NotFound("mutation"))?;
        received(&body, device)
    }

    /// How many records of an organisation are in use.
    pub(super) fn records_in_use(&mut self, organisation: Uuid) -> Result<i64> {
        Ok(record::table
            .filter(record::organisation.eq(Id(organisation)))
            .filter(record::retired.eq(false))
            .count()
            .get_result(self.connection)?)
    }

    /// The newest version of a record on the head's line that was finalised.
    pub(super) fn version_rows(&mut self, ids: &[Id]) -> Result<Vec<VersionRow>> {
        Ok(version::table
            .filter(version::version_id.eq_any(ids))
            .select(VersionRow::as_select())
            .load(self.connection)?)
    }
}

/// Reads a mutation back from the log.
pub(super) fn received(body: &[u8], device: Option<Id>) -> Result<Received> {
    let device = device.map_or(Uuid::nil(), |id| id.0);
    Ok(Received { unfit: None, ..Received::passed_on(serde_json::from_slice(body)?, device)? })
}

/// Who pushed what waits, as kept with it.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredActor {
    account: Uuid,
    role: Role,
    pub(super) organisation: Uuid,
}

impl From<Actor> for StoredActor {
    fn from(Actor { account, role, organisation }: Actor) -> Self {
        Self { account, role, organisation }
    }
}

impl From<StoredActor> for Actor {
    fn from(StoredActor { account, role, organisation }: StoredActor) -> Self {
        Self { account, role, organisation }
    }
}
