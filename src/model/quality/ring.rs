//! Rings, one at a time: closed, long enough, simple.

use geo::{Coord, Distance, Haversine, Point};

use super::Findings;
use super::rules::{
    CLOSING_POINT_REPEATED, LEG_TOO_LONG, OUTLINE_TOO_LARGE, RING_NOT_CLOSED, SCRAMBLED_ORDER,
    SELF_INTERSECTION, TOO_FEW_VERTICES, VERTEX_MISSING, VERTEX_REPEATED,
};
use super::shape::{Line, Shape};
use crate::geometry::Limits;
use crate::geometry::crossing::Edges;

/// Two positions closer than this in both axes are one, degrees (11 cm).
const SAME_DEG: f64 = 1e-6;
/// No leg is longer, metres.
const LONGEST_LEG_M: f64 = 5_000.0;
/// A ring in another order must be shorter by this factor to call its order scrambled.
const CLEARLY_SHORTER: f64 = 0.9;

pub(super) fn check(shape: &Shape, findings: &mut Findings) {
    for line in &shape.lines {
        long_legs(line, findings);
        if line.is_ring {
            check_ring(line, findings);
        }
    }
    missing_vertex(shape, findings);
    too_large(shape, findings);
}

fn same(a: Coord<f64>, b: Coord<f64>) -> bool {
    (a.x - b.x).abs() <= SAME_DEG && (a.y - b.y).abs() <= SAME_DEG
}

fn long_legs(line: &Line, findings: &mut Findings) {
    for (index, pair) in line.coords.windows(2).enumerate() {
        let metres = Haversine.distance(Point(pair[0]), Point(pair[1]));
        if metres > LONGEST_LEG_M && line.has_legs {
            let pointer = format!("{}/{}", line.pointer, index + 1);
            findings.add(&LEG_TOO_LONG, pointer, format!("{:.1} km from the vertex before", metres / 1e3));
        }
    }
}

/// Vertices of a ring without repetitions and without the closing one, each with its index.
fn corners(ring: &Line) -> Vec<(usize, Coord<f64>)> {
    let mut corners: Vec<(usize, Coord<f64>)> = Vec::new();
    for (index, &coord) in ring.coords.iter().enumerate() {
        if corners.last().is_none_or(|(_, last)| !same(*last, coord)) {
            corners.push((index, coord));
        }
    }
    while corners.len() > 1 && same(corners[0].1, corners[corners.len() - 1].1) {
        corners.pop();
    }
    corners
}

fn check_ring(ring: &Line, findings: &mut Findings) {
    let last = ring.coords.len() - 1;
    if last == 0 || ring.coords[0] != ring.coords[last] {
        findings.add(&RING_NOT_CLOSED, ring.pointer.clone(), "the last position does not repeat the first");
    }
    repetitions(ring, findings);
    let corners = corners(ring);
    let mut distinct: Vec<Coord<f64>> = Vec::new();
    for (_, corner) in &corners {
        if distinct.len() < 3 && !distinct.iter().any(|known| same(*known, *corner)) {
            distinct.push(*corner);
        }
    }
    if distinct.len() < 3 {
        let message = format!("{} different vertices", distinct.len());
        findings.add(&TOO_FEW_VERTICES, ring.pointer.clone(), message);
        return;
    }
    if let Some(Meeting { pair: (first, second), crosses }) = first_meeting(&corners) {
        let message = format!("the edges from vertex {first} and from vertex {second} meet");
        findings.add(&SELF_INTERSECTION, ring.pointer.clone(), message);
        // Edges that only touch are a notch too deep, not an order gone wrong.
        if crosses && is_scrambled(&corners) {
            let message = "around their middle the vertices give a shorter ring without crossings";
            findings.add(&SCRAMBLED_ORDER, ring.pointer.clone(), message);
        }
    }
}

