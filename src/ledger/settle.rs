//! Recomputing the clusters that changed.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use rayon::prelude::*;

use super::cluster::{Breach, Cluster};
use super::neighbours::{FactId, near, share_ground};
use super::{Fact, Ledger};
use crate::geometry::arrangement::Parts;
use crate::geometry::overlay::OverlayError;

/// Facts per parallel piece of work when looking for neighbours.
const BATCH: usize = 512;

/// What a settling did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// Clusters computed.
    pub clusters: usize,
    /// Facts in them.
    pub facts: usize,
}

impl Ledger {
    /// Recomputes every cluster touched since the last settling, in parallel.
    ///
    /// Fails with the breaches of checks, cluster by cluster. Sound clusters are settled all the same; the members of
    /// broken ones stay out of every figure and are tried again next time.
    pub fn settle(&mut self) -> Result<Settled, Vec<Breach>> {
        let facts = self.affected().map_err(|error| self.unconnected(&error))?;
        let groups = self.connected(&facts).map_err(|error| self.unconnected(&error))?;
        if !groups.is_empty() || !self.dissolved.is_empty() {
            self.turn += 1;
        }
        for cluster in std::mem::take(&mut self.dissolved) {
            self.clusters[cluster] = None;
            self.turns[cluster] = self.turn;
            self.vacant.push(cluster);
        }
        let settled: Vec<Result<Cluster, Breach>> =
            groups.par_iter().map(|members| self.settle_group(members)).collect();
        let report = Settled { clusters: groups.len(), facts: facts.len() };
        let mut breaches = Vec::new();
        for (members, cluster) in groups.iter().zip(settled) {
            match cluster {
                Ok(cluster) => self.house(members, cluster),
                Err(breach) => {
                    self.dirty.extend(members);
                    for id in members {
                        self.entries.get_mut(id).expect("members are entries").cluster = None;
                    }
                    breaches.push(breach);
                }
            }
        }
        if breaches.is_empty() { Ok(report) } else { Err(breaches) }
    }

    fn house(&mut self, members: &[FactId], cluster: Cluster) {
        let place = self.vacant.pop().unwrap_or_else(|| {
            self.clusters.push(None);
            self.turns.push(0);
            self.clusters.len() - 1
        });
        self.clusters[place] = Some(cluster);
        self.turns[place] = self.turn;
        for id in members {
            self.entries.get_mut(id).expect("members are entries").cluster = Some(place);
            self.dirty.remove(id);
        }
    }

    /// Facts without a cluster, and all members of clusters they meet or that lost a member. Sorted.
    fn affected(&mut self) -> Result<Vec<FactId>, OverlayError> {
        let mut facts: BTreeSet<FactId> = self.dirty.clone();
        // From nothing every fact is dirty and no cluster can be met.
        if self.clusters.iter().any(Option::is_some) {
            for id in &self.dirty {
                let met = self.clusters_met(*id)?;
                self.dissolved.extend(met);
            }
        }
        for &place in &self.dissolved {
            let Some(cluster) = &self.clusters[place] else {
                continue;
            };
            let hazards = cluster.hazards.iter().map(|hazard| FactId::Hazard(hazard.id));
            let releases = cluster.releases.iter().map(|release| FactId::Release(release.id));
            facts.extend(hazards.chain(releases).filter(|id| self.entries.contains_key(id)));
            let left_out =
                cluster.left_out.iter().flat_map(|left| [FactId::Hazard(left.id), FactId::Release(left.id)]);
            let here = |id: &FactId| self.entries.get(id).is_some_and(|entry| entry.cluster == Some(place));
            facts.extend(left_out.filter(here));
        }
        Ok(facts.into_iter().collect())
    }

    fn clusters_met(&self, id: FactId) -> Result<Vec<usize>, OverlayError> {
        let mut met = Vec::new();
        for outline in self.entries[&id].fact.outlines() {
            for other in near(&self.tree, &outline) {
                let Some(cluster) = self.entries[&other.fact].cluster else {
                    continue;
                };
                if !met.contains(&cluster) && share_ground(&outline, &other.outline)? {
                    met.push(cluster);
                }
            }
        }
        Ok(met)
    }

    /// Groups facts whose outlines share ground, directly or through others.
    fn connected(&self, facts: &[FactId]) -> Result<Vec<Vec<FactId>>, OverlayError> {
        let index: HashMap<FactId, usize> =
            facts.iter().enumerate().map(|(index, id)| (*id, index)).collect();
        let links: Vec<Vec<(usize, usize)>> = facts
            .par_chunks(BATCH)
            .enumerate()
            .map(|(batch, ids)| self.links(batch * BATCH, ids, &index))
            .collect::<Result<_, _>>()?;
        let mut parts = Parts::new(facts.len());
        for (a, b) in links.into_iter().flatten() {
            parts.join(a, b);
        }
        let mut groups: Vec<Vec<FactId>> = Vec::new();
        let mut group_of: HashMap<usize, usize> = HashMap::new();
        for (position, id) in facts.iter().enumerate() {
            let group = *group_of.entry(parts.find(position)).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            groups[group].push(*id);
        }
        Ok(groups)
    }

    /// Pairs of facts that share ground; pairs that are already connected within the batch are not tested.
    fn links(
        &self,
        first: usize,
        ids: &[FactId],
        index: &HashMap<FactId, usize>,
    ) -> Result<Vec<(usize, usize)>, OverlayError> {
        let mut links = Vec::new();
        let mut local: HashMap<usize, usize> = HashMap::new();
        let mut parts = Parts::new(0);
        for (offset, id) in ids.iter().enumerate() {
            let ours = first + offset;
            for outline in self.entries[id].fact.outlines() {
                for other in near(&self.tree, &outline) {
                    let Some(&theirs) = index.get(&other.fact) else {
                        continue;
                    };
                    if theirs <= ours {
                        continue;
                    }
                    let mut place = |fact| *local.entry(fact).or_insert_with(|| parts.grow());
                    let (a, b) = (place(ours), place(theirs));
                    if parts.find(a) != parts.find(b) && share_ground(&outline, &other.outline)? {
                        parts.join(a, b);
                        links.push((ours, theirs));
                    }
                }
            }
        }
        Ok(links)
    }

    fn settle_group(&self, members: &[FactId]) -> Result<Cluster, Breach> {
        let (mut hazards, mut releases) = (Vec::new(), Vec::new());
        for id in members {
            match &self.entries[id].fact {
                Fact::Hazard(hazard) => hazards.push(Arc::clone(hazard)),
                Fact::Release(release) => releases.push(Arc::clone(release)),
            }
        }
        Cluster::settle(hazards, releases)
    }

    fn unconnected(&self, error: &OverlayError) -> Vec<Breach> {
        let named = |hazard: bool| {
            let ids = self.dirty.iter().filter_map(move |id| match id {
                FactId::Hazard(id) if hazard => Some(*id),
                FactId::Release(id) if !hazard => Some(*id),
                _ => None,
            });
            ids.collect()
        };
        let reason = format!("neighbours could not be found: {error}");
        vec![Breach { hazards: named(true), releases: named(false), reason }]
    }
}
