//! Push and pull (docs/sync.md §4).

use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{self, Bytes, Data, Query};
use actix_web::{HttpRequest, HttpResponse, get, post};
use chrono::{DateTime, Datelike as _, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::access::{Access, JsonBody, Pusher};
use super::body::{self, Packing, Unpackable};
use super::error::{ApiError, ApiResult};
use super::state::AppState;
use crate::auth::permission::{Pull, ReadLog};
use crate::model::record::Feature;
use crate::store::pull::{LogEntry, LogHead, may_follow};
use crate::store::push::{Contact, Push, Pushed};
use crate::store::txn::Scope;
use crate::sync::{Answer, Digest, Standing};

/// The protocol's version.
pub const PROTOCOL: u32 = 1;

/// A push (docs/sync.md §4).
#[derive(Deserialize, utoipa::ToSchema)]
pub(crate) struct PushBody<'a> {
    /// Version of the protocol: 1.
    protocol: u32,
    /// The device that the token belongs to.
    device_id: Uuid,
    /// The device's clock.
    #[serde(default)]
    client_time: Option<DateTime<Utc>>,
    /// Where the log stood when the device last heard of it.
    #[serde(default)]
    last_head: Option<LogHead>,
    /// What the device still holds.
    #[serde(default)]
    outbox: Outbox,
    /// Program and version.
    #[serde(default)]
    app: Option<String>,
    /// Human actions, each a list of edits that are taken whole or not at all.
    #[serde(borrow, default)]
    #[schema(value_type = Vec<Vec<crate::model::Mutation>>)]
    txns: Vec<Vec<&'a RawValue>>,
}

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

/// What a device still holds.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Outbox {
    /// Mutations that are not acknowledged.
    #[serde(default)]
    pub pending: Option<i64>,
    /// When the oldest of them was made.
    #[serde(default)]
    pub oldest: Option<DateTime<Utc>>,
}

/// The answer to a push.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PushAnswer {
    /// Always `cartagena`: a captive portal's 200 does not parse.
    pub server: String,
    /// The server's epoch.
    pub epoch: Uuid,
    /// The server's clock.
    pub server_time: DateTime<Utc>,
    /// One for every mutation.
    pub results: Vec<Answer>,
    /// What is safe.
    pub durable: Durable,
    /// What the next push may be like.
    pub limits: PushLimits,
    /// The device was revoked: wipe it once its outbox is empty.
    #[serde(default)]
    pub wipe: bool,
}

/// Up to which of the device's numbers everything is stored.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Durable {
    /// Without a gap.
    pub device_seq_through: i64,
}

/// What a push may be like.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PushLimits {
    /// Mutations in it.
    pub max_mutations: usize,
    /// Bytes, unpacked.
    pub max_bytes: usize,
    /// How long to wait before the next.
    pub retry_after_ms: u64,
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
    let limits = PushLimits {
        max_mutations: state.limits.push_mutations,
        max_bytes: state.limits.push_bytes,
        retry_after_ms: 0,
    };
    let pushed = web::block(move || -> ApiResult<Pushed> {
        let store = state.blocking_store();
        let read = packing
            .unpack(&came, state.limits.push_bytes)
            .map_err(Unreadable::unpacking)
            .and_then(|body| read_push(&body, device, principal, state.limits.push_mutations));
        let (push, last_head) = match read {
            Ok(read) => read,
            Err(Unreadable::TooMany(count)) => return Err(too_many(count, &limits)),
            Err(Unreadable::TooLarge) => return Err(body::too_large(limits.max_bytes)),
            Err(Unreadable::Wrong(reason)) => {
                let receipt = store.keep_unreadable(Some(device), reason.clone(), came)?;
                return Err(ApiError::bad_request("unreadable", reason).with("receipt", receipt.to_string()));
            }
        };
        if let Some(head) = last_head {
            meet_head(&state, &head)?;
        }
        Ok(store.push(push)?)
    })
    .await??;
    for answer in &pushed.answers {
        metrics::counter!("cartagena_mutations_total", "outcome" => answer.outcome.as_str()).increment(1);
    }
    Ok(HttpResponse::Ok().json(PushAnswer {
        server: "cartagena".to_owned(),
        epoch: pushed.epoch,
        server_time: Utc::now(),
        results: pushed.answers,
        durable: Durable { device_seq_through: pushed.seq_through },
        limits,
        wipe: principal.standing == Standing::Revoked,
    }))
}

