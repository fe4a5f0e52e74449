//! The coordinate reference systems that files come in, and the way from them to WGS 84.

use proj4rs::Proj;
use proj4rs::adaptors::transform_xy;
use serde_json::Value;

/// A coordinate reference system.
#[derive(Debug, Clone)]
pub(super) enum Crs {
    /// WGS 84, longitude before latitude whichever way it is spelt: GeoJSON writers have never swapped them, not even
    /// under the URN whose registry entry has latitude first.
    Wgs84,
    /// Metres on a plane.
    Projected(Box<Projected>),
}

/// A projection of WGS 84.
#[derive(Debug, Clone)]
pub(super) struct Projected {
    name: String,
    plane: Proj,
    globe: Proj,
}

impl Crs {
    /// The system of a name: `EPSG:32634`, a URN, a URL or `CRS84`.
    pub(super) fn named(name: &str) -> Result<Self, String> {
        let upper = name.trim().to_uppercase();
        if upper.ends_with("CRS84") {
            return Ok(Self::Wgs84);
        }
        let code = upper.contains("EPSG").then(|| upper.rsplit([':', '/', '#']).next()).flatten();
        let definition = match code.and_then(|code| code.parse::<u32>().ok()) {
            Some(4326) => return Ok(Self::Wgs84),
            Some(code @ 32_601..=32_660) => {
                format!("+proj=utm +zone={} +datum=WGS84 +units=m", code - 32_600)
            }
            Some(code @ 32_701..=32_760) => {
                format!("+proj=utm +zone={} +south +datum=WGS84 +units=m", code - 32_700)
            }
            Some(3857 | 900_913) => "+proj=webmerc +datum=WGS84 +units=m".to_owned(),
            _ => return Err(refusal(name)),
        };
        let proj =
            |text: &str| Proj::from_proj_string(text).map_err(|fault| format!("{} ({fault})", refusal(name)));
        let code = code.unwrap_or_default();
        Ok(Self::Projected(Box::new(Projected {
            name: format!("EPSG:{code}"),
            plane: proj(&definition)?,
            globe: proj("+proj=longlat +datum=WGS84")?,
        })))
    }

    /// The system of a `crs` member as GeoJSON had it before RFC 7946; `null` says no more than its absence.
    pub(super) fn member(member: &Value) -> Result<Option<Self>, String> {
        if member.is_null() {
            return Ok(None);
        }
        if member["type"] == "EPSG"
            && let Some(code) = member["properties"]["code"].as_u64()
        {
            return Self::named(&format!("EPSG:{code}")).map(Some);
        }
        match member["properties"]["name"].as_str() {
            Some(name) => Self::named(name).map(Some),
            None => Err(refusal(&member.to_string())),
        }
    }

    /// Its name, where positions are reprojected from it.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Wgs84 => None,
            Self::Projected(projected) => Some(&projected.name),
        }
    }

    /// A geometry in WGS 84; nothing is rounded.
    ///
    /// # Errors
    /// The first position that has no place on the globe.
    pub(super) fn to_wgs84(&self, geometry: &Value) -> Result<Value, String> {
        let Self::Projected(projected) = self else { return Ok(geometry.clone()) };
        let mut moved = geometry.clone();
        match (moved.get_mut("coordinates"), geometry.get("geometries")) {
            (Some(coordinates), _) => projected.each(coordinates)?,
            (None, Some(Value::Array(members))) => {
                let members = members.iter().map(|member| self.to_wgs84(member));
                moved["geometries"] = Value::Array(members.collect::<Result<_, _>>()?);
            }
            _ => {}
        }
        Ok(moved)
    }
}

