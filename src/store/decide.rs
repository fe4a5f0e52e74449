//! What people decide at the server: review steps, conflicts settled, quarantined edits repaired.
//!
//! Each becomes a mutation through the one door. Unlike a tablet, a person at the server is there to be asked again:
//! what does not fit is refused and nothing is stored.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::quarantine::Quarantined;
use super::row::brought_geometry;
use super::txn::SyncTxn;
use super::{Result, Store, StoreError, claim, record};
use crate::model::mutation::Outcome;
use crate::model::role::{Actor, Sight};
use crate::model::schema::Schema;
use crate::model::{Change, Hash, Mutation, Op, Record, ReviewAction};
use crate::sync::held::{held, is_blank};
use crate::sync::memory::{Answer, Memory as _, Received};
use crate::sync::merge::REFERENCE;
use crate::sync::{apply_txn, merge};

/// How a conflict is to be settled.
#[derive(Debug, Clone)]
pub struct Resolution {
    /// The record.
    pub record_id: Uuid,
    /// The conflicts that it settles.
    pub settles: Vec<Uuid>,
    /// The head as the decider saw it.
    pub version: Option<Uuid>,
    /// Its safety fields as the decider saw them.
    pub seen: Option<Hash>,
    /// What becomes of the record; fields that are not named stay as the head has them.
    pub changes: BTreeMap<String, Change>,
    /// Why.
    pub reason: String,
}

impl Store {
    /// Takes a step of a record's review on the version that the reviewer saw.
    ///
    /// # Errors
    /// `NotFound`; `Refused`: `stale` where the record has moved on, `role`, `two-person`, `stage`, `reason`, and `held`
    /// where findings hold back what is to be finalised without a reason.
    pub fn review(
        &self,
        actor: Actor,
        record_id: Uuid,
        seen: Uuid,
        action: ReviewAction,
        reason: Option<String>,
    ) -> Result<Answer> {
        self.write(move |txn| {
            let head = txn.head(record_id)?.ok_or(StoreError::NotFound("record"))?;
            may_review(&actor, &head, seen, action, reason.as_deref())?;
            if action == ReviewAction::Finalise
                && let Some(why) = held(txn, &head, reason.as_deref())?
            {
                return Err(StoreError::refused("held", why));
            }
            let mut mutation = draft(&actor, Op::Review, &head.kind, head.schema, record_id);
            mutation.base_version = Some(seen);
            mutation.review = Some(action);
            mutation.reason = reason;
            if action == ReviewAction::Finalise && head.field(REFERENCE).is_null() {
                let reference = reference(txn, &head.kind);
                mutation.changes.insert(REFERENCE.to_owned(), Change::set(json!(reference)));
            }
            txn.decide(&actor, mutation)
        })
    }

    /// Settles conflicts of one record.
    ///
    /// # Errors
    /// `NotFound`; `Refused`: `stale` where the record has moved on or a conflict is settled already.
    pub fn resolve(&self, actor: Actor, resolution: Resolution) -> Result<Answer> {
        self.write(move |txn| {
            let registry = txn.registry;
            let open = txn.open_conflicts(resolution.record_id)?;
            if let Some(gone) = resolution.settles.iter().find(|id| open.iter().all(|there| there.id != **id))
            {
                return Err(StoreError::refused("stale", format!("conflict {gone} is not open (any more)")));
            }
            let head = txn.head(resolution.record_id)?;
            if let Some(head) = &head
                && let Some(schema) = registry.latest(&head.kind)
                && (resolution.version != Some(head.version)
                    || resolution.seen != Some(merge::safety_hash(head, schema)))
            {
                let detail = format!(
                    "the record stands at version {}, and `version` and `seen` must be those of `theirs` as it is now: read the conflict again",
                    head.version
                );
                return Err(StoreError::refused("stale", detail));
            }
            let branch = resolution.settles.first().copied().ok_or(StoreError::NotFound("conflict"))?;
            let like = match head {
                Some(head) => head,
                None => txn.version(branch)?.ok_or(StoreError::NotFound("record"))?,
            };
            // Whoever looks at a conflict here is told the group of the newest schema (`seen`).
            let spoken = registry.latest(&like.kind).map_or(like.schema, Schema::version);
            let mut mutation = draft(&actor, Op::Resolve, &like.kind, spoken, like.id);
            mutation.settles = resolution.settles;
            mutation.base_version = resolution.version;
            mutation.seen = resolution.seen;
            mutation.changes = resolution.changes;
            mutation.reason = Some(resolution.reason);
            txn.decide(&actor, mutation)
        })
    }

