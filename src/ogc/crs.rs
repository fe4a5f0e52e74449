//! Coordinate reference systems of requests and answers (OGC API – Features, Part 2).

use std::f64::consts::PI;
use std::fmt;

use crate::geometry::Extent;
use crate::geometry::coordinate::{Position, Utm, utm_zone};

/// Radius of web Mercator's sphere, m.
pub(super) const RADIUS: f64 = 6_378_137.0;

/// A reference system that features can be asked for in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Crs {
    /// WGS 84, longitude first: what GeoJSON has and what is stored.
    #[default]
    Crs84,
    /// EPSG:4326: WGS 84, latitude first, in bodies and boxes alike.
    Epsg4326,
    /// EPSG:3857, m.
    WebMercator,
    /// A UTM zone on WGS 84, m.
    Utm {
        /// 1 to 60.
        zone: u8,
        /// Northern half.
        north: bool,
    },
}

impl Crs {
    /// The systems that a programme's collections come in: CRS84 first, then the UTM zones of its extent.
    pub fn offered(extent: Extent) -> Vec<Self> {
        let mut offered = vec![Self::Crs84, Self::Epsg4326, Self::WebMercator];
        // A country without settings would be the whole globe: all zones, which nobody wants to choose from.
        if extent.east - extent.west > 60.0 {
            return offered;
        }
        for (north, south_edge, north_edge) in
            [(true, extent.south.max(0.0), extent.north), (false, extent.south, extent.north.min(0.0))]
        {
            if south_edge >= north_edge {
                continue;
            }
            let lat = f64::midpoint(south_edge, north_edge);
            let zone = |lon: f64| utm_zone(Position::new(lon, lat));
            offered.extend((zone(extent.west)..=zone(extent.east)).map(|zone| Self::Utm { zone, north }));
        }
        offered
    }

    /// The system of a URI, with or without the angle brackets of `Content-Crs`, or of a safe CURIE `[EPSG:4326]`.
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.trim().trim_matches(['<', '>', '[', ']']);
        let rest =
            ["http://www.opengis.net/def/crs/", "https://www.opengis.net/def/crs/", "urn:ogc:def:crs:"]
                .iter()
                .find_map(|prefix| name.strip_prefix(prefix))
                .unwrap_or(name);
        let (authority, code) = (rest.split([':', '/']).next()?, rest.rsplit([':', '/']).next()?);
        match (authority, code, code.parse::<u16>()) {
            ("OGC", "CRS84" | "CRS84h", _) => Some(Self::Crs84),
            ("EPSG", _, Ok(4326)) => Some(Self::Epsg4326),
            ("EPSG", _, Ok(3857)) => Some(Self::WebMercator),
            ("EPSG", _, Ok(code @ (32_601..=32_660 | 32_701..=32_760))) => {
                Some(Self::Utm { zone: u8::try_from(code % 100).ok()?, north: code < 32_700 })
            }
            _ => None,
        }
    }

    /// The number in the EPSG registry; CRS84 has none.
    pub fn epsg(self) -> Option<u16> {
        Some(match self {
            Self::Crs84 => return None,
            Self::Epsg4326 => 4326,
            Self::WebMercator => 3857,
            Self::Utm { zone, north } => u16::from(zone) + if north { 32_600 } else { 32_700 },
        })
    }

    /// A position in this system, in the order of its axes; nothing where it has no place.
    pub fn place(self, lon: f64, lat: f64) -> Option<[f64; 2]> {
        match self {
            Self::Crs84 => Some([lon, lat]),
            Self::Epsg4326 => Some([lat, lon]),
            Self::WebMercator => {
                // The poles are infinitely far away.
                let phi = lat.clamp(-89.9, 89.9).to_radians();
                Some([RADIUS * lon.to_radians(), RADIUS * (PI / 4.0 + phi / 2.0).tan().ln()])
            }
            Self::Utm { zone, north } => {
                let utm = Utm::in_zone(Position::new(lon, lat), zone).ok()?;
                // A zone's halves go on beyond the equator, each with its own count of northings.
                let northing = match (utm.north, north) {
                    (true, false) => utm.northing + 1e7,
                    (false, true) => utm.northing - 1e7,
                    _ => utm.northing,
                };
                Some([utm.easting, northing])
            }
        }
    }

    /// Longitude and latitude of a position given in the order of this system's axes; nothing where it has none.
    pub fn locate(self, first: f64, second: f64) -> Option<[f64; 2]> {
        let position = match self {
            Self::Crs84 => Position::new(first, second),
            Self::Epsg4326 => Position::new(second, first),
            Self::WebMercator => {
                let lat = (second / RADIUS).sinh().atan().to_degrees();
                Position::new((first / RADIUS).to_degrees(), lat)
            }
            Self::Utm { zone, north } => {
                let (north, northing) = match (north, second) {
                    (true, below) if below < 0.0 => (false, below + 1e7),
                    (false, above) if above > 1e7 => (true, above - 1e7),
                    (half, northing) => (half, northing),
                };
                Utm { zone, north, easting: first, northing }.to_position_in_zone().ok()?
            }
        };
        position.is_on_earth().then_some([position.lon, position.lat])
    }

    /// Whether a box's first number counts northwards.
    pub fn is_latitude_first(self) -> bool {
        self == Self::Epsg4326
    }

    /// Whether positions are degrees.
    pub fn is_geographic(self) -> bool {
        matches!(self, Self::Crs84 | Self::Epsg4326)
    }
}

