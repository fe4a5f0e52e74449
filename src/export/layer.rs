//! A collection as a table: its columns, and a feature's values in them.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::NaiveDate;
use geo::Geometry;
use serde_json::Value;

use super::about::Document;
use super::{ground, projection};
use crate::model::record::NAMES;
use crate::ogc::collection::{Collection, Property, Shape, Type};
use crate::ogc::crs::Crs;
use crate::ogc::feature::Feature;

/// By which a file says what is lost.
pub(super) const NOT_PLACED: &str = "not_placed";

/// What a column's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    Real,
    Boolean,
    Date,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub(super) struct Column {
    /// The property's name.
    pub(super) name: String,
    /// The name for people, with the unit.
    pub(super) title: String,
    pub(super) kind: Kind,
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'v> {
    /// Nothing.
    Empty,
    /// A text.
    Text(Cow<'v, str>),
    /// A whole number.
    Integer(i64),
    /// A number.
    Real(f64),
    /// True or false.
    Boolean(bool),
    /// A day.
    Date(NaiveDate),
}

/// A collection, or what a question finds in it, as a table.
#[derive(Debug)]
pub struct Layer {
    pub(super) document: Document,
    pub(super) collection: Arc<Collection>,
    /// The chosen properties' names.
    pub(super) chosen: Option<Vec<String>>,
    /// The properties; the id stands before them.
    pub(super) columns: Vec<Column>,
    /// Longitude or easting first.
    pub(super) crs: Crs,
}

impl Layer {
    /// A collection with all of its properties, or the chosen ones.
    pub fn new(collection: Arc<Collection>, chosen: Option<Vec<String>>, document: Document) -> Self {
        let wanted =
            |property: &&Property| chosen.as_ref().is_none_or(|chosen| chosen.contains(&property.name));
        let columns = collection.properties.iter().filter(wanted).map(Column::of).collect();
        let crs = Self::axes(document.crs);
        Self { document, collection, chosen, columns, crs }
    }

    /// The reference system of a file that was asked for in this one: the same, longitude or easting first.
    pub fn axes(asked: Crs) -> Crs {
        if asked == Crs::Epsg4326 { Crs::Crs84 } else { asked }
    }

    /// What its features are drawn as.
    pub(super) fn shape(&self) -> Shape {
        self.collection.shape
    }

    /// A feature's geometry in the layer's one type and reference system; nothing where it has no place there.
    pub(super) fn geometry(&self, feature: &Feature) -> Option<Geometry<f64>> {
        ground::placed(feature.geometry.as_ref()?, self.shape(), self.crs)
    }

    /// Whether a feature lies somewhere, and has no place in the layer's reference system.
    pub(super) fn is_lost(&self, feature: &Feature) -> bool {
        self.crs != Crs::Crs84 && feature.geometry.is_some() && self.geometry(feature).is_none()
    }

    /// What a file says of the geometries that are lost, by name; nothing where there are none.
    pub(super) fn lost(&self, count: usize) -> Option<(&'static str, String)> {
        let crs = projection::name(self.crs);
        let text = || {
            format!(
                "{count} geometries have no place in {crs} and are left empty: ask for them in WGS 84, without crs"
            )
        };
        (count > 0).then(|| (NOT_PLACED, text()))
    }

    /// A feature's values, column by column.
    pub(super) fn cells<'f>(&'f self, feature: &'f Feature) -> impl Iterator<Item = (&'f Column, Cell<'f>)> {
        self.columns.iter().map(|column| (column, column.cell(feature)))
    }

    /// What names a feature for people.
    pub(super) fn label(&self, feature: &Feature) -> String {
        let said = NAMES.into_iter().filter(|name| self.columns.iter().any(|column| column.name == *name));
        let mut said = said.filter_map(|name| feature.properties.get(name)?.as_str());
        said.find(|text| !text.trim().is_empty()).map_or_else(|| feature.id.to_string(), str::to_owned)
    }
}

impl Column {
    fn of(property: &Property) -> Self {
        let title = property.schema["title"].as_str().unwrap_or(&property.name);
        let title = match property.schema["x-unit"].as_str() {
            Some(unit) => format!("{title}, {unit}"),
            None => title.to_owned(),
        };
        let kind = match property.type_ {
            Type::Text if property.schema["format"] == "date" => Kind::Date,
            Type::Number if property.decimal => Kind::Real,
            Type::Number => Kind::Integer,
            Type::Boolean => Kind::Boolean,
            Type::Text | Type::List | Type::Nested => Kind::Text,
        };
        Self { name: property.name.clone(), title, kind }
    }

    /// A feature's value. What is not of the column's kind stays as it is: a faulty record can be in its first stage.
    fn cell<'f>(&self, feature: &'f Feature) -> Cell<'f> {
        let value = feature.properties.get(&self.name).unwrap_or(&Value::Null);
        match (self.kind, value) {
            (_, Value::Null) => Cell::Empty,
            (Kind::Boolean, Value::Bool(truth)) => Cell::Boolean(*truth),
            (Kind::Integer | Kind::Real, Value::Number(number)) => number_cell(self.kind, number),
            (Kind::Date, Value::String(text)) => {
                text.parse().map_or_else(|_none| Cell::Text(text.into()), Cell::Date)
            }
            (_, value) => Cell::Text(text(value)),
        }
    }
}

fn number_cell(kind: Kind, number: &serde_json::Number) -> Cell<'static> {
    match (kind, number.as_i64(), number.as_f64()) {
        (Kind::Integer, Some(whole), _) => Cell::Integer(whole),
        (_, _, Some(real)) => Cell::Real(real),
        _ => Cell::Text(number.to_string().into()),
    }
}

/// A value in one cell: a list of texts as people write it, anything nested as JSON.
fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            items.join(", ").into()
        }
        other => other.to_string().into(),
    }
}

impl Cell<'_> {
    /// The value as text; nothing where it is empty.
    pub(super) fn text(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Self::Empty => return None,
            Self::Text(text) => Cow::Borrowed(text.as_ref()),
            Self::Integer(number) => number.to_string().into(),
            Self::Real(number) => number.to_string().into(),
            Self::Boolean(truth) => truth.to_string().into(),
            Self::Date(day) => day.to_string().into(),
        })
    }
}
