//! The question that a ledger's address asks: which ground, when, on which basis, in which rows.

use std::collections::BTreeSet;

use chrono::{Datelike as _, NaiveDate, TimeDelta, Utc};
use geo::Rect;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use uuid::Uuid;

use super::error::{ApiError, ApiResult};
use super::ground::must_see_ground;
use super::records::read_bbox;
use super::table;
use crate::ledger::{
    Classification, Contamination, Cut, PieceState, Query, ReleaseResult, TreatyScope, Want,
};
use crate::model::Role;
use crate::report::book::{Basis, Books};

/// How the ground is named about which the records say nothing.
const NOTHING: &str = "none";

const CUTS: [(&str, Cut); 9] = [
    ("year", Cut::Year),
    ("admin1", Cut::Admin1),
    ("admin2", Cut::Admin2),
    ("admin3", Cut::Admin3),
    ("classification", Cut::Classification),
    ("contamination", Cut::Contamination),
    ("operator", Cut::Operator),
    ("result", Cut::Result),
    ("method", Cut::Method),
];

/// The name of a cut in questions and in rows.
pub(super) fn name_of(cut: Cut) -> &'static str {
    CUTS.iter().find(|(_, known)| *known == cut).map_or("", |(name, _)| name)
}

/// Which ground, on which basis, in which rows. `none` as a filter's value asks for the ground about which the
/// records say nothing.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    /// The last day that counts, as `2024-12-31`; today where left out.
    #[serde(default, deserialize_with = "past_day")]
    as_of: Option<NaiveDate>,
    /// Balance and the pieces behind one: the first day; 1 January of the last day's year where left out.
    #[serde(default, deserialize_with = "day")]
    from: Option<NaiveDate>,
    /// Balance and the pieces behind one: the last day; today where left out.
    #[serde(default, deserialize_with = "day")]
    to: Option<NaiveDate>,
    /// `official` counts what is finalised, `provisional` everything that was not rejected.
    #[serde(default)]
    pub(super) basis: Basis,
    /// Any of year (balance only), admin1, admin2, admin3, classification, contamination, operator, result, method;
    /// with commas.
    group_by: Option<String>,
    /// Code of a province.
    admin1: Option<String>,
    /// Code of a district.
    admin2: Option<String>,
    /// Code of a commune.
    admin3: Option<String>,
    /// `cha` or `sha`
    classification: Option<String>,
    /// Exactly this mixture, its kinds joined by `+` (in an address `%2B`).
    contamination: Option<String>,
    /// `apmbc_article_5` or `ccm_article_4`
    treaty: Option<String>,
    /// Who released the ground by the end of the period, else who reported the area.
    operator: Option<Uuid>,
    /// Not for what remains. How it was released by the end of the period: cancelled, reduced, cleared, `bac_cleared`.
    result: Option<String>,
    /// Not for what remains. With which method it was released by the end of the period.
    method: Option<String>,
    /// One hazardous area's ground.
    hazard: Option<Uuid>,
    /// Not for what remains. One release's ground.
    release: Option<Uuid>,
    /// Pieces at the end of a day only: `contaminated` or `released`.
    state: Option<String>,
    /// Pieces only: those in or across `min_lon,min_lat,max_lon,max_lat`, each whole.
    bbox: Option<String>,
    /// Pieces behind a balance only: those alone that came or went in the period. They add up to its flows, not to what
    /// it opens and closes with.
    #[serde(default)]
    pub(super) moved: bool,
    /// Not for pieces. `json`, `csv` or `xlsx`; without, as `Accept` says.
    pub(super) f: Option<String>,
}

/// All ground, at the end of a day.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndOfDay {
    /// The last day that counts, as `2024-12-31`; today where left out.
    #[serde(default, deserialize_with = "past_day")]
    as_of: Option<NaiveDate>,
    /// `official` counts what is finalised, `provisional` everything that was not rejected; official where left out.
    basis: Option<Basis>,
    /// `json`, `csv` or `xlsx`; without, as `Accept` says.
    pub(super) f: Option<String>,
}

impl EndOfDay {
    pub(super) fn read(self) -> (NaiveDate, Basis) {
        (self.as_of.unwrap_or_else(|| Utc::now().date_naive()), self.basis.unwrap_or_default())
    }

    /// The basis, where one is asked for.
    pub(super) fn basis(&self) -> Option<Basis> {
        self.basis
    }

    /// Whether a day is asked for.
    pub(super) fn has_day(&self) -> bool {
        self.as_of.is_some()
    }
}

