//! CQL2 (OGC 21-065r2): filters as text and as JSON, over a collection's queryables.
//!
//! Parsed here and not by the `cql2` crate (0.6): its grammar tries every parenthesis twice, so that 18 of them take a
//! second and 40 a lifetime, and it turns the order of members round in all of `serde_json`. This parser looks at each
//! token once and goes no deeper than 60 levels.

mod check;
mod evaluate;
mod json;
#[cfg(test)]
mod tests;
mod text;
mod token;

use geo::{BoundingRect as _, Densify as _, Euclidean, Geometry, MapCoords as _};
use serde_json::Value;

use super::Unreadable;
use super::collection::{Collection, Property, Type};
use super::crs::Crs;
use super::interval::Span;

pub use evaluate::compare;

/// Levels of parentheses and negations that a filter may have.
const DEEPEST: usize = 60;
/// Bytes of a filter.
const LONGEST: usize = 64 * 1024;

/// Conditions and items of lists that every feature is held against, at most.
const HEAVIEST: usize = 1_000;

/// Metres between the points of a box's edge on a grid: it strays from the straight line between two by centimetres.
const STEP_M: f64 = 1_000.0;
/// Points of such an edge at most, whatever numbers come.
const MOST_STEPS: f64 = 1_000.0;

/// A condition on a feature. What is asked of an empty property is neither true nor false, and no match.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Always so or never.
    Constant(bool),
    /// All of these.
    And(Vec<Filter>),
    /// Any of these.
    Or(Vec<Filter>),
    /// Not this.
    Not(Box<Filter>),
    /// Two values compared.
    Compare(Comparison, Operand, Operand),
    /// Like a pattern: `%` any text, `_` one character, `\` before either takes it as it is.
    Like(Operand, Operand),
    /// Between two values, both included.
    Between(Operand, Operand, Operand),
    /// One of these.
    In(Operand, Vec<Operand>),
    /// Empty.
    IsNull(Operand),
    /// The feature's geometry meets this one.
    Intersects(Box<Geometry<f64>>),
    /// A list compared with another.
    List(ListTest, Items, Items),
}

/// A list.
#[derive(Debug, Clone, PartialEq)]
pub enum Items {
    /// A property's.
    Property(String),
    /// These.
    These(Vec<Value>),
}

/// How two values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// How two lists compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListTest {
    /// `A_EQUALS`
    Equals,
    /// `A_CONTAINS`: all of the other's items are in it.
    Contains,
    /// `A_CONTAINEDBY`: all of its items are in the other.
    ContainedBy,
    /// `A_OVERLAPS`: they share an item.
    Overlaps,
}

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// A property's value.
    Property(String),
    /// A property's value, which is a day or a moment.
    Time(String),
    /// This value.
    Literal(Value),
    /// A day or moment as it was written, and from when to when it is.
    Moment(Value, Span),
    /// Whatever its letters' case.
    CaseInsensitive(Box<Operand>),
}

/// What a filter may be about.
#[derive(Clone, Copy)]
struct Scope<'c> {
    collection: &'c Collection,
    crs: Crs,
}

impl Filter {
    /// Reads a filter. `language` is `cql2-text`, which also holds where it is left out, or `cql2-json`; positions in it
    /// are in `crs`.
    ///
    /// # Errors
    /// Where it cannot be read, names what is no queryable of the collection, or can never be true.
    pub fn parse(
        text: &str,
        language: Option<&str>,
        crs: Crs,
        collection: &Collection,
    ) -> Result<Self, Unreadable> {
        let scope = Scope { collection, crs };
        let wrong = |reason| Unreadable::new("filter", reason);
        if text.len() > LONGEST {
            return Err(wrong(format!("more than {LONGEST} bytes")));
        }
        let mut filter = match language {
            None | Some("cql2-text") => text::parse(text, scope).map_err(wrong)?,
            Some("cql2-json") => json::parse(text, scope).map_err(wrong)?,
            Some(other) => {
                let reason = format!("`{other}`: cql2-text or cql2-json");
                return Err(Unreadable::new("filter-lang", reason));
            }
        };
        filter.check(collection).map_err(wrong)?;
        if filter.weight() > HEAVIEST {
            return Err(wrong(format!("more than {HEAVIEST} conditions and items of lists: ask in parts")));
        }
        Ok(filter)
    }

