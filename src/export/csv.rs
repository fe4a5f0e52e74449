//! CSV with WKT: one row for each feature, each saying what the file says of itself.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufWriter, Seek as _, Write as _};

use wkt::ToWkt as _;

use super::layer::{Cell, Layer, NOT_PLACED};
use super::{Result, Spool, Writer};
use crate::ogc::collection::Shape;
use crate::ogc::crs::Crs;
use crate::ogc::feature::Feature;

/// By which spreadsheets know UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Writes CSV.
pub(super) struct Csv<'l> {
    layer: &'l Layer,
    rows: csv::Writer<BufWriter<File>>,
    said: Vec<(&'static str, String)>,
}

impl<'l> Csv<'l> {
    pub(super) fn begin(layer: &'l Layer, spool: &Spool) -> Result<Self> {
        let mut file = BufWriter::new(spool.file()?);
        file.write_all(BYTE_ORDER_MARK)?;
        let mut rows = csv::Writer::from_writer(file);
        let said = layer.document.in_every_row();
        let names = std::iter::once("id").chain(layer.columns.iter().map(|column| column.name.as_str()));
        let wkt = (layer.shape() != Shape::Nowhere).then_some("wkt");
        // Nothing can be said of the whole file behind its rows.
        let lost = (layer.crs != Crs::Crs84).then_some(NOT_PLACED);
        rows.write_record(names.chain(wkt).chain(said.iter().map(|(name, _)| *name)).chain(lost))?;
        Ok(Self { layer, rows, said })
    }
}

impl Writer for Csv<'_> {
    fn add(&mut self, feature: &Feature) -> Result<()> {
        self.rows.write_field(feature.id.to_string())?;
        for (_, cell) in self.layer.cells(feature) {
            match &cell {
                Cell::Text(text) => self.rows.write_field(disarmed(text).as_bytes())?,
                other => self.rows.write_field(other.text().unwrap_or_default().as_bytes())?,
            }
        }
        if self.layer.shape() != Shape::Nowhere {
            let wkt = self.layer.geometry(feature).map(|geometry| geometry.wkt_string());
            self.rows.write_field(wkt.unwrap_or_default())?;
        }
        for (_, said) in &self.said {
            self.rows.write_field(disarmed(said).as_bytes())?;
        }
        if self.layer.crs != Crs::Crs84 {
            let lost = self.layer.lost(usize::from(self.layer.is_lost(feature)));
            self.rows.write_field(lost.map(|(_, text)| text).unwrap_or_default())?;
        }
        self.rows.write_record(None::<&[u8]>)?;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<File> {
        let file = self.rows.into_inner().map_err(csv::IntoInnerError::into_error)?;
        let mut file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(file)
    }
}

/// A text that a spreadsheet would run as a formula is disarmed with an apostrophe, in every cell that one may make of
/// it: where numbers have a comma, Excel parts at semicolons, and what stands between quotes there is cut up too.
pub fn disarmed(text: &str) -> Cow<'_, str> {
    let cells = text.match_indices([';', '\n', '\r']).map(|(at, _)| at + 1);
    let begins = std::iter::once(0).chain(cells);
    let mut armed = begins.filter(|at| is_armed(&text[*at..], *at == 0)).peekable();
    if armed.peek().is_none() {
        return text.into();
    }
    let (mut disarmed, mut written) = (String::with_capacity(text.len() + 4), 0);
    for at in armed {
        disarmed.push_str(&text[written..at]);
        disarmed.push('\'');
        written = at;
    }
    disarmed.push_str(&text[written..]);
    disarmed.into()
}

/// Whether a cell that begins so may be a formula. Spreadsheets take the wide signs of Chinese and Japanese keyboards for
/// the others, and pass over quotes and, at the beginning, over white space.
fn is_armed(cell: &str, is_first: bool) -> bool {
    let begun = cell.trim_start_matches('"');
    begun.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
        || is_first && cell.starts_with(['\t', '\r', '\n'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_that_a_spreadsheet_may_make_of_a_text_is_disarmed() {
        for (text, safe) in [
            ("=1", "'=1"),
            ("\n=1", "'\n'=1"),
            ("\t=1", "'\t=1"),
            ("＝1", "'＝1"),
            ("－1", "'－1"),
            ("a;=HYPERLINK(1)", "a;'=HYPERLINK(1)"),
            ("a;;\"\"@x", "a;;'\"\"@x"),
            ("a\r\n+1;b", "a\r\n'+1;b"),
            ("-1;-2", "'-1;'-2"),
        ] {
            assert_eq!(disarmed(text), safe, "{text:?}");
        }
        for text in ["", "a;b", "a-b; c=d", "18.5 - 19", "café; ＡＢ"] {
            assert!(matches!(disarmed(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }
}
