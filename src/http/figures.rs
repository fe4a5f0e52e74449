//! What is said with every figure, and the form in which tables of figures are answered.

use actix_web::http::header::{ACCEPT, CONTENT_DISPOSITION};
use actix_web::{HttpRequest, HttpResponse};
use chrono::NaiveDate;
use serde::Serialize;
use serde_json::{Map, Value};

use super::error::{ApiError, ApiResult};
use super::ground::sees_ground;
use super::table::{Table, workbook};
use crate::export::xlsx;
use crate::ledger::ALGORITHM;
use crate::model::{Role, STATEMENT};
use crate::report::article5::ReportedSizes;
use crate::report::book::{Basis, Books};

/// What is said with every figure.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(super) struct Heading {
    /// What the figures count.
    pub(super) basis: Basis,
    /// Up to which place in the log they have read.
    pub(super) seq: i64,
    /// The programme's name.
    pub(super) programme: String,
    /// Whether the records are made up.
    pub(super) constructed: bool,
    /// Of all areas: m².
    pub(super) unit: &'static str,
    /// The version of the counting rules.
    pub(super) algorithm: &'static str,
    /// The equal-area grid that areas are counted on, as a PROJ string.
    pub(super) grid: String,
    /// How many records are not, or not all, in the figures.
    pub(super) records_left_out: usize,
    /// How many records count with a proposed repair of their outline.
    pub(super) records_repaired: usize,
    /// Which are left out, and why; for those who see single areas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) left_out: Option<Vec<String>>,
    /// Which are repaired, and what that puts right; for those who see single areas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) repaired: Option<Vec<String>>,
    /// What no figure says.
    pub(super) statement: &'static str,
}

/// A table of figures. As CSV (`Accept` or `f`) its rows alone, each with the rest in columns of its own; as XLSX also with
/// a sheet of what is said here.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(super) struct Figures {
    #[serde(flatten)]
    pub(super) heading: Heading,
    /// The last day that counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) as_of: Option<NaiveDate>,
    /// The first day of the period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<NaiveDate>,
    /// The last day of the period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<NaiveDate>,
    /// The sum of the rows, m².
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) total_m2: Option<f64>,
    /// Areas without an outline: an account of its own, beside the figure and in no sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reported_only: Option<ReportedSizes>,
    /// One object for each row: the cuts asked for by name, the columns in m², and `pieces`, the address of the polygons
    /// behind it.
    #[schema(value_type = Vec<Object>)]
    pub(super) rows: Value,
}

impl Heading {
    pub(super) fn of(books: &Books, basis: Basis, reader: Role) -> Self {
        let book = books.of(basis);
        let (left_out, repaired) = (book.left_out(), book.repaired());
        let shown = sees_ground(reader, basis);
        Self {
            basis,
            seq: books.seq,
            programme: books.programme.name.clone(),
            constructed: books.programme.constructed,
            unit: "m²",
            algorithm: ALGORITHM,
            grid: book.ledger.grid().definition().to_owned(),
            records_left_out: left_out.len(),
            records_repaired: repaired.len(),
            // They name records, and the places where their outlines fail.
            left_out: shown.then_some(left_out),
            repaired: shown.then_some(repaired),
            statement: STATEMENT,
        }
    }
}

impl Figures {
    pub(super) fn of(books: &Books, basis: Basis, reader: Role) -> Self {
        let heading = Heading::of(books, basis, reader);
        Self {
            heading,
            as_of: None,
            from: None,
            to: None,
            total_m2: None,
            reported_only: None,
            rows: Value::Null,
        }
    }

    /// Answers with the table's rows, in the form that is asked for.
    pub(super) fn respond(self, form: Form, table: Table) -> ApiResult<HttpResponse> {
        if form == Form::Json {
            return Ok(HttpResponse::Ok().json(Self { rows: table.json(), ..self }));
        }
        let heading = members(&Self { rows: Value::Null, ..self })?;
        form.respond("figures", &[("figures", table)], heading)
    }
}

/// The form in which tables of figures are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Csv,
    Xlsx,
}

impl Form {
    /// The form that an address asks for with `f`, else that of `Accept`.
    ///
    /// # Errors
    /// 400 where there is no such form.
    pub(super) fn of(request: &HttpRequest, f: Option<&str>) -> ApiResult<Self> {
        let accept =
            request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        match f {
            Some("json") => Ok(Self::Json),
            Some("csv") => Ok(Self::Csv),
            Some("xlsx") => Ok(Self::Xlsx),
            Some(other) => Err(ApiError::bad_request("query", format!("f={other}: one of json, csv, xlsx"))),
            None if accept.contains(xlsx::MEDIA_TYPE) => Ok(Self::Xlsx),
            None if accept.contains("text/csv") => Ok(Self::Csv),
            None => Ok(Self::Json),
        }
    }

    /// Answers with tables: with the first as CSV, which holds one, or with all in a workbook.
    pub(super) fn respond(
        self,
        name: &str,
        tables: &[(&'static str, Table)],
        mut heading: Map<String, Value>,
    ) -> ApiResult<HttpResponse> {
        heading.retain(|_, value| !value.is_null());
        if self == Self::Xlsx {
            let day = heading.get("as_of").or(heading.get("to")).and_then(Value::as_str).unwrap_or_default();
            let is_provisional = heading.get("basis").is_some_and(|basis| basis == "provisional");
            let basis = if is_provisional { "_provisional" } else { "" };
            let disposition = format!("attachment; filename=\"{name}_{day}{basis}.xlsx\"");
            return Ok(HttpResponse::Ok()
                .content_type(xlsx::MEDIA_TYPE)
                .insert_header((CONTENT_DISPOSITION, disposition))
                .body(workbook(tables, &heading)?));
        }
        let csv = tables.first().map(|(_, table)| table.csv(&heading)).unwrap_or_default();
        Ok(HttpResponse::Ok().content_type("text/csv; charset=utf-8").body(csv))
    }
}

/// An answer's members, to be added to.
pub(super) fn members(answer: &impl Serialize) -> ApiResult<Map<String, Value>> {
    let members = serde_json::to_value(answer).map_err(|fault| {
        tracing::error!(%fault, "an answer could not be written");
        ApiError::unavailable(1)
    })?;
    Ok(members.as_object().cloned().unwrap_or_default())
}
