//! Reference systems as files name and describe them.

use crate::ogc::crs::Crs;

/// WGS 84 in the EPSG registry.
pub(super) const WGS84: u16 = 4326;

const GEOGCS: &str = r#"GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]"#;

/// The number in the EPSG registry. Files of WGS 84 are longitude first under either name.
pub(super) fn code(crs: Crs) -> u16 {
    crs.epsg().unwrap_or(WGS84)
}

/// `EPSG:32634`
pub(super) fn name(crs: Crs) -> String {
    format!("EPSG:{}", code(crs))
}

/// The name for people.
pub(super) fn title(crs: Crs) -> String {
    match crs {
        Crs::Crs84 | Crs::Epsg4326 => "WGS 84".to_owned(),
        Crs::WebMercator => "WGS 84 / Pseudo-Mercator".to_owned(),
        Crs::Utm { zone, north } => format!("WGS 84 / UTM zone {zone}{}", if north { 'N' } else { 'S' }),
    }
}

/// Well-known text of version 1 as ESRI writes it, which every program reads.
pub(super) fn well_known_text(crs: Crs) -> String {
    match crs {
        Crs::Crs84 | Crs::Epsg4326 => GEOGCS.to_owned(),
        Crs::WebMercator => format!(
            r#"PROJCS["WGS_1984_Web_Mercator_Auxiliary_Sphere",{GEOGCS},PROJECTION["Mercator_Auxiliary_Sphere"],PARAMETER["False_Easting",0.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",0.0],PARAMETER["Standard_Parallel_1",0.0],PARAMETER["Auxiliary_Sphere_Type",0.0],UNIT["Meter",1.0]]"#
        ),
        Crs::Utm { zone, north } => {
            let (half, northing) = if north { ('N', "0.0") } else { ('S', "10000000.0") };
            let meridian = i32::from(zone) * 6 - 183;
            format!(
                r#"PROJCS["WGS_1984_UTM_Zone_{zone}{half}",{GEOGCS},PROJECTION["Transverse_Mercator"],PARAMETER["False_Easting",500000.0],PARAMETER["False_Northing",{northing}],PARAMETER["Central_Meridian",{meridian}.0],PARAMETER["Scale_Factor",0.9996],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]"#
            )
        }
    }
}
