//! The ledger: every square metre of hazardous ground and how it was released, exact to the square millimetre.
//!
//! It holds the facts of **one** basis, official or provisional; whoever feeds it decides which facts count. It knows
//! nothing of stores, users or clocks.
//!
//! Outlines whose interiors meet form a cluster. A cluster is cut into disjoint *pieces*, ground covered by the same
//! set of outlines, and each piece has one life line: clear, contaminated (owned by one area), released (by one
//! release). Every figure, for any date, period and cut, is a sum over pieces, and so every balance closes with
//! residual 0. A changed fact recomputes the clusters that it touches and nothing else, and the outcome is the same,
//! bit for bit, as from nothing. What a cluster may cost to cut is bounded; what goes beyond it is left out by itself
//! and named.

mod admission;
mod cluster;
pub mod fact;
mod figure;
pub mod forecast;
pub mod ground;
mod held;
mod key;
mod neighbours;
pub mod piece;
pub mod query;
pub mod report;
mod settle;
#[cfg(test)]
mod tests;
mod timeline;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use rayon::prelude::*;
use rstar::RTree;
use uuid::Uuid;

use crate::geometry::{Grid, GridOutline};
use cluster::Cluster;
use held::{HeldHazard, HeldRelease};
use neighbours::{Boxed, FactId};

pub use admission::{LeftOut, TooIntricate};
pub use cluster::Breach;
pub use fact::{
    Classification, Contamination, EndReason, Hazard, HazardEnd, HazardVersion, Release, ReleaseResult,
    TreatyScope, UnknownCode,
};
pub use figure::{BalanceRow, RemainingRow};
pub use ground::{ReleasedGround, RemainingGround};
pub use held::FactError;
pub use piece::{PieceState, PieceView};
pub use query::{Cut, Query, Want};
pub use report::{HazardFigures, ReleaseFigures, ReportedOnly, SliverNote};
pub use settle::Settled;

/// The version of the counting rules and algorithms, kept with every frozen figure.
pub const ALGORITHM: &str = "pieces-1";

#[derive(Debug, Clone)]
enum Fact {
    Hazard(Arc<HeldHazard>),
    Release(Arc<HeldRelease>),
}

impl Fact {
    fn outlines(&self) -> Vec<Arc<GridOutline>> {
        let mut outlines: Vec<Arc<GridOutline>> = match self {
            Self::Hazard(hazard) => {
                hazard.versions.iter().filter_map(|version| version.outline.clone()).collect()
            }
            Self::Release(release) => vec![Arc::clone(&release.outline)],
        };
        outlines.dedup_by(|a, b| Arc::ptr_eq(a, b));
        outlines
    }

    fn boxes(&self, id: FactId) -> impl Iterator<Item = Boxed> {
        self.outlines().into_iter().map(move |outline| Boxed { fact: id, outline })
    }
}

#[derive(Debug)]
struct Entry {
    fact: Fact,
    /// Where it was settled last.
    cluster: Option<usize>,
}

/// Facts of one basis and the pieces they make.
///
/// Put facts in, [`Ledger::settle`], then ask. Figures are those of the last settling.
#[derive(Debug)]
pub struct Ledger {
    grid: Grid,
    entries: HashMap<FactId, Entry>,
    tree: RTree<Boxed>,
    clusters: Vec<Option<Cluster>>,
    /// The settling that each cluster's place has changed in last.
    turns: Vec<u64>,
    /// Settlings so far.
    turn: u64,
    vacant: Vec<usize>,
    /// Facts that are in no cluster yet.
    dirty: BTreeSet<FactId>,
    /// Clusters that lost or changed a member.
    dissolved: BTreeSet<usize>,
}

impl Ledger {
    /// An empty ledger on a programme's grid.
    pub fn new(grid: Grid) -> Self {
        Self {
            grid,
            entries: HashMap::new(),
            tree: RTree::new(),
            clusters: Vec::new(),
            turns: Vec::new(),
            turn: 0,
            vacant: Vec::new(),
            dirty: BTreeSet::new(),
            dissolved: BTreeSet::new(),
        }
    }

