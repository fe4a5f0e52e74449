//! Tables of figures as JSON or CSV.

use serde_json::{Map, Value, json};

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
        let common = ["as_of", "from", "to", "basis", "constructed"];
        let mut said: Vec<(&str, Value)> =
            common.into_iter().filter_map(|name| Some((name, heading.get(name)?.clone()))).collect();
        for (name, list) in [("records_left_out", "left_out"), ("records_repaired", "repaired")] {
            let count = heading.get(list).and_then(Value::as_array).map_or(0, Vec::len);
            said.push((name, json!(count)));
        }
        if let Some(account) = heading.get("reported_only") {
            said.push(("areas_reported_only", account["areas"].clone()));
            said.push(("reported_only_m2", account["reported_m2"].clone()));
        }
        said.extend(heading.get("statement").map(|statement| ("statement", statement.clone())));
        let mut writer = csv::Writer::from_writer(Vec::new());
        let names = self.columns.iter().copied().chain(said.iter().map(|(name, _)| *name));
        // Writing to memory does not fail.
        let _ = writer.write_record(names);
        for row in &self.rows {
            let cells = self.columns.iter().map(|name| cell(row.get(*name).unwrap_or(&Value::Null)));
            let _ = writer.write_record(cells.chain(said.iter().map(|(_, value)| cell(value))));
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
