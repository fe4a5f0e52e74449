//! The ground of single areas and releases, drawn whole: what is left of each area, and what each release took.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use geo::MultiPolygon;
use rstar::AABB;
use uuid::Uuid;

use super::Ledger;
use super::cluster::{Cluster, Piece};
use super::fact::{Classification, ReleaseResult};
use super::neighbours::FactId;
use super::timeline::{Holder, State};
use crate::geometry::display::{self, DisplayError};
use crate::geometry::{GridPoint, Region, SquareMillimetres};

/// Points that each edge of a box is followed by on its way to the grid, where it is curved.
const STEPS: u32 = 16;
/// Degrees up to which a box is looked for on the grid.
const LARGEST_DEG: f64 = 10.0;

/// What is left of one area at the end of a day.
#[derive(Debug, Clone, PartialEq)]
pub struct RemainingGround {
    /// Which area.
    pub hazard: Uuid,
    /// WGS 84, 8 decimals; for showing, never for counting.
    pub outline: MultiPolygon<f64>,
    /// Its exact area.
    pub area: SquareMillimetres,
    /// First day of the area's version.
    pub since: NaiveDate,
    /// Confirmed or suspected.
    pub classification: Classification,
    /// Kinds of contamination, joined by `+`.
    pub contamination: String,
    /// Codes of admin levels 1 to 3.
    pub admin: [Option<String>; 3],
    /// The organisation that reported the area.
    pub organisation: Uuid,
    /// Two people disagree about the area.
    pub contested: bool,
}

/// What one release has released of hazardous ground by the end of a day.
#[derive(Debug, Clone, PartialEq)]
pub struct ReleasedGround {
    /// Which release.
    pub release: Uuid,
    /// WGS 84, 8 decimals; for showing, never for counting.
    pub outline: MultiPolygon<f64>,
    /// Its exact area.
    pub area: SquareMillimetres,
    /// When.
    pub released: NaiveDate,
    /// How.
    pub result: ReleaseResult,
    /// With which method.
    pub method: Option<String>,
    /// Who did it.
    pub operator: Uuid,
}

/// Pieces of a cluster that belong together: their area, their rings and the newest version that speaks for them.
#[derive(Default)]
struct Gathered {
    area: SquareMillimetres,
    rings: Vec<Vec<GridPoint>>,
    holder: Option<Holder>,
}

impl Ledger {
    /// The areas that own contaminated ground at the end of a day, or those of them that are contested, by id.
    pub fn open_ground(&self, as_of: NaiveDate, contested_only: bool) -> Vec<Uuid> {
        let open = |cluster: &Cluster| {
            let held = cluster.pieces.iter().filter_map(|piece| piece.state_at(as_of).contaminated());
            let contested = |holder: &Holder| {
                cluster.hazards[holder.hazard as usize].versions[holder.version as usize].contested
            };
            let held = held.filter(|holder| !contested_only || contested(holder));
            held.map(|holder| cluster.hazards[holder.hazard as usize].id).collect::<BTreeSet<_>>()
        };
        let mut ids: Vec<Uuid> = self.clusters().flat_map(open).collect();
        ids.sort_unstable();
        ids
    }

    /// The releases that have released hazardous ground by the end of a day, by id.
    pub fn effective_releases(&self, as_of: NaiveDate) -> Vec<Uuid> {
        let taken = |cluster: &Cluster| {
            let by = cluster.pieces.iter().filter_map(|piece| piece.state_at(as_of).release());
            by.map(|release| cluster.releases[release as usize].id).collect::<BTreeSet<_>>()
        };
        let mut ids: Vec<Uuid> = self.clusters().flat_map(taken).collect();
        ids.sort_unstable();
        ids
    }

