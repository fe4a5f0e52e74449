//! The ledger on a constructed country: from nothing, one release more, national figures.
//!
//! `cargo bench --bench ledger`. Hazards come in clusters of overlapping polygons of 31 vertices, 50 to 500 m across,
//! with half as many releases upon them; the seed is fixed.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::f64::consts::TAU;

use cartagena::geometry::{Extent, Grid};
use cartagena::ledger::{
    Classification, Contamination, Cut, Hazard, HazardVersion, Ledger, Query, Release, ReleaseResult,
};
use chrono::NaiveDate;
use divan::Bencher;
use geo::{Coord, LineString, MultiPolygon, Polygon};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use uuid::Uuid;

const VERTICES: u32 = 31;
const PER_CLUSTER: usize = 10;

fn main() {
    divan::main();
}

fn grid() -> Grid {
    let extent = Extent { west: 15.7, south: 42.5, east: 19.7, north: 45.3 };
    Grid::for_extent(extent).expect("an extent")
}

/// A star-shaped polygon around a place, in degrees.
fn blob(random: &mut StdRng, lon: f64, lat: f64, radius: f64) -> MultiPolygon<f64> {
    let corner = |step: u32| {
        let angle = TAU * f64::from(step) / f64::from(VERTICES);
        let reach = radius * random.random_range(0.6..1.0);
        Coord { x: lon + reach * angle.cos() / 80_000.0, y: lat + reach * angle.sin() / 111_000.0 }
    };
    let ring: LineString<f64> = (0..VERTICES).map(corner).collect();
    MultiPolygon::new(vec![Polygon::new(ring, vec![])])
}

fn country(hazards: usize) -> (Vec<Hazard>, Vec<Release>) {
    let mut random = StdRng::seed_from_u64(7);
    let (mut areas, mut releases) = (Vec::new(), Vec::new());
    let (mut lon, mut lat) = (0.0, 0.0);
    for index in 0..hazards {
        if index % PER_CLUSTER == 0 {
            lon = random.random_range(16.0..19.0);
            lat = random.random_range(43.0..45.0);
        }
        let place = |random: &mut StdRng| {
            let off = |random: &mut StdRng| random.random_range(-400.0..400.0);
            (lon + off(random) / 80_000.0, lat + off(random) / 111_000.0)
        };
        let (x, y) = place(&mut random);
        let radius = random.random_range(25.0..250.0);
        areas.push(hazard(index, blob(&mut random, x, y, radius)));
        if index % 2 == 0 {
            let (x, y) = place(&mut random);
            releases.push(release(index, blob(&mut random, x, y, radius)));
        }
    }
    (areas, releases)
}

fn hazard(index: usize, outline: MultiPolygon<f64>) -> Hazard {
    let number = u32::try_from(index).expect("a bench-sized index");
    let version = HazardVersion {
        effective: date(2015 + i32::try_from(number % 8).expect("small")),
        outline: Some(outline),
        reported_area_m2: None,
        classification: if number.is_multiple_of(3) { Classification::Cha } else { Classification::Sha },
        contamination: BTreeSet::from([Contamination::ApMine]),
        treaty_scope: None,
        organisation: Uuid::from_u128(1),
        admin: [Some(format!("BA-{:02}", number / 1000)), None, None],
        closed: false,
        reopened: false,
        contested: false,
    };
    let id = Uuid::from_u128(1_000_000 + index as u128);
    Hazard { id, sequence: i64::from(number), versions: vec![version], end: None }
}

fn release(index: usize, outline: MultiPolygon<f64>) -> Release {
    let number = u32::try_from(index).expect("a bench-sized index");
    Release {
        id: Uuid::from_u128(9_000_000 + index as u128),
        sequence: i64::from(number),
        effective: date(2018 + i32::try_from(number % 7).expect("small")),
        outline,
        result: ReleaseResult::ALL[index / 2 % 4],
        method: Some("manual".into()),
        operator: Uuid::from_u128(2 + index as u128 % 5),
        treaty_scope: BTreeSet::new(),
        hazards: vec![],
    }
}

fn date(year: i32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, 6, 30).expect("a date")
}

