//! Facts as the ledger holds them: outlines on the grid once, everything else small.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::NaiveDate;
use geo::MultiPolygon;
use uuid::Uuid;

use super::fact::{
    Classification, Contamination, Hazard, HazardEnd, HazardVersion, Release, ReleaseResult, TreatyScope,
};
use crate::geometry::exact::length;
use crate::geometry::overlay::{OverlayError, untangle};
use crate::geometry::{Grid, GridError, GridOutline, SquareMillimetres, measure};

/// Why a fact cannot be taken in.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FactError {
    /// The outline has no place on the grid.
    #[error(transparent)]
    Grid(#[from] GridError),
    /// The outline could not be untangled.
    #[error(transparent)]
    Overlay(#[from] OverlayError),
    /// A hazardous area must say something about itself.
    #[error("the hazardous area has no version")]
    NoVersion,
    /// The grid and the ellipsoid disagree: the projection does not suit this place.
    #[error("the grid finds {grid} where the ellipsoid has {ellipsoid_m2} m²")]
    AreaMismatch {
        /// On the grid.
        grid: SquareMillimetres,
        /// On the ellipsoid, m².
        ellipsoid_m2: f64,
    },
}

/// Kinds of contamination as bits, in the order of [`Contamination::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Mixture(u16);

impl Mixture {
    pub(crate) fn of(kinds: &BTreeSet<Contamination>) -> Self {
        let bits = kinds.iter().fold(0, |bits, &kind| bits | 1 << kind as u16);
        // To say nothing of it is to say that it is unknown: one row, not two of the same name.
        Self(if bits == 0 { 1 << Contamination::Unknown as u16 } else { bits })
    }

    pub(crate) fn kinds(self) -> impl Iterator<Item = Contamination> {
        Contamination::ALL.iter().copied().filter(move |&kind| self.0 & (1 << kind as u16) != 0)
    }

    /// The kinds joined by `+`, so that rows by contamination are disjoint.
    pub(crate) fn joined(self) -> String {
        self.kinds().map(Contamination::as_str).collect::<Vec<_>>().join("+")
    }
}

/// Treaty duties as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Duties(u8);

impl Duties {
    fn of(scopes: impl IntoIterator<Item = TreatyScope>) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | 1 << scope as u8))
    }

    pub(crate) fn hold(self, scope: TreatyScope) -> bool {
        self.0 & (1 << scope as u8) != 0
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HeldVersion {
    pub(crate) effective: NaiveDate,
    pub(crate) outline: Option<Arc<GridOutline>>,
    pub(crate) reported: SquareMillimetres,
    pub(crate) classification: Classification,
    pub(crate) contamination: Mixture,
    pub(crate) duties: Duties,
    pub(crate) organisation: Uuid,
    pub(crate) admin: [Option<Arc<str>>; 3],
    pub(crate) closed: bool,
    pub(crate) reopened: bool,
    pub(crate) contested: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HeldHazard {
    pub(crate) id: Uuid,
    pub(crate) sequence: i64,
    pub(crate) versions: Box<[HeldVersion]>,
    pub(crate) end: Option<HazardEnd>,
}

impl HeldHazard {
    pub(crate) fn new(grid: &Grid, hazard: Hazard) -> Result<Self, FactError> {
        let mut versions: Vec<HeldVersion> = Vec::with_capacity(hazard.versions.len());
        for version in hazard.versions {
            let mut held = hold_version(grid, version)?;
            // Most versions change an attribute and keep the ground: hold the outline once.
            if let Some(same) = versions.iter().find(|earlier| earlier.outline == held.outline) {
                held.outline.clone_from(&same.outline);
            }
            versions.push(held);
        }
        if versions.is_empty() {
            return Err(FactError::NoVersion);
        }
        versions.sort_by_key(|version| version.effective);
        Ok(Self { id: hazard.id, sequence: hazard.sequence, versions: versions.into(), end: hazard.end })
    }

    /// The version that holds at the end of a day, unless the area has not begun or has ended.
    pub(crate) fn version_at(&self, date: NaiveDate) -> Option<usize> {
        if self.end.is_some_and(|end| end.date <= date) {
            return None;
        }
        self.versions.partition_point(|version| version.effective <= date).checked_sub(1)
    }
}

fn hold_version(grid: &Grid, version: HazardVersion) -> Result<HeldVersion, FactError> {
    let duties = version.treaty_scope.unwrap_or_else(|| TreatyScope::over(&version.contamination));
    Ok(HeldVersion {
        effective: version.effective,
        outline: version.outline.map(|outline| hold_outline(grid, &outline)).transpose()?.map(Arc::new),
        reported: version.reported_area_m2.map_or(SquareMillimetres::ZERO, whole),
        classification: version.classification,
        contamination: Mixture::of(&version.contamination),
        duties: Duties::of(duties),
        organisation: version.organisation,
        admin: version.admin.map(|code| code.map(Arc::from)),
        closed: version.closed,
        reopened: version.reopened,
        contested: version.contested,
    })
}

/// Reported m² to the nearest mm², so that sums do not depend on their order. NaN counts as nothing.
#[expect(clippy::cast_possible_truncation, reason = "the cast saturates, far above any area")]
fn whole(reported_m2: f64) -> SquareMillimetres {
    SquareMillimetres::from_doubled(2 * i128::from((reported_m2 * 1e6).round() as i64))
}

#[derive(Debug, PartialEq)]
pub(crate) struct HeldRelease {
    pub(crate) id: Uuid,
    pub(crate) sequence: i64,
    pub(crate) effective: NaiveDate,
    pub(crate) outline: Arc<GridOutline>,
    pub(crate) result: ReleaseResult,
    pub(crate) method: Option<Arc<str>>,
    pub(crate) operator: Uuid,
    duties: Duties,
    pub(crate) hazards: Box<[Uuid]>,
}

impl HeldRelease {
    pub(crate) fn new(grid: &Grid, release: Release) -> Result<Self, FactError> {
        Ok(Self {
            id: release.id,
            sequence: release.sequence,
            effective: release.effective,
            outline: Arc::new(hold_outline(grid, &release.outline)?),
            result: release.result,
            method: release.method.map(Arc::from),
            operator: release.operator,
            duties: Duties::of(release.treaty_scope),
            hazards: release.hazards.into(),
        })
    }

    /// Whether its output counts under a duty. Battle-area clearance is of ground known not to hold mines, and counts
    /// under none unless its record states it.
    pub(crate) fn counts_under(&self, scope: TreatyScope) -> bool {
        self.result != ReleaseResult::BacCleared || self.duties.hold(scope)
    }

    /// The order in which releases take ground.
    pub(crate) fn turn(&self) -> (NaiveDate, i64, Uuid) {
        (self.effective, self.sequence, self.id)
    }
}

fn hold_outline(grid: &Grid, polygons: &MultiPolygon<f64>) -> Result<GridOutline, FactError> {
    let outline = grid.outline(polygons)?;
    if outline.is_plain() {
        cross_check(&outline, polygons)?;
        return Ok(outline);
    }
    Ok(untangle(&outline)?.ok_or(GridError::Vanished)?)
}

/// A second path to every area: the ellipsoid itself, within 1e-6, millimetre rounding along the edges, and the
/// bow between an edge straight on the grid and one straight elsewhere (L²·tan φ/(8R), taken over its length).
fn cross_check(outline: &GridOutline, polygons: &MultiPolygon<f64>) -> Result<(), FactError> {
    const EARTH_RADIUS: f64 = 6_371_000.0;
    let ellipsoid_m2 = measure::authalic_area(polygons);
    let grid = outline.ring_sum();
    let lat = polygons.iter().next().map_or(0.0, |polygon| polygon.exterior().0[0].y);
    let bend = (lat.to_radians().tan().abs() + 0.3).min(20.0) / (4.0 * EARTH_RADIUS);
    let slack: f64 = outline
        .edges()
        .map(|(a, b)| length(a, b) / 1e3)
        .map(|length| length * (1e-3 + length * length * bend))
        .sum();
    if (grid.m2() - ellipsoid_m2).abs() > 1e-6 * ellipsoid_m2 + slack {
        return Err(FactError::AreaMismatch { grid, ellipsoid_m2 });
    }
    Ok(())
}
