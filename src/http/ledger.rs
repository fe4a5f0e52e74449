//! The ledger: what remains, how it came about, the ground behind every figure, and frozen years.

use actix_web::http::header::ACCEPT;
use actix_web::web::{self, Data, Query as Params};
use actix_web::{HttpRequest, HttpResponse, get};
use chrono::{Datelike as _, NaiveDate, Utc};
use geo::LineString;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::access::Access;
use super::error::{ApiError, ApiResult};
use super::state::AppState;
use super::table::{self, Table};
use crate::auth::permission::{ReadLedger, ReadPieces};
use crate::geometry::SquareMillimetres;
use crate::ledger::{ALGORITHM, BalanceRow, Classification, Cut, PieceState, PieceView, Query, TreatyScope};
use crate::report::article5;
use crate::report::book::{Basis, Books};

/// Said with every figure.
pub const STATEMENT: &str =
    "No record is not evidence of no contamination; a status is not a safety certificate.";

/// Which ground, on which basis, in which rows.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// The last day that counts; today where left out.
    as_of: Option<NaiveDate>,
    /// First day of a balance.
    from: Option<NaiveDate>,
    /// Last day of a balance.
    to: Option<NaiveDate>,
    #[serde(default)]
    basis: Basis,
    /// Any of year, admin1, admin2, admin3, classification, contamination, operator, result, method; with commas.
    group_by: Option<String>,
    admin1: Option<String>,
    admin2: Option<String>,
    admin3: Option<String>,
    /// `cha` or `sha`
    classification: Option<String>,
    /// `apmbc_article_5` or `ccm_article_4`
    treaty: Option<String>,
    operator: Option<Uuid>,
    /// One hazardous area's ground.
    hazard: Option<Uuid>,
    /// One release's ground.
    release: Option<Uuid>,
    /// Pieces only: `contaminated` or `released`.
    state: Option<String>,
    /// Pieces only.
    contamination: Option<String>,
    /// Pieces only.
    result: Option<String>,
    /// Pieces only.
    method: Option<String>,
}

impl Which {
    fn as_of(&self) -> NaiveDate {
        self.as_of.or(self.to).unwrap_or_else(|| Utc::now().date_naive())
    }

    fn period(&self) -> ApiResult<(NaiveDate, NaiveDate)> {
        let to = self.to.or(self.as_of).unwrap_or_else(|| Utc::now().date_naive());
        let first = NaiveDate::from_ymd_opt(to.year(), 1, 1).unwrap_or(to);
        let from = self.from.unwrap_or(first);
        if from > to || to.year() - from.year() > 100 {
            return Err(ApiError::bad_request("period", "`from` comes before `to`, at most 100 years"));
        }
        Ok((from, to))
    }

    fn query(&self) -> ApiResult<Query> {
        let wrong = |name: &str, value: &str, allowed: &str| {
            ApiError::bad_request("query", format!("{name}={value}: one of {allowed}"))
        };
        let cuts = self.group_by.as_deref().unwrap_or_default();
        let cuts = cuts.split(',').map(str::trim).filter(|cut| !cut.is_empty()).map(|cut| {
            serde_json::from_value::<Cut>(json!(cut)).map_err(|_unknown| {
                let all =
                    "year, admin1, admin2, admin3, classification, contamination, operator, result, method";
                wrong("group_by", cut, all)
            })
        });
        let classification = self.classification.as_deref().map(|given| {
            given
                .to_lowercase()
                .parse::<Classification>()
                .map_err(|_unknown| wrong("classification", given, "cha, sha"))
        });
        let scope = self.treaty.as_deref().map(|given| {
            given
                .parse::<TreatyScope>()
                .map_err(|_unknown| wrong("treaty", given, "apmbc_article_5, ccm_article_4"))
        });
        Ok(Query {
            cuts: cuts.collect::<ApiResult<_>>()?,
            admin: [self.admin1.clone(), self.admin2.clone(), self.admin3.clone()],
            classification: classification.transpose()?,
            scope: scope.transpose()?,
            operator: self.operator,
            hazards: self.hazard.map(|id| [id].into()),
            releases: self.release.map(|id| [id].into()),
        })
    }

