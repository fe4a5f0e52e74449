//! What a camp knows of its nation, and what it still has to send there.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::backend::{DbConnection, on_backend};
use super::column::{Document, Id, Instant};
use super::follow::not_a_camp;
use super::schema::{followed, log, pending, quarantine, renumbered, sync_clock, upstream};
use super::txn::{GENESIS, SyncTxn, read_clock};
use super::{Result, Store, StoreError};
use crate::planted::{Fault, is_planted};
use crate::sync::memory::Problem;
use crate::sync::wire::Sender;

/// Reasons of a quarantine that lie in how something was sent: the next server cannot see them, and must be told.
const OF_THE_SENDING: [&str; 3] = ["revoked", "expired", "blast_radius"];

/// Where a camp stands towards its nation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Upstream {
    /// The nation's epoch, once it was met.
    pub epoch: Option<Uuid>,
    /// Up to which entry the national log is followed.
    pub seq: i64,
    /// When the nation was last heard.
    pub last_contact: Option<DateTime<Utc>>,
    /// Edits that the nation is not known to have.
    pub pending: i64,
}

/// An action that is to be sent to the nation.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Its mutations, as they were received.
    pub bodies: Vec<Vec<u8>>,
    /// Their ids.
    pub ids: Vec<Uuid>,
    /// Who made it.
    pub sender: Sender,
}

/// Whether a quarantine's reason is one that the next server cannot see.
pub(super) fn is_of_the_sending(problem: &Problem) -> bool {
    OF_THE_SENDING.contains(&problem.code.as_str())
}

impl Store {
    /// Where this camp stands towards its nation; nothing where it is no camp.
    pub fn upstream(&self) -> Result<Option<Upstream>> {
        self.read(|connection| {
            let row: Option<(Option<Id>, i64, Option<Instant>)> = upstream::table
                .select((upstream::epoch, upstream::seq, upstream::last_contact))
                .first(connection)
                .optional()?;
            let waiting = pending::table.count().get_result(connection)?;
            Ok(row.map(|(epoch, seq, last)| Upstream {
                epoch: epoch.map(|id| id.0),
                seq,
                last_contact: last.map(|at| at.0),
                pending: waiting,
            }))
        })
    }

    /// Becomes a camp: from now on this server follows a national one, which is told everything that is here.
    pub fn begin_following(&self) -> Result<()> {
        self.write(|txn| {
            if txn.clock.follows {
                return Ok(());
            }
            txn.clock.follows = true;
            diesel::update(sync_clock::table).set(sync_clock::follows.eq(true)).execute(txn.connection)?;
            let row =
                (upstream::id.eq(1_i16), upstream::seq.eq(0_i64), upstream::entry_hash.eq(GENESIS.to_vec()));
            diesel::insert_into(upstream::table).values(row).execute(txn.connection)?;
            let here: Vec<(Id, i64)> = log::table
                .filter(log::entry.eq("mutation"))
                .select((log::subject, log::seq))
                .load(txn.connection)?;
            txn.buffer.pending.extend(here);
            let server = txn.clock.server_device;
            txn.act("following_begun", server, None, &json!({}));
            Ok(())
        })
    }

    /// Whether anybody has recorded anything here.
    pub fn holds_edits(&self) -> Result<bool> {
        self.read(|connection| {
            let any: Option<i64> =
                log::table.filter(log::entry.eq("mutation")).select(log::seq).first(connection).optional()?;
            Ok(any.is_some())
        })
    }

    /// What the nation is not known to have, in order, at most about `limit` mutations.
    pub fn outgoing(&self, limit: i64) -> Result<Vec<Outgoing>> {
        self.read(|connection| {
            let mut limit = limit;
            loop {
                let (actions, whole) = outgoing(connection, limit)?;
                if whole {
                    return Ok(actions);
                }
                limit = limit.saturating_mul(2);
            }
        })
    }

    /// The hash of an entry of the national log as it was followed.
    pub fn followed_hash(&self, seq: i64) -> Result<Option<String>> {
        self.read(|connection| {
            let hash: Option<Vec<u8>> =
                followed::table.find(seq).select(followed::entry_hash).first(connection).optional()?;
            Ok(hash.map(hex::encode))
        })
    }

    /// Goes back to `common`, the last entry that the nation's log still has in its new epoch: what came after it is
    /// sent again.
    ///
    /// # Errors
    /// `Refused` where this is no camp.
    pub fn go_back_to(&self, epoch: Uuid, common: i64) -> Result<()> {
        self.write(move |txn| {
            let lost: Vec<Option<Id>> = followed::table
                .filter(followed::seq.gt(common))
                .filter(followed::mutation_id.is_not_null())
                .select(followed::mutation_id)
                .load(txn.connection)?;
            let lost: Vec<Id> = lost.into_iter().flatten().collect();
            for ids in lost.chunks(1_000) {
                let places: Vec<(Id, i64)> = log::table
                    .filter(log::entry.eq("mutation"))
                    .filter(log::subject.eq_any(ids))
                    .select((log::subject, log::seq))
                    .load(txn.connection)?;
                txn.buffer.pending.extend(places);
            }
            diesel::delete(followed::table.filter(followed::seq.gt(common))).execute(txn.connection)?;
            diesel::update(followed::table.filter(followed::waited_until.gt(common)))
                .set(followed::waited_until.eq(None::<i64>))
                .execute(txn.connection)?;
            let hash: Option<Vec<u8>> =
                followed::table.find(common).select(followed::entry_hash).first(txn.connection).optional()?;
            let changed = diesel::update(upstream::table)
                .set((
                    upstream::epoch.eq(Some(Id(epoch))),
                    upstream::seq.eq(common),
                    upstream::entry_hash.eq(hash.unwrap_or_else(|| GENESIS.to_vec())),
                ))
                .execute(txn.connection)?;
            if changed == 0 {
                return Err(not_a_camp());
            }
            txn.act("nation_renewed", epoch, None, &json!({"common": common, "again": lost.len()}));
            Ok(())
        })
    }
}

