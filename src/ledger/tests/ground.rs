//! The ground of single areas and releases, drawn whole.

use super::*;

/// Two areas that overlap by half, the first partly released across the overlap.
fn overlapping() -> Ledger {
    ledger(
        vec![
            hazard(1, vec![version(day(2020, 3, 1), patch(0.0, 0.0, 100.0, 100.0))]),
            hazard(2, vec![version(day(2021, 3, 1), patch(50.0, 0.0, 100.0, 100.0))]),
        ],
        vec![
            release(100, day(2022, 5, 5), patch(25.0, 0.0, 50.0, 100.0)),
            release(101, day(2022, 6, 5), patch(500.0, 0.0, 50.0, 100.0)),
        ],
    )
}

#[test]
fn what_is_left_and_what_was_released_add_up_to_the_figures() {
    let ledger = overlapping();
    for as_of in [day(2020, 12, 31), day(2021, 12, 31), day(2022, 12, 31)] {
        let open = ledger.open_ground(as_of, false);
        let left = ledger.remaining_ground(as_of, &open).unwrap();
        assert_eq!(left.iter().map(|ground| ground.hazard).collect::<Vec<_>>(), open);
        let sum = left.iter().map(|ground| ground.area.doubled()).sum::<i128>();
        let figures = ledger.remaining(as_of, &Query::default());
        assert_eq!(sum, figures.iter().map(|row| row.area.doubled()).sum::<i128>(), "{as_of}");
        let effective = ledger.effective_releases(as_of);
        let released = ledger.released_ground(as_of, &effective).unwrap();
        for ground in &released {
            let report = ledger.releases_report(as_of);
            let figures = report.iter().find(|figures| figures.id == ground.release).unwrap();
            assert_eq!(ground.area, figures.effective, "{as_of}");
        }
        assert_eq!(
            effective.len(),
            usize::from(as_of > day(2022, 1, 1)),
            "one of them released no hazardous ground"
        );
    }
    assert!(ledger.open_ground(day(2022, 12, 31), true).is_empty());
}

#[test]
fn an_area_is_drawn_in_one_part_however_it_was_cut() {
    let ledger = overlapping();
    let whole = &ledger.remaining_ground(day(2021, 12, 31), &[id(1)]).unwrap()[0];
    assert_eq!(whole.outline.0.len(), 1, "the overlap cuts it into pieces, not its outline");
    let drawn = crate::geometry::measure::area(&whole.outline);
    assert!((drawn - whole.area.m2()).abs() < 0.5, "{drawn} {}", whole.area);
    let none = ledger.remaining_ground(day(2019, 12, 31), &[id(1), id(7)]).unwrap();
    assert_eq!(none, vec![], "not in the books, and not known");
}

#[test]
fn a_box_finds_what_may_lie_in_it() {
    let ledger = overlapping();
    let near = ledger.near_box([18.399, 43.899, 18.4003, 43.9003]).unwrap();
    assert!(near.contains(&id(1)) && !near.contains(&id(101)), "{near:?}");
    assert!(ledger.near_box([16.0, 43.0, 16.1, 43.1]).unwrap().is_empty());
    assert_eq!(ledger.near_box([-180.0, -90.0, 180.0, 90.0]), None);
}
