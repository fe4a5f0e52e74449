//! Vector tiles: features projected once, found by an R-tree, simplified, clipped and written as MVT 2.1.
//!
//! Pure: it knows neither records nor the ledger, the database nor the web. Whoever fills a [`Layer`] says which
//! features are there and who may see each; whoever asks for a tile says for whom. Tiles are for showing, never for
//! counting.
//!
//! Two rules come from what is shown. **Nothing is dropped for being small**: ground of less than a dot is drawn as a
//! dot, because what is not on a map is taken for clear. And where a tile would hold too much to be drawn in time, an
//! **overview** stands for it: every cell that any ground touches, the gravest class of it, and how
//! many there are.

mod bucket;
mod clip;
pub mod feature;
pub mod id;
mod layer;
mod overview;
mod pen;
pub mod shape;
#[cfg(test)]
mod tests;

pub use feature::{Feature, Field, Tag};
pub use id::TileId;
pub use layer::{Layer, Legend};
pub use shape::Shape;

/// Units of a tile's side.
pub const EXTENT: u32 = 4_096;
/// Units beyond a tile's edges that are drawn too, so that lines and patterns go on across them.
pub const MARGIN: u32 = 64;
/// The finest zoom that is worth asking for: a unit of it is 15 cm at the equator. Maps show it larger from there on.
pub const FINEST: u8 = 16;
/// The finest zoom that is answered.
pub const DEEPEST: u8 = 20;
