//! What would cost too much to cut is left out by itself and named.

use std::sync::Arc;

use super::super::TooIntricate;
use super::super::admission::Admission;
use super::super::held::{HeldHazard, HeldRelease};
use super::*;
use crate::geometry::SquareMillimetres;

const TEETH: u32 = 1_250;

fn start() -> NaiveDate {
    day(2020, 3, 1)
}

/// Teeth of 500 m, 40 cm apart, along a back; turned so that they run east or north.
fn comb(upright: bool) -> MultiPolygon<f64> {
    let tooth = |tooth: u32| {
        let foot = 0.4 * f64::from(tooth);
        [(0.0, foot), (500.0, foot), (500.0, foot + 0.2), (0.0, foot + 0.2)]
    };
    let ring = (0..TEETH).flat_map(tooth).chain([(-5.0, 500.0), (-5.0, 0.0)]);
    let turned = |(x, y): (f64, f64)| if upright { (500.0 - y, x) } else { (x, y) };
    ground(&[ring.map(turned).collect()])
}

fn remaining(ledger: &Ledger) -> SquareMillimetres {
    ledger.remaining(day(2023, 1, 1), &Query::default()).iter().map(|row| row.area).sum()
}

fn named(ledger: &Ledger) -> Vec<Uuid> {
    ledger.left_out().iter().map(|left| left.id).collect()
}

/// An area and a release that overlap, both under the combs, and an area that they do not reach.
fn others() -> (Vec<Hazard>, Vec<Release>) {
    let areas = vec![
        hazard(1, vec![version(start(), patch(100.0, 100.0, 100.0, 100.0))]),
        hazard(2, vec![version(start(), patch(2_000.0, 0.0, 10.0, 10.0))]),
    ];
    (areas, vec![release(100, day(2021, 1, 1), patch(150.0, 100.0, 100.0, 100.0))])
}

/// Putting facts in from behind, with a settling after each and the last one twice, gives what all at once give.
fn assert_same_one_by_one(whole: &Ledger, hazards: &[Hazard], releases: &[Release]) {
    let mut steps = Ledger::new(grid());
    for release in releases.iter().rev() {
        steps.put_release(release.clone()).unwrap();
        steps.settle().unwrap();
    }
    for hazard in hazards.iter().rev().chain(&hazards[..1]) {
        steps.put_hazard(hazard.clone()).unwrap();
        steps.settle().unwrap();
    }
    assert_eq!(figures(&steps), figures(whole));
}

/// What the ledger says without drawing it.
fn figures(ledger: &Ledger) -> [String; 4] {
    let (from, to) = (day(2020, 1, 1), day(2023, 12, 31));
    [
        format!("{:?}", ledger.left_out()),
        format!("{:?}", ledger.balance(from, to, &Query::by([Cut::Year, Cut::Classification]))),
        format!("{:?}", ledger.hazard_figures(to)),
        format!("{:?}", ledger.releases_report(to)),
    ]
}

#[test]
fn of_two_crossing_combs_the_release_is_left_out_and_the_others_count() {
    let (mut areas, mut releases) = others();
    areas.push(hazard(3, vec![version(start(), comb(false))]));
    let without = remaining(&ledger(areas.clone(), releases.clone()));
    releases.push(release(50, day(2021, 1, 1), comb(true)));
    let ledger = ledger(areas.clone(), releases.clone());
    let [left] = ledger.left_out()[..] else {
        panic!("{:?}", ledger.left_out());
    };
    assert_eq!(left.id, id(50));
    assert!(left.reason.to_string().contains("5002 vertices"), "{}", left.reason);
    assert_eq!(remaining(&ledger), without);
    assert_closed(&ledger, day(2020, 1, 1), day(2022, 12, 31));
    assert_same_one_by_one(&ledger, &areas, &releases);
}

#[test]
fn of_two_crossing_combs_that_are_areas_the_older_counts() {
    let (mut areas, releases) = others();
    areas.push(hazard(4, vec![version(start(), comb(true))]));
    areas.push(hazard(3, vec![version(start(), comb(false))]));
    let mut ledger = ledger(areas, releases);
    assert_eq!(named(&ledger), [id(4)]);
    let owned: Vec<Uuid> = ledger.hazard_figures(day(2023, 1, 1)).iter().map(|area| area.id).collect();
    assert_eq!(owned, [id(1), id(2), id(3)]);
    ledger.remove_hazard(id(3));
    ledger.settle().unwrap();
    assert_eq!(named(&ledger), [] as [Uuid; 0], "it counts once it can");
    ledger.remove_hazard(id(4));
    ledger.settle().unwrap();
    assert!((remaining(&ledger).m2() / 5_100.0 - 1.0).abs() < 0.005, "{}", remaining(&ledger));
}

