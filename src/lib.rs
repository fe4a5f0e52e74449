//! Cartagena: the record-keeping backend of a mine-clearance programme.
//!
//! The map of the house; arrows go down only.
//!
//! - [`model`] – what is recorded: kinds, records, mutations; plain types that know nothing else
//! - [`treaty`] – entry into force, clearance deadlines and their extensions, reporting dates

pub mod model;
pub mod treaty;
