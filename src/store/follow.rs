//! How a camp follows its nation's log (docs/sync.md §6).

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use diesel::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::backend::on_backend;
use super::column::Id;
use super::journal::entry;
use super::memory::received;
use super::row::LogRow;
use super::schema::{followed, log, pending, quarantine, upstream};
use super::txn::{SyncTxn, chain};
use super::{Result, Store, StoreError};
use crate::model::mutation::Outcome;
use crate::model::role::Actor;
use crate::model::{Mutation, Role};
use crate::planted::{Fault, is_planted};
use crate::sync::follow::{Told, follow_txn, rebase_txn};
use crate::sync::memory::{Entry, Memory as _, Problem, Received};
use crate::sync::wire::{LogEntry, LogPage};

impl Store {
    /// Takes a part of the national log. What it tells is laid down as it was decided there, and this camp's own edits
    /// on top of it.
    ///
    /// # Errors
    /// `Refused`: `not-a-camp`; `epoch` where the nation has begun anew; `chain` where the part does not continue what
    /// was followed so far.
    pub fn follow(&self, page: LogPage) -> Result<Followed> {
        self.write(move |txn| follow(txn, &page))
    }
}

/// How far the national log is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// Up to this place.
    pub seq: i64,
    /// The schema of the next entry, `kind/version`, where this program is too old to know it.
    pub unknown_schema: Option<String>,
}

/// An edit of this camp that the nation is not known to have.
struct Own {
    received: Received,
    actor: Actor,
}

fn follow(txn: &mut SyncTxn<'_>, page: &LogPage) -> Result<Followed> {
    let (epoch, stood, mut hash): (Option<Id>, i64, Vec<u8>) = upstream::table
        .select((upstream::epoch, upstream::seq, upstream::entry_hash))
        .first(txn.connection)
        .optional()?
        .ok_or_else(not_a_camp)?;
    if epoch.is_some_and(|epoch| epoch.0 != page.head.epoch) {
        return Err(StoreError::refused("epoch", "the national server has begun a new epoch"));
    }
    let ends_before = page.head.seq < stood;
    if ends_before || page.head.seq == stood && page.head.entry_hash != hex::encode(&hash) {
        return Err(StoreError::refused(
            "chain",
            format!("the national log has lost what it told up to {stood}"),
        ));
    }
    let mut news: Vec<&LogEntry> = page.entries.iter().filter(|entry| entry.seq > stood).collect();
    let mut actions = read_actions(&news)?;
    let unknown_schema = end_before_the_unknown(txn, &mut actions, &mut news);
    let mut seq = stood;
    for entry in &news {
        hash = follows(entry, seq, &hash)?;
        seq = entry.seq;
    }
    let own = own_edits(txn)?;
    if !actions.is_empty() {
        let told: HashSet<Uuid> = actions.iter().flat_map(Action::ids).collect();
        let waiting = waiting_there(txn)?;
        let waits = waiting.iter().flat_map(Action::ids);
        let edits: Vec<Uuid> = own.iter().map(|own| own.received.id()).chain(waits).collect();
        txn.take_out(if is_planted(Fault::NoRebase) { &[] } else { &edits })?;
        for action in waiting.iter().chain(&actions) {
            action.follow(txn)?;
        }
        let own: Vec<Own> = own.into_iter().filter(|own| !told.contains(&own.received.id())).collect();
        lay_again(txn, &own)?;
        txn.end_rebase();
    }
    keep_place(txn, page, &news, (stood, seq), &hash)?;
    Ok(Followed { seq, unknown_schema })
}

/// What the nation has decided about an edit that this program cannot read, and about everything that builds on it, cannot
/// be laid down here: the log is followed up to there, and goes on with a newer program.
fn end_before_the_unknown(
    txn: &SyncTxn<'_>,
    actions: &mut Vec<Action>,
    news: &mut Vec<&LogEntry>,
) -> Option<String> {
    let unknown = |action: &Action| match action {
        Action::Edits { first, told, .. } => told
            .iter()
            .filter(|told| !matches!(told.outcome, Outcome::Parked | Outcome::Quarantined))
            .map(|told| &told.received.mutation)
            .find(|edit| txn.registry.schema(&edit.kind, edit.schema).is_none())
            .map(|edit| (*first, format!("{}/{}", edit.kind, edit.schema))),
        Action::Dismissed { .. } => None,
    };
    let found = actions.iter().enumerate().find_map(|(place, action)| Some((place, unknown(action)?)));
    let (place, (first, schema)) = found?;
    news.retain(|entry| entry.seq < first);
    actions.truncate(place);
    Some(schema)
}

pub(super) fn not_a_camp() -> StoreError {
    StoreError::refused(
        "not-a-camp",
        "this server follows no national server: run `cartagena relay enrol` first",
    )
}

