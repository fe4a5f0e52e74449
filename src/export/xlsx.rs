//! Workbooks: a sheet of rows, numbers as numbers, and a sheet that says what the file is.

use std::fs::File;
use std::io::Seek as _;

use chrono::{Datelike as _, NaiveDate};
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::layer::{Cell, Layer};
use super::{ExportError, Result, Spool, Writer, ground};
use crate::ogc::collection::Shape;
use crate::ogc::feature::Feature;

/// The media type.
pub const MEDIA_TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Rows of a sheet, the heading included.
const ROWS: u32 = 1_048_576;
/// Characters of a cell.
const TEXT: usize = 32_767;

/// A workbook on its way: sheets of rows, each under a heading.
pub struct Sheets {
    book: Workbook,
    /// The sheet that is being written, and its rows so far.
    current: usize,
    rows: u32,
    /// Texts that were cut.
    cut: usize,
    day: Format,
}

impl Sheets {
    /// A workbook that is kept in memory, with its first sheet.
    ///
    /// # Errors
    /// Where a name is none for a sheet.
    pub fn begin<'n>(title: &str, names: impl Iterator<Item = &'n str>) -> Result<Self> {
        let mut book = Workbook::new();
        book.add_worksheet();
        Self::with(book, title, names)
    }

    /// A workbook whose rows go to the disk as they come.
    fn spooled<'n>(spool: &Spool, title: &str, names: impl Iterator<Item = &'n str>) -> Result<Self> {
        let mut book = Workbook::new();
        book.set_tempdir(spool.folder())?;
        book.add_worksheet_with_constant_memory()?;
        Self::with(book, title, names)
    }

    fn with<'n>(book: Workbook, title: &str, names: impl Iterator<Item = &'n str>) -> Result<Self> {
        let day = Format::new().set_num_format("yyyy-mm-dd");
        let mut sheets = Self { book, current: 0, rows: 1, cut: 0, day };
        sheets.head(title, names)?;
        Ok(sheets)
    }

    /// Ends a sheet and begins the next one.
    ///
    /// # Errors
    /// As for [`Sheets::begin`].
    pub fn next<'n>(&mut self, title: &str, names: impl Iterator<Item = &'n str>) -> Result<()> {
        self.book.add_worksheet();
        self.current += 1;
        self.rows = 1;
        self.head(title, names)
    }

    fn head<'n>(&mut self, title: &str, names: impl Iterator<Item = &'n str>) -> Result<()> {
        let sheet = self.book.worksheet_from_index(self.current)?;
        // Longer names are not opened.
        sheet.set_name(title.chars().take(31).collect::<String>())?;
        sheet.set_freeze_panes(1, 0)?;
        let bold = Format::new().set_bold();
        for (column, name) in (0..).zip(names) {
            sheet.write_string_with_format(0, column, name, &bold)?;
        }
        Ok(())
    }

    /// Adds a row.
    ///
    /// # Errors
    /// Where the sheet is full.
    pub fn push<'c>(&mut self, cells: impl Iterator<Item = Cell<'c>>) -> Result<()> {
        let row = self.rows;
        if row >= ROWS {
            let detail = format!("a sheet holds {ROWS} rows: narrow the question, or ask for csv or gpkg");
            return Err(ExportError::TooLarge(detail));
        }
        let sheet = self.book.worksheet_from_index(self.current)?;
        for (column, cell) in (0..).zip(cells) {
            self.cut += usize::from(write(sheet, row, column, &cell, &self.day)?);
        }
        self.rows += 1;
        Ok(())
    }

    /// Ends the rows and adds the sheet that says what the file is.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn finish(mut self, about: &[(impl AsRef<str>, String)]) -> Result<Workbook> {
        let sheet = self.book.add_worksheet();
        sheet.set_name("About")?;
        sheet.set_column_width(0, 20)?;
        sheet.set_column_width(1, 100)?;
        let mut lines: Vec<(&str, String)> =
            about.iter().map(|(name, value)| (name.as_ref(), value.chars().take(TEXT).collect())).collect();
        if self.cut > 0 {
            lines.push(("cut", format!("{} texts at {TEXT} characters, which a cell holds", self.cut)));
        }
        for (row, (name, value)) in (0..).zip(lines) {
            sheet.write_string(row, 0, name)?;
            sheet.write_string(row, 1, value)?;
        }
        Ok(self.book)
    }
}

/// Writes one cell; whether its text was cut.
fn write(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    cell: &Cell<'_>,
    format: &Format,
) -> std::result::Result<bool, XlsxError> {
    match cell {
        Cell::Empty => {}
        #[expect(clippy::cast_precision_loss, reason = "a workbook has no other numbers")]
        Cell::Integer(number) => drop(sheet.write_number(row, column, *number as f64)?),
        Cell::Real(number) => drop(sheet.write_number(row, column, *number)?),
        Cell::Boolean(truth) => drop(sheet.write_boolean(row, column, *truth)?),
        Cell::Date(day) => match excel_day(*day) {
            Some(date) => drop(sheet.write_datetime_with_format(row, column, date, format)?),
            None => drop(sheet.write_string(row, column, day.to_string())?),
        },
        Cell::Text(text) => {
            let cut = text.chars().nth(TEXT).is_some();
            let text: &str = text;
            let shown = if cut { text.chars().take(TEXT).collect() } else { text.to_owned() };
            sheet.write_string(row, column, shown)?;
            return Ok(cut);
        }
    }
    Ok(false)
}

/// A day as workbooks count them, which begin in 1900.
fn excel_day(day: NaiveDate) -> Option<ExcelDateTime> {
    let year = u16::try_from(day.year()).ok()?;
    ExcelDateTime::from_ymd(year, u8::try_from(day.month()).ok()?, u8::try_from(day.day()).ok()?).ok()
}

/// Writes a workbook of features.
pub(super) struct Xlsx<'l> {
    layer: &'l Layer,
    spool: &'l Spool,
    sheets: Sheets,
    said: Vec<(&'static str, String)>,
}

impl<'l> Xlsx<'l> {
    pub(super) fn begin(layer: &'l Layer, spool: &'l Spool) -> Result<Self> {
        let said = layer.document.in_every_row();
        let mut names = vec!["id"];
        names.extend(layer.columns.iter().map(|column| column.name.as_str()));
        if layer.shape() != Shape::Nowhere {
            names.extend(["centre_lon", "centre_lat"]);
        }
        names.extend(said.iter().map(|(name, _)| *name));
        let sheets = Sheets::spooled(spool, &layer.document.name, names.into_iter())?;
        Ok(Self { layer, spool, sheets, said })
    }
}

impl Writer for Xlsx<'_> {
    fn add(&mut self, feature: &Feature) -> Result<()> {
        let mut cells = vec![Cell::Text(feature.id.to_string().into())];
        cells.extend(self.layer.cells(feature).map(|(_, cell)| cell));
        if self.layer.shape() != Shape::Nowhere {
            let centre = self.layer.geometry(feature).as_ref().and_then(ground::centre);
            let number = |number: Option<f64>| number.map_or(Cell::Empty, Cell::Real);
            cells.extend([number(centre.map(geo::Point::x)), number(centre.map(geo::Point::y))]);
        }
        cells.extend(self.said.iter().map(|(_, value)| Cell::Text(value.as_str().into())));
        self.sheets.push(cells.into_iter())
    }

    fn finish(self: Box<Self>) -> Result<File> {
        let mut file = self.spool.file()?;
        self.sheets.finish(&self.layer.document.members())?.save_to_writer(&mut file)?;
        file.rewind()?;
        Ok(file)
    }
}
