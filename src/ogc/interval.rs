//! The `datetime` parameter: a moment, or an interval with or without ends.

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, NaiveTime, Utc};

use super::Unreadable;

/// A span of time, both ends included; no end is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Interval {
    /// The first moment.
    pub from: Option<DateTime<Utc>>,
    /// The last moment.
    pub to: Option<DateTime<Utc>>,
}

impl Interval {
    /// Reads `2024-05-01`, `2024-05-01T12:00:00Z`, `a/b`, and open ends as `..` or nothing. QGIS writes open ends as the
    /// years 0 and 9999. A length (`P1M`) in place of an end is read as open on that side, which leaves nothing out.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        let wrong = || {
            let reason = "a day or moment like 2024-12-31 or 2024-12-31T00:00:00Z, or two with `/` between, `..` for none";
            Unreadable::new("datetime", format!("`{text}`: {reason}"))
        };
        let Some((from, to)) = text.split_once('/') else {
            let (first, last) = span(text.trim()).ok_or_else(wrong)?;
            return Ok(Self { from: Some(first), to: Some(last) });
        };
        let end = |given: &str| match given.trim() {
            "" | ".." => Some(None),
            length if length.starts_with('P') => Some(None),
            moment => span(moment).map(Some),
        };
        let (from, to) = (end(from).ok_or_else(wrong)?, end(to).ok_or_else(wrong)?);
        let interval = Self { from: from.map(|span| span.0), to: to.map(|span| span.1) };
        match (interval.from, interval.to) {
            (Some(from), Some(to)) if from > to => Err(wrong()),
            _ => Ok(interval),
        }
    }

    /// The span that two dates of a record give; nothing where it has neither.
    pub fn of_dates(from: Option<&str>, to: Option<&str>) -> Option<Self> {
        let (from, to) = (from.and_then(span), to.and_then(span));
        (from.is_some() || to.is_some())
            .then(|| Self { from: from.map(|span| span.0), to: to.map(|span| span.1) })
    }

    /// Whether two spans share a moment.
    pub fn meets(&self, other: &Self) -> bool {
        let before = |end: Option<DateTime<Utc>>, begin: Option<DateTime<Utc>>| {
            end.zip(begin).is_some_and(|(end, begin)| end < begin)
        };
        !before(self.to, other.from) && !before(other.to, self.from)
    }
}

/// A first and a last moment.
pub type Span = (DateTime<Utc>, DateTime<Utc>);

/// The first and last moment of a day or of a moment.
pub fn span(text: &str) -> Option<Span> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        let moment = moment.with_timezone(&Utc);
        return Some((moment, moment));
    }
    // Without an offset it is not RFC 3339, but spreadsheets and ISO 8601 write it.
    if let Ok(moment) = text.parse::<NaiveDateTime>() {
        return Some((moment.and_utc(), moment.and_utc()));
    }
    let begin = text.parse::<NaiveDate>().ok()?.and_time(NaiveTime::MIN).and_utc();
    Some((begin, begin.checked_add_signed(Duration::microseconds(86_399_999_999))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meets(asked: &str, from: Option<&str>, to: Option<&str>) -> bool {
        Interval::parse(asked).unwrap().meets(&Interval::of_dates(from, to).unwrap())
    }

    #[test]
    fn open_ends_are_read_as_every_client_writes_them() {
        for (asked, meets_2020) in [
            ("2020-06-01/..", true),
            ("../2019-12-31T23:59:59Z", false),
            ("/2020-01-01", true),
            ("2021-01-01/", false),
            ("2020-05-05T00:00:00Z/9999-12-31T00:00:00Z", true),
            ("0000-01-01T00:00:00Z/2020-01-01T00:00:00Z", true),
            ("../..", true),
            ("2020-01-01T00:00:00Z/P1M", true),
        ] {
            assert_eq!(meets(asked, Some("2020-01-01"), Some("2020-12-31")), meets_2020, "{asked}");
        }
    }

    #[test]
    fn a_day_is_all_of_the_day() {
        assert!(meets("2020-03-01", Some("2020-03-01"), Some("2020-03-01")));
        assert!(meets("2020-03-01T18:30:00+02:00", Some("2020-03-01"), Some("2020-03-01")));
        assert!(!meets("2020-03-02", Some("2020-03-01"), Some("2020-03-01")));
        assert!(meets("2035-01-01", Some("2020-03-01"), None), "an area that has not ended goes on");
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["yesterday", "2020-13-01", "2021-01-01/2020-01-01", "a/b", "2020-01-01/2020-02-01/x", ""]
        {
            assert!(Interval::parse(text).is_err(), "{text}");
        }
    }
}
