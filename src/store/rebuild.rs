//! Makes everything anew that is derived from the log: for whoever mistrusts the records, or has a program that derives
//! more than the one before.

use diesel::prelude::*;
use serde_json::Value;
use uuid::Uuid;

use super::account::Account;
use super::journal::{same_action, whole_actions};
use super::rebase::Rebase;
use super::row::LogRow;
use super::schema::{conflict, finding, link, membership, parked, quarantine, record, scope_digest, version};
use super::txn::{Cache, SyncTxn};
use super::{Result, Store, StoreError};
use crate::model::Role;
use crate::model::mutation::Outcome;
use crate::model::role::Actor;
use crate::sync::apply::release;
use crate::sync::follow::{Told, follow_txn};
use crate::sync::memory::{Answer, Entry, Memory as _};

/// Entries of the log that are laid down together.
const CHUNK: i64 = 1_000;

/// Is told how far a rebuild has come: entries done, and all.
pub type Progress = Box<dyn FnMut(i64, i64) + Send>;

impl Store {
    /// Derives records, versions, conflicts, waits, quarantine and scopes from the log, in one transaction; the log
    /// stays as it is. Gives how many entries came to something else than the log says; those are in quarantine.
    ///
    /// # Errors
    /// `Refused` on a camp, which is put right by following its nation.
    pub fn rebuild(&self, progress: Progress) -> Result<i64> {
        let accounts = self.list_accounts()?;
        self.write(move |txn| rebuild(txn, &accounts, progress))
    }
}

fn rebuild(txn: &mut SyncTxn<'_>, accounts: &[Account], mut progress: Progress) -> Result<i64> {
    if txn.clock.follows {
        let detail =
            "a camp derives its records from its nation's log: they are put right whenever it follows";
        return Err(StoreError::refused("camp", detail));
    }
    let all = txn.clock.seq;
    forget_everything(txn)?;
    let mut after = 0;
    while after < all {
        let mut rows = whole_actions(txn.connection, after + 1, CHUNK)?;
        // What this itself appends is not laid down again.
        rows.retain(|row| row.seq <= all);
        let Some(last) = rows.last() else { break };
        after = last.seq;
        for action in rows.chunk_by(same_action) {
            // An edit that waited stands in the log twice, and each time for something else.
            txn.rebase = Some(Rebase::standing(action)?);
            lay_down(txn, accounts, action)?;
        }
        txn.rebase = None;
        txn.flush()?;
        txn.cache = Cache::default();
        progress(after, all);
    }
    wait_anew(txn)?;
    Ok(txn.clock.seq - all)
}

/// The log says what an edit waited for when it came. When that has come since, and it waits for something else, the log is
/// silent: it is asked again.
fn wait_anew(txn: &mut SyncTxn<'_>) -> Result<()> {
    let things: Vec<String> = parked::table.select(parked::waiting_for).distinct().load(txn.connection)?;
    let registry = txn.registry;
    release(txn, registry, things)
}

fn forget_everything(txn: &mut SyncTxn<'_>) -> Result<()> {
    let c = &mut *txn.connection;
    diesel::delete(record::table).execute(c)?;
    diesel::delete(version::table).execute(c)?;
    diesel::delete(conflict::table).execute(c)?;
    diesel::delete(parked::table).execute(c)?;
    diesel::delete(quarantine::table).execute(c)?;
    diesel::delete(finding::table).execute(c)?;
    diesel::delete(link::table).execute(c)?;
    diesel::delete(scope_digest::table).execute(c)?;
    diesel::delete(membership::table).execute(c)?;
    Ok(())
}

fn lay_down(txn: &mut SyncTxn<'_>, accounts: &[Account], rows: &[LogRow]) -> Result<()> {
    let first = &rows[0];
    match first.entry.as_str() {
        "mutation" => {}
        "unparked" => {
            for row in rows {
                txn.unpark(row.subject.0)?;
            }
        }
        "act" if first.outcome == "quarantine_dismissed" => return dismiss(txn, first),
        _ => return Ok(()),
    }
    let mut told = Vec::with_capacity(rows.len());
    for row in rows {
        let answer: Answer = row.answer.clone().read()?;
        told.push(Told {
            received: txn.stored_mutation(row.subject.0)?,
            outcome: row.outcome.parse()?,
            waiting_for: answer.waiting_for,
            problem: answer.problem,
        });
    }
    let actor = actor_of(first, accounts, told[0].received.mutation.author)?;
    follow_txn(txn, txn.registry, &actor, Entry::Rebased, &told)
}

/// Who acted, as the log has it; logs of older programs do not say, and the account as it is now must do.
fn actor_of(row: &LogRow, accounts: &[Account], author: Uuid) -> Result<Actor> {
    let role: Option<Role> = row.role.as_deref().map(str::parse).transpose()?;
    if let (Some(role), Some(organisation)) = (role, row.organisation) {
        return Ok(Actor { account: author, role, organisation: organisation.0 });
    }
    let account = accounts.iter().find(|account| account.id == author);
    account.map(Account::actor).ok_or(StoreError::NotFound("account of an edit's author"))
}

fn dismiss(txn: &mut SyncTxn<'_>, row: &LogRow) -> Result<()> {
    let act: Value = serde_json::from_slice(&row.body)?;
    diesel::update(quarantine::table.find(row.subject))
        .set((
            quarantine::settled_seq.eq(row.seq),
            quarantine::settled_by.eq(row.actor),
            quarantine::reason.eq(act["reason"].as_str()),
        ))
        .execute(txn.connection)?;
    Ok(())
}

impl Rebase {
    /// What the log says of these entries: laid down again, they keep their places.
    fn standing(rows: &[LogRow]) -> Result<Self> {
        let mut rebase = Self::default();
        for row in rows.iter().filter(|row| matches!(row.entry.as_str(), "mutation" | "unparked")) {
            let outcome: Outcome = row.outcome.parse()?;
            rebase.stand(row.subject.0, outcome, row.seq, row.received_at);
        }
        Ok(rebase)
    }
}
