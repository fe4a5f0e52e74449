//! To which row of a question a piece of contaminated ground belongs.

use std::sync::Arc;

use uuid::Uuid;

use super::cluster::{Cluster, Piece};
use super::fact::{Classification, ReleaseResult};
use super::held::{HeldVersion, Mixture};
use super::query::{Cut, Query};
use super::timeline::{Holder, State};

/// One part of a row's key, cheap to compare.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    None,
    Year(i32),
    Text(Arc<str>),
    Classification(Classification),
    Mixture(Mixture),
    Id(Uuid),
    Result(ReleaseResult),
}

impl Part {
    fn text(code: Option<&Arc<str>>) -> Self {
        code.map_or(Self::None, |code| Self::Text(Arc::clone(code)))
    }

    pub(crate) fn words(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Year(year) => Some(year.to_string()),
            Self::Text(text) => Some(text.to_string()),
            Self::Classification(class) => Some(class.to_string()),
            Self::Mixture(mixture) => Some(mixture.joined()),
            Self::Id(id) => Some(id.to_string()),
            Self::Result(result) => Some(result.to_string()),
        }
    }
}

pub(crate) type Key = Vec<Part>;

pub(crate) fn words(key: &[Part]) -> Vec<Option<String>> {
    key.iter().map(Part::words).collect()
}

/// What is fixed for a piece throughout a row's period: the outcome by its end.
pub(crate) struct Outcome {
    operator: Option<Uuid>,
    release: Option<u32>,
}

/// A question asked of one cluster.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) query: &'a Query,
    pub(crate) cluster: &'a Cluster,
    year: Option<i32>,
    contamination: Option<Mixture>,
}

impl<'a> Asked<'a> {
    pub(crate) fn of(query: &'a Query, cluster: &'a Cluster, year: Option<i32>) -> Self {
        Self { query, cluster, year, contamination: query.contamination.as_ref().map(Mixture::of) }
    }

    /// The outcome of a piece after these states: the last in which the ground was in the books.
    pub(crate) fn outcome(&self, states: impl DoubleEndedIterator<Item = State>) -> Outcome {
        match states.rev().find(|state| *state != State::Clear) {
            Some(State::Released(_, release)) => {
                let operator = self.cluster.releases[release as usize].operator;
                Outcome { operator: Some(operator), release: Some(release) }
            }
            Some(State::Contaminated(holder)) => {
                Outcome { operator: Some(self.version(holder).organisation), release: None }
            }
            _ => Outcome { operator: None, release: None },
        }
    }

    /// Whether a piece with this outcome can be in any row.
    pub(crate) fn admits(&self, outcome: &Outcome) -> bool {
        let operator = self.query.operator.is_none_or(|wanted| outcome.operator == Some(wanted));
        let release = self.query.releases.as_ref().is_none_or(|wanted| {
            let id = outcome.release.map(|index| self.cluster.releases[index as usize].id);
            id.is_some_and(|id| wanted.contains(&id))
        });
        let found = outcome.release.map(|index| &self.cluster.releases[index as usize]);
        let result = self.query.result.admits(found.map(|release| &release.result));
        let method = self.query.method.admits(found.and_then(|release| release.method.as_deref()));
        operator && release && result && method
    }

    /// The row of ground while it is contaminated under this version; `None` if it is not asked for.
    pub(crate) fn key(&self, holder: Holder, outcome: &Outcome) -> Option<Key> {
        let version = self.version(holder);
        if !self.holds(holder, version) {
            return None;
        }
        let release = outcome.release.map(|index| &self.cluster.releases[index as usize]);
        let part = |cut: &Cut| match cut {
            Cut::Year => self.year.map_or(Part::None, Part::Year),
            Cut::Admin1 => Part::text(version.admin[0].as_ref()),
            Cut::Admin2 => Part::text(version.admin[1].as_ref()),
            Cut::Admin3 => Part::text(version.admin[2].as_ref()),
            Cut::Classification => Part::Classification(version.classification),
            Cut::Contamination => Part::Mixture(version.contamination),
            Cut::Operator => outcome.operator.map_or(Part::None, Part::Id),
            Cut::Result => release.map_or(Part::None, |release| Part::Result(release.result)),
            Cut::Method => Part::text(release.and_then(|release| release.method.as_ref())),
        };
        Some(self.query.cuts.iter().map(part).collect())
    }

    /// Whether an area in this version passes the filters on areas.
    pub(crate) fn holds(&self, holder: Holder, version: &HeldVersion) -> bool {
        let id = self.cluster.hazards[holder.hazard as usize].id;
        let admin = self.query.admin.iter().zip(&version.admin);
        admin.into_iter().all(|(wanted, code)| wanted.admits(code.as_deref()))
            && self.query.classification.is_none_or(|wanted| version.classification == wanted)
            && self.contamination.is_none_or(|wanted| version.contamination == wanted)
            && self.query.scope.is_none_or(|scope| version.duties.hold(scope))
            && self.query.hazards.as_ref().is_none_or(|wanted| wanted.contains(&id))
    }

    pub(crate) fn version(&self, holder: Holder) -> &HeldVersion {
        &self.cluster.hazards[holder.hazard as usize].versions[holder.version as usize]
    }

    pub(crate) fn outcome_at(&self, piece: &Piece, date: chrono::NaiveDate) -> Outcome {
        self.outcome(std::iter::once(piece.state_at(date)))
    }
}
