//! The rules of counting, one case each.

use super::super::{EndReason, HazardEnd, PieceState, TreatyScope};
use super::*;
use crate::geometry::SquareMillimetres;

const START: (i32, u32, u32) = (2020, 3, 1);

fn start() -> NaiveDate {
    day(START.0, START.1, START.2)
}

fn about(found: SquareMillimetres, m2: f64) {
    assert!((found.m2() - m2).abs() < 0.005 * m2.max(1.0), "{found} is not about {m2} m²");
}

fn year(ledger: &Ledger, year: i32) -> BalanceRow {
    single(ledger.balance(day(year, 1, 1), day(year, 12, 31), &Query::default()))
}

#[test]
fn a_hazard_is_found_and_partly_released() {
    let ledger = ledger(
        vec![hazard(1, vec![version(start(), patch(0.0, 0.0, 100.0, 100.0))])],
        vec![release(100, day(2021, 5, 5), patch(-50.0, 0.0, 100.0, 100.0))],
    );
    about(year(&ledger, 2020).newly_identified, 10_000.0);
    let row = year(&ledger, 2021);
    about(row.opening, 10_000.0);
    about(row.cleared, 5_000.0);
    about(row.closing, 5_000.0);
    assert_eq!(year(&ledger, 2020).closing, row.opening);
    assert_closed(&ledger, day(2019, 1, 1), day(2022, 12, 31));
    let report = &ledger.releases_report(day(2021, 12, 31))[0];
    about(report.effective, 5_000.0);
    about(report.outside, 5_000.0);
    assert_eq!(report.hazards, [id(1)]);
    assert!(!report.hold && !report.outside_is_sliver);
    assert!(ledger.releases_report(day(2021, 5, 4)).is_empty());
}

#[test]
fn shared_ground_belongs_to_the_confirmed_area_then_to_the_earlier() {
    let mut confirmed = version(day(2021, 1, 1), patch(50.0, 0.0, 100.0, 100.0));
    confirmed.classification = Classification::Cha;
    let ledger = ledger(
        vec![
            hazard(1, vec![version(start(), patch(0.0, 0.0, 100.0, 100.0))]),
            hazard(2, vec![confirmed]),
            hazard(3, vec![version(day(2022, 1, 1), patch(0.0, 0.0, 50.0, 150.0))]),
        ],
        vec![],
    );
    let figures = ledger.hazard_figures(day(2023, 1, 1));
    about(figures[0].owned, 5_000.0);
    about(figures[0].outline, 10_000.0);
    about(figures[1].owned, 10_000.0);
    about(figures[2].owned, 2_500.0);
    let national = ledger.remaining(day(2023, 1, 1), &Query::default());
    assert_eq!(national[0].area, figures.iter().map(|one| one.owned).sum());
    assert_eq!(national[0].hazards, 3);
    let rows = ledger.balance(day(2021, 1, 1), day(2021, 12, 31), &Query::by([Cut::Classification]));
    about(rows[0].reclassified_in, 5_000.0);
    about(rows[0].newly_identified, 5_000.0);
    about(rows[1].reclassified_out, 5_000.0);
    let open = ledger.open_hazards(day(2023, 1, 1));
    assert_eq!((open[&Classification::Cha], open[&Classification::Sha]), (1, 2));
}

#[test]
fn revision_enlarges_shrinks_and_reclassifies() {
    let mut second = version(day(2021, 6, 1), patch(20.0, 0.0, 100.0, 100.0));
    second.classification = Classification::Cha;
    second.admin = [Some("BA-02".into()), None, None];
    let ledger =
        ledger(vec![hazard(1, vec![version(start(), patch(0.0, 0.0, 100.0, 100.0)), second])], vec![]);
    let row = year(&ledger, 2021);
    about(row.enlarged, 2_000.0);
    about(row.shrunk_by_revision, 2_000.0);
    assert_eq!(row.reclassified_in, SquareMillimetres::ZERO, "nationally nothing moves");
    let rows = ledger.balance(day(2021, 1, 1), day(2021, 12, 31), &Query::by([Cut::Admin1]));
    about(rows[0].reclassified_out, 8_000.0);
    about(rows[1].reclassified_in, 8_000.0);
    assert_closed(&ledger, day(2020, 1, 1), day(2022, 1, 1));
}

