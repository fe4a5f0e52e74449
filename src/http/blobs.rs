//! Attachments as they are read: whole or in part, and small pictures of them.

use std::io::{ErrorKind, Read};
use std::ops::Range;
use std::sync::Arc;

use actix_web::body::SizedStream;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, Charset, ContentDisposition, DispositionParam, DispositionType,
    ETAG, ExtendedValue, HeaderMap, IF_NONE_MATCH, IF_RANGE, RANGE, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::web::{self, Bytes, Data, Path, Query};
use actix_web::{FromRequest as _, HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError as _, get};
use futures_util::stream;
use serde::Deserialize;

use super::access::Access;
use super::error::{ApiError, ApiResult};
use super::state::AppState;
use super::uploads::{read_name, storage};
use crate::auth::permission::ReadRecords;
use crate::blob::media;
use crate::blob::thumbnail::{self, LARGEST, USUAL};
use crate::model::Hash;
use crate::model::role::Sight;
use crate::store::claim::Readable;

/// Bytes that are read at a time.
const PIECE: u64 = 256 * 1024;
/// The file of a name never changes; it is for its reader alone.
const FOR_EVER: &str = "private, max-age=31536000, immutable";

/// A file, byte for byte as it came, for whoever sees a record that claims it and is not of the public: pictures hold
/// where, when and by whom they were taken. Its `ETag` is its hash; `Range` asks for a part.
#[utoipa::path(tag = "blobs", params(("sha256" = String, Path), ("Range" = Option<String>, Header)), responses((status = 200, content_type = "application/octet-stream"), (status = 206, content_type = "application/octet-stream")))]
#[get("/v1/blobs/{sha256}")]
pub(crate) async fn show(
    access: Access<ReadRecords>,
    request: HttpRequest,
    state: Data<AppState>,
    file: Path<String>,
) -> ApiResult<HttpResponse> {
    download(access.actor.sight(), &request, state, read_name(&file)?).await
}

/// What [`show`] would answer; the web server leaves its body out.
pub(super) async fn head_of_download(
    request: &HttpRequest,
    state: Data<AppState>,
    file: &str,
) -> HttpResponse {
    let access = Access::<ReadRecords>::from_request(request, &mut actix_web::dev::Payload::None).await;
    let answer = async { download(access?.actor.sight(), request, state, read_name(file)?).await };
    answer.await.unwrap_or_else(|problem| problem.error_response())
}

async fn download(
    sight: Sight,
    request: &HttpRequest,
    state: Data<AppState>,
    file: Hash,
) -> ApiResult<HttpResponse> {
    let Readable { name, here } = find(&state, file, sight).await?;
    if sight.official_only {
        let detail = "the file as it came holds where, when and by whom it was taken: of pictures there is \
                      `/v1/blobs/{sha256}/thumbnail`, which holds none of it";
        return Err(ApiError::forbidden(detail));
    }
    let tag = format!("\"{}\"", file.to_hex());
    if matches_tag(request.headers(), &tag) {
        return Ok(cached(HttpResponse::NotModified(), &tag).finish());
    }
    let (status, range) = match asked(request.headers(), &tag, here.size) {
        Asked::Whole => (StatusCode::OK, 0..here.size),
        Asked::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Asked::Beyond => {
            let detail = format!("the file has {} bytes", here.size);
            let mut response =
                ApiError::new(StatusCode::RANGE_NOT_SATISFIABLE, "range", detail).error_response();
            let stands =
                format!("bytes */{}", here.size).parse().map_err(|_never| ApiError::unavailable(1))?;
            response.headers_mut().insert(CONTENT_RANGE, stands);
            return Ok(response);
        }
    };
    let wanted = range.clone();
    let reader = web::block(move || state.blobs.shelf.read(file, wanted)).await?.map_err(|fault| {
        if fault.kind() == ErrorKind::NotFound {
            tracing::error!(
                file = file.to_hex(),
                "a file that should be here is missing: run `cartagena verify`"
            );
        }
        storage(&fault)
    })?;
    let mut response = cached(HttpResponse::build(status), &tag);
    if status == StatusCode::PARTIAL_CONTENT {
        let stands = format!("bytes {}-{}/{}", range.start, range.end - 1, here.size);
        response.insert_header((CONTENT_RANGE, stands));
    }
    response
        .insert_header((CONTENT_TYPE, here.media_type.as_str()))
        .insert_header((CONTENT_DISPOSITION, disposition(&here.media_type, &name)))
        .insert_header((ACCEPT_RANGES, "bytes"))
        // Packing it would make no sense and its parts another file's.
        .insert_header((CONTENT_ENCODING, "identity"));
    Ok(response.body(SizedStream::new(range.end - range.start, pieces(reader))))
}

/// A file that the asker may read.
async fn find(state: &Data<AppState>, file: Hash, sight: Sight) -> ApiResult<Readable> {
    let found = state.store(move |store| store.find_readable(file, sight)).await?;
    found.ok_or_else(|| ApiError::not_found("file"))
}

/// Says how long an answer holds, and that no browser is to make anything else of it than what it is.
fn cached(mut response: HttpResponseBuilder, tag: &str) -> HttpResponseBuilder {
    response
        .insert_header((ETAG, tag))
        .insert_header((CACHE_CONTROL, FOR_EVER))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"));
    response
}