    /// What is left of these areas at the end of a day, by id; those of which nothing is left are not among them.
    ///
    /// # Errors
    /// Where a piece cannot be drawn.
    pub fn remaining_ground(
        &self,
        as_of: NaiveDate,
        hazards: &[Uuid],
    ) -> Result<Vec<RemainingGround>, DisplayError> {
        let wanted: BTreeSet<Uuid> = hazards.iter().copied().collect();
        let mut found = Vec::new();
        for cluster in self.clusters_of(hazards.iter().map(|id| FactId::Hazard(*id))) {
            found.extend(self.remaining_of(cluster, &cluster.draw()?, as_of, |id| wanted.contains(&id))?);
        }
        found.sort_unstable_by_key(|ground| ground.hazard);
        Ok(found)
    }

    /// What these releases have released of hazardous ground by the end of a day, by id; those that released none are
    /// not among them.
    ///
    /// # Errors
    /// Where a piece cannot be drawn.
    pub fn released_ground(
        &self,
        as_of: NaiveDate,
        releases: &[Uuid],
    ) -> Result<Vec<ReleasedGround>, DisplayError> {
        let wanted: BTreeSet<Uuid> = releases.iter().copied().collect();
        let mut found = Vec::new();
        for cluster in self.clusters_of(releases.iter().map(|id| FactId::Release(*id))) {
            found.extend(self.released_by(cluster, &cluster.draw()?, as_of, |id| wanted.contains(&id))?);
        }
        found.sort_unstable_by_key(|ground| ground.release);
        Ok(found)
    }

    /// The last settling that changed anything: for as long as it is the same, so is all ground.
    pub fn turn(&self) -> u64 {
        self.turn
    }

    /// The places where clusters are kept, each with the settling that it has changed in last. Whoever remembers these
    /// knows which clusters to look at again; each area and release is in one of them.
    pub fn turns(&self) -> &[u64] {
        &self.turns
    }

    /// All ground of the cluster in a place at the end of a day: what is left, and what was released.
    ///
    /// # Errors
    /// Where a piece cannot be drawn.
    pub fn ground_in(
        &self,
        place: usize,
        as_of: NaiveDate,
    ) -> Result<(Vec<RemainingGround>, Vec<ReleasedGround>), DisplayError> {
        let Some(cluster) = self.clusters.get(place).and_then(Option::as_ref) else {
            return Ok((Vec::new(), Vec::new()));
        };
        let clear = |piece: &Piece| piece.state_at(as_of) == State::Clear;
        if cluster.pieces.iter().all(clear) {
            return Ok((Vec::new(), Vec::new()));
        }
        let regions = cluster.draw()?;
        let remaining = self.remaining_of(cluster, &regions, as_of, |_| true)?;
        Ok((remaining, self.released_by(cluster, &regions, as_of, |_| true)?))
    }

    /// Whether the ground in a place is the same at the ends of two days.
    pub fn is_alike_in(&self, place: usize, one: NaiveDate, other: NaiveDate) -> bool {
        let cluster = self.clusters.get(place).and_then(Option::as_ref);
        cluster.is_none_or(|cluster| {
            cluster.pieces.iter().all(|piece| piece.state_at(one) == piece.state_at(other))
        })
    }

    fn remaining_of(
        &self,
        cluster: &Cluster,
        regions: &[Region],
        as_of: NaiveDate,
        wanted: impl Fn(Uuid) -> bool,
    ) -> Result<Vec<RemainingGround>, DisplayError> {
        let owner = |state: State| {
            let holder = state.contaminated()?;
            let id = cluster.hazards[holder.hazard as usize].id;
            wanted(id).then_some((id, Some(holder)))
        };
        let mut found = Vec::new();
        for (id, gathered) in gather(cluster, regions, as_of, owner) {
            let Some(holder) = gathered.holder else { continue };
            let version = &cluster.hazards[holder.hazard as usize].versions[holder.version as usize];
            found.push(RemainingGround {
                hazard: id,
                outline: display::polygons(&self.grid, &gathered.rings)?,
                area: gathered.area,
                since: version.effective,
                classification: version.classification,
                contamination: version.contamination.joined(),
                admin: version.admin.clone().map(|code| code.map(|code| code.to_string())),
                organisation: version.organisation,
                contested: version.contested,
            });
        }
        Ok(found)
    }

