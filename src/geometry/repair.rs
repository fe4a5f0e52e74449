//! A proposal for what a faulty outline meant.
//!
//! A proposal only. A bow-tie is evidence of a surveying error, and only a person can tell whether two corners were
//! swapped or a third was forgotten.
//!
//! `geo::MakeValid` untangles single rings. It must not be given whole geometries: by its odd-even rule two members
//! that overlap would lose the ground they share, and a hole beside its shell would become ground. So rings are
//! repaired one by one, holes are taken from shells and members are united, as GEOS does in its "structure" method.
//!
//! Triangulation and overlay both grow with the square of what they are given, so what is long or badly tangled gets
//! no proposal: nobody could judge one by eye either.

use std::panic::{AssertUnwindSafe, catch_unwind};

use geo::{Coord, LineString, MakeValid, MapCoords, MultiPolygon, Polygon, Winding};
use i_overlay::core::fill_rule::FillRule;
use i_overlay::core::overlay::{Overlay, ShapeType};
use i_overlay::core::overlay_rule::OverlayRule;
use i_overlay::i_float::int::point::IntPoint;

use super::crossing::Edges;
use super::validity;

/// The triangulation merges vertices nearer than 1e-4 units – 11 m if the units were degrees. A power of two, so
/// that coordinates come back bit for bit.
const MAGNIFY: f64 = 1_073_741_824.0;

/// Steps per degree when rings are combined: 0.1 mm.
const STEPS: f64 = 1e9;

/// Most vertices of a geometry that is repaired. The overlay takes 0.3 s for the worst of this length.
const LONGEST: usize = 10_000;

/// Most vertices of the rings in it that meet themselves, for the triangulation is slower; real outlines have below
/// 2 000.
const LONGEST_TANGLE: usize = 3_000;

/// Most places where edges would be split. With both at their most a repair takes 0.5 s; a slip of the pen makes a
/// handful.
const MOST_SPLITS: usize = 10_000;

/// Why no repair can be proposed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RepairError {
    /// More vertices than are repaired.
    #[error("no repair is proposed: {0} vertices, and more than {LONGEST} are left to a person")]
    TooLong(usize),
    /// More vertices in rings that meet themselves than are repaired.
    #[error(
        "no repair is proposed: {0} vertices in tangled rings, and more than {LONGEST_TANGLE} are left to a person"
    )]
    TooLongTangle(usize),
    /// Edges meet in more places than are repaired.
    #[error("no repair is proposed: edges meet in more than {MOST_SPLITS} places")]
    TooTangled,
    /// The triangulation refused the coordinates.
    #[error("no repair can be proposed: {0}")]
    Refused(String),
    /// The triangulation or the overlay panicked.
    #[error("the repair broke off: {0}")]
    BrokeOff(String),
    /// What was made of it is no valid outline either.
    #[error("no repair is proposed: what came of it is faulty as well")]
    Faulty,
    /// Nothing with an area is left of it.
    #[error("nothing with an area is left of the outline")]
    Nothing,
}

/// A valid geometry for the ground that canonical but faulty rings enclose: the loops of each ring, holes taken off
/// their shells, members united.
pub fn propose(polygons: &MultiPolygon<f64>) -> Result<MultiPolygon<f64>, RepairError> {
    within_reach(polygons)?;
    let repaired = catch_unwind(AssertUnwindSafe(|| repair(polygons)))
        .map_err(|panic| RepairError::BrokeOff(panic_text(panic.as_ref())))??;
    let polygons: Vec<Polygon<f64>> = repaired.into_iter().map(oriented).collect();
    let proposed = MultiPolygon::new(polygons);
    if proposed.0.is_empty() {
        return Err(RepairError::Nothing);
    }
    // Where edges meet at the sharpest of angles, rounding to degrees can cross them again.
    let is_valid = validity::faults(&proposed).iter().all(|fault| fault.kind.is_note());
    if is_valid { Ok(proposed) } else { Err(RepairError::Faulty) }
}

