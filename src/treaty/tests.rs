use std::path::PathBuf;

use chrono::Months;
use serde_json::json;

use super::*;

fn mine_ban(deposit: NaiveDate) -> StateParty {
    StateParty::from_deposit(Convention::MineBan, deposit)
}

fn in_force(year: i32, month: u32, day: u32) -> StateParty {
    StateParty::with_entry_into_force(Convention::MineBan, date(year, month, day))
}

fn extension(requested: NaiveDate, decided: Option<NaiveDate>, until: NaiveDate) -> DeadlineEntry {
    DeadlineEntry {
        kind: DeadlineKind::Extension,
        requested_on: Some(requested),
        meeting: None,
        decided_on: decided,
        new_deadline: Some(until),
    }
}

fn somalia() -> DeadlineHistory {
    let mut history = DeadlineHistory::new(mine_ban(date(2012, 4, 16)));
    let decided = Some(date(2022, 11, 25));
    history.entries.push(extension(date(2021, 9, 10), decided, date(2027, 10, 1)));
    history
}

#[test]
fn somalia_by_deposit_and_decision() {
    let history = somalia();
    assert_eq!(history.party.entry_into_force, date(2012, 10, 1));
    assert_eq!(history.party.original_clearance_deadline(), date(2022, 10, 1));
    assert_eq!(history.deadline(date(2023, 1, 1)), Some(date(2027, 10, 1)));
    assert_eq!(history.faults(), []);
}

#[test]
fn burkina_faso_by_deposit() {
    let party = mine_ban(date(1998, 9, 16));
    assert_eq!(party.entry_into_force, date(1999, 3, 1));
    assert_eq!(party.stockpile_deadline(), Some(date(2003, 3, 1)));
    assert_eq!(party.original_clearance_deadline(), date(2009, 3, 1));
    assert_eq!(party.first_report_due(), date(1999, 8, 28));
}

#[test]
fn an_early_deposit_waits_for_the_convention() {
    assert_eq!(mine_ban(date(1997, 12, 3)).entry_into_force, date(1999, 3, 1));
    let party = StateParty::from_deposit(Convention::ClusterMunitions, date(2008, 12, 3));
    assert_eq!(party.entry_into_force, date(2010, 8, 1));
    assert_eq!(party.original_clearance_deadline(), date(2020, 8, 1));
    assert_eq!(party.stockpile_deadline(), None);
}

#[test]
fn the_last_day_of_a_month_counts_like_its_first() {
    assert_eq!(mine_ban(date(2005, 8, 31)).entry_into_force, date(2006, 2, 1));
    assert_eq!(mine_ban(date(2005, 8, 1)).entry_into_force, date(2006, 2, 1));
}

#[test]
fn ethiopia_reports_first_in_november_2005() {
    let party = in_force(2005, 6, 1);
    assert_eq!(party.first_report_due(), date(2005, 11, 28));
}

#[test]
fn belarus_greece_turkey_had_until_march_2008() {
    assert_eq!(in_force(2004, 3, 1).stockpile_deadline(), Some(date(2008, 3, 1)));
    for deposit in [date(2003, 9, 3), date(2003, 9, 25)] {
        assert_eq!(mine_ban(deposit).stockpile_deadline(), Some(date(2008, 3, 1)));
    }
}

#[test]
fn ukraine_passed_its_deadline_without_a_decision() {
    let mut history = DeadlineHistory::new(in_force(2006, 6, 1));
    let deadline = date(2016, 6, 1);
    assert_eq!(history.deadline(date(2010, 1, 1)), Some(deadline));
    assert_eq!(history.state(deadline), DeadlineState::Running { deadline });
    let missed = DeadlineState::PassedWithoutDecision { deadline, request_pending: false };
    assert_eq!(history.state(date(2016, 6, 2)), missed);

    history.entries.push(extension(date(2018, 11, 1), Some(date(2018, 11, 30)), date(2021, 6, 1)));
    assert_eq!(history.state(date(2017, 1, 1)), missed, "a later decision does not rewrite what was");
    let asked = DeadlineState::PassedWithoutDecision { deadline, request_pending: true };
    assert_eq!(history.state(date(2018, 11, 15)), asked);
    assert_eq!(history.state(date(2019, 1, 1)), DeadlineState::Running { deadline: date(2021, 6, 1) });
    assert_eq!(history.faults(), []);
}

