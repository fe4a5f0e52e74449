//! Where a geometry lies: in the country, in its district, and not by a slip of the pen elsewhere.

use geo::{Closest, ClosestPoint, Contains, Coord, Distance, Haversine, MultiPolygon, Point};

use super::rules::{
    DMS_AS_DECIMALS, FAR_FROM_ADMIN_AREA, OTHER_DATUM, OUTSIDE_COUNTRY, SIGN_LOST, SWAPPED_LAT_LON,
    WRONG_ZONE,
};
use super::shape::Shape;
use super::{AdminArea, Context, Extent, Findings, View};

/// Fewer different positions than this look like degrees, minutes and seconds by chance.
const DMS_POSITIONS: usize = 4;

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

/// The decimals of a number in its shortest writing, which is the one that was typed.
fn decimals(value: f64) -> String {
    let text = value.abs().to_string();
    text.split_once('.').map(|(_, decimals)| decimals.to_owned()).unwrap_or_default()
}

/// Whether decimals can be two digits of minutes, two of seconds and two more.
fn could_be_dms(decimals: &str) -> bool {
    if decimals.len() > 6 || !decimals.bytes().all(|digit| digit.is_ascii_digit()) {
        return false;
    }
    let padded = format!("{decimals:0<4}");
    [&padded[..2], &padded[2..4]].iter().all(|pair| pair.parse::<u8>().is_ok_and(|pair| pair < 60))
}

fn dms_as_decimals(shape: &Shape, findings: &mut Findings) {
    let mut positions: Vec<(u64, u64)> = shape.coords().map(|c| (c.x.to_bits(), c.y.to_bits())).collect();
    positions.sort_unstable();
    positions.dedup();
    if positions.len() < DMS_POSITIONS {
        return;
    }
    let typed: Vec<String> = shape.coords().flat_map(|c| [decimals(c.x), decimals(c.y)]).collect();
    let has_seconds = typed.iter().any(|decimals| decimals.len() > 2);
    if has_seconds && typed.iter().all(|decimals| could_be_dms(decimals)) {
        let message = "no coordinate has minutes or seconds of 60 or more: typed without conversion?";
        findings.add(&DMS_AS_DECIMALS, "/geometry", message);
    }
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
