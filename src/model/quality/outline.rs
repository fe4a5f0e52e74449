//! Outlines that occur twice.

use std::collections::HashSet;

use geo::Coord;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::rules::OUTLINE_REPEATED;
use super::shape::{Line, Shape};
use super::{Context, Findings};

/// Names a ring by its shape: the same for any start, direction and closing, to 1e-7 degrees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OutlineHash([u8; 32]);

/// The hashes of the outer rings of a GeoJSON `Polygon` or `MultiPolygon`; empty for all else.
pub fn outline_hashes(geometry: &Value) -> Vec<OutlineHash> {
    let coordinates = &geometry["coordinates"];
    let shells: Vec<&Value> = match geometry["type"].as_str() {
        Some("Polygon") => vec![&coordinates[0]],
        Some("MultiPolygon") => {
            coordinates.as_array().into_iter().flatten().map(|polygon| &polygon[0]).collect()
        }
        _ => Vec::new(),
    };
    let position = |position: &Value| Some(Coord { x: position[0].as_f64()?, y: position[1].as_f64()? });
    shells
        .into_iter()
        .filter_map(|ring| ring.as_array()?.iter().map(position).collect::<Option<Vec<_>>>())
        .filter_map(|coords| hash(&coords))
        .collect()
}

pub(super) fn check(shape: &Shape, context: &Context<'_>, findings: &mut Findings) {
    let mut seen = HashSet::new();
    for ring in shape.lines.iter().filter(|line: &&Line| line.is_shell) {
        let Some(hash) = hash(&ring.coords) else { continue };
        if !seen.insert(hash) {
            findings.add(&OUTLINE_REPEATED, ring.pointer.clone(), "the same ring again in this record");
        } else if let Some(other) = context.other_outlines.and_then(|known| known.get(&hash)) {
            findings.add(&OUTLINE_REPEATED, ring.pointer.clone(), format!("{other} has the same outline"));
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "degrees times 1e7 fit an i64 many times over")]
fn rounded(coord: Coord<f64>) -> (i64, i64) {
    ((coord.x * 1e7).round() as i64, (coord.y * 1e7).round() as i64)
}

fn hash(coords: &[Coord<f64>]) -> Option<OutlineHash> {
    let mut ring: Vec<(i64, i64)> = coords.iter().copied().map(rounded).collect();
    ring.dedup();
    while ring.len() > 1 && ring.first() == ring.last() {
        ring.pop();
    }
    if ring.len() < 3 {
        return None;
    }
    let mut back = ring.clone();
    back.reverse();
    let canonical = from_least(ring).min(from_least(back));
    let mut hasher = Sha256::new();
    for (x, y) in canonical {
        hasher.update(x.to_be_bytes());
        hasher.update(y.to_be_bytes());
    }
    Some(OutlineHash(hasher.finalize().into()))
}

fn from_least(mut ring: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    let least = (0..ring.len()).min_by_key(|&i| ring[i]).unwrap_or_default();
    ring.rotate_left(least);
    ring
}
