//! The Military Grid Reference System on WGS 84, between 80° S and 84° N.

use super::{CoordinateError, Position, Utm};

/// Latitude bands from 80° S, 8° each; the last one has 12°.
const BANDS: &[u8; 20] = b"CDEFGHJKLMNPQRSTUVWX";
/// Letters of the 100 km columns; each zone uses eight of them.
const COLUMNS: &[u8; 24] = b"ABCDEFGHJKLMNPQRSTUVWXYZ";
/// Letters of the 100 km rows, repeating every 2 000 km; even zones begin with F.
const ROWS: &[u8; 20] = b"ABCDEFGHJKLMNPQRSTUV";
const SQUARE: f64 = 100_000.0;
const CYCLE: f64 = 2_000_000.0;

/// Zone digits, three letters and digits: `48PVT 89096 76796`.
pub(super) fn looks_like(text: &str) -> bool {
    let plain = plain(text);
    let rest = plain.trim_start_matches(|c: char| c.is_ascii_digit());
    let zone = plain.len() - rest.len();
    let (letters, digits) = rest.split_at_checked(3).unwrap_or((rest, "x"));
    (1..=2).contains(&zone)
        && letters.len() == 3
        && letters.chars().all(|c| c.is_ascii_alphabetic())
        && digits.chars().all(|c| c.is_ascii_digit())
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_uppercase()
}

/// The position as an MGRS reference, e.g. `48PVT8909676796`. `digits` for each axis: 5 is one
/// metre, 1 is ten kilometres; above 5 counts as 5. Digits are cut, not rounded, so that a reference
/// always names the square that holds the position.
///
/// # Errors
/// [`CoordinateError::OutsideUtm`] beyond 80° S or 84° N.
pub fn to_mgrs(position: Position, digits: u8) -> Result<String, CoordinateError> {
    let utm = Utm::from_position(position)?;
    let band = char::from(BANDS[floor(((position.lat + 80.0) / 8.0).min(19.0))]);
    let column = floor(utm.easting / SQUARE).checked_sub(1).ok_or(CoordinateError::OutsideUtm)?;
    let column = char::from(COLUMNS[first_column(utm.zone) + column]);
    let row = char::from(ROWS[(floor(utm.northing / SQUARE) + first_row(utm.zone)) % 20]);
    let digits = usize::from(digits.min(5));
    let cut = |metres: f64| {
        let within = format!("{:05}", floor(metres % SQUARE));
        within[..digits].to_owned()
    };
    Ok(format!("{}{band}{column}{row}{}{}", utm.zone, cut(utm.easting), cut(utm.northing)))
}

/// The south-western corner of the square that a reference names.
pub(super) fn parse(text: &str) -> Result<Position, CoordinateError> {
    let plain = plain(text);
    let rest = plain.trim_start_matches(|c: char| c.is_ascii_digit());
    let zone_digits = &plain[..plain.len() - rest.len()];
    let number: u32 = zone_digits.parse().map_err(|_nan| CoordinateError::Number(zone_digits.to_owned()))?;
    let zone = u8::try_from(number).ok().filter(|zone| (1..=60).contains(zone));
    let zone = zone.ok_or(CoordinateError::Zone(number))?;
    let [band, column, row, ref digits @ ..] = *rest.as_bytes() else {
        return Err(CoordinateError::Empty);
    };
    let band_index = find(BANDS, band).ok_or(CoordinateError::Band(band.into()))?;
    let square = || CoordinateError::Square(plain.clone());
    let column = find(COLUMNS, column).and_then(|found| found.checked_sub(first_column(zone)));
    let column = column.filter(|column| *column < 8).ok_or_else(square)?;
    let row = (find(ROWS, row).ok_or_else(square)? + 20 - first_row(zone)) % 20;
    let [east, north] = within(digits)?;

    let south = -80.0 + 8.0 * count(band_index);
    let meridian = Position::new(f64::from(zone) * 6.0 - 183.0, south);
    let lowest = (Utm::in_zone(meridian, zone)?.northing / SQUARE).floor() * SQUARE;
    // At the zone's edge a band reaches a little lower than on its meridian, hence the whole square.
    let lowest = if south >= 0.0 { lowest } else { lowest - SQUARE };
    let mut northing = count(row) * SQUARE + north;
    while northing < lowest {
        northing += CYCLE;
    }
    let easting = (count(column) + 1.0) * SQUARE + east;
    let position = Utm { zone, north: south >= 0.0, easting, northing }.to_position()?;
    let height = if band == b'X' { 12.0 } else { 8.0 };
    // A square on the border of two bands is written with either letter: one square of tolerance.
    let in_band = (south - 1.0..=south + height + 1.0).contains(&position.lat);
    if in_band { Ok(position) } else { Err(square()) }
}

/// Metres east and north within the square.
fn within(digits: &[u8]) -> Result<[f64; 2], CoordinateError> {
    let count = digits.len();
    if count > 10 || !count.is_multiple_of(2) {
        return Err(CoordinateError::Digits(count));
    }
    let metres = |half: &[u8]| {
        let padded = half.iter().copied().chain(std::iter::repeat(b'0')).take(5);
        padded.fold(0.0, |sum, digit| sum * 10.0 + f64::from(digit - b'0'))
    };
    let (east, north) = digits.split_at(count / 2);
    Ok([metres(east), metres(north)])
}

fn find(letters: &[u8], letter: u8) -> Option<usize> {
    letters.iter().position(|known| *known == letter)
}

fn first_column(zone: u8) -> usize {
    usize::from((zone - 1) % 3) * 8
}

fn first_row(zone: u8) -> usize {
    if zone.is_multiple_of(2) { 5 } else { 0 }
}

fn count(index: usize) -> f64 {
    f64::from(u8::try_from(index).expect("an index of at most 24 letters"))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "grid metres, 0 to 1e7")]
fn floor(value: f64) -> usize {
    value.floor() as usize
}
