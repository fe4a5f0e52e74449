//! Values of a file as a schema's field wants them.

use serde_json::{Number, Value, json};
use uuid::Uuid;

use super::{cell, date};

/// How a file writes one and a half.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Decimal {
    /// 1.5
    #[default]
    Point,
    /// 1,5
    Comma,
    /// Nothing in it says.
    Unknown,
}

/// What turns a file's values into a field's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Converter<'a> {
    /// The field, or the items of its list, as the schema has it.
    spec: &'a Value,
    decimal: Decimal,
}

impl<'a> Converter<'a> {
    pub(super) fn new(spec: &'a Value, decimal: Decimal) -> Self {
        Self { spec, decimal }
    }

    /// The value as the field wants it.
    ///
    /// # Errors
    /// Why it cannot be one; the caller keeps it as given, and the schema then refuses it too.
    pub(super) fn convert(&self, value: &Value) -> Result<Value, String> {
        match self.spec["type"].as_str() {
            Some("array") => self.list(value),
            Some("number" | "integer") => self.number(value),
            Some("boolean") => boolean(value),
            Some("string") => self.text(value),
            Some("object") => object(value),
            _ => Ok(value.clone()),
        }
    }

    fn list(&self, value: &Value) -> Result<Value, String> {
        let item = Self::new(&self.spec["items"], self.decimal);
        let each =
            |parts: Vec<Value>| parts.iter().map(|part| item.convert(part)).collect::<Result<Value, _>>();
        match value {
            Value::Array(items) => each(items.clone()),
            // A label may hold a comma itself.
            Value::String(text) => item.convert(value).map(|whole| json!([whole])).or_else(|_parts| {
                let parts = text.split([',', ';', '|']).map(str::trim).filter(|part| !part.is_empty());
                each(parts.map(Value::from).collect())
            }),
            other => each(vec![other.clone()]),
        }
    }

    fn number(&self, value: &Value) -> Result<Value, String> {
        let number = match value {
            Value::Number(number) => number.clone(),
            Value::String(text) => number(text, self.decimal, true)?,
            other => return Err(format!("{other} is not a number")),
        };
        if self.spec["type"] != "integer" || number.is_i64() || number.is_u64() {
            return Ok(Value::Number(number));
        }
        // 3.0 is a whole number to JSON Schema; spreadsheets write it so.
        match number.as_f64() {
            Some(whole) if whole.fract() == 0.0 => Ok(Value::Number(number)),
            _ => Err(format!("{number} is not a whole number")),
        }
    }

    fn text(&self, value: &Value) -> Result<Value, String> {
        let text = match value {
            Value::String(_) | Value::Number(_) | Value::Bool(_) => cell(value),
            other => return Err(format!("{other} is not a text")),
        };
        if let Some(codes) = self.spec["enum"].as_array() {
            return self.code(&text, codes);
        }
        match self.spec["format"].as_str() {
            Some("date") => date::read(&text).map(Value::String),
            Some("uuid") => match Uuid::try_parse(&text) {
                Ok(id) => Ok(json!(id)),
                Err(_) => Err(format!("`{text}` is not the id of a record")),
            },
            _ => Ok(match value {
                Value::String(text) => json!(text),
                _ => json!(text),
            }),
        }
    }

    /// A code, or the label that people see in its place.
    fn code(&self, text: &str, codes: &[Value]) -> Result<Value, String> {
        let wanted = text.to_lowercase();
        let means = |code: &&Value| {
            let code = code.as_str().unwrap_or_default();
            let label = self.spec["x-labels"][code].as_str().unwrap_or_default();
            code.to_lowercase() == wanted || label.to_lowercase() == wanted
        };
        codes.iter().find(means).cloned().ok_or_else(|| {
            let allowed: Vec<&str> = codes.iter().filter_map(Value::as_str).collect();
            format!("`{text}` is not one of {}", allowed.join(", "))
        })
    }
}

fn boolean(value: &Value) -> Result<Value, String> {
    if value.is_boolean() {
        return Ok(value.clone());
    }
    match cell(value).to_lowercase().as_str() {
        "true" | "yes" | "y" | "1" => Ok(json!(true)),
        "false" | "no" | "n" | "0" => Ok(json!(false)),
        other => Err(format!("`{other}` is neither yes nor no")),
    }
}

fn object(value: &Value) -> Result<Value, String> {
    match value {
        Value::String(text) => serde_json::from_str(text)
            .ok()
            .filter(|read: &Value| read.is_object() && !super::too_deep(read, super::DEPTH))
            .ok_or_else(|| "it is not a JSON object".to_owned()),
        other => Ok(other.clone()),
    }
}

