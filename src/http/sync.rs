//! Push and pull over HTTP (docs/sync.md §4); what is answered is [`crate::exchange`]'s.

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{self, Bytes, Data, Query};
use actix_web::{HttpRequest, HttpResponse, get, post};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::access::{Access, JsonBody, Pusher};
use super::body::{self, Packing, Unpackable};
use super::error::{ApiError, ApiResult};
use super::state::AppState;
use crate::auth::permission::{Pull, ReadLog, ReadPeople};
use crate::exchange::Refusal;
use crate::sync::wire::{LogHead, LogPage, PROTOCOL, People, PullAnswer, PullBody, PushAnswer, PushBody};

/// A push of one hazardous area, as it may be sent.
fn push_example() -> serde_json::Value {
    json!({
        "protocol": PROTOCOL,
        "device_id": "01920000-0000-7000-8000-000000000005",
        "client_time": "2026-11-20T04:43:10Z",
        "outbox": {"pending": 1, "oldest": "2026-11-20T04:42:31Z"},
        "app": "tablet/3.2",
        "txns": [[{
            "mutation_id": "01920000-0000-7000-8000-000000000001",
            "device_seq": 1,
            "kind": "hazardous_area",
            "schema": 1,
            "op": "create",
            "record_id": "01920000-0000-7000-8000-000000000003",
            "changes": {
                "classification": {"to": "CHA"},
                "status": {"to": "open"},
                "contamination": {"to": ["ap_mine"]},
                "date_identified": {"to": "2026-11-20"},
                "geometry": {"to": {"type": "Polygon", "coordinates": [[
                    [18.6, 43.6], [18.61, 43.6], [18.61, 43.61], [18.6, 43.61], [18.6, 43.6],
                ]]}},
            },
            "captured": {"wall": "2026-11-20T09:12:33+04:30", "accuracy_m": 0.8, "app": "tablet/3.2"},
            "author": "01920000-0000-7000-8000-000000000009",
        }]],
    })
}

/// Push edits. Every one gets an answer and every one is stored; only `retry` means that it is not.
#[utoipa::path(tag = "sync", request_body(content = PushBody, example = json!(push_example())), responses((status = 200, body = PushAnswer)))]
#[post("/v1/sync/push")]
pub(crate) async fn push_edits(
    pusher: Pusher,
    request: HttpRequest,
    state: Data<AppState>,
    payload: web::Payload,
) -> ApiResult<HttpResponse> {
    let Pusher(principal) = pusher;
    let device = principal.device.ok_or_else(|| ApiError::forbidden("only a device pushes"))?;
    state.allow_push(device)?;
    let packing = Packing::of(&request);
    let came = body::receive(payload, state.limits.push_bytes, &state.limits).await?;
    let answer = web::block(move || -> ApiResult<PushAnswer> {
        let most = state.limits.push_bytes;
        let body = match packing.unpack(&came, most) {
            Ok(body) => body.into_owned(),
            Err(Unpackable::TooLarge) => return Err(body::too_large(most)),
            Err(Unpackable::Wrong(reason)) => {
                let reason = format!("the push cannot be unpacked: {reason}; it is kept as it came");
                return Err(state.exchange().keep(device, reason, came)?.into());
            }
        };
        Ok(state.exchange().push(&principal, device, body)?)
    })
    .await??;
    for answer in &answer.results {
        metrics::counter!("cartagena_mutations_total", "outcome" => answer.outcome.as_str()).increment(1);
    }
    Ok(HttpResponse::Ok().json(answer))
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let words = refusal.to_string();
        match refusal {
            Refusal::TooMany { limits, .. } => Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", words)
                .with("max_mutations", limits.max_mutations)
                .with("max_bytes", limits.max_bytes),
            Refusal::Unreadable { receipt, .. } => {
                Self::bad_request("unreadable", words).with("receipt", receipt.to_string())
            }
            Refusal::Scopes => Self::bad_request("scopes", words),
            Refusal::Store(fault) => fault.into(),
        }
    }
}

/// Pull what has changed: every record once, at its latest state.
#[utoipa::path(tag = "sync", request_body = PullBody, responses((status = 200, body = PullAnswer)))]
#[post("/v1/sync/pull")]
pub(crate) async fn pull_changes(
    access: Access<Pull>,
    state: Data<AppState>,
    body: JsonBody<PullBody>,
) -> ApiResult<HttpResponse> {
    let body = body.read()?;
    let actor = access.actor;
    let answer = web::block(move || -> ApiResult<Bytes> {
        let answer = state.exchange().pull(&actor, body)?;
        let bytes = serde_json::to_vec(&answer).map_err(|fault| {
            tracing::error!(%fault, "an answer could not be written");
            ApiError::unavailable(1)
        })?;
        Ok(bytes.into())
    })
    .await??;
    Ok(HttpResponse::Ok().insert_header((CONTENT_TYPE, "application/json")).body(answer))
}

/// What the asker may follow.
#[derive(Serialize, utoipa::ToSchema)]
struct Scopes {
    scopes: Vec<ScopeName>,
}

/// A scope by its name.
#[derive(Serialize, utoipa::ToSchema)]
struct ScopeName {
    /// `everything`, `content`, `organisation:<uuid>` or `task:<uuid>`.
    id: String,
}

/// The scopes that the asker may follow.
#[utoipa::path(tag = "sync", responses((status = 200, body = Scopes)))]
#[get("/v1/sync/scopes")]
pub(crate) async fn list_scopes(access: Access<Pull>, state: Data<AppState>) -> ApiResult<HttpResponse> {
    let actor = access.actor;
    let scopes = state.store(move |store| store.list_scopes(&actor)).await?;
    let scopes = scopes.iter().map(|scope| ScopeName { id: scope.key() }).collect();
    Ok(HttpResponse::Ok().json(Scopes { scopes }))
}

/// Where the log stands.
#[utoipa::path(tag = "sync", responses((status = 200, body = LogHead)))]
#[get("/v1/sync/head")]
pub(crate) async fn show_head(_: Access<Pull>, state: Data<AppState>) -> ApiResult<HttpResponse> {
    let head = state.store(crate::store::Store::head).await?;
    Ok(HttpResponse::Ok().json(state.keys.prove(head)))
}

/// Which part of the log.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LogFrom {
    /// First entry.
    #[serde(default)]
    from: i64,
}

/// The log as it is, entry by entry: for relays and auditors.
#[utoipa::path(tag = "sync", params(LogFrom), responses((status = 200, body = LogPage)))]
#[get("/v1/sync/log")]
pub(crate) async fn show_log(
    _: Access<ReadLog>,
    state: Data<AppState>,
    from: Query<LogFrom>,
) -> ApiResult<HttpResponse> {
    let limit = state.limits.list_rows;
    let from = from.from;
    let page = web::block(move || state.exchange().log(from, limit)).await??;
    Ok(HttpResponse::Ok().json(page))
}

/// The people of the programme, without passwords, and its settings: for camp servers.
#[utoipa::path(tag = "sync", responses((status = 200, body = People)))]
#[get("/v1/sync/people")]
pub(crate) async fn list_people(
    access: Access<ReadPeople>,
    state: Data<AppState>,
) -> ApiResult<HttpResponse> {
    let people = web::block(move || state.exchange().people(&access)).await??;
    Ok(HttpResponse::Ok().json(people))
}
