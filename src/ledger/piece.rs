//! The pieces of ground behind every figure, for a map or a list.

use chrono::NaiveDate;
use geo::MultiPolygon;
use uuid::Uuid;

use super::Ledger;
use super::cluster::{Cluster, Piece};
use super::fact::{Classification, Contamination, ReleaseResult};
use super::figure::{BalanceRow, share_of};
use super::key::Asked;
use super::query::Query;
use super::timeline::{Holder, State};
use crate::geometry::display::{self, DisplayError};
use crate::geometry::{Region, SquareMillimetres};

/// What a piece is on the day asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PieceState {
    /// Owned and not released.
    Contaminated,
    /// Owned and released.
    Released,
    /// Out of the books again.
    Gone,
}

impl PieceState {
    /// The word in answers and questions.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contaminated => "contaminated",
            Self::Released => "released",
            Self::Gone => "gone",
        }
    }
}

/// One piece of ground behind the figures.
#[derive(Debug, Clone, PartialEq)]
pub struct PieceView {
    /// WGS 84, 8 decimals; for showing, never for counting.
    pub outline: MultiPolygon<f64>,
    /// Its exact area.
    pub area: SquareMillimetres,
    /// What it is.
    pub state: PieceState,
    /// The owning area, or the last one that owned it.
    pub hazard: Uuid,
    /// First day of the area's version.
    pub hazard_effective: NaiveDate,
    /// Confirmed or suspected.
    pub classification: Classification,
    /// Kinds of contamination.
    pub contamination: Vec<Contamination>,
    /// Codes of admin levels 1 to 3.
    pub admin: [Option<String>; 3],
    /// The organisation that reported the area.
    pub organisation: Uuid,
    /// Two people disagree about the area.
    pub contested: bool,
    /// The release that released it.
    pub release: Option<Uuid>,
    /// When.
    pub released: Option<NaiveDate>,
    /// How.
    pub result: Option<ReleaseResult>,
    /// With which method.
    pub method: Option<String>,
    /// Who released it.
    pub operator: Option<Uuid>,
    /// What it adds to each column of the balance asked for.
    pub share: Option<BalanceRow>,
}

/// A piece that was asked for: its place in the cluster, the version that speaks for it, its share of a balance.
struct Chosen {
    index: usize,
    holder: Holder,
    share: Option<BalanceRow>,
}

impl Ledger {
    /// The pieces in the books at the end of a day that a question's filters let through, contaminated and released,
    /// in a fixed order. Outlines are drawn as they are asked for.
    pub fn pieces<'a>(
        &'a self,
        as_of: NaiveDate,
        query: &'a Query,
    ) -> impl Iterator<Item = Result<PieceView, DisplayError>> + 'a {
        self.views(query, as_of, move |asked, index| {
            let piece = &asked.cluster.pieces[index];
            let holder = piece.state_at(as_of).holder()?;
            let outcome = asked.outcome_at(piece, as_of);
            let wanted = asked.admits(&outcome) && asked.holds(holder, asked.version(holder));
            wanted.then_some(Chosen { index, holder, share: None })
        })
    }

    /// The pieces behind the one row of a balance that a question without cuts gives: each with what it adds to every
    /// column, so that they add up to the row. With `moved`, those alone that came or went: they add up to its flows.
    pub fn pieces_of_balance<'a>(
        &'a self,
        (from, to): (NaiveDate, NaiveDate),
        query: &'a Query,
        moved: bool,
    ) -> impl Iterator<Item = Result<PieceView, DisplayError>> + 'a {
        self.views(query, to, move |asked, index| {
            let piece = &asked.cluster.pieces[index];
            let share = share_of(asked, piece, (from, to)).filter(|share| !moved || share.moves())?;
            let known = piece.moments.iter().filter(|moment| moment.date <= to);
            let holder = known.rev().find_map(|moment| moment.state.holder())?;
            Some(Chosen { index, holder, share: Some(share) })
        })
    }

    fn views<'a>(
        &'a self,
        query: &'a Query,
        as_of: NaiveDate,
        choose: impl Fn(Asked<'a>, usize) -> Option<Chosen> + 'a,
    ) -> impl Iterator<Item = Result<PieceView, DisplayError>> + 'a {
        let mut clusters: Vec<&Cluster> = self.clusters().collect();
        clusters.sort_by_key(|cluster| cluster.hazards.first().map(|hazard| hazard.id));
        clusters.into_iter().flat_map(move |cluster| {
            let asked = Asked::of(query, cluster, None);
            let chosen: Vec<Chosen> =
                (0..cluster.pieces.len()).filter_map(|index| choose(asked, index)).collect();
            // Most questions pass most clusters by: only those asked for are cut again.
            let regions = if chosen.is_empty() { Ok(Vec::new()) } else { cluster.draw() };
            let views: Vec<Result<PieceView, DisplayError>> = match regions {
                Err(error) => vec![Err(error.into())],
                Ok(regions) => {
                    let view = |chosen: Chosen| {
                        let region = &regions[chosen.index];
                        let piece = &cluster.pieces[chosen.index];
                        self.view(asked, piece, region, piece.state_at(as_of), chosen)
                    };
                    chosen.into_iter().map(view).collect()
                }
            };
            views
        })
    }

    fn view(
        &self,
        asked: Asked<'_>,
        piece: &Piece,
        region: &Region,
        state: State,
        chosen: Chosen,
    ) -> Result<PieceView, DisplayError> {
        let version = asked.version(chosen.holder);
        let release = state.release().map(|index| &asked.cluster.releases[index as usize]);
        Ok(PieceView {
            outline: display::polygons(&self.grid, &region.rings)?,
            area: piece.area,
            state: match state {
                State::Clear => PieceState::Gone,
                State::Contaminated(_) => PieceState::Contaminated,
                State::Released(..) => PieceState::Released,
            },
            hazard: asked.cluster.hazards[chosen.holder.hazard as usize].id,
            hazard_effective: version.effective,
            classification: version.classification,
            contamination: version.contamination.kinds().collect(),
            admin: version.admin.clone().map(|code| code.map(|code| code.to_string())),
            organisation: version.organisation,
            contested: version.contested,
            release: release.map(|release| release.id),
            released: release.map(|release| release.effective),
            result: release.map(|release| release.result),
            method: release.and_then(|release| release.method.as_ref()).map(ToString::to_string),
            operator: release.map(|release| release.operator),
            share: chosen.share,
        })
    }
}
