//! Promises of the ledger: the rules of counting case by case, properties over random histories, a real sheet.

mod ground;
mod intricate;
mod properties;
mod rules;

use std::collections::BTreeSet;

use chrono::NaiveDate;
use geo::{Coord, MultiPolygon, Polygon};
use uuid::Uuid;

use super::{
    BalanceRow, Classification, Contamination, Cut, Hazard, HazardVersion, Ledger, Query, Release,
    ReleaseResult, Want,
};
use crate::geometry::{Extent, Grid};

pub(super) fn grid() -> Grid {
    Grid::for_extent(Extent { west: 15.7, south: 42.5, east: 19.7, north: 45.3 }).unwrap()
}

pub(super) fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

pub(super) fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// Polygons whose rings are given in metres from a place near Sarajevo.
pub(super) fn ground(rings: &[Vec<(f64, f64)>]) -> MultiPolygon<f64> {
    let position = |&(x, y): &(f64, f64)| Coord { x: 18.4 + x / 80_500.0, y: 43.9 + y / 111_100.0 };
    let polygon = |ring: &Vec<(f64, f64)>| Polygon::new(ring.iter().map(position).collect(), vec![]);
    MultiPolygon::new(rings.iter().map(polygon).collect())
}

/// A box from the south-western corner, metres.
pub(super) fn patch(x: f64, y: f64, width: f64, height: f64) -> MultiPolygon<f64> {
    ground(&[vec![(x, y), (x + width, y), (x + width, y + height), (x, y + height)]])
}

pub(super) fn version(effective: NaiveDate, outline: MultiPolygon<f64>) -> HazardVersion {
    HazardVersion {
        effective,
        outline: Some(outline),
        reported_area_m2: None,
        classification: Classification::Sha,
        contamination: BTreeSet::from([Contamination::ApMine]),
        treaty_scope: None,
        organisation: id(900),
        admin: [Some("BA-01".into()), None, None],
        closed: false,
        reopened: false,
        contested: false,
    }
}

pub(super) fn hazard(number: u128, versions: Vec<HazardVersion>) -> Hazard {
    Hazard { id: id(number), sequence: i64::try_from(number).unwrap(), versions, end: None }
}

pub(super) fn release(number: u128, effective: NaiveDate, outline: MultiPolygon<f64>) -> Release {
    Release {
        id: id(number),
        sequence: i64::try_from(number).unwrap(),
        effective,
        outline,
        result: ReleaseResult::Cleared,
        method: Some("manual".into()),
        operator: id(901),
        treaty_scope: BTreeSet::new(),
        hazards: vec![],
    }
}

pub(super) fn ledger(hazards: Vec<Hazard>, releases: Vec<Release>) -> Ledger {
    let mut ledger = Ledger::new(grid());
    assert_eq!(ledger.load(hazards, releases), vec![]);
    ledger.settle().unwrap();
    ledger
}

/// Questions that between them use every cut and filter.
pub(super) fn questions() -> Vec<Query> {
    vec![
        Query::default(),
        Query::by([Cut::Year]),
        Query::by([Cut::Admin1, Cut::Classification]),
        Query::by([Cut::Year, Cut::Contamination, Cut::Result]),
        Query::by([Cut::Operator, Cut::Method, Cut::Admin2, Cut::Admin3]),
        Query { classification: Some(Classification::Cha), ..Query::by([Cut::Year, Cut::Operator]) },
        Query { scope: Some(super::TreatyScope::ApmbcArticle5), ..Query::by([Cut::Admin1]) },
        Query { operator: Some(id(901)), ..Query::by([Cut::Year]) },
        Query { hazards: Some((0..3).map(id).collect()), ..Query::default() },
        Query { releases: Some((100..102).map(id).collect()), ..Query::by([Cut::Result]) },
        Query { admin: [Want::Only("BA-01".into()), Want::Any, Want::Any], ..Query::default() },
        Query { admin: [Want::Nothing, Want::Any, Want::Any], ..Query::by([Cut::Method]) },
        Query { result: Want::Only(ReleaseResult::BacCleared), ..Query::by([Cut::Year]) },
        Query { method: Want::Nothing, ..Query::by([Cut::Contamination]) },
    ]
}

/// Every row of every question closes.
pub(super) fn assert_closed(ledger: &Ledger, from: NaiveDate, to: NaiveDate) {
    for query in questions() {
        for row in ledger.balance(from, to, &query) {
            assert_eq!(row.residual().doubled(), 0, "{query:?}: {row:?}");
        }
    }
}

/// The only row, or an empty one.
pub(super) fn single(mut rows: Vec<BalanceRow>) -> BalanceRow {
    assert!(rows.len() <= 1, "{rows:?}");
    rows.pop().unwrap_or_default()
}
