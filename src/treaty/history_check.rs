//! What cannot be right in a history of deadlines.

use chrono::NaiveDate;
use serde::Serialize;
use thiserror::Error;

use super::{DeadlineEntry, DeadlineHistory, DeadlineKind, add_years};

/// Something in a history that cannot be right. `index` counts the entries from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, Serialize)]
#[serde(rename_all = "snake_case", tag = "fault")]
pub enum HistoryFault {
    /// The history does not begin with the original deadline.
    #[error("the history does not begin with the original deadline")]
    OriginalNotFirst,
    /// A second original deadline.
    #[error("entry {index}: there can be only one original deadline")]
    SecondOriginal {
        /// Which entry.
        index: usize,
    },
    /// The original deadline is not the one that the entry into force gives.
    #[error("the original deadline is {expected} by the convention, not {given}")]
    OriginalDiffers {
        /// What the convention gives.
        expected: NaiveDate,
        /// What stands there.
        given: NaiveDate,
    },
    /// Longer than one extension may be.
    #[error("entry {index}: {given} is beyond {limit}, the longest that one extension may reach")]
    ExtensionTooLong {
        /// Which entry.
        index: usize,
        /// The last day allowed.
        limit: NaiveDate,
        /// What stands there.
        given: NaiveDate,
    },
    /// An extension that does not extend.
    #[error("entry {index}: {given} is not after {previous}, the deadline before")]
    GoesBackwards {
        /// Which entry.
        index: usize,
        /// The deadline before.
        previous: NaiveDate,
        /// What stands there.
        given: NaiveDate,
    },
    /// Decided before it was asked for.
    #[error("entry {index}: decided before it was requested")]
    DecidedBeforeRequest {
        /// Which entry.
        index: usize,
    },
    /// Decided before the entry above it.
    #[error("entry {index}: decided before the entry above it")]
    OutOfOrder {
        /// Which entry.
        index: usize,
    },
    /// Decided, but nobody wrote down what.
    #[error("entry {index}: decided without a deadline")]
    DecidedWithoutDeadline {
        /// Which entry.
        index: usize,
    },
    /// Neither asked for nor decided: nothing happened on any day.
    #[error("entry {index}: neither requested nor decided on any day")]
    Undated {
        /// Which entry.
        index: usize,
    },
    /// A discovery after completion, without a completion before it.
    #[error("entry {index}: a discovery after completion needs a completion before it")]
    DiscoveryWithoutCompletion {
        /// Which entry.
        index: usize,
    },
}

impl DeadlineHistory {
    /// Every fault of the history; empty means sound.
    pub fn faults(&self) -> Vec<HistoryFault> {
        let mut faults = Vec::new();
        if self.entries.first().is_none_or(|entry| entry.kind != DeadlineKind::Original) {
            faults.push(HistoryFault::OriginalNotFirst);
        }
        let mut deadline = self.party.original_clearance_deadline();
        let mut decided = self.party.entry_into_force;
        for (index, entry) in self.entries.iter().enumerate() {
            match entry.kind {
                DeadlineKind::Original => self.check_original(index, entry, &mut faults),
                DeadlineKind::Extension => self.check_length(index, entry, deadline, &mut faults),
                DeadlineKind::PostCompletionDiscovery => self.check_discovery(index, entry, &mut faults),
            }
            check_dates(index, entry, decided, &mut faults);
            if let Some(from) = entry.effective_from(&self.party) {
                decided = decided.max(from);
                deadline = entry.new_deadline.unwrap_or(deadline);
            }
        }
        faults
    }

    fn check_original(&self, index: usize, entry: &DeadlineEntry, faults: &mut Vec<HistoryFault>) {
        if index > 0 {
            faults.push(HistoryFault::SecondOriginal { index });
        }
        let expected = self.party.original_clearance_deadline();
        match entry.new_deadline {
            None => faults.push(HistoryFault::DecidedWithoutDeadline { index }),
            Some(given) if given != expected => {
                faults.push(HistoryFault::OriginalDiffers { expected, given });
            }
            Some(_) => {}
        }
    }

    /// A request is measured like a decision: one that asks for too much is found when it is made.
    fn check_length(
        &self,
        index: usize,
        entry: &DeadlineEntry,
        previous: NaiveDate,
        faults: &mut Vec<HistoryFault>,
    ) {
        let Some(given) = entry.new_deadline else { return };
        if given <= previous {
            faults.push(HistoryFault::GoesBackwards { index, previous, given });
        }
        self.check_limit(index, previous, given, faults);
    }

    /// The deadline before has been met, so the years of a discovery count from its decision.
    fn check_discovery(&self, index: usize, entry: &DeadlineEntry, faults: &mut Vec<HistoryFault>) {
        let Some(known) = entry.requested_on.or(entry.decided_on) else { return };
        if !self.completions.iter().any(|day| *day <= known) {
            faults.push(HistoryFault::DiscoveryWithoutCompletion { index });
        }
        let base = entry.decided_on.unwrap_or(known);
        let Some(given) = entry.new_deadline else { return };
        if given <= base {
            faults.push(HistoryFault::GoesBackwards { index, previous: base, given });
        }
        self.check_limit(index, base, given, faults);
    }

    fn check_limit(&self, index: usize, base: NaiveDate, given: NaiveDate, faults: &mut Vec<HistoryFault>) {
        let limit = add_years(base, self.party.convention.extension_limit_years());
        if given > limit {
            faults.push(HistoryFault::ExtensionTooLong { index, limit, given });
        }
    }
}

fn check_dates(index: usize, entry: &DeadlineEntry, decided: NaiveDate, faults: &mut Vec<HistoryFault>) {
    if entry.kind == DeadlineKind::Original {
        return;
    }
    match (entry.requested_on, entry.decided_on) {
        (None, None) => faults.push(HistoryFault::Undated { index }),
        (Some(requested), Some(on)) if on < requested => {
            faults.push(HistoryFault::DecidedBeforeRequest { index });
        }
        _ => {}
    }
    if entry.decided_on.is_some_and(|on| on < decided) {
        faults.push(HistoryFault::OutOfOrder { index });
    }
    if entry.decided_on.is_some() && entry.new_deadline.is_none() {
        faults.push(HistoryFault::DecidedWithoutDeadline { index });
    }
}
