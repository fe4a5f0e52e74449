//! Positions on their way into GeoJSON.

use serde_json::{Value, json};

/// A position: x, y and perhaps a height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Position {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) z: Option<f64>,
}

impl Position {
    pub(super) fn new(x: f64, y: f64) -> Self {
        Self { x, y, z: None }
    }

    /// The position as GeoJSON.
    ///
    /// # Errors
    /// Where it is none.
    pub(super) fn value(&self) -> Result<Value, String> {
        if !(self.x.is_finite() && self.y.is_finite()) {
            return Err(format!("{} {} is not a position", self.x, self.y));
        }
        Ok(match self.z.filter(|height| height.is_finite()) {
            Some(height) => json!([self.x, self.y, height]),
            None => json!([self.x, self.y]),
        })
    }
}

/// Positions as a GeoJSON list.
///
/// # Errors
/// The first that is none.
pub(super) fn list(positions: &[Position]) -> Result<Value, String> {
    positions.iter().map(Position::value).collect()
}

/// A GeoJSON geometry.
pub(super) fn geometry(type_: &str, coordinates: Value) -> Value {
    // Moved, not copied: it may be all there is of a country.
    Value::Object(
        [("type".to_owned(), json!(type_)), ("coordinates".to_owned(), coordinates)].into_iter().collect(),
    )
}

/// Geometries of one type as one, others as a collection; nothing where there is none.
pub(super) fn together(mut parts: Vec<Value>) -> Option<Value> {
    if parts.len() < 2 {
        return parts.pop();
    }
    let type_ = parts[0]["type"].as_str().unwrap_or_default().to_owned();
    let is_single = ["Point", "LineString", "Polygon"].contains(&type_.as_str());
    if is_single && parts.iter().all(|part| part["type"] == type_) {
        let coordinates = parts.iter_mut().map(|part| part["coordinates"].take()).collect();
        return Some(geometry(&format!("Multi{type_}"), coordinates));
    }
    Some(json!({"type": "GeometryCollection", "geometries": parts}))
}
