//! Canonical outlines from `GeoJSON`: the door through which every polygon comes in.
//!
//! Nothing is repaired silently. An [`Outline`] carries the canonical form of what was entered (closed, without
//! repeated vertices, shells counter-clockwise and holes clockwise), the faults found, and a proposed repair beside
//! it where one can be made. A bad geometry is kept: it is evidence that somebody saw something.

#[cfg(test)]
mod tests;

use geo::{Coord, LineString, MultiPolygon, Polygon};
use geojson::GeometryValue;
use serde::{Deserialize, Serialize};

use super::fault::{Fault, FaultKind, Place};
use super::{measure, repair, validity};

/// A box of longitudes and latitudes in degrees.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Extent {
    /// Western edge.
    pub west: f64,
    /// Southern edge.
    pub south: f64,
    /// Eastern edge.
    pub east: f64,
    /// Northern edge.
    pub north: f64,
}

impl Extent {
    /// Whether the position lies in the box, edges included.
    pub fn contains(&self, lon: f64, lat: f64) -> bool {
        (self.west..=self.east).contains(&lon) && (self.south..=self.north).contains(&lat)
    }
}

/// What the caller is willing to take in; a programme sets these, not this module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Most members of a multipolygon.
    pub members: usize,
    /// Most rings over all members.
    pub rings: usize,
    /// Most positions over all rings.
    pub vertices: usize,
    /// Least plausible area, m².
    pub least_area_m2: f64,
    /// Largest plausible area, m².
    pub largest_area_m2: f64,
    /// The country with a margin; `None` takes the whole globe.
    pub extent: Option<Extent>,
}

impl Default for Limits {
    /// Generous bounds: 1 000 members, 10 000 rings, 20 000 vertices, 1 m² to 10 000 km². Outlines of real hazardous
    /// areas stay below 2 000 vertices, and with 20 000 the worst that can be made up is judged in under a second.
    fn default() -> Self {
        Self {
            members: 1_000,
            rings: 10_000,
            vertices: 20_000,
            least_area_m2: 1.0,
            largest_area_m2: 1e10,
            extent: None,
        }
    }
}

/// What was entered in canonical form, what is wrong with it, and what it may have meant.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    /// The ground as entered, in canonical form, without rings of fewer than three vertices; `None` where it cannot
    /// even be drawn.
    pub entered: Option<MultiPolygon<f64>>,
    /// Faults and notes, in the order of the geometry.
    pub faults: Vec<Fault>,
    /// A valid geometry for a person to accept in place of a faulty one; never used by itself in official figures.
    pub proposed: Option<MultiPolygon<f64>>,
}

impl Outline {
    /// Reads a `GeoJSON` polygon or multipolygon.
    pub fn read(geometry: &GeometryValue, limits: &Limits) -> Self {
        let mut faults = Vec::new();
        let entered = draw(geometry, limits, &mut faults);
        Self::judge(entered, faults, limits)
    }

    /// Checks polygons that did not come as `GeoJSON` (an import, a traverse). Rings are closed by `geo` itself.
    pub fn from_polygons(polygons: &MultiPolygon<f64>, limits: &Limits) -> Self {
        let members: Vec<Vec<Vec<geojson::Position>>> = polygons
            .iter()
            .map(|polygon| {
                std::iter::once(polygon.exterior())
                    .chain(polygon.interiors())
                    .map(|ring| ring.0.iter().map(|c| [c.x, c.y].into()).collect())
                    .collect()
            })
            .collect();
        Self::read(&GeometryValue::MultiPolygon { coordinates: members }, limits)
    }

    /// The outline official figures may count: as entered, and only if nothing is wrong with it.
    pub fn valid(&self) -> Option<&MultiPolygon<f64>> {
        let sound = self.faults.iter().all(|fault| fault.kind.is_note());
        self.entered.as_ref().filter(|_| sound)
    }

    /// The outline provisional figures count: the valid one, else the proposed repair.
    pub fn provisional(&self) -> Option<&MultiPolygon<f64>> {
        self.valid().or(self.proposed.as_ref())
    }

    /// Faults that are more than notes.
    pub fn errors(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter().filter(|fault| !fault.kind.is_note())
    }

