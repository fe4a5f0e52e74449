//! The table of a shapefile (dBASE III): ten letters for a name, 254 bytes for a text.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, Write};

use chrono::{Datelike as _, NaiveDate};

use super::layer::{Cell, Kind, Layer};
use super::{Result, Spool};
use crate::ogc::feature::Feature;

/// Bytes of a name.
const NAME: usize = 10;
/// Bytes of a text.
const TEXT: usize = 254;
/// Digits of a whole number; programs read more of them as a fraction.
const INTEGER: u8 = 18;
/// Signs of a number.
const REAL: u8 = 24;

/// A column as the table has it.
pub(super) struct Field {
    pub(super) name: String,
    kind: Kind,
    /// Bytes of each value.
    width: u8,
}

/// Rows on their way into a table. How wide its columns are is known when the last has come.
pub(super) struct Table {
    /// The id, then the layer's columns.
    pub(super) fields: Vec<Field>,
    /// Cell after cell: its length, and its bytes.
    rows: BufWriter<File>,
    count: u32,
    /// Texts that were cut.
    pub(super) cut: usize,
    /// Values that are not what their column holds, and are left empty.
    pub(super) unfit: usize,
}

impl Table {
    pub(super) fn begin(layer: &Layer, spool: &Spool) -> Result<Self> {
        let mut fields = vec![Field { name: "id".to_owned(), kind: Kind::Text, width: 36 }];
        for column in &layer.columns {
            let width = match column.kind {
                Kind::Text | Kind::Boolean => 1,
                Kind::Integer => INTEGER,
                Kind::Real => REAL,
                Kind::Date => 8,
            };
            fields.push(Field { name: short(&column.name, &fields), kind: column.kind, width });
        }
        Ok(Self { fields, rows: BufWriter::new(spool.file()?), count: 0, cut: 0, unfit: 0 })
    }

    pub(super) fn add(&mut self, layer: &Layer, feature: &Feature) -> Result<()> {
        self.put(0, feature.id.to_string().as_bytes())?;
        for (place, (column, cell)) in layer.cells(feature).enumerate() {
            let text = self.written(column.kind, &cell);
            self.put(place + 1, text.as_bytes())?;
        }
        self.count += 1;
        Ok(())
    }

    fn written(&mut self, kind: Kind, cell: &Cell<'_>) -> String {
        match (kind, cell) {
            (_, Cell::Empty) => String::new(),
            (Kind::Text, Cell::Text(text)) => {
                let end = text.floor_char_boundary(TEXT);
                self.cut += usize::from(end < text.len());
                text[..end].to_owned()
            }
            (Kind::Boolean, Cell::Boolean(truth)) => if *truth { "T" } else { "F" }.to_owned(),
            (Kind::Date, Cell::Date(day)) if (0..10_000).contains(&day.year()) => {
                day.format("%Y%m%d").to_string()
            }
            (Kind::Integer | Kind::Real, Cell::Integer(_) | Cell::Real(_)) => {
                let text = cell.text().unwrap_or_default().into_owned();
                let widest = usize::from(if kind == Kind::Integer { INTEGER } else { REAL });
                self.fitting(text, widest)
            }
            _ => {
                self.unfit += 1;
                String::new()
            }
        }
    }

    fn fitting(&mut self, text: String, widest: usize) -> String {
        if text.len() <= widest {
            return text;
        }
        self.unfit += 1;
        String::new()
    }

    fn put(&mut self, place: usize, bytes: &[u8]) -> io::Result<()> {
        let length = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
        self.fields[place].width = self.fields[place].width.max(length);
        self.rows.write_all(&[length])?;
        self.rows.write_all(&bytes[..length.into()])
    }

    /// Writes the table.
    pub(super) fn write(self, out: &mut impl Write, today: NaiveDate) -> Result<()> {
        let mut rows = self.rows.into_inner().map_err(io::IntoInnerError::into_error)?;
        rows.rewind()?;
        let mut rows = BufReader::new(rows);
        write_head(out, &self.fields, self.count, today)?;
        let mut row = Vec::new();
        for _ in 0..self.count {
            row.clear();
            row.push(b' ');
            for field in &self.fields {
                let mut length = [0];
                rows.read_exact(&mut length)?;
                let mut cell = vec![0; length[0].into()];
                rows.read_exact(&mut cell)?;
                let blanks = usize::from(field.width - length[0]);
                let is_number = matches!(field.kind, Kind::Integer | Kind::Real);
                row.extend(std::iter::repeat_n(b' ', if is_number { blanks } else { 0 }));
                row.extend(cell);
                row.extend(std::iter::repeat_n(b' ', if is_number { 0 } else { blanks }));
            }
            out.write_all(&row)?;
        }
        out.write_all(&[0x1a])?;
        Ok(())
    }
}

fn write_head(out: &mut impl Write, fields: &[Field], count: u32, today: NaiveDate) -> io::Result<()> {
    let small = |number: usize| u16::try_from(number).map_err(io::Error::other);
    let byte = |number: u32| u8::try_from(number).unwrap_or_default();
    let year = byte(today.year().unsigned_abs().saturating_sub(1900));
    let mut head = vec![3, year, byte(today.month()), byte(today.day())];
    head.extend(count.to_le_bytes());
    head.extend(small(33 + 32 * fields.len())?.to_le_bytes());
    head.extend(small(1 + fields.iter().map(|field| usize::from(field.width)).sum::<usize>())?.to_le_bytes());
    head.resize(32, 0);
    for field in fields {
        let mut described = field.name.clone().into_bytes();
        described.resize(11, 0);
        let (letter, decimals) = match field.kind {
            Kind::Text => (b'C', 0),
            Kind::Integer => (b'N', 0),
            Kind::Real => (b'N', 6),
            Kind::Boolean => (b'L', 0),
            Kind::Date => (b'D', 0),
        };
        described.extend([letter, 0, 0, 0, 0, field.width, decimals]);
        described.resize(32, 0);
        head.extend(described);
    }
    head.push(0x0d);
    out.write_all(&head)
}

/// A name that fits and that no field before has.
fn short(name: &str, taken: &[Field]) -> String {
    let name: String =
        name.chars().map(|letter| if letter.is_ascii_graphic() { letter } else { '_' }).collect();
    let cut = |length: usize| &name[..length.min(name.len())];
    let numbered = (1..).map(|number: usize| {
        let number = format!("_{number}");
        format!("{}{number}", cut(NAME - number.len().min(NAME)))
    });
    let free = |candidate: &String| !taken.iter().any(|field| field.name.eq_ignore_ascii_case(candidate));
    std::iter::once(cut(NAME).to_owned()).chain(numbered).find(free).unwrap_or_default()
}