type Row = (Id, Vec<u8>, Option<Id>, Option<Document>);

/// The first actions, and whether every one of them is whole.
fn outgoing(connection: &mut DbConnection, limit: i64) -> Result<(Vec<Outgoing>, bool)> {
    if !read_clock(connection)?.follows {
        return Err(not_a_camp());
    }
    let rows: Vec<Row> = log::table
        .inner_join(pending::table.on(pending::mutation_id.eq(log::subject)))
        .left_join(quarantine::table.on(quarantine::mutation_id.eq(log::subject)))
        .filter(log::entry.eq("mutation"))
        .order(log::seq)
        .limit(limit.saturating_add(1))
        .select((log::subject, log::body, log::device_id, quarantine::problem.nullable()))
        .load(connection)?;
    let cut = i64::try_from(rows.len()).unwrap_or(i64::MAX) > limit;
    let mut actions: Vec<(Uuid, Outgoing)> = Vec::new();
    for (id, body, device, problem) in rows {
        let received = super::memory::received(&body, device)?;
        let action = received.action();
        let problem: Option<Problem> = problem.map(Document::read).transpose()?;
        let held = problem.filter(is_of_the_sending);
        let device_id = received.device;
        match actions.last_mut() {
            Some((of, there)) if *of == action && there.sender.device_id == device_id => {
                there.bodies.push(received.bytes.to_vec());
                there.ids.push(id.0);
                there.sender.held = there.sender.held.take().or(held);
            }
            _ => {
                let bodies = vec![received.bytes.to_vec()];
                let sender = Sender { device_id, held };
                actions.push((action, Outgoing { bodies, ids: vec![id.0], sender }));
            }
        }
    }
    // The last action may have been cut in two.
    let whole = !cut || actions.len() > 1;
    if cut {
        actions.pop();
    }
    Ok((actions.into_iter().map(|(_, action)| action).collect(), whole))
}

/// Up to which number everything of a device is on the national server, where `here` is what is stored on this one.
pub(super) fn national_through(txn: &mut SyncTxn<'_>, device: Uuid, here: i64) -> Result<i64> {
    if !txn.clock.follows || is_planted(Fault::CampIsNation) {
        return Ok(here);
    }
    let stored: Option<Option<i64>> = log::table
        .inner_join(pending::table.on(pending::mutation_id.eq(log::subject)))
        .filter(log::entry.eq("mutation"))
        .filter(log::device_id.eq(Id(device)))
        .order(log::device_seq)
        .select(log::device_seq)
        .first(txn.connection)
        .optional()?;
    let again: Option<i64> = renumbered::table
        .inner_join(pending::table.on(pending::mutation_id.eq(renumbered::mutation_id)))
        .filter(renumbered::device_id.eq(Id(device)))
        .order(renumbered::device_seq)
        .select(renumbered::device_seq)
        .first(txn.connection)
        .optional()?;
    // What this transaction takes is not in the tables yet.
    let fresh: Vec<i64> = txn
        .buffer
        .log
        .iter()
        .filter(|row| row.entry == "mutation" && row.device_id == Some(Id(device)))
        .filter_map(|row| row.device_seq)
        .collect();
    let first = stored.flatten().into_iter().chain(again).chain(fresh).min();
    Ok(first.map_or(here, |first| here.min(first - 1)))
}

/// Notes numbers under which a device pushed what was known under another.
pub(super) fn note_renumbered(txn: &mut SyncTxn<'_>, device: Uuid, numbers: &[(i64, Uuid)]) -> Result<()> {
    for numbers in numbers.chunks(1_000) {
        let rows: Vec<_> = numbers
            .iter()
            .map(|(number, id)| {
                (
                    renumbered::device_id.eq(Id(device)),
                    renumbered::device_seq.eq(number),
                    renumbered::mutation_id.eq(Id(*id)),
                )
            })
            .collect();
        on_backend!(&mut *txn.connection, |c| {
            diesel::insert_into(renumbered::table).values(rows).on_conflict_do_nothing().execute(c)
        })?;
    }
    Ok(())
}

impl SyncTxn<'_> {
    /// Refuses what only the national server does.
    pub(super) fn must_not_follow(&self, what: &str) -> Result<()> {
        if self.clock.follows {
            let detail = format!("{what} at the national server; this camp follows it");
            return Err(StoreError::refused("camp", detail));
        }
        Ok(())
    }
}
