//! Attachments on their way here: tus 1.0 (docs/sync.md §4), with the extensions `creation` and `checksum`.
//!
//! An upload exists as soon as a record of the sender's organisation claims its file. What another organisation has
//! sent makes no difference to any answer.

use std::io;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION,
};
use actix_web::rt::time::timeout;
use actix_web::web::{Bytes, Data, Path, Payload, Query};
use actix_web::{HttpRequest, HttpResponse, ResponseError as _, head, options, patch, post, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt as _;
use serde::Deserialize;
use uuid::Uuid;

use super::access::Uploader;
use super::error::{ApiError, ApiResult};
use super::state::AppState;
use crate::arrival::{Checksum, End, NotTaken, Part, Slot};
use crate::auth::Principal;
use crate::model::{Hash, Role};
use crate::sync::Standing;

/// The version of tus that is spoken.
const TUS: &str = "1.0.0";
const EXTENSIONS: &str = "creation,checksum";
const CHECKSUMS: &str = "sha1,sha256";
/// What a part of a file is sent as.
const PART: &str = "application/offset+octet-stream";
/// What tus calls a checksum that does not match; no other standard has a name for it.
const CHECKSUM_MISMATCH: u16 = 460;
/// Whether the national server has the file too: a header of our own, beside those of tus.
const NATIONAL: &str = "Upload-National";
/// Bytes that are gathered before they are written.
const PIECE: usize = 256 * 1024;

/// Whose file it is.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Whose {
    /// A camp server passes on the files of others: the organisation whose records claim this one.
    organisation: Option<Uuid>,
}

impl Whose {
    /// The organisation that somebody sends a file for: their own, and a camp's whichever it names.
    fn organisation(&self, sender: &Principal) -> ApiResult<Uuid> {
        match self.organisation {
            None => Ok(sender.actor.organisation),
            Some(named) if named == sender.actor.organisation => Ok(named),
            // A camp that was revoked learns and changes nothing of others'.
            Some(named) if sender.actor.role == Role::Relay && sender.standing == Standing::Good => Ok(named),
            Some(_) => Err(ApiError::forbidden("only a camp server sends files for another organisation")),
        }
    }
}

/// What uploads may be like here: tus' `OPTIONS`, for anybody.
#[utoipa::path(tag = "blobs", security(()), responses((status = 204, description = "`Tus-Version`, `Tus-Max-Size`, `Tus-Extension`, `Tus-Checksum-Algorithm`")))]
#[options("/v1/blobs")]
pub(crate) async fn offer(state: Data<AppState>) -> HttpResponse {
    offered(&state)
}

/// The same, asked of one file.
#[utoipa::path(tag = "blobs", security(()), params(("sha256" = String, Path)), responses((status = 204, description = "`Tus-Version`, `Tus-Max-Size`, `Tus-Extension`, `Tus-Checksum-Algorithm`")))]
#[options("/v1/blobs/{sha256}")]
pub(crate) async fn offer_one(state: Data<AppState>, _: Path<String>) -> HttpResponse {
    offered(&state)
}

fn offered(state: &AppState) -> HttpResponse {
    let mut response = HttpResponse::NoContent();
    response.insert_header(("Tus-Version", TUS));
    response.insert_header(("Tus-Max-Size", state.limits.blob_bytes.to_string()));
    response.insert_header(("Tus-Extension", EXTENSIONS));
    response.insert_header(("Tus-Checksum-Algorithm", CHECKSUMS));
    spoken(response.finish())
}

/// Begin an upload (tus `creation`): for clients that make their uploads themselves. A claim is enough otherwise.
/// `Upload-Metadata` names the file as `sha256`, its hexadecimal hash.
#[utoipa::path(tag = "blobs", params(Whose, ("Tus-Resumable" = String, Header), ("Upload-Length" = u64, Header), ("Upload-Metadata" = String, Header)), responses((status = 201, description = "`Location`: where the upload is")))]
#[post("/v1/blobs")]
pub(crate) async fn create(
    uploader: ApiResult<Uploader>,
    request: HttpRequest,
    whose: Query<Whose>,
    state: Data<AppState>,
) -> HttpResponse {
    answer(begin(uploader, &request, &whose, state).await)
}

