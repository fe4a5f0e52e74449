//! Properties over random histories: overlapping, nested and tangled outlines, revisions, ends, new evidence.

use proptest::prelude::*;

use super::super::{EndReason, HazardEnd};
use super::*;
use crate::geometry::overlay::{balance, tolerance, untangle};
use crate::geometry::{GridOutline, SquareMillimetres};

fn dates() -> impl Strategy<Value = NaiveDate> {
    (0i32..4, 1u32..13).prop_map(|(year, month)| day(2020 + year, month, 15))
}

fn outline() -> impl Strategy<Value = MultiPolygon<f64>> {
    let corner = (0.0..400.0f64, 0.0..400.0f64);
    let tangled = proptest::collection::vec(corner, 4..8).prop_map(|ring| ground(&[ring]));
    let nested = (0.0..300.0f64, 0.0..300.0f64, 1.0..200.0f64, 1.0..200.0f64)
        .prop_map(|(x, y, width, height)| patch(x.round(), y.round(), width.round(), height.round()));
    prop_oneof![2 => nested, 1 => tangled]
}

prop_compose! {
    fn any_version()(
        effective in dates(),
        outline in outline(),
        absent in 0u8..10,
        confirmed: bool,
        kind in 0usize..3,
        organisation in 900u128..903,
        province in 0u8..3,
        reopened in 0u8..5,
    ) -> HazardVersion {
        HazardVersion {
            outline: (absent > 0).then_some(outline),
            reported_area_m2: Some(10.0),
            classification: if confirmed { Classification::Cha } else { Classification::Sha },
            contamination: BTreeSet::from([Contamination::ALL[kind], Contamination::Uxo]),
            organisation: id(organisation),
            admin: [(province > 0).then(|| format!("BA-0{province}")), None, None],
            reopened: reopened == 0,
            ..version(effective, MultiPolygon::new(vec![]))
        }
    }
}

prop_compose! {
    fn hazards()(
        all in proptest::collection::vec(
            (proptest::collection::vec(any_version(), 1..3), proptest::option::of((dates(), 0usize..5))),
            1..6,
        )
    ) -> Vec<Hazard> {
        let reasons = EndReason::ALL;
        (0..).zip(all).map(|(number, (versions, end))| Hazard {
            end: end.map(|(date, reason)| HazardEnd { date, reason: reasons[reason] }),
            ..hazard(number, versions)
        }).collect()
    }
}

prop_compose! {
    fn releases()(
        all in proptest::collection::vec((dates(), outline(), 0usize..4, 901u128..903), 0..5)
    ) -> Vec<Release> {
        (100..).zip(all).map(|(number, (effective, outline, result, operator))| Release {
            result: ReleaseResult::ALL[result],
            operator: id(operator),
            method: (result > 1).then(|| "mdd".to_owned()),
            ..release(number, effective, outline)
        }).collect()
    }
}

/// Everything the ledger says, for comparing two ledgers bit for bit.
fn all_figures(ledger: &Ledger) -> Vec<String> {
    let (from, to) = (day(2020, 1, 1), day(2023, 12, 31));
    let mut words = Vec::new();
    for query in questions() {
        words.push(format!("{:?}", ledger.balance(from, to, &query)));
        words.push(format!("{:?}", ledger.remaining(day(2022, 6, 1), &query)));
        let pieces = ledger.pieces(day(2022, 6, 1), &query).map(Result::unwrap);
        words.push(format!("{:?}", pieces.collect::<Vec<_>>()));
    }
    words.push(format!("{:?}", ledger.hazard_figures(to)));
    words.push(format!("{:?}", ledger.releases_report(to)));
    words.push(format!("{:?}", ledger.slivers(to)));
    words.push(format!("{:?}", ledger.reported_only(to, &Query::default())));
    words
}

fn plain(ledger: &Ledger, polygons: &MultiPolygon<f64>) -> Option<GridOutline> {
    untangle(&ledger.grid().outline(polygons).ok()?).unwrap()
}

