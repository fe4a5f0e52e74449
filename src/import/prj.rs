//! The `.prj` of a shapefile, and definitions in a `GeoPackage`: well-known text of a reference system (OGC 01-009, and
//! ISO 19162), as ESRI and as others spell it.

use super::Crs;

/// The reference system that a text defines, with its name.
///
/// # Errors
/// Where it is none that can be reprojected: the question that a person has to answer.
pub(super) fn read(text: &str) -> Result<Crs, String> {
    let name = quoted(text).unwrap_or_default();
    // With heights above the ellipsoid it has a number of its own.
    let code = authority(text).map(|code| if code == 4979 { 4326 } else { code });
    let known = code.map(|code| format!("EPSG:{code}")).or_else(|| by_name(&name));
    known.ok_or(()).and_then(|known| Crs::named(&known).map_err(|_refused| ())).map_err(|()| {
        let name = if name.is_empty() { "something that cannot be read" } else { &name };
        format!(
            "it is in `{name}`, and WGS 84, its UTM zones and web Mercator are what can be reprojected here. If it is \
             one of these by another name, say which with --crs, for instance --crs EPSG:32634; otherwise export it \
             again in EPSG:4326, in QGIS with Export → Save Features As → CRS EPSG:4326"
        )
    })
}

/// The first quoted text, which is the name.
fn quoted(text: &str) -> Option<String> {
    text.split('"').nth(1).map(|name| name.trim().to_owned())
}

/// The number in the EPSG registry that stands at the end of the outermost brackets; those further in are of its parts.
fn authority(text: &str) -> Option<u32> {
    let bare: String =
        text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>().to_uppercase();
    let (mut depth, mut is_quoted) = (0_usize, false);
    for (at, letter) in bare.char_indices() {
        match letter {
            '"' => is_quoted = !is_quoted,
            '[' | '(' if !is_quoted => depth += 1,
            ']' | ')' if !is_quoted => depth = depth.saturating_sub(1),
            ',' if !is_quoted && depth == 1 => {
                let rest =
                    bare[at + 1..].strip_prefix("AUTHORITY[").or_else(|| bare[at + 1..].strip_prefix("ID["));
                if let Some(rest) = rest.and_then(|rest| rest.strip_prefix("\"EPSG\",")) {
                    let digits = rest.trim_start_matches('"');
                    let end = digits.find(|letter: char| !letter.is_ascii_digit())?;
                    return digits[..end].parse().ok();
                }
            }
            _ => {}
        }
    }
    None
}

/// What the names of ESRI and of the EPSG registry mean.
fn by_name(name: &str) -> Option<String> {
    let bare: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_uppercase();
    if ["WGS84", "GCSWGS1984", "WGS1984", "WGS19843D"].contains(&bare.as_str()) {
        return Some("EPSG:4326".to_owned());
    }
    if ["WGS1984WEBMERCATORAUXILIARYSPHERE", "WGS84PSEUDOMERCATOR"].contains(&bare.as_str()) {
        return Some("EPSG:3857".to_owned());
    }
    let zone = ["WGS1984UTMZONE", "WGS84UTMZONE"].iter().find_map(|prefix| bare.strip_prefix(prefix))?;
    let (number, half) = zone.split_at_checked(zone.len().checked_sub(1)?)?;
    let number: u32 = number.parse().ok().filter(|number| (1..=60).contains(number))?;
    match half {
        "N" => Some(format!("EPSG:{}", 32_600 + number)),
        "S" => Some(format!("EPSG:{}", 32_700 + number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn esri_and_the_registry_are_understood() {
        for (text, name) in [
            (
                r#"GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]]]"#,
                None,
            ),
            (r#"GEOGCS["WGS 84",DATUM["WGS_1984",AUTHORITY["EPSG","6326"]],AUTHORITY["EPSG","4326"]]"#, None),
            (r#"PROJCS["WGS_1984_UTM_Zone_33N",GEOGCS["GCS_WGS_1984"]]"#, Some("EPSG:32633")),
            (r#"PROJCS["WGS 84 / UTM zone 36S",GEOGCS["WGS 84"]]"#, Some("EPSG:32736")),
            (r#"PROJCRS["odd, (name]", BASEGEOGCRS["WGS 84"], ID["EPSG", 32634]]"#, Some("EPSG:32634")),
            (r#"PROJCS["WGS_1984_Web_Mercator_Auxiliary_Sphere"]"#, Some("EPSG:3857")),
        ] {
            assert_eq!(read(text).unwrap().name(), name, "{text}");
        }
    }

    #[test]
    fn others_are_refused_with_a_question() {
        for text in [
            r#"PROJCS["MGI / Balkans zone 6",GEOGCS["WGS 84",AUTHORITY["EPSG","4326"]]]"#,
            r#"PROJCS["WGS 84 / UTM zone 34N",AUTHORITY["EPSG","3908"]]"#,
            r#"PROJCS["WGS_1984_UTM_Zone_99N"]"#,
            "",
            "PROJCS[\"é",
        ] {
            let refused = read(text).unwrap_err();
            assert!(refused.contains("--crs"), "{refused}");
        }
    }
}
