//! The `bbox` parameter.

use geo::{BoundingRect as _, Geometry, Intersects as _, Rect, coord};

use super::Unreadable;
use super::crs::Crs;

/// Points that each edge of a projected box is followed by: its image in degrees is curved.
const STEPS: u32 = 16;

/// A box of longitudes and latitudes; one whose west lies east of its east crosses the antimeridian.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bbox {
    /// Western edge, degrees.
    pub west: f64,
    /// Southern edge, degrees.
    pub south: f64,
    /// Eastern edge, degrees.
    pub east: f64,
    /// Northern edge, degrees.
    pub north: f64,
}

impl Bbox {
    /// Reads four numbers, or six with heights, which are not looked at, in the order of `crs`'s axes.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn parse(text: &str, crs: Crs) -> Result<Self, Unreadable> {
        let wrong = |reason: &str| Unreadable::new("bbox", format!("`{text}`: {reason}"));
        let numbers: Option<Vec<f64>> = text
            .split(',')
            .map(|number| number.trim().parse().ok().filter(|number: &f64| number.is_finite()))
            .collect();
        let Some(&[first, second, third, fourth] | &[first, second, _, third, fourth, _]) =
            numbers.as_deref()
        else {
            return Err(wrong("four numbers, or six with heights, with commas"));
        };
        if !crs.is_geographic() {
            return Self::around(crs, [first, second, third, fourth])
                .ok_or_else(|| wrong("it has no place on the globe in this reference system"));
        }
        let [west, south, east, north] = if crs.is_latitude_first() {
            [second, first, fourth, third]
        } else {
            [first, second, third, fourth]
        };
        if south > north {
            return Err(wrong("the southern edge is north of the northern"));
        }
        // Clients round the globe's own edges outwards.
        let on_globe =
            [west, east].iter().all(|lon| lon.abs() <= 360.0) && south.abs().max(north.abs()) <= 180.0;
        if !on_globe {
            return Err(wrong("these are not degrees"));
        }
        Ok(Self::turned(west, south, east, north))
    }

    /// A box whose longitudes may go on beyond ±180°, as maps count them that are turned across the antimeridian.
    fn turned(west: f64, south: f64, east: f64, north: f64) -> Self {
        if east - west >= 360.0 {
            return Self { west: -180.0, south, east: 180.0, north };
        }
        Self { west: wrapped(west), south, east: wrapped(east), north }
    }

    /// The box in degrees around one on a plane; nothing where no edge of it lies on the globe.
    fn around(crs: Crs, [min_x, min_y, max_x, max_y]: [f64; 4]) -> Option<Self> {
        if min_x > max_x || min_y > max_y {
            return None;
        }
        let parts = (0..=STEPS).map(|step| f64::from(step) / f64::from(STEPS));
        let edge = parts.flat_map(|part| {
            let (x, y) = (min_x + (max_x - min_x) * part, min_y + (max_y - min_y) * part);
            [(x, min_y), (x, max_y), (min_x, y), (max_x, y)]
        });
        // What of a view lies beyond the globe, or the zone, has no records.
        let places: Vec<[f64; 2]> = edge.filter_map(|(x, y)| crs.locate(x, y)).collect();
        let first = places.first()?;
        let begin = Self { west: first[0], south: first[1], east: first[0], north: first[1] };
        Some(places.iter().fold(begin, |all, &[lon, lat]| Self {
            west: all.west.min(lon),
            south: all.south.min(lat),
            east: all.east.max(lon),
            north: all.north.max(lat),
        }))
    }

    /// The box in parts that do not cross the antimeridian: `[min_lon, min_lat, max_lon, max_lat]`.
    pub fn parts(&self) -> Vec<[f64; 4]> {
        if self.west <= self.east {
            return vec![[self.west, self.south, self.east, self.north]];
        }
        vec![[self.west, self.south, 180.0, self.north], [-180.0, self.south, self.east, self.north]]
    }

    /// Whether a geometry meets the box. What has no place meets every box.
    pub fn meets(&self, geometry: Option<&Geometry<f64>>) -> bool {
        let Some(geometry) = geometry else { return true };
        let Some(bounds) = geometry.bounding_rect() else { return true };
        self.parts().into_iter().any(|[west, south, east, north]| {
            let part = Rect::new(coord! {x: west, y: south}, coord! {x: east, y: north});
            part.intersects(&bounds) && part.to_polygon().intersects(geometry)
        })
    }
}

