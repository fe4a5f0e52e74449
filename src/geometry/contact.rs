//! How closely the edges of two outlines meet.
//!
//! Ordinary outlines are compared edge by edge. Long ones are swept (after Shamos and Hoey, 1976) in n·log n whatever
//! they look like, so that nobody can make two outlines that only interlock cost 10⁸ comparisons. Both ways are exact
//! and give the same answer.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::ops::Bound;

use super::exact::{GridOutline, GridPoint, GridRect, Meeting, meeting, side};

/// Comparisons from which the sweep is quicker: about 1 ms.
const MANY: usize = 250_000;

type Edge = (GridPoint, GridPoint);

/// The closest way in which edges of two outlines meet.
pub(crate) fn contact(a: &GridOutline, b: &GridOutline) -> Meeting {
    let (ours, theirs) = (within(a, b.rect()), within(b, a.rect()));
    if ours.len().saturating_mul(theirs.len()) < MANY {
        return compared(&ours, theirs);
    }
    swept(&ours, &theirs).unwrap_or_else(|Tangled| compared(&ours, theirs))
}

fn within(outline: &GridOutline, rect: &GridRect) -> Vec<Edge> {
    let inside = |(from, to): &Edge| {
        from.x.max(to.x) >= rect.min.x
            && from.x.min(to.x) <= rect.max.x
            && from.y.max(to.y) >= rect.min.y
            && from.y.min(to.y) <= rect.max.y
    };
    outline.edges().filter(inside).collect()
}

fn compared(ours: &[Edge], mut theirs: Vec<Edge>) -> Meeting {
    theirs.sort_unstable_by_key(|edge| edge.0.x.min(edge.1.x));
    let mut closest = Meeting::Apart;
    for &edge in ours {
        let east = edge.0.x.max(edge.1.x);
        for &other in theirs.iter().take_while(|other| other.0.x.min(other.1.x) <= east) {
            match meeting(edge, other) {
                Meeting::Cross => return Meeting::Cross,
                Meeting::Touch => closest = Meeting::Touch,
                Meeting::Apart => {}
            }
        }
    }
    closest
}

/// Edges of one and the same outline cross: the order of a sweep would not hold.
struct Tangled;

/// An edge under the sweep line. It runs east, or north on one meridian: as if the line leaned a little.
#[derive(Debug, Clone, Copy)]
struct Crossed {
    west: GridPoint,
    east: GridPoint,
    ours: bool,
    number: u32,
}

impl Ord for Crossed {
    /// From south to north. While no two edges cross this does not change as the line moves on, whether they touch or
    /// not: where one begins on the other, its far end decides, and edges on one line are told apart by number.
    fn cmp(&self, other: &Self) -> Ordering {
        let above = |lower: &Self, from: GridPoint, to: GridPoint| {
            let at = |point| side(lower.west, lower.east, point);
            at(from).then_with(|| at(to))
        };
        let order = if self.west <= other.west {
            above(self, other.west, other.east).reverse()
        } else {
            above(other, self.west, self.east)
        };
        order.then(self.number.cmp(&other.number))
    }
}

impl PartialOrd for Crossed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Crossed {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Crossed {}

fn swept(ours: &[Edge], theirs: &[Edge]) -> Result<Meeting, Tangled> {
    let all = ours.iter().map(|&edge| (edge, true)).chain(theirs.iter().map(|&edge| (edge, false)));
    let edges: Vec<Crossed> = (0u32..)
        .zip(all)
        .map(|(number, ((from, to), ours))| Crossed { west: from.min(to), east: from.max(to), ours, number })
        .collect();
    // What ends in a point leaves the line before anything that begins there joins it.
    let mut events: Vec<(GridPoint, bool, u32)> = edges
        .iter()
        .flat_map(|edge| [(edge.east, false, edge.number), (edge.west, true, edge.number)])
        .collect();
    events.sort_unstable();
    let mut line = SweepLine { crossed: BTreeSet::new(), closest: Meeting::Apart };
    for here in events.chunk_by(|a, b| a.0 == b.0) {
        let (ends, starts) = here.split_at(here.partition_point(|event| !event.1));
        line.see_touches(here[0].0, here.iter().map(|event| edges[event.2 as usize].ours));
        for &(_, _, number) in ends {
            line.leave(&edges[number as usize])?;
        }
        for &(_, _, number) in starts {
            line.join(edges[number as usize])?;
        }
        if line.closest == Meeting::Cross {
            break;
        }
    }
    Ok(line.closest)
}

struct SweepLine {
    crossed: BTreeSet<Crossed>,
    closest: Meeting,
}

impl SweepLine {
    /// Notes a vertex that both outlines have, or that one has on an edge of the other. Asked before the edges that
    /// end there leave.
    fn see_touches(&mut self, point: GridPoint, mut owners: impl Iterator<Item = bool>) {
        if self.closest != Meeting::Apart {
            return;
        }
        let Some(first) = owners.next() else {
            return;
        };
        // Of the edges through the point the probe is the northernmost.
        let probe = Crossed { west: point, east: point, ours: first, number: u32::MAX };
        let below = self.crossed.range(..probe).rev();
        let mut through = below.take_while(|edge| side(edge.west, edge.east, point).is_eq());
        if owners.any(|ours| ours != first) || through.any(|edge| edge.ours != first) {
            self.closest = Meeting::Touch;
        }
    }

    fn leave(&mut self, edge: &Crossed) -> Result<(), Tangled> {
        self.crossed.remove(edge);
        let (south, north) = self.beside(edge);
        self.compare(south, north)
    }

    fn join(&mut self, edge: Crossed) -> Result<(), Tangled> {
        let (south, north) = self.beside(&edge);
        self.compare(south, Some(edge))?;
        self.compare(Some(edge), north)?;
        self.crossed.insert(edge);
        Ok(())
    }

    fn beside(&self, edge: &Crossed) -> (Option<Crossed>, Option<Crossed>) {
        let north = self.crossed.range((Bound::Excluded(edge), Bound::Unbounded)).next();
        (self.crossed.range(..edge).next_back().copied(), north.copied())
    }

    /// Two edges that cross first have come to lie side by side before.
    fn compare(&mut self, a: Option<Crossed>, b: Option<Crossed>) -> Result<(), Tangled> {
        let (Some(a), Some(b)) = (a, b) else {
            return Ok(());
        };
        if meeting((a.west, a.east), (b.west, b.east)) == Meeting::Cross {
            if a.ours == b.ours {
                return Err(Tangled);
            }
            self.closest = Meeting::Cross;
        }
        Ok(())
    }
}
