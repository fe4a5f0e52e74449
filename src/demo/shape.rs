//! Outlines as surveyors bring them: blobs and belts, whole or in slices, in metres around a place.
//!
//! Every form is simple by construction – a star around its centre, a belt along its heading – so that the only
//! faulty outlines of the demonstration are those that are meant to be.

use std::f64::consts::TAU;

use serde_json::{Value, json};

use super::chance::Chance;
use crate::geometry::shape::Shape;

const METRES_PER_DEGREE: f64 = 111_320.0;
/// A hole reaches this share of the nearest point of the rim.
const HOLE: f64 = 0.45;

type Point = (f64, f64);
type Ring = Vec<Point>;

#[derive(Debug, Clone)]
enum Form {
    /// Angle and distance of each vertex from the centre, by angle.
    Star { centre: Point, rim: Vec<(f64, f64)>, hole: bool },
    /// Along the heading: how far, and the two edges across.
    Belt { heading: f64, stations: Vec<(f64, f64, f64)> },
}

/// Ground around a place.
#[derive(Debug, Clone)]
pub(super) struct Ground {
    origin: Point,
    forms: Vec<Form>,
}

/// Polygons of a [`Ground`], ready to be written down.
#[derive(Debug, Clone)]
pub(super) struct Patch {
    origin: Point,
    polygons: Vec<Vec<Ring>>,
}

impl Ground {
    /// Some ground of about so many m²: mostly a blob, often a belt, rarely in parts or with a hole.
    pub(super) fn random(chance: &mut Chance, origin: Point, area_m2: f64) -> Self {
        let forms = match chance.unit() {
            kind if kind < 0.28 => vec![belt(chance, area_m2.min(90_000.0))],
            kind if kind < 0.32 => parts(chance, area_m2.max(9_000.0)),
            kind if kind < 0.36 => vec![star(chance, (0.0, 0.0), area_m2.max(20_000.0), true)],
            _ => vec![star(chance, (0.0, 0.0), area_m2, false)],
        };
        Self { origin, forms }
    }

    /// A blob without a hole.
    pub(super) fn blob(chance: &mut Chance, origin: Point, area_m2: f64) -> Self {
        Self { origin, forms: vec![star(chance, (0.0, 0.0), area_m2, false)] }
    }

    /// This ground and another's as one outline; they must lie apart.
    pub(super) fn joined(&self, other: &Self) -> Patch {
        let mut patch = self.whole();
        let (east, north) = metres(self.origin, other.origin);
        let moved = |ring: Ring| ring.into_iter().map(|(x, y)| (x + east, y + north)).collect();
        let polygons = other.whole().polygons.into_iter();
        patch.polygons.extend(polygons.map(|rings| rings.into_iter().map(moved).collect()));
        patch
    }

    /// All of it.
    pub(super) fn whole(&self) -> Patch {
        Patch { origin: self.origin, polygons: self.forms.iter().map(Form::whole).collect() }
    }

    /// The part between two shares of its length or turn, pushed `spill` metres over the outer boundary. Slices
    /// that share a bound share its vertices.
    pub(super) fn slice(&self, from: f64, to: f64, spill: f64) -> Patch {
        let polygons = self.forms.iter().map(|form| vec![form.slice(from, to, spill)]).collect();
        Patch { origin: self.origin, polygons }
    }

    /// The same form, larger or smaller.
    pub(super) fn scaled(&self, factor: f64) -> Self {
        let forms = self.forms.iter().map(|form| form.scaled(factor)).collect();
        Self { origin: self.origin, forms }
    }

    /// A place inside it, lon/lat.
    pub(super) fn point(&self, chance: &mut Chance) -> [f64; 2] {
        degrees(self.origin, self.forms[0].inside(chance))
    }

    /// A place some metres outside it, lon/lat: where a landmark stands.
    pub(super) fn landmark(&self, beyond_m: f64) -> [f64; 2] {
        let whole = self.whole();
        let southings = whole.polygons.iter().flatten().flatten().map(|(_, y)| *y);
        degrees(self.origin, (0.0, southings.fold(0.0, f64::min) - beyond_m))
    }
}

impl Form {
    fn whole(&self) -> Vec<Ring> {
        match self {
            Self::Star { hole: true, rim, centre } => {
                let least = rim.iter().map(|(_, radius)| *radius).fold(f64::INFINITY, f64::min);
                let mut hole: Ring =
                    rim.iter().map(|(angle, _)| around(*centre, *angle, HOLE * least)).collect();
                hole.reverse();
                vec![self.slice(0.0, 1.0, 0.0), hole]
            }
            _ => vec![self.slice(0.0, 1.0, 0.0)],
        }
    }

    fn slice(&self, from: f64, to: f64, spill: f64) -> Ring {
        match self {
            Self::Star { centre, rim, .. } => {
                let (first, last) = span(rim.len(), from, to);
                let vertex = |place: usize| {
                    let (angle, radius) = rim[place % rim.len()];
                    around(*centre, angle, radius + spill)
                };
                if last - first == rim.len() {
                    return (first..last).map(vertex).collect();
                }
                std::iter::once(*centre).chain((first..=last).map(vertex)).collect()
            }
            Self::Belt { heading, stations } => {
                let (first, last) = span(stations.len() - 1, from, to);
                let along = &stations[first..=last];
                let low = along.iter().map(|(x, low, _)| (*x, low - spill));
                let high = along.iter().rev().map(|(x, _, high)| (*x, high + spill));
                low.chain(high).map(|point| turned(point, *heading)).collect()
            }
        }
    }

