//! Faults, done to the compiled server for real: it is killed, cut off, starved and lied to. Whatever happens, what was
//! acknowledged is there exactly once, and what was not is there whole or not at all.
//!
//! `SEED=` replays the random moments of a run, as far as the machine lets it; `FAULT_ROUNDS=` makes it longer.

mod copies;
mod cut;
mod disk;
mod fleet;
mod fuzz;
mod hostile;
mod kill;
mod outage;
mod replica;
mod rush;
mod slow;
mod witness;
