//! What waits for a human or for something that is not here yet: quarantined and parked mutations.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::column::{Document, Id, Instant};
use super::memory::{StoredActor, received};
use super::schema::{log, parked, quarantine};
use super::{Result, Store, StoreError};
use crate::model::Mutation;
use crate::model::mutation::GEOMETRY;
use crate::model::role::Sight;
use crate::sync::memory::Problem;

/// A mutation that a human must look at.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Quarantined {
    /// The mutation.
    pub mutation_id: Uuid,
    /// The record that it is about.
    pub record_id: Uuid,
    /// Kind of record.
    pub kind: String,
    /// Whose device sent it.
    pub organisation: Uuid,
    /// Who made it.
    pub author: Uuid,
    /// When it came.
    pub since: DateTime<Utc>,
    /// Its place in the log.
    pub seq: i64,
    /// Why it is here, with every fault.
    pub problem: Problem,
    /// The mutation as received, to be repaired.
    #[schema(value_type = Object)]
    pub mutation: Value,
    /// The mutation that repaired it.
    pub repaired_by: Option<Uuid>,
    /// Why it was set aside.
    pub reason: Option<String>,
}

/// A mutation that waits for something.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Parked {
    /// The mutation.
    pub mutation_id: Uuid,
    /// The action that it belongs to.
    pub txn: Uuid,
    /// What is not here yet: a record, version, conflict, or `schema:kind/version`.
    pub waiting_for: String,
    /// Whose device sent it.
    pub organisation: Uuid,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Its place in the log.
    pub seq: i64,
    /// It has waited for more than 24 hours.
    pub alarm: bool,
}

/// What is read of a quarantined mutation, in the order of [`Row`].
type Columns = (
    quarantine::mutation_id,
    quarantine::record_id,
    quarantine::kind,
    quarantine::organisation,
    quarantine::author,
    quarantine::since,
    quarantine::since_seq,
    quarantine::problem,
    quarantine::repaired_by,
    quarantine::reason,
    log::body,
);
type Row = (Id, Id, String, Id, Id, Instant, i64, Document, Option<Id>, Option<String>, Vec<u8>);

impl Store {
    /// Quarantined mutations after `after` in the log's order: open ones, or all; one organisation's, or all.
    pub fn list_quarantine(
        &self,
        of: Option<Uuid>,
        settled_too: bool,
        after: i64,
        limit: i64,
        sight: Sight,
    ) -> Result<Vec<Quarantined>> {
        let rows: Vec<Row> = self.read(|connection| {
            let mut query = quarantine::table
                .inner_join(
                    log::table.on(log::subject.eq(quarantine::mutation_id).and(log::entry.eq("mutation"))),
                )
                .filter(quarantine::since_seq.gt(after))
                .filter(quarantine::kind.ne_all(self.registry.kinds_above(sight.tier)))
                .order(quarantine::since_seq)
                .limit(limit)
                .select(Columns::default())
                .into_boxed();
            if let Some(organisation) = of {
                query = query.filter(quarantine::organisation.eq(Id(organisation)));
            }
            if !settled_too {
                query = query.filter(quarantine::settled_seq.is_null());
            }
            Ok(query.load(connection)?)
        })?;
        let mut found = rows.into_iter().map(quarantined).collect::<Result<Vec<_>>>()?;
        for one in &mut found {
            self.redact(one, sight);
        }
        Ok(found)
    }

    /// Takes the values of fields above the reader's tier out of the mutation.
    fn redact(&self, quarantined: &mut Quarantined, sight: Sight) {
        let Some(schema) = self.registry.latest(&quarantined.kind) else { return };
        if let Some(changes) = quarantined.mutation.get_mut("changes").and_then(Value::as_object_mut) {
            changes.retain(|name, _| sight.reaches(schema, name));
        }
    }

    /// One quarantined mutation, whole.
    ///
    /// # Errors
    /// `NotFound`
    pub fn find_quarantined(&self, mutation: Uuid) -> Result<Quarantined> {
        let row: Option<Row> = self.read(|connection| {
            Ok(quarantine::table
                .inner_join(
                    log::table.on(log::subject.eq(quarantine::mutation_id).and(log::entry.eq("mutation"))),
                )
                .filter(quarantine::mutation_id.eq(Id(mutation)))
                .select(Columns::default())
                .first(connection)
                .optional()?)
        })?;
        quarantined(row.ok_or(StoreError::NotFound("quarantined mutation"))?)
    }