/// A longitude between -180° and 180°; those that are stay as they are.
fn wrapped(lon: f64) -> f64 {
    if lon.abs() <= 180.0 { lon } else { (lon + 180.0).rem_euclid(360.0) - 180.0 }
}

#[cfg(test)]
mod tests {
    use geo::Point;

    use super::*;

    fn parse(text: &str) -> Bbox {
        Bbox::parse(text, Crs::Crs84).unwrap()
    }

    #[test]
    fn the_boxes_of_the_test_suite_are_read() {
        for text in [
            "-1.5,50,1.5,53",
            "-80,-5,-70,5",
            "177,65,-177,70",
            "-180,85,180,90",
            "-180,-90,180,-85",
            "-1.5,50,0,1.5,53,100",
        ] {
            assert!(!parse(text).parts().is_empty(), "{text}");
        }
        for text in ["", "1,2,3", "1,2,3,x", "1,9,3,4", "1,2,3,NaN", "4000,5000,4100,5100", "1,2,3,4,5"] {
            assert!(Bbox::parse(text, Crs::Crs84).is_err(), "{text}");
        }
    }

    #[test]
    fn a_box_across_the_antimeridian_has_two_parts() {
        let fiji = parse("177,-20,-178,-15");
        let meets = |lon: f64| fiji.meets(Some(&Geometry::Point(Point::new(lon, -18.0))));
        assert!(meets(179.0) && meets(-179.0) && !meets(0.0) && !meets(170.0));
        assert!(fiji.meets(None), "what has no place is never left out");
    }

    #[test]
    fn longitudes_that_go_on_beyond_the_antimeridian_come_back_on_the_other_side() {
        for (text, [west, east]) in [
            ("170,-20,190,-10", [170.0, -170.0]),
            ("-190,-20,-170,-10", [170.0, -170.0]),
            ("190,-20,200,-10", [-170.0, -160.0]),
            ("-180,-20,180,-10", [-180.0, 180.0]),
            ("-200,-20,200,-10", [-180.0, 180.0]),
            ("10,-20,350,-10", [10.0, -10.0]),
        ] {
            assert_eq!(parse(text), Bbox { west, south: -20.0, east, north: -10.0 }, "{text}");
        }
    }

    #[test]
    fn axes_stand_in_the_order_of_their_system() {
        let lon_first = parse("18,43,19,44");
        assert_eq!(Bbox::parse("43,18,44,19", Crs::Epsg4326).unwrap(), lon_first);
        let [west, south] = Crs::WebMercator.place(18.0, 43.0).unwrap();
        let [east, north] = Crs::WebMercator.place(19.0, 44.0).unwrap();
        let found = Bbox::parse(&format!("{west},{south},{east},{north}"), Crs::WebMercator).unwrap();
        assert!((found.west - 18.0).abs() < 1e-9 && (found.north - 44.0).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn a_polygon_around_the_box_meets_it_and_a_hole_does_not() {
        let ring = |inner: f64| {
            geo::LineString::from(vec![(-inner, -inner), (inner, -inner), (inner, inner), (-inner, inner)])
        };
        let frame = geo::Polygon::new(ring(10.0), vec![ring(5.0)]);
        let frame = Geometry::Polygon(frame);
        assert!(parse("7,7,8,8").meets(Some(&frame)));
        assert!(!parse("-1,-1,1,1").meets(Some(&frame)));
    }
}
