//! When a programme will be done at its pace, and whether that is in time (domain words: required annual rate,
//! three-year mean, projected completion as a range, gap).
//!
//! Plain numbers in, plain numbers and a reason out. A projection is arithmetic, not a promise: "as soon as possible"
//! is the duty, and the deadline its limit.

use std::fmt;

use chrono::{Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};

/// Beyond this a projection says nothing and a date is not given.
const HORIZON_YEARS: f64 = 500.0;

/// One full calendar year of a programme, m².
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct YearOfWork {
    /// Which year.
    pub year: i32,
    /// Cancelled + reduced + cleared.
    pub released_m2: f64,
    /// Newly identified, which has to be released too.
    pub newly_identified_m2: f64,
}

/// Where a programme stands.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// End of the day the figures are of.
    pub as_of: NaiveDate,
    /// Contaminated ground, m².
    pub remaining_m2: f64,
    /// The deadline in force, if there is one.
    pub deadline: Option<NaiveDate>,
    /// What keeps the figure from being the whole truth.
    pub doubts: Doubts,
}

/// What the remaining ground does not hold though it may have to be cleared: with any of it, "nothing remains" is not
/// "complete".
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Doubts {
    /// No area has ever been in these books.
    pub nothing_recorded: bool,
    /// Areas known by a point and a reported size only.
    pub reported_only: u64,
    /// Records that count with less than they report, or not at all.
    pub left_out: usize,
    /// Ground that remains provisionally beyond the official figure, m².
    pub unapproved_m2: f64,
}

impl Doubts {
    fn any(&self) -> bool {
        self.nothing_recorded || self.reported_only > 0 || self.left_out > 0 || self.unapproved_m2 > 0.0
    }
}

impl fmt::Display for Doubts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        if self.nothing_recorded {
            words.push("no area has ever been in these books".to_owned());
        }
        if self.unapproved_m2 > 0.0 {
            words.push(format!("{} remain provisionally and await approval", km2(self.unapproved_m2)));
        }
        if self.reported_only > 0 {
            words.push(format!("{} areas are known by a reported size only", self.reported_only));
        }
        if self.left_out > 0 {
            words.push(format!("{} records are left out of the figures", self.left_out));
        }
        f.write_str(&words.join("; "))
    }
}

/// How a programme stands against its deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nothing remains, and nothing is in doubt.
    Complete,
    /// Nothing remains in the figures, but they do not hold everything: whether the work is done cannot be told.
    Undetermined,
    /// The deadline has passed and ground remains.
    DeadlinePassed,
    /// At the mean pace the work ends in time.
    OnTrack,
    /// At the mean pace it does not.
    Behind,
    /// Nothing was released in the years looked at: no pace to project from.
    NoRate,
    /// There is no deadline to stand against.
    NoDeadline,
}

impl Standing {
    /// The code in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Undetermined => "undetermined",
            Self::DeadlinePassed => "deadline_passed",
            Self::OnTrack => "on_track",
            Self::Behind => "behind",
            Self::NoRate => "no_rate",
            Self::NoDeadline => "no_deadline",
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Projected completion; `None` where the pace never gets there or only after centuries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Completion {
    /// At the pace of the fastest year.
    pub earliest: Option<NaiveDate>,
    /// At the mean pace.
    pub mean: Option<NaiveDate>,
    /// At the pace of the slowest year.
    pub latest: Option<NaiveDate>,
    /// At the mean pace less newly identified ground at its mean pace.
    pub net: Option<NaiveDate>,
}

/// A forecast.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Forecast {
    /// On track or not.
    pub standing: Standing,
    /// Why, in a sentence with the figures.
    pub reasoning: String,
    /// remaining / years to the deadline, m² a year; `None` without a future deadline.
    pub required_m2_per_year: Option<f64>,
    /// Mean of the last three years, or of fewer if there are not three.
    pub mean_m2_per_year: Option<f64>,
    /// Years the mean is taken over, ascending.
    pub years: Vec<i32>,
    /// actual / required: below 1 is too slow.
    pub gap: Option<f64>,
    /// When the work would end.
    pub completion: Completion,
}

/// Projects linearly from the last three full years up to `as_of`: completion = `as_of` + remaining / rate.
pub fn forecast(position: &Position, history: &[YearOfWork]) -> Forecast {
    let years = last_three(position.as_of, history);
    let mean = |value: fn(&YearOfWork) -> f64| {
        (!years.is_empty()).then(|| years.iter().map(value).sum::<f64>() / count(years.len()))
    };
    let rate = mean(|year| year.released_m2);
    let found = mean(|year| year.newly_identified_m2).unwrap_or(0.0);
    let paces = || years.iter().map(|year| year.released_m2);
    let done_at = |pace: Option<f64>| completion(position, pace?);
    let required = required_rate(position);
    let completion = Completion {
        earliest: done_at(paces().reduce(f64::max)),
        mean: done_at(rate),
        latest: done_at(paces().reduce(f64::min)),
        net: done_at(rate.map(|rate| rate - found)),
    };
    let standing = stand(position, rate, &completion);
    Forecast {
        standing,
        reasoning: reason(position, standing, required, rate, &completion),
        required_m2_per_year: required,
        mean_m2_per_year: rate,
        years: years.iter().map(|year| year.year).collect(),
        gap: rate.zip(required).filter(|(_, required)| *required > 0.0).map(|(rate, r)| rate / r),
        completion,
    }
}