impl fmt::Display for Crs {
    /// The URI.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.epsg() {
            None => out.write_str("http://www.opengis.net/def/crs/OGC/1.3/CRS84"),
            Some(code) => write!(out, "http://www.opengis.net/def/crs/EPSG/0/{code}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_known_and_written_back_as_the_uri() {
        for (text, crs) in [
            ("http://www.opengis.net/def/crs/OGC/1.3/CRS84", Crs::Crs84),
            ("<http://www.opengis.net/def/crs/EPSG/0/4326>", Crs::Epsg4326),
            ("[EPSG:3857]", Crs::WebMercator),
            ("urn:ogc:def:crs:EPSG::32634", Crs::Utm { zone: 34, north: true }),
            ("EPSG:32737", Crs::Utm { zone: 37, north: false }),
        ] {
            assert_eq!(Crs::parse(text), Some(crs), "{text}");
            assert_eq!(Crs::parse(&crs.to_string()), Some(crs), "{crs}");
        }
        for text in ["", "EPSG:1", "EPSG:32661", "http://www.opengis.net/def/crs/EPSG/0/99999", "CRS84"] {
            assert_eq!(Crs::parse(text), None, "{text}");
        }
    }

    #[test]
    fn there_and_back_again() {
        for crs in [
            Crs::Crs84,
            Crs::Epsg4326,
            Crs::WebMercator,
            Crs::Utm { zone: 36, north: true },
            Crs::Utm { zone: 36, north: false },
        ] {
            for (lon, lat) in [(33.1, 0.5), (32.9, -17.25), (33.0, 61.0)] {
                let [first, second] = crs.place(lon, lat).unwrap();
                let [east, north] = crs.locate(first, second).unwrap();
                assert!((east - lon).abs() < 1e-9 && (north - lat).abs() < 1e-9, "{crs} {lon} {lat}");
            }
        }
        // Kabul on the grid of Herat's zone, and two ends of a zone's reach.
        let zone = Crs::Utm { zone: 41, north: true };
        for (lon, lat) in [(69.2, 34.5), (93.0, 0.0), (33.0, 84.0), (63.0, -80.0)] {
            let [easting, northing] = zone.place(lon, lat).unwrap();
            let [east, north] = zone.locate(easting, northing).unwrap();
            assert!((east - lon).abs() < 1e-9 && (north - lat).abs() < 1e-9, "{lon} {lat}");
        }
        for (easting, northing) in [(5e6, 4e6), (1e8, 0.0), (5e5, 1.2e7), (3e6, 9e6), (f64::NAN, 0.0)] {
            assert_eq!(zone.locate(easting, northing), None, "{easting} {northing}");
        }
        assert_eq!(Crs::Epsg4326.place(18.0, 43.0), Some([43.0, 18.0]));
        assert_eq!(Crs::Utm { zone: 36, north: true }.place(170.0, 10.0), None);
        assert_eq!(Crs::Crs84.locate(181.0, 0.0), None);
    }

    #[test]
    fn a_country_is_offered_its_own_zones() {
        let bosnia = Extent { west: 15.7, south: 42.5, east: 19.7, north: 45.3 };
        let zones: Vec<Crs> = Crs::offered(bosnia).split_off(3);
        assert_eq!(zones, [Crs::Utm { zone: 33, north: true }, Crs::Utm { zone: 34, north: true }]);
        let across = Extent { west: 33.0, south: -4.7, east: 35.0, north: 4.2 };
        assert_eq!(Crs::offered(across).len(), 5, "one zone, both halves");
    }
}
