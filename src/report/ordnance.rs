//! Ordnance found and destroyed, by year: found is not destroyed, and each has its own year (docs/domain.md §4).

use std::collections::{BTreeMap, HashMap};

use chrono::{Datelike, NaiveDate};
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::book::Basis;
use crate::model::Stage;
use crate::store::book::RecordLine;

/// What was found and destroyed in a year.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct OrdnanceYear {
    /// Anti-personnel mines found, improvised ones included.
    pub ap_mines_found: i64,
    /// Other explosive ordnance found.
    pub other_found: i64,
    /// Anti-personnel mines destroyed, improvised ones included.
    pub ap_mines_destroyed: i64,
    /// Other explosive ordnance destroyed.
    pub other_destroyed: i64,
}

/// Every find that counts on a basis.
#[derive(Debug, Default)]
pub struct Ordnance(HashMap<Uuid, Item>);

#[derive(Debug, Clone, Copy)]
struct Item {
    ap_mine: bool,
    found: Option<(NaiveDate, i64)>,
    destroyed: Option<(NaiveDate, i64)>,
}

impl Ordnance {
    /// Takes what a record says now.
    pub(super) fn take(&mut self, line: &RecordLine, basis: Basis) {
        let official = || line.versions.iter().rev().find(|version| version.stage == Stage::Finalised);
        let counted = match basis {
            Basis::Official => official(),
            Basis::Provisional => {
                line.versions.last().filter(|head| head.stage != Stage::Rejected).or_else(official)
            }
        };
        match counted.filter(|version| !version.retired) {
            Some(version) => self.0.insert(line.id, Item::of(&version.properties)),
            None => self.0.remove(&line.id),
        };
    }

    /// A find whose record is here no longer.
    pub(super) fn forget(&mut self, id: Uuid) {
        self.0.remove(&id);
    }

    /// Year by year, up to the end of a day.
    pub fn by_year(&self, as_of: NaiveDate) -> BTreeMap<i32, OrdnanceYear> {
        let mut years: BTreeMap<i32, OrdnanceYear> = BTreeMap::new();
        let known = |event: Option<(NaiveDate, i64)>| event.filter(|(day, _)| *day <= as_of);
        for item in self.0.values() {
            if let Some((day, quantity)) = known(item.found) {
                let year = years.entry(day.year()).or_default();
                let sum = if item.ap_mine { &mut year.ap_mines_found } else { &mut year.other_found };
                *sum = sum.saturating_add(quantity);
            }
            if let Some((day, quantity)) = known(item.destroyed) {
                let year = years.entry(day.year()).or_default();
                let sum = if item.ap_mine { &mut year.ap_mines_destroyed } else { &mut year.other_destroyed };
                *sum = sum.saturating_add(quantity);
            }
        }
        years
    }
}

impl Item {
    fn of(fields: &Map<String, Value>) -> Self {
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        let day = |name: &str| text(name)?.parse::<NaiveDate>().ok();
        let quantity = |name: &str| whole(fields.get(name)?);
        let found = quantity("quantity").unwrap_or(1);
        let destroyed = matches!(text("disposal_method"), Some("destroyed_in_place" | "destroyed_elsewhere"));
        Self {
            ap_mine: matches!(text("category"), Some("ap_mine" | "ap_mine_improvised")),
            found: day("found_date").map(|day| (day, found)),
            destroyed: day("disposal_date")
                .filter(|_| destroyed)
                .map(|day| (day, quantity("disposed_quantity").unwrap_or(found))),
        }
    }
}

/// A whole number as JSON may write it: `50`, and also `50.0`, which the schema takes for an integer as well.
#[expect(clippy::cast_possible_truncation, reason = "whole, and within what a double holds exactly")]
fn whole(number: &Value) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let of_double = |number: f64| (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64);
    number.as_i64().or_else(|| of_double(number.as_f64()?))
}