async fn begin(
    uploader: ApiResult<Uploader>,
    request: &HttpRequest,
    whose: &Whose,
    state: Data<AppState>,
) -> ApiResult<HttpResponse> {
    let Uploader(principal) = uploader?;
    speaks_tus(request)?;
    let length = number(request.headers(), "Upload-Length")?;
    let file = named(request.headers())?;
    let organisation = whose.organisation(&principal)?;
    web::block(move || state.arrival().declare(file, organisation, length)).await??;
    let named = whose.organisation.map(|named| format!("?organisation={named}")).unwrap_or_default();
    let mut response = HttpResponse::Created();
    response.insert_header((LOCATION, format!("/v1/blobs/{}{named}", file.to_hex())));
    Ok(response.finish())
}

/// How much of a file has come (tus `HEAD`). Without `Tus-Resumable` it is the head of the download.
#[utoipa::path(tag = "blobs", params(("sha256" = String, Path), Whose, ("Tus-Resumable" = Option<String>, Header)), responses((status = 200, description = "`Upload-Offset`, `Upload-Length`; `Upload-National`: whether the national server has it whole")))]
#[head("/v1/blobs/{sha256}")]
pub(crate) async fn tell(
    uploader: ApiResult<Uploader>,
    request: HttpRequest,
    state: Data<AppState>,
    file: Path<String>,
    whose: Query<Whose>,
) -> HttpResponse {
    if !request.headers().contains_key("Tus-Resumable") {
        return super::blobs::head_of_download(&request, state, &file).await;
    }
    answer(look(uploader, &request, state, &file, &whose).await)
}

async fn look(
    uploader: ApiResult<Uploader>,
    request: &HttpRequest,
    state: Data<AppState>,
    file: &str,
    whose: &Whose,
) -> ApiResult<HttpResponse> {
    let Uploader(principal) = uploader?;
    speaks_tus(request)?;
    let file = read_name(file)?;
    let organisation = whose.organisation(&principal)?;
    let (offset, length, national) = web::block(move || {
        state.arrival().open(file, organisation).map(|slot| match slot {
            Slot::Done { size, national } => (size, size, national),
            Slot::Open { upload, length } => (upload.offset(), length, false),
        })
    })
    .await??;
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, "no-store"));
    response.insert_header(("Upload-Offset", offset.to_string()));
    response.insert_header(("Upload-Length", length.to_string()));
    response.insert_header((NATIONAL, national.to_string()));
    Ok(response.finish())
}

/// Send a part of a file (tus `PATCH`). What came before a connection broke stays. The last part is answered when the
/// whole file's hash has been looked at; if it is another one, the answer is 460 and the upload begins again at 0.
#[utoipa::path(tag = "blobs", params(("sha256" = String, Path), Whose, ("Tus-Resumable" = String, Header), ("Upload-Offset" = u64, Header), ("Upload-Checksum" = Option<String>, Header)), request_body(content = inline(PartBytes), content_type = "application/offset+octet-stream"), responses((status = 204, description = "`Upload-Offset`: so much is on the disk")))]
#[patch("/v1/blobs/{sha256}")]
pub(crate) async fn send(
    uploader: ApiResult<Uploader>,
    request: HttpRequest,
    state: Data<AppState>,
    file: Path<String>,
    whose: Query<Whose>,
    payload: Payload,
) -> HttpResponse {
    answer(receive(uploader, &request, state, &file, &whose, payload).await)
}

/// Send a part of a file where a proxy lets no `PATCH` through: with `X-HTTP-Method-Override: PATCH` it is one.
#[utoipa::path(tag = "blobs", params(("sha256" = String, Path), Whose, ("X-HTTP-Method-Override" = String, Header), ("Tus-Resumable" = String, Header), ("Upload-Offset" = u64, Header), ("Upload-Checksum" = Option<String>, Header)), request_body(content = inline(PartBytes), content_type = "application/offset+octet-stream"), responses((status = 204, description = "`Upload-Offset`: so much is on the disk")))]
#[post("/v1/blobs/{sha256}")]
pub(crate) async fn send_as_post(
    uploader: ApiResult<Uploader>,
    request: HttpRequest,
    state: Data<AppState>,
    file: Path<String>,
    whose: Query<Whose>,
    payload: Payload,
) -> HttpResponse {
    let meant = request.headers().get("X-HTTP-Method-Override").is_some_and(|method| method == "PATCH");
    if meant {
        return answer(receive(uploader, &request, state, &file, &whose, payload).await);
    }
    let refused = "a part of a file is sent with PATCH, or with POST and `X-HTTP-Method-Override: PATCH`";
    answer(uploader.and_then(|_| Err(ApiError::bad_request("method", refused))))
}

