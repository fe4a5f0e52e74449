//! How good a traverse is.

use geo::{Bearing, Distance, Geodesic, Point};
use serde::{Deserialize, Serialize};

use super::{Leg, Traverse};

/// What a programme accepts. Its standard decides; the defaults are those of docs/domain.md §5.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// The smallest ratio accepted: 500 stands for 1:500.
    pub ratio: f64,
    /// Legs longer than this need intermediate points, metres.
    pub leg_without_points_m: f64,
    /// No leg is longer than this, metres: more is a slip of the pen.
    pub longest_leg_m: f64,
}

impl Limits {
    /// Compass and tape or laser: 1:500.
    pub const COMPASS: Self = Self { ratio: 500.0, leg_without_points_m: 50.0, longest_leg_m: 5_000.0 };
    /// Theodolite or total station: 1:1000.
    pub const INSTRUMENT: Self = Self { ratio: 1_000.0, ..Self::COMPASS };
}

impl Default for Limits {
    fn default() -> Self {
        Self::COMPASS
    }
}

/// Something that a person should look at. `leg` counts from 0 over the approach, then the boundary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "flag")]
pub enum Flag {
    /// A long leg without intermediate points cannot be followed on the ground.
    NeedsIntermediatePoints {
        /// Which leg.
        leg: usize,
        /// Its length, metres.
        distance_m: f64,
    },
    /// Longer than any leg is: a fault.
    LegTooLong {
        /// Which leg.
        leg: usize,
        /// Its length, metres.
        distance_m: f64,
    },
    /// A leg of no length: a fault.
    LegWithoutLength {
        /// Which leg.
        leg: usize,
    },
    /// A leg that does not leave the point where the leg before it ended: a fault.
    BrokenChain {
        /// Which leg.
        leg: usize,
        /// Where the leg before it ended.
        expected: String,
        /// What the form says.
        given: String,
    },
    /// The misclosure is too large: a fault, and nothing was adjusted.
    Misclosure {
        /// 1 to how many.
        ratio: f64,
        /// What would have been accepted.
        limit: f64,
    },
    /// The last leg does not return to the start, so that a blunder cannot be seen.
    NotClosed,
}

impl Flag {
    /// Whether the traverse must not be used before somebody has explained it.
    pub fn is_fault(&self) -> bool {
        !matches!(self, Self::NeedsIntermediatePoints { .. } | Self::NotClosed)
    }
}

/// How good a traverse is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TraverseReport {
    /// Sum of the boundary legs, metres.
    pub length_m: f64,
    /// Distance from the computed end to the start, metres; none if the traverse is not closed.
    pub misclosure_m: Option<f64>,
    /// True bearing from the computed end to the start, degrees 0 to 360.
    pub misclosure_bearing_deg: Option<f64>,
    /// Length over misclosure: 1572 stands for 1:1572. None if not closed or without misclosure.
    pub ratio: Option<f64>,
    /// Whether the misclosure was distributed (Bowditch).
    pub adjusted: bool,
    /// Geodesic area of the corners before any adjustment, m².
    pub area_as_walked_m2: f64,
    /// Geodesic area of the outline on WGS 84, m².
    pub area_m2: f64,
    /// What a person should look at.
    pub flags: Vec<Flag>,
}

impl TraverseReport {
    /// Whether no flag is a fault.
    pub fn is_accepted(&self) -> bool {
        !self.flags.iter().any(Flag::is_fault)
    }
}

/// Judges a traverse by its computed boundary points, the start first; the areas are filled in later.
pub(super) fn assess(traverse: &Traverse, points: &[Point<f64>], limits: &Limits) -> TraverseReport {
    let mut flags = Vec::new();
    let legs = traverse.approach.iter().chain(&traverse.boundary);
    for (leg, entry) in legs.enumerate() {
        flag_length(leg, entry, limits, &mut flags);
    }
    flag_chain(traverse, &mut flags);

    let length_m = traverse.boundary.iter().map(|leg| leg.distance_m).sum();
    let mut report = TraverseReport {
        length_m,
        misclosure_m: None,
        misclosure_bearing_deg: None,
        ratio: None,
        adjusted: false,
        area_as_walked_m2: 0.0,
        area_m2: 0.0,
        flags,
    };
    match (traverse.closed, points) {
        (true, &[start, .., end]) => close(&mut report, start, end, limits),
        _ => report.flags.push(Flag::NotClosed),
    }
    report
}

/// A misclosure beyond the limit is a blunder in one leg: distributing it would spoil all the others.
fn close(report: &mut TraverseReport, start: Point<f64>, end: Point<f64>, limits: &Limits) {
    let misclosure = Geodesic.distance(end, start);
    report.misclosure_m = Some(misclosure);
    if misclosure == 0.0 || report.length_m == 0.0 {
        return;
    }
    let ratio = report.length_m / misclosure;
    report.misclosure_bearing_deg = Some(Geodesic.bearing(end, start).rem_euclid(360.0));
    report.ratio = Some(ratio);
    report.adjusted = ratio >= limits.ratio;
    if !report.adjusted {
        report.flags.push(Flag::Misclosure { ratio, limit: limits.ratio });
    }
}

fn flag_length(leg: usize, entry: &Leg, limits: &Limits, flags: &mut Vec<Flag>) {
    let distance_m = entry.distance_m;
    if distance_m > limits.longest_leg_m {
        flags.push(Flag::LegTooLong { leg, distance_m });
    } else if distance_m > limits.leg_without_points_m && entry.intermediate_points == 0 {
        flags.push(Flag::NeedsIntermediatePoints { leg, distance_m });
    } else if distance_m == 0.0 {
        flags.push(Flag::LegWithoutLength { leg });
    }
}

/// Forms are copied by hand: a line left out shows where two names do not meet.
fn flag_chain(traverse: &Traverse, flags: &mut Vec<Flag>) {
    let legs: Vec<&Leg> = traverse.approach.iter().chain(&traverse.boundary).collect();
    for (leg, pair) in legs.windows(2).enumerate() {
        let [before, after] = *pair else { continue };
        if let Some(given) = after.from.as_ref().filter(|given| **given != before.to) {
            let (expected, given) = (before.to.clone(), given.clone());
            flags.push(Flag::BrokenChain { leg: leg + 1, expected, given });
        }
    }
}
