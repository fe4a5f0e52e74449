//! Zip files: a shapefile's parts, or the KML of a KMZ. Paths in them mean nothing, and only what is needed is unpacked.

use std::io::{Cursor, Read as _};

use zip::ZipArchive;

use super::shapefile::{self, Parts};
use super::{Crs, LARGEST_FILE, Reading, Source, kml, xml};

/// By which they are known.
pub(super) const MAGIC: &[u8] = b"PK\x03\x04";

/// Files in an archive.
const ENTRIES: usize = 10_000;
/// How many times larger than packed a file may be, once it is larger than any table of ours.
const RATIO: u64 = 400;
/// Bytes below which the ratio does not matter.
const SMALL: u64 = 16 << 20;

/// What a Mac puts beside the files.
const OF_A_MAC: &str = "__MACOSX";
/// Ends of other files that can be read, KML first.
const READABLE: [&str; 6] = [".kml", ".kmz", ".gpx", ".gpkg", ".geojson", ".csv"];
/// Files that are named.
const SHOWN: usize = 10;

/// An archive on its way out.
struct Unpacking<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    /// The files' paths, in their order.
    names: Vec<String>,
    /// Bytes that may still come out of it.
    left: u64,
}

/// Reads the shapefile or the KML that is asked for, or what there is.
///
/// # Errors
/// Where it is no archive, holds neither, several shapefiles, or more than may be unpacked.
pub(super) fn read(bytes: &[u8], reading: &Reading, given: Option<&Crs>) -> Result<Source, String> {
    let mut archive =
        ZipArchive::new(Cursor::new(bytes)).map_err(|fault| format!("it is no whole zip file: {fault}"))?;
    if archive.len() > ENTRIES {
        return Err(format!("it holds {} files, and {ENTRIES} is most", archive.len()));
    }
    let names = (0..archive.len()).map(|index| name_of(&mut archive, index)).collect();
    let mut unpacking = Unpacking { archive, names, left: LARGEST_FILE };
    let (shapes, texts) = (unpacking.stems(".shp"), unpacking.stems(".kml"));
    let (mut source, left) = if !shapes.is_empty() {
        (unpacking.shapefile(&shapes, reading, given)?, &READABLE[..])
    } else if !texts.is_empty() {
        (unpacking.kml(&texts, reading)?, &READABLE[1..])
    } else {
        return Err(unpacking.nothing());
    };
    source.notes.extend(unpacking.beside(left));
    Ok(source)
}

impl Unpacking<'_> {
    fn nothing(&self) -> String {
        if self.names.iter().any(|name| name.starts_with("xl/")) {
            return "it is a workbook: save the sheet as CSV (in Excel: `CSV UTF-8`)".to_owned();
        }
        let names = self.names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
        format!("it holds neither a shapefile nor KML: unpack it, and import what is in it ({names})")
    }

    /// Says which files could be read and are not.
    fn beside(&self, ends: &[&str]) -> Option<String> {
        let is_one = |name: &&String| {
            let end = |end: &&str| name.to_lowercase().ends_with(*end);
            ends.iter().any(end) && !name.starts_with(OF_A_MAC)
        };
        let names: Vec<&str> = self.names.iter().filter(is_one).map(String::as_str).collect();
        let more = if names.len() > SHOWN { " and others" } else { "" };
        let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
        (!names.is_empty()).then(|| {
            format!("beside what is read there are {} other files in it, {shown}{more}: unpack it and import them one by one", names.len())
        })
    }

    /// The paths, without this end, of what may be a layer; what a Mac puts beside it is none.
    fn stems(&self, end: &str) -> Vec<String> {
        let stem = |name: &String| {
            let (stem, last) = name.split_at_checked(name.len().checked_sub(end.len())?)?;
            let is_one = last.eq_ignore_ascii_case(end) && !name.starts_with(OF_A_MAC);
            is_one.then(|| stem.to_owned())
        };
        self.names.iter().filter_map(stem).collect()
    }

    fn shapefile(
        &mut self,
        stems: &[String],
        reading: &Reading,
        given: Option<&Crs>,
    ) -> Result<Source, String> {
        let stem = match (&reading.layer, stems) {
            (Some(wanted), stems) => find(stems, wanted)?,
            (None, [only]) => only,
            (None, stems) => {
                let there = listed(stems);
                return Err(format!(
                    "it holds several shapefiles: choose one with --layer; there are: {there}"
                ));
            }
        };
        let mut part = |end: &str| self.unpack(&format!("{stem}{end}"));
        let parts = Parts {
            shp: part(".shp")?.unwrap_or_default(),
            dbf: part(".dbf")?,
            prj: part(".prj")?,
            cpg: part(".cpg")?,
        };
        shapefile::read(&parts, given)
    }

    /// One document's folders are its layers; of several, each is one, and all are taken where none is asked for.
    fn kml(&mut self, stems: &[String], reading: &Reading) -> Result<Source, String> {
        let document = |unpacking: &mut Self, stem: &str, reading: &Reading| {
            let text = unpacking.unpack(&format!("{stem}.kml"))?.unwrap_or_default();
            kml::read(&xml::read(&text).map_err(|fault| format!("{stem}.kml in it: {fault}"))?, reading)
        };
        match (&reading.layer, stems) {
            (_, [only]) => document(self, only, reading),
            (Some(wanted), stems) => document(self, find(stems, wanted)?, &Reading::default()),
            (None, stems) => {
                let mut all = Source::default();
                for stem in stems {
                    let found = document(self, stem, reading)?;
                    all.items.extend(found.items);
                    all.notes.extend(found.notes);
                }
                Ok(all)
            }
        }
    }

    /// A file of the archive, whatever case its name is in.
    fn unpack(&mut self, wanted: &str) -> Result<Option<Vec<u8>>, String> {
        let Some(index) = self.names.iter().position(|name| name.eq_ignore_ascii_case(wanted)) else {
            return Ok(None);
        };
        let broken = |fault: &dyn std::fmt::Display| format!("{wanted} in it cannot be unpacked: {fault}");
        let entry = self.archive.by_index(index).map_err(|fault| broken(&fault))?;
        let most = entry.compressed_size().saturating_mul(RATIO).max(SMALL).min(self.left);
        let mut bytes = Vec::new();
        entry.take(most + 1).read_to_end(&mut bytes).map_err(|fault| broken(&fault))?;
        let size = bytes.len() as u64;
        if size > most {
            return Err(format!("{wanted} in it unpacks to more than {} MB, which no map does", most >> 20));
        }
        self.left -= size;
        Ok(Some(bytes))
    }
}

