//! The life of one piece of ground: none → contaminated → released, and round again.
//!
//! A day has two steps: first what is known of hazardous areas changes, then that day's releases take ground. So a
//! hazard found and released on one day is found before it is released, and evidence of new contamination beats
//! every release before that day but none of that day.

use chrono::NaiveDate;

use super::fact::{Classification, EndReason};
use super::held::{HeldHazard, HeldRelease};

/// A version of a hazardous area, as indices into its cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Holder {
    pub(crate) hazard: u32,
    pub(crate) version: u32,
}

/// What a piece of ground is at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Under no hazardous area.
    Clear,
    /// Under a hazardous area and not released.
    Contaminated(Holder),
    /// Under a hazardous area and released.
    Released(Holder, u32),
}

impl State {
    pub(crate) fn contaminated(self) -> Option<Holder> {
        match self {
            Self::Contaminated(holder) => Some(holder),
            _ => None,
        }
    }

    pub(crate) fn holder(self) -> Option<Holder> {
        match self {
            Self::Clear => None,
            Self::Contaminated(holder) | Self::Released(holder, _) => Some(holder),
        }
    }

    pub(crate) fn release(self) -> Option<u32> {
        match self {
            Self::Released(_, release) => Some(release),
            _ => None,
        }
    }
}

/// Why contaminated ground appears or goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    Identified,
    Enlarged,
    Shrunk,
    DuplicateOrError,
    Released,
    /// A change of owner, version or of ground already released.
    HandedOver,
}

/// A change of state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) date: NaiveDate,
    pub(crate) cause: Cause,
    pub(crate) state: State,
}

/// Everything that ever covered one piece of ground.
pub(crate) struct Cover<'a> {
    pub(crate) hazards: &'a [std::sync::Arc<HeldHazard>],
    pub(crate) releases: &'a [std::sync::Arc<HeldRelease>],
    /// Versions whose outline covers the piece, ascending.
    pub(crate) versions: &'a [Holder],
    /// Releases whose outline covers the piece, in their turn.
    pub(crate) taken_by: &'a [u32],
}

#[derive(Clone, Copy)]
enum Step {
    Knowledge,
    Release,
}

impl Cover<'_> {
    /// The changes of state, in order.
    pub(crate) fn timeline(&self) -> Vec<Moment> {
        let mut moments = Vec::new();
        let mut state = State::Clear;
        for date in self.dates() {
            for step in [Step::Knowledge, Step::Release] {
                let next = self.state(date, step);
                if next != state {
                    self.record(&mut moments, date, step, state, next);
                    state = next;
                }
            }
        }
        moments
    }

    fn involved(&self) -> impl Iterator<Item = &[Holder]> {
        self.versions.chunk_by(|a, b| a.hazard == b.hazard)
    }

    fn dates(&self) -> Vec<NaiveDate> {
        let mut dates: Vec<NaiveDate> =
            self.taken_by.iter().map(|&index| self.releases[index as usize].effective).collect();
        for covering in self.involved() {
            let hazard = &self.hazards[covering[0].hazard as usize];
            dates.extend(hazard.versions.iter().map(|version| version.effective));
            dates.extend(hazard.end.map(|end| end.date));
        }
        dates.sort_unstable();
        dates.dedup();
        dates
    }

    fn state(&self, date: NaiveDate, step: Step) -> State {
        let mut owner: Option<(Holder, _)> = None;
        let mut reopened = NaiveDate::MIN;
        for covering in self.involved() {
            let hazard = &self.hazards[covering[0].hazard as usize];
            let Some(current) = hazard.version_at(date) else {
                continue;
            };
            for holder in covering.iter().filter(|holder| holder.version as usize <= current) {
                let version = &hazard.versions[holder.version as usize];
                if version.reopened {
                    reopened = reopened.max(version.effective);
                }
                if holder.version as usize == current {
                    let rank = self.precedence(*holder);
                    if owner.is_none_or(|(_, best)| rank < best) {
                        owner = Some((*holder, rank));
                    }
                }
            }
        }
        let Some((owner, _)) = owner else {
            return State::Clear;
        };
        let in_time = |release: &HeldRelease| match step {
            Step::Knowledge => release.effective < date,
            Step::Release => release.effective <= date,
        };
        let first = self.taken_by.iter().copied().find(|&index| {
            let release = &self.releases[index as usize];
            release.effective >= reopened && in_time(release)
        });
        first.map_or(State::Contaminated(owner), |release| State::Released(owner, release))
    }

    /// CHA before SHA, then the earlier, then the id.
    fn precedence(&self, holder: Holder) -> (Classification, NaiveDate, i64, uuid::Uuid) {
        let hazard = &self.hazards[holder.hazard as usize];
        let version = &hazard.versions[holder.version as usize];
        (version.classification, hazard.versions[0].effective, hazard.sequence, hazard.id)
    }

    fn record(&self, moments: &mut Vec<Moment>, date: NaiveDate, step: Step, before: State, after: State) {
        let cause = match (before, after) {
            (State::Clear, State::Released(owner, _)) => {
                // Found after it was released: both count on the day it enters the books.
                let found = State::Contaminated(owner);
                moments.push(Moment { date, cause: self.arrival(owner, date), state: found });
                Cause::Released
            }
            (State::Clear | State::Released(..), State::Contaminated(owner)) => self.arrival(owner, date),
            (State::Contaminated(_), State::Released(..)) if matches!(step, Step::Release) => Cause::Released,
            (State::Contaminated(owner), State::Clear | State::Released(..)) => self.departure(owner, date),
            _ => Cause::HandedOver,
        };
        moments.push(Moment { date, cause, state: after });
    }

    /// The first version of an area, or new evidence, identifies ground; any other version enlarges the area.
    fn arrival(&self, owner: Holder, date: NaiveDate) -> Cause {
        let version = &self.hazards[owner.hazard as usize].versions[owner.version as usize];
        if (owner.version == 0 || version.reopened) && version.effective == date {
            Cause::Identified
        } else {
            Cause::Enlarged
        }
    }

    fn departure(&self, owner: Holder, date: NaiveDate) -> Cause {
        match self.hazards[owner.hazard as usize].end {
            Some(end) if end.date == date => match end.reason {
                EndReason::DuplicateOf | EndReason::EnteredInError => Cause::DuplicateOrError,
                EndReason::MergedInto | EndReason::SplitInto | EndReason::Retired => Cause::Shrunk,
            },
            _ => Cause::Shrunk,
        }
    }
}

/// The state at the end of a day.
pub(crate) fn state_at(moments: &[Moment], date: NaiveDate) -> State {
    let known = moments.partition_point(|moment| moment.date <= date);
    known.checked_sub(1).map_or(State::Clear, |last| moments[last].state)
}
