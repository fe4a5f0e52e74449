//! Remaining ground at a date and balances over a period: sums over pieces.

use std::collections::HashMap;

use chrono::{Datelike, NaiveDate};
use rayon::prelude::*;

use super::Ledger;
use super::cluster::{Cluster, Piece};
use super::fact::ReleaseResult;
use super::key::{Asked, Key, Outcome, words};
use super::query::{Cut, Query};
use super::timeline::{Cause, Moment, State};
use crate::geometry::SquareMillimetres;

/// Clusters per parallel piece of work: most hold a handful of pieces.
const BATCH: usize = 2048;

/// Contaminated ground at the end of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemainingRow {
    /// One entry per cut of the question; `None` where the record says nothing.
    pub key: Vec<Option<String>>,
    /// The ground.
    pub area: SquareMillimetres,
    /// Areas that own some of it.
    pub hazards: u64,
}

/// Opening + identified + enlarged − shrunk − errors ± reclassified − released = closing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BalanceRow {
    /// One entry per cut of the question; `None` where the record says nothing.
    pub key: Vec<Option<String>>,
    /// Contaminated at the end of the day before the period.
    pub opening: SquareMillimetres,
    /// Ground of areas new to the books, or contaminated again by new evidence.
    pub newly_identified: SquareMillimetres,
    /// Ground that areas grew by.
    pub enlarged: SquareMillimetres,
    /// Ground that areas were redrawn without.
    pub shrunk_by_revision: SquareMillimetres,
    /// Ground of areas that were duplicates or errors.
    pub duplicates_errors: SquareMillimetres,
    /// Came from another row, or passed a filter, while contaminated.
    pub reclassified_in: SquareMillimetres,
    /// Went to another row; under a treaty duty also what battle-area clearance that does not count under it released:
    /// ground known not to hold mines.
    pub reclassified_out: SquareMillimetres,
    /// Released by non-technical survey.
    pub cancelled: SquareMillimetres,
    /// Released by technical survey.
    pub reduced: SquareMillimetres,
    /// Cleared.
    pub cleared: SquareMillimetres,
    /// Released by battle-area clearance.
    pub bac_cleared: SquareMillimetres,
    /// Contaminated at the end of the period's last day, counted by itself and not from the flows.
    pub closing: SquareMillimetres,
}

impl BalanceRow {
    /// Cancelled, reduced, cleared and battle-area cleared.
    pub fn released(&self) -> SquareMillimetres {
        self.cancelled + self.reduced + self.cleared + self.bac_cleared
    }

    /// Whether any ground came or went.
    pub fn moves(&self) -> bool {
        let flows = [
            self.newly_identified,
            self.enlarged,
            self.shrunk_by_revision,
            self.duplicates_errors,
            self.reclassified_in,
            self.reclassified_out,
            self.released(),
        ];
        flows.into_iter().any(|area| area != SquareMillimetres::ZERO)
    }

    /// What the flows leave unexplained. Always 0; published beside the row to show it.
    pub fn residual(&self) -> SquareMillimetres {
        self.opening + self.newly_identified + self.enlarged + self.reclassified_in
            - self.shrunk_by_revision
            - self.duplicates_errors
            - self.reclassified_out
            - self.released()
            - self.closing
    }

    /// Adds another row's columns to this one's.
    pub fn add(&mut self, other: &Self) {
        self.opening += other.opening;
        self.newly_identified += other.newly_identified;
        self.enlarged += other.enlarged;
        self.shrunk_by_revision += other.shrunk_by_revision;
        self.duplicates_errors += other.duplicates_errors;
        self.reclassified_in += other.reclassified_in;
        self.reclassified_out += other.reclassified_out;
        self.cancelled += other.cancelled;
        self.reduced += other.reduced;
        self.cleared += other.cleared;
        self.bac_cleared += other.bac_cleared;
        self.closing += other.closing;
    }

