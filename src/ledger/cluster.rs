//! A connected cluster of outlines, cut into pieces with a life line each, and checked by a second algorithm.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::NaiveDate;
use uuid::Uuid;

use super::admission::{Admission, Admitted, LeftOut};
use super::held::{HeldHazard, HeldRelease};
use super::timeline::{Cover, Holder, Moment, State, state_at};
use crate::geometry::arrangement::is_sliver;
use crate::geometry::overlay::{self, OverlayError};
use crate::geometry::{Arrangement, GridOutline, Region, SquareMillimetres};

/// A cluster whose figures failed a check; it names its members so that somebody can look at them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the cluster of hazardous areas {hazards:?} and releases {releases:?}: {reason}")]
pub struct Breach {
    /// Hazardous areas of the cluster.
    pub hazards: Vec<Uuid>,
    /// Releases of the cluster.
    pub releases: Vec<Uuid>,
    /// What does not hold.
    pub reason: String,
}

/// Ground with one history.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Piece {
    pub(crate) area: SquareMillimetres,
    pub(crate) moments: Box<[Moment]>,
    /// Releases that cover it, in their turn.
    pub(crate) taken_by: Box<[u32]>,
    pub(crate) slivers: u32,
    pub(crate) sliver_area: SquareMillimetres,
}

impl Piece {
    pub(crate) fn state_at(&self, date: NaiveDate) -> State {
        state_at(&self.moments, date)
    }

    /// The day from which a release counts as having released the piece: its own, or later if the ground entered the
    /// books only then.
    pub(crate) fn taken_on(&self, release: u32) -> Option<NaiveDate> {
        let taken = self.moments.iter().find(|moment| moment.state.release() == Some(release));
        taken.map(|moment| moment.date)
    }
}

#[derive(Debug, PartialEq)]
pub(crate) struct Cluster {
    /// Areas that count, with the outlines that count.
    pub(crate) hazards: Vec<Arc<HeldHazard>>,
    /// Releases that count.
    pub(crate) releases: Vec<Arc<HeldRelease>>,
    /// Outlines of members that do not count.
    pub(crate) left_out: Vec<LeftOut>,
    pub(crate) pieces: Vec<Piece>,
    /// All remaining ground, by the day from which it holds: the national figure without a walk over pieces.
    pub(crate) levels: Box<[Level]>,
}

/// Remaining ground of a cluster from a day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Level {
    pub(crate) from: NaiveDate,
    pub(crate) area: SquareMillimetres,
    pub(crate) hazards: u32,
}

/// Why a cluster has no pieces.
#[derive(Debug, thiserror::Error)]
enum Uncut {
    #[error("its outlines are too intricate")]
    TooIntricate,
    #[error("{0}")]
    Failed(String),
}

impl From<OverlayError> for Uncut {
    fn from(error: OverlayError) -> Self {
        match error {
            OverlayError::TooIntricate => Self::TooIntricate,
            failed => Self::Failed(failed.to_string()),
        }
    }
}

impl From<String> for Uncut {
    fn from(reason: String) -> Self {
        Self::Failed(reason)
    }
}

/// A distinct outline and what uses it.
struct Slot<'a> {
    outline: &'a GridOutline,
    versions: Vec<Holder>,
    releases: Vec<u32>,
}

impl Cluster {
    /// Cuts and checks a cluster; members must be sorted by id for the same outcome every time.
    pub(crate) fn settle(
        hazards: Vec<Arc<HeldHazard>>,
        releases: Vec<Arc<HeldRelease>>,
    ) -> Result<Self, Breach> {
        let mut admission = Admission::of(hazards, releases);
        loop {
            let mut cluster = Self::uncut(admission.members());
            match cluster.cut() {
                Ok(()) => return Ok(cluster),
                Err(Uncut::TooIntricate) if admission.halve() => {}
                Err(uncut) => return Err(cluster.breach(uncut.to_string())),
            }
        }
    }

