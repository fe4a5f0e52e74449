//! Where a geometry lies: in the country, in its district, and not by a slip of the pen elsewhere.

use geo::{Closest, ClosestPoint, Contains, Coord, Distance, Haversine, MultiPolygon, Point};

use super::rules::{
    DMS_AS_DECIMALS, FAR_FROM_ADMIN_AREA, OTHER_DATUM, OUTSIDE_COUNTRY, SIGN_LOST, SWAPPED_LAT_LON,
    WRONG_ZONE,
};
use super::shape::Shape;
use super::{AdminArea, Context, Extent, Findings, View};

/// Fewer different numbers with seconds than this look like degrees, minutes and seconds by chance.
const DMS_NUMBERS: usize = 8;

pub(super) fn check(view: &View<'_>, shape: &Shape, context: &Context<'_>, findings: &mut Findings) {
    if let Some(country) = context.country {
        outside(shape, country, findings);
    }
    dms_as_decimals(shape, findings);
    other_datum(view, findings);
    if let Some(area) = stated_admin_area(view, context) {
        far_from_admin_area(shape, area, context.admin_tolerance_m, findings);
    }
}

/// A slip of the pen, with what it does to a position.
type Slip = (&'static super::Rule, &'static str, fn(Coord<f64>) -> Coord<f64>);

const SLIPS: [Slip; 6] = [
    (&SWAPPED_LAT_LON, "with latitude and longitude swapped", |c| Coord { x: c.y, y: c.x }),
    (&SIGN_LOST, "with the longitude's sign changed", |c| Coord { x: -c.x, y: c.y }),
    (&SIGN_LOST, "with the latitude's sign changed", |c| Coord { x: c.x, y: -c.y }),
    (&SIGN_LOST, "with both signs changed", |c| Coord { x: -c.x, y: -c.y }),
    (&WRONG_ZONE, "one UTM zone further east", |c| Coord { x: c.x + 6.0, y: c.y }),
    (&WRONG_ZONE, "one UTM zone further west", |c| Coord { x: c.x - 6.0, y: c.y }),
];

fn outside(shape: &Shape, country: Extent, findings: &mut Findings) {
    let inside = |c: Coord<f64>| country.contains(c.x, c.y);
    let Some((pointer, Coord { x, y })) = shape.positions().find(|(_, coord)| !inside(*coord)) else {
        return;
    };
    let message = format!("latitude {y}, longitude {x} lies outside the country");
    findings.add(&OUTSIDE_COUNTRY, pointer, message);
    for (rule, words, slip) in SLIPS {
        // All of it: a geometry that straddles the border was not typed wrongly.
        if shape.coords().all(|coord| !inside(coord) && inside(slip(coord))) {
            findings.add(rule, "/geometry", format!("{words} it lies inside the country"));
        }
    }
}

/// A number of degrees as typed, read as degrees, minutes and seconds that were written without conversion.
struct Dms {
    /// Degrees and minutes, in minutes; western and southern ones as if they were eastern and northern.
    minute: u32,
    seconds: u32,
    has_seconds: bool,
}

impl Dms {
    /// Two digits of minutes, two of seconds and at most two more; nothing where 60 or more stands in their places.
    fn read(degrees: f64) -> Option<Self> {
        // The shortest writing is the one that was typed, but for zeros at the end.
        let text = degrees.abs().to_string();
        let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
        if decimals.len() > 6 || !decimals.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let padded = format!("{decimals:0<4}");
        let (minutes, seconds): (u32, u32) = (padded[..2].parse().ok()?, padded[2..4].parse().ok()?);
        let minute = whole.parse::<u32>().ok()?.checked_mul(60)?.checked_add(minutes)?;
        (minutes < 60 && seconds < 60).then_some(Self { minute, seconds, has_seconds: decimals.len() >= 4 })
    }
}

