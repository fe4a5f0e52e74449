//! A push as the writer takes it: every action of every device in the group, in the order of arrival.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::column::{Id, Instant};
use super::pull::head_of;
use super::quality::{self, Findings};
use super::row::{Shapes, brought_geometry};
use super::schema::{device, log, receipt};
use super::txn::SyncTxn;
use super::{Result, Store, StoreError, claim, passed_on, prefetch, record, upstream};
use crate::model::mutation::Outcome;
use crate::model::role::Actor;
use crate::model::schema::Registry;
use crate::model::{Mutation, Op, mutation::GEOMETRY};
use crate::sync::memory::{Answer, Memory as _, Problem, Received, Standing};
use crate::sync::wire::{DeviceReport, LogHead};
use crate::sync::{apply_txn, merge};

/// One push may retire or blank so many records …
const BLAST_RECORDS: i64 = 20;
/// … or this share of its organisation's, whichever is more; beyond that a human decides (docs/sync.md §3).
const BLAST_SHARE: i64 = 10;

/// A push, read and measured, ready for the writer.
#[derive(Debug)]
pub struct Push {
    /// Who sends it; nothing where it was carried here on a stick.
    pub(super) device: Option<Uuid>,
    pub(super) actions: Vec<Action>,
    /// What a camp tells of its own devices; nothing where the sender is no camp.
    relayed: Option<Vec<DeviceReport>>,
    contact: Contact,
    shapes: Shapes,
    findings: Findings,
}

/// One human action: who acted, and what.
#[derive(Debug)]
pub(super) struct Action {
    /// The account as this server knows it, at the time of the push.
    pub(super) actor: Actor,
    /// Why a human decides about it, whatever it is.
    pub(super) against: Option<Problem>,
    pub(super) mutations: Vec<Received>,
}

/// What a device says of itself when it pushes.
#[derive(Debug, Clone, Default)]
pub struct Contact {
    /// The device's clock against the server's, ms; positive where the device is ahead.
    pub skew_ms: Option<i64>,
    /// Mutations that it still holds.
    pub pending: Option<i64>,
    /// When the oldest of them was made.
    pub oldest: Option<DateTime<Utc>>,
    /// Program and version.
    pub app: Option<String>,
}

/// What the sender of a push is told.
#[derive(Debug, Clone)]
pub struct Pushed {
    /// Where the log stood after it.
    pub head: LogHead,
    /// One answer for every mutation.
    pub answers: Vec<Answer>,
    /// Every number up to this one of the sender is stored here.
    pub seq_through: i64,
    /// Every number up to this one of the sender is stored on the national server.
    pub national_through: i64,
}

impl Push {
    /// Reads the mutations of a device's push. An unreadable mutation makes the whole push unreadable: its sender does
    /// not speak our protocol.
    ///
    /// # Errors
    /// Which mutation cannot be read, and why.
    pub fn read(
        device: Uuid,
        actor: Actor,
        standing: Standing,
        txns: &[Vec<&RawValue>],
    ) -> Result<Self, String> {
        let mut actions = Vec::with_capacity(txns.len());
        for (place, txn) in txns.iter().enumerate().filter(|(_, txn)| !txn.is_empty()) {
            let mutations = read_action(place, txn, |raw| Received::read(raw, device))?;
            actions.push(Action { actor, against: standing.problem(), mutations });
        }
        Ok(Self::of(Some(device), actions, None))
    }

    pub(super) fn of(device: Option<Uuid>, actions: Vec<Action>, relayed: Option<Vec<DeviceReport>>) -> Self {
        let shapes = actions
            .iter()
            .flat_map(|action| &action.mutations)
            .filter_map(|received| Some((received.id(), record::shape_of(brought_geometry(received)?)?)))
            .collect();
        Self { device, actions, relayed, contact: Contact::default(), shapes, findings: Findings::new() }
    }

