//! Which outlines share ground: an R-tree of boxes, then an exact test on the grid.
//!
//! Parcels that only share an edge stay apart, otherwise a country of adjoining parcels would be one cluster.

use std::sync::Arc;

use rstar::{AABB, RTree, RTreeObject};
use uuid::Uuid;

use crate::geometry::contact::contact;
use crate::geometry::exact::{Meeting, winding};
use crate::geometry::overlay::{OverlayError, shared_area};
use crate::geometry::{GridOutline, GridPoint, GridRect, SquareMillimetres};

/// A fact by kind and id; hazards come before releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum FactId {
    Hazard(Uuid),
    Release(Uuid),
}

/// One outline of one fact in the tree.
#[derive(Debug, Clone)]
pub(crate) struct Boxed {
    pub(crate) fact: FactId,
    pub(crate) outline: Arc<GridOutline>,
}

impl PartialEq for Boxed {
    fn eq(&self, other: &Self) -> bool {
        self.fact == other.fact && self.outline == other.outline
    }
}

impl RTreeObject for Boxed {
    type Envelope = AABB<[f64; 2]>;

    fn envelope(&self) -> Self::Envelope {
        envelope(self.outline.rect())
    }
}

#[expect(clippy::cast_precision_loss, reason = "grid coordinates are below 2^35, exact in f64")]
fn envelope(rect: &GridRect) -> AABB<[f64; 2]> {
    let corner = |point: GridPoint| [point.x as f64, point.y as f64];
    AABB::from_corners(corner(rect.min), corner(rect.max))
}

/// Outlines whose boxes touch the box of this one, itself included.
pub(crate) fn near<'a>(tree: &'a RTree<Boxed>, outline: &GridOutline) -> impl Iterator<Item = &'a Boxed> {
    tree.locate_in_envelope_intersecting(&envelope(outline.rect()))
}

/// Whether the interiors of two outlines meet.
pub(crate) fn share_ground(a: &GridOutline, b: &GridOutline) -> Result<bool, OverlayError> {
    if !a.rect().touches(b.rect()) {
        return Ok(false);
    }
    match contact(a, b) {
        Meeting::Cross => Ok(true),
        // Edges that only touch are settled by the overlay; without crossings it rounds nothing.
        Meeting::Touch => Ok(shared_area(a, b)? > SquareMillimetres::ZERO),
        Meeting::Apart => Ok(any_ring_inside(a, b) || any_ring_inside(b, a)),
    }
}

fn any_ring_inside(a: &GridOutline, b: &GridOutline) -> bool {
    a.rings().any(|ring| winding(b, ring[0]) != 0)
}
