//! Files of features that somebody else's program has made, or has made half of: they are read or refused in words, soon,
//! and what was read can be stored.

use std::io::{Cursor, Write as _};
use std::time::{Duration, Instant};

use cartagena::import::{Reading, Source};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::fuzz;

/// Longer than any file of this size may take, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(20);

/// What stands between the parts of a shapefile in a case.
const BETWEEN: &[u8] = b"@@@@";

fn must_be_read_or_refused(bytes: &[u8]) {
    for close_tracks in [false, true] {
        let begun = Instant::now();
        match Source::read(bytes, &Reading { close_tracks, ..Reading::default() }) {
            Err(fault) => assert!(!fault.is_empty(), "refused without a word"),
            Ok(source) => {
                for feature in source.features() {
                    for (name, value) in &feature.columns {
                        let text = value.as_str().unwrap_or_default();
                        assert!(!name.contains('\0') && !text.contains('\0'), "{name}: {text}");
                    }
                    if let Some(place) = &feature.geometry {
                        assert!(place["type"].is_string(), "{place}");
                        assert!(!place.to_string().contains("null"), "{place}");
                    }
                }
            }
        }
        assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    }
}

#[test]
fn any_kml_and_gpx_is_read_or_refused() {
    fuzz("xml", must_be_read_or_refused);
}

#[test]
fn any_geopackage_is_read_or_refused() {
    fuzz("gpkg", must_be_read_or_refused);
}

#[test]
fn any_archive_is_read_or_refused() {
    fuzz("archive", must_be_read_or_refused);
}

/// The parts of a case – shapes, table, reference system, encoding – go into an archive that is whole.
#[test]
fn any_shapefile_is_read_or_refused() {
    fuzz("shapefile", |case| {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        let mut rest = case;
        for end in ["shp", "dbf", "prj", "cpg"] {
            let at = rest.windows(BETWEEN.len()).position(|window| window == BETWEEN);
            let part = at.map_or(rest, |at| &rest[..at]);
            zip.start_file(format!("a.{end}"), options).unwrap();
            zip.write_all(part).unwrap();
            let Some(at) = at else { break };
            rest = &rest[at + BETWEEN.len()..];
        }
        must_be_read_or_refused(&zip.finish().unwrap().into_inner());
    });
}