impl Projected {
    fn each(&self, coordinates: &mut Value) -> Result<(), String> {
        let Some(list) = coordinates.as_array_mut() else {
            return Err(format!("{coordinates} is not a list of positions"));
        };
        if list.first().is_none_or(Value::is_array) {
            return list.iter_mut().try_for_each(|item| self.each(item));
        }
        let (Some(x), Some(y)) = (list[0].as_f64(), list.get(1).and_then(Value::as_f64)) else {
            return Err(format!("{} is not a position", Value::Array(list.clone())));
        };
        let nowhere = || format!("{x} {y} has no place on the globe in {}", self.name);
        let (lon, lat) = transform_xy(&self.plane, &self.globe, x, y).map_err(|_refused| nowhere())?;
        let (lon, lat) = (lon.to_degrees(), lat.to_degrees());
        if !(lon.abs() <= 180.0 && lat.abs() <= 90.0) {
            return Err(nowhere());
        }
        (list[0], list[1]) = (Value::from(lon), Value::from(lat));
        Ok(())
    }
}

fn refusal(name: &str) -> String {
    format!(
        "its coordinate reference system {name} cannot be reprojected here (WGS 84, its UTM zones and web Mercator \
         can): export it again in EPSG:4326, in QGIS with Export → Save Features As → CRS EPSG:4326, or with \
         `ogr2ogr -t_srs EPSG:4326 out.geojson in.geojson`"
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::geometry::coordinate::{Position, Utm};

    #[test]
    fn utm_agrees_with_the_grid_readings_of_the_forms() {
        for (zone, lon, lat) in [(48_u32, 104.9, 11.55), (34, 18.6, 43.6), (36, 33.0, -17.0)] {
            let utm = Utm::in_zone(Position::new(lon, lat), u8::try_from(zone).unwrap()).unwrap();
            let code = if lat < 0.0 { 32_700 } else { 32_600 } + zone;
            let crs = Crs::named(&format!("urn:ogc:def:crs:EPSG::{code}")).unwrap();
            let point = json!({"type": "Point", "coordinates": [utm.easting, utm.northing]});
            let moved = crs.to_wgs84(&point).unwrap();
            let (x, y) =
                (moved["coordinates"][0].as_f64().unwrap(), moved["coordinates"][1].as_f64().unwrap());
            assert!((x - lon).abs() < 1e-8 && (y - lat).abs() < 1e-8, "{x} {y}");
        }
    }

    #[test]
    fn web_mercator_is_undone() {
        let (x, y) = (2_070_542.626_f64, 5_404_190.157_f64);
        let radius = 6_378_137.0;
        let moved = Crs::named("EPSG:3857")
            .unwrap()
            .to_wgs84(&json!({"type": "Point", "coordinates": [x, y]}))
            .unwrap();
        let expected = ((x / radius).to_degrees(), (y / radius).sinh().atan().to_degrees());
        let found = (moved["coordinates"][0].as_f64().unwrap(), moved["coordinates"][1].as_f64().unwrap());
        assert!(
            (found.0 - expected.0).abs() < 1e-9 && (found.1 - expected.1).abs() < 1e-9,
            "{found:?} {expected:?}"
        );
    }

    #[test]
    fn every_spelling_of_wgs84_is_known_and_others_are_named() {
        for name in [
            "urn:ogc:def:crs:OGC:1.3:CRS84",
            "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
            "EPSG:4326",
            "urn:ogc:def:crs:EPSG::4326",
            "http://www.opengis.net/def/crs/EPSG/0/4326",
        ] {
            assert!(matches!(Crs::named(name), Ok(Crs::Wgs84)), "{name}");
        }
        let refused = Crs::named("EPSG:3908").unwrap_err();
        assert!(refused.contains("EPSG:3908") && refused.contains("ogr2ogr"), "{refused}");
        assert!(Crs::member(&json!({"type": "link"})).is_err());
        assert!(Crs::member(&Value::Null).unwrap().is_none());
    }

    #[test]
    fn junk_under_a_projection_is_refused_without_a_panic() {
        let crs = Crs::named("EPSG:32634").unwrap();
        for coordinates in
            [json!([1]), json!([[1, "a"]]), json!(3), json!([1e300, -1e300]), json!([[], [1, 2]])]
        {
            let _ = crs.to_wgs84(&json!({"type": "Polygon", "coordinates": coordinates}));
        }
    }
}
