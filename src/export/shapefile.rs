//! A shapefile in a zip (ESRI Shapefile Technical Description, July 1998), with `.prj`, `.cpg` and a README that says what
//! the format leaves out.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Seek as _, Write};

use geo::orient::Direction;
use geo::{BoundingRect as _, Coord, Geometry, MultiPolygon, Orient as _, Rect};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::dbase::Table;
use super::layer::Layer;
use super::{ExportError, Result, Spool, Writer, projection};
use crate::ogc::collection::Shape;
use crate::ogc::feature::Feature;

/// Bytes of a file; programs count them with a signed number.
const LARGEST: u64 = (1 << 31) - 1;

/// Bytes of a header.
const HEAD: u64 = 100;

/// Writes a shapefile.
pub(super) struct Shapefile<'l> {
    layer: &'l Layer,
    spool: &'l Spool,
    shapes: BufWriter<File>,
    index: BufWriter<File>,
    table: Table,
    /// Bytes of the shapes so far, without their header.
    length: u64,
    count: i32,
    extent: Option<Rect<f64>>,
    lost: usize,
}

impl<'l> Shapefile<'l> {
    pub(super) fn begin(layer: &'l Layer, spool: &'l Spool) -> Result<Self> {
        let file = || Ok::<_, io::Error>(BufWriter::new(spool.file()?));
        let table = Table::begin(layer, spool)?;
        Ok(Self {
            layer,
            spool,
            shapes: file()?,
            index: file()?,
            table,
            length: 0,
            count: 0,
            extent: None,
            lost: 0,
        })
    }

    fn type_(&self) -> i32 {
        match self.layer.shape() {
            Shape::Areas => 5,
            Shape::Lines => 3,
            Shape::Points => 8,
            Shape::Point => 1,
            Shape::Nowhere => 0,
        }
    }

    /// The 100 bytes before everything.
    fn head(&self, length: u64) -> Result<Vec<u8>> {
        let mut head = Vec::new();
        head.extend(9994_i32.to_be_bytes());
        head.resize(24, 0);
        head.extend(words(HEAD + length)?.to_be_bytes());
        head.extend(1000_i32.to_le_bytes());
        head.extend(self.type_().to_le_bytes());
        let extent = self.extent.unwrap_or_else(|| Rect::new((0.0, 0.0), (0.0, 0.0)));
        put_box(&mut head, extent);
        head.resize(100, 0);
        Ok(head)
    }

    fn readme(&self) -> String {
        let lost = self.layer.lost(self.lost).map(|(name, text)| format!("\n{name}: {text}"));
        let mut text = format!(
            "{}{}\n\nThe table's fields, whose names have ten letters at most:\n",
            self.layer.document.text(),
            lost.unwrap_or_default()
        );
        let columns = self.layer.columns.iter().map(|column| (column.name.as_str(), column.title.as_str()));
        for (field, (name, title)) in
            self.table.fields.iter().zip(std::iter::once(("id", "Id")).chain(columns))
        {
            // Writing to a string does not fail.
            let _ = writeln!(text, "  {:10}  {name} ({title})", field.name);
        }
        let _ = writeln!(
            text,
            "\nWhat a shapefile cannot hold: {} texts were cut at 254 bytes; {} values do not fit their \
                                field and are left empty. A GeoPackage holds everything.",
            self.table.cut, self.table.unfit
        );
        text
    }
}

