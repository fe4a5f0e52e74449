//! Treaty dates: when a convention binds a state, and what is due when.
//!
//! Pure: knows no clock, no records and no database. Dates that a treaty computes are computed here;
//! dates that a meeting decides are kept as a [`DeadlineHistory`] and never computed.

pub mod deadline;
pub mod history_check;
pub mod report;
#[cfg(test)]
mod tests;

use chrono::{Datelike, Months, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::vocabulary;

pub use deadline::{DeadlineEntry, DeadlineHistory, DeadlineKind, DeadlineState};
pub use history_check::HistoryFault;
pub use report::{ReportDue, ReportPeriod};

vocabulary! {
    /// A convention with a duty to clear ground.
    pub enum Convention {
        /// The 1997 Mine Ban Convention; clearance is its Article 5.
        MineBan = "mine_ban",
        /// The 2008 Convention on Cluster Munitions; clearance is its Article 4.
        ClusterMunitions = "cluster_munitions",
    }
}

impl Convention {
    /// The first day on which the convention bound anybody.
    pub fn in_force_since(self) -> NaiveDate {
        match self {
            Self::MineBan => date(1999, 3, 1),
            Self::ClusterMunitions => date(2010, 8, 1),
        }
    }

    /// Entry into force for a state: the first day of the sixth month after the month of deposit,
    /// not before the convention itself (Article 17 of both).
    ///
    /// Successor states may break the rule: see [`StateParty::with_entry_into_force`].
    pub fn entry_into_force(self, deposit: NaiveDate) -> NaiveDate {
        let month = deposit.with_day(1).expect("every month has a first day");
        month.checked_add_months(Months::new(6)).unwrap_or(NaiveDate::MAX).max(self.in_force_since())
    }

    /// Years from entry into force to the original clearance deadline.
    pub fn clearance_years(self) -> u32 {
        10
    }

    /// The longest single extension of the clearance deadline, in years. Extensions may be repeated.
    pub fn extension_limit_years(self) -> u32 {
        match self {
            Self::MineBan => 10,
            Self::ClusterMunitions => 5,
        }
    }
}

/// A state bound by a convention.
///
/// The entry into force is stored, not derived at every use: South Sudan (9 July 2011, by succession)
/// does not follow from its deposit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StateParty {
    /// What binds the state.
    pub convention: Convention,
    /// When the instrument was deposited, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposit: Option<NaiveDate>,
    /// When the convention entered into force for the state.
    pub entry_into_force: NaiveDate,
}

impl StateParty {
    /// A state whose entry into force follows from its deposit.
    pub fn from_deposit(convention: Convention, deposit: NaiveDate) -> Self {
        Self { convention, deposit: Some(deposit), entry_into_force: convention.entry_into_force(deposit) }
    }

    /// A state whose entry into force is known by itself.
    pub fn with_entry_into_force(convention: Convention, entry_into_force: NaiveDate) -> Self {
        Self { convention, deposit: None, entry_into_force }
    }

    /// Whether the stored entry into force is the one that the deposit gives; `None` without a deposit.
    pub fn follows_the_rule(&self) -> Option<bool> {
        let deposit = self.deposit?;
        Some(self.convention.entry_into_force(deposit) == self.entry_into_force)
    }

    /// The original clearance deadline: Article 5 of the Mine Ban Convention, Article 4 of the
    /// Convention on Cluster Munitions; both ten years.
    pub fn original_clearance_deadline(&self) -> NaiveDate {
        add_years(self.entry_into_force, self.convention.clearance_years())
    }

    /// Mine Ban Convention, Article 4: stockpiles are destroyed within four years, and nobody can
    /// extend that. `None` for the other convention, whose stockpile rule is not this one.
    pub fn stockpile_deadline(&self) -> Option<NaiveDate> {
        match self.convention {
            Convention::MineBan => Some(add_years(self.entry_into_force, 4)),
            Convention::ClusterMunitions => None,
        }
    }
}

/// The same day some years later; 29 February becomes 28.
pub(crate) fn add_years(from: NaiveDate, years: u32) -> NaiveDate {
    from.checked_add_months(Months::new(12 * years)).unwrap_or(NaiveDate::MAX)
}

/// A date that is known to exist.
pub(crate) fn date(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a date of the calendar")
}