/// Compares a head that a client remembers with the log. Only one that this server has signed can tell it that its
/// database went back in time.
fn meet_head(state: &AppState, remembered: &LogHead) -> ApiResult<()> {
    let store = state.blocking_store();
    if store.holds(remembered)? {
        return Ok(());
    }
    if state.keys.proves(remembered) {
        store.went_back(remembered)?;
    } else {
        tracing::warn!(seq = remembered.seq, "a device remembers a head that this server never stated");
    }
    Ok(())
}

enum Unreadable {
    TooMany(usize),
    TooLarge,
    Wrong(String),
}

impl Unreadable {
    fn unpacking(fault: Unpackable) -> Self {
        match fault {
            Unpackable::TooLarge => Self::TooLarge,
            Unpackable::Wrong(reason) => {
                Self::Wrong(format!("the push cannot be unpacked: {reason}; it is kept as it came"))
            }
        }
    }
}

fn read_push(
    body: &[u8],
    device: Uuid,
    principal: crate::auth::Principal,
    most: usize,
) -> Result<(Push, Option<LogHead>), Unreadable> {
    let wrong = |reason: String| Unreadable::Wrong(reason);
    let read: PushBody<'_> = serde_json::from_slice(body)
        .map_err(|fault| wrong(format!("the push cannot be read: {fault}; it is kept as it came")))?;
    if read.protocol != PROTOCOL {
        return Err(wrong(format!("this server speaks protocol {PROTOCOL}, the push {}", read.protocol)));
    }
    if read.device_id != device {
        return Err(wrong(format!("device_id is {}, but the token belongs to {device}", read.device_id)));
    }
    let count = read.txns.iter().map(Vec::len).sum();
    if count > most {
        return Err(Unreadable::TooMany(count));
    }
    let contact = Contact {
        skew_ms: read.client_time.map(|time| (time - Utc::now()).num_milliseconds()),
        pending: read.outbox.pending,
        // What a tablet says of itself must not keep its edits out: not every database holds every date and character.
        oldest: read.outbox.oldest.filter(|oldest| (1970..10_000).contains(&oldest.year())),
        app: read.app.map(|app| app.chars().filter(|letter| !letter.is_control()).take(200).collect()),
    };
    let push = Push::read(device, principal.actor, principal.standing, &read.txns, contact).map_err(wrong)?;
    Ok((push, read.last_head))
}

fn too_many(count: usize, limits: &PushLimits) -> ApiError {
    let detail = format!(
        "{count} mutations in one push, {} are taken: send them in smaller parts",
        limits.max_mutations
    );
    ApiError::new(actix_web::http::StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)
        .with("max_mutations", limits.max_mutations)
        .with("max_bytes", limits.max_bytes)
}

/// What a client asks for.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct PullBody {
    /// Where it stands in every scope that it follows.
    scopes: Vec<ScopeCursor>,
    /// About how many bytes of records an answer may have.
    #[serde(default)]
    limit_bytes: Option<usize>,
}

/// Where a client stands in a scope.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ScopeCursor {
    /// `everything`, `content`, `organisation:<uuid>` or `task:<uuid>`.
    pub id: String,
    /// The epoch that the cursor belongs to.
    #[serde(default)]
    pub epoch: Option<Uuid>,
    /// 0 to begin.
    #[serde(default)]
    pub cursor: i64,
}

/// The answer to a pull.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub struct PullAnswer {
    /// Always `cartagena`.
    pub server: String,
    /// Where the log stood.
    pub head: LogHead,
    /// One page of every scope.
    pub scopes: Vec<ScopePage>,
}