    fn judge(entered: Option<MultiPolygon<f64>>, mut faults: Vec<Fault>, limits: &Limits) -> Self {
        let Some(polygons) = entered else {
            return Self { entered: None, faults, proposed: None };
        };
        // Where a ring was left out, places would no longer be those of the geometry as entered.
        if !faults.iter().any(|fault| fault.kind == FaultKind::TooFewVertices) {
            faults.extend(validity::faults(&polygons));
        }
        let mut errors = faults.iter().filter(|fault| !fault.kind.is_note()).peekable();
        let repairable = errors.peek().is_some() && errors.all(|fault| fault.kind.is_repairable());
        let proposed = match repairable.then(|| repair::propose(&polygons)) {
            Some(Ok(proposed)) => Some(proposed),
            Some(Err(reason)) => {
                faults.push(Fault::new(FaultKind::NoRepair, Place::default(), reason.to_string()));
                None
            }
            None => None,
        };
        let ground = measure::area(proposed.as_ref().unwrap_or(&polygons));
        if let Some((kind, message)) = judge_area(ground, limits) {
            faults.push(Fault::new(kind, Place::default(), message));
        }
        Self { entered: Some(polygons), faults, proposed }
    }
}

/// The canonical form of a `GeoJSON` polygon or multipolygon, as in [`Outline::entered`], for those who need only
/// where it lies: validity is not judged and no repair sought, which is most of the work of [`Outline::read`].
pub fn canonical(geometry: &GeometryValue, limits: &Limits) -> Option<MultiPolygon<f64>> {
    draw(geometry, limits, &mut Vec::new())
}

fn draw(geometry: &GeometryValue, limits: &Limits, faults: &mut Vec<Fault>) -> Option<MultiPolygon<f64>> {
    match geometry {
        GeometryValue::Polygon { coordinates } => {
            read_members(std::slice::from_ref(coordinates), limits, faults)
        }
        GeometryValue::MultiPolygon { coordinates } => read_members(coordinates, limits, faults),
        other => {
            let message = format!("a {} is not an area", other.type_name());
            faults.push(Fault::new(FaultKind::NotAnArea, Place::default(), message));
            None
        }
    }
}

fn judge_area(ground: f64, limits: &Limits) -> Option<(FaultKind, String)> {
    if ground < limits.least_area_m2 {
        let least = limits.least_area_m2;
        Some((FaultKind::TooSmallArea, format!("area is {ground:.3} m², below {least} m²")))
    } else if ground > limits.largest_area_m2 {
        let most = limits.largest_area_m2;
        Some((FaultKind::ImplausibleArea, format!("area is {ground:.0} m², above {most} m²")))
    } else {
        None
    }
}

type Ring = Vec<geojson::Position>;

fn read_members(
    members: &[Vec<Ring>],
    limits: &Limits,
    faults: &mut Vec<Fault>,
) -> Option<MultiPolygon<f64>> {
    if let Some(fault) = too_large(members, limits) {
        faults.push(fault);
        return None;
    }
    if members.is_empty() {
        faults.push(Fault::new(FaultKind::Empty, Place::default(), "the geometry is empty"));
        return None;
    }
    let mut drawn = Vec::with_capacity(members.len());
    let before = faults.len();
    for (member, rings) in members.iter().enumerate() {
        let place = Place { member, ring: 0, vertex: None };
        if rings.is_empty() {
            faults.push(Fault::new(FaultKind::Empty, place, "the member has no ring"));
        }
        let mut lines: Vec<Option<LineString<f64>>> = Vec::with_capacity(rings.len());
        for (ring, positions) in rings.iter().enumerate() {
            lines.push(read_ring(positions, Place { ring, ..place }, limits, faults));
        }
        // What encloses nothing is left out with its fault, and takes no other ground away.
        let mut lines = lines.into_iter();
        if let Some(shell) = lines.next().flatten() {
            drawn.push(Polygon::new(shell, lines.flatten().collect()));
        }
    }
    let usable = faults[before..].iter().all(|fault| fault.kind.is_note() || fault.kind.is_repairable());
    (usable && !drawn.is_empty()).then(|| MultiPolygon::new(drawn))
}

fn too_large(members: &[Vec<Ring>], limits: &Limits) -> Option<Fault> {
    let rings = members.iter().map(Vec::len).sum::<usize>();
    let vertices = members.iter().flatten().map(Vec::len).sum::<usize>();
    let counts = [
        ("members", members.len(), limits.members),
        ("rings", rings, limits.rings),
        ("vertices", vertices, limits.vertices),
    ];
    let (what, found, most) = counts.into_iter().find(|(_, found, most)| found > most)?;
    let message = format!("{found} {what}, more than the {most} allowed");
    Some(Fault::new(FaultKind::TooLarge, Place::default(), message))
}

