//! The rules of sync, without I/O, clock, randomness or database (docs/sync.md §7–8).
//!
//! The server, the relay and the client library all call these functions; what they need to
//! know and what they want written goes through [`Memory`].

pub mod apply;
pub mod digest;
pub mod follow;
pub mod held;
mod judge;
pub mod memory;
pub mod merge;
pub mod rebase;
pub mod wire;

pub use apply::apply_txn;
pub use digest::Digest;
pub use memory::{Answer, Memory, Problem, Received, Standing};
