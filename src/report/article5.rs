//! Progress toward the Article 5 deadline of the Mine Ban Convention: what authorities report each year, and whether
//! the pace will do (docs/domain.md §7–8).

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use serde::Serialize;

use super::book::{Basis, Book, Books};
use super::ordnance::OrdnanceYear;
use crate::ledger::forecast::{Doubts, Forecast, Position, YearOfWork, forecast};
use crate::ledger::{BalanceRow, Cut, Query, ReportedOnly, TreatyScope};
use crate::programme::Programme;
use crate::treaty::{DeadlineHistory, DeadlineState};

/// Years of the balance that are shown, the last one included.
const YEARS: i32 = 10;

/// Where a programme stands.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Progress {
    /// The last day counted.
    pub as_of: NaiveDate,
    /// The deadline and everything that was decided about it.
    pub deadline: Deadline,
    /// On track or not, why, at which rates, until when.
    pub forecast: Forecast,
    /// Ground under Article 5 that remains, m².
    pub remaining_m2: f64,
    /// By province and classification.
    pub remaining: Vec<Remaining>,
    /// Areas known only by a point and a reported size: an account of its own.
    pub reported_only: ReportedSizes,
    /// What the figures do not hold.
    pub doubts: Doubts,
    /// Year by year.
    pub years: Vec<Year>,
    /// Plan against actual, where a plan was set.
    pub milestones: Vec<PlanAgainstActual>,
}

/// Areas without an outline.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
pub struct ReportedSizes {
    /// How many.
    pub areas: u64,
    /// The sum of their reported sizes, m².
    pub reported_m2: f64,
}

impl From<ReportedOnly> for ReportedSizes {
    fn from(account: ReportedOnly) -> Self {
        Self { areas: account.hazards, reported_m2: account.reported.m2() }
    }
}

/// The deadline and its history.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Deadline {
    /// The deadline in force.
    pub current: Option<NaiveDate>,
    /// Where the state stands against it.
    pub state: Option<DeadlineState>,
    /// Original, extensions, later discoveries.
    pub history: Option<DeadlineHistory>,
    /// What cannot be right in the history.
    pub faults: Vec<String>,
}

/// Ground that remains in a province.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Remaining {
    /// The province's code.
    pub admin1: Option<String>,
    /// `cha` or `sha`.
    pub classification: Option<String>,
    /// Areas.
    pub areas: u64,
    /// m²
    pub area_m2: f64,
}

/// One year of the balance, m².
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Year {
    /// The year; the last one up to `as_of`.
    pub year: i32,
    /// Contaminated when it began.
    pub opening_m2: f64,
    /// Newly identified and enlarged.
    pub found_m2: f64,
    /// Redrawn without, or entered twice or in error.
    pub corrected_m2: f64,
    /// Came under Article 5 less what left it while contaminated.
    pub reclassified_m2: f64,
    /// Released by non-technical survey.
    pub cancelled_m2: f64,
    /// Released by technical survey.
    pub reduced_m2: f64,
    /// Cleared.
    pub cleared_m2: f64,
    /// Released by battle-area clearance that its records count under Article 5; other such ground is reclassified.
    pub bac_cleared_m2: f64,
    /// Contaminated when it ended.
    pub remaining_m2: f64,
    /// What the flows leave unexplained; always 0.
    pub residual_m2: f64,
    /// Finds and destruction.
    #[serde(flatten)]
    pub ordnance: OrdnanceYear,
}

/// What was planned for a year, and what was done.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PlanAgainstActual {
    /// The year.
    pub year: i32,
    /// Planned, m².
    pub planned_m2: f64,
    /// Released, m².
    pub actual_m2: f64,
    /// Planned number of areas.
    pub planned_areas: Option<u32>,
}