    fn uncut(admitted: Admitted) -> Self {
        let Admitted { hazards, releases, left_out } = admitted;
        Self { hazards, releases, left_out, pieces: Vec::new(), levels: Box::default() }
    }

    fn cut(&mut self) -> Result<(), Uncut> {
        let slots = slots(&self.hazards, &self.releases);
        let regions = regions(&slots, false)?;
        check_slots(&slots, &regions)?;
        self.pieces = pieces(&self.hazards, &self.releases, &slots, &regions);
        self.levels = levels(&self.pieces);
        Ok(self.check_balance()?)
    }

    /// The regions behind the pieces, in the same order, with their rings.
    pub(crate) fn draw(&self) -> Result<Vec<Region>, OverlayError> {
        regions(&slots(&self.hazards, &self.releases), true)
    }

    /// All remaining ground at the end of a day and the number of areas that own some of it.
    pub(crate) fn level_at(&self, date: NaiveDate) -> Option<&Level> {
        let known = self.levels.partition_point(|level| level.from <= date);
        known.checked_sub(1).map(|last| &self.levels[last])
    }

    fn breach(&self, reason: String) -> Breach {
        Breach {
            hazards: self.hazards.iter().map(|hazard| hazard.id).collect(),
            releases: self.releases.iter().map(|release| release.id).collect(),
            reason,
        }
    }

    /// |H∖R| + |H∩R| = |H| and 0 ≤ remaining ≤ |H| at the end of all facts, against `i_overlay`.
    fn check_balance(&self) -> Result<(), String> {
        if self.pieces.len() < 2 {
            return Ok(());
        }
        let current = |hazard: &'_ Arc<HeldHazard>| hazard.version_at(NaiveDate::MAX);
        let standing: Vec<&GridOutline> = self
            .hazards
            .iter()
            .filter_map(|hazard| hazard.versions[current(hazard)?].outline.as_deref())
            .collect();
        let taken: Vec<&GridOutline> = self.releases.iter().map(|release| &*release.outline).collect();
        let expected = overlay::balance(&standing, &taken).map_err(|error| error.to_string())?;
        let sum = |test: fn(State) -> bool| -> SquareMillimetres {
            let at_end = self.pieces.iter().filter(|piece| test(piece.state_at(NaiveDate::MAX)));
            at_end.map(|piece| piece.area).sum()
        };
        let total = sum(|state| state != State::Clear);
        let remaining = sum(|state| state.contaminated().is_some());
        let agree = |what: &str, ours: SquareMillimetres, theirs: SquareMillimetres| {
            let apart = (ours - theirs).abs() > expected.tolerance;
            if apart { Err(format!("{what} is {ours}, by another way {theirs}")) } else { Ok(()) }
        };
        agree("the contaminated and released ground", total, expected.subject)?;
        let reopened = |hazard: &Arc<HeldHazard>| hazard.versions.iter().any(|v| v.reopened);
        // New evidence gives back ground to the remaining area that a plain difference takes away.
        if self.hazards.iter().any(reopened) {
            return Ok(());
        }
        agree("the remaining ground", remaining, expected.difference)
    }
}

fn slots<'a>(hazards: &'a [Arc<HeldHazard>], releases: &'a [Arc<HeldRelease>]) -> Vec<Slot<'a>> {
    let mut slots: Vec<Slot<'a>> = Vec::new();
    let mut known: HashMap<&GridOutline, usize> = HashMap::new();
    let mut slot_of = |outline: &'a GridOutline, slots: &mut Vec<Slot<'a>>| {
        *known.entry(outline).or_insert_with(|| {
            slots.push(Slot { outline, versions: Vec::new(), releases: Vec::new() });
            slots.len() - 1
        })
    };
    for (index, hazard) in (0u32..).zip(hazards) {
        for (number, version) in (0u32..).zip(&hazard.versions) {
            if let Some(outline) = version.outline.as_deref() {
                let slot = slot_of(outline, &mut slots);
                slots[slot].versions.push(Holder { hazard: index, version: number });
            }
        }
    }
    for (index, release) in (0u32..).zip(releases) {
        let slot = slot_of(&release.outline, &mut slots);
        slots[slot].releases.push(index);
    }
    slots
}

