//! What a person should know before a file is taken: what will be taken otherwise than it looks.

use std::collections::{BTreeMap, BTreeSet};

use super::identity::names_features;
use super::{Feature, Ids, ImportError, Mapping, Source, cell, date};
use crate::model::schema::GeometryRule;
use crate::report::AREA_DATES;

/// Values of a column that are named where none of them was wanted.
const VALUES: usize = 10;

/// The days from which the ledger counts a record of a kind; without any of them it is the day of the import.
const COUNTED_FROM: [(&str, &[&str]); 2] =
    [("hazardous_area", &AREA_DATES), ("land_release", &["completion_date"])];

/// Warnings, each a sentence without its full stop.
///
/// # Errors
/// Where every feature would be refused: the kind wants a geometry and the file has no column for one.
pub fn forewarnings(source: &Source, mapping: &Mapping<'_>, ids: &Ids) -> Result<Vec<String>, ImportError> {
    let wanted: Vec<&Feature> = source.features().filter(|feature| mapping.wants(&feature.columns)).collect();
    let mut warnings: Vec<String> = Vec::new();
    warnings.extend(without_geometry(source, mapping, wanted.len())?);
    if wanted.is_empty() {
        warnings.extend(unmatched(source, mapping));
        return Ok(warnings);
    }
    warnings.extend(ids.warning(&wanted));
    warnings.extend(undated(source, mapping, &wanted));
    warnings.extend(moments(mapping, &wanted));
    Ok(warnings)
}

fn without_geometry(
    source: &Source,
    mapping: &Mapping<'_>,
    count: usize,
) -> Result<Option<String>, ImportError> {
    let Some(columns) = &source.placeless else { return Ok(None) };
    let kind = mapping.schema().kind();
    let advice = format!("name it with --geometry, or --lon and --lat; there are: {columns}");
    match mapping.schema().geometry() {
        GeometryRule::None => Ok(None),
        GeometryRule::OneOf { required: false, .. } if count == 0 => Ok(None),
        GeometryRule::OneOf { required: true, .. } => Err(ImportError::Mapping(format!(
            "no column looks like a geometry, and a {kind} must have one: {advice}"
        ))),
        GeometryRule::OneOf { .. } => Ok(Some(format!(
            "no column looks like a geometry: {count} records come without a place, and no map and no figure of \
             ground shows them ({advice})"
        ))),
    }
}

/// What the columns of a filter say that let nothing through.
fn unmatched(source: &Source, mapping: &Mapping<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    for (column, value) in mapping.filter() {
        let there: BTreeSet<String> = source
            .features()
            .map(|feature| feature.columns.get(column).map(cell).unwrap_or_default())
            .collect();
        if there.contains(value.trim()) {
            continue;
        }
        let named: Vec<String> = there.iter().take(VALUES).map(|there| format!("`{there}`")).collect();
        let more =
            if there.len() > VALUES { format!(" and {} more", there.len() - VALUES) } else { String::new() };
        warnings.push(format!("no feature has {column}=`{value}`; there are: {}{more}", named.join(", ")));
    }
    if warnings.is_empty() && !mapping.filter().is_empty() {
        warnings.push("no feature has all that --where asks for at once".to_owned());
    }
    warnings
}

fn undated(source: &Source, mapping: &Mapping<'_>, wanted: &[&Feature]) -> Option<String> {
    let kind = mapping.schema().kind();
    let (_, dates) = COUNTED_FROM.iter().find(|(counted, _)| *counted == kind)?;
    let has_date = |feature: &&&Feature| {
        let fields = mapping.fields(feature, source.decimal);
        dates.iter().any(|date| fields.values.get(*date).is_some_and(|value| !value.is_null()))
    };
    let count = wanted.len() - wanted.iter().filter(has_date).count();
    let date = dates.first()?;
    (count > 0).then(|| {
        format!(
            "{count} of {} features have no `{date}`: their records are counted from the day of the import, as if \
             nothing had been known before. Name a column with --map COLUMN={date}",
            wanted.len()
        )
    })
}

/// Days that are written as moments: a program that keeps them in UTC turns midnight into the evening before.
fn moments(mapping: &Mapping<'_>, wanted: &[&Feature]) -> Vec<String> {
    let mut found: BTreeMap<&str, (usize, String)> = BTreeMap::new();
    for (column, value) in wanted.iter().flat_map(|feature| &feature.columns) {
        let text = cell(value);
        if mapping.is_day(column) && date::is_moment(&text) {
            found.entry(column).or_insert((0, text)).0 += 1;
        }
    }
    let say = |(column, (count, text)): (&str, (usize, String))| {
        format!(
            "days in `{column}` are written as moments: {count}, like `{text}`. The day is taken as it stands there; where \
             a clock of another zone wrote it, that is the day before or after: write YYYY-MM-DD, as it was there"
        )
    };
    found.into_iter().map(say).collect()
}