/// One ring in canonical form, or `None` with the faults that prevent it.
fn read_ring(
    positions: &[geojson::Position],
    place: Place,
    limits: &Limits,
    faults: &mut Vec<Fault>,
) -> Option<LineString<f64>> {
    if positions.is_empty() {
        faults.push(Fault::new(FaultKind::Empty, place, "the ring has no positions"));
        return None;
    }
    let before = faults.len();
    let mut coords: Vec<Coord<f64>> = Vec::with_capacity(positions.len() + 1);
    for (vertex, position) in positions.iter().enumerate() {
        let at = Place { vertex: Some(vertex), ..place };
        match read_position(position.as_slice(), limits) {
            Ok(coord) if coords.last() == Some(&coord) => {
                faults.push(Fault::new(FaultKind::RepeatedVertex, at, "the same vertex twice"));
            }
            Ok(coord) => coords.push(coord),
            Err((kind, message)) => faults.push(Fault::new(kind, at, message)),
        }
    }
    if faults[before..].iter().any(|fault| !fault.kind.is_note()) {
        return None;
    }
    close(&mut coords, place, faults);
    if let Some(fault) = hopeless(&coords, place) {
        faults.push(fault);
        return None;
    }
    Some(orient(coords, place, faults))
}

fn read_position(numbers: &[f64], limits: &Limits) -> Result<Coord<f64>, (FaultKind, String)> {
    let &[lon, lat, ..] = numbers else {
        let message = format!("a position of {} numbers", numbers.len());
        return Err((FaultKind::ShortPosition, message));
    };
    if !lon.is_finite() || !lat.is_finite() {
        return Err((FaultKind::NotFinite, format!("{lon} {lat} is not a position")));
    }
    if lon.abs() > 180.0 || lat.abs() > 90.0 {
        return Err((FaultKind::OutOfRange, format!("{lon} {lat} is not on the globe")));
    }
    if let Some(extent) = limits.extent.filter(|extent| !extent.contains(lon, lat)) {
        let hint = if extent.contains(lat, lon) {
            "; with longitude and latitude swapped it would lie inside"
        } else {
            ""
        };
        let message = format!("{lon} {lat} lies outside the programme's extent{hint}");
        return Err((FaultKind::OutsideExtent, message));
    }
    Ok(Coord { x: lon, y: lat })
}

fn close(coords: &mut Vec<Coord<f64>>, place: Place, faults: &mut Vec<Fault>) {
    if coords.len() > 1 && coords.first() != coords.last() {
        coords.push(coords[0]);
        faults.push(Fault::new(FaultKind::RingClosed, place, "the ring was not closed"));
    }
}

fn hopeless(coords: &[Coord<f64>], place: Place) -> Option<Fault> {
    let mut distinct: Vec<(u64, u64)> =
        coords.iter().map(|c| ((c.x + 0.0).to_bits(), (c.y + 0.0).to_bits())).collect();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < 3 {
        let message = format!("{} distinct vertices; an area needs three", distinct.len());
        return Some(Fault::new(FaultKind::TooFewVertices, place, message));
    }
    let (west, east) =
        coords.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(w, e), c| (w.min(c.x), e.max(c.x)));
    (east - west > 180.0).then(|| {
        let message = "the ring spans more than half the globe; split it at ±180°";
        Fault::new(FaultKind::AcrossAntimeridian, place, message)
    })
}

/// Shells counter-clockwise, holes clockwise, by the sign of the planar area relative to the first vertex.
fn orient(mut coords: Vec<Coord<f64>>, place: Place, faults: &mut Vec<Fault>) -> LineString<f64> {
    let origin = coords[0];
    let doubled: f64 = coords
        .windows(2)
        .map(|edge| {
            let (a, b) = (edge[0] - origin, edge[1] - origin);
            a.x * b.y - b.x * a.y
        })
        .sum();
    let wanted_positive = place.ring == 0;
    if doubled != 0.0 && (doubled > 0.0) != wanted_positive {
        coords.reverse();
        let message =
            if wanted_positive { "the shell ran clockwise" } else { "the hole ran counter-clockwise" };
        faults.push(Fault::new(FaultKind::Reoriented, place, message));
    }
    LineString::new(coords)
}
