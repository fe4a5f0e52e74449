//! Chance, the same for the same seed; and how bad a seed's world is.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// A source of chance.
pub(crate) struct Dice(StdRng);

impl Dice {
    pub(crate) fn of(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// Another source, whose throws do not disturb this one's.
    pub(crate) fn fork(&mut self) -> Self {
        Self::of(self.0.random())
    }

    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.0.random_bool(probability)
    }

    /// From 0 to below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0.random_range(0..n)
    }

    /// From `low` to `high`, both possible.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        self.0.random_range(low..=high)
    }

    pub(crate) fn pick<'t, T>(&mut self, things: &'t [T]) -> &'t T {
        &things[self.below(things.len())]
    }

    /// Nothing in half of the worlds, up to `most` in the others.
    fn trouble(&mut self, most: f64) -> f64 {
        if self.chance(0.5) { 0.0 } else { self.0.random_range(0.0..most) }
    }
}

/// How often what goes wrong: drawn anew for every seed, so that rare faults meet common ones and calm.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weather {
    /// A request never leaves; or the server fell before it had written anything.
    pub(crate) lose_request: f64,
    /// The answer never arrives; or the server fell after it had written.
    pub(crate) lose_answer: f64,
    /// A request arrives cut off.
    pub(crate) cut_request: f64,
    /// An answer arrives cut off.
    pub(crate) cut_answer: f64,
    /// A part of a file arrives with a wrong byte.
    pub(crate) corrupt: f64,
    /// A request arrives twice.
    pub(crate) twice: f64,
    /// A copy of a request arrives much later, after others.
    pub(crate) late: f64,
    /// The battery goes flat at a request.
    pub(crate) flat: f64,
    /// At a step, a server falls and comes back.
    pub(crate) fall: f64,
    /// At a step, a server or a tablet gets the newest program.
    pub(crate) renew: f64,
    /// At a step, a server is restored from an old copy.
    pub(crate) restore: f64,
    /// At a step, a device is revoked.
    pub(crate) revoke: f64,
    /// At a step, a tablet's disk is full until it is emptied.
    pub(crate) full: f64,
    /// At a step, a tablet follows something else.
    pub(crate) rescope: f64,
    /// At a step, a tablet goes to another server.
    pub(crate) roam: f64,
    /// At a step, a camp is lost for ever and set up again from nothing.
    pub(crate) lose_camp: f64,
    /// At a step, a tablet is thrown away once the nation has everything of it.
    pub(crate) scrap: f64,
    /// How wrong a tablet's clock may be, years.
    pub(crate) skew_years: i64,
}

impl Weather {
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        Self {
            lose_request: dice.trouble(0.3),
            lose_answer: dice.trouble(0.3),
            cut_request: dice.trouble(0.05),
            cut_answer: dice.trouble(0.1),
            corrupt: dice.trouble(0.2),
            twice: dice.trouble(0.2),
            late: dice.trouble(0.1),
            flat: dice.trouble(0.05),
            fall: dice.trouble(0.05),
            renew: dice.trouble(0.05),
            restore: dice.trouble(0.03),
            revoke: dice.trouble(0.02),
            full: dice.trouble(0.03),
            rescope: dice.trouble(0.05),
            roam: dice.trouble(0.04),
            lose_camp: dice.trouble(0.15),
            scrap: dice.trouble(0.5),
            skew_years: if dice.chance(0.5) { 0 } else { dice.between(1, 40) },
        }
    }

    /// Nothing goes wrong.
    pub(crate) fn fair() -> Self {
        Self {
            lose_request: 0.0,
            lose_answer: 0.0,
            cut_request: 0.0,
            cut_answer: 0.0,
            corrupt: 0.0,
            twice: 0.0,
            late: 0.0,
            flat: 0.0,
            fall: 0.0,
            renew: 0.0,
            restore: 0.0,
            revoke: 0.0,
            full: 0.0,
            rescope: 0.0,
            roam: 0.0,
            lose_camp: 0.0,
            scrap: 0.0,
            skew_years: 0,
        }
    }
}