/// A number as people write it. `grouped`: whether thousands may be set apart by the sign that is not the decimal one,
/// so that a number that may be read both ways is refused; degrees are never grouped.
///
/// # Errors
/// Why it is no number, or what it may mean.
pub(super) fn number(text: &str, decimal: Decimal, grouped: bool) -> Result<Number, String> {
    // Between degrees and minutes a blank is no grouping.
    let groups = |c: &char| grouped && [' ', '\u{a0}', '\u{202f}', '\''].contains(c);
    let bare: String = text.trim().chars().filter(|c| !groups(c)).collect();
    let (commas, dots) = (bare.matches(',').count(), bare.matches('.').count());
    let doubtful = || format!("`{text}` may be a fraction or thousands: write it with a decimal point only");
    let plain = match (commas, dots) {
        (0, 1) if decimal != Decimal::Point && grouped && is_grouped(&bare) => return Err(doubtful()),
        (0, _) => bare,
        (1, 0) if decimal == Decimal::Comma => bare.replace(',', "."),
        _ => return Err(doubtful()),
    };
    let numberlike = plain.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c));
    let refused = || format!("`{text}` is not a number");
    if !numberlike {
        return Err(refused());
    }
    if let Ok(whole) = plain.parse::<i64>() {
        return Ok(whole.into());
    }
    plain.parse().ok().and_then(Number::from_f64).ok_or_else(refused)
}

/// One to three digits, a dot and three digits: 1.234.
fn is_grouped(text: &str) -> bool {
    text.split_once('.').is_some_and(|(whole, rest)| {
        let digits = whole.trim_start_matches(['-', '+']);
        (1..=3).contains(&digits.len()) && digits != "0" && rest.len() == 3
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(spec: &Value, value: &Value) -> Result<Value, String> {
        Converter::new(spec, Decimal::Point).convert(value)
    }

    #[test]
    fn numbers_are_read_and_doubtful_ones_refused() {
        assert_eq!(number("18,605", Decimal::Comma, true), Ok(Number::from_f64(18.605).unwrap()));
        assert_eq!(number("1 234", Decimal::Point, true), Ok(1234.into()));
        assert_eq!(number("18.605", Decimal::Comma, false), Ok(Number::from_f64(18.605).unwrap()));
        for text in ["1,234", "NaN", "inf", "1e999", "", "1.2.3", "0x10", "12 m"] {
            assert!(number(text, Decimal::Point, true).is_err(), "{text}");
        }
        for decimal in [Decimal::Comma, Decimal::Unknown] {
            assert!(number("1.234", decimal, true).is_err(), "{decimal:?}");
        }
        assert_eq!(number("12.5", Decimal::Unknown, true), Ok(Number::from_f64(12.5).unwrap()));
        assert!(number("6 7.5", Decimal::Point, false).is_err(), "degrees and minutes are no one number");
    }

    #[test]
    fn codes_labels_lists_and_booleans_are_understood() {
        let code = json!({"type": "string", "enum": ["ap_mine", "uxo"],
            "x-labels": {"ap_mine": "Anti-personnel, laid", "uxo": "UXO"}});
        assert_eq!(convert(&code, &json!("AP_mine")), Ok(json!("ap_mine")));
        assert_eq!(convert(&code, &json!("anti-personnel, LAID")), Ok(json!("ap_mine")));
        assert!(convert(&code, &json!("mine")).unwrap_err().contains("ap_mine, uxo"));
        let list = json!({"type": "array", "items": code});
        assert_eq!(convert(&list, &json!("ap_mine, uxo")), Ok(json!(["ap_mine", "uxo"])));
        assert_eq!(convert(&list, &json!("Anti-personnel, laid")), Ok(json!(["ap_mine"])));
        let ids = json!({"type": "array", "items": {"type": "string", "format": "uuid"}});
        let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
        assert_eq!(convert(&ids, &json!(format!("{one}, {{{other}}}"))), Ok(json!([one, other])));
        assert!(convert(&ids, &json!("area 7")).is_err());
        assert_eq!(convert(&json!({"type": "boolean"}), &json!("Yes")), Ok(json!(true)));
        assert_eq!(convert(&json!({"type": "integer"}), &json!("12")), Ok(json!(12)));
        assert!(convert(&json!({"type": "integer"}), &json!("1.5")).is_err());
        assert_eq!(convert(&json!({"type": "string"}), &json!(7)), Ok(json!("7")));
    }
}