#[test]
fn ends_go_to_their_columns_and_mergers_hand_over() {
    let end = |reason| Some(HazardEnd { date: day(2021, 1, 1), reason });
    let mut duplicate = hazard(1, vec![version(start(), patch(0.0, 0.0, 10.0, 10.0))]);
    duplicate.end = end(EndReason::DuplicateOf);
    let mut retired = hazard(2, vec![version(start(), patch(100.0, 0.0, 20.0, 10.0))]);
    retired.end = end(EndReason::Retired);
    let mut merged = hazard(3, vec![version(start(), patch(200.0, 0.0, 30.0, 10.0))]);
    merged.end = end(EndReason::MergedInto);
    let whole = hazard(4, vec![version(day(2021, 1, 1), patch(200.0, 0.0, 40.0, 10.0))]);
    let ledger = ledger(vec![duplicate, retired, merged, whole], vec![]);
    let row = year(&ledger, 2021);
    about(row.duplicates_errors, 100.0);
    about(row.shrunk_by_revision, 200.0);
    about(row.newly_identified, 100.0);
    about(row.closing, 400.0);
    assert_closed(&ledger, day(2020, 1, 1), day(2021, 12, 31));
}

#[test]
fn ground_released_twice_counts_once_for_the_first() {
    let mut reduced = release(100, day(2021, 1, 1), patch(0.0, 0.0, 60.0, 100.0));
    reduced.result = ReleaseResult::Reduced;
    let later = release(101, day(2021, 2, 1), patch(40.0, 0.0, 60.0, 100.0));
    let hazards = vec![hazard(1, vec![version(start(), patch(0.0, 0.0, 100.0, 100.0))])];
    let ledger = ledger(hazards, vec![later, reduced]);
    let row = year(&ledger, 2021);
    about(row.reduced, 6_000.0);
    about(row.cleared, 4_000.0);
    // Rounding the shared edges to the grid leaves thin strips, counted to the last mm².
    assert!(row.closing < SquareMillimetres::from_doubled(200_000), "{}", row.closing);
    assert_eq!(row.released() + row.closing, row.opening);
    let report = ledger.releases_report(day(2021, 12, 31));
    about(report[1].repeated, 2_000.0);
    about(report[1].effective, 4_000.0);
    assert_eq!(report[1].repeated_outside, SquareMillimetres::ZERO);
}

#[test]
fn new_evidence_contaminates_released_ground_again() {
    let mut again = version(day(2022, 1, 1), patch(0.0, 0.0, 50.0, 100.0));
    again.reopened = true;
    let ledger = ledger(
        vec![hazard(1, vec![version(start(), patch(0.0, 0.0, 100.0, 100.0)), again])],
        vec![
            release(100, day(2021, 1, 1), patch(0.0, 0.0, 100.0, 100.0)),
            release(101, day(2023, 1, 1), patch(0.0, 0.0, 50.0, 50.0)),
        ],
    );
    assert_eq!(year(&ledger, 2021).closing, SquareMillimetres::ZERO);
    about(year(&ledger, 2022).newly_identified, 5_000.0);
    about(year(&ledger, 2023).cleared, 2_500.0);
    about(year(&ledger, 2023).closing, 2_500.0);
    assert_closed(&ledger, day(2020, 1, 1), day(2024, 1, 1));
    let report = ledger.releases_report(day(2023, 12, 31));
    about(report[0].superseded, 5_000.0);
    about(report[0].outside, 5_000.0);
    about(report[1].effective, 2_500.0);
    assert_eq!(report[1].repeated, SquareMillimetres::ZERO);
}

#[test]
fn ground_found_after_it_was_released_passes_through_the_books() {
    let ledger = ledger(
        vec![hazard(1, vec![version(day(2022, 1, 1), patch(0.0, 0.0, 100.0, 100.0))])],
        vec![release(100, day(2021, 1, 1), patch(0.0, 0.0, 40.0, 100.0))],
    );
    assert_eq!(year(&ledger, 2021), BalanceRow::default());
    let row = year(&ledger, 2022);
    about(row.newly_identified, 10_000.0);
    about(row.cleared, 4_000.0);
    about(row.closing, 6_000.0);
}

