//! What a camp, or a stick, passes on of other devices: who acted is looked up here, and nothing is taken on a camp's word
//! but who made it.

use std::collections::{BTreeSet, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::account::Account;
use super::push::{Action, Push, read_action};
use super::txn::SyncTxn;
use super::{Result, Store, StoreError, upstream};
use crate::model::mutation::Outcome;
use crate::model::role::{Actor, Role};
use crate::sync::memory::{Answer, Problem, Received, Standing};
use crate::sync::wire::{LogEntry, PushBody};

impl Push {
    /// Reads what a camp passes on. Who acted is looked up when the push is taken.
    ///
    /// # Errors
    /// Which mutation cannot be read, and why; or that it is not told who made what.
    pub fn relayed(
        device: Uuid,
        relay: Actor,
        standing: Standing,
        body: &PushBody<'_>,
    ) -> Result<Self, String> {
        if body.senders.len() != body.txns.len() {
            return Err("/senders: a camp tells for each action which device made it".to_owned());
        }
        let mut actions = Vec::with_capacity(body.txns.len());
        let both = body.txns.iter().zip(&body.senders).enumerate();
        for (place, (txn, sender)) in both.filter(|(_, (txn, _))| !txn.is_empty()) {
            let mutations = read_action(place, txn, |raw| Received::passed_on(raw, sender.device_id))?;
            let against = standing.problem().or_else(|| sender.held.clone());
            actions.push(Action { actor: relay, against, mutations });
        }
        Ok(Self::of(Some(device), actions, Some(body.devices.clone())))
    }
}

/// An edit that another server has taken, as its log tells.
#[derive(Debug)]
pub struct PassedOn {
    received: Received,
    held: Option<Problem>,
}

impl TryFrom<LogEntry> for PassedOn {
    type Error = StoreError;

    fn try_from(entry: LogEntry) -> Result<Self> {
        let body = STANDARD.decode(&entry.body).map_err(|fault| StoreError::Unreadable(fault.to_string()))?;
        let raw: &RawValue = serde_json::from_slice(&body)?;
        let received = Received::passed_on(raw, entry.device_id.unwrap_or_default())?;
        let held = entry.problem.filter(upstream::is_of_the_sending);
        Ok(Self { received, held })
    }
}

impl Store {
    /// Who acted, as this server knows them: a camp vouches for the person, not for what the person may do.
    pub(super) fn find_actors(&self, push: &mut Push) -> Result<()> {
        let accounts: HashMap<Uuid, Account> =
            self.list_accounts()?.into_iter().map(|account| (account.id, account)).collect();
        let camp = push.device;
        let elsewhere: HashMap<Uuid, Option<Uuid>> =
            self.list_devices(None)?.into_iter().map(|device| (device.id, device.via)).collect();
        for action in &mut push.actions {
            let first = &action.mutations[0];
            // A device that is enrolled here pushes for itself: nobody else uses up its numbers.
            if camp.is_some() && elsewhere.get(&first.device).is_some_and(|via| *via != camp) {
                let detail = "the camp tells of a device that is not enrolled at it";
                action.against = action.against.take().or(Some(Problem::new("permission", detail)));
            }
            let author = first.mutation.author;
            let against = if let Some(account) = accounts.get(&author) {
                action.actor = account.actor();
                account.disabled.then(|| Problem::new("revoked", "this account is closed"))
            } else {
                action.actor.account = author;
                let detail = format!("the author {author} is not known at the national server");
                Some(Problem::new("account", detail))
            };
            action.against = action.against.take().or(against);
        }
        Ok(())
    }

    /// Takes edits that were carried here from another server, in its order, as if a camp had passed them on.
    ///
    /// # Errors
    /// `Busy`: nothing of it is stored, do it again.
    pub fn push_passed_on(&self, edits: Vec<PassedOn>) -> Result<Vec<Answer>> {
        let nobody = Actor { account: Uuid::nil(), role: Role::Relay, organisation: Uuid::nil() };
        let mut actions: Vec<Action> = Vec::new();
        for PassedOn { received, held } in edits {
            let same = |action: &&mut Action| {
                let first = &action.mutations[0];
                first.device == received.device && first.action() == received.action()
            };
            match actions.last_mut().filter(same) {
                Some(action) => {
                    action.against = action.against.take().or(held);
                    action.mutations.push(received);
                }
                None => actions.push(Action { actor: nobody, against: held, mutations: vec![received] }),
            }
        }
        Ok(self.push(Push::of(None, actions, Some(Vec::new())))?.answers)
    }
}

/// On a camp: the device's own numbers of what was known already, so that they too count as national only once it is.
pub(super) fn note_renumbered(
    txn: &mut SyncTxn<'_>,
    device: Uuid,
    push: &Push,
    answers: &[Answer],
) -> Result<()> {
    let again: BTreeSet<Uuid> = answers
        .iter()
        .filter(|answer| answer.outcome == Outcome::Duplicate)
        .map(|answer| answer.mutation_id)
        .collect();
    let numbers: Vec<(i64, Uuid)> = push
        .mutations()
        .filter(|received| again.contains(&received.id()))
        .map(|received| (received.mutation.device_seq, received.id()))
        .collect();
    upstream::note_renumbered(txn, device, &numbers)
}
