//! Geodesic measures on the WGS 84 ellipsoid (Karney 2013, doi:10.1007/s00190-012-0578-z), as `geo` computes them.
//!
//! These are for showing one outline and for cross-checking the grid. Sums, unions and differences are made on the
//! grid, where they are exact.

use geo::{GeodesicArea, MultiPolygon, Polygon};

/// Area of one polygon in m², holes taken off.
///
/// `geodesic_area_unsigned` of a clockwise shell is the rest of the globe (5.1e14 m²), and a shell with a
/// counter-clockwise hole turns out as −5.1e14; the magnitude of each ring's signed area is right whichever way
/// anybody walked round it.
pub fn polygon_area(polygon: &Polygon<f64>) -> f64 {
    let ring =
        |line: &geo::LineString<f64>| Polygon::new(line.clone(), Vec::new()).geodesic_area_signed().abs();
    let holes: f64 = polygon.interiors().iter().map(ring).sum();
    ring(polygon.exterior()) - holes
}

/// Area of all members in m². Overlapping members count twice: check validity first.
pub fn area(polygons: &MultiPolygon<f64>) -> f64 {
    polygons.iter().map(polygon_area).sum()
}

/// Area in m² on the ellipsoid by the authalic formula (Snyder 1987, eq. 3-12), edges taken straight in longitude and
/// sine of authalic latitude: thirty times quicker than [`area`], and a way to check the grid that shares no code with
/// its projection. For edges of a few hundred metres it agrees with [`area`] to well below 1e-6.
pub fn authalic_area(polygons: &MultiPolygon<f64>) -> f64 {
    const SEMI_MAJOR: f64 = 6_378_137.0;
    const FLATTENING: f64 = 1.0 / 298.257_223_563;
    let squared = FLATTENING * (2.0 - FLATTENING);
    let e = squared.sqrt();
    let q = |lat: f64| {
        let sine = lat.to_radians().sin();
        (1.0 - squared) * (sine / (1.0 - squared * sine * sine) + (e * sine).atanh() / e)
    };
    let ring = |line: &geo::LineString<f64>| {
        let Some(origin) = line.0.first() else {
            return 0.0;
        };
        let (lon, height) = (origin.x, q(origin.y));
        let points: Vec<(f64, f64)> =
            line.0.iter().map(|c| ((c.x - lon).to_radians(), q(c.y) - height)).collect();
        let doubled: f64 = points.windows(2).map(|e| e[0].0 * e[1].1 - e[1].0 * e[0].1).sum();
        // x = a·λ and y = a·q/2 keep areas.
        (doubled * SEMI_MAJOR * SEMI_MAJOR / 4.0).abs()
    };
    let polygon =
        |polygon: &Polygon<f64>| ring(polygon.exterior()) - polygon.interiors().iter().map(ring).sum::<f64>();
    polygons.iter().map(polygon).sum()
}

/// Length of all rings in m, holes included.
pub fn perimeter(polygons: &MultiPolygon<f64>) -> f64 {
    polygons
        .iter()
        .flat_map(|polygon| std::iter::once(polygon.exterior()).chain(polygon.interiors()))
        .map(|ring| Polygon::new(ring.clone(), Vec::new()).geodesic_perimeter())
        .sum()
}

#[cfg(test)]
mod tests {
    use geo::{Destination, Geodesic, MultiPolygon, Point, Polygon, polygon};

    use super::{area, authalic_area, perimeter, polygon_area};

    fn square_at(lon: f64, lat: f64, side: f64) -> Polygon<f64> {
        let start = Point::new(lon, lat);
        let east = Geodesic.destination(start, 90.0, side);
        let north_east = Geodesic.destination(east, 0.0, side);
        let north = Geodesic.destination(start, 0.0, side);
        polygon![start.0, east.0, north_east.0, north.0]
    }

    #[test]
    fn a_kilometre_square_near_the_equator() {
        let found = polygon_area(&square_at(104.9, 0.5, 1000.0));
        assert!((found - 1_000_000.7).abs() < 2.0, "{found}");
    }

    #[test]
    fn the_authalic_area_agrees_with_the_geodesic_one() {
        for lat in [-60.0, -12.0, 0.0, 0.5, 33.0, 43.5, 65.0] {
            for side in [50.0, 500.0] {
                let square = MultiPolygon::new(vec![square_at(18.0, lat, side)]);
                let (found, expected) = (authalic_area(&square), area(&square));
                assert!((found / expected - 1.0).abs() < 1e-6, "{lat} {side}: {found} {expected}");
            }
        }
    }

    #[test]
    fn a_closed_square_traverse_at_phnom_penh() {
        let mut corners = vec![Point::new(104.90, 11.55)];
        for bearing in [45.0, 135.0, 225.0] {
            let last = *corners.last().unwrap();
            corners.push(Geodesic.destination(last, bearing, 100.0));
        }
        let ring: Vec<_> = corners.iter().map(|point| point.0).collect();
        let found = polygon_area(&Polygon::new(ring.into(), vec![]));
        assert!((found - 10_000.023).abs() < 0.1, "{found}");
    }

    #[test]
    fn a_degree_of_longitude_has_its_known_length() {
        for (lat, metres) in [(0.0, 111_319.5), (15.0, 107_550.4), (45.0, 78_846.3), (60.0, 55_799.5)] {
            let step = 1e-5;
            let sliver = polygon![(x: 0.0, y: lat), (x: step, y: lat), (x: step, y: lat + 1e-9)];
            let half = perimeter(&MultiPolygon::new(vec![sliver])) / 2.0 / step;
            assert!((half - metres).abs() < 20.0, "{lat}: {half}");
        }
    }

    #[test]
    fn winding_never_gives_the_rest_of_the_globe() {
        let shell = square_at(18.0, 43.5, 1000.0);
        let inner = square_at(18.004, 43.502, 100.0);
        let expected = polygon_area(&shell) - polygon_area(&inner);
        for reverse_shell in [false, true] {
            for reverse_hole in [false, true] {
                let mut rings = [shell.exterior().clone(), inner.exterior().clone()];
                if reverse_shell {
                    rings[0].0.reverse();
                }
                if reverse_hole {
                    rings[1].0.reverse();
                }
                let [outer, hole] = rings;
                let found = area(&MultiPolygon::new(vec![Polygon::new(outer, vec![hole])]));
                assert!((found - expected).abs() < 1e-3, "{found} {expected}");
            }
        }
    }
}
