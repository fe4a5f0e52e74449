//! How the columns of a file become the fields of a kind.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::value::{Converter, Decimal};
use super::{AS_ENTERED, Feature, ImportError, Source, cell};
use crate::model::mutation::GEOMETRY;
use crate::model::schema::{MergeClass, Schema};

/// How the columns of a file become the fields of a kind.
#[derive(Debug, Clone)]
pub struct Mapping<'a> {
    schema: &'a Schema,
    filter: Vec<(String, String)>,
    rename: BTreeMap<String, String>,
    set: BTreeMap<String, Value>,
    drop_unmapped: bool,
}

/// The mapping as it was asked for: pairs of words around an `=`.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// `column=value`: features that are wanted; all must hold.
    pub filter: Vec<(String, String)>,
    /// `column=field`
    pub rename: Vec<(String, String)>,
    /// `field=value`
    pub set: Vec<(String, String)>,
    /// Columns that are no field are left behind.
    pub drop_unmapped: bool,
}

/// A feature's fields.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fields {
    /// Field by field, without the geometry.
    pub values: Map<String, Value>,
    /// What could not be converted and is kept as given.
    pub notes: Vec<String>,
}

impl<'a> Mapping<'a> {
    /// A mapping onto a kind.
    ///
    /// # Errors
    /// What the kind does not have, or a constant that its field cannot take: said once, before anything is read.
    pub fn new(schema: &'a Schema, wishes: Wishes) -> Result<Self, ImportError> {
        let mut mapping = Self {
            schema,
            filter: wishes.filter,
            rename: BTreeMap::new(),
            set: BTreeMap::new(),
            drop_unmapped: wishes.drop_unmapped,
        };
        for (field, value) in wishes.set {
            mapping.expect_field(&field)?;
            let converted = mapping
                .converter(&field, Decimal::Point)
                .convert(&Value::String(value))
                .map_err(|fault| ImportError::Mapping(format!("--set {field}: {fault}")))?;
            if mapping.set.insert(field.clone(), converted).is_some() {
                return Err(ImportError::Mapping(format!("`{field}` is set twice")));
            }
        }
        for (column, field) in wishes.rename {
            mapping.expect_field(&field)?;
            if mapping.set.contains_key(&field) || mapping.rename.values().any(|taken| *taken == field) {
                return Err(ImportError::Mapping(format!("`{field}` is given twice")));
            }
            if mapping.rename.insert(column.clone(), field).is_some() {
                return Err(ImportError::Mapping(format!("column `{column}` is mapped twice")));
            }
        }
        Ok(mapping)
    }