/// Whether a repair is a matter of less than a second.
fn within_reach(polygons: &MultiPolygon<f64>) -> Result<(), RepairError> {
    let rings = || polygons.iter().flat_map(|polygon| polygon.interiors().iter().chain([polygon.exterior()]));
    let vertices = rings().map(|ring| ring.0.len()).sum();
    if vertices > LONGEST {
        return Err(RepairError::TooLong(vertices));
    }
    let tangled = rings().filter(|ring| is_tangled(ring)).map(|ring| ring.0.len()).sum();
    if tangled > LONGEST_TANGLE {
        return Err(RepairError::TooLongTangle(tangled));
    }
    let edges = Edges::of(rings().map(|ring| ring.0.as_slice()));
    match edges.count_splits(MOST_SPLITS) {
        Ok(count) if count <= MOST_SPLITS => Ok(()),
        _ => Err(RepairError::TooTangled),
    }
}

fn is_tangled(ring: &LineString<f64>) -> bool {
    Edges::of([ring.0.as_slice()]).any_meeting().is_some()
}

fn repair(polygons: &MultiPolygon<f64>) -> Result<MultiPolygon<f64>, RepairError> {
    let mut members = Vec::new();
    for polygon in polygons {
        let shell = untangle(polygon.exterior())?;
        let mut holes = Vec::new();
        for hole in polygon.interiors() {
            holes.extend(untangle(hole)?);
        }
        if holes.is_empty() {
            members.extend(shell);
        } else {
            members.extend(combine(&shell.0, &holes, OverlayRule::Difference));
        }
    }
    if polygons.0.len() == 1 {
        return Ok(MultiPolygon::new(members));
    }
    Ok(combine(&members, &[], OverlayRule::Subject))
}

fn untangle(ring: &LineString<f64>) -> Result<MultiPolygon<f64>, RepairError> {
    let whole = Polygon::new(ring.clone(), Vec::new());
    if !is_tangled(ring) {
        return Ok(MultiPolygon::new(vec![whole]));
    }
    let scale = |factor: f64| move |c: Coord<f64>| Coord { x: c.x * factor, y: c.y * factor };
    whole
        .map_coords(scale(MAGNIFY))
        .make_valid()
        .map(|loops| loops.map_coords(scale(1.0 / MAGNIFY)))
        .map_err(|refusal| RepairError::Refused(refusal.to_string()))
}

/// Overlays valid polygons on a lattice of 1e-9 degrees.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "degrees on the globe are below 2^38 steps"
)]
fn combine(subject: &[Polygon<f64>], clip: &[Polygon<f64>], rule: OverlayRule) -> MultiPolygon<f64> {
    let mut overlay = Overlay::<i64>::new(64);
    overlay.options.ogc = true;
    for (polygons, role) in [(subject, ShapeType::Subject), (clip, ShapeType::Clip)] {
        for polygon in polygons.iter().cloned().map(oriented) {
            for ring in std::iter::once(polygon.exterior()).chain(polygon.interiors()) {
                let steps = |c: f64| (c * STEPS).round() as i64;
                let points = ring.0[1..].iter().map(|c| IntPoint::new(steps(c.x), steps(c.y)));
                overlay.add_path_iter(points, role);
            }
        }
    }
    let degrees = |point: IntPoint<i64>| Coord { x: point.x as f64 / STEPS, y: point.y as f64 / STEPS };
    let shapes = overlay.overlay(rule, FillRule::NonZero).into_iter().map(|shape| {
        let mut rings =
            shape.into_iter().map(|ring| ring.into_iter().map(degrees).collect::<LineString<f64>>());
        let shell = rings.next().unwrap_or_else(|| LineString::new(Vec::new()));
        Polygon::new(shell, rings.collect())
    });
    MultiPolygon::new(shapes.collect())
}

fn oriented(polygon: Polygon<f64>) -> Polygon<f64> {
    let (mut shell, mut holes) = polygon.into_inner();
    shell.make_ccw_winding();
    for hole in &mut holes {
        hole.make_cw_winding();
    }
    Polygon::new(shell, holes)
}

/// The message of a caught panic.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "no message".to_owned())
}