/// Columns that look taken and are not: an area in a column of another name is in no figure. Those that name the features,
/// and what this server adds to an export, are none of them.
pub fn only_kept(source: &Source, mapping: &Mapping<'_>) -> Option<String> {
    let wanted: Vec<&Feature> = source.features().filter(|feature| mapping.wants(&feature.columns)).collect();
    let is_ours = |feature: &&Feature| {
        feature.columns.get("version").is_some_and(|version| uuid::Uuid::try_parse(&cell(version)).is_ok())
    };
    if wanted.iter().any(is_ours) {
        return None;
    }
    let columns = wanted.iter().flat_map(|feature| feature.columns.keys().map(String::as_str));
    let kept = columns.filter(|column| mapping.is_only_kept(column) && !names_features(column));
    let kept: BTreeSet<&str> = kept.collect();
    let more = if kept.len() > VALUES { format!(" and {} more", kept.len() - VALUES) } else { String::new() };
    let named: Vec<&str> = kept.iter().take(VALUES).copied().collect();
    (!kept.is_empty()).then(|| {
        format!(
            "no field of a {} takes these columns, which are kept as they are and counted nowhere: {}{more}. Name a field \
             with --map COLUMN=FIELD, or leave them behind with --drop-unmapped",
            mapping.schema().kind(),
            named.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::mapping::Wishes;
    use super::super::{Reading, Source};
    use super::*;
    use crate::model::schema::Registry;

    fn warnings(
        kind: &str,
        text: &str,
        filter: &[(&str, &str)],
        id: Option<&str>,
    ) -> Result<Vec<String>, String> {
        let source = Source::read(text.as_bytes(), &Reading::default()).unwrap();
        let filter = filter.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let schema = Registry::embedded().latest(kind).unwrap();
        let mapping = Mapping::new(schema, Wishes { filter, ..Wishes::default() }).unwrap();
        let ids = Ids::choose(&source, id, None).unwrap();
        forewarnings(&source, &mapping, &ids).map_err(|fault| fault.to_string())
    }

    #[test]
    fn what_is_counted_from_the_day_of_the_import_is_said() {
        let text = "id,date_identified,wkt\n1,2020-01-01,POINT (18 44)\n2,,POINT (18 44)\n";
        let said = warnings("hazardous_area", text, &[], None).unwrap();
        assert!(said.len() == 1 && said[0].contains("1 of 2 features have no `date_identified`"), "{said:?}");
        assert_eq!(warnings("hazardous_area", text, &[("id", "1")], None), Ok(vec![]));
        assert_eq!(warnings("task", text, &[], None), Ok(vec![]));
        let said = warnings("land_release", text, &[], None).unwrap();
        assert!(said[0].contains("2 of 2 features have no `completion_date`"), "{said:?}");
    }

    #[test]
    fn days_that_another_clock_wrote_are_warned_of() {
        let text = "id,date_identified,notes,wkt\n1,2020-04-12T19:30:00Z,2020-04-12T19:30:00Z,POINT (18 44)\n\
                    2,2020-04-13,,POINT (18 44)\n";
        let said = warnings("hazardous_area", text, &[], None).unwrap();
        assert!(
            said.len() == 1 && said[0].contains("`date_identified` are written as moments: 1, like"),
            "{said:?}"
        );
    }

    #[test]
    fn columns_that_no_field_takes_are_named() {
        let source =
            Source::read(b"id,area,status,wkt\n1,25000,open,POINT (18 44)\n", &Reading::default()).unwrap();
        let schema = Registry::embedded().latest("hazardous_area").unwrap();
        let said = |drop_unmapped: bool| {
            only_kept(&source, &Mapping::new(schema, Wishes { drop_unmapped, ..Wishes::default() }).unwrap())
        };
        assert!(said(false).unwrap().contains("counted nowhere: area. Name"), "{:?}", said(false));
        assert_eq!(said(true), None);
    }

    #[test]
    fn a_row_without_its_id_is_known_by_its_content_only() {
        let text = "id,no,wkt\n1,A,POINT (18 44)\n2,,POINT (18 44)\n";
        let said = warnings("task", text, &[], Some("no")).unwrap();
        assert!(
            said[0].contains("1 of 2 features have no `no`") && said[0].contains("second record"),
            "{said:?}"
        );
        let said = warnings("task", text, &[], Some("-")).unwrap();
        assert!(said[0].starts_with("the features have no id"), "{said:?}");
    }

    #[test]
    fn a_table_without_a_geometry_is_refused_or_warned_of() {
        let text = "id,completion_date,date_identified\n1,2020-01-01,2020-01-01\n";
        assert!(warnings("land_release", text, &[], None).unwrap_err().contains("must have one"));
        let said = warnings("hazardous_area", text, &[], None).unwrap();
        assert!(said.len() == 1 && said[0].contains("1 records come without a place"), "{said:?}");
        assert_eq!(warnings("victim", text, &[], None), Ok(vec![]));
    }

    #[test]
    fn a_filter_that_lets_nothing_through_says_what_there_is() {
        use std::fmt::Write as _;
        let mut text = "id,kind,wkt\n".to_owned();
        for number in 10..22 {
            writeln!(text, "{number},{},POINT (18 44)", if number % 2 == 0 { "odd" } else { "even" })
                .unwrap();
        }
        let said = |filter: &[(&str, &str)]| warnings("task", &text, filter, None).unwrap().join("; ");
        assert!(said(&[("kind", "Odd")]).ends_with("no feature has kind=`Odd`; there are: `even`, `odd`"));
        assert!(said(&[("id", "9")]).ends_with("`18`, `19` and 2 more"), "{}", said(&[("id", "9")]));
        assert!(said(&[("id", "10"), ("kind", "even")]).contains("at once"));
        assert_eq!(said(&[("id", "10")]), "");
    }
}
