//! The programme's fixed equal-area grid: WGS 84 degrees to whole millimetres and back.

use std::f64::consts::PI;

use geo::{Coord, LineString, MultiPolygon, Polygon};
use proj4rs::Proj;
use proj4rs::adaptors::transform_xy;

use super::exact::{GridOutline, GridPoint};
use super::outline::Extent;

/// Half the side of the square in which grid coordinates must lie, mm: 20 000 km, beyond any projected point, and
/// small enough that every product of the exact predicates fits `i128`.
const REACH: i64 = 20_000_000_000;

/// Why a position or a country cannot be put on a grid.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GridError {
    /// The extent is empty, not finite or not on the globe.
    #[error("{0:?} is not an extent of longitudes and latitudes")]
    BadExtent(Extent),
    /// The projection could not be set up.
    #[error("the projection {definition} was refused: {reason}")]
    Refused {
        /// PROJ string.
        definition: String,
        /// Words of the projection library.
        reason: String,
    },
    /// A position that has no place on the grid.
    #[error("{lon} {lat} has no place on the grid")]
    OffGrid {
        /// Degrees east.
        lon: f64,
        /// Degrees north.
        lat: f64,
    },
    /// Rounding to millimetres left no ring with an area.
    #[error("nothing with an area is left of the outline on the grid")]
    Vanished,
}

/// One equal-area projection with a fixed origin.
///
/// Albers with standard parallels at a sixth and five sixths of the extent's latitudes (Snyder 1987, p. 99); where
/// these are too near the equator or symmetric to it the cone degenerates, and Lambert azimuthal is used instead. The
/// definition is part of every frozen figure: two grids give slightly different millimetres.
#[derive(Debug, Clone)]
pub struct Grid {
    definition: String,
    projected: Proj,
    degrees: Proj,
}

impl Grid {
    /// The grid for a country's extent, whose middle becomes the origin.
    pub fn for_extent(extent: Extent) -> Result<Self, GridError> {
        let Extent { west, south, east, north } = extent;
        let on_globe = [west, east].iter().all(|lon| lon.abs() <= 180.0)
            && [south, north].iter().all(|lat| lat.abs() <= 90.0);
        if !on_globe || west >= east || south >= north {
            return Err(GridError::BadExtent(extent));
        }
        let (lon, lat) = (f64::midpoint(west, east), f64::midpoint(south, north));
        let sixth = (north - south) / 6.0;
        let across_equator = south < 0.0 && north > 0.0;
        let definition = if across_equator || lat.abs() < 5.0 {
            format!("+proj=laea +lat_0={lat} +lon_0={lon} +datum=WGS84 +units=m")
        } else {
            let (low, high) = (south + sixth, north - sixth);
            format!("+proj=aea +lat_1={low} +lat_2={high} +lat_0={lat} +lon_0={lon} +datum=WGS84 +units=m")
        };
        Self::from_definition(&definition)
    }

    /// The grid of a stored PROJ definition; it must be an equal-area projection in metres.
    pub fn from_definition(definition: &str) -> Result<Self, GridError> {
        let refused = |reason: String| GridError::Refused { definition: definition.into(), reason };
        if !["+proj=aea ", "+proj=laea "].iter().any(|known| definition.starts_with(known)) {
            return Err(refused("neither aea nor laea".into()));
        }
        let parse = |text: &str| Proj::from_proj_string(text).map_err(|e| refused(e.to_string()));
        let grid = Self {
            definition: definition.into(),
            projected: parse(definition)?,
            degrees: parse("+proj=longlat +datum=WGS84")?,
        };
        Ok(grid)
    }

    /// The PROJ definition, to be kept beside the figures.
    pub fn definition(&self) -> &str {
        &self.definition
    }

    /// The grid point nearest to a position in degrees.
    pub fn point(&self, lon: f64, lat: f64) -> Result<GridPoint, GridError> {
        let off_grid = || GridError::OffGrid { lon, lat };
        if !(lon.abs() <= 180.0 && lat.abs() <= 90.0) {
            return Err(off_grid());
        }
        let radian = PI / 180.0;
        let (x, y) = transform_xy(&self.degrees, &self.projected, lon * radian, lat * radian)
            .map_err(|_refusal| off_grid())?;
        let place = |metres: f64| millimetres(metres).ok_or_else(off_grid);
        Ok(GridPoint { x: place(x)?, y: place(y)? })
    }

    /// Degrees east and north of a grid point.
    #[expect(clippy::cast_precision_loss, reason = "grid coordinates are below 2^35")]
    pub fn degrees(&self, point: GridPoint) -> Result<Coord<f64>, GridError> {
        let (x, y) = (point.x as f64 / 1e3, point.y as f64 / 1e3);
        let (lon, lat) = transform_xy(&self.projected, &self.degrees, x, y)
            .map_err(|_refusal| GridError::OffGrid { lon: f64::NAN, lat: f64::NAN })?;
        Ok(Coord { x: lon * 180.0 / PI, y: lat * 180.0 / PI })
    }

