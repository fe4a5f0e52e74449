//! GPX 1.1, for handhelds: points as waypoints, lines and outlines as tracks. A ring is a segment that ends where it
//! begins; a handheld knows no outlines.

use std::fs::File;
use std::io::{self, BufWriter, Seek as _, Write as _};

use chrono::SecondsFormat;
use geo::{BoundingRect as _, Coord, Geometry};

use super::layer::Layer;
use super::xml::escaped;
use super::{Result, Spool, Writer};
use crate::ogc::feature::Feature;

/// Writes GPX.
pub(super) struct Gpx<'l> {
    layer: &'l Layer,
    spool: &'l Spool,
    /// What follows the head, which counts what is not in it.
    body: BufWriter<File>,
    placeless: usize,
}

impl<'l> Gpx<'l> {
    pub(super) fn begin(layer: &'l Layer, spool: &'l Spool) -> Result<Self> {
        Ok(Self { layer, spool, body: BufWriter::new(spool.file()?), placeless: 0 })
    }

    /// What a handheld shows of a feature.
    fn words(&self, feature: &Feature) -> String {
        let said = self.layer.cells(feature).filter_map(|(column, cell)| {
            let text = cell.text()?.into_owned();
            Some(format!("{}: {text}", column.name))
        });
        let said = said.collect::<Vec<_>>().join("; ");
        let name = escaped(&self.layer.label(feature));
        format!("<name>{name}</name><cmt>{}</cmt><desc>{}</desc>", feature.id, escaped(&said))
    }

    fn head(&self) -> String {
        let document = &self.layer.document;
        let mut text = document.text();
        if self.placeless > 0 {
            text = format!("{text}\nnot in this file: {} records without a place", self.placeless);
        }
        let when = document.made_at.to_rfc3339_opts(SecondsFormat::Secs, true);
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <gpx version=\"1.1\" creator=\"Cartagena\" xmlns=\"http://www.topografix.com/GPX/1/1\">\n\
             <metadata><name>{}</name><desc>{}</desc><time>{when}</time></metadata>\n",
            escaped(&document.title),
            escaped(&text)
        )
    }
}

impl Writer for Gpx<'_> {
    fn add(&mut self, feature: &Feature) -> Result<()> {
        let geometry = self.layer.geometry(feature).filter(|geometry| geometry.bounding_rect().is_some());
        let words = self.words(feature);
        let written = match geometry {
            Some(Geometry::MultiPolygon(polygons)) => {
                let rings =
                    polygons.iter().flat_map(|one| std::iter::once(one.exterior()).chain(one.interiors()));
                track(&words, rings.map(|ring| ring.0.as_slice()))
            }
            Some(Geometry::MultiLineString(lines)) => {
                track(&words, lines.iter().map(|line| line.0.as_slice()))
            }
            Some(Geometry::MultiPoint(points)) => {
                points.iter().map(|point| positioned("wpt", point.0, &words)).collect()
            }
            Some(Geometry::Point(point)) => positioned("wpt", point.0, &words),
            _ => {
                self.placeless += 1;
                return Ok(());
            }
        };
        writeln!(self.body, "{written}")?;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<File> {
        let mut file = BufWriter::new(self.spool.file()?);
        file.write_all(self.head().as_bytes())?;
        let mut body = self.body.into_inner().map_err(io::IntoInnerError::into_error)?;
        body.rewind()?;
        io::copy(&mut body, &mut file)?;
        file.write_all(b"</gpx>\n")?;
        let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(file)
    }
}

fn track<'s>(words: &str, segments: impl Iterator<Item = &'s [Coord<f64>]>) -> String {
    let mut out = format!("<trk>{words}");
    for segment in segments {
        out.push_str("<trkseg>");
        out.extend(segment.iter().map(|at| positioned("trkpt", *at, "")));
        out.push_str("</trkseg>");
    }
    out.push_str("</trk>");
    out
}

fn positioned(name: &str, at: Coord<f64>, inside: &str) -> String {
    let (lat, lon) = (at.y, at.x);
    if inside.is_empty() {
        return format!(r#"<{name} lat="{lat}" lon="{lon}"/>"#);
    }
    format!(r#"<{name} lat="{lat}" lon="{lon}">{inside}</{name}>"#)
}
