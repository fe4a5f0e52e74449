//! The `bbox` parameter.

use geo::{BoundingRect as _, Geometry, Intersects as _, Rect, coord};

use super::Unreadable;
use super::crs::{Crs, RADIUS};
use crate::geometry::coordinate::{HIGHEST_LAT, LOWEST_LAT, REACH_DEG, central_meridian};

/// Steps between the points by which a projected box is followed: its image in degrees is curved.
const STEPS: u32 = 16;
/// Degrees by which a position may be off that went through a client: a tenth of a millimetre.
const ROUNDED_DEG: f64 = 1e-9;

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

    /// The box in degrees around one on a plane: perhaps larger, never smaller. Nothing where none of it lies on the globe.
    fn around(crs: Crs, [min_x, min_y, max_x, max_y]: [f64; 4]) -> Option<Self> {
        if min_x > max_x || min_y > max_y {
            return None;
        }
        let Crs::Utm { zone, .. } = crs else {
            let lon = |x: f64| (x / RADIUS).to_degrees();
            let lat = |y: f64| crs.locate(0.0, y).map(|[_, lat]| lat);
            return Some(Self::turned(lon(min_x), lat(min_y)?, lon(max_x), lat(max_y)?));
        };
        let [west, south, east, north] = sheet(crs, zone)?;
        let (x, y) = ([min_x.max(west), max_x.min(east)], [min_y.max(south), max_y.min(north)]);
        if x[0] > x[1] || y[0] > y[1] {
            return None;
        }
        let places = net(crs, central_meridian(zone), x, y);
        let found: Vec<[f64; 2]> = places.iter().flatten().flatten().copied().collect();
        found.first()?;
        if found.len() < places.iter().flatten().count() {
            // Some of it lies beyond the zone. Where the zone ends between two points is not looked for: whatever has
            // a place in it may be in the box.
            let meridian = central_meridian(zone);
            return Some(Self::turned(meridian - REACH_DEG, LOWEST_LAT, meridian + REACH_DEG, HIGHEST_LAT));
        }
        let margin = bends(&places);
        let most = |axis: usize, pick: fn(f64, f64) -> f64| found.iter().map(|at| at[axis]).reduce(pick);
        Some(Self::turned(
            most(0, f64::min)? - margin[0],
            most(1, f64::min)? - margin[1],
            most(0, f64::max)? + margin[0],
            most(1, f64::max)? + margin[1],
        ))
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

/// The rectangle around everything that has a place on a zone's grid: what lies beyond it is not looked at.
fn sheet(crs: Crs, zone: u8) -> Option<[f64; 4]> {
    let place = |turn: f64, lat: f64| crs.place(wrapped(central_meridian(zone) + turn), lat);
    let ([west, _], [east, _]) = (place(-REACH_DEG, 0.0)?, place(REACH_DEG, 0.0)?);
    let ([_, south], [_, north]) = (place(REACH_DEG, LOWEST_LAT)?, place(REACH_DEG, HIGHEST_LAT)?);
    Some([west, south, east, north])
}

/// Points of a rectangle in degrees, row by row, where they have a place. Longitudes go on beyond ±180° on either side of
/// the meridian.
fn net(crs: Crs, meridian: f64, x: [f64; 2], y: [f64; 2]) -> Vec<Vec<Option<[f64; 2]>>> {
    let steps = |[low, high]: [f64; 2]| {
        (0..=STEPS).map(move |step| low + (high - low) * f64::from(step) / f64::from(STEPS))
    };
    let locate = |x: f64, y: f64| {
        let [lon, lat] = crs.locate(x, y)?;
        let turn = lon - meridian;
        Some([meridian + turn - 360.0 * (turn / 360.0).round(), lat])
    };
    steps(y).map(|y| steps(x).map(|x| locate(x, y)).collect()).collect()
}

/// By how much lines through a net bend from one point to the next, at most, in degrees either way. Between two points
/// they bend by an eighth of that.
fn bends(net: &[Vec<Option<[f64; 2]>>]) -> [f64; 2] {
    let columns =
        (0..net.first().map_or(0, Vec::len)).map(|column| net.iter().map(|row| row[column]).collect());
    let lines: Vec<Vec<Option<[f64; 2]>>> = net.iter().cloned().chain(columns).collect();
    let threes = lines.iter().flat_map(|line| line.windows(3));
    threes.fold([ROUNDED_DEG; 2], |most, three| {
        let &[Some(a), Some(b), Some(c)] = three else { return most };
        [0, 1].map(|axis| most[axis].max((a[axis] - 2.0 * b[axis] + c[axis]).abs()))
    })
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
        let [west, east] = [19e6, 21e6];
        let across = Bbox::parse(&format!("{west},-2e6,{east},-1e6"), Crs::WebMercator).unwrap();
        let meets = |lon: f64| across.meets(Some(&Geometry::Point(Point::new(lon, -15.0))));
        assert!(meets(179.0) && meets(-175.0) && !meets(0.0), "{across:?}");
        let world = Bbox::parse("-6e7,-3e7,6e7,3e7", Crs::WebMercator).unwrap();
        let meets = |lon: f64| world.meets(Some(&Geometry::Point(Point::new(lon, -15.0))));
        assert!([-180.0, -60.0, 0.0, 180.0].into_iter().all(meets), "{world:?}");
    }

    #[test]
    fn a_box_on_a_zones_grid_loses_nothing_that_lies_in_it() {
        for (zone, north) in [(41, true), (41, false), (1, true), (60, false)] {
            let crs = Crs::Utm { zone, north };
            for [min_x, min_y, max_x, max_y] in [
                [1.06e6, 3.8e6, 1.08e6, 3.84e6],
                [0.0, 1e5, 1.5e6, 4e6],
                [-1e6, 3e6, 2.5e6, 1.2e7],
                [-3e7, -3e7, 3e7, 3e7],
                [4e5, 8e6, 3e6, 9.4e6],
            ] {
                let text = format!("{min_x},{min_y},{max_x},{max_y}");
                let found = Bbox::parse(&text, crs).unwrap();
                for (lon, lat) in (-300..=300).flat_map(|x| (-80..=84).map(move |y| (x, y))) {
                    let lon = wrapped(central_meridian(zone) + f64::from(lon) / 10.0);
                    let point = Point::new(lon, f64::from(lat));
                    let [x, y] = crs.place(point.x(), point.y()).unwrap();
                    let within = (min_x..=max_x).contains(&x) && (min_y..=max_y).contains(&y);
                    let met = found.meets(Some(&Geometry::Point(point)));
                    assert!(!within || met, "{zone} {text}: {point:?} {found:?}");
                }
            }
        }
    }

    #[test]
    fn a_box_on_a_zones_grid_is_no_larger_than_it_must_be_and_beyond_the_grid_it_is_refused() {
        let crs = Crs::Utm { zone: 41, north: true };
        let kabul = Bbox::parse("1060000,3800000,1080000,3840000", crs).unwrap();
        assert!(kabul.east - kabul.west < 0.25 && kabul.north - kabul.south < 0.40, "{kabul:?}");
        for text in ["5e6,0,6e6,1e6", "3.3e6,9.3e6,3.4e6,9.34e6", "0,2e7,1,3e7", "1e6,0,0,1e6"] {
            assert!(Bbox::parse(text, crs).is_err(), "{text}");
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