/// Where the programme stands at the end of a day.
pub fn progress(books: &Books, basis: Basis, as_of: NaiveDate) -> Progress {
    let book = books.of(basis);
    let scoped = |cuts: &[Cut]| Query { scope: Some(TreatyScope::ApmbcArticle5), ..Query::by(cuts.to_vec()) };
    let years = years(book, as_of, &scoped(&[Cut::Year]));
    let remaining: Vec<Remaining> = book
        .ledger
        .remaining(as_of, &scoped(&[Cut::Admin1, Cut::Classification]))
        .into_iter()
        .map(|row| {
            let mut key = row.key.into_iter();
            Remaining {
                admin1: key.next().flatten(),
                classification: key.next().flatten(),
                areas: row.hazards,
                area_m2: row.area.m2(),
            }
        })
        .collect();
    let total = book.ledger.remaining(as_of, &scoped(&[])).first().map_or(0.0, |row| row.area.m2());
    let deadline = Deadline::of(&books.programme, as_of);
    let reported = book.ledger.reported_only(as_of, &scoped(&[]));
    let provisional = books.of(Basis::Provisional).ledger.remaining(as_of, &scoped(&[]));
    let provisional = provisional.first().map_or(0.0, |row| row.area.m2());
    let doubts = Doubts {
        nothing_recorded: !book.ledger.has_any(TreatyScope::ApmbcArticle5),
        reported_only: reported.hazards,
        left_out: book.left_out().len(),
        unapproved_m2: (provisional - total).max(0.0),
    };
    let position = Position { as_of, remaining_m2: total, deadline: deadline.current, doubts };
    let history: Vec<YearOfWork> = years
        .iter()
        .map(|year| YearOfWork {
            year: year.year,
            released_m2: year.cancelled_m2 + year.reduced_m2 + year.cleared_m2 + year.bac_cleared_m2,
            newly_identified_m2: year.found_m2,
        })
        .collect();
    Progress {
        as_of,
        forecast: forecast(&position, &history),
        deadline,
        remaining_m2: total,
        remaining,
        reported_only: reported.into(),
        doubts,
        milestones: against_plan(&books.programme, &history),
        years,
    }
}

impl Deadline {
    fn of(programme: &Programme, as_of: NaiveDate) -> Self {
        let history = programme.deadline_history();
        Self {
            current: history.as_ref().and_then(|history| history.deadline(as_of)),
            state: history.as_ref().map(|history| history.state(as_of)),
            faults: history.iter().flat_map(DeadlineHistory::faults).map(|fault| fault.to_string()).collect(),
            history,
        }
    }
}

fn years(book: &Book, as_of: NaiveDate, by_year: &Query) -> Vec<Year> {
    let first = as_of.year() - YEARS + 1;
    let from = NaiveDate::from_ymd_opt(first, 1, 1).unwrap_or(as_of);
    let rows: BTreeMap<i32, BalanceRow> = book
        .ledger
        .balance(from, as_of, by_year)
        .into_iter()
        .filter_map(|row| Some((row.key.first()?.as_ref()?.parse().ok()?, row)))
        .collect();
    let ordnance = book.ordnance.by_year(as_of);
    (first..=as_of.year())
        .map(|year| {
            let row = rows.get(&year).cloned().unwrap_or_default();
            Year {
                year,
                opening_m2: row.opening.m2(),
                found_m2: (row.newly_identified + row.enlarged).m2(),
                corrected_m2: (row.shrunk_by_revision + row.duplicates_errors).m2(),
                reclassified_m2: (row.reclassified_in - row.reclassified_out).m2(),
                cancelled_m2: row.cancelled.m2(),
                reduced_m2: row.reduced.m2(),
                cleared_m2: row.cleared.m2(),
                bac_cleared_m2: row.bac_cleared.m2(),
                remaining_m2: row.closing.m2(),
                residual_m2: row.residual().m2(),
                ordnance: ordnance.get(&year).copied().unwrap_or_default(),
            }
        })
        .collect()
}

fn against_plan(programme: &Programme, history: &[YearOfWork]) -> Vec<PlanAgainstActual> {
    let actual =
        |year: i32| history.iter().find(|work| work.year == year).map_or(0.0, |work| work.released_m2);
    let plan = programme.milestones.iter();
    plan.map(|milestone| PlanAgainstActual {
        year: milestone.year,
        planned_m2: milestone.area_m2,
        actual_m2: actual(milestone.year),
        planned_areas: milestone.areas,
    })
    .collect()
}