    /// The kind's schema.
    pub fn schema(&self) -> &'a Schema {
        self.schema
    }

    /// A column that is nowhere in the file is a slip of the pen that would silently skip everything.
    ///
    /// # Errors
    /// The first such column, with those that there are.
    pub fn expect_columns(&self, source: &Source) -> Result<(), ImportError> {
        let there: BTreeSet<&String> = source.features().flat_map(|feature| feature.columns.keys()).collect();
        let named = self.filter.iter().map(|(column, _)| column).chain(self.rename.keys());
        for column in named {
            if !there.contains(column) {
                return Err(ImportError::Mapping(source.lacks(column)));
            }
        }
        Ok(())
    }

    /// What a feature must say to be wanted: columns and values.
    pub fn filter(&self) -> &[(String, String)] {
        &self.filter
    }

    /// Whether the feature is wanted.
    pub fn wants(&self, columns: &Map<String, Value>) -> bool {
        self.filter
            .iter()
            .all(|(column, value)| columns.get(column).map(cell).unwrap_or_default() == value.trim())
    }

    /// The fields of a feature.
    pub fn fields(&self, feature: &Feature, decimal: Decimal) -> Fields {
        let mut fields = Fields::default();
        for (field, value) in &self.set {
            fields.values.insert(field.clone(), value.clone());
        }
        if let Some(entered) = &feature.as_entered {
            fields.values.insert(AS_ENTERED.to_owned(), entered.clone());
        }
        // What is mapped comes first, so that a column which happens to have a field's name does not take its place.
        let (mapped, rest): (Vec<_>, Vec<_>) =
            feature.columns.iter().partition(|(column, _)| self.rename.contains_key(*column));
        for (column, value) in mapped.into_iter().chain(rest) {
            if !cell(value).is_empty() {
                self.lay(column, value, decimal, &mut fields);
            }
        }
        fields
    }

    fn lay(&self, column: &str, value: &Value, decimal: Decimal, fields: &mut Fields) {
        let target = self.target(column);
        let known = self.schema.field(target).is_some();
        if !known && self.drop_unmapped {
            return;
        }
        if !known && target != GEOMETRY {
            keep(target, value, &mut fields.values);
            return;
        }
        let rows = known && self.schema.merge_class(target) == MergeClass::Append;
        if target == GEOMETRY || self.is_issued(target) || (rows && !is_rows(value)) {
            let kept = keep(&format!("{target}_as_given"), value, &mut fields.values);
            fields.notes.push(format!("`{column}` cannot be taken as `{target}` and is kept as `{kept}`"));
            return;
        }
        let converted = self.converter(target, decimal).convert(value).unwrap_or_else(|fault| {
            fields.notes.push(format!("{target}: {fault}"));
            value.clone()
        });
        match fields.values.get(target) {
            None => {
                fields.values.insert(target.to_owned(), converted);
            }
            Some(there) if *there == converted => {}
            Some(_) if self.drop_unmapped => {}
            Some(_) => {
                keep(&format!("{target}_as_given"), value, &mut fields.values);
            }
        }
    }

    /// The field that a column goes into, if the kind has one of that name.
    fn target<'c>(&'c self, column: &'c str) -> &'c str {
        self.rename.get(column).map_or(column, String::as_str)
    }

    /// Whether a column is kept as it is, because the kind has no field for it.
    pub(super) fn is_only_kept(&self, column: &str) -> bool {
        !self.drop_unmapped && self.schema.field(self.target(column)).is_none()
    }

    /// Whether what a column says is taken as a day.
    pub(super) fn is_day(&self, column: &str) -> bool {
        self.spec(self.target(column))["format"] == "date"
    }

    fn expect_field(&self, field: &str) -> Result<(), ImportError> {
        let refuse = |message: String| Err(ImportError::Mapping(message));
        let kind = self.schema.kind();
        if field == GEOMETRY {
            return refuse("the geometry is not a field: name its column with --geometry".to_owned());
        }
        if self.schema.field(field).is_none() {
            let list = self.schema.fields().map(|(name, _)| name).collect::<Vec<_>>().join(", ");
            return refuse(format!("a {kind} has no field `{field}`; it has: {list}"));
        }
        if self.is_issued(field) {
            return refuse(format!("`{field}` is issued by the server; use `local_reference`"));
        }
        Ok(())
    }

    /// Whether the server fills the field in.
    fn is_issued(&self, field: &str) -> bool {
        self.spec(field)["readOnly"] == true
    }

    fn spec(&self, field: &str) -> &'a Value {
        &self.schema.document()["properties"][field]
    }

    fn converter(&self, field: &str, decimal: Decimal) -> Converter<'a> {
        Converter::new(self.spec(field), decimal)
    }
}

/// Rows of an append field: anything else the merge would pass over.
fn is_rows(value: &Value) -> bool {
    value.as_array().is_some_and(|rows| rows.iter().all(Value::is_object))
}

/// Keeps a value under a name that is free, and tells which.
fn keep(name: &str, value: &Value, values: &mut Map<String, Value>) -> String {
    let mut free = name.to_owned();
    let mut number = 2;
    while values.contains_key(&free) {
        free = format!("{name}_{number}");
        number += 1;
    }
    values.insert(free.clone(), value.clone());
    free
}
