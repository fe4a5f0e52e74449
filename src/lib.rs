//! The record-keeping backend of a mine-clearance programme: a map of the house.

pub mod geometry;
pub mod ledger;
