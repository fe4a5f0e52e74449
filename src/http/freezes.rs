//! Frozen years: published figures that can be shown again for ever.

use actix_web::web::Data;
use actix_web::{HttpResponse, get, post};
use chrono::{Datelike as _, NaiveDate, Utc};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::access::{Access, JsonBody};
use super::error::{ApiError, ApiResult};
use super::ledger::{STATEMENT, ask, balance_row};
use super::state::AppState;
use crate::auth::permission::{self, ReadLedger};
use crate::ledger::{ALGORITHM, Cut, Query};
use crate::model::Hash;
use crate::report::book::{Basis, Books};
use crate::store::programme::Freeze;

/// Every frozen year; where the books differ by now, the difference is shown as an adjustment.
#[utoipa::path(tag = "ledger", responses((status = 200)))]
#[get("/v1/ledger/freezes")]
pub(crate) async fn list(_: Access<ReadLedger>, state: Data<AppState>) -> ApiResult<HttpResponse> {
    let freezes = state.store(crate::store::Store::list_freezes).await?;
    let shown = ask(&state, move |books| {
        freezes
            .into_iter()
            .map(|frozen| {
                let basis = frozen.basis.parse().unwrap_or_default();
                let now = year_document(books, basis, frozen.year);
                let changed = Hash::of_value(&now).to_string() != frozen.hash;
                let adjustment = changed.then(|| adjustments(&frozen.document, &now));
                json!({"freeze": frozen, "unchanged": !changed, "adjustments": adjustment})
            })
            .collect::<Vec<_>>()
    })
    .await?;
    Ok(HttpResponse::Ok().json(json!({"freezes": shown, "statement": STATEMENT})))
}

/// Which year is frozen.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FreezeYear {
    year: i32,
    #[serde(default)]
    basis: Basis,
    note: Option<String>,
}

/// Freeze a reporting year: its figures are kept with their hash for ever.
#[utoipa::path(tag = "ledger", request_body = FreezeYear, responses((status = 201, body = Freeze)))]
#[post("/v1/ledger/freezes")]
pub(crate) async fn make(
    access: Access<permission::Freeze>,
    state: Data<AppState>,
    body: JsonBody<FreezeYear>,
) -> ApiResult<HttpResponse> {
    let body = body.read()?;
    let FreezeYear { year, basis, note } = body;
    if !(1997..=Utc::now().year()).contains(&year) {
        return Err(ApiError::bad_request("year", "a reporting year since 1997, not in the future"));
    }
    let (document, seq) = ask(&state, move |books| (year_document(books, basis, year), books.seq)).await?;
    let by = access.actor.account;
    let made =
        state.store(move |store| store.insert_freeze(year, basis.as_str(), seq, document, note, by)).await?;
    Ok(HttpResponse::Created().json(made))
}

/// A year's figures in a form that can be made again: exact areas, no times, no places in the log.
fn year_document(books: &Books, basis: Basis, year: i32) -> Value {
    let ledger = &books.of(basis).ledger;
    let day = |month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default();
    let (from, to) = (day(1, 1), day(12, 31));
    let rows = |cuts: &[Cut]| {
        let rows = ledger.balance(from, to, &Query::by(cuts.to_vec()));
        rows.iter()
            .map(|row| {
                let mut out = balance_row(row);
                out.insert("key".to_owned(), json!(row.key));
                Value::Object(out)
            })
            .collect::<Vec<_>>()
    };
    json!({
        "year": year,
        "basis": basis,
        "algorithm": ALGORITHM,
        "grid": ledger.grid().definition(),
        "national": rows(&[]),
        "by_admin1_classification": rows(&[Cut::Admin1, Cut::Classification]),
        "by_operator_result": rows(&[Cut::Operator, Cut::Result]),
        "open_areas": ledger.open_hazards(to),
        "ordnance": books.of(basis).ordnance.by_year().get(&year),
    })
}

/// What the national row says now less what was frozen.
fn adjustments(frozen: &Value, now: &Value) -> Value {
    let row = |document: &Value| document["national"][0].as_object().cloned().unwrap_or_default();
    let (frozen, now) = (row(frozen), row(now));
    let names = frozen.keys().chain(now.keys()).filter(|name| *name != "key");
    let number = |row: &Map<String, Value>, name: &str| row.get(name).and_then(Value::as_f64).unwrap_or(0.0);
    let differences = names.filter_map(|name| {
        let difference = number(&now, name) - number(&frozen, name);
        (difference != 0.0).then(|| (name.clone(), json!(difference)))
    });
    Value::Object(differences.collect())
}
