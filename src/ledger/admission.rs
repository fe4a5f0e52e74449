//! Which outlines of a cluster can be cut together.
//!
//! Outlines may be as intricate as they like, and cross each other in as many places as their edges have pairs. What a
//! cluster may cost is bounded ([`Effort`]), and whoever goes beyond it stays out by himself: outlines are admitted in
//! an order that depends on the facts only, each if it can be cut with those before it. Areas come before releases,
//! since an area left out makes the remaining ground smaller and a release left out does not; outlines of a real size
//! come before larger ones; then the older before the newer, so that what counts is not displaced by what comes.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::NaiveDate;
use uuid::Uuid;

use super::held::{HeldHazard, HeldRelease};
use crate::geometry::GridOutline;
use crate::geometry::effort::{Effort, ORDINARY, is_beyond_real};

/// A fact that does not count, or not with all of its outlines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// The hazardous area or release.
    pub id: Uuid,
    /// Why.
    pub reason: TooIntricate,
}

/// An outline that crosses its neighbours or itself too often to be cut.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum TooIntricate {
    /// The only outline of the fact.
    #[error(
        "its outline of {vertices} vertices is too intricate to be cut with those it overlaps; draw it simpler"
    )]
    Fact {
        /// Vertices of its largest outline.
        vertices: usize,
    },
    /// One of an area's outlines; the area counts with another one of its own.
    #[error(
        "its outline of {effective} with {vertices} vertices is too intricate to be cut with those it overlaps, and \
         the area counts with the outline of {instead}; draw it simpler"
    )]
    Version {
        /// From when the outline would hold.
        effective: NaiveDate,
        /// Its vertices.
        vertices: usize,
        /// The version whose outline holds in its place.
        instead: NaiveDate,
    },
}

type Outlines = HashSet<Arc<GridOutline>>;

/// The members of a cluster and which of their outlines are cut.
pub(super) struct Admission {
    hazards: Vec<Arc<HeldHazard>>,
    releases: Vec<Arc<HeldRelease>>,
    /// Each once and in order; `None` if all are.
    admitted: Option<Vec<Arc<GridOutline>>>,
}

/// What is cut, and what is not.
pub(super) struct Admitted {
    pub(super) hazards: Vec<Arc<HeldHazard>>,
    pub(super) releases: Vec<Arc<HeldRelease>>,
    pub(super) left_out: Vec<LeftOut>,
}

impl Admission {
    pub(super) fn of(hazards: Vec<Arc<HeldHazard>>, releases: Vec<Arc<HeldRelease>>) -> Self {
        let mut admission = Self { hazards, releases, admitted: None };
        if admission.edges() > ORDINARY {
            admission.choose();
        }
        admission
    }

    fn edges(&self) -> usize {
        let versions = self.hazards.iter().flat_map(|hazard| &hazard.versions);
        let drawn: usize =
            versions.filter_map(|version| version.outline.as_ref()).map(|outline| outline.vertices()).sum();
        drawn + self.releases.iter().map(|release| release.outline.vertices()).sum::<usize>()
    }

    fn choose(&mut self) {
        let mut asking = in_order(&self.hazards, &self.releases);
        // What is plain and alone is not cut.
        if let [only] = asking.as_slice()
            && only.is_plain()
        {
            return;
        }
        let before = asking.len();
        let mut effort = Effort::among(&asking.iter().map(|outline| &**outline).collect::<Vec<_>>());
        asking.retain(|outline| effort.admit(outline));
        self.admitted = (asking.len() < before).then_some(asking);
    }

    /// Gives up the later half of what is admitted, for what only cutting brings to light: ground under too many
    /// outlines at once. `false` if there was nothing to give up.
    pub(super) fn halve(&mut self) -> bool {
        let admitted = self.admitted.get_or_insert_with(|| in_order(&self.hazards, &self.releases));
        let before = admitted.len();
        admitted.truncate(before / 2);
        before > 0
    }

    /// The members with the outlines that are admitted.
    pub(super) fn members(&self) -> Admitted {
        let Some(admitted) = &self.admitted else {
            let (hazards, releases) = (self.hazards.clone(), self.releases.clone());
            return Admitted { hazards, releases, left_out: Vec::new() };
        };
        let admitted: Outlines = admitted.iter().cloned().collect();
        let mut left_out = Vec::new();
        let hazards = self.hazards.iter();
        let hazards = hazards.filter_map(|hazard| with_admitted(hazard, &admitted, &mut left_out)).collect();
        let mut releases = self.releases.clone();
        releases.retain(|release| {
            let counts = admitted.contains(&release.outline);
            if !counts {
                let reason = TooIntricate::Fact { vertices: release.outline.vertices() };
                left_out.push(LeftOut { id: release.id, reason });
            }
            counts
        });
        Admitted { hazards, releases, left_out }
    }
}

fn in_order(hazards: &[Arc<HeldHazard>], releases: &[Arc<HeldRelease>]) -> Vec<Arc<GridOutline>> {
    let versions = hazards.iter().flat_map(|hazard| {
        let outlines = (0usize..)
            .zip(&hazard.versions)
            .filter_map(|(number, version)| version.outline.as_ref().map(|outline| (number, outline)));
        outlines.map(|(number, outline)| (outline, (hazard.sequence, hazard.id, number), false))
    });
    let released = releases.iter().map(|one| (&one.outline, (one.sequence, one.id, 0), true));
    let mut asking: Vec<_> = versions
        .chain(released)
        .map(|(outline, age, releases)| ((releases, is_beyond_real(outline), age), outline))
        .collect();
    asking.sort_unstable_by_key(|(turn, _)| *turn);
    let mut seen: HashSet<&GridOutline> = HashSet::new();
    asking.retain(|(_, outline)| seen.insert(outline));
    asking.into_iter().map(|(_, outline)| Arc::clone(outline)).collect()
}

/// The area with, in place of each outline that is not admitted, the one that it had before, or else the next.
/// `None` if none is: then it is left out.
fn with_admitted(
    hazard: &Arc<HeldHazard>,
    admitted: &Outlines,
    left_out: &mut Vec<LeftOut>,
) -> Option<Arc<HeldHazard>> {
    let outlines = || hazard.versions.iter().filter_map(|version| version.outline.as_ref());
    if outlines().all(|outline| admitted.contains(outline)) {
        return Some(Arc::clone(hazard));
    }
    let counts = |number: &usize| {
        hazard.versions[*number].outline.as_ref().is_some_and(|outline| admitted.contains(outline))
    };
    let mut held = HeldHazard::clone(hazard);
    for (number, version) in hazard.versions.iter().enumerate() {
        let Some(outline) = version.outline.as_ref().filter(|_| !counts(&number)) else {
            continue;
        };
        let before = (0..number).rev().find(counts);
        let Some(instead) = before.or_else(|| (number..hazard.versions.len()).find(counts)) else {
            let vertices = outlines().map(|outline| outline.vertices()).max().unwrap_or_default();
            left_out.push(LeftOut { id: hazard.id, reason: TooIntricate::Fact { vertices } });
            return None;
        };
        let instead = &hazard.versions[instead];
        held.versions[number].outline.clone_from(&instead.outline);
        let (effective, vertices) = (version.effective, outline.vertices());
        let reason = TooIntricate::Version { effective, vertices, instead: instead.effective };
        left_out.push(LeftOut { id: hazard.id, reason });
    }
    Some(Arc::new(held))
}