#[test]
fn a_release_that_touches_nothing_is_held_and_a_sliver_outside_is_a_note() {
    let ledger = ledger(
        vec![hazard(1, vec![version(start(), patch(0.0, 0.0, 100.0, 100.0))])],
        vec![
            release(100, day(2021, 1, 1), patch(500.0, 0.0, 10.0, 10.0)),
            release(101, day(2021, 1, 1), patch(-0.005, 0.0, 50.0, 100.0)),
        ],
    );
    let report = ledger.releases_report(day(2021, 12, 31));
    assert!(report[0].hold);
    assert_eq!(report[0].outside, report[0].area);
    assert!(!report[1].hold && report[1].outside_is_sliver, "{:?}", report[1]);
}

#[test]
fn reported_areas_keep_their_own_account() {
    let mut reported = version(start(), patch(0.0, 0.0, 1.0, 1.0));
    reported.outline = None;
    reported.reported_area_m2 = Some(12_345.5);
    let ledger = ledger(vec![hazard(1, vec![reported])], vec![]);
    assert!(ledger.remaining(start(), &Query::default()).is_empty());
    let account = ledger.reported_only(start(), &Query::default());
    assert_eq!((account.hazards, account.reported.m2()), (1, 12_345.5));
    let other = Query { scope: Some(TreatyScope::CcmArticle4), ..Query::default() };
    assert_eq!(ledger.reported_only(start(), &other).hazards, 0);
}

#[test]
fn the_pieces_behind_a_figure_add_up_to_it() {
    let ledger = ledger(
        vec![
            hazard(1, vec![version(start(), patch(0.0, 0.0, 100.0, 100.0))]),
            hazard(2, vec![version(start(), patch(50.0, 50.0, 100.0, 100.0))]),
        ],
        vec![release(100, day(2021, 1, 1), patch(20.0, 20.0, 60.0, 60.0))],
    );
    let query = Query::default();
    let as_of = day(2021, 12, 31);
    let views: Vec<_> = ledger.pieces(as_of, &query).map(Result::unwrap).collect();
    let left = views.iter().filter(|view| view.state == PieceState::Contaminated);
    let total: SquareMillimetres = left.map(|view| view.area).sum();
    assert_eq!(total, ledger.remaining(as_of, &query)[0].area);
    for view in &views {
        let shown = crate::geometry::measure::area(&view.outline);
        assert!((shown - view.area.m2()).abs() < 0.5, "{shown} {}", view.area);
        assert_eq!(view.release.is_some(), view.state == PieceState::Released);
    }
}

#[test]
fn parcels_that_share_an_edge_stay_apart() {
    let parcels: Vec<Hazard> = (0..20u32)
        .map(|n| hazard(n.into(), vec![version(start(), patch(f64::from(n) * 10.0, 0.0, 10.0, 10.0))]))
        .collect();
    let mut ledger = Ledger::new(grid());
    ledger.load(parcels.clone(), vec![]);
    assert_eq!(ledger.settle().unwrap().clusters, 20);
    ledger.put_hazard(parcels[7].clone()).unwrap();
    assert_eq!(ledger.settle().unwrap().facts, 1);
}

#[test]
fn the_bosnian_sheet_agrees_with_geos() {
    let Some(sheet) = crate::geometry::tests::sheet() else {
        return;
    };
    let outlines = |kind: &str| {
        let outlines = crate::geometry::tests::sheet_outlines(&sheet, kind);
        let counted: Vec<_> = outlines.iter().filter_map(|one| one.provisional().cloned()).collect();
        counted
    };
    let suspected = outlines("Suspected Minefield").into_iter().zip(1u128..);
    let cleared = outlines("Cleared Areas").into_iter().zip(1000u128..);
    let ledger = ledger(
        suspected.map(|(outline, n)| hazard(n, vec![version(start(), outline)])).collect(),
        cleared.map(|(outline, n)| release(n, day(2021, 1, 1), outline)).collect(),
    );
    assert_eq!(ledger.left_out(), [] as [&super::super::LeftOut; 0]);
    let row = year(&ledger, 2021);
    println!("opening {}, cleared {}, closing {}", row.opening, row.cleared, row.closing);
    assert!((row.opening.m2() / 28_342_112.0 - 1.0).abs() < 1e-4, "{row:?}");
    assert!((row.closing.m2() / 28_294_156.0 - 1.0).abs() < 1e-4, "{row:?}");
    assert!((row.cleared.m2() / 47_954.0 - 1.0).abs() < 1e-3, "{row:?}");
    let report = ledger.releases_report(day(2021, 12, 31));
    let union: SquareMillimetres =
        report.iter().map(|one| one.effective + one.outside - one.repeated_outside).sum();
    assert!((union.m2() / 494_310.0 - 1.0).abs() < 1e-3, "{union}");
    assert_closed(&ledger, day(2020, 1, 1), day(2022, 1, 1));
}