    /// With what the device says of itself.
    #[must_use]
    pub fn with_contact(mut self, contact: Contact) -> Self {
        self.contact = contact;
        self
    }

    pub(super) fn mutations(&self) -> impl Iterator<Item = &Received> {
        self.actions.iter().flat_map(|action| &action.mutations)
    }

    /// How many mutations it has.
    pub fn len(&self) -> usize {
        self.actions.iter().map(|action| action.mutations.len()).sum()
    }

    /// Whether it has none: a device that only asks how far it is stored.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// How many records it retires or empties of a safety field.
    fn blast(&self, registry: &Registry) -> i64 {
        let records: BTreeSet<Uuid> = self
            .mutations()
            .map(|received| &received.mutation)
            .filter(|mutation| match mutation.op {
                Op::Retire => true,
                Op::Update => {
                    let schema = registry.schema(&mutation.kind, mutation.schema);
                    mutation.changes.iter().any(|(name, change)| {
                        change.blanks()
                            && (name == GEOMETRY
                                || schema.is_some_and(|schema| merge::is_safety(schema, name)))
                    })
                }
                _ => false,
            })
            .map(|mutation| mutation.record_id)
            .collect();
        i64::try_from(records.len()).unwrap_or(i64::MAX)
    }
}

pub(super) fn read_action(
    place: usize,
    txn: &[&RawValue],
    read: impl Fn(&RawValue) -> Result<Received, serde_json::Error>,
) -> Result<Vec<Received>, String> {
    let one = |(index, raw): (usize, &&RawValue)| {
        read(raw).map_err(|fault| format!("/txns/{place}/{index}: {fault}"))
    };
    txn.iter().enumerate().map(one).collect()
}

impl Store {
    /// Takes a push. Blocks until it is on the disk: call it off the async threads.
    ///
    /// # Errors
    /// `Busy`: nothing of it is stored, send it again.
    pub fn push(&self, mut push: Push) -> Result<Pushed> {
        // What can be worked out here does not keep the writer busy.
        let ground = self.read(|connection| self.ground.current(connection))?;
        if push.relayed.is_some() {
            self.find_actors(&mut push)?;
        }
        for received in push.actions.iter_mut().flat_map(|action| &mut action.mutations) {
            received.check(self.registry);
            let area_m2 = push.shapes.get(&received.id()).map(|shape| shape.area_m2);
            let findings = quality::look_at_new(received, area_m2, &ground);
            push.findings.extend(findings.map(|findings| (received.id(), findings)));
        }
        self.writer.push(push)
    }

    /// Keeps a body that could not be read, and gives it a number to ask after.
    ///
    /// # Errors
    /// Where it could not be stored.
    pub fn keep_unreadable(&self, device: Option<Uuid>, reason: String, body: Vec<u8>) -> Result<Uuid> {
        self.write(move |txn| {
            let id = Uuid::now_v7();
            keep(txn, id, device, &reason, &body)?;
            Ok(id)
        })
    }
}

fn keep(txn: &mut SyncTxn<'_>, id: Uuid, device: Option<Uuid>, reason: &str, body: &[u8]) -> Result<()> {
    let row = (
        receipt::receipt_id.eq(Id(id)),
        receipt::received_at.eq(txn.now),
        receipt::device_id.eq(device.map(Id)),
        // The reason may quote the body, and PostgreSQL's texts hold no NUL.
        receipt::reason.eq(reason.replace('\0', "\u{fffd}")),
        receipt::body.eq(body),
    );
    diesel::insert_into(receipt::table).values(row).execute(txn.connection)?;
    Ok(())
}

/// Takes a group of pushes in one transaction.
pub(super) fn take(txn: &mut SyncTxn<'_>, pushes: &[Box<Push>]) -> Result<Vec<Pushed>> {
    let all: Vec<&Received> = pushes.iter().flat_map(|push| push.mutations()).collect();
    prefetch::batch(txn, &all)?;
    for push in pushes {
        txn.cache.shapes.extend(push.shapes.iter().map(|(id, shape)| (*id, shape.clone())));
        txn.cache.findings.extend(push.findings.iter().map(|(id, found)| (*id, found.clone())));
    }
    pushes.iter().map(|push| take_one(txn, push)).collect()
}

