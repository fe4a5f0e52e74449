//! The ledger: what remains, how it came about, the ground behind every figure, and frozen years.

use actix_web::web::{self, Data, Query as Params};
use actix_web::{HttpRequest, HttpResponse, get};
use chrono::NaiveDate;
use geo::{BoundingRect as _, Intersects as _};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::access::Access;
use super::error::{ApiError, ApiResult};
use super::figures::{Figures, Form, Heading, members};
use super::ground::must_see_ground;
use super::map_access::MapAccess;
use super::state::AppState;
use super::table::{self, Table};
use super::which::{EndOfDay, Endpoint, Which, name_of};
use crate::auth::permission::{ReadLedger, ReadPieces};
use crate::geometry::SquareMillimetres;
use crate::geometry::shape::to_geojson;
use crate::ledger::{BalanceRow, Cut, PieceView, Query, ReleaseFigures};
use crate::report::article5::{self, Progress};
use crate::report::book::Books;

/// Asks the live books off the async threads.
pub(super) async fn ask<T: Send + 'static>(
    state: &Data<AppState>,
    question: impl FnOnce(&Books) -> T + Send + 'static,
) -> ApiResult<T> {
    let shared = state.clone();
    Ok(web::block(move || shared.books.current(shared.blocking_store(), question)).await??)
}

fn keyed<'k>(query: &Query, key: &'k [Option<String>]) -> Vec<(Cut, Option<&'k str>)> {
    query.cuts.iter().copied().zip(key.iter().map(Option::as_deref)).collect()
}

/// The names of the columns that say which row it is.
fn names(query: &Query) -> impl Iterator<Item = &'static str> {
    query.cuts.iter().map(|cut| name_of(*cut)).collect::<Vec<_>>().into_iter()
}

fn put_key(row: &mut Map<String, Value>, key: &[(Cut, Option<&str>)]) {
    for (cut, value) in key {
        row.insert(name_of(*cut).to_owned(), json!(value));
    }
}

/// Contaminated ground that remains. CSV or XLSX with `Accept` or `f`.
#[utoipa::path(tag = "ledger", params(Which), responses((status = 200, content((Figures = "application/json"), (String = "text/csv"), (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
#[get("/v1/ledger/remaining")]
pub(crate) async fn remaining(
    access: MapAccess<ReadLedger>,
    request: HttpRequest,
    state: Data<AppState>,
    which: Params<Which>,
) -> ApiResult<HttpResponse> {
    let which = which.into_inner().for_endpoint(Endpoint::Remaining)?;
    let form = Form::of(&request, which.f.as_deref())?;
    let query = which.query()?;
    if query.cuts.contains(&Cut::Year) {
        return Err(ApiError::bad_request("query", "group_by=year: only a balance has years"));
    }
    let as_of = which.as_of();
    let (basis, reader) = (which.basis, access.actor.role);
    which.must_be_shown_to(reader)?;
    let (figures, table) = ask(&state, move |books| {
        which.check_units(books)?;
        let ledger = &books.of(basis).ledger;
        let mut table = Table::new(names(&query).chain(["areas", "area_m2", "pieces"]));
        let mut total = SquareMillimetres::ZERO;
        for row in ledger.remaining(as_of, &query) {
            let key = keyed(&query, &row.key);
            let mut out = Map::new();
            put_key(&mut out, &key);
            out.insert("areas".to_owned(), json!(row.hazards));
            out.insert("area_m2".to_owned(), table::m2(row.area));
            let when = [("as_of", as_of.to_string()), ("state", "contaminated".to_owned())];
            let href = which.pieces_href(&when, &key);
            out.insert("pieces".to_owned(), json!(href));
            total += row.area;
            table.push(out);
        }
        let figures = Figures {
            as_of: Some(as_of),
            total_m2: Some(total.m2()),
            reported_only: Some(ledger.reported_only(as_of, &query).into()),
            ..Figures::of(books, basis, reader)
        };
        Ok::<_, ApiError>((figures, table))
    })
    .await??;
    figures.respond(form, table)
}

