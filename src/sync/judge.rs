//! What one mutation comes to, before anything is written.

use std::collections::{BTreeSet, HashMap, HashSet};

use uuid::Uuid;

use super::held::{held, is_blank};
use super::memory::{Held, Memory, Problem, Received};
use super::merge::{self, Merge, RETIRED, Terms};
use crate::model::mutation::Outcome;
use crate::model::role::{Actor, Role};
use crate::model::schema::{Registry, Schema};
use crate::model::{Mutation, Op, Record, ReviewAction, Stage};

/// Conflicts about one record that may be open at once. Everybody who looks at the record is shown every side: beyond
/// this nobody sees anything.
const OPEN_CONFLICTS: usize = 30;

/// What one mutation comes to.
#[derive(Debug, Clone)]
pub(super) enum Verdict {
    /// It makes a new version.
    Write(Box<Record>, Outcome),
    /// It stays beside the head.
    Conflict(BTreeSet<String>),
    /// It waits for this.
    Park(String),
    /// A human decides.
    Quarantine(Problem),
}

/// Judges the mutations of one action in their order; later ones see what earlier ones would write.
pub(super) struct Judge<'a, M: Memory> {
    pub(super) memory: &'a mut M,
    pub(super) registry: &'a Registry,
    pub(super) actor: &'a Actor,
    /// Records that this action makes: its other parts may point at them before they are there.
    coming: HashSet<Uuid>,
    /// The versions that this action would make. One that conflicts makes the others conflict; they do not wait for it.
    own: HashSet<Uuid>,
    staged: HashMap<Uuid, Record>,
    /// The action has one mutation: no other will look at what is staged.
    alone: bool,
    /// Somebody has judged already whether it may be: only what it makes of the record is asked.
    settled: bool,
}

impl<'a, M: Memory> Judge<'a, M> {
    pub(super) fn new(memory: &'a mut M, registry: &'a Registry, actor: &'a Actor, txn: &[Received]) -> Self {
        let creates =
            txn.iter().map(|received| &received.mutation).filter(|mutation| mutation.op == Op::Create);
        let coming = creates.map(|mutation| mutation.record_id).collect();
        let own = txn.iter().map(Received::id).collect();
        let (staged, alone) = (HashMap::new(), txn.len() == 1);
        Self { memory, registry, actor, coming, own, staged, alone, settled: false }
    }

    /// One that follows what another server has decided.
    pub(super) fn following(
        memory: &'a mut M,
        registry: &'a Registry,
        actor: &'a Actor,
        txn: &[Received],
    ) -> Self {
        Self { settled: true, ..Self::new(memory, registry, actor, txn) }
    }

    /// What the mutation comes to.
    pub(super) fn judge(&mut self, received: &Received) -> Result<Verdict, M::Error> {
        let mutation = &received.mutation;
        if !self.settled
            && let Some(problem) = self.unacceptable(received)?
        {
            return Ok(Verdict::Quarantine(problem));
        }
        let head = self.head(mutation.record_id)?;
        let terms = match Terms::of(self.registry, mutation, head.as_ref()) {
            Ok(terms) => terms,
            Err(unknown) => return Ok(Verdict::Park(unknown)),
        };
        if let Some(missing) = self.missing(received, terms.ruling, head.as_ref())? {
            return Ok(Verdict::Park(missing));
        }
        if !self.settled
            && let Some(problem) = self.forbidden(received, head.as_ref())?
        {
            return Ok(Verdict::Quarantine(problem));
        }
        let verdict = self.lay(received, terms, head)?;
        if !self.settled
            && matches!(verdict, Verdict::Conflict(_))
            && let Some(problem) = self.crowded(mutation.record_id)?
        {
            return Ok(Verdict::Quarantine(problem));
        }
        Ok(self.checked(verdict, received, terms.ruling))
    }

    /// What speaks against it whatever it is laid on.
    fn unacceptable(&mut self, received: &Received) -> Result<Option<Problem>, M::Error> {
        if let Some(problem) = received.unfit.clone().or_else(|| self.misattributed(received)) {
            return Ok(Some(problem));
        }
        let number = received.mutation.device_seq;
        let taken = self.memory.numbered(received.device, number)?.filter(|taken| *taken != received.id());
        Ok(taken.map(|taken| {
            let detail = format!(
                "number {number} of this device already belongs to {taken}: the device was cloned or restored"
            );
            Problem::new("device_seq", detail)
        }))
    }

    /// What speaks against laying it on this head.
    fn forbidden(&mut self, received: &Received, head: Option<&Record>) -> Result<Option<Problem>, M::Error> {
        if let Err(problem) = self.permitted(received, head) {
            return Ok(Some(problem));
        }
        let mutation = &received.mutation;
        if let Some(problem) = self.mends_nothing(mutation)? {
            return Ok(Some(problem));
        }
        let held = match head {
            Some(head) if mutation.review == Some(ReviewAction::Finalise) => {
                held(self.memory, head, mutation.reason.as_deref())?
            }
            _ => None,
        };
        Ok(held.map(|detail| Problem::new("held", detail)))
    }

