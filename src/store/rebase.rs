//! Takes a camp's own edits out of its records and lays them back on what the nation has told (docs/sync.md §6).
//!
//! The log stays as it is; versions, conflicts and waits are derived from it. What comes to the same as before keeps
//! its place in the log, so that readers are told only of what has really changed.

use std::collections::{BTreeMap, HashMap, HashSet};

use diesel::prelude::*;
use serde_json::Value;
use uuid::Uuid;

use super::Result;
use super::column::{Document, Id, Instant};
use super::prefetch;
use super::row::{Head, LogRow, VersionRow};
use super::schema::{conflict, finding, link, membership, parked, quarantine, record, version};
use super::scope::{Scope, read_digest, write_digest};
use super::txn::{Changed, PERSONAL, SyncTxn, tier_of};
use crate::model::mutation::Outcome;
use crate::sync::memory::{Answer, Received};

/// Bind variables in one statement.
const IDS: usize = 5_000;

/// How things stood before the camp's edits were taken out.
#[derive(Default)]
pub(super) struct Rebase {
    /// The log's last place before.
    from: i64,
    /// The versions that were taken out.
    versions: HashMap<Uuid, VersionRow>,
    /// What an edit had come to, where in the log, and since when.
    stood: HashMap<Uuid, (Outcome, i64, Instant)>,
    /// The heads of the records that were touched.
    heads: BTreeMap<Uuid, Option<Head>>,
    /// Edits that have a new place in the log.
    moved: HashSet<Uuid>,
    /// Records of which something is new.
    renewed: HashSet<Uuid>,
}

impl Rebase {
    /// Notes what an edit has come to.
    pub(super) fn stand(&mut self, edit: Uuid, outcome: Outcome, seq: i64, since: Instant) {
        self.stood.insert(edit, (outcome, seq, since));
    }
}

/// Applied or merged is the same to readers: the version says it all.
fn class(outcome: Outcome) -> Outcome {
    if outcome == Outcome::Merged { Outcome::Applied } else { outcome }
}