    /// The parameters of the pieces behind a row with this key.
    fn pieces_href(&self, as_of: NaiveDate, key: &[(Cut, Option<&str>)]) -> String {
        let mut pairs =
            vec![("as_of".to_owned(), as_of.to_string()), ("basis".to_owned(), self.basis.to_string())];
        let mut put = |name: &str, value: Option<String>| {
            pairs.extend(value.map(|value| (name.to_owned(), value)));
        };
        put("admin1", self.admin1.clone());
        put("admin2", self.admin2.clone());
        put("admin3", self.admin3.clone());
        put("classification", self.classification.clone());
        put("treaty", self.treaty.clone());
        put("operator", self.operator.map(|id| id.to_string()));
        put("hazard", self.hazard.map(|id| id.to_string()));
        put("release", self.release.map(|id| id.to_string()));
        for (cut, value) in key.iter().filter(|(cut, _)| *cut != Cut::Year) {
            pairs.retain(|(name, _)| *name != word(*cut));
            pairs.push((word(*cut), value.unwrap_or("none").to_owned()));
        }
        let pairs: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{name}={}", table::percent(value))).collect();
        format!("/v1/ledger/pieces?{}", pairs.join("&"))
    }
}

fn word(cut: Cut) -> String {
    serde_json::to_value(cut).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Asks the live books off the async threads.
pub(super) async fn ask<T: Send + 'static>(
    state: &Data<AppState>,
    question: impl FnOnce(&Books) -> T + Send + 'static,
) -> ApiResult<T> {
    let shared = state.clone();
    Ok(web::block(move || shared.books.current(shared.blocking_store(), question)).await??)
}

fn heading(books: &Books, basis: Basis) -> Map<String, Value> {
    let book = books.of(basis);
    let heading = json!({
        "basis": basis,
        "seq": books.seq,
        "programme": books.programme.name,
        "constructed": books.programme.constructed,
        "unit": "m²",
        "algorithm": ALGORITHM,
        "grid": book.ledger.grid().definition(),
        "left_out": book.left_out(),
        "statement": STATEMENT,
    });
    heading.as_object().cloned().unwrap_or_default()
}

fn respond(request: &HttpRequest, heading: Map<String, Value>, table: &Table) -> HttpResponse {
    let wants_csv = request
        .headers()
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/csv"));
    if wants_csv {
        return HttpResponse::Ok().content_type("text/csv; charset=utf-8").body(table.csv(&heading));
    }
    let mut body = heading;
    body.insert("rows".to_owned(), table.json());
    HttpResponse::Ok().json(body)
}

fn keyed<'k>(query: &Query, key: &'k [Option<String>]) -> Vec<(Cut, Option<&'k str>)> {
    query.cuts.iter().copied().zip(key.iter().map(Option::as_deref)).collect()
}

fn put_key(row: &mut Map<String, Value>, key: &[(Cut, Option<&str>)]) {
    for (cut, value) in key {
        row.insert(word(*cut), json!(value));
    }
}