    /// The column for ground that appears or goes for a reason.
    fn flow(&mut self, cause: Cause, result: Option<ReleaseResult>) -> &mut SquareMillimetres {
        match (cause, result) {
            (Cause::Identified, _) => &mut self.newly_identified,
            (Cause::Enlarged, _) => &mut self.enlarged,
            (Cause::DuplicateOrError, _) => &mut self.duplicates_errors,
            (Cause::Released, Some(ReleaseResult::Cancelled)) => &mut self.cancelled,
            (Cause::Released, Some(ReleaseResult::Reduced)) => &mut self.reduced,
            (Cause::Released, Some(ReleaseResult::Cleared)) => &mut self.cleared,
            (Cause::Released, Some(ReleaseResult::BacCleared)) => &mut self.bac_cleared,
            (Cause::Shrunk | Cause::HandedOver | Cause::Released, _) => &mut self.shrunk_by_revision,
        }
    }
}

impl Ledger {
    /// Contaminated ground at the end of a day, in rows by the cuts of the question, ordered by key.
    pub fn remaining(&self, as_of: NaiveDate, query: &Query) -> Vec<RemainingRow> {
        if *query == Query::default() {
            return self.remaining_in_all(as_of).into_iter().collect();
        }
        let count = |rows: &mut HashMap<Key, (SquareMillimetres, u64)>, cluster: &Cluster| {
            let asked = Asked::of(query, cluster, None);
            let mut owners: Vec<(Key, u32)> = Vec::new();
            for piece in &cluster.pieces {
                let Some(holder) = piece.state_at(as_of).contaminated() else {
                    continue;
                };
                let outcome = asked.outcome_at(piece, as_of);
                if !asked.admits(&outcome) {
                    continue;
                }
                let Some(key) = asked.key(holder, &outcome) else {
                    continue;
                };
                let row = rows.entry(key.clone()).or_default();
                row.0 += piece.area;
                let owner = (key, holder.hazard);
                if !owners.contains(&owner) {
                    row.1 += 1;
                    owners.push(owner);
                }
            }
        };
        let rows = self.gather(count, |into, from| {
            into.0 += from.0;
            into.1 += from.1;
        });
        let row = |(key, (area, hazards)): (Key, _)| RemainingRow { key: words(&key), area, hazards };
        let mut rows: Vec<RemainingRow> = rows.into_iter().map(row).collect();
        rows.sort_by(|a, b| a.key.cmp(&b.key));
        rows
    }

    /// The balance from the first to the last day of a period, both included, in rows ordered by key. With
    /// [`Cut::Year`] there is a row for each calendar year, cut off at the ends of the period.
    pub fn balance(&self, from: NaiveDate, to: NaiveDate, query: &Query) -> Vec<BalanceRow> {
        let periods = periods(from, to, query);
        let count = |rows: &mut HashMap<Key, BalanceRow>, cluster: &Cluster| {
            for period in &periods {
                let asked = Asked::of(query, cluster, Some(period.0.year()));
                for piece in &cluster.pieces {
                    count_piece(rows, asked, piece, *period);
                }
            }
        };
        let rows = self.gather(count, BalanceRow::add);
        let mut rows: Vec<BalanceRow> =
            rows.into_iter().map(|(key, row)| BalanceRow { key: words(&key), ..row }).collect();
        rows.sort_by(|a, b| a.key.cmp(&b.key));
        rows
    }

    /// The national figure from the clusters' own sums: what must be current at once after every approval.
    fn remaining_in_all(&self, as_of: NaiveDate) -> Option<RemainingRow> {
        let mut row = RemainingRow { key: Vec::new(), area: SquareMillimetres::ZERO, hazards: 0 };
        for level in self.clusters().filter_map(|cluster| cluster.level_at(as_of)) {
            row.area += level.area;
            row.hazards += u64::from(level.hazards);
        }
        (row.hazards > 0).then_some(row)
    }

