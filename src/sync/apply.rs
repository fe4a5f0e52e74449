//! Takes the mutations of one human action into the log, whole or not at all (docs/sync.md §7).

use std::borrow::Cow;
use std::collections::{BTreeSet, VecDeque};

use super::judge::{Judge, Verdict};
use super::memory::{Answer, Conflict, Entry, Memory, Problem, Received, Waiting};
use super::merge::{self, Terms};
use crate::model::mutation::Outcome;
use crate::model::role::Actor;
use crate::model::schema::Registry;
use crate::model::{Hash, Op, Record};
use crate::planted::{Fault, is_planted};

/// Takes one action. Every mutation gets an answer, in order, and every one is stored; where something is `against` its
/// sender, a human decides about it.
///
/// # Errors
/// Only what the storage behind `memory` reports; then nothing of the transaction holds.
pub fn apply_txn<M: Memory>(
    memory: &mut M,
    registry: &Registry,
    actor: &Actor,
    against: Option<Problem>,
    txn: &[Received],
) -> Result<Vec<Answer>, M::Error> {
    let mut answers = Vec::with_capacity(txn.len());
    let mut fresh: Vec<&Received> = Vec::with_capacity(txn.len());
    for received in txn {
        match memory.known(received.id())? {
            Some(known) => answers.push(duplicate(&known.answer, known.bytes, received)),
            None if fresh.iter().any(|there| there.id() == received.id()) => {}
            None => fresh.push(received),
        }
    }
    if fresh.is_empty() {
        return Ok(answers);
    }
    // Nearly always all of it is: outlines are large, and need no copy then.
    let fresh =
        if fresh.len() == txn.len() { Cow::Borrowed(txn) } else { fresh.into_iter().cloned().collect() };
    let refusal = against.or_else(|| misshapen(txn, fresh.len()));
    let mut unblocked = Vec::new();
    let verdicts = match refusal {
        Some(problem) => vec![Verdict::Quarantine(problem); fresh.len()],
        None => judge(memory, registry, actor, &fresh)?,
    };
    answers.extend(settle(memory, registry, actor, &fresh, verdicts, Entry::Arrived, &mut unblocked)?);
    release(memory, registry, unblocked)?;
    in_order_of(txn, &mut answers);
    Ok(answers)
}

/// Takes up what waited for `things` (records, versions, conflicts or schemas that are here now),
/// and what waited for that, until nothing more moves.
///
/// # Errors
/// Only what the storage behind `memory` reports.
pub fn release<M: Memory>(memory: &mut M, registry: &Registry, things: Vec<String>) -> Result<(), M::Error> {
    let mut things = VecDeque::from(things);
    while let Some(thing) = things.pop_front() {
        for Waiting { mutations, actor, .. } in memory.waiting_for(&thing)? {
            let verdicts = judge(memory, registry, &actor, &mutations)?;
            let mut unblocked = Vec::new();
            settle(memory, registry, &actor, &mutations, verdicts, Entry::Unparked, &mut unblocked)?;
            things.extend(unblocked);
        }
    }
    Ok(())
}

/// The answer to a mutation that is here already: the first one, marked as a repetition.
fn duplicate(first: &Answer, stored: Hash, received: &Received) -> Answer {
    let mut answer = first.clone();
    answer.first = Some(first.first.unwrap_or(first.outcome));
    answer.outcome = Outcome::Duplicate;
    if stored != Hash::of_bytes(&received.bytes) {
        let detail = "another content came first under this mutation_id; this one is kept beside it";
        answer.problem = Some(Problem::new("content", detail));
    }
    answer
}

/// An action must arrive whole: `index` 0 … `size`−1 of one id.
fn misshapen(txn: &[Received], fresh: usize) -> Option<Problem> {
    let whole = match &txn[0].mutation.txn {
        None => txn.len() == 1,
        Some(first) => {
            first.size as usize == txn.len()
                && txn.iter().enumerate().all(|(place, received)| {
                    received.mutation.txn.is_some_and(|txn| txn.id == first.id && txn.index as usize == place)
                })
        }
    };
    let number = |received: &Received| (received.device, received.mutation.device_seq);
    let numbered = txn.windows(2).all(|pair| number(&pair[0]) != number(&pair[1]));
    if whole && numbered && fresh == txn.len() {
        return None;
    }
    Some(Problem::new("transaction", "the mutations of one action did not arrive together and in order"))
}

pub(super) fn judge<M: Memory>(
    memory: &mut M,
    registry: &Registry,
    actor: &Actor,
    txn: &[Received],
) -> Result<Vec<Verdict>, M::Error> {
    let mut judge = Judge::new(memory, registry, actor, txn);
    txn.iter().map(|received| judge.judge(received)).collect()
}

/// The worst verdict holds for the whole action: what is not applied together is not applied.
fn together(verdicts: Vec<Verdict>) -> Vec<Verdict> {
    let quarantined = verdicts.iter().find_map(|verdict| match verdict {
        Verdict::Quarantine(problem) => Some(problem.clone()),
        _ => None,
    });
    if let Some(problem) = quarantined {
        let because = Problem::new("transaction", format!("another part of the action: {}", problem.detail));
        let spread = |verdict| match verdict {
            Verdict::Quarantine(own) => Verdict::Quarantine(own),
            _ => Verdict::Quarantine(because.clone()),
        };
        return verdicts.into_iter().map(spread).collect();
    }
    let parked = verdicts.iter().find_map(|verdict| match verdict {
        Verdict::Park(thing) => Some(thing.clone()),
        _ => None,
    });
    if let Some(thing) = parked {
        return vec![Verdict::Park(thing); verdicts.len()];
    }
    if verdicts.iter().any(|verdict| matches!(verdict, Verdict::Conflict(_))) {
        let spread = |verdict| match verdict {
            Verdict::Write(..) => Verdict::Conflict(BTreeSet::from(["txn".to_owned()])),
            other => other,
        };
        return verdicts.into_iter().map(spread).collect();
    }
    verdicts
}

