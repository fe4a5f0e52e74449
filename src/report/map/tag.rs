//! Which properties go into tiles: those by which a map chooses a symbol – codes, dates, yes and no –, by which it
//! names what it shows, and of the ledger's ground everything, which is little. What else a record says is asked for by its id.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;

use crate::ledger::{Classification, ReleaseResult};
use crate::model::record::NAMES;
use crate::model::schema::Registry;
use crate::ogc::collection::{Collection, Property, Type};
use crate::ogc::feature::Feature;
use crate::tile::{self, Field, Legend, Shape, Tag};

/// What the server says of every record, for whoever reads that kind at all.
const GIVEN: [&str; 4] = ["area_m2", "stage", "contested", "organisation"];

/// From which zoom on names are told: coarser maps have no room for them, and each is another text.
const NAMED_FROM: u8 = 12;

/// The properties that tiles of a collection have.
pub fn fields(collection: &Collection) -> Vec<Field> {
    let registry = Registry::embedded();
    let schema = collection.kind().and_then(|kind| registry.latest(kind));
    let chosen = collection.properties.iter().filter(|property| schema.is_none() || is_styled(property));
    chosen
        .map(|property| {
            let own = schema.filter(|schema| schema.field(&property.name).is_some());
            let tier = own.map_or(0, |schema| schema.field_tier(&property.name));
            let type_name = match property.type_ {
                Type::Number => "Number",
                Type::Boolean => "Boolean",
                _ => "String",
            };
            let from_zoom = if is_name(property) { NAMED_FROM } else { 0 };
            Field { name: property.name.clone(), tier: tier.into(), type_name, from_zoom }
        })
        .collect()
}

fn is_styled(property: &Property) -> bool {
    let coded = match property.type_ {
        Type::List => &property.schema["items"]["enum"],
        _ => &property.schema["enum"],
    };
    let dated = property.type_ == Type::Text && property.schema["format"] == "date";
    let given = GIVEN.contains(&property.name.as_str());
    given || is_name(property) || coded.is_array() || dated || property.type_ == Type::Boolean
}

/// Whether it is for a label.
fn is_name(property: &Property) -> bool {
    NAMES.contains(&property.name.as_str())
}

/// By what overviews of a collection divide it: the gravest class of hazardous ground, how ground was released.
pub(super) fn legend(fields: &[Field]) -> Legend {
    let place = |name: &str| {
        fields.iter().position(|field| field.name == name).and_then(|place| u8::try_from(place).ok())
    };
    let classes = || {
        let names = Classification::ALL.iter().rev().map(|class| class.as_str().to_owned());
        let spelled: Vec<String> = names.collect();
        // The ledger writes them small, records large.
        spelled
            .iter()
            .map(|name| name.to_uppercase())
            .zip(&spelled)
            .flat_map(|(large, small)| [large, small.clone()])
            .collect()
    };
    let results = || ReleaseResult::ALL.iter().map(|result| result.as_str().to_owned()).collect();
    let class = place("classification")
        .map(|field| (field, classes()))
        .or_else(|| place("result").map(|field| (field, results())));
    Legend { class, flag: place("contested") }
}

/// Makes features of tiles; texts that are the same are kept once.
#[derive(Debug, Default)]
pub(super) struct Tagger {
    texts: HashSet<Arc<str>>,
}

impl Tagger {
    /// A feature as a tile has it; nothing where it has no place.
    pub(super) fn feature(&mut self, feature: &Feature, fields: &[Field]) -> Option<tile::Feature> {
        let shape = Shape::of(feature.geometry.as_ref()?)?;
        let tags = (0..).zip(fields).filter_map(|(place, field)| {
            let value = feature.properties.get(&field.name)?;
            Some((place, self.tag(value)?))
        });
        let tags = tags.collect();
        Some(tile::Feature { id: feature.id.to_string().into(), shape, tags })
    }

    fn tag(&mut self, value: &Value) -> Option<Tag> {
        match value {
            Value::String(text) => Some(Tag::Text(self.text(text))),
            Value::Bool(flag) => Some(Tag::Flag(*flag)),
            // Areas and measures are for labels and symbols here: a whole number takes a third of the bytes.
            Value::Number(number) => number.as_i64().map(Tag::Whole).or_else(|| number.as_f64().map(rounded)),
            Value::Array(items) => {
                let codes: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                (!codes.is_empty()).then(|| Tag::Text(self.text(&codes.join("+"))))
            }
            _ => None,
        }
    }

    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = text.into();
        self.texts.insert(Arc::clone(&new));
        new
    }
}

/// A number of at least a hundred without its decimals.
#[expect(clippy::cast_possible_truncation, reason = "far below 2^53")]
fn rounded(number: f64) -> Tag {
    let whole = number.round();
    if (100.0..1e15).contains(&whole.abs()) { Tag::Whole(whole as i64) } else { Tag::Number(number) }
}