/// Contaminated ground that remains. CSV with `Accept: text/csv`.
#[utoipa::path(tag = "ledger", params(Which), responses((status = 200)))]
#[get("/v1/ledger/remaining")]
pub(crate) async fn remaining(
    _: Access<ReadLedger>,
    request: HttpRequest,
    state: Data<AppState>,
    which: Params<Which>,
) -> ApiResult<HttpResponse> {
    let query = which.query()?;
    let as_of = which.as_of();
    let basis = which.basis;
    let (heading, table) = ask(&state, move |books| {
        let ledger = &books.of(basis).ledger;
        let mut table = Table::default();
        let mut total = SquareMillimetres::ZERO;
        for row in ledger.remaining(as_of, &query) {
            let key = keyed(&query, &row.key);
            let mut out = Map::new();
            put_key(&mut out, &key);
            out.insert("areas".to_owned(), json!(row.hazards));
            out.insert("area_m2".to_owned(), table::m2(row.area));
            let href = which.pieces_href(as_of, &key) + "&state=contaminated";
            out.insert("pieces".to_owned(), json!(href));
            total += row.area;
            table.push(out);
        }
        let mut heading = heading(books, basis);
        heading.insert("as_of".to_owned(), json!(as_of));
        heading.insert("total_m2".to_owned(), table::m2(total));
        let reported = ledger.reported_only(as_of, &query);
        let reported = json!({"areas": reported.hazards, "reported_m2": table::m2(reported.reported)});
        heading.insert("reported_only".to_owned(), reported);
        (heading, table)
    })
    .await?;
    Ok(respond(&request, heading, &table))
}

/// The balance of a period: opening + found − corrected ± reclassified − released = closing. CSV with `Accept: text/csv`.
#[utoipa::path(tag = "ledger", params(Which), responses((status = 200)))]
#[get("/v1/ledger/balance")]
pub(crate) async fn balance(
    _: Access<ReadLedger>,
    request: HttpRequest,
    state: Data<AppState>,
    which: Params<Which>,
) -> ApiResult<HttpResponse> {
    let query = which.query()?;
    let (from, to) = which.period()?;
    let basis = which.basis;
    let (heading, table) = ask(&state, move |books| {
        let mut table = Table::default();
        for row in books.of(basis).ledger.balance(from, to, &query) {
            let key = keyed(&query, &row.key);
            let last_day = key
                .iter()
                .find(|(cut, _)| *cut == Cut::Year)
                .and_then(|(_, year)| NaiveDate::from_ymd_opt(year.as_ref()?.parse().ok()?, 12, 31))
                .map_or(to, |end| end.min(to));
            let mut out = balance_row(&row);
            put_key(&mut out, &key);
            out.insert("pieces".to_owned(), json!(which.pieces_href(last_day, &key)));
            table.push(out);
        }
        let mut heading = heading(books, basis);
        heading.insert("from".to_owned(), json!(from));
        heading.insert("to".to_owned(), json!(to));
        (heading, table)
    })
    .await?;
    Ok(respond(&request, heading, &table))
}

pub(super) fn balance_row(row: &BalanceRow) -> Map<String, Value> {
    let columns = [
        ("opening_m2", row.opening),
        ("newly_identified_m2", row.newly_identified),
        ("enlarged_m2", row.enlarged),
        ("shrunk_by_revision_m2", row.shrunk_by_revision),
        ("duplicates_errors_m2", row.duplicates_errors),
        ("reclassified_in_m2", row.reclassified_in),
        ("reclassified_out_m2", row.reclassified_out),
        ("cancelled_m2", row.cancelled),
        ("reduced_m2", row.reduced),
        ("cleared_m2", row.cleared),
        ("bac_cleared_m2", row.bac_cleared),
        ("closing_m2", row.closing),
        ("residual_m2", row.residual()),
    ];
    columns.into_iter().map(|(name, area)| (name.to_owned(), table::m2(area))).collect()
}

