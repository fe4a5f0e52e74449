//! The `.prj` of a shapefile, and definitions in a `GeoPackage`: well-known text of a reference system (OGC 01-009, and
//! ISO 19162), as ESRI and as others spell it.

use super::Crs;

/// What is said in brackets: a keyword, its values, and what it stands in.
struct Part {
    keyword: String,
    outer: Option<usize>,
    values: Vec<String>,
}

/// The reference system that a text defines, with its name.
///
/// # Errors
/// Where it is none that can be reprojected: the question that a person has to answer.
pub(super) fn read(text: &str) -> Result<Crs, String> {
    let parts = parts(text);
    let name = parts.first().and_then(|whole| whole.values.first()).map(String::as_str).unwrap_or_default();
    let code = match (authority(&parts), by_name(name)) {
        // With heights above the ellipsoid it has a number of its own.
        (Some(4979), _) => Some(4326),
        (Some(code), _) => Some(code),
        (None, None) => None,
        (None, Some(code)) => match doubt(&parts, code == 4326) {
            None => Some(code),
            Some(doubt) => {
                return Err(format!(
                    "it calls itself `{name}`, and {doubt}: say with --crs what it really is in, for instance --crs \
                     EPSG:32634, or export it again in EPSG:4326"
                ));
            }
        },
    };
    code.and_then(|code| Crs::named(&format!("EPSG:{code}")).ok()).ok_or_else(|| {
        let name = if name.is_empty() { "something that cannot be read" } else { name };
        format!(
            "it is in `{name}`, and WGS 84, its UTM zones and web Mercator are what can be reprojected here. If it is \
             one of these by another name, say which with --crs, for instance --crs EPSG:32634; otherwise export it \
             again in EPSG:4326, in QGIS with Export → Save Features As → CRS EPSG:4326"
        )
    })
}

/// Everything in brackets, each behind what it stands in. A list and no tree: brackets may be nested without end.
fn parts(text: &str) -> Vec<Part> {
    let (mut parts, mut open): (Vec<Part>, Vec<usize>) = (Vec::new(), Vec::new());
    let (mut word, mut is_quoted) = (String::new(), false);
    for letter in text.chars() {
        match letter {
            '"' => is_quoted = !is_quoted,
            _ if is_quoted => word.push(letter),
            '[' | '(' => {
                let keyword = std::mem::take(&mut word).trim().to_uppercase();
                open.push(parts.len());
                let outer = open.iter().rev().nth(1).copied();
                parts.push(Part { keyword, outer, values: Vec::new() });
            }
            ',' | ']' | ')' => {
                let value = std::mem::take(&mut word).trim().to_owned();
                if let Some(at) = open.last().filter(|_| !value.is_empty()) {
                    parts[*at].values.push(value);
                }
                if letter != ',' {
                    open.pop();
                }
            }
            _ => word.push(letter),
        }
    }
    parts
}

/// The number in the EPSG registry of the whole; those further in are of its parts.
fn authority(parts: &[Part]) -> Option<u32> {
    let own = parts.iter().filter(|part| part.outer == Some(0));
    let named = own.filter(|part| ["AUTHORITY", "ID"].contains(&part.keyword.as_str()));
    let mut codes = named.filter_map(|part| match part.values.as_slice() {
        [registry, code, ..] if registry.eq_ignore_ascii_case("EPSG") => Some(code),
        _ => None,
    });
    codes.next()?.parse().ok()
}

/// Why something that has a name of ours may be something else all the same: names are edited by hand.
fn doubt(parts: &[Part], is_geographic: bool) -> Option<String> {
    const DATUMS: [&str; 4] = ["DATUM", "GEODETICDATUM", "TRF", "ENSEMBLE"];
    let first = |part: &Part| part.values.first().cloned().unwrap_or_default();
    let mut datums =
        parts.iter().filter(|part| DATUMS.contains(&part.keyword.as_str())).map(first).peekable();
    if datums.peek().is_none() {
        return Some("names no datum".to_owned());
    }
    if let Some(other) = datums.find(|datum| !is_wgs84(datum)) {
        return Some(format!("its datum is `{other}`"));
    }
    let mut units = units(parts, is_geographic).peekable();
    if units.peek().is_none() {
        return Some("names no unit".to_owned());
    }
    let other = units.find(|unit| !is_unit(unit, is_geographic))?;
    let size = other.values.get(1).map(|size| format!(" of {size}")).unwrap_or_default();
    Some(format!("its unit is `{}`{size}", first(other)))
}
/// A datum as ESRI, the registry and ISO 19162 spell it, the registry's ensemble and its members included.
fn is_wgs84(datum: &str) -> bool {
    let bare = bare(datum);
    let rest = ["DWGS1984", "WGS1984", "WGS84", "WORLDGEODETICSYSTEM1984"]
        .iter()
        .find_map(|one| bare.strip_prefix(one));
    let is_member = |rest: &str| rest.strip_prefix('G').is_some_and(|week| week.parse::<u16>().is_ok());
    rest.is_some_and(|rest| rest.is_empty() || rest == "ENSEMBLE" || is_member(rest))
}

/// The units of the whole or of its axes; those of its parts, and of heights, are others.
fn units(parts: &[Part], is_geographic: bool) -> impl Iterator<Item = &Part> {
    let wanted = if is_geographic { ["UNIT", "ANGLEUNIT"] } else { ["UNIT", "LENGTHUNIT"] };
    let is_own = move |part: &&Part| {
        let outer = part.outer.and_then(|outer| parts.get(outer));
        part.outer == Some(0) || outer.is_some_and(|outer| outer.keyword == "AXIS" && outer.outer == Some(0))
    };
    parts.iter().filter(move |part| wanted.contains(&part.keyword.as_str())).filter(is_own)
}