    fn released_by(
        &self,
        cluster: &Cluster,
        regions: &[Region],
        as_of: NaiveDate,
        wanted: impl Fn(Uuid) -> bool,
    ) -> Result<Vec<ReleasedGround>, DisplayError> {
        let taker = |state: State| {
            let id = cluster.releases[state.release()? as usize].id;
            wanted(id).then_some((id, None))
        };
        let mut gathered = gather(cluster, regions, as_of, taker);
        let mut found = Vec::new();
        for release in &cluster.releases {
            let Some(ground) = gathered.remove(&release.id) else { continue };
            found.push(ReleasedGround {
                release: release.id,
                outline: display::polygons(&self.grid, &ground.rings)?,
                area: ground.area,
                released: release.effective,
                result: release.result,
                method: release.method.as_ref().map(ToString::to_string),
                operator: release.operator,
            });
        }
        Ok(found)
    }

    /// Areas and releases, their ids mixed, whose outlines may meet a box of degrees, `[west, south, east, north]`;
    /// nothing where that cannot be told, and any may: a large box is no box any more on a grid made for a country.
    pub fn near_box(&self, [west, south, east, north]: [f64; 4]) -> Option<BTreeSet<Uuid>> {
        if east - west > LARGEST_DEG || north - south > LARGEST_DEG {
            return None;
        }
        let parts = (0..=STEPS).map(|step| f64::from(step) / f64::from(STEPS));
        let edges = parts.flat_map(|part| {
            let (lon, lat) = (west + (east - west) * part, south + (north - south) * part);
            [(lon, south), (lon, north), (west, lat), (east, lat)]
        });
        let points: Vec<GridPoint> =
            edges.map(|(lon, lat)| self.grid.point(lon, lat)).collect::<Result<_, _>>().ok()?;
        #[expect(clippy::cast_precision_loss, reason = "grid coordinates are below 2^35")]
        let corners: Vec<[f64; 2]> = points.iter().map(|point| [point.x as f64, point.y as f64]).collect();
        let most = |axis: usize, pick: fn(f64, f64) -> f64| {
            corners.iter().map(|corner| corner[axis]).reduce(pick).unwrap_or_default()
        };
        let (low, high) = ([most(0, f64::min), most(1, f64::min)], [most(0, f64::max), most(1, f64::max)]);
        // Between two points of an edge the curve goes on by less than a hundredth of the box.
        let margin = ((high[0] - low[0]) + (high[1] - low[1])) / 100.0;
        let envelope = AABB::from_corners(low.map(|at| at - margin), high.map(|at| at + margin));
        let found = self.tree.locate_in_envelope_intersecting(&envelope).map(|boxed| match boxed.fact {
            FactId::Hazard(id) | FactId::Release(id) => id,
        });
        Some(found.collect())
    }

    /// The clusters that these facts are in, each once.
    fn clusters_of(&self, facts: impl Iterator<Item = FactId>) -> impl Iterator<Item = &Cluster> {
        let places: BTreeSet<usize> = facts.filter_map(|fact| self.entries.get(&fact)?.cluster).collect();
        places.into_iter().filter_map(|place| self.clusters.get(place)?.as_ref())
    }
}

/// Pieces by what they belong to.
fn gather(
    cluster: &Cluster,
    regions: &[Region],
    as_of: NaiveDate,
    belongs: impl Fn(State) -> Option<(Uuid, Option<Holder>)>,
) -> BTreeMap<Uuid, Gathered> {
    let mut found: BTreeMap<Uuid, Gathered> = BTreeMap::new();
    for (piece, region) in cluster.pieces.iter().zip(regions) {
        let Some((id, holder)) = belongs(piece.state_at(as_of)) else { continue };
        let gathered = found.entry(id).or_default();
        gathered.area += piece.area;
        gathered.rings.extend(region.rings.iter().cloned());
        gathered.holder = gathered.holder.max(holder);
    }
    found
}
