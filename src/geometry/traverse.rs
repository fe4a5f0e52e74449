//! Bearing-and-distance traverses: how a hazardous area is measured where nobody may walk into it.
//!
//! Landmark (safe to reach) → benchmark → start point → turning points → back to the start.
//!
//! 1. Each bearing is turned to true north: `true = magnetic + declination`,
//!    `true = grid + convergence`.
//! 2. Points are set one after the other by the geodesic direct problem on WGS 84 (Karney 2013).
//! 3. The misclosure, the way from the computed end back to the start, is compared with the length
//!    walked and, if it is small enough, distributed in proportion to it (Bowditch).
//!
//! The form as entered is kept beside the result. A bad traverse is computed and flagged, never
//! dropped; only one that has no outline at all is an error.

mod report;
#[cfg(test)]
mod tests;

use geo::{Bearing, Destination, Distance, Geodesic, GeodesicArea, LineString, Point, Polygon, Winding};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::coordinate::Position;
pub use report::{Flag, Limits, TraverseReport};

/// Which north the bearings of a form count from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum North {
    /// The compass needle's.
    Magnetic,
    /// The meridian's.
    True,
    /// The map grid's.
    Grid,
}

/// One leg as written on the form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Leg {
    /// Name of the point it leaves, if the form has that column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Name of the point it reaches, e.g. `TP1`.
    pub to: String,
    /// Degrees clockwise from the form's north.
    pub bearing_deg: f64,
    /// Metres on the ground, horizontal.
    pub distance_m: f64,
    /// How many intermediate points are marked along it.
    #[serde(default)]
    pub intermediate_points: u32,
}

/// A traverse as entered: nothing here is computed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Traverse {
    /// Where the first leg begins: a landmark that is safe to reach, or the start point itself.
    pub landmark: Position,
    /// Which north the bearings count from.
    pub bearing_reference: North,
    /// Magnetic declination, degrees, east positive.
    #[serde(default)]
    pub declination_deg: f64,
    /// Grid convergence, degrees, east positive.
    #[serde(default)]
    pub convergence_deg: f64,
    /// Legs from the landmark to the start point, by the benchmark; empty if it is the landmark.
    #[serde(default)]
    pub approach: Vec<Leg>,
    /// Legs around the area, from the start point.
    pub boundary: Vec<Leg>,
    /// Whether the last boundary leg leads back to the start. Without it there is no misclosure.
    #[serde(default = "yes")]
    pub closed: bool,
}

fn yes() -> bool {
    true
}

/// A named point and where it came to lie.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Placed {
    /// Name as on the form.
    pub name: String,
    /// Position on WGS 84.
    pub position: Position,
}

/// What a traverse comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    /// Benchmark and further points of the approach, in order; the last one is the start.
    pub approach: Vec<Placed>,
    /// Corners in the order walked, the start first, not repeated at the end.
    pub corners: Vec<Placed>,
    /// The area, counter-clockwise and closed as in RFC 7946.
    pub polygon: Polygon<f64>,
    /// How good it is.
    pub report: TraverseReport,
}

/// Why a traverse has no outline at all.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum TraverseError {
    /// The landmark lies nowhere on earth.
    #[error("the landmark {}, {} is not a position", .0.lat, .0.lon)]
    Landmark(Position),
    /// A number that is infinite or not a number, or a distance below zero.
    #[error("leg {leg}: {value} is not a bearing or a distance")]
    Number {
        /// Counted from 0 over the approach and then the boundary.
        leg: usize,
        /// What stands there.
        value: f64,
    },
    /// Declination or convergence is not a number of degrees.
    #[error("{0} is not a declination or a convergence")]
    North(f64),
    /// Fewer than three corners.
    #[error("an area needs three corners; the legs give {0}")]
    TooFewCorners(usize),
}

impl Traverse {
    /// `true bearing = bearing + turn` for this form, degrees.
    pub fn turn_to_true(&self) -> f64 {
        match self.bearing_reference {
            North::Magnetic => self.declination_deg,
            North::True => 0.0,
            North::Grid => self.convergence_deg,
        }
    }