    /// What speaks against a repair: its target is settled, or somebody else's to repair.
    fn mends_nothing(&mut self, mutation: &Mutation) -> Result<Option<Problem>, M::Error> {
        let Some(quarantined) = mutation.repairs else { return Ok(None) };
        let may = |held: &Held| match self.actor.role {
            Role::ImOfficer => true,
            Role::ProgrammeManager => held.organisation == self.actor.organisation,
            _ => false,
        };
        Ok(match self.memory.in_quarantine(quarantined)? {
            Some(held) if held.record == mutation.record_id && may(&held) => None,
            Some(_) => {
                let detail = "this edit repairs one that is not its author's to repair";
                Some(Problem::new("permission", detail))
            }
            None => {
                let detail = format!("{quarantined}, which this edit repairs, is settled already");
                Some(Problem::new("stale", detail))
            }
        })
    }

    /// What speaks against another conflict about a record.
    fn crowded(&mut self, record: Uuid) -> Result<Option<Problem>, M::Error> {
        let open = self.memory.open_conflicts(record)?.len();
        Ok((open >= OPEN_CONFLICTS).then(|| {
            let detail =
                format!("{open} conflicts about this record are open already: they are settled first");
            Problem::new("conflicts", detail)
        }))
    }

    fn head(&mut self, record: Uuid) -> Result<Option<Record>, M::Error> {
        match self.staged.get(&record) {
            Some(staged) => Ok(Some(staged.clone())),
            None => self.memory.head(record),
        }
    }

    fn version(&mut self, version: Uuid) -> Result<Option<Record>, M::Error> {
        match self.staged.values().find(|staged| staged.version == version) {
            Some(staged) => Ok(Some(staged.clone())),
            None => self.memory.version(version),
        }
    }

    /// What the mutation builds on that is not here yet.
    fn missing(
        &mut self,
        received: &Received,
        schema: &Schema,
        head: Option<&Record>,
    ) -> Result<Option<String>, M::Error> {
        let mutation = &received.mutation;
        for conflict in &mutation.settles {
            // Elsewhere it was a conflict; where it could be applied there is nothing to wait for.
            if !self.memory.conflict_known(*conflict)? && self.version(*conflict)?.is_none() {
                return Ok(Some(conflict.to_string()));
            }
        }
        if let Some(base) = mutation.base_version
            && head.is_none_or(|head| head.version != base)
            && !self.own.contains(&base)
            && self.version(base)?.is_none()
        {
            return Ok(Some(base.to_string()));
        }
        if head.is_none() && !matches!(mutation.op, Op::Create | Op::Resolve) {
            return Ok(Some(mutation.record_id.to_string()));
        }
        for (name, change) in &mutation.changes {
            let Some(to) = &change.to else { continue };
            for target in schema.references(name, to) {
                if !self.coming.contains(&target) && self.head(target)?.is_none() {
                    return Ok(Some(target.to_string()));
                }
            }
        }
        Ok(None)
    }

    /// Whether it speaks for another device or person than its sender. Asked before it may wait for anything: what
    /// waits is taken up without its sender.
    fn misattributed(&self, received: &Received) -> Option<Problem> {
        let mutation = &received.mutation;
        if mutation.device_id.is_some_and(|device| device != received.device) {
            return Some(Problem::new("permission", "a device pushes only what was made on it"));
        }
        (mutation.author != self.actor.account).then(|| {
            Problem::new("permission", "the author is not the person whom this device was enrolled for")
        })
    }

    fn permitted(&self, received: &Received, head: Option<&Record>) -> Result<(), Problem> {
        let mutation = &received.mutation;
        if let Some(head) = head
            && head.kind != mutation.kind
        {
            let detail = format!("record {} is a {}, not a {}", head.id, head.kind, mutation.kind);
            return Err(Problem::new("content", detail));
        }
        let allowed = match (mutation.op, mutation.review, head) {
            (Op::Review, Some(action), Some(head)) => self.actor.may_review(action, head).and_then(|()| {
                if action.is_approval() && head.hands.contain(self.actor.account) {
                    return Err("one person may not take two stages of one record".to_owned());
                }
                if action.needs_reason() && is_blank(mutation.reason.as_deref()) {
                    return Err(format!("`{action}` needs a reason"));
                }
                Ok(())
            }),
            (Op::Review, ..) => Err("a review names the step in `review`".to_owned()),
            (Op::Resolve, ..) if mutation.settles.is_empty() => {
                Err("a resolve names the conflicts that it settles".to_owned())
            }
            (Op::Resolve, ..) if is_blank(mutation.reason.as_deref()) => {
                Err("a resolve needs a reason".to_owned())
            }
            (op, ..) => self.actor.may_write(op, &mutation.kind, head),
        };
        allowed.map_err(|detail| Problem::new("permission", detail))
    }