fn take_one(txn: &mut SyncTxn<'_>, push: &Push) -> Result<Pushed> {
    txn.skew_ms = push.contact.skew_ms;
    let blast = blast_of(txn, push)?;
    let registry = txn.registry;
    let mut answers = Vec::with_capacity(push.len());
    for Action { actor, against, mutations } in &push.actions {
        let taken = match blast {
            Some(blast) => quarantine_all(txn, actor, mutations, blast)?,
            None => apply_txn(txn, registry, actor, against.clone(), mutations)?,
        };
        claim::note(txn, actor.organisation, mutations, &taken)?;
        answers.extend(taken);
    }
    keep_differing(txn, push, &answers)?;
    let (mut seq_through, mut national_through) = (0, 0);
    if let Some(device) = push.device {
        if txn.clock.follows {
            passed_on::note_renumbered(txn, device, push, &answers)?;
        }
        seq_through = meet(txn, device, push)?;
        national_through = upstream::national_through(txn, device, seq_through)?;
    }
    Ok(Pushed { head: head_of(&txn.clock), answers, seq_through, national_through })
}

/// How many records a push would take out of use, where that is too many to be believed. A camp has asked already.
fn blast_of(txn: &mut SyncTxn<'_>, push: &Push) -> Result<Option<i64>> {
    let blast = push.blast(txn.registry);
    let (Some(action), None) = (push.actions.first(), &push.relayed) else { return Ok(None) };
    let blasts =
        blast > BLAST_RECORDS && blast > txn.records_in_use(action.actor.organisation)? * BLAST_SHARE / 100;
    Ok(blasts.then_some(blast))
}

/// Sets a whole push before a human that would take an unlikely number of records out of use.
fn quarantine_all(
    txn: &mut SyncTxn<'_>,
    actor: &Actor,
    mutations: &[Received],
    blast: i64,
) -> Result<Vec<Answer>> {
    let detail = format!(
        "this push retires or empties {blast} records, more than {BLAST_RECORDS} and {BLAST_SHARE} % of the organisation's: a human confirms it"
    );
    let problem = Problem::new("blast_radius", detail);
    let mut answers = Vec::with_capacity(mutations.len());
    for received in mutations {
        if let Some(known) = txn.known(received.id())? {
            let mut answer = known.answer.clone();
            answer.first = Some(answer.first.unwrap_or(answer.outcome));
            answer.outcome = Outcome::Duplicate;
            answers.push(answer);
            continue;
        }
        let mut answer = Answer::new(received.id(), Outcome::Quarantined);
        answer.problem = Some(problem.clone());
        let seq = txn.log(received, actor, crate::sync::memory::Entry::Arrived, &mut answer)?;
        txn.quarantine(received, &problem, actor, seq)?;
        answers.push(answer);
    }
    Ok(answers)
}

/// A mutation that came again with other content is kept too, beside the first.
fn keep_differing(txn: &mut SyncTxn<'_>, push: &Push, answers: &[Answer]) -> Result<()> {
    let differing = answers.iter().filter(|answer| {
        answer.outcome == Outcome::Duplicate
            && answer.problem.as_ref().is_some_and(|problem| problem.code == "content")
    });
    for answer in differing {
        let found = push.mutations().find(|received| received.id() == answer.mutation_id);
        if let Some(received) = found {
            let reason = format!("other content under the known mutation {}", received.id());
            keep(txn, Uuid::now_v7(), push.device, &reason, &received.bytes)?;
        }
    }
    Ok(())
}