fn day<'de, D: Deserializer<'de>>(given: D) -> Result<Option<NaiveDate>, D::Error> {
    let given = String::deserialize(given)?;
    let day = given.parse().map_err(|_unreadable| D::Error::custom(not_a_day(&given)))?;
    if !(1900..=2200).contains(&NaiveDate::year(&day)) {
        return Err(D::Error::custom(not_a_day(&given)));
    }
    Ok(Some(day))
}

/// A day that has begun somewhere on the globe: of a later one nothing is known, and a document of it would say that there
/// is.
fn past_day<'de, D: Deserializer<'de>>(given: D) -> Result<Option<NaiveDate>, D::Error> {
    let day = day(given)?;
    match day.filter(|day| !has_begun(*day)) {
        Some(day) => Err(D::Error::custom(format!("`as_of={day}` has not come yet"))),
        None => Ok(day),
    }
}

/// Whether a day has begun anywhere: east of the date line it is tomorrow already.
pub(super) fn has_begun(day: NaiveDate) -> bool {
    day <= (Utc::now() + TimeDelta::hours(14)).date_naive()
}

fn not_a_day(given: &str) -> String {
    format!("`{given}` is not a day between 1900 and 2200, written like 2024-12-31")
}

fn wrong(name: &str, value: &str, allowed: &str) -> ApiError {
    ApiError::bad_request("query", format!("{name}={value}: one of {allowed}"))
}

/// The question of an endpoint that knows only some of the parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    Remaining,
    Balance,
    Pieces,
}

impl Which {
    /// Refuses what this endpoint would have to ignore: a figure must be of what was asked.
    pub(super) fn for_endpoint(self, endpoint: Endpoint) -> ApiResult<Self> {
        let period = matches!(endpoint, Endpoint::Balance | Endpoint::Pieces);
        let rows = matches!(endpoint, Endpoint::Remaining | Endpoint::Balance);
        // What remains has not been released: to ask how would always be answered by 0 m².
        let released = endpoint != Endpoint::Remaining;
        let over_period = self.over_period();
        let given = [
            ("from", self.from.is_some(), period),
            ("to", self.to.is_some(), period),
            ("group_by", self.group_by.is_some(), rows),
            ("state", self.state.is_some(), endpoint == Endpoint::Pieces && !over_period),
            ("result", self.result.is_some(), released),
            ("method", self.method.is_some(), released),
            ("release", self.release.is_some(), released),
            ("bbox", self.bbox.is_some(), endpoint == Endpoint::Pieces),
            ("moved", self.moved, endpoint == Endpoint::Pieces && over_period),
            ("f", self.f.is_some(), rows),
        ];
        if let Some((name, ..)) = given.iter().find(|(_, given, known)| *given && !known) {
            let why = format!("`{name}` is not a question that this address answers; leave it out");
            return Err(ApiError::bad_request("query", why));
        }
        if self.as_of.is_some() && over_period {
            let why = "either `as_of` for the end of a day, or `from` and `to` for a period";
            return Err(ApiError::bad_request("query", why));
        }
        Ok(self)
    }

    /// Refuses figures of one area or one release to whoever is not shown it.
    pub(super) fn must_be_shown_to(&self, reader: Role) -> ApiResult<()> {
        if self.hazard.is_some() || self.release.is_some() {
            must_see_ground(reader, self.basis)?;
        }
        Ok(())
    }

    /// Whether the question is about a period rather than the end of a day.
    pub(super) fn over_period(&self) -> bool {
        self.from.is_some() || self.to.is_some()
    }

    pub(super) fn as_of(&self) -> NaiveDate {
        self.as_of.unwrap_or_else(|| Utc::now().date_naive())
    }

    pub(super) fn period(&self) -> ApiResult<(NaiveDate, NaiveDate)> {
        let to = self.to.or(self.as_of).unwrap_or_else(|| Utc::now().date_naive());
        let first = NaiveDate::from_ymd_opt(to.year(), 1, 1).unwrap_or(to);
        let from = self.from.unwrap_or(first);
        if from > to || to.year() - from.year() > 100 {
            return Err(ApiError::bad_request("period", "`from` comes before `to`, at most 100 years"));
        }
        Ok((from, to))
    }

    /// Only pieces in this state.
    pub(super) fn state(&self) -> ApiResult<Option<PieceState>> {
        match self.state.as_deref() {
            None => Ok(None),
            Some("contaminated") => Ok(Some(PieceState::Contaminated)),
            Some("released") => Ok(Some(PieceState::Released)),
            Some(other) => Err(wrong("state", other, "contaminated, released")),
        }
    }

