//! Coordinates as people write them: decimal degrees, degrees-minutes-seconds, UTM and MGRS.
//!
//! All on WGS 84. What cannot be read for certain is an error that says why, never a guess: a guess
//! of the hemisphere or of the order moves a minefield by hundreds of kilometres.

mod angle;
mod mgrs;
#[cfg(test)]
mod tests;
mod utm;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use mgrs::to_mgrs;
pub use utm::{HIGHEST_LAT, LOWEST_LAT, REACH_DEG, Utm, central_meridian, convergence_deg, utm_zone};

/// A position on WGS 84 in degrees; in JSON `[longitude, latitude]`, as in GeoJSON.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f64; 2]", into = "[f64; 2]")]
pub struct Position {
    /// Degrees east of Greenwich, −180 to 180.
    pub lon: f64,
    /// Degrees north of the equator, −90 to 90.
    pub lat: f64,
}

impl Position {
    /// A position from degrees east and north.
    pub const fn new(lon: f64, lat: f64) -> Self {
        Self { lon, lat }
    }

    /// Whether both numbers are finite and in range.
    pub fn is_on_earth(self) -> bool {
        self.lon.abs() <= 180.0 && self.lat.abs() <= 90.0
    }
}

impl From<[f64; 2]> for Position {
    fn from([lon, lat]: [f64; 2]) -> Self {
        Self { lon, lat }
    }
}

impl From<Position> for [f64; 2] {
    fn from(position: Position) -> Self {
        [position.lon, position.lat]
    }
}

impl From<Position> for geo::Point<f64> {
    fn from(position: Position) -> Self {
        Self::new(position.lon, position.lat)
    }
}

impl From<geo::Point<f64>> for Position {
    fn from(point: geo::Point<f64>) -> Self {
        Self { lon: point.x(), lat: point.y() }
    }
}

/// Which number comes first where no letter says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AxisOrder {
    /// Latitude, longitude: how people speak and most devices show it.
    LatLon,
    /// Longitude, latitude: GeoJSON and most spreadsheets with columns x and y.
    LonLat,
}

/// How a coordinate was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notation {
    /// `11.55, 104.9` or `11.55N 104.9E`.
    DecimalDegrees,
    /// `11°33'00.0"N 104°54'00.0"E`, or with minutes only.
    DegreesMinutesSeconds,
    /// `48N 489096.36 1276796.21`.
    Utm,
    /// `48PVT8909676796`.
    Mgrs,
}

/// A coordinate that has been read.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Parsed {
    /// Where it is.
    pub position: Position,
    /// How it was written.
    pub notation: Notation,
}

/// Why a text is not a coordinate.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum CoordinateError {
    /// Nothing to read.
    #[error("no coordinate given")]
    Empty,
    /// A character that belongs to no notation.
    #[error("{0:?} does not belong to a coordinate")]
    UnexpectedCharacter(char),
    /// Something that should be a number.
    #[error("{0:?} is not a number")]
    Number(String),
    /// Not two values.
    #[error("two values are needed, {0} found; mark degrees with ° or give N, S, E and W")]
    NotTwoValues(usize),
    /// Two latitudes or two longitudes.
    #[error("one value must be a latitude (N or S), the other a longitude (E or W)")]
    SameAxisTwice,
    /// A negative number with a letter: one of both is wrong.
    #[error("a sign and a letter contradict each other; give only one of them")]
    SignAndLetter,
    /// 60 minutes or more, or 60 seconds or more.
    #[error("{0} is not below 60; minutes and seconds are")]
    SixtyOrMore(f64),
    /// Minutes after decimal degrees, or degrees marked as minutes.
    #[error("degrees, minutes and seconds are out of order")]
    PartsOutOfOrder,
    /// A comma that may separate or mark decimals.
    #[error("a comma between digits may mean two things; separate the values with a space")]
    AmbiguousComma,
    /// Beyond the poles or the antimeridian.
    #[error("{0} is out of range: latitude −90 to 90, longitude −180 to 180")]
    OutOfRange(f64),
    /// No such UTM zone.
    #[error("UTM zone {0} does not exist; 1 to 60 do")]
    Zone(u32),
    /// Not a latitude band.
    #[error("{0:?} is not a latitude band")]
    Band(char),
    /// `S` is both the southern hemisphere and the band of 32° to 40° north.
    #[error("S may mean south or the band 32° to 40° north here; write `south` or `north`")]
    AmbiguousS,
    /// Outside what UTM covers: 80° S to 84° N, and near its zone.
    #[error("outside the UTM grid")]
    OutsideUtm,
    /// A grid square that its zone or its band does not have.
    #[error("{0} is not a 100 km square of its zone and band")]
    Square(String),
    /// An odd number of digits, or more than ten.
    #[error("MGRS digits come in pairs, at most five each; {0} found")]
    Digits(usize),
}

/// Reads a coordinate in any notation.
///
/// # Errors
/// Why the text is not a coordinate, or why it may mean two things.
pub fn parse(text: &str, order: AxisOrder) -> Result<Parsed, CoordinateError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(CoordinateError::Empty);
    }
    if mgrs::looks_like(text) {
        return Ok(Parsed { position: mgrs::parse(text)?, notation: Notation::Mgrs });
    }
    if utm::looks_like(text) {
        return Ok(Parsed { position: Utm::parse(text)?.to_position()?, notation: Notation::Utm });
    }
    angle::parse(text, order)
}

/// `11.5500000, 104.9000000`: latitude first, 7 decimals (1 cm).
pub fn to_decimal_degrees(position: Position) -> String {
    format!("{:.7}, {:.7}", position.lat, position.lon)
}

/// `11°33'00.00"N 104°54'00.00"E`: two decimals of a second (30 cm).
pub fn to_dms(position: Position) -> String {
    let lat = angle::format_dms(position.lat, 'N', 'S');
    let lon = angle::format_dms(position.lon, 'E', 'W');
    format!("{lat} {lon}")
}

/// `48N 489096.36 1276796.21` in the position's own zone, to the centimetre.
///
/// # Errors
/// [`CoordinateError::OutsideUtm`] beyond 80° S or 84° N.
pub fn to_utm(position: Position) -> Result<String, CoordinateError> {
    Ok(Utm::from_position(position)?.to_string())
}
