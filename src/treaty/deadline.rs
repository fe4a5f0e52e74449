//! The history of a clearance deadline. Extended deadlines are decided, not computed.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::StateParty;
use crate::model::vocabulary;

vocabulary! {
    /// Why a deadline was set.
    pub enum DeadlineKind {
        /// The deadline that the convention itself gives.
        Original = "original",
        /// An extension asked for before completion.
        Extension = "extension",
        /// A mined area found after completion was declared.
        PostCompletionDiscovery = "post_completion_discovery",
    }
}

/// One line of the history. Without `decided_on` it is a request, or a report, that still waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadlineEntry {
    /// Why the deadline was set.
    pub kind: DeadlineKind,
    /// When it was asked for; for a discovery, when that was reported.
    #[serde(default)]
    pub requested_on: Option<NaiveDate>,
    /// The meeting of states parties that decides or decided, e.g. `20MSP`.
    #[serde(default)]
    pub meeting: Option<String>,
    /// When it was decided. The original deadline needs no decision.
    #[serde(default)]
    pub decided_on: Option<NaiveDate>,
    /// The deadline decided or, while nothing is decided, asked for.
    #[serde(default)]
    pub new_deadline: Option<NaiveDate>,
}

impl DeadlineEntry {
    /// The original deadline of a state.
    pub fn original(party: &StateParty) -> Self {
        Self {
            kind: DeadlineKind::Original,
            requested_on: None,
            meeting: None,
            decided_on: None,
            new_deadline: Some(party.original_clearance_deadline()),
        }
    }

    /// From when on this line binds; `None` while it waits for a decision.
    pub fn effective_from(&self, party: &StateParty) -> Option<NaiveDate> {
        match self.kind {
            DeadlineKind::Original => Some(party.entry_into_force),
            DeadlineKind::Extension | DeadlineKind::PostCompletionDiscovery => self.decided_on,
        }
    }

    /// Whether it had been asked for, but not decided, on a day.
    fn is_pending(&self, as_of: NaiveDate) -> bool {
        self.kind != DeadlineKind::Original
            && self.requested_on.is_some_and(|day| day <= as_of)
            && self.decided_on.is_none_or(|day| day > as_of)
    }
}

/// Where a state stands with its duty to clear, on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum DeadlineState {
    /// The convention does not bind the state yet.
    NotInForce,
    /// A deadline lies ahead.
    Running {
        /// The last day.
        deadline: NaiveDate,
    },
    /// A deadline lies ahead and an extension has been asked for.
    ExtensionRequested {
        /// The last day as it stands.
        deadline: NaiveDate,
        /// The last day asked for, if one was named.
        requested: Option<NaiveDate>,
    },
    /// The deadline is over and nobody has decided another one: a state of its own, not "running".
    PassedWithoutDecision {
        /// The last day that was missed.
        deadline: NaiveDate,
        /// Whether an extension has at least been asked for.
        request_pending: bool,
    },
    /// Completion was declared.
    Completed {
        /// When.
        on: NaiveDate,
    },
    /// Ground was found after completion, and no new deadline is decided yet.
    DiscoveryReported {
        /// When the discovery was reported.
        on: NaiveDate,
    },
}

/// Everything that was ever decided about one state's clearance deadline, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadlineHistory {
    /// Who is bound, and by what.
    pub party: StateParty,
    /// The lines, oldest first, the original one at the head.
    pub entries: Vec<DeadlineEntry>,
    /// Days on which completion was declared, oldest first.
    #[serde(default)]
    pub completions: Vec<NaiveDate>,
}

impl DeadlineHistory {
    /// A history that begins with the convention's own deadline.
    pub fn new(party: StateParty) -> Self {
        Self { entries: vec![DeadlineEntry::original(&party)], party, completions: Vec::new() }
    }

    /// The deadline that bound the state on a day, whether it was over by then or not. Decisions made
    /// later do not count: the question is what was known.
    pub fn deadline(&self, as_of: NaiveDate) -> Option<NaiveDate> {
        self.entries
            .iter()
            .filter_map(|entry| Some((entry.effective_from(&self.party)?, entry.new_deadline?)))
            .filter(|(from, _)| *from <= as_of)
            // The last of the latest: two decisions of one meeting stand in their order.
            .max_by_key(|(from, _)| *from)
            .map(|(_, deadline)| deadline)
    }

    /// Where the state stood on a day. The deadline itself is the last day in time.
    pub fn state(&self, as_of: NaiveDate) -> DeadlineState {
        if as_of < self.party.entry_into_force {
            return DeadlineState::NotInForce;
        }
        if let Some(on) = self.completions.iter().copied().filter(|day| *day <= as_of).max() {
            return self.state_after_completion(on, as_of);
        }
        self.state_of_deadline(as_of)
    }

    fn state_after_completion(&self, completed: NaiveDate, as_of: NaiveDate) -> DeadlineState {
        let discovery = self
            .entries
            .iter()
            .rev()
            .filter(|entry| entry.kind == DeadlineKind::PostCompletionDiscovery)
            .find(|entry| {
                let known = entry.requested_on.or(entry.decided_on);
                known.is_some_and(|day| day >= completed && day <= as_of)
            });
        match discovery {
            None => DeadlineState::Completed { on: completed },
            Some(entry) if entry.decided_on.is_some_and(|day| day <= as_of) => self.state_of_deadline(as_of),
            Some(entry) => DeadlineState::DiscoveryReported { on: entry.requested_on.unwrap_or(completed) },
        }
    }

    fn state_of_deadline(&self, as_of: NaiveDate) -> DeadlineState {
        let Some(deadline) = self.deadline(as_of) else {
            return DeadlineState::NotInForce;
        };
        let pending = self.entries.iter().rev().find(|entry| entry.is_pending(as_of));
        match pending {
            _ if as_of > deadline => {
                DeadlineState::PassedWithoutDecision { deadline, request_pending: pending.is_some() }
            }
            Some(entry) => DeadlineState::ExtensionRequested { deadline, requested: entry.new_deadline },
            None => DeadlineState::Running { deadline },
        }
    }
}