#[test]
fn south_sudan_breaks_the_rule() {
    let party = StateParty { deposit: Some(date(2011, 11, 11)), ..in_force(2011, 7, 9) };
    assert_eq!(party.original_clearance_deadline(), date(2021, 7, 9));
    assert_eq!(party.follows_the_rule(), Some(false));
    assert_eq!(mine_ban(date(2012, 4, 16)).follows_the_rule(), Some(true));
    assert_eq!(in_force(2011, 7, 9).follows_the_rule(), None);
}

#[test]
fn reports_are_due_each_thirtieth_of_april() {
    let party = in_force(2005, 6, 1);
    let initial = ReportDue { period: ReportPeriod::Initial, due: date(2005, 11, 28) };
    assert_eq!(party.next_report(date(2005, 6, 1)), initial);
    assert_eq!(party.next_report(date(2005, 11, 28)), initial);
    let yearly = |year| ReportDue { period: ReportPeriod::CalendarYear { year }, due: date(year + 1, 4, 30) };
    assert_eq!(party.next_report(date(2005, 11, 29)), yearly(2005));
    assert_eq!(party.next_report(date(2026, 4, 30)), yearly(2025));
    assert_eq!(party.next_report(date(2026, 5, 1)), yearly(2026));
}

#[test]
fn a_request_before_the_deadline_is_a_state() {
    let history = somalia();
    let (deadline, requested) = (date(2022, 10, 1), Some(date(2027, 10, 1)));
    assert_eq!(history.state(date(2012, 1, 1)), DeadlineState::NotInForce);
    assert_eq!(history.state(date(2021, 1, 1)), DeadlineState::Running { deadline });
    let waiting = DeadlineState::ExtensionRequested { deadline, requested };
    assert_eq!(history.state(date(2022, 1, 1)), waiting);
    let passed = DeadlineState::PassedWithoutDecision { deadline, request_pending: true };
    assert_eq!(history.state(date(2022, 10, 2)), passed);
}

#[test]
fn ground_found_after_completion_opens_the_duty_again() {
    let mut history = DeadlineHistory::new(in_force(1999, 3, 1));
    history.completions.push(date(2008, 5, 1));
    assert_eq!(history.state(date(2011, 1, 1)), DeadlineState::Completed { on: date(2008, 5, 1) });
    history.entries.push(DeadlineEntry {
        kind: DeadlineKind::PostCompletionDiscovery,
        requested_on: Some(date(2011, 2, 1)),
        meeting: None,
        decided_on: None,
        new_deadline: None,
    });
    let reported = DeadlineState::DiscoveryReported { on: date(2011, 2, 1) };
    assert_eq!(history.state(date(2011, 3, 1)), reported);
    assert_eq!(history.faults(), []);
    history.entries[1].decided_on = Some(date(2011, 12, 2));
    assert_eq!(history.faults(), [HistoryFault::DecidedWithoutDeadline { index: 1 }]);
    history.entries[1].new_deadline = Some(date(2014, 1, 1));
    let running = DeadlineState::Running { deadline: date(2014, 1, 1) };
    assert_eq!(history.state(date(2012, 1, 1)), running);
    assert_eq!(history.faults(), []);
    history.completions.push(date(2013, 6, 1));
    assert_eq!(history.state(date(2014, 6, 1)), DeadlineState::Completed { on: date(2013, 6, 1) });
}

#[test]
fn extensions_are_limited_and_repeatable() {
    let mut history = DeadlineHistory::new(in_force(1999, 3, 1));
    history.entries.push(extension(date(2008, 3, 1), Some(date(2008, 11, 28)), date(2019, 3, 1)));
    history.entries.push(extension(date(2018, 3, 1), Some(date(2018, 11, 28)), date(2029, 3, 1)));
    assert_eq!(history.faults(), []);
    history.entries[2].new_deadline = Some(date(2029, 3, 2));
    let (limit, given) = (date(2029, 3, 1), date(2029, 3, 2));
    assert_eq!(history.faults(), [HistoryFault::ExtensionTooLong { index: 2, limit, given }]);
}

#[test]
fn cluster_munition_extensions_reach_five_years() {
    let party = StateParty::with_entry_into_force(Convention::ClusterMunitions, date(2010, 8, 1));
    let mut history = DeadlineHistory::new(party);
    history.entries.push(extension(date(2019, 8, 1), Some(date(2020, 7, 1)), date(2025, 8, 1)));
    assert_eq!(history.faults(), []);
    history.entries[1].new_deadline = Some(date(2026, 8, 1));
    let (limit, given) = (date(2025, 8, 1), date(2026, 8, 1));
    assert_eq!(history.faults(), [HistoryFault::ExtensionTooLong { index: 1, limit, given }]);
}