    /// `grid = magnetic + declination − convergence`, for a form's bearing, degrees 0 to 360.
    pub fn grid_bearing(&self, bearing_deg: f64) -> f64 {
        (bearing_deg + self.turn_to_true() - self.convergence_deg).rem_euclid(360.0)
    }

    /// Computes the outline and says how good it is.
    ///
    /// # Errors
    /// Only where there is no outline: see [`TraverseError`]. All else is flagged in the report.
    pub fn compute(&self, limits: &Limits) -> Result<Outline, TraverseError> {
        self.check_numbers()?;
        let corners = self.boundary.len() + usize::from(!self.closed);
        if corners < 3 {
            return Err(TraverseError::TooFewCorners(corners));
        }
        let approach = self.walk(Point::from(self.landmark), &self.approach);
        let start = approach.last().copied().unwrap_or_else(|| self.landmark.into());
        let mut points = vec![start];
        points.extend(self.walk(start, &self.boundary));

        let mut report = report::assess(self, &points, limits);
        report.area_as_walked_m2 = polygon(&points[..corners]).geodesic_area_signed().abs();
        if self.closed {
            if report.adjusted {
                self.distribute(&mut points);
            }
            points.pop();
        }
        let polygon = polygon(&points);
        report.area_m2 = polygon.geodesic_area_signed().abs();
        Ok(Outline {
            approach: place(&self.approach, approach.into_iter()),
            corners: self.name_corners(&points),
            polygon,
            report,
        })
    }

    fn check_numbers(&self) -> Result<(), TraverseError> {
        if !self.landmark.is_on_earth() {
            return Err(TraverseError::Landmark(self.landmark));
        }
        for turn in [self.declination_deg, self.convergence_deg] {
            if !turn.is_finite() || turn.abs() > 180.0 {
                return Err(TraverseError::North(turn));
            }
        }
        for (leg, entry) in self.approach.iter().chain(&self.boundary).enumerate() {
            let bearing = entry.bearing_deg;
            if !bearing.is_finite() || bearing.abs() > 360.0 {
                return Err(TraverseError::Number { leg, value: bearing });
            }
            let distance = entry.distance_m;
            if !distance.is_finite() || distance < 0.0 {
                return Err(TraverseError::Number { leg, value: distance });
            }
        }
        Ok(())
    }

    fn walk(&self, from: Point<f64>, legs: &[Leg]) -> Vec<Point<f64>> {
        let turn = self.turn_to_true();
        legs.iter()
            .scan(from, |here, leg| {
                *here = Geodesic.destination(*here, leg.bearing_deg + turn, leg.distance_m);
                Some(*here)
            })
            .collect()
    }

    /// Bowditch: each point moves along the misclosure in proportion to the length walked so far.
    fn distribute(&self, points: &mut [Point<f64>]) {
        let (Some(&start), Some(&end)) = (points.first(), points.last()) else { return };
        let misclosure = Geodesic.distance(end, start);
        let direction = Geodesic.bearing(end, start);
        let length: f64 = self.boundary.iter().map(|leg| leg.distance_m).sum();
        let mut walked = 0.0;
        for (point, leg) in points[1..].iter_mut().zip(&self.boundary) {
            walked += leg.distance_m;
            *point = Geodesic.destination(*point, direction, misclosure * walked / length);
        }
    }

    fn name_corners(&self, points: &[Point<f64>]) -> Vec<Placed> {
        let named = self.boundary.first().and_then(|leg| leg.from.clone());
        let reached = self.approach.last().map(|leg| leg.to.clone());
        let start = named.or(reached).unwrap_or_else(|| "SP".to_owned());
        let mut corners = vec![Placed { name: start, position: points[0].into() }];
        corners.extend(place(&self.boundary, points[1..].iter().copied()));
        corners
    }
}

fn place(legs: &[Leg], points: impl Iterator<Item = Point<f64>>) -> Vec<Placed> {
    legs.iter()
        .zip(points)
        .map(|(leg, point)| Placed { name: leg.to.clone(), position: point.into() })
        .collect()
}

fn polygon(points: &[Point<f64>]) -> Polygon<f64> {
    let mut ring = LineString::from(points.to_vec());
    ring.close();
    ring.make_ccw_winding();
    Polygon::new(ring, Vec::new())
}