/// Every row of every question is the sum of the pieces behind it, column by column.
fn assert_pieces_add_up(ledger: &Ledger, from: NaiveDate, to: NaiveDate) {
    for query in questions() {
        for row in ledger.balance(from, to, &query) {
            let (alone, period) = of_row(&query, &row, (from, to));
            let mut sum = BalanceRow { key: row.key.clone(), ..BalanceRow::default() };
            for piece in ledger.pieces_of_balance(period, &alone, false) {
                sum.add(&piece.unwrap().share.unwrap());
            }
            assert_eq!(sum, row, "{query:?}");
        }
    }
}

/// The question without cuts whose only row is this one.
fn of_row(
    query: &Query,
    row: &BalanceRow,
    period: (NaiveDate, NaiveDate),
) -> (Query, (NaiveDate, NaiveDate)) {
    fn want<T>(value: Option<T>) -> Want<T> {
        value.map_or(Want::Nothing, Want::Only)
    }
    let (mut alone, (mut from, mut to)) = (Query { cuts: vec![], ..query.clone() }, period);
    for (cut, value) in query.cuts.iter().zip(row.key.clone()) {
        match cut {
            Cut::Year => {
                let year = value.unwrap().parse().unwrap();
                (from, to) = (from.max(day(year, 1, 1)), to.min(day(year, 12, 31)));
            }
            Cut::Admin1 => alone.admin[0] = want(value),
            Cut::Admin2 => alone.admin[1] = want(value),
            Cut::Admin3 => alone.admin[2] = want(value),
            Cut::Classification => alone.classification = Some(value.unwrap().parse().unwrap()),
            Cut::Contamination => {
                alone.contamination =
                    Some(value.unwrap().split('+').map(|kind| kind.parse().unwrap()).collect());
            }
            Cut::Operator => alone.operator = Some(value.unwrap().parse().unwrap()),
            Cut::Result => alone.result = want(value.map(|result| result.parse().unwrap())),
            Cut::Method => alone.method = want(value),
        }
    }
    (alone, (from, to))
}