fn settled(hazards: usize) -> Ledger {
    let (hazards, releases) = country(hazards);
    let mut ledger = Ledger::new(grid());
    assert!(ledger.load(hazards, releases).is_empty());
    ledger.settle().expect("a sound country");
    ledger
}

#[divan::bench(args = [1_000, 10_000, 100_000], sample_count = 3, sample_size = 1)]
fn whole_ledger_from_nothing(bencher: Bencher<'_, '_>, hazards: usize) {
    let facts = country(hazards);
    bencher.with_inputs(|| facts.clone()).bench_values(|(hazards, releases)| {
        let mut ledger = Ledger::new(grid());
        ledger.load(hazards, releases);
        ledger.settle().expect("a sound country");
        ledger
    });
}

#[divan::bench(args = [10_000], sample_count = 3, sample_size = 1)]
fn take_facts_in(bencher: Bencher<'_, '_>, hazards: usize) {
    let facts = country(hazards);
    bencher.with_inputs(|| facts.clone()).bench_values(|(hazards, releases)| {
        let mut ledger = Ledger::new(grid());
        ledger.load(hazards, releases);
        ledger
    });
}

#[divan::bench(args = [10_000, 100_000], sample_count = 20, sample_size = 1)]
fn one_release_more_and_national_figures(bencher: Bencher<'_, '_>, hazards: usize) {
    let ledger = RefCell::new(settled(hazards));
    let (_, releases) = country(1_000);
    let mut turn = 0;
    bencher
        .with_inputs(|| {
            turn += 1;
            let mut changed = releases[turn % releases.len()].clone();
            changed.effective = date(2018 + i32::try_from(turn % 7).expect("small"));
            changed
        })
        .bench_local_values(|changed| {
            let mut ledger = ledger.borrow_mut();
            ledger.put_release(changed).expect("a sound outline");
            ledger.settle().expect("a sound country");
            ledger.remaining(date(2026), &Query::default())
        });
}

#[divan::bench(args = [100_000], sample_count = 10, sample_size = 1)]
fn balance_of_ten_years_by_province(bencher: Bencher<'_, '_>, hazards: usize) {
    let ledger = settled(hazards);
    let query = Query::by([Cut::Year, Cut::Admin1, Cut::Classification]);
    bencher.bench_local(|| ledger.balance(date(2015), date(2025), &query));
}

#[divan::bench(args = [100_000], sample_count = 10, sample_size = 1)]
fn balance_of_one_year(bencher: Bencher<'_, '_>, hazards: usize) {
    let ledger = settled(hazards);
    bencher.bench_local(|| ledger.balance(date(2022), date(2023), &Query::default()));
}

/// An area like a comb, and another across it with a release of the same outline: what a made-up outline can cost everybody.
#[divan::bench(args = [1_000, 5_000], sample_count = 3, sample_size = 1)]
fn two_crossing_combs(bencher: Bencher<'_, '_>, teeth: u32) {
    let comb = |upright: bool| {
        let step = 500.0 / f64::from(teeth);
        let tooth = |tooth: u32| {
            let foot = step * f64::from(tooth);
            [(0.0, foot), (500.0, foot), (500.0, foot + step / 2.0), (0.0, foot + step / 2.0)]
        };
        let place = |(x, y): (f64, f64)| {
            let (x, y) = if upright { (500.0 - y, x) } else { (x, y) };
            Coord { x: 17.0 + x / 80_000.0, y: 44.0 + y / 111_000.0 }
        };
        let ring = (0..teeth).flat_map(tooth).chain([(-5.0, 500.0), (-5.0, 0.0)]).map(place);
        MultiPolygon::new(vec![Polygon::new(ring.collect(), vec![])])
    };
    let facts = (vec![hazard(0, comb(false)), hazard(1, comb(true))], vec![release(0, comb(true))]);
    bencher.with_inputs(|| facts.clone()).bench_values(|(hazards, releases)| {
        let mut ledger = Ledger::new(grid());
        ledger.load(hazards, releases);
        ledger.settle().expect("sound facts");
        ledger.left_out().len()
    });
}
