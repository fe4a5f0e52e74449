//! Where a layer has changed last, and where it is dense: by coarse tiles.

use std::collections::HashMap;

use super::TileId;
use super::id::{Bounds, Spot};

/// The finest zoom of the tiles that are kept account of.
pub(super) const COARSE: u8 = 10;
/// More tiles than this at one zoom, and a change counts for all.
const SPREAD: u64 = 4_096;

#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    /// Features that begin in it.
    count: u32,
    /// The place in the log after which nothing in it has changed.
    stamp: i64,
}

/// An account of tiles down to a coarse zoom.
#[derive(Debug, Clone, Default)]
pub(super) struct Buckets {
    tiles: HashMap<TileId, Bucket>,
    /// A change of everything.
    whole: i64,
}

impl Buckets {
    /// Everything has changed.
    pub(super) fn touch_all(&mut self, stamp: i64) {
        self.whole = self.whole.max(stamp);
    }

    /// What is in a box has changed.
    pub(super) fn touch(&mut self, bounds: Bounds, stamp: i64) {
        for z in 0..=COARSE {
            let reach = bounds.widened(TileId::margin(z));
            let ((_, west, north), (_, east, south)) =
                (TileId::at(reach.min, z).zxy(), TileId::at(reach.max, z).zxy());
            if u64::from(east - west + 1) * u64::from(south - north + 1) > SPREAD {
                self.touch_all(stamp);
                return;
            }
            for tile in (west..=east).flat_map(|x| (north..=south).filter_map(move |y| TileId::new(z, x, y)))
            {
                let bucket = self.tiles.entry(tile).or_default();
                bucket.stamp = bucket.stamp.max(stamp);
            }
        }
    }

    /// One more feature there, or one less.
    pub(super) fn count(&mut self, anchor: Spot, more: bool) {
        for z in 0..=COARSE {
            let bucket = self.tiles.entry(TileId::at(anchor, z)).or_default();
            bucket.count = if more { bucket.count + 1 } else { bucket.count.saturating_sub(1) };
        }
    }

    /// The place in the log after which nothing that a tile shows has changed.
    pub(super) fn stamp(&self, tile: TileId) -> i64 {
        let known = self.tiles.get(&tile.within(COARSE)).map_or(0, |bucket| bucket.stamp);
        known.max(self.whole)
    }

    /// The coarsest zoom at which no tile holds more features than `most`; one finer than is kept account of where
    /// there is none.
    pub(super) fn sparse_from(&self, most: u32) -> u8 {
        let dense = self.tiles.iter().filter(|(_, bucket)| bucket.count > most).map(|(tile, _)| tile.zxy().0);
        dense.max().map_or(0, |z| z + 1)
    }
}
