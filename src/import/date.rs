//! Dates as people write them in tables.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime};

/// `YYYY-MM-DD` of a date. Year first may be written with `-`, `/` or `.` and be followed by a time; otherwise the day
/// comes first, and a date that may as well be read month first is not guessed.
///
/// # Errors
/// Why it is no date, or which two days it may be.
pub(super) fn read(text: &str) -> Result<String, String> {
    let text = text.trim();
    let day = text.split_once(['T', ' ']).map_or(text, |(day, _time)| day);
    let parts: Vec<&str> = day.split(['-', '/', '.']).collect();
    let numbers: Option<Vec<u32>> = parts.iter().map(|part| part.parse().ok()).collect();
    let refused = || format!("`{text}` is not a date: write YYYY-MM-DD");
    let (Some([a, b, c]), [first, _, last]) = (numbers.as_deref(), parts.as_slice()) else {
        return Err(refused());
    };
    let date = |year: u32, month: u32, day: u32| {
        i32::try_from(year).ok().and_then(|year| NaiveDate::from_ymd_opt(year, month, day))
    };
    if first.len() == 4 {
        return date(*a, *b, *c).map(|date| date.to_string()).ok_or_else(refused);
    }
    if last.len() != 4 {
        return Err(refused());
    }
    match (date(*c, *b, *a), date(*c, *a, *b)) {
        (Some(one), Some(other)) if one != other => {
            Err(format!("`{text}` may be {one} or {other}: write YYYY-MM-DD"))
        }
        (Some(date), _) => Ok(date.to_string()),
        _ => Err(format!("`{text}` is not day/month/year: write YYYY-MM-DD")),
    }
}

/// Whether a day is written as a moment by another clock (RFC 3339, or as GDAL writes it in tables): at that moment it
/// may have been another day where it was written.
pub(super) fn is_moment(text: &str) -> bool {
    let text = text.trim().replace('/', "-");
    // GDAL leaves out the minutes of an offset.
    [text.clone(), format!("{text}:00")]
        .iter()
        .find_map(|text| text.parse::<DateTime<FixedOffset>>().ok())
        .is_some_and(|moment| moment.time() != NaiveTime::MIN)
}

#[cfg(test)]
mod tests {
    use super::{is_moment, read};

    #[test]
    fn a_day_that_is_written_as_a_moment_is_known_as_one() {
        for text in ["2020-04-12T19:30:00Z", "2020-04-12T22:00:00.000+00:00", "2020/04/12 19:30:00+00"] {
            assert!(is_moment(text), "{text}");
        }
        for text in ["2020-04-13", "2020-04-13T00:00:00Z", "2020-04-13T08:15:00", "13/04/2020", "", "x"] {
            assert!(!is_moment(text), "{text}");
        }
    }

    #[test]
    fn certain_dates_are_read() {
        for text in
            ["2020-04-13", "2020/04/13", "13/04/2020", "13.4.2020", "2020-04-13T00:00:00Z", " 13-04-2020 "]
        {
            assert_eq!(read(text).as_deref(), Ok("2020-04-13"), "{text}");
        }
        assert_eq!(read("05/05/2020").as_deref(), Ok("2020-05-05"));
    }

    #[test]
    fn doubtful_dates_are_not_guessed() {
        let doubt = read("03/04/2020").unwrap_err();
        assert!(doubt.contains("2020-04-03") && doubt.contains("2020-03-04"), "{doubt}");
        for text in ["04/13/2020", "13/04/20", "43934", "", "2020-13-01", "31/02/2020", "x/y/z", "2020"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
