//! Tables of figures as JSON, CSV or XLSX.

use serde_json::{Map, Value, json};

use crate::export::xlsx::Sheets;
use crate::export::{self, Cell, disarmed};
use crate::geometry::SquareMillimetres;

/// Rows that all have the same columns.
#[derive(Debug)]
pub(super) struct Table {
    /// In the order in which people read them.
    columns: Vec<&'static str>,
    rows: Vec<Map<String, Value>>,
}

impl Table {
    pub(super) fn new(columns: impl IntoIterator<Item = &'static str>) -> Self {
        Self { columns: columns.into_iter().collect(), rows: Vec::new() }
    }

    pub(super) fn push(&mut self, row: Map<String, Value>) {
        self.rows.push(row);
    }

    pub(super) fn json(&self) -> Value {
        json!(self.rows)
    }

    /// CSV with the as-of, the basis, what the figures do not hold and the statement in every row: rows get copied,
    /// headings get lost.
    pub(super) fn csv(&self, heading: &Map<String, Value>) -> Vec<u8> {
        let said = said(heading);
        let mut writer = csv::Writer::from_writer(Vec::new());
        // Writing to memory does not fail.
        let _ = writer.write_record(self.names(&said));
        for row in &self.rows {
            let _ = writer.write_record(self.values(row, &said).map(text));
        }
        writer.into_inner().unwrap_or_default()
    }

    fn names<'t>(&'t self, said: &'t [(&'static str, Value)]) -> impl Iterator<Item = &'t str> {
        self.columns.iter().copied().chain(said.iter().map(|(name, _)| *name))
    }

    fn values<'t>(
        &'t self,
        row: &'t Map<String, Value>,
        said: &'t [(&'static str, Value)],
    ) -> impl Iterator<Item = &'t Value> {
        let own = self.columns.iter().map(|name| row.get(*name).unwrap_or(&Value::Null));
        own.chain(said.iter().map(|(_, value)| value))
    }
}

/// A workbook of tables, a sheet each with the columns of the CSV and numbers as numbers, and a sheet of what is said
/// with every figure.
pub(super) fn workbook(
    tables: &[(&'static str, Table)],
    heading: &Map<String, Value>,
) -> export::Result<Vec<u8>> {
    let said = said(heading);
    let mut sheets: Option<Sheets> = None;
    for (title, table) in tables {
        let names = table.names(&said);
        let sheets = match &mut sheets {
            Some(sheets) => {
                sheets.next(title, names)?;
                sheets
            }
            None => sheets.insert(Sheets::begin(title, names)?),
        };
        for row in &table.rows {
            sheets.push(table.values(row, &said).map(in_sheet))?;
        }
    }
    let mut about = Vec::new();
    flatten("", heading, &mut about);
    match sheets {
        Some(sheets) => Ok(sheets.finish(&about)?.save_to_buffer()?),
        None => Ok(Vec::new()),
    }
}

/// Members by name, those of members as `forecast.standing`.
fn flatten(before: &str, members: &Map<String, Value>, out: &mut Vec<(String, String)>) {
    for (name, value) in members {
        let name = format!("{before}{name}");
        match value {
            Value::Null => {}
            Value::Object(inner) => flatten(&format!("{name}."), inner, out),
            other => out.push((name, plain(other))),
        }
    }
}

/// What is said in every row.
fn said(heading: &Map<String, Value>) -> Vec<(&'static str, Value)> {
    let common = ["as_of", "from", "to", "basis", "constructed"];
    let mut said: Vec<(&str, Value)> =
        common.into_iter().filter_map(|name| Some((name, heading.get(name)?.clone()))).collect();
    let counts = ["records_left_out", "records_repaired"];
    said.extend(counts.into_iter().filter_map(|name| Some((name, heading.get(name)?.clone()))));
    if let Some(account) = heading.get("reported_only") {
        said.push(("areas_reported_only_in_all", account["areas"].clone()));
        said.push(("reported_only_in_all_m2", account["reported_m2"].clone()));
    }
    said.extend(heading.get("statement").map(|statement| ("statement", statement.clone())));
    said
}

/// A value in a sheet: numbers and days as such.
fn in_sheet(value: &Value) -> Cell<'_> {
    match value {
        Value::Null => Cell::Empty,
        Value::Bool(truth) => Cell::Boolean(*truth),
        Value::Number(number) => number.as_f64().map_or(Cell::Empty, Cell::Real),
        Value::String(text) => text.parse().map_or_else(|_none| Cell::Text(text.into()), Cell::Date),
        other => Cell::Text(plain(other).into()),
    }
}

/// A value in words: a list line by line, anything else nested as JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
        }
        other => other.to_string(),
    }
}

/// A value in CSV; a text that a spreadsheet would run as a formula is disarmed.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => disarmed(text).into_owned(),
        other => other.to_string(),
    }
}

/// An exact area as m², to the square millimetre: six decimals say it exactly, apart from half a square millimetre.
pub(super) fn m2(area: SquareMillimetres) -> Value {
    json!(area.m2())
}

/// A value for a query string.
pub(super) fn percent(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