/// The balance of a period: opening + found − corrected ± reclassified − released = closing. CSV or XLSX with `Accept` or `f`.
#[utoipa::path(tag = "ledger", params(Which), responses((status = 200, content((Figures = "application/json"), (String = "text/csv"), (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
#[get("/v1/ledger/balance")]
pub(crate) async fn balance(
    access: MapAccess<ReadLedger>,
    request: HttpRequest,
    state: Data<AppState>,
    which: Params<Which>,
) -> ApiResult<HttpResponse> {
    let which = which.into_inner().for_endpoint(Endpoint::Balance)?;
    let form = Form::of(&request, which.f.as_deref())?;
    let query = which.query()?;
    let (from, to) = which.period()?;
    let (basis, reader) = (which.basis, access.actor.role);
    which.must_be_shown_to(reader)?;
    let (figures, table) = ask(&state, move |books| {
        which.check_units(books)?;
        let mut table = Table::new(names(&query).chain(BALANCE).chain(["pieces"]));
        for row in books.of(basis).ledger.balance(from, to, &query) {
            let key = keyed(&query, &row.key);
            let (first, last) =
                year_of(&key).map_or((from, to), |(first, last)| (first.max(from), last.min(to)));
            let mut out = balance_row(&row);
            put_key(&mut out, &key);
            let when = [("from", first.to_string()), ("to", last.to_string())];
            out.insert("pieces".to_owned(), json!(which.pieces_href(&when, &key)));
            table.push(out);
        }
        let figures = Figures { from: Some(from), to: Some(to), ..Figures::of(books, basis, reader) };
        Ok::<_, ApiError>((figures, table))
    })
    .await??;
    figures.respond(form, table)
}

fn year_of(key: &[(Cut, Option<&str>)]) -> Option<(NaiveDate, NaiveDate)> {
    let (_, year) = key.iter().find(|(cut, _)| *cut == Cut::Year)?;
    let year = (*year)?.parse().ok()?;
    Some((NaiveDate::from_ymd_opt(year, 1, 1)?, NaiveDate::from_ymd_opt(year, 12, 31)?))
}

/// The columns of a balance, in the order of its equation.
const BALANCE: [&str; 13] = [
    "opening_m2",
    "newly_identified_m2",
    "enlarged_m2",
    "shrunk_by_revision_m2",
    "duplicates_errors_m2",
    "reclassified_in_m2",
    "reclassified_out_m2",
    "cancelled_m2",
    "reduced_m2",
    "cleared_m2",
    "bac_cleared_m2",
    "closing_m2",
    "residual_m2",
];

pub(super) fn balance_row(row: &BalanceRow) -> Map<String, Value> {
    let areas = [
        row.opening,
        row.newly_identified,
        row.enlarged,
        row.shrunk_by_revision,
        row.duplicates_errors,
        row.reclassified_in,
        row.reclassified_out,
        row.cancelled,
        row.reduced,
        row.cleared,
        row.bac_cleared,
        row.closing,
        row.residual(),
    ];
    BALANCE.iter().zip(areas).map(|(name, area)| ((*name).to_owned(), table::m2(area))).collect()
}

