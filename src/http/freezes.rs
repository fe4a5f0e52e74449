//! Frozen years: published figures that can be shown again for ever.

use actix_web::web::Data;
use actix_web::{HttpResponse, get, post};
use chrono::{Datelike as _, NaiveDate, Utc};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::access::{Access, JsonBody};
use super::error::{ApiError, ApiResult};

use super::ground::sees_ground;
use super::ledger::{ask, balance_row};
use super::state::AppState;
use crate::auth::permission::{self, ReadLedger};
use crate::ledger::{ALGORITHM, Cut, Query};
use crate::model::{Hash, STATEMENT};
use crate::report::article5::ReportedSizes;
use crate::report::book::{Basis, Books};
use crate::store::programme::Freeze;

/// Every frozen year; where the books differ by now, the difference is shown as an adjustment.
#[utoipa::path(tag = "ledger", responses((status = 200)))]
#[get("/v1/ledger/freezes")]
pub(crate) async fn list(access: Access<ReadLedger>, state: Data<AppState>) -> ApiResult<HttpResponse> {
    let reader = access.actor.role;
    let freezes = state.store(crate::store::Store::list_freezes).await?;
    let shown = ask(&state, move |books| {
        freezes
            .into_iter()
            .map(|mut frozen| {
                let basis = frozen.basis.parse().unwrap_or_default();
                let now = year_document(books, basis, frozen.year);
                let changed = Hash::of_value(&now) != Hash::of_value(&frozen.document);
                let mut adjustment = changed.then(|| adjustments(&frozen.document, &now));
                if !sees_ground(reader, basis) {
                    // Which records they are, and where their outlines fail, is not for everybody.
                    let frozen = [&mut frozen.document].into_iter();
                    frozen.chain(adjustment.as_mut()).for_each(count_left_out);
                }
                json!({"freeze": frozen, "unchanged": !changed, "adjustments": adjustment})
            })
            .collect::<Vec<_>>()
    })
    .await?;
    Ok(HttpResponse::Ok().json(json!({"freezes": shown, "statement": STATEMENT})))
}

/// Leaves of what is left out only how much it is.
fn count_left_out(document: &mut Value) {
    let Some(left_out) = document.get_mut("left_out") else { return };
    let lists: Vec<&mut Value> = match left_out {
        Value::Object(before_and_now) => before_and_now.values_mut().collect(),
        whole => vec![whole],
    };
    for records in lists {
        *records = json!(records.as_array().map_or(0, Vec::len));
    }
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
    if !(1997..Utc::now().year()).contains(&year) {
        let why = "a reporting year since 1997 that is over: a running year still changes";
        return Err(ApiError::bad_request("year", why));
    }
    let (document, seq) = ask(&state, move |books| (year_document(books, basis, year), books.seq)).await?;
    let by = access.actor.account;
    let made =
        state.store(move |store| store.insert_freeze(year, basis.as_str(), seq, document, note, by)).await?;
    Ok(HttpResponse::Created().json(made))
}

/// A year's figures in a form that can be made again: exact areas, no times, no places in the log.
fn year_document(books: &Books, basis: Basis, year: i32) -> Value {
    let book = books.of(basis);
    let ledger = &book.ledger;
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
        "date_rule": books.programme.date_rule,
        "national": rows(&[]),
        "by_admin1_classification": rows(&[Cut::Admin1, Cut::Classification]),
        "by_operator_result": rows(&[Cut::Operator, Cut::Result]),
        "open_areas": ledger.open_hazards(to),
        "reported_only": ReportedSizes::from(ledger.reported_only(to, &Query::default())),
        "left_out": book.left_out(),
        "ordnance": book.ordnance.by_year(to).get(&year),
    })
}

/// What the books say now less what was frozen: of the national row by its columns, of the other tables the rows that
/// differ. Empty where only rules or doubts differ, which the documents show.
fn adjustments(frozen: &Value, now: &Value) -> Value {
    let national = difference(&frozen["national"][0], &now["national"][0]);
    let mut all = national.unwrap_or_default();
    for table in ["by_admin1_classification", "by_operator_result"] {
        let rows = changed_rows(&frozen[table], &now[table]);
        if !rows.is_empty() {
            all.insert(table.to_owned(), Value::Array(rows));
        }
    }
    for name in ["open_areas", "reported_only", "ordnance"] {
        all.extend(
            difference(&frozen[name], &now[name]).map(|change| (name.to_owned(), Value::Object(change))),
        );
    }
    for name in ["date_rule", "algorithm", "grid", "left_out"] {
        if frozen[name] != now[name] {
            all.insert(name.to_owned(), json!({"frozen": frozen[name], "now": now[name]}));
        }
    }
    Value::Object(all)
}

/// m²
const ROUNDING: f64 = 0.001;

fn changed_rows(frozen: &Value, now: &Value) -> Vec<Value> {
    let rows = |table: &Value| table.as_array().cloned().unwrap_or_default();
    let (frozen, now) = (rows(frozen), rows(now));
    let mut keys: Vec<&Value> = Vec::new();
    for row in frozen.iter().chain(&now) {
        if !keys.contains(&&row["key"]) {
            keys.push(&row["key"]);
        }
    }
    let of = |table: &[Value], key: &Value| {
        table.iter().find(|row| row["key"] == *key).cloned().unwrap_or_default()
    };
    let change = |key: &Value| {
        let mut change = difference(&of(&frozen, key), &of(&now, key))?;
        change.insert("key".to_owned(), key.clone());
        Some(Value::Object(change))
    };
    keys.into_iter().filter_map(change).collect()
}

/// The members whose numbers differ, each as now less frozen; a missing one is 0.
fn difference(frozen: &Value, now: &Value) -> Option<Map<String, Value>> {
    let members = [frozen, now].into_iter().filter_map(Value::as_object);
    let names = members.flat_map(Map::keys).filter(|name| *name != "key");
    let number = |row: &Value, name: &str| row[name].as_f64().unwrap_or(0.0);
    let differences = names.filter_map(|name| {
        let difference = number(now, name) - number(frozen, name);
        // Cutting ground otherwise moves square millimetres between its pieces: no adjustment.
        (difference.abs() > ROUNDING).then(|| (name.clone(), json!(difference)))
    });
    let differences: Map<String, Value> = differences.collect();
    (!differences.is_empty()).then_some(differences)
}