    /// Lays the mutation on the head, if it may be.
    fn lay(
        &mut self,
        received: &Received,
        terms: Terms<'_>,
        head: Option<Record>,
    ) -> Result<Verdict, M::Error> {
        let (mutation, schema) = (&received.mutation, terms.ruling);
        let disagree = |field: &str| Ok(Verdict::Conflict(BTreeSet::from([field.to_owned()])));
        let on_head = head.as_ref().is_some_and(|head| mutation.base_version == Some(head.version));
        match (mutation.op, head) {
            (Op::Create, None) => {
                let actor = self.actor;
                let blank = Record::blank(
                    mutation.record_id,
                    &mutation.kind,
                    mutation.schema,
                    actor.organisation,
                    actor.account,
                );
                let made = merge::intended(&blank, mutation, Some(schema));
                Ok(Verdict::Write(Box::new(made), Outcome::Applied))
            }
            (Op::Resolve, head) => self.resolve(received, terms, head),
            (Op::Create, Some(_)) => disagree("record_id"),
            (Op::Restore, Some(head)) if on_head && head.retired => {
                let mut restored = merge::intended(&head, mutation, Some(schema));
                restored.retired = false;
                Ok(Verdict::Write(Box::new(restored), Outcome::Applied))
            }
            // The review of a retirement goes on; every other edit must bring the record back first.
            (op, Some(head)) if head.retired && op != Op::Review => disagree(RETIRED),
            (Op::Update, Some(head)) => {
                let base = match mutation.base_version {
                    Some(base) if base == head.version => Some(head.clone()),
                    Some(base) => self.version(base)?,
                    None => None,
                };
                Ok(match merge::update(&head, base.as_ref(), mutation, terms) {
                    Merge::Laid(record, outcome) => Verdict::Write(record, outcome),
                    Merge::Disagrees(fields) => Verdict::Conflict(fields),
                })
            }
            (Op::Retire, Some(head)) if on_head => {
                let mut retired = merge::intended(&head, mutation, Some(schema));
                retired.retired = true;
                Ok(Verdict::Write(Box::new(retired), Outcome::Applied))
            }
            (Op::Review, Some(head)) if on_head => {
                let Some(stage) = mutation.review.and_then(|action| action.from_stage(head.stage)) else {
                    return disagree("stage");
                };
                let official = match head.official.filter(|_| stage == Stage::Rejected) {
                    Some(official) => self.version(official)?,
                    None => None,
                };
                let record = merge::reviewed(&head, official.as_ref(), mutation, stage);
                Ok(Verdict::Write(Box::new(record), Outcome::Applied))
            }
            (Op::Review, _) => disagree("stage"),
            _ => disagree(RETIRED),
        }
    }

    /// A resolve lays its changes on what its author saw, and only on that.
    fn resolve(
        &mut self,
        received: &Received,
        terms: Terms<'_>,
        head: Option<Record>,
    ) -> Result<Verdict, M::Error> {
        let mutation = &received.mutation;
        let open = self.memory.open_conflicts(mutation.record_id)?;
        let all_open = mutation.settles.iter().all(|id| open.iter().any(|conflict| conflict.id == *id));
        // Free fields too may have moved on since the author looked: the whole version counts, not only the group.
        let saw = head.as_ref().is_none_or(|head| {
            mutation.base_version == Some(head.version)
                && mutation.seen == Some(merge::safety_hash(head, terms.spoken))
        });
        if !all_open || !saw {
            return Ok(Verdict::Conflict(BTreeSet::from(["settles".to_owned()])));
        }
        let base = match head {
            Some(head) => Some(head),
            // The record itself is disputed: its maker's version is what there is to build on.
            None => match mutation.settles.first() {
                Some(first) => self.version(*first)?,
                None => None,
            },
        };
        let Some(base) = base else {
            return Ok(Verdict::Park(mutation.settles.first().unwrap_or(&mutation.record_id).to_string()));
        };
        Ok(Verdict::Write(Box::new(merge::resolved(&base, mutation, terms.ruling)), Outcome::Applied))
    }

    /// The new version must obey the schema; then it gets its name and its place in the review.
    fn checked(&mut self, verdict: Verdict, received: &Received, schema: &Schema) -> Verdict {
        let Verdict::Write(mut record, outcome) = verdict else { return verdict };
        let mutation = &received.mutation;
        if !self.settled && (mutation.op == Op::Create || !mutation.changes.is_empty()) {
            let faults = match (&received.faults, mutation.op) {
                (Some(faults), Op::Create) => faults.clone(),
                _ => record.faults(schema),
            };
            if !faults.is_empty() {
                let detail = format!("{} does not obey its schema; mend what is named", mutation.kind);
                return Verdict::Quarantine(Problem { code: "schema".to_owned(), detail, faults });
            }
        }
        record.version = mutation.mutation_id;
        record.schema = record.schema.max(mutation.schema);
        match (mutation.op, record.stage) {
            (Op::Review, Stage::Finalised) => {
                record.official = Some(mutation.mutation_id);
                record.hands.finalise();
            }
            (Op::Review, Stage::Returned | Stage::Rejected) => record.hands.send_back(),
            (Op::Review, _) => record.hands.approve(mutation.author),
            _ => {
                record.author = mutation.author;
                record.stage = Stage::Draft;
                record.hands.make([mutation.author]);
            }
        }
        if !self.alone {
            self.staged.insert(record.id, (*record).clone());
        }
        Verdict::Write(record, outcome)
    }
}