impl SyncTxn<'_> {
    /// Takes these edits out: records stand as the others left them.
    pub(super) fn take_out(&mut self, edits: &[Uuid]) -> Result<()> {
        let mut rebase = Rebase { from: self.clock.seq, ..Rebase::default() };
        for ids in edits.chunks(IDS) {
            let ids: Vec<Id> = ids.iter().copied().map(Id).collect();
            self.note_what_stood(&mut rebase, &ids)?;
        }
        let touched: Vec<Uuid> = rebase.heads.keys().copied().collect();
        prefetch::heads(self, &touched)?;
        for (id, head) in &mut rebase.heads {
            head.clone_from(self.cache.heads.get(id).unwrap_or(&None));
            if let Some(head) = head {
                let before = Changed { before: Some(head.record.version), content: true, contest: true };
                self.buffer.changed.insert(*id, before);
            }
        }
        for ids in edits.chunks(IDS) {
            let ids: Vec<Id> = ids.iter().copied().map(Id).collect();
            self.delete(&ids)?;
        }
        for edit in edits {
            self.cache.versions.remove(edit);
        }
        self.cache.waiting = None;
        for id in touched {
            let head = self.remaining_head(id, rebase.heads.get(&id).and_then(Option::as_ref))?;
            self.cache.heads.insert(id, head);
        }
        self.rebase = Some(rebase);
        Ok(())
    }

    fn note_what_stood(&mut self, rebase: &mut Rebase, ids: &[Id]) -> Result<()> {
        let rows: Vec<VersionRow> = version::table
            .filter(version::version_id.eq_any(ids))
            .select(VersionRow::as_select())
            .load(self.connection)?;
        for row in rows {
            let outcome = if row.branch { Outcome::Conflict } else { Outcome::Applied };
            rebase.stood.insert(row.version_id.0, (outcome, row.seq, row.recorded_at));
            rebase.heads.insert(row.record_id.0, None);
            rebase.versions.insert(row.version_id.0, row);
        }
        let waiting: Vec<(Id, i64, Instant)> = parked::table
            .filter(parked::mutation_id.eq_any(ids))
            .select((parked::mutation_id, parked::since_seq, parked::since))
            .load(self.connection)?;
        rebase
            .stood
            .extend(waiting.into_iter().map(|(id, seq, since)| (id.0, (Outcome::Parked, seq, since))));
        let settled: Vec<Id> = conflict::table
            .filter(conflict::closed_by.eq_any(ids.iter().copied().map(Some)))
            .select(conflict::record_id)
            .load(self.connection)?;
        rebase.heads.extend(settled.into_iter().map(|id| (id.0, None)));
        Ok(())
    }

    fn delete(&mut self, ids: &[Id]) -> Result<()> {
        diesel::delete(version::table.filter(version::version_id.eq_any(ids))).execute(self.connection)?;
        diesel::delete(conflict::table.filter(conflict::conflict_id.eq_any(ids))).execute(self.connection)?;
        diesel::delete(parked::table.filter(parked::mutation_id.eq_any(ids))).execute(self.connection)?;
        let settled = conflict::table.filter(conflict::closed_by.eq_any(ids.iter().copied().map(Some)));
        diesel::update(settled)
            .set((
                conflict::closed_seq.eq(None::<i64>),
                conflict::closed_by.eq(None::<Id>),
                conflict::reason.eq(None::<String>),
            ))
            .execute(self.connection)?;
        let repaired =
            quarantine::table.filter(quarantine::repaired_by.eq_any(ids.iter().copied().map(Some)));
        diesel::update(repaired)
            .set((quarantine::repaired_by.eq(None::<Id>), quarantine::settled_seq.eq(None::<i64>)))
            .execute(self.connection)?;
        Ok(())
    }

    /// The head of a record without the edits that were taken out.
    fn remaining_head(&mut self, id: Uuid, before: Option<&Head>) -> Result<Option<Head>> {
        let row: Option<VersionRow> = version::table
            .filter(version::record_id.eq(Id(id)))
            .filter(version::branch.eq(false))
            .order(version::seq.desc())
            .select(VersionRow::as_select())
            .first(self.connection)
            .optional()?;
        let Some(row) = row else { return Ok(None) };
        let contested: i64 = conflict::table
            .filter(conflict::record_id.eq(Id(id)))
            .filter(conflict::closed_seq.is_null())
            .filter(conflict::safety.eq(true))
            .count()
            .get_result(self.connection)?;
        let (shape, row_seq) = (row.shape(), row.seq);
        let hands = row.hands.clone().map(Document::read).transpose()?.unwrap_or_default();
        let mut record = row.into_record()?;
        record.hands = hands;
        record.contested = contested > 0;
        let (seq, created_seq) = before.map_or((row_seq, row_seq), |head| (head.seq, head.created_seq));
        self.cache.versions.insert(record.version, Some(record.clone()));
        Ok(Some(Head { record, seq, created_seq, shape }))
    }

    /// Since when this server has known of an edit.
    pub(super) fn learnt(&self, edit: Uuid) -> Instant {
        let stood = self.rebase.as_ref().and_then(|rebase| rebase.stood.get(&edit));
        stood.map_or(self.now, |(_, _, since)| *since)
    }

    /// The place of an edit that was laid anew: its old one, where it comes to the same.
    pub(super) fn log_rebased(&mut self, received: &Received, answer: &mut Answer) -> i64 {
        let stood = self.rebase.as_ref().and_then(|rebase| rebase.stood.get(&received.id()));
        let seq = match stood {
            Some((outcome, seq, _)) if class(*outcome) == class(answer.outcome) => *seq,
            _ => self.append_rebased(received, answer.outcome),
        };
        answer.seq = Some(seq);
        seq
    }

    /// Whether an edit stood somewhere before the rebase, and so is in the log.
    pub(super) fn stood(&self, edit: Uuid) -> bool {
        self.rebase.as_ref().is_some_and(|rebase| rebase.stood.contains_key(&edit))
    }

    fn append_rebased(&mut self, received: &Received, outcome: Outcome) -> i64 {
        let record = received.mutation.record_id;
        if let Some(rebase) = &mut self.rebase {
            rebase.moved.insert(received.id());
            rebase.renewed.insert(record);
        }
        self.append_derived("rebased", received.id(), record, outcome.as_str())
    }

    /// An entry about what has become of something that the log holds already.
    fn append_derived(&mut self, entry: &str, subject: Uuid, record: Uuid, outcome: &str) -> i64 {
        let row = LogRow {
            seq: 0,
            entry: entry.to_owned(),
            subject: Id(subject),
            device_id: None,
            device_seq: None,
            record_id: Some(Id(record)),
            outcome: outcome.to_owned(),
            answer: Document(Value::Null),
            actor: None,
            received_at: self.now,
            skew_ms: None,
            body: Vec::new(),
            entry_hash: Vec::new(),
            role: None,
            organisation: None,
        };
        self.append(row)
    }

    /// A version at its old place, if it is what it was and nothing on its record's line has changed before it.
    pub(super) fn in_place(&mut self, mut row: VersionRow, received: &Received) -> VersionRow {
        let id = row.version_id.0;
        row.recorded_at = self.learnt(id);
        let Some(rebase) = &mut self.rebase else { return row };
        let Some(old) = rebase.versions.get(&id) else {
            rebase.renewed.insert(row.record_id.0);
            return row;
        };
        let same = *old == VersionRow { seq: old.seq, ..row.clone() };
        if same && !rebase.renewed.contains(&row.record_id.0) {
            row.seq = old.seq;
        } else if !rebase.moved.contains(&id) {
            row.seq = self.append_rebased(received, Outcome::Applied);
        }
        row
    }

    /// Compares what there was with what there is now: what is the same stays in its place, what has changed gets a
    /// new one, and what is gone is told.
    pub(super) fn end_rebase(&mut self) {
        let Some(rebase) = self.rebase.take() else { return };
        for (id, before) in rebase.heads {
            let Some(before) = before else { continue };
            let after = self.cache.heads.get(&id).cloned().flatten();
            match after {
                Some(after) if !rebase.renewed.contains(&id) && after.record == before.record => {
                    self.cache.heads.insert(id, Some(before));
                    self.buffer.changed.remove(&id);
                }
                Some(after) => {
                    if !same_house(&before, &after) {
                        self.buffer.gone.push(before);
                        self.buffer.changed.insert(id, Changed { content: true, ..Changed::from(None) });
                    }
                    if after.seq <= rebase.from {
                        let seq = self.append_derived("rebased", after.record.version, id, "changed");
                        self.cache.heads.insert(id, Some(Head { seq, ..after }));
                    }
                }
                None => {
                    self.buffer.changed.remove(&id);
                    let seq = self.append_derived("withdrawn", id, id, "withdrawn");
                    let organisation = Some(Id(before.record.organisation));
                    if let Some(row) = self.buffer.log.last_mut() {
                        row.organisation = organisation;
                    }
                    self.buffer.gone.push(Head { seq, ..before });
                }
            }
        }
    }

    /// Forgets a record that is here no longer. Its versions are gone already.
    pub(super) fn forget(&mut self, gone: &Head) -> Result<()> {
        let id = Id(gone.record.id);
        diesel::delete(record::table.find(id)).execute(self.connection)?;
        diesel::delete(link::table.filter(link::from_id.eq(id))).execute(self.connection)?;
        diesel::delete(finding::table.filter(finding::record_id.eq(id))).execute(self.connection)?;
        let mut scopes = vec![Scope::Everything.key()];
        if tier_of(self.registry, &gone.record) < PERSONAL {
            scopes.push(Scope::Content.key());
            scopes.push(Scope::Organisation(gone.record.organisation).key());
        }
        for scope in scopes {
            let mut digest = read_digest(self.connection, &scope)?;
            digest.remove(gone.record.id, gone.record.version);
            write_digest(self.connection, &scope, digest)?;
        }
        let shown: Vec<(String, Option<Id>)> = membership::table
            .filter(membership::record_id.eq(id))
            .filter(membership::version.is_not_null())
            .select((membership::scope, membership::version))
            .load(self.connection)?;
        for (scope, version) in shown {
            let mut digest = read_digest(self.connection, &scope)?;
            if let Some(version) = version {
                digest.remove(gone.record.id, version.0);
            }
            write_digest(self.connection, &scope, digest)?;
        }
        let member = membership::table.filter(membership::record_id.eq(id));
        diesel::update(member.filter(membership::version.is_not_null()))
            .set((membership::version.eq(None::<Id>), membership::seq.eq(gone.seq)))
            .execute(self.connection)?;
        Ok(())
    }
}

/// Whether a record is in the same scopes as before.
fn same_house(before: &Head, after: &Head) -> bool {
    before.record.kind == after.record.kind && before.record.organisation == after.record.organisation
}