    /// Only pieces in or across this box.
    pub(super) fn bounds(&self) -> ApiResult<Option<Rect>> {
        let read = |[west, south, east, north]: [f64; 4]| Rect::new((west, south), (east, north));
        Ok(self.bbox.as_deref().map(read_bbox).transpose()?.map(read))
    }

    pub(super) fn query(&self) -> ApiResult<Query> {
        let result = |given: &str| {
            let all = "cancelled, reduced, cleared, bac_cleared, none";
            given.parse::<ReleaseResult>().map_err(|_unknown| wrong("result", given, all))
        };
        Ok(Query {
            cuts: self.cuts()?,
            admin: [&self.admin1, &self.admin2, &self.admin3].map(|code| want(code.as_ref())),
            classification: self.classification.as_deref().map(classification).transpose()?,
            contamination: self.contamination.as_deref().map(contamination).transpose()?,
            scope: self.treaty.as_deref().map(treaty).transpose()?,
            operator: self.operator,
            result: match self.result.as_deref() {
                None => Want::Any,
                Some(NOTHING) => Want::Nothing,
                Some(given) => Want::Only(result(given)?),
            },
            method: want(self.method.as_ref()),
            hazards: self.hazard.map(|id| [id].into()),
            releases: self.release.map(|id| [id].into()),
        })
    }

    fn cuts(&self) -> ApiResult<Vec<Cut>> {
        let names = self.group_by.as_deref().unwrap_or_default().split(',').map(str::trim);
        let mut cuts = Vec::new();
        for name in names.filter(|name| !name.is_empty()) {
            let Some((_, cut)) = CUTS.iter().find(|(known, _)| *known == name) else {
                return Err(wrong("group_by", name, &CUTS.map(|(name, _)| name).join(", ")));
            };
            if !cuts.contains(cut) {
                cuts.push(*cut);
            }
        }
        Ok(cuts)
    }

    /// Refuses a code that neither the programme's units nor any area has: a mistyped province is not one without
    /// contamination.
    pub(super) fn check_units(&self, books: &Books) -> ApiResult<()> {
        for (level, code) in [&self.admin1, &self.admin2, &self.admin3].into_iter().enumerate() {
            let Some(code) = code.as_deref().filter(|code| *code != NOTHING) else { continue };
            if !books.knows_unit(level, code) {
                let why = format!("admin{}={code}: no unit or area with this code is on record", level + 1);
                return Err(ApiError::bad_request("query", why));
            }
        }
        Ok(())
    }

    /// The address of the pieces behind a row with this key.
    pub(super) fn pieces_href(&self, when: &[(&'static str, String)], key: &[(Cut, Option<&str>)]) -> String {
        let mut pairs: Vec<(&'static str, String)> = when.to_vec();
        pairs.push(("basis", self.basis.to_string()));
        let given = [
            ("admin1", self.admin1.clone()),
            ("admin2", self.admin2.clone()),
            ("admin3", self.admin3.clone()),
            ("classification", self.classification.clone()),
            ("contamination", self.contamination.clone()),
            ("treaty", self.treaty.clone()),
            ("operator", self.operator.map(|id| id.to_string())),
            ("result", self.result.clone()),
            ("method", self.method.clone()),
            ("hazard", self.hazard.map(|id| id.to_string())),
            ("release", self.release.map(|id| id.to_string())),
        ];
        pairs.extend(given.into_iter().filter_map(|(name, value)| Some((name, value?))));
        for (cut, value) in key.iter().filter(|(cut, _)| *cut != Cut::Year) {
            pairs.retain(|(name, _)| *name != name_of(*cut));
            pairs.push((name_of(*cut), value.unwrap_or(NOTHING).to_owned()));
        }
        let pairs: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{name}={}", table::percent(value))).collect();
        format!("/v1/ledger/pieces?{}", pairs.join("&"))
    }
}

fn want(given: Option<&String>) -> Want<String> {
    match given {
        None => Want::Any,
        Some(code) if code == NOTHING => Want::Nothing,
        Some(code) => Want::Only(code.clone()),
    }
}

fn classification(given: &str) -> ApiResult<Classification> {
    given.to_lowercase().parse().map_err(|_unknown| wrong("classification", given, "cha, sha"))
}

fn treaty(given: &str) -> ApiResult<TreatyScope> {
    given.parse().map_err(|_unknown| wrong("treaty", given, "apmbc_article_5, ccm_article_4"))
}

/// A `+` that was typed into an address as it is arrives as a blank.
fn contamination(given: &str) -> ApiResult<BTreeSet<Contamination>> {
    let kind = |kind: &str| {
        let all = Contamination::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ");
        kind.parse().map_err(|_unknown| wrong("contamination", kind, &all))
    };
    given.split(['+', ' ']).map(kind).collect()
}