fn regions(slots: &[Slot<'_>], with_rings: bool) -> Result<Vec<Region>, OverlayError> {
    if let [only] = slots
        && only.outline.is_plain()
    {
        return Ok(vec![alone(only.outline, with_rings)]);
    }
    let outlines: Vec<&GridOutline> = slots.iter().map(|slot| slot.outline).collect();
    let arranged = if with_rings { Arrangement::draw(&outlines) } else { Arrangement::measure(&outlines) };
    Ok(arranged?.regions)
}

/// The region of a plain outline that meets no other: no overlay is needed, and its ring sum is exact.
fn alone(outline: &GridOutline, with_rings: bool) -> Region {
    let area = outline.ring_sum();
    let slivers = u32::from(is_sliver(area, outline.perimeter()));
    Region {
        covers: vec![0],
        area,
        rings: if with_rings { outline.rings().map(<[_]>::to_vec).collect() } else { Vec::new() },
        slivers,
        sliver_area: if slivers > 0 { area } else { SquareMillimetres::ZERO },
    }
}

fn pieces(
    hazards: &[Arc<HeldHazard>],
    releases: &[Arc<HeldRelease>],
    slots: &[Slot<'_>],
    regions: &[Region],
) -> Vec<Piece> {
    let piece = |region: &Region| {
        let covering = || region.covers.iter().map(|&slot| &slots[slot as usize]);
        let mut versions: Vec<Holder> = covering().flat_map(|slot| slot.versions.iter().copied()).collect();
        versions.sort_unstable();
        let mut taken_by: Vec<u32> = covering().flat_map(|slot| slot.releases.iter().copied()).collect();
        taken_by.sort_unstable_by_key(|&index| releases[index as usize].turn());
        let cover = Cover { hazards, releases, versions: &versions, taken_by: &taken_by };
        Piece {
            area: region.area,
            moments: cover.timeline().into(),
            taken_by: taken_by.into(),
            slivers: region.slivers,
            sliver_area: region.sliver_area,
        }
    };
    regions.iter().map(piece).collect()
}

fn levels(pieces: &[Piece]) -> Box<[Level]> {
    let mut dates: Vec<NaiveDate> =
        pieces.iter().flat_map(|piece| &piece.moments).map(|moment| moment.date).collect();
    dates.sort_unstable();
    dates.dedup();
    let level = |from: NaiveDate| {
        let mut area = SquareMillimetres::ZERO;
        let mut owners: Vec<u32> = Vec::new();
        for piece in pieces {
            if let Some(holder) = piece.state_at(from).contaminated() {
                area += piece.area;
                owners.push(holder.hazard);
            }
        }
        owners.sort_unstable();
        owners.dedup();
        Level { from, area, hazards: u32::try_from(owners.len()).expect("owners are numbered by u32") }
    };
    dates.into_iter().map(level).collect()
}

/// The regions under an outline add up to its own ring sum, within what rounding can move along its edges.
fn check_slots(slots: &[Slot<'_>], regions: &[Region]) -> Result<(), String> {
    if slots.len() < 2 {
        return Ok(());
    }
    let mut covered = vec![SquareMillimetres::ZERO; slots.len()];
    for region in regions {
        for &slot in &region.covers {
            covered[slot as usize] += region.area;
        }
    }
    for (slot, covered) in slots.iter().zip(covered) {
        let own = slot.outline.ring_sum();
        if (covered - own).abs() > overlay::tolerance(&[slot.outline], &[]) {
            return Err(format!("an outline of {own} is cut into {covered}"));
        }
    }
    Ok(())
}