/// A file's path; nothing where it cannot be read: then no layer is found by it.
fn name_of(archive: &mut ZipArchive<Cursor<&[u8]>>, index: usize) -> String {
    let entry = archive.by_index_raw(index).ok();
    entry.and_then(|entry| Some(entry.name().ok()?.into_owned())).unwrap_or_default()
}

/// The last part of a path.
fn bare(stem: &str) -> &str {
    stem.rsplit(['/', '\\']).next().unwrap_or_default()
}

fn listed(stems: &[String]) -> String {
    stems.iter().map(|stem| bare(stem)).collect::<Vec<_>>().join(", ")
}

fn find<'s>(stems: &'s [String], wanted: &str) -> Result<&'s String, String> {
    let found = stems.iter().find(|stem| bare(stem) == wanted);
    found.ok_or_else(|| format!("it has no layer `{wanted}`; there are: {}", listed(stems)))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn read(files: &[(&str, &[u8])], layer: Option<&str>) -> Result<Source, String> {
        let reading = Reading { layer: layer.map(str::to_owned), ..Reading::default() };
        Source::read(&packed(files), &reading)
    }

    const KML: &[u8] = b"<kml><Document><Placemark><Point><coordinates>1,2</coordinates></Point></Placemark></Document></kml>";

    #[test]
    fn what_unpacks_without_end_is_refused() {
        let blanks = vec![b' '; 64 << 20];
        let refused = read(&[("doc.kml", &blanks)], None).unwrap_err();
        assert!(refused.contains("unpacks to more than"), "{refused}");
    }

    #[test]
    fn layers_are_found_wherever_they_lie() {
        let source = read(&[("../../etc/A.KML", KML), ("__MACOSX/A.kml", b"junk"), ("x.png", b"")], None);
        assert_eq!(source.unwrap().items.len(), 1);
        let two: [(&str, &[u8]); 2] = [("doc.kml", KML), ("layers\\b.kml", KML)];
        assert_eq!(read(&two, None).unwrap().items.len(), 2);
        assert_eq!(read(&two, Some("b")).unwrap().items.len(), 1);
        assert!(read(&two, Some("c")).unwrap_err().contains("there are: doc, b"));
        let two: [(&str, &[u8]); 2] = [("a/x.shp", b""), ("a/y.shp", b"")];
        assert!(read(&two, None).unwrap_err().contains("choose one with --layer; there are: x, y"));
        assert!(read(&[("a.docx", b"")], None).unwrap_err().contains("a.docx"));
    }

    #[test]
    fn what_lies_beside_a_shapefile_and_is_not_read_is_named() {
        let mut shapes = shapefile::MAGIC.to_vec();
        shapes.resize(100, 0);
        let files: [(&str, &[u8]); 6] = [
            ("a.shp", &shapes),
            ("b.KML", KML),
            ("in/c.gpx", b""),
            ("d.geojson", b""),
            ("__MACOSX/e.csv", b""),
            ("a.qmd", b""),
        ];
        let notes = read(&files, None).unwrap().notes;
        assert!(notes.iter().any(|note| note.contains("b.KML, in/c.gpx, d.geojson: unpack")), "{notes:?}");
        let alone = read(&files[..1], None).unwrap().notes;
        assert!(!alone.iter().any(|note| note.contains("beside")), "{alone:?}");
        let beside = read(&files[1..3], None).unwrap().notes;
        assert!(beside.iter().any(|note| note.contains("in/c.gpx")), "{beside:?}");
    }
}
