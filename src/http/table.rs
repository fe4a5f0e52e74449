//! Tables of figures as JSON or CSV.

use serde_json::{Map, Value, json};

use crate::geometry::SquareMillimetres;

/// Rows that all have the same columns.
#[derive(Debug, Default)]
pub(super) struct Table(Vec<Map<String, Value>>);

impl Table {
    pub(super) fn push(&mut self, row: Map<String, Value>) {
        self.0.push(row);
    }

    pub(super) fn json(&self) -> Value {
        json!(self.0)
    }

    /// CSV with the as-of, the basis and the statement in every row: rows get copied, headings get lost.
    pub(super) fn csv(&self, heading: &Map<String, Value>) -> Vec<u8> {
        let common = ["as_of", "from", "to", "basis", "constructed", "statement"];
        let common: Vec<&str> = common.into_iter().filter(|name| heading.contains_key(*name)).collect();
        let columns: Vec<&String> = self.0.first().map(|row| row.keys().collect()).unwrap_or_default();
        let mut writer = csv::Writer::from_writer(Vec::new());
        let names = columns.iter().map(|name| name.as_str()).chain(common.iter().copied());
        // Writing to memory does not fail.
        let _ = writer.write_record(names);
        for row in &self.0 {
            let cells = columns.iter().map(|name| cell(&row[*name]));
            let _ = writer.write_record(cells.chain(common.iter().map(|name| cell(&heading[*name]))));
        }
        writer.into_inner().unwrap_or_default()
    }
}

/// A text that a spreadsheet would run as a formula is disarmed.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if text.starts_with(['=', '+', '-', '@', '\t']) => format!("'{text}"),
        Value::String(text) => text.clone(),
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