/// The polygons behind a figure, as GeoJSON: at the end of a day (`as_of`), or behind a row of a balance (`from`, `to`),
/// where each says what it adds to every column.
#[utoipa::path(tag = "ledger", params(Which), responses((status = 200, content_type = "application/geo+json")))]
#[get("/v1/ledger/pieces")]
pub(crate) async fn pieces(
    access: Access<ReadPieces>,
    state: Data<AppState>,
    which: Params<Which>,
) -> ApiResult<HttpResponse> {
    let which = which.into_inner().for_endpoint(Endpoint::Pieces)?;
    let reader = access.actor.role;
    must_see_ground(reader, which.basis)?;
    let (query, wanted, bounds) = (which.query()?, which.state()?, which.bounds()?);
    let period = which.over_period().then(|| which.period()).transpose()?;
    let body = ask(&state, move |books| {
        which.check_units(books)?;
        let (as_of, book) = (which.as_of(), books.of(which.basis));
        let ledger = &book.ledger;
        let pieces: Box<dyn Iterator<Item = _>> = match period {
            Some(period) => Box::new(ledger.pieces_of_balance(period, &query, which.moved)),
            None => Box::new(ledger.pieces(as_of, &query)),
        };
        let pieces = pieces.collect::<Result<Vec<PieceView>, _>>()?;
        let in_view = |piece: &PieceView| {
            bounds.is_none_or(|view| piece.outline.bounding_rect().is_some_and(|own| own.intersects(&view)))
        };
        let pieces =
            pieces.iter().filter(|piece| wanted.is_none_or(|wanted| piece.state == wanted) && in_view(piece));
        let (mut total, mut features, mut sums) =
            (SquareMillimetres::ZERO, Vec::new(), BalanceRow::default());
        for piece in pieces {
            total += piece.area;
            piece.share.iter().for_each(|share| sums.add(share));
            features.push(feature(piece, book.name(piece.hazard)));
        }
        let mut body = members(&Heading::of(books, which.basis, reader))?;
        body.insert("type".to_owned(), json!("FeatureCollection"));
        if let Some((from, to)) = period {
            body.insert("from".to_owned(), json!(from));
            body.insert("to".to_owned(), json!(to));
            body.insert("balance".to_owned(), Value::Object(balance_row(&sums)));
        } else {
            body.insert("as_of".to_owned(), json!(as_of));
        }
        body.insert("total_m2".to_owned(), table::m2(total));
        body.insert("features".to_owned(), Value::Array(features));
        Ok::<_, ApiError>(body)
    })
    .await??;
    Ok(HttpResponse::Ok().content_type("application/geo+json").json(body))
}

/// Every release in effect by the end of a day: what of its ground counts, what lies outside hazardous areas, what was
/// released before, and what a person should decide (docs/domain.md §6).
#[utoipa::path(tag = "ledger", params(EndOfDay), responses((status = 200, content((Figures = "application/json"), (String = "text/csv"), (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
#[get("/v1/ledger/releases")]
pub(crate) async fn releases(
    access: MapAccess<ReadPieces>,
    request: HttpRequest,
    state: Data<AppState>,
    which: Params<EndOfDay>,
) -> ApiResult<HttpResponse> {
    let form = Form::of(&request, which.f.as_deref())?;
    let (as_of, basis) = which.into_inner().read();
    let reader = access.actor.role;
    must_see_ground(reader, basis)?;
    let (figures, table) = ask(&state, move |books| {
        let mut table = Table::new(RELEASE);
        for release in books.of(basis).ledger.releases_report(as_of) {
            table.push(release_row(&release, books.programme.sliver_m2));
        }
        (Figures { as_of: Some(as_of), ..Figures::of(books, basis, reader) }, table)
    })
    .await?;
    figures.respond(form, table)
}

/// The columns of a release's figures.
const RELEASE: [&str; 15] = [
    "land_release",
    "effective_on",
    "result",
    "method",
    "operator",
    "case",
    "area_m2",
    "effective_m2",
    "superseded_m2",
    "outside_m2",
    "repeated_m2",
    "repeated_outside_m2",
    "identified_later_m2",
    "hazardous_areas",
    "named_in_vain",
];