/// Whether an entry continues the log; the hash up to it.
fn follows(entry: &LogEntry, seq: i64, hash: &[u8]) -> Result<Vec<u8>> {
    let broken = || {
        let detail = format!("entry {} of the national log does not follow {seq}", entry.seq);
        StoreError::refused("chain", detail)
    };
    let body = STANDARD.decode(&entry.body).map_err(|_not_base64| broken())?;
    let next = chain(hash, entry.seq, &body, &entry.outcome);
    if entry.seq == seq + 1 && hex::encode(&next) == entry.entry_hash { Ok(next) } else { Err(broken()) }
}

/// Mutations of one human action as the national log tells of them, or a decision about a quarantined one.
enum Action {
    Edits { first: i64, entry: Entry, actor: Actor, txn: Uuid, device: Uuid, told: Vec<Told> },
    Dismissed { mutation: Uuid, by: Option<Uuid> },
}

fn read_actions(entries: &[&LogEntry]) -> Result<Vec<Action>> {
    let mut actions: Vec<Action> = Vec::new();
    for entry in entries {
        let kind = match entry.entry.as_str() {
            "mutation" => Entry::Arrived,
            "unparked" => Entry::Unparked,
            "act" if entry.outcome == "quarantine_dismissed" => {
                actions.push(Action::Dismissed { mutation: entry.subject, by: entry.actor });
                continue;
            }
            _ => continue,
        };
        let body = STANDARD.decode(&entry.body).map_err(|fault| StoreError::Unreadable(fault.to_string()))?;
        let received = received(&body, entry.device_id.map(Id))?;
        let (id, device) = (received.action(), received.device);
        let actor = Actor {
            account: received.mutation.author,
            role: entry.role.unwrap_or(Role::Observer),
            organisation: entry.organisation.unwrap_or_default(),
        };
        let told = Told {
            received,
            outcome: entry.outcome.parse()?,
            waiting_for: entry.waiting_for.clone(),
            problem: entry.problem.clone(),
        };
        match actions.last_mut() {
            Some(Action::Edits { entry, txn, device: of, told: there, .. })
                if *entry == kind && *txn == id && *of == device =>
            {
                there.push(told);
            }
            _ => {
                let (first, told) = (entry.seq, vec![told]);
                actions.push(Action::Edits { first, entry: kind, actor, txn: id, device, told });
            }
        }
    }
    Ok(actions)
}

impl Action {
    fn ids(&self) -> Vec<Uuid> {
        match self {
            Self::Edits { told, .. } => told.iter().map(|told| told.received.id()).collect(),
            Self::Dismissed { .. } => Vec::new(),
        }
    }

    fn follow(&self, txn: &mut SyncTxn<'_>) -> Result<()> {
        match self {
            Self::Edits { entry, actor, told, .. } => {
                let ids: Vec<Id> = self.ids().into_iter().map(Id).collect();
                // Whatever was decided about it here, the nation decides.
                let held = quarantine::table.filter(quarantine::mutation_id.eq_any(&ids));
                diesel::delete(held).execute(txn.connection)?;
                let mut told = told.clone();
                let mut here = 0;
                for told in &mut told {
                    here += usize::from(meet(txn, told)?);
                }
                if *entry == Entry::Unparked && here < told.len() {
                    let what = told[0].received.id();
                    let detail =
                        format!("the national log takes up {what}, of which it never told that it came");
                    return Err(StoreError::refused("log", detail));
                }
                let entry = if *entry == Entry::Arrived && here > 0 { Entry::Rebased } else { *entry };
                follow_txn(txn, txn.registry, actor, entry, &told)?;
                for told in &told {
                    super::claim::note_followed(txn, actor.organisation, &told.received.mutation)?;
                }
                Ok(())
            }
            Self::Dismissed { mutation, by } => {
                let seq = txn.clock.seq;
                diesel::update(quarantine::table.find(Id(*mutation)))
                    .set((
                        quarantine::settled_seq.eq(seq),
                        quarantine::settled_by.eq(by.map(Id)),
                        quarantine::reason.eq("dismissed at the national server"),
                    ))
                    .execute(txn.connection)?;
                Ok(())
            }
        }
    }
}

/// Whether an edit is here already. Where it is another one under the same id, nobody may take the one for the other.
fn meet(txn: &mut SyncTxn<'_>, told: &mut Told) -> Result<bool> {
    let id = told.received.id();
    if txn.known(id)?.is_none() {
        return Ok(false);
    }
    // Enrolled anew, a device pushes its edits under other numbers.
    let content = |edit: &Mutation| Mutation { device_id: None, device_seq: 0, ..edit.clone() };
    let here = txn.stored_mutation(id)?.mutation;
    if content(&here) != content(&told.received.mutation) {
        let detail = "the national server has another content under this edit's id than came here";
        told.outcome = Outcome::Quarantined;
        told.problem = Some(Problem::new("diverged", detail));
    }
    Ok(true)
}

