//! Article 7: transparency reports.

use chrono::{Datelike, Days, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{StateParty, date};

/// Days from entry into force to the first report (Article 7.1 of both conventions).
const FIRST_REPORT_DAYS: u64 = 180;

/// What a transparency report tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum ReportPeriod {
    /// The first report: everything so far.
    Initial,
    /// One calendar year.
    CalendarYear {
        /// The year told of.
        year: i32,
    },
}

/// A transparency report and its last day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportDue {
    /// What the report tells of.
    pub period: ReportPeriod,
    /// The last day on which it is in time.
    pub due: NaiveDate,
}

impl StateParty {
    /// When the first transparency report is due: 180 days after entry into force.
    pub fn first_report_due(&self) -> NaiveDate {
        self.entry_into_force.checked_add_days(Days::new(FIRST_REPORT_DAYS)).unwrap_or(NaiveDate::MAX)
    }

    /// The first report that is not overdue on a day: the initial one, then one each 30 April for the
    /// calendar year before. The yearly ones begin with the first 30 April after the initial one.
    pub fn next_report(&self, on: NaiveDate) -> ReportDue {
        let first = self.first_report_due();
        if on <= first {
            return ReportDue { period: ReportPeriod::Initial, due: first };
        }
        let mut due = date(on.year(), 4, 30);
        if due < on {
            due = date(on.year() + 1, 4, 30);
        }
        ReportDue { period: ReportPeriod::CalendarYear { year: due.year() - 1 }, due }
    }
}