#[test]
fn what_cannot_be_right_is_named() {
    let mut history = somalia();
    history.entries[1].new_deadline = Some(date(2022, 9, 1));
    history.entries[1].decided_on = Some(date(2020, 1, 1));
    let previous = date(2022, 10, 1);
    assert_eq!(
        history.faults(),
        [
            HistoryFault::GoesBackwards { index: 1, previous, given: date(2022, 9, 1) },
            HistoryFault::DecidedBeforeRequest { index: 1 },
        ]
    );
    history.entries.remove(0);
    assert_eq!(history.faults()[0], HistoryFault::OriginalNotFirst);

    let mut history = somalia();
    history.entries[0].new_deadline = Some(date(2022, 10, 2));
    let (expected, given) = (date(2022, 10, 1), date(2022, 10, 2));
    assert_eq!(history.faults(), [HistoryFault::OriginalDiffers { expected, given }]);

    let mut history = somalia();
    history.entries.push(DeadlineEntry::original(&history.party));
    assert_eq!(history.faults(), [HistoryFault::SecondOriginal { index: 2 }]);
    history.entries[2] = extension(date(2015, 1, 1), Some(date(2016, 1, 1)), date(2028, 1, 1));
    assert_eq!(history.faults(), [HistoryFault::OutOfOrder { index: 2 }]);
    history.entries[2].requested_on = None;
    history.entries[2].decided_on = None;
    assert_eq!(history.faults(), [HistoryFault::Undated { index: 2 }]);
    history.entries[2] = extension(date(2026, 1, 1), None, date(2028, 1, 1));
    history.entries[2].kind = DeadlineKind::PostCompletionDiscovery;
    assert_eq!(history.faults(), [HistoryFault::DiscoveryWithoutCompletion { index: 2 }]);
}

#[test]
fn a_history_travels_as_json() {
    let history = somalia();
    let text = serde_json::to_string(&history).unwrap();
    assert_eq!(serde_json::from_str::<DeadlineHistory>(&text).unwrap(), history);
    let state = serde_json::to_value(history.state(date(2022, 10, 2))).unwrap();
    let expected =
        json!({"state": "passed_without_decision", "deadline": "2022-10-01", "request_pending": true});
    assert_eq!(state, expected);
}

/// The depositary's list as `(state, deposit)`; `None` where the data are not on this machine.
fn deposits(file: &str, column: usize) -> Option<Vec<(String, NaiveDate)>> {
    let folder = std::env::var_os("CARTAGENA_SHARED_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let path = folder.join(file);
    let Ok(mut reader) = csv::Reader::from_path(&path) else {
        println!("skipped: {} is not here", path.display());
        return None;
    };
    let rows = reader.records().map(Result::unwrap);
    let stated = rows.filter(|row| !row[column].is_empty());
    Some(
        stated
            .map(|row| {
                // The letters after a date are the kind of act: accession, succession …
                let day = row[column].trim_end_matches(|end: char| end.is_ascii_alphabetic() || end == ' ');
                let deposit = NaiveDate::parse_from_str(day, "%d %b %Y");
                (row[0].to_owned(), deposit.unwrap_or_else(|error| panic!("{}: {day}: {error}", &row[0])))
            })
            .collect(),
    )
}

fn assert_plausible(convention: Convention, deposits: &[(String, NaiveDate)]) {
    for (state, deposit) in deposits {
        let party = StateParty::from_deposit(convention, *deposit);
        let start = party.entry_into_force;
        assert_eq!(start.day(), 1, "{state}");
        assert!(start >= convention.in_force_since(), "{state}");
        assert!(start > *deposit + Months::new(5) - chrono::Days::new(1), "{state}");
        let waited_for_others = start == convention.in_force_since();
        assert!(waited_for_others || start <= *deposit + Months::new(6), "{state}");
        assert_eq!(DeadlineHistory::new(party).faults(), [], "{state}");
    }
}

#[test]
fn every_party_of_the_mine_ban_convention_has_a_plausible_start() {
    let Some(list) = deposits("mine_ban_convention_parties_2014.csv", 2) else { return };
    assert!(list.len() > 155, "{} states", list.len());
    assert_plausible(Convention::MineBan, &list);
}

#[test]
fn every_party_of_the_convention_on_cluster_munitions_has_a_plausible_start() {
    let Some(list) = deposits("cluster_munitions_parties_2014.csv", 3) else { return };
    assert!(list.len() > 75, "{} states", list.len());
    assert_plausible(Convention::ClusterMunitions, &list);
}