/// Whether a unit is the degree or the metre by its name and by its size.
fn is_unit(unit: &Part, is_degree: bool) -> bool {
    let name = unit.values.first().map(|name| bare(name)).unwrap_or_default();
    let (is_named, size) = if is_degree {
        (name.starts_with("DEGREE"), 1_f64.to_radians())
    } else {
        (["METRE", "METER", "METRES", "METERS", "M"].contains(&name.as_str()), 1.0)
    };
    let given = unit.values.get(1).map(|given| given.parse::<f64>());
    is_named && given.is_some_and(|given| given.is_ok_and(|given| (given / size - 1.0).abs() < 1e-6))
}

fn bare(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_uppercase()
}

/// What the names of ESRI and of the EPSG registry mean.
fn by_name(name: &str) -> Option<u32> {
    let bare = bare(name);
    if ["WGS84", "GCSWGS1984", "WGS1984", "WGS19843D"].contains(&bare.as_str()) {
        return Some(4326);
    }
    if ["WGS1984WEBMERCATORAUXILIARYSPHERE", "WGS84PSEUDOMERCATOR"].contains(&bare.as_str()) {
        return Some(3857);
    }
    let zone = ["WGS1984UTMZONE", "WGS84UTMZONE"].iter().find_map(|prefix| bare.strip_prefix(prefix))?;
    let (number, half) = zone.split_at_checked(zone.len().checked_sub(1)?)?;
    let number: u32 = number.parse().ok().filter(|number| (1..=60).contains(number))?;
    match half {
        "N" => Some(32_600 + number),
        "S" => Some(32_700 + number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ESRI: &str = r#"GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]"#;
    const BASE: &str = r#"BASEGEOGCRS["WGS 84", ENSEMBLE["World Geodetic System 1984 ensemble", MEMBER["World Geodetic System 1984 (G1762)"], ELLIPSOID["WGS 84",6378137,298.257223563,LENGTHUNIT["metre",1]]]]"#;

    #[test]
    fn esri_and_the_registry_are_understood() {
        for (text, name) in [
            (ESRI.to_owned(), None),
            (r#"GEOGCS["WGS 84",DATUM["WGS_1984",AUTHORITY["EPSG","6326"]],AUTHORITY["EPSG","4326"]]"#.to_owned(), None),
            (
                r#"GEOGCRS["WGS 84",DATUM["World Geodetic System 1984"],CS[ellipsoidal,2],AXIS["lat",north,ANGLEUNIT["degree",0.0174532925199433]],AXIS["lon",east,ANGLEUNIT["degree",0.0174532925199433]]]"#
                    .to_owned(),
                None,
            ),
            (format!(r#"PROJCS["WGS_1984_UTM_Zone_33N",{ESRI},UNIT["Meter",1.0]]"#), Some("EPSG:32633")),
            (format!(r#"PROJCRS["WGS 84 / UTM zone 36S",{BASE},LENGTHUNIT["metre",1]]"#), Some("EPSG:32736")),
            (r#"PROJCRS["odd, (name]", BASEGEOGCRS["WGS 84"], ID["EPSG", 32634]]"#.to_owned(), Some("EPSG:32634")),
            (r#"GEOGCS["x",AUTHORITY["ESRI","1"],AUTHORITY["EPSG","4326"]]"#.to_owned(), None),
            (
                format!(r#"PROJCS["WGS_1984_Web_Mercator_Auxiliary_Sphere",{ESRI},UNIT["metre",1]]"#),
                Some("EPSG:3857"),
            ),
        ] {
            assert_eq!(read(&text).unwrap().name(), name, "{text}");
        }
    }

    #[test]
    fn others_are_refused_with_a_question() {
        let deep = "DATUM[".repeat(200_000);
        for text in [
            r#"PROJCS["MGI / Balkans zone 6",GEOGCS["WGS 84",AUTHORITY["EPSG","4326"]]]"#,
            r#"PROJCS["WGS 84 / UTM zone 34N",AUTHORITY["EPSG","3908"]]"#,
            r#"PROJCS["WGS_1984_UTM_Zone_99N"]"#,
            "",
            "PROJCS[\"é",
            &deep,
        ] {
            let refused = read(text).unwrap_err();
            assert!(refused.contains("--crs"), "{refused}");
        }
    }

    #[test]
    fn a_name_does_not_stand_for_another_datum_or_unit() {
        let elsewhere = ESRI.replace("D_WGS_1984", "D_European_1950");
        let zone = |base: &str, unit: &str| format!(r#"PROJCS["WGS_1984_UTM_Zone_33N",{base},UNIT[{unit}]]"#);
        let metre = r#""Meter",1.0"#;
        for (text, words) in [
            (zone(&elsewhere, metre), "datum is `D_European_1950`"),
            (elsewhere.clone(), "datum is `D_European_1950`"),
            (r#"PROJCS["WGS_1984_UTM_Zone_33N",UNIT["Meter",1.0]]"#.to_owned(), "no datum"),
            (zone(ESRI, r#""Kilometer",1000.0"#), "unit is `Kilometer`"),
            (zone(ESRI, r#""Meter",1000.0"#), "unit is `Meter` of 1000.0"),
            (format!(r#"PROJCS["WGS_1984_UTM_Zone_33N",{ESRI}]"#), "no unit"),
            (ESRI.replace(r#""Degree",0.0174532925199433"#, r#""Grad",0.015707963267949"#), "unit is `Grad`"),
        ] {
            let refused = read(&text).unwrap_err();
            assert!(refused.contains(words) && refused.contains("--crs"), "{text}: {refused}");
        }
    }
}
