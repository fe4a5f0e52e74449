//! What can be wrong with an outline, where, and in words for the person who can put it right.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where in a geometry a fault sits: indices as in the `GeoJSON` as entered, from 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Member of the multipolygon.
    pub member: usize,
    /// Ring of the member; 0 is the shell.
    pub ring: usize,
    /// Vertex of the ring, or the first vertex of the edge at fault.
    pub vertex: Option<usize>,
}

/// The kinds of fault. Notes (see [`FaultKind::is_note`]) were put right without moving any ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The ring did not end where it began; it was closed.
    RingClosed,
    /// The same vertex twice in a row; one was dropped.
    RepeatedVertex,
    /// A clockwise shell or a counter-clockwise hole; it was turned round (RFC 7946).
    Reoriented,
    /// Neither a polygon nor a multipolygon.
    NotAnArea,
    /// No geometry, no member or a ring without positions.
    Empty,
    /// More members, rings or vertices than the caller allows.
    TooLarge,
    /// A position with fewer than two numbers.
    ShortPosition,
    /// NaN or infinity.
    NotFinite,
    /// |longitude| > 180 or |latitude| > 90.
    OutOfRange,
    /// Outside the programme's extent; often longitude and latitude swapped.
    OutsideExtent,
    /// Spans more than half the globe: it must be split at ±180° (RFC 7946 §3.1.9).
    AcrossAntimeridian,
    /// Fewer than three distinct vertices: the ring encloses nothing and is left out.
    TooFewVertices,
    /// The ring crosses or touches itself: a bow-tie, scrambled order of vertices, a pinch.
    SelfIntersection,
    /// The ring goes out along an edge and back on it.
    Spike,
    /// A hole that is not inside its shell.
    HoleOutsideShell,
    /// Two holes, or a hole and its shell, share more than points.
    RingsOverlap,
    /// Two members cover the same ground.
    MembersOverlap,
    /// Two members share an edge, or the same member is there twice.
    MembersTouch,
    /// Its rings touch in so many places that nobody can tell in reasonable time whether they overlap.
    TooIntricate,
    /// No repair is proposed beside the other faults; the message says why.
    NoRepair,
    /// Smaller than the least area allowed.
    TooSmallArea,
    /// Larger than the largest plausible area.
    ImplausibleArea,
}

impl FaultKind {
    /// The name in records and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RingClosed => "ring_closed",
            Self::RepeatedVertex => "repeated_vertex",
            Self::Reoriented => "reoriented",
            Self::NotAnArea => "not_an_area",
            Self::Empty => "empty",
            Self::TooLarge => "too_large",
            Self::ShortPosition => "short_position",
            Self::NotFinite => "not_finite",
            Self::OutOfRange => "out_of_range",
            Self::OutsideExtent => "outside_extent",
            Self::AcrossAntimeridian => "across_antimeridian",
            Self::TooFewVertices => "too_few_vertices",
            Self::SelfIntersection => "self_intersection",
            Self::Spike => "spike",
            Self::HoleOutsideShell => "hole_outside_shell",
            Self::RingsOverlap => "rings_overlap",
            Self::MembersOverlap => "members_overlap",
            Self::MembersTouch => "members_touch",
            Self::TooIntricate => "too_intricate",
            Self::NoRepair => "no_repair",
            Self::TooSmallArea => "too_small_area",
            Self::ImplausibleArea => "implausible_area",
        }
    }

    /// A remark rather than a fault: the canonical form covers exactly the ground that was entered.
    pub fn is_note(self) -> bool {
        matches!(self, Self::RingClosed | Self::RepeatedVertex | Self::Reoriented)
    }

    /// The geometry can be drawn but its meaning is doubtful: a repair is worth proposing.
    pub fn is_repairable(self) -> bool {
        matches!(
            self,
            Self::TooFewVertices
                | Self::SelfIntersection
                | Self::Spike
                | Self::HoleOutsideShell
                | Self::RingsOverlap
                | Self::MembersOverlap
                | Self::MembersTouch
                | Self::TooIntricate
        )
    }
}

/// One fault: what, where, and a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// Where.
    pub place: Place,
    /// The same in words.
    pub message: String,
}

impl Fault {
    pub(crate) fn new(kind: FaultKind, place: Place, message: impl Into<String>) -> Self {
        Self { kind, place, message: message.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { member, ring, vertex } = self.place;
        write!(f, "{} (member {member}, ring {ring}", self.message)?;
        match vertex {
            Some(vertex) => write!(f, ", vertex {vertex})"),
            None => write!(f, ")"),
        }
    }
}