/// The polygons behind a figure, as GeoJSON.
#[utoipa::path(tag = "ledger", params(Which), responses((status = 200, content_type = "application/geo+json")))]
#[get("/v1/ledger/pieces")]
pub(crate) async fn pieces(
    _: Access<ReadPieces>,
    state: Data<AppState>,
    which: Params<Which>,
) -> ApiResult<HttpResponse> {
    let mut which = which.into_inner();
    // A row of ground about which the record says nothing is named `none`.
    let mut unnamed = Vec::new();
    for (level, code) in [&mut which.admin1, &mut which.admin2, &mut which.admin3].into_iter().enumerate() {
        if code.as_deref() == Some("none") {
            *code = None;
            unnamed.push(level);
        }
    }
    let query = which.query()?;
    let (as_of, basis) = (which.as_of(), which.basis);
    let body = ask(&state, move |books| {
        let mut total = SquareMillimetres::ZERO;
        let mut features = Vec::new();
        for piece in books.of(basis).ledger.pieces(as_of, &query) {
            let piece = match piece {
                Ok(piece) => piece,
                Err(fault) => {
                    tracing::error!(%fault, "a piece cannot be drawn");
                    continue;
                }
            };
            let unnamed_there = unnamed.iter().all(|level| piece.admin[*level].is_none());
            if unnamed_there && which.admits(&piece) {
                total += piece.area;
                features.push(feature(&piece));
            }
        }
        let mut body = heading(books, basis);
        body.insert("type".to_owned(), json!("FeatureCollection"));
        body.insert("as_of".to_owned(), json!(as_of));
        body.insert("total_m2".to_owned(), table::m2(total));
        body.insert("features".to_owned(), Value::Array(features));
        body
    })
    .await?;
    Ok(HttpResponse::Ok().content_type("application/geo+json").json(body))
}

impl Which {
    fn admits(&self, piece: &PieceView) -> bool {
        let state = match piece.state {
            PieceState::Contaminated => "contaminated",
            PieceState::Released => "released",
        };
        let contamination = || joined(piece);
        let is = |asked: &Option<String>, found: Option<String>| {
            asked.as_ref().is_none_or(|asked| *asked == found.unwrap_or_else(|| "none".to_owned()))
        };
        is(&self.state, Some(state.to_owned()))
            && is(&self.contamination, Some(contamination()))
            && is(&self.result, piece.result.map(|result| result.to_string()))
            && is(&self.method, piece.method.clone())
    }
}

fn joined(piece: &PieceView) -> String {
    let kinds: Vec<&str> = piece.contamination.iter().map(|kind| kind.as_str()).collect();
    if kinds.is_empty() { "unknown".to_owned() } else { kinds.join("+") }
}

fn feature(piece: &PieceView) -> Value {
    let positions = |ring: &LineString<f64>| ring.coords().map(|at| [at.x, at.y]).collect::<Vec<_>>();
    let polygons: Vec<Vec<Vec<[f64; 2]>>> = piece
        .outline
        .iter()
        .map(|polygon| {
            std::iter::once(polygon.exterior()).chain(polygon.interiors()).map(positions).collect()
        })
        .collect();
    let geometry = json!({"type": "MultiPolygon", "coordinates": polygons});
    json!({
        "type": "Feature",
        "geometry": geometry,
        "properties": {
            "area_m2": table::m2(piece.area),
            "state": piece.state,
            "hazardous_area": piece.hazard,
            "hazard_effective": piece.hazard_effective,
            "classification": piece.classification,
            "contamination": joined(piece),
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
        },
    })
}

/// Progress toward the Article 5 deadline, with the reasoning in words and numbers.
#[utoipa::path(tag = "ledger", params(Which), responses((status = 200)))]
#[get("/v1/progress/article5")]
pub(crate) async fn article5_progress(
    _: Access<ReadLedger>,
    state: Data<AppState>,
    which: Params<Which>,
) -> ApiResult<HttpResponse> {
    let (as_of, basis) = (which.as_of(), which.basis);
    let body = ask(&state, move |books| {
        let mut body = heading(books, basis);
        let progress = serde_json::to_value(article5::progress(books, basis, as_of))?;
        body.extend(progress.as_object().cloned().unwrap_or_default());
        Ok::<_, serde_json::Error>(body)
    })
    .await?
    .map_err(|fault| {
        tracing::error!(%fault, "an answer could not be written");
        ApiError::unavailable(1)
    })?;
    Ok(HttpResponse::Ok().json(body))
}
