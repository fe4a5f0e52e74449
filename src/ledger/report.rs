//! Figures of single areas and releases, and what needs a person's eye.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use uuid::Uuid;

use super::Ledger;
use super::cluster::{Cluster, Piece};
use super::fact::{Classification, ReleaseResult, TreatyScope};
use super::key::Asked;
use super::query::Query;
use super::timeline::{Holder, State};
use crate::geometry::SquareMillimetres;

/// One area at the end of a day. Figures of areas are disjoint and add up to the national figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HazardFigures {
    /// Which area.
    pub id: Uuid,
    /// Confirmed or suspected on that day.
    pub classification: Classification,
    /// Its outline by itself, ground shared with others included.
    pub outline: SquareMillimetres,
    /// The ground it owns, released or not.
    pub owned: SquareMillimetres,
    /// The part of it not yet released. The area is open while there is some.
    pub remaining: SquareMillimetres,
}

/// One release at the end of a day:
/// area = effective + superseded + outside + (repeated − repeated outside).
///
/// Ground outside hazardous areas that was released before is both outside and repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseFigures {
    /// Which release.
    pub id: Uuid,
    /// The day that puts its ground into a year.
    pub effective_on: NaiveDate,
    /// How its ground was released.
    pub result: ReleaseResult,
    /// With which method.
    pub method: Option<String>,
    /// Who did it.
    pub operator: Uuid,
    /// All of its ground.
    pub area: SquareMillimetres,
    /// Hazardous ground that it was the first to release.
    pub effective: SquareMillimetres,
    /// Hazardous ground that it released before new evidence contaminated it again.
    pub superseded: SquareMillimetres,
    /// P − ∪H: real work that does not reduce contamination.
    pub outside: SquareMillimetres,
    /// P ∩ ∪ earlier: ground processed again.
    pub repeated: SquareMillimetres,
    /// The part of the repeated ground that is outside too.
    pub repeated_outside: SquareMillimetres,
    /// Areas that own ground under it on that day.
    pub hazards: Vec<Uuid>,
    /// Areas that the record names but whose ground it does not meet.
    pub named_in_vain: Vec<Uuid>,
    /// The part of the effective ground that entered the books only after it was released. Somebody has to say whether
    /// the area was reported late or holds new evidence, which would reopen it.
    pub identified_later: SquareMillimetres,
    /// It touches no hazardous area: hold it for a person.
    pub hold: bool,
    /// What lies outside is a slip of the pen: small or thin parts only. It is counted all the same.
    pub outside_is_sliver: bool,
}

/// Areas known by a point and a reported size only; an account of its own, in no balance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReportedOnly {
    /// Number of areas.
    pub hazards: u64,
    /// Their reported sizes.
    pub reported: SquareMillimetres,
}

/// Parts of contaminated ground below 1 m² or very thin: counted, and listed for somebody to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SliverNote {
    /// The area that owns them.
    pub hazard: Uuid,
    /// How many.
    pub parts: u32,
    /// Their ground.
    pub area: SquareMillimetres,
}

impl Ledger {
    /// Every area with an outline that is in the books at the end of a day, by id.
    pub fn hazard_figures(&self, as_of: NaiveDate) -> Vec<HazardFigures> {
        let mut found: Vec<HazardFigures> =
            self.clusters().flat_map(|cluster| hazard_figures(cluster, as_of)).collect();
        found.sort_unstable_by_key(|figures| figures.id);
        found
    }

    /// How many areas of each class are open at the end of a day: own ground that is not released.
    pub fn open_hazards(&self, as_of: NaiveDate) -> BTreeMap<Classification, u64> {
        let mut counts: BTreeMap<Classification, u64> =
            Classification::ALL.iter().map(|&class| (class, 0)).collect();
        for figures in self.clusters().flat_map(|cluster| hazard_figures(cluster, as_of)) {
            if figures.remaining > SquareMillimetres::ZERO {
                *counts.entry(figures.classification).or_default() += 1;
            }
        }
        counts
    }

    /// Every release in effect by the end of a day, by id.
    pub fn releases_report(&self, as_of: NaiveDate) -> Vec<ReleaseFigures> {
        let mut found: Vec<ReleaseFigures> =
            self.clusters().flat_map(|cluster| release_figures(cluster, as_of)).collect();
        found.sort_unstable_by_key(|figures| figures.id);
        found
    }

    /// The account of areas without an outline, at the end of a day, for the areas a question's filters let through.
    pub fn reported_only(&self, as_of: NaiveDate, query: &Query) -> ReportedOnly {
        let mut account = ReportedOnly::default();
        for cluster in self.clusters() {
            let asked = Asked::of(query, cluster, None);
            for (hazard, index) in cluster.hazards.iter().zip(0u32..) {
                let Some(current) = hazard.version_at(as_of) else {
                    continue;
                };
                let version = &hazard.versions[current];
                let holder = Holder { hazard: index, version: 0 };
                let wanted = query.operator.is_none_or(|wanted| version.organisation == wanted);
                let known_by_size = version.outline.is_none() && version.reported > SquareMillimetres::ZERO;
                if known_by_size && !version.closed && wanted && asked.holds(holder, version) {
                    account.hazards += 1;
                    account.reported += version.reported;
                }
            }
        }
        account
    }

