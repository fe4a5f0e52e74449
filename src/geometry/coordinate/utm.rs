//! Universal Transverse Mercator on WGS 84, by Krüger's series to the sixth order in the third
//! flattening (Karney 2011, "Transverse Mercator with an accuracy of a few nanometers").

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{CoordinateError, Position};

const SEMI_MAJOR: f64 = 6_378_137.0;
const FLATTENING: f64 = 1.0 / 298.257_223_563;
const SCALE: f64 = 0.9996;
const FALSE_EASTING: f64 = 500_000.0;
const FALSE_NORTHING: f64 = 10_000_000.0;
/// Southern end of every zone's grid, degrees.
pub const LOWEST_LAT: f64 = -80.0;
/// Northern end of every zone's grid, degrees.
pub const HIGHEST_LAT: f64 = 84.0;
/// How far from its meridian positions are placed on a zone's grid, degrees.
pub const REACH_DEG: f64 = 30.0;
/// What lies on the edge may be beyond it by what was rounded.
const EDGE_DEG: f64 = 1e-9;
/// Metres within which there and back again is the same place.
const SAME_M: f64 = 0.001;
/// Third flattening.
const N: f64 = FLATTENING / (2.0 - FLATTENING);
/// 2πA is the circumference of a meridian.
const RECTIFYING_RADIUS: f64 =
    SEMI_MAJOR / (1.0 + N) * (1.0 + N * N / 4.0 + N * N * N * N / 64.0 + N * N * N * N * N * N / 256.0);

/// Coefficients of n, n² … n⁶ in the forward series, one row for each multiple of the angle.
const ALPHA: [[f64; 6]; 6] = [
    [1. / 2., -2. / 3., 5. / 16., 41. / 180., -127. / 288., 7_891. / 37_800.],
    [0., 13. / 48., -3. / 5., 557. / 1_440., 281. / 630., -1_983_433. / 1_935_360.],
    [0., 0., 61. / 240., -103. / 140., 15_061. / 26_880., 167_603. / 181_440.],
    [0., 0., 0., 49_561. / 161_280., -179. / 168., 6_601_661. / 7_257_600.],
    [0., 0., 0., 0., 34_729. / 80_640., -3_418_889. / 1_995_840.],
    [0., 0., 0., 0., 0., 212_378_941. / 319_334_400.],
];

/// The same for the inverse series.
const BETA: [[f64; 6]; 6] = [
    [1. / 2., -2. / 3., 37. / 96., -1. / 360., -81. / 512., 96_199. / 604_800.],
    [0., 1. / 48., 1. / 15., -437. / 1_440., 46. / 105., -1_118_711. / 3_870_720.],
    [0., 0., 17. / 480., -37. / 840., -209. / 4_480., 5_569. / 90_720.],
    [0., 0., 0., 4_397. / 161_280., -11. / 504., -830_251. / 7_257_600.],
    [0., 0., 0., 0., 4_583. / 161_280., -108_847. / 3_991_680.],
    [0., 0., 0., 0., 0., 20_648_693. / 638_668_800.],
];

/// The series' coefficients at WGS 84's flattening.
fn series(table: &[[f64; 6]; 6]) -> [f64; 6] {
    table.map(|row| row.iter().rev().fold(0.0, |sum, coefficient| (sum + coefficient) * N))
}

/// A position on the UTM grid.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Utm {
    /// 1 to 60.
    pub zone: u8,
    /// Whether north of the equator; south of it northings count from −10 000 km.
    pub north: bool,
    /// Metres; 500 000 at the central meridian.
    pub easting: f64,
    /// Metres.
    pub northing: f64,
}

