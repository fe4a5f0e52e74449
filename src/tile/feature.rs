//! Features as a layer holds them.

use std::sync::Arc;

use super::Shape;

/// A value of a feature.
#[derive(Debug, Clone, PartialEq)]
pub enum Tag {
    /// Text.
    Text(Arc<str>),
    /// A whole number.
    Whole(i64),
    /// A number.
    Number(f64),
    /// Yes or no.
    Flag(bool),
}

/// A property that features of a layer may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Who may see it: 0 (public) to 3 (personal).
    pub tier: i16,
    /// What `TileJSON` says of its values: `String`, `Number` or `Boolean`.
    pub type_name: &'static str,
    /// The coarsest zoom whose tiles say it.
    pub from_zoom: u8,
}

/// A feature.
#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    /// What its `id` is written as.
    pub id: Arc<str>,
    /// Where it is.
    pub shape: Shape,
    /// What is known of it, by the place of the field in the layer.
    pub tags: Box<[(u8, Tag)]>,
}

impl Feature {
    /// The value of a field.
    pub fn tag(&self, field: u8) -> Option<&Tag> {
        self.tags.iter().find(|(own, _)| *own == field).map(|(_, tag)| tag)
    }
}