    /// How many conditions, and items of lists, every feature is held against.
    fn weight(&self) -> usize {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().map(Self::weight).sum(),
            Self::Not(inner) => inner.weight(),
            Self::In(_, items) => items.len(),
            Self::List(_, there, wanted) => there.weight().saturating_mul(wanted.weight()),
            _ => 1,
        }
    }

    /// The filter of a parameter with a queryable's name: equal to this value, or a list that has it.
    ///
    /// # Errors
    /// Where the value is none that the property can have.
    pub fn of_parameter(property: &Property, given: &str) -> Result<Self, Unreadable> {
        let wrong = |what: &str| {
            let reason = format!("{}={given}: {what}", property.name);
            Unreadable::new("query", reason)
        };
        let value = match property.type_ {
            Type::Number => {
                let number: Option<f64> = given.trim().parse().ok().filter(|number: &f64| number.is_finite());
                Value::from(number.ok_or_else(|| wrong("a number"))?)
            }
            Type::Boolean => match given {
                "true" | "TRUE" | "1" => Value::Bool(true),
                "false" | "FALSE" | "0" => Value::Bool(false),
                _ => return Err(wrong("true or false")),
            },
            Type::Text | Type::List => Value::from(given),
            Type::Nested => return Err(wrong("no question can be asked of this property")),
        };
        if property.type_ == Type::List {
            let (there, wanted) = (Items::Property(property.name.clone()), Items::These(vec![value]));
            return Ok(Self::List(ListTest::Contains, there, wanted));
        }
        Ok(Self::Compare(Comparison::Equal, Operand::of(property), Operand::Literal(value)))
    }
}

impl Operand {
    fn of(property: &Property) -> Self {
        let name = property.name.clone();
        if property.is_time() { Self::Time(name) } else { Self::Property(name) }
    }
}

impl Items {
    fn weight(&self) -> usize {
        match self {
            Self::Property(_) => 1,
            Self::These(items) => items.len().max(1),
        }
    }
}

impl Scope<'_> {
    /// A property that may be asked of.
    fn property(&self, name: &str) -> Result<&Property, String> {
        self.collection.queryables().find(|property| property.name == name).ok_or_else(|| {
            let names: Vec<&str> =
                self.collection.queryables().map(|property| property.name.as_str()).collect();
            format!("`{name}` is no queryable of {}: {}", self.collection.id, names.join(", "))
        })
    }

    /// A property's value, as it is compared.
    fn operand(&self, name: &str) -> Result<Operand, String> {
        self.property(name).map(Operand::of)
    }

    /// A property that is a list.
    fn list(&self, name: &str) -> Result<Items, String> {
        match self.property(name)?.type_ {
            Type::List => Ok(Items::Property(name.to_owned())),
            _ => Err(format!("`{name}` is no list")),
        }
    }

    /// Whether a name means the feature's geometry.
    fn is_geometry(name: &str) -> bool {
        // QGIS calls it what the first layer of this server called it.
        matches!(name, "geometry" | "geom")
    }

    /// Positions of a literal geometry in longitude and latitude.
    fn locate(&self, geometry: &Geometry<f64>) -> Result<Geometry<f64>, String> {
        geometry.try_map_coords(|at| match self.crs.locate(at.x, at.y) {
            Some([lon, lat]) => Ok(geo::coord! {x: lon, y: lat}),
            None => Err(format!("{} {} has no place on the globe in {}", at.x, at.y, self.crs)),
        })
    }

    /// The box of a literal, whose edges follow those of the reference system.
    fn envelope(&self, numbers: &[f64]) -> Result<Geometry<f64>, String> {
        let text: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        let found = super::bbox::Bbox::parse(&text.join(","), self.crs).map_err(|fault| fault.to_string())?;
        if let Some(box_on_grid) = self.grid_box(numbers) {
            return Ok(box_on_grid);
        }
        let parts = found.parts().into_iter().map(|[west, south, east, north]| {
            geo::Rect::new(geo::coord! {x: west, y: south}, geo::coord! {x: east, y: north}).to_polygon()
        });
        Ok(Geometry::MultiPolygon(parts.collect()))
    }

    /// A box on a zone's grid, whose edges are curves in degrees: a filter can ask for what lies beyond it, and a box
    /// around it would be too much. Nothing where it lies on no grid, or not wholly on one side of the antimeridian.
    fn grid_box(&self, numbers: &[f64]) -> Option<Geometry<f64>> {
        let (Crs::Utm { .. }, &([west, south, east, north] | [west, south, _, east, north, _])) =
            (self.crs, numbers)
        else {
            return None;
        };
        let edges =
            geo::Rect::new(geo::coord! {x: west, y: south}, geo::coord! {x: east, y: north}).to_polygon();
        let step = STEP_M.max((east - west).max(north - south) / MOST_STEPS);
        let curved = self.locate(&Geometry::Polygon(Euclidean.densify(&edges, step))).ok()?;
        curved.bounding_rect().is_some_and(|bounds| bounds.width() < 180.0).then_some(curved)
    }
}