/// The zone that a position belongs to, with the exceptions of Norway and Svalbard.
pub fn utm_zone(position: Position) -> u8 {
    let Position { lon, lat } = position;
    if (56.0..64.0).contains(&lat) && (3.0..12.0).contains(&lon) {
        return 32;
    }
    if lat >= 72.0 && (0.0..42.0).contains(&lon) {
        return match lon {
            lon if lon < 9.0 => 31,
            lon if lon < 21.0 => 33,
            lon if lon < 33.0 => 35,
            _ => 37,
        };
    }
    let sixth = ((lon + 180.0) / 6.0).floor().clamp(0.0, 59.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=59")]
    let zone = sixth as u8 + 1;
    zone
}

/// The longitude of a zone's middle.
pub fn central_meridian(zone: u8) -> f64 {
    f64::from(zone) * 6.0 - 183.0
}

/// The point on the conformal sphere, unrolled: what both the grid and its convergence start from.
struct Conformal {
    tau: f64,
    lambda: f64,
    xi: f64,
    eta: f64,
}

impl Conformal {
    fn new(position: Position, zone: u8) -> Self {
        let turn = position.lon - central_meridian(zone);
        let lambda = (turn - 360.0 * (turn / 360.0).round()).to_radians();
        let tau = conformal_tangent(position.lat.to_radians().tan());
        Self {
            tau,
            lambda,
            xi: tau.atan2(lambda.cos()),
            eta: (lambda.sin() / tau.hypot(lambda.cos())).asinh(),
        }
    }
}

fn eccentricity() -> f64 {
    (FLATTENING * (2.0 - FLATTENING)).sqrt()
}

/// Tangent of the conformal latitude from that of the geographic one.
fn conformal_tangent(tau: f64) -> f64 {
    let e = eccentricity();
    let sigma = (e * (e * tau / tau.hypot(1.0)).atanh()).sinh();
    tau * sigma.hypot(1.0) - sigma * tau.hypot(1.0)
}

/// The way back, by Newton's method: four steps reach the last bit anywhere on the ellipsoid.
fn geographic_tangent(conformal: f64) -> f64 {
    let e2 = eccentricity().powi(2);
    let mut tau = conformal;
    for _ in 0..5 {
        let tried = conformal_tangent(tau);
        tau += (conformal - tried) / tried.hypot(1.0) * (1.0 + (1.0 - e2) * tau * tau)
            / ((1.0 - e2) * tau.hypot(1.0));
    }
    tau
}

/// Angle from true north to grid north at a position, degrees, east positive.
/// `true bearing = grid bearing + convergence`.
pub fn convergence_deg(position: Position, zone: u8) -> f64 {
    let point = Conformal::new(position, zone);
    let (mut p, mut q) = (1.0, 0.0);
    for (j, alpha) in (1_u8..).zip(series(&ALPHA)) {
        let k = 2.0 * f64::from(j);
        p += k * alpha * (k * point.xi).cos() * (k * point.eta).cosh();
        q += k * alpha * (k * point.xi).sin() * (k * point.eta).sinh();
    }
    let sphere = (point.tau / point.tau.hypot(1.0) * point.lambda.tan()).atan();
    (sphere + q.atan2(p)).to_degrees()
}

impl Utm {
    /// A position on the grid of its own zone.
    ///
    /// # Errors
    /// [`CoordinateError::OutsideUtm`] beyond 80° S or 84° N.
    pub fn from_position(position: Position) -> Result<Self, CoordinateError> {
        Self::in_zone(position, utm_zone(position))
    }

    /// A position on the grid of a given zone, which need not be its own.
    ///
    /// # Errors
    /// Beyond 80° S or 84° N, more than 30° from the zone's meridian, or no such zone.
    pub fn in_zone(position: Position, zone: u8) -> Result<Self, CoordinateError> {
        if !(1..=60).contains(&zone) {
            return Err(CoordinateError::Zone(zone.into()));
        }
        let latitudes = LOWEST_LAT - EDGE_DEG..=HIGHEST_LAT + EDGE_DEG;
        if !position.is_on_earth() || !latitudes.contains(&position.lat) {
            return Err(CoordinateError::OutsideUtm);
        }
        let point = Conformal::new(position, zone);
        if point.lambda.to_degrees().abs() > REACH_DEG + EDGE_DEG {
            return Err(CoordinateError::OutsideUtm);
        }
        let (mut xi, mut eta) = (point.xi, point.eta);
        for (j, alpha) in (1_u8..).zip(series(&ALPHA)) {
            let k = 2.0 * f64::from(j);
            xi += alpha * (k * point.xi).sin() * (k * point.eta).cosh();
            eta += alpha * (k * point.xi).cos() * (k * point.eta).sinh();
        }
        let north = position.lat >= 0.0;
        let origin = if north { 0.0 } else { FALSE_NORTHING };
        Ok(Self {
            zone,
            north,
            easting: FALSE_EASTING + SCALE * RECTIFYING_RADIUS * eta,
            northing: origin + SCALE * RECTIFYING_RADIUS * xi,
        })
    }

    /// Where on WGS 84 it is. A coordinate that somebody typed is taken only near its own zone: farther away it is a slip.
    ///
    /// # Errors
    /// No such zone, or an easting or northing that no position has on the grid of its own zone.
    pub fn to_position(self) -> Result<Position, CoordinateError> {
        let plausible =
            (0.0..=1_000_000.0).contains(&self.easting) && (0.0..=FALSE_NORTHING).contains(&self.northing);
        if (1..=60).contains(&self.zone) && !plausible {
            return Err(CoordinateError::OutsideUtm);
        }
        self.located()
    }

    /// Where on WGS 84 it is, as far as [`Utm::in_zone`] goes: what a program computed lies beside the zone too.
    ///
    /// # Errors
    /// No such zone, or no position has this place on its grid.
    pub fn to_position_in_zone(self) -> Result<Position, CoordinateError> {
        let position = self.located()?;
        let there = Self::in_zone(position, self.zone)?;
        // Far from the meridian the series ends up anywhere, and beyond a pole on its other side.
        let origin = |north: bool| if north { 0.0 } else { FALSE_NORTHING };
        let north_by = (there.northing - origin(there.north)) - (self.northing - origin(self.north));
        let returns = (there.easting - self.easting).hypot(north_by) < SAME_M;
        if returns { Ok(position) } else { Err(CoordinateError::OutsideUtm) }
    }

    /// The inverse series, wherever it leads.
    fn located(self) -> Result<Position, CoordinateError> {
        if !(1..=60).contains(&self.zone) {
            return Err(CoordinateError::Zone(self.zone.into()));
        }
        let origin = if self.north { 0.0 } else { FALSE_NORTHING };
        let xi = (self.northing - origin) / (SCALE * RECTIFYING_RADIUS);
        let eta = (self.easting - FALSE_EASTING) / (SCALE * RECTIFYING_RADIUS);
        let (mut sphere_xi, mut sphere_eta) = (xi, eta);
        for (j, beta) in (1_u8..).zip(series(&BETA)) {
            let k = 2.0 * f64::from(j);
            sphere_xi -= beta * (k * xi).sin() * (k * eta).cosh();
            sphere_eta -= beta * (k * xi).cos() * (k * eta).sinh();
        }
        let tau = geographic_tangent(sphere_xi.sin() / sphere_eta.sinh().hypot(sphere_xi.cos()));
        let lambda = sphere_eta.sinh().atan2(sphere_xi.cos());
        let lon = central_meridian(self.zone) + lambda.to_degrees();
        Ok(Position::new(lon - 360.0 * (lon / 360.0).round(), tau.atan().to_degrees()))
    }

    /// Reads `48N 489096.36 1276796.21`, `48P …`, `zone 48 north E 489 096.36 N 1 276 796.21` or
    /// `48N 489096mE 1276796mN`.
    ///
    /// # Errors
    /// What is missing, out of range, or may mean two things.
    pub fn parse(text: &str) -> Result<Self, CoordinateError> {
        let (number, letter, rest) = head(text).ok_or(CoordinateError::NotTwoValues(0))?;
        let zone = u8::try_from(number).ok().filter(|zone| (1..=60).contains(zone));
        let zone = zone.ok_or(CoordinateError::Zone(number))?;
        let (easting, northing) = values(&rest)?;
        let north = match letter {
            Hemisphere::North => true,
            Hemisphere::Band('S') if (3_500_000.0..=4_450_000.0).contains(&northing) => {
                return Err(CoordinateError::AmbiguousS);
            }
            Hemisphere::South | Hemisphere::Band('S') => false,
            Hemisphere::Band(band @ ('C'..='H' | 'J'..='N' | 'P'..='X')) => band >= 'N',
            Hemisphere::Band(other) => return Err(CoordinateError::Band(other)),
        };
        Ok(Self { zone, north, easting, northing })
    }
}

impl fmt::Display for Utm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let half = if self.north { "N" } else { "S" };
        write!(out, "{}{half} {:.2} {:.2}", self.zone, self.easting, self.northing)
    }
}