/// Notes the contact and works out up to which number the device's edits are stored without a gap.
fn meet(txn: &mut SyncTxn<'_>, device: Uuid, push: &Push) -> Result<i64> {
    let contact = &push.contact;
    let through: Option<i64> =
        device::table.find(Id(device)).select(device::seq_through).first(txn.connection).optional()?;
    let through = through.ok_or(StoreError::NotFound("device"))?;
    let stored: Vec<Option<i64>> = log::table
        .filter(log::device_id.eq(Id(device)))
        .filter(log::device_seq.gt(through))
        .select(log::device_seq)
        .load(txn.connection)?;
    let mut numbers: BTreeSet<i64> = stored.into_iter().flatten().collect();
    // Other pushes of the same device may be in this group; the log has them when it is flushed.
    let fresh = txn.buffer.log.iter().filter(|row| row.device_id == Some(Id(device)));
    numbers.extend(fresh.filter_map(|row| row.device_seq));
    // Every answer means that the mutation is stored, also where it came before under the number that the tablet had
    // in an earlier enrolment.
    if push.relayed.is_none() {
        numbers.extend(push.mutations().map(|received| received.mutation.device_seq));
    }
    let mut through = through;
    while numbers.contains(&(through + 1)) {
        through += 1;
    }
    diesel::update(device::table.find(Id(device)))
        .set((
            device::seq_through.eq(through),
            device::last_contact.eq(Some(txn.now)),
            device::outbox_pending.eq(contact.pending),
            device::outbox_oldest.eq(contact.oldest.map(Instant)),
            device::skew_ms.eq(contact.skew_ms),
            device::app.eq(contact.app.as_deref()),
        ))
        .execute(txn.connection)?;
    for report in push.relayed.iter().flatten() {
        super::device::take_report(txn, device, report)?;
    }
    Ok(through)
}

/// A human action made on this server: who, and the drafts of its mutations.
#[derive(Debug, Clone)]
pub struct OwnAction {
    /// Who acts.
    pub actor: Actor,
    /// What is done, whole or not at all; `device_seq` is filled in here.
    pub mutations: Vec<Mutation>,
}

impl Store {
    /// Takes actions that were made on this server itself – by an import or a demonstration – through the same door
    /// and rules as a tablet's, all in one transaction. Mutations that are known already answer `duplicate`.
    ///
    /// # Errors
    /// What the store reports; what became of each mutation is in its answer.
    pub fn push_own(&self, actions: Vec<OwnAction>) -> Result<Vec<Answer>> {
        let prepared: Shapes = actions
            .iter()
            .flat_map(|action| &action.mutations)
            .filter_map(|mutation| {
                let geometry = mutation.changes.get(GEOMETRY)?.to.as_ref()?;
                Some((mutation.mutation_id, record::shape_of(geometry)?))
            })
            .collect();
        let registry = self.registry;
        self.write(move |txn| {
            txn.cache.shapes.extend(prepared);
            let mut numbered = Vec::with_capacity(actions.len());
            let ids: Vec<Uuid> = actions
                .iter()
                .flat_map(|action| &action.mutations)
                .map(|mutation| mutation.mutation_id)
                .collect();
            prefetch::known(txn, &ids)?;
            for OwnAction { actor, mutations } in actions {
                let mut own = Vec::with_capacity(mutations.len());
                for mut mutation in mutations {
                    let known = txn.known(mutation.mutation_id)?;
                    let (device, number) = match &known {
                        Some(_) => (txn.clock.server_device, 0),
                        None => txn.own_number(),
                    };
                    mutation.device_seq = number;
                    own.push(Received::own(mutation, device));
                }
                numbered.push((actor, own));
            }
            prefetch::batch(txn, &numbered.iter().flat_map(|(_, own)| own).collect::<Vec<_>>())?;
            let mut answers = Vec::with_capacity(ids.len());
            for (actor, own) in numbered {
                let taken = apply_txn(txn, registry, &actor, None, &own)?;
                claim::note(txn, actor.organisation, &own, &taken)?;
                answers.extend(taken);
            }
            Ok(answers)
        })
    }
}