    /// An outline on the grid, every vertex projected once.
    pub fn outline(&self, polygons: &MultiPolygon<f64>) -> Result<GridOutline, GridError> {
        let mut rings = Vec::new();
        for polygon in polygons {
            for (index, line) in std::iter::once(polygon.exterior()).chain(polygon.interiors()).enumerate() {
                let points = line.0.iter().map(|c| self.point(c.x, c.y));
                let mut ring = points.collect::<Result<Vec<_>, _>>()?;
                let positive = super::exact::ring_area(&ring).doubled() > 0;
                // The non-zero rule needs holes to run against their shells, whatever the source did.
                if positive != (index == 0) {
                    ring.reverse();
                }
                rings.push(ring);
            }
        }
        GridOutline::new(rings).ok_or(GridError::Vanished)
    }

    /// A ring of the grid in degrees, closed, rounded to 8 decimals (about 1 mm): for showing, never for counting.
    pub fn ring_in_degrees(&self, ring: &[GridPoint]) -> Result<LineString<f64>, GridError> {
        let mut coords = ring
            .iter()
            .map(|&point| self.degrees(point).map(|c| Coord { x: tidy(c.x), y: tidy(c.y) }))
            .collect::<Result<Vec<_>, _>>()?;
        coords.dedup();
        Ok(Polygon::new(LineString::new(coords), Vec::new()).exterior().clone())
    }
}

fn tidy(degrees: f64) -> f64 {
    (degrees * 1e8).round() / 1e8
}

#[expect(clippy::cast_possible_truncation, reason = "the range is checked in the line before")]
fn millimetres(metres: f64) -> Option<i64> {
    let rounded = (metres * 1e3).round();
    #[expect(clippy::cast_precision_loss, reason = "REACH is far below 2^53")]
    (rounded.abs() <= REACH as f64).then_some(rounded as i64)
}

#[cfg(test)]
mod tests {
    use geo::{MultiPolygon, polygon};

    use super::super::measure;
    use super::*;

    const COUNTRIES: [(&str, Extent); 5] = [
        ("Bosnia", Extent { west: 15.7, south: 42.5, east: 19.7, north: 45.3 }),
        ("Cambodia", Extent { west: 102.3, south: 10.0, east: 107.7, north: 14.7 }),
        ("Angola", Extent { west: 11.6, south: -18.1, east: 24.1, north: -4.3 }),
        ("Colombia", Extent { west: -79.1, south: -4.3, east: -66.8, north: 12.6 }),
        ("Congo", Extent { west: 12.2, south: -13.5, east: 31.3, north: 5.4 }),
    ];

    #[test]
    fn positions_survive_the_way_there_and_back() {
        for (name, extent) in COUNTRIES {
            let grid = Grid::for_extent(extent).unwrap();
            for i in 0..=10 {
                for j in 0..=10 {
                    let lon = extent.west + (extent.east - extent.west) * f64::from(i) / 10.0;
                    let lat = extent.south + (extent.north - extent.south) * f64::from(j) / 10.0;
                    let there = grid.point(lon, lat).unwrap();
                    let back = grid.degrees(there).unwrap();
                    assert!((back.x - lon).abs() < 2e-8, "{name} {lon} {lat} {back:?}");
                    assert!((back.y - lat).abs() < 2e-8, "{name} {lon} {lat} {back:?}");
                    assert_eq!(grid.point(back.x, back.y).unwrap(), there, "{name} {lon} {lat}");
                }
            }
        }
    }

    #[test]
    fn the_grid_keeps_areas_wherever_a_polygon_lies() {
        for (name, extent) in COUNTRIES {
            let grid = Grid::for_extent(extent).unwrap();
            for (u, v) in [(0.01, 0.01), (0.5, 0.5), (0.98, 0.03), (0.3, 0.97)] {
                let lon = extent.west + (extent.east - extent.west) * u;
                let lat = extent.south + (extent.north - extent.south) * v;
                let side = 0.005;
                let square = MultiPolygon::new(vec![polygon![
                    (x: lon, y: lat), (x: lon + side, y: lat),
                    (x: lon + side, y: lat + side), (x: lon, y: lat + side)
                ]]);
                let planar = grid.outline(&square).unwrap().ring_sum().m2();
                let geodesic = measure::area(&square);
                assert!((planar / geodesic - 1.0).abs() < 2e-6, "{name}: {planar} {geodesic}");
            }
        }
    }

    #[test]
    fn bad_extents_and_positions_are_refused() {
        let extent = Extent { west: 10.0, south: 5.0, east: 9.0, north: 6.0 };
        assert!(Grid::for_extent(extent).is_err());
        let grid = Grid::for_extent(COUNTRIES[0].1).unwrap();
        assert!(grid.point(f64::NAN, 43.0).is_err());
        assert!(grid.point(18.0, 91.0).is_err());
        assert!(Grid::from_definition("+proj=utm +zone=34").is_err());
    }
}