enum Hemisphere {
    North,
    South,
    Band(char),
}

/// Zone and hemisphere at the beginning of a text, and what follows them.
fn head(text: &str) -> Option<(u32, Hemisphere, String)> {
    let upper = text.to_uppercase();
    let mut rest = upper.trim_start();
    for word in ["UTM", "ZONE"] {
        rest = rest.strip_prefix(word).unwrap_or(rest).trim_start();
    }
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if !(1..=2).contains(&digits) {
        return None;
    }
    let zone = rest[..digits].parse().ok()?;
    let rest = rest[digits..].trim_start();
    let letters = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
    let (word, rest) = rest.split_at(letters);
    let hemisphere = match word {
        "NORTH" => Hemisphere::North,
        "SOUTH" => Hemisphere::South,
        word if word.len() == 1 => Hemisphere::Band(word.chars().next()?),
        _ => return None,
    };
    Some((zone, hemisphere, rest.trim_start_matches([',', ' ']).to_owned()))
}

/// A zone and a letter, then something that is far too long to be degrees. `48N 104E` is degrees.
pub(super) fn looks_like(text: &str) -> bool {
    let Some((_, _, rest)) = head(text) else { return false };
    !rest.contains(['°', '\'', '"']) && values(&rest).is_ok_and(|(_, northing)| northing > 180.0)
}

/// Easting and northing: `E 489 096 N 1 276 796`, `489096mE 1276796mN` or two plain numbers.
fn values(rest: &str) -> Result<(f64, f64), CoordinateError> {
    let labels: Vec<(usize, char)> = rest.char_indices().filter(|(_, c)| matches!(c, 'E' | 'N')).collect();
    let [easting, northing] = match labels[..] {
        [] => {
            let words: Vec<&str> =
                rest.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty()).collect();
            words.try_into().map_err(|words: Vec<_>| CoordinateError::NotTwoValues(words.len()))?
        }
        [(0, 'E'), (second, 'N')] => [&rest[1..second], &rest[second + 1..]],
        [(first, 'E'), (second, 'N')] => [&rest[..first], &rest[first + 1..second]],
        _ => return Err(CoordinateError::NotTwoValues(labels.len())),
    };
    let number = |word: &str| {
        let plain: String = word.chars().filter(|c| !c.is_whitespace() && !matches!(c, 'M' | ',')).collect();
        plain.parse().map_err(|_nan| CoordinateError::Number(word.trim().to_owned()))
    };
    Ok((number(easting)?, number(northing)?))
}