/// Suspects degrees, minutes and seconds that were typed as decimal degrees.
///
/// That no number has 60 or more in the place of minutes or seconds says little by itself: the vertices of a small
/// outline share their leading digits, so that one true outline in eight passes. What true decimals do not do is to go
/// past a full hundredth of a degree (minute 45 to minute 46) and leave out everything from .0060 to .0099 on the way,
/// with many different numbers. Round coordinates, which have no seconds at all, are not evidence of anything.
fn dms_as_decimals(shape: &Shape, findings: &mut Findings) {
    let axis = |pick: fn(Coord<f64>) -> f64| {
        let mut typed: Vec<f64> = shape.coords().map(pick).collect();
        typed.sort_by(f64::total_cmp);
        typed.dedup();
        typed.into_iter().map(|degrees| Some((degrees, Dms::read(degrees)?))).collect::<Option<Vec<_>>>()
    };
    let (Some(lon), Some(lat)) = (axis(|c| c.x), axis(|c| c.y)) else { return };
    let with_seconds: Vec<f64> =
        lon.iter().chain(&lat).filter(|(_, read)| read.has_seconds).map(|(degrees, _)| *degrees).collect();
    // One number in ten ends in a zero, which is not written.
    let are_most = with_seconds.len() * 4 >= (lon.len() + lat.len()) * 3;
    if with_seconds.len() < DMS_NUMBERS || !are_most || !(passes_a_minute(&lon) || passes_a_minute(&lat)) {
        return;
    }
    let message = format!(
        "all {} different numbers can be read as degrees, minutes and seconds ({} as {}): were they typed without \
         conversion?",
        lon.len() + lat.len(),
        with_seconds[0],
        spelt(with_seconds[0])
    );
    findings.add(&DMS_AS_DECIMALS, "/geometry", message);
}

/// Whether neighbouring numbers go from the second half of a minute to the first half of the next one.
fn passes_a_minute(sorted: &[(f64, Dms)]) -> bool {
    sorted.windows(2).any(|pair| {
        let [(_, one), (_, other)] = pair else { return false };
        let (low, high) = if one.minute < other.minute { (one, other) } else { (other, one) };
        low.minute + 1 == high.minute && low.seconds >= 30 && high.seconds < 30
    })
}

/// 104.5455 as 104°54′55″
fn spelt(degrees: f64) -> String {
    Dms::read(degrees)
        .map(|read| format!("{}°{:02}′{:02}″", read.minute / 60, read.minute % 60, read.seconds))
        .unwrap_or_default()
}

fn other_datum(view: &View<'_>, findings: &mut Findings) {
    let crs = view.properties.get("as_entered").and_then(|entered| entered["crs"].as_str());
    let Some(crs) = crs.filter(|crs| !crs.trim().is_empty()) else { return };
    let plain: String = crs.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.to_ascii_uppercase();
    // EPSG:4326, OGC:CRS84 and EPSG:326zz/327zz (UTM) are WGS 84 by another name.
    let known = ["WGS84", "WGS1984", "EPSG4326", "CRS84", "EPSG326", "EPSG327", "MGRS"];
    if !known.iter().any(|name| plain.contains(name)) {
        let message = format!("entered in {crs:?}: was it transformed to WGS 84?");
        findings.add(&OTHER_DATUM, "/properties/as_entered/crs", message);
    }
}

/// The most detailed stated admin level of which the gazetteer knows the outline.
fn stated_admin_area<'a>(view: &View<'_>, context: &Context<'a>) -> Option<(u8, &'a AdminArea)> {
    (1..=4_u8).rev().find_map(|level| {
        let label = view.text(&format!("admin{level}"))?.trim().to_lowercase();
        let named = |area: &&AdminArea| area.names.iter().any(|name| name.trim().to_lowercase() == label);
        let area = context.admin_areas.iter().filter(|area| area.level == level).find(named)?;
        Some((level, area))
    })
}

fn far_from_admin_area(
    shape: &Shape,
    (level, area): (u8, &AdminArea),
    tolerance_m: f64,
    findings: &mut Findings,
) {
    let nearest = shape.coords().map(|c| metres_outside(Point(c), &area.outline)).min_by(f64::total_cmp);
    if let Some(metres) = nearest.filter(|metres| *metres > tolerance_m) {
        let name = area.names.first().map_or("it", String::as_str);
        let message = format!("{:.1} km outside {name}", metres / 1e3);
        findings.add(&FAR_FROM_ADMIN_AREA, format!("/properties/admin{level}"), message);
    }
}

/// Great-circle distance to the point that is closest in degrees: right to some per cent, which is
/// enough to call something far.
fn metres_outside(point: Point<f64>, outline: &MultiPolygon<f64>) -> f64 {
    if outline.contains(&point) {
        return 0.0;
    }
    match outline.closest_point(&point) {
        Closest::Intersection(_) => 0.0,
        Closest::SinglePoint(closest) => Haversine.distance(point, closest),
        Closest::Indeterminate => f64::INFINITY,
    }
}
