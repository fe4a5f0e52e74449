//! The constructed country: provinces and districts in the open Atlantic, treaty dates, plans.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use serde_json::{Value, json};

use super::chance::Chance;
use crate::geometry::outline::Extent;
use crate::programme::{DateRule, Milestone, Programme};
use crate::treaty::{DeadlineEntry, DeadlineKind, date};

/// Open sea between Cape Verde and Saint Peter and Saint Paul: nobody can mistake it for somebody's land.
const WEST: f64 = -23.0;
const SOUTH: f64 = 5.3;
/// Size of a district, degrees.
const WIDTH: f64 = 0.36;
const HEIGHT: f64 = 0.5;
const COLUMNS: usize = 5;
const ROWS: usize = 2;
/// Points on the border between two corners.
const BENDS: u32 = 8;

/// Column, row and name of a province's districts.
type Cells = &'static [(usize, usize, &'static str)];

/// Districts by their column and row, province by province.
const PROVINCES: [(&str, Cells); 4] = [
    ("Vessel Reach", &[(0, 0, "Lower Vessel"), (0, 1, "Upper Vessel"), (1, 1, "Keel Downs")]),
    ("Lantern Coast", &[(1, 0, "Lantern Bay"), (2, 0, "Wick Sands"), (2, 1, "Glass Hills")]),
    ("Harrow Shelf", &[(3, 0, "Harrow South"), (4, 0, "Furrow Point")]),
    ("Tern Banks", &[(3, 1, "Tern Moor"), (4, 1, "Gannet Ridge")]),
];

type Corner = (usize, usize);

/// A district, as records name it.
#[derive(Debug, Clone)]
pub(super) struct District {
    pub(super) name: &'static str,
    pub(super) province: &'static str,
    cell: Corner,
}

impl District {
    /// A place well inside.
    pub(super) fn place(&self, chance: &mut Chance) -> (f64, f64) {
        let (lon, lat) = corner(self.cell);
        (lon + WIDTH * chance.between(0.2, 0.8), lat + HEIGHT * chance.between(0.2, 0.8))
    }
}

/// All districts.
pub(super) fn districts() -> Vec<District> {
    let of = |(province, cells): &(&'static str, Cells)| {
        let province = *province;
        let district = move |cell: &(usize, usize, &'static str)| District {
            name: cell.2,
            province,
            cell: (cell.0, cell.1),
        };
        cells.iter().map(district).collect::<Vec<_>>()
    };
    PROVINCES.iter().flat_map(of).collect()
}

/// The programme's settings, with dates relative to `today`.
pub(super) fn programme(chance: &mut Chance, today: NaiveDate) -> Programme {
    let year = today.year();
    let extension = DeadlineEntry {
        kind: DeadlineKind::Extension,
        requested_on: Some(date(year - 4, 3, 31)),
        meeting: Some("Meeting of States Parties (constructed)".to_owned()),
        decided_on: Some(date(year - 4, 11, 22)),
        new_deadline: Some(date(year + 4, 9, 1)),
    };
    let plan = |ahead: i32| Milestone {
        year: year + ahead,
        area_m2: 1_500_000.0 + 150_000.0 * f64::from(ahead + 5),
        areas: u32::try_from(20 + 3 * (ahead + 5)).ok(),
    };
    Programme {
        name: "Sample Republic (constructed)".to_owned(),
        // ISO 3166 leaves XAA to XZZ to users.
        country: "XSR".to_owned(),
        constructed: true,
        extent: Extent { west: WEST - 0.1, south: SOUTH - 0.1, east: WEST + 1.9, north: SOUTH + 1.1 },
        admin_units: Some(admin_units(chance)),
        deposited_on: Some(date(year - 13, 3, 18)),
        entry_into_force: None,
        deadlines: vec![extension],
        completions: Vec::new(),
        date_rule: DateRule::Completion,
        sliver_m2: 1.0,
        milestones: (-5..=4).map(plan).collect(),
    }
}

fn admin_units(chance: &mut Chance) -> Value {
    let borders = borders(chance);
    let mut features = Vec::new();
    for (number, (name, cells)) in (1..).zip(PROVINCES) {
        let code = format!("XS-{number:02}");
        let all: Vec<Corner> = cells.iter().map(|(column, row, _)| (*column, *row)).collect();
        features.push(feature(1, &code, name, &ring(&all, &borders)));
        for (place, (column, row, district)) in (1..).zip(cells) {
            let code = format!("{code}{place:02}");
            features.push(feature(2, &code, district, &ring(&[(*column, *row)], &borders)));
        }
    }
    json!({"type": "FeatureCollection", "features": features})
}

fn feature(level: u8, code: &str, name: &str, ring: &[[f64; 2]]) -> Value {
    json!({
        "type": "Feature",
        "properties": {"level": level, "code": code, "name": name, "constructed": true},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    })
}

#[expect(clippy::cast_precision_loss, reason = "a handful of columns and rows")]
fn corner((column, row): Corner) -> (f64, f64) {
    (WEST + WIDTH * column as f64, SOUTH + HEIGHT * row as f64)
}

/// The bends of every border, once, from the lesser corner to the greater: neighbours share them exactly.
fn borders(chance: &mut Chance) -> BTreeMap<(Corner, Corner), Vec<[f64; 2]>> {
    let mut borders = BTreeMap::new();
    for (column, row) in (0..=COLUMNS).flat_map(|column| (0..=ROWS).map(move |row| (column, row))) {
        for next in [(column + 1, row), (column, row + 1)] {
            if next.0 > COLUMNS || next.1 > ROWS {
                continue;
            }
            let (from, to) = (corner((column, row)), corner(next));
            let bend = |step: u32| {
                let share = f64::from(step) / f64::from(BENDS);
                let aside = chance.between(-0.012, 0.012);
                let (across, up) = if next.0 > column { (0.0, aside) } else { (aside, 0.0) };
                let lon = from.0 + (to.0 - from.0) * share + across;
                let lat = from.1 + (to.1 - from.1) * share + up;
                [(lon * 1e5).round() / 1e5, (lat * 1e5).round() / 1e5]
            };
            borders.insert(((column, row), next), (1..BENDS).map(bend).collect());
        }
    }
    borders
}

/// The outer ring of some cells: their edges, without those that two of them share.
fn ring(cells: &[Corner], borders: &BTreeMap<(Corner, Corner), Vec<[f64; 2]>>) -> Vec<[f64; 2]> {
    let around = |(x, y): Corner| [(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)];
    let edges: Vec<(Corner, Corner)> = cells
        .iter()
        .flat_map(|cell| {
            let corners = around(*cell);
            (0..4).map(move |place| (corners[place], corners[(place + 1) % 4]))
        })
        .collect();
    let outer: BTreeMap<Corner, Corner> =
        edges.iter().copied().filter(|(from, to)| !edges.contains(&(*to, *from))).collect();
    let start = cells[0];
    let mut at = *outer.keys().next().unwrap_or(&start);
    let mut ring = Vec::new();
    for _ in 0..outer.len() {
        let next = outer[&at];
        let (lon, lat) = corner(at);
        ring.push([lon, lat].map(|degrees| (degrees * 1e5).round() / 1e5));
        let (forth, back) = (borders.get(&(at, next)), borders.get(&(next, at)));
        ring.extend(forth.into_iter().flatten());
        ring.extend(back.into_iter().flatten().rev());
        at = next;
    }
    ring.extend(ring.first().copied());
    ring
}