/// Bytes of a file from an offset on.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "only its description is read")]
struct PartBytes {
    /// As they are.
    #[schema(value_type = String, format = Binary)]
    bytes: Vec<u8>,
}

async fn receive(
    uploader: ApiResult<Uploader>,
    request: &HttpRequest,
    state: Data<AppState>,
    file: &str,
    whose: &Whose,
    payload: Payload,
) -> ApiResult<HttpResponse> {
    let Uploader(principal) = uploader?;
    speaks_tus(request)?;
    let headers = request.headers();
    let is_part = headers.get(CONTENT_TYPE).is_some_and(|given| given.as_bytes() == PART.as_bytes());
    if !is_part || headers.contains_key(CONTENT_ENCODING) {
        let detail = format!("a part of a file is sent as `Content-Type: {PART}`, not packed");
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", detail));
    }
    let file = read_name(file)?;
    let offset = number(headers, "Upload-Offset")?;
    let checksum = headers.get("Upload-Checksum").map(read_checksum).transpose()?;
    let organisation = whose.organisation(&principal)?;
    let looked_at = state.clone();
    let slot = web::block(move || looked_at.arrival().open(file, organisation)).await??;
    let (upload, length) = match slot {
        Slot::Open { upload, length } if upload.offset() == offset => (upload, length),
        // An answer that was lost is asked for again by an empty part at the end.
        Slot::Done { size, .. } if size == offset => return Ok(at(size)),
        Slot::Open { upload, .. } => return Err(wrong_offset(offset, upload.offset())),
        Slot::Done { size, .. } => return Err(wrong_offset(offset, size)),
    };
    let announced =
        headers.get("Content-Length").and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|announced| announced > length - offset) {
        return Err(NotTaken::TooLong { length }.into());
    }
    // A task of its own: whoever sends may be gone, and what has come is still written down.
    let taken = actix_web::rt::spawn(take(state, Part::begin(upload, length, checksum), payload)).await;
    let offset = taken.map_err(|fault| {
        tracing::error!(%fault, "an upload ended early");
        ApiError::unavailable(1)
    })??;
    Ok(at(offset))
}

fn at(offset: u64) -> HttpResponse {
    HttpResponse::NoContent().insert_header(("Upload-Offset", offset.to_string())).finish()
}

fn wrong_offset(given: u64, here: u64) -> ApiError {
    let detail = format!("{here} bytes are here, the part begins at {given}: go on at {here}");
    ApiError::new(StatusCode::CONFLICT, "offset", detail).with("offset", here)
}

/// Writes down what comes, as far as it comes; gives the offset that is on the disk.
async fn take(state: Data<AppState>, mut part: Part, mut payload: Payload) -> ApiResult<u64> {
    let patience = Duration::from_secs(state.limits.request_seconds);
    let mut piece = Vec::with_capacity(PIECE);
    let end = loop {
        let bytes: Bytes = match timeout(patience, payload.next()).await {
            Ok(Some(Ok(bytes))) => bytes,
            Ok(None) => break End::Whole,
            // A line that is dead and does not say so must not keep the upload for ever.
            Ok(Some(Err(_))) | Err(_) => break End::Broken,
        };
        piece.extend_from_slice(&bytes);
        if piece.len() >= PIECE {
            let fits;
            (part, fits) = write(part, std::mem::take(&mut piece)).await?;
            if !fits {
                break End::Whole;
            }
        }
    };
    (part, _) = write(part, piece).await?;
    Ok(web::block(move || state.arrival().end(part, end)).await??)
}

async fn write(mut part: Part, bytes: Vec<u8>) -> ApiResult<(Part, bool)> {
    let written = web::block(move || part.write(&bytes).map(|fits| (part, fits)));
    Ok(written.await?.map_err(NotTaken::Disk)?)
}