/// One page of a scope.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub struct ScopePage {
    /// The scope.
    pub id: String,
    /// Records at their latest state.
    #[schema(value_type = Vec<Object>)]
    pub records: Vec<Feature>,
    /// Records that left the scope.
    #[serde(default)]
    pub leaves: Vec<Uuid>,
    /// The scope is not the asker's (any more): forget it.
    #[serde(default)]
    pub revoked: bool,
    /// The cursor was of another epoch: forget the scope's records, not the outbox, and begin again.
    #[serde(default)]
    pub refetch: bool,
    /// Where the next page begins.
    pub cursor: i64,
    /// Whether there is more now.
    pub has_more: bool,
    /// On the last page: what the client should now hold.
    pub digest: Option<Digest>,
}

/// Scopes in one pull.
const MOST_SCOPES: usize = 64;

/// Pull what has changed: every record once, at its latest state.
#[utoipa::path(tag = "sync", request_body = PullBody, responses((status = 200, body = PullAnswer)))]
#[post("/v1/sync/pull")]
pub(crate) async fn pull_changes(
    access: Access<Pull>,
    state: Data<AppState>,
    body: JsonBody<PullBody>,
) -> ApiResult<HttpResponse> {
    let body = body.read()?;
    if body.scopes.len() > MOST_SCOPES {
        return Err(ApiError::bad_request("scopes", format!("at most {MOST_SCOPES} scopes in one pull")));
    }
    let actor = access.actor;
    let most = state.limits.pull_bytes;
    let limit = body.limit_bytes.unwrap_or(most).clamp(1, most);
    let answer = web::block(move || -> ApiResult<Bytes> {
        let store = state.blocking_store();
        let mut head = store.head()?;
        let mut pages = Vec::with_capacity(body.scopes.len());
        let share = limit / body.scopes.len().max(1);
        for asked in body.scopes {
            let scope: Scope = asked.id.parse()?;
            if !may_follow(&actor, scope) || !store.in_reach(&actor, scope)? {
                pages.push(ScopePage::revoked(asked.id));
                continue;
            }
            let refetch = asked.epoch.is_some_and(|epoch| epoch != head.epoch);
            let cursor = if refetch { 0 } else { asked.cursor };
            let (page, at) = store.pull(scope, cursor, share, actor.sight())?;
            head = at;
            pages.push(ScopePage {
                id: asked.id,
                records: page.records,
                leaves: page.leaves,
                revoked: false,
                refetch,
                cursor: page.cursor,
                has_more: page.has_more,
                digest: page.digest,
            });
        }
        let head = state.keys.prove(head);
        let answer = PullAnswer { server: "cartagena".to_owned(), head, scopes: pages };
        let bytes = serde_json::to_vec(&answer).map_err(|fault| {
            tracing::error!(%fault, "an answer could not be written");
            ApiError::unavailable(1)
        })?;
        Ok(bytes.into())
    })
    .await??;
    Ok(HttpResponse::Ok().insert_header((CONTENT_TYPE, "application/json")).body(answer))
}

impl ScopePage {
    fn revoked(id: String) -> Self {
        Self {
            id,
            records: Vec::new(),
            leaves: Vec::new(),
            revoked: true,
            refetch: false,
            cursor: 0,
            has_more: false,
            digest: None,
        }
    }
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
pub struct From {
    /// First entry.
    #[serde(default)]
    from: i64,
}

/// Entries of the log.
#[derive(Serialize, utoipa::ToSchema)]
struct Entries {
    entries: Vec<LogEntry>,
}

/// The log as it is, entry by entry: for relays and auditors.
#[utoipa::path(tag = "sync", params(From), responses((status = 200, body = Entries)))]
#[get("/v1/sync/log")]
pub(crate) async fn show_log(
    _: Access<ReadLog>,
    state: Data<AppState>,
    from: Query<From>,
) -> ApiResult<HttpResponse> {
    let limit = state.limits.list_rows;
    let from = from.from;
    let entries = state.store(move |store| store.log_entries(from, limit)).await?;
    Ok(HttpResponse::Ok().json(Entries { entries }))
}