    /// Sets a quarantined mutation aside for good. It stays in the log.
    ///
    /// # Errors
    /// `NotFound` where it is not in quarantine (any more).
    pub fn dismiss_quarantined(&self, mutation: Uuid, reason: String, by: Uuid) -> Result<()> {
        self.write(move |txn| {
            txn.must_not_follow("quarantined edits are set aside")?;
            let seq = txn.act("quarantine_dismissed", mutation, Some(by), &json!({"reason": reason}));
            let changed = diesel::update(
                quarantine::table.find(Id(mutation)).filter(quarantine::settled_seq.is_null()),
            )
            .set((
                quarantine::settled_seq.eq(seq),
                quarantine::settled_by.eq(Id(by)),
                quarantine::reason.eq(&reason),
            ))
            .execute(txn.connection)?;
            if changed == 0 { Err(StoreError::NotFound("mutation in quarantine")) } else { Ok(()) }
        })
    }

    /// Sets aside what one author has in quarantine of these records on the very ground that they have now: it has come
    /// whole since. On other ground it may be another thing of the same number.
    ///
    /// # Errors
    /// As for [`Store::dismiss_quarantined`]; what another settles meanwhile is none.
    pub fn dismiss_replaced(&self, ground: &HashMap<Uuid, Value>, author: Uuid, reason: &str) -> Result<()> {
        let held: Vec<(Id, Id)> = self.read(|connection| {
            Ok(quarantine::table
                .filter(quarantine::record_id.eq_any(ground.keys().copied().map(Id)))
                .filter(quarantine::author.eq(Id(author)).and(quarantine::settled_seq.is_null()))
                .select((quarantine::mutation_id, quarantine::record_id))
                .load(connection)?)
        })?;
        for (Id(mutation), Id(record)) in held {
            let entered = self.find_mutation(mutation)?.changes.remove(GEOMETRY).and_then(|change| change.to);
            if entered.is_none_or(|entered| entered.is_null() || ground.get(&record) != Some(&entered)) {
                continue;
            }
            match self.dismiss_quarantined(mutation, reason.to_owned(), author) {
                Ok(()) | Err(StoreError::NotFound(_)) => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }

    /// Every parked mutation, the oldest first.
    pub fn list_parked(&self) -> Result<Vec<Parked>> {
        let rows: Vec<(Id, Id, String, Document, Instant, i64)> = self.read(|connection| {
            Ok(parked::table
                .order(parked::since_seq)
                .select((
                    parked::mutation_id,
                    parked::txn,
                    parked::waiting_for,
                    parked::actor,
                    parked::since,
                    parked::since_seq,
                ))
                .load(connection)?)
        })?;
        let day_ago = Utc::now() - chrono::Duration::hours(24);
        let parked = |(id, txn, waiting_for, actor, since, seq): (Id, Id, String, Document, Instant, i64)| {
            Ok(Parked {
                mutation_id: id.0,
                txn: txn.0,
                waiting_for,
                organisation: actor.read::<StoredActor>()?.organisation,
                since: since.0,
                seq,
                alarm: since.0 < day_ago,
            })
        };
        rows.into_iter().map(parked).collect()
    }

    /// A mutation as the log has it.
    ///
    /// # Errors
    /// `NotFound`
    pub fn find_mutation(&self, id: Uuid) -> Result<Mutation> {
        let row: Option<(Vec<u8>, Option<Id>)> = self.read(|connection| {
            Ok(log::table
                .filter(log::subject.eq(Id(id)))
                .filter(log::entry.eq("mutation"))
                .select((log::body, log::device_id))
                .first(connection)
                .optional()?)
        })?;
        let (body, device) = row.ok_or(StoreError::NotFound("mutation"))?;
        Ok(received(&body, device)?.mutation)
    }

    /// Takes up what waited for kinds or schemas that this program did not know before.
    pub fn release_schemas(&self) -> Result<()> {
        let waiting = self.list_parked()?.into_iter().map(|parked| parked.waiting_for);
        let things: Vec<String> = waiting.filter(|thing| thing.starts_with("schema:")).collect();
        if things.is_empty() {
            return Ok(());
        }
        let registry = self.registry();
        self.write(move |txn| crate::sync::apply::release(txn, registry, things))
    }
}

fn quarantined(row: Row) -> Result<Quarantined> {
    let (id, record, kind, organisation, author, since, seq, problem, repaired_by, reason, body) = row;
    Ok(Quarantined {
        mutation_id: id.0,
        record_id: record.0,
        kind,
        organisation: organisation.0,
        author: author.0,
        since: since.0,
        seq,
        problem: problem.read()?,
        mutation: serde_json::from_slice(&body)?,
        repaired_by: repaired_by.map(|id| id.0),
        reason,
    })
}