/// What waits at the nation. Here an edit of this camp may have ended the wait too early.
fn waiting_there(txn: &mut SyncTxn<'_>) -> Result<Vec<Action>> {
    let rows: Vec<(LogRow, Option<String>)> = log::table
        .inner_join(followed::table.on(followed::mutation_id.eq(log::subject.nullable())))
        .filter(log::entry.eq("mutation"))
        .filter(followed::waiting_for.is_not_null())
        .filter(followed::waited_until.is_null())
        .order(followed::seq)
        .select((LogRow::as_select(), followed::waiting_for))
        .load(txn.connection)?;
    let entries: Vec<LogEntry> = rows
        .into_iter()
        .map(|(row, thing)| LogEntry {
            outcome: Outcome::Parked.to_string(),
            waiting_for: thing,
            ..entry(row)
        })
        .collect();
    read_actions(&entries.iter().collect::<Vec<_>>())
}

/// What the nation is not known to have, in the order of this log.
fn own_edits(txn: &mut SyncTxn<'_>) -> Result<Vec<Own>> {
    let rows: Vec<LogRow> = log::table
        .inner_join(pending::table.on(pending::mutation_id.eq(log::subject)))
        .filter(log::entry.eq("mutation"))
        .order(log::seq)
        .select(LogRow::as_select())
        .load(txn.connection)?;
    rows.into_iter()
        .map(|row| {
            let role = row.role.as_deref().map(str::parse).transpose()?.unwrap_or(Role::Observer);
            let organisation = row.organisation.map(|id| id.0).unwrap_or_default();
            let received = received(&row.body, row.device_id)?;
            let actor = Actor { account: received.mutation.author, role, organisation };
            Ok(Own { received, actor })
        })
        .collect()
}

/// Lays this camp's edits on what the nation has told. What a human must decide about stays where it is.
fn lay_again(txn: &mut SyncTxn<'_>, own: &[Own]) -> Result<()> {
    let ids: Vec<Id> = own.iter().map(|own| Id(own.received.id())).collect();
    let mut held: HashSet<Uuid> = HashSet::new();
    for ids in ids.chunks(5_000) {
        let rows: Vec<Id> = quarantine::table
            .filter(quarantine::mutation_id.eq_any(ids))
            .select(quarantine::mutation_id)
            .load(txn.connection)?;
        held.extend(rows.into_iter().map(|id| id.0));
    }
    let key = |own: &Own| (own.received.device, own.received.action());
    let registry = txn.registry;
    for action in own.chunk_by(|a, b| key(a) == key(b)) {
        if action.iter().any(|own| held.contains(&own.received.id())) {
            continue;
        }
        let received: Vec<Received> = action.iter().map(|own| own.received.clone()).collect();
        rebase_txn(txn, registry, &action[0].actor, &received)?;
    }
    Ok(())
}

/// Notes how far the national log was followed, and which edits it has.
fn keep_place(
    txn: &mut SyncTxn<'_>,
    page: &LogPage,
    news: &[&LogEntry],
    (from, to): (i64, i64),
    hash: &[u8],
) -> Result<()> {
    for entries in news.chunks(1_000) {
        let arrived = |entry: &LogEntry| (entry.entry == "mutation").then_some(Id(entry.subject));
        let rows: Vec<_> = entries
            .iter()
            .map(|entry| {
                (
                    followed::seq.eq(entry.seq),
                    followed::mutation_id.eq(arrived(entry)),
                    followed::entry_hash.eq(hex::decode(&entry.entry_hash).unwrap_or_default()),
                    followed::waiting_for.eq(arrived(entry).and(entry.waiting_for.as_deref())),
                )
            })
            .collect();
        on_backend!(&mut *txn.connection, |c| {
            diesel::insert_into(followed::table).values(rows).execute(c)
        })?;
        for ended in entries.iter().filter(|entry| entry.entry == "unparked") {
            diesel::update(followed::table.filter(followed::mutation_id.eq(Some(Id(ended.subject)))))
                .set(followed::waited_until.eq(ended.seq))
                .execute(txn.connection)?;
        }
        let ids: Vec<Id> = entries.iter().filter_map(|entry| arrived(entry)).collect();
        diesel::delete(pending::table.filter(pending::mutation_id.eq_any(ids))).execute(txn.connection)?;
    }
    let now = txn.now;
    diesel::update(upstream::table)
        .set((
            upstream::epoch.eq(Some(Id(page.head.epoch))),
            upstream::seq.eq(to),
            upstream::entry_hash.eq(hash),
            upstream::last_contact.eq(Some(now)),
        ))
        .execute(txn.connection)?;
    if to > from {
        let what = json!({"from": from + 1, "to": to, "entry_hash": hex::encode(hash)});
        txn.act("nation_followed", page.head.epoch, None, &what);
    }
    Ok(())
}
