//! Figures from the records: the live books, and the tables that people read and hand in.
//!
//! Everything here is derived, says up to which place in the log it has read, and can be thrown away.

pub mod article5;
pub mod book;
mod fact;
pub mod features;
mod ground;
mod hazard;
pub mod map;
pub mod ordnance;
mod release;
#[cfg(test)]
mod tests;

pub(crate) use fact::DATES as AREA_DATES;