fn release_row(release: &ReleaseFigures, sliver_m2: f64) -> Map<String, Value> {
    let case = if release.hold {
        "touches_no_area"
    } else if release.outside == SquareMillimetres::ZERO {
        "inside"
    } else if release.outside_is_sliver || release.outside.m2() <= sliver_m2 {
        "sliver_outside"
    } else {
        "outside"
    };
    let columns = [
        ("area_m2", release.area),
        ("effective_m2", release.effective),
        ("superseded_m2", release.superseded),
        ("outside_m2", release.outside),
        ("repeated_m2", release.repeated),
        ("repeated_outside_m2", release.repeated_outside),
        ("identified_later_m2", release.identified_later),
    ];
    let mut row: Map<String, Value> =
        columns.into_iter().map(|(name, area)| (name.to_owned(), table::m2(area))).collect();
    row.insert("land_release".to_owned(), json!(release.id));
    row.insert("effective_on".to_owned(), json!(release.effective_on));
    row.insert("result".to_owned(), json!(release.result));
    row.insert("method".to_owned(), json!(release.method));
    row.insert("operator".to_owned(), json!(release.operator));
    row.insert("case".to_owned(), json!(case));
    row.insert("hazardous_areas".to_owned(), json!(release.hazards));
    row.insert("named_in_vain".to_owned(), json!(release.named_in_vain));
    row
}

fn feature(piece: &PieceView, name: Option<&str>) -> Value {
    let kinds: Vec<&str> = piece.contamination.iter().map(|kind| kind.as_str()).collect();
    json!({
        "type": "Feature",
        "geometry": to_geojson(&piece.outline),
        "properties": {
            "area_m2": table::m2(piece.area),
            "state": piece.state.as_str(),
            "hazardous_area": piece.hazard,
            "name": name,
            "hazard_effective": piece.hazard_effective,
            "classification": piece.classification,
            "contamination": kinds.join("+"),
            "admin1": piece.admin[0],
            "admin2": piece.admin[1],
            "admin3": piece.admin[2],
            "organisation": piece.organisation,
            "contested": piece.contested,
            "land_release": piece.release,
            "released_on": piece.released,
            "result": piece.result,
            "method": piece.method,
            "operator": piece.operator,
            "share": piece.share.as_ref().map(balance_row),
        },
    })
}

/// Where the programme stands, with what is said with every figure.
#[derive(Serialize, utoipa::ToSchema)]
struct Article5 {
    #[serde(flatten)]
    heading: Heading,
    #[serde(flatten)]
    progress: Progress,
}

/// Progress toward the Article 5 deadline, with the reasoning in words and numbers. As CSV the years; as XLSX also what
/// remains by province, the plan, and the rest.
#[utoipa::path(tag = "ledger", params(EndOfDay), responses((status = 200, content((Article5 = "application/json"), (String = "text/csv"), (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
#[get("/v1/progress/article5")]
pub(crate) async fn article5_progress(
    access: MapAccess<ReadLedger>,
    request: HttpRequest,
    state: Data<AppState>,
    which: Params<EndOfDay>,
) -> ApiResult<HttpResponse> {
    let form = Form::of(&request, which.f.as_deref())?;
    let (as_of, basis) = which.into_inner().read();
    let reader = access.actor.role;
    let body = ask(&state, move |books| Article5 {
        heading: Heading::of(books, basis, reader),
        progress: article5::progress(books, basis, as_of),
    })
    .await?;
    if form == Form::Json {
        return Ok(HttpResponse::Ok().json(body));
    }
    let mut heading = members(&body)?;
    let mut tables = Vec::new();
    for (name, columns) in PROGRESS {
        let mut table = Table::new(columns.iter().copied());
        for row in heading.remove(name).as_ref().and_then(Value::as_array).into_iter().flatten() {
            table.push(row.as_object().cloned().unwrap_or_default());
        }
        tables.push((name, table));
    }
    form.respond("article5", &tables, heading)
}

/// The tables of the progress, with their columns.
const PROGRESS: [(&str, &[&str]); 3] = [
    (
        "years",
        &[
            "year",
            "opening_m2",
            "found_m2",
            "corrected_m2",
            "reclassified_m2",
            "cancelled_m2",
            "reduced_m2",
            "cleared_m2",
            "bac_cleared_m2",
            "remaining_m2",
            "residual_m2",
            "ap_mines_found",
            "ap_mines_destroyed",
            "other_found",
            "other_destroyed",
        ],
    ),
    ("remaining", &["admin1", "classification", "areas", "area_m2"]),
    ("milestones", &["year", "planned_m2", "actual_m2", "planned_areas"]),
];