    /// Whether any version of an area has this code at an administrative level, counted from 0.
    pub fn has_unit(&self, level: usize, code: &str) -> bool {
        let mut versions =
            self.clusters().flat_map(|cluster| &cluster.hazards).flat_map(|area| &area.versions);
        versions.any(|version| version.admin.get(level).is_some_and(|own| own.as_deref() == Some(code)))
    }

    /// Whether any area has ever been in these books under a treaty duty.
    pub fn has_any(&self, scope: TreatyScope) -> bool {
        let mut areas = self.clusters().flat_map(|cluster| &cluster.hazards);
        areas.any(|area| area.versions.iter().any(|version| version.duties.hold(scope)))
    }

    /// Small and thin parts of the ground that remains at the end of a day, by owning area.
    pub fn slivers(&self, as_of: NaiveDate) -> Vec<SliverNote> {
        let mut found: BTreeMap<Uuid, (u32, SquareMillimetres)> = BTreeMap::new();
        for cluster in self.clusters() {
            for piece in cluster.pieces.iter().filter(|piece| piece.slivers > 0) {
                let Some(holder) = piece.state_at(as_of).contaminated() else {
                    continue;
                };
                let note = found.entry(cluster.hazards[holder.hazard as usize].id).or_default();
                note.0 += piece.slivers;
                note.1 += piece.sliver_area;
            }
        }
        let note = |(hazard, (parts, area))| SliverNote { hazard, parts, area };
        found.into_iter().map(note).collect()
    }
}

fn hazard_figures(cluster: &Cluster, as_of: NaiveDate) -> Vec<HazardFigures> {
    let mut found: Vec<Option<HazardFigures>> = cluster
        .hazards
        .iter()
        .map(|hazard| {
            let version = &hazard.versions[hazard.version_at(as_of)?];
            Some(HazardFigures {
                id: hazard.id,
                classification: version.classification,
                outline: version.outline.as_ref()?.ring_sum(),
                owned: SquareMillimetres::ZERO,
                remaining: SquareMillimetres::ZERO,
            })
        })
        .collect();
    for piece in &cluster.pieces {
        let state = piece.state_at(as_of);
        let Some(holder) = state.holder() else {
            continue;
        };
        let Some(figures) = &mut found[holder.hazard as usize] else {
            continue;
        };
        figures.owned += piece.area;
        if state.contaminated().is_some() {
            figures.remaining += piece.area;
        }
    }
    found.into_iter().flatten().collect()
}

fn release_figures(cluster: &Cluster, as_of: NaiveDate) -> Vec<ReleaseFigures> {
    let mut found: Vec<Account> = cluster.releases.iter().map(|_| Account::default()).collect();
    for piece in &cluster.pieces {
        let state = piece.state_at(as_of);
        let in_effect =
            piece.taken_by.iter().filter(|&&index| cluster.releases[index as usize].effective <= as_of);
        for (turn, &index) in in_effect.enumerate() {
            let release = (index, cluster.releases[index as usize].effective);
            found[index as usize].add(piece, state, release, turn > 0);
        }
    }
    let pairs = cluster.releases.iter().zip(found);
    let in_effect = pairs.filter(|(release, _)| release.effective <= as_of);
    in_effect.map(|(release, account)| account.close(cluster, release)).collect()
}

/// What is being added up for one release.
#[derive(Default)]
struct Account {
    area: SquareMillimetres,
    effective: SquareMillimetres,
    identified_later: SquareMillimetres,
    repeated: SquareMillimetres,
    repeated_inside: SquareMillimetres,
    outside: SquareMillimetres,
    outside_slivers: SquareMillimetres,
    hazards: Vec<u32>,
}

impl Account {
    fn add(&mut self, piece: &Piece, state: State, (index, released): (u32, NaiveDate), again: bool) {
        self.area += piece.area;
        // Ground released again after new evidence is the second release's own.
        if again && state.release() != Some(index) {
            self.repeated += piece.area;
        }
        match state.holder() {
            None => {
                self.outside += piece.area;
                self.outside_slivers += piece.sliver_area;
            }
            Some(holder) => {
                self.hazards.push(holder.hazard);
                if state.release() == Some(index) {
                    self.effective += piece.area;
                    if piece.taken_on(index).is_some_and(|day| day > released) {
                        self.identified_later += piece.area;
                    }
                } else if again {
                    self.repeated_inside += piece.area;
                }
            }
        }
    }

    fn close(mut self, cluster: &Cluster, release: &super::held::HeldRelease) -> ReleaseFigures {
        self.hazards.sort_unstable();
        self.hazards.dedup();
        let hazards: Vec<Uuid> =
            self.hazards.iter().map(|&index| cluster.hazards[index as usize].id).collect();
        let vain = release.hazards.iter().filter(|id| !hazards.contains(id)).copied().collect();
        ReleaseFigures {
            id: release.id,
            effective_on: release.effective,
            result: release.result,
            method: release.method.as_ref().map(ToString::to_string),
            operator: release.operator,
            area: self.area,
            effective: self.effective,
            identified_later: self.identified_later,
            superseded: self.area - self.effective - self.outside - self.repeated_inside,
            outside: self.outside,
            repeated: self.repeated,
            repeated_outside: self.repeated - self.repeated_inside,
            hold: hazards.is_empty(),
            hazards,
            named_in_vain: vain,
            outside_is_sliver: self.outside > SquareMillimetres::ZERO && self.outside == self.outside_slivers,
        }
    }
}
