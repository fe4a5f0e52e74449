//! Bodies: within their limits, in time, and unpacked.

use std::borrow::Cow;
use std::io::Read;
use std::time::{Duration, Instant};

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_ENCODING;
use actix_web::rt::time::timeout;
use actix_web::web::Payload;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use futures_util::StreamExt as _;

use super::error::{ApiError, ApiResult};
use crate::config::Limits;

/// Takes a body as it comes, as far as `most` bytes. One that makes no way is not waited for: the link to its sender may
/// have been gone for hours, and what has come of it lies in memory.
pub(super) async fn receive(mut payload: Payload, most: usize, limits: &Limits) -> ApiResult<Vec<u8>> {
    let silence = Duration::from_secs(limits.request_seconds);
    let whole = Duration::from_secs(limits.body_seconds);
    let begun = Instant::now();
    let mut body = Vec::new();
    loop {
        let patience = silence.min(whole.saturating_sub(begun.elapsed()));
        let Ok(chunk) = timeout(patience, payload.next()).await else { return Err(too_slow()) };
        let Some(chunk) = chunk else { return Ok(body) };
        let chunk = chunk.map_err(|fault| {
            ApiError::bad_request("body", format!("the body did not arrive whole: {fault}"))
        })?;
        if body.len() + chunk.len() > most {
            return Err(too_large(most));
        }
        body.extend_from_slice(&chunk);
    }
}

/// How a body is packed.
#[derive(Debug)]
pub(super) struct Packing(String);

/// Why a body cannot be unpacked.
#[derive(Debug)]
pub(super) enum Unpackable {
    /// It is larger than it may be.
    TooLarge,
    /// It is not what it says, in words.
    Wrong(String),
}

impl Packing {
    /// What a request says of its body.
    pub(super) fn of(request: &HttpRequest) -> Self {
        let said = request.headers().get(CONTENT_ENCODING);
        let said = said.map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_ascii_lowercase());
        Self(said.unwrap_or_default())
    }

    /// Unpacks a body as far as `most` bytes: a small body cannot grow into a large one unseen.
    pub(super) fn unpack<'b>(&self, body: &'b [u8], most: usize) -> Result<Cow<'b, [u8]>, Unpackable> {
        match self.0.as_str() {
            "" | "identity" => Ok(Cow::Borrowed(body)),
            // A gzip file may have several members (RFC 1952 §2.2).
            "gzip" | "x-gzip" => read(MultiGzDecoder::new(body), most),
            "deflate" => read(ZlibDecoder::new(body), most),
            other => {
                let other: String = other.chars().take(40).collect();
                Err(Unpackable::Wrong(format!("this server knows gzip, not `{other}`")))
            }
        }
    }
}

fn read<'b>(unpacked: impl Read, most: usize) -> Result<Cow<'b, [u8]>, Unpackable> {
    let mut body = Vec::new();
    let one_more = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    unpacked.take(one_more).read_to_end(&mut body).map_err(|fault| Unpackable::Wrong(fault.to_string()))?;
    if body.len() > most { Err(Unpackable::TooLarge) } else { Ok(Cow::Owned(body)) }
}

/// 413, with the limit.
pub(super) fn too_large(limit: usize) -> ApiError {
    ApiError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too-large",
        format!("a body may have {limit} bytes, unpacked: send it in smaller parts"),
    )
    .with("max_bytes", limit)
}

fn too_slow() -> ApiError {
    let detail = "the body came too slowly; nothing of it is stored: send it again, in smaller parts";
    ApiError::new(StatusCode::REQUEST_TIMEOUT, "too-slow", detail).retry_after(1)
}