/// Pictures may be looked at where they are; anything else is saved.
fn disposition(media_type: &str, name: &str) -> ContentDisposition {
    let disposition =
        if media::is_image(media_type) { DispositionType::Inline } else { DispositionType::Attachment };
    let name: String =
        name.chars().filter(|letter| !letter.is_control() && !"/\\".contains(*letter)).collect();
    let value = ExtendedValue {
        charset: Charset::Ext("UTF-8".to_owned()),
        language_tag: None,
        value: name.into_bytes(),
    };
    ContentDisposition { disposition, parameters: vec![DispositionParam::FilenameExt(value)] }
}

fn matches_tag(headers: &HeaderMap, tag: &str) -> bool {
    let given = headers.get(IF_NONE_MATCH).and_then(|given| given.to_str().ok());
    given.is_some_and(|given| {
        given.split(',').any(|one| one.trim().trim_start_matches("W/") == tag || one.trim() == "*")
    })
}

/// Which bytes are asked for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Whole,
    Part(Range<u64>),
    Beyond,
}

/// Reads `Range` (RFC 9110 §14). Several ranges at once, and what cannot be read, are answered with the whole file.
fn asked(headers: &HeaderMap, tag: &str, size: u64) -> Asked {
    if headers.get(IF_RANGE).is_some_and(|of| of != tag) {
        return Asked::Whole;
    }
    let range = headers.get(RANGE).and_then(|range| range.to_str().ok()?.strip_prefix("bytes="));
    let Some((first, last)) = range.and_then(|range| range.trim().split_once('-')) else {
        return Asked::Whole;
    };
    let (start, end) = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => (first, last.saturating_add(1).min(size)),
        (Ok(first), Err(_)) if last.is_empty() => (first, size),
        (Err(_), Ok(many)) if first.is_empty() => (size.saturating_sub(many), size),
        _ => return Asked::Whole,
    };
    if start < end { Asked::Part(start..end) } else { Asked::Beyond }
}

/// The bytes of a reader, piece by piece, read off the async threads.
pub(super) fn pieces(
    reader: Box<dyn Read + Send>,
) -> impl stream::Stream<Item = Result<Bytes, actix_web::Error>> {
    stream::unfold(Some(reader), |reader| async {
        let mut reader = reader?;
        let read = web::block(move || {
            let mut piece = Vec::new();
            let read = (&mut reader).take(PIECE).read_to_end(&mut piece);
            read.map(|_| (piece, reader))
        });
        match read.await {
            Ok(Ok((piece, _))) if piece.is_empty() => None,
            Ok(Ok((piece, reader))) => Some((Ok(Bytes::from(piece)), Some(reader))),
            Ok(Err(fault)) => Some((Err(storage(&fault).into()), None)),
            Err(fault) => Some((Err(ApiError::from(fault).into()), None)),
        }
    })
}

/// How large.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Size {
    /// The longer side, px: 16 to 1024.
    size: Option<u32>,
}

/// A small picture of a picture, upright and without what the camera wrote beside it: for everybody who sees a record
/// that claims it.
#[utoipa::path(tag = "blobs", params(("sha256" = String, Path), Size), responses((status = 200, content_type = "image/jpeg")))]
#[get("/v1/blobs/{sha256}/thumbnail")]
pub(crate) async fn show_small(
    access: Access<ReadRecords>,
    request: HttpRequest,
    state: Data<AppState>,
    file: Path<String>,
    size: Query<Size>,
) -> ApiResult<HttpResponse> {
    let file = read_name(&file)?;
    let size = size.size.unwrap_or(USUAL);
    if !(16..=LARGEST).contains(&size) {
        return Err(ApiError::bad_request("query", format!("size={size}: 16 to {LARGEST} pixels")));
    }
    let Readable { here, .. } = find(&state, file, access.actor.sight()).await?;
    let tag = format!("\"{}-{size}\"", file.to_hex());
    if matches_tag(request.headers(), &tag) {
        return Ok(cached(HttpResponse::NotModified(), &tag).finish());
    }
    // A picture takes much memory while it is unpacked: only a few at once.
    let turn = Arc::clone(&state.pictures).acquire_owned().await;
    let turn = turn.map_err(|_closed| ApiError::unavailable(1))?;
    let opened = state.clone();
    let small = web::block(move || {
        // Also where the asker has gone meanwhile.
        let _turn = turn;
        let mut original = Vec::new();
        let read = opened.blobs.shelf.read(file, 0..here.size);
        read.and_then(|mut reader| reader.read_to_end(&mut original)).map_err(|fault| storage(&fault))?;
        thumbnail::make(&original, size).map_err(|fault| {
            ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "no-thumbnail", fault.to_string())
        })
    })
    .await??;
    Ok(cached(HttpResponse::Ok(), &tag).insert_header((CONTENT_TYPE, small.media_type)).body(small.bytes))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        let read = |range: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RANGE, HeaderValue::from_str(range).unwrap());
            asked(&headers, "\"x\"", 100)
        };
        assert_eq!(read("bytes=0-0"), Asked::Part(0..1));
        assert_eq!(read("bytes=90-"), Asked::Part(90..100));
        assert_eq!(read("bytes=-10"), Asked::Part(90..100));
        assert_eq!(read("bytes=-1000"), Asked::Part(0..100));
        assert_eq!(read("bytes=10-1000"), Asked::Part(10..100));
        for beyond in ["bytes=100-", "bytes=100-200", "bytes=-0"] {
            assert_eq!(read(beyond), Asked::Beyond, "{beyond}");
        }
        for whole in ["bytes=5-4", "bytes=0-1,5-6", "bytes=-", "lines=1-2", "bytes=a-b"] {
            assert_eq!(read(whole), Asked::Whole, "{whole}");
        }
    }
}