/// Facts the ledger would refuse because they vanish on the grid are left out.
fn taken(hazards: Vec<Hazard>, releases: Vec<Release>) -> (Vec<Hazard>, Vec<Release>) {
    let empty = Ledger::new(grid());
    let sound = |outline: &MultiPolygon<f64>| plain(&empty, outline).is_some();
    let whole = |hazard: &Hazard| hazard.versions.iter().filter_map(|v| v.outline.as_ref()).all(sound);
    (
        hazards.into_iter().filter(whole).collect(),
        releases.into_iter().filter(|release| sound(&release.outline)).collect(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_balance_closes_and_years_chain(hazards in hazards(), releases in releases()) {
        let (hazards, releases) = taken(hazards, releases);
        let ledger = ledger(hazards, releases);
        assert_closed(&ledger, day(2020, 1, 1), day(2023, 12, 31));
        assert_closed(&ledger, day(2021, 4, 3), day(2022, 8, 15));
        assert_pieces_add_up(&ledger, day(2021, 4, 3), day(2022, 8, 15));
        let years = ledger.balance(day(2020, 1, 1), day(2023, 12, 31), &Query::by([Cut::Year]));
        let row = |year: i32| {
            let year = Some(year.to_string());
            years.iter().find(|row| row.key[0] == year).cloned().unwrap_or_default()
        };
        for year in 2020..2024 {
            if year < 2023 {
                prop_assert_eq!(row(year).closing, row(year + 1).opening);
            }
            let remaining = ledger.remaining(day(year, 12, 31), &Query::default());
            let remaining = remaining.first().map_or(SquareMillimetres::ZERO, |row| row.area);
            prop_assert_eq!(row(year).closing, remaining);
            let divided = ledger.remaining(day(year, 12, 31), &Query::by([Cut::Operator, Cut::Contamination]));
            let divided: SquareMillimetres = divided.iter().map(|row| row.area).sum();
            prop_assert_eq!(divided, remaining);
        }
    }

    #[test]
    fn remaining_is_what_the_overlay_leaves(hazards in hazards(), releases in releases(), as_of in dates()) {
        let (mut hazards, releases) = taken(hazards, releases);
        for version in hazards.iter_mut().flat_map(|hazard| &mut hazard.versions) {
            version.reopened = false;
        }
        let ledger = ledger(hazards.clone(), releases.clone());
        let current = |hazard: &Hazard| {
            let alive = hazard.end.is_none_or(|end| end.date > as_of);
            let mut versions = hazard.versions.clone();
            versions.sort_by_key(|version| version.effective);
            let known = versions.into_iter().rfind(|version| alive && version.effective <= as_of);
            known.and_then(|version| plain(&ledger, &version.outline?))
        };
        let standing: Vec<GridOutline> = hazards.iter().filter_map(current).collect();
        let in_effect = releases.iter().filter(|release| release.effective <= as_of);
        let taken: Vec<GridOutline> =
            in_effect.filter_map(|release| plain(&ledger, &release.outline)).collect();
        let (standing, taken) = (standing.iter().collect::<Vec<_>>(), taken.iter().collect::<Vec<_>>());
        let expected = balance(&standing, &taken).unwrap();
        let remaining = ledger.remaining(as_of, &Query::default());
        let remaining = remaining.first().map_or(SquareMillimetres::ZERO, |row| row.area);
        let slack = tolerance(&standing, &taken);
        prop_assert!((remaining - expected.difference).abs() <= slack, "{} {}", remaining, expected.difference);
        let report = ledger.releases_report(as_of);
        let effective: SquareMillimetres = report.iter().map(|one| one.effective).sum();
        let total: SquareMillimetres = ledger.hazard_figures(as_of).iter().map(|one| one.owned).sum();
        prop_assert_eq!(total - effective, remaining);
        for one in report {
            prop_assert_eq!(one.area, one.effective + one.superseded + one.outside + one.repeated - one.repeated_outside);
        }
    }

    #[test]
    fn changes_one_by_one_give_what_all_at_once_give(
        hazards in hazards(),
        releases in releases(),
        detours in proptest::collection::vec((0usize..10, outline()), 0..6),
        turn in 0usize..20,
    ) {
        let (hazards, releases) = taken(hazards, releases);
        let whole = ledger(hazards.clone(), releases.clone());
        let mut steps = Ledger::new(grid());
        let mut order: Vec<usize> = (0..hazards.len() + releases.len()).collect();
        let length = order.len().max(1);
        order.rotate_left(turn % length);
        let put = |steps: &mut Ledger, index: usize| match hazards.get(index) {
            Some(hazard) => steps.put_hazard(hazard.clone()).unwrap(),
            None => steps.put_release(releases[index - hazards.len()].clone()).unwrap(),
        };
        for &index in &order {
            put(&mut steps, index);
            if index % 2 == 0 {
                steps.settle().unwrap();
            }
        }
        for (index, outline) in detours {
            let index = index % length;
            if let Some(hazard) = hazards.get(index) {
                let mut moved = hazard.clone();
                moved.versions[0].outline = Some(outline);
                if steps.put_hazard(moved).is_ok() {
                    steps.settle().unwrap();
                }
                steps.remove_hazard(hazard.id);
            } else if let Some(release) = releases.get(index.wrapping_sub(hazards.len())) {
                steps.remove_release(release.id);
            }
            steps.settle().unwrap();
            if index < order.len() {
                put(&mut steps, index);
            }
        }
        steps.settle().unwrap();
        prop_assert!(steps.is_settled());
        prop_assert_eq!(all_figures(&steps), all_figures(&whole));
    }
}
