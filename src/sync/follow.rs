//! How a camp follows its nation's log, and lays its own edits on what the nation has decided (docs/sync.md §6).

use super::apply::{self, release};
use super::judge::{Judge, Verdict};
use super::memory::{Entry, Memory, Problem, Received};
use crate::model::mutation::Outcome;
use crate::model::role::Actor;
use crate::model::schema::Registry;

/// A mutation and what another server's log says became of it.
#[derive(Debug, Clone)]
pub struct Told {
    /// The mutation.
    pub received: Received,
    /// What became of it there.
    pub outcome: Outcome,
    /// For a parked one: what it waits for there.
    pub waiting_for: Option<String>,
    /// For a quarantined one: why.
    pub problem: Option<Problem>,
}

/// Takes one action as another server has taken it. What was decided there is not decided again; a log that does not
/// follow from itself is put before a human instead of being believed.
///
/// # Errors
/// Only what the storage behind `memory` reports.
pub fn follow_txn<M: Memory>(
    memory: &mut M,
    registry: &Registry,
    actor: &Actor,
    entry: Entry,
    txn: &[Told],
) -> Result<(), M::Error> {
    let received: Vec<Received> = txn.iter().map(|told| told.received.clone()).collect();
    let mut judge = Judge::following(memory, registry, actor, &received);
    let mut verdicts = Vec::with_capacity(txn.len());
    for told in txn {
        verdicts.push(match told.outcome {
            Outcome::Quarantined => {
                let unknown = || Problem::new("quarantined", "the national server gave no reason");
                Verdict::Quarantine(told.problem.clone().unwrap_or_else(unknown))
            }
            Outcome::Parked => Verdict::Park(told.waiting_for.clone().unwrap_or_default()),
            _ => judge.judge(&told.received)?,
        });
    }
    let disputed = verdicts.iter().any(|verdict| matches!(verdict, Verdict::Conflict(_)));
    for (verdict, told) in verdicts.iter_mut().zip(txn) {
        let agrees = match verdict {
            // One edit that disagrees takes the whole action with it.
            Verdict::Write(..) if told.outcome == Outcome::Conflict => disputed,
            Verdict::Write(..) => matches!(told.outcome, Outcome::Applied | Outcome::Merged),
            Verdict::Conflict(_) => told.outcome == Outcome::Conflict,
            // A program that is older than the nation's keeps what it cannot read yet.
            Verdict::Park(_) | Verdict::Quarantine(_) => true,
        };
        if !agrees {
            let detail = format!("the national server says {}, which does not follow here", told.outcome);
            *verdict = Verdict::Quarantine(Problem::new("diverged", detail));
        }
    }
    apply::settle(memory, registry, actor, &received, verdicts, entry, &mut Vec::new())?;
    Ok(())
}

/// Lays one action of this camp anew on the state that the nation has told, and what waited for it.
///
/// # Errors
/// Only what the storage behind `memory` reports.
pub fn rebase_txn<M: Memory>(
    memory: &mut M,
    registry: &Registry,
    actor: &Actor,
    txn: &[Received],
) -> Result<(), M::Error> {
    let verdicts = apply::judge(memory, registry, actor, txn)?;
    let mut unblocked = Vec::new();
    apply::settle(memory, registry, actor, txn, verdicts, Entry::Rebased, &mut unblocked)?;
    release(memory, registry, unblocked)
}