    fn scaled(&self, factor: f64) -> Self {
        match self {
            Self::Star { centre, rim, hole } => Self::Star {
                centre: *centre,
                rim: rim.iter().map(|(angle, radius)| (*angle, radius * factor)).collect(),
                hole: *hole,
            },
            Self::Belt { heading, stations } => {
                let wider = |(x, low, high): &(f64, f64, f64)| {
                    let (middle, half) = (f64::midpoint(*low, *high), (high - low) / 2.0 * factor);
                    (*x, middle - half, middle + half)
                };
                Self::Belt { heading: *heading, stations: stations.iter().map(wider).collect() }
            }
        }
    }

    fn inside(&self, chance: &mut Chance) -> Point {
        match self {
            Self::Star { centre, rim, .. } => {
                let (angle, radius) = chance.pick(rim);
                around(*centre, angle, radius * chance.between(0.5, 0.9))
            }
            Self::Belt { heading, stations } => {
                let (x, low, high) = chance.pick(stations);
                turned((x, chance.between(low, high)), *heading)
            }
        }
    }
}

impl Patch {
    /// GeoJSON with 7 decimals, about a centimetre: no more than an instrument gives.
    pub(super) fn geojson(&self) -> Value {
        let position = |point: &Point| degrees(self.origin, *point);
        let ring = |ring: &Ring| -> Vec<[f64; 2]> { ring.iter().chain(ring.first()).map(position).collect() };
        let polygon = |rings: &Vec<Ring>| -> Vec<Vec<[f64; 2]>> { rings.iter().map(ring).collect() };
        match self.polygons.as_slice() {
            [one] => json!({"type": "Polygon", "coordinates": polygon(one)}),
            many => {
                let members: Vec<_> = many.iter().map(polygon).collect();
                json!({"type": "MultiPolygon", "coordinates": members})
            }
        }
    }

    /// Geodesic area.
    pub(super) fn area_m2(&self) -> f64 {
        Shape::read(&self.geojson()).map_or(0.0, |shape| shape.area_m2())
    }

    /// With half of its vertices in the wrong order: the bow-tie of a slip of the pen.
    pub(super) fn bow_tie(mut self) -> Self {
        if let Some(ring) = self.polygons.first_mut().and_then(|rings| rings.first_mut()) {
            let middle = ring.len() / 2;
            ring[middle..].reverse();
        }
        self
    }
}

fn star(chance: &mut Chance, centre: Point, area_m2: f64, hole: bool) -> Form {
    let vertices = chance.whole(8, 40);
    let count = real(vertices);
    let radius = (area_m2 / (TAU / 2.0)).sqrt();
    let (stretch, turn) = (chance.between(1.0, 1.8), chance.between(0.0, TAU));
    let rim = (0..vertices)
        .map(|place| {
            let angle = (real(place) + chance.between(0.1, 0.9)) / count * TAU;
            // An ellipse of the wanted area, with the unevenness of real boundaries.
            let (along, across) = ((angle - turn).cos() / stretch, (angle - turn).sin());
            let even = radius / stretch.sqrt() / along.hypot(across);
            (angle, even * chance.between(0.82, 1.15))
        })
        .collect();
    Form::Star { centre, rim, hole }
}

fn belt(chance: &mut Chance, area_m2: f64) -> Form {
    let width = chance.between(25.0, 70.0);
    let length = (area_m2 / width).max(width * 3.0);
    let legs = chance.whole(4, 18);
    let (mut middle, mut stations) = (0.0, Vec::new());
    for place in 0..=legs {
        let along = length * (real(place) / real(legs) - 0.5);
        let half = width / 2.0 * chance.between(0.7, 1.3);
        stations.push((along, middle - half, middle + half));
        middle += chance.between(-0.5, 0.5) * length / real(legs);
    }
    Form::Belt { heading: chance.between(0.0, TAU), stations }
}

/// Two or three blobs beside one another that do not touch.
fn parts(chance: &mut Chance, area_m2: f64) -> Vec<Form> {
    let count = chance.whole(2, 3);
    let each = area_m2 / real(count);
    // A stretched blob reaches about 1.6 times as far as a round one.
    let apart = (each / (TAU / 2.0)).sqrt() * 3.4 + 20.0;
    (0..count).map(|place| star(chance, (apart * real(place), 0.0), each, false)).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts of a few dozen")]
fn real(count: i64) -> f64 {
    count as f64
}

/// First and last vertex between two shares of `count` steps; at least one step.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "shares of a few dozen steps"
)]
fn span(count: usize, from: f64, to: f64) -> (usize, usize) {
    let step = |share: f64| (share.clamp(0.0, 1.0) * count as f64).round() as usize;
    let first = step(from).min(count - 1);
    (first, step(to).max(first + 1))
}

fn around(centre: Point, angle: f64, radius: f64) -> Point {
    (centre.0 + radius * angle.cos(), centre.1 + radius * angle.sin())
}

fn turned((x, y): Point, angle: f64) -> Point {
    (x * angle.cos() - y * angle.sin(), x * angle.sin() + y * angle.cos())
}

/// Lon/lat of a point in metres around an origin, to 7 decimals.
fn degrees(origin: Point, (x, y): Point) -> [f64; 2] {
    let rounded = |degrees: f64| (degrees * 1e7).round() / 1e7;
    let lon = origin.0 + x / (METRES_PER_DEGREE * origin.1.to_radians().cos());
    [rounded(lon), rounded(origin.1 + y / METRES_PER_DEGREE)]
}

fn metres(from: Point, to: Point) -> Point {
    let across = METRES_PER_DEGREE * from.1.to_radians().cos();
    ((to.0 - from.0) * across, (to.1 - from.1) * METRES_PER_DEGREE)
}

/// A place so many metres east and north of another, lon/lat.
pub(super) fn offset(origin: Point, east_m: f64, north_m: f64) -> Point {
    let [lon, lat] = degrees(origin, (east_m, north_m));
    (lon, lat)
}