fn repetitions(ring: &Line, findings: &mut Findings) {
    let coords = &ring.coords;
    let last = coords.len() - 1;
    for index in 1..=last {
        if !same(coords[index], coords[index - 1]) {
            continue;
        }
        let pointer = format!("{}/{index}", ring.pointer);
        let closes = last > 1 && same(coords[0], coords[last]);
        if closes && same(coords[index], coords[0]) {
            findings.add(&CLOSING_POINT_REPEATED, pointer, "the closing point again");
        } else {
            findings.add(&VERTEX_REPEATED, pointer, "the vertex before again");
        }
    }
}

/// Edges that meet where they should not.
struct Meeting {
    /// The first two such edges, by the indices of their first vertices.
    pair: (usize, usize),
    /// Whether any two of them truly cross.
    crosses: bool,
}

/// The edges between corners, the one back to the first included. None where the numbers are so large that no
/// meeting could be told; they lie nowhere on earth and are flagged for that.
fn edges(corners: &[(usize, Coord<f64>)]) -> Option<Edges> {
    const FARTHEST: f64 = 1e12;
    let mut ring: Vec<Coord<f64>> = corners.iter().map(|(_, coord)| *coord).collect();
    ring.extend(ring.first().copied());
    let near = ring.iter().all(|coord| coord.x.abs() <= FARTHEST && coord.y.abs() <= FARTHEST);
    near.then(|| Edges::of([ring.as_slice()]))
}

/// Finds where a ring meets itself.
fn first_meeting(corners: &[(usize, Coord<f64>)]) -> Option<Meeting> {
    let edges = edges(corners)?;
    let (first, second) = edges.first_meeting()?;
    Some(Meeting { pair: (corners[first].0, corners[second].0), crosses: edges.any_crossing() })
}

/// Sorts the vertices around their middle: a clearly shorter, simple ring means that the surveyor's
/// points are right and only their order is not.
fn is_scrambled(corners: &[(usize, Coord<f64>)]) -> bool {
    let count = f64::from(u32::try_from(corners.len()).unwrap_or(u32::MAX));
    let sum = corners.iter().fold(Coord { x: 0.0, y: 0.0 }, |sum, (_, coord)| sum + *coord);
    let middle = sum / count;
    let mut around = corners.to_vec();
    around.sort_by(|(_, a), (_, b)| {
        let angle = |c: &Coord<f64>| (c.y - middle.y).atan2(c.x - middle.x);
        angle(a).total_cmp(&angle(b))
    });
    let is_simple = edges(&around).is_some_and(|edges| edges.any_meeting().is_none());
    is_simple && length(&around) < CLEARLY_SHORTER * length(corners)
}

fn length(corners: &[(usize, Coord<f64>)]) -> f64 {
    let next = corners.iter().cycle().skip(1);
    corners.iter().zip(next).map(|((_, a), (_, b))| Haversine.distance(Point(*a), Point(*b))).sum()
}

fn missing_vertex(shape: &Shape, findings: &mut Findings) {
    let Some(entered) = shape.traverse_corners else { return };
    let shells: Vec<&Line> = shape.lines.iter().filter(|line| line.is_shell).collect();
    let [shell] = shells[..] else { return };
    let drawn = corners(shell).len();
    if drawn != entered {
        let message = format!("{drawn} corners drawn, {entered} measured");
        findings.add(&VERTEX_MISSING, shell.pointer.clone(), message);
    }
}

fn too_large(shape: &Shape, findings: &mut Findings) {
    let limits = Limits::default();
    let rings = || shape.lines.iter().filter(|line| line.is_ring);
    let counts = [
        ("members", rings().filter(|ring| ring.is_shell).count(), limits.members),
        ("rings", rings().count(), limits.rings),
        ("vertices", rings().map(|ring| ring.coords.len()).sum(), limits.vertices),
    ];
    if let Some((what, found, most)) = counts.into_iter().find(|(_, found, most)| found > most) {
        let message = format!("{found} {what}, more than the {most} allowed");
        findings.add(&OUTLINE_TOO_LARGE, "/geometry", message);
    }
}
