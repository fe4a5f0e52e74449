//! Dates: in order, and not in the future.

use chrono::{Datelike, NaiveDate};
use serde_json::Value;

use super::rules::{DATE_IN_FUTURE, DATE_TOO_EARLY, DATES_OUT_OF_ORDER, REPORT_BEFORE_INFORMATION};
use super::{Context, Findings, View};

/// Dates of things that have happened, in a record or in its rows. Plans may lie ahead.
const PAST: &[&str] = &[
    "accident_date",
    "classification_date",
    "closed_on",
    "completion_date",
    "consent_date",
    "date",
    "date_identified",
    "date_of_information",
    "date_of_report",
    "disposal_date",
    "found_date",
    "from",
    "handover_date",
    "inspection_date",
    "marking_date",
    "qa_accepted_on",
    "signed_on",
    "start_date",
    "status_date",
    "work_date",
];

/// `(earlier, later)`: the second may not lie before the first.
const ORDER: &[(&str, &str)] = &[
    ("start_date", "completion_date"),
    ("completion_date", "qa_accepted_on"),
    ("planned_start", "planned_end"),
    ("found_date", "disposal_date"),
];

/// Mine action has no records of its own before this year, but takes over those of two world wars.
const EARLIEST_YEAR: i32 = 1900;

pub(super) fn check(view: &View<'_>, context: &Context<'_>, findings: &mut Findings) {
    for (name, value) in view.properties {
        if let Some(rows) = value.as_array() {
            check_rows(name, rows, context.today, findings);
        }
        check_past(name, value, &format!("/properties/{name}"), context.today, findings);
    }
    for (earlier, later) in ORDER {
        let (Some(first), Some(second)) = (view.date(earlier), view.date(later)) else { continue };
        if second < first {
            let message = format!("{later} {second} lies before {earlier} {first}");
            findings.add(&DATES_OUT_OF_ORDER, format!("/properties/{later}"), message);
        }
    }
    for (index, row) in view.rows("suspensions") {
        if let (Some(from), Some(to)) = (date(&row["from"]), date(&row["to"]))
            && to < from
        {
            let pointer = format!("/properties/suspensions/{index}/to");
            findings.add(&DATES_OUT_OF_ORDER, pointer, format!("ended on {to}, before it began on {from}"));
        }
    }
    if let (Some(told), Some(written)) = (view.date("date_of_information"), view.date("date_of_report"))
        && written < told
    {
        let message = format!("reported on {written}, but the information is of {told}");
        findings.add(&REPORT_BEFORE_INFORMATION, "/properties/date_of_report", message);
    }
}

fn check_rows(name: &str, rows: &[Value], today: NaiveDate, findings: &mut Findings) {
    for (index, row) in rows.iter().enumerate() {
        let cells = row.as_object().filter(|_| row["removed"] != true);
        for (cell, value) in cells.into_iter().flatten() {
            check_past(cell, value, &format!("/properties/{name}/{index}/{cell}"), today, findings);
        }
    }
}

fn check_past(name: &str, value: &Value, pointer: &str, today: NaiveDate, findings: &mut Findings) {
    if !PAST.contains(&name) {
        return;
    }
    let Some(day) = date(value) else { return };
    if day > today {
        findings.add(&DATE_IN_FUTURE, pointer, format!("{day} is after today, {today}"));
    }
    if day.year() < EARLIEST_YEAR {
        findings.add(&DATE_TOO_EARLY, pointer, format!("{day} lies before {EARLIEST_YEAR}"));
    }
}

fn date(value: &Value) -> Option<NaiveDate> {
    value.as_str()?.parse().ok()
}