    /// Submits a repaired form of a quarantined mutation. What waited for the quarantined one goes on.
    ///
    /// # Errors
    /// `NotFound`; `Refused` where it does not fit any better than the first.
    pub fn repair(&self, actor: Actor, quarantined: Uuid, repaired: Mutation) -> Result<Answer> {
        let there = self.find_quarantined(quarantined)?;
        if there.repaired_by.is_some() || there.reason.is_some() {
            return Err(StoreError::refused("stale", "this mutation is settled already"));
        }
        if repaired.record_id != there.record_id {
            let detail = format!(
                "the mutation is about record {}, its repair about another: repair that record, or set the mutation aside \
                 with a reason",
                there.record_id
            );
            return Err(StoreError::refused("not-accepted", detail));
        }
        let hidden = self.hidden_changes(&there, actor.sight())?;
        self.write(move |txn| {
            let mut mutation =
                draft(&actor, repaired.op, &repaired.kind, repaired.schema, repaired.record_id);
            mutation.base_version = repaired.base_version;
            mutation.changes = hidden;
            mutation.changes.extend(repaired.changes);
            mutation.seen = repaired.seen;
            mutation.settles = repaired.settles;
            mutation.review = repaired.review;
            mutation.reason = repaired.reason;
            mutation.attachments = repaired.attachments;
            mutation.repairs = Some(quarantined);
            let whose = Actor { organisation: there.organisation, ..actor };
            txn.decide(&whose, mutation)
        })
    }
}

impl Store {
    /// The changes of a quarantined mutation to fields above a reader's tier: a repair must not lose them.
    fn hidden_changes(&self, quarantined: &Quarantined, sight: Sight) -> Result<BTreeMap<String, Change>> {
        let Some(schema) = self.registry().latest(&quarantined.kind) else { return Ok(BTreeMap::new()) };
        let Some(changes) = quarantined.mutation.get("changes").and_then(Value::as_object) else {
            return Ok(BTreeMap::new());
        };
        let hidden = changes.iter().filter(|(name, _)| !sight.reaches(schema, name));
        hidden.map(|(name, change)| Ok((name.clone(), serde_json::from_value(change.clone())?))).collect()
    }
}

impl SyncTxn<'_> {
    /// Applies one mutation made here, or refuses it with the reason.
    pub(super) fn decide(&mut self, actor: &Actor, mut mutation: Mutation) -> Result<Answer> {
        let (device, number) = self.own_number();
        mutation.device_seq = number;
        let received = Received::own(mutation, device);
        if let Some(shape) = brought_geometry(&received).and_then(record::shape_of) {
            self.cache.shapes.insert(received.id(), shape);
        }
        let registry = self.registry;
        let own = [received];
        let answers = apply_txn(self, registry, actor, None, &own)?;
        claim::note(self, actor.organisation, &own, &answers)?;
        let answer = answers.into_iter().next().ok_or(StoreError::Busy)?;
        match (answer.outcome, &answer.problem) {
            (Outcome::Applied | Outcome::Merged, _) => Ok(answer),
            (_, Some(problem)) => {
                let (detail, faults) = (problem.detail.clone(), problem.faults.clone());
                Err(StoreError::NotAccepted { detail, faults })
            }
            (outcome, None) => Err(StoreError::refused(
                "stale",
                format!("the record has moved on (it would be a {outcome})"),
            )),
        }
    }
}

fn may_review(
    actor: &Actor,
    head: &Record,
    seen: Uuid,
    action: ReviewAction,
    reason: Option<&str>,
) -> Result<()> {
    must_stand_at(head, seen)?;
    actor.may_review(action, head).map_err(|detail| StoreError::refused("role", detail))?;
    if action.from_stage(head.stage).is_none() {
        let detail = format!("`{action}` cannot be taken on a record that is {}", head.stage);
        return Err(StoreError::refused("stage", detail));
    }
    if action.is_approval() && head.hands.contain(actor.account) {
        let detail = "one person may not take two stages of one record: somebody else must do this";
        return Err(StoreError::refused("two-person", detail));
    }
    if action.needs_reason() && is_blank(reason) {
        return Err(StoreError::refused("reason", format!("`{action}` needs a reason")));
    }
    Ok(())
}

pub(super) fn must_stand_at(head: &Record, seen: Uuid) -> Result<()> {
    if head.version == seen {
        return Ok(());
    }
    let detail = format!("the record stands at version {}: look at it again", head.version);
    Err(StoreError::refused("stale", detail))
}

/// A human reference that no other server issues, a camp's or one restored from a copy: the place in this log, and what
/// tells this log from others.
fn reference(txn: &SyncTxn<'_>, kind: &str) -> String {
    let epoch = txn.clock.epoch.simple().to_string().to_uppercase();
    format!("{}-{}-{}", kind.to_uppercase(), txn.clock.seq + 1, &epoch[28..])
}

pub(super) fn draft(actor: &Actor, op: Op, kind: &str, schema: i32, record_id: Uuid) -> Mutation {
    Mutation {
        mutation_id: Uuid::now_v7(),
        device_id: None,
        device_seq: 0,
        txn: None,
        kind: kind.to_owned(),
        schema,
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
        captured: None,
        author: actor.account,
    }
}
