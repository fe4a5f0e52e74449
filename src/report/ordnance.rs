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
    found: Option<(i32, i64)>,
    destroyed: Option<(i32, i64)>,
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

    /// Year by year, up to the end of a day.
    pub fn by_year(&self) -> BTreeMap<i32, OrdnanceYear> {
        let mut years: BTreeMap<i32, OrdnanceYear> = BTreeMap::new();
        for item in self.0.values() {
            if let Some((year, quantity)) = item.found {
                let year = years.entry(year).or_default();
                *(if item.ap_mine { &mut year.ap_mines_found } else { &mut year.other_found }) += quantity;
            }
            if let Some((year, quantity)) = item.destroyed {
                let year = years.entry(year).or_default();
                *(if item.ap_mine { &mut year.ap_mines_destroyed } else { &mut year.other_destroyed }) +=
                    quantity;
            }
        }
        years
    }
}

impl Item {
    fn of(fields: &Map<String, Value>) -> Self {
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        let year = |name: &str| text(name)?.parse::<NaiveDate>().ok().map(|day| day.year());
        let quantity = |name: &str| fields.get(name).and_then(Value::as_i64);
        let found = quantity("quantity").unwrap_or(1);
        let destroyed = matches!(text("disposal_method"), Some("destroyed_in_place" | "destroyed_elsewhere"));
        Self {
            ap_mine: matches!(text("category"), Some("ap_mine" | "ap_mine_improvised")),
            found: year("found_date").map(|year| (year, found)),
            destroyed: year("disposal_date")
                .filter(|_| destroyed)
                .map(|year| (year, quantity("disposed_quantity").unwrap_or(found))),
        }
    }
}