    /// The grid all areas are counted on.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Puts a hazardous area in, in place of the one with the same id.
    pub fn put_hazard(&mut self, hazard: Hazard) -> Result<(), FactError> {
        let held = HeldHazard::new(&self.grid, hazard)?;
        self.put(FactId::Hazard(held.id), Fact::Hazard(Arc::new(held)));
        Ok(())
    }

    /// Puts a release in, in place of the one with the same id.
    pub fn put_release(&mut self, release: Release) -> Result<(), FactError> {
        let held = HeldRelease::new(&self.grid, release)?;
        self.put(FactId::Release(held.id), Fact::Release(Arc::new(held)));
        Ok(())
    }

    /// Takes a hazardous area out; `false` if it was not there. An area that has ended stays in, with its end.
    pub fn remove_hazard(&mut self, id: Uuid) -> bool {
        self.remove(FactId::Hazard(id))
    }

    /// Takes a release out; `false` if it was not there.
    pub fn remove_release(&mut self, id: Uuid) -> bool {
        self.remove(FactId::Release(id))
    }

    /// Puts many facts in at once, projecting them in parallel. Those that cannot be taken are returned with their
    /// reason; the others are in.
    pub fn load(&mut self, hazards: Vec<Hazard>, releases: Vec<Release>) -> Vec<(Uuid, FactError)> {
        let grid = &self.grid;
        let hazards = hazards.into_par_iter().map(|hazard| {
            let id = hazard.id;
            let held = HeldHazard::new(grid, hazard).map_err(|error| (id, error))?;
            Ok((FactId::Hazard(id), Fact::Hazard(Arc::new(held))))
        });
        let releases = releases.into_par_iter().map(|release| {
            let id = release.id;
            let held = HeldRelease::new(grid, release).map_err(|error| (id, error))?;
            Ok((FactId::Release(id), Fact::Release(Arc::new(held))))
        });
        let facts: Vec<Result<(FactId, Fact), (Uuid, FactError)>> = hazards.chain(releases).collect();
        let fresh = self.entries.is_empty();
        let mut refused = Vec::new();
        for fact in facts {
            match fact {
                Ok((id, fact)) if fresh => {
                    self.dirty.insert(id);
                    self.entries.insert(id, Entry { fact, cluster: None });
                }
                Ok((id, fact)) => self.put(id, fact),
                Err(refusal) => refused.push(refusal),
            }
        }
        if fresh {
            let boxes = self.entries.iter().flat_map(|(id, entry)| entry.fact.boxes(*id)).collect();
            self.tree = RTree::bulk_load(boxes);
        }
        refused
    }

    /// Number of hazardous areas and releases held.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether figures are those of all facts held.
    pub fn is_settled(&self) -> bool {
        self.dirty.is_empty() && self.dissolved.is_empty()
    }

    /// Facts that do not count, or not with all of their outlines, because cutting them would cost too much; by id.
    pub fn left_out(&self) -> Vec<&LeftOut> {
        let mut found: Vec<&LeftOut> = self.clusters().flat_map(|cluster| &cluster.left_out).collect();
        found.sort_unstable();
        found
    }

    fn put(&mut self, id: FactId, fact: Fact) {
        self.remove(id);
        fact.boxes(id).for_each(|boxed| self.tree.insert(boxed));
        self.entries.insert(id, Entry { fact, cluster: None });
        self.dirty.insert(id);
    }

    fn remove(&mut self, id: FactId) -> bool {
        let Some(entry) = self.entries.remove(&id) else {
            return false;
        };
        for boxed in entry.fact.boxes(id) {
            self.tree.remove(&boxed);
        }
        self.dirty.remove(&id);
        self.dissolved.extend(entry.cluster);
        true
    }

    fn clusters(&self) -> impl Iterator<Item = &Cluster> {
        self.clusters.iter().flatten()
    }
}