impl From<NotTaken> for ApiError {
    fn from(fault: NotTaken) -> Self {
        let detail = fault.to_string();
        // 460: what came is not what was announced.
        let mismatch = StatusCode::from_u16(CHECKSUM_MISMATCH).unwrap_or(StatusCode::BAD_REQUEST);
        match fault {
            NotTaken::NotClaimed => Self::new(StatusCode::NOT_FOUND, "not-claimed", detail),
            NotTaken::Locked => Self::new(StatusCode::LOCKED, "locked", detail).retry_after(5),
            NotTaken::TooLarge { most, .. } => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail).with("max_bytes", most)
            }
            NotTaken::ClaimedEmpty => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "claimed-size", detail),
            NotTaken::TooLong { length } => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-long", detail).with("length", length)
            }
            NotTaken::Checksum { offset } => Self::new(mismatch, "checksum", detail).with("offset", offset),
            NotTaken::Another => Self::new(mismatch, "checksum", detail).with("offset", 0),
            NotTaken::Broken { .. } => Self::bad_request("body", detail),
            NotTaken::Disk(fault) => storage(&fault),
            NotTaken::Store(fault) => fault.into(),
        }
    }
}

/// Every answer of tus says its version, refusals too.
fn answer(result: ApiResult<HttpResponse>) -> HttpResponse {
    spoken(result.unwrap_or_else(|problem| problem.error_response()))
}

fn spoken(mut response: HttpResponse) -> HttpResponse {
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("tus-resumable"), HeaderValue::from_static(TUS));
    if headers.get(CACHE_CONTROL).is_none() {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if response.status() == StatusCode::PRECONDITION_FAILED {
        response.headers_mut().insert(HeaderName::from_static("tus-version"), HeaderValue::from_static(TUS));
    }
    response
}

fn speaks_tus(request: &HttpRequest) -> ApiResult<()> {
    if request.headers().get("Tus-Resumable").is_some_and(|version| version == TUS) {
        return Ok(());
    }
    let detail = format!("uploads are tus {TUS}: send `Tus-Resumable: {TUS}`");
    Err(ApiError::new(StatusCode::PRECONDITION_FAILED, "tus-version", detail))
}

fn number(headers: &HeaderMap, name: &str) -> ApiResult<u64> {
    let read = headers.get(name).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    read.ok_or_else(|| ApiError::bad_request("header", format!("`{name}` must be there: a number of bytes")))
}

/// A file's name as a path has it.
pub(super) fn read_name(text: &str) -> ApiResult<Hash> {
    Hash::from_hex(text).ok_or_else(|| {
        ApiError::bad_request("path", "a file is named by the 64 hexadecimal digits of its SHA-256")
    })
}

/// The file that `Upload-Metadata` names: `sha256 <base64 of its hexadecimal digits>` among other pairs.
fn named(headers: &HeaderMap) -> ApiResult<Hash> {
    let metadata = headers.get("Upload-Metadata").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut pairs = metadata.split(',').filter_map(|pair| pair.trim().split_once(' '));
    let value =
        pairs.find(|(key, _)| *key == "sha256").and_then(|(_, value)| STANDARD.decode(value.trim()).ok());
    let digits = value.and_then(|value| String::from_utf8(value).ok());
    digits.as_deref().and_then(Hash::from_hex).ok_or_else(|| {
        let detail = "`Upload-Metadata` must name the file: `sha256 <base64 of the 64 hexadecimal digits of its SHA-256>`";
        ApiError::bad_request("header", detail)
    })
}

fn read_checksum(header: &HeaderValue) -> ApiResult<Checksum> {
    let unread = || {
        let detail = format!("`Upload-Checksum` is `<algorithm> <base64>`, with one of {CHECKSUMS}");
        ApiError::bad_request("header", detail)
    };
    let (algorithm, value) = header.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(unread)?;
    let value = STANDARD.decode(value.trim()).map_err(|_not_base64| unread())?;
    Checksum::of(algorithm, value).ok_or_else(unread)
}

/// A disk or a store of objects that fails, as the sender is told.
pub(super) fn storage(fault: &io::Error) -> ApiError {
    tracing::error!(%fault, "an attachment could not be written or read");
    if fault.kind() == io::ErrorKind::StorageFull {
        let detail = "the server's disk is full: what has come is kept; go on when somebody has made room";
        return ApiError::new(StatusCode::INSUFFICIENT_STORAGE, "storage-full", detail).retry_after(600);
    }
    let detail =
        "the server cannot reach its place for attachments just now; what has come is kept: go on later";
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "retry", detail).retry_after(30)
}