impl Writer for Shapefile<'_> {
    fn add(&mut self, feature: &Feature) -> Result<()> {
        let geometry = self.layer.geometry(feature);
        self.lost += usize::from(geometry.is_none() && self.layer.is_lost(feature));
        if let Some(bounds) = geometry.as_ref().and_then(geo::BoundingRect::bounding_rect) {
            let (mut least, mut most) = (bounds.min(), bounds.max());
            if let Some(known) = self.extent {
                least = Coord { x: least.x.min(known.min().x), y: least.y.min(known.min().y) };
                most = Coord { x: most.x.max(known.max().x), y: most.y.max(known.max().y) };
            }
            self.extent = Some(Rect::new(least, most));
        }
        let content = content(geometry)?;
        self.count += 1;
        let size = words(content.len() as u64)?.to_be_bytes();
        self.index.write_all(&words(HEAD + self.length)?.to_be_bytes())?;
        self.index.write_all(&size)?;
        self.shapes.write_all(&self.count.to_be_bytes())?;
        self.shapes.write_all(&size)?;
        self.shapes.write_all(&content)?;
        self.length += 8 + content.len() as u64;
        self.table.add(self.layer, feature)
    }

    fn finish(self: Box<Self>) -> Result<File> {
        let name = &self.layer.document.name;
        let mut zip = ZipWriter::new(BufWriter::new(self.spool.file()?));
        let options = SimpleFileOptions::default();
        let readme = self.readme();
        let index_head = self.head(u64::from(self.count.unsigned_abs()) * 8)?;
        zip.start_file(format!("{name}.shp"), options)?;
        zip.write_all(&self.head(self.length)?)?;
        copy(self.shapes, &mut zip)?;
        zip.start_file(format!("{name}.shx"), options)?;
        zip.write_all(&index_head)?;
        copy(self.index, &mut zip)?;
        zip.start_file(format!("{name}.dbf"), options)?;
        self.table.write(&mut zip, self.layer.document.made_at.date_naive())?;
        for (suffix, text) in
            [(".prj", projection::well_known_text(self.layer.crs)), (".cpg", "UTF-8".to_owned())]
        {
            zip.start_file(format!("{name}{suffix}"), options)?;
            zip.write_all(text.as_bytes())?;
        }
        zip.start_file("README.txt", options)?;
        zip.write_all(readme.as_bytes())?;
        let mut file = zip.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(file)
    }
}

fn copy(from: BufWriter<File>, to: &mut impl Write) -> Result<()> {
    let mut from = from.into_inner().map_err(io::IntoInnerError::into_error)?;
    from.rewind()?;
    io::copy(&mut from, to)?;
    Ok(())
}

/// Bytes as the format counts them: in pairs.
fn words(bytes: u64) -> Result<i32> {
    let too_large = || ExportError::TooLarge("a shapefile holds 2 GB: ask for gpkg".to_owned());
    i32::try_from(bytes / 2).ok().filter(|_| bytes <= LARGEST).ok_or_else(too_large)
}

/// What stands in a record: its type, and its positions. What has no place is a null shape.
fn content(geometry: Option<Geometry<f64>>) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    match geometry {
        Some(Geometry::MultiPolygon(polygons)) => {
            // Shells clockwise, holes the other way.
            let polygons: MultiPolygon<f64> = polygons.orient(Direction::Reversed);
            let rings =
                polygons.iter().flat_map(|one| std::iter::once(one.exterior()).chain(one.interiors()));
            let rings: Vec<&[Coord<f64>]> = rings.map(|ring| ring.0.as_slice()).collect();
            put_parts(&mut out, 5, polygons.bounding_rect(), &rings)?;
        }
        Some(Geometry::MultiLineString(lines)) => {
            let parts: Vec<&[Coord<f64>]> = lines.iter().map(|line| line.0.as_slice()).collect();
            put_parts(&mut out, 3, lines.bounding_rect(), &parts)?;
        }
        Some(Geometry::MultiPoint(points)) => {
            out.extend(8_i32.to_le_bytes());
            put_box(&mut out, points.bounding_rect().unwrap_or_else(nowhere));
            out.extend(number(points.0.len())?.to_le_bytes());
            points.iter().for_each(|point| put(&mut out, point.0));
        }
        Some(Geometry::Point(point)) => {
            out.extend(1_i32.to_le_bytes());
            put(&mut out, point.0);
        }
        _ => out.extend(0_i32.to_le_bytes()),
    }
    Ok(out)
}

fn put_parts(
    out: &mut Vec<u8>,
    type_: i32,
    bounds: Option<Rect<f64>>,
    parts: &[&[Coord<f64>]],
) -> Result<()> {
    out.extend(type_.to_le_bytes());
    put_box(out, bounds.unwrap_or_else(nowhere));
    out.extend(number(parts.len())?.to_le_bytes());
    out.extend(number(parts.iter().map(|part| part.len()).sum())?.to_le_bytes());
    let mut first = 0;
    for part in parts {
        out.extend(number(first)?.to_le_bytes());
        first += part.len();
    }
    parts.iter().copied().flatten().for_each(|at| put(out, *at));
    Ok(())
}

fn nowhere() -> Rect<f64> {
    Rect::new((0.0, 0.0), (0.0, 0.0))
}

fn number(count: usize) -> Result<i32> {
    i32::try_from(count)
        .map_err(|_many| ExportError::TooLarge("an outline has too many positions".to_owned()))
}

fn put(out: &mut Vec<u8>, at: Coord<f64>) {
    out.extend(at.x.to_le_bytes());
    out.extend(at.y.to_le_bytes());
}

fn put_box(out: &mut Vec<u8>, bounds: Rect<f64>) {
    put(out, bounds.min());
    put(out, bounds.max());
}
