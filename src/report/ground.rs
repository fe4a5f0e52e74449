//! The ground of a record's versions, judged once for both bases.

use geo::{Centroid, InteriorPoint, MultiPolygon};
use geojson::GeometryValue;
use serde_json::Value;

use super::book::Basis;
use crate::geometry::outline::{Limits, Outline};
use crate::geometry::shape::read_geojson;

/// What a version says of its place.
pub(super) enum Ground {
    /// Nothing, or nothing that can be read.
    Nowhere,
    /// A point or a line, lon/lat: a place without an area.
    Place(f64, f64),
    /// An outline as entered, with its faults and what it may have meant.
    Area(Outline),
}

impl Ground {
    pub(super) fn read(geometry: Option<&Value>) -> Self {
        match geometry.and_then(read_geojson) {
            Some(geometry @ (GeometryValue::Polygon { .. } | GeometryValue::MultiPolygon { .. })) => {
                Self::Area(Outline::read(&geometry, &Limits::default()))
            }
            Some(other) => first_position(&other).map_or(Self::Nowhere, |(lon, lat)| Self::Place(lon, lat)),
            None => Self::Nowhere,
        }
    }

    /// What counts: only what is valid as entered for official figures, also a proposed repair for provisional ones.
    /// Nothing is repaired silently: [`Ground::repaired`] says where.
    pub(super) fn counted(&self, basis: Basis) -> Option<&MultiPolygon<f64>> {
        match (self, basis) {
            (Self::Area(outline), Basis::Official) => outline.valid(),
            (Self::Area(outline), Basis::Provisional) => outline.provisional(),
            _ => None,
        }
    }

    /// Why an outline does not count on a basis.
    pub(super) fn fault(&self, basis: Basis) -> Option<String> {
        match self {
            Self::Area(outline) if self.counted(basis).is_none() => {
                let fault = outline.errors().next();
                Some(fault.map_or_else(|| "it encloses no ground".to_owned(), ToString::to_string))
            }
            _ => None,
        }
    }

    /// What a repair that counts put right.
    pub(super) fn repaired(&self, basis: Basis) -> Option<String> {
        match self {
            Self::Area(outline) if basis == Basis::Provisional && outline.valid().is_none() => {
                outline.proposed.as_ref().and(outline.errors().next()).map(ToString::to_string)
            }
            _ => None,
        }
    }

    /// A place that surely lies in it, lon/lat.
    pub(super) fn place(&self) -> Option<(f64, f64)> {
        match self {
            Self::Nowhere => None,
            Self::Place(lon, lat) => Some((*lon, *lat)),
            Self::Area(outline) => {
                let polygons = outline.provisional().or(outline.entered.as_ref())?;
                let point = polygons.interior_point().or_else(|| polygons.centroid())?;
                Some((point.x(), point.y()))
            }
        }
    }
}

fn first_position(geometry: &GeometryValue) -> Option<(f64, f64)> {
    let position = match geometry {
        GeometryValue::Point { coordinates } => Some(coordinates),
        GeometryValue::MultiPoint { coordinates } | GeometryValue::LineString { coordinates } => {
            coordinates.first()
        }
        GeometryValue::MultiLineString { coordinates } => coordinates.first()?.first(),
        _ => None,
    };
    match position?.as_slice() {
        [lon, lat, ..] if lon.abs() <= 180.0 && lat.abs() <= 90.0 => Some((*lon, *lat)),
        _ => None,
    }
}
