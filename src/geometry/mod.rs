//! Outlines of ground: canonical form, validity and proposed repair, geodesic measures, the programme's equal-area
//! grid, and exact overlay on it.
//!
//! Pure: no store, no clock, no files. Two worlds meet here and must not be mixed. In the world of *coordinates*
//! (WGS 84 longitude and latitude, `f64`, the types of `geo`) outlines are read, checked, shown and measured
//! geodesically. In the world of the *grid* (whole millimetres, `i64`) they are overlaid and counted; every area
//! that is added to another area comes from there, as an exact integer.
//!
//! An edge is **straight on the grid**. That differs from an edge straight in longitude and latitude by
//! L²·tan φ/(8R), 1 mm for 250 m at 45°; the figure to quote is "area on the WGS 84 ellipsoid, national equal-area
//! grid".

pub mod arrangement;
mod bins;
pub(crate) mod contact;
pub mod coordinate;
pub(crate) mod crossing;
pub mod display;
pub(crate) mod effort;
pub mod exact;
pub mod fault;
pub mod grid;
pub mod measure;
pub mod outline;
pub mod overlay;
pub mod repair;
pub mod shape;
mod snap;
#[cfg(test)]
pub(crate) mod tests;
pub mod traverse;
pub mod validity;

pub use arrangement::{Arrangement, Region};
pub use exact::{GridOutline, GridPoint, GridRect, SquareMillimetres};
pub use fault::{Fault, FaultKind, Place};
pub use grid::{Grid, GridError};
pub use outline::{Extent, Limits, Outline};
pub use overlay::OverlayError;