/// Writes what was judged. `unblocked` gathers what others may have waited for.
pub(super) fn settle<M: Memory>(
    memory: &mut M,
    registry: &Registry,
    actor: &Actor,
    txn: &[Received],
    verdicts: Vec<Verdict>,
    entry: Entry,
    unblocked: &mut Vec<String>,
) -> Result<Vec<Answer>, M::Error> {
    let mut answers = Vec::with_capacity(txn.len());
    for (received, verdict) in txn.iter().zip(together(verdicts)) {
        let id = received.id();
        if entry == Entry::Unparked {
            if let Verdict::Park(thing) = &verdict {
                memory.park(received, txn[0].action(), thing, actor, 0)?;
                continue;
            }
            memory.unpark(id)?;
        }
        let mut answer = Answer::new(id, Outcome::Applied);
        match verdict {
            Verdict::Write(record, outcome) => {
                answer.outcome = outcome;
                answer.version = Some(id);
                let seq = memory.log(received, actor, entry, &mut answer)?;
                write(memory, *record, received, seq)?;
                unblocked.extend([id.to_string(), received.mutation.record_id.to_string()]);
                unblocked.extend(received.mutation.repairs.map(|repaired| repaired.to_string()));
            }
            Verdict::Conflict(fields) => {
                answer.outcome = Outcome::Conflict;
                answer.conflict_id = Some(id);
                let seq = memory.log(received, actor, entry, &mut answer)?;
                branch(memory, registry, actor, received, fields, seq)?;
                unblocked.push(id.to_string());
            }
            Verdict::Park(_) if is_planted(Fault::IgnoreUnknownParent) => {
                memory.log(received, actor, entry, &mut answer)?;
            }
            Verdict::Park(thing) => {
                answer.outcome = Outcome::Parked;
                answer.waiting_for = Some(thing.clone());
                let seq = memory.log(received, actor, entry, &mut answer)?;
                memory.park(received, txn[0].action(), &thing, actor, seq)?;
            }
            Verdict::Quarantine(problem) => {
                answer.outcome = Outcome::Quarantined;
                answer.problem = Some(problem.clone());
                let seq = memory.log(received, actor, entry, &mut answer)?;
                memory.quarantine(received, &problem, actor, seq)?;
            }
        }
        answers.push(answer);
    }
    Ok(answers)
}

/// A new head, and the conflicts and the quarantine that it ends.
fn write<M: Memory>(
    memory: &mut M,
    mut record: Record,
    received: &Received,
    seq: i64,
) -> Result<(), M::Error> {
    let mutation = &received.mutation;
    if mutation.op == Op::Resolve {
        let reason = mutation.reason.as_deref().unwrap_or_default();
        for conflict in &mutation.settles {
            memory.close_conflict(*conflict, mutation.mutation_id, reason, seq)?;
            // Whoever made what is settled has a hand in what comes of it, and may not approve it.
            record.hands.make(memory.version(*conflict)?.map(|branch| branch.author));
        }
        record.contested = memory.open_conflicts(record.id)?.iter().any(|conflict| conflict.safety);
    }
    if let Some(quarantined) = mutation.repairs {
        record.hands.make(memory.repaired(quarantined, mutation.mutation_id, seq)?);
    }
    memory.put_head(record, received, seq)
}

/// Keeps what the author meant beside the head and opens a conflict.
fn branch<M: Memory>(
    memory: &mut M,
    registry: &Registry,
    actor: &Actor,
    received: &Received,
    fields: BTreeSet<String>,
    seq: i64,
) -> Result<(), M::Error> {
    let mutation = &received.mutation;
    let head = memory.head(mutation.record_id)?;
    let schema = Terms::of(registry, mutation, head.as_ref()).ok().map(|terms| terms.ruling);
    let base = match mutation.base_version {
        Some(base) => memory.version(base)?,
        None => None,
    };
    let blank = Record::blank(
        mutation.record_id,
        &mutation.kind,
        mutation.schema,
        actor.organisation,
        mutation.author,
    );
    let base = if mutation.op == Op::Create { None } else { base.or_else(|| head.clone()) };
    let mut meant = merge::intended(&base.unwrap_or(blank), mutation, schema);
    meant.version = mutation.mutation_id;
    meant.author = mutation.author;
    match mutation.op {
        Op::Retire => meant.retired = true,
        Op::Restore => meant.retired = false,
        _ => {}
    }
    memory.put_branch(meant, received, seq)?;
    let safety = mutation.op != Op::Review
        && fields.iter().any(|name| {
            ["retired", "record_id", "settles", "txn"].contains(&name.as_str())
                || schema.is_none_or(|schema| merge::is_safety(schema, name))
        });
    let conflict = Conflict {
        id: mutation.mutation_id,
        record_id: mutation.record_id,
        base_version: mutation.base_version,
        head_version: head.map(|head| head.version),
        fields: fields.into_iter().collect(),
        safety,
    };
    memory.open_conflict(conflict, seq)
}

/// Answers in the order of the mutations that they belong to.
fn in_order_of(txn: &[Received], answers: &mut [Answer]) {
    answers.sort_by_key(|answer| txn.iter().position(|received| received.id() == answer.mutation_id));
}
