//! KML 2.2 (OGC 07-147r2): a placemark for each feature, its properties as typed data.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Seek as _, Write as _};

use geo::orient::Direction;
use geo::{Geometry, LineString, Orient as _, Point, Polygon};

use super::layer::{Cell, Kind, Layer};
use super::xml::escaped;
use super::{Result, Spool, Writer};
use crate::ogc::feature::Feature;

/// Writes KML.
pub(super) struct Kml<'l> {
    layer: &'l Layer,
    file: BufWriter<File>,
}

impl<'l> Kml<'l> {
    pub(super) fn begin(layer: &'l Layer, spool: &Spool) -> Result<Self> {
        let mut file = BufWriter::new(spool.file()?);
        let document = &layer.document;
        writeln!(file, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
        writeln!(file, r#"<kml xmlns="http://www.opengis.net/kml/2.2"><Document>"#)?;
        writeln!(file, "<name>{}</name><open>1</open>", escaped(&document.name))?;
        writeln!(file, "<description>{}</description>", escaped(&document.text()))?;
        writeln!(file, r#"<Schema id="fields" name="{}">"#, escaped(&document.name))?;
        writeln!(file, r#"<SimpleField type="string" name="id"/>"#)?;
        for column in &layer.columns {
            let type_ = match column.kind {
                Kind::Integer => "int",
                Kind::Real => "double",
                Kind::Boolean => "bool",
                Kind::Text | Kind::Date => "string",
            };
            let (name, title) = (escaped(&column.name), escaped(&column.title));
            writeln!(
                file,
                r#"<SimpleField type="{type_}" name="{name}"><displayName>{title}</displayName></SimpleField>"#
            )?;
        }
        writeln!(file, "</Schema>")?;
        Ok(Self { layer, file })
    }
}

impl Writer for Kml<'_> {
    fn add(&mut self, feature: &Feature) -> Result<()> {
        write!(self.file, "<Placemark><name>{}</name><ExtendedData>", escaped(&self.layer.label(feature)))?;
        write!(
            self.file,
            r##"<SchemaData schemaUrl="#fields"><SimpleData name="id">{}</SimpleData>"##,
            feature.id
        )?;
        for (column, cell) in self.layer.cells(feature) {
            let text = match &cell {
                // The words of XML Schema are not read by GDAL.
                Cell::Boolean(truth) => Some(u8::from(*truth).to_string().into()),
                other => other.text(),
            };
            if let Some(text) = text {
                let name = escaped(&column.name);
                write!(self.file, r#"<SimpleData name="{name}">{}</SimpleData>"#, escaped(&text))?;
            }
        }
        write!(self.file, "</SchemaData></ExtendedData>")?;
        if let Some(geometry) = self.layer.geometry(feature) {
            let mut out = String::new();
            put(&mut out, geometry);
            self.file.write_all(out.as_bytes())?;
        }
        writeln!(self.file, "</Placemark>")?;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<File> {
        writeln!(self.file, "</Document></kml>")?;
        let mut file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(file)
    }
}

fn put(out: &mut String, geometry: Geometry<f64>) {
    match geometry {
        Geometry::MultiPolygon(polygons) => {
            let polygons = polygons.orient(Direction::Default);
            several(out, &polygons.0, polygon);
        }
        Geometry::MultiLineString(lines) => several(out, &lines.0, line),
        Geometry::MultiPoint(points) => several(out, &points.0, point),
        Geometry::Point(one) => point(out, &one),
        _ => {}
    }
}

fn several<T>(out: &mut String, parts: &[T], each: impl Fn(&mut String, &T)) {
    if let [one] = parts {
        return each(out, one);
    }
    out.push_str("<MultiGeometry>");
    for part in parts {
        each(out, part);
    }
    out.push_str("</MultiGeometry>");
}

fn polygon(out: &mut String, polygon: &Polygon<f64>) {
    let ring = |name: &str, ring: &LineString<f64>| {
        format!("<{name}><LinearRing>{}</LinearRing></{name}>", coordinates(ring))
    };
    out.push_str("<Polygon>");
    out.push_str(&ring("outerBoundaryIs", polygon.exterior()));
    polygon.interiors().iter().for_each(|hole| out.push_str(&ring("innerBoundaryIs", hole)));
    out.push_str("</Polygon>");
}

fn line(out: &mut String, line: &LineString<f64>) {
    // Writing to a string does not fail.
    let _ = write!(out, "<LineString><tessellate>1</tessellate>{}</LineString>", coordinates(line));
}

fn point(out: &mut String, point: &Point<f64>) {
    // Writing to a string does not fail.
    let _ = write!(out, "<Point><coordinates>{},{}</coordinates></Point>", point.x(), point.y());
}

fn coordinates(line: &LineString<f64>) -> String {
    let positions: Vec<String> = line.coords().map(|at| format!("{},{}", at.x, at.y)).collect();
    format!("<coordinates>{}</coordinates>", positions.join(" "))
}