    fn gather<T: Default + Send>(
        &self,
        count: impl Fn(&mut HashMap<Key, T>, &Cluster) + Sync,
        merge: impl Fn(&mut T, &T) + Sync,
    ) -> HashMap<Key, T> {
        let batches = self.clusters.par_chunks(BATCH).map(|clusters| {
            let mut rows = HashMap::new();
            clusters.iter().flatten().for_each(|cluster| count(&mut rows, cluster));
            rows
        });
        batches.reduce(HashMap::new, |mut into, from| {
            for (key, row) in from {
                merge(into.entry(key).or_default(), &row);
            }
            into
        })
    }
}

fn periods(from: NaiveDate, to: NaiveDate, query: &Query) -> Vec<(NaiveDate, NaiveDate)> {
    if from > to {
        return Vec::new();
    }
    if !query.cuts.contains(&Cut::Year) {
        return vec![(from, to)];
    }
    let year = |year: i32| {
        let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or(from);
        let last = NaiveDate::from_ymd_opt(year, 12, 31).unwrap_or(to);
        (first.max(from), last.min(to))
    };
    (from.year()..=to.year()).map(year).collect()
}

/// What one piece of ground adds to the only row of a question without cuts over a period; `None` where it is in no
/// column of it.
pub(super) fn share_of(
    asked: Asked<'_>,
    piece: &Piece,
    period: (NaiveDate, NaiveDate),
) -> Option<BalanceRow> {
    let mut rows = HashMap::new();
    count_piece(&mut rows, asked, piece, period);
    rows.into_values().next()
}

fn count_piece(
    rows: &mut HashMap<Key, BalanceRow>,
    asked: Asked<'_>,
    piece: &Piece,
    (from, to): (NaiveDate, NaiveDate),
) {
    let opening = from.pred_opt().map_or(State::Clear, |eve| piece.state_at(eve));
    let first = piece.moments.partition_point(|moment| moment.date < from);
    let last = piece.moments.partition_point(|moment| moment.date <= to);
    let moments = &piece.moments[first..last];
    let closing = moments.last().map_or(opening, |moment| moment.state);
    let states = std::iter::once(opening).chain(moments.iter().map(|moment| moment.state));
    let outcome = asked.outcome(states);
    if !asked.admits(&outcome) {
        return;
    }
    let key = |state: State| state.contaminated().and_then(|holder| asked.key(holder, &outcome));
    if let Some(key) = key(opening) {
        rows.entry(key).or_default().opening += piece.area;
    }
    if let Some(key) = key(closing) {
        rows.entry(key).or_default().closing += piece.area;
    }
    let mut before = opening;
    for moment in moments {
        count_moment(rows, asked, piece.area, &outcome, before, moment);
        before = moment.state;
    }
}

fn count_moment(
    rows: &mut HashMap<Key, BalanceRow>,
    asked: Asked<'_>,
    area: SquareMillimetres,
    outcome: &Outcome,
    before: State,
    moment: &Moment,
) {
    let key = |state: State| state.contaminated().and_then(|holder| asked.key(holder, outcome));
    let after = moment.state;
    match (before.contaminated(), after.contaminated()) {
        (Some(_), Some(_)) => {
            let (old, new) = (key(before), key(after));
            if old != new {
                if let Some(old) = old {
                    rows.entry(old).or_default().reclassified_out += area;
                }
                if let Some(new) = new {
                    rows.entry(new).or_default().reclassified_in += area;
                }
            }
        }
        (None, Some(_)) => {
            if let Some(key) = key(after) {
                *rows.entry(key).or_default().flow(moment.cause, None) += area;
            }
        }
        (Some(_), None) => {
            if let Some(key) = key(before) {
                let release = after.release().map(|index| &asked.cluster.releases[index as usize]);
                let row = rows.entry(key).or_default();
                let under = |scope| release.is_none_or(|release| release.counts_under(scope));
                if moment.cause != Cause::Released || asked.query.scope.is_none_or(under) {
                    *row.flow(moment.cause, release.map(|release| release.result)) += area;
                } else {
                    row.reclassified_out += area;
                }
            }
        }
        (None, None) => {}
    }
}
