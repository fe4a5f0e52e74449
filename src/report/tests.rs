//! What a record's line is to the ledger.

use chrono::{NaiveDate, TimeZone, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::book::Basis;
use super::fact::{Doubt, Fact, Reading, Rules, Surveyed};
use super::ordnance::Ordnance;
use crate::geometry::{Extent, Grid};
use crate::ledger::{Hazard, Ledger, Query, Release, TreatyScope};
use crate::model::Stage;
use crate::programme::{AdminUnits, DateRule};
use crate::store::book::{LineVersion, RecordLine};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// A square of 0.001° beside 0° 10°.
fn square(west: f64) -> Value {
    let (east, south, north) = (west + 0.001, 10.0, 10.001);
    json!({"type": "Polygon", "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]]})
}

/// A bow-tie: drawn, but doubtful.
fn bow_tie() -> Value {
    json!({"type": "Polygon", "coordinates": [[[0.0, 10.0], [0.001, 10.001], [0.001, 10.0], [0.0, 10.001], [0.0, 10.0]]]})
}

/// A version recorded on a day.
fn version(recorded: &str, stage: Stage, properties: Value, geometry: Value) -> LineVersion {
    let Value::Object(properties) = properties else { panic!("properties are an object") };
    LineVersion {
        version: Uuid::now_v7(),
        stage,
        recorded_at: Utc.from_utc_datetime(&day(recorded).and_hms_opt(12, 0, 0).unwrap()),
        retired: false,
        properties,
        geometry: (!geometry.is_null()).then_some(geometry),
    }
}

fn line(kind: &str, versions: Vec<LineVersion>) -> RecordLine {
    RecordLine {
        id: Uuid::from_u128(1),
        kind: kind.to_owned(),
        organisation: Uuid::from_u128(9),
        created_seq: 1,
        seq: 9,
        contested: false,
        versions,
        candidates: Vec::new(),
    }
}

fn contested(versions: Vec<LineVersion>, candidates: Vec<LineVersion>) -> RecordLine {
    RecordLine { contested: true, candidates, ..line("hazardous_area", versions) }
}

fn area(fields: &Value) -> Value {
    let mut all = json!({"classification": "SHA", "status": "open", "contamination": ["ap_mine"],
                         "date_identified": "2020-03-01"});
    for (name, value) in fields.as_object().unwrap() {
        all[name] = value.clone();
    }
    all
}

fn read_by(basis: Basis, date_rule: DateRule, line: &RecordLine) -> Reading {
    let units = AdminUnits::default();
    Rules { units: &units, date_rule, basis }.read(&Surveyed::read(line))
}

fn read(basis: Basis, line: &RecordLine) -> Reading {
    read_by(basis, DateRule::Completion, line)
}

fn hazard(line: &RecordLine) -> Hazard {
    match read(Basis::Provisional, line).fact {
        Fact::Hazard(hazard) => hazard,
        _ => panic!("no hazard"),
    }
}

fn release(reading: Reading) -> Release {
    match reading.fact {
        Fact::Release(release) => release,
        _ => panic!("no release"),
    }
}

/// m² that remain of a hazard whose ground was all released on a day.
fn remaining_after(hazard: Hazard, released_on: &str, as_of: &str) -> f64 {
    let mut ledger =
        Ledger::new(Grid::for_extent(Extent { west: -1.0, south: 9.0, east: 1.0, north: 11.0 }).unwrap());
    let fields = json!({"result": "cleared", "completion_date": released_on});
    let one = line("land_release", vec![version(released_on, Stage::Draft, fields, square(0.0))]);
    let one = Release { id: Uuid::from_u128(2), ..release(read(Basis::Provisional, &one)) };
    ledger.put_hazard(hazard).unwrap();
    ledger.put_release(one).unwrap();
    ledger.settle().unwrap();
    ledger.remaining(day(as_of), &Query::default()).first().map_or(0.0, |row| row.area.m2())
}

#[test]
fn a_reopened_area_stays_reopened_when_it_is_edited() {
    let states = [
        ("closed", "2022-01-01"),
        ("open", "2023-05-01"),
        ("tasked", "2023-05-01"),
        ("tasked", "2024-01-01"),
    ];
    let step = |(status, since): (&str, &str)| {
        let fields = area(&json!({"status": status, "status_date": since}));
        version(since, Stage::Draft, fields, square(0.0))
    };
    let mut versions = vec![version("2020-03-01", Stage::Draft, area(&json!({})), square(0.0))];
    for state in states {
        versions.push(step(state));
        let reopened = state.0 != "closed";
        let remaining =
            remaining_after(hazard(&line("hazardous_area", versions.clone())), "2021-06-01", "2025-01-01");
        assert_eq!(remaining > 12_000.0, reopened, "{state:?}: {remaining}");
    }
    // An edit of the same day that closes it takes the reopening back.
    versions.push(step(("closed", "2023-05-01")));
    assert!(remaining_after(hazard(&line("hazardous_area", versions)), "2021-06-01", "2025-01-01") < 1.0);
}

#[test]
fn while_its_end_is_contested_an_area_counts() {
    let open = version("2020-03-01", Stage::Draft, area(&json!({})), square(0.0));
    let ended = version("2022-01-01", Stage::Draft, area(&json!({"entered_in_error": true})), square(0.0));
    let retired = LineVersion { retired: true, ..open.clone() };
    for end in [ended, retired] {
        let line = contested(vec![open.clone(), end.clone()], vec![open.clone()]);
        assert_eq!(hazard(&line).end, None);
        let line = contested(vec![open.clone()], vec![end]);
        assert_eq!(hazard(&line).end, None);
    }
}

#[test]
fn while_its_reopening_is_contested_an_area_counts() {
    let open = version("2020-03-01", Stage::Draft, area(&json!({})), square(0.0));
    let fields = area(&json!({"status": "closed", "status_date": "2022-01-01"}));
    let closed = version("2022-01-01", Stage::Draft, fields, square(0.0));
    let fields = area(&json!({"status": "open", "status_date": "2023-01-01"}));
    let reopened = version("2023-01-01", Stage::Draft, fields, square(0.0));
    let line = contested(vec![open, closed], vec![reopened]);
    assert!(remaining_after(hazard(&line), "2021-06-01", "2022-06-01") < 1.0);
    assert!(remaining_after(hazard(&line), "2021-06-01", "2023-06-01") > 12_000.0);
}

#[test]
fn an_area_ends_on_the_day_that_came_with_its_end_or_when_it_was_learnt() {
    let open = version("2020-03-01", Stage::Draft, area(&json!({})), square(0.0));
    let other = Uuid::from_u128(7);
    let cases = [
        (json!({"duplicate_of": other}), Some("2024-07-01")),
        (json!({"duplicate_of": other, "status_date": "2024-05-05"}), Some("2024-05-05")),
        (json!({"merged_into": other}), Some("2024-07-01")),
        (json!({"split_into": [other]}), Some("2024-07-01")),
        (json!({"split_into": []}), None),
        (json!({"entered_in_error": false}), None),
    ];
    for (fields, expected) in cases {
        let ended = version("2024-07-01", Stage::Draft, area(&fields), square(0.0));
        // Later steps of the review do not move the day.
        let reviewed = LineVersion {
            stage: Stage::Submitted,
            ..version("2024-09-01", Stage::Submitted, area(&fields), square(0.0))
        };
        let line = line("hazardous_area", vec![open.clone(), ended, reviewed]);
        let end = hazard(&line).end.map(|end| end.date);
        assert_eq!(end, expected.map(day), "{fields}");
    }
    let retired = |recorded| LineVersion {
        retired: true,
        ..version(recorded, Stage::Finalised, area(&json!({})), square(0.0))
    };
    let open = LineVersion { stage: Stage::Finalised, ..open };
    let line = line("hazardous_area", vec![open, retired("2024-02-02"), retired("2024-03-03")]);
    assert_eq!(hazard(&line).end.map(|end| end.date), Some(day("2024-02-02")));
}

#[test]
fn a_corrected_day_of_identification_moves_the_beginning() {
    let first = version("2020-03-05", Stage::Draft, area(&json!({})), square(0.0));
    for (corrected, versions) in [("2018-01-01", 1), ("2021-01-01", 1)] {
        let fields = area(&json!({"date_identified": corrected}));
        let line = line(
            "hazardous_area",
            vec![first.clone(), version("2022-01-01", Stage::Draft, fields, square(0.0))],
        );
        let found = hazard(&line);
        assert_eq!(found.versions[0].effective, day(corrected));
        assert!(found.versions.len() >= versions);
    }
}

#[test]
fn what_a_review_refused_is_in_no_figure() {
    let sound = version("2020-03-01", Stage::Submitted, area(&json!({})), square(0.0));
    let larger = area(&json!({"date_of_information": "2021-01-01"}));
    let drawn = version("2021-01-02", Stage::Draft, larger.clone(), square(0.5));
    let returned = LineVersion { stage: Stage::Returned, ..drawn.clone() };
    let corrected =
        version("2021-02-02", Stage::Draft, area(&json!({"date_of_information": "2021-02-01"})), square(0.0));
    let line = line("hazardous_area", vec![sound, drawn, returned, corrected]);
    let days: Vec<NaiveDate> = hazard(&line).versions.iter().map(|version| version.effective).collect();
    assert_eq!(days, [day("2020-03-01"), day("2021-02-01")]);
}

#[test]
fn an_outline_that_cannot_count_is_named() {
    let faulty = |reported: Value| {
        let fields = area(&json!({"reported_area_m2": reported}));
        line("hazardous_area", vec![version("2020-03-01", Stage::Finalised, fields, bow_tie())])
    };
    let sized = read(Basis::Official, &faulty(json!(500.0)));
    let Some(Doubt::LeftOut(why)) = sized.doubt else { panic!("no doubt") };
    assert!(why.contains("reported size"), "{why}");
    assert!(matches!(sized.fact, Fact::Hazard(area) if area.versions[0].outline.is_none()));
    let repaired = read(Basis::Provisional, &faulty(Value::Null));
    assert!(matches!(repaired.doubt, Some(Doubt::Repaired(_))), "{:?}", repaired.doubt);
    let nowhere =
        line("hazardous_area", vec![version("2020-03-01", Stage::Finalised, area(&json!({})), Value::Null)]);
    for basis in Basis::ALL {
        assert!(matches!(read(*basis, &nowhere).doubt, Some(Doubt::LeftOut(_))), "{basis}");
    }
    let fields = json!({"result": "cleared", "completion_date": "2021-06-01"});
    let release = line("land_release", vec![version("2021-06-02", Stage::Finalised, fields, bow_tie())]);
    assert!(matches!(read(Basis::Official, &release).doubt, Some(Doubt::LeftOut(_))));
}

#[test]
fn a_stated_treaty_scope_overrides_the_contamination() {
    let of = |fields: Value| {
        let line =
            line("hazardous_area", vec![version("2020-03-01", Stage::Draft, area(&fields), square(0.0))]);
        hazard(&line).versions[0].treaty_scope.clone()
    };
    assert_eq!(of(json!({})), None);
    assert_eq!(of(json!({"treaty_scope": []})), None);
    assert_eq!(of(json!({"treaty_scope": ["none"]})), Some([].into()));
    assert_eq!(of(json!({"treaty_scope": ["ccm_article_4"]})), Some([TreatyScope::CcmArticle4].into()));
}

#[test]
fn the_day_of_acceptance_is_the_same_on_both_bases() {
    let fields = json!({"result": "cleared", "completion_date": "2021-12-20"});
    let stages = [
        ("2021-12-21", Stage::Submitted),
        ("2022-01-10", Stage::OpsValidated),
        ("2022-02-01", Stage::Returned),
        ("2022-05-05", Stage::OpsValidated),
        ("2023-01-15", Stage::Finalised),
        ("2024-01-15", Stage::OpsValidated),
        ("2024-02-15", Stage::Finalised),
    ];
    let versions = stages.map(|(recorded, stage)| version(recorded, stage, fields.clone(), square(0.0)));
    let line = line("land_release", versions.into());
    let expected = [
        (DateRule::Completion, "2021-12-20"),
        (DateRule::QaAcceptance, "2022-05-05"),
        (DateRule::Finalisation, "2023-01-15"),
    ];
    for (rule, expected) in expected {
        for basis in Basis::ALL {
            assert_eq!(release(read_by(*basis, rule, &line)).effective, day(expected), "{rule} {basis}");
        }
    }
}

#[test]
fn ordnance_counts_whole_numbers_up_to_the_day() {
    let find = |number: u128, quantity: Value| {
        let fields = json!({"category": "ap_mine", "quantity": quantity, "found_date": "2024-05-05",
                            "disposal_method": "destroyed_in_place", "disposal_date": "2024-11-11"});
        RecordLine {
            id: Uuid::from_u128(number),
            ..line("eo_item", vec![version("2024-05-06", Stage::Draft, fields, Value::Null)])
        }
    };
    let mut ordnance = Ordnance::default();
    ordnance.take(&find(1, json!(50.0)), Basis::Provisional);
    ordnance.take(&find(2, json!(3)), Basis::Provisional);
    let year = ordnance.by_year(day("2024-12-31"))[&2024];
    assert_eq!((year.ap_mines_found, year.ap_mines_destroyed), (53, 53));
    let year = ordnance.by_year(day("2024-06-30"))[&2024];
    assert_eq!((year.ap_mines_found, year.ap_mines_destroyed), (53, 0));
    ordnance.take(&find(3, json!(i64::MAX)), Basis::Provisional);
    assert_eq!(ordnance.by_year(day("2024-12-31"))[&2024].ap_mines_found, i64::MAX, "not negative");
}

#[test]
fn new_evidence_without_a_day_of_its_own_is_of_the_day_it_was_learnt() {
    let first = version("2020-03-01", Stage::Draft, area(&json!({})), square(0.0));
    let closed = area(&json!({"status": "closed", "status_date": "2022-01-01"}));
    let opened = |more: Value| {
        let mut fields = area(&json!({"status": "open", "status_date": "2022-01-01"}));
        for (name, value) in more.as_object().unwrap() {
            fields[name] = value.clone();
        }
        fields
    };
    let line_of = |fields: &[(&str, Value)]| {
        let later =
            fields.iter().map(|(day, fields)| version(day, Stage::Draft, fields.clone(), square(0.0)));
        line("hazardous_area", std::iter::once(first.clone()).chain(later).collect())
    };
    let undated = ("2024-06-15", opened(json!({})));
    let line = line_of(&[("2022-01-02", closed.clone()), undated.clone()]);
    assert!(remaining_after(hazard(&line), "2021-06-01", "2024-06-14") < 1.0);
    assert!(remaining_after(hazard(&line), "2021-06-01", "2024-06-15") > 12_000.0);
    // Evidence has a day of its own, and a later correction moves it.
    let evidence = json!({"evidence": [{"id": Uuid::nil(), "kind": "detonation", "strength": "direct", "date": "2024-05-01"}]});
    let line = line_of(&[("2022-01-02", closed.clone()), ("2024-06-15", opened(evidence))]);
    assert!(remaining_after(hazard(&line), "2021-06-01", "2024-05-01") > 12_000.0);
    let dated = ("2024-08-08", opened(json!({"status_date": "2024-04-04"})));
    let line = line_of(&[("2022-01-02", closed.clone()), undated.clone(), dated]);
    assert!(remaining_after(hazard(&line), "2021-06-01", "2024-04-04") > 12_000.0);
    assert!(remaining_after(hazard(&line), "2021-06-01", "2025-01-01") > 12_000.0);
    // A note written later is no news of the ground.
    let note = ("2024-09-09", opened(json!({"remarks": "Fence repaired"})));
    let line = line_of(&[("2022-01-02", closed), undated, note]);
    assert!(remaining_after(hazard(&line), "2021-06-01", "2025-01-01") > 12_000.0);
}

#[test]
fn a_day_in_the_future_hides_no_area() {
    let fields = area(&json!({"date_identified": "2062-03-01"}));
    let area_2062 =
        line("hazardous_area", vec![version("2024-03-05", Stage::Finalised, fields.clone(), square(0.0))]);
    assert_eq!(hazard(&area_2062).versions[0].effective, day("2024-03-05"));
    let sound = version("2020-03-05", Stage::Finalised, area(&json!({})), square(0.0));
    let corrected =
        line("hazardous_area", vec![sound, version("2024-03-05", Stage::Draft, fields, square(0.0))]);
    assert!(hazard(&corrected).versions.iter().all(|version| version.effective <= day("2024-03-05")));
    let fields = json!({"result": "cleared", "completion_date": "2062-06-01"});
    let ahead = line("land_release", vec![version("2024-06-02", Stage::Finalised, fields, square(0.0))]);
    let Some(Doubt::LeftOut(why)) = read(Basis::Official, &ahead).doubt else { panic!("no doubt") };
    assert!(why.contains("2062-06-01"), "{why}");
}

#[test]
fn a_refused_retirement_retires_nothing_on_either_basis() {
    let stands = version("2020-03-05", Stage::Finalised, area(&json!({})), square(0.0));
    let retired = |stage| LineVersion {
        retired: true,
        stage,
        ..version("2024-01-01", stage, area(&json!({})), square(0.0))
    };
    let refused = version("2024-01-03", Stage::Rejected, area(&json!({})), square(0.0));
    let line =
        line("hazardous_area", vec![stands, retired(Stage::Draft), retired(Stage::Submitted), refused]);
    for basis in Basis::ALL {
        let Fact::Hazard(found) = read(*basis, &line).fact else { panic!("no hazard on the {basis} basis") };
        assert_eq!((found.end, found.versions.len()), (None, 1), "{basis}");
    }
}