/// BAC is of ground known not to hold mines (docs/domain.md §6): under neither treaty unless its record states it.
#[test]
fn battle_area_clearance_counts_under_no_treaty_unless_stated() {
    let area = || hazard(1, vec![version(day(2020, 1, 1), patch(0.0, 0.0, 100.0, 100.0))]);
    let bac = |scope: &[TreatyScope]| Release {
        result: ReleaseResult::BacCleared,
        treaty_scope: scope.iter().copied().collect(),
        ..release(100, day(2021, 1, 1), patch(0.0, 0.0, 50.0, 100.0))
    };
    let article5 = Query { scope: Some(TreatyScope::ApmbcArticle5), ..Query::default() };
    let row = |releases, query| {
        single(ledger(vec![area()], releases).balance(day(2020, 1, 1), day(2021, 12, 31), query))
    };
    let unstated = row(vec![bac(&[])], &article5);
    assert_eq!(unstated.bac_cleared, SquareMillimetres::ZERO);
    assert_eq!(unstated.reclassified_out, unstated.newly_identified - unstated.closing);
    assert_eq!(unstated.residual(), SquareMillimetres::ZERO);
    let stated = row(vec![bac(&[TreatyScope::ApmbcArticle5])], &article5);
    assert_eq!(stated.bac_cleared, unstated.reclassified_out);
    assert_eq!(
        row(vec![bac(&[])], &Query::default()).bac_cleared,
        stated.bac_cleared,
        "without a treaty it counts"
    );
}

#[test]
fn a_stated_treaty_scope_beats_the_contamination() {
    let stated = HazardVersion {
        treaty_scope: Some([].into()),
        ..version(day(2020, 1, 1), patch(0.0, 0.0, 9.0, 9.0))
    };
    let article5 = Query { scope: Some(TreatyScope::ApmbcArticle5), ..Query::default() };
    let ledger = ledger(vec![hazard(1, vec![stated])], vec![]);
    assert_eq!(ledger.remaining(day(2021, 1, 1), &article5), []);
    assert!(!ledger.has_any(TreatyScope::ApmbcArticle5));
    assert_eq!(ledger.remaining(day(2021, 1, 1), &Query::default()).len(), 1);
}

#[test]
fn ground_found_after_its_release_is_named() {
    let found = hazard(1, vec![version(day(2022, 1, 1), patch(0.0, 0.0, 100.0, 100.0))]);
    let ledger = ledger(vec![found], vec![release(100, day(2021, 1, 1), patch(0.0, 0.0, 50.0, 100.0))]);
    let report = &ledger.releases_report(day(2022, 12, 31))[0];
    assert_eq!(report.identified_later, report.effective);
    assert!(report.effective > SquareMillimetres::ZERO);
    assert_eq!(ledger.releases_report(day(2021, 12, 31))[0].identified_later, SquareMillimetres::ZERO);
}

#[test]
fn a_closed_area_without_an_outline_leaves_its_account() {
    let known = |effective, closed| HazardVersion {
        outline: None,
        reported_area_m2: Some(500.0),
        closed,
        ..version(effective, MultiPolygon::new(vec![]))
    };
    let ledger =
        ledger(vec![hazard(1, vec![known(day(2020, 1, 1), false), known(day(2022, 1, 1), true)])], vec![]);
    assert_eq!(ledger.reported_only(day(2021, 1, 1), &Query::default()).hazards, 1);
    assert_eq!(ledger.reported_only(day(2023, 1, 1), &Query::default()).hazards, 0);
}