/// remaining / years to the deadline in m² a year; `None` without a deadline in the future.
fn required_rate(position: &Position) -> Option<f64> {
    let deadline = position.deadline.filter(|deadline| *deadline > position.as_of)?;
    Some(position.remaining_m2 / years_between(position.as_of, deadline))
}

/// Whole calendar years and the share of the last one, so that six years to the day are 6.
fn years_between(from: NaiveDate, to: NaiveDate) -> f64 {
    let years = to.years_since(from).unwrap_or(0);
    let last = from.checked_add_months(Months::new(12 * years)).unwrap_or(to);
    let next = last.checked_add_months(Months::new(12)).unwrap_or(to);
    f64::from(years) + days(last, to) / days(last, next).max(1.0)
}

fn last_three(as_of: NaiveDate, history: &[YearOfWork]) -> Vec<YearOfWork> {
    let full =
        |year: &&YearOfWork| NaiveDate::from_ymd_opt(year.year, 12, 31).is_some_and(|last| last <= as_of);
    let mut years: Vec<YearOfWork> = history.iter().filter(full).copied().collect();
    years.sort_by_key(|year| year.year);
    years.split_off(years.len().saturating_sub(3))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 500 years")]
fn completion(position: &Position, pace: f64) -> Option<NaiveDate> {
    if position.remaining_m2 <= 0.0 {
        return (!position.doubts.any()).then_some(position.as_of);
    }
    let years = position.remaining_m2 / pace;
    if !(pace > 0.0 && years <= HORIZON_YEARS) {
        return None;
    }
    let last = position.as_of.checked_add_months(Months::new(12 * years.floor() as u32))?;
    let next = last.checked_add_months(Months::new(12))?;
    last.checked_add_days(Days::new((years.fract() * days(last, next)).ceil() as u64))
}

fn stand(position: &Position, rate: Option<f64>, completion: &Completion) -> Standing {
    if position.remaining_m2 <= 0.0 {
        return if position.doubts.any() { Standing::Undetermined } else { Standing::Complete };
    }
    let Some(deadline) = position.deadline else {
        return Standing::NoDeadline;
    };
    // The deadline itself is the last day in time.
    if deadline < position.as_of {
        return Standing::DeadlinePassed;
    }
    if rate.is_none_or(|rate| rate <= 0.0) {
        return Standing::NoRate;
    }
    if completion.mean.is_some_and(|done| done <= deadline) { Standing::OnTrack } else { Standing::Behind }
}

fn reason(
    position: &Position,
    standing: Standing,
    required: Option<f64>,
    rate: Option<f64>,
    completion: &Completion,
) -> String {
    let left = km2(position.remaining_m2);
    let as_of = position.as_of;
    let deadline = position.deadline.map_or_else(|| "no deadline".to_owned(), |d| d.to_string());
    let required = required.map_or_else(|| "unknown".to_owned(), km2);
    let rate = rate.map_or_else(|| "unknown".to_owned(), km2);
    let done = completion.mean.map_or_else(|| "not foreseeable".to_owned(), |d| d.to_string());
    let doubts = if position.doubts.any() { format!("; {}", position.doubts) } else { String::new() };
    let reasoning = match standing {
        Standing::Complete => format!("nothing remains on {as_of}"),
        Standing::Undetermined => {
            format!("nothing remains in the figures on {as_of}, but they are not the whole")
        }
        Standing::DeadlinePassed => {
            format!("{left} remain on {as_of}, after the deadline {deadline}")
        }
        Standing::NoRate => {
            format!(
                "{left} remain, {required} a year are required by {deadline}, and no release is on record"
            )
        }
        Standing::NoDeadline => {
            format!(
                "{left} remain; at {rate} a year they are released by {done}; no deadline is known: the programme has \
                 neither a day of deposit nor one of entry into force"
            )
        }
        Standing::OnTrack | Standing::Behind => format!(
            "{left} remain on {as_of}; {required} a year are required by {deadline}, {rate} a year were released on \
             average; at that pace completion is {done}"
        ),
    };
    reasoning + &doubts
}

/// An area in the unit that says something of it.
fn km2(m2: f64) -> String {
    if m2 < 1e5 { format!("{m2:.0} m²") } else { format!("{:.2} km²", m2 / 1e6) }
}

#[expect(clippy::cast_precision_loss, reason = "a handful of years")]
fn count(years: usize) -> f64 {
    years as f64
}

#[expect(clippy::cast_precision_loss, reason = "days between two dates")]
fn days(from: NaiveDate, to: NaiveDate) -> f64 {
    (to - from).num_days() as f64
}

#[cfg(test)]
mod tests {
    use chrono::Datelike;

    use super::*;

    fn date(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    fn at(as_of: NaiveDate, remaining_m2: f64, deadline: Option<NaiveDate>) -> Position {
        Position { as_of, remaining_m2, deadline, doubts: Doubts::default() }
    }

    #[test]
    fn nothing_left_in_the_figures_is_complete_only_without_doubt() {
        let doubts = [
            Doubts { nothing_recorded: true, ..Doubts::default() },
            Doubts { reported_only: 1, ..Doubts::default() },
            Doubts { left_out: 2, ..Doubts::default() },
            Doubts { unapproved_m2: 1e6, ..Doubts::default() },
        ];
        for doubts in doubts {
            let position = Position { doubts, ..at(date(2025, 1, 1), 0.0, Some(date(2030, 1, 1))) };
            let found = forecast(&position, &[year(2024, 5.0, 0.0)]);
            assert_eq!(found.standing, Standing::Undetermined, "{doubts:?}");
            assert_eq!(found.completion.mean, None, "{doubts:?}");
            assert!(found.reasoning.contains(&doubts.to_string()), "{}", found.reasoning);
        }
    }

    fn year(year: i32, released_m2: f64, newly_identified_m2: f64) -> YearOfWork {
        YearOfWork { year, released_m2, newly_identified_m2 }
    }

    #[test]
    fn angola_at_the_end_of_2024() {
        let position = at(date(2024, 12, 31), 57.02e6, Some(date(2030, 12, 31)));
        let released = (3.03 + 2.38 + 0.14) * 1e6;
        let found = forecast(&position, &[year(2024, released, 0.0)]);
        let required = found.required_m2_per_year.unwrap();
        assert!((required / 1e6 - 9.50).abs() < 0.005, "{required}");
        assert!((found.mean_m2_per_year.unwrap() / 1e6 - 5.55).abs() < 1e-9);
        assert!((found.gap.unwrap() - 5.55 / 9.50).abs() < 0.001);
        assert_eq!(found.completion.mean.unwrap().year(), 2035);
        assert_eq!(found.standing, Standing::Behind);
        assert!(found.reasoning.contains("9.50 km² a year"), "{}", found.reasoning);
    }

    #[test]
    fn the_range_comes_from_the_last_three_full_years() {
        let history = [
            year(2021, 90.0, 0.0),
            year(2024, 10.0, 4.0),
            year(2022, 20.0, 2.0),
            year(2023, 30.0, 0.0),
            year(2025, 500.0, 0.0),
        ];
        let position = at(date(2025, 6, 30), 100.0, Some(date(2031, 6, 30)));
        let found = forecast(&position, &history);
        assert_eq!(found.years, [2022, 2023, 2024]);
        assert_eq!(found.mean_m2_per_year, Some(20.0));
        assert_eq!(found.standing, Standing::OnTrack);
        let Completion { earliest, mean, latest, net } = found.completion;
        assert_eq!(earliest.unwrap().year(), 2028);
        assert_eq!(mean.unwrap().year(), 2030);
        assert_eq!(latest.unwrap().year(), 2035);
        assert!(net.unwrap() > mean.unwrap() && net.unwrap() < latest.unwrap());
    }

    #[test]
    fn standings_at_the_edges() {
        let history = [year(2024, 1.0, 3.0)];
        let at = |remaining_m2: f64, deadline: Option<NaiveDate>, history: &[YearOfWork]| {
            forecast(&at(date(2025, 1, 1), remaining_m2, deadline), history)
        };
        let later = Some(date(2030, 1, 1));
        assert_eq!(at(0.0, later, &[]).standing, Standing::Complete);
        assert_eq!(at(1.0, Some(date(2024, 12, 31)), &history).standing, Standing::DeadlinePassed);
        assert_eq!(
            at(1.0, Some(date(2025, 1, 1)), &history).standing,
            Standing::Behind,
            "the last day in time"
        );
        assert_eq!(at(1.0, later, &[]).standing, Standing::NoRate);
        assert_eq!(at(1.0, later, &[year(2024, 0.0, 0.0)]).standing, Standing::NoRate);
        assert_eq!(at(1.0, None, &history).standing, Standing::NoDeadline);
        assert_eq!(at(1.0, later, &history).completion.net, None, "found faster than released");
        assert_eq!(at(1e9, later, &history).completion.mean, None, "beyond the horizon");
        assert_eq!(at(1e9, later, &history).standing, Standing::Behind);
    }
}
