//! Tiles of the matrix set `WebMercatorQuad` (OGC 17-083r4), and the world that they divide.

use std::f64::consts::PI;

use super::{DEEPEST, EXTENT, MARGIN};

/// Bits of a world coordinate: the equator in 2³² steps of 0.9 cm.
pub(super) const BITS: u8 = 32;
/// Bits of a tile's side.
const TILE_BITS: u8 = 12;
const _: () = assert!(EXTENT == 1 << TILE_BITS);
/// Where web Mercator's square world ends, degrees of latitude.
const NORTHERN_EDGE: f64 = 85.051_128_779_806_59;

/// A place in web Mercator: steps east of the antimeridian and south of the northern edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Spot {
    /// Steps east.
    pub x: u32,
    /// Steps south.
    pub y: u32,
}

impl Spot {
    /// The place of a position in degrees; what lies beyond the edges is drawn at them.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to the type's range"
    )]
    pub fn of(lon: f64, lat: f64) -> Self {
        let steps = |part: f64| (part * f64::from(u32::MAX)).clamp(0.0, f64::from(u32::MAX)).round() as u32;
        let phi = lat.clamp(-NORTHERN_EDGE, NORTHERN_EDGE).to_radians();
        let north = (PI / 4.0 + phi / 2.0).tan().ln() / PI;
        Self { x: steps(lon / 360.0 + 0.5), y: steps(0.5 - north / 2.0) }
    }
}

/// A box of the world, edges included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// North-western corner.
    pub min: Spot,
    /// South-eastern corner.
    pub max: Spot,
}

impl Bounds {
    /// The box around some places; nothing without places.
    pub fn around(spots: impl IntoIterator<Item = Spot>) -> Option<Self> {
        let mut spots = spots.into_iter();
        let first = spots.next()?;
        Some(spots.fold(Self { min: first, max: first }, |bounds, spot| Self {
            min: Spot { x: bounds.min.x.min(spot.x), y: bounds.min.y.min(spot.y) },
            max: Spot { x: bounds.max.x.max(spot.x), y: bounds.max.y.max(spot.y) },
        }))
    }

    /// Whether it lies in another.
    pub fn lies_in(&self, other: &Self) -> bool {
        self.min.x >= other.min.x
            && self.max.x <= other.max.x
            && self.min.y >= other.min.y
            && self.max.y <= other.max.y
    }

    /// The box with so many steps more on each side, as far as the world goes.
    #[must_use]
    pub fn widened(&self, steps: u32) -> Self {
        let (less, more) = (|at: u32| at.saturating_sub(steps), |at: u32| at.saturating_add(steps));
        Self {
            min: Spot { x: less(self.min.x), y: less(self.min.y) },
            max: Spot { x: more(self.max.x), y: more(self.max.y) },
        }
    }
}

/// A tile: zoom, column from the west, row from the north.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TileId {
    z: u8,
    x: u32,
    y: u32,
}

impl TileId {
    /// A tile; nothing where there is none of this name.
    pub fn new(z: u8, x: u32, y: u32) -> Option<Self> {
        (z <= DEEPEST && x >> z == 0 && y >> z == 0).then_some(Self { z, x, y })
    }

    /// Zoom, column and row.
    pub fn zxy(self) -> (u8, u32, u32) {
        (self.z, self.x, self.y)
    }

    /// The tile at a zoom that a place lies in.
    pub fn at(spot: Spot, z: u8) -> Self {
        let z = z.min(DEEPEST);
        let part = |at: u32| u32::try_from(u64::from(at) >> (BITS - z)).unwrap_or_default();
        Self { z, x: part(spot.x), y: part(spot.y) }
    }

    /// The tile that holds this one at a coarser zoom.
    #[must_use]
    pub fn within(self, z: u8) -> Self {
        let up = self.z.saturating_sub(z);
        Self { z: self.z - up, x: self.x >> up, y: self.y >> up }
    }

    /// How many binary digits of a world coordinate a unit of the tile swallows.
    pub(super) fn shift(self) -> u8 {
        BITS - TILE_BITS - self.z
    }

    /// The world that the tile shows, its margin included.
    pub fn window(self) -> Bounds {
        let span = BITS - self.z;
        let first = |at: u32| u32::try_from(u64::from(at) << span).unwrap_or(u32::MAX);
        let last = |at: u32| u32::try_from(((u64::from(at) + 1) << span) - 1).unwrap_or(u32::MAX);
        let tile = Bounds {
            min: Spot { x: first(self.x), y: first(self.y) },
            max: Spot { x: last(self.x), y: last(self.y) },
        };
        tile.widened(Self::margin(self.z))
    }

    /// The margin of a zoom's tiles, in steps of the world.
    pub(super) fn margin(z: u8) -> u32 {
        MARGIN << (BITS - TILE_BITS - z.min(DEEPEST))
    }

    /// A place in the tile's own units, from its north-western corner, to the nearest. The far ends of outlines that span
    /// continents are cut off at a quarter of the type's range, so that two places can be taken from one another; they
    /// lie far beyond the margin.
    pub(super) fn unit(self, spot: Spot) -> [i32; 2] {
        const FAR: i64 = 1 << 30;
        let (span, shift) = (BITS - self.z, self.shift());
        let unit = |at: u32, tile: u32| {
            let within = i64::from(at) - (i64::from(tile) << span);
            let half = if shift == 0 { 0 } else { 1_i64 << (shift - 1) };
            let nearest = ((within + half) >> shift).clamp(-FAR + 1, FAR - 1);
            i32::try_from(nearest).unwrap_or_default()
        };
        [unit(spot.x, self.x), unit(spot.y, self.y)]
    }
}