#[test]
fn an_area_redrawn_too_intricately_counts_as_it_was() {
    let redrawn =
        HazardVersion { classification: Classification::Cha, ..version(day(2022, 1, 1), comb(true)) };
    let (mut areas, releases) = others();
    areas.push(hazard(3, vec![version(start(), comb(false))]));
    areas.push(hazard(4, vec![version(start(), patch(300.0, 300.0, 50.0, 50.0)), redrawn]));
    let ledger = ledger(areas.clone(), releases.clone());
    let [left] = ledger.left_out()[..] else {
        panic!("{:?}", ledger.left_out());
    };
    let expected = TooIntricate::Version { effective: day(2022, 1, 1), vertices: 5_002, instead: start() };
    assert_eq!((left.id, &left.reason), (id(4), &expected));
    let figures = ledger.hazard_figures(day(2023, 1, 1));
    let four = figures.iter().find(|area| area.id == id(4)).unwrap();
    assert_eq!(four.classification, Classification::Cha, "what else it says holds");
    assert!((four.outline.m2() / 2_500.0 - 1.0).abs() < 0.005);
    assert_same_one_by_one(&ledger, &areas, &releases);
}

#[test]
fn a_comb_alone_counts() {
    let ledger = ledger(vec![hazard(3, vec![version(start(), comb(false))])], vec![]);
    assert_eq!(named(&ledger), [] as [Uuid; 0]);
    assert!(remaining(&ledger).m2() > 100_000.0);
}

/// More squares in squares than anything real has: what is admitted first stays, the rest is named.
#[test]
fn a_heap_of_outlines_is_cut_as_far_as_it_can_be() {
    let heap = |number: u32| {
        let off = 0.04 * f64::from(number);
        hazard(number.into(), vec![version(start(), patch(off, off, 200.0 - 2.0 * off, 200.0 - 2.0 * off))])
    };
    let (areas, releases) = others();
    let areas: Vec<Hazard> = areas.into_iter().chain((10..1_010).map(heap)).collect();
    let ledger = ledger(areas, releases);
    let left = named(&ledger);
    let figures = ledger.hazard_figures(day(2023, 1, 1));
    let released = ledger.releases_report(day(2023, 1, 1)).len();
    assert_eq!(figures.len() + released + left.len(), 1_003);
    assert!(!left.is_empty() && figures.len() > 100, "{}", figures.len());
    let oldest: Vec<Uuid> = (1..3).chain(10..100).map(id).collect();
    assert!(figures.iter().map(|area| area.id).take(92).eq(oldest), "the oldest count");
    let total: SquareMillimetres = figures.iter().map(|area| area.remaining).sum();
    assert_eq!(total, ledger.remaining(day(2023, 1, 1), &Query::default())[0].area);
}

/// Every place under some ten outlines: far denser than real ground, and nothing is left out.
#[test]
fn a_district_of_overlapping_outlines_counts_whole() {
    let blob = |number: u32| {
        let place = |step: u32| f64::from((number * step) % 601) / 601.0;
        let (x, y) = (2_000.0 * place(37), 2_000.0 * place(211));
        let corner = |at: u32| {
            let angle = std::f64::consts::TAU * f64::from(at) / 60.0;
            let reach = 60.0 + 80.0 * place(at * 7 + 3) + 60.0 * place(1);
            (x + reach * angle.cos(), y + reach * angle.sin())
        };
        ground(&[(0..60).map(corner).collect()])
    };
    let areas = (0..400).map(|number| hazard(number.into(), vec![version(start(), blob(number))]));
    let releases = (400..600).map(|number| release(number.into(), day(2021, 1, 1), blob(number)));
    let ledger = ledger(areas.collect(), releases.collect());
    assert_eq!(named(&ledger), [] as [Uuid; 0]);
    assert_eq!(ledger.hazard_figures(day(2023, 1, 1)).len(), 400);
}

/// Where only cutting shows that it costs too much, the later half goes: releases first.
#[test]
fn what_cannot_be_cut_loses_its_later_half_by_and_by() {
    let (areas, releases) = others();
    let areas = areas.into_iter().map(|area| Arc::new(HeldHazard::new(&grid(), area).unwrap()));
    let releases = releases.into_iter().map(|one| Arc::new(HeldRelease::new(&grid(), one).unwrap()));
    let mut admission = Admission::of(areas.collect(), releases.collect());
    let mut left = vec![];
    loop {
        let members = admission.members();
        assert_eq!(members.hazards.len() + members.releases.len() + members.left_out.len(), 3);
        left.push(members.left_out.iter().map(|left| left.id).collect::<Vec<_>>());
        if !admission.halve() {
            break;
        }
    }
    assert_eq!(left, [vec![], vec![id(2), id(100)], vec![id(1), id(2), id(100)]]);
}
